/*
 * One variant of Kernels.low_rank, blend_low_rank and dot_low_rank: rows and columns of a product of two factors, scaled
 * and added to what is there; as they would be stored, blended with base's, or times one token.
 *
 * A tile is a few rows by a few vectors of columns. Its sums stay in registers while it goes down the rank, so that a line
 * of the right factor is loaded once for all of its rows, and what becomes of them does too: nothing but the outcome is
 * ever written to memory.
 */
#include "core/numerics/kernels_internal.h"

#include <math.h>
#include <stdbool.h>

/* As many sums as registers allow, and as keep the multipliers busy. */
#if defined(__AVX512F__) || defined(__aarch64__)
enum { ROWS = 4, VECTORS = 4 };
#else
enum { ROWS = 4, VECTORS = 2 };
#endif
enum {
    WIDTH = KERNELS_WIDTH,
    SPAN = VECTORS * WIDTH,
    LANES = 16,
    MOST_SCALED = 64,  /* rank up to which a scale may go into the left factor */
    MOST_BESIDE = 1024 /* rank up to which a tile's rows of the left factor are laid side by side */
};

/* Base's part in what comes out: none, or it is of the rows that were changed, or of others. */
typedef enum Form { ALONE, OF_SAME, OF_OTHERS, FORMS } Form;

/* What comes out: changed rows as they are stored, blended ones in float32, or sums. */
typedef enum Target { TO_STORED, TO_WEIGHTS, TO_SUMS } Target;

/* Some rows, from the first on in all that is here. */
typedef struct Rows {
    KernelFactors factors;
    KernelChanged changed;
    float scale; /* of the sums: 1 where it is in the factor */
    bool is_scaled;
    size_t count;
    unsigned char *to; /* TO_STORED, TO_WEIGHTS */
    size_t to_stride;
    const float *x, *x_base; /* TO_SUMS */
    float (*lanes)[LANES];   /* [ROWS] */
} Rows;

/* ---- one element ---- */

INLINE float load_element(DType dtype, const void *elements, size_t at) {
    float value;
    if (dtype == DTYPE_BF16) return kernels_load_bf16(elements, at);
    memcpy(&value, (const unsigned char *)elements + 4 * at, sizeof value);
    return value;
}

INLINE float add_scaled(float value, float scale, float sum) {
    float product = scale * sum; /* rounded by itself */
    return value + product;
}

INLINE float sum_one(const KernelFactors *factors, size_t row, size_t column) {
    float sum = 0.0F;
    for (size_t k = 0; k < factors->rank; k++)
        sum = fmaf(factors->left[row * factors->left_row + k * factors->left_rank],
                   factors->right[k * factors->right_rank + column], sum);
    return sum;
}

INLINE void finish_one(Rows *rows, DType dtype, Target target, size_t row, size_t column) {
    const KernelChanged *changed = &rows->changed;
    size_t at = row * changed->stride + column, to = row * rows->to_stride + column;
    float sft = add_scaled(load_element(dtype, changed->start, at), rows->scale,
                           sum_one(&rows->factors, row, column));
    uint16_t half = dtype == DTYPE_BF16 ? kernels_narrow_bf16(sft) : 0;
    if (dtype == DTYPE_BF16) sft = kernels_from_bits((uint32_t)half << 16);
    float base = changed->base == NULL ? 0.0F : load_element(dtype, changed->base, at);
    if (target == TO_SUMS) {
        float *lane = &rows->lanes[row][column % LANES];
        *lane = fmaf(sft, rows->x[column], *lane);
        if (changed->base != NULL) *lane = fmaf(base, rows->x_base[column], *lane);
        return;
    }
    if (target == TO_WEIGHTS && changed->base != NULL)
        sft = fmaf(changed->weight_base, base, fmaf(changed->weight_sft, sft, 0.0F));
    if (target == TO_STORED && dtype == DTYPE_BF16)
        memcpy(rows->to + 2 * to, &half, sizeof half);
    else
        memcpy(rows->to + 4 * to, &sft, sizeof sft);
}

