#include "core/transformer/backward_streams.h"

#include "core/transformer/block_streams.h"

#include <math.h>
#include <string.h>

static size_t streams_of(const Descent *descent) {
    return (size_t)descent_config(descent)->streams;
}

/* Of a token of the group: a stream as the layer took it. */
static const float *kept_stream(const Descent *descent, uint64_t layer, size_t at, size_t stream) {
    const Backward *backward = descent->backward;
    const size_t hidden = descent_config(descent)->hidden_size;
    if (stream == 0) return backward_inputs(backward, descent->group, layer) + at * hidden;
    return backward_streams(backward, descent->group, layer) +
           (at * (streams_of(descent) - 1) + stream - 1) * hidden;
}

/* The gradient at a stream of a token. */
static float *stream_slope(const Descent *descent, size_t sequence, size_t token, size_t stream) {
    if (stream == 0) return descent_slope(descent, SLOPE_RESIDUAL, sequence, token);
    return descent_slope(descent, SLOPE_STREAMS, sequence, token) +
           (stream - 1) * descent_config(descent)->hidden_size;
}

/* A token's row of what the forward pass left. */
static const float *row_of(const Descent *descent, const float *rows, size_t width, size_t sequence,
                           size_t token) {
    return rows + (descent->spans[sequence].row + token) * width;
}

/* ---- lengths ---- */

/* y = x · |like| / |x|: dx, and what comes to the gradient at `like`. */
static void descend_length(const float *like, const float *x, size_t size, const float *slope, float *to_like,
                           float *to_x) {
    const double length = sqrt(block_streams_mean_square(like, size)),
                 square = block_streams_mean_square(x, size);
    const double own = sqrt(fmax(square, BLOCK_STREAMS_SMALLEST_SQUARE)), ratio = length / own;
    double along = 0.0;
    for (size_t i = 0; i < size; i++) along += (double)slope[i] * (double)x[i];
    const double of_like = length > 0.0 ? along / (own * (double)size * length) : 0.0;
    const double of_x = square >= BLOCK_STREAMS_SMALLEST_SQUARE ? along / ((double)size * own * own) : 0.0;
    for (size_t i = 0; i < size; i++) {
        to_x[i] = (float)(ratio * ((double)slope[i] - (double)x[i] * of_x));
        to_like[i] += (float)(of_like * (double)like[i]);
    }
}

/* What streams are made of, or made to, is in BUFFER_ADDED. */
static void descend_end_length(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const Backward *backward = descent->backward;
    const size_t hidden = descent_config(descent)->hidden_size;
    descend_length(
        row_of(descent, backward->ending + descent->group->first * hidden, hidden, sequence, token),
        row_of(descent, backward->state->buffers[BUFFER_ADDED], hidden, sequence, token), hidden,
        descent_slope(descent, SLOPE_PREDICTED, sequence, token),
        descent_slope(descent, SLOPE_RESIDUAL, sequence, token),
        descent_slope(descent, SLOPE_ADDED, sequence, token));
}

static void descend_begin_length(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t hidden = descent_config(descent)->hidden_size;
    descend_length(kept_stream(descent, 0, descent->spans[sequence].row + token, 0),
                   row_of(descent, descent->backward->state->buffers[BUFFER_ADDED], hidden, sequence, token),
                   hidden, stream_slope(descent, sequence, token, descent->stream),
                   descent_slope(descent, SLOPE_RESIDUAL, sequence, token),
                   descent_slope(descent, SLOPE_ADDED, sequence, token));
}

static void take_mean_back(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    float *slope = descent_slope(descent, SLOPE_RESIDUAL, sequence, token);
    for (size_t i = 0; i < descent_config(descent)->hidden_size; i++) slope[i] /= (float)streams_of(descent);
    memcpy(descent_slope(descent, SLOPE_PREDICTED, sequence, token), slope,
           descent_config(descent)->hidden_size * sizeof *slope);
}

static void take_stream_back(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    memcpy(stream_slope(descent, sequence, token, descent->stream),
           descent_slope(descent, SLOPE_NORMED, sequence, token),
           descent_config(descent)->hidden_size * sizeof(float));
}

/* A matrix of no layer between streams: what it gives of `inputs` [group tokens × hidden_size] to BUFFER_ADDED, then from the
 * gradient at that through `length` and the matrix to `to`. */
