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
        if (table->counts[i] + table->experts.counts[i] + table->experts.shared[i] > 0)
            modules[count++] = (NeuronModule)i;
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

/* ---- of a model ---- */

bool neurons_is_of_mlp(NeuronModule module) {
    return module >= NEURON_GATE && module <= NEURON_DOWN && module != NEURON_O;
}

/* Of one module, if all layers that may have it have as many; else 0. */
static uint64_t count_module(const ModelConfig *config, const NeuronTable *table, NeuronModule module) {
    uint64_t count = 0;
    for (size_t i = 0; i < config->plan_count; i++) {
        const LayerPlan *plan = &config->plans[i];
        uint64_t rows, columns;
        if (plan->mlp == MLP_EXPERTS && neurons_is_of_mlp(module)) continue;
        if (!architecture_has(plan, MODULES[module].weight)) return 0;
        architecture_layer_shape(config, plan, MODULES[module].weight, &rows, &columns);
        uint64_t own = neurons_axis(table, module, MODULES[module].weight) == NEURON_ROW ? rows : columns;
        if (count > 0 && own != count) return 0;
        count = own;
    }
    return count;
}

static NeuronExperts list_experts(const ModelConfig *config, const ExpertPlan *plan, bool shared_is_fused) {
    NeuronExperts experts = {.count = plan->count, .is_transposed = plan->layout == EXPERTS_TRANSPOSED};
    experts.counts[NEURON_GATE_UP] = experts.is_transposed ? 2 * plan->width : 0;
    experts.counts[NEURON_GATE] = experts.counts[NEURON_UP] = experts.is_transposed ? 0 : plan->width;
    experts.counts[NEURON_DOWN] = plan->width;
    experts.shared[NEURON_GATE_UP] = shared_is_fused ? 2 * plan->shared_width : 0;
    experts.shared[NEURON_GATE] = experts.shared[NEURON_UP] = shared_is_fused ? 0 : plan->shared_width;
    experts.shared[NEURON_DOWN] = plan->shared_width;
    for (uint64_t layer = 0; layer < config->layers; layer++) {
        bool has_experts = architecture_layer(config, layer)->mlp == MLP_EXPERTS;
        experts.layers[layer / 64] |= (uint64_t)has_experts << layer % 64;
    }
    return experts;
}

static const LayerPlan *first_experts(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++)
        if (config->plans[i].mlp == MLP_EXPERTS) return &config->plans[i];
    return NULL;
}

NeuronTable neurons_list(const ModelConfig *config) {
    NeuronTable table = {.layers = config->layers, .is_transposed = config->is_transposed};
    const LayerPlan *plan = first_experts(config);
    for (int i = 0; i < NEURON_MODULE_COUNT; i++)
        table.counts[i] = count_module(config, &table, (NeuronModule)i);
    if (plan != NULL)
        table.experts =
            list_experts(config, &plan->experts, architecture_needs(plan, TENSOR_PART_SHARED_GATE_UP));
    return table;
}

static bool experts_equal(const NeuronExperts *a, const NeuronExperts *b) {
    return a->count == b->count && a->is_transposed == b->is_transposed &&
           memcmp(a->counts, b->counts, sizeof a->counts) == 0 &&
           memcmp(a->shared, b->shared, sizeof a->shared) == 0 &&
           memcmp(a->layers, b->layers, sizeof a->layers) == 0;
}

bool neurons_equal(const NeuronTable *a, const NeuronTable *b) {
    return a->layers == b->layers && a->is_transposed == b->is_transposed &&
           memcmp(a->counts, b->counts, sizeof a->counts) == 0 && experts_equal(&a->experts, &b->experts);
}

/* ---- counts ---- */

bool neurons_has_experts(const NeuronTable *table, uint64_t layer) {
    return table->experts.count > 0 && (table->experts.layers[layer / 64] >> layer % 64 & 1) != 0;
}

/* Of a module, in a layer with experts or in one without. */
static uint64_t count_in(const NeuronTable *table, NeuronModule module, bool has_experts) {
    const NeuronExperts *experts = &table->experts;
    if (!has_experts || !neurons_is_of_mlp(module)) return table->counts[module];
    return experts->count * experts->counts[module] + experts->shared[module];
}

static uint64_t count_layer(const NeuronTable *table, bool has_experts) {
    uint64_t count = 0;
    for (int i = 0; i < NEURON_MODULE_COUNT; i++) count += count_in(table, (NeuronModule)i, has_experts);
    return count;
}

static size_t count_blocks(const NeuronTable *table, bool has_experts) {
    size_t count = 0;
    for (int i = 0; i < NEURON_MODULE_COUNT; i++) count += count_in(table, (NeuronModule)i, has_experts) > 0;
    return count;
}

