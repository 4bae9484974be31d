#include "core/method/neuron_ranking.h"

#include "core/method/selectors.h"

#include <stdio.h>

bool neuron_ranking_needs_rows(Selector selector) {
    return selector == SELECTOR_ATTRIBUTION || selector == SELECTOR_DORMANCY || selector == SELECTOR_GRADIENT;
}

RankingOrigin neuron_ranking_origin(Selector selector, size_t targets, uint64_t seed,
                                    const char *calibration_sha256) {
    RankingOrigin origin = {.selector = selector};
    if (selector == SELECTOR_ATTRIBUTION) origin.targets = targets;
    if (selector == SELECTOR_RANDOM) origin.seed = seed;
    if (neuron_ranking_needs_rows(selector))
        (void)snprintf(origin.calibration_sha256, sizeof origin.calibration_sha256, "%s", calibration_sha256);
    return origin;
}

Status neuron_ranking_create(const NeuronSources *sources, const RankingOrigin *origin, Ranking **ranking,
                             Error *error) {
    switch (origin->selector) {
    case SELECTOR_DRIFT:
        return selectors_rank_drift(sources->table, origin, sources->drift, ranking, error);
    case SELECTOR_DORMANCY:
    case SELECTOR_GRADIENT:
        return selectors_rank_dormancy(sources->table, origin, sources->dormancy[SIDE_SFT], ranking, error);
    case SELECTOR_RANDOM:
        return ranking_create_random(sources->table, origin->seed, ranking, error);
    default:
        /* ranks are not negative, so they are the same numbers without a sign */
        return ranking_create(sources->table, origin,
                              (const uint32_t *)(const void *)sources->attribution->best_rank, ranking,
                              error);
    }
}
