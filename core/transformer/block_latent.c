#include "core/transformer/block_latent.h"

#include "core/transformer/attention.h"
#include "core/transformer/block_attention.h"
#include "core/transformer/rotary.h"

#include <string.h>

/* Whatever the model's own is, as transformers has it. */
static const double EPSILON = 1e-6;

static void add_part(const ForwardState *state, uint64_t layer, TensorPart part, float *x, size_t size) {
    const float *bias = state->vectors[layer].parts[part];
    for (size_t i = 0; bias != NULL && i < size; i++) x[i] += bias[i];
}

static Norm latent_norm(const ForwardState *state, uint64_t layer, TensorPart part, size_t size) {
    return (Norm){
        .kind = NORM_RMS, .weight = state->vectors[layer].parts[part], .size = size, .epsilon = EPSILON};
}

static void bias_query(const Chunk *chunk, ForwardState *state, size_t token) {
    add_part(state, chunk->layer, TENSOR_PART_QUERY_BIAS, pass_row(chunk, state, BUFFER_QUERY_LATENT, token),
             forward_plan(state, chunk->layer)->latent.query);
}

static void norm_query(const Chunk *chunk, ForwardState *state, size_t token) {
    const Norm norm = latent_norm(state, chunk->layer, TENSOR_PART_QUERY_NORM,
                                  forward_plan(state, chunk->layer)->latent.query);
    float *x = pass_row(chunk, state, BUFFER_QUERY_LATENT, token);
    norm_forward(&norm, x, x);
}

static void bias_keys(const Chunk *chunk, ForwardState *state, size_t token) {
    const LatentPlan *latent = &forward_plan(state, chunk->layer)->latent;
    add_part(state, chunk->layer, TENSOR_PART_LATENT_BIAS, pass_row(chunk, state, BUFFER_LATENT, token),
             latent->latent + latent->turned);
}

/* The part that turns lies behind the latent; kv_b takes the latent alone, so it is moved to where keys go. */
static void norm_keys(const Chunk *chunk, ForwardState *state, size_t token) {
    const LatentPlan *latent = &forward_plan(state, chunk->layer)->latent;
    size_t rank = latent->latent;
    const Norm norm = latent_norm(state, chunk->layer, TENSOR_PART_LATENT_NORM, rank);
    float *x = pass_row(chunk, state, BUFFER_LATENT, token);
    norm_forward(&norm, x, x);
    block_attention_turn(chunk, state, token, x + rank, 1, latent->turned);
    memcpy(pass_row(chunk, state, BUFFER_KEY, token), x + rank, latent->turned * sizeof *x);
}

/* Latents side by side; in the order of the tokens, for one is moved over those behind it. */
static void close_gaps(ForwardState *state, const LatentPlan *latent, size_t tokens) {
    float *x = state->buffers[BUFFER_LATENT];
    size_t rank = latent->latent, width = rank + latent->turned;
    for (size_t t = 1; t < tokens; t++) memmove(x + t * rank, x + t * width, rank * sizeof *x);
}

static void cache_token(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t dim = plan->head_dim, turned = plan->latent.turned, plain = dim - turned,
           value_dim = plan->value_dim;
    size_t cell = chunk_cell(chunk, token);
    float *query = pass_row(chunk, state, BUFFER_QUERY, token);
    const float *expanded = pass_row(chunk, state, BUFFER_EXPANDED, token),
                *shared = pass_row(chunk, state, BUFFER_KEY, token);
    block_attention_turn(chunk, state, token, query + plain, plan->heads, dim);
    for (uint64_t h = 0; h < plan->heads; h++) {
        const float *own = expanded + h * (plain + value_dim);
        float *key = state->keys + forward_cache(state, chunk->layer, h) + cell * dim,
              *value = state->values + forward_values(state, chunk->layer, h) + cell * value_dim;
        memcpy(key, own, plain * sizeof *key);
        memcpy(key + plain, shared, turned * sizeof *key);
        memcpy(value, own + plain, value_dim * sizeof *value);
    }
}

static Status project_query(const Pass *pass, Error *error) {
    static const Projection WHOLE = {TENSOR_Q, TENSOR_Q_BIAS, BUFFER_NORMED, BUFFER_QUERY};
    static const Projection DOWN = {TENSOR_Q_A, TENSOR_OTHER, BUFFER_NORMED, BUFFER_QUERY_LATENT};
    static const Projection UP = {TENSOR_Q_B, TENSOR_OTHER, BUFFER_QUERY_LATENT, BUFFER_QUERY};
    if (forward_plan(pass->chunk.states[0], pass->chunk.layer)->latent.query == 0)
        return pass_project(pass, WHOLE, error);
    Status status = pass_project(pass, DOWN, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, bias_query, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_QUERY_LATENT, BUFFER_QUERY_LATENT);
    if (status == STATUS_OK) status = pass_for_tokens(pass, norm_query, error);
    return status == STATUS_OK ? pass_project(pass, UP, error) : status;
}

