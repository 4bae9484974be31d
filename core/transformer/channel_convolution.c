#include "core/transformer/channel_convolution.h"

#include "core/transformer/activation.h"
#include "core/transformer/recurrence.h"

#include <string.h>

enum { CHANNEL_BLOCK = 64 /* channels a task */ };

typedef struct ConvolutionStep {
    const Chunk *chunk;
    const ChannelConvolution *convolution;
    size_t blocks; /* of one state */
} ConvolutionStep;

static void convolve_channel(const ConvolutionStep *step, ForwardState *state, size_t channel) {
    const Chunk *chunk = step->chunk;
    const ChannelConvolution *convolution = step->convolution;
    const ModelConfig *config = state->side->config;
    const size_t taps = config->recurrent.taps;
    const Activation activation =
        convolution->activation != NULL ? convolution->activation(config) : ACTIVATION_LINEAR;
    const float *weight = forward_part(state, chunk->layer, convolution->weight) + channel * taps,
                *bias = convolution->bias == TENSOR_PART_COUNT
                            ? NULL
                            : forward_part(state, chunk->layer, convolution->bias);
    float *last = recurrence_of_layer(state, chunk->layer) + channel * (taps - 1);
    for (size_t t = 0; t < chunk->tokens; t++) {
        float *x = pass_row(chunk, state, convolution->buffer, t) + convolution->first + channel;
        if (recurrence_begins(chunk, t)) memset(last, 0, (taps - 1) * sizeof *last);
        float sum = recurrence_convolve(weight, taps, last, *x);
        *x = activation_value(activation, bias != NULL ? sum + bias[channel] : sum);
    }
}

static void convolve_block(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const ConvolutionStep *step = argument;
    ForwardState *state = step->chunk->states[task / step->blocks];
    size_t channels = step->convolution->channels;
    size_t first = task % step->blocks * CHANNEL_BLOCK, end = first + CHANNEL_BLOCK;
    if (end > channels) end = channels;
    for (size_t channel = first; channel < end; channel++) convolve_channel(step, state, channel);
}

Status channel_convolution_run(const Pass *pass, const ChannelConvolution *convolution, Error *error) {
    const Chunk *chunk = &pass->chunk;
    ConvolutionStep step = {chunk, convolution, (convolution->channels + CHANNEL_BLOCK - 1) / CHANNEL_BLOCK};
    return job_run(chunk->job, step.blocks * chunk->state_count, convolve_block, &step, error);
}
