/*
 * blas — OpenBLAS, kept to one thread of its own: this program's jobs bring the threads, and call sgemm from
 * each.
 *
 * OpenBLAS picks its kernels by the processor's model when it is loaded. A processor newer than the library
 * (Debian's is some years old) may get the slowest ones, several times slower than those it could run. The
 * remedy is OPENBLAS_CORETYPE in the environment before the library loads: blas_better_core() says which
 * value, and main() restarts the program with it.
 */
#ifndef REJUV_CORE_BLAS_H
#define REJUV_CORE_BLAS_H

#include <stddef.h>

/* One thread a call. Call once, before the first multiply. */
void blas_prepare(void);

/* The kernels in use: "SkylakeX", "Haswell", "Prescott", … */
const char *blas_core_name(void);

/* The library's version and build options. */
const char *blas_configuration(void);

/* The kernels that suit this processor best: those in use, or a value of OPENBLAS_CORETYPE that names wider
 * ones. */
const char *blas_best_core(void);

/* The value of OPENBLAS_CORETYPE that suits this processor better than what is in use; NULL where what is in
 * use is right, or where the user chose. */
const char *blas_better_core(void);

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
