#include "core/fusion/neurons.h"

#include <string.h>

/* A mixture without experts is what every token passes: that is the layer's MLP. */
static bool has_mixture(const LayerPlan *plan) {
    return plan->mlp == MLP_EXPERTS && plan->experts.count > 0;
}

static uint64_t count_shared(const LayerPlan *plan, NeuronModule module) {
    const ExpertPlan *experts = &plan->experts;
    bool is_one = architecture_needs(plan, TENSOR_PART_SHARED_GATE_UP);
    if (module == NEURON_DOWN) return experts->shared_width;
    if (module == NEURON_GATE_UP) return is_one ? 2 * experts->shared_width : 0;
    return is_one || (module == NEURON_GATE && experts->is_plain) ? 0 : experts->shared_width;
}

/* Of one kind of layer, without those of experts. */
static void count_plan(const ModelConfig *config, const NeuronTable *table, const LayerPlan *plan,
                       uint64_t counts[NEURON_MODULE_COUNT]) {
    for (int i = 0; i < NEURON_MODULE_COUNT; i++) {
        NeuronModule module = (NeuronModule)i;
        TensorRole weight = neurons_facts(module)->weight;
        uint64_t rows, columns;
        bool is_experts = plan->mlp == MLP_EXPERTS && neurons_is_of_mlp(module);
        counts[i] = is_experts && !has_mixture(plan) ? count_shared(plan, module) : 0;
        if (is_experts || !architecture_has(plan, weight)) continue;
        architecture_layer_shape(config, plan, weight, &rows, &columns);
        counts[i] = neurons_axis(table, module, weight) == NEURON_ROW ? rows : columns;
    }
}

/* What a layer with experts says nothing of, its MLP, may be as in any layer. */
static bool agrees(const uint64_t own[NEURON_MODULE_COUNT], bool has_mlp,
                   const uint64_t known[NEURON_MODULE_COUNT], bool knows_mlp) {
    for (int i = 0; i < NEURON_MODULE_COUNT; i++) {
        bool matters = !neurons_is_of_mlp((NeuronModule)i) || (has_mlp && knows_mlp);
        if (matters && own[i] != known[i]) return false;
    }
    return true;
}

static uint64_t *counts_of_kind(NeuronTable *table, size_t kind) {
    return kind == 0 ? table->counts : table->kinds[kind - 1].counts;
}

/* Each layer is of the first kind that its counts agree with; there are no more of them than plans. */
static void list_kinds(const ModelConfig *config, NeuronTable *table) {
    bool knows_mlp[NEURONS_MOST_KINDS + 1] = {false};
    size_t kinds = 0; /* the first included */
    for (uint64_t layer = 0; layer < config->layers; layer++) {
        const LayerPlan *plan = architecture_layer(config, layer);
        uint64_t own[NEURON_MODULE_COUNT];
        bool has_mlp = !has_mixture(plan);
        size_t kind = 0;
        count_plan(config, table, plan, own);
        while (kind < kinds && !agrees(own, has_mlp, counts_of_kind(table, kind), knows_mlp[kind])) kind++;
        if (kind == kinds) memcpy(counts_of_kind(table, kinds++), own, sizeof own);
        for (int i = NEURON_GATE; has_mlp && !knows_mlp[kind] && i < NEURON_MODULE_COUNT; i++)
            if (neurons_is_of_mlp((NeuronModule)i)) counts_of_kind(table, kind)[i] = own[i];
        knows_mlp[kind] = knows_mlp[kind] || has_mlp;
        if (kind > 0) table->kinds[kind - 1].layers[layer / 64] |= (uint64_t)1 << layer % 64;
    }
    table->kind_count = kinds > 0 ? kinds - 1 : 0;
}

static NeuronExperts list_experts(const ModelConfig *config, const ExpertPlan *plan, bool shared_is_fused) {
    NeuronExperts experts = {.count = plan->count, .is_transposed = plan->layout == EXPERTS_TRANSPOSED};
    experts.counts[NEURON_GATE_UP] = experts.is_transposed ? 2 * plan->width : 0;
    experts.counts[NEURON_UP] = experts.is_transposed ? 0 : plan->width;
    experts.counts[NEURON_GATE] = plan->is_plain ? 0 : experts.counts[NEURON_UP];
    experts.counts[NEURON_DOWN] = plan->width;
    experts.shared[NEURON_GATE_UP] = shared_is_fused ? 2 * plan->shared_width : 0;
    experts.shared[NEURON_UP] = shared_is_fused ? 0 : plan->shared_width;
    experts.shared[NEURON_GATE] = plan->is_plain ? 0 : experts.shared[NEURON_UP];
    experts.shared[NEURON_DOWN] = plan->shared_width;
    for (uint64_t layer = 0; layer < config->layers; layer++) {
        bool has_experts = has_mixture(architecture_layer(config, layer));
        experts.layers[layer / 64] |= (uint64_t)has_experts << layer % 64;
    }
    return experts;
}