static Status descend_matrix(const Descent *descent, const PairTensor *tensor, const float *inputs,
                             DescentStep length, Slope to, bool accumulate, Error *error) {
    const Backward *backward = descent->backward;
    const size_t hidden = descent_config(descent)->hidden_size;
    MatmulOperand operand = {.blend = settings_blend(&backward->settings, tensor),
                             .x = inputs,
                             .y = backward->state->buffers[BUFFER_ADDED]};
    BackwardFlow flow = {.kind = FLOW_MATRIX,
                         .tensor = tensor,
                         .role = tensor->role,
                         .tokens = descent->tokens,
                         .columns = hidden,
                         .rows = hidden,
                         .inputs = inputs,
                         .gradients = backward->slopes[SLOPE_ADDED]};
    Status status = matmul_run(&operand, 1, descent->group->tokens, backward->scratch, descent->job, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, length, error);
    if (status == STATUS_OK && descent->taker != NULL) status = descent_give(descent, &flow, error);
    operand.x = backward->slopes[SLOPE_ADDED];
    operand.y = backward->slopes[to];
    return status == STATUS_OK ? matmul_run_back(&operand, 1, descent->tokens, accumulate, backward->scratch,
                                                 descent->job, error)
                               : status;
}

Status backward_streams_end(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const uint64_t layers = backward->model->config->layers;
    const size_t hidden = descent_config(descent)->hidden_size;
    if (streams_of(descent) <= 1) return STATUS_OK;
    /* no layer has been run of so many tokens yet */
    Status status = forward_reserve_buffers(backward->state, descent->group->tokens, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, take_mean_back, error);
    for (size_t i = 1; i < streams_of(descent) && status == STATUS_OK; i++) {
        Descent own = *descent;
        own.stream = i;
        float *inputs = backward->state->buffers[BUFFER_NORMED];
        for (size_t t = 0; t < descent->group->tokens; t++)
            memcpy(inputs + t * hidden, kept_stream(descent, layers, t, i), hidden * sizeof *inputs);
        status = descend_matrix(&own,
                                backward->model->whole.parts[block_streams_part(TENSOR_PART_STREAM_OUT_1, i)],
                                inputs, descend_end_length, SLOPE_NORMED, false, error);
        if (status == STATUS_OK) status = descent_for_tokens(&own, take_stream_back, error);
    }
    return status;
}

Status backward_streams_begin(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    Status status = STATUS_OK;
    for (size_t i = 1; i < streams_of(descent) && status == STATUS_OK; i++) {
        Descent own = *descent;
        own.stream = i;
        status = descend_matrix(
            &own, backward->model->whole.parts[block_streams_part(TENSOR_PART_STREAM_IN_1, i)],
            backward_inputs(backward, descent->group, 0), descend_begin_length, SLOPE_RESIDUAL, true, error);
    }
    return status;
}

/* ---- in a layer ---- */

/* Where the router is on the way back: at what the layer took, whose modes were copied, or at what it made. */
typedef struct Routed {
    const float *modes, *inputs; /* [group tokens × streams], × hidden_size */
    bool is_made;
} Routed;

static Routed find_routed(const Descent *descent, bool is_made) {
    const Backward *backward = descent->backward;
    return is_made
               ? (Routed){backward->state->buffers[BUFFER_STREAM_MODES], backward->copies[COPY_BEHIND], true}
               : (Routed){backward->copies[COPY_STREAM_MODES],
                          backward_inputs(backward, descent->group, descent->layer), false};
}

/* From shares, Σ weights[share, i] tanh(modes[i]), to modes. */
static void descend_modes(const float *weights, const float *shares, size_t share_count, const float *modes,
                          size_t count, float *to) {
    for (size_t i = 0; i < count; i++) {
        float bent = tanhf(modes[i]), sum = 0.0F;
        for (size_t s = 0; s < share_count; s++) sum += weights[s * count + i] * shares[s];
        to[i] = sum * (1.0F - bent * bent);
    }
}

static float dot(const float *a, const float *b, size_t size) {
    double sum = 0.0;
    for (size_t i = 0; i < size; i++) sum += (double)a[i] * (double)b[i];
    return (float)sum;
}