/* How many of the first `layers` layers have experts. */
static uint64_t count_expert_layers(const NeuronTable *table, uint64_t layers) {
    uint64_t count = 0;
    if (table->experts.count == 0) return 0;
    for (uint64_t word = 0; word < layers / 64; word++)
        count += (uint64_t)__builtin_popcountll(table->experts.layers[word]);
    if (layers % 64 == 0) return count;
    uint64_t rest = table->experts.layers[layers / 64] & (((uint64_t)1 << layers % 64) - 1);
    return count + (uint64_t)__builtin_popcountll(rest);
}

uint64_t neurons_widest(const NeuronTable *table, NeuronModule module) {
    uint64_t with = table->experts.count > 0 ? count_in(table, module, true) : 0;
    bool has_others = count_expert_layers(table, table->layers) < table->layers;
    return has_others && table->counts[module] > with ? table->counts[module] : with;
}

static uint64_t count_before(const NeuronTable *table, uint64_t layer) {
    uint64_t with = count_expert_layers(table, layer);
    return with * count_layer(table, true) + (layer - with) * count_layer(table, false);
}

static size_t count_blocks_before(const NeuronTable *table, uint64_t layer) {
    size_t with = (size_t)count_expert_layers(table, layer);
    return with * count_blocks(table, true) + ((size_t)layer - with) * count_blocks(table, false);
}

static bool is_small(const uint64_t counts[NEURON_MODULE_COUNT]) {
    for (int i = 0; i < NEURON_MODULE_COUNT; i++)
        if (counts[i] > NEURONS_LARGEST) return false;
    return true;
}

/* Bits of layers that are not there would be counted. */
static bool experts_fit(const NeuronTable *table) {
    const NeuronExperts *experts = &table->experts;
    uint64_t beyond = 0;
    if (table->layers > MODEL_MAX_LAYERS) return false;
    for (uint64_t layer = table->layers; layer < MODEL_MAX_LAYERS; layer++)
        beyond += neurons_has_experts(table, layer);
    return beyond == 0 && experts->count <= NEURONS_LARGEST && is_small(experts->counts) &&
           is_small(experts->shared) && count_expert_layers(table, table->layers) > 0;
}

/* Of NEURON_MODULE_COUNT modules, none with more than NEURONS_LARGEST² + NEURONS_LARGEST: they do not overflow. */
static bool layers_fit(const NeuronTable *table) {
    bool has_some = table->experts.count > 0;
    uint64_t with = has_some ? count_expert_layers(table, table->layers) : 0, without = table->layers - with;
    uint64_t dense = count_layer(table, false), sparse = has_some ? count_layer(table, true) : 0;
    uint64_t left = NEURONS_LARGEST;
    if (dense > 0 && without > left / dense) return false;
    left -= without * dense;
    return (sparse == 0 || with <= left / sparse) && without * dense + with * sparse > 0;
}

Status neurons_check(const NeuronTable *table, Error *error) {
    bool fits = table->layers > 0 && is_small(table->counts) &&
                (table->experts.count == 0 || experts_fit(table)) && layers_fit(table);
    if (fits) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "expected 1 to %d neurons in layers of q, k, v, gate, up, o and down, found another "
                       "number",
                       NEURONS_LARGEST);
}

/* A table has one number of experts, of one size. */
static bool experts_differ(const ModelConfig *config) {
    const LayerPlan *first = first_experts(config);
    for (size_t i = 0; first != NULL && i < config->plan_count; i++) {
        const LayerPlan *plan = &config->plans[i];
        const ExpertPlan *a = &first->experts, *b = &plan->experts;
        bool is_alike = a->count == b->count && a->width == b->width && a->shared_width == b->shared_width &&
                        a->layout == b->layout;
        if (plan->mlp == MLP_EXPERTS && !is_alike) return true;
    }
    return false;
}

const char *neurons_find_unnumbered(const ModelConfig *config) {
    const LayerPlan *experts = first_experts(config);
    if (experts_differ(config)) return "experts of several sizes";
    if (experts != NULL && experts->experts.count == 0) return "a mixture without experts";
    if (experts != NULL && experts->experts.is_plain) return "experts without a gate";
    if (architecture_mixes_heads(config)) return "experts of attention";
    if (architecture_is_compressed(config)) return "compressed attention";
    const NeuronTable table = neurons_list(config);
    return neurons_count(&table) == 0 ? "layers that have no module in common" : NULL;
}

