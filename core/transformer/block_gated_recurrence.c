#include "core/transformer/block_gated_recurrence.h"

#include "core/numerics/blas.h"
#include "core/support/memory.h"
#include "core/transformer/activation.h"
#include "core/transformer/channel_convolution.h"
#include "core/transformer/recurrence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SHARPNESS = 8.0;

typedef struct HeadStep {
    const Chunk *chunk;
    size_t heads; /* of one state */
} HeadStep;

/* ---- gates ---- */

/* A head's channels, all tokens: `to` = x · W + b, W of [inputs × outputs]. */
static void project_head(const Chunk *chunk, ForwardState *state, size_t head, TensorPart weight,
                         TensorPart bias, Buffer to) {
    const size_t size = state->side->config->recurrent.value_dim, own = head * size;
    const float *added = forward_part(state, chunk->layer, bias) + own;
    const Blend blend = settings_blend(&state->settings, state->model->layers[chunk->layer].parts[weight]);
    float row[GATED_MOST_CHANNELS];
    for (size_t t = 0; t < chunk->tokens; t++)
        memcpy(pass_row(chunk, state, to, t) + own, added, size * sizeof *added);
    for (size_t i = 0; i < size; i++) {
        blend_window(&blend, head, 1, i * size, size, row, size);
        for (size_t t = 0; t < chunk->tokens; t++) {
            const float x = pass_row(chunk, state, BUFFER_STATE_IN, t)[own + i];
            float *out = pass_row(chunk, state, to, t) + own;
            for (size_t j = 0; j < size; j++) out[j] += x * row[j];
        }
    }
}

/* ---- the recurrence ---- */

/* The logarithm of a where its gate is open; with torch's softplus. */
static double find_falls(double rate) {
    return -SHARPNESS * (rate > 20.0 ? rate : log1p(exp(rate)));
}

/* One channel over all tokens, in their order. */
static void run_channel(const Chunk *chunk, ForwardState *state, size_t channel) {
    const ModelConfig *config = state->side->config;
    const double falls =
        find_falls((double)forward_part(state, chunk->layer, TENSOR_PART_GATED_RATE)[channel]);
    float *memory = recurrence_of_layer(state, chunk->layer) +
                    recurrence_convolution_size(config, architecture_delta_values(config)) + channel;
    for (size_t t = 0; t < chunk->tokens; t++) {
        float x = pass_row(chunk, state, BUFFER_STATE_IN, t)[channel];
        float in =
            activation_value(ACTIVATION_SIGMOID, pass_row(chunk, state, BUFFER_STATE_SMALL, t)[channel]);
        float gate =
            activation_value(ACTIVATION_SIGMOID, pass_row(chunk, state, BUFFER_STATE_STEP, t)[channel]);
        double fall = falls * (double)gate;
        if (recurrence_begins(chunk, t))
            *memory = x * in;
        else
            *memory = *memory * (float)exp(fall) + x * in * (float)sqrt(-expm1(2.0 * fall));
        pass_row(chunk, state, BUFFER_STATE_OUT, t)[channel] *= *memory;
    }
}

static void run_head(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const HeadStep *step = argument;
    ForwardState *state = step->chunk->states[task / step->heads];
    const size_t head = task % step->heads, size = state->side->config->recurrent.value_dim;
    project_head(step->chunk, state, head, TENSOR_PART_GATED_INPUT, TENSOR_PART_GATED_INPUT_BIAS,
                 BUFFER_STATE_SMALL);
    project_head(step->chunk, state, head, TENSOR_PART_GATED_KEEP, TENSOR_PART_GATED_KEEP_BIAS,
                 BUFFER_STATE_STEP);
    for (size_t channel = head * size; channel < (head + 1) * size; channel++)
        run_channel(step->chunk, state, channel);
}

/* ---- the block ---- */

static void activate(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    float *y = pass_row(chunk, state, BUFFER_STATE_OUT, token);
    for (size_t i = 0; i < architecture_delta_values(config); i++)
        y[i] = activation_value(config->activation, y[i]);
}