/* SLOPE_NORMED, at what inputs of layers take, onto the stream; from there to what the layer made, and to what was predicted. */
static void descend_correction(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const size_t hidden = descent_config(descent)->hidden_size, count = streams_of(descent);
    const Backward *backward = descent->backward;
    const ForwardState *state = backward->state;
    const float *weights = forward_part(state, descent->layer, TENSOR_PART_STREAM_CORRECTION),
                *scale = forward_part(state, descent->layer, TENSOR_PART_STREAM_SCALE),
                *modes = row_of(descent, state->buffers[BUFFER_STREAM_MODES], count, sequence, token),
                *predicted = row_of(descent, state->buffers[BUFFER_PREDICTED], hidden, sequence, token),
                *made = row_of(descent, backward->copies[COPY_BEHIND], hidden, sequence, token),
                *taken = descent_slope(descent, SLOPE_NORMED, sequence, token);
    float *slope = descent_slope(descent, SLOPE_RESIDUAL, sequence, token),
          *to_predicted = descent_slope(descent, SLOPE_PREDICTED, sequence, token),
          *to_shares = descent_slope(descent, SLOPE_STREAM_SHARES, sequence, token),
          *gained = descent->rows + (size_t)worker * 2 * descent->row_stride, shares[MODEL_MAX_STREAMS];
    for (size_t c = 0; c < hidden; c++) {
        slope[c] += scale != NULL ? taken[c] * scale[c] : taken[c];
        gained[c] = made[c] - predicted[c];
        to_predicted[c] = slope[c];
    }
    for (size_t j = 0; j < count; j++) {
        shares[j] = block_streams_share(weights, j, modes, count) + 1.0F;
        to_shares[j] = dot(stream_slope(descent, sequence, token, j), gained, hidden);
    }
    for (size_t c = 0; c < hidden; c++) slope[c] *= shares[0];
    for (size_t j = 1; j < count; j++) {
        const float *further = stream_slope(descent, sequence, token, j);
        for (size_t c = 0; c < hidden; c++) slope[c] += shares[j] * further[c];
    }
    for (size_t c = 0; c < hidden; c++) to_predicted[c] -= slope[c];
    descend_modes(weights, to_shares, count, modes, count,
                  descent_slope(descent, SLOPE_STREAM_MODES, sequence, token));
}

/* From all that was predicted to what the layer took. */
static void descend_prediction(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t hidden = descent_config(descent)->hidden_size, count = streams_of(descent),
                 at = descent->spans[sequence].row + token;
    const float *weights =
                    forward_part(descent->backward->state, descent->layer, TENSOR_PART_STREAM_PREDICTION),
                *modes =
                    row_of(descent, descent->backward->copies[COPY_STREAM_MODES], count, sequence, token),
                *kept = descent_slope(descent, SLOPE_PREDICTED, sequence, token);
    float *slopes[MODEL_MAX_STREAMS], shares[MODEL_MAX_STREAMS * MODEL_MAX_STREAMS],
        *to_shares = descent_slope(descent, SLOPE_STREAM_SHARES, sequence, token);
    for (size_t j = 0; j < count; j++) slopes[j] = stream_slope(descent, sequence, token, j);
    for (size_t c = 0; c < hidden; c++) slopes[0][c] += kept[c];
    for (size_t i = 0; i < count * count; i++) {
        shares[i] = block_streams_share(weights, i, modes, count);
        to_shares[i] = dot(slopes[i / count], kept_stream(descent, descent->layer, at, i % count), hidden);
    }
    for (size_t c = 0; c < hidden; c++) {
        float behind[MODEL_MAX_STREAMS];
        for (size_t j = 0; j < count; j++) behind[j] = slopes[j][c];
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < count; j++) slopes[i][c] += shares[j * count + i] * behind[j];
    }
    descend_modes(weights, to_shares, count * count, modes, count,
                  descent_slope(descent, SLOPE_STREAM_MODES, sequence, token));
}

/* Σ shares ⊗ tanh(modes), of the weights of shares. */
static Status give_shares(const Descent *descent, TensorPart part, size_t shares, const float *modes,
                          Error *error) {
    const size_t count = streams_of(descent);
    if (descent->taker == NULL) return STATUS_OK;
    memset(descent->vector_sums, 0, shares * count * sizeof *descent->vector_sums);
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t t = 0; t < descent->spans[s].tokens; t++) {
            const float *slope = descent_slope(descent, SLOPE_STREAM_SHARES, s, t),
                        *own = row_of(descent, modes, count, s, t);
            for (size_t i = 0; i < shares * count; i++)
                descent->vector_sums[i] += (double)slope[i / count] * (double)tanhf(own[i % count]);
        }
    }
    return descent_give_sums(descent, part, shares * count, error);
}

