#include "core/checkpoint/tensor_pages.h"
#include "core/drift/drift_internal.h"
#include "core/support/memory.h"
#include "core/support/memory_limit.h"

#include <math.h>
#include <stdlib.h>

enum { CHUNK = KERNELS_DRIFT_CHUNK, REPORT_TILES = 8, AHEAD = DRIFT_BATCH_TILES * DRIFT_TILE };

/* ---- measuring ---- */

/* Central moments from the sums of powers about zero: little is lost in the differences where the mean is
 * small beside the deviation. */
static void take_moments(const KernelDrift *sums, DriftRow *row) {
    double n = (double)row->count, mean = kernels_fold(&sums->differences) / n, mean2 = mean * mean;
    double squares = row->difference_squares, cubes = kernels_fold(&sums->cubes);
    row->mean = mean;
    row->moment2 = squares - n * mean2;
    row->moment3 = cubes - 3.0 * mean * squares + 2.0 * n * mean2 * mean;
    row->moment4 =
        kernels_fold(&sums->fourths) - 4.0 * mean * cubes + 6.0 * mean2 * squares - 3.0 * n * mean2 * mean2;
}

static DriftRow row_of_sums(const KernelDrift *sums, size_t count) {
    double base_squares = kernels_fold(&sums->base_squares), squares = kernels_fold(&sums->squares);
    double products = kernels_fold(&sums->products);
    DriftRow row = {.is_compared = true,
                    .count = count,
                    .changed = sums->changed,
                    .sign_flips = sums->sign_flips,
                    .difference_squares = squares,
                    .base_squares = base_squares,
                    .sft_squares = base_squares + (2.0 * products + squares),
                    .products = base_squares + products};
    take_moments(sums, &row);
    return row;
}

/* Whether the mean is more than a sixteenth of the deviation: where many elements moved the same way. */
static bool is_far_from_zero(const DriftRow *row) {
    return 256.0 * (double)row->count * row->mean * row->mean > row->moment2;
}

/* Whether ‖S‖ is less than half of ‖B‖, of which then more is lost in Σb² + 2ΣbΔ + ΣΔ². */
static bool is_shrunk(const DriftRow *row) {
    return 4.0 * row->sft_squares < row->base_squares;
}

/* What few tiles need and sums do not give well: SFT's own sums and moments by their definition, and elements that are
 * not finite. */
static void measure_closely(Worker *worker, const Subject *subject, Tile *tile) {
    DriftRow *row = &tile->row;
    KernelSum sft_squares = {0}, products = {0}, squares = {0}, cubes = {0}, fourths = {0};
    for (size_t at = 0; at < tile->count; at += CHUNK) {
        size_t count = tile->count - at < CHUNK ? tile->count - at : CHUNK;
        drift_widen(&subject->elements, tile->first + at, count, worker->sft, worker->base);
        for (size_t i = 0; i < count; i++) {
            double e = drift_difference_at(worker, i) - row->mean, e2 = e * e;
            size_t lane = i % KERNELS_DRIFT_LANES;
            row->base_nonfinite += isfinite(worker->base[i]) ? 0 : 1;
            row->sft_nonfinite += isfinite(worker->sft[i]) ? 0 : 1;
            sft_squares.lanes[lane] += (double)worker->sft[i] * (double)worker->sft[i];
            products.lanes[lane] += (double)worker->sft[i] * (double)worker->base[i];
            squares.lanes[lane] += e2;
            cubes.lanes[lane] += e2 * e;
            fourths.lanes[lane] += e2 * e2;
        }
    }
    row->sft_squares = kernels_fold(&sft_squares);
    row->products = kernels_fold(&products);
    row->moment2 = kernels_fold(&squares);
    row->moment3 = kernels_fold(&cubes);
    row->moment4 = kernels_fold(&fourths);
}

/* Adds a tile's bytes to the progress, which worker 0 reports. */
static void count_bytes(Scan *scan, const Subject *subject, const Tile *tile, unsigned worker) {
    const DriftElements *elements = &subject->elements;
    uint64_t bytes = tile->count * (dtype_size(elements->base->dtype) + dtype_size(elements->sft->dtype));
    uint64_t done = atomic_fetch_add_explicit(&scan->bytes_done, bytes, memory_order_relaxed) + bytes;
    /* progress is the calling thread's, which is worker 0; the answer is job_run()'s to act upon */
    if (worker == 0 && tile->first / DRIFT_TILE % REPORT_TILES == 0)
        (void)job_report(scan->job, "drift", done, scan->total_bytes);
}

