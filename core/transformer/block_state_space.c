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

/* Of a group's channels; weight NULL: there is none. */
static Norm group_norm(const ForwardState *state, uint64_t layer, size_t group) {
    const ModelConfig *config = state->side->config;
    Norm norm = {.kind = NORM_RMS,
                 .weight = forward_part(state, layer, TENSOR_PART_STATE_NORM),
                 .size = architecture_delta_values(config) / config->recurrent.key_heads,
                 .epsilon =
                     config->state.norm_epsilon > 0.0 ? config->state.norm_epsilon : config->norm_epsilon};
    if (norm.weight != NULL) norm.weight += group * norm.size;
    return norm;
}

static void norm_groups(const Chunk *chunk, const ForwardState *state, float *y) {
    for (size_t g = 0; g < state->side->config->recurrent.key_heads; g++) {
        const Norm norm = group_norm(state, chunk->layer, g);
        if (norm.weight == NULL) return;
        norm_forward(&norm, y + g * norm.size, y + g * norm.size);
    }
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

static ChannelConvolution convolution_of(const ModelConfig *config) {
    return (ChannelConvolution){.buffer = BUFFER_STATE_IN,
                                .first = architecture_delta_values(config),
                                .channels = architecture_delta_channels(config),
                                .weight = TENSOR_PART_STATE_CONVOLUTION,
                                .bias = TENSOR_PART_STATE_CONVOLUTION_BIAS,
                                .activation = activation_of};
}

Status block_state_space_run(const Pass *pass, Error *error) {
    const Chunk *chunk = &pass->chunk;
    const ModelConfig *config = chunk->states[0]->side->config;
    HeadStep heads = {chunk, config->recurrent.value_heads};
    const ChannelConvolution convolution = convolution_of(config);
    Status status = pass_project_part(pass, TENSOR_PART_STATE_IN, BUFFER_NORMED, BUFFER_STATE_IN, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, scale_token, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_STATE_IN, BUFFER_STATE_IN);
    if (status == STATUS_OK) status = channel_convolution_run(pass, &convolution, error);
    if (status == STATUS_OK)
        status = job_run(chunk->job, heads.heads * chunk->state_count, run_head, &heads, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_STATE_READ, BUFFER_STATE_OUT);
    if (status == STATUS_OK) status = pass_for_tokens(pass, gate_token, error);
    if (status != STATUS_OK) return status;
    return pass_project_biased(pass, TENSOR_PART_STATE_OUT, TENSOR_PART_STATE_OUT_BIAS, BUFFER_STATE_OUT,
                               BUFFER_ADDED, error);
}

/* ---- the way back: gates and norms ---- */

/* A token's gates, and what was read there before them. */
static const float *gates_of(const Descent *descent, size_t sequence, size_t token) {
    return descent->backward->state->buffers[BUFFER_STATE_IN] +
           (descent->spans[sequence].row + token) * descent_slope_width(descent, SLOPE_STATE_IN);
}

static const float *read_of(const Descent *descent, size_t sequence, size_t token) {
    return descent->backward->copies[COPY_STATE_READ] +
           (descent->spans[sequence].row + token) * descent_slope_width(descent, SLOPE_STATE_OUT);
}

/* What a group's norm took at a token, and the gradient at what it gave. */
static void meet_norm(const Descent *descent, size_t sequence, size_t token, size_t group, size_t size,
                      float *input, float *slope) {
    const float *read = read_of(descent, sequence, token) + group * size,
                *gate = gates_of(descent, sequence, token) + group * size,
                *from = descent_slope(descent, SLOPE_STATE_OUT, sequence, token) + group * size;
    bool is_first = descent_config(descent)->state.norm_is_first;
    for (size_t i = 0; i < size; i++) {
        float open = activation_value(ACTIVATION_SILU, gate[i]);
        input[i] = is_first ? read[i] : read[i] * open;
        slope[i] = is_first ? from[i] * open : from[i];
    }
}

static void sum_norm(void *argument, size_t group, unsigned worker) {
    const Descent *descent = argument;
    const Norm norm = group_norm(descent->backward->state, descent->layer, group);
    float *input = descent->rows + (size_t)worker * 2 * descent->row_stride,
          *slope = input + descent->row_stride;
    double *sums = descent->vector_sums + group * norm.size;
    memset(sums, 0, norm.size * sizeof *sums);
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t t = 0; t < descent->spans[s].tokens; t++) {
            meet_norm(descent, s, t, group, norm.size, input, slope);
            norm_add_weight_gradient(&norm, input, slope, sums);
        }
    }
}

