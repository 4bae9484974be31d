#include "core/transformer/block_compressed.h"

#include "core/numerics/blas.h"
#include "core/support/memory.h"
#include "core/transformer/attention.h"
#include "core/transformer/compressor.h"
#include "core/transformer/rotary.h"

#include <stdlib.h>
#include <string.h>

/* ---- queries and keys ---- */

/* The last channels of each head; back: what was mixed of keys that are turned. */
static void turn(const Chunk *chunk, const ForwardState *state, size_t token, float *x, uint64_t heads,
                 bool back) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    const Rope *rope = &state->side->config->ropes[plan->rope];
    const Angles *angles = &chunk->angles[state->side == &state->model->base][plan->rope];
    size_t at = token * rope->dims / 2;
    for (uint64_t h = 0; h < heads; h++)
        rotary_turn(rope, x + (h + 1) * plan->head_dim - rope->dims, angles->cosines + at, angles->sines + at,
                    back);
}

static void norm_latent(const Chunk *chunk, ForwardState *state, size_t token) {
    pass_norm_part(chunk, state, token, TENSOR_PART_QUERY_NORM, BUFFER_QUERY_LATENT);
}

Norm block_compressed_query_norm(const ModelConfig *config, const LayerPlan *plan) {
    return (Norm){.kind = NORM_RMS, .size = plan->head_dim, .epsilon = config->norm_epsilon};
}

static void place_query(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    const Norm bare = block_compressed_query_norm(config, plan);
    float *query = pass_row(chunk, state, BUFFER_QUERY, token);
    for (uint64_t h = 0; h < plan->heads; h++)
        norm_forward(&bare, query + h * plan->head_dim, query + h * plan->head_dim);
    turn(chunk, state, token, query, plan->heads, false);
}

static void place_key(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    float *key = pass_row(chunk, state, BUFFER_KEY, token);
    pass_norm_part(chunk, state, token, TENSOR_PART_SHARED_KEY_NORM, BUFFER_KEY);
    turn(chunk, state, token, key, 1, false);
    memcpy(state->keys + forward_cache(state, chunk->layer, 0) + chunk_cell(chunk, token) * plan->head_dim,
           key, plan->head_dim * sizeof *key);
}

static Status project(const Pass *pass, Error *error) {
    static const Projection DOWN = {TENSOR_Q_A, TENSOR_OTHER, BUFFER_NORMED, BUFFER_QUERY_LATENT};
    static const Projection UP = {TENSOR_Q_B, TENSOR_OTHER, BUFFER_QUERY_LATENT, BUFFER_QUERY};
    Status status = pass_project(pass, DOWN, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_QUERY_LATENT, BUFFER_QUERY_LATENT);
    if (status == STATUS_OK) status = pass_for_tokens(pass, norm_latent, error);
    if (status == STATUS_OK) status = pass_project(pass, UP, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_QUERY, BUFFER_QUERY);
    if (status == STATUS_OK) status = pass_for_tokens(pass, place_query, error);
    if (status == STATUS_OK)
        status = pass_project_part(pass, TENSOR_PART_SHARED_KEY, BUFFER_NORMED, BUFFER_KEY, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_KEY, BUFFER_KEY);
    return status == STATUS_OK ? pass_for_tokens(pass, place_key, error) : status;
}

/* ---- attention ---- */

SharedKeys block_compressed_find_keys(const ForwardState *state, uint64_t layer, size_t start,
                                      size_t position) {
    const LayerPlan *plan = forward_plan(state, layer);
    size_t first = attention_first(plan, position);
    SharedKeys keys = {.counts = {0, position + 1 - first}};
    keys.rows[1] = state->keys + forward_cache(state, layer, 0) + (start + first) * plan->head_dim;
    if (plan->rate > 0) keys.rows[0] = compressor_entries(state, layer, start, position, &keys.counts[0]);
    return keys;
}

void block_compressed_multiply_keys(const SharedKeys *keys, size_t heads, size_t dim, const float *x,
                                    float *scores) {
    size_t all = keys->counts[0] + keys->counts[1];
    for (size_t part = 0, at = 0; part < 2; at += keys->counts[part++])
        if (keys->counts[part] > 0)
            blas_multiply_transposed(heads, keys->counts[part], dim, x, dim, keys->rows[part], dim, 0.0F,
                                     scores + at, all);
}

void block_compressed_weigh(const ForwardState *state, uint64_t layer, const SharedKeys *keys, size_t token,
                            uint64_t head, size_t heads, float *scores) {
    const LayerPlan *plan = forward_plan(state, layer);
    size_t all = keys->counts[0] + keys->counts[1];
    block_compressed_multiply_keys(
        keys, heads, plan->head_dim,
        state->buffers[BUFFER_QUERY] + (token * plan->heads + head) * plan->head_dim, scores);
    for (size_t i = 0; i < heads; i++) {
        ScoreRule rule = attention_rule(state, layer, head + i);
        attention_weigh(&rule, scores + i * all, 0, all, all);
    }
}

