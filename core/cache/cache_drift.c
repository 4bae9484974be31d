#include "core/cache/cache_drift.h"

#include "core/cache/cache_bytes.h"
#include "core/drift/drift_table.h"
#include "core/support/memory.h"

#include <stdlib.h>

enum { COUNTS = 9, SUMS = 10 };

/* A row's numbers in the payload's order. The first three follow from the shapes: they go along as a check. */
typedef struct Fields {
    uint64_t *counts[COUNTS];
    double *sums[SUMS];
} Fields;

static Fields list_fields(DriftRow *row) {
    return (Fields){
        .counts = {&row->count, &row->sft_only_rows, &row->base_only_rows, &row->changed, &row->sign_flips,
                   &row->base_nonfinite, &row->sft_nonfinite, &row->max_row, &row->max_column},
        .sums = {&row->difference_squares, &row->base_squares, &row->sft_squares, &row->products, &row->mean,
                 &row->moment2, &row->moment3, &row->moment4, &row->top_squares, &row->max_abs}};
}

void cache_drift_pack(const DriftTable *table, Buffer *payload) {
    cache_bytes_put_count(payload, drift_table_count(table));
    for (size_t i = 0; i < drift_table_count(table); i++) {
        DriftRow row = {0};
        (void)drift_table_row(table, i, &row); /* it is there */
        Fields fields = list_fields(&row);
        cache_bytes_put_count(payload, row.is_compared);
        for (int c = 0; c < COUNTS; c++) cache_bytes_put_count(payload, *fields.counts[c]);
        for (int s = 0; s < SUMS; s++) cache_bytes_put_double(payload, *fields.sums[s]);
    }
}

/* Whether `row` can be the row of a tensor that begins as `start`. */
static bool is_possible(const DriftRow *row, const DriftRow *start, const PairTensor *tensor) {
    bool same_shape = row->count == start->count && row->sft_only_rows == start->sft_only_rows &&
                      row->base_only_rows == start->base_only_rows;
    bool counted = row->changed <= row->count && row->sign_flips <= row->count &&
                   row->base_nonfinite <= row->count && row->sft_nonfinite <= row->count;
    bool placed = row->count == 0
                      ? row->max_row == 0 && row->max_column == 0
                      : row->max_row < tensor->sft->rows && row->max_column < tensor->sft->columns;
    return same_shape && counted && placed;
}

static bool take_row(CacheReader *reader, const PairTensor *tensor, DriftRow *row) {
    DriftRow start;
    drift_start_row(tensor, &start);
    *row = start;
    uint64_t is_compared = cache_bytes_take_count(reader);
    Fields fields = list_fields(row);
    for (int c = 0; c < COUNTS; c++) *fields.counts[c] = cache_bytes_take_count(reader);
    for (int s = 0; s < SUMS; s++) *fields.sums[s] = cache_bytes_take_double(reader);
    if (reader->failed || is_compared != start.is_compared || !is_possible(row, &start, tensor)) return false;
    row->is_equal =
        row->is_compared && row->changed == 0 && row->sft_only_rows == 0 && row->base_only_rows == 0;
    row->equal_tensors = row->is_equal ? 1 : 0;
    return true;
}

bool cache_drift_unpack(const Pair *pair, DriftTable *table, const unsigned char *bytes, size_t size) {
    CacheReader reader = {.next = bytes, .left = size};
    DriftRow *rows = memory_allocate(pair->count, sizeof *rows);
    bool sound = rows != NULL && cache_bytes_take_count(&reader) == pair->count;
    for (size_t i = 0; i < pair->count && sound; i++) sound = take_row(&reader, &pair->tensors[i], &rows[i]);
    sound = sound && cache_bytes_end(&reader);
    for (size_t i = 0; i < pair->count && sound; i++) drift_table_publish(table, i, &rows[i]);
    free(rows);
    return sound;
}
