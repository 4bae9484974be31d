#include "core/transformer/embedding.h"

#include "core/support/memory.h"
#include "core/transformer/block_layer_input.h"
#include "core/transformer/block_streams.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
static void add_position(const ForwardState *state, size_t position, float *x, float *room) {
    const ModelConfig *config = state->side->config;
    position += config->position_offset;
    if (config->positions == POSITIONS_SINUSOIDAL) add_sinusoids(config, position, x);
    if (config->positions != POSITIONS_LEARNED) return;
    Blend blend = settings_blend(&state->settings, state->model->whole.tensors[TENSOR_POSITION]);
    blend_rows(&blend, position, 1, room);
    for (size_t i = 0; i < config->hidden_size; i++) x[i] += room[i];
}

/* What a token's row is multiplied by. */
static float scale_of(const ModelConfig *config, int32_t id) {
    bool is_silent = config->has_silent_token && (uint64_t)id == config->silent_token;
    return is_silent ? 0.0F : (float)config->embedding_scale;
}

/* What the norm takes, where there is one. */
static void embed_token(const ForwardState *state, int32_t id, size_t position, float *x, float *room) {
    const ModelConfig *config = state->side->config;
    float scale = scale_of(config, id);
    Blend blend = settings_blend(&state->settings, state->model->whole.tensors[TENSOR_EMBEDDING]);
    blend_rows(&blend, architecture_embedded(config, id), 1, x);
    for (size_t i = 0; scale != 1.0F && i < config->hidden_size; i++) x[i] *= scale;
    add_position(state, position, x, room);
}

static Norm embedding_norm(const ForwardState *state) {
    const ModelConfig *config = state->side->config;
    return (Norm){.kind = config->norm,
                  .weight = forward_part(state, config->layers, TENSOR_PART_EMBEDDING_NORM),
                  .bias = forward_part(state, config->layers, TENSOR_PART_EMBEDDING_NORM_BIAS),
                  .size = config->hidden_size,
                  .epsilon = config->norm_epsilon};
}

static void embed(const Chunk *chunk, ForwardState *state, size_t token) {
    float *residual = pass_row(chunk, state, BUFFER_RESIDUAL, token);
    embed_token(state, chunk->ids[token], chunk_position(chunk, token), residual,
                pass_row(chunk, state, BUFFER_NORMED, token));
    if (!state->side->config->has_embedding_norm) return;
    const Norm norm = embedding_norm(state);
    norm_forward(&norm, residual, residual);
}

/* Whether any token is beyond so many of its text. */
static bool is_longer(const ForwardState *state, const ForwardInput *input, uint64_t most) {
    const Chunk all = {.first = state->length, .starts = input->starts, .places = input->places};
    for (size_t i = 0; i < input->count; i++)
        if (chunk_position(&all, i) >= most) return true;
    return false;
}

Status embedding_check_positions(const ForwardState *state, const ForwardInput *input, Error *error) {
    const ModelConfig *config = state->side->config;
    if (config->sparse_from > 0 && is_longer(state, input, config->sparse_from))
        return status_fail(error, STATUS_UNSUPPORTED,
                           "of texts of more than %" PRIu64
                           " tokens (\"%s\") attention sees a choice, which is not "
                           "known: a text may not be longer",
                           config->sparse_from, config->sparse_key);
    const PairTensor *learned = state->model->whole.tensors[TENSOR_POSITION];
    if (learned == NULL) return STATUS_OK;
    size_t most = learned->sft->rows - state->model->config->position_offset;
    return !is_longer(state, input, most)
               ? STATUS_OK
               : status_fail(error, STATUS_ARGUMENT,
                             "the model has learned %zu positions: a text may not be longer", most);
}

