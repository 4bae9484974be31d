#include "tui/tables/block_metric.h"

#include "core/method/selectors.h"

#include <math.h>

static const BlockMetricFacts METRICS[BLOCK_METRIC_COUNT] = {
    [BLOCK_DORMANT_BASE] =
        {"dormant_base", "dormant, base", "dormant base", "of inputs",
         "Share of the inputs of down, and of o (attention channels), that are dormant in base: E|h| over all "
         "calibration positions, divided by the mean over the layer's inputs of that module, is at most τ.",
         false, false},
    [BLOCK_DORMANT_SFT] =
        {"dormant_sft", "dormant, SFT", "dormant SFT", "of inputs",
         "Share of the inputs of down, and of o (attention channels), that are dormant in SFT: E|h| over all "
         "calibration positions, divided by the mean over the layer's inputs of that module, is at most τ.",
         false, false},
    [BLOCK_DORMANT_CHANGE] =
        {"dormant_change", "dormant, SFT - base", "  change", "of inputs",
         "Share of inputs that are dormant in SFT less that in base: above 0 where fine-tuning silenced inputs, below 0 "
         "where it woke them. Dormant: E|h| of an input of down, or of o (an attention channel), over all calibration "
         "positions, divided by the mean over the layer's, is at most τ.",
         true, false},
    [BLOCK_GRADIENT_DORMANT] =
        {"gradient_dormant", "gradient dormant", "grad. dormant", "of inputs",
         "Share of the inputs of down that hardly learn in SFT: E|∂L/∂h| over all calibration positions, divided "
         "by the mean over the layer's inputs, is at most τ. L is the mean cross-entropy of response tokens.",
         false, false},
    [BLOCK_ATTRIBUTION_MASS] =
        {"attribution_mass", "attribution mass", "attribution", "of scores",
         "Attribution scores of the cell's neurons, summed, as a share of the sum over all neurons of the model: "
         "taken for each target by itself, then the mean over targets. All cells add up to 100 %.",
         false, false},
    [BLOCK_RESET_SHARE] =
        {"reset_share", "in the reset set", "in reset set", "of neurons",
         "Share of the cell's neurons that ρ selects by the selector: those of rank below round(ρ·M). It moves "
         "with ρ.",
         false, true},
};

const BlockMetricFacts *block_metric_facts(BlockMetric metric) {
    return &METRICS[metric];
}

bool block_of_tensor(const NeuronTable *table, const PairTensor *tensor, NeuronBlock *block) {
    NeuronModule module;
    if (tensor->layer < 0 || (uint64_t)tensor->layer >= table->layers ||
        !neurons_find_role(tensor->role, &module) || neurons_facts(module)->weight != tensor->role)
        return false;
    *block = neurons_find_block(table, (uint64_t)tensor->layer, module);
    return true;
}

bool block_metric_has_tau(BlockMetric metric) {
    return metric <= BLOCK_GRADIENT_DORMANT;
}

bool block_metric_applies(BlockMetric metric, NeuronModule module) {
    if (metric == BLOCK_GRADIENT_DORMANT) return module == NEURON_DOWN;
    return metric > BLOCK_DORMANT_CHANGE || module == NEURON_DOWN || module == NEURON_O;
}

bool block_metric_is_known(BlockMetric metric, const BlockSources *sources) {
    switch (metric) {
    case BLOCK_DORMANT_BASE:
        return sources->base != NULL;
    case BLOCK_DORMANT_SFT:
        return sources->sft != NULL;
    case BLOCK_DORMANT_CHANGE:
        return sources->base != NULL && sources->sft != NULL;
    case BLOCK_GRADIENT_DORMANT:
        return sources->sft != NULL && sources->sft->gradient_scores != NULL;
    case BLOCK_ATTRIBUTION_MASS:
        return sources->attribution != NULL;
    default:
        return sources->ranking != NULL;
    }
}

double block_metric_value(BlockMetric metric, const BlockSources *sources, const NeuronBlock *block) {
    if (!block_metric_is_known(metric, sources) || block->count == 0) return NAN;
    switch (metric) {
    case BLOCK_DORMANT_BASE:
        return selectors_dormant_share(sources->base, block, sources->tau);
    case BLOCK_DORMANT_SFT:
        return selectors_dormant_share(sources->sft, block, sources->tau);
    case BLOCK_DORMANT_CHANGE:
        return selectors_dormant_share(sources->sft, block, sources->tau) -
               selectors_dormant_share(sources->base, block, sources->tau);
    case BLOCK_GRADIENT_DORMANT:
        return selectors_gradient_dormant_share(sources->sft, block, sources->gradient_tau);
    case BLOCK_ATTRIBUTION_MASS:
        return sources->attribution->masses[block->index];
    default:
        return (double)ranking_count_block(sources->ranking, block, sources->cut) / (double)block->count;
    }
}

/* ---- over layers ---- */

double block_metric_over_layers(BlockMetric metric, const BlockSources *sources, const NeuronTable *table,
                                NeuronModule module) {
    double sum = 0.0, neurons = 0.0;
    bool is_mass = metric == BLOCK_ATTRIBUTION_MASS;
    for (uint64_t layer = 0; layer < table->layers; layer++) {
        NeuronBlock block = neurons_find_block(table, layer, module);
        if (block.count == 0) continue;
        double weight = is_mass ? 1.0 : (double)block.count;
        sum += weight * block_metric_value(metric, sources, &block);
        neurons += (double)block.count;
    }
    return is_mass ? sum : sum / neurons;
}

double block_metric_largest(BlockMetric metric, const BlockSources *sources, const NeuronTable *table,
                            NeuronModule module, uint64_t *layer) {
    double largest = NAN;
    *layer = 0;
    for (uint64_t i = 0; i < table->layers; i++) {
        NeuronBlock block = neurons_find_block(table, i, module);
        double value = block_metric_value(metric, sources, &block);
        if (isnan(value) || value <= largest) continue;
        largest = value;
        *layer = i;
    }
    return largest;
}

/* ---- as a table ---- */

void block_metric_columns(TableColumn *columns) {
    for (int i = 0; i < BLOCK_METRIC_COUNT; i++)
        columns[i] = (TableColumn){METRICS[i].key, NULL, NULL, TABLE_NUMBER, 3};
}

void block_metric_add_cells(Table *table, const BlockSources *sources, const NeuronBlock *block) {
    for (int i = 0; i < BLOCK_METRIC_COUNT; i++) {
        bool stated = block != NULL && block_metric_applies((BlockMetric)i, block->module) &&
                      block_metric_is_known((BlockMetric)i, sources);
        if (stated)
            table_add_number(table, block_metric_value((BlockMetric)i, sources, block));
        else
            table_add_empty(table);
    }
}
