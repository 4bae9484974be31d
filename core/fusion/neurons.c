#include "core/fusion/neurons.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const NeuronFacts MODULES[NEURON_MODULE_COUNT] = {
    [NEURON_Q] = {TENSOR_Q, TENSOR_Q_BIAS, false},
    [NEURON_K] = {TENSOR_K, TENSOR_K_BIAS, false},
    [NEURON_V] = {TENSOR_V, TENSOR_V_BIAS, false},
    [NEURON_QKV] = {TENSOR_QKV, TENSOR_QKV_BIAS, false},
    [NEURON_GATE] = {TENSOR_GATE, TENSOR_GATE_BIAS, false},
    [NEURON_UP] = {TENSOR_UP, TENSOR_UP_BIAS, false},
    [NEURON_GATE_UP] = {TENSOR_GATE_UP, TENSOR_GATE_UP_BIAS, false},
    [NEURON_O] = {TENSOR_O, TENSOR_OTHER, true}, /* a bias of o or down is no input's */
    [NEURON_DOWN] = {TENSOR_DOWN, TENSOR_OTHER, true},
};

const NeuronFacts *neurons_facts(NeuronModule module) {
    return &MODULES[module];
}

NeuronAxis neurons_axis(const NeuronTable *table, NeuronModule module, TensorRole role) {
    if (role != MODULES[module].weight) return NEURON_ROW;
    return MODULES[module].are_inputs == table->is_transposed ? NEURON_ROW : NEURON_COLUMN;
}

size_t neurons_list_modules(const NeuronTable *table, NeuronModule modules[NEURON_MODULE_COUNT]) {
    size_t count = 0;
    for (int i = 0; i < NEURON_MODULE_COUNT; i++)
        if (table->counts[i] > 0) modules[count++] = (NeuronModule)i;
    return count;
}

const char *neurons_module_name(NeuronModule module) {
    return tensor_role_name(MODULES[module].weight);
}

bool neurons_find_module(const char *name, NeuronModule *module) {
    for (int i = 0; i < NEURON_MODULE_COUNT; i++) {
        *module = (NeuronModule)i;
        if (strcmp(neurons_module_name(*module), name) == 0) return true;
    }
    return false;
}

bool neurons_find_role(TensorRole role, NeuronModule *module) {
    for (int i = 0; i < NEURON_MODULE_COUNT && role != TENSOR_OTHER; i++) {
        *module = (NeuronModule)i;
        if (MODULES[i].weight == role || MODULES[i].bias == role) return true;
    }
    return false;
}

/* Of one module, if all layers have as many; else 0. */
static uint64_t count_module(const ModelConfig *config, const NeuronTable *table, NeuronModule module) {
    uint64_t count = 0;
    for (size_t i = 0; i < config->plan_count; i++) {
        const LayerPlan *plan = &config->plans[i];
        uint64_t rows, columns;
        if (!architecture_has(plan, MODULES[module].weight)) return 0;
        architecture_layer_shape(config, plan, MODULES[module].weight, &rows, &columns);
        uint64_t own = neurons_axis(table, module, MODULES[module].weight) == NEURON_ROW ? rows : columns;
        if (i > 0 && own != count) return 0;
        count = own;
    }
    return count;
}

NeuronTable neurons_list(const ModelConfig *config) {
    NeuronTable table = {.layers = config->layers, .is_transposed = config->is_transposed};
    for (int i = 0; i < NEURON_MODULE_COUNT; i++)
        table.counts[i] = count_module(config, &table, (NeuronModule)i);
    return table;
}

bool neurons_equal(const NeuronTable *a, const NeuronTable *b) {
    return a->layers == b->layers && a->is_transposed == b->is_transposed &&
           memcmp(a->counts, b->counts, sizeof a->counts) == 0;
}

static uint64_t count_layer(const NeuronTable *table) {
    uint64_t count = 0;
    for (int i = 0; i < NEURON_MODULE_COUNT; i++) count += table->counts[i];
    return count;
}

Status neurons_check(const NeuronTable *table, Error *error) {
    uint64_t layer = 0;
    bool fits = table->layers > 0;
    for (int i = 0; i < NEURON_MODULE_COUNT && fits; i++) {
        fits = table->counts[i] <= NEURONS_LARGEST;
        layer += table->counts[i];
    }
    if (fits && layer > 0 && table->layers <= NEURONS_LARGEST / layer) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "expected 1 to %d neurons in layers of q, k, v, gate, up, o and down, found another "
                       "number",
                       NEURONS_LARGEST);
}

