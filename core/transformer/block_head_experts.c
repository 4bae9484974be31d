#include "core/transformer/block_head_experts.h"

#include "core/support/memory.h"
#include "core/transformer/block_attention.h"
#include "core/transformer/block_experts.h"
#include "core/transformer/expert_rows.h"

#include <stdlib.h>
#include <string.h>

/* A row is a token's for one of its experts, of all key heads. */
typedef struct HeadExperts {
    const Pass *pass;
    ExpertRows *rows; /* [state_count] */
    MatmulProduct *products;
    size_t product_count;
} HeadExperts;

/* ---- keys and values ---- */

static void split_keys(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    size_t width = forward_layer_width(config, forward_plan(state, chunk->layer), BUFFER_KEY);
    const float *both = pass_row(chunk, state, BUFFER_QKV, token);
    memcpy(pass_row(chunk, state, BUFFER_KEY, token), both, width * sizeof *both);
    memcpy(pass_row(chunk, state, BUFFER_VALUE, token), both + width, width * sizeof *both);
}

static Status project_keys(const Pass *pass, Error *error) {
    Status status = pass_project_part(pass, TENSOR_PART_KEY_VALUE, BUFFER_NORMED, BUFFER_QKV, error);
    return status == STATUS_OK ? pass_for_tokens(pass, split_keys, error) : status;
}

/* ---- between rows of experts and heads of tokens ---- */

typedef void (*RowFunction)(ForwardState *state, const LayerPlan *plan, const ExpertRows *rows, size_t token);

typedef struct RowStep {
    const HeadExperts *experts;
    RowFunction function;
} RowStep;

static void run_token(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const RowStep *step = argument;
    const Chunk *chunk = &step->experts->pass->chunk;
    size_t index = task / chunk->tokens;
    ForwardState *state = chunk->states[index];
    step->function(state, forward_plan(state, chunk->layer), &step->experts->rows[index],
                   task % chunk->tokens);
}

static Status for_tokens(const HeadExperts *experts, RowFunction function, Error *error) {
    const Chunk *chunk = &experts->pass->chunk;
    RowStep step = {experts, function};
    return job_run(chunk->job, chunk->tokens * chunk->state_count, run_token, &step, error);
}

/* Where a token's head of one key head and one of its experts is, in rows and in heads. */
static float *find_row(const ForwardState *state, const LayerPlan *plan, const ExpertRows *rows, size_t token,
                       size_t chosen, uint64_t kv_head) {
    size_t width = plan->kv_heads * plan->head_dim;
    return state->buffers[BUFFER_SCRATCH] + rows->row_of[token * rows->chosen + chosen] * width +
           kv_head * plan->head_dim;
}

static float *find_head(const ForwardState *state, const LayerPlan *plan, Buffer buffer, size_t token,
                        size_t chosen, uint64_t kv_head) {
    size_t heads = plan->heads / plan->kv_heads;
    return state->buffers[buffer] + (token * plan->heads + kv_head * heads + chosen) * plan->head_dim;
}

static void take_queries(ForwardState *state, const LayerPlan *plan, const ExpertRows *rows, size_t token) {
    for (size_t k = 0; k < rows->chosen; k++)
        for (uint64_t h = 0; h < plan->kv_heads; h++)
            memcpy(find_head(state, plan, BUFFER_QUERY, token, k, h),
                   find_row(state, plan, rows, token, k, h), plan->head_dim * sizeof(float));
}

static void give_mixed(ForwardState *state, const LayerPlan *plan, const ExpertRows *rows, size_t token) {
    for (size_t k = 0; k < rows->chosen; k++)
        for (uint64_t h = 0; h < plan->kv_heads; h++)
            memcpy(find_row(state, plan, rows, token, k, h),
                   find_head(state, plan, BUFFER_MIXED, token, k, h), plan->head_dim * sizeof(float));
}

static void add_outputs(ForwardState *state, const LayerPlan *plan, const ExpertRows *rows, size_t token) {
    (void)plan;
    size_t hidden = state->side->config->hidden_size;
    float *added = state->buffers[BUFFER_ADDED] + token * hidden;
    for (size_t k = 0; k < rows->chosen; k++) {
        size_t row = rows->row_of[token * rows->chosen + k];
        const float *from = state->buffers[BUFFER_ROUTED] + row * hidden, weight = rows->weights[row];
        for (size_t i = 0; i < hidden; i++) added[i] += weight * from[i];
    }
}

static void start_added(const Chunk *chunk, ForwardState *state, size_t token) {
    memcpy(pass_row(chunk, state, BUFFER_ADDED, token),
           forward_part(state, chunk->layer, TENSOR_PART_OUTPUT_BIAS),
           state->side->config->hidden_size * sizeof(float));
}

/* ---- products ---- */

typedef struct ProductStep {
    const ExpertStack *matrices;
    const float *from;
    float *to;
    size_t in_width, out_width; /* of a row */
    bool picks;                 /* `from` has a row a token */
} ProductStep;

