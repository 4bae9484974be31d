#include "core/drift/drift.h"

#include <math.h>
#include <stdio.h>
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

bool drift_is_undefined(const DriftRow *row, DriftMetric metric) {
    return isnan(drift_value(row, metric)) && row->base_nonfinite + row->sft_nonfinite == 0;
}

void drift_format_row(const DriftRow *row, DriftMetric metric, char *text, size_t size) {
    if (drift_is_undefined(row, metric))
        (void)snprintf(text, size, "-");
    else
        drift_format_value(metric, drift_value(row, metric), text, size);
}

/* ---- one tensor ---- */

bool drift_is_comparable(const PairTensor *tensor) {
    return tensor->is_fused && tensor->base != NULL;
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

double drift_rank_value(const DriftRow *row, DriftMetric metric) {
    double value = drift_value(row, metric);
    if (isnan(value)) return drift_is_undefined(row, metric) ? -INFINITY : INFINITY;
    return METRICS[metric].larger_is_more ? value : -value;
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
