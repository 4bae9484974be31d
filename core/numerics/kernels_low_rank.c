/*
 * One variant of Kernels.low_rank: rows and columns of a product of two factors, scaled and added.
 *
 * A tile is a few rows by a few vectors of columns. Its sums stay in registers while it goes down the rank, so that a
 * line of the right factor is loaded once for all of its rows.
 */
#include "core/numerics/kernels_internal.h"

#include <math.h>

INLINE void add_one(const KernelFactors *factors, float scale, size_t row, size_t column, float *value) {
    float sum = 0.0F;
    for (size_t k = 0; k < factors->rank; k++)
        sum = fmaf(factors->left[row * factors->left_row + k * factors->left_rank],
                   factors->right[k * factors->right_rank + column], sum);
    float product = scale * sum;
    *value += product;
}

#if VECTOR_FMA_IS_FUSED

#if defined(__AVX512F__) || defined(__aarch64__)
enum { ROWS = 6, VECTORS = 4 };
#else
enum { ROWS = 6, VECTORS = 2 };
#endif
enum { WIDTH = KERNELS_WIDTH };

/* `rows` and `vectors` are constants where this is inlined. */
INLINE void add_tile(const KernelFactors *factors, float scale, size_t rows, size_t vectors, float *values,
                     size_t stride) {
    Vector sums[ROWS][VECTORS], scales = vector_spread(scale);
    const float *left = factors->left, *right = factors->right;
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) sums[r][v] = vector_spread(0.0F);
    }
    for (size_t k = 0; k < factors->rank; k++) {
        Vector line[VECTORS];
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++)
            line[v] = vector_load(right + k * factors->right_rank + v * WIDTH);
#pragma GCC unroll 6
        for (size_t r = 0; r < rows; r++) {
            Vector factor = vector_spread(left[r * factors->left_row + k * factors->left_rank]);
#pragma GCC unroll 4
            for (size_t v = 0; v < vectors; v++) sums[r][v] = vector_fma(factor, line[v], sums[r][v]);
        }
    }
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
#pragma GCC unroll 4
        for (size_t v = 0; v < vectors; v++) {
            float *at = values + r * stride + v * WIDTH;
            vector_store(at, vector_add(vector_load(at), vector_multiply(scales, sums[r][v])));
        }
    }
}

/* Some rows of all columns. */
INLINE void add_rows(const KernelFactors *factors, float scale, size_t row, size_t rows, size_t count,
                     float *values, size_t stride) {
    size_t column = 0;
    KernelFactors at = *factors;
    at.left += row * factors->left_row;
    values += row * stride;
    for (; column + VECTORS * WIDTH <= count; column += VECTORS * WIDTH) {
        at.right = factors->right + column;
        add_tile(&at, scale, rows, VECTORS, values + column, stride);
    }
    for (; column + WIDTH <= count; column += WIDTH) {
        at.right = factors->right + column;
        add_tile(&at, scale, rows, 1, values + column, stride);
    }
    at.right = factors->right;
    for (; column < count; column++)
        for (size_t r = 0; r < rows; r++) add_one(&at, scale, r, column, values + r * stride + column);
}

void kernels_variant_low_rank(const KernelFactors *factors, float scale, size_t rows, size_t count,
                              float *values, size_t stride) {
    size_t row = 0;
    for (; row + ROWS <= rows; row += ROWS) add_rows(factors, scale, row, ROWS, count, values, stride);
    for (; row + 2 <= rows; row += 2) add_rows(factors, scale, row, 2, count, values, stride);
    for (; row < rows; row++) add_rows(factors, scale, row, 1, count, values, stride);
}

#else

void kernels_variant_low_rank(const KernelFactors *factors, float scale, size_t rows, size_t count,
                              float *values, size_t stride) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < count; c++) add_one(factors, scale, r, c, values + r * stride + c);
}

#endif
