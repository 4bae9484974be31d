/*
 * One variant of Kernels.low_rank and dot_low_rank: rows and columns of a product of two factors, scaled and added to what
 * is there; and what comes of it, blended with what was there, by one token.
 *
 * A tile is a few rows by a few vectors of columns. Its sums stay in registers while it goes down the rank, so that a
 * line of the right factor is loaded once for all of its rows.
 */
#include "core/numerics/kernels_internal.h"

#include <math.h>
#include <stdbool.h>

#if defined(__AVX512F__) || defined(__aarch64__)
enum { ROWS = 6, VECTORS = 4 };
#else
enum { ROWS = 6, VECTORS = 2 };
#endif
enum { WIDTH = KERNELS_WIDTH, SPAN = VECTORS * WIDTH };

/* ---- sums to where they belong ---- */

INLINE const unsigned char *line_from(const KernelLines *lines, size_t row, size_t column) {
    return (const unsigned char *)lines->from +
           (row * lines->from_stride + column) * dtype_size(lines->dtype);
}

INLINE unsigned char *line_to(const KernelLines *lines, size_t row, size_t column) {
    return (unsigned char *)lines->to + (row * lines->to_stride + column) * dtype_size(lines->dtype);
}

INLINE float add_scaled(float value, float scale, float sum) {
    float product = scale * sum; /* rounded by itself */
    return value + product;
}

#if defined(__AVX2__)
#define HAS_BF16_VECTORS 1

/* kernels_narrow_bf16() of a vector, widened again. */
INLINE Vector round_bf16(Vector value) {
#if defined(__AVX512F__)
    __m512i bits = _mm512_castps_si512(value);
    __m512i last = _mm512_and_epi32(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), last);
    __m512i kept = _mm512_mask_or_epi32(rounded, _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q), bits,
                                        _mm512_set1_epi32(0x400000));
    return _mm512_castsi512_ps(_mm512_and_epi32(kept, _mm512_set1_epi32((int)0xffff0000U)));
#else
    __m256i bits = _mm256_castps_si256(value);
    __m256i last = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), last);
    __m256 quiet = _mm256_castsi256_ps(_mm256_or_si256(bits, _mm256_set1_epi32(0x400000)));
    __m256 kept =
        _mm256_blendv_ps(_mm256_castsi256_ps(rounded), quiet, _mm256_cmp_ps(value, value, _CMP_UNORD_Q));
    return _mm256_and_ps(kept, _mm256_castsi256_ps(_mm256_set1_epi32((int)0xffff0000U)));
#endif
}

INLINE Vector add_scaled_vector(Vector value, float scale, const float *sums) {
#if defined(__AVX512F__)
    return _mm512_add_ps(value, _mm512_mul_ps(_mm512_set1_ps(scale), _mm512_loadu_ps(sums)));
#else
    return _mm256_add_ps(value, _mm256_mul_ps(_mm256_set1_ps(scale), _mm256_loadu_ps(sums)));
#endif
}

/* The upper halves of a vector. */
INLINE void store_bf16(unsigned char *to, Vector rounded) {
#if defined(__AVX512F__)
    __m512i halves = _mm512_srli_epi32(_mm512_castps_si512(rounded), 16);
    _mm256_storeu_si256((void *)to, _mm512_cvtepi32_epi16(halves));
#else
    __m256i halves = _mm256_srli_epi32(_mm256_castps_si256(rounded), 16);
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(halves, halves), 0x08);
    _mm_storeu_si128((void *)to, _mm256_castsi256_si128(packed));
#endif
}
#endif

INLINE void finish_bf16(const unsigned char *from, unsigned char *to, float scale, const float *sums,
                        size_t count) {
    size_t i = 0;
#if defined(HAS_BF16_VECTORS)
    for (; i + WIDTH <= count; i += WIDTH)
        store_bf16(to + 2 * i,
                   round_bf16(add_scaled_vector(vector_load_bf16(from + 2 * i), scale, sums + i)));
#endif
    for (; i < count; i++) {
        uint16_t half = kernels_narrow_bf16(add_scaled(kernels_load_bf16(from, i), scale, sums[i]));
        memcpy(to + 2 * i, &half, sizeof half);
    }
}

