#include "core/method/attribution_mass.h"

#include <math.h>

static double sum_scores(const float *scores, uint64_t count) {
    double sum = 0.0;
    for (uint64_t i = 0; i < count; i++) sum += (double)scores[i];
    return sum;
}

void attribution_mass_add(AttributionMass *mass, const NeuronTable *table, const float *scores) {
    double total = sum_scores(scores, neurons_count(table));
    if (total == 0.0) return;
    mass->targets++;
    for (size_t b = 0; b < neurons_block_count(table); b++) {
        NeuronBlock block = neurons_block(table, b);
        mass->shares[b] += sum_scores(scores + block.first, block.count) / total;
    }
}

void attribution_mass_finish(AttributionMass *mass, const NeuronTable *table) {
    for (size_t b = 0; b < neurons_block_count(table); b++)
        mass->shares[b] = mass->targets > 0 ? mass->shares[b] / (double)mass->targets : NAN;
}
