#include "core/checkpoint/model.h"

#include "core/checkpoint/head.h"
#include "core/checkpoint/model_parts.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Status check_shape(const Checkpoint *checkpoint, const Tensor *found, TensorRole role, int layer,
                          Error *error) {
    uint64_t rows, columns;
    const ModelConfig *config = &checkpoint->model;
    if (layer >= 0)
        architecture_layer_shape(config, architecture_layer(config, (uint64_t)layer), role, &rows, &columns);
    else
        architecture_shape(config, role, &rows, &columns);
    if (!dtype_is_float(found->dtype))
        return status_fail(error, STATUS_UNSUPPORTED,
                           "%s: tensor %s: expected numbers to compute with, found %s", checkpoint->directory,
                           found->name, found->dtype_name);
    if (found->rows == rows && found->columns == (columns > 0 ? columns : 1)) return STATUS_OK;
    char shape[96];
    checkpoint_format_shape(found, false, shape, sizeof shape);
    if (columns > 0)
        return status_fail(error, STATUS_FORMAT,
                           "%s: tensor %s: expected [%" PRIu64 " × %" PRIu64 "] from config.json, found %s",
                           checkpoint->directory, found->name, rows, columns, shape);
    return status_fail(error, STATUS_FORMAT,
                       "%s: tensor %s: expected [%" PRIu64 "] from config.json, found %s",
                       checkpoint->directory, found->name, rows, shape);
}

/* Whether a model's config.json has a use for a tensor. */
static bool asks_for(const ModelConfig *config, TensorRole role, int layer) {
    return layer >= 0 ? architecture_has(architecture_layer(config, (uint64_t)layer), role)
                      : config->roles[role];
}

static bool asks_for_part(const ModelConfig *config, TensorPart part, int layer) {
    return part_set_has(layer >= 0 ? &architecture_layer(config, (uint64_t)layer)->parts : &config->parts,
                        part);
}

/* Each side's against its own config.json; one that has no use for it says nothing of its shape. */
static Status check_shapes(const Pair *pair, const PairTensor *tensor, TensorRole role, Error *error) {
    const struct {
        const Checkpoint *checkpoint;
        const Tensor *tensor;
    } sides[] = {{pair->sft, tensor->sft}, {pair->base, tensor->base}};
    Status status = STATUS_OK;
    for (int i = 0; i < 2 && status == STATUS_OK; i++) {
        bool is_layered = tensor->layer >= 0;
        if (sides[i].tensor == NULL ||
            (is_layered && !asks_for(&sides[i].checkpoint->model, role, tensor->layer)))
            continue;
        status = check_shape(sides[i].checkpoint, sides[i].tensor, role, tensor->layer, error);
    }
    return status;
}

/* A column of a model that lacks the tensor would be computed with the other's. */
static Status check_sides(const Pair *pair, const PairTensor *tensor, TensorRole role, Error *error) {
    if (tensor->base != NULL) return check_shapes(pair, tensor, role, error);
    return status_fail(error, STATUS_FORMAT, "%s: tensor %s: expected what SFT's of that name is, found none",
                       pair->base->directory, tensor->name);
}

/* Only one tensor may be what is asked for: names are read by their ends. */
static Status check_only(const Pair *pair, TensorRole role, int layer, Error *error) {
    size_t count;
    const RoleEntry *found = role_index_find(&pair->roles, role, layer, &count);
    if (count < 2 || pair->tensors[found[1].tensor].sft->is_bias) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED, "%s: expected one tensor %s, found %s and %s",
                       pair->sft->directory, tensor_role_name(role), pair->tensors[found[0].tensor].name,
                       pair->tensors[found[1].tensor].name);
}

static bool is_apart(const ModelConfig *config, TensorRole role) {
    return config->qk_norm_is_apart && (role == TENSOR_Q_NORM || role == TENSOR_K_NORM);
}