static Status give_norm(const Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    Descent own = *descent;
    if (descent->taker == NULL || !architecture_needs(descent_plan(descent), TENSOR_PART_STATE_NORM))
        return STATUS_OK;
    Status status = job_run(descent->job, config->recurrent.key_heads, sum_norm, &own, error);
    return status == STATUS_OK
               ? descent_give_sums(descent, TENSOR_PART_STATE_NORM, architecture_delta_values(config), error)
               : status;
}

/* From what goes into out to what was read, and to the gates. */
static void descend_gate(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const ModelConfig *config = descent_config(descent);
    float *input = descent->rows + (size_t)worker * 2 * descent->row_stride,
          *slope = input + descent->row_stride;
    for (size_t g = 0; g < config->recurrent.key_heads; g++) {
        const Norm norm = group_norm(descent->backward->state, descent->layer, g);
        const float *read = read_of(descent, sequence, token) + g * norm.size,
                    *gate = gates_of(descent, sequence, token) + g * norm.size;
        float *to = descent_slope(descent, SLOPE_STATE_OUT, sequence, token) + g * norm.size,
              *to_gate = descent_slope(descent, SLOPE_STATE_IN, sequence, token) + g * norm.size;
        bool has_norm = norm.weight != NULL, is_first = has_norm && config->state.norm_is_first;
        if (has_norm) meet_norm(descent, sequence, token, g, norm.size, input, slope);
        if (is_first) norm_forward(&norm, input, to_gate);
        for (size_t i = 0; i < norm.size && is_first; i++) to_gate[i] *= to[i];
        if (has_norm) {
            memset(to, 0, norm.size * sizeof *to);
            norm_backward(&norm, input, slope, to);
        }
        for (size_t i = 0; i < norm.size; i++) {
            float open = 0.0F, bend = 0.0F;
            activation_differentiate(ACTIVATION_SILU, gate[i], &open, &bend);
            to_gate[i] = bend * (is_first ? to_gate[i] : to[i] * read[i]);
            if (!is_first) to[i] *= open;
        }
    }
}

/* ---- the way back: the recurrence ---- */

size_t block_state_space_scratch(const ModelConfig *config, size_t tokens) {
    const size_t window = recurrence_window(tokens);
    return (2 * window + 2) * config->recurrent.key_dim * config->recurrent.value_dim;
}

/* One head of one sequence on its way back. */
typedef struct HeadDescent {
    const Descent *descent;
    const RecurrentSizes *sizes;
    size_t sequence, width, shared, own, group, head,
        part; /* own, group: where its channels, and its group's, begin */
    double rate, bias;
    float skip;
    double of_decay, of_skip; /* sums */
} HeadDescent;

static const float *input_of(const HeadDescent *head, size_t token) {
    return gates_of(head->descent, head->sequence, token) + head->width;
}

static double raw_step(const HeadDescent *head, size_t token) {
    return (double)input_of(head, token)[head->width + 2 * head->shared + head->head] + head->bias;
}

/* Of a step by what it is made of: softplus within bounds. */
static double step_slope(const StateSwitches *switches, double raw) {
    double step = raw > 20.0 ? raw : log1p(exp(raw));
    if (step < switches->least_step || step > switches->most_step) return 0.0;
    return raw > 20.0 ? 1.0 : 1.0 / (1.0 + exp(-raw));
}

/* S of a token in place of that before. */
static void advance(const HeadDescent *head, size_t token, float *memory) {
    const float *x = input_of(head, token), *written = x + head->width + head->group;
    float step, kept = decay(&descent_config(head->descent)->state, head->rate, raw_step(head, token), &step);
    for (size_t i = 0; i < head->sizes->key_dim; i++) {
        float *row = memory + i * head->sizes->value_dim, write = step * written[i];
        for (size_t j = 0; j < head->sizes->value_dim; j++) row[j] = row[j] * kept + write * x[head->own + j];
    }
}

