#include "tui/commands/drift_ranks.h"

#include "core/drift/drift_table.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- drift ---- */

static uint64_t weigh_drift(const PairTensor *tensor) {
    DriftRow row;
    drift_start_row(tensor, &row);
    if (!row.is_compared) return 0;
    return row.count * (dtype_size(tensor->base->dtype) + dtype_size(tensor->sft->dtype));
}

static uint64_t weigh_spectrum(const PairTensor *tensor) {
    return spectrum_cost(tensor, spectrum_default_settings());
}

/* Whose tensors are whose. */
static Status deal(const Batch *batch, uint64_t (*weigh)(const PairTensor *tensor), size_t **firsts,
                   Error *error) {
    const Pair *pair = batch->pair;
    uint64_t *weights = memory_allocate(pair->count, sizeof *weights);
    if (weights == NULL) return memory_fail(error, "what is dealt out");
    for (size_t i = 0; i < pair->count; i++) weights[i] = weigh(&pair->tensors[i]);
    Status status = ranks_deal(batch->ranks, weights, pair->count, firsts, error);
    free(weights);
    return status;
}

/* Rows of others point to tensors of theirs. */
static void take_rows(const Pair *pair, DriftTable *table, const DriftRow *rows) {
    DriftRow row;
    for (size_t i = 0; i < pair->count; i++) {
        if (drift_table_row(table, i, &row)) continue;
        row = rows[i];
        row.tensor = &pair->tensors[i];
        drift_table_publish(table, i, &row);
    }
}

static Status share_rows(Batch *batch, Status status, DriftTable *table, const size_t *firsts, Error *error) {
    const Pair *pair = batch->pair;
    DriftRow *rows = memory_allocate(pair->count, sizeof *rows);
    if (rows == NULL && status == STATUS_OK) status = memory_fail(error, "the drift table");
    size_t own = ranks_own(batch->ranks);
    for (size_t i = firsts[own]; status == STATUS_OK && i < firsts[own + 1]; i++)
        (void)drift_table_row(table, i, &rows[i]); /* after a finished scan it is there */
    status = ranks_share(batch->ranks, status, rows, sizeof *rows, firsts, error);
    if (status == STATUS_OK) take_rows(pair, table, rows);
    free(rows);
    return status;
}

Status drift_ranks_scan(Batch *batch, DriftTable *table, Error *error) {
    size_t *firsts, own = ranks_own(batch->ranks);
    Status status = deal(batch, weigh_drift, &firsts, error);
    if (status != STATUS_OK) return status;
    status = drift_scan_stretch(batch->pair, table, firsts[own], firsts[own + 1], batch->job, error);
    if (batch->ranks != NULL) status = share_rows(batch, status, table, firsts, error);
    free(firsts);
    return status;
}

/* ---- spectra ---- */

static void pack(const SpectrumTable *table, size_t first, size_t end, Buffer *bytes) {
    Spectrum row;
    for (size_t i = first; i < end; i++) {
        (void)spectrum_table_row(table, i, &row); /* after a finished scan it is there */
        buffer_add(bytes, (const char *)&row, sizeof row);
        buffer_add(bytes, (const char *)row.values, row.count * sizeof *row.values);
        buffer_add(bytes, (const char *)row.errors, row.count * sizeof *row.errors);
    }
}

static double *unpack_numbers(const char **at, size_t count) {
    double *numbers = memory_allocate(count > 0 ? count : 1, sizeof *numbers);
    if (numbers != NULL && count > 0) memcpy(numbers, *at, count * sizeof *numbers);
    *at += count * sizeof *numbers;
    return numbers;
}

static Status unpack(SpectrumTable *table, size_t first, size_t end, const Buffer *bytes, Error *error) {
    const char *at = bytes->text;
    for (size_t i = first; i < end; i++) {
        Spectrum row;
        memcpy(&row, at, sizeof row);
        at += sizeof row;
        row.values = unpack_numbers(&at, row.count);
        row.errors = unpack_numbers(&at, row.count);
        if (row.values == NULL || row.errors == NULL) {
            spectrum_free(&row);
            return memory_fail(error, "singular values");
        }
        spectrum_table_take(table, i, &row);
    }
    return STATUS_OK;
}

static Status share_spectra(Batch *batch, Status status, SpectrumTable *table, const size_t *firsts,
                            Error *error) {
    for (size_t r = 0; r < ranks_count(batch->ranks); r++) {
        bool is_own = r == ranks_own(batch->ranks);
        Buffer bytes = {0};
        if (is_own && status == STATUS_OK) pack(table, firsts[r], firsts[r + 1], &bytes);
        status = ranks_pass(batch->ranks, status, r, &bytes, error);
        if (!is_own && status == STATUS_OK) status = unpack(table, firsts[r], firsts[r + 1], &bytes, error);
        buffer_free(&bytes);
    }
    return status;
}

Status drift_ranks_scan_spectra(Batch *batch, SpectrumTable *table, Error *error) {
    size_t *firsts, own = ranks_own(batch->ranks);
    Status status = deal(batch, weigh_spectrum, &firsts, error);
    if (status != STATUS_OK) return status;
    status = spectrum_scan_stretch(table, firsts[own], firsts[own + 1], batch->job, error);
    if (batch->ranks != NULL) status = share_spectra(batch, status, table, firsts, error);
    free(firsts);
    return status;
}
