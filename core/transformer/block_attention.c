#include "core/transformer/block_attention.h"

#include "core/transformer/activation.h"
#include "core/transformer/attention.h"
#include "core/transformer/descent_heads.h"
#include "core/transformer/descent_shared.h"
#include "core/transformer/differential.h"
#include "core/transformer/dynamic_mask.h"
#include "core/transformer/rotary.h"

#include <math.h>
#include <string.h>

/* ---- queries, keys and values out of one matrix ---- */

size_t block_attention_fused_row(QkvLayout layout, const LayerPlan *plan, Buffer which, uint64_t head) {
    size_t dim = plan->head_dim, group = plan->heads / plan->kv_heads;
    size_t of_group = which == BUFFER_QUERY ? head / group : head;
    switch (layout) {
    case QKV_BY_HEAD: /* as many key heads as heads */
        return (3 * head + (which == BUFFER_QUERY ? 0 : which == BUFFER_KEY ? 1 : 2)) * dim;
    case QKV_BY_GROUP:
        return (of_group * (group + 2) + (which == BUFFER_QUERY ? head % group
                                          : which == BUFFER_KEY ? group
                                                                : group + 1)) *
               dim;
    case QKV_BY_QUARTER: { /* as many key heads as heads */
        size_t quarter = plan->heads / 4, part = which == BUFFER_QUERY ? 0 : which == BUFFER_VALUE ? 1 : 2;
        return ((3 * (head / quarter) + part) * quarter + head % quarter) * dim;
    }
    case QKV_STACKED:
    case QKV_PARTED:
        break;
    }
    return ((which == BUFFER_QUERY ? 0 : plan->heads) + (which == BUFFER_VALUE ? plan->kv_heads : 0) + head) *
           dim;
}

static void split_fused(const Chunk *chunk, ForwardState *state, size_t token) {
    static const Buffer PARTS[] = {BUFFER_QUERY, BUFFER_KEY, BUFFER_VALUE};
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t dim = plan->head_dim, fused = (plan->heads + 2 * plan->kv_heads) * dim;
    const float *from = state->buffers[BUFFER_QKV] + token * fused;
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        float *to = pass_row(chunk, state, PARTS[i], token);
        uint64_t heads = PARTS[i] == BUFFER_QUERY ? plan->heads : plan->kv_heads;
        for (uint64_t h = 0; h < heads; h++)
            memcpy(to + h * dim,
                   from + block_attention_fused_row(state->side->config->qkv, plan, PARTS[i], h),
                   dim * sizeof *to);
    }
}

/* ---- a token's heads ---- */

static void clip(float *x, size_t size, float limit) {
    for (size_t i = 0; i < size; i++) x[i] = x[i] > limit ? limit : x[i] < -limit ? -limit : x[i];
}

static void clip_token(const Chunk *chunk, ForwardState *state, size_t token) {
    static const Buffer PARTS[] = {BUFFER_QUERY, BUFFER_KEY, BUFFER_VALUE};
    const ModelConfig *config = state->side->config;
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++)
        if (PARTS[i] == BUFFER_VALUE || !config->clips_behind_norm)
            clip(pass_row(chunk, state, PARTS[i], token), forward_layer_width(config, plan, PARTS[i]),
                 (float)config->clip);
}

void block_attention_turn(const Chunk *chunk, const ForwardState *state, size_t token, float *x,
                          uint64_t heads, size_t stride) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    if (plan->rope < 0) return;
    const Rope *rope = &state->side->config->ropes[plan->rope];
    const Angles *angles = &chunk->angles[state->side == &state->model->base][plan->rope];
    for (uint64_t h = 0; h < heads; h++)
        rotary_turn(rope, x + h * stride, angles->cosines + token * rope->dims / 2,
                    angles->sines + token * rope->dims / 2, false);
}

/* The norm of queries or keys: of each head, or of all of them at once. */
static void norm_heads(const Chunk *chunk, const ForwardState *state, float *x, uint64_t heads,
                       TensorRole role) {
    const ModelConfig *config = state->side->config;
    size_t dim = forward_plan(state, chunk->layer)->head_dim;
    bool is_whole = config->qk_norm == QK_NORM_WHOLE, has_own = config->qk_norm == QK_NORM_EACH;
    Norm norm = forward_norm(state, chunk->layer, role);
    const float *weight = norm.weight, *bias = norm.bias;
    norm.size = is_whole ? heads * dim : dim;
    for (uint64_t h = 0; h < (is_whole ? 1 : heads); h++) {
        if (has_own && weight != NULL) norm.weight = weight + h * dim;
        if (has_own && bias != NULL) norm.bias = bias + h * dim;
        norm_forward(&norm, x + h * dim, x + h * dim);
    }
}

