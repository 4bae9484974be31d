#include "core/transformer/block_convolution.h"

#include "core/transformer/channel_convolution.h"
#include "core/transformer/recurrence.h"

#include <string.h>

enum { CHANNEL_BLOCK = 64 /* channels a task */ };

typedef struct ChannelStep {
    const Chunk *chunk;
    size_t blocks;
} ChannelStep;

/* One channel over all tokens, in their order. */
static void convolve_channel(const Chunk *chunk, ForwardState *state, size_t channel) {
    const ModelConfig *config = state->side->config;
    const size_t width = config->hidden_size, taps = config->recurrent.taps;
    const float *weight = forward_part(state, chunk->layer, TENSOR_PART_CONVOLUTION) + channel * taps,
                *bias = forward_part(state, chunk->layer, TENSOR_PART_CONVOLUTION_BIAS);
    float *last = recurrence_of_layer(state, chunk->layer) + channel * (taps - 1);
    for (size_t t = 0; t < chunk->tokens; t++) {
        const float *in = pass_row(chunk, state, BUFFER_SCRATCH, t) + channel;
        if (recurrence_begins(chunk, t)) memset(last, 0, (taps - 1) * sizeof *last);
        float y = recurrence_convolve(weight, taps, last, in[0] * in[2 * width]);
        if (bias != NULL) y += bias[channel];
        pass_row(chunk, state, BUFFER_MIXED, t)[channel] = in[width] * y;
    }
}

static void convolve_block(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const ChannelStep *step = argument;
    ForwardState *state = step->chunk->states[task / step->blocks];
    size_t first = task % step->blocks * CHANNEL_BLOCK, end = first + CHANNEL_BLOCK;
    if (end > state->side->config->hidden_size) end = state->side->config->hidden_size;
    for (size_t channel = first; channel < end; channel++) convolve_channel(step->chunk, state, channel);
}

Status block_convolution_run(const Pass *pass, Error *error) {
    const Chunk *chunk = &pass->chunk;
    size_t width = chunk->states[0]->side->config->hidden_size;
    ChannelStep step = {chunk, (width + CHANNEL_BLOCK - 1) / CHANNEL_BLOCK};
    Status status = pass_project_biased(pass, TENSOR_PART_CONVOLUTION_IN, TENSOR_PART_CONVOLUTION_IN_BIAS,
                                        BUFFER_NORMED, BUFFER_SCRATCH, error);
    if (status == STATUS_OK)
        status = job_run(chunk->job, step.blocks * chunk->state_count, convolve_block, &step, error);
    if (status != STATUS_OK) return status;
    return pass_project_biased(pass, TENSOR_PART_CONVOLUTION_OUT, TENSOR_PART_CONVOLUTION_OUT_BIAS,
                               BUFFER_MIXED, BUFFER_ADDED, error);
}

/* ---- the way back ---- */

/* What is convolved, of all tokens of the group, in place of what went into W_out. */
static void convolve_inputs(const Descent *descent) {
    const ForwardState *state = descent->backward->state;
    size_t width = descent_config(descent)->hidden_size;
    for (size_t t = 0; t < descent->group->tokens; t++) {
        const float *in = state->buffers[BUFFER_SCRATCH] + t * 3 * width;
        float *to = state->buffers[BUFFER_MIXED] + t * width;
        for (size_t i = 0; i < width; i++) to[i] = in[i] * in[2 * width + i];
    }
}

static const float *row_of(const Descent *descent, Buffer buffer, size_t sequence, size_t token) {
    size_t width = forward_layer_width(descent_config(descent), descent_plan(descent), buffer);
    return descent->backward->state->buffers[buffer] + (descent->spans[sequence].row + token) * width;
}

/* To C, and to what it multiplies. */
static void descend_outer_gate(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ForwardState *state = descent->backward->state;
    const size_t width = descent_config(descent)->hidden_size, taps = descent_config(descent)->recurrent.taps,
                 known = token + 1 < taps ? token + 1 : taps;
    const float *weight = forward_part(state, descent->layer, TENSOR_PART_CONVOLUTION),
                *bias = forward_part(state, descent->layer, TENSOR_PART_CONVOLUTION_BIAS),
                *z = row_of(descent, BUFFER_MIXED, sequence, token),
                *gate = row_of(descent, BUFFER_SCRATCH, sequence, token) + width;
    float *slope = descent_slope(descent, SLOPE_MIXED, sequence, token),
          *to_gate = descent_slope(descent, SLOPE_PROJECTED, sequence, token) + width;
    for (size_t i = 0; i < width; i++) {
        float sum = bias != NULL ? bias[i] : 0.0F;
        for (size_t k = 0; k < known; k++) sum += weight[i * taps + taps - 1 - k] * *(z + i - k * width);
        to_gate[i] = slope[i] * sum;
        slope[i] *= gate[i];
    }
}

/* To B and x. */
static void descend_inner_gate(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t width = descent_config(descent)->hidden_size;
    const float *in = row_of(descent, BUFFER_SCRATCH, sequence, token),
                *slope = descent_slope(descent, SLOPE_MIXED, sequence, token);
    float *to = descent_slope(descent, SLOPE_PROJECTED, sequence, token);
    for (size_t i = 0; i < width; i++) {
        to[i] = slope[i] * in[2 * width + i];
        to[2 * width + i] = slope[i] * in[i];
    }
}

static Status descend_output(const Descent *descent, Error *error) {
    return descent_run_part(descent, TENSOR_PART_CONVOLUTION_OUT, TENSOR_PART_CONVOLUTION_OUT_BIAS,
                            descent->backward->state->buffers[BUFFER_MIXED], descent->given, SLOPE_MIXED,
                            false, error);
}

static Status descend_input(const Descent *descent, Error *error) {
    return descent_run_part(descent, TENSOR_PART_CONVOLUTION_IN, TENSOR_PART_CONVOLUTION_IN_BIAS,
                            descent->normed, SLOPE_PROJECTED, SLOPE_NORMED, descent->accumulates, error);
}

Status block_convolution_descend(const Descent *descent, Error *error) {
    const ChannelConvolution convolution = {.buffer = BUFFER_MIXED,
                                            .channels = descent_config(descent)->hidden_size,
                                            .weight = TENSOR_PART_CONVOLUTION,
                                            .bias = TENSOR_PART_CONVOLUTION_BIAS};
    Status status = descend_output(descent, error);
    if (status != STATUS_OK) return status;
    convolve_inputs(descent);
    status = descent_for_tokens(descent, descend_outer_gate, error);
    if (status == STATUS_OK)
        status = channel_convolution_descend(
            descent, &convolution, descent->backward->state->buffers[BUFFER_MIXED], SLOPE_MIXED, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_inner_gate, error);
    return status == STATUS_OK ? descend_input(descent, error) : status;
}
