#include "core/drift/elements.h"

#include "core/checkpoint/tensor_values.h"
#include "core/drift/drift.h"
#include "core/support/memory.h"

#include <float.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const ElementsFacts SOURCES[ELEMENTS_SOURCE_COUNT] = {
    [ELEMENTS_DIFFERENCE] = {"difference", "Δ", "S-B", "what fine-tuning changed: SFT minus base", true},
    [ELEMENTS_BASE] = {"base", "B", "B", "the base model's elements", true},
    [ELEMENTS_SFT] = {"sft", "S", "S", "the SFT model's elements", true},
    [ELEMENTS_FUSED] = {"fused", "W", "W", "the fused model's elements at the current settings", true},
};

static const ElementsFacts POOLINGS[ELEMENTS_POOLING_COUNT] = {
    [ELEMENTS_MAX] = {"max", "max |x|", "max |x|", "the largest magnitude in a cell", false},
    [ELEMENTS_MEAN] = {"mean", "mean", "mean", "the mean of a cell", true},
    [ELEMENTS_RMS] = {"rms", "rms", "rms", "the root mean square of a cell", false},
    [ELEMENTS_SIGNED] = {"signed", "signed max", "signed max",
                         "the value of largest magnitude in a cell, with its sign", true},
};

const ElementsFacts *elements_source_facts(ElementsSource source) {
    return &SOURCES[source];
}

const ElementsFacts *elements_pooling_facts(ElementsPooling pooling) {
    return &POOLINGS[pooling];
}

void elements_cell_span(uint64_t begin, uint64_t size, size_t cells, size_t index, uint64_t *first,
                        uint64_t *count) {
    /* ⌊i·size/n⌋ without the product, which may not fit: size = whole·n + rest */
    uint64_t whole = size / cells, rest = size % cells;
    uint64_t from = index * whole + index * rest / cells;
    uint64_t to = (index + 1) * whole + (index + 1) * rest / cells;
    *first = begin + from;
    *count = to - from;
}

/* ---- one row of the window ---- */

/* What a column of the window, or a cell, has seen. */
typedef struct Pool {
    double sum, squares, minimum, maximum;
    uint64_t count, nonfinite, missing;
} Pool;

/* The same for every column of the window, over the rows of one cell row: columns side by side are added as
 * vectors. */
typedef struct Lanes {
    double *sum, *squares, *minimum, *maximum; /* [columns] */
    uint32_t *nonfinite;
} Lanes;

/* What one thread works with. */
typedef struct Worker {
    float *left, *right; /* one row of the tensor */
    double *values;      /* [window columns] */
    Lanes lanes;
    uint64_t *histogram; /* [bins] */
} Worker;

typedef struct Pooling {
    const ElementsRequest *request;
    ElementsMap *map;
    Job *job;
    Blend blend;
    uint64_t base_rows; /* rows from here on are missing */
    Worker *workers;
    Pool *pools; /* [grid_rows · grid_columns] */
    uint64_t rows_total;
    atomic_uint_fast64_t rows_done;
} Pooling;

static void widen_row(const Tensor *tensor, uint64_t row, const ElementsMap *map, float *out) {
    tensor_values_read(tensor, row * tensor->columns + map->column, (size_t)map->columns, out);
}

/* The window's part of one row. */
static void read_row(const Pooling *work, uint64_t row, Worker *worker) {
    const ElementsMap *map = work->map;
    const PairTensor *tensor = work->request->tensor;
    size_t columns = (size_t)map->columns;
    const float *from = worker->left;
    switch (work->request->source) {
    case ELEMENTS_DIFFERENCE:
        widen_row(tensor->sft, row, map, worker->left);
        widen_row(tensor->base, row, map, worker->right);
        for (size_t c = 0; c < columns; c++)
            worker->values[c] = (double)worker->left[c] - (double)worker->right[c];
        return;
    case ELEMENTS_BASE:
        widen_row(tensor->base, row, map, worker->left);
        break;
    case ELEMENTS_FUSED:
        blend_rows(&work->blend, (size_t)row, 1, worker->left);
        from += map->column;
        break;
    default:
        widen_row(tensor->sft, row, map, worker->left);
    }
    for (size_t c = 0; c < columns; c++) worker->values[c] = (double)from[c];
}

