/*
 * kernels — the inner loops over elements, compiled once for each instruction set and chosen at run time.
 *
 * Every variant gives the same bits for widen, narrow, blend, blend_marked, step, low_rank, blend_low_rank, exponentials, silu and silu_slopes (each element is a fixed
 * sequence of correctly rounded operations). `dot` and its like sum in 64 interleaved lanes that are folded
 * in a fixed order, so they too are the same on any machine; dot_low_rank's lanes are 16.
 *
 * `drift` sums doubles in 16 lanes, likewise, which kernels_fold() adds.
 *
 * Where it says "but in the portable variant", that is of processors without fused multiply-add: aarch64's has it.
 *
 * Pointers to stored elements may be unaligned. Types are floating (dtype_is_float).
 *
 * The room: numbers without models, dtypes, vectorised kernels, BLAS, LAPACK, random numbers. It owns
 * OpenBLAS and its buffers, once somebody asked for them, and keeps nothing else; any thread may call any of it.
 */
#ifndef REJUV_CORE_KERNELS_H
#define REJUV_CORE_KERNELS_H

#include "core/numerics/dtype.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One row of each model and its coefficients, rounded to float32 once: weight_sft = a, weight_base = 1 − a.
 * weight_base = 0 reads S only, weight_sft = 0 reads B only; the pointer of the other may be NULL. */
typedef struct KernelRow {
    DType sft_dtype, base_dtype;
    const void *sft, *base;
    float weight_sft, weight_base;
} KernelRow;

/* Elements of a row with weights of their own: those that are marked. A byte each, for this is read as often
 * as the weights are. */
typedef struct KernelMarked {
    const unsigned char *marks; /* 1 or 0 for each element */
    float weight_sft, weight_base;
} KernelMarked;

/* A step along random signs: the sign of element e is bit e mod 64 of word e div 64 of random_bits(key, word),
 * 0 is +. One word of 64 bits makes 64 signs. */
typedef struct KernelStep {
    uint64_t key;
    float size;
} KernelStep;

enum { KERNELS_STEPS_MOST = 2 };

enum { KERNELS_MOST_PACK = 64 }; /* tokens of any variant's pack */

enum {
    KERNELS_DRIFT_CHUNK = 4096,
    KERNELS_DRIFT_LANES = 16,
    KERNELS_DRIFT_SIZES = KERNELS_DRIFT_CHUNK + KERNELS_DRIFT_LANES
};

/* A sum of doubles in lanes: what comes from element i is added to lane i mod 16. */
typedef struct KernelSum {
    double lanes[KERNELS_DRIFT_LANES];
} KernelSum;

/* What comparing two stretches of elements adds up to; Δ = s − b and Δ² are rounded to double, and so is each sum, once
 * for each element. Σsb = Σb² + ΣbΔ and Σs² = Σb² + 2ΣbΔ + ΣΔ² need no sums of their own. */
typedef struct KernelDrift {
    uint64_t changed, sign_flips;                   /* s ≠ b; one below and the other above zero */
    KernelSum base_squares, products;               /* Σb², ΣbΔ */
    KernelSum differences, squares, cubes, fourths; /* ΣΔ, ΣΔ², ΣΔ³, ΣΔ⁴ */
} KernelDrift;

/* What is told apart of sizes: those of `high` or more add up to *parted, of those that are `tied` and less there is only
 * their number. NaN is neither, and of a NaN `high` or `tied` nothing is. */
typedef struct KernelBounds {
    double high, tied;
} KernelBounds;

typedef struct KernelParted {
    uint64_t above, tied;
    KernelSum squares; /* of those above; size i of a call is added to lane i mod 16 */
    double largest;    /* number of the last call; 0 without any */
} KernelParted;

/* The lanes' sum, added in a fixed order. */
double kernels_fold(const KernelSum *sum);

/* Whether every element was: no square of a float32 overflows in double, so the sums of squares tell. */
bool kernels_is_finite(const KernelDrift *drift);

/* Stored elements that are wanted next, some of each row, which are brought near on the way: multiplying
 * leaves memory idle, and blending waits for it. */
typedef struct KernelAhead {
    const void *first[2];       /* of both models, or of the one that is read twice */
    size_t stride, rows, bytes; /* from a row to the next; how many; of each */
    size_t row, at;             /* how far they are there: byte `at` of `row` */
} KernelAhead;

/* Weights as they were blended: `rows` of them for each output, `depth` for each input; what lies behind the other in
 * memory is `stride` apart. */
typedef struct KernelPanel {
    const float *weights;
    size_t stride, rows, depth;
    KernelAhead *ahead; /* NULL: nothing */
    size_t ahead_lines; /* of it, of 64 bytes, that this product has to bring, of each model */
    const float *next;  /* tokens of the product that follows, which are brought near too; NULL: not known */
} KernelPanel;

