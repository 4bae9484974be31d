#include "core/evaluation/logit_curves.h"

#include "core/evaluation/logit_curves_internal.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool logit_curves_cover(const LogitCurves *curves, const Settings *settings) {
    Settings measured = curves->settings;
    measured.alpha = settings->alpha;
    if (measured.rho == 0.0 && settings->rho == 0.0)
        measured.ranking = settings->ranking; /* which does nothing yet */
    return settings_equal(&measured, settings) && settings->alpha >= curves->points[0] &&
           settings->alpha <= curves->points[curves->count - 1];
}

/* ---- one position ---- */

static void interpolate(const LogitCurves *curves, size_t position, const double *coefficients, double *row) {
    const float *values = curves->values + position * curves->count * curves->width;
    for (size_t k = 0; k < curves->width; k++) row[k] = 0.0;
    for (size_t i = 0; i < curves->count; i++, values += curves->width) {
        double coefficient = coefficients[i];
        if (coefficient == 0.0) continue;
        for (size_t k = 0; k < curves->width; k++) row[k] += coefficient * (double)values[k];
    }
}

/* A KL that rounding, or the polynomial, makes negative is 0; a NaN stays. */
static double bound_kl(double kl) {
    return kl < 0.0 ? 0.0 : kl;
}

DistributionPosition logit_curves_describe(const LogitCurves *curves, size_t position,
                                           const double *coefficients, float *logs) {
    const CurvePosition *facts = &curves->facts[position];
    double row[CURVE_MOST_WIDTH];
    interpolate(curves, position, coefficients, row);
    const double *extra = row + curves->tokens;
    double rest = curves->has_rest ? exp(extra[CURVE_REST]) : 0.0, sum = rest;
    double weighted = rest * extra[CURVE_REST_MEAN];
    size_t top = 0;
    for (size_t k = 0; k < curves->tokens; k++) {
        double p = (double)expf((float)row[k]);
        sum += p;
        weighted += p * row[k];
        if (row[k] > row[top]) top = k;
    }
    double log_sum = log(sum), entropy = log_sum - weighted / sum;
    for (size_t k = 0; k < curves->tokens; k++) logs[k] = (float)(row[k] - log_sum);
    int32_t id = curves->ids[position * curves->tokens + top];
    double next = facts->next < 0 ? NAN : row[facts->next_slot] - log_sum;
    return (DistributionPosition){.top = id,
                                  .next = facts->next,
                                  .same_top_base = id == facts->base_top,
                                  .same_top_sft = id == facts->sft_top,
                                  .log_normalizer = NAN,
                                  .entropy = entropy < 0.0 ? 0.0 : entropy,
                                  .top1 = exp(row[top] - log_sum),
                                  .next_log_probability = next,
                                  .kl_base = bound_kl(extra[CURVE_KL_BASE] + log_sum),
                                  .kl_sft = bound_kl(extra[CURVE_KL_SFT] + log_sum),
                                  .dp_base = exp(next) - facts->base_next};
}

/* ---- all of them ---- */

static Status reserve(const LogitCurves *curves, LogitEstimate *estimate, Error *error) {
    EvaluationResult *result = &estimate->result;
    if (result->positions != NULL) return STATUS_OK;
    *result = (EvaluationResult){.count = curves->positions, .top_count = curves->top_count};
    result->positions = memory_allocate(result->count, sizeof *result->positions);
    if (result->top_count > 0)
        result->top = memory_allocate(result->count, result->top_count * sizeof *result->top);
    if (result->positions != NULL && (result->top_count == 0 || result->top != NULL)) return STATUS_OK;
    logit_curves_free_estimate(estimate);
    return memory_fail(error, "distributions between points of α");
}

void logit_curves_free_estimate(LogitEstimate *estimate) {
    evaluation_free_result(&estimate->result);
    *estimate = (LogitEstimate){0};
}

static void list_top(const LogitCurves *curves, size_t position, const float *logs, DistributionToken *top) {
    const int32_t *ids = curves->ids + position * curves->tokens;
    distribution_find_top(logs, curves->tokens, 0.0, top, curves->top_count);
    for (size_t i = 0; i < curves->top_count; i++) top[i].id = ids[top[i].id];
}

/* By how much the most likely token is ahead of the next. */
static double find_lead(const float *logs, size_t tokens) {
    DistributionToken top[2];
    if (tokens < 2) return 1.0;
    distribution_find_top(logs, tokens, 0.0, top, 2);
    return exp((double)top[0].log_probability) - exp((double)top[1].log_probability);
}

/* What is measured of an average may be less than its own rounding. */
static void add_rounding(const DistributionAverages *averages, DistributionAverages *wrong) {
    static const double RELATIVE = 4e-7;
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++) {
        double *error = distribution_figure_of(wrong, i), value = distribution_figure(averages, i);
        if (!DISTRIBUTION_FIGURES[i].is_share) *error = fmax(*error, RELATIVE * fabs(value));
    }
}

/* Positions that may be on the other side of an edge. */
typedef struct Undecided {
    size_t confident, top;
} Undecided;

static void add_undecided(const LogitErrors *errors, const DistributionPosition *at, double lead,
                          Undecided *undecided) {
    undecided->confident += !(fabs(at->top1 - DISTRIBUTION_CONFIDENT) > errors->probability);
    undecided->top += !(lead > 2.0 * errors->probability);
}

Status logit_curves_estimate(const LogitCurves *curves, const Settings *settings, LogitEstimate *estimate,
                             Error *error) {
    Status status = reserve(curves, estimate, error);
    if (status != STATUS_OK) return status;
    EvaluationResult *result = &estimate->result;
    double coefficients[CHEBYSHEV_MOST];
    float logs[LOGIT_CURVES_TOKENS];
    Undecided undecided = {0};
    chebyshev_coefficients(curves->points, curves->count, 0, 0, settings->alpha, coefficients);
    for (size_t i = 0; i < curves->positions; i++) {
        result->positions[i] = logit_curves_describe(curves, i, coefficients, logs);
        add_undecided(&curves->errors[i], &result->positions[i], find_lead(logs, curves->tokens), &undecided);
        if (result->top != NULL) list_top(curves, i, logs, result->top + i * result->top_count);
    }
    result->settings = *settings;
    result->averages = distribution_average(result->positions, result->count);
    double positions = (double)curves->positions, flips = (double)undecided.top / positions;
    estimate->errors = curves->errors;
    estimate->wrong = curves->wrong;
    add_rounding(&result->averages, &estimate->wrong);
    estimate->wrong.confident = fmax(estimate->wrong.confident, (double)undecided.confident / positions);
    estimate->wrong.same_top1_base = fmax(estimate->wrong.same_top1_base, flips);
    estimate->wrong.same_top1_sft = fmax(estimate->wrong.same_top1_sft, flips);
    return STATUS_OK;
}

double logit_curves_probability(const LogitEstimate *estimate, size_t position, int32_t token) {
    const EvaluationResult *result = &estimate->result;
    const DistributionPosition *own = &result->positions[position];
    const DistributionToken *top = result->top + position * result->top_count;
    if (token == own->next && token >= 0) return exp(own->next_log_probability);
    for (size_t i = 0; i < result->top_count; i++)
        if (top[i].id == token) return exp((double)top[i].log_probability);
    return NAN;
}
