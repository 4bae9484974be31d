#include "core/transformer/block_latent.h"

#include "core/transformer/attention.h"
#include "core/transformer/block_attention.h"

#include <string.h>

/* Whatever the model's own is, as transformers has it. */
static const double EPSILON = 1e-6;

static void add_part(const ForwardState *state, uint64_t layer, TensorPart part, float *x, size_t size) {
    const float *bias = state->vectors[layer].parts[part];
    for (size_t i = 0; bias != NULL && i < size; i++) x[i] += bias[i];
}

static void norm_latent(const ForwardState *state, uint64_t layer, TensorPart part, float *x, size_t size) {
    const Norm norm = {
        .kind = NORM_RMS, .weight = state->vectors[layer].parts[part], .size = size, .epsilon = EPSILON};
    norm_forward(&norm, x, x);
}

static void norm_query(const Chunk *chunk, ForwardState *state, size_t token) {
    size_t rank = forward_plan(state, chunk->layer)->latent.query;
    float *x = pass_row(chunk, state, BUFFER_QUERY_LATENT, token);
    add_part(state, chunk->layer, TENSOR_PART_QUERY_BIAS, x, rank);
    norm_latent(state, chunk->layer, TENSOR_PART_QUERY_NORM, x, rank);
}

/* The part that turns lies behind the latent; kv_b takes the latent alone, so it is moved to where keys go. */
static void norm_keys(const Chunk *chunk, ForwardState *state, size_t token) {
    const LatentPlan *latent = &forward_plan(state, chunk->layer)->latent;
    size_t rank = latent->latent, width = rank + latent->turned;
    float *x = state->buffers[BUFFER_LATENT] + token * width;
    add_part(state, chunk->layer, TENSOR_PART_LATENT_BIAS, x, width);
    norm_latent(state, chunk->layer, TENSOR_PART_LATENT_NORM, x, rank);
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
    if (status == STATUS_OK) status = pass_for_tokens(pass, norm_query, error);
    return status == STATUS_OK ? pass_project(pass, UP, error) : status;
}

static Status project_keys(const Pass *pass, Error *error) {
    static const Projection DOWN = {TENSOR_KV_A, TENSOR_OTHER, BUFFER_NORMED, BUFFER_LATENT};
    static const Projection UP = {TENSOR_KV_B, TENSOR_OTHER, BUFFER_LATENT, BUFFER_EXPANDED};
    const Chunk *chunk = &pass->chunk;
    Status status = pass_project(pass, DOWN, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, norm_keys, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < chunk->state_count; i++)
        close_gaps(chunk->states[i], &forward_plan(chunk->states[i], chunk->layer)->latent, chunk->tokens);
    return pass_project(pass, UP, error);
}

Status block_latent_run(const Pass *pass, Error *error) {
    static const Projection OUTPUT = {TENSOR_O, TENSOR_O_BIAS, BUFFER_MIXED, BUFFER_ADDED};
    Status status = project_query(pass, error);
    if (status == STATUS_OK) status = project_keys(pass, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, cache_token, error);
    if (status == STATUS_OK) status = attention_run(&pass->chunk, error);
    if (status == STATUS_OK) status = block_attention_gate(pass, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_MIXED, BUFFER_MIXED);
    return pass_project(pass, OUTPUT, error);
}