static Status project_keys(const Pass *pass, Error *error) {
    static const Projection DOWN = {TENSOR_KV_A, TENSOR_OTHER, BUFFER_NORMED, BUFFER_LATENT};
    static const Projection UP = {TENSOR_KV_B, TENSOR_OTHER, BUFFER_LATENT, BUFFER_EXPANDED};
    const Chunk *chunk = &pass->chunk;
    Status status = pass_project(pass, DOWN, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, bias_keys, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_LATENT, BUFFER_LATENT);
    if (status == STATUS_OK) status = pass_for_tokens(pass, norm_keys, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < chunk->state_count; i++)
        close_gaps(chunk->states[i], &forward_plan(chunk->states[i], chunk->layer)->latent, chunk->tokens);
    return pass_project(pass, UP, error);
}

Status block_latent_run(const Pass *pass, Error *error) {
    static const Projection OUTPUT = {TENSOR_O, TENSOR_O_BIAS, BUFFER_MIXED, BUFFER_ADDED};
    Status status = project_query(pass, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_QUERY, BUFFER_QUERY);
    if (status == STATUS_OK) status = project_keys(pass, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, cache_token, error);
    if (status == STATUS_OK) status = attention_run(&pass->chunk, error);
    if (status == STATUS_OK) status = block_attention_gate(pass, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_MIXED, BUFFER_MIXED);
    return pass_project(pass, OUTPUT, error);
}

/* ---- the way back ---- */

static void turn_back(const Descent *descent, size_t position, float *x, uint64_t heads, size_t stride) {
    const LayerPlan *plan = descent_plan(descent);
    if (plan->rope < 0) return;
    const Rope *rope = &descent_config(descent)->ropes[plan->rope];
    const Angles *angles = &descent->angles[plan->rope];
    for (uint64_t h = 0; h < heads; h++)
        rotary_turn(rope, x + h * stride, angles->cosines + position * rope->dims / 2,
                    angles->sines + position * rope->dims / 2, true);
}

/* From queries, keys and values as attention took them to what they are made of: the turned part of a key is one for all heads. */
static void descend_heads(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const LayerPlan *plan = descent_plan(descent);
    size_t dim = plan->head_dim, turned = plan->latent.turned, plain = dim - turned,
           value_dim = plan->value_dim, position = descent_position(descent, sequence, token);
    const float *key = descent_slope(descent, SLOPE_KEY, sequence, token),
                *value = descent_slope(descent, SLOPE_VALUE, sequence, token);
    float *expanded = descent_slope(descent, SLOPE_EXPANDED, sequence, token),
          *shared = descent_slope(descent, SLOPE_LATENT, sequence, token) + plan->latent.latent;
    memset(shared, 0, turned * sizeof *shared);
    for (uint64_t h = 0; h < plan->heads; h++, key += dim, value += value_dim) {
        float *own = expanded + h * (plain + value_dim);
        memcpy(own, key, plain * sizeof *own);
        memcpy(own + plain, value, value_dim * sizeof *own);
        for (size_t i = 0; i < turned; i++) shared[i] += key[plain + i];
    }
    turn_back(descent, position, shared, 1, turned);
    turn_back(descent, position, descent_slope(descent, SLOPE_QUERY, sequence, token) + plain, plan->heads,
              dim);
}

static void descend_query_norm(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const Norm norm = latent_norm(descent->backward->state, descent->layer, TENSOR_PART_QUERY_NORM,
                                  descent_plan(descent)->latent.query);
    float *slope = descent_slope(descent, SLOPE_QUERY_LATENT, sequence, token),
          *through = descent->rows + (size_t)worker * 2 * descent->row_stride;
    memset(through, 0, norm.size * sizeof *through);
    norm_backward(&norm, descent_activation(descent, BACKWARD_QUERY_LATENT, sequence, token), slope, through);
    memcpy(slope, through, norm.size * sizeof *slope);
}

static void descend_key_norm(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const Norm norm = latent_norm(descent->backward->state, descent->layer, TENSOR_PART_LATENT_NORM,
                                  descent_plan(descent)->latent.latent);
    float *to = descent_slope(descent, SLOPE_LATENT, sequence, token);
    memset(to, 0, norm.size * sizeof *to);
    norm_backward(&norm, descent_activation(descent, BACKWARD_LATENT, sequence, token),
                  descent_slope(descent, SLOPE_LATENT_NORMED, sequence, token), to);
}

