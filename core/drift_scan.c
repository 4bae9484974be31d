/*
 * The scan takes tensors in batches of about BATCH_TILES tiles, whose bytes mostly stay in the cache between
 * the two readings:
 *
 *     batch ──► measure every tile ──► combine, choose windows ──► select in every tile ──► combine, publish
 *               (parallel)             (a few microseconds)        (parallel)
 */
#include "core/drift_table.h"
#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    CHUNK = KERNELS_DRIFT_CHUNK,
    BATCH_TILES = 64,
    SAMPLES_LEAST = 65536, /* keys sampled of one tensor, and at least every */
    SAMPLE_EVERY = 1024,   /* so manieth element, to guess where its largest 1 % begins */
    REPORT_TILES = 8
};

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
    float sft[CHUNK], base[CHUNK];
    uint32_t keys[CHUNK];
    unsigned char marks[CHUNK];
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

/* ---- elements ---- */

void drift_widen(const DriftElements *elements, uint64_t first, size_t count, float *sft, float *base) {
    const Kernels *kernels = kernels_get();
    const Tensor *b = elements->base, *s = elements->sft;
    kernels->widen(b->dtype, b->data + first * dtype_size(b->dtype), count, base);
    if (elements->is_same_memory)
        memcpy(sft, base, count * sizeof *sft);
    else
        kernels->widen(s->dtype, s->data + first * dtype_size(s->dtype), count, sft);
}

/* Whether both tensors are the same bytes of one file, perhaps mapped twice. */
static bool is_same_memory(const Pair *pair, const Tensor *base, const Tensor *sft) {
    const SafetensorsFile *b = pair->base->files[base->file], *s = pair->sft->files[sft->file];
    struct stat base_facts, sft_facts;
    if (base->dtype != sft->dtype || base->data - b->map != sft->data - s->map) return false;
    if (stat(b->path, &base_facts) != 0 || stat(s->path, &sft_facts) != 0) return false;
    return base_facts.st_dev == sft_facts.st_dev && base_facts.st_ino == sft_facts.st_ino;
}

/* ---- measuring ---- */

static DriftRow row_of_chunk(const KernelDrift *sums, size_t count, const Subject *subject, uint64_t first) {
    uint64_t at = first + sums->max_at;
    return (DriftRow){.is_compared = true,
                      .count = count,
                      .changed = sums->changed,
                      .sign_flips = sums->sign_flips,
                      .base_nonfinite = sums->base_nonfinite,
                      .sft_nonfinite = sums->sft_nonfinite,
                      .difference_squares = sums->difference_squares,
                      .base_squares = sums->base_squares,
                      .sft_squares = sums->sft_squares,
                      .products = sums->products,
                      .mean = sums->mean,
                      .moment2 = sums->moment2,
                      .moment3 = sums->moment3,
                      .moment4 = sums->moment4,
                      .max_abs = sums->max_abs,
                      .max_row = at / subject->columns,
                      .max_column = at % subject->columns};
}

/* Keeps the keys of every stride-th element, beginning at a place that changes from chunk to chunk so that
 * no column is favoured. */
static uint16_t *take_samples(const Scan *scan, Worker *worker, size_t stride, uint64_t first, size_t count,
                              uint16_t *samples) {
    uint32_t chunk = (uint32_t)(first / CHUNK);
    size_t from = stride > 1 ? (chunk * 0x9e3779b1U >> 16) % stride : 0;
    if (stride == 1) {
        scan->kernels->drift_keys(worker->sft, worker->base, count, worker->keys);
        for (size_t i = 0; i < count; i++) *samples++ = (uint16_t)(worker->keys[i] >> DRIFT_KEY_SHIFT);
        return samples;
    }
    for (size_t i = from; i < count; i += stride) {
        uint32_t key;
        scan->kernels->drift_keys(worker->sft + i, worker->base + i, 1, &key);
        *samples++ = (uint16_t)(key >> DRIFT_KEY_SHIFT);
    }
    return samples;
}

