#include "core/transformer/block_common.h"

#include "core/transformer/activation.h"
#include "core/transformer/block_attention.h"
#include "core/transformer/descent_heads.h"

#include <string.h>

static void keep_embedding(const Chunk *chunk, ForwardState *state, size_t token) {
    memcpy(pass_row(chunk, state, BUFFER_EMBEDDED, token), pass_row(chunk, state, BUFFER_RESIDUAL, token),
           state->side->config->hidden_size * sizeof(float));
}

Status block_common_begin(const Pass *pass, Error *error) {
    if (!pass->chunk.states[0]->side->config->has_common) return STATUS_OK;
    return pass_for_tokens(pass, keep_embedding, error);
}

/* ---- norms ---- */

static Norm norm_of(const ForwardState *state, uint64_t layer, TensorPart part, size_t size) {
    const ModelConfig *config = state->side->config;
    return (Norm){.kind = config->norm,
                  .weight = forward_part(state, layer, part),
                  .size = size,
                  .epsilon = config->norm_epsilon};
}

static void norm_both(const Chunk *chunk, ForwardState *state, size_t token) {
    const size_t hidden = state->side->config->hidden_size;
    float *both = pass_row(chunk, state, BUFFER_COMMON_IN, token);
    const Norm norm = norm_of(state, chunk->layer, TENSOR_PART_COMMON_NORM, 2 * hidden);
    memcpy(both, pass_row(chunk, state, BUFFER_RESIDUAL, token), hidden * sizeof *both);
    memcpy(both + hidden, pass_row(chunk, state, BUFFER_EMBEDDED, token), hidden * sizeof *both);
    norm_forward(&norm, both, both);
}

static void norm_mixed(const Chunk *chunk, ForwardState *state, size_t token) {
    const Norm norm =
        norm_of(state, chunk->layer, TENSOR_PART_COMMON_MLP_NORM, state->side->config->hidden_size);
    norm_forward(&norm, pass_row(chunk, state, BUFFER_ADDED, token),
                 pass_row(chunk, state, BUFFER_NORMED, token));
}

/* ---- products with adapters ---- */

typedef struct Adapted {
    TensorPart weight, left, right;
    Buffer from, to;
} Adapted;

typedef struct AddStep {
    const Chunk *chunk;
    Buffer to;
} AddStep;

/* All of a state's: both buffers are as dense as products leave them. */
static void add_adapter(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const AddStep *step = argument;
    ForwardState *state = step->chunk->states[task];
    const LayerPlan *plan = forward_plan(state, step->chunk->layer);
    size_t count = step->chunk->tokens * forward_layer_width(state->side->config, plan, step->to);
    float *to = state->buffers[step->to];
    const float *from = state->buffers[BUFFER_SCRATCH];
    for (size_t i = 0; i < count; i++) to[i] += from[i];
}

static Status project(const Pass *pass, const Adapted *adapted, Error *error) {
    const Chunk *chunk = &pass->chunk;
    AddStep step = {chunk, adapted->to};
    Status status = pass_project_part(pass, adapted->weight, adapted->from, adapted->to, error);
    if (status != STATUS_OK ||
        !architecture_needs(forward_plan(chunk->states[0], chunk->layer), adapted->left))
        return status;
    status = pass_project_part(pass, adapted->left, adapted->from, BUFFER_COMMON_RANK, error);
    if (status == STATUS_OK)
        status = pass_project_part(pass, adapted->right, BUFFER_COMMON_RANK, BUFFER_SCRATCH, error);
    return status == STATUS_OK ? job_run(chunk->job, chunk->state_count, add_adapter, &step, error) : status;
}

/* ---- the block ---- */

static void activate(const Chunk *chunk, ForwardState *state, size_t token) {
    const size_t width = forward_plan(state, chunk->layer)->intermediate_size;
    const float *from = pass_row(chunk, state, BUFFER_GATE_UP, token);
    float *to = pass_row(chunk, state, BUFFER_GATE, token);
    for (size_t i = 0; i < width; i++)
        to[i] = activation_value(state->side->config->activation, from[i]) * from[width + i];
}

