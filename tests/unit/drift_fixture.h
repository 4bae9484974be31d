/*
 * drift_fixture — a scan of a pair, and of one tensor on both sides; values that are drawn.
 */
#ifndef REJUV_TESTS_DRIFT_FIXTURE_H
#define REJUV_TESTS_DRIFT_FIXTURE_H

#include "core/drift/drift.h"
#include "tests/unit/pair_files.h"

static inline DriftTable *scan(const Pair *pair, Job *job) {
    DriftTable *table;
    Error error = {0};
    assert_int_equal(drift_table_create(pair, &table, &error), STATUS_OK);
    if (drift_scan(pair, table, job, &error) != STATUS_OK) fail_msg("%s", error.message);
    return table;
}

/* The row of a pair of one tensor each. */
static inline DriftRow scan_one(FileTensor base, FileTensor sft) {
    PairFiles files;
    DriftRow row;
    pair_files_make_one(&files, base, sft);
    DriftTable *table = scan(files.pair, NULL);
    assert_true(drift_table_row(table, 0, &row));
    row.tensor = NULL;
    drift_table_free(table);
    pair_files_remove(&files);
    return row;
}

static inline FileTensor floats(size_t rows, size_t columns, const float *data) {
    return (FileTensor){"w", DTYPE_F32, rows, columns, data};
}

static inline uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return *state >> 33;
}

/* A little beside it, by a sum of four: as training moves a weight. */
static inline float smooth(size_t i, float base, uint64_t *random) {
    (void)i;
    float sum = 0.0F;
    for (int k = 0; k < 4; k++) sum += (float)next_random(random) * 0x1p-31F - 0.5F;
    return base + 0.01F * sum;
}

#endif
