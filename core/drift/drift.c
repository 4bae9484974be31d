#include "core/drift/drift.h"

#include "core/drift/drift_table.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the metrics ---- */

static const DriftMetricFacts METRICS[DRIFT_METRIC_COUNT] = {
    [DRIFT_RELATIVE_NORM] = {"relative_norm", "relative norm", "‖Δ‖/‖B‖",
                             "norm of the change relative to the norm of base", DRIFT_SEQUENTIAL, 0.0,
                             DRIFT_FORMAT_NUMBER, true, true},
    [DRIFT_MEAN_SQUARE] = {"mean_square", "mean square", "Δ²", "mean squared change of an element",
                           DRIFT_SEQUENTIAL, 0.0, DRIFT_FORMAT_NUMBER, true, true},
    [DRIFT_NORM] = {"norm", "norm", "‖Δ‖", "Frobenius norm of the change", DRIFT_SEQUENTIAL, 0.0,
                    DRIFT_FORMAT_NUMBER, true, true},
    [DRIFT_MAX_ABS] = {"max_abs", "largest change", "|Δ|", "largest change of a single element",
                       DRIFT_SEQUENTIAL, 0.0, DRIFT_FORMAT_NUMBER, true, true},
    [DRIFT_COSINE] = {"cosine", "cosine", "", "cosine between base and SFT; 1 is the same direction",
                      DRIFT_SEQUENTIAL, 0.0, DRIFT_FORMAT_COSINE, false, true},
    [DRIFT_CHANGED] = {"changed", "changed", "of elements", "share of elements that differ at all",
                       DRIFT_SEQUENTIAL, 0.0, DRIFT_FORMAT_PERCENT, true, true},
    [DRIFT_SIGN_FLIPS] = {"sign_flips", "sign flips", "of elements",
                          "share of elements that went from one side of zero to the other", DRIFT_SEQUENTIAL,
                          0.0, DRIFT_FORMAT_PERCENT, true, true},
    [DRIFT_KURTOSIS] = {"kurtosis", "kurtosis", "normal: 3",
                        "how far the change sits in few elements; a normal distribution has 3",
                        DRIFT_DIVERGING, 3.0, DRIFT_FORMAT_NUMBER, true, true},
    [DRIFT_TOP1_SHARE] = {"top1_share", "top 1% share", "of ΣΔ²",
                          "share of the squared change held by the largest 1% of elements", DRIFT_SEQUENTIAL,
                          0.0, DRIFT_FORMAT_PERCENT, true, true},
    [DRIFT_BASE_NORM] = {"base_norm", "norm of base", "‖B‖", "Frobenius norm of the base tensor",
                         DRIFT_SEQUENTIAL, 0.0, DRIFT_FORMAT_NUMBER, true, false},
    [DRIFT_SFT_NORM] = {"sft_norm", "norm of SFT", "‖S‖", "Frobenius norm of the SFT tensor",
                        DRIFT_SEQUENTIAL, 0.0, DRIFT_FORMAT_NUMBER, true, false},
};

const DriftMetricFacts *drift_metric_facts(DriftMetric metric) {
    return &METRICS[metric];
}

DriftMetric drift_find_metric(const char *key) {
    DriftMetric metric = 0;
    while (metric < DRIFT_METRIC_COUNT && strcmp(METRICS[metric].key, key) != 0) metric++;
    return metric;
}

void drift_format_value(DriftMetric metric, double value, char *text, size_t size) {
    /* a text that is cut is the caller's choice of size */
    if (isnan(value))
        (void)snprintf(text, size, "nan");
    else if (METRICS[metric].format == DRIFT_FORMAT_PERCENT)
        (void)snprintf(text, size, value != 0.0 && value < 0.0995 ? "%.2f%%" : "%.1f%%", 100.0 * value);
    else if (METRICS[metric].format == DRIFT_FORMAT_COSINE)
        (void)snprintf(text, size, "%.6f", value);
    else /* 0.05400 below 0.05522: with its zeros */
        (void)snprintf(text, size, fabs(value) < 999.95 && value != 0.0 ? "%#.4g" : "%.4g", value);
}

static bool is_undefined(const DriftRow *row, double value) {
    return isnan(value) && row->base_nonfinite + row->sft_nonfinite == 0;
}

void drift_format_row(const DriftRow *row, DriftMetric metric, char *text, size_t size) {
    double value = drift_value(row, metric);
    if (is_undefined(row, value))
        (void)snprintf(text, size, "-");
    else
        drift_format_value(metric, value, text, size);
}

/* ---- one tensor ---- */

