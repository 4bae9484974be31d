#include "core/drift_scan.h"
#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = KERNELS_DRIFT_CHUNK };

/* ---- selecting ---- */

/* Puts one element above or into the window. */
static bool sort_element(Worker *worker, size_t i, DriftWindow window, DriftTop *top) {
    double value = fabs(drift_difference_at(worker, i));
    if (worker->keys[i] < window.high) return drift_tally_add(&worker->tally, value, 1);
    top->above++;
    top->above_squares += value * value;
    return true;
}

/* Sorts the marked elements of a chunk: few, so eight marks are passed over at once. */
static bool sort_marked(Worker *worker, size_t count, DriftWindow window, DriftTop *top) {
    memset(worker->marks + count, 0, -count % 8);
    for (size_t word = 0; word < count; word += 8) {
        uint64_t eight;
        memcpy(&eight, worker->marks + word, sizeof eight);
        for (; eight != 0; eight &= eight - 1) {
            size_t i = word + (size_t)__builtin_ctzll(eight) / 8; /* little-endian, as the files are */
            if (!sort_element(worker, i, window, top)) return false;
        }
    }
    return true;
}

static void select_in_tile(Scan *scan, Worker *worker, const Subject *subject, Tile *tile) {
    tile->top = (DriftTop){0};
    drift_tally_clear(&worker->tally);
    for (size_t at = 0; at < tile->count; at += CHUNK) {
        size_t count = tile->count - at < CHUNK ? tile->count - at : CHUNK;
        drift_widen(&subject->elements, tile->first + at, count, worker->sft, worker->base);
        scan->kernels->drift_keys(worker->sft, worker->base, count, worker->keys);
        scan->kernels->drift_mark(worker->keys, count, subject->window.low, worker->marks);
        if (!sort_marked(worker, count, subject->window, &tile->top)) {
            atomic_store(&scan->out_of_memory, true);
            return;
        }
        tile->top.is_full = worker->tally.count > subject->window.limit;
        if (tile->top.is_full) return;
    }
    if (!drift_top_take(&tile->top, &worker->tally)) atomic_store(&scan->out_of_memory, true);
}

void drift_select_tile(void *argument, size_t task, unsigned worker_index) {
    Scan *scan = argument;
    Tile *tile = &scan->tiles[task];
    const Subject *subject = &scan->subjects[tile->subject];
    if (subject->wants_top) select_in_tile(scan, &scan->workers[worker_index], subject, tile);
    drift_count_bytes(scan, subject, tile, worker_index);
}

bool drift_sum_selection(const Scan *scan, const Subject *subject, uint64_t k, bool *found, double *squares) {
    DriftTopSum sum = {0};
    bool has_memory = !atomic_load(&scan->out_of_memory);
    for (size_t t = 0; t < subject->tiles && has_memory; t++)
        has_memory = drift_top_add(&sum, &scan->tiles[subject->first_tile + t].top);
    return drift_top_finish(&sum, k, found, squares) && has_memory;
}

void drift_forget_selection(Scan *scan, const Subject *subject) {
    for (size_t t = 0; t < subject->tiles; t++) {
        Tile *tile = &scan->tiles[subject->first_tile + t];
        free(tile->top.values);
        tile->top = (DriftTop){0};
    }
}

/* ---- a second try, for tensors whose window was guessed wrong ---- */

static void count_tile(void *argument, size_t task, unsigned worker_index) {
    Scan *scan = argument;
    Worker *worker = &scan->workers[worker_index];
    const Subject *subject = scan->counted;
    const Tile *tile = &scan->tiles[subject->first_tile + task];
    for (size_t at = 0; at < tile->count; at += CHUNK) {
        size_t count = tile->count - at < CHUNK ? tile->count - at : CHUNK;
        drift_widen(&subject->elements, tile->first + at, count, worker->sft, worker->base);
        scan->kernels->drift_keys(worker->sft, worker->base, count, worker->keys);
        for (size_t i = 0; i < count; i++) {
            size_t step = (worker->keys[i] - scan->count_low) >> scan->count_shift;
            if (worker->keys[i] >= scan->count_low && step < scan->count_steps) worker->counts[step]++;
        }
    }
}

static void reselect_tile(void *argument, size_t task, unsigned worker_index) {
    Scan *scan = argument;
    const Subject *subject = scan->counted;
    select_in_tile(scan, &scan->workers[worker_index], subject, &scan->tiles[subject->first_tile + task]);
}

/* Counts the keys in [low, low + (steps << shift)), exactly, and narrows the window to one step. `above` are
 * the elements beyond. */
static Status narrow_window(Scan *scan, Subject *subject, uint32_t low, unsigned shift, size_t steps,
                            uint64_t *above, uint64_t k, Error *error) {
    scan->counted = subject;
    scan->count_low = low;
    scan->count_shift = shift;
    scan->count_steps = steps;
    for (unsigned w = 0; w < scan->worker_count; w++) {
        uint64_t *counts = scan->workers[w].counts;
        if (counts == NULL) counts = memory_allocate(DRIFT_KEY_STEPS, sizeof *counts);
        if (counts == NULL) return memory_fail(error, "counts of changes");
        memset(counts, 0, DRIFT_KEY_STEPS * sizeof *counts);
        scan->workers[w].counts = counts;
    }
    Status status = job_run(scan->job, subject->tiles, count_tile, scan, error);
    if (status != STATUS_OK) return status;
    uint64_t *all = scan->workers[0].counts;
    for (unsigned w = 1; w < scan->worker_count; w++) {
        for (size_t i = 0; i < steps; i++) all[i] += scan->workers[w].counts[i];
    }
    subject->window = drift_window_find(all, steps, low, shift, *above, k, subject->tiles);
    for (size_t i = (subject->window.high - low) >> shift; i < steps; i++) *above += all[i];
    return STATUS_OK;
}

Status drift_select_again(Scan *scan, Subject *subject, uint64_t k, double *squares, Error *error) {
    bool found = false;
    uint64_t above = 0;
    uint32_t low = 0;
    unsigned shift = DRIFT_KEY_SHIFT;
    size_t steps = DRIFT_KEY_STEPS;
    for (int round = 0; round < 2 && !found; round++) {
        Status status = narrow_window(scan, subject, low, shift, steps, &above, k, error);
        drift_forget_selection(scan, subject);
        if (status == STATUS_OK) status = job_run(scan->job, subject->tiles, reselect_tile, scan, error);
        if (status != STATUS_OK) return status;
        if (!drift_sum_selection(scan, subject, k, &found, squares))
            return memory_fail(error, "the largest changes");
        low = subject->window.high - (1U << DRIFT_KEY_SHIFT);
        steps = (size_t)1 << DRIFT_KEY_SHIFT;
        shift = 0;
    }
    return STATUS_OK;
}