static void attend_heads(const Chunk *chunk, const ForwardState *state, const SharedKeys *keys, size_t token,
                         uint64_t head, size_t heads, float *scores) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t dim = plan->head_dim, row = token * plan->heads + head, all = keys->counts[0] + keys->counts[1];
    float *mixed = state->buffers[BUFFER_MIXED] + row * dim, beta = 0.0F;
    block_compressed_weigh(state, chunk->layer, keys, token, head, heads, scores);
    for (size_t part = 0, at = 0; part < 2; at += keys->counts[part++]) {
        if (keys->counts[part] == 0) continue;
        blas_multiply(heads, dim, keys->counts[part], scores + at, all, keys->rows[part], dim, beta, mixed,
                      dim);
        beta = 1.0F;
    }
}

static void attend(void *argument, size_t task, unsigned worker) {
    const Chunk *chunk = argument;
    const ForwardState *state = chunk->states[task / chunk->tokens];
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t token = task % chunk->tokens;
    const SharedKeys keys = block_compressed_find_keys(state, chunk->layer, chunk_start(chunk, token),
                                                       chunk_position(chunk, token));
    float *scores = chunk->scores + (size_t)worker * ATTENTION_BLOCK * chunk->score_stride;
    for (uint64_t head = 0; head < plan->heads && !job_is_cancelled(chunk->job);
         head += BLOCK_COMPRESSED_HEADS) {
        size_t heads = plan->heads - head < BLOCK_COMPRESSED_HEADS ? (size_t)(plan->heads - head)
                                                                   : BLOCK_COMPRESSED_HEADS;
        attend_heads(chunk, state, &keys, token, head, heads, scores);
    }
    turn(chunk, state, token, state->buffers[BUFFER_MIXED] + token * plan->heads * plan->head_dim,
         plan->heads, true);
}

/* ---- what comes out ---- */

/* A group's rows side by side, then each token's. */
static void gather_groups(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    size_t rank = (size_t)config->output_rank;
    float *to = pass_row(chunk, state, BUFFER_GROUPED, token);
    for (uint64_t g = 0; g < config->output_groups; g++)
        memcpy(to + g * rank, state->buffers[BUFFER_GROUP_ROWS] + (g * chunk->tokens + token) * rank,
               rank * sizeof *to);
}

/* Of one token a group's row is taken by itself: dot products are made of the first (matmul_run_each()). */
static MatmulProduct group_product(const Chunk *chunk, const ForwardState *state, size_t group,
                                   const uint32_t *picked) {
    const PairTensor *matrix = &state->model->layers[chunk->layer].output_groups.list[group];
    bool is_single = chunk->tokens == 1;
    size_t rank = (size_t)state->side->config->output_rank;
    return (MatmulProduct){
        .operand = {.blend = settings_blend(&state->settings, matrix),
                    .x = state->buffers[BUFFER_MIXED] + (is_single ? group * matrix->sft->columns : 0),
                    .picked = is_single ? NULL : picked + group * chunk->tokens,
                    .y = state->buffers[BUFFER_GROUP_ROWS] + group * chunk->tokens * rank},
        .tokens = chunk->tokens};
}

static Status multiply_groups(const Pass *pass, MatmulProduct *products, uint32_t *picked, Error *error) {
    const Chunk *chunk = &pass->chunk;
    size_t groups = (size_t)chunk->states[0]->side->config->output_groups, count = 0;
    for (size_t g = 0; g < groups; g++)
        for (size_t t = 0; t < chunk->tokens; t++) picked[g * chunk->tokens + t] = (uint32_t)(t * groups + g);
    for (size_t i = 0; i < chunk->state_count; i++)
        for (size_t g = 0; g < groups; g++)
            products[count++] = group_product(chunk, chunk->states[i], g, picked);
    return matmul_run_each(products, count, chunk->tokens == 1, pass->scratch, chunk->job, error);
}

static Status project_out(const Pass *pass, Error *error) {
    const Chunk *chunk = &pass->chunk;
    size_t groups = (size_t)chunk->states[0]->side->config->output_groups, most, rows;
    if (!memory_multiply(chunk->state_count, groups, &most) || !memory_multiply(chunk->tokens, groups, &rows))
        return memory_fail(error, "groups of heads");
    MatmulProduct *products = memory_allocate(most, sizeof *products);
    uint32_t *picked = memory_allocate(rows, sizeof *picked);
    Status status = products != NULL && picked != NULL ? multiply_groups(pass, products, picked, error)
                                                       : memory_fail(error, "groups of heads");
    free(products);
    free(picked);
    if (status == STATUS_OK) status = pass_for_tokens(pass, gather_groups, error);
    return status == STATUS_OK
               ? pass_project_part(pass, TENSOR_PART_GROUPED_OUT, BUFFER_GROUPED, BUFFER_ADDED, error)
               : status;
}

Status block_compressed_run(const Pass *pass, Error *error) {
    Chunk chunk = pass->chunk;
    size_t tasks;
    Status status = project(pass, error);
    if (status == STATUS_OK && forward_plan(chunk.states[0], chunk.layer)->rate > 0)
        status = compressor_run(pass, error);
    if (status != STATUS_OK) return status;
    if (!memory_multiply(chunk.tokens, chunk.state_count, &tasks)) return memory_fail(error, "attention");
    status = job_run(chunk.job, tasks, attend, &chunk, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_MIXED, BUFFER_MIXED);
    return project_out(pass, error);
}
