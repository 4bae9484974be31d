#include "core/transformer/block_attention.h"

#include "core/transformer/attention.h"

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
    const float *from = state->buffers[BUFFER_FUSED] + token * fused;
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
        clip(pass_row(chunk, state, PARTS[i], token), forward_layer_width(config, plan, PARTS[i]),
             (float)config->clip);
}

/* Turns the first dims of a head: (x[i], x[i + dims/2]) by the angle of frequency i, or its neighbours. */
static void rotate(const Rope *rope, float *x, const float *cosines, const float *sines) {
    size_t half = rope->dims / 2, step = rope->is_interleaved ? 2 : 1,
           apart = rope->is_interleaved ? 1 : half;
    for (size_t i = 0; i < half; i++) {
        float *first = x + i * step, a = first[0], b = first[apart];
        first[0] = a * cosines[i] - b * sines[i];
        first[apart] = b * cosines[i] + a * sines[i];
    }
}

static void rotate_heads(const Chunk *chunk, const ForwardState *state, size_t token, float *x,
                         uint64_t heads) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    if (plan->rope < 0) return;
    const Rope *rope = &state->side->config->ropes[plan->rope];
    const Angles *angles = &chunk->angles[state->side == &state->model->base][plan->rope];
    for (uint64_t h = 0; h < heads; h++)
        rotate(rope, x + h * plan->head_dim, angles->cosines + token * rope->dims / 2,
               angles->sines + token * rope->dims / 2);
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

static void position(const Chunk *chunk, const ForwardState *state, size_t token, float *x, uint64_t heads,
                     TensorRole norm) {
    const ModelConfig *config = state->side->config;
    bool has_norm = config->qk_norm != QK_NORM_NONE;
    if (has_norm && !config->qk_norm_follows_rope) norm_heads(chunk, state, x, heads, norm);
    rotate_heads(chunk, state, token, x, heads);
    if (has_norm && config->qk_norm_follows_rope) norm_heads(chunk, state, x, heads, norm);
}

/* q/k norms, rotary embedding, and keys and values into the cache. */
static void position_and_cache(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t dim = plan->head_dim;
    float *key = pass_row(chunk, state, BUFFER_KEY, token);
    const float *value = pass_row(chunk, state, BUFFER_VALUE, token);
    position(chunk, state, token, pass_row(chunk, state, BUFFER_QUERY, token), plan->heads, TENSOR_Q_NORM);
    position(chunk, state, token, key, plan->kv_heads, TENSOR_K_NORM);
    for (uint64_t h = 0; h < plan->kv_heads; h++) {
        size_t cell = forward_cache(state, chunk->layer, h) + chunk_cell(chunk, token) * dim;
        memcpy(state->keys + cell, key + h * dim, dim * sizeof *key);
        memcpy(state->values + cell, value + h * dim, dim * sizeof *value);
    }
}

/* ---- the block ---- */

static Status project_all(const Pass *pass, Error *error) {
    static const Projection QUERY = {TENSOR_Q, TENSOR_Q_BIAS, BUFFER_NORMED, BUFFER_QUERY};
    static const Projection KEY = {TENSOR_K, TENSOR_K_BIAS, BUFFER_NORMED, BUFFER_KEY};
    static const Projection VALUE = {TENSOR_V, TENSOR_V_BIAS, BUFFER_NORMED, BUFFER_VALUE};
    static const Projection FUSED = {TENSOR_QKV, TENSOR_QKV_BIAS, BUFFER_NORMED, BUFFER_FUSED};
    if (pass->chunk.states[0]->model->config->qkv != QKV_PARTED) {
        Status status = pass_project(pass, FUSED, error);
        return status == STATUS_OK ? pass_for_tokens(pass, split_fused, error) : status;
    }
    Status status = pass_project(pass, QUERY, error);
    if (status == STATUS_OK) status = pass_project(pass, KEY, error);
    return status == STATUS_OK ? pass_project(pass, VALUE, error) : status;
}

Status block_attention_run(const Pass *pass, Error *error) {
    static const Projection OUTPUT = {TENSOR_O, TENSOR_O_BIAS, BUFFER_MIXED, BUFFER_ADDED};
    Status status = project_all(pass, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_QUERY, BUFFER_QUERY);
    pass_observe(pass, FORWARD_KEY, BUFFER_KEY);
    pass_observe(pass, FORWARD_VALUE, BUFFER_VALUE);
    if (pass->chunk.states[0]->model->config->clip > 0.0) status = pass_for_tokens(pass, clip_token, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, position_and_cache, error);
    if (status == STATUS_OK) status = attention_run(&pass->chunk, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_MIXED, BUFFER_MIXED);
    return pass_project(pass, OUTPUT, error);
}
