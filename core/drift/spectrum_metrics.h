/*
 * spectrum_metrics — the singular values of one Δ, and what they say of it. spectrum.h defines the metrics and
 * the methods.
 */
#ifndef REJUV_CORE_SPECTRUM_METRICS_H
#define REJUV_CORE_SPECTRUM_METRICS_H

#include "core/checkpoint/pair.h"
#include "core/drift/drift.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sizes of SPECTRUM_LANCZOS. */
enum {
    SPECTRUM_BLOCK = 16,
    SPECTRUM_STEPS = 24,
    SPECTRUM_LEADING = 16,
    SPECTRUM_BANDS = 16 /* parts of Δ whose sums are added in order */
};

typedef enum SpectrumMethod {
    SPECTRUM_NONE,       /* no matrix, or not comparable */
    SPECTRUM_NOT_FINITE, /* Δ holds a NaN or an infinity */
    SPECTRUM_EXACT,
    SPECTRUM_LANCZOS
} SpectrumMethod;

/* "none", "not_finite", "exact", "lanczos" */
const char *spectrum_method_name(SpectrumMethod method);

typedef struct Spectrum {
    const PairTensor *tensor;
    SpectrumMethod method;
    uint64_t rows, columns; /* that both sides have */
    size_t count;           /* of values; min(rows, columns) where exact */
    double *values;         /* [count] largest first */
    double *errors;         /* [count] as spectrum.h defines them */
    double norm;            /* ‖Δ‖_F */
    double effective_rank, effective_rank_error;
    double missed; /* relative; 0 where exact */
    uint64_t seed; /* of the random vectors; 0 where exact */
} Spectrum;

void spectrum_free(Spectrum *spectrum);

/* ---- the metrics, as data ---- */

typedef enum SpectrumMetric {
    SPECTRUM_NORM,
    SPECTRUM_STABLE_RANK,
    SPECTRUM_EFFECTIVE_RANK,
    SPECTRUM_METRIC_COUNT
} SpectrumMetric;

/* As drift's metrics have them, so that one legend, column or heatmap can show either. */
const DriftMetricFacts *spectrum_metric_facts(SpectrumMetric metric);

/* The metric of that key; SPECTRUM_METRIC_COUNT where there is none. */
SpectrumMetric spectrum_find_metric(const char *key);

/* NaN where it is undefined or there is no spectrum. */
double spectrum_value(const Spectrum *spectrum, SpectrumMetric metric);

/* Whether it is NaN because there is no change, whose ranks nothing defines: no value is at fault. */
bool spectrum_is_undefined(const Spectrum *spectrum, SpectrumMetric metric);

/* How far from the true value it may be, by the rules of spectrum.h; NaN where the value is. */
double spectrum_value_error(const Spectrum *spectrum, SpectrumMetric metric);

/* "1.234", "34.1 ± 0.2" where the error shows in four digits, "-" where undefined, "nan" where elements that
 * are not finite made it so. At most 47 bytes with the NUL; `ascii` writes "+-". */
void spectrum_format_value(const Spectrum *spectrum, SpectrumMetric metric, bool ascii, char *text,
                           size_t size);

/* ---- the values together: Σσ² = ‖Δ‖_F² ---- */

/* The share of ‖Δ‖_F² that the `count` largest values hold (all of them where count is larger), for Lanczos a
 * lower bound; NaN where there is no spectrum or Δ = 0. */
double spectrum_energy(const Spectrum *spectrum, size_t count);

/* How few of the largest values hold `share` (< 1) of ‖Δ‖_F²: for Lanczos so many certainly do. count + 1 where
 * those that are known do not; 0 where there is no spectrum or Δ = 0. */
size_t spectrum_count_energy(const Spectrum *spectrum, double share);

/* How many values are larger than their error, and so not 0: the numerical rank where exact, else no more
 * than it. */
size_t spectrum_rank(const Spectrum *spectrum);

/* The largest of `errors`; 0 where there are none. */
double spectrum_largest_error(const Spectrum *spectrum);

#endif
