#include "core/drift/spectrum_internal.h"
#include "core/numerics/kernels.h"
#include "core/numerics/lapack.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct Symmetric {
    size_t size;
    double *sums;                   /* column-major, the lower triangle */
    double *diagonal, *subdiagonal; /* [size] */
    SpectrumWork *work;
    double before; /* its share that is done */
} Symmetric;

/* ---- to tridiagonal form, by way of a band ----
 *
 * Straight to it, half of the operations would be products of a matrix and a vector, for which the matrix is read from far
 * away for each column. */

_Static_assert((int)KERNELS_BAND == (int)LAPACK_PANEL, "a panel leaves a band of its width");

/* Columns of the band that are turned at once: s is 2048 at most by default, a few milliseconds. */
enum { TOGETHER = 64 };

/* Parts of the time: to the band, and from there on; the rest finds the values. */
static const double TO_BAND = 0.55, TURNS = 0.2;

static bool advance(Symmetric *symmetric, double share) {
    return spectrum_advance(symmetric->work, symmetric->before + (1.0 - symmetric->before) * share);
}

static Status reduce_to_band(Symmetric *symmetric, Error *error) {
    size_t s = symmetric->size;
    double *work = memory_allocate(lapack_band_work(s), sizeof *work);
    Status status = work != NULL ? STATUS_OK : memory_fail(error, "singular values");
    for (size_t at = 0; s - at > LAPACK_PANEL && status == STATUS_OK; at += LAPACK_PANEL) {
        double rest = (double)(s - at - LAPACK_PANEL) / (double)s;
        lapack_band_panel(s - at, symmetric->sums + at * (s + 1), s, work);
        if (!advance(symmetric, TO_BAND * (1.0 - rest * rest * rest))) status = job_cancelled(error);
    }
    free(work);
    return status;
}

static void copy_band(const Symmetric *symmetric, double *band) {
    size_t s = symmetric->size;
    for (size_t j = 0; j < s; j++) {
        size_t count = s - j < KERNELS_BAND + 1 ? s - j : KERNELS_BAND + 1;
        memcpy(band + j * (KERNELS_BAND_STRIDE + 1), symmetric->sums + j * (s + 1), count * sizeof *band);
    }
}

static Status reduce_band(Symmetric *symmetric, Error *error) {
    enum { COLUMN = KERNELS_BAND_STRIDE + 1 };
    size_t s = symmetric->size;
    double *band = memory_allocate(KERNELS_BAND_COLUMNS(s), COLUMN * sizeof *band); /* begins as 0 */
    if (band == NULL) return memory_fail(error, "singular values");
    Status status = STATUS_OK;
    copy_band(symmetric, band);
    for (size_t at = 0; at < s && status == STATUS_OK; at += TOGETHER) {
        size_t end = s - at < TOGETHER ? s : at + TOGETHER;
        double rest = (double)(s - end) / (double)s;
        kernels_get()->tridiagonalise(band, s, at, end);
        if (!advance(symmetric, TO_BAND + TURNS * (1.0 - rest * rest))) status = job_cancelled(error);
    }
    for (size_t j = 0; j < s; j++) {
        symmetric->diagonal[j] = band[j * COLUMN];
        symmetric->subdiagonal[j] = band[j * COLUMN + 1];
    }
    free(band);
    return status;
}

static Status tridiagonalise(Symmetric *symmetric, Error *error) {
    Status status = reduce_to_band(symmetric, error);
    return status == STATUS_OK ? reduce_band(symmetric, error) : status;
}

Status spectrum_symmetric_values(size_t size, double *sums, SpectrumWork *work, double before, double *values,
                                 bool *is_found, Error *error) {
    double *subdiagonal = memory_allocate(size, sizeof *subdiagonal);
    if (subdiagonal == NULL) return memory_fail(error, "singular values");
    Symmetric symmetric = {size, sums, values, subdiagonal, work, before};
    Status status = tridiagonalise(&symmetric, error);
    if (status == STATUS_OK)
        *is_found = lapack_tridiagonal_values(size, values, subdiagonal, NULL) == STATUS_OK;
    free(subdiagonal);
    return status;
}