/* Elements that are not finite add nothing and never win a comparison. */
static void add_row(const Lanes *lanes, const double *restrict values, size_t columns) {
    double *restrict sum = lanes->sum, *restrict squares = lanes->squares;
    double *restrict minimum = lanes->minimum, *restrict maximum = lanes->maximum;
    uint32_t *restrict nonfinite = lanes->nonfinite;
    for (size_t c = 0; c < columns; c++) {
        bool is_finite = fabs(values[c]) <= DBL_MAX;
        double x = is_finite ? values[c] : 0.0;
        sum[c] += x;
        squares[c] += x * x;
        x = is_finite ? values[c] : INFINITY;
        minimum[c] = x < minimum[c] ? x : minimum[c];
        x = is_finite ? values[c] : -INFINITY;
        maximum[c] = x > maximum[c] ? x : maximum[c];
        nonfinite[c] += !is_finite;
    }
}

/* ---- one row of cells ---- */

static void clear_lanes(const Lanes *lanes, size_t columns) {
    memset(lanes->sum, 0, columns * sizeof *lanes->sum);
    memset(lanes->squares, 0, columns * sizeof *lanes->squares);
    memset(lanes->nonfinite, 0, columns * sizeof *lanes->nonfinite);
    for (size_t c = 0; c < columns; c++) {
        lanes->minimum[c] = INFINITY;
        lanes->maximum[c] = -INFINITY;
    }
}

static void add_pool(Pool *pool, const Pool *other) {
    pool->sum += other->sum;
    pool->squares += other->squares;
    if (other->minimum < pool->minimum) pool->minimum = other->minimum;
    if (other->maximum > pool->maximum) pool->maximum = other->maximum;
    pool->count += other->count;
    pool->nonfinite += other->nonfinite;
    pool->missing += other->missing;
}

static Pool new_pool(void) {
    return (Pool){.minimum = INFINITY, .maximum = -INFINITY};
}

/* Folds the columns of each cell; `rows` were read, `missing` more are not there. */
static void fold_lanes(const Pooling *work, const Lanes *lanes, size_t cell_row, uint64_t rows,
                       uint64_t missing) {
    const ElementsMap *map = work->map;
    for (size_t j = 0; j < map->grid_columns; j++) {
        uint64_t first, count;
        elements_cell_span(0, map->columns, map->grid_columns, j, &first, &count);
        Pool cell = new_pool();
        for (size_t c = (size_t)first; c < first + count; c++) {
            Pool column = {.sum = lanes->sum[c],
                           .squares = lanes->squares[c],
                           .minimum = lanes->minimum[c],
                           .maximum = lanes->maximum[c],
                           .count = rows - lanes->nonfinite[c],
                           .nonfinite = lanes->nonfinite[c],
                           .missing = missing};
            add_pool(&cell, &column);
        }
        work->pools[cell_row * map->grid_columns + j] = cell;
    }
}

static void report_rows(Pooling *work, uint64_t rows, unsigned worker) {
    uint64_t done = atomic_fetch_add(&work->rows_done, rows) + rows;
    if (worker == 0) (void)job_report(work->job, "elements", done, work->rows_total);
}

/* Rows of a cell row that are there. */
static uint64_t rows_there(const Pooling *work, uint64_t first, uint64_t count) {
    if (first >= work->base_rows) return 0;
    return count < work->base_rows - first ? count : work->base_rows - first;
}

static void pool_cell_row(void *argument, size_t cell_row, unsigned worker_index) {
    Pooling *work = argument;
    Worker *worker = &work->workers[worker_index];
    const ElementsMap *map = work->map;
    uint64_t first, count;
    elements_cell_span(map->row, map->rows, map->grid_rows, cell_row, &first, &count);
    uint64_t there = rows_there(work, first, count);
    clear_lanes(&worker->lanes, (size_t)map->columns);
    for (uint64_t row = first; row < first + there && !job_is_cancelled(work->job); row++) {
        read_row(work, row, worker);
        add_row(&worker->lanes, worker->values, (size_t)map->columns);
    }
    fold_lanes(work, &worker->lanes, cell_row, there, count - there);
    report_rows(work, count, worker_index);
}

