#include "core/transformer/block_connections.h"

#include "core/transformer/activation.h"

#include <math.h>
#include <string.h>

/* ---- streams ---- */

static void copy_stream(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const float *from = pass_row(chunk, state, BUFFER_RESIDUAL, token);
    float *to = pass_row(chunk, state, BUFFER_CONNECTED, token);
    for (uint64_t i = 0; i < config->connections; i++)
        memcpy(to + i * config->hidden_size, from, config->hidden_size * sizeof *to);
}

/* 1 / rms of all streams of a token. */
static float inverse_length(const ModelConfig *config, const float *x) {
    size_t size = (size_t)config->connections * config->hidden_size;
    double sum = 0.0;
    for (size_t i = 0; i < size; i++) sum += (double)x[i] * (double)x[i];
    return (float)(1.0 / sqrt(sum / (double)size + config->norm_epsilon));
}

float block_connections_share(const ModelConfig *config, float x) {
    return activation_value(ACTIVATION_SIGMOID, x) + (float)config->connection_epsilon;
}

/* Σ shares · streams, to the residual. */
static void collapse(const Chunk *chunk, ForwardState *state, size_t token, const float *shares) {
    const ModelConfig *config = state->side->config;
    const float *streams = pass_row(chunk, state, BUFFER_CONNECTED, token);
    float *residual = pass_row(chunk, state, BUFFER_RESIDUAL, token);
    for (size_t i = 0; i < config->hidden_size; i++) {
        float sum = 0.0F;
        for (uint64_t s = 0; s < config->connections; s++)
            sum += shares[s] * streams[s * config->hidden_size + i];
        residual[i] = sum;
    }
}

/* ---- weights ---- */

/* All columns, or all rows, to a sum of 1. */
static void balance(const ModelConfig *config, float *mix, bool are_columns) {
    size_t n = (size_t)config->connections, step = are_columns ? n : 1, next = are_columns ? 1 : n;
    for (size_t i = 0; i < n; i++) {
        float sum = (float)config->connection_epsilon;
        for (size_t j = 0; j < n; j++) sum += mix[i * next + j * step];
        for (size_t j = 0; j < n; j++) mix[i * next + j * step] /= sum;
    }
}

static void softmax_row(float *x, size_t count) {
    float largest = -INFINITY, sum = 0.0F;
    for (size_t i = 0; i < count; i++) largest = fmaxf(largest, x[i]);
    for (size_t i = 0; i < count; i++) sum += x[i] = expf(x[i] - largest);
    for (size_t i = 0; i < count; i++) x[i] /= sum;
}

/* How streams become streams, [n × n]: doubly stochastic (Sinkhorn and Knopp). */
static void make_mix(const ModelConfig *config, float *mix) {
    size_t n = (size_t)config->connections;
    for (size_t i = 0; i < n; i++) softmax_row(mix + i * n, n);
    for (size_t i = 0; i < n * n; i++) mix[i] += (float)config->connection_epsilon;
    balance(config, mix, true);
    for (uint64_t i = 1; i < config->connection_rounds; i++) {
        balance(config, mix, false);
        balance(config, mix, true);
    }
}

void block_connections_scale(const ModelConfig *config, ConnectionParts parts, const float *projected,
                             float *bent) {
    size_t n = (size_t)config->connections;
    for (size_t i = 0; i < (2 + n) * n; i++)
        bent[i] = projected[i] * parts.scale[block_connections_scale_index(n, i)] + parts.base[i];
}

void block_connections_weigh(const ModelConfig *config, ConnectionParts parts, const float *projected,
                             float *weights) {
    size_t n = (size_t)config->connections;
    block_connections_scale(config, parts, projected, weights);
    for (size_t i = 0; i < n; i++) {
        weights[i] = block_connections_share(config, weights[i]);
        weights[n + i] = 2.0F * activation_value(ACTIVATION_SIGMOID, weights[n + i]);
    }
    make_mix(config, weights + 2 * n);
}

