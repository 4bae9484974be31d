/*
 * drift_table — what the parts of drift share: how rows get into a table, and the exact share of the largest
 * elements. Only core/drift*.c and core/cache_drift.c include this.
 */
#ifndef REJUV_CORE_DRIFT_TABLE_H
#define REJUV_CORE_DRIFT_TABLE_H

#include "core/drift.h"
#include "core/kernels.h"

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

/* One tensor's elements, both sides, as the loops over them need it. */
typedef struct DriftElements {
    const Tensor *base, *sft;
    uint64_t count;
    bool is_same_memory; /* both sides are one file's bytes: only base is read */
} DriftElements;

/* Widens elements [first, first + count). */
void drift_widen(const DriftElements *elements, uint64_t first, size_t count, float *sft, float *base);

/* ---- the largest elements ----
 *
 * The k largest |Δ| are found by their keys, the bits of |Δ| in float32, which order as the values do. A
 * window [low, high) of keys is chosen so that the k-th largest lies in it. One reading then sums ΔΔ above
 * the window, and tallies the different values inside it: their number times their square settles the rest
 * exactly, in double, however many ties there are.
 *
 *     key:  0 ............. low ######## high ............ inf
 *           left out             tallied       summed
 */
typedef struct DriftWindow {
    uint32_t low, high;
    size_t limit; /* different values that one tile may tally */
} DriftWindow;

typedef struct DriftTallied {
    double value; /* |Δ| */
    uint64_t count;
} DriftTallied;

/* An open hash table of values; grows as needed. */
typedef struct DriftTally {
    DriftTallied *slots;
    size_t capacity, count;
} DriftTally;

bool drift_tally_add(DriftTally *tally, double value, uint64_t count); /* false: out of memory */
void drift_tally_clear(DriftTally *tally);                             /* keeps the memory */

/* What one reading of a tile (or of all) found. */
typedef struct DriftTop {
    uint64_t above;
    double above_squares;
    DriftTallied *values; /* inside the window, largest first */
    size_t count;
    bool is_full; /* more different values than the window's limit */
} DriftTop;

/* Moves a tally into top->values, sorted; false: out of memory. */
bool drift_top_take(DriftTop *top, DriftTally *tally);

/* k of `count` elements. */
uint64_t drift_top_size(uint64_t count);

/* From counts of keys in 2^16 equal steps of the 31-bit key, of a sample of `sampled` out of `count`
 * elements: a window that very likely (certainly, when all were sampled) holds the k-th largest. */
DriftWindow drift_window_guess(const uint32_t *counts, uint64_t sampled, uint64_t count, size_t tiles);

/* From exact counts in `steps` steps of 2^shift keys from `low` on, with `above` elements beyond them. */
DriftWindow drift_window_find(const uint64_t *counts, size_t steps, uint32_t low, unsigned shift,
                              uint64_t above, uint64_t k, size_t tiles);

/* What all tiles found, added in their order. */
typedef struct DriftTopSum {
    uint64_t above;
    double above_squares;
    DriftTally tally;
    bool is_full;
} DriftTopSum;

bool drift_top_add(DriftTopSum *sum, const DriftTop *tile); /* false: out of memory */

/* *squares = Σ of the k largest ΔΔ; *found is false where the window missed or a tile was full. Releases the
 * sum. Returns false when out of memory. */
bool drift_top_finish(DriftTopSum *sum, uint64_t k, bool *found, double *squares);

enum { DRIFT_KEY_STEPS = 65536, DRIFT_KEY_SHIFT = 15 };

#endif
