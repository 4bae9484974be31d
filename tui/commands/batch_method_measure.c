#include "core/method/neuron_ranking.h"
#include "core/method/selectors.h"
#include "core/support/memory.h"
#include "tui/commands/batch_method.h"

#include <stdlib.h>
#include <string.h>

Status batch_method_open_calibration(Batch *batch, BatchMethod *method, Error *error) {
    const char *path = options_text(batch->options, OPTION_CALIBRATION);
    if (method->calibration != NULL) return STATUS_OK;
    if (path == NULL)
        return status_fail(error, STATUS_ARGUMENT,
                           "expected --calibration FILE, the rows to measure neurons on");
    const CalibrationReading reading = {.tokenizer = batch->tokenizer,
                                        .config = batch->model->config,
                                        .end_token = options_text(batch->options, OPTION_END_TOKEN),
                                        .directory = checkpoint_text_directory(batch->pair->sft),
                                        .template = options_text(batch->options, OPTION_TEMPLATE)};
    Status status = calibration_read(path, &reading, batch->job, &method->calibration, error);
    if (status != STATUS_OK) return status;
    batch_say_rows(batch, method->calibration);
    method->rows = calibration_list_positions(method->calibration, true);
    return method->rows != NULL ? STATUS_OK : memory_fail(error, "calibration rows");
}

Status batch_method_evaluate(Batch *batch, BatchMethod *method, Error *error) {
    if (method->evaluation != NULL) return STATUS_OK;
    Status status = batch_method_open_calibration(batch, method, error);
    if (status == STATUS_OK)
        status = evaluation_create(batch->model, method->rows, method->calibration->count, 0,
                                   &method->evaluation, error);
    if (status == STATUS_OK)
        status = evaluation_prepare(method->evaluation, &method->base, &method->sft, batch->job, error);
    return status;
}

static Status attribute(Batch *batch, BatchMethod *method, size_t wanted, Error *error) {
    AttributionTarget *targets = NULL;
    size_t count = 0;
    Status status = batch_method_evaluate(batch, method, error);
    if (status == STATUS_OK)
        status = attribution_choose_targets(method->rows, method->calibration->count, &method->base,
                                            &method->sft, wanted, &targets, &count, error);
    if (status == STATUS_OK)
        status = attribution_run(batch->model, method->rows, targets, count, false, 0, &method->attribution,
                                 batch->job, error);
    free(targets);
    return status;
}

Status batch_method_attribute(Batch *batch, BatchMethod *method, Error *error) {
    size_t wanted = (size_t)options_value(batch->options, OPTION_TARGETS)->count;
    if (method->attribution.targets != NULL) return STATUS_OK;
    Status status = batch_method_open_calibration(batch, method, error);
    if (status == STATUS_OK && !batch_method_recall_attribution(batch, method))
        status = attribute(batch, method, wanted, error);
    if (status == STATUS_OK && method->attribution.target_count < wanted)
        batch_say(batch, "%zu targets of the %zu asked for: there are no more positions",
                  method->attribution.target_count, wanted);
    return status;
}

Status batch_method_measure_drift(Batch *batch, BatchMethod *method, Error *error) {
    if (method->drift != NULL || batch_method_recall_drift(batch, method)) return STATUS_OK;
    NeuronTable table = neurons_list(batch->model->config);
    Status status = neurons_check_model(batch->model, error);
    if (status == STATUS_OK) status = neurons_check(&table, error);
    if (status != STATUS_OK) return status;
    method->drift = memory_allocate((size_t)neurons_count(&table), sizeof *method->drift);
    if (method->drift == NULL) return memory_fail(error, "the drift of neurons");
    return selectors_measure_drift(batch->model, method->drift, batch->job, error);
}

Status batch_method_measure_dormancy(Batch *batch, BatchMethod *method, Side side, bool with_gradient,
                                     Error *error) {
    Dormancy *dormancy = &method->dormancy[side];
    const Settings settings = settings_of_side(side, &method->settings);
    if (dormancy->mlp_scores != NULL) return STATUS_OK;
    Status status = batch_method_open_calibration(batch, method, error);
    if (status != STATUS_OK || batch_method_recall_dormancy(batch, method, side)) return status;
    return dormancy_run(batch->model, &settings, method->rows, method->calibration->count, with_gradient,
                        dormancy, batch->job, error);
}

/* ---- the ranking ---- */

/* The gradient alone: where the rows are too long for a way back, all else that is known does not help. */
static Status measure_gradient(Batch *batch, BatchMethod *method, Error *error) {
    Status status = dormancy_check_gradient(batch->model, error);
    if (status == STATUS_OK) status = batch_method_measure_dormancy(batch, method, SIDE_SFT, true, error);
    const Error *why = &method->dormancy[SIDE_SFT].no_gradient;
    if (status != STATUS_OK || why->status == STATUS_OK) return status;
    if (error != NULL) *error = *why;
    return why->status;
}

/* What the selector goes by. */
static Status measure_for(Batch *batch, BatchMethod *method, Error *error) {
    switch (method->selector) {
    case SELECTOR_DRIFT:
        return batch_method_measure_drift(batch, method, error);
    case SELECTOR_GRADIENT:
        return measure_gradient(batch, method, error);
    case SELECTOR_DORMANCY:
        return batch_method_measure_dormancy(batch, method, SIDE_SFT, true, error);
    case SELECTOR_RANDOM:
        return neurons_check_model(batch->model, error);
    default:
        return batch_method_attribute(batch, method, error);
    }
}

static Status make_ranking(Batch *batch, BatchMethod *method, Error *error) {
    NeuronTable table = neurons_list(batch->model->config);
    OptionId seed = dial_options_seed(batch->options);
    Status status = measure_for(batch, method, error);
    if (status != STATUS_OK) return status;
    const NeuronSources sources = {.table = &table,
                                   .dormancy[SIDE_SFT] = &method->dormancy[SIDE_SFT],
                                   .attribution = &method->attribution,
                                   .drift = method->drift,
                                   .settings = &method->settings};
    RankingOrigin origin = neuron_ranking_origin(
        method->selector, method->attribution.target_count, options_value(batch->options, seed)->count,
        method->calibration == NULL ? "" : method->calibration->sha256);
    return neuron_ranking_create(&sources, &origin, &method->ranking, error);
}

Status batch_method_rank(Batch *batch, BatchMethod *method, Error *error) {
    if (method->ranking != NULL) return STATUS_OK;
    Status status = make_ranking(batch, method, error);
    method->settings.ranking = method->ranking;
    return status == STATUS_OK ? settings_check(&method->settings, batch->pair, error) : status;
}

void batch_method_free(BatchMethod *method) {
    attribution_free(&method->attribution);
    for (int side = 0; side < SIDE_COUNT; side++) dormancy_free(&method->dormancy[side]);
    free(method->drift);
    evaluation_free_result(&method->base);
    evaluation_free_result(&method->sft);
    evaluation_free(method->evaluation);
    free(method->rows);
    calibration_free(method->calibration);
    ranking_free(method->ranking);
    settings_curve_free(method->curve);
    cache_free(method->cache);
    *method = (BatchMethod){0};
}
