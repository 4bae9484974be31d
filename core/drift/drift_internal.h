/*
 * drift_scan — the state of a scan, shared by its parts: drift_scan.c has the tensors and the sums,
 * drift_sample.c guesses where the largest elements begin, drift_select.c finds them. Only those include
 * this.
 *
 * The scan takes tensors in batches of about DRIFT_BATCH_TILES tiles and reads each once, but for a sample of
 * some hundredths:
 *
 *     batch ──► sample every tile ──► choose windows ──► measure every tile ──► combine, publish
 *               (parallel)            (microseconds)     (parallel)
 *
 * A tensor whose window was guessed wrong is read again, in full, before it is published.
 */
#ifndef REJUV_CORE_DRIFT_INTERNAL_H
#define REJUV_CORE_DRIFT_INTERNAL_H

#include "core/drift/drift_elements.h"
#include "core/drift/drift_table.h"
#include "core/drift/drift_top.h"

enum {
    DRIFT_ASKED_TILES = 64, /* that the disk is asked for together, ahead */
    DRIFT_COUNTS = 65536    /* the most steps that keys are counted in: all, and then those of one */
};
_Static_assert((int)DRIFT_KEY_STEPS <= (int)DRIFT_COUNTS && 1 << DRIFT_KEY_SHIFT <= (int)DRIFT_COUNTS,
               "room for either");

/* One tensor under scan. */
typedef struct Subject {
    size_t index; /* in the table */
    DriftElements elements;
    uint64_t columns;
    size_t first_tile, tiles; /* within the batch */
    size_t stride;            /* of sampling; 0: no sample */
    size_t first_sample;      /* within Scan.samples */
    DriftRow row;
    DriftWindow window;
    atomic_size_t held; /* values inside the window, of all tiles */
} Subject;

typedef struct Tile {
    size_t subject;
    uint64_t first;
    size_t count;
    size_t sampled;
    DriftRow row; /* without the maximum, which is in `top` */
    DriftTop top;
} Tile;

/* What one thread works with. */
typedef struct Worker {
    float sft[KERNELS_DRIFT_CHUNK], base[KERNELS_DRIFT_CHUNK];
    uint32_t keys[KERNELS_DRIFT_CHUNK];
    double sizes[KERNELS_DRIFT_SIZES]; /* |Δ| of a chunk, where it is in the window or above */
    KernelParted parted;               /* of a tile's */
    DriftTally tally;                  /* of the others */
    uint64_t *counts;                  /* [DRIFT_COUNTS], where a tensor's keys are counted in full */
} Worker;

typedef struct Scan {
    const Pair *pair;
    DriftTable *table;
    size_t first, end; /* tensors of the pair */
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

    uint32_t *histogram; /* [DRIFT_KEY_STEPS], of samples */
    DriftCut *cut;

    /* tensors that were asked for, in the order of the scan, which goes over all of them twice; elements of those, and of
     * those that were begun */
    size_t asked;
    uint64_t asked_elements, begun_elements;
    bool is_larger_than_memory; /* or as good as: what was read is given back */

    uint64_t total_bytes;
    atomic_uint_fast64_t bytes_done;
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

/* ---- drift_sample.c ---- */

/* Chooses how densely to sample, and makes room for the samples in scan->sample_count. */
void drift_plan_samples(Scan *scan, Subject *subject);

/* A JobTask over the batch's tiles. */
void drift_sample_tile(void *argument, size_t task, unsigned worker_index);

/* Chooses the subject's window from its samples. */
void drift_choose_window(Scan *scan, Subject *subject);

/* ---- drift_select.c ---- */

/* Reads a tile once: adds up its elements, and fills tile->top with what the subject's window selects. */
void drift_read_tile(Scan *scan, Worker *worker, Tile *tile, KernelDrift *sums);

/* From what the tiles found: row.top_squares, row.max_abs and its place. The row's sums must be there. Reads
 * the tensor again where the window was wrong. */
Status drift_finish_selection(Scan *scan, Subject *subject, Error *error) STATUS_MUST_CHECK;
void drift_forget_selection(Scan *scan, Subject *subject);

#endif
