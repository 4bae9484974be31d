/*
 * drift_scan — the state of a scan, shared by its two halves: drift_scan.c measures, drift_select.c finds the
 * largest elements. Only those two include this.
 *
 * The scan takes tensors in batches of about 64 tiles, whose bytes mostly stay in the cache between the two
 * readings:
 *
 *     batch ──► measure every tile ──► combine, choose windows ──► select in every tile ──► combine, publish
 *               (parallel)             (a few microseconds)        (parallel)
 */
#ifndef REJUV_CORE_DRIFT_SCAN_H
#define REJUV_CORE_DRIFT_SCAN_H

#include "core/drift_table.h"

/* One tensor under scan. */
typedef struct Subject {
    size_t index; /* in the table */
    DriftElements elements;
    uint64_t columns;
    size_t first_tile, tiles; /* within the batch */
    size_t stride;            /* of sampling */
    size_t first_sample;      /* within Batch.samples */
    DriftRow row;
    bool wants_top;
    DriftWindow window;
} Subject;

typedef struct Tile {
    size_t subject;
    uint64_t first;
    size_t count;
    size_t sampled;
    DriftRow row;
    DriftTop top;
} Tile;

/* What one thread works with. */
typedef struct Worker {
    float sft[KERNELS_DRIFT_CHUNK], base[KERNELS_DRIFT_CHUNK];
    uint32_t keys[KERNELS_DRIFT_CHUNK];
    unsigned char marks[KERNELS_DRIFT_CHUNK];
    DriftTally tally;
    uint64_t *counts; /* [DRIFT_KEY_STEPS], where a tensor's keys are counted in full */
} Worker;

typedef struct Scan {
    const Pair *pair;
    DriftTable *table;
    Job *job;
    const Kernels *kernels;
    Worker *workers; /* one for each thread */
    unsigned worker_count;

    Subject *subjects; /* the batch */
    size_t subject_count, subject_capacity;
    Tile *tiles;
    size_t tile_count, tile_capacity;
    uint16_t *samples; /* upper bits of keys */
    size_t sample_count, sample_capacity;

    uint32_t *histogram; /* [DRIFT_KEY_STEPS] */

    uint64_t total_bytes;
    atomic_uint_fast64_t half_bytes; /* each tile counts half when measured, half when selected */
    atomic_bool out_of_memory;

    /* counting in full */
    Subject *counted;
    uint32_t count_low;
    unsigned count_shift;
    size_t count_steps;
} Scan;

static inline double drift_difference_at(const Worker *worker, size_t i) {
    return (double)worker->sft[i] - (double)worker->base[i];
}

/* Adds a tile's bytes to the progress, which worker 0 reports. */
void drift_count_bytes(Scan *scan, const Subject *subject, const Tile *tile, unsigned worker);

/* A JobTask over the batch's tiles: sums above, and tallies inside, the tile's window. */
void drift_select_tile(void *argument, size_t task, unsigned worker_index);

/* The k largest of a tensor, from its tiles' findings; false when out of memory. */
bool drift_sum_selection(const Scan *scan, const Subject *subject, uint64_t k, bool *found, double *squares);
void drift_forget_selection(Scan *scan, const Subject *subject);

/* For a tensor whose window was guessed wrong: counts its keys in full and selects anew. */
Status drift_select_again(Scan *scan, Subject *subject, uint64_t k, double *squares,
                          Error *error) STATUS_MUST_CHECK;

#endif