/* What a query is multiplied by for its position. */
static float find_growth(const ModelConfig *config, size_t position) {
    double steps = floor((double)position / config->query_growth_length);
    return (float)(1.0 + config->query_growth * log(1.0 + steps));
}

static void grow(const ModelConfig *config, size_t position, float *x, size_t size) {
    float growth = find_growth(config, position);
    for (size_t i = 0; i < size; i++) x[i] *= growth;
}

static void position(const Chunk *chunk, const ForwardState *state, size_t token, float *x, uint64_t heads,
                     TensorRole norm) {
    const ModelConfig *config = state->side->config;
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    bool has_norm = config->qk_norm != QK_NORM_NONE && !plan->skips_qk_norm;
    if (has_norm && !config->qk_norm_follows_rope) norm_heads(chunk, state, x, heads, norm);
    if (config->clips_behind_norm && config->clip > 0.0) clip(x, heads * plan->head_dim, (float)config->clip);
    block_attention_turn(chunk, state, token, x, heads, plan->head_dim);
    if (has_norm && config->qk_norm_follows_rope) norm_heads(chunk, state, x, heads, norm);
}

static float find_heat(const ModelConfig *config, size_t position) {
    double place = floor(((double)position + 1.0) / config->temperature_floor);
    return (float)(log1p(place) * config->temperature_scale + 1.0);
}

/* Queries that grow with their position. */
static void heat(const Chunk *chunk, const ForwardState *state, size_t token, float *query) {
    const ModelConfig *config = state->side->config;
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    if (!plan->has_temperature) return;
    float scale = find_heat(config, chunk_position(chunk, token));
    for (size_t i = 0; i < plan->heads * plan->head_dim; i++) query[i] *= scale;
}

static void scale_value(const ModelConfig *config, float *value, size_t size) {
    const float scale = (float)config->value_scale;
    for (size_t i = 0; i < size && scale != 1.0F; i++) value[i] *= scale;
}

/* Of each head's values. */
static Norm value_norm(const ModelConfig *config, const LayerPlan *plan) {
    return (Norm){.kind = config->norm, .size = plan->value_dim, .epsilon = config->norm_epsilon};
}

/* Clips, q/k norms, rotary embedding, and keys and values into the cache. */
static void position_and_cache(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t dim = plan->head_dim, value_dim = plan->value_dim, cell = chunk_cell(chunk, token);
    const ModelConfig *config = state->side->config;
    float *query = pass_row(chunk, state, BUFFER_QUERY, token),
          *key = pass_row(chunk, state, BUFFER_KEY, token);
    float *value = pass_row(chunk, state, BUFFER_VALUE, token);
    const Norm bare = value_norm(config, plan);
    if (config->clip > 0.0) clip_token(chunk, state, token);
    position(chunk, state, token, query, plan->heads, TENSOR_Q_NORM);
    if (config->query_growth != 0.0) grow(config, chunk_position(chunk, token), query, plan->heads * dim);
    heat(chunk, state, token, query);
    if (plan->kv_layer >= 0) return;
    position(chunk, state, token, key, plan->kv_heads, TENSOR_K_NORM);
    for (uint64_t h = 0; h < plan->kv_heads; h++) {
        if (config->norms_values) norm_forward(&bare, value + h * value_dim, value + h * value_dim);
        scale_value(config, value + h * value_dim, value_dim);
        float *keys = state->keys + forward_cache(state, chunk->layer, h),
              *values = state->values + forward_values(state, chunk->layer, h);
        memcpy(keys + cell * dim, key + h * dim, dim * sizeof *key);
        memcpy(values + cell * value_dim, value + h * value_dim, value_dim * sizeof *value);
    }
}

/* ---- the block ---- */

