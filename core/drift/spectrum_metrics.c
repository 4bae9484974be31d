#include "core/drift/spectrum_metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *spectrum_method_name(SpectrumMethod method) {
    static const char *const NAMES[] = {[SPECTRUM_NONE] = "none",
                                        [SPECTRUM_NOT_FINITE] = "not_finite",
                                        [SPECTRUM_EXACT] = "exact",
                                        [SPECTRUM_LANCZOS] = "lanczos"};
    return NAMES[method];
}

void spectrum_free(Spectrum *spectrum) {
    free(spectrum->values);
    free(spectrum->errors);
    *spectrum = (Spectrum){0};
}

/* ---- the metrics ---- */

static const DriftMetricFacts METRICS[SPECTRUM_METRIC_COUNT] = {
    [SPECTRUM_NORM] = {"spectral_norm", "spectral norm", "‖Δ‖₂", "the largest singular value of the change",
                       DRIFT_SEQUENTIAL, 0.0, DRIFT_FORMAT_NUMBER, true, true},
    [SPECTRUM_STABLE_RANK] = {"stable_rank", "stable rank", "‖Δ‖²/‖Δ‖₂²",
                              "over how many directions the squared change is spread, by the largest",
                              DRIFT_SEQUENTIAL, 0.0, DRIFT_FORMAT_NUMBER, true, true},
    [SPECTRUM_EFFECTIVE_RANK] = {"effective_rank", "effective rank", "exp H(σ)",
                                 "over how many directions the change is spread, by the entropy of all",
                                 DRIFT_SEQUENTIAL, 0.0, DRIFT_FORMAT_NUMBER, true, true},
};

const DriftMetricFacts *spectrum_metric_facts(SpectrumMetric metric) {
    return &METRICS[metric];
}

SpectrumMetric spectrum_find_metric(const char *key) {
    SpectrumMetric metric = 0;
    while (metric < SPECTRUM_METRIC_COUNT && strcmp(METRICS[metric].key, key) != 0) metric++;
    return metric;
}

double spectrum_value(const Spectrum *spectrum, SpectrumMetric metric) {
    if (spectrum->count == 0) return NAN;
    double norm = spectrum->values[0], ratio = spectrum->norm / norm;
    switch (metric) {
    case SPECTRUM_NORM:
        return norm;
    case SPECTRUM_STABLE_RANK:
        return norm == 0.0 ? NAN : ratio * ratio;
    case SPECTRUM_EFFECTIVE_RANK:
        return spectrum->effective_rank;
    case SPECTRUM_METRIC_COUNT:
        break;
    }
    return NAN;
}

bool spectrum_is_undefined(const Spectrum *spectrum, SpectrumMetric metric) {
    return metric != SPECTRUM_NORM && spectrum->count > 0 && spectrum->values[0] == 0.0;
}

/* ---- the values together ---- */

double spectrum_energy(const Spectrum *spectrum, size_t count) {
    double squares = 0.0;
    if (spectrum->count == 0 || spectrum->norm == 0.0) return NAN;
    for (size_t i = 0; i < count && i < spectrum->count; i++) {
        double share = spectrum->values[i] / spectrum->norm;
        squares += share * share;
    }
    return fmin(squares, 1.0);
}

size_t spectrum_count_energy(const Spectrum *spectrum, double share) {
    double squares = 0.0;
    size_t count = 0;
    if (spectrum->count == 0 || spectrum->norm == 0.0) return 0;
    while (count < spectrum->count && squares < share) {
        double part = spectrum->values[count++] / spectrum->norm;
        squares += part * part;
    }
    return squares < share ? spectrum->count + 1 : count;
}

size_t spectrum_rank(const Spectrum *spectrum) {
    size_t rank = 0;
    while (rank < spectrum->count && spectrum->values[rank] > spectrum->errors[rank]) rank++;
    return rank;
}

/* ---- errors ---- */

double spectrum_largest_error(const Spectrum *spectrum) {
    double largest = 0.0;
    for (size_t i = 0; i < spectrum->count; i++) largest = fmax(largest, spectrum->errors[i]);
    return largest;
}

double spectrum_value_error(const Spectrum *spectrum, SpectrumMetric metric) {
    double value = spectrum_value(spectrum, metric);
    if (isnan(value)) return NAN;
    switch (metric) {
    case SPECTRUM_NORM:
        return spectrum->errors[0];
    case SPECTRUM_STABLE_RANK: { /* 1/σ² is steepest at the lower end */
        double lower = 1.0 - spectrum->errors[0] / spectrum->values[0];
        return lower > 0.0 ? value * (1.0 / (lower * lower) - 1.0) : INFINITY;
    }
    case SPECTRUM_EFFECTIVE_RANK:
        return spectrum->effective_rank_error;
    case SPECTRUM_METRIC_COUNT:
        break;
    }
    return NAN;
}

void spectrum_format_value(const Spectrum *spectrum, SpectrumMetric metric, bool ascii, char *text,
                           size_t size) {
    double value = spectrum_value(spectrum, metric), error = spectrum_value_error(spectrum, metric);
    /* a text that is cut is the caller's choice of size */
    if (isnan(value))
        (void)snprintf(text, size, "%s", spectrum->method == SPECTRUM_NOT_FINITE ? "nan" : "-");
    else if (error < 0.5e-4 * value)
        (void)snprintf(text, size, "%.4g", value);
    else
        (void)snprintf(text, size, "%.4g %s %.1g", value, ascii ? "+-" : "±", error);
}
