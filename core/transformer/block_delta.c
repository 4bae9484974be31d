#include "core/transformer/block_delta.h"

#include "core/transformer/activation.h"
#include "core/transformer/recurrence.h"

#include <math.h>
#include <string.h>

typedef struct DeltaStep {
    const Chunk *chunk;
    size_t tasks; /* of one state */
} DeltaStep;

/* ---- a token by itself ---- */

static void scale_to_one(float *x, size_t size, double scale) {
    double squares = BLOCK_DELTA_SMALLEST_SQUARE;
    for (size_t i = 0; i < size; i++) squares += (double)x[i] * (double)x[i];
    float factor = (float)(scale / sqrt(squares));
    for (size_t i = 0; i < size; i++) x[i] *= factor;
}

/* torch's: beyond 20 it is x. */
static double softplus(double x) {
    return x > 20.0 ? x : log1p(exp(x));
}

/* γ */
static float keep(const DeltaSwitches *delta, double rate, double step) {
    double bounded = delta->least_decay / (1.0 + exp(-rate * step));
    return (float)exp(delta->least_decay != 0.0 ? bounded : -rate * softplus(step));
}

static void prepare_token(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const RecurrentSizes *sizes = &config->recurrent;
    const float *decay = forward_part(state, chunk->layer, TENSOR_PART_DELTA_DECAY),
                *bias = forward_part(state, chunk->layer, TENSOR_PART_DELTA_STEP_BIAS);
    float *query = pass_row(chunk, state, BUFFER_SCRATCH, token),
          *key = query + sizes->key_heads * sizes->key_dim;
    for (size_t h = 0; h < sizes->key_heads; h++) {
        scale_to_one(query + h * sizes->key_dim, sizes->key_dim, 1.0 / sqrt((double)sizes->key_dim));
        scale_to_one(key + h * sizes->key_dim, sizes->key_dim, 1.0);
    }
    float *write = pass_row(chunk, state, BUFFER_WRITE, token),
          *kept = pass_row(chunk, state, BUFFER_DECAY, token);
    const size_t decays = architecture_delta_decays(config), each = decays / sizes->value_heads;
    for (size_t h = 0; h < sizes->value_heads; h++)
        write[h] = activation_value(ACTIVATION_SIGMOID, write[h]) * (float)config->delta.write_scale;
    for (size_t i = 0; i < decays; i++)
        kept[i] = keep(&config->delta, exp((double)decay[i / each]), (double)kept[i] + (double)bias[i]);
}

Norm block_delta_norm(const ForwardState *state, uint64_t layer) {
    const ModelConfig *config = state->side->config;
    return (Norm){.kind = NORM_RMS,
                  .weight = forward_part(state, layer, TENSOR_PART_DELTA_NORM),
                  .size = config->recurrent.value_dim,
                  .epsilon =
                      config->delta.norm_epsilon > 0.0 ? config->delta.norm_epsilon : config->norm_epsilon};
}

static void gate_token(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const RecurrentSizes *sizes = &config->recurrent;
    const Norm norm = block_delta_norm(state, chunk->layer);
    float *mixed = pass_row(chunk, state, BUFFER_MIXED, token);
    const float *gate = pass_row(chunk, state, BUFFER_ATTENTION_GATE, token);
    for (size_t h = 0; h < sizes->value_heads; h++)
        norm_forward(&norm, mixed + h * norm.size, mixed + h * norm.size);
    for (size_t i = 0; i < sizes->value_heads * norm.size; i++)
        mixed[i] *= activation_value(config->delta.gate, gate[i]);
}

/* ---- the rule ---- */

/* One head and one token: `value` becomes β (v − (γ S)ᵀ k), `out` Sᵀ q of the new S. `kept`: of all rows of S, or, a stride
 * apart, of each. */
static void write_and_read(const RecurrentSizes *sizes, float *memory, const float *query, const float *key,
                           float *value, const float *kept, size_t stride, float write, float *out) {
    const size_t rows = sizes->key_dim, columns = sizes->value_dim;
    memset(out, 0, columns * sizeof *out);
    for (size_t i = 0; i < rows; i++) {
        float *row = memory + i * columns;
        for (size_t j = 0; j < columns; j++) {
            row[j] *= kept[i * stride];
            out[j] += key[i] * row[j];
        }
    }
    for (size_t j = 0; j < columns; j++) value[j] = (value[j] - out[j]) * write;
    memset(out, 0, columns * sizeof *out);
    for (size_t i = 0; i < rows; i++) {
        float *row = memory + i * columns;
        for (size_t j = 0; j < columns; j++) {
            row[j] += key[i] * value[j];
            out[j] += query[i] * row[j];
        }
    }
}

