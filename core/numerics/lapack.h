/*
 * lapack — the few routines of double-precision linear algebra that the spectrum needs, out of the LAPACK
 * that OpenBLAS carries. Matrices are column-major, as LAPACK has them: element (i, j) of one with stride s
 * is at a[i + j·s]. Each function is one call, or a few: none can be interrupted, so callers hand over pieces
 * of a size they can wait for.
 *
 * Sizes fit LAPACK's int: callers' blocks are small, and a side of a tensor that does not fit is refused
 * before (spectrum.h). Before the first call, blas_buffers_prepare() with the threads that call.
 */
#ifndef REJUV_CORE_LAPACK_H
#define REJUV_CORE_LAPACK_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>

/* c[m × n] = alpha · op(a) · b + beta · c, b[k × n]; op(a) is a[m × k], or aᵀ of a[k × m]. */
void lapack_multiply(size_t m, size_t n, size_t k, double alpha, const double *a, size_t a_stride,
                     const double *b, size_t b_stride, double beta, double *c, size_t c_stride);
void lapack_multiply_transposed(size_t m, size_t n, size_t k, double alpha, const double *a, size_t a_stride,
                                const double *b, size_t b_stride, double beta, double *c, size_t c_stride);

/* ---- QR, a tile of rows at a time ----
 *
 *     ┌ R ┐  n × n upper triangle          ┌ R' ┐
 *     └ B ┘  rows × n, a tile      = Q ·   └ 0  ┘      2·rows·n² operations
 *
 * R becomes R', whose singular values are those of both together; the tile is overwritten. `work` has
 * lapack_append_rows_work(n) doubles. */
size_t lapack_append_rows_work(size_t n);
void lapack_append_rows(size_t rows, size_t n, double *r, size_t r_stride, double *tile, size_t tile_stride,
                        double *work);

/* ---- bidiagonal form ---- */

enum { LAPACK_PANEL = 32 };

/* Brings the next min(LAPACK_PANEL, n) columns and rows of a[m × n], m ≥ n, to upper bidiagonal form by
 * Householder reflections from both sides, and applies these to the rest of a: diagonal[0…] and
 * superdiagonal[0…] are written (of the last column only the diagonal). Returns how many columns that were;
 * the caller goes on with a + done·(stride + 1), m − done, n − done. `work` has
 * LAPACK_PANEL·(m + n + 2) doubles. */
size_t lapack_bidiagonalise_panel(size_t m, size_t n, double *a, size_t stride, double *diagonal,
                                  double *superdiagonal, double *work);

/* The singular values of an upper bidiagonal n × n matrix, largest first, in place of its diagonal; to high
 * relative accuracy (the dqds algorithm). `work` has 4·n doubles. */
Status lapack_bidiagonal_values(size_t n, double *diagonal, double *superdiagonal, double *work,
                                Error *error) STATUS_MUST_CHECK;

/* ---- symmetric matrices, of which the lower triangle is there ---- */

/* gram[n × n] += aᵀ·a of a[rows × n]; rows·n² operations. */
void lapack_add_gram(size_t rows, size_t n, const double *a, size_t a_stride, double *gram, size_t stride);

/* Brings the next LAPACK_PANEL columns of a[n × n], n > LAPACK_PANEL, to a form without elements further than LAPACK_PANEL
 * from the diagonal, by reflections from both sides, and applies these to the rest of a; the caller goes on with
 * a + LAPACK_PANEL·(stride + 1), n − LAPACK_PANEL. What has become 0 is not written: other things are there. `work` has
 * lapack_band_work(n) doubles. */
size_t lapack_band_work(size_t n);
void lapack_band_panel(size_t n, double *a, size_t stride, double *work);

/* Whether all eigenvalues of a[n × n] are above 0, but for rounding; a is overwritten. n³/3 operations. */
bool lapack_is_positive(size_t n, double *a, size_t stride);

/* The eigenvalues of a symmetric tridiagonal n × n matrix, ascending, in place of its diagonal. */
Status lapack_tridiagonal_values(size_t n, double *diagonal, double *subdiagonal,
                                 Error *error) STATUS_MUST_CHECK;

/* ---- small symmetric and thin matrices ---- */

/* Eigenvalues of the symmetric a[n × n] (its upper triangle is read), ascending, into values[n]; orthonormal
 * eigenvectors in its columns. */
Status lapack_eigen(size_t n, double *a, double *values, Error *error) STATUS_MUST_CHECK;

/* z[m × n] = Q·C with orthonormal columns Q in place of z; C[n × n] = Qᵀz, into `coefficients` (may be
 * NULL). Columns are taken largest remainder first, so that where z has rank r < n (to within 1e-13 of its
 * largest column) the last n − r columns of Q are arbitrary; returns r. m ≥ n. `status` of an exhausted
 * memory is STATUS_NO_MEMORY. */
Status lapack_orthonormalise(size_t m, size_t n, double *z, size_t stride, double *coefficients, size_t *rank,
                             Error *error) STATUS_MUST_CHECK;

/* The reflections I − V·T·Vᵀ whose first n columns are those of an orthonormal z[m × n], but for their signs: V in place of
 * z, T[n × n] into `t`, with their ones and zeros. `work` has n² doubles. */
void lapack_reflections(size_t m, size_t n, double *z, size_t stride, double *t, double *work);

#endif
