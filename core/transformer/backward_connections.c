#include "core/transformer/backward_connections.h"

#include "core/support/memory.h"
#include "core/transformer/activation.h"
#include "core/transformer/block_connections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- where things are ---- */

static size_t count_of(const Descent *descent) {
    return (size_t)descent_config(descent)->connections;
}

static TensorPart first_of(bool is_mlp) {
    return is_mlp ? TENSOR_PART_MLP_CONNECTION : TENSOR_PART_ATTENTION_CONNECTION;
}

/* All streams of a token of the group, before its connection. */
static const float *streams_at(const Descent *descent, bool is_mlp, size_t at) {
    const size_t width = count_of(descent) * descent_config(descent)->hidden_size;
    const float *all = is_mlp ? descent->backward->copies[COPY_MIDDLE_STREAMS]
                              : backward_streams(descent->backward, descent->group, descent->layer);
    return all + at * width;
}

static ConnectionParts parts_of(const Descent *descent, bool is_mlp) {
    const ForwardState *state = descent->backward->state;
    return (ConnectionParts){forward_part(state, descent->layer, (TensorPart)(first_of(is_mlp) + 1)),
                             forward_part(state, descent->layer, (TensorPart)(first_of(is_mlp) + 2))};
}

/* What the connection's matrix gave for a token of the group, its input brought to length 1. */
static const float *projected_at(const Descent *descent, bool is_mlp, size_t at) {
    const size_t n = count_of(descent);
    const BackwardCopy copy = is_mlp ? COPY_MLP_CONNECTION : COPY_ATTENTION_CONNECTION;
    return descent->backward->copies[copy] + at * (2 + n) * n;
}

static Norm length_of(const ModelConfig *config) {
    return (Norm){.kind = NORM_RMS,
                  .size = (size_t)config->connections * config->hidden_size,
                  .epsilon = config->norm_epsilon};
}

static float dot(const float *a, const float *b, size_t size) {
    double sum = 0.0;
    for (size_t i = 0; i < size; i++) sum += (double)a[i] * (double)b[i];
    return (float)sum;
}

/* ---- into a block ---- */

static void enter(const Descent *descent, bool is_mlp, size_t sequence, size_t token) {
    const ModelConfig *config = descent_config(descent);
    const size_t n = count_of(descent), hidden = config->hidden_size,
                 at = descent->spans[sequence].row + token;
    const float *before = streams_at(descent, is_mlp, at),
                *given = descent->backward->outputs[is_mlp] + at * hidden;
    float weights[CONNECTION_WEIGHTS], *slopes = descent_slope(descent, SLOPE_STREAMS, sequence, token),
                                       *to = descent_slope(descent, SLOPE_CONNECTION, sequence, token),
                                       *added = descent_slope(descent, SLOPE_ADDED, sequence, token);
    block_connections_weigh(config, parts_of(descent, is_mlp), projected_at(descent, is_mlp, at), weights);
    const float *out = weights + n, *mix = weights + 2 * n;
    for (size_t k = 0; k < n; k++) {
        to[n + k] = dot(given, slopes + k * hidden, hidden);
        for (size_t j = 0; j < n; j++)
            to[2 * n + j * n + k] = dot(before + j * hidden, slopes + k * hidden, hidden);
    }
    for (size_t c = 0; c < hidden; c++) {
        float behind[MODEL_MAX_CONNECTIONS];
        added[c] = 0.0F;
        for (size_t k = 0; k < n; k++) {
            behind[k] = slopes[k * hidden + c];
            added[c] += out[k] * behind[k];
        }
        for (size_t j = 0; j < n; j++) slopes[j * hidden + c] = dot(mix + j * n, behind, n);
    }
    memset(descent_slope(descent, SLOPE_RESIDUAL, sequence, token), 0, hidden * sizeof *slopes);
}

static void enter_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    enter(descent, false, sequence, token);
}

static void enter_mlp(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    enter(descent, true, sequence, token);
}

Status backward_connections_enter(const Descent *descent, bool is_mlp, Error *error) {
    return descent_for_tokens(descent, is_mlp ? enter_mlp : enter_attention, error);
}

/* ---- weights: in double, where the way there has float: each turn is undone by its sums, and errors of all add up ---- */