/* What meets at a matrix of latents: as they were normed, or the normed stream. */
static Status give_matrix(const Descent *descent, TensorRole role, TensorPart bias, const float *inputs,
                          size_t columns, Slope slope, Error *error) {
    const ModelLayer *layer = &descent->backward->model->layers[descent->layer];
    bool has_bias = bias < TENSOR_PART_COUNT && architecture_needs(descent_plan(descent), bias);
    BackwardFlow flow = {.kind = FLOW_MATRIX,
                         .tensor = layer->tensors[role],
                         .bias = has_bias ? layer->parts[bias] : NULL,
                         .role = role,
                         .tokens = descent->tokens,
                         .columns = columns,
                         .rows = descent_slope_width(descent, slope),
                         .inputs = inputs,
                         .gradients = descent->backward->slopes[slope]};
    return descent->taker == NULL ? STATUS_OK : descent_give(descent, &flow, error);
}

static Status give_norm(const Descent *descent, TensorPart part, BackwardSite site, size_t size, Slope slope,
                        Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *tensor = backward->model->layers[descent->layer].parts[part];
    BackwardFlow flow = {.kind = FLOW_NORM,
                         .tensor = tensor,
                         .role = tensor->role,
                         .tokens = descent->tokens,
                         .columns = backward_site_width(descent_plan(descent), site),
                         .rows = size,
                         .inputs = backward->activations[site],
                         .gradients = backward->slopes[slope],
                         .norm = latent_norm(backward->state, descent->layer, part, size)};
    return descent->taker == NULL ? STATUS_OK : descent_give(descent, &flow, error);
}

static Status descend_keys(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    size_t rank = descent_plan(descent)->latent.latent;
    Status status = give_matrix(descent, TENSOR_KV_B, TENSOR_PART_COUNT,
                                backward->state->buffers[BUFFER_LATENT], rank, SLOPE_EXPANDED, error);
    if (status == STATUS_OK)
        status = descent_project(descent, TENSOR_KV_B, SLOPE_EXPANDED, SLOPE_LATENT_NORMED, false, error);
    if (status == STATUS_OK)
        status =
            give_norm(descent, TENSOR_PART_LATENT_NORM, BACKWARD_LATENT, rank, SLOPE_LATENT_NORMED, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_key_norm, error);
    if (status == STATUS_OK)
        status = give_matrix(descent, TENSOR_KV_A, TENSOR_PART_LATENT_BIAS, descent->normed,
                             descent_config(descent)->hidden_size, SLOPE_LATENT, error);
    return status == STATUS_OK
               ? descent_project(descent, TENSOR_KV_A, SLOPE_LATENT, SLOPE_NORMED, true, error)
               : status;
}

/* The first that is put down at the input of the block. */
static Status descend_query(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    size_t rank = descent_plan(descent)->latent.query;
    if (rank == 0) {
        Status status = descent_give_matrix(descent, TENSOR_Q, BACKWARD_SITES, SLOPE_QUERY, error);
        return status == STATUS_OK ? descent_project(descent, TENSOR_Q, SLOPE_QUERY, SLOPE_NORMED,
                                                     descent->accumulates, error)
                                   : status;
    }
    Status status = give_matrix(descent, TENSOR_Q_B, TENSOR_PART_COUNT,
                                backward->state->buffers[BUFFER_QUERY_LATENT], rank, SLOPE_QUERY, error);
    if (status == STATUS_OK)
        status = descent_project(descent, TENSOR_Q_B, SLOPE_QUERY, SLOPE_QUERY_LATENT, false, error);
    if (status == STATUS_OK)
        status = give_norm(descent, TENSOR_PART_QUERY_NORM, BACKWARD_QUERY_LATENT, rank, SLOPE_QUERY_LATENT,
                           error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_query_norm, error);
    if (status == STATUS_OK)
        status = give_matrix(descent, TENSOR_Q_A, TENSOR_PART_QUERY_BIAS, descent->normed,
                             descent_config(descent)->hidden_size, SLOPE_QUERY_LATENT, error);
    return status == STATUS_OK ? descent_project(descent, TENSOR_Q_A, SLOPE_QUERY_LATENT, SLOPE_NORMED,
                                                 descent->accumulates, error)
                               : status;
}

Status block_latent_descend(const Descent *descent, Error *error) {
    Status status = block_attention_descend_scores(descent, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_heads, error);
    if (status == STATUS_OK) status = descend_query(descent, error);
    if (status == STATUS_OK) status = descend_keys(descent, error);
    return status == STATUS_OK ? block_attention_descend_gate(descent, error) : status;
}
