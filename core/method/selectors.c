#include "core/method/selectors.h"

#include "core/drift/drift.h"
#include "core/fusion/neurons_tensor.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- drift ---- */

static Status measure_matrix(const Model *model, const NeuronTable *table, const NeuronBlock *matrix,
                             double *drift, Job *job, Error *error) {
    const PairTensor *tensor = neurons_tensor_weight(model, matrix);
    DriftProfile profile;
    NeuronTensor found;
    for (uint64_t i = 0; i < matrix->count; i++) drift[i] = NAN;
    if (!drift_is_comparable(tensor) || neurons_tensor_find(table, tensor, &found) != NEURONS_FIT)
        return STATUS_OK;
    Status status = drift_profile(tensor, &profile, job, error);
    if (status != STATUS_OK) return status;
    bool by_rows = found.axis == NEURON_ROW;
    uint64_t known = by_rows ? profile.rows : profile.columns;
    const double *difference = by_rows ? profile.row_difference : profile.column_difference,
                 *base = by_rows ? profile.row_base : profile.column_base;
    for (uint64_t i = 0; i < matrix->count && i < known; i++)
        drift[i] = isfinite(difference[i]) ? drift_relative(difference[i], base[i]) : -INFINITY;
    drift_profile_free(&profile);
    return STATUS_OK;
}

static Status measure_block(const Model *model, const NeuronTable *table, const NeuronBlock *block,
                            double *drift, Job *job, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < neurons_matrix_count(table, block) && status == STATUS_OK; i++) {
        NeuronBlock matrix = neurons_matrix(table, block, i);
        if (matrix.count > 0)
            status = measure_matrix(model, table, &matrix, drift + (matrix.first - block->first), job, error);
    }
    return status;
}

Status selectors_measure_drift(const Model *model, double *drift, Job *job, Error *error) {
    NeuronTable table = neurons_list(model->config);
    size_t blocks = neurons_block_count(&table);
    Status status = neurons_check_model(model, error);
    for (size_t i = 0; i < blocks && status == STATUS_OK; i++) {
        NeuronBlock block = neurons_block(&table, i);
        if (block.count == 0) continue;
        if (!job_report(job, "drift of neurons", i, blocks)) return job_cancelled(error);
        status = measure_block(model, &table, &block, drift + block.first, job, error);
    }
    return status;
}

Status selectors_rank_drift(const NeuronTable *table, const RankingOrigin *origin, const double *drift,
                            Ranking **ranking, Error *error) {
    *ranking = NULL;
    for (uint64_t neuron = 0; neuron < neurons_count(table); neuron++) {
        if (drift[neuron] != -INFINITY) continue;
        char name[NEURONS_NAME_SIZE];
        NeuronBlock matrix = neurons_locate_matrix(table, neuron);
        neurons_name_block(&matrix, name);
        return status_fail(error, STATUS_FORMAT,
                           "%s: the drift of neuron %" PRIu64
                           " is not a number: its weights in base or SFT are not all finite",
                           name, neuron - matrix.first);
    }
    return ranking_create_by_score(table, origin, drift, ranking, error);
}

/* ---- dormancy ---- */

/* The scores of a block's neurons, as many as it has; NULL where there are none. */
static const double *scores_of(const Dormancy *dormancy, const NeuronBlock *block) {
    if (block->module == NEURON_DOWN) return dormancy->mlp_scores + block->layer * dormancy->mlp;
    if (block->module == NEURON_O) return dormancy->channel_scores + block->layer * dormancy->channels;
    return NULL;
}

static const double *gradient_scores_of(const Dormancy *dormancy, const NeuronBlock *block) {
    if (block->module != NEURON_DOWN || dormancy->gradient_scores == NULL) return NULL;
    return dormancy->gradient_scores + block->layer * dormancy->mlp;
}

double selectors_dormancy(const Dormancy *dormancy, const NeuronBlock *block, uint64_t index) {
    const double *scores = scores_of(dormancy, block);
    return scores == NULL ? NAN : scores[index];
}

double selectors_gradient_dormancy(const Dormancy *dormancy, const NeuronBlock *block, uint64_t index) {
    const double *scores = gradient_scores_of(dormancy, block);
    return scores == NULL ? NAN : scores[index];
}

static double share_of(const double *scores, const NeuronBlock *block, double tau) {
    return scores == NULL || block->count == 0
               ? NAN
               : dormancy_share(scores + block->offset, (size_t)block->count, tau);
}

double selectors_dormant_share(const Dormancy *dormancy, const NeuronBlock *block, double tau) {
    return share_of(scores_of(dormancy, block), block, tau);
}

double selectors_gradient_dormant_share(const Dormancy *dormancy, const NeuronBlock *block, double tau) {
    return share_of(gradient_scores_of(dormancy, block), block, tau);
}

/* The quietest first; NaN for the neurons that come after all that are ranked. */
static Status score_block(Selector selector, const Dormancy *dormancy, const NeuronBlock *block,
                          double *scores, Error *error) {
    for (uint64_t i = 0; i < block->count; i++) {
        double score = selector == SELECTOR_GRADIENT ? selectors_gradient_dormancy(dormancy, block, i)
                                                     : selectors_dormancy(dormancy, block, i);
        scores[i] = block->module == NEURON_DOWN ? -score : NAN;
        if (block->module == NEURON_DOWN && isnan(score))
            return status_fail(
                error, STATUS_FORMAT,
                "layer %zu: %s is not a number: the SFT model's weights, or what they make of the "
                "rows, are not all finite",
                (size_t)block->layer, selector == SELECTOR_GRADIENT ? "gradient dormancy" : "dormancy");
    }
    return STATUS_OK;
}

Status selectors_rank_dormancy(const NeuronTable *table, const RankingOrigin *origin,
                               const Dormancy *dormancy, Ranking **ranking, Error *error) {
    *ranking = NULL;
    Status status = neurons_check(table, error);
    if (status != STATUS_OK) return status;
    if (origin->selector == SELECTOR_GRADIENT && dormancy->response_tokens == 0)
        return status_fail(
            error, STATUS_ARGUMENT,
            "gradient dormancy: expected rows with a response, whose loss it is the gradient of; "
            "no row has one");
    double *scores = memory_allocate((size_t)neurons_count(table), sizeof *scores);
    if (scores == NULL) return memory_fail(error, "a ranking");
    for (size_t b = 0; b < neurons_block_count(table) && status == STATUS_OK; b++) {
        NeuronBlock block = neurons_block(table, b);
        status = score_block(origin->selector, dormancy, &block, scores + block.first, error);
    }
    if (status == STATUS_OK) status = ranking_create_by_score(table, origin, scores, ranking, error);
    free(scores);
    return status;
}