INLINE void finish_f32(const unsigned char *from, unsigned char *to, float scale, const float *sums,
                       size_t count) {
    for (size_t i = 0; i < count; i++) {
        float value;
        memcpy(&value, from + 4 * i, sizeof value);
        value = add_scaled(value, scale, sums[i]);
        memcpy(to + 4 * i, &value, sizeof value);
    }
}

/* `count` is a constant where it is a whole tile's. */
INLINE void finish_row(const KernelLines *lines, size_t row, size_t column, float scale, const float *sums,
                       size_t count) {
    if (lines->dtype == DTYPE_BF16)
        finish_bf16(line_from(lines, row, column), line_to(lines, row, column), scale, sums, count);
    else
        finish_f32(line_from(lines, row, column), line_to(lines, row, column), scale, sums, count);
}

/* ---- sums ---- */

INLINE float sum_one(const KernelFactors *factors, size_t row, size_t column) {
    float sum = 0.0F;
    for (size_t k = 0; k < factors->rank; k++)
        sum = fmaf(factors->left[row * factors->left_row + k * factors->left_rank],
                   factors->right[k * factors->right_rank + column], sum);
    return sum;
}

/* What is no whole tile. */
static void add_rest(const KernelFactors *factors, float scale, const KernelLines *lines, size_t row,
                     size_t column, size_t count) {
    float sums[SPAN];
    for (size_t at = column; at < count; at += SPAN) {
        size_t part = count - at < SPAN ? count - at : SPAN;
        for (size_t i = 0; i < part; i++) sums[i] = sum_one(factors, row, at + i);
        finish_row(lines, row, at, scale, sums, part);
    }
}

#if VECTOR_FMA_IS_FUSED

/* The sums of a tile, rows SPAN apart. `rows` is a constant where this is inlined; what becomes of the sums is left to
 * another loop, for in one with more in it compilers do not keep them in registers. */
INLINE void sum_tile(const KernelFactors *factors, size_t row, size_t column, size_t rows, float *out) {
    Vector sums[ROWS][VECTORS];
    const float *left = factors->left + row * factors->left_row, *right = factors->right + column;
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) sums[r][v] = vector_spread(0.0F);
    }
    for (size_t k = 0; k < factors->rank; k++) {
        Vector line[VECTORS];
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++)
            line[v] = vector_load(right + k * factors->right_rank + v * WIDTH);
#pragma GCC unroll 6
        for (size_t r = 0; r < rows; r++) {
            Vector factor = vector_spread(left[r * factors->left_row + k * factors->left_rank]);
#pragma GCC unroll 4
            for (size_t v = 0; v < VECTORS; v++) sums[r][v] = vector_fma(factor, line[v], sums[r][v]);
        }
    }
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (size_t v = 0; v < VECTORS; v++) vector_store(out + r * SPAN + v * WIDTH, sums[r][v]);
    }
}

/* Not inline: what is done with the sums has constants, for which compilers would take registers away from them. */
#define SUM_ROWS(rows)                                                                                       \
    static __attribute__((noinline)) void sum_rows_##rows(const KernelFactors *factors, size_t row,          \
                                                          size_t column, float *out) {                       \
        sum_tile(factors, row, column, rows, out);                                                           \
    }
SUM_ROWS(6)
SUM_ROWS(2)
SUM_ROWS(1)
_Static_assert((int)ROWS == 6, "whole tiles are there");

INLINE void sum_rows(const KernelFactors *factors, size_t row, size_t column, size_t rows, float *out) {
    if (rows == ROWS)
        sum_rows_6(factors, row, column, out);
    else if (rows == 2)
        sum_rows_2(factors, row, column, out);
    else
        sum_rows_1(factors, row, column, out);
}

