#include "core/transformer/block_gated_recurrence.h"

#include "core/transformer/activation.h"
#include "core/transformer/channel_convolution.h"
#include "core/transformer/recurrence.h"

#include <math.h>
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

/* One channel over all tokens, in their order. */
static void run_channel(const Chunk *chunk, ForwardState *state, size_t channel) {
    const ModelConfig *config = state->side->config;
    const double rate = (double)forward_part(state, chunk->layer, TENSOR_PART_GATED_RATE)[channel];
    const double falls = -SHARPNESS * (rate > 20.0 ? rate : log1p(exp(rate))); /* torch's softplus */
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

Status block_gated_recurrence_run(const Pass *pass, Error *error) {
    const Chunk *chunk = &pass->chunk;
    const ModelConfig *config = chunk->states[0]->side->config;
    HeadStep step = {chunk, config->recurrent.value_heads};
    const ChannelConvolution convolution = {.buffer = BUFFER_STATE_IN,
                                            .channels = architecture_delta_values(config),
                                            .weight = TENSOR_PART_GATED_CONVOLUTION,
                                            .bias = TENSOR_PART_GATED_CONVOLUTION_BIAS};
    Status status = pass_project_biased(pass, TENSOR_PART_GATED_X, TENSOR_PART_GATED_X_BIAS, BUFFER_NORMED,
                                        BUFFER_STATE_IN, error);
    if (status == STATUS_OK)
        status = pass_project_biased(pass, TENSOR_PART_GATED_Y, TENSOR_PART_GATED_Y_BIAS, BUFFER_NORMED,
                                     BUFFER_STATE_OUT, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, activate, error);
    if (status == STATUS_OK) status = channel_convolution_run(pass, &convolution, error);
    if (status == STATUS_OK)
        status = job_run(chunk->job, step.heads * chunk->state_count, run_head, &step, error);
    if (status != STATUS_OK) return status;
    return pass_project_biased(pass, TENSOR_PART_GATED_OUT, TENSOR_PART_GATED_OUT_BIAS, BUFFER_STATE_OUT,
                               BUFFER_ADDED, error);
}
