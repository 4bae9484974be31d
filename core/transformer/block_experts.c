#include "core/transformer/block_experts.h"

#include "core/support/memory.h"
#include "core/transformer/activation.h"
#include "core/transformer/expert_choice.h"
#include "core/transformer/expert_rows.h"
#include "core/transformer/glu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One state's rows. */
typedef struct Routing {
    ForwardState *state;
    const ModelExperts *experts;
    const LayerPlan *layer;
    const ExpertPlan *plan; /* its experts */
    ExpertRows rows;
    float *biases; /* [experts × (2 · width + hidden_size)], blended where there are rows; NULL: none */
    size_t bias_stride;
} Routing;

typedef struct Experts {
    const Pass *pass;
    Routing *routings; /* [state_count] */
    MatmulProduct *products;
    size_t product_count;
} Experts;

/* ---- the router ---- */

/* As a table lists them for the token; base has SFT's rows of the tokens that it lacks. */
static void take_listed(const Chunk *chunk, const ForwardState *state, size_t token, float *chosen) {
    const uint64_t id = (uint64_t)chunk->ids[token],
                   count = forward_plan(state, chunk->layer)->experts.chosen;
    const PairTensor *table = state->model->layers[chunk->layer].parts[TENSOR_PART_EXPERT_TABLE];
    bool is_base = state->side == &state->model->base && id < table->base->rows;
    const Tensor *own = is_base ? table->base : table->sft;
    for (uint64_t k = 0; k < count; k++) chosen[k] = (float)model_experts_listed(own, id * count + k);
}

static void choose(const Chunk *chunk, ForwardState *state, size_t token) {
    const ExpertPlan *plan = &forward_plan(state, chunk->layer)->experts;
    float *const *parts = state->vectors[chunk->layer].parts,
                 *rivals = pass_row(chunk, state, BUFFER_RIVALS, token);
    const ExpertChoice choice = {.logits = pass_row(chunk, state, BUFFER_ROUTER, token),
                                 .rivals = rivals,
                                 .groups = rivals + plan->count,
                                 .correction = parts[TENSOR_PART_CORRECTION],
                                 .chosen = pass_row(chunk, state, BUFFER_CHOSEN, token),
                                 .weights = pass_row(chunk, state, BUFFER_WEIGHTS, token)};
    const float *bias = parts[TENSOR_PART_ROUTER_BIAS];
    for (size_t e = 0; bias != NULL && e < plan->count; e++) choice.logits[e] += bias[e];
    float cap = (float)plan->logit_cap;
    for (size_t e = 0; cap > 0.0F && e < plan->count; e++)
        choice.logits[e] = tanhf(choice.logits[e] / cap) * cap;
    if (!forward_plan(state, chunk->layer)->is_hashed) {
        expert_choose(plan, &choice);
        return;
    }
    take_listed(chunk, state, token, choice.chosen);
    expert_weigh(plan, &choice);
}

Status block_experts_choose(const Pass *pass, TensorPart router, Error *error) {
    Status status = pass_project_part(pass, router, BUFFER_NORMED, BUFFER_ROUTER, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_ROUTER, BUFFER_ROUTER);
    return status == STATUS_OK ? pass_for_tokens(pass, choose, error) : status;
}

static Status route(const Pass *pass, Error *error) {
    Status status = block_experts_choose(pass, TENSOR_PART_ROUTER, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_SCORES, BUFFER_ROUTER);
    pass_observe(pass, FORWARD_CHOSEN, BUFFER_CHOSEN);
    pass_observe(pass, FORWARD_WEIGHTS, BUFFER_WEIGHTS);
    return STATUS_OK;
}

/* ---- the expert that every token passes ---- */

static void split_shared(const Chunk *chunk, ForwardState *state, size_t token) {
    size_t width = forward_plan(state, chunk->layer)->intermediate_size;
    const float *from = state->buffers[BUFFER_GATE_UP] + token * 2 * width;
    memcpy(pass_row(chunk, state, BUFFER_GATE, token), from, width * sizeof *from);
    memcpy(pass_row(chunk, state, BUFFER_UP, token), from + width, width * sizeof *from);
}

static void activate_shared(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    float *gate = pass_row(chunk, state, BUFFER_GATE, token);
    const float *up = pass_row(chunk, state, BUFFER_UP, token);
    const Glu glu = glu_of_mlp(state->side->config, plan);
    for (size_t i = 0; i < plan->intermediate_size; i++) gate[i] = glu_value(&glu, gate[i], up[i]);
}