/* Where values are keys, before their norm and turn. */
static void copy_key(const Chunk *chunk, ForwardState *state, size_t token) {
    size_t width = forward_layer_width(state->side->config, forward_plan(state, chunk->layer), BUFFER_KEY);
    const float *key = pass_row(chunk, state, BUFFER_KEY, token);
    memcpy(pass_row(chunk, state, BUFFER_VALUE, token), key, width * sizeof *key);
}

/* Of each head its query, its gate. */
static void split_gate(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t dim = plan->head_dim;
    const float *from = state->buffers[BUFFER_SCRATCH] + token * 2 * plan->heads * dim;
    float *query = pass_row(chunk, state, BUFFER_QUERY, token),
          *gate = pass_row(chunk, state, BUFFER_ATTENTION_GATE, token);
    for (uint64_t h = 0; h < plan->heads; h++) {
        memcpy(query + h * dim, from + 2 * h * dim, dim * sizeof *query);
        memcpy(gate + h * dim, from + (2 * h + 1) * dim, dim * sizeof *gate);
    }
}

static Status project_query(const Pass *pass, Error *error) {
    static const Projection QUERY = {TENSOR_Q, TENSOR_Q_BIAS, BUFFER_NORMED, BUFFER_QUERY};
    static const Projection GATED = {TENSOR_Q, TENSOR_Q_BIAS, BUFFER_NORMED, BUFFER_SCRATCH};
    if (!pass->chunk.states[0]->model->config->has_output_gate) return pass_project(pass, QUERY, error);
    Status status = pass_project(pass, GATED, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_PROJECTED, BUFFER_SCRATCH);
    return status == STATUS_OK ? pass_for_tokens(pass, split_gate, error) : status;
}

static Status project_all(const Pass *pass, Error *error) {
    static const Projection KEY = {TENSOR_K, TENSOR_K_BIAS, BUFFER_NORMED, BUFFER_KEY};
    static const Projection VALUE = {TENSOR_V, TENSOR_V_BIAS, BUFFER_NORMED, BUFFER_VALUE};
    static const Projection FUSED = {TENSOR_QKV, TENSOR_QKV_BIAS, BUFFER_NORMED, BUFFER_QKV};
    if (pass->chunk.states[0]->model->config->qkv != QKV_PARTED) {
        Status status = pass_project(pass, FUSED, error);
        if (status == STATUS_OK) pass_observe(pass, FORWARD_QKV, BUFFER_QKV);
        return status == STATUS_OK ? pass_for_tokens(pass, split_fused, error) : status;
    }
    const LayerPlan *plan = forward_plan(pass->chunk.states[0], pass->chunk.layer);
    Status status = project_query(pass, error);
    if (status != STATUS_OK || plan->kv_layer >= 0) return status;
    status = pass_project(pass, KEY, error);
    if (status != STATUS_OK) return status;
    return architecture_has(plan, TENSOR_V) ? pass_project(pass, VALUE, error)
                                            : pass_for_tokens(pass, copy_key, error);
}

static void norm_mixed(const Chunk *chunk, ForwardState *state, size_t token) {
    pass_norm_part(chunk, state, token, TENSOR_PART_MIXED_NORM, BUFFER_MIXED);
}

static float bend_gate(const ModelConfig *config, float x) {
    return config->gate_is_softplus ? activation_softplus(x) : activation_value(ACTIVATION_SIGMOID, x);
}

static void apply_gate(const Chunk *chunk, ForwardState *state, size_t token) {
    size_t width = forward_layer_width(state->side->config, forward_plan(state, chunk->layer), BUFFER_MIXED);
    float *mixed = pass_row(chunk, state, BUFFER_MIXED, token);
    const float *gate = pass_row(chunk, state, BUFFER_ATTENTION_GATE, token);
    const ModelConfig *config = state->side->config;
    size_t channels = config->gates_heads ? forward_plan(state, chunk->layer)->value_dim : 1;
    for (size_t i = 0; i < width; i++) mixed[i] *= bend_gate(config, gate[i / channels]);
}

Status block_attention_gate(const Pass *pass, Error *error) {
    const LayerPlan *plan = forward_plan(pass->chunk.states[0], pass->chunk.layer);
    Status status = STATUS_OK;
    bool is_apart = architecture_needs(plan, TENSOR_PART_ATTENTION_GATE);
    if (!is_apart && !pass->chunk.states[0]->model->config->has_output_gate) return STATUS_OK;
    pass_observe(pass, FORWARD_ATTENDED, BUFFER_MIXED);
    if (is_apart)
        status =
            pass_project_part(pass, TENSOR_PART_ATTENTION_GATE, BUFFER_NORMED, BUFFER_ATTENTION_GATE, error);
    return status == STATUS_OK ? pass_for_tokens(pass, apply_gate, error) : status;
}