INLINE void add_rows(const KernelFactors *factors, float scale, const KernelLines *lines, size_t row,
                     size_t rows, size_t count) {
    float sums[ROWS * SPAN];
    size_t column = 0;
    for (; column + SPAN <= count; column += SPAN) {
        sum_rows(factors, row, column, rows, sums);
        for (size_t r = 0; r < rows; r++) finish_row(lines, row + r, column, scale, sums + r * SPAN, SPAN);
    }
    for (size_t r = 0; r < rows; r++) add_rest(factors, scale, lines, row + r, column, count);
}

#else

INLINE void add_rows(const KernelFactors *factors, float scale, const KernelLines *lines, size_t row,
                     size_t rows, size_t count) {
    for (size_t r = 0; r < rows; r++) add_rest(factors, scale, lines, row + r, 0, count);
}

#endif

void kernels_variant_low_rank(const KernelFactors *factors, float scale, const KernelLines *lines,
                              size_t rows, size_t count) {
    size_t row = 0;
    for (; row + ROWS <= rows; row += ROWS) add_rows(factors, scale, lines, row, ROWS, count);
    for (; row + 2 <= rows; row += 2) add_rows(factors, scale, lines, row, 2, count);
    for (; row < rows; row++) add_rows(factors, scale, lines, row, 1, count);
}

/* ---- their products with one token ---- */

enum { LANES = 16, PREFETCHED = 128 /* columns ahead: memory takes as long as some tiles do */ };

typedef struct Lanes {
    float lanes[ROWS][LANES];
} Lanes;

INLINE float load_element(DType dtype, const void *elements, size_t at) {
    float value;
    if (dtype == DTYPE_BF16) return kernels_load_bf16(elements, at);
    memcpy(&value, (const unsigned char *)elements + 4 * at, sizeof value);
    return value;
}

/* W at a place, for the product's sum there. `dtype` is the rows'. */
INLINE float blend_changed(const KernelChanged *changed, DType dtype, size_t row, size_t column, float sum) {
    size_t at = row * changed->stride + column;
    float sft = add_scaled(load_element(dtype, changed->start, at), changed->scale, sum);
    if (dtype == DTYPE_BF16) sft = kernels_from_bits((uint32_t)kernels_narrow_bf16(sft) << 16);
    if (changed->weight_base == 0.0F) return sft;
    return fmaf(changed->weight_base, load_element(dtype, changed->base, at),
                fmaf(changed->weight_sft, sft, 0.0F));
}

/* Columns that are no whole tile, or no tile's business. */
static void multiply_rest(const KernelFactors *factors, const KernelChanged *changed, size_t row,
                          size_t column, size_t count, const float *x, float *lanes) {
    for (size_t c = column; c < count; c++) {
        float weight = blend_changed(changed, changed->dtype, row, c, sum_one(factors, row, c));
        lanes[c % LANES] = fmaf(weight, x[c], lanes[c % LANES]);
    }
}

#if VECTOR_FMA_IS_FUSED

/* A row of a tile, whose sums are there, by the token. `dtype` is a constant where this is inlined. */
INLINE void multiply_tile_row(const KernelChanged *changed, DType dtype, size_t row, size_t column,
                              const float *sums, const float *x, float *lanes) {
    for (size_t i = 0; i < SPAN; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            float weight = blend_changed(changed, dtype, row, column + i + l, sums[i + l]);
            lanes[l] = fmaf(weight, x[column + i + l], lanes[l]);
        }
}

