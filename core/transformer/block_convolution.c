#include "core/transformer/block_convolution.h"

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
