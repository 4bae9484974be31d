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
        if (neurons_widest(table, (NeuronModule)i) > 0) modules[count++] = (NeuronModule)i;
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

bool neurons_is_of_mlp(NeuronModule module) {
    return module >= NEURON_GATE && module <= NEURON_DOWN && module != NEURON_O;
}

static bool experts_equal(const NeuronExperts *a, const NeuronExperts *b) {
    return a->count == b->count && a->is_transposed == b->is_transposed &&
           memcmp(a->counts, b->counts, sizeof a->counts) == 0 &&
           memcmp(a->shared, b->shared, sizeof a->shared) == 0 &&
           memcmp(a->layers, b->layers, sizeof a->layers) == 0;
}

bool neurons_equal(const NeuronTable *a, const NeuronTable *b) {
    return a->layers == b->layers && a->is_transposed == b->is_transposed &&
           memcmp(a->counts, b->counts, sizeof a->counts) == 0 && experts_equal(&a->experts, &b->experts) &&
           a->kind_count == b->kind_count &&
           memcmp(a->kinds, b->kinds, a->kind_count * sizeof *a->kinds) == 0;
}

/* ---- counts ---- */

bool neurons_has_experts(const NeuronTable *table, uint64_t layer) {
    return table->experts.count > 0 && (table->experts.layers[layer / 64] >> layer % 64 & 1) != 0;
}

/* What a layer's neurons are counted by. */
typedef struct LayerKind {
    size_t kind; /* 0: the first; else the table's kinds[kind − 1] */
    bool has_experts;
} LayerKind;

static bool has_layer(const uint64_t layers[MODEL_MAX_LAYERS / 64], uint64_t layer) {
    return (layers[layer / 64] >> layer % 64 & 1) != 0;
}

static LayerKind kind_of(const NeuronTable *table, uint64_t layer) {
    LayerKind found = {0, neurons_has_experts(table, layer)};
    for (size_t k = 0; k < table->kind_count; k++)
        if (has_layer(table->kinds[k].layers, layer)) found.kind = k + 1;
    return found;
}

/* Of a module, in a layer of that kind. */
static uint64_t count_in(const NeuronTable *table, NeuronModule module, LayerKind kind) {
    const NeuronExperts *experts = &table->experts;
    if (kind.has_experts && neurons_is_of_mlp(module))
        return experts->count * experts->counts[module] + experts->shared[module];
    return kind.kind == 0 ? table->counts[module] : table->kinds[kind.kind - 1].counts[module];
}

static uint64_t count_layer(const NeuronTable *table, LayerKind kind) {
    uint64_t count = 0;
    for (int i = 0; i < NEURON_MODULE_COUNT; i++) count += count_in(table, (NeuronModule)i, kind);
    return count;
}

static size_t count_blocks(const NeuronTable *table, LayerKind kind) {
    size_t count = 0;
    for (int i = 0; i < NEURON_MODULE_COUNT; i++) count += count_in(table, (NeuronModule)i, kind) > 0;
    return count;
}

/* Which of 64 layers are of the kind. */
static uint64_t layers_in_word(const NeuronTable *table, uint64_t word, LayerKind kind) {
    uint64_t others = 0, experts = table->experts.count > 0 ? table->experts.layers[word] : 0;
    for (size_t k = 0; k < table->kind_count; k++) others |= table->kinds[k].layers[word];
    return (kind.kind == 0 ? ~others : table->kinds[kind.kind - 1].layers[word]) &
           (kind.has_experts ? experts : ~experts);
}

/* How many of the first `layers` layers are of the kind. */
static uint64_t count_layers(const NeuronTable *table, uint64_t layers, LayerKind kind) {
    uint64_t count = 0;
    if (table->experts.count == 0 && table->kind_count == 0) return kind.has_experts ? 0 : layers;
    for (uint64_t word = 0; word < layers / 64; word++)
        count += (uint64_t)__builtin_popcountll(layers_in_word(table, word, kind));
    if (layers % 64 == 0) return count;
    uint64_t rest = layers_in_word(table, layers / 64, kind) & (((uint64_t)1 << layers % 64) - 1);
    return count + (uint64_t)__builtin_popcountll(rest);
}

/* All kinds, one after another, from 0 on: those with experts are the second half. False behind the last. */
static bool find_kind(const NeuronTable *table, size_t index, LayerKind *kind) {
    size_t kinds = table->kind_count + 1;
    *kind = (LayerKind){index % kinds, index >= kinds};
    return index < (table->experts.count > 0 ? 2 * kinds : kinds);
}

uint64_t neurons_widest(const NeuronTable *table, NeuronModule module) {
    uint64_t widest = 0;
    LayerKind kind;
    for (size_t i = 0; find_kind(table, i, &kind); i++) {
        uint64_t own = count_in(table, module, kind);
        if (own > widest && count_layers(table, table->layers, kind) > 0) widest = own;
    }
    return widest;
}