/* Through x / (Σ x + ε) of each column, or row, of y that it gave, whose sums are known; x comes back in its place. */
static void descend_balance(size_t n, const float *sums, bool are_columns, double *y, double *slopes) {
    const size_t step = are_columns ? n : 1, next = are_columns ? 1 : n;
    for (size_t i = 0; i < n; i++) {
        const size_t first = i * next;
        double along = 0.0;
        for (size_t j = 0; j < n; j++) along += slopes[first + j * step] * y[first + j * step];
        for (size_t j = 0; j < n; j++) {
            slopes[first + j * step] = (slopes[first + j * step] - along) / (double)sums[i];
            y[first + j * step] *= (double)sums[i];
        }
    }
}

static void balance(size_t n, double epsilon, bool are_columns, double *x, float *sums) {
    const size_t step = are_columns ? n : 1, next = are_columns ? 1 : n;
    for (size_t i = 0; i < n; i++) {
        double sum = epsilon;
        for (size_t j = 0; j < n; j++) sum += x[i * next + j * step];
        sums[i] = (float)sum;
        for (size_t j = 0; j < n; j++) x[i * next + j * step] /= (double)sums[i];
    }
}

static void softmax_rows(size_t n, const float *x, double *out) {
    for (size_t i = 0; i < n; i++) {
        double largest = -INFINITY, sum = 0.0;
        for (size_t j = 0; j < n; j++) largest = fmax(largest, (double)x[i * n + j]);
        for (size_t j = 0; j < n; j++) sum += out[i * n + j] = exp((double)x[i * n + j] - largest);
        for (size_t j = 0; j < n; j++) out[i * n + j] /= sum;
    }
}

/* From what streams are mixed by to x [n × n], of whose rows' softmax it is made by turns. `sums`: room for each turn's. */
static void descend_mix(const ModelConfig *config, const float *x, float *sums, float *slope) {
    enum { MOST = MODEL_MAX_CONNECTIONS * MODEL_MAX_CONNECTIONS };
    const size_t n = (size_t)config->connections,
                 turns = config->connection_rounds > 0 ? 2 * (size_t)config->connection_rounds - 1 : 1;
    double mix[MOST], soft[MOST], slopes[MOST];
    softmax_rows(n, x, soft);
    for (size_t i = 0; i < n * n; i++) {
        mix[i] = soft[i] + config->connection_epsilon;
        slopes[i] = (double)slope[i];
    }
    for (size_t t = 0; t < turns; t++) balance(n, config->connection_epsilon, t % 2 == 0, mix, sums + t * n);
    for (size_t t = turns; t-- > 0;) descend_balance(n, sums + t * n, t % 2 == 0, mix, slopes);
    for (size_t i = 0; i < n; i++) {
        double mean = 0.0;
        for (size_t j = 0; j < n; j++) mean += slopes[i * n + j] * soft[i * n + j];
        for (size_t j = 0; j < n; j++)
            slope[i * n + j] = (float)(soft[i * n + j] * (slopes[i * n + j] - mean));
    }
}

size_t backward_connections_scratch(const ModelConfig *config) {
    return (2 * (size_t)config->connection_rounds + 1) * (size_t)config->connections;
}

static float sigmoid_slope(float x) {
    const float value = activation_value(ACTIVATION_SIGMOID, x);
    return value * (1.0F - value);
}

/* What the block took came of all streams: to them, to their shares, and from all weights to what they come of. */
static void leave(const Descent *descent, bool is_mlp, size_t sequence, size_t token, unsigned worker) {
    const ModelConfig *config = descent_config(descent);
    const size_t n = count_of(descent), hidden = config->hidden_size,
                 at = descent->spans[sequence].row + token;
    const ConnectionParts parts = parts_of(descent, is_mlp);
    const float *before = streams_at(descent, is_mlp, at), *projected = projected_at(descent, is_mlp, at),
                *taken = descent_slope(descent, SLOPE_RESIDUAL, sequence, token);
    float *streams = descent_slope(descent, SLOPE_STREAMS, sequence, token),
          *slopes = descent_slope(descent, SLOPE_CONNECTION, sequence, token), bent[CONNECTION_WEIGHTS];
    block_connections_scale(config, parts, projected, bent);
    for (size_t i = 0; i < n; i++) {
        const float share = block_connections_share(config, bent[i]);
        slopes[i] = dot(before + i * hidden, taken, hidden) * sigmoid_slope(bent[i]);
        slopes[n + i] *= 2.0F * sigmoid_slope(bent[n + i]);
        for (size_t c = 0; c < hidden; c++) streams[i * hidden + c] += share * taken[c];
    }
    descend_mix(config, bent + 2 * n, descent->scratch + (size_t)worker * descent->scratch_stride,
                slopes + 2 * n);
}

