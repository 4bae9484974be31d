#include "core/numerics/blas.h"

#include "core/numerics/blas_buffers.h"

static void multiply(CBLAS_TRANSPOSE a_as, CBLAS_TRANSPOSE b_as, size_t m, size_t n, size_t k, const float *a,
                     size_t a_stride, const float *b, size_t b_stride, float beta, float *c,
                     size_t c_stride) {
    const BlasLibrary *library = blas_buffers_enter();
    library->sgemm(CblasRowMajor, a_as, b_as, (blasint)m, (blasint)n, (blasint)k, 1.0F, a, (blasint)a_stride,
                   b, (blasint)b_stride, beta, c, (blasint)c_stride);
    blas_buffers_leave();
}

void blas_multiply_transposed(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                              size_t b_stride, float beta, float *c, size_t c_stride) {
    multiply(CblasNoTrans, CblasTrans, m, n, k, a, a_stride, b, b_stride, beta, c, c_stride);
}

void blas_multiply(size_t m, size_t n, size_t k, const float *a, size_t a_stride, const float *b,
                   size_t b_stride, float beta, float *c, size_t c_stride) {
    multiply(CblasNoTrans, CblasNoTrans, m, n, k, a, a_stride, b, b_stride, beta, c, c_stride);
}

void blas_multiply_left_transposed(size_t m, size_t n, size_t k, const float *a, size_t a_stride,
                                   const float *b, size_t b_stride, float beta, float *c, size_t c_stride) {
    multiply(CblasTrans, CblasNoTrans, m, n, k, a, a_stride, b, b_stride, beta, c, c_stride);
}