#if defined(HAS_BF16_VECTORS)
/* The same; `blends`: base has a weight. */
INLINE void multiply_bf16_row(const KernelChanged *changed, bool blends, size_t row, size_t column,
                              const float *sums, const float *x, float *lanes) {
    size_t before = 2 * (row * changed->stride + column);
    const unsigned char *start = (const unsigned char *)changed->start + before;
    const unsigned char *base = blends ? (const unsigned char *)changed->base + before : start;
    Vector ws = vector_spread(changed->weight_sft), wb = vector_spread(changed->weight_base);
    for (size_t ahead = 0; ahead < 2 * SPAN; ahead += 64)
        __builtin_prefetch((const void *)((uintptr_t)start + 2 * PREFETCHED + ahead), 0, 2);
#pragma GCC unroll 4
    for (size_t v = 0; v < VECTORS; v++) {
        float *lane = lanes + v * WIDTH % LANES;
        Vector from = vector_load_bf16(start + 2 * v * WIDTH), to = vector_load_bf16(base + 2 * v * WIDTH);
        Vector weight = round_bf16(add_scaled_vector(from, changed->scale, sums + v * WIDTH));
        if (blends) weight = vector_fma(wb, to, vector_fma(ws, weight, vector_spread(0.0F)));
        vector_store(lane, vector_fma(weight, vector_load(x + column + v * WIDTH), vector_load(lane)));
    }
}
#else
INLINE void multiply_bf16_row(const KernelChanged *changed, bool blends, size_t row, size_t column,
                              const float *sums, const float *x, float *lanes) {
    (void)blends;
    multiply_tile_row(changed, DTYPE_BF16, row, column, sums, x, lanes);
}
#endif

INLINE size_t multiply_tiles(const KernelFactors *factors, const KernelChanged *changed, size_t row,
                             size_t rows, size_t count, const float *x, Lanes *lanes) {
    bool is_bf16 = changed->dtype == DTYPE_BF16, blends = changed->weight_base != 0.0F;
    float sums[ROWS * SPAN];
    size_t column = 0;
    for (; column + SPAN <= count; column += SPAN) {
        sum_rows(factors, row, column, rows, sums);
        for (size_t r = 0; r < rows; r++) {
            if (!is_bf16)
                multiply_tile_row(changed, DTYPE_F32, row + r, column, sums + r * SPAN, x, lanes->lanes[r]);
            else if (blends)
                multiply_bf16_row(changed, true, row + r, column, sums + r * SPAN, x, lanes->lanes[r]);
            else
                multiply_bf16_row(changed, false, row + r, column, sums + r * SPAN, x, lanes->lanes[r]);
        }
    }
    return column;
}

#else

INLINE size_t multiply_tiles(const KernelFactors *factors, const KernelChanged *changed, size_t row,
                             size_t rows, size_t count, const float *x, Lanes *lanes) {
    (void)factors, (void)changed, (void)row, (void)rows, (void)count, (void)x, (void)lanes;
    return 0;
}

#endif

INLINE void multiply_some(const KernelFactors *factors, const KernelChanged *changed, size_t row, size_t rows,
                          size_t count, const float *x, float *sums) {
    Lanes lanes = {0};
    size_t done = multiply_tiles(factors, changed, row, rows, count, x, &lanes);
    for (size_t r = 0; r < rows; r++) {
        multiply_rest(factors, changed, row + r, done, count, x, lanes.lanes[r]);
        for (size_t half = LANES / 2; half > 0; half /= 2)
            for (size_t l = 0; l < half; l++) lanes.lanes[r][l] += lanes.lanes[r][l + half];
        sums[row + r] = lanes.lanes[r][0];
    }
}

void kernels_variant_dot_low_rank(const KernelFactors *factors, const KernelChanged *changed, size_t rows,
                                  size_t count, const float *x, float *sums) {
    size_t row = 0;
    for (; row + ROWS <= rows; row += ROWS) multiply_some(factors, changed, row, ROWS, count, x, sums);
    for (; row + 2 <= rows; row += 2) multiply_some(factors, changed, row, 2, count, x, sums);
    for (; row < rows; row++) multiply_some(factors, changed, row, 1, count, x, sums);
}
