#include "core/transformer/block_layer_input.h"

#include "core/transformer/activation.h"
#include "core/transformer/block_streams.h"

#include <math.h>

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
    size_t id = (size_t)chunk->ids[token];
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
    float *gate = state->buffers[BUFFER_SCRATCH] + token * own;
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
    Status status = pass_project_tensor(pass, layer->parts[TENSOR_PART_LAYER_GATE],
                                        has_streams ? BUFFER_NORMED : BUFFER_RESIDUAL, BUFFER_SCRATCH, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, gate, error);
    if (status == STATUS_OK)
        status = pass_project_tensor(pass, layer->parts[TENSOR_PART_LAYER_PROJECTION], BUFFER_SCRATCH,
                                     BUFFER_ADDED, error);
    return status == STATUS_OK ? pass_for_tokens(pass, add, error) : status;
}

Status block_layer_input_run(const Pass *pass, Error *error) {
    const LayerPlan *plan = forward_plan(pass->chunk.states[0], pass->chunk.layer);
    Status status = STATUS_OK;
    if (architecture_needs(plan, TENSOR_PART_LAYER_GATE)) status = run_input(pass, error);
    if (status != STATUS_OK || !architecture_needs(plan, TENSOR_PART_LAYER_SCALE)) return status;
    return pass_for_tokens(pass, scale, error);
}
