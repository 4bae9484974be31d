/*
 * blas — products of matrices, by OpenBLAS, one thread each: this program's jobs bring the threads, and multiply in each.
 *
 * Before the first product of a job, blas_buffers_prepare() with the job's threads (matmul_create_scratch() does so);
 * how the library comes into the program says blas_library.h.
 */
#ifndef REJUV_CORE_BLAS_H
#define REJUV_CORE_BLAS_H

#include <stddef.h>

/* c[m × n] = a[m × k] · b[n × k]ᵀ + beta · c, all row-major with their strides: the multiply of a linear
 * layer. */
void blas_multiply_transposed(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                              size_t b_stride, float beta, float *c, size_t c_stride);

/* c[m × n] = a[m × k] · b[k × n] + beta · c */
void blas_multiply(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                   size_t b_stride, float beta, float *c, size_t c_stride);

/* c[m × n] = a[k × m]ᵀ · b[k × n] + beta · c */
void blas_multiply_left_transposed(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                                   const float *b, size_t b_stride, float beta, float *c, size_t c_stride);

#endif
