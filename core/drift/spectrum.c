#include "core/drift/spectrum.h"

#include "core/drift/spectrum_internal.h"
#include "core/numerics/blas_buffers.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

/* ---- one tensor ---- */

SpectrumSettings spectrum_default_settings(void) {
    return (SpectrumSettings){.exact_limit = SPECTRUM_EXACT_LIMIT, .seed = SPECTRUM_SEED};
}

bool spectrum_is_defined(const PairTensor *tensor) {
    if (!drift_is_comparable(tensor) || tensor->sft->rank < 2) return false;
    SpectrumMatrix matrix = spectrum_matrix_of(tensor);
    return matrix.shorter > 0 && matrix.longer <= INT32_MAX; /* LAPACK counts in int */
}

SpectrumMethod spectrum_choose_method(const PairTensor *tensor, SpectrumSettings settings) {
    if (!spectrum_is_defined(tensor)) return SPECTRUM_NONE;
    return spectrum_matrix_of(tensor).shorter <= settings.exact_limit ? SPECTRUM_EXACT : SPECTRUM_LANCZOS;
}

/* Δ = 0: all values are, and no direction stands out. */
static Status take_zeros(const SpectrumMatrix *matrix, Spectrum *spectrum, Error *error) {
    spectrum->method = SPECTRUM_EXACT;
    spectrum->seed = 0;
    spectrum->values = memory_allocate(matrix->shorter, sizeof *spectrum->values);
    spectrum->errors = memory_allocate(matrix->shorter, sizeof *spectrum->errors);
    if (spectrum->values == NULL || spectrum->errors == NULL) return memory_fail(error, "singular values");
    spectrum->count = matrix->shorter;
    return STATUS_OK;
}

static Status solve(SpectrumWork *work, SpectrumScratch *scratch, Spectrum *spectrum, Error *error) {
    SpectrumMatrix matrix = spectrum_matrix_of(spectrum->tensor);
    double squares;
    bool is_finite;
    if (!spectrum_matrix_measure(&matrix, work->progress->job, &squares, &is_finite))
        return job_cancelled(error);
    if (!is_finite) {
        spectrum->method = SPECTRUM_NOT_FINITE;
        spectrum->seed = 0;
        return STATUS_OK;
    }
    spectrum->norm = sqrt(squares);
    if (squares == 0.0) return take_zeros(&matrix, spectrum, error);
    if (spectrum->method == SPECTRUM_EXACT)
        return spectrum_solve_exact(&matrix, work, scratch, spectrum, error);
    return spectrum_solve_lanczos(&matrix, work, spectrum, error);
}

/* What is known of a tensor before anything is computed. */
static Spectrum begin(const PairTensor *tensor, SpectrumSettings settings) {
    Spectrum spectrum = {.tensor = tensor, .norm = NAN, .effective_rank = NAN, .effective_rank_error = NAN};
    spectrum.method = spectrum_choose_method(tensor, settings);
    if (spectrum.method == SPECTRUM_NONE) return spectrum;
    SpectrumMatrix matrix = spectrum_matrix_of(tensor);
    spectrum.rows = matrix.rows;
    spectrum.columns = matrix.columns;
    if (spectrum.method == SPECTRUM_LANCZOS) spectrum.seed = settings.seed;
    return spectrum;
}

static Status measure(const PairTensor *tensor, SpectrumSettings settings, SpectrumWork *work,
                      Spectrum *spectrum, Error *error) {
    *spectrum = begin(tensor, settings);
    if (spectrum->method == SPECTRUM_NONE) return STATUS_OK;
    SpectrumScratch *scratch = memory_allocate_aligned(1, sizeof *scratch);
    Status status =
        scratch != NULL ? solve(work, scratch, spectrum, error) : memory_fail(error, "singular values");
    free(scratch);
    if (status == STATUS_OK) {
        (void)spectrum_advance(work, 1.0); /* a cancel that comes after the work changes nothing */
        return STATUS_OK;
    }
    spectrum_free(spectrum);
    return status_add_context(error, "%s", tensor->name);
}

