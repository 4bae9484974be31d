#include "core/drift/spectrum_internal.h"
#include "core/numerics/lapack.h"
#include "core/support/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Rows at once, as spectrum_gram.c has them. */
enum { TILE = 256 };

/* Directions that are looked for beyond those that the sample shows. */
enum { SPARE = 16 };

/* Doubles for LAPACK, for each direction: what all of its functions here ask for. */
enum { ROOM = SPECTRUM_SAMPLE_ROWS > 4 * LAPACK_PANEL ? SPECTRUM_SAMPLE_ROWS : 4 * LAPACK_PANEL };

/* How much smaller what is left has to be. */
static const double GAP = 1e-2;

/* What is smaller beside the largest may as well be nothing. */
static const double ROUNDING = 1e-13;

typedef struct Split {
    const SpectrumMatrix *matrix;
    SpectrumWork *work;
    SpectrumScratch *scratch;
    double *tile;          /* [TILE × shorter] */
    double *directions;    /* [shorter × tried] */
    double *turned;        /* [shorter × tried] ΔᵀΔ times those, then reflections */
    double *small;         /* [tried × tried] coefficients, then the reflections' T */
    double *left, *middle; /* [TILE × tried] */
    double *across;        /* [rank × shorter] the reflections, transposed; then XᵀZ, [rank × rest] */
    double *triangle, *superdiagonal; /* of X, [rank × rank] and [rank] */
    double *room;                     /* for LAPACK */
    double *sums;                     /* ZᵀZ, [rest × rest] */
    double *values;                   /* of ZᵀZ, ascending, [rest] */
    size_t tried, rank, rest;
} Split;

double spectrum_split_operations(const SpectrumMatrix *matrix) {
    double elements = (double)matrix->longer * (double)matrix->shorter;
    return spectrum_gram_operations(matrix) + 10.0 * elements * SPECTRUM_SAMPLE_ROWS;
}

static size_t read_tile(const Split *split, size_t first) {
    size_t left = split->matrix->longer - first, count = left < TILE ? left : TILE;
    spectrum_matrix_read(split->matrix, first, count, split->scratch, split->tile, TILE);
    return count;
}

/* turned = ΔᵀΔ · directions: what is small falls behind by its square. */
static Status turn_directions(Split *split, double share, Error *error) {
    size_t s = split->matrix->shorter, longer = split->matrix->longer, n = split->tried;
    for (size_t first = 0; first < longer; first += TILE) {
        size_t count = read_tile(split, first);
        lapack_multiply(count, n, s, 1.0, split->tile, TILE, split->directions, s, 0.0, split->left, TILE);
        lapack_multiply_transposed(s, n, count, 1.0, split->tile, TILE, split->left, TILE, 1.0, split->turned,
                                   s);
        if (!spectrum_advance(split->work, share * (double)(first + count) / (double)longer))
            return job_cancelled(error);
    }
    return STATUS_OK;
}

/* How many columns stand out, of those that lapack_orthonormalise() made with their coefficients: up to the widest gap between
 * the rows of these; 0 where none is wide enough. */
static size_t count_leading(const double *coefficients, size_t n, size_t known, double gap) {
    size_t rank = 0;
    double before = 0.0, least = 0.0, widest = gap;
    for (size_t i = 0; i < n; i++) {
        double size = 0.0;
        for (size_t j = 0; j < n && i < known; j++) size = fmax(size, fabs(coefficients[i + j * n]));
        if (i == 0) least = ROUNDING * size;
        size = fmax(size, least);
        if (i > 0 && size < widest * before) {
            widest = size / before;
            rank = i;
        }
        before = size;
    }
    return rank;
}

/* First of the sample's rows, then of those that are left once these are turned. */
static Status find_leading(Split *split, size_t count, double share, Error *error) {
    size_t s = split->matrix->shorter, known, shown;
    Status status = lapack_orthonormalise(s, count, split->directions, s, split->small, &known, error);
    if (status != STATUS_OK) return status;
    shown = count_leading(split->small, count, known, GAP);
    if (shown == 0) return STATUS_OK;
    split->tried = shown + SPARE < count ? shown + SPARE : count;
    status = turn_directions(split, share, error);
    if (status == STATUS_OK)
        status = lapack_orthonormalise(s, split->tried, split->turned, s, split->small, &known, error);
    if (status == STATUS_OK) split->rank = count_leading(split->small, split->tried, known, GAP * GAP);
    return status;
}

/* ---- Δ·Q = [X Z], X the leading directions ---- */

static double *across_of(const Split *split) {
    return split->across + split->rank * split->matrix->shorter;
}

/* tile ← tile·(I − V·T·Vᵀ) */
static void turn_tile(const Split *split, size_t count) {
    size_t s = split->matrix->shorter, k = split->rank;
    lapack_multiply(count, k, s, 1.0, split->tile, TILE, split->turned, s, 0.0, split->left, TILE);
    lapack_multiply(count, k, k, 1.0, split->left, TILE, split->small, k, 0.0, split->middle, TILE);
    lapack_multiply(count, s, k, -1.0, split->middle, TILE, split->across, k, 1.0, split->tile, TILE);
}

static Status add_rows(Split *split, double before, double share, Error *error) {
    size_t longer = split->matrix->longer, k = split->rank;
    double *z = split->tile + k * TILE;
    for (size_t first = 0; first < longer; first += TILE) {
        size_t count = read_tile(split, first);
        turn_tile(split, count);
        lapack_add_gram(count, split->rest, z, TILE, split->sums, split->rest);
        lapack_multiply_transposed(k, split->rest, count, 1.0, split->tile, TILE, z, TILE, 1.0,
                                   across_of(split), k);
        lapack_append_rows(count, k, split->triangle, k, split->tile, TILE, split->room);
        if (!spectrum_advance(split->work, before + share * (double)(first + count) / (double)longer))
            return job_cancelled(error);
    }
    return STATUS_OK;
}

