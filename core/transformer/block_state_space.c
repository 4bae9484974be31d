#include "core/transformer/block_state_space.h"

#include "core/transformer/activation.h"
#include "core/transformer/channel_convolution.h"
#include "core/transformer/recurrence.h"

#include <math.h>
#include <string.h>

typedef struct HeadStep {
    const Chunk *chunk;
    size_t heads; /* of one state */
} HeadStep;

/* ---- what is projected ---- */

/* Whether projections are used as they come. */
static bool is_plain(const ForwardState *state, const Chunk *chunk) {
    const StateSwitches *switches = &state->side->config->state;
    bool has_scale = switches->in_scale != 1.0;
    for (size_t i = 0; i < 5; i++) has_scale = has_scale || switches->scales[i] != 1.0;
    return !has_scale && forward_part(state, chunk->layer, TENSOR_PART_STATE_IN_BIAS) == NULL;
}

/* The bias is not of the input that is scaled. */
static void scale_token(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const StateSwitches *switches = &config->state;
    const float *bias = forward_part(state, chunk->layer, TENSOR_PART_STATE_IN_BIAS);
    const size_t width = architecture_delta_values(config), shared = architecture_delta_keys(config),
                 sizes[5] = {width, width, shared, shared, config->recurrent.value_heads};
    float *x = pass_row(chunk, state, BUFFER_STATE_IN, token), in_scale = (float)switches->in_scale;
    if (is_plain(state, chunk)) return;
    for (size_t part = 0, i = 0; part < 5; part++) {
        for (size_t end = i + sizes[part]; i < end; i++)
            x[i] = (x[i] * in_scale + (bias != NULL ? bias[i] : 0.0F)) * (float)switches->scales[part];
    }
}

/* ---- the recurrence ---- */

/* What is kept of a state, and the step by which it is written. */
static float decay(const StateSwitches *switches, double rate, double step, float *taken) {
    step = step > 20.0 ? step : log1p(exp(step)); /* torch's softplus */
    step = fmin(fmax(step, switches->least_step), switches->most_step);
    *taken = (float)step;
    return (float)exp(-exp(rate) * step);
}

/* One head and one token. */
static void write_and_read(const RecurrentSizes *sizes, float *memory, const float *x, const float *written,
                           const float *read, float kept, float step, float skip, float *out) {
    const size_t columns = sizes->value_dim;
    for (size_t j = 0; j < columns; j++) out[j] = skip * x[j];
    for (size_t i = 0; i < sizes->key_dim; i++) {
        float *row = memory + i * columns, write = step * written[i];
        for (size_t j = 0; j < columns; j++) {
            row[j] = row[j] * kept + write * x[j];
            out[j] += read[i] * row[j];
        }
    }
}

/* One head over all tokens, in their order. */
static void run_head(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const HeadStep *step = argument;
    const Chunk *chunk = step->chunk;
    ForwardState *state = chunk->states[task / step->heads];
    const ModelConfig *config = state->side->config;
    const RecurrentSizes *sizes = &config->recurrent;
    const size_t head = task % step->heads, width = architecture_delta_values(config),
                 shared = architecture_delta_keys(config), own = head * sizes->value_dim,
                 group = head / (sizes->value_heads / sizes->key_heads) * sizes->key_dim,
                 size = sizes->key_dim * sizes->value_dim;
    const double rate = (double)forward_part(state, chunk->layer, TENSOR_PART_STATE_DECAY)[head],
                 bias = (double)forward_part(state, chunk->layer, TENSOR_PART_STATE_STEP_BIAS)[head];
    const float skip = forward_part(state, chunk->layer, TENSOR_PART_STATE_SKIP)[head];
    float *memory = recurrence_of_layer(state, chunk->layer) +
                    recurrence_convolution_size(config, architecture_delta_channels(config)) + head * size;
    for (size_t t = 0; t < chunk->tokens; t++) {
        const float *x = pass_row(chunk, state, BUFFER_STATE_IN, t) + width, *written = x + width;
        if (recurrence_begins(chunk, t)) memset(memory, 0, size * sizeof *memory);
        float taken, kept = decay(&config->state, rate, (double)written[2 * shared + head] + bias, &taken);
        write_and_read(sizes, memory, x + own, written + group, written + shared + group, kept, taken, skip,
                       pass_row(chunk, state, BUFFER_STATE_OUT, t) + own);
    }
}

/* ---- what comes out ---- */

static void norm_groups(const Chunk *chunk, const ForwardState *state, float *y) {
    const ModelConfig *config = state->side->config;
    const size_t groups = config->recurrent.key_heads;
    Norm norm = {.kind = NORM_RMS,
                 .weight = forward_part(state, chunk->layer, TENSOR_PART_STATE_NORM),
                 .size = architecture_delta_values(config) / groups,
                 .epsilon =
                     config->state.norm_epsilon > 0.0 ? config->state.norm_epsilon : config->norm_epsilon};
    if (norm.weight == NULL) return;
    for (size_t g = 0; g < groups; g++, norm.weight += norm.size, y += norm.size) norm_forward(&norm, y, y);
}

static void gate_token(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const float *gate = pass_row(chunk, state, BUFFER_STATE_IN, token);
    float *y = pass_row(chunk, state, BUFFER_STATE_OUT, token);
    if (config->state.norm_is_first) norm_groups(chunk, state, y);
    for (size_t i = 0; i < architecture_delta_values(config); i++)
        y[i] *= activation_value(ACTIVATION_SILU, gate[i]);
    if (!config->state.norm_is_first) norm_groups(chunk, state, y);
}

static Activation activation_of(const ModelConfig *config) {
    return config->state.activation;
}

Status block_state_space_run(const Pass *pass, Error *error) {
    const Chunk *chunk = &pass->chunk;
    const ModelConfig *config = chunk->states[0]->side->config;
    HeadStep heads = {chunk, config->recurrent.value_heads};
    const ChannelConvolution convolution = {.buffer = BUFFER_STATE_IN,
                                            .first = architecture_delta_values(config),
                                            .channels = architecture_delta_channels(config),
                                            .weight = TENSOR_PART_STATE_CONVOLUTION,
                                            .bias = TENSOR_PART_STATE_CONVOLUTION_BIAS,
                                            .activation = activation_of};
    Status status = pass_project_part(pass, TENSOR_PART_STATE_IN, BUFFER_NORMED, BUFFER_STATE_IN, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, scale_token, error);
    if (status == STATUS_OK) status = channel_convolution_run(pass, &convolution, error);
    if (status == STATUS_OK)
        status = job_run(chunk->job, heads.heads * chunk->state_count, run_head, &heads, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, gate_token, error);
    if (status != STATUS_OK) return status;
    return pass_project_biased(pass, TENSOR_PART_STATE_OUT, TENSOR_PART_STATE_OUT_BIAS, BUFFER_STATE_OUT,
                               BUFFER_ADDED, error);
}