static void switch_shared(const Chunk *chunk, ForwardState *state, size_t token) {
    size_t hidden = state->side->config->hidden_size;
    float *added = pass_row(chunk, state, BUFFER_ADDED, token);
    float share = activation_value(ACTIVATION_SIGMOID, *pass_row(chunk, state, BUFFER_SWITCH, token));
    for (size_t i = 0; i < hidden; i++) added[i] *= share;
}

static void scale_shared(const Chunk *chunk, ForwardState *state, size_t token) {
    float *added = pass_row(chunk, state, BUFFER_ADDED, token),
          scale = (float)forward_plan(state, chunk->layer)->experts.shared_scale;
    for (size_t i = 0; i < state->side->config->hidden_size; i++) added[i] *= scale;
}

/* States that run together may be of sides with other scales. */
static bool is_shared_scaled(const Chunk *chunk) {
    for (size_t i = 0; i < chunk->state_count; i++)
        if (forward_plan(chunk->states[i], chunk->layer)->experts.shared_scale != 1.0) return true;
    return false;
}

/* What experts are added to: nothing, or the one bias of all of them. */
static void start_added(const Chunk *chunk, ForwardState *state, size_t token) {
    size_t bytes = state->side->config->hidden_size * sizeof(float);
    const float *bias = forward_vector(state, chunk->layer, TENSOR_DOWN_BIAS);
    float *added = pass_row(chunk, state, BUFFER_ADDED, token);
    if (bias != NULL)
        memcpy(added, bias, bytes);
    else
        memset(added, 0, bytes);
}

static Status project_shared(const Pass *pass, Error *error) {
    const LayerPlan *plan = forward_plan(pass->chunk.states[0], pass->chunk.layer);
    Status status = STATUS_OK;
    if (architecture_needs(plan, TENSOR_PART_SHARED_GATE_UP)) {
        status = pass_project_part(pass, TENSOR_PART_SHARED_GATE_UP, BUFFER_NORMED, BUFFER_GATE_UP, error);
        if (status == STATUS_OK) pass_observe(pass, FORWARD_GATE_UP, BUFFER_GATE_UP);
        return status == STATUS_OK ? pass_for_tokens(pass, split_shared, error) : status;
    }
    if (!plan->experts.is_plain)
        status = pass_project_part(pass, TENSOR_PART_SHARED_GATE, BUFFER_NORMED, BUFFER_GATE, error);
    return status == STATUS_OK
               ? pass_project_part(pass, TENSOR_PART_SHARED_UP, BUFFER_NORMED, BUFFER_UP, error)
               : status;
}

static Status run_shared(const Pass *pass, Error *error) {
    const LayerPlan *plan = forward_plan(pass->chunk.states[0], pass->chunk.layer);
    if (plan->experts.shared_width == 0) return pass_for_tokens(pass, start_added, error);
    Status status = project_shared(pass, error);
    if (status != STATUS_OK) return status;
    if (!plan->experts.is_plain) pass_observe(pass, FORWARD_GATE, BUFFER_GATE);
    pass_observe(pass, FORWARD_UP, BUFFER_UP);
    status = pass_for_tokens(pass, activate_shared, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_ACTIVATED, BUFFER_GATE);
    status = pass_project_part(pass, TENSOR_PART_SHARED_DOWN, BUFFER_GATE, BUFFER_ADDED, error);
    if (status == STATUS_OK && is_shared_scaled(&pass->chunk))
        status = pass_for_tokens(pass, scale_shared, error);
    if (status != STATUS_OK || !architecture_needs(plan, TENSOR_PART_SHARED_SWITCH)) return status;
    status = pass_project_part(pass, TENSOR_PART_SHARED_SWITCH, BUFFER_NORMED, BUFFER_SWITCH, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_SWITCH, BUFFER_SWITCH);
    return status == STATUS_OK ? pass_for_tokens(pass, switch_shared, error) : status;
}

/* ---- rows ---- */

static void free_routing(Routing *routing) {
    expert_rows_free(&routing->rows);
    free(routing->biases);
}