/* ---- histogram ---- */

static void count_cell_row(void *argument, size_t cell_row, unsigned worker_index) {
    Pooling *work = argument;
    Worker *worker = &work->workers[worker_index];
    const ElementsMap *map = work->map;
    double low = map->histogram_low, span = map->histogram_high - low;
    double scale = span > 0.0 ? (double)map->bins / span : 0.0;
    uint64_t first, count;
    elements_cell_span(map->row, map->rows, map->grid_rows, cell_row, &first, &count);
    uint64_t there = rows_there(work, first, count);
    for (uint64_t row = first; row < first + there && !job_is_cancelled(work->job); row++) {
        read_row(work, row, worker);
        for (size_t c = 0; c < map->columns; c++) {
            double x = worker->values[c];
            if (!(fabs(x) <= DBL_MAX)) continue;
            size_t bin = (size_t)((x - low) * scale);
            worker->histogram[bin < map->bins ? bin : map->bins - 1]++;
        }
    }
    report_rows(work, count, worker_index);
}

static Status make_histogram(Pooling *work, Error *error) {
    ElementsMap *map = work->map;
    if (map->bins == 0 || map->count == 0) return STATUS_OK;
    map->histogram_low = map->minimum;
    map->histogram_high = map->maximum;
    if (map->minimum < 0.0 && map->maximum > 0.0) {
        map->histogram_high = fmax(-map->minimum, map->maximum);
        map->histogram_low = -map->histogram_high;
    }
    Status status = job_run(work->job, map->grid_rows, count_cell_row, work, error);
    for (unsigned w = 0; w < job_threads(work->job) && status == STATUS_OK; w++) {
        for (size_t i = 0; i < map->bins; i++) map->histogram[i] += work->workers[w].histogram[i];
    }
    return status;
}

/* ---- the map ---- */

static double root_mean_square(const Pool *pool) {
    return pool->count > 0 ? sqrt(pool->squares / (double)pool->count) : NAN;
}

static double cell_value(const Pool *pool, ElementsPooling pooling) {
    if (pool->count == 0) return NAN;
    bool is_positive = pool->maximum >= -pool->minimum;
    switch (pooling) {
    case ELEMENTS_MEAN:
        return pool->sum / (double)pool->count;
    case ELEMENTS_RMS:
        return root_mean_square(pool);
    case ELEMENTS_SIGNED:
        return is_positive ? pool->maximum : pool->minimum;
    default:
        return is_positive ? pool->maximum : -pool->minimum;
    }
}

/* Cells, profiles and totals from the pools, in a fixed order. */
static void fill_map(const Pooling *work) {
    ElementsMap *map = work->map;
    Pool all = new_pool();
    for (size_t i = 0; i < map->grid_rows; i++) {
        Pool row = new_pool();
        for (size_t j = 0; j < map->grid_columns; j++) {
            size_t at = i * map->grid_columns + j;
            const Pool *pool = &work->pools[at];
            double value = cell_value(pool, work->request->pooling);
            map->cells[at] = value;
            map->marks[at] = (unsigned char)((pool->missing > 0 ? ELEMENTS_CELL_MISSING : 0) |
                                             (pool->nonfinite > 0 ? ELEMENTS_CELL_NONFINITE : 0));
            if (fabs(value) > map->largest_cell) map->largest_cell = fabs(value);
            add_pool(&row, pool);
        }
        map->row_profile[i] = root_mean_square(&row);
        add_pool(&all, &row);
    }
    for (size_t j = 0; j < map->grid_columns; j++) {
        Pool column = new_pool();
        for (size_t i = 0; i < map->grid_rows; i++)
            add_pool(&column, &work->pools[i * map->grid_columns + j]);
        map->column_profile[j] = root_mean_square(&column);
    }
    map->count = all.count;
    map->nonfinite = all.nonfinite;
    map->missing = all.missing;
    map->minimum = all.count > 0 ? all.minimum : NAN;
    map->maximum = all.count > 0 ? all.maximum : NAN;
    map->mean = all.count > 0 ? all.sum / (double)all.count : NAN;
}