static ChannelConvolution convolution_of(const ModelConfig *config) {
    return (ChannelConvolution){.buffer = BUFFER_STATE_IN,
                                .channels = architecture_delta_values(config),
                                .weight = TENSOR_PART_GATED_CONVOLUTION,
                                .bias = TENSOR_PART_GATED_CONVOLUTION_BIAS};
}

Status block_gated_recurrence_run(const Pass *pass, Error *error) {
    const Chunk *chunk = &pass->chunk;
    const ModelConfig *config = chunk->states[0]->side->config;
    HeadStep step = {chunk, config->recurrent.value_heads};
    const ChannelConvolution convolution = convolution_of(config);
    Status status = pass_project_biased(pass, TENSOR_PART_GATED_X, TENSOR_PART_GATED_X_BIAS, BUFFER_NORMED,
                                        BUFFER_STATE_IN, error);
    if (status == STATUS_OK)
        status = pass_project_biased(pass, TENSOR_PART_GATED_Y, TENSOR_PART_GATED_Y_BIAS, BUFFER_NORMED,
                                     BUFFER_STATE_OUT, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_STATE_IN, BUFFER_STATE_IN);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_STATE_READ, BUFFER_STATE_OUT);
    if (status == STATUS_OK) status = pass_for_tokens(pass, activate, error);
    if (status == STATUS_OK) status = channel_convolution_run(pass, &convolution, error);
    if (status == STATUS_OK)
        status = job_run(chunk->job, step.heads * chunk->state_count, run_head, &step, error);
    if (status != STATUS_OK) return status;
    return pass_project_biased(pass, TENSOR_PART_GATED_OUT, TENSOR_PART_GATED_OUT_BIAS, BUFFER_STATE_OUT,
                               BUFFER_ADDED, error);
}

/* ---- the way back: the recurrence ---- */

static const double STEEPEST = 1000.0; /* derivative of the root */

size_t block_gated_recurrence_scratch(const ModelConfig *config, size_t tokens) {
    return tokens + config->recurrent.value_dim;
}

/* One channel of one sequence on its way back. */
typedef struct ChannelDescent {
    const Descent *descent;
    size_t sequence, width, channel;
    double rate, of_rate; /* of_rate: sum */
} ChannelDescent;

/* A channel's value of a buffer, all of which are as wide, at a token of the sequence. */
static float value_of(const ChannelDescent *own, const float *buffer, size_t token) {
    return buffer[(own->descent->spans[own->sequence].row + token) * own->width + own->channel];
}

static float *slope_of(const ChannelDescent *own, Slope slope, size_t token) {
    return descent_slope(own->descent, slope, own->sequence, token) + own->channel;
}

/* What goes into h at a token, what of h before stays, and what of the input goes in. */
typedef struct Step {
    double x, in, gate, fall, kept, taken;
} Step;

static Step find_step(const ChannelDescent *own, size_t token) {
    float *const *buffers = own->descent->backward->state->buffers;
    Step step = {
        .x = (double)value_of(own, buffers[BUFFER_STATE_IN], token),
        .in = (double)activation_value(ACTIVATION_SIGMOID, value_of(own, buffers[BUFFER_STATE_SMALL], token)),
        .gate =
            (double)activation_value(ACTIVATION_SIGMOID, value_of(own, buffers[BUFFER_STATE_STEP], token)),
        .taken = 1.0};
    step.fall = find_falls(own->rate) * step.gate;
    if (token == 0) return step;
    step.kept = exp(step.fall);
    step.taken = sqrt(-expm1(2.0 * step.fall));
    return step;
}

