#include "core/transformer/block_layer_input.h"

#include "core/support/memory.h"
#include "core/transformer/activation.h"
#include "core/transformer/block_streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static Norm norm_of(const ForwardState *state, uint64_t layer, TensorPart part, size_t size) {
    const ModelConfig *config = state->side->config;
    return (Norm){.kind = config->norm,
                  .weight = forward_part(state, layer, part),
                  .size = size,
                  .epsilon = config->norm_epsilon};
}

/* ---- once for all layers ---- */

static void combine(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    size_t own = config->layer_input_size, all = config->layers * own;
    float *inputs = state->buffers[BUFFER_LAYER_INPUTS] + token * all;
    float *row = state->buffers[BUFFER_SCRATCH] + token * all;
    float scale = (float)(1.0 / sqrt((double)config->hidden_size)), of_row = (float)sqrt((double)own);
    const Norm norm = norm_of(state, config->layers, TENSOR_PART_INPUT_NORM, own);
    Blend blend = settings_blend(&state->settings, state->model->whole.parts[TENSOR_PART_INPUT_EMBEDDING]);
    size_t id = architecture_embedded(config, chunk->ids[token]);
    blend_rows(&blend, id < config->layer_vocabulary ? id : 0, 1, row);
    for (size_t i = 0; i < all; i++) inputs[i] *= scale;
    for (size_t layer = 0; layer < config->layers; layer++)
        norm_forward(&norm, inputs + layer * own, inputs + layer * own);
    for (size_t i = 0; i < all; i++) inputs[i] = (inputs[i] + row[i] * of_row) * (float)sqrt(0.5);
}

Status block_layer_input_prepare(const Pass *pass, Error *error) {
    const Model *model = pass->chunk.states[0]->model;
    if (model->config->layer_input_size == 0) return STATUS_OK;
    Status status = pass_project_tensor(pass, model->whole.parts[TENSOR_PART_INPUT_PROJECTION],
                                        BUFFER_RESIDUAL, BUFFER_LAYER_INPUTS, error);
    return status == STATUS_OK ? pass_for_tokens(pass, combine, error) : status;
}

/* ---- in a layer ---- */

static void gate(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    size_t own = config->layer_input_size;
    const float *inputs =
        state->buffers[BUFFER_LAYER_INPUTS] + token * config->layers * own + chunk->layer * own;
    float *gate = pass_row(chunk, state, BUFFER_LAYER_GATE, token);
    for (size_t i = 0; i < own; i++) gate[i] = activation_value(config->activation, gate[i]) * inputs[i];
}

/* To the residual; where there are further streams, to those. */
static void add(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    float *residual = pass_row(chunk, state, BUFFER_RESIDUAL, token),
          *added = pass_row(chunk, state, BUFFER_ADDED, token);
    const Norm norm = norm_of(state, chunk->layer, TENSOR_PART_LAYER_NORM, config->hidden_size);
    norm_forward(&norm, added, added);
    for (size_t j = 1; j < config->streams; j++) {
        float *stream = block_streams_row(chunk, state, token, j);
        for (size_t i = 0; i < config->hidden_size; i++) stream[i] += added[i];
    }
    for (size_t i = 0; config->streams <= 1 && i < config->hidden_size; i++) residual[i] += added[i];
}

static void scale(const Chunk *chunk, ForwardState *state, size_t token) {
    const float *factor = forward_part(state, chunk->layer, TENSOR_PART_LAYER_SCALE);
    float *residual = pass_row(chunk, state, BUFFER_RESIDUAL, token);
    for (size_t i = 0; i < state->side->config->hidden_size; i++) residual[i] *= *factor;
}

static Status run_input(const Pass *pass, Error *error) {
    const ModelLayer *layer = &pass->chunk.states[0]->model->layers[pass->chunk.layer];
    bool has_streams = pass->chunk.states[0]->side->config->streams > 1;
    if (!has_streams) pass_observe(pass, FORWARD_BEHIND, BUFFER_RESIDUAL); /* else it is corrected */
    Status status =
        pass_project_tensor(pass, layer->parts[TENSOR_PART_LAYER_GATE],
                            has_streams ? BUFFER_NORMED : BUFFER_RESIDUAL, BUFFER_LAYER_GATE, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_LAYER_GATE, BUFFER_LAYER_GATE);
    if (status == STATUS_OK) status = pass_for_tokens(pass, gate, error);
    if (status == STATUS_OK)
        status = pass_project_tensor(pass, layer->parts[TENSOR_PART_LAYER_PROJECTION], BUFFER_LAYER_GATE,
                                     BUFFER_ADDED, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_LAYER_OUTPUT, BUFFER_ADDED);
    return status == STATUS_OK ? pass_for_tokens(pass, add, error) : status;
}

