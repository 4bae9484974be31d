/*
 * Measuring a part of a rung: a pair is opened for it, looked up in the cache, and closed again.
 */
#include "core/cache/cache_analysis.h"
#include "core/cache/cache_fingerprint.h"
#include "core/checkpoint/model.h"
#include "core/fusion/neurons.h"
#include "core/ladder/ladder_figures.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* One measurement under way. */
typedef struct Measuring {
    Pair *pair;
    Model *model; /* of parts on rows */
    const EvaluationRow *rows;
    size_t row_count;
    Side side; /* whose dormancy */
    const LadderKeep *keep;
    CacheOrigin origin;
    bool knows_content; /* of both models */
    bool was_kept;
    Job *job;
} Measuring;

/* ---- the cache ---- */

static void find_content(Measuring *measuring) {
    const Cache *cache = measuring->keep->cache;
    measuring->origin.threads = job_threads(measuring->job);
    if (measuring->keep->rows_hex != NULL)
        memcpy(measuring->origin.rows, measuring->keep->rows_hex, sizeof measuring->origin.rows);
    measuring->knows_content = cache != NULL &&
                               cache_fingerprint_find(cache, measuring->pair->base, measuring->origin.base) &&
                               cache_fingerprint_find(cache, measuring->pair->sft, measuring->origin.sft);
}

static CacheMethodShape shape_of(const Measuring *measuring) {
    return (CacheMethodShape){.table = neurons_list(measuring->model->config),
                              .heads = neurons_most_heads(measuring->model->config),
                              .vocabulary = forward_vocabulary(measuring->model),
                              .rows = measuring->rows,
                              .row_count = measuring->row_count};
}

static bool recall(Measuring *measuring, CacheAnalysis what, const CacheRecall *recall_to) {
    measuring->was_kept = measuring->knows_content &&
                          cache_analysis_recall(measuring->keep->cache, &measuring->origin, what, recall_to);
    return measuring->was_kept;
}

static bool learn_content(Measuring *measuring) {
    const Cache *cache = measuring->keep->cache;
    const Pair *pair = measuring->pair;
    if (measuring->knows_content) return true;
    if (!cache_fingerprint_is_settled(pair->base) || !cache_fingerprint_is_settled(pair->sft)) return false;
    uint64_t base = cache_fingerprint_unread(cache, pair->base);
    uint64_t total = base + cache_fingerprint_unread(cache, pair->sft);
    return cache_fingerprint_measure(cache, pair->base, 0, total, measuring->job, measuring->origin.base,
                                     NULL) == STATUS_OK &&
           cache_fingerprint_measure(cache, pair->sft, base, total, measuring->job, measuring->origin.sft,
                                     NULL) == STATUS_OK;
}

/* What was measured is there, whether or not it can be kept. */
static void keep(Measuring *measuring, CacheAnalysis what, const CacheMeasured *measured) {
    const LadderKeep *place = measuring->keep;
    if (place->cache == NULL || !place->may_write || !learn_content(measuring)) return;
    measuring->knows_content = true;
    if (!cache_fingerprint_is_unchanged(measuring->pair->base) ||
        !cache_fingerprint_is_unchanged(measuring->pair->sft))
        return;
    Status status = cache_analysis_keep(place->cache, &measuring->origin, what, measured, NULL);
    (void)status;
}

/* ---- drift ---- */

static Status pool(const Pair *pair, const DriftTable *table, LadderDrift *drift, Error *error) {
    size_t layers = 0;
    for (size_t i = 0; i < pair->count; i++)
        if (pair->tensors[i].layer >= 0 && (size_t)pair->tensors[i].layer >= layers)
            layers = (size_t)pair->tensors[i].layer + 1;
    *drift = (LadderDrift){.layer_count = layers};
    drift->layers = memory_allocate(layers > 0 ? layers : 1, sizeof *drift->layers);
    if (drift->layers == NULL) return memory_fail(error, "the ladder");
    (void)drift_sum_all(table, &drift->all); /* how many went in is in the row */
    for (size_t layer = 0; layer < layers; layer++) {
        (void)drift_sum_layer(table, (int)layer, &drift->layers[layer]);
        drift->layers[layer].tensor = NULL; /* the pair's, which is closed */
    }
    drift->all.tensor = NULL;
    return STATUS_OK;
}

