/*
 * spectrum_fixture — what tests of singular values share: changes of known shape, and measuring one.
 */
#ifndef REJUV_TESTS_SPECTRUM_FIXTURE_H
#define REJUV_TESTS_SPECTRUM_FIXTURE_H

#include "core/drift/spectrum.h"
#include "core/numerics/random.h"
#include "core/support/memory.h"
#include "tests/unit/pair_files.h"

#include <math.h>

/* ---- matrices ---- */

static inline float *make_zeros(size_t rows, size_t columns) {
    float *values = memory_allocate(rows * columns, sizeof *values);
    assert_non_null(values);
    return values;
}

/* Normally distributed, column j scaled by the j-th of a sequence. */
static inline float *make_random(size_t rows, size_t columns, uint64_t seed, double (*scale)(size_t j)) {
    float *values = make_zeros(rows, columns);
    for (size_t i = 0; i < rows * columns; i++) {
        double radius = sqrt(-2.0 * log(1.0 - random_uniform(seed, 2 * i)));
        values[i] =
            (float)(radius * cos(6.283185307179586 * random_uniform(seed, 2 * i + 1)) * scale(i % columns));
    }
    return values;
}

static inline double flat(size_t j) {
    (void)j;
    return 1.0;
}

static inline double slow(size_t j) {
    return 1.0 / sqrt((double)j + 1.0);
}

static inline double fast(size_t j) {
    return pow((double)j + 1.0, -2.0);
}

/* Δ holds `count` entries of one size, no two in a row or column: so many equal singular values. */
static inline float *make_equal(size_t rows, size_t columns, size_t count) {
    float *values = make_zeros(rows, columns);
    for (size_t i = 0; i < count; i++) values[i * columns + (7 * i + 3) % columns] = 0.5F;
    return values;
}

/* ---- measuring ---- */

/* A pair whose change is `values`: its base is 0. */
static inline void make_change(PairFiles *files, size_t rows, size_t columns, const float *values) {
    float *zeros = make_zeros(rows, columns);
    pair_files_make_one(files, (FileTensor){"w", DTYPE_F32, rows, columns, zeros},
                        (FileTensor){"w", DTYPE_F32, rows, columns, values});
    free(zeros);
}

static inline Spectrum measure(const Pair *pair, uint64_t exact_limit, uint64_t seed, Job *job) {
    Spectrum spectrum;
    Error error = {0};
    SpectrumSettings settings = {.exact_limit = exact_limit, .seed = seed};
    if (spectrum_measure(&pair->tensors[0], settings, &spectrum, job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return spectrum;
}

static inline Spectrum measure_change(size_t rows, size_t columns, const float *values,
                                      uint64_t exact_limit) {
    PairFiles files;
    make_change(&files, rows, columns, values);
    Spectrum spectrum = measure(files.pair, exact_limit, SPECTRUM_SEED, NULL);
    spectrum.tensor = NULL;
    pair_files_remove(&files);
    return spectrum;
}

static inline void assert_relative(double found, double expected, double tolerance) {
    if (!(fabs(found - expected) <= tolerance * fabs(expected)))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

#endif