static void take(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    size_t n = (size_t)config->connections;
    float *projected = pass_row(chunk, state, BUFFER_CONNECTION, token),
          *weights = pass_row(chunk, state, BUFFER_CONNECTION_WEIGHTS, token);
    const ConnectionParts parts = {forward_part(state, chunk->layer, (TensorPart)(chunk->connection + 1)),
                                   forward_part(state, chunk->layer, (TensorPart)(chunk->connection + 2))};
    float length = inverse_length(config, pass_row(chunk, state, BUFFER_CONNECTED, token));
    for (size_t i = 0; i < (2 + n) * n; i++) projected[i] *= length;
    block_connections_weigh(config, parts, projected, weights);
    collapse(chunk, state, token, weights);
}

static void add(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    size_t n = (size_t)config->connections, hidden = config->hidden_size;
    const float *weights = pass_row(chunk, state, BUFFER_CONNECTION_WEIGHTS, token), *mix = weights + 2 * n,
                *added = pass_row(chunk, state, BUFFER_ADDED, token);
    float *streams = pass_row(chunk, state, BUFFER_CONNECTED, token), before[MODEL_MAX_CONNECTIONS];
    for (size_t i = 0; i < hidden; i++) {
        for (size_t s = 0; s < n; s++) before[s] = streams[s * hidden + i];
        for (size_t s = 0; s < n; s++) {
            float sum = weights[n + s] * added[i];
            for (size_t j = 0; j < n; j++) sum += mix[j * n + s] * before[j];
            streams[s * hidden + i] = sum;
        }
    }
}

static void take_end(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const float *base = forward_part(state, config->layers, TENSOR_PART_END_CONNECTION_BASE),
                *scale = forward_part(state, config->layers, TENSOR_PART_END_CONNECTION_SCALE);
    size_t n = (size_t)config->connections;
    float shares[MODEL_MAX_CONNECTIONS],
        length = inverse_length(config, pass_row(chunk, state, BUFFER_CONNECTED, token));
    const float *projected = state->buffers[BUFFER_CONNECTION] + token * n; /* narrower than in a layer */
    for (size_t i = 0; i < n; i++)
        shares[i] = block_connections_share(config, projected[i] * length * *scale + base[i]);
    collapse(chunk, state, token, shares);
}

/* ---- steps ---- */

Status block_connections_begin(const Pass *pass, Error *error) {
    return block_connections_are_there(pass) ? pass_for_tokens(pass, copy_stream, error) : STATUS_OK;
}

Status block_connections_take(const Pass *pass, TensorPart first, Error *error) {
    if (!block_connections_are_there(pass)) return STATUS_OK;
    const bool is_mlp = first == TENSOR_PART_MLP_CONNECTION;
    Pass own = *pass;
    own.chunk.connection = first;
    pass_observe(pass, is_mlp ? FORWARD_MIDDLE_STREAMS : FORWARD_STREAMS, BUFFER_CONNECTED);
    Status status = pass_project_part(&own, first, BUFFER_CONNECTED, BUFFER_CONNECTION, error);
    if (status == STATUS_OK) status = pass_for_tokens(&own, take, error);
    if (status == STATUS_OK)
        pass_observe(pass, is_mlp ? FORWARD_MLP_CONNECTION : FORWARD_ATTENTION_CONNECTION, BUFFER_CONNECTION);
    return status;
}

Status block_connections_add(const Pass *pass, Error *error) {
    return pass_for_tokens(pass, add, error);
}

Status block_connections_end(const Pass *pass, Error *error) {
    const Model *model = pass->chunk.states[0]->model;
    if (!block_connections_are_there(pass)) return STATUS_OK;
    Pass last = *pass;
    last.chunk.layer = model->config->layers;
    pass_observe(&last, FORWARD_STREAMS, BUFFER_CONNECTED);
    Status status = pass_project_tensor(pass, model->whole.parts[TENSOR_PART_END_CONNECTION],
                                        BUFFER_CONNECTED, BUFFER_CONNECTION, error);
    return status == STATUS_OK ? pass_for_tokens(pass, take_end, error) : status;
}