/* ---- memory ---- */

static Status allocate_worker(Worker *worker, size_t row_columns, size_t columns, size_t bins, Error *error) {
    worker->left = memory_allocate(row_columns, sizeof *worker->left);
    worker->right = memory_allocate(row_columns, sizeof *worker->right);
    worker->values = memory_allocate(columns, sizeof *worker->values);
    worker->lanes.sum = memory_allocate(columns, sizeof *worker->lanes.sum);
    worker->lanes.squares = memory_allocate(columns, sizeof *worker->lanes.squares);
    worker->lanes.minimum = memory_allocate(columns, sizeof *worker->lanes.minimum);
    worker->lanes.maximum = memory_allocate(columns, sizeof *worker->lanes.maximum);
    worker->lanes.nonfinite = memory_allocate(columns, sizeof *worker->lanes.nonfinite);
    worker->histogram = memory_allocate(bins, sizeof *worker->histogram);
    bool is_complete = worker->left != NULL && worker->right != NULL && worker->values != NULL &&
                       worker->lanes.sum != NULL && worker->lanes.squares != NULL &&
                       worker->lanes.minimum != NULL && worker->lanes.maximum != NULL &&
                       worker->lanes.nonfinite != NULL && worker->histogram != NULL;
    return is_complete ? STATUS_OK : memory_fail(error, "rows of a tensor");
}

static void free_worker(Worker *worker) {
    free(worker->left);
    free(worker->right);
    free(worker->values);
    free(worker->lanes.sum);
    free(worker->lanes.squares);
    free(worker->lanes.minimum);
    free(worker->lanes.maximum);
    free(worker->lanes.nonfinite);
    free(worker->histogram);
}

static Status allocate_map(ElementsMap *map, Error *error) {
    size_t cells;
    if (!memory_multiply(map->grid_rows, map->grid_columns, &cells))
        return memory_fail(error, "the grid of elements");
    map->cells = memory_allocate(cells, sizeof *map->cells);
    map->marks = memory_allocate(cells, sizeof *map->marks);
    map->row_profile = memory_allocate(map->grid_rows, sizeof *map->row_profile);
    map->column_profile = memory_allocate(map->grid_columns, sizeof *map->column_profile);
    map->histogram = memory_allocate(map->bins, sizeof *map->histogram);
    bool is_complete = map->cells != NULL && map->marks != NULL && map->row_profile != NULL &&
                       map->column_profile != NULL && map->histogram != NULL;
    return is_complete ? STATUS_OK : memory_fail(error, "the grid of elements");
}

void elements_free(ElementsMap *map) {
    free(map->cells);
    free(map->marks);
    free(map->row_profile);
    free(map->column_profile);
    free(map->histogram);
    *map = (ElementsMap){0};
}

/* ---- the way in ---- */

static bool needs_base(ElementsSource source) {
    return source == ELEMENTS_DIFFERENCE || source == ELEMENTS_BASE;
}

static Status check_request(const ElementsRequest *request, Error *error) {
    const PairTensor *tensor = request->tensor;
    const Tensor *sft = tensor->sft;
    if (!dtype_is_float(sft->dtype))
        return status_fail(error, STATUS_UNSUPPORTED, "%s: expected a floating type, found %s", tensor->name,
                           sft->dtype_name);
    if (needs_base(request->source) && !drift_is_comparable(tensor))
        return status_fail(error, STATUS_ARGUMENT, "%s: expected a tensor of both models, found one that %s",
                           tensor->name, tensor->base == NULL ? "only SFT has" : "cannot be compared");
    bool fits = request->row <= sft->rows && request->rows <= sft->rows - request->row &&
                request->column <= sft->columns && request->columns <= sft->columns - request->column;
    if (!fits || request->rows == 0 || request->columns == 0)
        return status_fail(
            error, STATUS_ARGUMENT,
            "%s: expected a window within %llu × %llu elements, found %llu × %llu at %llu, %llu",
            tensor->name, (unsigned long long)sft->rows, (unsigned long long)sft->columns,
            (unsigned long long)request->rows, (unsigned long long)request->columns,
            (unsigned long long)request->row, (unsigned long long)request->column);
    if (request->grid_rows == 0 || request->grid_columns == 0)
        return status_fail(error, STATUS_ARGUMENT, "%s: expected a grid of cells, found %zu × %zu",
                           tensor->name, request->grid_rows, request->grid_columns);
    return STATUS_OK;
}

