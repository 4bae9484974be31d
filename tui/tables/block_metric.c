#include "tui/tables/block_metric.h"

#include "core/fusion/neurons_tensor.h"
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

/* All that tokens are routed to; where there is no other expert, that is the block. */
static NeuronBlock routed_part(const NeuronTable *table, const NeuronBlock *whole) {
    NeuronBlock part = neurons_of_expert(table, whole, NEURONS_ROUTED);
    return part.count == whole->count ? *whole : part;
}

/* Every module of them. */
static void add_experts(const NeuronTable *table, const PairTensor *tensor, BlockCell *cell) {
    for (int module = 0; module < NEURON_MODULE_COUNT; module++) {
        NeuronBlock whole = neurons_find_block(table, (uint64_t)tensor->layer, (NeuronModule)module);
        if (whole.count == 0 || !neurons_has_matrices(table, &whole)) continue;
        NeuronBlock part = tensor->role == TENSOR_SHARED_EXPERT
                               ? neurons_of_expert(table, &whole, NEURONS_SHARED)
                               : routed_part(table, &whole);
        if (part.count > 0 && cell->count < BLOCK_PARTS) cell->parts[cell->count++] = part;
    }
}

/* Of one tensor: an expert's matrix, or those of all, of one module or two. */
static void add_matrices(const NeuronTable *table, const PairTensor *tensor, BlockCell *cell) {
    NeuronTensor found;
    if (neurons_tensor_find(table, tensor, &found) != NEURONS_FIT) return;
    for (uint64_t i = 0; i < found.parts && cell->count < BLOCK_PARTS; i++) {
        uint64_t first = neurons_tensor_first(&found, i);
        NeuronBlock whole = neurons_locate(table, first), matrix = neurons_locate_matrix(table, first);
        bool is_one = found.matrices == found.parts && found.count == matrix.count;
        cell->parts[cell->count++] = is_one ? matrix : routed_part(table, &whole);
    }
}

bool block_of_tensor(const NeuronTable *table, const PairTensor *tensor, bool pools, BlockCell *cell) {
    NeuronModule module;
    *cell = (BlockCell){.count = 0};
    if (tensor->layer < 0 || (uint64_t)tensor->layer >= table->layers) return false;
    if (tensor->role == TENSOR_EXPERT || tensor->role == TENSOR_SHARED_EXPERT) {
        if (!neurons_has_experts(table, (uint64_t)tensor->layer)) return false;
        if (pools)
            add_experts(table, tensor, cell);
        else
            add_matrices(table, tensor, cell);
        return cell->count > 0;
    }
    if (!neurons_find_role(tensor->role, &module) || neurons_facts(module)->weight != tensor->role)
        return false;
    cell->parts[0] = neurons_find_block(table, (uint64_t)tensor->layer, module);
    cell->count = cell->parts[0].count > 0;
    return cell->count > 0;
}

uint64_t block_cell_neurons(const BlockCell *cell) {
    uint64_t count = 0;
    for (size_t i = 0; i < cell->count; i++) count += cell->parts[i].count;
    return count;
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
        return sources->sft != NULL && dormancy_has_gradient(sources->sft);
    case BLOCK_ATTRIBUTION_MASS:
        return sources->attribution != NULL;
    default:
        return sources->ranking != NULL;
    }
}

/* Of one routed expert it is not known. */
static bool has_mass(const NeuronBlock *block) {
    return block->expert < 0;
}

static double mass_of(const Attribution *attribution, const NeuronBlock *block) {
    const double *shared = attribution->shared_masses;
    if (block->expert == NEURONS_WHOLE) return attribution->masses[block->index];
    if (!has_mass(block) || shared == NULL) return NAN;
    return block->expert == NEURONS_SHARED ? shared[block->index]
                                           : attribution->masses[block->index] - shared[block->index];
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
        return mass_of(sources->attribution, block);
    default:
        return (double)ranking_count_block(sources->ranking, block, sources->cut) / (double)block->count;
    }
}

/* ---- of several parts ---- */

static bool applies_to_part(BlockMetric metric, const NeuronBlock *part) {
    return block_metric_applies(metric, part->module) && (metric != BLOCK_ATTRIBUTION_MASS || has_mass(part));
}

bool block_metric_applies_to(BlockMetric metric, const BlockCell *cell) {
    for (size_t i = 0; i < cell->count; i++)
        if (applies_to_part(metric, &cell->parts[i])) return true;
    return false;
}

double block_metric_cell(BlockMetric metric, const BlockSources *sources, const BlockCell *cell) {
    double sum = 0.0, neurons = 0.0;
    bool is_mass = metric == BLOCK_ATTRIBUTION_MASS;
    for (size_t i = 0; i < cell->count; i++) {
        const NeuronBlock *part = &cell->parts[i];
        if (!applies_to_part(metric, part)) continue;
        double weight = is_mass ? 1.0 : (double)part->count;
        sum += weight * block_metric_value(metric, sources, part);
        neurons += weight;
    }
    return neurons == 0.0 ? NAN : is_mass ? sum : sum / neurons;
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

void block_metric_add_cells(Table *table, const BlockSources *sources, const BlockCell *cell) {
    for (int i = 0; i < BLOCK_METRIC_COUNT; i++) {
        bool stated = cell != NULL && block_metric_applies_to((BlockMetric)i, cell) &&
                      block_metric_is_known((BlockMetric)i, sources);
        if (stated)
            table_add_number(table, block_metric_cell((BlockMetric)i, sources, cell));
        else
            table_add_empty(table);
    }
}
