#include "core/checkpoint/tensor_pages.h"
#include "core/drift/drift_internal.h"

#include <math.h>
#include <string.h>

enum {
    CHUNK = KERNELS_DRIFT_CHUNK,
    RUN = 32, /* elements sampled together: a cache line of bfloat16 */
    STRIDE_MOST = DRIFT_TILE / RUN,
    UNSAMPLED = 4096 /* tensors up to this size are tallied whole */
};

/* A larger sample is dearer; a smaller one makes the window wider, and what lies in it is dear as well. For n
 * elements a sample of about n^(2/3) costs least. */
void drift_plan_samples(Scan *scan, Subject *subject) {
    double count = (double)subject->elements.count;
    subject->first_sample = scan->sample_count;
    if (subject->elements.count <= UNSAMPLED) return;
    size_t stride = 1;
    for (double next = count / 2; stride < STRIDE_MOST && next * sqrt(next) >= count; next /= 2) stride *= 2;
    subject->stride = stride;
    scan->sample_count += subject->tiles * (DRIFT_TILE / stride);
}

static uint16_t *first_sample_of(const Scan *scan, const Subject *subject, const Tile *tile) {
    return scan->samples + subject->first_sample + tile->first / subject->stride;
}

/* The runs of a tile: one of every `stride` (a power of two), now this and now that one, so that no column is favoured. */
typedef struct Runs {
    size_t stride, end;
    uint32_t number; /* of the first, within the tensor */
} Runs;

static Runs runs_of(const Subject *subject, const Tile *tile) {
    return (Runs){subject->stride, tile->count, (uint32_t)(tile->first / (RUN * subject->stride))};
}

/* The first element of the i-th. */
static size_t run_begin(Runs runs, size_t i) {
    uint32_t scattered = (runs.number + (uint32_t)i) * 0x9e3779b1U >> 16;
    return (i * runs.stride + (scattered & (runs.stride - 1))) * RUN;
}

static void prefetch_runs(const Tile *tile, Runs runs, const Tensor *tensor) {
    size_t size = dtype_size(tensor->dtype);
    if (tensor->data == NULL) return; /* computed */
    for (size_t i = 0, at; (at = run_begin(runs, i)) < runs.end; i++)
        __builtin_prefetch(tensor->data + (tile->first + at) * size);
}

/* Those of the tile behind, which meanwhile come. */
static void prefetch_next(const Scan *scan, const Subject *subject, size_t task) {
    if (task + 1 >= subject->first_tile + subject->tiles) return;
    const Tile *next = &scan->tiles[task + 1];
    Runs runs = runs_of(subject, next);
    prefetch_runs(next, runs, subject->elements.base);
    prefetch_runs(next, runs, subject->elements.sft);
}

/* A sample touches most pages, here and there: that they are read one after the other has to be said. */
static void expect_tiles(const Scan *scan, const Subject *subject, const Tile *tile) {
    const PairTensor *tensor = &scan->pair->tensors[subject->index];
    uint64_t first = tile->first + (uint64_t)DRIFT_ASKED_TILES * DRIFT_TILE, count = subject->elements.count;
    if (tile->first / DRIFT_TILE % DRIFT_ASKED_TILES != 0 || first >= count) return;
    count -= first;
    if (count > (uint64_t)DRIFT_ASKED_TILES * DRIFT_TILE) count = (uint64_t)DRIFT_ASKED_TILES * DRIFT_TILE;
    tensor_pages_expect_both(scan->pair, tensor, first, count);
}

void drift_sample_tile(void *argument, size_t task, unsigned worker_index) {
    Scan *scan = argument;
    Worker *worker = &scan->workers[worker_index];
    Tile *tile = &scan->tiles[task];
    const Subject *subject = &scan->subjects[tile->subject];
    if (subject->stride == 0) return;
    expect_tiles(scan, subject, tile);
    uint16_t *samples = first_sample_of(scan, subject, tile);
    const Runs runs = runs_of(subject, tile);
    size_t sampled = 0;
    prefetch_next(scan, subject, task);
    for (size_t i = 0, at = 0; at < tile->count;) {
        size_t filled = 0;
        for (; filled < CHUNK && (at = run_begin(runs, i)) < tile->count; i++) {
            size_t count = tile->count - at < RUN ? tile->count - at : RUN;
            drift_widen(&subject->elements, tile->first + at, count, worker->sft + filled,
                        worker->base + filled);
            filled += count;
        }
        scan->kernels->drift_keys(worker->sft, worker->base, filled, worker->keys);
        for (size_t k = 0; k < filled; k++)
            samples[sampled + k] = (uint16_t)(worker->keys[k] >> DRIFT_KEY_SHIFT);
        sampled += filled;
    }
    tile->sampled = sampled;
}

void drift_choose_window(Scan *scan, Subject *subject) {
    uint64_t sampled = 0;
    if (subject->stride > 0) memset(scan->histogram, 0, DRIFT_KEY_STEPS * sizeof *scan->histogram);
    for (size_t t = 0; t < subject->tiles && subject->stride > 0; t++) {
        const Tile *tile = &scan->tiles[subject->first_tile + t];
        const uint16_t *samples = first_sample_of(scan, subject, tile);
        for (size_t i = 0; i < tile->sampled; i++) scan->histogram[samples[i]]++;
        sampled += tile->sampled;
    }
    subject->window = drift_window_guess(scan->histogram, sampled, subject->elements.count, subject->tiles);
}