/* `slope` is dS, from the token behind on; `before` and `now` are S. */
static void descend_token(HeadDescent *head, size_t token, const float *before, const float *now,
                          float *slope) {
    const Descent *descent = head->descent;
    const size_t columns = head->sizes->value_dim, rows = head->sizes->key_dim;
    const float *x = input_of(head, token) + head->own,
                *written = input_of(head, token) + head->width + head->group, *read = written + head->shared;
    const float *from = descent_slope(descent, SLOPE_STATE_OUT, head->sequence, token) + head->own;
    float *to = descent_slope(descent, SLOPE_STATE_IN, head->sequence, token) + head->width;
    float *to_written =
              descent_slope(descent, SLOPE_STATE_SHARED, head->sequence, token) + head->part * 2 * rows,
          *to_read = to_written + rows;
    const StateSwitches *switches = &descent_config(descent)->state;
    const double raw = raw_step(head, token);
    float step, kept = decay(switches, head->rate, raw, &step);
    double of_kept = 0.0, of_step = 0.0;
    for (size_t j = 0; j < columns; j++) to[head->own + j] = head->skip * from[j];
    head->of_skip += (double)recurrence_dot(from, x, columns);
    for (size_t i = 0; i < rows; i++) {
        float *row = slope + i * columns, write = step * written[i];
        for (size_t j = 0; j < columns; j++) row[j] += read[i] * from[j];
        const double met = (double)recurrence_dot(row, x, columns);
        to_read[i] += recurrence_dot(now + i * columns, from, columns);
        to_written[i] += (float)((double)step * met);
        of_step += (double)written[i] * met;
        of_kept += (double)recurrence_dot(row, before + i * columns, columns);
        for (size_t j = 0; j < columns; j++) {
            to[head->own + j] += write * row[j];
            row[j] *= kept;
        }
    }
    const double falls = -exp(head->rate), of_fall = of_kept * (double)kept;
    head->of_decay += falls * (double)step * of_fall;
    to[head->width + 2 * head->shared + head->head] =
        (float)((of_step + falls * of_fall) * step_slope(switches, raw));
}

/* S where each window begins, then window by window from the last. */
static void descend_head(HeadDescent *head, float *scratch) {
    const size_t tokens = head->descent->spans[head->sequence].tokens, window = recurrence_window(tokens),
                 size = head->sizes->key_dim * head->sizes->value_dim, bytes = size * sizeof(float);
    float *starts = scratch, *states = starts + window * size, *slope = states + (window + 1) * size;
    size_t windows = (tokens + window - 1) / window;
    memset(starts, 0, bytes);
    for (size_t w = 1; w < windows; w++) {
        memcpy(starts + w * size, starts + (w - 1) * size, bytes);
        for (size_t t = (w - 1) * window; t < w * window; t++) advance(head, t, starts + w * size);
    }
    memset(slope, 0, bytes);
    for (size_t w = windows; w-- > 0 && !job_is_cancelled(head->descent->job);) {
        size_t first = w * window, end = first + window < tokens ? first + window : tokens;
        memcpy(states, starts + w * size, bytes);
        for (size_t t = first; t < end; t++) {
            float *now = states + (t - first + 1) * size;
            memcpy(now, now - size, bytes);
            advance(head, t, now);
        }
        for (size_t t = end; t-- > first;) {
            const float *before = states + (t - first) * size;
            descend_token(head, t, before, before + size, slope);
        }
    }
}

/* Heads of a group that are one part, over all sequences: sums of decays, and of skips, are by head. */
static void descend_part(void *argument, size_t part, unsigned worker) {
    const Descent *descent = argument;
    const ForwardState *state = descent->backward->state;
    const ModelConfig *config = descent_config(descent);
    const RecurrentSizes *sizes = &config->recurrent;
    const size_t parts = recurrence_parts(config), of_group = sizes->value_heads / sizes->key_heads,
                 group = part / parts, place = part % parts, first = place * of_group / parts,
                 end = (place + 1) * of_group / parts;
    for (size_t s = 0; s < descent->count; s++)
        for (size_t t = 0; t < descent->spans[s].tokens; t++)
            memset(descent_slope(descent, SLOPE_STATE_SHARED, s, t) + part * 2 * sizes->key_dim, 0,
                   2 * sizes->key_dim * sizeof(float));
    for (size_t h = group * of_group + first; h < group * of_group + end; h++) {
        HeadDescent head = {.descent = descent,
                            .sizes = sizes,
                            .width = architecture_delta_values(config),
                            .shared = architecture_delta_keys(config),
                            .own = h * sizes->value_dim,
                            .group = group * sizes->key_dim,
                            .head = h,
                            .part = part,
                            .rate = (double)forward_part(state, descent->layer, TENSOR_PART_STATE_DECAY)[h],
                            .bias =
                                (double)forward_part(state, descent->layer, TENSOR_PART_STATE_STEP_BIAS)[h],
                            .skip = forward_part(state, descent->layer, TENSOR_PART_STATE_SKIP)[h]};
        for (; head.sequence < descent->count; head.sequence++)
            descend_head(&head, descent->scratch + (size_t)worker * descent->scratch_stride);
        if (descent->taker == NULL) continue;
        descent->vector_sums[h] = head.of_decay;
        descent->bias_sums[h] = head.of_skip;
    }
}