/* `now` and `before` are h; `slope` is its gradient from the token behind on, and that for the token before when it is left. */
static double descend_token(ChannelDescent *own, size_t token, float before, float now, double slope) {
    const Step step = find_step(own, token);
    const double falls = find_falls(own->rate);
    const float raw = value_of(own, own->descent->backward->copies[COPY_STATE_READ], token);
    float *out = slope_of(own, SLOPE_STATE_OUT, token), open = 0.0F, bend = 0.0F;
    activation_differentiate(descent_config(own->descent)->activation, raw, &open, &bend);
    slope += (double)*out * (double)open;
    *out *= now * bend;
    double of_fall = 0.0;
    if (token > 0) { /* d√(1 − a²) = −a² / √(1 − a²), where that is not too steep */
        double root = fmax(2.0 * step.taken, 1.0 / STEEPEST);
        of_fall =
            slope * (double)before * step.kept - slope * step.in * step.x * 2.0 * exp(2.0 * step.fall) / root;
    }
    const double of_in = slope * step.taken * step.x;
    *slope_of(own, SLOPE_STATE_IN, token) = (float)(slope * step.taken * step.in);
    *slope_of(own, SLOPE_STATE_SMALL, token) = (float)(of_in * step.in * (1.0 - step.in));
    *slope_of(own, SLOPE_STATE_STEP, token) = (float)(of_fall * falls * step.gate * (1.0 - step.gate));
    own->of_rate -=
        of_fall * step.gate * SHARPNESS * (own->rate > 20.0 ? 1.0 : 1.0 / (1.0 + exp(-own->rate)));
    return slope * step.kept;
}

static void descend_channel(ChannelDescent *own, float *held) {
    const size_t tokens = own->descent->spans[own->sequence].tokens;
    double slope = 0.0;
    for (size_t t = 0; t < tokens; t++) {
        const Step step = find_step(own, t);
        held[t] = (float)(step.x * step.in * step.taken + (t > 0 ? (double)held[t - 1] * step.kept : 0.0));
    }
    for (size_t t = tokens; t-- > 0;)
        slope = descend_token(own, t, t > 0 ? held[t - 1] : 0.0F, held[t], slope);
}

/* ---- the way back: gates ---- */

/* A head's channels: dx += W d, W of [inputs × outputs]. */
static void project_back(const Descent *descent, size_t head, TensorPart weight, Slope from, float *row) {
    const Backward *backward = descent->backward;
    const size_t size = descent_config(descent)->recurrent.value_dim, own = head * size;
    const Blend blend =
        settings_blend(&backward->settings, backward->model->layers[descent->layer].parts[weight]);
    for (size_t i = 0; i < size; i++) {
        blend_window(&blend, head, 1, i * size, size, row, size);
        for (size_t s = 0; s < descent->count; s++)
            for (size_t t = 0; t < descent->spans[s].tokens; t++)
                descent_slope(descent, SLOPE_STATE_IN, s, t)[own + i] +=
                    recurrence_dot(row, descent_slope(descent, from, s, t) + own, size);
    }
}

static void descend_head(void *argument, size_t head, unsigned worker) {
    const Descent *descent = argument;
    const size_t size = descent_config(descent)->recurrent.value_dim;
    const float *rates = forward_part(descent->backward->state, descent->layer, TENSOR_PART_GATED_RATE);
    float *scratch = descent->scratch + (size_t)worker * descent->scratch_stride;
    for (size_t channel = head * size; channel < (head + 1) * size; channel++) {
        ChannelDescent own = {.descent = descent,
                              .width = architecture_delta_values(descent_config(descent)),
                              .channel = channel,
                              .rate = (double)rates[channel]};
        for (; own.sequence < descent->count && !job_is_cancelled(descent->job); own.sequence++)
            descend_channel(&own, scratch);
        if (descent->taker != NULL) descent->vector_sums[channel] = own.of_rate;
    }
    project_back(descent, head, TENSOR_PART_GATED_INPUT, SLOPE_STATE_SMALL, scratch);
    project_back(descent, head, TENSOR_PART_GATED_KEEP, SLOPE_STATE_STEP, scratch);
}

typedef struct GateSums {
    const Descent *descent;
    Slope slope;
    float *sums; /* [heads][inputs × outputs] */
} GateSums;