Status block_layer_input_run(const Pass *pass, Error *error) {
    const LayerPlan *plan = forward_plan(pass->chunk.states[0], pass->chunk.layer);
    Status status = STATUS_OK;
    if (architecture_needs(plan, TENSOR_PART_LAYER_GATE)) status = run_input(pass, error);
    if (status != STATUS_OK || !architecture_needs(plan, TENSOR_PART_LAYER_SCALE)) return status;
    return pass_for_tokens(pass, scale, error);
}

/* ---- the way back ---- */

static void descend_scale(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const float factor = *forward_part(descent->backward->state, descent->layer, TENSOR_PART_LAYER_SCALE);
    float *slope = descent_slope(descent, SLOPE_RESIDUAL, sequence, token);
    for (size_t i = 0; i < descent_config(descent)->hidden_size; i++) slope[i] *= factor;
}

/* At what the norm gave. */
static Slope slope_behind(const Descent *descent) {
    return descent_config(descent)->streams > 1 ? SLOPE_NORMED : SLOPE_RESIDUAL;
}

static void descend_norm(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const Backward *backward = descent->backward;
    const Norm norm = norm_of(backward->state, descent->layer, TENSOR_PART_LAYER_NORM,
                              descent_config(descent)->hidden_size);
    float *to = descent_slope(descent, SLOPE_ADDED, sequence, token);
    memset(to, 0, norm.size * sizeof *to);
    norm_backward(&norm,
                  backward->copies[COPY_LAYER_OUTPUT] + (descent->spans[sequence].row + token) * norm.size,
                  descent_slope(descent, slope_behind(descent), sequence, token), to);
}

/* What all further streams were given, on SLOPE_NORMED. */
static void add_streams(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t hidden = descent_config(descent)->hidden_size;
    const float *from = descent_slope(descent, SLOPE_STREAMS, sequence, token);
    float *to = descent_slope(descent, SLOPE_NORMED, sequence, token);
    memcpy(to, from, hidden * sizeof *to);
    for (size_t j = 2; j < descent_config(descent)->streams; j++)
        for (size_t i = 0; i < hidden; i++) to[i] += from[(j - 1) * hidden + i];
}

/* A token of the group: what its layers have of it besides, or on the way to weights, from the last down, the gradient at that. */
static float *inputs_of(const Descent *descent, size_t token) {
    size_t all = forward_buffer_width(descent_config(descent), BUFFER_LAYER_INPUTS);
    return descent->backward->layer_inputs + (descent->group->first + token) * all;
}

static void descend_gate(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const Backward *backward = descent->backward;
    const ModelConfig *config = descent_config(descent);
    size_t own = config->layer_input_size, at = descent->spans[sequence].row + token;
    const float *raw = backward->copies[COPY_LAYER_GATE] + at * own;
    float *slope = descent_slope(descent, SLOPE_LAYER_GATE, sequence, token),
          *inputs = inputs_of(descent, at) + descent->layer * own;
    for (size_t i = 0; i < own; i++) {
        float value, by_gate, input = inputs[i];
        activation_differentiate(config->activation, raw[i], &value, &by_gate);
        if (descent->taker != NULL) inputs[i] = slope[i] * value;
        slope[i] *= input * by_gate;
    }
}

static Status descend_input(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const ModelConfig *config = descent_config(descent);
    const Norm norm = norm_of(backward->state, descent->layer, TENSOR_PART_LAYER_NORM, config->hidden_size);
    bool has_streams = config->streams > 1;
    Status status = has_streams ? descent_for_tokens(descent, add_streams, error) : STATUS_OK;
    if (status == STATUS_OK)
        status = descent_give_part_norm(descent, TENSOR_PART_LAYER_NORM, norm,
                                        backward->copies[COPY_LAYER_OUTPUT], slope_behind(descent), error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_norm, error);
    if (status == STATUS_OK)
        status = descent_run_part(descent, TENSOR_PART_LAYER_PROJECTION, TENSOR_PART_COUNT,
                                  backward->state->buffers[BUFFER_LAYER_GATE], SLOPE_ADDED, SLOPE_LAYER_GATE,
                                  false, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_gate, error);
    if (status != STATUS_OK) return status;
    return descent_run_part(descent, TENSOR_PART_LAYER_GATE, TENSOR_PART_COUNT,
                            has_streams ? backward->state->buffers[BUFFER_NORMED]
                                        : backward->copies[COPY_BEHIND],
                            SLOPE_LAYER_GATE, slope_behind(descent), !has_streams, error);
}

Status block_layer_input_descend(const Descent *descent, Error *error) {
    const LayerPlan *plan = descent_plan(descent);
    Status status = STATUS_OK;
    if (architecture_needs(plan, TENSOR_PART_LAYER_SCALE))
        status = descent_for_tokens(descent, descend_scale, error);
    return status == STATUS_OK && architecture_needs(plan, TENSOR_PART_LAYER_GATE)
               ? descend_input(descent, error)
               : status;
}

/* ---- the way back to weights, once for all layers ---- */