static Status resolve(const Model *model, TensorRole role, int layer, const PairTensor **tensor,
                      Error *error) {
    *tensor = pair_find_role(model->pair, role, layer);
    bool is_tied = role == TENSOR_EMBEDDING && model->config->tied_head; /* it may have the other's name */
    if (*tensor == NULL && is_tied) *tensor = pair_find_role(model->pair, TENSOR_HEAD, layer);
    if (*tensor != NULL) {
        Status status = is_apart(model->config, role)
                            ? STATUS_OK
                            : check_only(model->pair, (*tensor)->role, layer, error);
        return status == STATUS_OK ? check_sides(model->pair, *tensor, (*tensor)->role, error) : status;
    }
    char name[128] = "";
    (void)architecture_name_tensor(role, layer, name, sizeof name); /* a shorter name is a shorter message */
    return status_fail(error, STATUS_FORMAT, "%s: tensor %s: config.json asks for it, but it is missing",
                       model->pair->sft->directory, name);
}

/* Token ids index both: where the head had fewer rows, the probability of an id beyond them would be read
 * from somewhere else. */
static Status check_head(const Model *model, Error *error) {
    uint64_t embedding = model->whole.tensors[TENSOR_EMBEDDING]->sft->rows;
    const PairTensor *head = model->whole.tensors[TENSOR_HEAD];
    embedding -= model->config->silent_rows; /* it has as many, by config.json */
    if (head == NULL || head->sft->rows == embedding) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "%s: tensor %s: expected as many rows as the embedding has, %" PRIu64
                       ", found %" PRIu64,
                       model->pair->sft->directory, head->name, embedding, head->sft->rows);
}

/* One of its own, which both have. */
static bool wants_head(const Model *model) {
    const PairTensor *head = pair_find_role(model->pair, TENSOR_HEAD, -1);
    bool is_own = model->pair->unties_head || !model->config->tied_head;
    return is_own && head != NULL && head->base != NULL;
}

static void mark(const Model *model, const PairTensor *tensor, bool *is_used) {
    if (tensor != NULL) is_used[tensor - model->pair->tensors] = true;
}

void model_mark_used(const Model *model, bool *is_used) {
    const uint64_t layers = model->config->layers;
    for (uint64_t layer = 0; layer <= layers; layer++) {
        const ModelLayer *tensors = layer < layers ? &model->layers[layer] : &model->whole;
        for (int role = 0; role < TENSOR_ROLE_COUNT; role++) {
            mark(model, tensors->tensors[role], is_used);
            mark(model, tensors->biases[role], is_used);
        }
        for (int part = 0; part < TENSOR_PART_COUNT; part++) mark(model, tensors->parts[part], is_used);
        const LayerPlan *plan = architecture_layer(model->config, layer < layers ? layer : 0);
        for (uint64_t h = 0; tensors->q_norms != NULL && h < plan->heads; h++)
            mark(model, tensors->q_norms[h], is_used);
        for (uint64_t h = 0; tensors->k_norms != NULL && h < plan->kv_heads; h++)
            mark(model, tensors->k_norms[h], is_used);
        if (layer < layers)
            model_experts_mark(model->pair, &tensors->experts,
                               architecture_layer(model->config, layer)->experts.count, is_used);
    }
}

bool model_has_logits(const Model *model) {
    return model->whole.tensors[TENSOR_HEAD] != NULL;
}

Status model_check_logits(const Model *model, Error *error) {
    if (model_has_logits(model)) return STATUS_OK;
    const Pair *pair = model->pair;
    bool is_sft = head_find(pair->sft).kind == HEAD_NONE;
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "%s: no lm_head, and config.json does not tie it to the embedding: a reward model, classifier or "
        "embedding model has no logits (drift, dormancy and fusion do without)",
        is_sft ? pair->sft->directory : pair->base->directory);
}

/* A norm's bias has the norm's role. */
static Status resolve_bias(const Model *model, TensorRole role, int layer, const PairTensor **tensor,
                           Error *error) {
    const Pair *pair = model->pair;
    size_t count;
    const RoleEntry *found = role_index_find(&pair->roles, role, layer, &count);
    if (found != NULL && count > 1 && found[count - 1].is_bias) {
        *tensor = &pair->tensors[found[count - 1].tensor];
        return check_sides(pair, *tensor, role, error);
    }
    return status_fail(error, STATUS_FORMAT,
                       "%s: a bias of %s in layer %d: config.json asks for it, but it is missing",
                       pair->sft->directory, tensor_role_name(role), layer);
}