/* Columns from `column` on of `count` rows: what is no whole tile. */
static void finish_rest(Rows *rows, size_t count, Target target, size_t column) {
    for (size_t r = 0; r < count; r++)
        for (size_t c = column; c < rows->count; c++) finish_one(rows, rows->changed.dtype, target, r, c);
}

/* ---- tiles ---- */

#if VECTOR_FMA_IS_FUSED

typedef uint32_t VectorBits __attribute__((vector_size(WIDTH * sizeof(uint32_t))));

INLINE bool has_nan(const Vector *values) {
#if defined(__AVX512F__)
    return (_mm512_cmp_ps_mask(values[0], values[1], _CMP_UNORD_Q) |
            _mm512_cmp_ps_mask(values[2], values[3], _CMP_UNORD_Q)) != 0;
#elif defined(__AVX2__)
    return _mm256_movemask_ps(_mm256_cmp_ps(values[0], values[1], _CMP_UNORD_Q)) != 0;
#else
    VectorBits numbers = (VectorBits)(values[0] == values[0]) & (VectorBits)(values[1] == values[1]) &
                         (VectorBits)(values[2] == values[2]) & (VectorBits)(values[3] == values[3]);
    return (numbers[0] & numbers[1] & numbers[2] & numbers[3]) == 0;
#endif
}

/* kernels_narrow_bf16() of numbers, widened again. */
INLINE Vector round_bf16(Vector value) {
#if defined(__AVX512F__)
    __m512i bits = _mm512_castps_si512(value), up = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff));
    __mmask16 is_odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
    up = _mm512_mask_sub_epi32(up, is_odd, up, _mm512_set1_epi32(-1));
    return _mm512_castsi512_ps(_mm512_and_epi32(up, _mm512_set1_epi32((int)0xffff0000U)));
#else
    VectorBits bits = (VectorBits)value;
    return (Vector)((bits + 0x7fffU + (bits >> 16 & 1U)) & 0xffff0000U);
#endif
}

/* Of anything: adding half a place makes a number of some NaNs. By value, for what has an address is no register. */
static __attribute__((noinline, cold)) Vector round_any(Vector value) {
    float floats[WIDTH];
    vector_store(floats, value);
    for (size_t i = 0; i < WIDTH; i++)
        floats[i] = kernels_from_bits((uint32_t)kernels_narrow_bf16(floats[i]) << 16);
    return vector_load(floats);
}

/* The upper halves of a vector. */
INLINE void store_bf16(unsigned char *to, Vector rounded) {
    VectorBits bits = (VectorBits)rounded;
#if defined(__AVX512F__)
    _mm256_storeu_si256((void *)to, _mm512_cvtepi32_epi16((__m512i)(bits >> 16)));
#elif defined(__AVX2__)
    __m256i halves = (__m256i)(bits >> 16);
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(halves, halves), 0x08);
    _mm_storeu_si128((void *)to, _mm256_castsi256_si128(packed));
#else
    vst1_u16((uint16_t *)(void *)to, vshrn_n_u32(bits, 16));
#endif
}

INLINE Vector load_elements(DType dtype, const unsigned char *from) {
    return dtype == DTYPE_BF16 ? vector_load_bf16(from) : vector_load((const float *)(const void *)from);
}

/* SFT's values from base's, in place of the product's sums. What is multiplied by a token has been looked at before. */
INLINE void change_row(const Rows *rows, DType dtype, Target target, const Vector *starts, Vector *values) {
    if (rows->is_scaled) {
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) values[v] = vector_spread(rows->scale) * values[v];
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) values[v] = starts[v] + values[v];
    if (dtype != DTYPE_BF16) return;
    if (target != TO_SUMS && __builtin_expect(has_nan(values), 0)) {
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) values[v] = round_any(values[v]);
        return;
    }
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) values[v] = round_bf16(values[v]);
}

/* What lies where the next rows do: rows of a tile are a few streams, each too short for the processor to find them. */
INLINE void look_ahead(const unsigned char *from, size_t stride, size_t bytes) {
    for (size_t at = 0; at < bytes; at += KERNELS_LINE)
        __builtin_prefetch((const void *)((uintptr_t)from + ROWS * stride + at), 0, 2);
}