static void add_stream(const Chunk *chunk, ForwardState *state, size_t token) {
    const float *residual = pass_row(chunk, state, BUFFER_RESIDUAL, token);
    float *taken = pass_row(chunk, state, BUFFER_BESIDE, token);
    for (size_t i = 0; i < state->side->config->hidden_size; i++) taken[i] += residual[i];
}

static Status attend(const Pass *pass, Error *error) {
    static const Adapted PROJECTIONS[] = {{TENSOR_PART_COMMON_Q, TENSOR_PART_COMMON_Q_LEFT,
                                           TENSOR_PART_COMMON_Q_RIGHT, BUFFER_COMMON_IN, BUFFER_QUERY},
                                          {TENSOR_PART_COMMON_K, TENSOR_PART_COMMON_K_LEFT,
                                           TENSOR_PART_COMMON_K_RIGHT, BUFFER_COMMON_IN, BUFFER_KEY},
                                          {TENSOR_PART_COMMON_V, TENSOR_PART_COMMON_V_LEFT,
                                           TENSOR_PART_COMMON_V_RIGHT, BUFFER_COMMON_IN, BUFFER_VALUE}};
    Status status = pass_for_tokens(pass, norm_both, error);
    for (size_t i = 0; i < sizeof PROJECTIONS / sizeof *PROJECTIONS && status == STATUS_OK; i++)
        status = project(pass, &PROJECTIONS[i], error);
    if (status == STATUS_OK) status = block_attention_mix(pass, error);
    return status == STATUS_OK
               ? pass_project_part(pass, TENSOR_PART_COMMON_O, BUFFER_MIXED, BUFFER_ADDED, error)
               : status;
}

Status block_common_run(const Pass *pass, Error *error) {
    static const Adapted GATE_UP = {TENSOR_PART_COMMON_GATE_UP, TENSOR_PART_COMMON_GATE_UP_LEFT,
                                    TENSOR_PART_COMMON_GATE_UP_RIGHT, BUFFER_NORMED, BUFFER_GATE_UP};
    if (!architecture_needs(forward_plan(pass->chunk.states[0], pass->chunk.layer), TENSOR_PART_COMMON_NORM))
        return STATUS_OK;
    Status status = attend(pass, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_COMMON_ATTENDED, BUFFER_ADDED);
    if (status == STATUS_OK) status = pass_for_tokens(pass, norm_mixed, error);
    if (status == STATUS_OK) status = project(pass, &GATE_UP, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, activate, error);
    if (status == STATUS_OK)
        status = pass_project_part(pass, TENSOR_PART_COMMON_DOWN, BUFFER_GATE, BUFFER_ADDED, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_COMMON_OUTPUT, BUFFER_ADDED);
    if (status == STATUS_OK)
        status = pass_project_part(pass, TENSOR_PART_COMMON_LINEAR, BUFFER_ADDED, BUFFER_BESIDE, error);
    return status == STATUS_OK ? pass_for_tokens(pass, add_stream, error) : status;
}

/* ---- the way back: what meets at weights ---- */

static const PairTensor *tensor_of(const Descent *descent, uint64_t layer, TensorPart part) {
    return descent->backward->model->layers[layer].parts[part];
}

/* Whether a layer from `from` up to `to` has the same tensor. */
static bool is_shared_with(const Descent *descent, TensorPart part, uint64_t from, uint64_t to) {
    for (uint64_t layer = from; layer < to; layer++)
        if (architecture_needs(architecture_layer(descent_config(descent), layer), part) &&
            tensor_of(descent, layer, part) == tensor_of(descent, descent->layer, part))
            return true;
    return false;
}

