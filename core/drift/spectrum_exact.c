#include "core/drift/spectrum_internal.h"
#include "core/numerics/lapack.h"
#include "core/support/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* The bidiagonal form costs more time for each operation than QR, half of it being products of a matrix and a
 * vector: so much more that QR before it pays unless the matrix is nearly square. */
enum { COST_OF_BIDIAGONAL = 4 };

/* Many rows a tile are faster, few can be waited for. */
enum { TILE_LEAST = 128, TILE_MOST = 256 };

/* A shorter side from which on faster ways are tried first. Below it, nothing takes long. */
enum { FAST_LEAST = 256 };
_Static_assert((int)FAST_LEAST >= (int)SPECTRUM_SAMPLE_ROWS,
               "there are as many rows and columns as a sample has");

typedef struct Exact {
    const SpectrumMatrix *matrix;
    SpectrumWork *work;
    SpectrumScratch *scratch;
    double *dense; /* column-major, [rows × shorter] */
    size_t rows;   /* longer where Δ is nearly square; otherwise shorter, R of the QR form */
    double *diagonal, *superdiagonal;
} Exact;

/* In millions, and at least 1. */
static uint64_t cost_of(double operations) {
    return 1 + (uint64_t)(operations * 1e-6);
}

/* What takes longer counts as more. */
static uint64_t close_cost(const SpectrumMatrix *matrix) {
    double s = (double)matrix->shorter, l = (double)matrix->longer;
    double operations = 2.0 * l * s * s + (double)COST_OF_BIDIAGONAL * 8.0 / 3.0 * s * s * s;
    return cost_of(operations);
}

uint64_t spectrum_exact_cost(const SpectrumMatrix *matrix) {
    if (matrix->shorter < FAST_LEAST) return close_cost(matrix);
    return cost_of(spectrum_gram_operations(matrix));
}

static bool is_nearly_square(const SpectrumMatrix *matrix) {
    return matrix->longer - matrix->shorter <= matrix->shorter / 4;
}

/* Which part of the time goes into reducing Δ to `rows` rows. */
static double share_of_rows(const Exact *exact) {
    double rows = (double)exact->matrix->longer * 2.0, square = (double)exact->matrix->shorter * 8.0 / 3.0;
    if (is_nearly_square(exact->matrix)) return 0.0;
    return rows / (rows + (double)COST_OF_BIDIAGONAL * square);
}

/* dense = R of Δ's QR form, a tile at a time. */
static Status reduce_rows(Exact *exact, Error *error) {
    size_t s = exact->matrix->shorter, longer = exact->matrix->longer;
    size_t tile_rows = s / 4 > TILE_LEAST ? s / 4 : TILE_LEAST, size;
    if (tile_rows > TILE_MOST) tile_rows = TILE_MOST;
    if (!memory_multiply(tile_rows, s, &size)) return memory_fail(error, "singular values");
    double *tile = memory_allocate_aligned(size, sizeof *tile);
    double *work = memory_allocate(lapack_append_rows_work(s), sizeof *work);
    Status status = tile != NULL && work != NULL ? STATUS_OK : memory_fail(error, "singular values");
    for (size_t first = 0; first < longer && status == STATUS_OK; first += tile_rows) {
        size_t count = longer - first < tile_rows ? longer - first : tile_rows;
        spectrum_matrix_read(exact->matrix, first, count, exact->scratch, tile, tile_rows);
        lapack_append_rows(count, s, exact->dense, s, tile, tile_rows, work);
        double share = (double)(first + count) / (double)longer * share_of_rows(exact);
        if (!spectrum_advance(exact->work, share)) status = job_cancelled(error);
    }
    free(tile);
    free(work);
    return status;
}

static Status bidiagonalise(Exact *exact, Error *error) {
    size_t s = exact->matrix->shorter, size = exact->rows + s + 2;
    double *work = memory_allocate(size, LAPACK_PANEL * sizeof *work), before = share_of_rows(exact);
    Status status = work != NULL ? STATUS_OK : memory_fail(error, "singular values");
    for (size_t at = 0; at < s && status == STATUS_OK;) {
        at += lapack_bidiagonalise_panel(exact->rows - at, s - at, exact->dense + at * (exact->rows + 1),
                                         exact->rows, exact->diagonal + at, exact->superdiagonal + at, work);
        double rest = (double)(s - at) / (double)s;
        if (!spectrum_advance(exact->work, before + (1.0 - before) * (1.0 - rest * rest * rest)))
            status = job_cancelled(error);
    }
    free(work);
    return status;
}