INLINE void add_to_lanes(Rows *rows, Form form, size_t row, size_t column, const Vector *values,
                         const Vector *bases) {
    float *lanes = rows->lanes[row];
    Vector sums[LANES / WIDTH];
#pragma GCC unroll 4
    for (size_t l = 0; l < LANES / WIDTH; l++) sums[l] = vector_load(lanes + l * WIDTH);
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) {
        Vector *sum = &sums[v % (LANES / WIDTH)];
        *sum = vector_fma(values[v], vector_load(rows->x + column + v * WIDTH), *sum);
        if (form != ALONE) *sum = vector_fma(bases[v], vector_load(rows->x_base + column + v * WIDTH), *sum);
    }
#pragma GCC unroll 4
    for (size_t l = 0; l < LANES / WIDTH; l++) vector_store(lanes + l * WIDTH, sums[l]);
}

INLINE void put_row(Rows *rows, DType dtype, Form form, Target target, size_t row, size_t column,
                    const Vector *values, const Vector *bases) {
    size_t size = target == TO_STORED && dtype == DTYPE_BF16 ? 2 : 4;
    unsigned char *to = rows->to + (row * rows->to_stride + column) * size;
    Vector sft = vector_spread(rows->changed.weight_sft), base = vector_spread(rows->changed.weight_base);
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++, to += WIDTH * size) {
        Vector value = values[v];
        if (form != ALONE) value = vector_fma(base, bases[v], vector_fma(sft, value, vector_spread(0.0F)));
        if (size == 2)
            store_bf16(to, value);
        else
            vector_store((float *)(void *)to, value);
    }
}

/* A row of a tile, whose product's sums are `values`. */
INLINE void finish_row(Rows *rows, DType dtype, Form form, Target target, size_t row, size_t column,
                       Vector *values) {
    const KernelChanged *changed = &rows->changed;
    size_t size = dtype == DTYPE_BF16 ? 2 : 4, before = (row * changed->stride + column) * size;
    const unsigned char *start = (const unsigned char *)changed->start + before;
    Vector starts[VECTORS], bases[VECTORS];
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) starts[v] = load_elements(dtype, start + v * WIDTH * size);
    look_ahead(start, changed->stride * size, SPAN * size);
    change_row(rows, dtype, target, starts, values);
    if (form == OF_OTHERS) {
        const unsigned char *base = (const unsigned char *)changed->base + before;
        look_ahead(base, changed->stride * size, SPAN * size);
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) bases[v] = load_elements(dtype, base + v * WIDTH * size);
    }
    if (target == TO_SUMS)
        add_to_lanes(rows, form, row, column, values, form == OF_SAME ? starts : bases);
    else
        put_row(rows, dtype, form, target, row, column, values, form == OF_SAME ? starts : bases);
}

/* `count`: rows, whose elements of the left factor lie side by side. */
INLINE void finish_tile(Rows *rows, size_t count, DType dtype, Form form, Target target, size_t column) {
    const KernelFactors *factors = &rows->factors;
    const float *left = factors->left, *right = factors->right + column;
    const size_t left_rank = count == ROWS ? ROWS : factors->left_rank;
    Vector sums[ROWS][VECTORS];
#pragma GCC unroll 4
    for (size_t r = 0; r < count; r++) {
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) sums[r][v] = vector_spread(0.0F);
    }
#pragma GCC unroll 4
    for (size_t k = 0; k < factors->rank; k++, left += left_rank, right += factors->right_rank) {
        Vector line[VECTORS];
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) line[v] = vector_load(right + v * WIDTH);
#pragma GCC unroll 4
        for (size_t r = 0; r < count; r++) {
            Vector factor = vector_spread(left[r]);
#pragma GCC unroll 4
            for (size_t v = 0; v < VECTORS; v++) sums[r][v] = vector_fma(factor, line[v], sums[r][v]);
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < count; r++) finish_row(rows, dtype, form, target, r, column, sums[r]);
}