/* The sum begins in the last layer that has the tensor, and ends in the first. */
static Status give(const Descent *descent, TensorPart part, BackwardFlow flow, Error *error) {
    const Backward *backward = descent->backward;
    const uint64_t layer = descent->layer;
    if (descent->taker == NULL) return STATUS_OK;
    flow.tensor = tensor_of(descent, layer, part);
    flow.role = flow.tensor->role;
    flow.tokens = descent->tokens;
    flow.is_first = descent->group == backward->groups &&
                    !is_shared_with(descent, part, layer + 1, backward->model->config->layers);
    flow.is_last = descent->group + 1 == backward->groups + backward->group_count &&
                   !is_shared_with(descent, part, 0, layer);
    return descent->taker(descent->user, &flow, error);
}

static Status give_norm(const Descent *descent, TensorPart part, Norm norm, const float *inputs, Slope slope,
                        Error *error) {
    const BackwardFlow flow = {.kind = FLOW_NORM,
                               .columns = norm.size,
                               .rows = norm.size,
                               .inputs = inputs,
                               .gradients = descent->backward->slopes[slope],
                               .norm = norm};
    return give(descent, part, flow, error);
}

/* ---- the way back: products with adapters ---- */

static Status run_back(const Descent *descent, TensorPart part, Slope from, Slope to, bool accumulate,
                       Error *error) {
    const Backward *backward = descent->backward;
    const MatmulOperand operand = {
        .blend = settings_blend(&backward->settings, tensor_of(descent, descent->layer, part)),
        .x = backward->slopes[from],
        .y = backward->slopes[to]};
    return matmul_run_back(&operand, 1, descent->tokens, accumulate, backward->scratch, descent->job, error);
}

static Status descend_matrix(const Descent *descent, TensorPart part, const float *inputs, Slope from,
                             Slope to, bool accumulate, Error *error) {
    const PairTensor *tensor = tensor_of(descent, descent->layer, part);
    const BackwardFlow flow = {.kind = FLOW_MATRIX,
                               .columns = (size_t)tensor->sft->columns,
                               .rows = (size_t)tensor->sft->rows,
                               .inputs = inputs,
                               .gradients = descent->backward->slopes[from]};
    Status status = give(descent, part, flow, error);
    return status == STATUS_OK ? run_back(descent, part, from, to, accumulate, error) : status;
}

/* What is between both matrices of an adapter, again. */
static Status project_rank(const Descent *descent, TensorPart left, const float *inputs, Error *error) {
    const Backward *backward = descent->backward;
    const MatmulOperand operand = {
        .blend = settings_blend(&backward->settings, tensor_of(descent, descent->layer, left)),
        .x = inputs,
        .y = backward->state->buffers[BUFFER_COMMON_RANK]};
    if (descent->taker == NULL) return STATUS_OK;
    return matmul_run(&operand, 1, descent->tokens, backward->scratch, descent->job, error);
}

typedef struct AdaptedDescent {
    TensorPart weight, left, right;
    Slope from, to;
} AdaptedDescent;

static Status descend_adapted(const Descent *descent, const AdaptedDescent *adapted, const float *inputs,
                              bool accumulate, Error *error) {
    Status status =
        descend_matrix(descent, adapted->weight, inputs, adapted->from, adapted->to, accumulate, error);
    if (status != STATUS_OK || !architecture_needs(descent_plan(descent), adapted->left)) return status;
    status = project_rank(descent, adapted->left, inputs, error);
    if (status == STATUS_OK)
        status =
            descend_matrix(descent, adapted->right, descent->backward->state->buffers[BUFFER_COMMON_RANK],
                           adapted->from, SLOPE_COMMON_RANK, false, error);
    return status == STATUS_OK
               ? descend_matrix(descent, adapted->left, inputs, SLOPE_COMMON_RANK, adapted->to, true, error)
               : status;
}

/* ---- the way back: the block ---- */

static void add_taken(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const float *from = descent_slope(descent, SLOPE_BESIDE, sequence, token);
    float *to = descent_slope(descent, SLOPE_RESIDUAL, sequence, token);
    for (size_t i = 0; i < descent_config(descent)->hidden_size; i++) to[i] += from[i];
}