static void leave_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    leave(descent, false, sequence, token, worker);
}

static void leave_mlp(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    leave(descent, true, sequence, token, worker);
}

/* Of the base, then of the scale. */
static Status give_vectors(const Descent *descent, bool is_mlp, Error *error) {
    const size_t n = count_of(descent), all = (2 + n) * n;
    const TensorPart first = first_of(is_mlp);
    Status status = STATUS_OK;
    for (int which = 1; which <= 2 && descent->taker != NULL && status == STATUS_OK; which++) {
        memset(descent->vector_sums, 0, (which == 1 ? all : 3) * sizeof *descent->vector_sums);
        for (size_t s = 0; s < descent->count; s++) {
            for (size_t t = 0; t < descent->spans[s].tokens; t++) {
                const float *slope = descent_slope(descent, SLOPE_CONNECTION, s, t),
                            *projected = projected_at(descent, is_mlp, descent->spans[s].row + t);
                for (size_t i = 0; i < all; i++)
                    descent->vector_sums[which == 1 ? i : block_connections_scale_index(n, i)] +=
                        (double)slope[i] * (which == 1 ? 1.0 : (double)projected[i]);
            }
        }
        status = descent_give_sums(descent, (TensorPart)((int)first + which), which == 1 ? all : 3, error);
    }
    return status;
}

static void scale_slopes(const Descent *descent, bool is_mlp, size_t sequence, size_t token) {
    const size_t n = count_of(descent);
    const float *scale = parts_of(descent, is_mlp).scale;
    float *slope = descent_slope(descent, SLOPE_CONNECTION, sequence, token);
    for (size_t i = 0; i < (2 + n) * n; i++) slope[i] *= scale[block_connections_scale_index(n, i)];
}

static void scale_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    scale_slopes(descent, false, sequence, token);
}

static void scale_mlp(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    scale_slopes(descent, true, sequence, token);
}

/* What the matrix took, for who wants its gradient: to BUFFER_CONNECTED, which nothing needs any more. */
static void bring_to_length(const Descent *descent, const float *streams, size_t at) {
    const Norm norm = length_of(descent_config(descent));
    norm_forward(&norm, streams, descent->backward->state->buffers[BUFFER_CONNECTED] + at * norm.size);
}

static void descend_length(const Descent *descent, const float *streams, size_t sequence, size_t token) {
    const Norm norm = length_of(descent_config(descent));
    norm_backward(&norm, streams, descent_slope(descent, SLOPE_CONNECTED, sequence, token),
                  descent_slope(descent, SLOPE_STREAMS, sequence, token));
}

static void normalise_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t at = descent->spans[sequence].row + token;
    bring_to_length(descent, streams_at(descent, false, at), at);
}

static void normalise_mlp(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t at = descent->spans[sequence].row + token;
    bring_to_length(descent, streams_at(descent, true, at), at);
}

static void descend_attention(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    descend_length(descent, streams_at(descent, false, descent->spans[sequence].row + token), sequence,
                   token);
}

static void descend_mlp(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    descend_length(descent, streams_at(descent, true, descent->spans[sequence].row + token), sequence, token);
}

Status backward_connections_leave(const Descent *descent, bool is_mlp, Error *error) {
    if (count_of(descent) == 0) return STATUS_OK;
    Status status = descent_for_tokens(descent, is_mlp ? leave_mlp : leave_attention, error);
    if (status == STATUS_OK) status = give_vectors(descent, is_mlp, error);
    if (status == STATUS_OK)
        status = descent_for_tokens(descent, is_mlp ? scale_mlp : scale_attention, error);
    if (status == STATUS_OK && descent->taker != NULL)
        status = descent_for_tokens(descent, is_mlp ? normalise_mlp : normalise_attention, error);
    if (status == STATUS_OK)
        status = descent_run_part(descent, first_of(is_mlp), TENSOR_PART_COUNT,
                                  descent->backward->state->buffers[BUFFER_CONNECTED], SLOPE_CONNECTION,
                                  SLOPE_CONNECTED, false, error);
    return status == STATUS_OK ? descent_for_tokens(descent, is_mlp ? descend_mlp : descend_attention, error)
                               : status;
}

/* ---- behind all layers ---- */

static const PairTensor *end_part(const Backward *backward, TensorPart part) {
    return backward->model->whole.parts[part];
}