/* Elements of a tile are the same bytes on both sides: then S need not be widened. */
static bool has_equal_bytes(const DriftElements *elements, const Tile *tile) {
    const Tensor *b = elements->base, *s = elements->sft;
    size_t size = dtype_size(b->dtype);
    if (elements->is_same_memory) return true;
    return b->dtype == s->dtype &&
           memcmp(b->data + tile->first * size, s->data + tile->first * size, tile->count * size) == 0;
}

static void count_bytes(Scan *scan, const Subject *subject, const Tile *tile, unsigned worker) {
    uint64_t bytes =
        tile->count * (dtype_size(subject->elements.base->dtype) + dtype_size(subject->elements.sft->dtype));
    uint64_t halves = atomic_fetch_add_explicit(&scan->half_bytes, bytes, memory_order_relaxed) + bytes;
    /* progress is the calling thread's, which is worker 0; the answer is job_run()'s to act upon */
    if (worker == 0 && tile->first / DRIFT_TILE % REPORT_TILES == 0)
        (void)job_report(scan->job, "drift", halves / 2, scan->total_bytes);
}

static void measure_tile(void *argument, size_t task, unsigned worker_index) {
    Scan *scan = argument;
    Worker *worker = &scan->workers[worker_index];
    Tile *tile = &scan->tiles[task];
    const Subject *subject = &scan->subjects[tile->subject];
    DriftElements elements = subject->elements;
    elements.is_same_memory = has_equal_bytes(&elements, tile);
    /* a tile's first chunk begins a multiple of the tile, so of the stride, after the tensor's first */
    uint16_t *first_sample = scan->samples + subject->first_sample + tile->first / subject->stride;
    uint16_t *samples = first_sample;
    for (size_t at = 0; at < tile->count; at += CHUNK) {
        size_t count = tile->count - at < CHUNK ? tile->count - at : CHUNK;
        KernelDrift sums;
        drift_widen(&elements, tile->first + at, count, worker->sft, worker->base);
        scan->kernels->drift(worker->sft, worker->base, count, &sums);
        DriftRow row = row_of_chunk(&sums, count, subject, tile->first + at);
        drift_add_row(&tile->row, &row);
        samples = take_samples(scan, worker, subject->stride, tile->first + at, count, samples);
    }
    tile->sampled = (size_t)(samples - first_sample);
    count_bytes(scan, subject, tile, worker_index);
}

/* ---- selecting ---- */