Status embedding_run(const Pass *pass, Error *error) {
    Status status = pass_for_tokens(pass, embed, error);
    if (status == STATUS_OK) status = block_layer_input_prepare(pass, error);
    if (status == STATUS_OK && pass->chunk.states[0]->side->config->layer_input_size > 0)
        pass_observe(pass, FORWARD_LAYER_INPUTS, BUFFER_LAYER_INPUTS);
    return status == STATUS_OK ? block_streams_begin(pass, error) : status;
}

/* ---- the way back ---- */

static void embed_again(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const Backward *backward = descent->backward;
    size_t at = descent->spans[sequence].row + token, width = backward->model->config->hidden_size;
    embed_token(backward->state, backward->ids[descent->group->first + at],
                descent_position(descent, sequence, token), descent->normed + at * width,
                descent->rows + (size_t)worker * 2 * descent->row_stride);
}

static void descend_norm(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const Norm norm = embedding_norm(descent->backward->state);
    float *slope = descent_slope(descent, SLOPE_RESIDUAL, sequence, token),
          *through = descent->rows + (size_t)worker * 2 * descent->row_stride;
    memset(through, 0, norm.size * sizeof *through);
    norm_backward(&norm, descent->normed + (descent->spans[sequence].row + token) * norm.size, slope,
                  through);
    memcpy(slope, through, norm.size * sizeof *slope);
}

Status embedding_descend(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const ModelLayer *whole = &backward->model->whole;
    const Norm norm = embedding_norm(backward->state);
    if (!descent_config(descent)->has_embedding_norm) return STATUS_OK;
    Status status = descent_for_tokens(descent, embed_again, error);
    BackwardFlow flow = {.kind = FLOW_NORM,
                         .tensor = whole->parts[TENSOR_PART_EMBEDDING_NORM],
                         .bias = norm.bias != NULL ? whole->parts[TENSOR_PART_EMBEDDING_NORM_BIAS] : NULL,
                         .role = TENSOR_NORM,
                         .tokens = descent->tokens,
                         .columns = norm.size,
                         .rows = norm.size,
                         .inputs = descent->normed,
                         .gradients = backward->slopes[SLOPE_RESIDUAL],
                         .norm = norm};
    if (status == STATUS_OK && norm.weight != NULL) status = descent_give(descent, &flow, error);
    return status == STATUS_OK ? descent_for_tokens(descent, descend_norm, error) : status;
}

/* All tokens of all groups. */
static Status give_rows(const Descent *descent, TensorRole role, const size_t *indices, const float *gradient,
                        Error *error) {
    const Backward *backward = descent->backward;
    const BackwardFlow flow = {.kind = FLOW_ROWS,
                               .tensor = backward->model->whole.tensors[role],
                               .role = role,
                               .tokens = backward->tokens,
                               .rows = backward->model->config->hidden_size,
                               .gradients = gradient,
                               .indices = indices,
                               .is_first = true,
                               .is_last = true};
    return descent->taker(descent->user, &flow, error);
}

Status embedding_give_rows(const Descent *descent, float *gradient, Error *error) {
    const Backward *backward = descent->backward;
    const ModelConfig *config = descent_config(descent);
    size_t width = config->hidden_size;
    size_t *indices = memory_allocate(backward->tokens, sizeof *indices);
    if (indices == NULL) return memory_fail(error, "gradients of the embedding");
    Status status = STATUS_OK;
    for (size_t t = 0; t < backward->tokens; t++)
        indices[t] = backward_position(backward, t) + config->position_offset;
    if (config->positions == POSITIONS_LEARNED)
        status = give_rows(descent, TENSOR_POSITION, indices, gradient, error);
    for (size_t t = 0; t < backward->tokens; t++) {
        float scale = scale_of(config, backward->ids[t]);
        indices[t] = architecture_embedded(config, backward->ids[t]);
        for (size_t i = 0; scale != 1.0F && i < width; i++) gradient[t * width + i] *= scale;
    }
    if (status == STATUS_OK) status = give_rows(descent, TENSOR_EMBEDDING, indices, gradient, error);
    free(indices);
    return status;
}