/* Of what inputs of layers take; the corrected stream is in BUFFER_RESIDUAL. */
static Status give_scale(const Descent *descent, Error *error) {
    const size_t hidden = descent_config(descent)->hidden_size;
    if (descent->taker == NULL || !architecture_needs(descent_plan(descent), TENSOR_PART_STREAM_SCALE))
        return STATUS_OK;
    memset(descent->vector_sums, 0, hidden * sizeof *descent->vector_sums);
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t t = 0; t < descent->spans[s].tokens; t++) {
            const float *slope = descent_slope(descent, SLOPE_NORMED, s, t),
                        *x =
                            row_of(descent, descent->backward->state->buffers[BUFFER_RESIDUAL], hidden, s, t);
            for (size_t c = 0; c < hidden; c++) descent->vector_sums[c] += (double)slope[c] * (double)x[c];
        }
    }
    return descent_give_sums(descent, TENSOR_PART_STREAM_SCALE, hidden, error);
}

/* What meets at a tensor that the layer has for both: of what it made, which comes first, and of what it took. */
static Status give_half(const Descent *descent, BackwardFlow *flow, bool is_made, Error *error) {
    const Backward *backward = descent->backward;
    if (descent->taker == NULL) return STATUS_OK;
    flow->is_first = is_made && descent->group == backward->groups;
    flow->is_last = !is_made && descent->group + 1 == backward->groups + backward->group_count;
    return descent->taker(descent->user, flow, error);
}

static void norm_made(const Descent *descent, size_t sequence, size_t token, bool is_made) {
    const Norm norm =
        block_streams_norm(descent->backward->state, descent->layer, TENSOR_PART_STREAM_ROUTER_NORM);
    const float *inputs = find_routed(descent, is_made).inputs;
    float *to = descent->normed + (descent->spans[sequence].row + token) * norm.size;
    norm_forward(&norm, row_of(descent, inputs, norm.size, sequence, token), to);
    for (size_t i = 0; i < norm.size; i++) to[i] /= (float)norm.size;
}

static void norm_what_was_made(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    norm_made(descent, sequence, token, true);
}

static void norm_what_was_taken(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    norm_made(descent, sequence, token, false);
}

static void divide_slope(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t hidden = descent_config(descent)->hidden_size;
    float *slope = descent_slope(descent, SLOPE_NORMED, sequence, token);
    for (size_t i = 0; i < hidden; i++) slope[i] /= (float)hidden;
}

static void descend_norm(const Descent *descent, size_t sequence, size_t token, bool is_made) {
    const Norm norm =
        block_streams_norm(descent->backward->state, descent->layer, TENSOR_PART_STREAM_ROUTER_NORM);
    norm_backward(&norm, row_of(descent, find_routed(descent, is_made).inputs, norm.size, sequence, token),
                  descent_slope(descent, SLOPE_NORMED, sequence, token),
                  descent_slope(descent, SLOPE_RESIDUAL, sequence, token));
}

static void descend_norm_of_made(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    descend_norm(descent, sequence, token, true);
}

static void descend_norm_of_taken(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    descend_norm(descent, sequence, token, false);
}