static bool has_bias(const ModelConfig *config, TensorRole role) {
    static const TensorRole NORMS[] = {TENSOR_ATTENTION_NORM, TENSOR_MLP_NORM, TENSOR_POST_ATTENTION_NORM,
                                       TENSOR_POST_MLP_NORM, TENSOR_FINAL_NORM};
    if (role == TENSOR_Q_NORM || role == TENSOR_K_NORM) return config->qk_norm_has_bias;
    for (size_t i = 0; i < sizeof NORMS / sizeof *NORMS; i++)
        if (NORMS[i] == role) return config->norm_has_bias;
    return false;
}

/* The norms of each head, "….norms.3.weight". */
static Status resolve_apart(const Model *model, TensorRole role, int layer, uint64_t heads,
                            const PairTensor **found, Error *error) {
    const Pair *pair = model->pair;
    size_t count;
    const RoleEntry *entries = role_index_find(&pair->roles, role, layer, &count);
    for (uint64_t head = 0; head < heads; head++) {
        char ending[48];
        (void)snprintf(ending, sizeof ending, ".norms.%" PRIu64 ".weight", head);
        size_t i = 0;
        while (i < count && !tensor_name_ends_with(pair->tensors[entries[i].tensor].name, ending)) i++;
        if (i == count)
            return status_fail(error, STATUS_FORMAT,
                               "%s: %s%s in layer %d: config.json asks for it, but it is missing",
                               pair->sft->directory, tensor_role_name(role), ending, layer);
        found[head] = &pair->tensors[entries[i].tensor];
        Status status = check_sides(pair, found[head], role, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static Status resolve_all_apart(Model *model, Error *error) {
    const ModelConfig *config = model->config, *base = model->base.config;
    bool is_used = config->qk_norm != QK_NORM_NONE || base->qk_norm != QK_NORM_NONE;
    if (!(config->qk_norm_is_apart || base->qk_norm_is_apart) || !is_used) return STATUS_OK;
    const uint64_t most = config->heads + config->kv_heads;
    size_t count;
    if (!memory_multiply(config->layers, most, &count) || count > model->pair->count)
        return status_fail(error, STATUS_FORMAT,
                           "%s: config.json asks for %" PRIu64
                           " norms in each layer, but there are "
                           "only %zu tensors",
                           model->pair->sft->directory, most, model->pair->count);
    model->apart = memory_allocate(count, sizeof *model->apart);
    if (model->apart == NULL) return memory_fail(error, "the model");
    Status status = STATUS_OK;
    for (int layer = 0; layer < (int)config->layers && status == STATUS_OK; layer++) {
        const LayerPlan *plan = architecture_layer(config, (uint64_t)layer);
        const PairTensor **queries = model->apart + (uint64_t)layer * most, **keys = queries + plan->heads;
        status = resolve_apart(model, TENSOR_Q_NORM, layer, plan->heads, queries, error);
        if (status == STATUS_OK)
            status = resolve_apart(model, TENSOR_K_NORM, layer, plan->kv_heads, keys, error);
        model->layers[layer].q_norms = queries;
        model->layers[layer].k_norms = keys;
    }
    return status;
}

/* Experts of attention. */
static Status cut_stacks(const Pair *pair, const ModelConfig *config, const LayerPlan *plan, ModelLayer *into,
                         Error *error) {
    uint64_t count = plan->experts.count, channels = plan->kv_heads * plan->head_dim;
    Status status = model_experts_cut_stack(pair, into->parts[TENSOR_PART_QUERY_EXPERTS], count, channels,
                                            config->hidden_size, false, &into->query_experts, error);
    if (status != STATUS_OK) return status;
    status = model_experts_cut_stack(pair, into->parts[TENSOR_PART_OUTPUT_EXPERTS], count,
                                     config->hidden_size, channels, false, &into->output_experts, error);
    return status == STATUS_OK ? model_experts_join(count, &into->query_experts, &into->output_experts,
                                                    &into->head_experts, error)
                               : status;
}

/* Everything that a layer of either model needs, or, as layer -1, the model besides: each is run with what its own
 * config.json asks for. */
static Status resolve_layer(Model *model, int layer, Error *error) {
    const ModelConfig *config = model->config, *base = model->base.config;
    const LayerPlan *plan = layer >= 0 ? architecture_layer(config, (uint64_t)layer) : NULL;
    ModelLayer *into = layer >= 0 ? &model->layers[layer] : &model->whole;
    Status status = STATUS_OK;
    for (int i = TENSOR_OTHER + 1; i < TENSOR_ROLE_COUNT && status == STATUS_OK; i++) {
        TensorRole role = (TensorRole)i;
        bool is_wanted = asks_for(config, role, layer) || asks_for(base, role, layer);
        if (plan == NULL && role == TENSOR_HEAD) is_wanted = wants_head(model);
        if (!is_wanted || (plan == NULL && tensor_role_is_layered(role))) continue;
        status = resolve(model, role, layer, &into->tensors[role], error);
        if (status == STATUS_OK && (has_bias(config, role) || has_bias(base, role)))
            status = resolve_bias(model, role, layer, &into->biases[role], error);
    }
    for (int part = 0; part < TENSOR_PART_COUNT && status == STATUS_OK; part++)
        if (asks_for_part(config, (TensorPart)part, layer) || asks_for_part(base, (TensorPart)part, layer))
            status =
                model_parts_find(model->pair, config, (TensorPart)part, layer, &into->parts[part], error);
    if (status == STATUS_OK && layer >= 0) status = model_parts_check_pieces(model->pair, into->parts, error);
    if (status == STATUS_OK && plan != NULL && plan->mlp == MLP_EXPERTS && plan->experts.count > 0)
        status = model_experts_find(model->pair, layer, config, &into->experts, error);
    if (status == STATUS_OK && plan != NULL && architecture_needs(plan, TENSOR_PART_QUERY_EXPERTS))
        status = cut_stacks(model->pair, config, plan, into, error);
    if (status == STATUS_OK && plan != NULL && architecture_needs(plan, TENSOR_PART_OUTPUT_GROUPS))
        status = model_experts_cut_stack(
            model->pair, into->parts[TENSOR_PART_OUTPUT_GROUPS], config->output_groups, config->output_rank,
            plan->heads * plan->head_dim / config->output_groups, true, &into->output_groups, error);
    if (status == STATUS_OK && into->output_groups.list != NULL)
        status = model_experts_join(config->output_groups, &into->output_groups, NULL, &into->group_experts,
                                    error);
    return status;
}

/* One set of tensors serves both: layers must have blocks of the same kinds and sizes. */
static Status check_layers(const Model *model, Error *error) {
    const ModelConfig *base = model->base.config, *sft = model->sft.config;
    bool same_mixers = memcmp(&base->recurrent, &sft->recurrent, sizeof base->recurrent) == 0 &&
                       base->common_blocks == sft->common_blocks;
    for (uint64_t layer = 0; layer < sft->layers; layer++) {
        const LayerPlan *a = architecture_layer(base, layer), *b = architecture_layer(sft, layer);
        bool same_experts = a->mlp == b->mlp && a->experts.count == b->experts.count &&
                            a->experts.width == b->experts.width &&
                            a->experts.shared_width == b->experts.shared_width;
        bool same_heads = a->value_dim == b->value_dim && a->rate == b->rate && a->overlaps == b->overlaps &&
                          a->latent.query == b->latent.query && a->latent.latent == b->latent.latent &&
                          a->latent.turned == b->latent.turned;
        bool has_state = a->mixer != MIXER_ATTENTION || b->mixer != MIXER_ATTENTION;
        if (has_state && (!same_mixers || a->mixer != b->mixer || !part_set_equal(&a->parts, &b->parts)))
            return status_fail(
                error, STATUS_MISMATCH,
                "layer %" PRIu64
                ": expected a mixer of one kind and size, with the same tensors, in base and SFT",
                layer);
        if (!architecture_same_products(a, b))
            return status_fail(
                error, STATUS_MISMATCH,
                "layer %" PRIu64
                ": expected the same matrices, and keys and values of the same layer, in base and SFT",
                layer);
        if (!same_experts || !same_heads)
            return status_fail(error, STATUS_MISMATCH,
                               "layer %" PRIu64 ": expected %s of the same number and sizes in base and SFT",
                               layer, same_experts ? "latents and heads" : "experts");
    }
    return STATUS_OK;
}

static Status resolve_all(Model *model, Error *error) {
    const ModelConfig *config = model->config;
    Status status = check_layers(model, error);
    for (int layer = -1; layer < (int)config->layers && status == STATUS_OK; layer++)
        status = resolve_layer(model, layer, error);
    if (status == STATUS_OK) status = resolve_all_apart(model, error);
    if (status == STATUS_OK && config->tied_head && !model->pair->unties_head)
        model->whole.tensors[TENSOR_HEAD] = model->whole.tensors[TENSOR_EMBEDDING];
    if (status == STATUS_OK) status = check_head(model, error);
    return status;
}

Status model_open(const Pair *pair, Model **model, Error *error) {
    *model = NULL;
    const Checkpoint *sides[] = {pair->base, pair->sft};
    for (int i = 0; i < 2; i++) {
        if (sides[i]->model_status != STATUS_OK) {
            if (error != NULL) *error = sides[i]->model_error;
            return sides[i]->model_status;
        }
    }
    Status status = pair_check(pair, error);
    if (status != STATUS_OK) return status;
    Model *opened = memory_allocate(1, sizeof *opened);
    if (opened == NULL) return memory_fail(error, "the model");
    opened->pair = pair;
    opened->config = &pair->sft->model;
    /* the number of layers is only claimed by config.json: check it before allocating for it */
    if (opened->config->layers > pair->count)
        status = status_fail(error, STATUS_FORMAT,
                             "%s: config.json has %" PRIu64 " layers, but there are only %zu tensors",
                             pair->sft->directory, opened->config->layers, pair->count);
    if (status == STATUS_OK) {
        opened->layers = memory_allocate(opened->config->layers, sizeof *opened->layers);
        if (opened->layers == NULL) status = memory_fail(error, "the model");
    }
    opened->base.config = &pair->base->model;
    opened->sft.config = &pair->sft->model;
    if (status == STATUS_OK) status = resolve_all(opened, error);
    if (status != STATUS_OK) {
        model_close(opened);
        return status;
    }
    *model = opened;
    return STATUS_OK;
}

Status model_add_misfit(const Pair *pair, FindingList *findings, Error *error) {
    Model *model;
    Error why;
    bool known = pair->base->model_status == STATUS_OK && pair->sft->model_status == STATUS_OK;
    if (!known || pair_check(pair, NULL) != STATUS_OK) return STATUS_OK; /* that is told already */
    Status status = model_open(pair, &model, &why);
    model_close(model);
    if (status == STATUS_NO_MEMORY) return status_fail(error, status, "%s", why.message);
    if (status != STATUS_FORMAT) return STATUS_OK;
    return finding_add(
        findings, SEVERITY_WARNING, "config.json", error,
        "it does not fit the tensors: no previews, and loaders refuse an export or make weights up: %s",
        why.message);
}

void model_close(Model *model) {
    if (model == NULL) return;
    for (uint64_t layer = 0; model->layers != NULL && layer < model->config->layers; layer++) {
        model_experts_free(&model->layers[layer].experts);
        model_experts_free(&model->layers[layer].head_experts);
        model_experts_free(&model->layers[layer].group_experts);
        model_experts_free_stack(&model->layers[layer].query_experts);
        model_experts_free_stack(&model->layers[layer].output_experts);
        model_experts_free_stack(&model->layers[layer].output_groups);
    }
    free(model->layers);
    free(model->apart);
    free(model);
}
