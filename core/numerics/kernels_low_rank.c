/*
 * One variant of Kernels.low_rank: rows and columns of a product of two factors, scaled and added to what is there.
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

#if defined(__AVX512F__)
/* kernels_narrow_bf16() of sixteen, where none is a NaN. */
INLINE bool finish_bf16_vector(const unsigned char *from, unsigned char *to, float scale, const float *sums) {
    __m512i wide = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)from)), 16);
    __m512 product = _mm512_mul_ps(_mm512_set1_ps(scale), _mm512_loadu_ps(sums));
    __m512 value = _mm512_add_ps(_mm512_castsi512_ps(wide), product);
    __m512i bits = _mm512_castps_si512(value);
    __m512i last = _mm512_and_epi32(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), last);
    if (_mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q) != 0) return false;
    _mm256_storeu_si256((void *)to, _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
    return true;
}
#endif

INLINE void finish_bf16(const unsigned char *from, unsigned char *to, float scale, const float *sums,
                        size_t count) {
    size_t i = 0;
#if defined(__AVX512F__)
    while (i + WIDTH <= count && finish_bf16_vector(from + 2 * i, to + 2 * i, scale, sums + i)) i += WIDTH;
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

INLINE void add_rows(const KernelFactors *factors, float scale, const KernelLines *lines, size_t row,
                     size_t rows, size_t count) {
    float sums[ROWS * SPAN];
    size_t column = 0;
    for (; column + SPAN <= count; column += SPAN) {
        sum_tile(factors, row, column, rows, sums);
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