Status block_attention_mix(const Pass *pass, Error *error) {
    Status status = pass_for_tokens(pass, position_and_cache, error);
    return status == STATUS_OK ? attention_run(&pass->chunk, error) : status;
}

Status block_attention_fill_cache(const Pass *pass, Error *error) {
    Status status = project_all(pass, error);
    return status == STATUS_OK ? pass_for_tokens(pass, position_and_cache, error) : status;
}

Status block_attention_run(const Pass *pass, Error *error) {
    static const Projection OUTPUT = {TENSOR_O, TENSOR_O_BIAS, BUFFER_MIXED, BUFFER_ADDED};
    const LayerPlan *plan = forward_plan(pass->chunk.states[0], pass->chunk.layer);
    Status status = project_all(pass, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_QUERY, BUFFER_QUERY);
    if (plan->kv_layer < 0) pass_observe(pass, FORWARD_KEY, BUFFER_KEY);
    if (plan->kv_layer < 0) pass_observe(pass, FORWARD_VALUE, BUFFER_VALUE);
    if (architecture_needs(plan, TENSOR_PART_MASK_RATE)) status = dynamic_mask_run(pass, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, position_and_cache, error);
    bool is_differential = architecture_needs(plan, TENSOR_PART_LAMBDA_Q1);
    if (status == STATUS_OK)
        status = is_differential ? differential_run(pass, error) : attention_run(&pass->chunk, error);
    if (status == STATUS_OK) status = block_attention_gate(pass, error);
    if (status == STATUS_OK && architecture_needs(plan, TENSOR_PART_MIXED_NORM)) {
        pass_observe(pass, FORWARD_ATTENDED, BUFFER_MIXED);
        status = pass_for_tokens(pass, norm_mixed, error);
    }
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_MIXED, BUFFER_MIXED);
    return pass_project(pass, OUTPUT, error);
}

/* ---- the way back ---- */

static void join_fused(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    static const struct {
        Buffer buffer;
        Slope slope;
    } PARTS[] = {{BUFFER_QUERY, SLOPE_QUERY}, {BUFFER_KEY, SLOPE_KEY}, {BUFFER_VALUE, SLOPE_VALUE}};
    (void)worker;
    const ModelConfig *config = descent_config(descent);
    const LayerPlan *plan = architecture_layer(config, descent->layer);
    size_t dim = plan->head_dim;
    float *to = descent_slope(descent, SLOPE_QKV, sequence, token);
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        const float *from = descent_slope(descent, PARTS[i].slope, sequence, token);
        uint64_t heads = PARTS[i].buffer == BUFFER_QUERY ? plan->heads : plan->kv_heads;
        for (uint64_t h = 0; h < heads; h++)
            memcpy(to + block_attention_fused_row(config->qkv, plan, PARTS[i].buffer, h), from + h * dim,
                   dim * sizeof *to);
    }
}

static Status descend_scores(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *sinks =
        descent->taker == NULL ? NULL : backward->model->layers[descent->layer].parts[TENSOR_PART_SINKS];
    BackwardAttention attention = descent_attention(descent);
    attention.to_masks = backward->slopes[SLOPE_MASK];
    attention.to_shared_key = descent->shared_keys;
    attention.to_shared_value = descent->shared_values;
    attention.to_sinks = sinks != NULL ? descent->head_sums : NULL;
    Status status = backward_attention_run(&attention, error);
    size_t heads = architecture_layer(descent_config(descent), descent->layer)->heads;
    if (status != STATUS_OK || sinks == NULL) return status;
    for (size_t h = 0; h < heads; h++) descent->norm_gradients[h] = (float)descent->head_sums[h];
    return descent_give_vector(descent, sinks->role, sinks, descent->norm_gradients, heads, error);
}

static void scale_slope(const Descent *descent, Slope slope, size_t sequence, size_t token, float scale) {
    float *x = descent_slope(descent, slope, sequence, token);
    for (size_t i = 0; i < descent_slope_width(descent, slope); i++) x[i] *= scale;
}