uint64_t spectrum_cost(const PairTensor *tensor, SpectrumSettings settings) {
    SpectrumMethod method = spectrum_choose_method(tensor, settings);
    if (method == SPECTRUM_NONE) return 0;
    SpectrumMatrix matrix = spectrum_matrix_of(tensor);
    return method == SPECTRUM_EXACT ? spectrum_exact_cost(&matrix) : spectrum_lanczos_cost(&matrix);
}

Status spectrum_measure(const PairTensor *tensor, SpectrumSettings settings, Spectrum *spectrum, Job *job,
                        Error *error) {
    SpectrumProgress progress = {.job = job, .total = spectrum_cost(tensor, settings)};
    SpectrumWork work = {.progress = &progress, .weight = progress.total};
    Status status = blas_buffers_prepare(job_threads(job), error);
    return status != STATUS_OK ? status : measure(tensor, settings, &work, spectrum, error);
}

/* ---- the table ---- */

/* A row is written by the thread that claimed it, before its flag is set (release); readers look at the flag
 * first (acquire). */
struct SpectrumTable {
    const Pair *pair;
    SpectrumSettings settings;
    size_t count;
    Spectrum *rows;               /* [count] */
    atomic_bool *claimed, *ready; /* [count] */
    atomic_size_t ready_count;
};

static void publish(SpectrumTable *table, size_t index, const Spectrum *spectrum) {
    table->rows[index] = *spectrum;
    atomic_store_explicit(&table->ready[index], true, memory_order_release);
    (void)atomic_fetch_add_explicit(&table->ready_count, 1, memory_order_release);
}

Status spectrum_table_create(const Pair *pair, SpectrumSettings settings, SpectrumTable **table,
                             Error *error) {
    *table = NULL;
    SpectrumTable *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the table of spectra");
    made->pair = pair;
    made->settings = settings;
    made->count = pair->count;
    atomic_init(&made->ready_count, 0);
    made->rows = memory_allocate(pair->count, sizeof *made->rows);
    made->claimed = memory_allocate(pair->count, sizeof *made->claimed);
    made->ready = memory_allocate(pair->count, sizeof *made->ready);
    if (made->rows == NULL || made->claimed == NULL || made->ready == NULL) {
        made->count = 0;
        spectrum_table_free(made);
        return memory_fail(error, "the table of spectra");
    }
    for (size_t i = 0; i < made->count; i++) {
        Spectrum row = begin(&pair->tensors[i], settings);
        atomic_init(&made->claimed[i], row.method == SPECTRUM_NONE);
        atomic_init(&made->ready[i], false);
        if (row.method == SPECTRUM_NONE) publish(made, i, &row);
    }
    *table = made;
    return STATUS_OK;
}

void spectrum_table_free(SpectrumTable *table) {
    if (table == NULL) return;
    for (size_t i = 0; i < table->count; i++) spectrum_free(&table->rows[i]);
    free(table->rows);
    free(table->claimed);
    free(table->ready);
    free(table);
}

bool spectrum_table_row(const SpectrumTable *table, size_t index, Spectrum *spectrum) {
    if (index >= table->count || !atomic_load_explicit(&table->ready[index], memory_order_acquire))
        return false;
    *spectrum = table->rows[index];
    return true;
}

void spectrum_table_take(SpectrumTable *table, size_t index, Spectrum *spectrum) {
    if (atomic_exchange(&table->claimed[index], true)) {
        spectrum_free(spectrum);
        return;
    }
    spectrum->tensor = &table->pair->tensors[index];
    publish(table, index, spectrum);
}

size_t spectrum_table_count(const SpectrumTable *table) {
    return table->count;
}

size_t spectrum_table_ready(const SpectrumTable *table) {
    return atomic_load_explicit(&table->ready_count, memory_order_acquire);
}

/* ---- the scan ---- */

typedef struct Item {
    size_t index;
    uint64_t cost;
    bool is_exact;
} Item;

typedef struct Scan {
    SpectrumTable *table;
    SpectrumProgress progress;
    Item *items;
    size_t count, exact_count;
    atomic_bool has_failed;
    Status status; /* of the one that set has_failed */
    Error error;
} Scan;

