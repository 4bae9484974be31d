#include "tui/commands/sweep.h"

#include "core/evaluation/evaluation.h"
#include "core/support/memory.h"
#include "tui/commands/batch_method.h"
#include "tui/commands/dial_options.h"

#include <stdlib.h>

/* So many settings share a pass over the files; more would cost memory for no less reading that matters. */
enum { PASS_SETTINGS = 16 };

static const double DEFAULT_ALPHA = 0.5; /* of a sweep over rho */

static Status open_rows(Batch *batch, Sweep *sweep, Error *error) {
    bool has_file = options_has(batch->options, OPTION_CALIBRATION);
    Status status = has_file ? batch_method_open_calibration(batch, &sweep->dials, error)
                             : batch_prompt_read(batch, &sweep->prompt, error);
    sweep->calibration = has_file ? sweep->dials.calibration : sweep->prompt.rows;
    return status;
}

/* Every rho at every alpha: alpha varies within rho. */
static Status make_settings(Batch *batch, Sweep *sweep, Error *error) {
    OptionValue alpha = *options_value(batch->options, OPTION_ALPHA_RANGE);
    const OptionValue *rho = dial_options_rho(batch->options);
    if (!alpha.given && rho->count > 1) alpha = (OptionValue){.number = DEFAULT_ALPHA, .count = 1};
    if (alpha.count * rho->count > OPTION_RANGE_POINTS) /* each at most as many, so the product fits */
        return status_fail(error, STATUS_ARGUMENT, "expected at most %d points of --alpha times --rho",
                           OPTION_RANGE_POINTS);
    const Range alphas = option_range(&alpha), rhos = option_range(rho);
    sweep->alphas = alphas.points;
    sweep->rhos = rhos.points;
    sweep->points = sweep->alphas * sweep->rhos;
    sweep->settings = memory_allocate(sweep->points, sizeof *sweep->settings);
    sweep->fused = memory_allocate(sweep->points, sizeof *sweep->fused);
    if (sweep->settings == NULL || sweep->fused == NULL) return memory_fail(error, "a sweep");
    for (size_t i = 0; i < sweep->points; i++) {
        sweep->settings[i] = sweep->dials.settings;
        sweep->settings[i].alpha = range_point(&alphas, i % alphas.points);
        sweep->settings[i].rho = range_point(&rhos, i / alphas.points);
    }
    return STATUS_OK;
}

Status sweep_measure_settings(Batch *batch, const Evaluation *evaluation, const Settings *settings,
                              size_t points, DistributionAverages *fused, EvaluationResult *last,
                              Error *error) {
    EvaluationResult results[PASS_SETTINGS];
    batch->progress.parts = (points + PASS_SETTINGS - 1) / PASS_SETTINGS;
    for (size_t at = 0; at < points; at += PASS_SETTINGS) {
        size_t count = points - at < PASS_SETTINGS ? points - at : PASS_SETTINGS;
        batch->progress.part = at / PASS_SETTINGS;
        Status status = evaluation_measure(evaluation, settings + at, count, results, batch->job, error);
        if (status != STATUS_OK) return status;
        for (size_t i = 0; i < count; i++) {
            fused[at + i] = results[i].averages;
            if (last != NULL && at + i == points - 1)
                *last = results[i];
            else
                evaluation_free_result(&results[i]);
        }
    }
    return STATUS_OK;
}

/* Of several ranks each measures a stretch of the points. */
static Status measure_points(Batch *batch, const Evaluation *evaluation, Sweep *sweep, Error *error) {
    size_t *firsts, own = ranks_own(batch->ranks);
    uint64_t *weights = memory_allocate(sweep->points, sizeof *weights);
    if (weights == NULL) return memory_fail(error, "a sweep");
    for (size_t i = 0; i < sweep->points; i++) weights[i] = 1;
    Status status = ranks_deal(batch->ranks, weights, sweep->points, &firsts, error);
    free(weights);
    if (status != STATUS_OK) return status;
    status = sweep_measure_settings(batch, evaluation, sweep->settings + firsts[own],
                                    firsts[own + 1] - firsts[own], sweep->fused + firsts[own], NULL, error);
    status = ranks_share(batch->ranks, status, sweep->fused, sizeof *sweep->fused, firsts, error);
    free(firsts);
    return status;
}

/* A prompt alone has no response: then every position of it is measured. */
static Status measure_prompt(Batch *batch, Sweep *sweep, Error *error) {
    EvaluationRow *rows = calibration_list_positions(sweep->prompt.rows, false);
    if (rows == NULL) return memory_fail(error, "a sweep");
    Evaluation *evaluation = NULL;
    EvaluationResult base = {0}, sft = {0};
    Status status = evaluation_create(batch->model, rows, sweep->prompt.rows->count, 0, &evaluation, error);
    if (status == STATUS_OK) status = evaluation_prepare(evaluation, &base, &sft, batch->job, error);
    if (status == STATUS_OK) {
        sweep->base = base.averages;
        sweep->sft = sft.averages;
        status = measure_points(batch, evaluation, sweep, error);
    }
    evaluation_free_result(&base);
    evaluation_free_result(&sft);
    evaluation_free(evaluation);
    free(rows);
    return status;
}

static Status measure(Batch *batch, Sweep *sweep, Error *error) {
    if (sweep->prompt.rows != NULL) return measure_prompt(batch, sweep, error);
    Status status = batch_method_evaluate(batch, &sweep->dials, error);
    if (status != STATUS_OK) return status;
    sweep->base = sweep->dials.base.averages;
    sweep->sft = sweep->dials.sft.averages;
    return measure_points(batch, sweep->dials.evaluation, sweep, error);
}

Status sweep_measure(Batch *batch, Sweep *sweep, Error *error) {
    const Options *options = batch->options;
    if (!options_has(options, OPTION_CALIBRATION) && !batch_prompt_is_given(options))
        return status_fail(
            error, STATUS_ARGUMENT,
            "expected what to measure on: --calibration, --prompt, --prompt-file, --chat or --ids");
    if (options_has(options, OPTION_CALIBRATION) && batch_prompt_is_given(options)) /* of a figure */
        return status_fail(error, STATUS_ARGUMENT,
                           "expected --calibration or a prompt to measure on, found both");
    Status status = dial_options_check(options, error);
    if (status == STATUS_OK) status = batch_open_model(batch, error);
    if (status == STATUS_OK) status = batch_method_read(batch, &sweep->dials, error);
    if (status == STATUS_OK) status = open_rows(batch, sweep, error);
    if (status == STATUS_OK && dial_options_want_reset(options))
        status = batch_method_rank(batch, &sweep->dials, error);
    if (status == STATUS_OK) status = make_settings(batch, sweep, error);
    return status == STATUS_OK ? measure(batch, sweep, error) : status;
}

void sweep_free(Sweep *sweep) {
    free(sweep->settings);
    free(sweep->fused);
    batch_prompt_free(&sweep->prompt);
    batch_method_free(&sweep->dials);
    *sweep = (Sweep){0};
}
