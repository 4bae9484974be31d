#include "core/drift/drift_internal.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = KERNELS_DRIFT_CHUNK, KEY_INFINITY = 0x7f800000 };

/* ---- selecting ---- */

/* Where more values were held than the window's limit, the tensor is read again: nothing more is kept of it.
 * Which tiles that happens to depends on the threads; that it happens does not. */
static bool is_over_limit(const Subject *subject) {
    return atomic_load_explicit(&subject->held, memory_order_relaxed) > subject->window.limit;
}

static void begin_selection(Worker *worker, Tile *tile, const Subject *subject) {
    tile->top = (DriftTop){.is_full = is_over_limit(subject)};
    drift_tally_clear(&worker->tally);
    worker->parted = (KernelParted){0};
}

/* The least |Δ| whose key is `key` or more; NaN, which no size reaches, for a key beyond all numbers. */
static double least_of_key(uint32_t key) {
    float at, below;
    uint32_t before = key - 1;
    if (key == 0) return 0.0;
    if (key > KEY_INFINITY) return NAN;
    memcpy(&at, &key, sizeof at);
    memcpy(&below, &before, sizeof below);
    double upper = isinf(at) ? 0x1p128 : (double)at, least = 0.5 * (upper + (double)below);
    return (float)least >= at ? least : nextafter(least, INFINITY); /* halves go to the even one */
}

static void select_in_chunk(Scan *scan, Worker *worker, Tile *tile, uint64_t first, size_t listed) {
    DriftWindow window = scan->subjects[tile->subject].window;
    if (tile->top.is_full) return;
    KernelBounds bounds = {least_of_key(window.high), window.tied};
    size_t inside = scan->kernels->drift_part(worker->sizes, listed, bounds, &worker->parted);
    if (listed > 0) drift_top_add_max(&tile->top, worker->parted.largest, first);
    for (size_t i = 0; i < inside; i++) {
        if (isnan(worker->sizes[i]))
            drift_top_add_max(&tile->top, worker->sizes[i], first);
        else if (!drift_tally_add(&worker->tally, worker->sizes[i], 1)) {
            atomic_store(&scan->out_of_memory, true);
            return;
        }
    }
}

static void end_selection(Scan *scan, Worker *worker, Tile *tile) {
    Subject *subject = &scan->subjects[tile->subject];
    if (tile->top.is_full) return;
    const KernelParted *parted = &worker->parted;
    bool has_memory =
        parted->tied == 0 || drift_tally_add(&worker->tally, subject->window.tied, parted->tied);
    tile->top.above = parted->above;
    tile->top.above_squares = kernels_fold(&parted->squares);
    (void)atomic_fetch_add_explicit(&subject->held, worker->tally.count, memory_order_relaxed);
    tile->top.is_full = is_over_limit(subject);
    if (tile->top.is_full) return;
    if (!has_memory || !drift_top_take(&tile->top, &worker->tally)) atomic_store(&scan->out_of_memory, true);
}

void drift_read_tile(Scan *scan, Worker *worker, Tile *tile, KernelDrift *sums) {
    const Subject *subject = &scan->subjects[tile->subject];
    begin_selection(worker, tile, subject);
    for (size_t at = 0; at < tile->count; at += CHUNK) {
        size_t count = tile->count - at < CHUNK ? tile->count - at : CHUNK;
        KernelRow row =
            drift_kernel_row(&subject->elements, tile->first + at, count, worker->sft, worker->base);
        size_t listed = scan->kernels->drift(&row, count, subject->window.low, sums, worker->sizes);
        select_in_chunk(scan, worker, tile, tile->first + at, listed);
    }
    end_selection(scan, worker, tile);
}

void drift_forget_selection(Scan *scan, Subject *subject) {
    for (size_t t = 0; t < subject->tiles; t++) {
        Tile *tile = &scan->tiles[subject->first_tile + t];
        free(tile->top.values);
        tile->top = (DriftTop){0};
    }
    atomic_store(&subject->held, 0);
}

/* ---- combining ---- */

