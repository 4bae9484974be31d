#include "core/transformer/block_streams.h"

#include <math.h>
#include <string.h>

static size_t count_streams(const Pass *pass) {
    return (size_t)pass->chunk.states[0]->side->config->streams;
}

void block_streams_observe(const Pass *pass) {
    if (count_streams(pass) > 1) pass_observe(pass, FORWARD_STREAMS, BUFFER_STREAMS);
}

float *block_streams_row(const Chunk *chunk, ForwardState *state, size_t token, size_t stream) {
    return pass_row(chunk, state, BUFFER_STREAMS, token) + (stream - 1) * state->side->config->hidden_size;
}

/* ---- into streams and out of them ---- */

double block_streams_mean_square(const float *x, size_t size) {
    double sum = 0.0;
    for (size_t i = 0; i < size; i++) sum += (double)x[i] * (double)x[i];
    return sum / (double)size;
}

/* As long as `like`. */
static float length_ratio(const float *like, const float *x, size_t size) {
    return (float)(sqrt(block_streams_mean_square(like, size)) /
                   sqrt(fmax(block_streams_mean_square(x, size), BLOCK_STREAMS_SMALLEST_SQUARE)));
}

static void begin_stream(const Chunk *chunk, ForwardState *state, size_t token) {
    size_t hidden = state->side->config->hidden_size;
    const float *made = pass_row(chunk, state, BUFFER_ADDED, token);
    float *to = block_streams_row(chunk, state, token, chunk->stream),
          ratio = length_ratio(pass_row(chunk, state, BUFFER_RESIDUAL, token), made, hidden);
    for (size_t i = 0; i < hidden; i++) to[i] = made[i] * ratio;
}

static void take_stream(const Chunk *chunk, ForwardState *state, size_t token) {
    memcpy(pass_row(chunk, state, BUFFER_NORMED, token),
           block_streams_row(chunk, state, token, chunk->stream),
           state->side->config->hidden_size * sizeof(float));
}

/* Onto the sum, which is the first stream at first. */
static void end_stream(const Chunk *chunk, ForwardState *state, size_t token) {
    size_t hidden = state->side->config->hidden_size;
    const float *made = pass_row(chunk, state, BUFFER_ADDED, token),
                *first = pass_row(chunk, state, BUFFER_RESIDUAL, token);
    float *sum = pass_row(chunk, state, BUFFER_PREDICTED, token), ratio = length_ratio(first, made, hidden);
    if (chunk->stream == 1) memcpy(sum, first, hidden * sizeof *sum);
    for (size_t i = 0; i < hidden; i++) sum[i] += made[i] * ratio;
}

static void take_mean(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const float *sum = pass_row(chunk, state, BUFFER_PREDICTED, token);
    float *residual = pass_row(chunk, state, BUFFER_RESIDUAL, token);
    for (size_t i = 0; i < config->hidden_size; i++) residual[i] = sum[i] / (float)config->streams;
}

TensorPart block_streams_part(TensorPart first, size_t stream) {
    return (TensorPart)((size_t)first + stream - 1);
}

Status block_streams_begin(const Pass *pass, Error *error) {
    const Model *model = pass->chunk.states[0]->model;
    Status status = STATUS_OK;
    for (size_t i = 1; i < count_streams(pass) && status == STATUS_OK; i++) {
        Pass own = *pass;
        own.chunk.stream = i;
        status = pass_project_tensor(&own, model->whole.parts[block_streams_part(TENSOR_PART_STREAM_IN_1, i)],
                                     BUFFER_RESIDUAL, BUFFER_ADDED, error);
        if (status == STATUS_OK) status = pass_for_tokens(&own, begin_stream, error);
    }
    return status;
}

Status block_streams_end(const Pass *pass, Error *error) {
    const Model *model = pass->chunk.states[0]->model;
    Status status = STATUS_OK;
    Pass last = *pass;
    last.chunk.layer = model->config->layers;
    block_streams_observe(&last);
    if (count_streams(pass) > 1) pass_observe(&last, FORWARD_STREAM_ENDING, BUFFER_RESIDUAL);
    for (size_t i = 1; i < count_streams(pass) && status == STATUS_OK; i++) {
        Pass own = *pass;
        own.chunk.stream = i;
        status = pass_for_tokens(&own, take_stream, error);
        if (status == STATUS_OK)
            status =
                pass_project_tensor(&own, model->whole.parts[block_streams_part(TENSOR_PART_STREAM_OUT_1, i)],
                                    BUFFER_NORMED, BUFFER_ADDED, error);
        if (status == STATUS_OK) status = pass_for_tokens(&own, end_stream, error);
    }
    return status == STATUS_OK && count_streams(pass) > 1 ? pass_for_tokens(pass, take_mean, error) : status;
}

/* ---- in a layer ---- */

Norm block_streams_norm(const ForwardState *state, uint64_t layer, TensorPart part) {
    const ModelConfig *config = state->side->config;
    return (Norm){.kind = config->norm,
                  .weight = forward_part(state, layer, part),
                  .size = config->hidden_size,
                  .epsilon = config->norm_epsilon};
}