static uint64_t count_before(const NeuronTable *table, uint64_t layer) {
    uint64_t count = 0;
    LayerKind kind;
    for (size_t i = 0; find_kind(table, i, &kind); i++)
        count += count_layers(table, layer, kind) * count_layer(table, kind);
    return count;
}

static size_t count_blocks_before(const NeuronTable *table, uint64_t layer) {
    size_t count = 0;
    LayerKind kind;
    for (size_t i = 0; find_kind(table, i, &kind); i++)
        count += (size_t)count_layers(table, layer, kind) * count_blocks(table, kind);
    return count;
}

static bool is_small(const uint64_t counts[NEURON_MODULE_COUNT]) {
    for (int i = 0; i < NEURON_MODULE_COUNT; i++)
        if (counts[i] > NEURONS_LARGEST) return false;
    return true;
}

/* Bits of layers that are not there would be counted. */
static bool lies_within(const uint64_t bits[MODEL_MAX_LAYERS / 64], uint64_t layers) {
    bool is_any = false;
    for (uint64_t layer = 0; layer < MODEL_MAX_LAYERS; layer++) {
        if (!has_layer(bits, layer)) continue;
        if (layer >= layers) return false;
        is_any = true;
    }
    return is_any;
}

static bool experts_fit(const NeuronTable *table) {
    const NeuronExperts *experts = &table->experts;
    if (experts->count == 0) return true;
    return table->layers <= MODEL_MAX_LAYERS && experts->count <= NEURONS_LARGEST &&
           is_small(experts->counts) && is_small(experts->shared) &&
           lies_within(experts->layers, table->layers);
}

/* A layer is of one kind. */
static bool kinds_fit(const NeuronTable *table) {
    if (table->kind_count == 0) return true;
    if (table->layers > MODEL_MAX_LAYERS || table->kind_count > NEURONS_MOST_KINDS) return false;
    for (size_t k = 0; k < table->kind_count; k++) {
        const NeuronKind *kind = &table->kinds[k];
        if (!is_small(kind->counts) || !lies_within(kind->layers, table->layers)) return false;
        for (size_t other = 0; other < k; other++)
            for (size_t word = 0; word < MODEL_MAX_LAYERS / 64; word++)
                if ((table->kinds[other].layers[word] & kind->layers[word]) != 0) return false;
    }
    return true;
}

/* Of NEURON_MODULE_COUNT modules, none with more than NEURONS_LARGEST² + NEURONS_LARGEST: they do not overflow. */
static bool layers_fit(const NeuronTable *table) {
    uint64_t left = NEURONS_LARGEST;
    LayerKind kind;
    for (size_t i = 0; find_kind(table, i, &kind); i++) {
        uint64_t layers = count_layers(table, table->layers, kind), own = count_layer(table, kind);
        if (own > 0 && layers > left / own) return false;
        left -= layers * own;
    }
    return left < NEURONS_LARGEST;
}

Status neurons_check(const NeuronTable *table, Error *error) {
    bool fits = table->layers > 0 && is_small(table->counts) && experts_fit(table) && kinds_fit(table) &&
                layers_fit(table);
    if (fits) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "expected 1 to %d neurons in layers of q, k, v, gate, up, o and down, found another "
                       "number",
                       NEURONS_LARGEST);
}

/* ---- blocks ---- */

uint64_t neurons_count(const NeuronTable *table) {
    return count_before(table, table->layers);
}

size_t neurons_block_count(const NeuronTable *table) {
    return count_blocks_before(table, table->layers);
}

NeuronBlock neurons_find_block(const NeuronTable *table, uint64_t layer, NeuronModule module) {
    LayerKind kind = kind_of(table, layer);
    NeuronBlock block = {.layer = layer,
                         .module = module,
                         .first = count_before(table, layer),
                         .count = count_in(table, module, kind),
                         .index = count_blocks_before(table, layer),
                         .expert = NEURONS_WHOLE};
    for (int i = 0; i < (int)module; i++) {
        uint64_t count = count_in(table, (NeuronModule)i, kind);
        block.first += count;
        block.index += count > 0;
    }
    return block;
}

NeuronBlock neurons_block(const NeuronTable *table, size_t index) {
    uint64_t layer = 0;
    int module = 0;
    for (size_t own; index >= (own = count_blocks(table, kind_of(table, layer))); layer++) index -= own;
    LayerKind kind = kind_of(table, layer);
    for (;; module++) {
        if (count_in(table, (NeuronModule)module, kind) == 0) continue;
        if (index-- == 0) break;
    }
    return neurons_find_block(table, layer, (NeuronModule)module);
}

static uint64_t find_layer(const NeuronTable *table, uint64_t neuron) {
    uint64_t low = 0, high = table->layers;
    if (table->experts.count == 0 && table->kind_count == 0)
        return neuron / count_layer(table, (LayerKind){0, false});
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
    LayerKind kind = kind_of(table, layer);
    int module = 0;
    for (; left >= (own = count_in(table, (NeuronModule)module, kind)); module++) left -= own;
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