enum { KERNELS_LINE = 64 /* bytes of a cache line */ };

/* The factors of a matrix of low rank, from some row and column of it on: its element (r, c) is Σ_k left[r·left_row +
 * k·left_rank] · right[k·right_rank + c]. */
typedef struct KernelFactors {
    const float *left, *right;
    size_t left_row, left_rank, right_rank, rank;
} KernelFactors;

/* Rows of elements of one dtype, and where others of it go: `from` may be `to`. Strides count elements. */
typedef struct KernelLines {
    DType dtype;
    const void *from;
    void *to;
    size_t from_stride, to_stride;
} KernelLines;

/* Rows that factors change to SFT's, and those of base, of one dtype, F32 or BF16: often the same rows. */
typedef struct KernelChanged {
    DType dtype;
    const void *start, *base; /* base: NULL where it has no weight, and SFT's are taken as they are */
    size_t stride;            /* elements from a row to the next, of both */
    float scale, weight_sft, weight_base;
} KernelChanged;

/* Rows of two models that are blended where they lie: `row` is the first of them, and the others are `stride` elements
 * apart on both sides. Both are of one type, F32 or BF16, or one of them has no weight. */
typedef struct KernelRows {
    KernelRow row;
    size_t stride, rows, count; /* count: elements of each */
    size_t first;               /* element of a token that their first one meets: a multiple of the stretch */
} KernelRows;

enum { KERNELS_ROWS_STRETCH = 2048 };

/* A symmetric matrix without elements further than KERNELS_BAND from its diagonal: (i, j), i ≥ j, is at
 * band[i + KERNELS_BAND_STRIDE·j]. What is between the columns of the band, and behind the last, up to
 * KERNELS_BAND_COLUMNS(order) columns of KERNELS_BAND_STRIDE + 1 doubles in all, begins as 0. */
enum { KERNELS_BAND = 32, KERNELS_BAND_STRIDE = 2 * KERNELS_BAND };
#define KERNELS_BAND_COLUMNS(order) ((order) + KERNELS_BAND)