/* From SLOPE_STREAM_MODES through the router and its norm onto the stream. */
static Status descend_router(const Descent *descent, bool is_made, Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *const *parts = backward->model->layers[descent->layer].parts;
    const PairTensor *router = parts[TENSOR_PART_STREAM_ROUTER],
                     *norm = parts[TENSOR_PART_STREAM_ROUTER_NORM];
    const size_t hidden = descent_config(descent)->hidden_size;
    const MatmulOperand operand = {.blend = settings_blend(&backward->settings, router),
                                   .x = backward->slopes[SLOPE_STREAM_MODES],
                                   .y = backward->slopes[SLOPE_NORMED]};
    BackwardFlow matrix = {.kind = FLOW_MATRIX,
                           .tensor = router,
                           .role = router->role,
                           .tokens = descent->tokens,
                           .columns = hidden,
                           .rows = streams_of(descent),
                           .inputs = descent->normed,
                           .gradients = backward->slopes[SLOPE_STREAM_MODES]};
    BackwardFlow vector = {
        .kind = FLOW_NORM,
        .tensor = norm,
        .role = norm->role,
        .tokens = descent->tokens,
        .columns = hidden,
        .rows = hidden,
        .inputs = find_routed(descent, is_made).inputs,
        .gradients = backward->slopes[SLOPE_NORMED],
        .norm = block_streams_norm(backward->state, descent->layer, TENSOR_PART_STREAM_ROUTER_NORM)};
    Status status = STATUS_OK;
    if (descent->taker != NULL)
        status = descent_for_tokens(descent, is_made ? norm_what_was_made : norm_what_was_taken, error);
    if (status == STATUS_OK) status = give_half(descent, &matrix, is_made, error);
    if (status == STATUS_OK)
        status = matmul_run_back(&operand, 1, descent->tokens, false, backward->scratch, descent->job, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, divide_slope, error);
    if (status == STATUS_OK) status = give_half(descent, &vector, is_made, error);
    return status == STATUS_OK
               ? descent_for_tokens(descent, is_made ? descend_norm_of_made : descend_norm_of_taken, error)
               : status;
}

Status backward_streams_correct(const Descent *descent, Error *error) {
    if (streams_of(descent) <= 1) return STATUS_OK;
    Status status = give_scale(descent, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_correction, error);
    if (status == STATUS_OK)
        status = give_shares(descent, TENSOR_PART_STREAM_CORRECTION, streams_of(descent),
                             find_routed(descent, true).modes, error);
    return status == STATUS_OK ? descend_router(descent, true, error) : status;
}

Status backward_streams_predict(const Descent *descent, Error *error) {
    const size_t count = streams_of(descent);
    if (count <= 1) return STATUS_OK;
    Status status = descent_for_tokens(descent, descend_prediction, error);
    if (status == STATUS_OK)
        status = give_shares(descent, TENSOR_PART_STREAM_PREDICTION, count * count,
                             find_routed(descent, false).modes, error);
    return status == STATUS_OK ? descend_router(descent, false, error) : status;
}

/* ---- the learned residual ---- */

/* The stream's half to its three summands: attention's on SLOPE_RESIDUAL, the learned residual's before its norm on SLOPE_ADDED,
 * that of its input on SLOPE_NORMED. */
static void descend_join(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const Backward *backward = descent->backward;
    const Norm norm = block_streams_norm(backward->state, descent->layer, TENSOR_PART_LAUREL_NORM);
    float *slope = descent_slope(descent, SLOPE_RESIDUAL, sequence, token),
          *to = descent_slope(descent, SLOPE_ADDED, sequence, token);
    memset(to, 0, norm.size * sizeof *to);
    norm_backward(&norm, row_of(descent, backward->copies[COPY_LAUREL], norm.size, sequence, token), slope,
                  to);
    memcpy(descent_slope(descent, SLOPE_NORMED, sequence, token), slope, norm.size * sizeof *slope);
}

static void halve(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    float *slope = descent_slope(descent, SLOPE_RESIDUAL, sequence, token);
    for (size_t i = 0; i < descent_config(descent)->hidden_size; i++) slope[i] *= BLOCK_STREAMS_HALF;
}

Status backward_streams_join(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    if (streams_of(descent) <= 1) return STATUS_OK;
    const Norm norm = block_streams_norm(backward->state, descent->layer, TENSOR_PART_LAUREL_NORM);
    Status status = descent_for_tokens(descent, halve, error);
    if (status == STATUS_OK)
        status = descent_give_part_norm(descent, TENSOR_PART_LAUREL_NORM, norm, backward->copies[COPY_LAUREL],
                                        SLOPE_RESIDUAL, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_join, error);
    if (status == STATUS_OK)
        status = descent_run_part(descent, TENSOR_PART_LAUREL_RIGHT, TENSOR_PART_COUNT,
                                  backward->state->buffers[BUFFER_LAUREL], SLOPE_ADDED, SLOPE_LAUREL, false,
                                  error);
    return status == STATUS_OK ? descent_run_part(descent, TENSOR_PART_LAUREL_LEFT, TENSOR_PART_COUNT,
                                                  descent->normed, SLOPE_LAUREL, SLOPE_NORMED, true, error)
                               : status;
}