/* Fills a row unless it is there or another's. */
static Status fill_row(SpectrumTable *table, size_t index, SpectrumProgress *progress, uint64_t cost,
                       unsigned worker, Error *error) {
    const PairTensor *tensor = &table->pair->tensors[index];
    SpectrumWork work = {.progress = progress, .worker = worker, .weight = cost};
    Spectrum spectrum;
    if (atomic_exchange(&table->claimed[index], true)) {
        (void)spectrum_advance(&work, 1.0); /* job_run() sees a cancel */
        return STATUS_OK;
    }
    Status status = measure(tensor, table->settings, &work, &spectrum, error);
    if (status == STATUS_OK)
        publish(table, index, &spectrum);
    else
        atomic_store(&table->claimed[index], false);
    return status;
}

static void fill_exact(void *argument, size_t task, unsigned worker) {
    Scan *scan = argument;
    const Item *item = &scan->items[task];
    Error error = {0};
    if (atomic_load(&scan->has_failed)) return;
    Status status = fill_row(scan->table, item->index, &scan->progress, item->cost, worker, &error);
    if (status == STATUS_OK || atomic_exchange(&scan->has_failed, true)) return;
    scan->status = status;
    scan->error = error;
}

/* The exact ones first, largest first, so that the threads end together; then the others, smallest first. */
static int in_order_of_work(const void *a, const void *b) {
    const Item *x = a, *y = b;
    if (x->is_exact != y->is_exact) return x->is_exact ? -1 : 1;
    if (x->cost != y->cost) return (x->cost < y->cost) == x->is_exact ? 1 : -1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void list_items(Scan *scan, size_t first, size_t end) {
    SpectrumTable *table = scan->table;
    for (size_t i = first; i < end; i++) {
        const PairTensor *tensor = &table->pair->tensors[i];
        if (atomic_load_explicit(&table->ready[i], memory_order_acquire)) continue;
        Item item = {i, spectrum_cost(tensor, table->settings),
                     spectrum_choose_method(tensor, table->settings) == SPECTRUM_EXACT};
        scan->items[scan->count++] = item;
        scan->exact_count += item.is_exact;
        scan->progress.total += item.cost;
    }
    qsort(scan->items, scan->count, sizeof *scan->items, in_order_of_work);
}

static Status scan_items(Scan *scan, Error *error) {
    Status status = job_run(scan->progress.job, scan->exact_count, fill_exact, scan, error);
    if (status == STATUS_OK && atomic_load(&scan->has_failed)) {
        if (error != NULL) *error = scan->error;
        status = scan->status;
    }
    for (size_t i = scan->exact_count; i < scan->count && status == STATUS_OK; i++) {
        const Item *item = &scan->items[i];
        status = fill_row(scan->table, item->index, &scan->progress, item->cost, 0, error);
    }
    if (status == STATUS_OK)
        (void)job_report(scan->progress.job, "spectrum", scan->progress.total, scan->progress.total);
    return status;
}

Status spectrum_scan(SpectrumTable *table, Job *job, Error *error) {
    return spectrum_scan_stretch(table, 0, table->count, job, error);
}

Status spectrum_scan_stretch(SpectrumTable *table, size_t first, size_t end, Job *job, Error *error) {
    Scan scan = {.table = table, .progress = {.job = job}};
    Status status = blas_buffers_prepare(job_threads(job), error);
    if (status != STATUS_OK) return status;
    scan.items = memory_allocate(table->count, sizeof *scan.items);
    if (scan.items == NULL) return memory_fail(error, "the scan of spectra");
    list_items(&scan, first, end);
    status = scan_items(&scan, error);
    free(scan.items);
    return status;
}

Status spectrum_scan_tensor(SpectrumTable *table, size_t index, Job *job, Error *error) {
    uint64_t cost = spectrum_cost(&table->pair->tensors[index], table->settings);
    SpectrumProgress progress = {.job = job, .total = cost};
    Status status = blas_buffers_prepare(job_threads(job), error);
    return status != STATUS_OK ? status : fill_row(table, index, &progress, cost, 0, error);
}