static Status run(Exact *exact, Error *error) {
    size_t s = exact->matrix->shorter;
    Status status = STATUS_OK;
    if (is_nearly_square(exact->matrix))
        spectrum_matrix_read(exact->matrix, 0, exact->rows, exact->scratch, exact->dense, exact->rows);
    else
        status = reduce_rows(exact, error);
    if (status == STATUS_OK) status = bidiagonalise(exact, error);
    if (status != STATUS_OK) return status;
    double *work = memory_allocate(s, 4 * sizeof *work);
    if (work == NULL) return memory_fail(error, "singular values");
    status = lapack_bidiagonal_values(s, exact->diagonal, exact->superdiagonal, work, error);
    free(work);
    return status;
}

static double effective_rank(const double *values, size_t count) {
    double sum = 0.0, entropy = 0.0;
    for (size_t i = 0; i < count; i++) sum += values[i];
    for (size_t i = 0; i < count; i++) {
        double share = values[i] / sum;
        if (share > 0.0) entropy -= share * log(share);
    }
    return exp(entropy);
}

/* How far the entropy moves when every value does by its error, to first order and in the worst case; and what adding up rounds. */
static double effective_rank_error(const Spectrum *spectrum) {
    double sum = 0.0, move = 0.0, rank = spectrum->effective_rank;
    for (size_t i = 0; i < spectrum->count; i++) sum += spectrum->values[i];
    for (size_t i = 0; i < spectrum->count; i++) {
        double share = fmax(spectrum->values[i], spectrum->errors[i]) / sum;
        move += fabs(log(share) + log(rank)) / sum * spectrum->errors[i];
    }
    return rank * (move + (double)spectrum->count * DBL_EPSILON);
}

/* By orthogonal transformations of Δ itself. */
static Status solve_closely(Exact *exact, Spectrum *spectrum, Error *error) {
    size_t s = exact->matrix->shorter, size;
    exact->rows = is_nearly_square(exact->matrix) ? exact->matrix->longer : s;
    if (!memory_multiply(exact->rows, s, &size)) return memory_fail(error, "singular values");
    exact->dense = memory_allocate(size, sizeof *exact->dense); /* R begins as 0 */
    exact->superdiagonal = memory_allocate(s, sizeof *exact->superdiagonal);
    exact->diagonal = spectrum->values;
    Status status = exact->dense != NULL && exact->superdiagonal != NULL
                        ? run(exact, error)
                        : memory_fail(error, "singular values");
    for (size_t i = 0; i < s && status == STATUS_OK; i++)
        spectrum->errors[i] = (double)exact->matrix->longer * DBL_EPSILON * spectrum->values[0];
    free(exact->dense);
    free(exact->superdiagonal);
    return status;
}

/* The way that a sample of Δ tells to take. */
static Status try_fast(Exact *exact, Spectrum *spectrum, bool *is_settled, Error *error) {
    const SpectrumMatrix *matrix = exact->matrix;
    SpectrumSample sample;
    Status status = spectrum_sample_take(matrix, exact->scratch, &sample, error);
    if (status == STATUS_OK && !sample.is_low) {
        status = spectrum_solve_gram(matrix, exact->work, exact->scratch, spectrum, is_settled, error);
    } else if (status == STATUS_OK) {
        spectrum_begin_again(exact->work, cost_of(spectrum_split_operations(matrix)));
        status =
            spectrum_solve_split(matrix, &sample, exact->work, exact->scratch, spectrum, is_settled, error);
    }
    free(sample.rows);
    return status;
}

Status spectrum_solve_exact(const SpectrumMatrix *matrix, SpectrumWork *work, SpectrumScratch *scratch,
                            Spectrum *spectrum, Error *error) {
    size_t s = matrix->shorter;
    Exact exact = {.matrix = matrix, .work = work, .scratch = scratch};
    bool is_settled = false;
    spectrum->values = memory_allocate(s, sizeof *spectrum->values);
    spectrum->errors = memory_allocate(s, sizeof *spectrum->errors);
    Status status = spectrum->values != NULL && spectrum->errors != NULL
                        ? STATUS_OK
                        : memory_fail(error, "singular values");
    if (status == STATUS_OK && s >= FAST_LEAST) {
        status = try_fast(&exact, spectrum, &is_settled, error);
        if (status == STATUS_OK && !is_settled) spectrum_begin_again(work, close_cost(matrix));
    }
    if (status == STATUS_OK && !is_settled) status = solve_closely(&exact, spectrum, error);
    if (status != STATUS_OK) return status;
    spectrum->count = s;
    spectrum->effective_rank = effective_rank(spectrum->values, s);
    spectrum->effective_rank_error = effective_rank_error(spectrum);
    return STATUS_OK;
}