static Status reserve_biases(Routing *routing, Error *error) {
    const ExpertPlan *plan = routing->plan;
    if (!plan->has_bias) return STATUS_OK;
    routing->bias_stride = 2 * (size_t)plan->width + routing->state->side->config->hidden_size;
    routing->biases = memory_allocate((size_t)plan->count, routing->bias_stride * sizeof(float));
    return routing->biases != NULL ? STATUS_OK : memory_fail(error, "the experts");
}

static void blend_biases(const Routing *routing, size_t expert) {
    const ModelExperts *experts = routing->experts;
    float *into = routing->biases + expert * routing->bias_stride;
    size_t both = 2 * (size_t)routing->plan->width;
    Blend gate_up = settings_blend(&routing->state->settings, experts->gate_up_bias),
          down = settings_blend(&routing->state->settings, experts->down_bias);
    blend_rows(&gate_up, expert, 1, into);
    blend_rows(&down, expert, 1, into + both);
}

static Status make_routing(const Pass *pass, size_t index, Routing *routing, Error *error) {
    ForwardState *state = pass->chunk.states[index];
    *routing = (Routing){.state = state,
                         .experts = &state->model->layers[pass->chunk.layer].experts,
                         .layer = forward_plan(state, pass->chunk.layer),
                         .plan = &forward_plan(state, pass->chunk.layer)->experts};
    const ExpertPlan *plan = routing->plan;
    Status status =
        expert_rows_sort(&routing->rows, (size_t)plan->count, (size_t)plan->chosen, pass->chunk.tokens,
                         state->buffers[BUFFER_CHOSEN], state->buffers[BUFFER_WEIGHTS], error);
    if (status == STATUS_OK) status = reserve_biases(routing, error);
    if (status != STATUS_OK) return status;
    for (size_t e = 0; routing->biases != NULL && e < plan->count; e++)
        if (routing->rows.firsts[e + 1] > routing->rows.firsts[e]) blend_biases(routing, e);
    return STATUS_OK;
}

/* ---- products ---- */

typedef struct ProductStep {
    ExpertMatrix matrix;
    Buffer from, to;
    size_t in_width, out_width; /* of a row */
    bool picks;                 /* `from` has a row a token */
} ProductStep;

static void add_products(Experts *experts, const Routing *routing, ProductStep step) {
    ForwardState *state = routing->state;
    bool is_back = step.matrix == EXPERT_DOWN ? routing->experts->is_down_transposed
                                              : routing->experts->is_gate_up_transposed;
    for (size_t e = 0; e < routing->plan->count; e++) {
        size_t first = routing->rows.firsts[e], tokens = routing->rows.firsts[e + 1] - first;
        if (tokens == 0) continue;
        const PairTensor *tensor = routing->experts->list[e].matrices[step.matrix];
        const float *from = state->buffers[step.from];
        experts->products[experts->product_count++] =
            (MatmulProduct){.operand = {.blend = settings_blend(&state->settings, tensor),
                                        .x = step.picks ? from : from + first * step.in_width,
                                        .picked = step.picks ? routing->rows.tokens + first : NULL,
                                        .y = state->buffers[step.to] + first * step.out_width},
                            .tokens = tokens,
                            .is_back = is_back};
    }
}

static Status multiply(Experts *experts, Error *error) {
    const Pass *pass = experts->pass;
    size_t count = experts->product_count;
    /* a table may name an expert twice, which then has two rows */
    bool is_single =
        pass->chunk.tokens == 1 && !forward_plan(pass->chunk.states[0], pass->chunk.layer)->is_hashed;
    experts->product_count = 0;
    return matmul_run_each(experts->products, count, is_single, pass->scratch, pass->chunk.job, error);
}

static Status project_gate_up(Experts *experts, Error *error) {
    for (size_t i = 0; i < experts->pass->chunk.state_count; i++) {
        const Routing *routing = &experts->routings[i];
        size_t hidden = routing->state->side->config->hidden_size, width = (size_t)routing->plan->width;
        ProductStep step = {.matrix = EXPERT_GATE_UP,
                            .from = routing->plan->scales_input ? BUFFER_ROUTED : BUFFER_NORMED,
                            .to = BUFFER_ROUTED_GATE,
                            .in_width = hidden,
                            .out_width = 2 * width,
                            .picks = !routing->plan->scales_input};
        if (routing->experts->list->matrices[EXPERT_GATE_UP] != NULL) {
            add_products(experts, routing, step);
            continue;
        }
        step.matrix = EXPERT_GATE;
        step.out_width = width;
        if (!routing->plan->is_plain) add_products(experts, routing, step);
        step.matrix = EXPERT_UP;
        step.to = BUFFER_ROUTED_UP;
        add_products(experts, routing, step);
    }
    return multiply(experts, error);
}