/* The first element of the chunk at `first` whose |Δ| is `size`, which is there. */
static uint64_t find_size(Worker *worker, const DriftElements *elements, uint64_t first, double size) {
    size_t count = elements->count - first < CHUNK ? (size_t)(elements->count - first) : CHUNK, i = 0;
    drift_widen(elements, first, count, worker->sft, worker->base);
    for (; i + 1 < count; i++) {
        double found = fabs(drift_difference_at(worker, i));
        if (found == size || (isnan(found) && isnan(size))) break;
    }
    return first + i;
}

/* The maximum over the tiles; false where everything was left out, or a tile was full. */
static bool find_maximum(const Scan *scan, Subject *subject) {
    DriftTop all = {0};
    for (size_t t = 0; t < subject->tiles; t++) {
        const DriftTop *top = &scan->tiles[subject->first_tile + t].top;
        if (top->is_full) return false;
        if (top->has_max) drift_top_add_max(&all, top->max_abs, top->max_from);
    }
    if (!all.has_max) return false;
    uint64_t place = find_size(&scan->workers[0], &subject->elements, all.max_from, all.max_abs);
    subject->row.max_abs = all.max_abs;
    subject->row.max_row = place / subject->columns;
    subject->row.max_column = place % subject->columns;
    return true;
}

/* The sum over the k largest; *found is false where the window missed. Returns false when out of memory. */
static bool sum_largest(const Scan *scan, Subject *subject, uint64_t k, bool *found) {
    const Tile *tiles = scan->tiles + subject->first_tile;
    DriftCut *cut = scan->cut;
    drift_cut_begin(cut, subject->window, k);
    for (size_t t = 0; t < subject->tiles; t++) drift_cut_count(cut, &tiles[t].top);
    *found = drift_cut_place(cut);
    if (!*found) return true;
    for (size_t t = 0; t < subject->tiles; t++) {
        if (!drift_cut_take(cut, &tiles[t].top)) return false;
    }
    subject->row.top_squares = drift_cut_finish(cut);
    return true;
}

static Status sum_selection(const Scan *scan, Subject *subject, bool *found, Error *error) {
    DriftRow *row = &subject->row;
    uint64_t k = drift_top_size(row->count);
    if (atomic_load(&scan->out_of_memory)) return memory_fail(error, "the largest changes");
    *found = find_maximum(scan, subject);
    /* where no more than k elements changed, those are the largest k */
    row->top_squares = row->difference_squares;
    if (!*found || !isfinite(row->difference_squares) || row->changed <= k) return STATUS_OK;
    return sum_largest(scan, subject, k, found) ? STATUS_OK : memory_fail(error, "the largest changes");
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
    Worker *worker = &scan->workers[worker_index];
    KernelDrift sums = {0}; /* known already */
    drift_read_tile(scan, worker, &scan->tiles[scan->counted->first_tile + task], &sums);
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
        if (counts == NULL) counts = memory_allocate(DRIFT_COUNTS, sizeof *counts);
        if (counts == NULL) return memory_fail(error, "counts of changes");
        memset(counts, 0, DRIFT_COUNTS * sizeof *counts);
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

static Status select_again(Scan *scan, Subject *subject, Error *error) {
    bool found = false;
    uint64_t above = 0, k = drift_top_size(subject->row.count);
    uint32_t low = 0;
    unsigned shift = DRIFT_KEY_SHIFT;
    size_t steps = DRIFT_KEY_STEPS;
    if (k > subject->row.changed) k = subject->row.changed;
    for (int round = 0; round < 2 && !found; round++) {
        Status status = narrow_window(scan, subject, low, shift, steps, &above, k, error);
        drift_forget_selection(scan, subject);
        if (status == STATUS_OK) status = job_run(scan->job, subject->tiles, reselect_tile, scan, error);
        if (status == STATUS_OK) status = sum_selection(scan, subject, &found, error);
        if (status != STATUS_OK) return status;
        low = subject->window.high - (1U << DRIFT_KEY_SHIFT);
        steps = (size_t)1 << DRIFT_KEY_SHIFT;
        shift = 0;
    }
    return STATUS_OK;
}

Status drift_finish_selection(Scan *scan, Subject *subject, Error *error) {
    const DriftRow *row = &subject->row;
    bool found;
    Status status = sum_selection(scan, subject, &found, error);
    if (status != STATUS_OK || found) return status;
    if (row->changed + row->base_nonfinite + row->sft_nonfinite == 0) return STATUS_OK; /* Δ = 0 throughout */
    return select_again(scan, subject, error);
}
