#include "core/numerics/lapack.h"

#include "core/numerics/blas_buffers.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double RANK_TOLERANCE = 1e-13;

void lapack_multiply(size_t m, size_t n, size_t k, double alpha, const double *a, size_t a_stride,
                     const double *b, size_t b_stride, double beta, double *c, size_t c_stride) {
    const BlasLibrary *library = blas_buffers_enter();
    library->dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, alpha, a,
                   (blasint)a_stride, b, (blasint)b_stride, beta, c, (blasint)c_stride);
    blas_buffers_leave();
}

void lapack_multiply_transposed(size_t m, size_t n, size_t k, double alpha, const double *a, size_t a_stride,
                                const double *b, size_t b_stride, double beta, double *c, size_t c_stride) {
    const BlasLibrary *library = blas_buffers_enter();
    library->dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, alpha, a,
                   (blasint)a_stride, b, (blasint)b_stride, beta, c, (blasint)c_stride);
    blas_buffers_leave();
}

/* ---- QR ---- */

size_t lapack_append_rows_work(size_t n) {
    return 2 * (n < LAPACK_PANEL ? n : LAPACK_PANEL) * n;
}

void lapack_append_rows(size_t rows, size_t n, double *r, size_t r_stride, double *tile, size_t tile_stride,
                        double *work) {
    size_t panel = n < LAPACK_PANEL ? n : LAPACK_PANEL;
    blasint m = (blasint)rows, columns = (blasint)n, pentagon = 0, nb = (blasint)panel;
    blasint lda = (blasint)r_stride, ldb = (blasint)tile_stride, info;
    /* info only tells of wrong arguments, which these are not */
    const BlasLibrary *library = blas_buffers_enter();
    library->dtpqrt(&m, &columns, &pentagon, &nb, r, &lda, tile, &ldb, work, &nb, work + panel * n, &info);
    blas_buffers_leave();
}

/* ---- bidiagonal form ---- */

size_t lapack_bidiagonalise_panel(size_t m, size_t n, double *a, size_t stride, double *diagonal,
                                  double *superdiagonal, double *work) {
    size_t panel = n < LAPACK_PANEL ? n : LAPACK_PANEL;
    double *tau_left = work, *tau_right = work + panel;
    double *x = work + 2 * panel, *y = x + m * panel;
    blasint rows = (blasint)m, columns = (blasint)n, nb = (blasint)panel, lda = (blasint)stride;
    const BlasLibrary *library = blas_buffers_enter();
    library->dlabrd(&rows, &columns, &nb, a, &lda, diagonal, superdiagonal, tau_left, tau_right, x, &rows, y,
                    &columns);
    if (panel < n) {
        /* A ← A − V·Yᵀ − X·Uᵀ, as LAPACK's dgebrd has it */
        double *rest = a + panel * (stride + 1);
        library->dgemm(CblasColMajor, CblasNoTrans, CblasTrans, rows - nb, columns - nb, nb, -1.0, a + panel,
                       lda, y + panel, columns, 1.0, rest, lda);
        library->dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, rows - nb, columns - nb, nb, -1.0,
                       x + panel, rows, a + panel * stride, lda, 1.0, rest, lda);
    }
    blas_buffers_leave();
    return panel;
}

Status lapack_bidiagonal_values(size_t n, double *diagonal, double *superdiagonal, double *work,
                                Error *error) {
    blasint size = (blasint)n, info = 0;
    blas_library_get()->dlasq1(&size, diagonal, superdiagonal, work, &info);
    if (info == 0) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED,
                       "LAPACK's dlasq1 did not find the singular values of %zu × %zu numbers (info %d)", n,
                       n, (int)info);
}

/* ---- symmetric matrices ---- */

void lapack_add_gram(size_t rows, size_t n, const double *a, size_t a_stride, double *gram, size_t stride) {
    const BlasLibrary *library = blas_buffers_enter();
    library->dsyrk(CblasColMajor, CblasLower, CblasTrans, (blasint)n, (blasint)rows, 1.0, a,
                   (blasint)a_stride, 1.0, gram, (blasint)stride);
    blas_buffers_leave();
}

size_t lapack_band_work(size_t n) {
    return 3 * LAPACK_PANEL * n + 3 * LAPACK_PANEL * LAPACK_PANEL;
}

/* V and T as factors that products take: the ones and zeros that LAPACK leaves out of both are written. */
static void spell_reflections(size_t m, size_t count, const double *panel, size_t stride, double *v,
                              size_t v_stride, double *t) {
    for (size_t j = 0; j < count; j++) {
        double *column = v + j * v_stride;
        memset(column, 0, j * sizeof *column);
        column[j] = 1.0;
        memmove(column + j + 1, panel + j * stride + j + 1, (m - j - 1) * sizeof *column);
        memset(t + j * count + j + 1, 0, (count - j - 1) * sizeof *t);
    }
}