static void descend_scales(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ModelConfig *config = descent_config(descent);
    size_t position = descent_position(descent, sequence, token);
    if (config->query_growth != 0.0)
        scale_slope(descent, SLOPE_QUERY, sequence, token, find_growth(config, position));
    if (descent_plan(descent)->has_temperature)
        scale_slope(descent, SLOPE_QUERY, sequence, token, find_heat(config, position));
    if (config->value_scale != 1.0)
        scale_slope(descent, SLOPE_VALUE, sequence, token, (float)config->value_scale);
}

/* Each head's, in place. */
static void descend_value_norm(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const LayerPlan *plan = descent_plan(descent);
    const Norm norm = value_norm(descent_config(descent), plan);
    const float *x = descent_activation(descent, BACKWARD_VALUE, sequence, token);
    float *slope = descent_slope(descent, SLOPE_VALUE, sequence, token),
          *through = descent->rows + (size_t)worker * 2 * descent->row_stride;
    for (uint64_t h = 0; h < plan->kv_heads; h++, x += norm.size, slope += norm.size) {
        memset(through, 0, norm.size * sizeof *through);
        norm_backward(&norm, x, slope, through);
        memcpy(slope, through, norm.size * sizeof *slope);
    }
}

/* Where values are keys, both came of one. */
static void join_key(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const float *value = descent_slope(descent, SLOPE_VALUE, sequence, token);
    float *key = descent_slope(descent, SLOPE_KEY, sequence, token);
    for (size_t i = 0; i < descent_slope_width(descent, SLOPE_KEY); i++) key[i] += value[i];
}

static Status descend_fused(const Descent *descent, Error *error) {
    Status status = descent_for_tokens(descent, join_fused, error);
    if (status == STATUS_OK)
        status = descent_give_matrix(descent, TENSOR_QKV, BACKWARD_SITES, SLOPE_QKV, error);
    return status == STATUS_OK
               ? descent_project(descent, TENSOR_QKV, SLOPE_QKV, SLOPE_NORMED, descent->accumulates, error)
               : status;
}

static void join_gate(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const LayerPlan *plan = descent_plan(descent);
    size_t dim = plan->head_dim;
    const float *query = descent_slope(descent, SLOPE_QUERY, sequence, token),
                *gate = descent_slope(descent, SLOPE_ATTENTION_GATE, sequence, token);
    float *to = descent_slope(descent, SLOPE_PROJECTED, sequence, token);
    for (uint64_t h = 0; h < plan->heads; h++) {
        memcpy(to + 2 * h * dim, query + h * dim, dim * sizeof *to);
        memcpy(to + (2 * h + 1) * dim, gate + h * dim, dim * sizeof *to);
    }
}

