#include "core/method/neuron_scores.h"

#include "core/method/selectors.h"

#include <math.h>

static void add_dormancy(const NeuronSources *sources, uint64_t neuron, NeuronScores *scores) {
    uint64_t index = neuron - scores->block.first;
    const Dormancy *sft = sources->dormancy[SIDE_SFT];
    for (int side = 0; side < SIDE_COUNT; side++) {
        const Dormancy *dormancy = sources->dormancy[side];
        if (dormancy != NULL) scores->dormancy[side] = selectors_dormancy(dormancy, &scores->block, index);
    }
    if (sft != NULL) scores->gradient = selectors_gradient_dormancy(sft, &scores->block, index);
}

/* One that is not a number is shown as one. */
static double find_drift(const NeuronSources *sources, uint64_t neuron) {
    bool is_number = sources->drift != NULL && sources->drift[neuron] != -INFINITY;
    return is_number ? sources->drift[neuron] : NAN;
}

NeuronScores neuron_scores_find(const NeuronSources *sources, uint64_t neuron) {
    const Attribution *attribution = sources->attribution;
    const Ranking *ranking = sources->settings->ranking;
    NeuronScores scores = {.block = neurons_locate(sources->table, neuron),
                           .dormancy = {NAN, NAN, NAN},
                           .gradient = NAN,
                           .drift = find_drift(sources, neuron),
                           .score = NAN,
                           .attribution_rank = -1,
                           .rank = -1,
                           .target = -1};
    scores.matrix = neurons_locate_matrix(sources->table, neuron);
    scores.index = neuron - scores.matrix.first;
    add_dormancy(sources, neuron, &scores);
    if (attribution != NULL) {
        scores.score = (double)attribution->best_score[neuron];
        scores.attribution_rank = attribution->best_rank[neuron];
        scores.target = attribution->best_target[neuron];
    }
    if (ranking != NULL) {
        scores.rank = ranking->ranks[neuron];
        scores.is_reset = ranking->ranks[neuron] < settings_cut(sources->settings);
    }
    return scores;
}
