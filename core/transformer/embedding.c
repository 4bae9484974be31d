#include "core/transformer/embedding.h"

#include "core/transformer/block_layer_input.h"

#include <math.h>

/* Sines and cosines of position · 10000^(−i / (half − 1)), as float32 has them. */
static void add_sinusoids(const ModelConfig *config, size_t position, float *x) {
    size_t half = config->hidden_size / 2;
    float step = -(float)(log(10000.0) / (double)(half - 1));
    if (config->blank_position > 0 && position == config->blank_position) return;
    for (size_t i = 0; i < half; i++) {
        float angle = (float)position * expf((float)i * step);
        x[i] += (float)sin((double)angle);
        x[half + i] += (float)cos((double)angle);
    }
}

/* `room` holds a row. */
static void add_position(const Chunk *chunk, const ForwardState *state, size_t token, float *x, float *room) {
    const ModelConfig *config = state->side->config;
    size_t position = chunk_position(chunk, token) + config->position_offset;
    if (config->positions == POSITIONS_SINUSOIDAL) add_sinusoids(config, position, x);
    if (config->positions != POSITIONS_LEARNED) return;
    Blend blend = settings_blend(&state->settings, state->model->whole.tensors[TENSOR_POSITION]);
    blend_rows(&blend, position, 1, room);
    for (size_t i = 0; i < config->hidden_size; i++) x[i] += room[i];
}

static void embed(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    float *residual = pass_row(chunk, state, BUFFER_RESIDUAL, token), scale = (float)config->embedding_scale;
    Blend blend = settings_blend(&state->settings, state->model->whole.tensors[TENSOR_EMBEDDING]);
    blend_rows(&blend, (size_t)chunk->ids[token], 1, residual);
    if (config->has_silent_token && (uint64_t)chunk->ids[token] == config->silent_token) scale = 0.0F;
    for (size_t i = 0; scale != 1.0F && i < config->hidden_size; i++) residual[i] *= scale;
    add_position(chunk, state, token, residual, pass_row(chunk, state, BUFFER_NORMED, token));
    if (!config->has_embedding_norm) return;
    Norm norm = {.kind = config->norm, .size = config->hidden_size, .epsilon = config->norm_epsilon};
    norm.weight = forward_part(state, config->layers, TENSOR_PART_EMBEDDING_NORM);
    norm.bias = forward_part(state, config->layers, TENSOR_PART_EMBEDDING_NORM_BIAS);
    norm_forward(&norm, residual, residual);
}

Status embedding_check_positions(const ForwardState *state, const ForwardInput *input, Error *error) {
    const PairTensor *learned = state->model->whole.tensors[TENSOR_POSITION];
    const Chunk all = {.first = state->length, .starts = input->starts, .places = input->places};
    if (learned == NULL) return STATUS_OK;
    size_t most = learned->sft->rows - state->model->config->position_offset;
    for (size_t i = 0; i < input->count; i++) {
        if (chunk_position(&all, i) >= most)
            return status_fail(error, STATUS_ARGUMENT,
                               "the model has learned %zu positions: a text may not be longer", most);
    }
    return STATUS_OK;
}

Status embedding_run(const Pass *pass, Error *error) {
    Status status = pass_for_tokens(pass, embed, error);
    return status == STATUS_OK ? block_layer_input_prepare(pass, error) : status;
}