/* Of a type whose experts are transposed in one tensor, stored one by one: neither module fits them. */
static bool is_stored_otherwise(const Model *model) {
    const LayerPlan *plan = first_experts(model->config);
    for (uint64_t layer = 0; plan != NULL && layer < model->config->layers; layer++) {
        bool has_experts = architecture_layer(model->config, layer)->mlp == MLP_EXPERTS,
             is_transposed = plan->experts.layout == EXPERTS_TRANSPOSED;
        if (has_experts && model->layers[layer].experts.is_gate_up_transposed != is_transposed) return true;
    }
    return false;
}

Status neurons_check_model(const Model *model, Error *error) {
    const char *block = neurons_find_unnumbered(model->config);
    if (block == NULL && is_stored_otherwise(model)) block = "experts stored one by one";
    if (block == NULL) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED,
                       "%s: neurons of %s (%s) are not known: drift, preview, fusion and export do without",
                       model->pair->sft->directory, block, architecture_name(model->config->architecture));
}

bool neurons_has_channels(const ModelConfig *config, uint64_t layer) {
    return architecture_attends(architecture_layer(config, layer));
}

static uint64_t mlp_width(const LayerPlan *plan) {
    const ExpertPlan *experts = &plan->experts;
    return plan->mlp == MLP_EXPERTS ? experts->count * experts->width + experts->shared_width
                                    : plan->intermediate_size;
}

uint64_t neurons_mlp_width(const ModelConfig *config, uint64_t layer) {
    return mlp_width(architecture_layer(config, layer));
}

uint64_t neurons_widest_mlp(const ModelConfig *config) {
    uint64_t widest = 0;
    for (size_t i = 0; i < config->plan_count; i++)
        if (mlp_width(&config->plans[i]) > widest) widest = mlp_width(&config->plans[i]);
    return widest;
}

/* Layers with experts are as wide as each other (neurons_find_unnumbered()). */
static bool are_as_wide(const ModelConfig *config) {
    const LayerPlan *first = NULL;
    for (size_t i = 0; i < config->plan_count; i++) {
        const LayerPlan *plan = &config->plans[i];
        bool is_as_wide =
            !architecture_attends(plan) || plan->heads * plan->value_dim == config->heads * config->value_dim;
        if (!is_as_wide) return false;
        if (plan->mlp == MLP_EXPERTS) continue;
        if (first == NULL) first = plan;
        if (plan->intermediate_size != first->intermediate_size) return false;
    }
    return true;
}

Status neurons_check_widths(const Model *model, Error *error) {
    if (are_as_wide(model->base.config) && are_as_wide(model->sft.config)) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED, "dormancy of layers of different widths (%s) is not known",
                       architecture_name(model->config->architecture));
}

/* ---- blocks ---- */

uint64_t neurons_count(const NeuronTable *table) {
    return count_before(table, table->layers);
}

size_t neurons_block_count(const NeuronTable *table) {
    return count_blocks_before(table, table->layers);
}

NeuronBlock neurons_find_block(const NeuronTable *table, uint64_t layer, NeuronModule module) {
    bool has_experts = neurons_has_experts(table, layer);
    NeuronBlock block = {.layer = layer,
                         .module = module,
                         .first = count_before(table, layer),
                         .count = count_in(table, module, has_experts),
                         .index = count_blocks_before(table, layer),
                         .expert = NEURONS_WHOLE};
    for (int i = 0; i < (int)module; i++) {
        uint64_t count = count_in(table, (NeuronModule)i, has_experts);
        block.first += count;
        block.index += count > 0;
    }
    return block;
}

NeuronBlock neurons_block(const NeuronTable *table, size_t index) {
    uint64_t layer = 0;
    int module = 0;
    for (size_t own; index >= (own = count_blocks(table, neurons_has_experts(table, layer))); layer++)
        index -= own;
    bool has_experts = neurons_has_experts(table, layer);
    for (;; module++) {
        if (count_in(table, (NeuronModule)module, has_experts) == 0) continue;
        if (index-- == 0) break;
    }
    return neurons_find_block(table, layer, (NeuronModule)module);
}

static uint64_t find_layer(const NeuronTable *table, uint64_t neuron) {
    uint64_t low = 0, high = table->layers;
    if (table->experts.count == 0) return neuron / count_layer(table, false);
    while (low + 1 < high) {
        uint64_t middle = low + (high - low) / 2;
        if (count_before(table, middle) <= neuron)
            low = middle;
        else
            high = middle;
    }
    return low;
}

NeuronBlock neurons_locate(const NeuronTable *table, uint64_t neuron) {
    uint64_t layer = find_layer(table, neuron), left = neuron - count_before(table, layer), own;
    bool has_experts = neurons_has_experts(table, layer);
    int module = 0;
    for (; left >= (own = count_in(table, (NeuronModule)module, has_experts)); module++) left -= own;
    return neurons_find_block(table, layer, (NeuronModule)module);
}