/* Puts the marked elements of a chunk above or into the window. */
static bool sort_marked(Worker *worker, size_t count, DriftWindow window, DriftTop *top) {
    for (size_t word = 0; word < count; word += 8) {
        uint64_t eight;
        memcpy(&eight, worker->marks + word, sizeof eight);
        if (eight == 0) continue;
        for (size_t i = word; i < word + 8 && i < count; i++) {
            if (worker->marks[i] == 0) continue;
            double value = fabs((double)worker->sft[i] - (double)worker->base[i]);
            if (worker->keys[i] >= window.high) {
                top->above++;
                top->above_squares += value * value;
            } else if (!drift_tally_add(&worker->tally, value, 1)) {
                return false;
            }
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

static void select_tile(void *argument, size_t task, unsigned worker_index) {
    Scan *scan = argument;
    Tile *tile = &scan->tiles[task];
    const Subject *subject = &scan->subjects[tile->subject];
    if (subject->wants_top) select_in_tile(scan, &scan->workers[worker_index], subject, tile);
    count_bytes(scan, subject, tile, worker_index);
}

static bool sum_selection(const Scan *scan, const Subject *subject, uint64_t k, bool *found,
                          double *squares) {
    DriftTopSum sum = {0};
    bool has_memory = !atomic_load(&scan->out_of_memory);
    for (size_t t = 0; t < subject->tiles && has_memory; t++)
        has_memory = drift_top_add(&sum, &scan->tiles[subject->first_tile + t].top);
    return drift_top_finish(&sum, k, found, squares) && has_memory;
}

static void forget_selection(Scan *scan, const Subject *subject) {
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

static Status try_again(Scan *scan, Subject *subject, uint64_t k, double *squares, Error *error) {
    bool found = false;
    uint64_t above = 0;
    uint32_t low = 0;
    unsigned shift = DRIFT_KEY_SHIFT;
    size_t steps = DRIFT_KEY_STEPS;
    for (int round = 0; round < 2 && !found; round++) {
        Status status = narrow_window(scan, subject, low, shift, steps, &above, k, error);
        forget_selection(scan, subject);
        if (status == STATUS_OK) status = job_run(scan->job, subject->tiles, reselect_tile, scan, error);
        if (status != STATUS_OK) return status;
        if (!sum_selection(scan, subject, k, &found, squares))
            return memory_fail(error, "the largest changes");
        low = subject->window.high - (1U << DRIFT_KEY_SHIFT);
        steps = (size_t)1 << DRIFT_KEY_SHIFT;
        shift = 0;
    }
    return STATUS_OK;
}

/* ---- a batch ---- */

static size_t samples_of(const Subject *subject) {
    return (size_t)(subject->elements.count / subject->stride) + subject->tiles;
}

static Status add_subject(Scan *scan, size_t index, const Tensor *base, const Tensor *sft, Error *error) {
    void *block = scan->subjects;
    Status status = memory_reserve(&block, &scan->subject_capacity, scan->subject_count + 1,
                                   sizeof *scan->subjects, error);
    if (status != STATUS_OK) return status;
    scan->subjects = block;
    Subject *subject = &scan->subjects[scan->subject_count];
    *subject =
        (Subject){.index = index, .columns = sft->columns, .first_tile = scan->tile_count, .stride = 1};
    drift_start_row(&scan->pair->tensors[index], &subject->row);
    uint64_t count = subject->row.count;
    subject->elements = (DriftElements){base, sft, count, is_same_memory(scan->pair, base, sft)};
    subject->tiles = (size_t)(count / DRIFT_TILE + (count % DRIFT_TILE != 0));
    while (subject->stride < SAMPLE_EVERY && count / (2 * subject->stride) >= SAMPLES_LEAST)
        subject->stride *= 2;
    subject->first_sample = scan->sample_count;
    scan->sample_count += samples_of(subject);

    block = scan->tiles;
    status = memory_reserve(&block, &scan->tile_capacity, scan->tile_count + subject->tiles,
                            sizeof *scan->tiles, error);
    if (status != STATUS_OK) return status;
    scan->tiles = block;
    for (size_t t = 0; t < subject->tiles; t++) {
        uint64_t first = (uint64_t)t * DRIFT_TILE;
        size_t size = count - first < DRIFT_TILE ? (size_t)(count - first) : DRIFT_TILE;
        scan->tiles[scan->tile_count++] =
            (Tile){.subject = scan->subject_count, .first = first, .count = size};
    }
    scan->subject_count++;
    return STATUS_OK;
}

/* Combines what was measured, and chooses where to look for the largest elements. */
static void combine_measured(Scan *scan, Subject *subject) {
    uint32_t *counts = scan->histogram;
    uint64_t sampled = 0;
    DriftRow sum = {0};
    memset(counts, 0, DRIFT_KEY_STEPS * sizeof *counts);
    for (size_t t = 0; t < subject->tiles; t++) {
        const Tile *tile = &scan->tiles[subject->first_tile + t];
        const uint16_t *samples = scan->samples + subject->first_sample + tile->first / subject->stride;
        drift_add_row(&sum, &tile->row);
        for (size_t i = 0; i < tile->sampled; i++) counts[samples[i]]++;
        sampled += tile->sampled;
    }
    DriftRow *row = &subject->row;
    sum.tensor = row->tensor;
    sum.is_compared = true;
    sum.tensors = row->tensors;
    sum.sft_only_rows = row->sft_only_rows;
    sum.base_only_rows = row->base_only_rows;
    *row = sum;
    row->is_equal = row->changed == 0 && row->sft_only_rows == 0 && row->base_only_rows == 0;
    row->equal_tensors = row->is_equal ? 1 : 0;
    /* where no more than k elements changed, those are the largest k */
    row->top_squares = row->difference_squares;
    subject->wants_top = isfinite(row->difference_squares) && row->changed > drift_top_size(row->count);
    if (subject->wants_top) subject->window = drift_window_guess(counts, sampled, row->count, subject->tiles);
}

static Status finish_subject(Scan *scan, Subject *subject, Error *error) {
    if (subject->wants_top) {
        uint64_t k = drift_top_size(subject->row.count);
        bool found;
        if (!sum_selection(scan, subject, k, &found, &subject->row.top_squares))
            return memory_fail(error, "the largest changes");
        Status status = found ? STATUS_OK : try_again(scan, subject, k, &subject->row.top_squares, error);
        if (status != STATUS_OK) return status;
    }
    drift_table_publish(scan->table, subject->index, &subject->row);
    return STATUS_OK;
}

static Status scan_tiles(Scan *scan, Error *error) {
    void *block = scan->samples;
    Status status =
        memory_reserve(&block, &scan->sample_capacity, scan->sample_count, sizeof *scan->samples, error);
    if (status != STATUS_OK) return status;
    scan->samples = block;
    status = job_run(scan->job, scan->tile_count, measure_tile, scan, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < scan->subject_count; i++) combine_measured(scan, &scan->subjects[i]);
    status = job_run(scan->job, scan->tile_count, select_tile, scan, error);
    for (size_t i = 0; i < scan->subject_count && status == STATUS_OK; i++)
        status = finish_subject(scan, &scan->subjects[i], error);
    return status;
}

static Status scan_batch(Scan *scan, Error *error) {
    Status status = scan_tiles(scan, error);
    for (size_t i = 0; i < scan->subject_count; i++) forget_selection(scan, &scan->subjects[i]);
    scan->subject_count = scan->tile_count = scan->sample_count = 0;
    return status;
}

/* ---- all ---- */

/* Adds the tensor to the batch, after finishing a batch that has no room for it. */
static Status scan_tensor(Scan *scan, size_t index, Error *error) {
    const PairTensor *tensor = &scan->pair->tensors[index];
    DriftRow row;
    if (drift_table_row(scan->table, index, &row)) return STATUS_OK;
    drift_start_row(tensor, &row);
    if (!row.is_compared) {
        drift_table_publish(scan->table, index, &row);
        return STATUS_OK;
    }
    if (scan->tile_count > 0 && scan->tile_count + row.count / DRIFT_TILE >= BATCH_TILES) {
        Status status = scan_batch(scan, error);
        if (status != STATUS_OK) return status;
    }
    return add_subject(scan, index, tensor->base, tensor->sft, error);
}

static Status scan_all(Scan *scan, Error *error) {
    Status status = STATUS_OK;
    for (int in_layers = 1; in_layers >= 0; in_layers--) {
        for (size_t i = 0; i < scan->pair->count && status == STATUS_OK; i++) {
            if ((scan->pair->tensors[i].layer >= 0) == in_layers) status = scan_tensor(scan, i, error);
        }
    }
    if (status == STATUS_OK) status = scan_batch(scan, error);
    if (status == STATUS_OK) (void)job_report(scan->job, "drift", scan->total_bytes, scan->total_bytes);
    return status;
}

static uint64_t count_total(const Scan *scan) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < scan->pair->count; i++) {
        const PairTensor *tensor = &scan->pair->tensors[i];
        DriftRow row;
        if (drift_table_row(scan->table, i, &row)) continue;
        drift_start_row(tensor, &row);
        if (row.is_compared)
            bytes += row.count * (dtype_size(tensor->base->dtype) + dtype_size(tensor->sft->dtype));
    }
    return bytes;
}

Status drift_scan(const Pair *pair, DriftTable *table, Job *job, Error *error) {
    Scan scan = {.pair = pair, .table = table, .job = job, .kernels = kernels_get()};
    scan.worker_count = job_threads(job);
    scan.total_bytes = count_total(&scan);
    scan.workers = memory_allocate(scan.worker_count, sizeof *scan.workers);
    scan.histogram = memory_allocate(DRIFT_KEY_STEPS, sizeof *scan.histogram);
    Status status = scan.workers != NULL && scan.histogram != NULL ? scan_all(&scan, error)
                                                                   : memory_fail(error, "the drift scan");
    for (unsigned w = 0; w < scan.worker_count && scan.workers != NULL; w++) {
        free(scan.workers[w].tally.slots);
        free(scan.workers[w].counts);
    }
    free(scan.workers);
    free(scan.histogram);
    free(scan.subjects);
    free(scan.tiles);
    free(scan.samples);
    return status;
}