static ConnectionParts end_parts(const Backward *backward) {
    const uint64_t layers = backward->model->config->layers;
    return (ConnectionParts){forward_part(backward->state, layers, TENSOR_PART_END_CONNECTION_BASE),
                             forward_part(backward->state, layers, TENSOR_PART_END_CONNECTION_SCALE)};
}

static const float *end_streams(const Descent *descent, size_t at) {
    const Backward *backward = descent->backward;
    const size_t width = count_of(descent) * descent_config(descent)->hidden_size;
    return backward_streams(backward, descent->group, backward->model->config->layers) + at * width;
}

/* Narrower than in a layer. */
static float *end_slopes(const Descent *descent, size_t sequence, size_t token) {
    return descent->backward->slopes[SLOPE_CONNECTION] +
           (descent->spans[sequence].first + token) * count_of(descent);
}

static const float *end_projected(const Descent *descent, size_t sequence, size_t token) {
    return descent->backward->state->buffers[BUFFER_CONNECTION] +
           (descent->spans[sequence].row + token) * count_of(descent);
}

static void end_token(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t hidden = descent_config(descent)->hidden_size;
    const ConnectionParts parts = end_parts(descent->backward);
    const float *before = end_streams(descent, descent->spans[sequence].row + token),
                *projected = end_projected(descent, sequence, token),
                *taken = descent_slope(descent, SLOPE_RESIDUAL, sequence, token);
    float *to = descent_slope(descent, SLOPE_STREAMS, sequence, token),
          *slopes = end_slopes(descent, sequence, token);
    for (size_t i = 0; i < count_of(descent); i++) {
        const float bent = projected[i] * *parts.scale + parts.base[i],
                    share = block_connections_share(descent_config(descent), bent);
        slopes[i] = dot(before + i * hidden, taken, hidden) * sigmoid_slope(bent);
        for (size_t c = 0; c < hidden; c++) to[i * hidden + c] = share * taken[c];
    }
}

static void scale_end(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    float *slopes = end_slopes(descent, sequence, token);
    for (size_t i = 0; i < count_of(descent); i++) slopes[i] *= *end_parts(descent->backward).scale;
}

static void descend_end_length(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    descend_length(descent, end_streams(descent, descent->spans[sequence].row + token), sequence, token);
}

static Status give_end(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const size_t n = count_of(descent);
    const PairTensor *base = end_part(backward, TENSOR_PART_END_CONNECTION_BASE),
                     *scale = end_part(backward, TENSOR_PART_END_CONNECTION_SCALE);
    double sums[MODEL_MAX_CONNECTIONS] = {0}, of_scale = 0.0;
    if (descent->taker == NULL) return STATUS_OK;
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t t = 0; t < descent->spans[s].tokens; t++) {
            const float *slopes = end_slopes(descent, s, t), *projected = end_projected(descent, s, t);
            for (size_t i = 0; i < n; i++) {
                sums[i] += (double)slopes[i];
                of_scale += (double)slopes[i] * (double)projected[i];
            }
        }
    }
    float narrow[MODEL_MAX_CONNECTIONS];
    const float narrow_scale = (float)of_scale;
    for (size_t i = 0; i < n; i++) narrow[i] = (float)sums[i];
    Status status = descent_give_vector(descent, base->role, base, narrow, n, error);
    return status == STATUS_OK ? descent_give_vector(descent, scale->role, scale, &narrow_scale, 1, error)
                               : status;
}

/* What the matrix gives again, to BUFFER_CONNECTION. */
static Status project_end(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    float *const *buffers = backward->state->buffers;
    const MatmulOperand operand = {
        .blend = settings_blend(&backward->settings, end_part(backward, TENSOR_PART_END_CONNECTION)),
        .x = buffers[BUFFER_CONNECTED],
        .y = buffers[BUFFER_CONNECTION]};
    /* no layer has been run of so many tokens yet */
    Status status = forward_reserve_buffers(backward->state, descent->group->tokens, error);
    for (size_t t = 0; t < descent->group->tokens && status == STATUS_OK; t++)
        bring_to_length(descent, end_streams(descent, t), t);
    if (status != STATUS_OK) return status;
    MatmulOperand own = operand;
    own.x = backward->state->buffers[BUFFER_CONNECTED];
    own.y = backward->state->buffers[BUFFER_CONNECTION];
    return matmul_run(&own, 1, descent->group->tokens, backward->scratch, descent->job, error);
}