/* One value head over all tokens, in their order. */
static void run_head(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const DeltaStep *step = argument;
    const Chunk *chunk = step->chunk;
    ForwardState *state = chunk->states[task / step->tasks];
    const ModelConfig *config = state->side->config;
    const RecurrentSizes *sizes = &config->recurrent;
    const size_t head = task % step->tasks, keys = architecture_delta_keys(config),
                 own = head / (sizes->value_heads / sizes->key_heads) * sizes->key_dim,
                 size = sizes->key_dim * sizes->value_dim,
                 each = architecture_delta_decays(config) / sizes->value_heads;
    float *memory = recurrence_of_layer(state, chunk->layer) +
                    recurrence_convolution_size(config, architecture_delta_channels(config)) + head * size;
    for (size_t t = 0; t < chunk->tokens; t++) {
        float *row = pass_row(chunk, state, BUFFER_SCRATCH, t);
        if (recurrence_begins(chunk, t)) memset(memory, 0, size * sizeof *memory);
        write_and_read(sizes, memory, row + own, row + keys + own, row + 2 * keys + head * sizes->value_dim,
                       pass_row(chunk, state, BUFFER_DECAY, t) + head * each, each > 1 ? 1 : 0,
                       pass_row(chunk, state, BUFFER_WRITE, t)[head],
                       pass_row(chunk, state, BUFFER_MIXED, t) + head * sizes->value_dim);
    }
}

/* ---- out of one matrix ---- */

static void split_fused(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const RecurrentSizes *sizes = &config->recurrent;
    const size_t keys = architecture_delta_keys(config), dim = sizes->key_dim,
                 values = architecture_delta_values(config) / sizes->key_heads;
    const float *from = pass_row(chunk, state, BUFFER_QKV, token);
    float *row = pass_row(chunk, state, BUFFER_SCRATCH, token),
          *gate = pass_row(chunk, state, BUFFER_ATTENTION_GATE, token);
    for (size_t h = 0; h < sizes->key_heads; h++, from += 2 * (dim + values)) {
        memcpy(row + h * dim, from, dim * sizeof *row);
        memcpy(row + keys + h * dim, from + dim, dim * sizeof *row);
        memcpy(row + 2 * keys + h * values, from + 2 * dim, values * sizeof *row);
        memcpy(gate + h * values, from + 2 * dim + values, values * sizeof *gate);
    }
}

/* Rows are narrower than the buffer. */
static void split_steps(const Chunk *chunk, ForwardState *state, size_t token) {
    const RecurrentSizes *sizes = &state->side->config->recurrent;
    const size_t group = sizes->value_heads / sizes->key_heads;
    const float *from = state->buffers[BUFFER_QKV] + token * 2 * sizes->value_heads;
    float *write = pass_row(chunk, state, BUFFER_WRITE, token),
          *decay = pass_row(chunk, state, BUFFER_DECAY, token);
    for (size_t h = 0; h < sizes->key_heads; h++) {
        memcpy(write + h * group, from + 2 * h * group, group * sizeof *write);
        memcpy(decay + h * group, from + (2 * h + 1) * group, group * sizeof *decay);
    }
}

static Status project_fused(const Pass *pass, Error *error) {
    Status status = pass_project_part(pass, TENSOR_PART_DELTA_STEPS, BUFFER_NORMED, BUFFER_QKV, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, split_steps, error);
    if (status == STATUS_OK)
        status = pass_project_part(pass, TENSOR_PART_DELTA_FUSED, BUFFER_NORMED, BUFFER_QKV, error);
    return status == STATUS_OK ? pass_for_tokens(pass, split_fused, error) : status;
}

/* ---- out of one each ---- */

/* Rows of the buffer are as wide as what was projected. */
static void move_projected(const Pass *pass, size_t width, size_t first) {
    const Chunk *chunk = &pass->chunk;
    for (size_t i = 0; i < chunk->state_count; i++) {
        ForwardState *state = chunk->states[i];
        for (size_t t = 0; t < chunk->tokens; t++)
            memcpy(pass_row(chunk, state, BUFFER_SCRATCH, t) + first, state->buffers[BUFFER_QKV] + t * width,
                   width * sizeof(float));
    }
}