static void descend_activation(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t width = descent_plan(descent)->intermediate_size;
    const float *from = descent_slope(descent, SLOPE_COMMON_ACTIVATED, sequence, token),
                *raw = descent->backward->state->buffers[BUFFER_GATE_UP] +
                       (descent->spans[sequence].row + token) * 2 * width;
    float *to = descent_slope(descent, SLOPE_COMMON_GATE_UP, sequence, token);
    for (size_t i = 0; i < width; i++) {
        float value, slope;
        activation_differentiate(descent_config(descent)->activation, raw[i], &value, &slope);
        to[i] = from[i] * raw[width + i] * slope;
        to[width + i] = from[i] * value;
    }
}

static Norm mlp_norm(const Descent *descent) {
    return norm_of(descent->backward->state, descent->layer, TENSOR_PART_COMMON_MLP_NORM,
                   descent_config(descent)->hidden_size);
}

/* What the MLP took, for who wants gradients of weights. */
static void norm_attended(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const Norm norm = mlp_norm(descent);
    const size_t at = (descent->spans[sequence].row + token) * norm.size;
    norm_forward(&norm, descent->backward->copies[COPY_COMMON_ATTENDED] + at, descent->normed + at);
}

static void descend_mlp_norm(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const Norm norm = mlp_norm(descent);
    float *to = descent_slope(descent, SLOPE_BESIDE, sequence, token);
    memset(to, 0, norm.size * sizeof *to);
    norm_backward(&norm,
                  descent->backward->copies[COPY_COMMON_ATTENDED] +
                      (descent->spans[sequence].row + token) * norm.size,
                  descent_slope(descent, SLOPE_NORMED, sequence, token), to);
}

/* From what the layer's mixer took beside the stream to what attention gave, on SLOPE_BESIDE. */
static Status descend_mlp(const Descent *descent, Error *error) {
    static const AdaptedDescent GATE_UP = {TENSOR_PART_COMMON_GATE_UP, TENSOR_PART_COMMON_GATE_UP_LEFT,
                                           TENSOR_PART_COMMON_GATE_UP_RIGHT, SLOPE_COMMON_GATE_UP,
                                           SLOPE_NORMED};
    const Backward *backward = descent->backward;
    Status status = descend_matrix(descent, TENSOR_PART_COMMON_LINEAR, backward->copies[COPY_COMMON_OUTPUT],
                                   SLOPE_BESIDE, SLOPE_NORMED, false, error);
    if (status == STATUS_OK)
        status = descend_matrix(descent, TENSOR_PART_COMMON_DOWN, backward->state->buffers[BUFFER_GATE],
                                SLOPE_NORMED, SLOPE_COMMON_ACTIVATED, false, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_activation, error);
    if (status == STATUS_OK && descent->taker != NULL)
        status = descent_for_tokens(descent, norm_attended, error);
    if (status == STATUS_OK) status = descend_adapted(descent, &GATE_UP, descent->normed, false, error);
    if (status == STATUS_OK)
        status = give_norm(descent, TENSOR_PART_COMMON_MLP_NORM, mlp_norm(descent),
                           backward->copies[COPY_COMMON_ATTENDED], SLOPE_NORMED, error);
    return status == STATUS_OK ? descent_for_tokens(descent, descend_mlp_norm, error) : status;
}