typedef struct Kernels {
    const char *name; /* "avx512", "avx2", "portable" */

    void (*widen)(DType dtype, const void *from, size_t count, float *to);

    /* To F32, F16 or BF16, to nearest even; a NaN stays a NaN, of the same sign and upper bits. */
    void (*narrow)(const float *from, size_t count, DType dtype, void *to);

    /* out[i] = fma(weight_base, b[i], fma(weight_sft, s[i], +0)) */
    void (*blend)(const KernelRow *row, size_t count, float *out);

    /* The same, with the weights of `marked` for the elements that are marked. Here a weight of 0 is looked
     * at element by element, and both pointers are needed. */
    void (*blend_marked)(const KernelRow *row, const KernelMarked *marked, size_t count, float *out);

    /* values[i] = (values[i] ± steps[0].size) ± steps[1].size, with the signs of element first + i; 1 or 2 steps */
    void (*step)(const KernelStep *steps, size_t step_count, uint64_t first, size_t count, float *values);

    /* to[i] = exp((from[i] − above) · scale); the sum of them, in 16 lanes, i mod 16, of doubles that kernels_fold() adds.
     * `to` may be `from`. Both are the same bits on any machine. The exponential is off by less than 1.1 units of its last
     * place (libm's by 0.51), and by 1.5 of its 2^-149 where it is below 2^-126; of −∞ it is 0, of a NaN one. */
    double (*exponentials)(const float *from, size_t count, float above, float scale, float *to);

    /* to[i] = from[i] / (1 + exp(−from[i])), with that exponential; `to` may be `from`. */
    void (*silu)(const float *from, size_t count, float *to);

    /* values[i] = silu(from[i]), the same bits; slopes[i] = s · (1 + from[i] · (1 − s)) with s = 1 / (1 + exp(−from[i])), each
     * step rounded. The three are apart. */
    void (*silu_slopes)(const float *from, size_t count, float *values, float *slopes);

    /* Σ_i w[i] · x[i], w[i] as blend() makes it */
    float (*dot)(const KernelRow *row, size_t count, const float *x);

    /* Σ_i w[i] · x[i], w[i] as blend_marked() makes it */
    float (*dot_marked)(const KernelRow *row, const KernelMarked *marked, size_t count, const float *x);

    /* sums[r·lanes + t] = Σ_k panel[r, k] · pack[k·lanes + t], or with `adds` that is added: a panel of weights by
     * `tokens` that lie side by side, a lane each. At most `pack` of them, and `lanes` is their number rounded up to
     * whole vectors of `vector` floats; what is in lanes without a token is of no account. Products are added one after
     * another, with one rounding each but in the portable variant, so that a token's sums do not depend on who shares
     * its pack. On the way back the panel lies as [k, r]. */
    size_t vector, pack;
    void (*multiply_pack)(const KernelPanel *panel, const float *pack, size_t tokens, bool adds, float *sums);
    void (*multiply_pack_back)(const KernelPanel *panel, const float *pack, size_t tokens, bool adds,
                               float *sums);

    /* pack[k·lanes + t] = tokens[t][k] for k < depth, and 0 in lanes without a token: how multiply_pack() has it. */
    void (*fill_pack)(const float *const *tokens, size_t token_count, size_t depth, size_t lanes,
                      float *pack);

    /* y[t·stride + r] = sums[r·lanes + t], or with `adds` that is added. */
    void (*take_sums)(const float *sums, size_t rows, size_t tokens, size_t lanes, bool adds, float *y,
                      size_t stride);

    /* sums[t·stride + r] = Σ_k w[r, k] · tokens[t][first + k], w as blend() makes it, or with `adds` that is added: rows that
     * are met by few tokens, read once for all of them and blended on the way. Products are added up in 16 lanes, k mod 16,
     * one rounding each but in the portable variant; the lanes are folded pairwise after every KERNELS_ROWS_STRETCH of k, and
     * what the stretches give is added up in order. So sums do not depend on which rows or tokens there are beside. */
    void (*multiply_rows)(const KernelRows *rows, const float *const *tokens, size_t token_count, bool adds,
                          float *sums, size_t stride);

    /* out[r, c] = from[r, c] + scale · the factors' product, `rows` × `count`, both F32 or both BF16: the product is
     * added up from k = 0 on with one rounding each, scaled with one, added with one, and the sum is rounded to the dtype.
     * So does torch on a CPU for a rank that its BLAS does not cut (MKL 2024.2: up to 192). A scale that is a power of two
     * rounds nothing, and goes into the left factor where that is of rank 64 or less: the same, unless sums leave the
     * range of normal numbers. Rows are fastest by fours. */
    void (*low_rank)(const KernelFactors *factors, float scale, const KernelLines *lines, size_t rows,
                     size_t count);

    /* out[r·stride + c] = w[r, c], where w is what blend() makes of s = start + scale · the factors' product, as low_rank()
     * makes it in the dtype of start, and of base: s is nowhere in memory. */
    void (*blend_low_rank)(const KernelFactors *factors, const KernelChanged *changed, size_t rows,
                           size_t count, float *out, size_t stride);

    /* sums[r] = Σ_c s[r, c] · x[c] + base[r, c] · x_base[c], with that s: a token twice, each time the weight of a side, or
     * none for an element that the side has no part in; the weights of `changed` do not matter. x_base is NULL where base
     * is. Products are added up in 16 lanes, c mod 16, s's before base's, one rounding each, and the lanes are folded
     * pairwise at the end. */
    void (*dot_low_rank)(const KernelFactors *factors, const KernelChanged *changed, size_t rows,
                         size_t count, const float *x, const float *x_base, float *sums);

    /* Compares up to KERNELS_DRIFT_CHUNK elements (the row's weights do not matter) and adds to *drift, which
     * begins as zeros. Writes those |Δ| whose key is `least` or more to `sizes`, in order, and returns how
     * many there are; `sizes` has room for KERNELS_DRIFT_SIZES, and what follows those is overwritten.
     * `least` is 0x7fffffff at most, or UINT32_MAX: none is listed. */
    size_t (*drift)(const KernelRow *row, size_t count, uint32_t least, KernelDrift *drift, double *sizes);

    /* Takes from `count` sizes of drift() what is above or tied, adds it to *parted, and moves the rest to the front, in order;
     * returns how many that are. `sizes` has room for KERNELS_DRIFT_SIZES, and what follows the rest is overwritten. */
    size_t (*drift_part)(double *sizes, size_t count, KernelBounds bounds, KernelParted *parted);

    /* keys[i] = the bits of |s[i] − b[i]| in float32, which order as the values do; NaNs last. Rounding Δ in
     * double to float32 gives the same: double has more than twice the digits. */
    void (*drift_keys)(const float *s, const float *b, size_t count, uint32_t *keys);

    /* Columns [first, end) of a band, end ≤ order, are brought to tridiagonal form by reflections of all that follows; those
     * before are in it. The eigenvalues stay, to within about 2^-52 of the largest. 6·order·KERNELS_BAND operations each. */
    void (*tridiagonalise)(double *band, size_t order, size_t first, size_t end);
} Kernels;

/* The best variant that this processor can run. REJUV_KERNELS=portable|avx2|avx512 in the environment chooses
 * another one (a variant that the processor lacks is not taken). */
const Kernels *kernels_get(void);

/* The variants this processor can run, best first; for tests and benchmarks. */
size_t kernels_list(const Kernels **list, size_t capacity);

#endif