static void measure_tile(void *argument, size_t task, unsigned worker_index) {
    Scan *scan = argument;
    Worker *worker = &scan->workers[worker_index];
    Tile *tile = &scan->tiles[task];
    const Subject *subject = &scan->subjects[tile->subject];
    KernelDrift sums = {0};
    drift_read_tile(scan, worker, tile, &sums);
    tile->row = row_of_sums(&sums, tile->count);
    if (is_far_from_zero(&tile->row) || is_shrunk(&tile->row) || !kernels_is_finite(&sums))
        measure_closely(worker, subject, tile);
    count_bytes(scan, subject, tile, worker_index);
}

/* ---- a batch ---- */

static bool is_same_stretch(const Pair *pair, const Tensor *base, const Tensor *sft) {
    const SafetensorsFile *b = pair->base->files[base->file], *s = pair->sft->files[sft->file];
    if (base->parts != NULL || sft->parts != NULL || base->change != NULL || sft->change != NULL)
        return false;
    if (base->data != NULL && base->data == sft->data) return base->dtype == sft->dtype; /* mapped once */
    uint64_t b_offset, s_offset;
    return base->dtype == sft->dtype && safetensors_find_offset(b, base->data, &b_offset) &&
           safetensors_find_offset(s, sft->data, &s_offset) && b_offset == s_offset &&
           b->stamp.device == s->stamp.device && b->stamp.inode == s->stamp.inode;
}

/* Whether both tensors are the same bytes of one file, perhaps mapped twice, and their scales too. What lies at its path
 * by now does not matter. */
static bool is_same_memory(const Pair *pair, const Tensor *base, const Tensor *sft) {
    const TensorScale *b = base->scale, *s = sft->scale;
    if (!is_same_stretch(pair, base, sft) || (b == NULL) != (s == NULL)) return false;
    return b == NULL || (b->block_rows == s->block_rows && b->block_columns == s->block_columns &&
                         b->product == s->product && is_same_stretch(pair, b->tensor, s->tensor));
}

static Status add_subject(Scan *scan, size_t index, const Tensor *base, const Tensor *sft, Error *error) {
    Status status = MEMORY_RESERVE(scan->subjects, &scan->subject_capacity, scan->subject_count + 1, error);
    if (status != STATUS_OK) return status;
    Subject *subject = &scan->subjects[scan->subject_count];
    *subject = (Subject){.index = index, .columns = sft->columns, .first_tile = scan->tile_count};
    drift_start_row(&scan->pair->tensors[index], &subject->row);
    uint64_t count = subject->row.count;
    subject->elements = (DriftElements){base, is_same_memory(scan->pair, base, sft) ? base : sft, count};
    subject->tiles = (size_t)(count / DRIFT_TILE + (count % DRIFT_TILE != 0));
    scan->begun_elements += count;
    drift_plan_samples(scan, subject);

    status = MEMORY_RESERVE(scan->tiles, &scan->tile_capacity, scan->tile_count + subject->tiles, error);
    if (status != STATUS_OK) return status;
    for (size_t t = 0; t < subject->tiles; t++) {
        uint64_t first = (uint64_t)t * DRIFT_TILE;
        size_t size = count - first < DRIFT_TILE ? (size_t)(count - first) : DRIFT_TILE;
        scan->tiles[scan->tile_count++] =
            (Tile){.subject = scan->subject_count, .first = first, .count = size};
    }
    scan->subject_count++;
    return STATUS_OK;
}

/* Adds what was measured, and settles what was selected. */
static Status finish_subject(Scan *scan, Subject *subject, Error *error) {
    DriftRow sum = {0}, *row = &subject->row;
    for (size_t t = 0; t < subject->tiles; t++)
        drift_add_row(&sum, &scan->tiles[subject->first_tile + t].row);
    sum.tensor = row->tensor;
    sum.is_compared = true;
    sum.tensors = row->tensors;
    sum.sft_only_rows = row->sft_only_rows;
    sum.base_only_rows = row->base_only_rows;
    *row = sum;
    row->is_equal = row->changed == 0 && row->sft_only_rows == 0 && row->base_only_rows == 0;
    row->equal_tensors = row->is_equal ? 1 : 0;
    Status status = drift_finish_selection(scan, subject, error);
    if (status == STATUS_OK) drift_table_publish(scan->table, subject->index, row);
    return status;
}

