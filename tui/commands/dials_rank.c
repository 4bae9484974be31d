#include "core/method/selection.h"
#include "core/support/memory.h"
#include "tui/commands/dials.h"

#include <stdlib.h>
#include <string.h>

Status dials_open_calibration(Batch *batch, Dials *dials, Error *error) {
    const char *path = options_text(batch->options, OPTION_CALIBRATION);
    if (dials->calibration != NULL) return STATUS_OK;
    if (path == NULL)
        return status_fail(error, STATUS_ARGUMENT,
                           "expected --calibration FILE, the rows to measure neurons on");
    Status status = calibration_read(path, batch->tokenizer, batch->model->config, 0, batch->job,
                                     &dials->calibration, error);
    if (status == STATUS_OK) status = hash_file(path, batch->job, NULL, dials->calibration_sha256, error);
    if (status != STATUS_OK) return status;
    dials->rows = calibration_list_positions(dials->calibration, true);
    return dials->rows != NULL ? STATUS_OK : memory_fail(error, "calibration rows");
}

Status dials_evaluate(Batch *batch, Dials *dials, Error *error) {
    if (dials->evaluation != NULL) return STATUS_OK;
    Status status = dials_open_calibration(batch, dials, error);
    if (status == STATUS_OK)
        status = evaluation_create(batch->model, dials->rows, dials->calibration->count, 0,
                                   &dials->evaluation, error);
    if (status == STATUS_OK)
        status = evaluation_prepare(dials->evaluation, &dials->base, &dials->sft, batch->job, error);
    return status;
}

static Status attribute(Batch *batch, Dials *dials, size_t wanted, Error *error) {
    AttributionTarget *targets = NULL;
    size_t count = 0;
    Status status = dials_evaluate(batch, dials, error);
    if (status == STATUS_OK)
        status = attribution_choose_targets(dials->rows, dials->calibration->count, &dials->base, &dials->sft,
                                            wanted, &targets, &count, error);
    if (status == STATUS_OK)
        status = attribution_run(batch->model, dials->rows, targets, count, false, 0, &dials->attribution,
                                 batch->job, error);
    free(targets);
    return status;
}

Status dials_attribute(Batch *batch, Dials *dials, Error *error) {
    size_t wanted = (size_t)options_value(batch->options, OPTION_TARGETS)->count;
    if (dials->attribution.targets != NULL) return STATUS_OK;
    Status status = dials_open_calibration(batch, dials, error);
    if (status == STATUS_OK && !dials_recall_attribution(batch, dials))
        status = attribute(batch, dials, wanted, error);
    if (status == STATUS_OK && dials->attribution.target_count < wanted)
        batch_say(batch, "%zu targets of the %zu asked for: there are no more positions",
                  dials->attribution.target_count, wanted);
    return status;
}

Status dials_measure_drift(Batch *batch, Dials *dials, Error *error) {
    if (dials->drift != NULL || dials_recall_drift(batch, dials)) return STATUS_OK;
    NeuronTable table = neurons_list(batch->model->config);
    Status status = neurons_check(&table, error);
    if (status != STATUS_OK) return status;
    dials->drift = memory_allocate((size_t)neurons_count(&table), sizeof *dials->drift);
    if (dials->drift == NULL) return memory_fail(error, "the drift of neurons");
    return selection_measure_drift(batch->model, dials->drift, batch->job, error);
}

Status dials_measure_dormancy(Batch *batch, Dials *dials, DialsSide side, Error *error) {
    Dormancy *dormancy = &dials->dormancy[side];
    Settings settings = {.alpha = side == DIALS_SFT ? 1.0 : 0.0};
    if (side == DIALS_FUSED) settings = dials->settings;
    if (dormancy->mlp_scores != NULL) return STATUS_OK;
    Status status = dials_open_calibration(batch, dials, error);
    if (status != STATUS_OK || dials_recall_dormancy(batch, dials, side)) return status;
    return dormancy_run(batch->model, &settings, dials->rows, dials->calibration->count, side == DIALS_SFT,
                        dormancy, batch->job, error);
}

/* ---- the ranking ---- */

static Status rank_by_attribution(Batch *batch, Dials *dials, const NeuronTable *table, Error *error) {
    Status status = dials_attribute(batch, dials, error);
    if (status != STATUS_OK) return status;
    RankingOrigin origin = {.selector = SELECTOR_ATTRIBUTION, .targets = dials->attribution.target_count};
    memcpy(origin.calibration_sha256, dials->calibration_sha256, sizeof origin.calibration_sha256);
    /* ranks are not negative, so they are the same numbers without a sign */
    return ranking_create(table, &origin, (const uint32_t *)dials->attribution.best_rank, &dials->ranking,
                          error);
}

static Status rank_by_dormancy(Batch *batch, Dials *dials, const NeuronTable *table, Error *error) {
    Status status = dials_measure_dormancy(batch, dials, DIALS_SFT, error);
    if (status != STATUS_OK) return status;
    RankingOrigin origin = {.selector = dials->selector};
    memcpy(origin.calibration_sha256, dials->calibration_sha256, sizeof origin.calibration_sha256);
    return selection_rank_dormancy(table, &origin, &dials->dormancy[DIALS_SFT], &dials->ranking, error);
}

static Status rank_by_drift(Batch *batch, Dials *dials, const NeuronTable *table, Error *error) {
    const RankingOrigin origin = {.selector = SELECTOR_DRIFT};
    Status status = dials_measure_drift(batch, dials, error);
    return status == STATUS_OK ? ranking_create_by_score(table, &origin, dials->drift, &dials->ranking, error)
                               : status;
}

static Status rank_at_random(const Batch *batch, Dials *dials, const NeuronTable *table, Error *error) {
    OptionId seed = batch->options->command == COMMAND_PREVIEW ? OPTION_SEED : OPTION_SEED_RANDOM;
    return ranking_create_random(table, options_value(batch->options, seed)->count, &dials->ranking, error);
}

static Status make_ranking(Batch *batch, Dials *dials, Error *error) {
    NeuronTable table = neurons_list(batch->model->config);
    switch (dials->selector) {
    case SELECTOR_DRIFT:
        return rank_by_drift(batch, dials, &table, error);
    case SELECTOR_DORMANCY:
    case SELECTOR_GRADIENT:
        return rank_by_dormancy(batch, dials, &table, error);
    case SELECTOR_RANDOM:
        return rank_at_random(batch, dials, &table, error);
    default:
        return rank_by_attribution(batch, dials, &table, error);
    }
}

Status dials_rank(Batch *batch, Dials *dials, Error *error) {
    if (dials->ranking != NULL) return STATUS_OK;
    Status status = make_ranking(batch, dials, error);
    dials->settings.ranking = dials->ranking;
    return status == STATUS_OK ? settings_check(&dials->settings, batch->pair, error) : status;
}

void dials_free(Dials *dials) {
    attribution_free(&dials->attribution);
    for (int side = 0; side < DIALS_SIDES; side++) dormancy_free(&dials->dormancy[side]);
    free(dials->drift);
    evaluation_free_result(&dials->base);
    evaluation_free_result(&dials->sft);
    evaluation_free(dials->evaluation);
    free(dials->rows);
    calibration_free(dials->calibration);
    ranking_free(dials->ranking);
    cache_free(dials->cache);
    *dials = (Dials){0};
}
