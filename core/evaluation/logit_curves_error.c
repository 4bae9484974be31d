#include "core/evaluation/logit_curves_internal.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>

/* What rounding of logits to float32 does, measured points or not. */
static const double ROUNDING = 4e-6;

/* Of what leaving two neighbours out does. */
static const double SHARE_OF_TWO = 0.25;

/* ---- one figure ---- */

static double widen(double error, double found, double measured, double share) {
    if (isnan(found) && isnan(measured)) return error; /* no next token */
    double difference = fabs(found - measured) * share;
    return isnan(difference) ? INFINITY : fmax(error, difference);
}

static double probability_of_next(const DistributionPosition *position) {
    return exp(position->next_log_probability);
}

static void widen_position(LogitErrors *errors, const DistributionPosition *found,
                           const DistributionPosition *measured, double share) {
    errors->entropy = widen(errors->entropy, found->entropy, measured->entropy, share);
    errors->kl_base = widen(errors->kl_base, found->kl_base, measured->kl_base, share);
    errors->kl_sft = widen(errors->kl_sft, found->kl_sft, measured->kl_sft, share);
    errors->probability = widen(errors->probability, found->top1, measured->top1, share);
    errors->probability =
        widen(errors->probability, probability_of_next(found), probability_of_next(measured), share);
}

static void widen_averages(DistributionAverages *wrong, const DistributionAverages *found,
                           const DistributionAverages *measured, double share) {
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++) {
        double *error = distribution_figure_of(wrong, i);
        *error = widen(*error, distribution_figure(found, i), distribution_figure(measured, i), share);
    }
}

/* ---- without some points ---- */

/* One turn: `left` points from `first` on are missing, and the first of them is looked at. */
typedef struct Turn {
    LogitCurves *curves;
    const EvaluationResult *measured; /* at `first` */
    DistributionPosition *found;      /* [positions] */
    double coefficients[CHEBYSHEV_MOST];
    size_t first;
    double share;
} Turn;

/* Tokens as they were kept of the point that is missing. */
static void widen_tokens(const Turn *turn, size_t position, const float *logs, LogitErrors *errors) {
    const LogitCurves *curves = turn->curves;
    const float *kept = curves->values + (position * curves->count + turn->first) * curves->width;
    for (size_t k = 0; k < curves->tokens; k++)
        errors->probability =
            widen(errors->probability, (double)expf(logs[k]), (double)expf(kept[k]), turn->share);
}

static void hold_position(void *argument, size_t position, unsigned worker) {
    (void)worker;
    Turn *turn = argument;
    float logs[LOGIT_CURVES_TOKENS];
    LogitErrors *errors = &turn->curves->errors[position];
    turn->found[position] = logit_curves_describe(turn->curves, position, turn->coefficients, logs);
    widen_position(errors, &turn->found[position], &turn->measured->positions[position], turn->share);
    widen_tokens(turn, position, logs, errors);
}

static Status take_turn(Turn *turn, size_t left, const EvaluationResult *results, Job *job, Error *error) {
    LogitCurves *curves = turn->curves;
    turn->measured = &results[turn->first];
    turn->share = left == 1 ? 1.0 : SHARE_OF_TWO;
    chebyshev_coefficients(curves->points, curves->count, turn->first, left, curves->points[turn->first],
                           turn->coefficients);
    Status status = job_run(job, curves->positions, hold_position, turn, error);
    if (status != STATUS_OK) return status;
    DistributionAverages found = distribution_average(turn->found, curves->positions);
    widen_averages(&curves->wrong, &found, &turn->measured->averages, turn->share);
    return STATUS_OK;
}

/* The largest that there is of it at the ends and in the middle. */
static double find_top1(const LogitCurves *curves, const EvaluationResult *results, size_t position) {
    double middle = results[curves->count / 2].positions[position].top1;
    return fmax(middle, fmax(results[0].positions[position].top1,
                             results[curves->count - 1].positions[position].top1));
}

/* Sums over a wide distribution are as large as its entropy, and its probabilities small. */
static void add_rounding(LogitCurves *curves, const EvaluationResult *results) {
    for (size_t i = 0; i < curves->positions; i++) {
        LogitErrors *errors = &curves->errors[i];
        double of_sums = ROUNDING * fmax(1.0, results[curves->count / 2].positions[i].entropy);
        errors->entropy += of_sums;
        errors->kl_base += of_sums;
        errors->kl_sft += of_sums;
        errors->probability += ROUNDING * find_top1(curves, results, i);
    }
}

Status logit_curves_measure_errors(LogitCurves *curves, const EvaluationResult *results, Job *job,
                                   Error *error) {
    Turn turn = {.curves = curves, .found = memory_allocate(curves->positions, sizeof *turn.found)};
    if (turn.found == NULL) return memory_fail(error, "errors of curves");
    Status status = STATUS_OK;
    uint64_t inner = curves->count - 2, done = 0;
    for (size_t left = 1; left <= 2; left++)
        for (turn.first = 1; turn.first + left < curves->count && status == STATUS_OK; turn.first++)
            status = job_report(job, "errors", done++, 2 * inner - 1)
                         ? take_turn(&turn, left, results, job, error)
                         : job_cancelled(error);
    free(turn.found);
    if (status == STATUS_OK) add_rounding(curves, results);
    return status;
}
