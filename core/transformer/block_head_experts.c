#include "core/transformer/block_head_experts.h"

#include "core/support/memory.h"
#include "core/transformer/block_attention.h"
#include "core/transformer/block_experts.h"
#include "core/transformer/descent_heads.h"
#include "core/transformer/expert_choice.h"
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
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_QUERY, BUFFER_QUERY);
    pass_observe(pass, FORWARD_KEY, BUFFER_KEY);
    pass_observe(pass, FORWARD_VALUE, BUFFER_VALUE);
    status = block_attention_mix(pass, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_MIXED, BUFFER_MIXED);
    return project_outputs(experts, error);
}

Status block_head_experts_run(const Pass *pass, Error *error) {
    size_t states = pass->chunk.state_count, most;
    uint64_t count = forward_plan(pass->chunk.states[0], pass->chunk.layer)->experts.count;
    Status status = block_experts_choose(pass, TENSOR_PART_QUERY_ROUTER, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_HEAD_SCORES, BUFFER_ROUTER);
    pass_observe(pass, FORWARD_HEAD_CHOSEN, BUFFER_CHOSEN);
    pass_observe(pass, FORWARD_HEAD_WEIGHTS, BUFFER_WEIGHTS);
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

/* ---- the way back ---- */

static size_t channels_of(const Descent *descent) {
    return descent_plan(descent)->kv_heads * descent_plan(descent)->head_dim;
}

/* A token's row of what the forward pass left. */
static const float *kept_row(const Descent *descent, BackwardCopy copy, size_t width, size_t sequence,
                             size_t token) {
    return descent->backward->copies[copy] + (descent->spans[sequence].row + token) * width;
}

static void copy_choice(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t chosen = (size_t)descent_plan(descent)->experts.chosen;
    memcpy(descent_slope(descent, SLOPE_HEAD_CHOSEN, sequence, token),
           kept_row(descent, COPY_HEAD_CHOSEN, chosen, sequence, token), chosen * sizeof(float));
    memcpy(descent_slope(descent, SLOPE_HEAD_WEIGHTS, sequence, token),
           kept_row(descent, COPY_HEAD_WEIGHTS, chosen, sequence, token), chosen * sizeof(float));
}

/* The row of a token of a sequence for one of its experts. */
static size_t row_of(const Descent *descent, size_t sequence, size_t token, size_t chosen) {
    const ExpertRows *rows = descent->rows_of_experts;
    return rows->row_of[(descent->spans[sequence].first + token) * rows->chosen + chosen];
}

/* Each expert's rows: from SLOPE_HEAD_ROWS, or the gradient at what the block gave, of which tokens have one, back through a
 * matrix. */
static Status run_back(const Descent *descent, ExpertMatrix matrix, const float *x, size_t in_width, Slope to,
                       size_t out_width, Error *error) {
    const Backward *backward = descent->backward;
    const ExpertRows *rows = descent->rows_of_experts;
    const ModelExpert *list = backward->model->layers[descent->layer].head_experts.list;
    MatmulProduct *products = memory_allocate(rows->experts, sizeof *products);
    size_t count = 0;
    if (products == NULL) return memory_fail(error, "the experts");
    for (size_t e = 0; e < rows->experts; e++) {
        const size_t first = rows->firsts[e], own = rows->firsts[e + 1] - first;
        const bool are_tokens = matrix == EXPERT_DOWN;
        if (own == 0) continue;
        products[count++] = (MatmulProduct){
            .operand = {.blend = settings_blend(&backward->settings, list[e].matrices[matrix]),
                        .x = are_tokens ? x : x + first * in_width,
                        .picked = are_tokens ? rows->tokens + first : NULL,
                        .y = backward->slopes[to] + first * out_width},
            .tokens = own,
            .is_back = true};
    }
    Status status = matmul_run_each(products, count, false, backward->scratch, descent->job, error);
    free(products);
    return status;
}

/* From rows, at what o takes of each expert without its weight, to heads, and to the weights. */
static void take_mixed(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const LayerPlan *plan = descent_plan(descent);
    const size_t dim = plan->head_dim, heads = plan->heads / plan->kv_heads;
    const float *mixed = descent_activation(descent, BACKWARD_MIXED, sequence, token);
    float *to = descent_slope(descent, SLOPE_MIXED, sequence, token),
          *to_weights = descent_slope(descent, SLOPE_HEAD_WEIGHTS, sequence, token);
    for (size_t k = 0; k < heads; k++) {
        const size_t row = row_of(descent, sequence, token, k);
        const float *from = descent->backward->slopes[SLOPE_HEAD_ROWS] + row * channels_of(descent),
                    weight = descent->rows_of_experts->weights[row];
        double sum = 0.0;
        for (uint64_t h = 0; h < plan->kv_heads; h++) {
            const size_t at = (h * heads + k) * dim;
            for (size_t i = 0; i < dim; i++) {
                sum += (double)from[h * dim + i] * (double)mixed[at + i];
                to[at + i] = weight * from[h * dim + i];
            }
        }
        to_weights[k] = (float)sum;
    }
}

static void give_queries(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const LayerPlan *plan = descent_plan(descent);
    const size_t dim = plan->head_dim, heads = plan->heads / plan->kv_heads;
    const float *query = descent_slope(descent, SLOPE_QUERY, sequence, token);
    for (size_t k = 0; k < heads; k++) {
        float *to = descent->backward->slopes[SLOPE_HEAD_ROWS] +
                    row_of(descent, sequence, token, k) * channels_of(descent);
        for (uint64_t h = 0; h < plan->kv_heads; h++)
            memcpy(to + h * dim, query + (h * heads + k) * dim, dim * sizeof *to);
    }
}

static void join_keys(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t width = channels_of(descent);
    float *to = descent_slope(descent, SLOPE_STORED, sequence, token);
    memcpy(to, descent_slope(descent, SLOPE_KEY, sequence, token), width * sizeof *to);
    memcpy(to + width, descent_slope(descent, SLOPE_VALUE, sequence, token), width * sizeof *to);
}

/* What experts took is the normed stream; and from their weights to the router. */
static void add_rows(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ExpertPlan *plan = &descent_plan(descent)->experts;
    const size_t hidden = descent_config(descent)->hidden_size;
    float *to = descent_slope(descent, SLOPE_NORMED, sequence, token);
    for (size_t k = 0; k < plan->chosen; k++) {
        const float *from =
            descent->backward->slopes[SLOPE_HEAD_ROUTED] + row_of(descent, sequence, token, k) * hidden;
        for (size_t i = 0; i < hidden; i++) to[i] += from[i];
    }
    expert_choice_descend(plan, kept_row(descent, COPY_HEAD_SCORES, (size_t)plan->count, sequence, token),
                          descent_slope(descent, SLOPE_HEAD_CHOSEN, sequence, token),
                          descent_slope(descent, SLOPE_HEAD_WEIGHTS, sequence, token),
                          descent_slope(descent, SLOPE_HEAD_LOGITS, sequence, token));
}

/* BUFFER_SCRATCH has what o took, row by row, as the layer went forward: of all tokens, as they go back for this. */
static Status give_experts(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const size_t width = channels_of(descent), hidden = descent_config(descent)->hidden_size;
    const BackwardExperts experts = {
        .sequences = descent->rows_of_experts,
        .width = {[BACKWARD_EXPERT_UP] = width, [BACKWARD_EXPERT_ACTIVATED] = width},
        .activations = {[BACKWARD_EXPERT_ACTIVATED] = backward->state->buffers[BUFFER_SCRATCH]},
        .gradients = {[BACKWARD_EXPERT_UP] = backward->slopes[SLOPE_HEAD_ROWS]}};
    BackwardFlow flow = {.kind = FLOW_EXPERTS,
                         .tokens = descent->tokens,
                         .columns = hidden,
                         .rows = hidden,
                         .inputs = descent->normed,
                         .gradients = backward->slopes[descent->given],
                         .experts = &experts,
                         .of = &backward->model->layers[descent->layer].head_experts,
                         .are_heads = true,
                         .layer = descent->layer};
    return descent->taker == NULL ? STATUS_OK : descent_give(descent, &flow, error);
}

/* From the block's output to queries, keys and values as they were projected. */
static Status descend_heads(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    Status status = descent_give_columns(descent, TENSOR_PART_OUTPUT_BIAS, descent->given, 0,
                                         descent_config(descent)->hidden_size, error);
    if (status == STATUS_OK)
        status = run_back(descent, EXPERT_DOWN, backward->slopes[descent->given], 0, SLOPE_HEAD_ROWS,
                          channels_of(descent), error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, take_mixed, error);
    if (status != STATUS_OK) return status;
    BackwardAttention attention = descent_attention(descent);
    attention.to_shared_key = descent->shared_keys;
    attention.to_shared_value = descent->shared_values;
    status = backward_attention_run(&attention, error);
    return status == STATUS_OK ? descent_heads_run(descent, error) : status;
}

static Status descend(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    Status status = descend_heads(descent, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, give_queries, error);
    if (status == STATUS_OK) status = give_experts(descent, error);
    if (status == STATUS_OK)
        status = run_back(descent, EXPERT_UP, backward->slopes[SLOPE_HEAD_ROWS], channels_of(descent),
                          SLOPE_HEAD_ROUTED, descent_config(descent)->hidden_size, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, join_keys, error);
    if (status == STATUS_OK)
        status = descent_run_part(descent, TENSOR_PART_KEY_VALUE, TENSOR_PART_COUNT, descent->normed,
                                  SLOPE_STORED, SLOPE_NORMED, descent->accumulates, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, add_rows, error);
    return status == STATUS_OK
               ? descent_run_part(descent, TENSOR_PART_QUERY_ROUTER, TENSOR_PART_COUNT, descent->normed,
                                  SLOPE_HEAD_LOGITS, SLOPE_NORMED, true, error)
               : status;
}

Status block_head_experts_descend(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const ExpertPlan *plan = &descent_plan(descent)->experts;
    ExpertRows rows = {0};
    Descent own = *descent;
    own.rows_of_experts = &rows;
    Status status = descent_for_tokens(descent, copy_choice, error);
    if (status == STATUS_OK)
        status = expert_rows_sort(&rows, (size_t)plan->count, (size_t)plan->chosen, descent->tokens,
                                  backward->slopes[SLOPE_HEAD_CHOSEN], backward->slopes[SLOPE_HEAD_WEIGHTS],
                                  error);
    if (status == STATUS_OK) status = descend(&own, error);
    expert_rows_free(&rows);
    return status;
}
