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

/* What steps come of, what is written and what is read lie side by side. */
enum { SMALL_NORMS = 3 };

static const TensorPart SMALL_PARTS[SMALL_NORMS] = {TENSOR_PART_STATE_STEP_NORM, TENSOR_PART_STATE_WRITE_NORM,
                                                    TENSOR_PART_STATE_READ_NORM};

static Norm small_norm(const ForwardState *state, uint64_t layer, int which) {
    const ModelConfig *config = state->side->config;
    return (Norm){.kind = NORM_RMS,
                  .weight = forward_part(state, layer, SMALL_PARTS[which]),
                  .size = which == 0 ? config->recurrent.rank : config->recurrent.key_dim,
                  .epsilon = config->state.step_epsilon};
}

static void prepare_step(const Chunk *chunk, ForwardState *state, size_t token) {
    const RecurrentSizes *sizes = &state->side->config->recurrent;
    float *step = pass_row(chunk, state, BUFFER_STATE_SMALL, token), *own = step;
    for (int i = 0; i < SMALL_NORMS && state->side->config->state.norms_steps; i++) {
        const Norm norm = small_norm(state, chunk->layer, i);
        norm_forward(&norm, own, own);
        own += norm.size;
    }
    memcpy(pass_row(chunk, state, BUFFER_STATE_RANK, token), step, sizes->rank * sizeof *step);
}

/* ---- the recurrence ---- */

/* torch's */
static double softplus(double x) {
    return x > 20.0 ? x : log1p(exp(x));
}

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
        step = softplus(step);
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

static ChannelConvolution convolution_of(const ModelConfig *config) {
    return (ChannelConvolution){.buffer = BUFFER_STATE_IN,
                                .channels = architecture_delta_values(config),
                                .weight = TENSOR_PART_STATE_CONVOLUTION,
                                .bias = TENSOR_PART_STATE_CONVOLUTION_BIAS,
                                .activation = activation_of};
}