static Status measure_drift(Measuring *measuring, LadderPart part, LadderRung *rung, Error *error) {
    DriftTable *table;
    Status status = drift_table_create(measuring->pair, &table, error);
    const CacheRecall to = {.pair = measuring->pair, .drift = table};
    if (status == STATUS_OK && !recall(measuring, CACHE_ANALYSIS_DRIFT, &to)) {
        status = drift_scan(measuring->pair, table, measuring->job, error);
        if (status == STATUS_OK) keep(measuring, CACHE_ANALYSIS_DRIFT, &(CacheMeasured){.drift = table});
    }
    if (status == STATUS_OK) status = pool(measuring->pair, table, &rung->drift[part], error);
    drift_table_free(table);
    return status;
}

/* ---- on rows ---- */

static Status evaluate(const Measuring *measuring, DistributionAverages averages[2], Error *error) {
    Evaluation *evaluation = NULL;
    EvaluationResult base = {0}, sft = {0};
    Status status =
        evaluation_create(measuring->model, measuring->rows, measuring->row_count, 0, &evaluation, error);
    if (status == STATUS_OK) status = evaluation_prepare(evaluation, &base, &sft, measuring->job, error);
    if (status == STATUS_OK) {
        averages[SIDE_BASE] = base.averages;
        averages[SIDE_SFT] = sft.averages;
    }
    evaluation_free_result(&base);
    evaluation_free_result(&sft);
    evaluation_free(evaluation);
    return status;
}

static Status measure_averages(Measuring *measuring, DistributionAverages averages[2], Error *error) {
    const CacheRecall to = {.pair = measuring->pair, .shape = shape_of(measuring), .averages = averages};
    if (recall(measuring, CACHE_ANALYSIS_AVERAGES, &to)) return STATUS_OK;
    Status status = evaluate(measuring, averages, error);
    if (status == STATUS_OK) keep(measuring, CACHE_ANALYSIS_AVERAGES, &(CacheMeasured){.averages = averages});
    return status;
}

static Status measure_dormancy(Measuring *measuring, LadderRung *rung, Error *error) {
    Side side = measuring->side;
    CacheAnalysis what = side == SIDE_BASE ? CACHE_ANALYSIS_DORMANCY_BASE : CACHE_ANALYSIS_DORMANCY_SFT;
    CacheRecall to = {.pair = measuring->pair, .shape = shape_of(measuring)};
    to.dormancy[side] = &rung->dormancy;
    if (recall(measuring, what, &to)) return STATUS_OK;
    const Settings settings = settings_at(side == SIDE_BASE ? 0.0 : 1.0);
    Status status = dormancy_run(measuring->model, &settings, measuring->rows, measuring->row_count,
                                 side == SIDE_SFT, &rung->dormancy, measuring->job, error);
    CacheMeasured measured = {.dormancy = {NULL, NULL}};
    measured.dormancy[side] = &rung->dormancy;
    if (status == STATUS_OK) keep(measuring, what, &measured);
    return status;
}

static Status measure_on_rows(Measuring *measuring, LadderPart part, LadderRung *rung, Error *error) {
    Status status = model_open(measuring->pair, &measuring->model, error);
    if (status != STATUS_OK) return status;
    if (part == LADDER_DORMANCY) return measure_dormancy(measuring, rung, error);
    return measure_averages(measuring, part == LADDER_PROMPT ? rung->prompt : rung->rows, error);
}

/* ---- a part ---- */

/* Base's own figures are those of the pair with the first rung, which may have enlarged the vocabulary. */
static Status open_pair(const Ladder *ladder, size_t number, LadderPart part, Pair **pair, Error *error) {
    if (part == LADDER_STEP) return ladder_open_pair(ladder, number - 1, number, pair, error);
    if (part == LADDER_TO_LAST) return ladder_open_pair(ladder, number, ladder->count, pair, error);
    return ladder_open_pair(ladder, 0, number > 0 ? number : 1, pair, error);
}

Status ladder_measure(const Ladder *ladder, size_t number, LadderPart part, const EvaluationRow *rows,
                      size_t row_count, const LadderKeep *keep_in, LadderRung *rung, Job *job, Error *error) {
    Measuring measuring = {.rows = rows,
                           .row_count = row_count,
                           .side = number > 0 ? SIDE_SFT : SIDE_BASE,
                           .keep = keep_in,
                           .job = job};
    ladder_figures_forget_rung(rung, part);
    Status status = open_pair(ladder, number, part, &measuring.pair, error);
    if (status != STATUS_OK) return status;
    find_content(&measuring);
    status = part < LADDER_DRIFTS ? measure_drift(&measuring, part, rung, error)
                                  : measure_on_rows(&measuring, part, rung, error);
    model_close(measuring.model);
    pair_close(measuring.pair);
    rung->has[part] = status == STATUS_OK;
    rung->was_kept = measuring.was_kept;
    if (status != STATUS_OK && status != STATUS_CANCELLED)
        (void)status_add_context(error, "rung %zu", number);
    return status;
}
