/*
 * drift_table — how rows get into a table. For the scan, for the cache, which keeps tables, and for what
 * other ranks scanned.
 */
#ifndef REJUV_CORE_DRIFT_TABLE_H
#define REJUV_CORE_DRIFT_TABLE_H

#include "core/drift/drift.h"

#include <stdatomic.h>

/* A row is written once, by the scanning thread, before its flag is set (release); readers look at the flag
 * first (acquire). */
struct DriftTable {
    const Pair *pair;
    size_t count;
    DriftRow *rows;     /* [count] */
    atomic_bool *ready; /* [count] */
    atomic_size_t ready_count;
};

void drift_table_publish(DriftTable *table, size_t index, const DriftRow *row);

/* The row of a tensor before anything is summed: what is compared, and what is left out. */
void drift_start_row(const PairTensor *tensor, DriftRow *row);

#endif