static void norm_for_router(const Chunk *chunk, ForwardState *state, size_t token) {
    const Norm norm = block_streams_norm(state, chunk->layer, TENSOR_PART_STREAM_ROUTER_NORM);
    float *normed = pass_row(chunk, state, BUFFER_NORMED, token);
    norm_forward(&norm, pass_row(chunk, state, BUFFER_RESIDUAL, token), normed);
    for (size_t i = 0; i < norm.size; i++) normed[i] /= (float)norm.size;
}

/* What BUFFER_STREAM_MODES is projected to in the layer; its tanh is taken where it is used. */
static Status route(const Pass *pass, Error *error) {
    Status status = pass_for_tokens(pass, norm_for_router, error);
    if (status != STATUS_OK) return status;
    return pass_project_part(pass, TENSOR_PART_STREAM_ROUTER, BUFFER_NORMED, BUFFER_STREAM_MODES, error);
}

/* Σ weights[row, i] tanh(modes[i]) */
float block_streams_share(const float *weights, size_t row, const float *modes, size_t count) {
    float sum = 0.0F;
    for (size_t i = 0; i < count; i++) sum += weights[row * count + i] * tanhf(modes[i]);
    return sum;
}

static void predict(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const float *weights = forward_part(state, chunk->layer, TENSOR_PART_STREAM_PREDICTION),
                *modes = pass_row(chunk, state, BUFFER_STREAM_MODES, token);
    const size_t count = (size_t)config->streams;
    float shares[MODEL_MAX_STREAMS * MODEL_MAX_STREAMS]; /* [count, count] */
    float *streams[MODEL_MAX_STREAMS];
    for (size_t j = 0; j < count; j++) {
        streams[j] = j == 0 ? pass_row(chunk, state, BUFFER_RESIDUAL, token)
                            : block_streams_row(chunk, state, token, j);
    }
    for (size_t i = 0; i < count * count; i++) shares[i] = block_streams_share(weights, i, modes, count);
    for (size_t c = 0; c < config->hidden_size; c++) {
        float before[MODEL_MAX_STREAMS];
        for (size_t i = 0; i < count; i++) before[i] = streams[i][c];
        for (size_t j = 0; j < count; j++) {
            float sum = 0.0F;
            for (size_t i = 0; i < count; i++) sum += before[i] * shares[j * count + i];
            streams[j][c] = sum + before[j];
        }
    }
    memcpy(pass_row(chunk, state, BUFFER_PREDICTED, token), streams[0], config->hidden_size * sizeof(float));
}

static void correct(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const float *weights = forward_part(state, chunk->layer, TENSOR_PART_STREAM_CORRECTION),
                *modes = pass_row(chunk, state, BUFFER_STREAM_MODES, token),
                *scale = forward_part(state, chunk->layer, TENSOR_PART_STREAM_SCALE),
                *predicted = pass_row(chunk, state, BUFFER_PREDICTED, token);
    const size_t count = (size_t)config->streams;
    float *residual = pass_row(chunk, state, BUFFER_RESIDUAL, token),
          *normed = pass_row(chunk, state, BUFFER_NORMED, token), shares[MODEL_MAX_STREAMS];
    for (size_t j = 0; j < count; j++) shares[j] = block_streams_share(weights, j, modes, count) + 1.0F;
    for (size_t c = 0; c < config->hidden_size; c++) {
        float gained = residual[c] - predicted[c];
        for (size_t j = 1; j < count; j++) block_streams_row(chunk, state, token, j)[c] += gained * shares[j];
        residual[c] = gained * shares[0] + predicted[c];
        normed[c] = scale != NULL ? residual[c] * scale[c] : residual[c]; /* what inputs of layers take */
    }
}

Status block_streams_predict(const Pass *pass, Error *error) {
    if (count_streams(pass) <= 1) return STATUS_OK;
    Status status = route(pass, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_STREAM_MODES, BUFFER_STREAM_MODES);
    return pass_for_tokens(pass, predict, error);
}

Status block_streams_correct(const Pass *pass, Error *error) {
    if (count_streams(pass) <= 1) return STATUS_OK;
    pass_observe(pass, FORWARD_BEHIND, BUFFER_RESIDUAL);
    Status status = route(pass, error);
    return status == STATUS_OK ? pass_for_tokens(pass, correct, error) : status;
}

static void join(const Chunk *chunk, ForwardState *state, size_t token) {
    const Norm norm = block_streams_norm(state, chunk->layer, TENSOR_PART_LAUREL_NORM);
    const float *input = pass_row(chunk, state, BUFFER_NORMED, token);
    float *residual = pass_row(chunk, state, BUFFER_RESIDUAL, token),
          *added = pass_row(chunk, state, BUFFER_ADDED, token);
    norm_forward(&norm, added, added);
    for (size_t i = 0; i < norm.size; i++)
        residual[i] = (residual[i] + (input[i] + added[i])) * BLOCK_STREAMS_HALF;
}

Status block_streams_join(const Pass *pass, Error *error) {
    if (count_streams(pass) <= 1) return STATUS_OK;
    Status status = pass_project_part(pass, TENSOR_PART_LAUREL_LEFT, BUFFER_NORMED, BUFFER_LAUREL, error);
    if (status == STATUS_OK)
        status = pass_project_part(pass, TENSOR_PART_LAUREL_RIGHT, BUFFER_LAUREL, BUFFER_ADDED, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_LAUREL, BUFFER_ADDED);
    return pass_for_tokens(pass, join, error);
}