static Status project_down(Experts *experts, Error *error) {
    for (size_t i = 0; i < experts->pass->chunk.state_count; i++) {
        const Routing *routing = &experts->routings[i];
        const ProductStep step = {.matrix = EXPERT_DOWN,
                                  .from = BUFFER_ROUTED_UP,
                                  .to = BUFFER_ROUTED,
                                  .in_width = (size_t)routing->plan->width,
                                  .out_width = routing->state->side->config->hidden_size};
        add_products(experts, routing, step);
    }
    return multiply(experts, error);
}

/* ---- element by element ---- */

enum { ROW_BLOCK = 8 /* rows a task */ };

typedef void (*RowFunction)(const Routing *routing, size_t row);

typedef struct RowStep {
    const Routing *routings;
    RowFunction function;
    size_t rows, blocks; /* of one state: all have as many, or fewer */
} RowStep;

static void run_rows(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const RowStep *step = argument;
    const Routing *routing = &step->routings[task / step->blocks];
    size_t first = task % step->blocks * ROW_BLOCK, end = first + ROW_BLOCK;
    for (size_t row = first; row < end && row < routing->rows.count; row++) step->function(routing, row);
}

static Status for_rows(const Experts *experts, RowFunction function, Error *error) {
    RowStep step = {.routings = experts->routings, .function = function};
    size_t states = experts->pass->chunk.state_count;
    for (size_t i = 0; i < states; i++)
        if (experts->routings[i].rows.count > step.rows) step.rows = experts->routings[i].rows.count;
    step.blocks = (step.rows + ROW_BLOCK - 1) / ROW_BLOCK;
    return job_run(experts->pass->chunk.job, step.blocks * states, run_rows, &step, error);
}

static void scale_input(const Routing *routing, size_t row) {
    size_t hidden = routing->state->side->config->hidden_size;
    const float *from = routing->state->buffers[BUFFER_NORMED] + routing->rows.tokens[row] * hidden;
    float *to = routing->state->buffers[BUFFER_ROUTED] + row * hidden;
    for (size_t i = 0; i < hidden; i++) to[i] = from[i] * routing->rows.weights[row];
}

/* Where a row's gate and up lie: alternating or one behind the other, or apart. */
typedef struct GateUp {
    float *gate, *up;
    size_t step;
} GateUp;

static GateUp find_gate_up(const Routing *routing, size_t row) {
    const ExpertPlan *plan = routing->plan;
    size_t width = (size_t)plan->width;
    float *const *buffers = routing->state->buffers;
    if (routing->experts->list->matrices[EXPERT_GATE_UP] == NULL)
        return (GateUp){buffers[BUFFER_ROUTED_GATE] + row * width, buffers[BUFFER_ROUTED_UP] + row * width,
                        1};
    float *gate = buffers[BUFFER_ROUTED_GATE] + row * 2 * width;
    return (GateUp){gate, gate + (plan->is_interleaved ? 1 : width), plan->is_interleaved ? 2 : 1};
}

static void add_bias(const Routing *routing, size_t row) {
    GateUp of = find_gate_up(routing, row);
    size_t width = (size_t)routing->plan->width, step = routing->plan->is_interleaved ? 2 : 1;
    const float *gate = routing->biases + routing->rows.expert[row] * routing->bias_stride,
                *up = gate + (routing->plan->is_interleaved ? 1 : width);
    for (size_t i = 0; i < width; i++) {
        of.gate[i * of.step] += gate[i * step];
        of.up[i * of.step] += up[i * step];
    }
}

static void activate_row(const Routing *routing, size_t row) {
    size_t width = (size_t)routing->plan->width;
    const Glu glu = glu_of_experts(routing->state->side->config, routing->layer);
    float *out = routing->state->buffers[BUFFER_ROUTED_UP] + row * width;
    GateUp of = glu.is_plain ? (GateUp){out, out, 1} : find_gate_up(routing, row);
    for (size_t i = 0; i < width; i++) out[i] = glu_value(&glu, of.gate[i * of.step], of.up[i * of.step]);
}

/* ---- together ---- */

