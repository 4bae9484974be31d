#include "core/transformer/block_common.h"

#include "core/transformer/activation.h"
#include "core/transformer/block_attention.h"

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

static Norm norm_of(const Chunk *chunk, const ForwardState *state, TensorPart part, size_t size) {
    const ModelConfig *config = state->side->config;
    return (Norm){.kind = config->norm,
                  .weight = forward_part(state, chunk->layer, part),
                  .size = size,
                  .epsilon = config->norm_epsilon};
}

static void norm_both(const Chunk *chunk, ForwardState *state, size_t token) {
    const size_t hidden = state->side->config->hidden_size;
    float *both = pass_row(chunk, state, BUFFER_COMMON_IN, token);
    const Norm norm = norm_of(chunk, state, TENSOR_PART_COMMON_NORM, 2 * hidden);
    memcpy(both, pass_row(chunk, state, BUFFER_RESIDUAL, token), hidden * sizeof *both);
    memcpy(both + hidden, pass_row(chunk, state, BUFFER_EMBEDDED, token), hidden * sizeof *both);
    norm_forward(&norm, both, both);
}

static void norm_mixed(const Chunk *chunk, ForwardState *state, size_t token) {
    const Norm norm = norm_of(chunk, state, TENSOR_PART_COMMON_MLP_NORM, state->side->config->hidden_size);
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
    if (status == STATUS_OK) status = pass_for_tokens(pass, norm_mixed, error);
    if (status == STATUS_OK) status = project(pass, &GATE_UP, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, activate, error);
    if (status == STATUS_OK)
        status = pass_project_part(pass, TENSOR_PART_COMMON_DOWN, BUFFER_GATE, BUFFER_ADDED, error);
    if (status == STATUS_OK)
        status = pass_project_part(pass, TENSOR_PART_COMMON_LINEAR, BUFFER_ADDED, BUFFER_BESIDE, error);
    return status == STATUS_OK ? pass_for_tokens(pass, add_stream, error) : status;
}
