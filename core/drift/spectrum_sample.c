#include "core/drift/spectrum_internal.h"
#include "core/numerics/lapack.h"
#include "core/support/memory.h"

#include <float.h>
#include <stdlib.h>

/* Rows of the sample, in groups that lie side by side, which are read faster. */
enum { GROUP = 16, GROUPS = 10, ROWS = SPECTRUM_SAMPLE_ROWS };

_Static_assert((int)ROWS == GROUP * GROUPS, "groups make up the sample");

typedef struct Sample {
    double *group; /* [GROUP × shorter] as spectrum_matrix_read() has it */
    double *gram;  /* [ROWS × ROWS] */
    double squares;
    SpectrumSample taken;
} Sample;

/* What did not change at all (a token that training never saw) tells nothing of the rest. */
static void take_row(Sample *sample, size_t row, size_t length) {
    double *to = sample->taken.rows + sample->taken.count * length, squares = 0.0;
    for (size_t j = 0; j < length; j++) {
        to[j] = sample->group[row + j * GROUP];
        squares += to[j] * to[j];
    }
    if (squares == 0.0) return;
    sample->squares += squares;
    sample->taken.count++;
}

static void take_rows(Sample *sample, const SpectrumMatrix *matrix, SpectrumScratch *scratch) {
    size_t apart = (matrix->longer - GROUP) / (GROUPS - 1);
    for (size_t g = 0; g < GROUPS; g++) {
        spectrum_matrix_read(matrix, g * apart, GROUP, scratch, sample->group, GROUP);
        for (size_t row = 0; row < GROUP; row++) take_row(sample, row, matrix->shorter);
    }
}

/* By whether the rows' products with each other have a Cholesky factor, with what ΔᵀΔ would lose taken off. */
static bool is_low(const Sample *sample, size_t length) {
    size_t n = sample->taken.count;
    double least = SPECTRUM_LOST_BELOW * 0.5 * DBL_EPSILON * (double)length * sample->squares;
    lapack_add_gram(length, n, sample->taken.rows, length, sample->gram, n);
    for (size_t i = 0; i < n; i++) sample->gram[i * (n + 1)] -= least;
    return !lapack_is_positive(n, sample->gram, n);
}

Status spectrum_sample_take(const SpectrumMatrix *matrix, SpectrumScratch *scratch, SpectrumSample *sample,
                            Error *error) {
    Sample work = {.group = memory_allocate(matrix->shorter, GROUP * sizeof *work.group),
                   .gram = memory_allocate(ROWS, ROWS * sizeof *work.gram)};
    work.taken.rows = memory_allocate(matrix->shorter, ROWS * sizeof *work.taken.rows);
    Status status = STATUS_OK;
    if (work.group == NULL || work.gram == NULL || work.taken.rows == NULL) {
        status = memory_fail(error, "singular values");
    } else {
        take_rows(&work, matrix, scratch);
        work.taken.is_low = work.taken.count > 0 && is_low(&work, matrix->shorter);
    }
    free(work.group);
    free(work.gram);
    *sample = work.taken;
    return status;
}