/* To both summands, each times the root of a half; and what the norm took. */
static void halve(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ModelConfig *config = descent_config(descent);
    size_t all = config->layers * config->layer_input_size, at = descent->spans[sequence].row + token;
    float *slope = inputs_of(descent, at),
          *raw = descent->backward->state->buffers[BUFFER_LAYER_INPUTS] + at * all,
          scale = (float)(1.0 / sqrt((double)config->hidden_size)), half = (float)sqrt(0.5);
    for (size_t i = 0; i < all; i++) {
        slope[i] *= half;
        raw[i] *= scale;
    }
}

static void descend_projected(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ForwardState *state = descent->backward->state;
    const ModelConfig *config = descent_config(descent);
    size_t own = config->layer_input_size, all = config->layers * own,
           at = descent->spans[sequence].row + token;
    const Norm norm = norm_of(state, config->layers, TENSOR_PART_INPUT_NORM, own);
    float *to = state->buffers[BUFFER_SCRATCH] + at * all,
          scale = (float)(1.0 / sqrt((double)config->hidden_size));
    memset(to, 0, all * sizeof *to);
    for (size_t i = 0; i < all; i += own)
        norm_backward(&norm, state->buffers[BUFFER_LAYER_INPUTS] + at * all + i, inputs_of(descent, at) + i,
                      to + i);
    for (size_t i = 0; i < all; i++) to[i] *= scale;
}

/* What meets at the norm, which each layer's inputs went through. */
static Status give_input_norm(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const ModelConfig *config = descent_config(descent);
    const PairTensor *tensor = backward->model->whole.parts[TENSOR_PART_INPUT_NORM];
    size_t own = config->layer_input_size;
    BackwardFlow flow = {.kind = FLOW_NORM,
                         .tensor = tensor,
                         .role = tensor->role,
                         .tokens = descent->tokens * config->layers,
                         .columns = own,
                         .rows = own,
                         .inputs = backward->state->buffers[BUFFER_LAYER_INPUTS],
                         .gradients = inputs_of(descent, 0),
                         .norm = norm_of(backward->state, config->layers, TENSOR_PART_INPUT_NORM, own)};
    return descent_give(descent, &flow, error);
}

static Status give_projection(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const ModelConfig *config = descent_config(descent);
    const PairTensor *tensor = backward->model->whole.parts[TENSOR_PART_INPUT_PROJECTION];
    BackwardFlow flow = {.kind = FLOW_MATRIX,
                         .tensor = tensor,
                         .role = tensor->role,
                         .tokens = descent->tokens,
                         .columns = config->hidden_size,
                         .rows = config->layers * config->layer_input_size,
                         .inputs = backward_inputs(backward, descent->group, 0),
                         .gradients = backward->state->buffers[BUFFER_SCRATCH]};
    return descent_give(descent, &flow, error);
}

Status block_layer_input_finish(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *tensor = backward->model->whole.parts[TENSOR_PART_INPUT_PROJECTION];
    if (descent_config(descent)->layer_input_size == 0) return STATUS_OK;
    MatmulOperand operand = {.blend = settings_blend(&backward->settings, tensor),
                             .x = backward_inputs(backward, descent->group, 0),
                             .y = backward->state->buffers[BUFFER_LAYER_INPUTS]};
    Status status = matmul_run(&operand, 1, descent->tokens, backward->scratch, descent->job, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, halve, error);
    if (status == STATUS_OK) status = give_input_norm(descent, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_projected, error);
    if (status == STATUS_OK) status = give_projection(descent, error);
    operand.x = backward->state->buffers[BUFFER_SCRATCH];
    operand.y = backward->slopes[SLOPE_RESIDUAL];
    return status == STATUS_OK
               ? matmul_run_back(&operand, 1, descent->tokens, true, backward->scratch, descent->job, error)
               : status;
}

Status block_layer_input_give_rows(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const ModelConfig *config = descent_config(descent);
    size_t own = config->layer_input_size, all = config->layers * own;
    if (own == 0) return STATUS_OK;
    const PairTensor *tensor = backward->model->whole.parts[TENSOR_PART_INPUT_EMBEDDING];
    size_t *indices = memory_allocate(backward->tokens, sizeof *indices);
    if (indices == NULL) return memory_fail(error, "gradients of the embedding");
    float scale = (float)sqrt((double)own);
    for (size_t t = 0; t < backward->tokens; t++) {
        size_t id = architecture_embedded(config, backward->ids[t]);
        indices[t] = id < config->layer_vocabulary ? id : 0;
        for (size_t i = 0; i < all; i++) backward->layer_inputs[t * all + i] *= scale;
    }
    const BackwardFlow flow = {.kind = FLOW_ROWS,
                               .tensor = tensor,
                               .role = tensor->role,
                               .tokens = backward->tokens,
                               .rows = all,
                               .gradients = backward->layer_inputs,
                               .indices = indices,
                               .is_first = true,
                               .is_last = true};
    Status status = descent->taker(descent->user, &flow, error);
    free(indices);
    return status;
}
