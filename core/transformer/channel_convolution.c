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

/* ---- the way back ---- */

typedef struct ConvolutionDescent {
    const Descent *descent;
    const ChannelConvolution *convolution;
    const float *inputs; /* of the first channel of the first token */
    Slope slope;
    size_t width, taps;
    Activation activation;
    const float *weight, *bias; /* bias NULL: none */
} ConvolutionDescent;

/* What went into the activation at a token of a text. */
static float convolve_again(const ConvolutionDescent *step, const float *x, size_t token, size_t channel) {
    const float *weight = step->weight + channel * step->taps;
    size_t known = token + 1 < step->taps ? token + 1 : step->taps;
    float sum = step->bias != NULL ? step->bias[channel] : 0.0F;
    for (size_t k = 0; k < known; k++) sum += weight[step->taps - 1 - k] * *(x - k * step->width);
    return sum;
}

size_t channel_convolution_scratch(const ModelConfig *config) {
    return config->recurrent.taps;
}

/* One channel of one sequence, from its end; `last` holds taps − 1 gradients, `sums` [taps] are the weight's. */
static double descend_channel(const ConvolutionDescent *step, const BackwardSpan *span, size_t channel,
                              float *last, double *sums) {
    const Descent *descent = step->descent;
    double of_bias = 0.0;
    memset(last, 0, (step->taps - 1) * sizeof *last);
    for (size_t t = span->tokens; t-- > 0;) {
        const float *x = step->inputs + (span->row + t) * step->width + channel;
        float *to = descent->backward->slopes[step->slope] + (span->first + t) * step->width +
                    step->convolution->first + channel;
        float value = 0.0F, slope = 1.0F;
        if (step->activation != ACTIVATION_LINEAR)
            activation_differentiate(step->activation, convolve_again(step, x, t, channel), &value, &slope);
        float own = *to * slope;
        for (size_t k = 0; sums != NULL && k < step->taps && k <= t; k++)
            sums[step->taps - 1 - k] += (double)own * (double)*(x - k * step->width);
        of_bias += (double)own;
        *to = recurrence_convolve(step->weight + channel * step->taps, step->taps, last, own);
    }
    return of_bias;
}

/* The weight's sums in vector_sums, the bias's behind them. */
static void descend_channels(void *argument, size_t task, unsigned worker) {
    const ConvolutionDescent *step = argument;
    const Descent *descent = step->descent;
    size_t channels = step->convolution->channels, first = task * CHANNEL_BLOCK, end = first + CHANNEL_BLOCK;
    float *last = descent->scratch + (size_t)worker * descent->scratch_stride;
    bool is_wanted = descent->taker != NULL;
    if (end > channels) end = channels;
    for (size_t channel = first; channel < end; channel++) {
        double *sums = is_wanted ? descent->vector_sums + channel * step->taps : NULL, of_bias = 0.0;
        if (is_wanted) memset(sums, 0, step->taps * sizeof *sums);
        for (size_t s = 0; s < descent->count; s++)
            of_bias += descend_channel(step, &descent->spans[s], channel, last, sums);
        if (is_wanted) descent->bias_sums[channel] = of_bias;
    }
}

static Status give_weight(const ConvolutionDescent *step, Error *error) {
    const Descent *descent = step->descent;
    const ChannelConvolution *convolution = step->convolution;
    const PairTensor *const *parts = descent->backward->model->layers[descent->layer].parts;
    size_t elements = convolution->channels * step->taps, at = 0;
    Status status = STATUS_OK;
    if (descent->taker == NULL) return STATUS_OK;
    for (size_t i = 0; i < elements; i++) descent->vector_gradients[i] = (float)descent->vector_sums[i];
    for (size_t piece = 0; (piece == 0 || piece < convolution->pieces) && status == STATUS_OK; piece++) {
        const PairTensor *tensor = parts[(size_t)convolution->weight + piece];
        size_t own = (size_t)(tensor->sft->rows * tensor->sft->columns);
        status =
            descent_give_vector(descent, tensor->role, tensor, descent->vector_gradients + at, own, error);
        at += own;
    }
    return status;
}

Status channel_convolution_descend(const Descent *descent, const ChannelConvolution *convolution,
                                   const float *inputs, Slope slope, Error *error) {
    const ForwardState *state = descent->backward->state;
    const ModelConfig *config = state->side->config;
    bool has_bias = convolution->bias != TENSOR_PART_COUNT &&
                    architecture_needs(descent_plan(descent), convolution->bias);
    ConvolutionDescent step = {
        .descent = descent,
        .convolution = convolution,
        .inputs = inputs + convolution->first,
        .slope = slope,
        .width = descent_slope_width(descent, slope),
        .taps = config->recurrent.taps,
        .activation = convolution->activation != NULL ? convolution->activation(config) : ACTIVATION_LINEAR,
        .weight = forward_part(state, descent->layer, convolution->weight),
        .bias = has_bias ? forward_part(state, descent->layer, convolution->bias) : NULL};
    Status status = job_run(descent->job, (convolution->channels + CHANNEL_BLOCK - 1) / CHANNEL_BLOCK,
                            descend_channels, &step, error);
    if (status == STATUS_OK) status = give_weight(&step, error);
    if (status != STATUS_OK || !has_bias || descent->taker == NULL) return status;
    memcpy(descent->vector_sums, descent->bias_sums, convolution->channels * sizeof *descent->bias_sums);
    return descent_give_sums(descent, convolution->bias, convolution->channels, error);
}