typedef struct AddStep {
    const Experts *experts;
    size_t tokens;
} AddStep;

/* A token's experts, onto what is in BUFFER_ADDED. */
static void add_token(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const AddStep *step = argument;
    const Routing *routing = &step->experts->routings[task / step->tokens];
    size_t token = task % step->tokens, hidden = routing->state->side->config->hidden_size;
    size_t chosen = (size_t)routing->plan->chosen, both = 2 * (size_t)routing->plan->width;
    float *added = routing->state->buffers[BUFFER_ADDED] + token * hidden;
    for (size_t k = 0; k < chosen; k++) {
        size_t row = routing->rows.row_of[token * chosen + k];
        const float *from = routing->state->buffers[BUFFER_ROUTED] + row * hidden;
        float weight = routing->plan->scales_input ? 1.0F : routing->rows.weights[row];
        if (routing->biases == NULL) {
            for (size_t i = 0; i < hidden; i++) added[i] += weight * from[i];
            continue;
        }
        const float *bias = routing->biases + routing->rows.expert[row] * routing->bias_stride + both;
        for (size_t i = 0; i < hidden; i++) added[i] += weight * (from[i] + bias[i]);
    }
}

/* A state's rows, in their order. */
static void observe_rows(const Experts *experts, ForwardSite site, Buffer buffer) {
    for (size_t i = 0; i < experts->pass->chunk.state_count; i++)
        pass_observe_state(experts->pass, i, site, buffer, &experts->routings[i].rows);
}

static void observe_gate_up(const Experts *experts) {
    bool is_one = experts->routings->experts->list->matrices[EXPERT_GATE_UP] != NULL;
    if (!experts->routings->plan->is_plain)
        observe_rows(experts, is_one ? FORWARD_ROUTED_GATE_UP : FORWARD_ROUTED_GATE, BUFFER_ROUTED_GATE);
    if (!is_one) observe_rows(experts, FORWARD_ROUTED_UP, BUFFER_ROUTED_UP);
}

/* Up to the inputs of down. */
static Status activate_routed(Experts *experts, Error *error) {
    const Pass *pass = experts->pass;
    const ExpertPlan *plan = &forward_plan(pass->chunk.states[0], pass->chunk.layer)->experts;
    Status status = plan->scales_input ? for_rows(experts, scale_input, error) : STATUS_OK;
    if (status == STATUS_OK) status = project_gate_up(experts, error);
    if (status == STATUS_OK && plan->has_bias) status = for_rows(experts, add_bias, error);
    if (status != STATUS_OK) return status;
    observe_gate_up(experts);
    status = for_rows(experts, activate_row, error);
    if (status == STATUS_OK) observe_rows(experts, FORWARD_ROUTED_ACTIVATED, BUFFER_ROUTED_UP);
    return status;
}

static Status run_routed(Experts *experts, Error *error) {
    const Pass *pass = experts->pass;
    AddStep step = {experts, pass->chunk.tokens};
    Status status = activate_routed(experts, error);
    if (status == STATUS_OK) status = project_down(experts, error);
    if (status != STATUS_OK) return status;
    return job_run(pass->chunk.job, step.tokens * pass->chunk.state_count, add_token, &step, error);
}

Status block_experts_run(const Pass *pass, Error *error) {
    size_t states = pass->chunk.state_count, most;
    uint64_t count = forward_plan(pass->chunk.states[0], pass->chunk.layer)->experts.count;
    if (count == 0) return run_shared(pass, error);
    Status status = route(pass, error);
    if (status == STATUS_OK) status = run_shared(pass, error);
    if (status != STATUS_OK) return status;
    if (!memory_multiply(states, 2 * (size_t)count, &most)) return memory_fail(error, "the experts");
    Experts experts = {.pass = pass,
                       .routings = memory_allocate(states, sizeof *experts.routings),
                       .products = memory_allocate(most, sizeof *experts.products)};
    if (experts.routings == NULL || experts.products == NULL) status = memory_fail(error, "the experts");
    for (size_t i = 0; i < states && status == STATUS_OK; i++)
        status = make_routing(pass, i, &experts.routings[i], error);
    if (status == STATUS_OK) status = run_routed(&experts, error);
    for (size_t i = 0; experts.routings != NULL && i < states; i++) free_routing(&experts.routings[i]);
    free(experts.routings);
    free(experts.products);
    return status;
}
