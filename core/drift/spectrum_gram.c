#include "core/drift/spectrum_internal.h"
#include "core/numerics/kernels.h"
#include "core/numerics/lapack.h"
#include "core/support/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows that are added at once: many are faster, few can be waited for. */
enum { TILE = 256 };

typedef struct Gram {
    const SpectrumMatrix *matrix;
    SpectrumWork *work;
    SpectrumScratch *scratch;
    double *sums;                   /* ΔᵀΔ, column-major, the lower triangle of [shorter × shorter] */
    double *diagonal, *subdiagonal; /* [shorter] */
} Gram;

static double operations_of_sums(const SpectrumMatrix *matrix) {
    return (double)matrix->longer * (double)matrix->shorter * (double)matrix->shorter;
}

/* 4/3·s³ by count, and slower ones. */
static double operations_of_values(const SpectrumMatrix *matrix) {
    return 2.5 * pow((double)matrix->shorter, 3.0);
}

double spectrum_gram_operations(const SpectrumMatrix *matrix) {
    return operations_of_sums(matrix) + operations_of_values(matrix);
}

/* ΔᵀΔ, a tile of rows at a time. */
static Status add_rows(Gram *gram, Error *error) {
    const SpectrumMatrix *matrix = gram->matrix;
    size_t s = matrix->shorter, longer = matrix->longer, size;
    if (!memory_multiply(TILE, s, &size)) return memory_fail(error, "singular values");
    double *tile = memory_allocate_aligned(size, sizeof *tile);
    Status status = tile != NULL ? STATUS_OK : memory_fail(error, "singular values");
    double share = operations_of_sums(matrix) / spectrum_gram_operations(matrix);
    for (size_t first = 0; first < longer && status == STATUS_OK; first += TILE) {
        size_t count = longer - first < TILE ? longer - first : TILE;
        spectrum_matrix_read(matrix, first, count, gram->scratch, tile, TILE);
        lapack_add_gram(count, s, tile, TILE, gram->sums, s);
        if (!spectrum_advance(gram->work, share * (double)(first + count) / (double)longer))
            status = job_cancelled(error);
    }
    free(tile);
    return status;
}

/* ---- to tridiagonal form, by way of a band ----
 *
 * Straight to it, half of the operations would be products of a matrix and a vector, for which the matrix is read from far
 * away for each column. */

_Static_assert((int)KERNELS_BAND == (int)LAPACK_PANEL, "a panel leaves a band of its width");

/* Columns of the band that are turned at once: s is 2048 at most by default, a few milliseconds. */
enum { TOGETHER = 64 };

/* Which part of the time after the sums goes into the band. */
static const double SHARE_OF_BAND = 0.75;

static bool advance(Gram *gram, double share) {
    double before = operations_of_sums(gram->matrix) / spectrum_gram_operations(gram->matrix);
    return spectrum_advance(gram->work, before + (1.0 - before) * share);
}

static Status reduce_to_band(Gram *gram, Error *error) {
    size_t s = gram->matrix->shorter;
    double *work = memory_allocate(lapack_band_work(s), sizeof *work);
    Status status = work != NULL ? STATUS_OK : memory_fail(error, "singular values");
    for (size_t at = 0; s - at > LAPACK_PANEL && status == STATUS_OK; at += LAPACK_PANEL) {
        double rest = (double)(s - at - LAPACK_PANEL) / (double)s;
        lapack_band_panel(s - at, gram->sums + at * (s + 1), s, work);
        if (!advance(gram, SHARE_OF_BAND * (1.0 - rest * rest * rest))) status = job_cancelled(error);
    }
    free(work);
    return status;
}

static void copy_band(const Gram *gram, double *band) {
    size_t s = gram->matrix->shorter;
    for (size_t j = 0; j < s; j++) {
        size_t count = s - j < KERNELS_BAND + 1 ? s - j : KERNELS_BAND + 1;
        memcpy(band + j * (KERNELS_BAND_STRIDE + 1), gram->sums + j * (s + 1), count * sizeof *band);
    }
}

static Status reduce_band(Gram *gram, Error *error) {
    enum { COLUMN = KERNELS_BAND_STRIDE + 1 };
    size_t s = gram->matrix->shorter;
    double *band = memory_allocate(KERNELS_BAND_COLUMNS(s), COLUMN * sizeof *band); /* begins as 0 */
    if (band == NULL) return memory_fail(error, "singular values");
    Status status = STATUS_OK;
    copy_band(gram, band);
    for (size_t at = 0; at < s && status == STATUS_OK; at += TOGETHER) {
        size_t end = s - at < TOGETHER ? s : at + TOGETHER;
        double rest = (double)(s - end) / (double)s;
        kernels_get()->tridiagonalise(band, s, at, end);
        if (!advance(gram, SHARE_OF_BAND + (1.0 - SHARE_OF_BAND) * (1.0 - rest * rest)))
            status = job_cancelled(error);
    }
    for (size_t j = 0; j < s; j++) {
        gram->diagonal[j] = band[j * COLUMN];
        gram->subdiagonal[j] = band[j * COLUMN + 1];
    }
    free(band);
    return status;
}

static Status tridiagonalise(Gram *gram, Error *error) {
    Status status = reduce_to_band(gram, error);
    return status == STATUS_OK ? reduce_band(gram, error) : status;
}

/* How far each eigenvalue may be off. An element of ΔᵀΔ is added up in tiles, and tile by tile, so that |E| ≤ γ·|Δ|ᵀ|Δ| with
 * γ so many roundings, and ‖E‖ ≤ γ·‖Δ‖_F²; the transformations are orthogonal. */
static double error_of_values(const SpectrumMatrix *matrix, double norm, double largest) {
    double roundings = (double)TILE + (double)matrix->longer / (double)TILE + 2.0;
    return 0.5 * DBL_EPSILON * roundings * norm * norm + DBL_EPSILON * (double)matrix->shorter * largest;
}

Status spectrum_solve_gram(const SpectrumMatrix *matrix, SpectrumWork *work, SpectrumScratch *scratch,
                           Spectrum *spectrum, bool *is_settled, Error *error) {
    size_t s = matrix->shorter, size;
    Gram gram = {.matrix = matrix, .work = work, .scratch = scratch};
    if (!memory_multiply(s, s, &size)) return memory_fail(error, "singular values");
    gram.sums = memory_allocate(size, sizeof *gram.sums); /* begins as 0 */
    gram.diagonal = memory_allocate(s, sizeof *gram.diagonal);
    gram.subdiagonal = memory_allocate(s, sizeof *gram.subdiagonal);
    Status status = gram.sums != NULL && gram.diagonal != NULL && gram.subdiagonal != NULL
                        ? add_rows(&gram, error)
                        : memory_fail(error, "singular values");
    if (status == STATUS_OK) status = tridiagonalise(&gram, error);
    /* values that are not found are looked for in the other way */
    if (status == STATUS_OK &&
        lapack_tridiagonal_values(s, gram.diagonal, gram.subdiagonal, NULL) == STATUS_OK) {
        double off = error_of_values(matrix, spectrum->norm, gram.diagonal[s - 1]);
        *is_settled = gram.diagonal[0] >= SPECTRUM_LOST_BELOW * off;
        for (size_t i = 0; i < s && *is_settled; i++) {
            spectrum->values[i] = sqrt(gram.diagonal[s - 1 - i]);
            spectrum->errors[i] = off / spectrum->values[i];
        }
    }
    free(gram.sums);
    free(gram.diagonal);
    free(gram.subdiagonal);
    return status;
}