static Status project_parted(const Pass *pass, Error *error) {
    const ModelConfig *config = pass->chunk.states[0]->side->config;
    const size_t keys = architecture_delta_keys(config);
    const struct {
        TensorPart weight;
        size_t width, first;
    } parts[] = {{TENSOR_PART_DELTA_QUERY, keys, 0},
                 {TENSOR_PART_DELTA_KEY, keys, keys},
                 {TENSOR_PART_DELTA_VALUE, architecture_delta_values(config), 2 * keys}};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == STATUS_OK; i++) {
        status = pass_project_part(pass, parts[i].weight, BUFFER_NORMED, BUFFER_QKV, error);
        if (status == STATUS_OK) move_projected(pass, parts[i].width, parts[i].first);
    }
    return status;
}

/* ---- the block ---- */

/* One matrix, or two with few channels between. */
static Status project_ranked(const Pass *pass, const LayerPlan *plan, TensorPart whole, TensorPart left,
                             Buffer to, ForwardSite rank, Error *error) {
    if (!architecture_needs(plan, left)) return pass_project_part(pass, whole, BUFFER_NORMED, to, error);
    Status status = pass_project_part(pass, left, BUFFER_NORMED, BUFFER_STATE_RANK, error);
    if (status == STATUS_OK) pass_observe(pass, rank, BUFFER_STATE_RANK);
    return status == STATUS_OK ? pass_project_part(pass, (TensorPart)(left + 1), BUFFER_STATE_RANK, to, error)
                               : status;
}

static Status project_all(const Pass *pass, const LayerPlan *plan, Error *error) {
    bool is_parted = architecture_needs(plan, TENSOR_PART_DELTA_QUERY);
    Status status = is_parted
                        ? project_parted(pass, error)
                        : pass_project_part(pass, TENSOR_PART_DELTA_IN, BUFFER_NORMED, BUFFER_SCRATCH, error);
    if (status == STATUS_OK)
        status = project_ranked(pass, plan, TENSOR_PART_DELTA_GATE, TENSOR_PART_DELTA_GATE_LEFT,
                                BUFFER_ATTENTION_GATE, FORWARD_GATE_RANK, error);
    if (status == STATUS_OK)
        status = pass_project_part(pass, TENSOR_PART_DELTA_WRITE, BUFFER_NORMED, BUFFER_WRITE, error);
    if (status == STATUS_OK)
        status = project_ranked(pass, plan, TENSOR_PART_DELTA_STEP, TENSOR_PART_DELTA_STEP_LEFT, BUFFER_DECAY,
                                FORWARD_DECAY_RANK, error);
    return status;
}

static Activation activation_of(const ModelConfig *config) {
    return config->activation;
}

/* In pieces it begins where the first of them does. */
ChannelConvolution block_delta_convolution(const ModelConfig *config, const LayerPlan *plan) {
    bool is_cut = architecture_needs(plan, TENSOR_PART_DELTA_QUERY_CONVOLUTION);
    return (ChannelConvolution){.buffer = BUFFER_SCRATCH,
                                .channels = architecture_delta_channels(config),
                                .weight = is_cut ? TENSOR_PART_DELTA_QUERY_CONVOLUTION
                                                 : TENSOR_PART_DELTA_CONVOLUTION,
                                .pieces = is_cut ? 3 : 1,
                                .bias = TENSOR_PART_COUNT,
                                .activation = activation_of};
}

Status block_delta_run(const Pass *pass, Error *error) {
    const Chunk *chunk = &pass->chunk;
    const ModelConfig *config = chunk->states[0]->side->config;
    DeltaStep heads = {chunk, config->recurrent.value_heads};
    const LayerPlan *plan = forward_plan(chunk->states[0], chunk->layer);
    const ChannelConvolution convolution = block_delta_convolution(config, plan);
    bool is_fused = architecture_needs(plan, TENSOR_PART_DELTA_FUSED);
    Status status = is_fused ? project_fused(pass, error) : project_all(pass, plan, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_PROJECTED, BUFFER_SCRATCH);
    pass_observe(pass, FORWARD_DECAY, BUFFER_DECAY);
    status = channel_convolution_run(pass, &convolution, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_CONVOLVED, BUFFER_SCRATCH);
    if (status == STATUS_OK) status = pass_for_tokens(pass, prepare_token, error);
    if (status == STATUS_OK)
        status = job_run(chunk->job, heads.tasks * chunk->state_count, run_head, &heads, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_ATTENDED, BUFFER_MIXED);
    if (status == STATUS_OK) status = pass_for_tokens(pass, gate_token, error);
    if (status != STATUS_OK) return status;
    return pass_project_part(pass, TENSOR_PART_DELTA_OUT, BUFFER_MIXED, BUFFER_ADDED, error);
}
