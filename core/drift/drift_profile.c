#include "core/drift/drift_elements.h"
#include "core/drift/drift_table.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BANDS = 32, CHUNK = KERNELS_DRIFT_CHUNK };

/* Rows go in bands; each sums its columns on its own, and the bands are added in order. */
typedef struct Profiling {
    DriftElements elements;
    DriftProfile *profile;
    Job *job;
    uint64_t band_rows;
    double *column_sums; /* [bands][2][columns]: ΔΔ, BB */
    float *chunks;       /* [threads][2][CHUNK] */
    atomic_uint_fast64_t rows_done;
} Profiling;

static void add_columns(const float *sft, const float *base, size_t count, double *difference_squares,
                        double *base_squares) {
    for (size_t i = 0; i < count; i++) {
        double difference = (double)sft[i] - (double)base[i];
        difference_squares[i] += difference * difference;
        base_squares[i] += (double)base[i] * (double)base[i];
    }
}

static void profile_row(const Profiling *work, uint64_t row, float *sft, float *base, double *columns) {
    uint64_t width = work->profile->columns;
    double difference_squares = 0.0, base_squares = 0.0, sizes[KERNELS_DRIFT_SIZES];
    for (uint64_t at = 0; at < width; at += CHUNK) {
        size_t count = width - at < CHUNK ? (size_t)(width - at) : CHUNK;
        KernelDrift sums = {0};
        KernelRow elements = drift_kernel_row(&work->elements, row * width + at, count, sft, base);
        (void)kernels_get()->drift(&elements, count, UINT32_MAX, &sums, sizes); /* lists none */
        drift_widen(&work->elements, row * width + at, count, sft, base); /* where the kernel's row may lie */
        difference_squares += kernels_fold(&sums.squares);
        base_squares += kernels_fold(&sums.base_squares);
        add_columns(sft, base, count, columns + at, columns + width + at);
    }
    work->profile->row_difference[row] = sqrt(difference_squares);
    work->profile->row_base[row] = sqrt(base_squares);
}

static void profile_band(void *argument, size_t band, unsigned worker) {
    Profiling *work = argument;
    uint64_t first = band * work->band_rows, end = first + work->band_rows;
    if (end > work->profile->rows) end = work->profile->rows;
    float *sft = work->chunks + (size_t)worker * 2 * CHUNK;
    double *columns = work->column_sums + band * 2 * work->profile->columns;
    for (uint64_t row = first; row < end && !job_is_cancelled(work->job); row++)
        profile_row(work, row, sft, sft + CHUNK, columns);
    uint64_t done = atomic_fetch_add(&work->rows_done, end - first) + end - first;
    if (worker == 0) (void)job_report(work->job, "profile", done, work->profile->rows);
}

static void combine_bands(const Profiling *work, size_t bands) {
    DriftProfile *profile = work->profile;
    for (size_t band = 0; band < bands; band++) {
        const double *sums = work->column_sums + band * 2 * profile->columns;
        for (size_t c = 0; c < profile->columns; c++) {
            profile->column_difference[c] += sums[c];
            profile->column_base[c] += sums[profile->columns + c];
        }
    }
    for (size_t c = 0; c < profile->columns; c++) {
        profile->column_difference[c] = sqrt(profile->column_difference[c]);
        profile->column_base[c] = sqrt(profile->column_base[c]);
    }
}

static Status run_bands(Profiling *work, Error *error) {
    DriftProfile *profile = work->profile;
    size_t bands = 0, sums = 0;
    if (profile->rows > 0 && profile->columns > 0) {
        work->band_rows = (profile->rows + BANDS - 1) / BANDS;
        bands = (size_t)((profile->rows + work->band_rows - 1) / work->band_rows);
    }
    if (!memory_multiply(bands * 2, profile->columns, &sums)) return memory_fail(error, "row norms");
    work->column_sums = memory_allocate(sums, sizeof *work->column_sums);
    work->chunks = memory_allocate((size_t)job_threads(work->job) * 2 * CHUNK, sizeof *work->chunks);
    Status status = work->column_sums != NULL && work->chunks != NULL
                        ? job_run(work->job, bands, profile_band, work, error)
                        : memory_fail(error, "row and column norms");
    if (status == STATUS_OK) combine_bands(work, bands);
    free(work->column_sums);
    free(work->chunks);
    return status;
}

Status drift_profile(const PairTensor *tensor, DriftProfile *profile, Job *job, Error *error) {
    DriftRow row;
    *profile = (DriftProfile){0};
    drift_start_row(tensor, &row);
    if (!row.is_compared)
        return status_fail(error, STATUS_ARGUMENT, "%s: expected a tensor of both models, found one that %s",
                           tensor->name, tensor->base == NULL ? "only SFT has" : "cannot be compared");
    profile->rows = tensor->sft->rows - row.sft_only_rows;
    profile->columns = tensor->sft->columns;
    profile->row_difference = memory_allocate(profile->rows, sizeof(double));
    profile->row_base = memory_allocate(profile->rows, sizeof(double));
    profile->column_difference = memory_allocate(profile->columns, sizeof(double));
    profile->column_base = memory_allocate(profile->columns, sizeof(double));
    Status status = STATUS_OK;
    if (profile->row_difference == NULL || profile->row_base == NULL || profile->column_difference == NULL ||
        profile->column_base == NULL) {
        status = memory_fail(error, "row and column norms");
    } else {
        Profiling work = {.elements = {tensor->base, tensor->sft, row.count}, .profile = profile, .job = job};
        status = run_bands(&work, error);
    }
    if (status != STATUS_OK) drift_profile_free(profile);
    return status;
}

void drift_profile_free(DriftProfile *profile) {
    free(profile->row_difference);
    free(profile->row_base);
    free(profile->column_difference);
    free(profile->column_base);
    *profile = (DriftProfile){0};
}