/* ---- matrices ---- */

bool neurons_has_shared(const NeuronTable *table) {
    return table->experts.shared[NEURON_DOWN] > 0;
}

NeuronBlock neurons_of_expert(const NeuronTable *table, const NeuronBlock *block, int64_t expert) {
    const NeuronExperts *experts = &table->experts;
    uint64_t own = experts->counts[block->module];
    NeuronBlock matrix = *block;
    bool is_shared = expert == NEURONS_SHARED, is_routed = expert == NEURONS_ROUTED;
    matrix.expert = expert;
    matrix.offset = (is_shared ? experts->count : is_routed ? 0 : (uint64_t)expert) * own;
    matrix.first += matrix.offset;
    matrix.count = is_shared ? experts->shared[block->module] : is_routed ? experts->count * own : own;
    return matrix;
}

bool neurons_has_matrices(const NeuronTable *table, const NeuronBlock *block) {
    return neurons_has_experts(table, block->layer) && neurons_is_of_mlp(block->module);
}

size_t neurons_matrix_count(const NeuronTable *table, const NeuronBlock *block) {
    if (!neurons_has_matrices(table, block)) return block->count > 0;
    const NeuronExperts *experts = &table->experts;
    return (experts->counts[block->module] > 0 ? (size_t)experts->count : 0) +
           (experts->shared[block->module] > 0);
}

NeuronBlock neurons_matrix(const NeuronTable *table, const NeuronBlock *block, size_t index) {
    if (!neurons_has_matrices(table, block)) return *block;
    bool is_shared = table->experts.counts[block->module] == 0 || index >= table->experts.count;
    return neurons_of_expert(table, block, is_shared ? NEURONS_SHARED : (int64_t)index);
}

NeuronBlock neurons_locate_matrix(const NeuronTable *table, uint64_t neuron) {
    NeuronBlock block = neurons_locate(table, neuron);
    uint64_t own = table->experts.counts[block.module];
    if (!neurons_has_matrices(table, &block)) return block;
    return neurons_matrix(table, &block, own == 0 ? 0 : (size_t)((neuron - block.first) / own));
}

/* ---- names ---- */

void neurons_name_expert(int64_t expert, char name[NEURONS_EXPERT_SIZE]) {
    name[0] = '\0';
    if (expert == NEURONS_SHARED) (void)snprintf(name, NEURONS_EXPERT_SIZE, "shared");
    if (expert >= 0) (void)snprintf(name, NEURONS_EXPERT_SIZE, "%" PRId64, expert);
}

bool neurons_read_expert(const char *name, int64_t *expert) {
    char again[NEURONS_EXPERT_SIZE];
    *expert = NEURONS_SHARED;
    if (strcmp(name, "shared") == 0) return true;
    if (sscanf(name, "%9" SCNd64, expert) != 1 || *expert < 0) return false;
    neurons_name_expert(*expert, again);
    return strcmp(again, name) == 0;
}

void neurons_name_block(const NeuronBlock *block, char name[NEURONS_NAME_SIZE]) {
    char expert[NEURONS_EXPERT_SIZE];
    neurons_name_expert(block->expert, expert);
    (void)snprintf(name, NEURONS_NAME_SIZE, "%" PRIu64 "%s%s.%s", block->layer, expert[0] == '\0' ? "" : ".",
                   expert, neurons_module_name(block->module));
}

/* The expert that is named, if any: what stands between the two points. */
static bool read_parts(const char *name, uint64_t *layer, char module[16], int64_t *expert) {
    char between[10];
    *expert = NEURONS_WHOLE;
    if (sscanf(name, "%8" SCNu64 ".%9[^.].%15s", layer, between, module) == 3)
        return neurons_read_expert(between, expert);
    return sscanf(name, "%8" SCNu64 ".%15s", layer, module) == 2;
}

/* There is one spelling of each: what is read is written again and compared. */
bool neurons_read_name(const NeuronTable *table, const char *name, NeuronBlock *matrix) {
    uint64_t layer;
    int64_t expert;
    char module_name[16], again[NEURONS_NAME_SIZE];
    NeuronModule module;
    if (!read_parts(name, &layer, module_name, &expert) || layer >= table->layers ||
        !neurons_find_module(module_name, &module))
        return false;
    *matrix = neurons_find_block(table, layer, module);
    if (neurons_has_matrices(table, matrix) != (expert != NEURONS_WHOLE)) return false;
    if (expert >= 0 && (uint64_t)expert >= table->experts.count) return false;
    if (expert != NEURONS_WHOLE) *matrix = neurons_of_expert(table, matrix, expert);
    if (matrix->count == 0) return false;
    neurons_name_block(matrix, again);
    return strcmp(again, name) == 0;
}