static void transpose_reflections(Split *split) {
    size_t s = split->matrix->shorter, k = split->rank;
    for (size_t j = 0; j < k; j++) {
        for (size_t i = 0; i < s; i++) split->across[j + i * k] = split->turned[i + j * s];
    }
}

static Status find_leading_values(Split *split, double *values, Error *error) {
    size_t k = split->rank;
    for (size_t at = 0; at < k;)
        at += lapack_bidiagonalise_panel(k - at, k - at, split->triangle + at * (k + 1), k, values + at,
                                         split->superdiagonal + at, split->room);
    return lapack_bidiagonal_values(k, values, split->superdiagonal, split->room, error);
}

/* ---- errors ---- */

static double root_of_squares(const double *values, size_t count) {
    double squares = 0.0;
    for (size_t i = 0; i < count; i++) squares += values[i] * values[i];
    return sqrt(squares);
}

/* How far the eigenvalues of [X Z]ᵀ[X Z] are from those of XᵀX and ZᵀZ: |XᵀZ|² over the distance between both kinds (Li and
 * Li 2005). */
static double error_of_split(const Split *split, const double *leading, double roundings, double norm) {
    size_t k = split->rank;
    double x = root_of_squares(leading, k), least = leading[k - 1];
    double apart = least * least - split->values[split->rest - 1];
    double coupling = root_of_squares(across_of(split), k * split->rest) + roundings * x * norm;
    return apart > 0.5 * least * least ? coupling * coupling / apart : INFINITY;
}

/* Whether no value is worse known for the split than it is for being turned. */
static bool settle(const Split *split, Spectrum *spectrum) {
    size_t k = split->rank, rest = split->rest, l = split->matrix->longer;
    double trace = 0.0, turned = (double)l * DBL_EPSILON * spectrum->values[0], worst = 0.0;
    for (size_t i = 0; i < rest; i++) trace += fmax(split->values[i], 0.0);
    double roundings = 0.5 * DBL_EPSILON * ((double)TILE + (double)l / (double)TILE + 2.0);
    double apart = error_of_split(split, spectrum->values, roundings, sqrt(trace));
    double off = apart + roundings * trace + DBL_EPSILON * (double)rest * fmax(split->values[rest - 1], 0.0);
    for (size_t i = 0; i < rest; i++) spectrum->values[k + i] = sqrt(fmax(split->values[rest - 1 - i], 0.0));
    for (size_t i = 0; i < k + rest; i++) {
        double square = i < k ? apart : off, value = spectrum->values[i];
        double own = square < value * value ? square / value : sqrt(square);
        spectrum->errors[i] = turned + own;
        worst = fmax(worst, own);
    }
    return worst <= turned && spectrum->values[k] <= spectrum->values[k - 1];
}

/* ---- all of it ---- */

static Status allocate(Split *split, size_t n, Error *error) {
    size_t s = split->matrix->shorter, square;
    if (!memory_multiply(s, s, &square)) return memory_fail(error, "singular values");
    struct {
        double **place;
        size_t rows, columns;
    } arrays[] = {{&split->tile, TILE, s},  {&split->turned, s, n},        {&split->small, n, n},
                  {&split->left, TILE, n},  {&split->middle, TILE, n},     {&split->across, n, 2 * s},
                  {&split->triangle, n, n}, {&split->superdiagonal, n, 1}, {&split->room, n, ROOM},
                  {&split->sums, s, s},     {&split->values, s, 1}};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        *arrays[i].place = memory_allocate(arrays[i].rows, arrays[i].columns * sizeof(double)); /* zeros */
        if (*arrays[i].place == NULL) return memory_fail(error, "singular values");
    }
    return STATUS_OK;
}

static void release(Split *split) {
    double *arrays[] = {split->tile,   split->turned, split->small,    split->left,
                        split->middle, split->across, split->triangle, split->superdiagonal,
                        split->room,   split->sums,   split->values};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]);
}

static Status solve(Split *split, size_t count, Spectrum *spectrum, bool *is_settled, Error *error) {
    static const double LEADING = 0.15, SUMS = 0.5; /* parts of the time */
    size_t s = split->matrix->shorter;
    bool is_found = false;
    Status status = find_leading(split, count, LEADING, error);
    if (status != STATUS_OK || split->rank == 0) return status;
    split->rest = s - split->rank;
    lapack_reflections(s, split->rank, split->turned, s, split->small, split->room);
    transpose_reflections(split);
    status = add_rows(split, LEADING, SUMS, error);
    if (status == STATUS_OK) status = find_leading_values(split, spectrum->values, error);
    if (status == STATUS_OK)
        status = spectrum_symmetric_values(split->rest, split->sums, split->work, LEADING + SUMS,
                                           split->values, &is_found, error);
    *is_settled = status == STATUS_OK && is_found && settle(split, spectrum);
    return status;
}

Status spectrum_solve_split(const SpectrumMatrix *matrix, const SpectrumSample *sample, SpectrumWork *work,
                            SpectrumScratch *scratch, Spectrum *spectrum, bool *is_settled, Error *error) {
    Split split = {.matrix = matrix, .work = work, .scratch = scratch, .directions = sample->rows};
    Status status = allocate(&split, sample->count, error);
    if (status == STATUS_OK) status = solve(&split, sample->count, spectrum, is_settled, error);
    release(&split);
    return status;
}