static void add_products(HeadExperts *experts, size_t index, ProductStep step) {
    const ForwardState *state = experts->pass->chunk.states[index];
    const ExpertRows *rows = &experts->rows[index];
    for (size_t e = 0; e < rows->experts; e++) {
        size_t first = rows->firsts[e], tokens = rows->firsts[e + 1] - first;
        if (tokens == 0) continue;
        experts->products[experts->product_count++] =
            (MatmulProduct){.operand = {.blend = settings_blend(&state->settings, &step.matrices->list[e]),
                                        .x = step.picks ? step.from : step.from + first * step.in_width,
                                        .picked = step.picks ? rows->tokens + first : NULL,
                                        .y = step.to + first * step.out_width},
                            .tokens = tokens};
    }
}

static Status multiply(HeadExperts *experts, Error *error) {
    const Pass *pass = experts->pass;
    size_t count = experts->product_count;
    experts->product_count = 0;
    return matmul_run_each(experts->products, count, pass->chunk.tokens == 1, pass->scratch, pass->chunk.job,
                           error);
}

static Status project_queries(HeadExperts *experts, Error *error) {
    const Chunk *chunk = &experts->pass->chunk;
    for (size_t i = 0; i < chunk->state_count; i++) {
        ForwardState *state = chunk->states[i];
        const LayerPlan *plan = forward_plan(state, chunk->layer);
        add_products(experts, i,
                     (ProductStep){.matrices = &state->model->layers[chunk->layer].query_experts,
                                   .from = state->buffers[BUFFER_NORMED],
                                   .to = state->buffers[BUFFER_SCRATCH],
                                   .in_width = state->side->config->hidden_size,
                                   .out_width = plan->kv_heads * plan->head_dim,
                                   .picks = true});
    }
    Status status = multiply(experts, error);
    return status == STATUS_OK ? for_tokens(experts, take_queries, error) : status;
}

static Status project_outputs(HeadExperts *experts, Error *error) {
    const Chunk *chunk = &experts->pass->chunk;
    Status status = for_tokens(experts, give_mixed, error);
    for (size_t i = 0; i < chunk->state_count && status == STATUS_OK; i++) {
        ForwardState *state = chunk->states[i];
        const LayerPlan *plan = forward_plan(state, chunk->layer);
        add_products(experts, i,
                     (ProductStep){.matrices = &state->model->layers[chunk->layer].output_experts,
                                   .from = state->buffers[BUFFER_SCRATCH],
                                   .to = state->buffers[BUFFER_ROUTED],
                                   .in_width = plan->kv_heads * plan->head_dim,
                                   .out_width = state->side->config->hidden_size});
    }
    if (status == STATUS_OK) status = multiply(experts, error);
    if (status == STATUS_OK) status = pass_for_tokens(experts->pass, start_added, error);
    return status == STATUS_OK ? for_tokens(experts, add_outputs, error) : status;
}

/* ---- the block ---- */

static Status sort_rows(HeadExperts *experts, Error *error) {
    const Chunk *chunk = &experts->pass->chunk;
    Status status = STATUS_OK;
    for (size_t i = 0; i < chunk->state_count && status == STATUS_OK; i++) {
        ForwardState *state = chunk->states[i];
        const ExpertPlan *plan = &forward_plan(state, chunk->layer)->experts;
        status = expert_rows_sort(&experts->rows[i], (size_t)plan->count, (size_t)plan->chosen, chunk->tokens,
                                  state->buffers[BUFFER_CHOSEN], state->buffers[BUFFER_WEIGHTS], error);
    }
    return status;
}

static Status run(HeadExperts *experts, Error *error) {
    const Pass *pass = experts->pass;
    Status status = sort_rows(experts, error);
    if (status == STATUS_OK) status = project_keys(pass, error);
    if (status == STATUS_OK) status = project_queries(experts, error);
    if (status == STATUS_OK) status = block_attention_mix(pass, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_MIXED, BUFFER_MIXED);
    return project_outputs(experts, error);
}

Status block_head_experts_run(const Pass *pass, Error *error) {
    size_t states = pass->chunk.state_count, most;
    uint64_t count = forward_plan(pass->chunk.states[0], pass->chunk.layer)->experts.count;
    Status status = block_experts_choose(pass, TENSOR_PART_QUERY_ROUTER, error);
    if (status != STATUS_OK) return status;
    if (!memory_multiply(states, (size_t)count, &most)) return memory_fail(error, "the experts");
    HeadExperts experts = {.pass = pass,
                           .rows = memory_allocate(states, sizeof *experts.rows),
                           .products = memory_allocate(most, sizeof *experts.products)};
    bool complete = experts.rows != NULL && experts.products != NULL;
    status = complete ? run(&experts, error) : memory_fail(error, "the experts");
    for (size_t i = 0; experts.rows != NULL && i < states; i++) expert_rows_free(&experts.rows[i]);
    free(experts.rows);
    free(experts.products);
    return status;
}