static Status descend_parted(const Descent *descent, Error *error) {
    const LayerPlan *plan = descent_plan(descent);
    bool has_gates = descent_config(descent)->has_output_gate;
    const struct {
        TensorRole role;
        Slope slope;
    } MATRICES[] = {{TENSOR_Q, has_gates ? SLOPE_PROJECTED : SLOPE_QUERY},
                    {TENSOR_K, SLOPE_KEY},
                    {TENSOR_V, SLOPE_VALUE}};
    size_t count = plan->kv_layer >= 0 ? 1 : architecture_has(plan, TENSOR_V) ? 3 : 2;
    Status status = has_gates ? descent_for_tokens(descent, join_gate, error) : STATUS_OK;
    if (status == STATUS_OK && count == 2) status = descent_for_tokens(descent, join_key, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = descent_give_matrix(descent, MATRICES[i].role, BACKWARD_SITES, MATRICES[i].slope, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = descent_project(descent, MATRICES[i].role, MATRICES[i].slope, SLOPE_NORMED,
                                 i > 0 || descent->accumulates, error);
    return status;
}

/* ---- between attention and o ---- */

static Norm mixed_norm(const Descent *descent) {
    const ModelConfig *config = descent_config(descent);
    return (Norm){.kind = config->norm,
                  .weight = forward_part(descent->backward->state, descent->layer, TENSOR_PART_MIXED_NORM),
                  .size = backward_site_width(descent_plan(descent), BACKWARD_MIXED),
                  .epsilon = config->norm_epsilon};
}

static void descend_mixed_norm(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const Norm norm = mixed_norm(descent);
    float *slope = descent_slope(descent, SLOPE_MIXED, sequence, token),
          *through = descent->rows + (size_t)worker * 2 * descent->row_stride;
    memset(through, 0, norm.size * sizeof *through);
    norm_backward(
        &norm, descent->backward->copies[COPY_ATTENDED] + (descent->spans[sequence].row + token) * norm.size,
        slope, through);
    memcpy(slope, through, norm.size * sizeof *slope);
}

static Status descend_mixed(const Descent *descent, Error *error) {
    if (!architecture_needs(descent_plan(descent), TENSOR_PART_MIXED_NORM)) return STATUS_OK;
    Status status = descent_give_part_norm(descent, TENSOR_PART_MIXED_NORM, mixed_norm(descent),
                                           descent->backward->copies[COPY_ATTENDED], SLOPE_MIXED, error);
    return status == STATUS_OK ? descent_for_tokens(descent, descend_mixed_norm, error) : status;
}

/* From what was gated to what attention gave, and to the gates. */
static void descend_gates(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ModelConfig *config = descent_config(descent);
    size_t count = descent_slope_width(descent, SLOPE_ATTENTION_GATE),
           channels = descent_slope_width(descent, SLOPE_MIXED) / count;
    const float *attended =
        descent->backward->copies[COPY_ATTENDED] + (descent->spans[sequence].row + token) * channels * count;
    const float *gates = descent->backward->state->buffers[BUFFER_ATTENTION_GATE] +
                         (descent->spans[sequence].row + token) * count;
    float *mixed = descent_slope(descent, SLOPE_MIXED, sequence, token),
          *to = descent_slope(descent, SLOPE_ATTENTION_GATE, sequence, token);
    for (size_t g = 0; g < count; g++, mixed += channels, attended += channels) {
        float open = activation_value(ACTIVATION_SIGMOID, gates[g]), gate = bend_gate(config, gates[g]);
        float slope = config->gate_is_softplus ? open : open * (1.0F - open);
        double sum = 0.0;
        for (size_t i = 0; i < channels; i++) {
            sum += (double)mixed[i] * (double)attended[i];
            mixed[i] *= gate;
        }
        to[g] = (float)sum * slope;
    }
}

Status block_attention_descend_gate(const Descent *descent, Error *error) {
    const TensorPart part = TENSOR_PART_ATTENTION_GATE;
    if (!architecture_needs(descent_plan(descent), part)) return STATUS_OK;
    return descent_run_part(descent, part, TENSOR_PART_COUNT, descent->normed, SLOPE_ATTENTION_GATE,
                            SLOPE_NORMED, true, error);
}

Status block_attention_descend_scores(const Descent *descent, Error *error) {
    bool is_gated = descent_slope_width(descent, SLOPE_ATTENTION_GATE) > 0;
    Status status = descent_give_matrix(descent, TENSOR_O, BACKWARD_MIXED, descent->given, error);
    if (status == STATUS_OK)
        status = descent_project(descent, TENSOR_O, descent->given, SLOPE_MIXED, false, error);
    if (status == STATUS_OK) status = descend_mixed(descent, error);
    if (status == STATUS_OK && is_gated) status = descent_for_tokens(descent, descend_gates, error);
    if (status != STATUS_OK) return status;
    return architecture_needs(descent_plan(descent), TENSOR_PART_LAMBDA_Q1)
               ? differential_descend(descent, error)
               : descend_scores(descent, error);
}

Status block_attention_descend(const Descent *descent, Error *error) {
    Status status = block_attention_descend_scores(descent, error);
    if (status == STATUS_OK) status = descent_shared_run(descent, error);
    bool norms_values = descent_config(descent)->norms_values && descent_plan(descent)->kv_layer < 0;
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_scales, error);
    if (status == STATUS_OK && norms_values) status = descent_for_tokens(descent, descend_value_norm, error);
    if (status == STATUS_OK) status = descent_heads_run(descent, error);
    if (status == STATUS_OK) status = dynamic_mask_descend(descent, error);
    if (status == STATUS_OK)
        status = descent_config(descent)->qkv == QKV_PARTED ? descend_parted(descent, error)
                                                            : descend_fused(descent, error);
    return status == STATUS_OK ? block_attention_descend_gate(descent, error) : status;
}
