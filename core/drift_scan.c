#include "core/drift_scan.h"

#include "core/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    CHUNK = KERNELS_DRIFT_CHUNK,
    CACHE_LINE = 64,
    BATCH_TILES = 64,
    SAMPLES_LEAST = 65536, /* keys sampled of one tensor, and at least every */
    SAMPLE_EVERY = 1024,   /* so manieth element, to guess where its largest 1 % begins */
    REPORT_TILES = 8
};

/* ---- elements ---- */

/* Asks for the bytes of the chunk after this one: the work on this one hides the way from memory, which the
 * processor's own prefetching, stopping at every page, does not. */
static void prefetch_next(const Tensor *tensor, uint64_t next, uint64_t count, uint64_t end) {
    size_t size = dtype_size(tensor->dtype);
    if (next + count > end) count = end - next;
    const unsigned char *bytes = tensor->data + next * size;
    for (size_t at = 0; at < count * size; at += CACHE_LINE) __builtin_prefetch(bytes + at);
}

void drift_widen(const DriftElements *elements, uint64_t first, size_t count, float *sft, float *base) {
    const Kernels *kernels = kernels_get();
    const Tensor *b = elements->base, *s = elements->sft;
    uint64_t next = first + count;
    prefetch_next(b, next, count, elements->count);
    if (!elements->is_same_memory) prefetch_next(s, next, count, elements->count);
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

/* Finds the first NaN of a chunk, or else its largest Δ, where that is news for the tile. */
static void locate_maximum(const Worker *worker, size_t count, bool has_nonfinite, const Subject *subject,
                           const Tile *tile, uint64_t first, DriftRow *row) {
    size_t at = count;
    if (has_nonfinite) {
        for (at = 0; at < count && !isnan(drift_difference_at(worker, at));) at++;
        if (at < count) row->max_abs = NAN;
    }
    if (at == count && row->max_abs > tile->row.max_abs)
        for (at = 0; fabs(drift_difference_at(worker, at)) != row->max_abs;) at++;
    if (at == count) return;
    row->max_row = (first + at) / subject->columns;
    row->max_column = (first + at) % subject->columns;
}

static DriftRow row_of_chunk(const KernelDrift *sums, size_t count) {
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
                      .max_abs = sums->max_abs};
}

/* Keeps the keys of every stride-th element, beginning at a place that changes from chunk to chunk so that
 * no column is favoured. */
static uint16_t *take_samples(const Worker *worker, size_t stride, uint64_t first, size_t count,
                              uint16_t *samples) {
    uint32_t chunk = (uint32_t)(first / CHUNK);
    size_t from = stride > 1 ? (chunk * 0x9e3779b1U >> 16) % stride : 0;
    for (size_t i = from; i < count; i += stride) {
        float size = fabsf(worker->sft[i] - worker->base[i]);
        uint32_t key;
        memcpy(&key, &size, sizeof key);
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

void drift_count_bytes(Scan *scan, const Subject *subject, const Tile *tile, unsigned worker) {
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
        DriftRow row = row_of_chunk(&sums, count);
        bool has_nonfinite = sums.base_nonfinite + sums.sft_nonfinite > 0;
        locate_maximum(worker, count, has_nonfinite, subject, tile, tile->first + at, &row);
        drift_add_row(&tile->row, &row);
        samples = take_samples(worker, subject->stride, tile->first + at, count, samples);
    }
    tile->sampled = (size_t)(samples - first_sample);
    drift_count_bytes(scan, subject, tile, worker_index);
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
        if (!drift_sum_selection(scan, subject, k, &found, &subject->row.top_squares))
            return memory_fail(error, "the largest changes");
        Status status =
            found ? STATUS_OK : drift_select_again(scan, subject, k, &subject->row.top_squares, error);
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
    status = job_run(scan->job, scan->tile_count, drift_select_tile, scan, error);
    for (size_t i = 0; i < scan->subject_count && status == STATUS_OK; i++)
        status = finish_subject(scan, &scan->subjects[i], error);
    return status;
}

static Status scan_batch(Scan *scan, Error *error) {
    Status status = scan_tiles(scan, error);
    for (size_t i = 0; i < scan->subject_count; i++) drift_forget_selection(scan, &scan->subjects[i]);
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