static void sum_head(void *argument, size_t head, unsigned worker) {
    (void)worker;
    const GateSums *sums = argument;
    const Descent *descent = sums->descent;
    const size_t size = descent_config(descent)->recurrent.value_dim,
                 width = architecture_delta_values(descent_config(descent));
    blas_multiply_left_transposed(size, size, descent->tokens,
                                  descent->backward->state->buffers[BUFFER_STATE_IN] + head * size, width,
                                  descent->backward->slopes[sums->slope] + head * size, width, 0.0F,
                                  sums->sums + head * size * size, size);
}

/* Heads' matrices lie one behind the other, as one vector. */
static Status give_gate(const Descent *descent, TensorPart weight, TensorPart bias, Slope slope,
                        Error *error) {
    const RecurrentSizes *sizes = &descent_config(descent)->recurrent;
    const PairTensor *tensor = descent->backward->model->layers[descent->layer].parts[weight];
    size_t count = sizes->value_heads * sizes->value_dim;
    if (descent->taker == NULL) return STATUS_OK;
    GateSums sums = {descent, slope, memory_allocate(count, sizes->value_dim * sizeof(float))};
    if (sums.sums == NULL) return memory_fail(error, "gradients of gates");
    Status status = job_run(descent->job, sizes->value_heads, sum_head, &sums, error);
    if (status == STATUS_OK)
        status =
            descent_give_vector(descent, tensor->role, tensor, sums.sums, count * sizes->value_dim, error);
    free(sums.sums);
    return status == STATUS_OK ? descent_give_columns(descent, bias, slope, 0, count, error) : status;
}

/* ---- the way back: the block ---- */

static Status descend_recurrence(const Descent *descent, Error *error) {
    const RecurrentSizes *sizes = &descent_config(descent)->recurrent;
    Descent own = *descent;
    Status status = job_run(descent->job, sizes->value_heads, descend_head, &own, error);
    if (status == STATUS_OK)
        status =
            descent_give_sums(descent, TENSOR_PART_GATED_RATE, sizes->value_heads * sizes->value_dim, error);
    if (status == STATUS_OK)
        status = give_gate(descent, TENSOR_PART_GATED_INPUT, TENSOR_PART_GATED_INPUT_BIAS, SLOPE_STATE_SMALL,
                           error);
    return status == STATUS_OK ? give_gate(descent, TENSOR_PART_GATED_KEEP, TENSOR_PART_GATED_KEEP_BIAS,
                                           SLOPE_STATE_STEP, error)
                               : status;
}

/* One of the two that take the normed stream. */
static Status descend_in(const Descent *descent, TensorPart weight, TensorPart bias, Slope slope,
                         bool accumulate, Error *error) {
    return descent_run_part(descent, weight, bias, descent->normed, slope, SLOPE_NORMED, accumulate, error);
}

Status block_gated_recurrence_descend(const Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    const Backward *backward = descent->backward;
    const ChannelConvolution convolution = convolution_of(config);
    Status status = descent_run_part(descent, TENSOR_PART_GATED_OUT, TENSOR_PART_GATED_OUT_BIAS,
                                     backward->state->buffers[BUFFER_STATE_OUT], descent->given,
                                     SLOPE_STATE_OUT, false, error);
    if (status == STATUS_OK) status = descend_recurrence(descent, error);
    if (status == STATUS_OK)
        status = channel_convolution_descend(descent, &convolution, backward->copies[COPY_STATE_IN],
                                             SLOPE_STATE_IN, error);
    if (status == STATUS_OK)
        status = descend_in(descent, TENSOR_PART_GATED_Y, TENSOR_PART_GATED_Y_BIAS, SLOPE_STATE_OUT,
                            descent->accumulates, error);
    return status == STATUS_OK ? descend_in(descent, TENSOR_PART_GATED_X, TENSOR_PART_GATED_X_BIAS,
                                            SLOPE_STATE_IN, true, error)
                               : status;
}