/* Functions of their own for all that is constant in a tile: how many columns they finished. What is in `rows` is theirs, or
 * each sum that is stored might be a part of it, to be loaded again. */
#define FINISH_TILES(name, tile_rows, dtype, form, target)                                                   \
    static __attribute__((noinline)) size_t name(const Rows *all) {                                          \
        Rows rows = *all;                                                                                    \
        rows.is_scaled = rows.scale != 1.0F;                                                                 \
        size_t column = 0;                                                                                   \
        for (; column + SPAN <= rows.count; column += SPAN)                                                  \
            finish_tile(&rows, tile_rows, dtype, form, target, column);                                      \
        return column;                                                                                       \
    }
#define FINISH_EITHER(name, dtype, form, target)                                                             \
    FINISH_TILES(name##_tile, ROWS, dtype, form, target)                                                     \
    FINISH_TILES(name##_row, 1, dtype, form, target)                                                         \
    static size_t name(Rows *rows, bool is_tile) {                                                           \
        return is_tile ? name##_tile(rows) : name##_row(rows);                                               \
    }
#define FINISH_EACH(to, target)                                                                              \
    FINISH_EITHER(to##_alone_f32, DTYPE_F32, ALONE, target)                                                  \
    FINISH_EITHER(to##_same_f32, DTYPE_F32, OF_SAME, target)                                                 \
    FINISH_EITHER(to##_others_f32, DTYPE_F32, OF_OTHERS, target)                                             \
    FINISH_EITHER(to##_alone_bf16, DTYPE_BF16, ALONE, target)                                                \
    FINISH_EITHER(to##_same_bf16, DTYPE_BF16, OF_SAME, target)                                               \
    FINISH_EITHER(to##_others_bf16, DTYPE_BF16, OF_OTHERS, target)
FINISH_EITHER(stored_f32, DTYPE_F32, ALONE, TO_STORED)
FINISH_EITHER(stored_bf16, DTYPE_BF16, ALONE, TO_STORED)
FINISH_EACH(weights, TO_WEIGHTS)
FINISH_EACH(sums, TO_SUMS)

/* A tile's rows, or one; how many of their columns were finished. */
static size_t finish_tiles(Rows *rows, bool is_tile, Target target) {
    typedef size_t (*Function)(Rows *, bool);
    static const Function OF_F32[][FORMS] = {{stored_f32},
                                             {weights_alone_f32, weights_same_f32, weights_others_f32},
                                             {sums_alone_f32, sums_same_f32, sums_others_f32}};
    static const Function OF_BF16[][FORMS] = {{stored_bf16},
                                              {weights_alone_bf16, weights_same_bf16, weights_others_bf16},
                                              {sums_alone_bf16, sums_same_bf16, sums_others_bf16}};
    const KernelChanged *changed = &rows->changed;
    Form form = changed->base == NULL ? ALONE : changed->base == changed->start ? OF_SAME : OF_OTHERS;
    return (changed->dtype == DTYPE_BF16 ? OF_BF16 : OF_F32)[target][form](rows, is_tile);
}

#else

static size_t finish_tiles(Rows *rows, bool is_tile, Target target) {
    (void)rows, (void)is_tile, (void)target;
    return 0;
}

#endif

/* ---- all of it ---- */

/* Whether scaling rounds nothing. */
static bool is_exact(float scale) {
    int exponent;
    return isfinite(scale) && fabsf(frexpf(scale, &exponent)) == 0.5F;
}

/* A tile's rows of the left factor, side by side and, where that rounds nothing, scaled: it takes so few of them that this
 * costs little, and saves looking for them, and scaling each sum. */
static void lay_left_out(Rows *rows, size_t count, float *beside) {
    KernelFactors *factors = &rows->factors;
    bool is_scaled = factors->rank <= MOST_SCALED && is_exact(rows->scale);
    for (size_t k = 0; k < factors->rank; k++)
        for (size_t r = 0; r < count; r++) {
            float value = factors->left[r * factors->left_row + k * factors->left_rank];
            beside[k * ROWS + r] = is_scaled ? rows->scale * value : value;
        }
    factors->left = beside;
    factors->left_row = 1;
    factors->left_rank = ROWS;
    if (is_scaled) rows->scale = 1.0F;
}

/* Whether sums may be no numbers that round_bf16() makes numbers of: those have bits set that neither a stored bfloat16 has
 * nor what comes of infinities. */
static bool has_nan_factors(const KernelFactors *factors, float scale, size_t rows, size_t count) {
    int nans = isnan(scale);
    for (size_t k = 0; k < factors->rank; k++) {
        const float *left = factors->left + k * factors->left_rank,
                    *right = factors->right + k * factors->right_rank;
        for (size_t r = 0; r < rows; r++) nans |= isnan(left[r * factors->left_row]);
        for (size_t c = 0; c < count; c++) nans |= isnan(right[c]);
    }
    return nans != 0;
}

/* Pairwise: 16 → 8 → 4 → 2 → 1; spelled out, so that compilers add whole vectors. */
INLINE float fold(const float *lanes) {
    float eight[8], four[4];
    for (size_t l = 0; l < 8; l++) eight[l] = lanes[l] + lanes[l + 8];
    for (size_t l = 0; l < 4; l++) four[l] = eight[l] + eight[l + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

/* `all` begins with the first of `count` rows. */
static void finish_all(const Rows *all, Target target, size_t count, float *sums) {
    size_t size = dtype_size(all->changed.dtype), stride = all->changed.stride * size;
    _Alignas(KERNELS_LINE) float beside[ROWS * MOST_BESIDE], lanes[ROWS][LANES];
    bool is_beside = all->factors.rank <= MOST_BESIDE;
    bool is_plain = target != TO_SUMS || !has_nan_factors(&all->factors, all->scale, count, all->count);
    for (size_t row = 0, taken; row < count; row += taken) {
        Rows rows = *all;
        taken = count - row < ROWS || !is_beside ? 1 : ROWS;
        rows.factors.left += row * all->factors.left_row;
        rows.changed.start = (const unsigned char *)all->changed.start + row * stride;
        if (all->changed.base != NULL)
            rows.changed.base = (const unsigned char *)all->changed.base + row * stride;
        if (target != TO_SUMS)
            rows.to += row * all->to_stride * (target == TO_WEIGHTS ? sizeof(float) : size);
        memset(lanes, 0, sizeof lanes);
        rows.lanes = lanes;
        if (is_beside) lay_left_out(&rows, taken, beside);
        finish_rest(&rows, taken, target, is_plain ? finish_tiles(&rows, taken == ROWS, target) : 0);
        for (size_t r = 0; r < taken && target == TO_SUMS; r++) sums[row + r] = fold(lanes[r]);
    }
}

void kernels_variant_low_rank(const KernelFactors *factors, float scale, const KernelLines *lines,
                              size_t rows, size_t count) {
    const Rows all = {.factors = *factors,
                      .changed = {.dtype = lines->dtype,
                                  .start = lines->from,
                                  .stride = lines->from_stride,
                                  .scale = scale},
                      .scale = scale,
                      .count = count,
                      .to = lines->to,
                      .to_stride = lines->to_stride};
    finish_all(&all, TO_STORED, rows, NULL);
}

void kernels_variant_blend_low_rank(const KernelFactors *factors, const KernelChanged *changed, size_t rows,
                                    size_t count, float *out, size_t stride) {
    const Rows all = {.factors = *factors,
                      .changed = *changed,
                      .scale = changed->scale,
                      .count = count,
                      .to = (unsigned char *)out,
                      .to_stride = stride};
    finish_all(&all, TO_WEIGHTS, rows, NULL);
}

void kernels_variant_dot_low_rank(const KernelFactors *factors, const KernelChanged *changed, size_t rows,
                                  size_t count, const float *x, const float *x_base, float *sums) {
    const Rows all = {.factors = *factors,
                      .changed = *changed,
                      .scale = changed->scale,
                      .count = count,
                      .x = x,
                      .x_base = x_base};
    finish_all(&all, TO_SUMS, rows, sums);
}