bool drift_is_comparable(const PairTensor *tensor) {
    return tensor->is_fused && tensor->base != NULL;
}

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

double drift_relative(double difference_norm, double base_norm) {
    if (base_norm == 0.0 && difference_norm == 0.0) return 0.0;
    return difference_norm / base_norm;
}

static double cosine(const DriftRow *row) {
    double norms = sqrt(row->sft_squares) * sqrt(row->base_squares);
    if (norms == 0.0) return row->difference_squares == 0.0 ? 1.0 : 0.0;
    return row->products / norms;
}

double drift_value(const DriftRow *row, DriftMetric metric) {
    double n = (double)row->count;
    if (!row->is_compared) return NAN;
    switch (metric) {
    case DRIFT_RELATIVE_NORM:
        return drift_relative(sqrt(row->difference_squares), sqrt(row->base_squares));
    case DRIFT_MEAN_SQUARE:
        return row->count == 0 ? NAN : row->difference_squares / n;
    case DRIFT_NORM:
        return sqrt(row->difference_squares);
    case DRIFT_MAX_ABS:
        return row->max_abs;
    case DRIFT_COSINE:
        return cosine(row);
    case DRIFT_CHANGED:
        return row->count == 0 ? NAN : (double)row->changed / n;
    case DRIFT_SIGN_FLIPS:
        return row->count == 0 ? NAN : (double)row->sign_flips / n;
    case DRIFT_KURTOSIS:
        return row->moment2 == 0.0 ? NAN : n * row->moment4 / (row->moment2 * row->moment2);
    case DRIFT_TOP1_SHARE:
        return row->difference_squares == 0.0 ? NAN : row->top_squares / row->difference_squares;
    case DRIFT_BASE_NORM:
        return sqrt(row->base_squares);
    case DRIFT_SFT_NORM:
        return sqrt(row->sft_squares);
    case DRIFT_METRIC_COUNT:
        break;
    }
    return NAN;
}

/* Moments of the union of two sets from those of each (Pébay 2008, equations 2.1 and up). */
static void add_moments(DriftRow *sum, const DriftRow *row) {
    if (row->count == 0) return;
    double a = (double)sum->count, b = (double)row->count, n = a + b;
    double delta = row->mean - sum->mean, delta2 = delta * delta;
    double moment4 = delta2 * delta2 * a * b * (a * a - a * b + b * b) / (n * n * n) +
                     6.0 * delta2 * (a * a * row->moment2 + b * b * sum->moment2) / (n * n) +
                     4.0 * delta * (a * row->moment3 - b * sum->moment3) / n;
    double moment3 =
        delta2 * delta * a * b * (a - b) / (n * n) + 3.0 * delta * (a * row->moment2 - b * sum->moment2) / n;
    sum->mean += delta * b / n;
    sum->moment4 += row->moment4 + moment4;
    sum->moment3 += row->moment3 + moment3;
    sum->moment2 += row->moment2 + delta2 * a * b / n;
}

void drift_add_row(DriftRow *sum, const DriftRow *row) {
    if (!row->is_compared) return;
    bool is_first = !sum->is_compared;
    add_moments(sum, row);
    /* the first NaN stays: it is where the trouble begins */
    if (is_first || row->max_abs > sum->max_abs || (isnan(row->max_abs) && !isnan(sum->max_abs))) {
        sum->tensor = row->tensor;
        sum->max_abs = row->max_abs;
        sum->max_row = row->max_row;
        sum->max_column = row->max_column;
    }
    sum->is_compared = true;
    sum->is_equal = (is_first || sum->is_equal) && row->is_equal;
    sum->count += row->count;
    sum->sft_only_rows += row->sft_only_rows;
    sum->base_only_rows += row->base_only_rows;
    sum->changed += row->changed;
    sum->sign_flips += row->sign_flips;
    sum->base_nonfinite += row->base_nonfinite;
    sum->sft_nonfinite += row->sft_nonfinite;
    sum->difference_squares += row->difference_squares;
    sum->base_squares += row->base_squares;
    sum->sft_squares += row->sft_squares;
    sum->products += row->products;
    sum->top_squares += row->top_squares;
    sum->tensors += row->tensors;
    sum->equal_tensors += row->equal_tensors;
}

/* ---- the table ---- */

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

double drift_rank_value(const DriftRow *row, DriftMetric metric) {
    double value = drift_value(row, metric);
    if (isnan(value)) return is_undefined(row, value) ? -INFINITY : INFINITY;
    return METRICS[metric].larger_is_more ? value : -value;
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