static const LayerPlan *first_experts(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++)
        if (has_mixture(&config->plans[i])) return &config->plans[i];
    return NULL;
}

/* What weighs what every token passes is no part of an MLP. */
static bool weighs_shared(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++) {
        const LayerPlan *plan = &config->plans[i];
        if (plan->mlp == MLP_EXPERTS && !has_mixture(plan) &&
            (plan->experts.shared_scale != 1.0 || architecture_needs(plan, TENSOR_PART_SHARED_SWITCH)))
            return true;
    }
    return false;
}

NeuronTable neurons_list(const ModelConfig *config) {
    NeuronTable table = {.layers = config->layers, .is_transposed = config->is_transposed};
    const LayerPlan *plan = first_experts(config);
    list_kinds(config, &table);
    if (plan != NULL)
        table.experts =
            list_experts(config, &plan->experts, architecture_needs(plan, TENSOR_PART_SHARED_GATE_UP));
    return table;
}

/* A table has one number of experts, of one size. */
static bool experts_differ(const ModelConfig *config) {
    const LayerPlan *first = first_experts(config);
    for (size_t i = 0; first != NULL && i < config->plan_count; i++) {
        const LayerPlan *plan = &config->plans[i];
        const ExpertPlan *a = &first->experts, *b = &plan->experts;
        bool is_alike = a->count == b->count && a->width == b->width && a->shared_width == b->shared_width &&
                        a->layout == b->layout;
        if (has_mixture(plan) && !is_alike) return true;
    }
    return false;
}

const char *neurons_find_unnumbered(const ModelConfig *config) {
    if (experts_differ(config)) return "experts of several sizes";
    if (weighs_shared(config)) return "a weighed mixture without experts";
    const NeuronTable table = neurons_list(config);
    if (config->has_common) return "blocks that layers share";
    return neurons_count(&table) == 0 ? "state spaces" : NULL;
}

bool neurons_are_none(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++)
        if (architecture_attends(&config->plans[i]) || config->plans[i].mlp != MLP_NONE) return false;
    return !config->has_common;
}

/* Of a type whose experts are transposed in one tensor, stored one by one: neither module fits them. */
static bool is_stored_otherwise(const Model *model) {
    const LayerPlan *plan = first_experts(model->config);
    for (uint64_t layer = 0; plan != NULL && layer < model->config->layers; layer++) {
        bool has_experts = has_mixture(architecture_layer(model->config, layer)),
             is_transposed = plan->experts.layout == EXPERTS_TRANSPOSED;
        if (has_experts && model->layers[layer].experts.is_gate_up_transposed != is_transposed) return true;
    }
    return false;
}

Status neurons_check_model(const Model *model, Error *error) {
    const char *block = neurons_find_unnumbered(model->config);
    if (block == NULL && is_stored_otherwise(model)) block = "experts stored one by one";
    if (block == NULL) return STATUS_OK;
    if (neurons_are_none(model->config))
        return status_fail(
            error, STATUS_UNSUPPORTED,
            "%s: no layer has attention or an MLP (%s), so there are no neurons in the method's "
            "sense to measure or to reset: drift, preview, fusion and export do without",
            model->pair->sft->directory, architecture_name(model->config->architecture));
    return status_fail(error, STATUS_UNSUPPORTED,
                       "%s: neurons of %s (%s) are not known: drift, preview, fusion and export do without",
                       model->pair->sft->directory, block, architecture_name(model->config->architecture));
}

static uint64_t mlp_width(const LayerPlan *plan) {
    const ExpertPlan *experts = &plan->experts;
    if (plan->mlp == MLP_NONE) return 0;
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

/* Where o is one matrix: of experts or groups of heads its inputs are none of the method's. */
static uint64_t count_heads(const LayerPlan *plan) {
    return architecture_attends(plan) && architecture_has(plan, TENSOR_O) ? plan->heads : 0;
}

uint64_t neurons_channels(const ModelConfig *config, uint64_t layer) {
    return neurons_heads(config, layer) * architecture_layer(config, layer)->value_dim;
}

uint64_t neurons_heads(const ModelConfig *config, uint64_t layer) {
    return count_heads(architecture_layer(config, layer));
}

uint64_t neurons_widest_channels(const ModelConfig *config) {
    uint64_t widest = 0;
    for (size_t i = 0; i < config->plan_count; i++) {
        uint64_t own = count_heads(&config->plans[i]) * config->plans[i].value_dim;
        if (own > widest) widest = own;
    }
    return widest;
}

uint64_t neurons_most_heads(const ModelConfig *config) {
    uint64_t most = 0;
    for (size_t i = 0; i < config->plan_count; i++)
        if (count_heads(&config->plans[i]) > most) most = count_heads(&config->plans[i]);
    return most;
}