/* Q = I − V·T·Vᵀ brings the panel to a triangle; QᵀAQ = A − V·Wᵀ − W·Vᵀ with W = Y − ½·V·Tᵀ·Vᵀ·Y and Y = A·V·T. */
void lapack_band_panel(size_t n, double *a, size_t stride, double *work) {
    size_t m = n - LAPACK_PANEL, count = m < LAPACK_PANEL ? m : LAPACK_PANEL;
    double *v = work, *av = v + m * LAPACK_PANEL, *w = av + m * LAPACK_PANEL;
    double *t = w + m * LAPACK_PANEL, *vy = t + count * count, *tvy = vy + count * count;
    double *panel = a + LAPACK_PANEL, *rest = panel + LAPACK_PANEL * stride;
    blasint rows = (blasint)m, columns = LAPACK_PANEL, k = (blasint)count, lda = (blasint)stride, info;
    const BlasLibrary *library = blas_buffers_enter();
    /* info only tells of wrong arguments, which these are not */
    library->dgeqrt(&rows, &columns, &k, panel, &lda, t, &k, av, &info);
    spell_reflections(m, count, panel, stride, v, m, t);
    library->dsymm(CblasColMajor, CblasLeft, CblasLower, rows, k, 1.0, rest, lda, v, rows, 0.0, av, rows);
    library->dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, rows, k, k, 1.0, av, rows, t, k, 0.0, w, rows);
    library->dgemm(CblasColMajor, CblasTrans, CblasNoTrans, k, k, rows, 1.0, v, rows, w, rows, 0.0, vy, k);
    library->dgemm(CblasColMajor, CblasTrans, CblasNoTrans, k, k, k, 1.0, t, k, vy, k, 0.0, tvy, k);
    library->dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, rows, k, k, -0.5, v, rows, tvy, k, 1.0, w,
                   rows);
    library->dsyr2k(CblasColMajor, CblasLower, CblasNoTrans, rows, k, -1.0, v, rows, w, rows, 1.0, rest, lda);
    blas_buffers_leave();
}

bool lapack_is_positive(size_t n, double *a, size_t stride) {
    blasint order = (blasint)n, lda = (blasint)stride, info = 0;
    const BlasLibrary *library = blas_buffers_enter();
    library->dpotrf("L", &order, a, &lda, &info, 1); /* Cholesky's factor, as far as there is one */
    blas_buffers_leave();
    return info == 0;
}

Status lapack_tridiagonal_values(size_t n, double *diagonal, double *subdiagonal, Error *error) {
    blasint size = (blasint)n, info = 0;
    blas_library_get()->dsterf(&size, diagonal, subdiagonal, &info);
    if (info == 0) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED,
                       "LAPACK's dsterf did not find the eigenvalues of %zu × %zu numbers (info %d)", n, n,
                       (int)info);
}

/* ---- small matrices ---- */

Status lapack_eigen(size_t n, double *a, double *values, Error *error) {
    blasint size = (blasint)n, info = 0, query = -1, integers = 1;
    double wanted = 1.0;
    const BlasLibrary *library = blas_buffers_enter();
    library->dsyevd("V", "U", &size, a, &size, values, &wanted, &query, &integers, &query, &info, 1, 1);
    blasint doubles = (blasint)wanted;
    double *work = memory_allocate((size_t)doubles, sizeof *work);
    blasint *integer_work = memory_allocate((size_t)integers, sizeof *integer_work);
    Status status = STATUS_OK;
    if (work == NULL || integer_work == NULL)
        status = memory_fail(error, "eigenvalues");
    else
        library->dsyevd("V", "U", &size, a, &size, values, work, &doubles, integer_work, &integers, &info, 1,
                        1);
    blas_buffers_leave();
    if (status == STATUS_OK && info != 0)
        status = status_fail(error, STATUS_UNSUPPORTED,
                             "LAPACK's dsyevd did not find the eigenvalues of %zu × %zu numbers (info %d)", n,
                             n, (int)info);
    free(work);
    free(integer_work);
    return status;
}

/* The rank from the diagonal of R, and R with its columns back in z's order. */
static size_t read_triangle(size_t n, const double *z, size_t stride, const blasint *order,
                            double *coefficients) {
    size_t rank = 0;
    while (rank < n && fabs(z[rank * (stride + 1)]) > RANK_TOLERANCE * fabs(z[0])) rank++;
    for (size_t j = 0; j < n && coefficients != NULL; j++) {
        double *column = coefficients + (size_t)(order[j] - 1) * n;
        memset(column, 0, n * sizeof *column);
        memcpy(column, z + j * stride, (j + 1) * sizeof *column);
    }
    return rank;
}

Status lapack_orthonormalise(size_t m, size_t n, double *z, size_t stride, double *coefficients, size_t *rank,
                             Error *error) {
    size_t block = 64 * (n + 1) + 2 * n;
    blasint rows = (blasint)m, columns = (blasint)n, lda = (blasint)stride, doubles = (blasint)block, info;
    double *work = memory_allocate(block + n, sizeof *work);
    blasint *order = memory_allocate(n, sizeof *order);
    Status status = STATUS_OK;
    if (work == NULL || order == NULL) {
        status = memory_fail(error, "an orthonormal basis");
    } else {
        double *tau = work + block;
        const BlasLibrary *library = blas_buffers_enter();
        /* info only tells of wrong arguments, which these are not */
        library->dgeqp3(&rows, &columns, z, &lda, order, tau, work, &doubles, &info);
        *rank = read_triangle(n, z, stride, order, coefficients);
        library->dorgqr(&rows, &columns, &columns, z, &lda, tau, work, &doubles, &info);
        blas_buffers_leave();
    }
    free(work);
    free(order);
    return status;
}

void lapack_reflections(size_t m, size_t n, double *z, size_t stride, double *t, double *work) {
    blasint rows = (blasint)m, columns = (blasint)n, lda = (blasint)stride, info;
    const BlasLibrary *library = blas_buffers_enter();
    /* info only tells of wrong arguments, which these are not */
    library->dgeqrt(&rows, &columns, &columns, z, &lda, t, &columns, work, &info);
    blas_buffers_leave();
    spell_reflections(m, n, z, stride, z, stride, t);
}