static Status descend_attention(const Descent *descent, Error *error) {
    static const AdaptedDescent MATRICES[] = {{TENSOR_PART_COMMON_Q, TENSOR_PART_COMMON_Q_LEFT,
                                               TENSOR_PART_COMMON_Q_RIGHT, SLOPE_QUERY, SLOPE_COMMON_IN},
                                              {TENSOR_PART_COMMON_K, TENSOR_PART_COMMON_K_LEFT,
                                               TENSOR_PART_COMMON_K_RIGHT, SLOPE_KEY, SLOPE_COMMON_IN},
                                              {TENSOR_PART_COMMON_V, TENSOR_PART_COMMON_V_LEFT,
                                               TENSOR_PART_COMMON_V_RIGHT, SLOPE_VALUE, SLOPE_COMMON_IN}};
    const Backward *backward = descent->backward;
    BackwardAttention attention = descent_attention(descent);
    Status status = descend_matrix(descent, TENSOR_PART_COMMON_O, backward->state->buffers[BUFFER_MIXED],
                                   SLOPE_BESIDE, SLOPE_MIXED, false, error);
    if (status == STATUS_OK) status = backward_attention_run(&attention, error);
    if (status == STATUS_OK) status = descent_heads_run(descent, error);
    for (size_t i = 0; i < sizeof MATRICES / sizeof *MATRICES && status == STATUS_OK; i++)
        status =
            descend_adapted(descent, &MATRICES[i], backward->state->buffers[BUFFER_COMMON_IN], i > 0, error);
    return status;
}

/* ---- the way back: what it takes ---- */

static Norm both_norm(const Descent *descent) {
    return norm_of(descent->backward->state, descent->layer, TENSOR_PART_COMMON_NORM,
                   2 * descent_config(descent)->hidden_size);
}

/* The stream and the embedding, which layer 0 takes. */
static void join_both(const Descent *descent, size_t at, float *both) {
    const Backward *backward = descent->backward;
    const size_t hidden = descent_config(descent)->hidden_size;
    memcpy(both, backward_inputs(backward, descent->group, descent->layer) + at * hidden,
           hidden * sizeof *both);
    memcpy(both + hidden, backward_inputs(backward, descent->group, 0) + at * hidden, hidden * sizeof *both);
}

/* For who wants gradients of weights, in the place of what the norm gave. */
static void keep_both(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t at = descent->spans[sequence].row + token, width = 2 * descent_config(descent)->hidden_size;
    join_both(descent, at, descent->backward->state->buffers[BUFFER_COMMON_IN] + at * width);
}

static void descend_both(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const Norm norm = both_norm(descent);
    const size_t hidden = descent_config(descent)->hidden_size;
    float *both = descent->rows + (size_t)worker * 2 * descent->row_stride, *through = both + norm.size,
          *stream = descent_slope(descent, SLOPE_RESIDUAL, sequence, token),
          *embedding = descent_slope(descent, SLOPE_STREAMS, sequence, token);
    join_both(descent, descent->spans[sequence].row + token, both);
    memset(through, 0, norm.size * sizeof *through);
    norm_backward(&norm, both, descent_slope(descent, SLOPE_COMMON_IN, sequence, token), through);
    for (size_t i = 0; i < hidden; i++) {
        stream[i] += through[i];
        embedding[i] += through[hidden + i];
    }
}

Status block_common_descend(const Descent *descent, Error *error) {
    if (!architecture_needs(descent_plan(descent), TENSOR_PART_COMMON_NORM)) return STATUS_OK;
    Status status = descent_for_tokens(descent, add_taken, error);
    if (status == STATUS_OK) status = descend_mlp(descent, error);
    if (status == STATUS_OK) status = descend_attention(descent, error);
    if (status == STATUS_OK && descent->taker != NULL) status = descent_for_tokens(descent, keep_both, error);
    if (status == STATUS_OK)
        status = give_norm(descent, TENSOR_PART_COMMON_NORM, both_norm(descent),
                           descent->backward->state->buffers[BUFFER_COMMON_IN], SLOPE_COMMON_IN, error);
    return status == STATUS_OK ? descent_for_tokens(descent, descend_both, error) : status;
}

static void add_embedding(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const float *from = descent_slope(descent, SLOPE_STREAMS, sequence, token);
    float *to = descent_slope(descent, SLOPE_RESIDUAL, sequence, token);
    for (size_t i = 0; i < descent_config(descent)->hidden_size; i++) to[i] += from[i];
}

Status block_common_finish(const Descent *descent, Error *error) {
    return descent_config(descent)->has_common ? descent_for_tokens(descent, add_embedding, error)
                                               : STATUS_OK;
}
