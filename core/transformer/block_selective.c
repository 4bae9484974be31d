#include "core/transformer/block_selective.h"

#include "core/transformer/activation.h"
#include "core/transformer/channel_convolution.h"
#include "core/transformer/recurrence.h"

#include <math.h>
#include <string.h>

enum { CHANNEL_BLOCK = 16 /* channels a task */ };

typedef struct ChannelStep {
    const Chunk *chunk;
    size_t blocks; /* of one state */
} ChannelStep;

/* ---- a token by itself ---- */

/* What is convolved, where products find it. */
static void copy_channels(const Chunk *chunk, ForwardState *state, size_t token) {
    memcpy(pass_row(chunk, state, BUFFER_STATE_OUT, token), pass_row(chunk, state, BUFFER_STATE_IN, token),
           architecture_delta_values(state->side->config) * sizeof(float));
}

static void norm_small(const ForwardState *state, uint64_t layer, TensorPart part, float *x, size_t size) {
    const StateSwitches *switches = &state->side->config->state;
    const Norm norm = {.kind = NORM_RMS,
                       .weight = forward_part(state, layer, part),
                       .size = size,
                       .epsilon = switches->step_epsilon};
    if (switches->norms_steps) norm_forward(&norm, x, x);
}

static void prepare_step(const Chunk *chunk, ForwardState *state, size_t token) {
    const RecurrentSizes *sizes = &state->side->config->recurrent;
    float *step = pass_row(chunk, state, BUFFER_STATE_SMALL, token), *written = step + sizes->rank;
    norm_small(state, chunk->layer, TENSOR_PART_STATE_STEP_NORM, step, sizes->rank);
    norm_small(state, chunk->layer, TENSOR_PART_STATE_WRITE_NORM, written, sizes->key_dim);
    norm_small(state, chunk->layer, TENSOR_PART_STATE_READ_NORM, written + sizes->key_dim, sizes->key_dim);
    memcpy(pass_row(chunk, state, BUFFER_STATE_RANK, token), step, sizes->rank * sizeof *step);
}

/* ---- the recurrence ---- */

/* One channel over all tokens, in their order; what is convolved becomes what is put out. */
static void run_channel(const Chunk *chunk, ForwardState *state, size_t channel) {
    const ModelConfig *config = state->side->config;
    const RecurrentSizes *sizes = &config->recurrent;
    const size_t size = sizes->key_dim, width = architecture_delta_values(config);
    const float *rates = forward_part(state, chunk->layer, TENSOR_PART_STATE_DECAY) + channel * size,
                bias = forward_part(state, chunk->layer, TENSOR_PART_STATE_STEP_BIAS)[channel],
                skip = forward_part(state, chunk->layer, TENSOR_PART_STATE_SKIP)[channel];
    float *memory = recurrence_of_layer(state, chunk->layer) + recurrence_convolution_size(config, width) +
                    channel * size;
    float falls[SELECTIVE_MOST_STATE];
    for (size_t i = 0; i < size; i++) falls[i] = -expf(rates[i]);
    for (size_t t = 0; t < chunk->tokens; t++) {
        float *out = pass_row(chunk, state, BUFFER_STATE_OUT, t) + channel, x = *out, y = skip * x;
        const float *written = pass_row(chunk, state, BUFFER_STATE_SMALL, t) + sizes->rank,
                    *read = written + size;
        double step = (double)pass_row(chunk, state, BUFFER_STATE_STEP, t)[channel] + (double)bias;
        step = step > 20.0 ? step : log1p(exp(step)); /* torch's softplus */
        if (recurrence_begins(chunk, t)) memset(memory, 0, size * sizeof *memory);
        for (size_t i = 0; i < size; i++) {
            memory[i] = memory[i] * expf((float)step * falls[i]) + (float)step * written[i] * x;
            y += read[i] * memory[i];
        }
        *out = y *
               activation_value(ACTIVATION_SILU, pass_row(chunk, state, BUFFER_STATE_IN, t)[width + channel]);
    }
}

static void run_block(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const ChannelStep *step = argument;
    ForwardState *state = step->chunk->states[task / step->blocks];
    size_t channels = architecture_delta_values(state->side->config);
    size_t first = task % step->blocks * CHANNEL_BLOCK, end = first + CHANNEL_BLOCK;
    if (end > channels) end = channels;
    for (size_t channel = first; channel < end; channel++) run_channel(step->chunk, state, channel);
}

/* ---- the block ---- */

static Activation activation_of(const ModelConfig *config) {
    return config->state.activation;
}

/* Inputs, and of them steps, what is written and what is read. */
static Status project_all(const Pass *pass, Error *error) {
    const ModelConfig *config = pass->chunk.states[0]->side->config;
    const ChannelConvolution convolution = {.buffer = BUFFER_STATE_IN,
                                            .channels = architecture_delta_values(config),
                                            .weight = TENSOR_PART_STATE_CONVOLUTION,
                                            .bias = TENSOR_PART_STATE_CONVOLUTION_BIAS,
                                            .activation = activation_of};
    Status status = pass_project_biased(pass, TENSOR_PART_STATE_IN, TENSOR_PART_STATE_IN_BIAS, BUFFER_NORMED,
                                        BUFFER_STATE_IN, error);
    if (status == STATUS_OK) status = channel_convolution_run(pass, &convolution, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, copy_channels, error);
    if (status == STATUS_OK)
        status =
            pass_project_part(pass, TENSOR_PART_STATE_SMALL, BUFFER_STATE_OUT, BUFFER_STATE_SMALL, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, prepare_step, error);
    return status == STATUS_OK
               ? pass_project_part(pass, TENSOR_PART_STATE_STEP, BUFFER_STATE_RANK, BUFFER_STATE_STEP, error)
               : status;
}

Status block_selective_run(const Pass *pass, Error *error) {
    const Chunk *chunk = &pass->chunk;
    size_t width = architecture_delta_values(chunk->states[0]->side->config);
    ChannelStep step = {chunk, (width + CHANNEL_BLOCK - 1) / CHANNEL_BLOCK};
    Status status = project_all(pass, error);
    if (status == STATUS_OK)
        status = job_run(chunk->job, step.blocks * chunk->state_count, run_block, &step, error);
    if (status != STATUS_OK) return status;
    return pass_project_biased(pass, TENSOR_PART_STATE_OUT, TENSOR_PART_STATE_OUT_BIAS, BUFFER_STATE_OUT,
                               BUFFER_ADDED, error);
}