static Status run_pooling(Pooling *work, Error *error) {
    ElementsMap *map = work->map;
    size_t row_columns = (size_t)work->request->tensor->sft->columns, columns = (size_t)map->columns;
    unsigned threads = job_threads(work->job);
    Status status = allocate_map(map, error);
    work->pools = memory_allocate(map->grid_rows * map->grid_columns, sizeof *work->pools);
    work->workers = memory_allocate(threads, sizeof *work->workers);
    if (status == STATUS_OK && (work->pools == NULL || work->workers == NULL))
        status = memory_fail(error, "the grid of elements");
    for (unsigned w = 0; w < threads && status == STATUS_OK; w++)
        status = allocate_worker(&work->workers[w], row_columns, columns, map->bins, error);
    if (status == STATUS_OK) status = job_run(work->job, map->grid_rows, pool_cell_row, work, error);
    if (status == STATUS_OK) fill_map(work);
    if (status == STATUS_OK) status = make_histogram(work, error);
    for (unsigned w = 0; w < threads && work->workers != NULL; w++) free_worker(&work->workers[w]);
    free(work->workers);
    free(work->pools);
    return status;
}

Status elements_pool(const ElementsRequest *request, ElementsMap *map, Job *job, Error *error) {
    *map = (ElementsMap){0};
    Status status = check_request(request, error);
    if (status != STATUS_OK) return status;
    map->row = request->row;
    map->rows = request->rows;
    map->column = request->column;
    map->columns = request->columns;
    map->grid_rows = request->rows < request->grid_rows ? (size_t)request->rows : request->grid_rows;
    map->grid_columns =
        request->columns < request->grid_columns ? (size_t)request->columns : request->grid_columns;
    map->bins = request->bins;
    Pooling work = {.request = request,
                    .map = map,
                    .job = job,
                    .blend = settings_blend(&request->settings, request->tensor),
                    .base_rows = needs_base(request->source) ? request->tensor->base->rows : UINT64_MAX,
                    .rows_total = request->rows * (request->bins > 0 ? 2 : 1)};
    status = run_pooling(&work, error);
    if (status != STATUS_OK) elements_free(map);
    return status;
}

Status elements_at(const PairTensor *tensor, const Settings *settings, uint64_t row, uint64_t column,
                   ElementValues *values, Error *error) {
    const Tensor *sft = tensor->sft, *base = drift_is_comparable(tensor) ? tensor->base : NULL;
    const ElementsRequest request = {.tensor = tensor,
                                     .source = ELEMENTS_SFT,
                                     .row = row,
                                     .column = column,
                                     .rows = 1,
                                     .columns = 1,
                                     .grid_rows = 1,
                                     .grid_columns = 1};
    Status status = check_request(&request, error);
    if (status != STATUS_OK) return status;
    float *fused = memory_allocate((size_t)sft->columns, sizeof *fused);
    if (fused == NULL) return memory_fail(error, "a row of a tensor");
    Blend blend = settings_blend(settings, tensor);
    blend_rows(&blend, (size_t)row, 1, fused);
    size_t at = (size_t)(row * sft->columns + column);
    *values = (ElementValues){.has_base = base != NULL && row < base->rows,
                              .sft = tensor_values_at(sft, at),
                              .fused = fused[column],
                              .base = NAN,
                              .difference = NAN};
    free(fused);
    if (values->has_base) {
        values->base = tensor_values_at(base, at);
        values->difference = (double)values->sft - (double)values->base;
    }
    return STATUS_OK;
}
