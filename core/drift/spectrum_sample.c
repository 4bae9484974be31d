#include "core/drift/spectrum_internal.h"
#include "core/numerics/lapack.h"
#include "core/support/memory.h"

#include <float.h>
#include <stdlib.h>

/* Rows of the sample, in groups that lie side by side, which are read faster. */
enum { GROUP = 16, GROUPS = 10, ROWS = GROUP * GROUPS };

typedef struct Sample {
    double *group; /* [GROUP × shorter] as spectrum_matrix_read() has it */
    double *rows;  /* [shorter × count] a column each, without those that are 0 */
    double *gram;  /* [ROWS × ROWS] */
    size_t count;
    double squares;
} Sample;

/* What did not change at all (a token that training never saw) tells nothing of the rest. */
static void take_row(Sample *sample, size_t row, size_t length) {
    double *to = sample->rows + sample->count * length, squares = 0.0;
    for (size_t j = 0; j < length; j++) {
        to[j] = sample->group[row + j * GROUP];
        squares += to[j] * to[j];
    }
    if (squares == 0.0) return;
    sample->squares += squares;
    sample->count++;
}

static void take_rows(Sample *sample, const SpectrumMatrix *matrix, SpectrumScratch *scratch) {
    size_t apart = (matrix->longer - GROUP) / (GROUPS - 1);
    for (size_t g = 0; g < GROUPS; g++) {
        spectrum_matrix_read(matrix, g * apart, GROUP, scratch, sample->group, GROUP);
        for (size_t row = 0; row < GROUP; row++) take_row(sample, row, matrix->shorter);
    }
}

/* Whether the rows' products with each other have an eigenvalue that spectrum_solve_gram() would call lost. */
static bool is_lost(Sample *sample, size_t length) {
    size_t n = sample->count;
    double least = SPECTRUM_LOST_BELOW * 0.5 * DBL_EPSILON * (double)length * sample->squares;
    if (n < 2) return false;
    lapack_add_gram(length, n, sample->rows, length, sample->gram, n);
    for (size_t i = 0; i < n; i++) sample->gram[i * (n + 1)] -= least;
    return !lapack_is_positive(n, sample->gram, n);
}

Status spectrum_sample_rank(const SpectrumMatrix *matrix, SpectrumScratch *scratch, bool *is_low,
                            Error *error) {
    Sample sample = {.group = memory_allocate(matrix->shorter, GROUP * sizeof *sample.group),
                     .rows = memory_allocate(matrix->shorter, ROWS * sizeof *sample.rows),
                     .gram = memory_allocate(ROWS, ROWS * sizeof *sample.gram)};
    Status status = STATUS_OK;
    if (sample.group == NULL || sample.rows == NULL || sample.gram == NULL) {
        status = memory_fail(error, "singular values");
    } else {
        take_rows(&sample, matrix, scratch);
        *is_low = is_lost(&sample, matrix->shorter);
    }
    free(sample.group);
    free(sample.rows);
    free(sample.gram);
    return status;
}