/* Inputs, and of them steps, what is written and what is read. */
static Status project_all(const Pass *pass, Error *error) {
    const ModelConfig *config = pass->chunk.states[0]->side->config;
    const ChannelConvolution convolution = convolution_of(config);
    Status status = pass_project_biased(pass, TENSOR_PART_STATE_IN, TENSOR_PART_STATE_IN_BIAS, BUFFER_NORMED,
                                        BUFFER_STATE_IN, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_STATE_IN, BUFFER_STATE_IN);
    if (status == STATUS_OK) status = channel_convolution_run(pass, &convolution, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, copy_channels, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_STATE_READ, BUFFER_STATE_OUT);
    if (status == STATUS_OK)
        status =
            pass_project_part(pass, TENSOR_PART_STATE_SMALL, BUFFER_STATE_OUT, BUFFER_STATE_SMALL, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_STATE_SMALL, BUFFER_STATE_SMALL);
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

/* ---- the way back: the recurrence ---- */

size_t block_selective_scratch(const ModelConfig *config, size_t tokens) {
    return (3 * recurrence_window(tokens) + 2) * config->recurrent.key_dim;
}

/* One channel of one sequence on its way back. */
typedef struct ChannelDescent {
    const Descent *descent;
    size_t sequence, width, size, rank, channel, part;
    float bias, skip, falls[SELECTIVE_MOST_STATE];
    double of_skip, *of_decay; /* sums; of_decay [size], or NULL: not wanted */
} ChannelDescent;

static const float *row_of(const ChannelDescent *own, Buffer buffer, Slope slope, size_t token) {
    const Descent *descent = own->descent;
    return descent->backward->state->buffers[buffer] +
           (descent->spans[own->sequence].row + token) * descent_slope_width(descent, slope);
}

static double raw_step(const ChannelDescent *own, size_t token) {
    return (double)row_of(own, BUFFER_STATE_STEP, SLOPE_STATE_STEP, token)[own->channel] + (double)own->bias;
}

/* S of a token in place of that before; what was kept of it into `kept`, or not where that is NULL. */
static void advance(const ChannelDescent *own, size_t token, float *memory, float *kept) {
    const float *written = row_of(own, BUFFER_STATE_SMALL, SLOPE_STATE_SMALL, token) + own->rank,
                x = row_of(own, BUFFER_STATE_IN, SLOPE_STATE_IN, token)[own->channel],
                step = (float)softplus(raw_step(own, token));
    for (size_t i = 0; i < own->size; i++) {
        float share = expf(step * own->falls[i]);
        memory[i] = memory[i] * share + step * written[i] * x;
        if (kept != NULL) kept[i] = share;
    }
}

/* `slope` is dS, from the token behind on; `before` and `now` are S. */
static void descend_token(ChannelDescent *own, size_t token, const float *before, const float *now,
                          const float *kept, float *slope) {
    const Descent *descent = own->descent;
    const size_t size = own->size, channel = own->channel;
    const float *in = row_of(own, BUFFER_STATE_IN, SLOPE_STATE_IN, token), x = in[channel],
                *written = row_of(own, BUFFER_STATE_SMALL, SLOPE_STATE_SMALL, token) + own->rank,
                *read = written + size;
    const float from = descent_slope(descent, SLOPE_STATE_OUT, own->sequence, token)[channel];
    float *to = descent_slope(descent, SLOPE_STATE_IN, own->sequence, token),
          *to_written =
              descent_slope(descent, SLOPE_STATE_SHARED, own->sequence, token) + own->part * 2 * size,
          *to_read = to_written + size;
    const double raw = raw_step(own, token), step = softplus(raw);
    float open = 0.0F, bend = 0.0F, y = own->skip * x + recurrence_dot(read, now, size);
    activation_differentiate(ACTIVATION_SILU, in[own->width + channel], &open, &bend);
    const float of_y = from * open;
    double of_step = 0.0, of_x = (double)(own->skip * of_y);
    for (size_t i = 0; i < size; i++) {
        slope[i] += read[i] * of_y;
        to_read[i] += now[i] * of_y;
        to_written[i] += (float)step * x * slope[i];
        const double of_fall = (double)kept[i] * (double)slope[i] * (double)before[i];
        of_x += step * (double)written[i] * (double)slope[i];
        of_step += (double)written[i] * (double)x * (double)slope[i] + (double)own->falls[i] * of_fall;
        if (own->of_decay != NULL) own->of_decay[i] += (double)own->falls[i] * step * of_fall;
        slope[i] *= kept[i];
    }
    own->of_skip += (double)of_y * (double)x;
    to[channel] = (float)of_x;
    to[own->width + channel] = from * y * bend;
    descent_slope(descent, SLOPE_STATE_STEP, own->sequence, token)[channel] =
        (float)(of_step * (raw > 20.0 ? 1.0 : 1.0 / (1.0 + exp(-raw))));
}

/* S where each window begins, then window by window from the last. */
static void descend_channel(ChannelDescent *own, float *scratch) {
    const size_t tokens = own->descent->spans[own->sequence].tokens, window = recurrence_window(tokens),
                 size = own->size, bytes = size * sizeof(float), windows = (tokens + window - 1) / window;
    float *starts = scratch, *states = starts + window * size, *slope = states + (window + 1) * size,
          *kept = slope + size;
    memset(starts, 0, bytes);
    for (size_t w = 1; w < windows; w++) {
        memcpy(starts + w * size, starts + (w - 1) * size, bytes);
        for (size_t t = (w - 1) * window; t < w * window; t++) advance(own, t, starts + w * size, NULL);
    }
    memset(slope, 0, bytes);
    for (size_t w = windows; w-- > 0 && !job_is_cancelled(own->descent->job);) {
        size_t first = w * window, end = first + window < tokens ? first + window : tokens;
        memcpy(states, starts + w * size, bytes);
        for (size_t t = first; t < end; t++) {
            float *now = states + (t - first + 1) * size;
            memcpy(now, now - size, bytes);
            advance(own, t, now, kept + (t - first) * size);
        }
        for (size_t t = end; t-- > first;) {
            const float *before = states + (t - first) * size;
            descend_token(own, t, before, before + size, kept + (t - first) * size, slope);
        }
    }
}

static void clear_part(const Descent *descent, size_t part, size_t size) {
    for (size_t s = 0; s < descent->count; s++)
        for (size_t t = 0; t < descent->spans[s].tokens; t++)
            memset(descent_slope(descent, SLOPE_STATE_SHARED, s, t) + part * 2 * size, 0,
                   2 * size * sizeof(float));
}

static void descend_part(void *argument, size_t part, unsigned worker) {
    const Descent *descent = argument;
    const ForwardState *state = descent->backward->state;
    const ModelConfig *config = descent_config(descent);
    const size_t width = architecture_delta_values(config), parts = recurrence_parts(config),
                 size = config->recurrent.key_dim;
    ChannelDescent own = {
        .descent = descent, .width = width, .size = size, .rank = config->recurrent.rank, .part = part};
    clear_part(descent, part, size);
    for (size_t c = part * width / parts; c < (part + 1) * width / parts; c++) {
        const float *rates = forward_part(state, descent->layer, TENSOR_PART_STATE_DECAY) + c * size;
        own.channel = c;
        own.bias = forward_part(state, descent->layer, TENSOR_PART_STATE_STEP_BIAS)[c];
        own.skip = forward_part(state, descent->layer, TENSOR_PART_STATE_SKIP)[c];
        own.of_skip = 0.0;
        own.of_decay = descent->taker != NULL ? descent->vector_sums + c * size : NULL;
        if (own.of_decay != NULL) memset(own.of_decay, 0, size * sizeof *own.of_decay);
        for (size_t i = 0; i < size; i++) own.falls[i] = -expf(rates[i]);
        for (own.sequence = 0; own.sequence < descent->count; own.sequence++) {
            if (job_is_cancelled(descent->job)) return;
            descend_channel(&own, descent->scratch + (size_t)worker * descent->scratch_stride);
        }
        if (descent->taker != NULL) descent->bias_sums[c] = own.of_skip;
    }
}

/* What the parts have added up. */
static void join_parts(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ModelConfig *config = descent_config(descent);
    const size_t both = 2 * config->recurrent.key_dim;
    const float *from = descent_slope(descent, SLOPE_STATE_SHARED, sequence, token);
    float *to = descent_slope(descent, SLOPE_STATE_SMALL, sequence, token) + config->recurrent.rank;
    memset(to, 0, both * sizeof *to);
    for (size_t part = 0; part < recurrence_parts(config); part++, from += both)
        for (size_t i = 0; i < both; i++) to[i] += from[i];
}

static Status descend_recurrence(const Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    const size_t width = architecture_delta_values(config);
    Descent own = *descent;
    Status status = job_run(descent->job, recurrence_parts(config), descend_part, &own, error);
    if (status == STATUS_OK)
        status =
            descent_give_sums(descent, TENSOR_PART_STATE_DECAY, width * config->recurrent.key_dim, error);
    if (status == STATUS_OK && descent->taker != NULL)
        memcpy(descent->vector_sums, descent->bias_sums, width * sizeof(double));
    if (status == STATUS_OK) status = descent_give_sums(descent, TENSOR_PART_STATE_SKIP, width, error);
    return status == STATUS_OK ? descent_for_tokens(descent, join_parts, error) : status;
}

/* ---- the way back: steps, what is written and what is read ---- */

/* Norms one after another: `through` where they are gone through, else their sums. */
static void descend_norms(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const ModelConfig *config = descent_config(descent);
    float *to = descent_slope(descent, SLOPE_STATE_SMALL, sequence, token),
          *room = descent->rows + (size_t)worker * 2 * descent->row_stride;
    const float *x = descent->backward->copies[COPY_STATE_SMALL] +
                     (descent->spans[sequence].row + token) * descent_slope_width(descent, SLOPE_STATE_SMALL);
    memcpy(to, descent_slope(descent, SLOPE_STATE_RANK, sequence, token),
           config->recurrent.rank * sizeof *to);
    for (int i = 0; i < SMALL_NORMS && config->state.norms_steps; i++) {
        const Norm norm = small_norm(descent->backward->state, descent->layer, i);
        memset(room, 0, norm.size * sizeof *room);
        norm_backward(&norm, x, to, room);
        memcpy(to, room, norm.size * sizeof *room);
        x += norm.size;
        to += norm.size;
    }
}

/* Of the norm whose channels begin at `first`; steps' gradient is apart until it is gone through. */
static Status give_norm(const Descent *descent, int which, size_t first, Error *error) {
    const Norm norm = small_norm(descent->backward->state, descent->layer, which);
    const size_t width = descent_slope_width(descent, SLOPE_STATE_SMALL);
    if (descent->taker == NULL || norm.weight == NULL) return STATUS_OK;
    memset(descent->vector_sums, 0, norm.size * sizeof *descent->vector_sums);
    for (size_t t = 0; t < descent->tokens; t++) { /* all tokens of each row: they lie as sequences do */
        const float *slope = which == 0 ? descent->backward->slopes[SLOPE_STATE_RANK] + t * norm.size
                                        : descent->backward->slopes[SLOPE_STATE_SMALL] + t * width + first;
        norm_add_weight_gradient(&norm, descent->backward->copies[COPY_STATE_SMALL] + t * width + first,
                                 slope, descent->vector_sums);
    }
    return descent_give_sums(descent, SMALL_PARTS[which], norm.size, error);
}

static void add_convolved(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const float *from = descent_slope(descent, SLOPE_STATE_OUT, sequence, token);
    float *to = descent_slope(descent, SLOPE_STATE_IN, sequence, token);
    for (size_t i = 0; i < descent_slope_width(descent, SLOPE_STATE_OUT); i++) to[i] += from[i];
}

static Status descend_small(const Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    const Backward *backward = descent->backward;
    const size_t rank = config->recurrent.rank, size = config->recurrent.key_dim;
    Status status = descent_run_part(descent, TENSOR_PART_STATE_STEP, TENSOR_PART_STATE_STEP_BIAS,
                                     backward->state->buffers[BUFFER_STATE_RANK], SLOPE_STATE_STEP,
                                     SLOPE_STATE_RANK, false, error);
    for (int i = 0; i < SMALL_NORMS && status == STATUS_OK; i++)
        status = give_norm(descent, i, i == 0 ? 0 : rank + (size_t)(i - 1) * size, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_norms, error);
    if (status == STATUS_OK)
        status = descent_run_part(descent, TENSOR_PART_STATE_SMALL, TENSOR_PART_COUNT,
                                  backward->copies[COPY_STATE_READ], SLOPE_STATE_SMALL, SLOPE_STATE_OUT,
                                  false, error);
    return status == STATUS_OK ? descent_for_tokens(descent, add_convolved, error) : status;
}

/* ---- the way back: what is projected ---- */

Status block_selective_descend(const Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    const Backward *backward = descent->backward;
    const ChannelConvolution convolution = convolution_of(config);
    Status status = descent_run_part(descent, TENSOR_PART_STATE_OUT, TENSOR_PART_STATE_OUT_BIAS,
                                     backward->state->buffers[BUFFER_STATE_OUT], descent->given,
                                     SLOPE_STATE_OUT, false, error);
    if (status == STATUS_OK) status = descend_recurrence(descent, error);
    if (status == STATUS_OK) status = descend_small(descent, error);
    if (status == STATUS_OK)
        status = channel_convolution_descend(descent, &convolution, backward->copies[COPY_STATE_IN],
                                             SLOPE_STATE_IN, error);
    return status == STATUS_OK
               ? descent_run_part(descent, TENSOR_PART_STATE_IN, TENSOR_PART_STATE_IN_BIAS, descent->normed,
                                  SLOPE_STATE_IN, SLOPE_NORMED, descent->accumulates, error)
               : status;
}