Status backward_connections_end(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const size_t n = count_of(descent), width = n * descent_config(descent)->hidden_size;
    if (n == 0) return STATUS_OK;
    const PairTensor *matrix = end_part(backward, TENSOR_PART_END_CONNECTION);
    const MatmulOperand operand = {.blend = settings_blend(&backward->settings, matrix),
                                   .x = backward->slopes[SLOPE_CONNECTION],
                                   .y = backward->slopes[SLOPE_CONNECTED]};
    Status status = project_end(descent, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, end_token, error);
    if (status == STATUS_OK) status = give_end(descent, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, scale_end, error);
    BackwardFlow flow = {.kind = FLOW_MATRIX,
                         .tensor = matrix,
                         .role = matrix->role,
                         .tokens = descent->tokens,
                         .columns = width,
                         .rows = n,
                         .inputs = backward->state->buffers[BUFFER_CONNECTED],
                         .gradients = backward->slopes[SLOPE_CONNECTION]};
    if (status == STATUS_OK && descent->taker != NULL) status = descent_give(descent, &flow, error);
    if (status == STATUS_OK)
        status = matmul_run_back(&operand, 1, descent->tokens, false, backward->scratch, descent->job, error);
    return status == STATUS_OK ? descent_for_tokens(descent, descend_end_length, error) : status;
}

static void begin_token(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t hidden = descent_config(descent)->hidden_size;
    const float *streams = descent_slope(descent, SLOPE_STREAMS, sequence, token);
    float *to = descent_slope(descent, SLOPE_RESIDUAL, sequence, token);
    memcpy(to, streams, hidden * sizeof *to);
    for (size_t i = 1; i < count_of(descent); i++)
        for (size_t c = 0; c < hidden; c++) to[c] += streams[i * hidden + c];
}

Status backward_connections_begin(const Descent *descent, Error *error) {
    return count_of(descent) > 0 ? descent_for_tokens(descent, begin_token, error) : STATUS_OK;
}

/* ---- directions ---- */

Status backward_connections_direct_end(const Backward *backward, const BackwardDirections *directions,
                                       Job *job, Error *error) {
    const ModelConfig *config = backward_config(backward);
    const size_t n = (size_t)config->connections, hidden = config->hidden_size;
    const Norm norm = length_of(config);
    const float *kept = backward_streams(backward, backward->groups, config->layers);
    const ConnectionParts parts = end_parts(backward);
    MatmulOperand operand = {
        .blend = settings_blend(&backward->settings, end_part(backward, TENSOR_PART_END_CONNECTION)),
        .x = directions->all};
    float *projected = memory_allocate(directions->count, n * sizeof *projected);
    if (projected == NULL) return memory_fail(error, "directions");
    operand.y = projected;
    for (size_t i = 0; i < directions->count; i++)
        norm_forward(&norm, kept + directions->tokens[i] * norm.size, directions->all + i * norm.size);
    Status status = matmul_run(&operand, 1, directions->count, backward->scratch, job, error);
    for (size_t i = 0; i < directions->count && status == STATUS_OK; i++) {
        for (size_t s = 0; s < n; s++) {
            const float bent = projected[i * n + s] * *parts.scale + parts.base[s],
                        share = block_connections_share(config, bent);
            for (size_t c = 0; c < hidden; c++)
                directions->all[i * norm.size + s * hidden + c] = share * directions->stream[i * hidden + c];
        }
    }
    free(projected);
    return status;
}

static void direct(const ModelConfig *config, const float *weights, float *stream, float *all) {
    const size_t n = (size_t)config->connections, hidden = config->hidden_size;
    const float *out = weights + n, *mix = weights + 2 * n;
    for (size_t c = 0; c < hidden; c++) {
        float behind[MODEL_MAX_CONNECTIONS];
        stream[c] = 0.0F;
        for (size_t k = 0; k < n; k++) {
            behind[k] = all[k * hidden + c];
            stream[c] += out[k] * behind[k];
        }
        for (size_t j = 0; j < n; j++) all[j * hidden + c] = dot(mix + j * n, behind, n);
    }
}

void backward_connections_direct(const Descent *descent, bool is_mlp, const BackwardDirections *directions) {
    const ModelConfig *config = descent_config(descent);
    const size_t hidden = config->hidden_size;
    for (size_t i = 0; i < directions->count; i++) {
        float weights[CONNECTION_WEIGHTS];
        block_connections_weigh(config, parts_of(descent, is_mlp),
                                projected_at(descent, is_mlp, directions->tokens[i]), weights);
        direct(config, weights, directions->stream + i * hidden,
               directions->all + i * count_of(descent) * hidden);
    }
}