const char *neurons_find_unnumbered(const ModelConfig *config) {
    if (architecture_has_experts(config)) return "mixtures of experts";
    if (architecture_is_latent(config)) return "latent attention";
    const NeuronTable table = neurons_list(config);
    return count_layer(&table) == 0 ? "layers that have no module in common" : NULL;
}

Status neurons_check_model(const Model *model, Error *error) {
    const char *block = neurons_find_unnumbered(model->config);
    if (block == NULL) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED,
                       "%s: neurons of %s (%s) are not known: drift, preview, fusion and export do without",
                       model->pair->sft->directory, block, architecture_name(model->config->architecture));
}

bool neurons_has_channels(const ModelConfig *config, uint64_t layer) {
    return architecture_attends(architecture_layer(config, layer));
}

static bool are_as_wide(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++) {
        const LayerPlan *plan = &config->plans[i];
        bool is_as_wide =
            !architecture_attends(plan) || plan->heads * plan->head_dim == config->heads * config->head_dim;
        if (!is_as_wide || plan->intermediate_size != config->intermediate_size) return false;
    }
    return true;
}

Status neurons_check_widths(const Model *model, Error *error) {
    if (are_as_wide(model->base.config) && are_as_wide(model->sft.config)) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED, "dormancy of layers of different widths (%s) is not known",
                       architecture_name(model->config->architecture));
}

uint64_t neurons_count(const NeuronTable *table) {
    return table->layers * count_layer(table);
}

size_t neurons_block_count(const NeuronTable *table) {
    NeuronModule modules[NEURON_MODULE_COUNT];
    return (size_t)table->layers * neurons_list_modules(table, modules);
}

NeuronBlock neurons_find_block(const NeuronTable *table, uint64_t layer, NeuronModule module) {
    NeuronModule modules[NEURON_MODULE_COUNT];
    NeuronBlock block = {.layer = layer,
                         .module = module,
                         .first = layer * count_layer(table),
                         .count = table->counts[module],
                         .index = (size_t)layer * neurons_list_modules(table, modules)};
    for (int i = 0; i < (int)module; i++) {
        block.first += table->counts[i];
        block.index += table->counts[i] > 0;
    }
    return block;
}

NeuronBlock neurons_block(const NeuronTable *table, size_t index) {
    NeuronModule modules[NEURON_MODULE_COUNT];
    size_t count = neurons_list_modules(table, modules);
    return neurons_find_block(table, index / count, modules[index % count]);
}

NeuronBlock neurons_locate(const NeuronTable *table, uint64_t neuron) {
    uint64_t layer = neuron / count_layer(table), left = neuron % count_layer(table);
    int module = 0;
    while (left >= table->counts[module]) left -= table->counts[module++];
    return neurons_find_block(table, layer, (NeuronModule)module);
}

void neurons_name_block(const NeuronBlock *block, char name[NEURONS_NAME_SIZE]) {
    (void)snprintf(name, NEURONS_NAME_SIZE, "%" PRIu64 ".%s", block->layer,
                   neurons_module_name(block->module));
}

/* There is one spelling of each: what is read is written again and compared. */
bool neurons_read_name(const NeuronTable *table, const char *name, NeuronBlock *block) {
    uint64_t layer;
    char module_name[16], again[NEURONS_NAME_SIZE];
    NeuronModule module;
    if (sscanf(name, "%8" SCNu64 ".%15s", &layer, module_name) != 2 || layer >= table->layers ||
        !neurons_find_module(module_name, &module))
        return false;
    *block = neurons_find_block(table, layer, module);
    if (block->count == 0) return false;
    neurons_name_block(block, again);
    return strcmp(again, name) == 0;
}

size_t neurons_find_tensors(const Model *model, const NeuronBlock *block, const PairTensor *tensors[2]) {
    const NeuronFacts *facts = &MODULES[block->module];
    const PairTensor *const *layer = model->layers[block->layer].tensors;
    size_t count = 0;
    if (layer[facts->weight] != NULL) tensors[count++] = layer[facts->weight];
    if (facts->bias != TENSOR_OTHER && layer[facts->bias] != NULL) tensors[count++] = layer[facts->bias];
    return count;
}