static Status scan_tiles(Scan *scan, Error *error) {
    Status status = MEMORY_RESERVE(scan->samples, &scan->sample_capacity, scan->sample_count, error);
    if (status != STATUS_OK) return status;
    status = job_run(scan->job, scan->tile_count, drift_sample_tile, scan, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < scan->subject_count; i++) drift_choose_window(scan, &scan->subjects[i]);
    status = job_run(scan->job, scan->tile_count, measure_tile, scan, error);
    for (size_t i = 0; i < scan->subject_count && status == STATUS_OK; i++)
        status = finish_subject(scan, &scan->subjects[i], error);
    return status;
}

/* Asks for what the scan comes to next, so that the disk reads while this batch is measured; of a large tensor its
 * beginning, for drift_sample_tile() asks for the rest. */
static void expect_tensors(Scan *scan) {
    size_t count = scan->end - scan->first;
    for (; scan->asked < 2 * count && scan->asked_elements < scan->begun_elements + AHEAD; scan->asked++) {
        const PairTensor *tensor = &scan->pair->tensors[scan->first + scan->asked % count];
        DriftRow row;
        drift_start_row(tensor, &row);
        if ((tensor->layer >= 0) != (scan->asked < count) || !row.is_compared) continue;
        uint64_t most = (uint64_t)DRIFT_ASKED_TILES * DRIFT_TILE,
                 elements = row.count < most ? row.count : most;
        tensor_pages_expect_both(scan->pair, tensor, 0, elements);
        scan->asked_elements += row.count;
    }
}

/* Pages that are mapped are dear to take back for a system that has to. */
static void forget_pages(const Scan *scan, const Subject *subject) {
    const PairTensor *tensor = &scan->pair->tensors[subject->index];
    tensor_pages_forget_both(scan->pair, tensor, 0, subject->elements.count);
}

static Status scan_batch(Scan *scan, Error *error) {
    expect_tensors(scan);
    Status status = scan_tiles(scan, error);
    for (size_t i = 0; i < scan->subject_count; i++) {
        if (scan->is_larger_than_memory) forget_pages(scan, &scan->subjects[i]);
        drift_forget_selection(scan, &scan->subjects[i]);
    }
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
    if (scan->tile_count > 0 && scan->tile_count + row.count / DRIFT_TILE >= DRIFT_BATCH_TILES) {
        Status status = scan_batch(scan, error);
        if (status != STATUS_OK) return status;
    }
    return add_subject(scan, index, tensor->base, tensor->sft, error);
}

static Status scan_all(Scan *scan, Error *error) {
    Status status = STATUS_OK;
    for (int in_layers = 1; in_layers >= 0; in_layers--) {
        for (size_t i = scan->first; i < scan->end && status == STATUS_OK; i++) {
            if ((scan->pair->tensors[i].layer >= 0) == in_layers) status = scan_tensor(scan, i, error);
        }
    }
    if (status == STATUS_OK) status = scan_batch(scan, error);
    if (status == STATUS_OK) (void)job_report(scan->job, "drift", scan->total_bytes, scan->total_bytes);
    return status;
}

static uint64_t count_total(const Scan *scan) {
    uint64_t bytes = 0;
    for (size_t i = scan->first; i < scan->end; i++) {
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
    return drift_scan_stretch(pair, table, 0, pair->count, job, error);
}

Status drift_scan_stretch(const Pair *pair, DriftTable *table, size_t first, size_t end, Job *job,
                          Error *error) {
    Scan scan = {
        .pair = pair, .table = table, .first = first, .end = end, .job = job, .kernels = kernels_get()};
    scan.worker_count = job_threads(job);
    scan.total_bytes = count_total(&scan);
    scan.is_larger_than_memory = scan.total_bytes > memory_limit_allowed("") / 2;
    scan.workers = memory_allocate(scan.worker_count, sizeof *scan.workers);
    scan.histogram = memory_allocate(DRIFT_KEY_STEPS, sizeof *scan.histogram);
    scan.cut = memory_allocate(1, sizeof *scan.cut);
    bool has_memory = scan.workers != NULL && scan.histogram != NULL && scan.cut != NULL;
    Status status = has_memory ? scan_all(&scan, error) : memory_fail(error, "the drift scan");
    for (unsigned w = 0; w < scan.worker_count && scan.workers != NULL; w++) {
        drift_tally_free(&scan.workers[w].tally);
        free(scan.workers[w].counts);
    }
    free(scan.workers);
    free(scan.histogram);
    if (scan.cut != NULL) free(scan.cut->inside);
    free(scan.cut);
    free(scan.subjects);
    free(scan.tiles);
    free(scan.samples);
    return status;
}