/* What the parts of each group have added up. */
static void join_parts(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ModelConfig *config = descent_config(descent);
    const RecurrentSizes *sizes = &config->recurrent;
    const size_t shared = architecture_delta_keys(config), parts = recurrence_parts(config),
                 size = sizes->key_dim;
    const float *from = descent_slope(descent, SLOPE_STATE_SHARED, sequence, token);
    float *to =
        descent_slope(descent, SLOPE_STATE_IN, sequence, token) + 2 * architecture_delta_values(config);
    memset(to, 0, 2 * shared * sizeof *to);
    for (size_t part = 0; part < parts * sizes->key_heads; part++, from += 2 * size) {
        float *written = to + part / parts * size;
        for (size_t i = 0; i < size; i++) {
            written[i] += from[i];
            written[shared + i] += from[size + i];
        }
    }
}

static Status descend_recurrence(const Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    const RecurrentSizes *sizes = &config->recurrent;
    Descent own = *descent;
    Status status =
        job_run(descent->job, recurrence_parts(config) * sizes->key_heads, descend_part, &own, error);
    if (status == STATUS_OK)
        status = descent_give_sums(descent, TENSOR_PART_STATE_DECAY, sizes->value_heads, error);
    if (status == STATUS_OK && descent->taker != NULL)
        memcpy(descent->vector_sums, descent->bias_sums, sizes->value_heads * sizeof(double));
    if (status == STATUS_OK)
        status = descent_give_sums(descent, TENSOR_PART_STATE_SKIP, sizes->value_heads, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, join_parts, error);
    return status == STATUS_OK
               ? descent_give_columns(descent, TENSOR_PART_STATE_STEP_BIAS, SLOPE_STATE_IN,
                                      descent_slope_width(descent, SLOPE_STATE_IN) - sizes->value_heads,
                                      sizes->value_heads, error)
               : status;
}

/* ---- the way back: what is projected ---- */

static void descend_scales(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ModelConfig *config = descent_config(descent);
    const size_t width = architecture_delta_values(config), shared = architecture_delta_keys(config),
                 sizes[5] = {width, width, shared, shared, config->recurrent.value_heads};
    float *x = descent_slope(descent, SLOPE_STATE_IN, sequence, token);
    for (size_t part = 0, i = 0; part < 5; part++)
        for (size_t end = i + sizes[part]; i < end; i++) x[i] *= (float)config->state.scales[part];
}

static void descend_in_scale(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    float *x = descent_slope(descent, SLOPE_STATE_IN, sequence, token);
    for (size_t i = 0; i < descent_slope_width(descent, SLOPE_STATE_IN); i++)
        x[i] *= (float)descent_config(descent)->state.in_scale;
}

static Status descend_in(const Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    size_t width = descent_slope_width(descent, SLOPE_STATE_IN);
    Status status = descent_for_tokens(descent, descend_scales, error);
    if (status == STATUS_OK)
        status = descent_give_columns(descent, TENSOR_PART_STATE_IN_BIAS, SLOPE_STATE_IN, 0, width, error);
    if (status == STATUS_OK && config->state.in_scale != 1.0)
        status = descent_for_tokens(descent, descend_in_scale, error);
    return status == STATUS_OK
               ? descent_run_part(descent, TENSOR_PART_STATE_IN, TENSOR_PART_COUNT, descent->normed,
                                  SLOPE_STATE_IN, SLOPE_NORMED, descent->accumulates, error)
               : status;
}

Status block_state_space_descend(const Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    const Backward *backward = descent->backward;
    const ChannelConvolution convolution = convolution_of(config);
    Status status = descent_run_part(descent, TENSOR_PART_STATE_OUT, TENSOR_PART_STATE_OUT_BIAS,
                                     backward->state->buffers[BUFFER_STATE_OUT], descent->given,
                                     SLOPE_STATE_OUT, false, error);
    if (status == STATUS_OK) status = give_norm(descent, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_gate, error);
    if (status == STATUS_OK) status = descend_recurrence(descent, error);
    if (status == STATUS_OK)
        status = channel_convolution_descend(descent, &convolution, backward->copies[COPY_STATE_IN],
                                             SLOPE_STATE_IN, error);
    return status == STATUS_OK ? descend_in(descent, error) : status;
}
