#include "tui/session/session_neurons_errands.h"

#include "core/method/neuron_ranking.h"
#include "core/method/selectors.h"

#include <stdlib.h>

/* ---- attribution ---- */

Status session_rank_attribution(SessionAttributionErrand *errand, Error *error) {
    const NeuronSources sources = {.table = &errand->table, .attribution = &errand->attribution};
    return neuron_ranking_create(&sources, &errand->origin, &errand->ranking, error);
}

Status session_run_attribution(Job *job, void *argument, Error *error) {
    SessionAttributionErrand *errand = argument;
    Status status = attribution_run(errand->model, errand->rows, errand->targets, errand->target_count, false,
                                    0, &errand->attribution, job, error);
    return status == STATUS_OK ? session_rank_attribution(errand, error) : status;
}

void session_free_attribution_errand(SessionAttributionErrand *errand) {
    free(errand->rows);
    free(errand->targets);
    attribution_free(&errand->attribution);
    ranking_free(errand->ranking);
    *errand = (SessionAttributionErrand){0};
}

/* ---- dormancy ---- */

Status session_rank_dormancy(SessionDormancyErrand *errand, Error *error) {
    const NeuronSources sources = {.table = &errand->table, .dormancy = {[SIDE_SFT] = &errand->dormancy}};
    if (errand->side != SIDE_SFT) return STATUS_OK;
    Status status =
        neuron_ranking_create(&sources, &errand->dormancy_origin, &errand->dormancy_ranking, error);
    if (status != STATUS_OK || errand->dormancy.response_tokens == 0 ||
        errand->dormancy.no_gradient.status != STATUS_OK ||
        dormancy_check_gradient(errand->model, NULL) != STATUS_OK)
        return status;
    return neuron_ranking_create(&sources, &errand->gradient_origin, &errand->gradient_ranking, error);
}

Status session_run_dormancy(Job *job, void *argument, Error *error) {
    SessionDormancyErrand *errand = argument;
    Status status = dormancy_run(errand->model, &errand->settings, errand->rows, errand->row_count,
                                 errand->with_gradient, &errand->dormancy, job, error);
    return status == STATUS_OK ? session_rank_dormancy(errand, error) : status;
}

void session_free_dormancy_errand(SessionDormancyErrand *errand) {
    free(errand->rows);
    dormancy_free(&errand->dormancy);
    ranking_free(errand->dormancy_ranking);
    ranking_free(errand->gradient_ranking);
    *errand = (SessionDormancyErrand){0};
}

/* ---- drift of rows and columns ---- */

Status session_rank_drift(SessionDriftErrand *errand, Error *error) {
    const NeuronSources sources = {.table = &errand->table, .drift = errand->drift};
    const RankingOrigin chance = neuron_ranking_origin(SELECTOR_RANDOM, 0, SESSION_RANDOM_SEED, NULL);
    Status status = neuron_ranking_create(&sources, &chance, &errand->random_ranking, error);
    if (status == STATUS_OK) /* the last: an order by chance there is also where weights are not finite */
        status = neuron_ranking_create(&sources, &errand->drift_origin, &errand->drift_ranking, error);
    return status;
}

Status session_run_drift(Job *job, void *argument, Error *error) {
    SessionDriftErrand *errand = argument;
    Status status = selectors_measure_drift(errand->model, errand->drift, job, error);
    return status == STATUS_OK ? session_rank_drift(errand, error) : status;
}

void session_free_drift_errand(SessionDriftErrand *errand) {
    free(errand->drift);
    ranking_free(errand->drift_ranking);
    ranking_free(errand->random_ranking);
    *errand = (SessionDriftErrand){0};
}
