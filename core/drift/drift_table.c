#include "core/drift/drift_table.h"

#include "core/support/memory.h"

#include <stdlib.h>

void drift_start_row(const PairTensor *tensor, DriftRow *row) {
    *row = (DriftRow){.tensor = tensor};
    if (!drift_is_comparable(tensor)) return;
    uint64_t base = tensor->base->rows, sft = tensor->sft->rows, common = base < sft ? base : sft;
    row->is_compared = true;
    row->tensors = 1;
    row->count = common * tensor->sft->columns;
    row->sft_only_rows = sft - common;
    row->base_only_rows = base - common;
}

/* ---- rows ---- */

Status drift_table_create(const Pair *pair, DriftTable **table, Error *error) {
    *table = NULL;
    DriftTable *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the drift table");
    made->pair = pair;
    made->count = pair->count;
    made->rows = memory_allocate(pair->count, sizeof *made->rows);
    made->ready = memory_allocate(pair->count, sizeof *made->ready);
    if (made->rows == NULL || made->ready == NULL) {
        drift_table_free(made);
        return memory_fail(error, "the drift table");
    }
    for (size_t i = 0; i < made->count; i++) atomic_init(&made->ready[i], false);
    atomic_init(&made->ready_count, 0);
    *table = made;
    return STATUS_OK;
}

void drift_table_free(DriftTable *table) {
    if (table == NULL) return;
    free(table->rows);
    free(table->ready);
    free(table);
}

void drift_table_publish(DriftTable *table, size_t index, const DriftRow *row) {
    table->rows[index] = *row;
    atomic_store_explicit(&table->ready[index], true, memory_order_release);
    (void)atomic_fetch_add_explicit(&table->ready_count, 1, memory_order_release);
}

bool drift_table_row(const DriftTable *table, size_t index, DriftRow *row) {
    if (index >= table->count || !atomic_load_explicit(&table->ready[index], memory_order_acquire))
        return false;
    *row = table->rows[index];
    return true;
}

size_t drift_table_count(const DriftTable *table) {
    return table->count;
}

size_t drift_table_ready(const DriftTable *table) {
    return atomic_load_explicit(&table->ready_count, memory_order_acquire);
}

/* ---- sums and ranks ---- */

typedef bool (*RowTest)(const DriftRow *row, int wanted);

static bool any(const DriftRow *row, int wanted) {
    (void)row, (void)wanted;
    return true;
}

static bool in_layer(const DriftRow *row, int wanted) {
    return row->tensor->layer == wanted;
}

static bool in_role(const DriftRow *row, int wanted) {
    return (int)row->tensor->role == wanted;
}

static size_t sum_rows(const DriftTable *table, RowTest test, int wanted, DriftRow *sum) {
    DriftRow row;
    *sum = (DriftRow){0};
    for (size_t i = 0; i < table->count; i++) {
        if (drift_table_row(table, i, &row) && row.is_compared && test(&row, wanted))
            drift_add_row(sum, &row);
    }
    return sum->tensors;
}

size_t drift_sum_all(const DriftTable *table, DriftRow *sum) {
    return sum_rows(table, any, 0, sum);
}

size_t drift_sum_layer(const DriftTable *table, int layer, DriftRow *sum) {
    return sum_rows(table, in_layer, layer, sum);
}

size_t drift_sum_role(const DriftTable *table, TensorRole role, DriftRow *sum) {
    return sum_rows(table, in_role, (int)role, sum);
}

size_t drift_sum_cell(const DriftTable *table, const Pair *pair, TensorRole role, int layer, DriftRow *sum,
                      size_t *waiting) {
    size_t count;
    const RoleEntry *entries = role_index_find(&pair->roles, role, layer, &count);
    DriftRow row;
    *sum = (DriftRow){0};
    *waiting = 0;
    for (size_t i = 0; i < count; i++) {
        if (!drift_table_row(table, entries[i].tensor, &row))
            ++*waiting;
        else if (row.is_compared)
            drift_add_row(sum, &row);
    }
    return sum->tensors;
}

typedef struct Ranked {
    double value;
    size_t index;
} Ranked;

static int more_first(const void *a, const void *b) {
    const Ranked *x = a, *y = b;
    if (x->value != y->value) return x->value > y->value ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

Status drift_rank(const DriftTable *table, DriftMetric metric, size_t *indexes, size_t *count, Error *error) {
    *count = 0;
    Ranked *ranked = memory_allocate(table->count, sizeof *ranked);
    if (ranked == NULL) return memory_fail(error, "the most drifted tensors");
    DriftRow row;
    for (size_t i = 0; i < table->count; i++) {
        if (!drift_table_row(table, i, &row) || !row.is_compared) continue;
        ranked[(*count)++] = (Ranked){drift_rank_value(&row, metric), i};
    }
    qsort(ranked, *count, sizeof *ranked, more_first);
    for (size_t i = 0; i < *count; i++) indexes[i] = ranked[i].index;
    free(ranked);
    return STATUS_OK;
}
