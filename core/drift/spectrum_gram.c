#include "core/drift/spectrum_internal.h"
#include "core/numerics/lapack.h"
#include "core/support/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Rows that are added at once: many are faster, few can be waited for. */
enum { TILE = 256 };

typedef struct Gram {
    const SpectrumMatrix *matrix;
    SpectrumWork *work;
    SpectrumScratch *scratch;
    double *sums;   /* ΔᵀΔ, column-major, the lower triangle of [shorter × shorter] */
    double *values; /* its eigenvalues, ascending, [shorter] */
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

/* How far each eigenvalue may be off. An element of ΔᵀΔ is added up in tiles, and tile by tile, so that |E| ≤ γ·|Δ|ᵀ|Δ| with
 * γ so many roundings, and ‖E‖ ≤ γ·‖Δ‖_F²; the transformations are orthogonal. */
static double error_of_values(const SpectrumMatrix *matrix, double norm, double largest) {
    double roundings = (double)TILE + (double)matrix->longer / (double)TILE + 2.0;
    return 0.5 * DBL_EPSILON * roundings * norm * norm + DBL_EPSILON * (double)matrix->shorter * largest;
}

static bool settle(const Gram *gram, Spectrum *spectrum) {
    size_t s = gram->matrix->shorter;
    double off = error_of_values(gram->matrix, spectrum->norm, gram->values[s - 1]);
    if (!(gram->values[0] >= SPECTRUM_LOST_BELOW * off)) return false;
    for (size_t i = 0; i < s; i++) {
        spectrum->values[i] = sqrt(gram->values[s - 1 - i]);
        spectrum->errors[i] = off / spectrum->values[i];
    }
    return true;
}

Status spectrum_solve_gram(const SpectrumMatrix *matrix, SpectrumWork *work, SpectrumScratch *scratch,
                           Spectrum *spectrum, bool *is_settled, Error *error) {
    size_t s = matrix->shorter, size;
    Gram gram = {.matrix = matrix, .work = work, .scratch = scratch};
    bool is_found = false;
    if (!memory_multiply(s, s, &size)) return memory_fail(error, "singular values");
    gram.sums = memory_allocate(size, sizeof *gram.sums); /* begins as 0 */
    gram.values = memory_allocate(s, sizeof *gram.values);
    Status status = gram.sums != NULL && gram.values != NULL ? add_rows(&gram, error)
                                                             : memory_fail(error, "singular values");
    if (status == STATUS_OK)
        status = spectrum_symmetric_values(s, gram.sums, work,
                                           operations_of_sums(matrix) / spectrum_gram_operations(matrix),
                                           gram.values, &is_found, error);
    /* values that are not found are looked for in another way */
    if (status == STATUS_OK) *is_settled = is_found && settle(&gram, spectrum);
    free(gram.sums);
    free(gram.values);
    return status;
}
