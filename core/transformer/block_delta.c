#include "core/transformer/block_delta.h"

#include "core/transformer/activation.h"
#include "core/transformer/channel_convolution.h"
#include "core/transformer/recurrence.h"

#include <math.h>
#include <string.h>

static const double SMALLEST_SQUARE = 1e-6; /* what is added to |q|², |k|² */

typedef struct DeltaStep {
    const Chunk *chunk;
    size_t tasks; /* of one state */
} DeltaStep;

/* ---- a token by itself ---- */

static void scale_to_one(float *x, size_t size, double scale) {
    double squares = SMALLEST_SQUARE;
    for (size_t i = 0; i < size; i++) squares += (double)x[i] * (double)x[i];
    float factor = (float)(scale / sqrt(squares));
    for (size_t i = 0; i < size; i++) x[i] *= factor;
}

/* torch's: beyond 20 it is x. */
static double softplus(double x) {
    return x > 20.0 ? x : log1p(exp(x));
}

static void prepare_token(const Chunk *chunk, ForwardState *state, size_t token) {
    const RecurrentSizes *sizes = &state->side->config->recurrent;
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
    for (size_t h = 0; h < sizes->value_heads; h++) {
        write[h] = activation_value(ACTIVATION_SIGMOID, write[h]);
        kept[h] = (float)exp(-exp((double)decay[h]) * softplus((double)kept[h] + (double)bias[h]));
    }
}

static void gate_token(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const RecurrentSizes *sizes = &config->recurrent;
    const Norm norm = {.kind = NORM_RMS,
                       .weight = forward_part(state, chunk->layer, TENSOR_PART_DELTA_NORM),
                       .size = sizes->value_dim,
                       .epsilon = config->norm_epsilon};
    float *mixed = pass_row(chunk, state, BUFFER_MIXED, token);
    const float *gate = pass_row(chunk, state, BUFFER_ATTENTION_GATE, token);
    for (size_t h = 0; h < sizes->value_heads; h++)
        norm_forward(&norm, mixed + h * norm.size, mixed + h * norm.size);
    for (size_t i = 0; i < sizes->value_heads * norm.size; i++)
        mixed[i] *= activation_value(ACTIVATION_SILU, gate[i]);
}

/* ---- the rule ---- */

/* One head and one token: `value` becomes β (v − γ Sᵀ k), `out` Sᵀ q of the new S. */
static void write_and_read(const RecurrentSizes *sizes, float *memory, const float *query, const float *key,
                           float *value, float kept, float write, float *out) {
    const size_t rows = sizes->key_dim, columns = sizes->value_dim;
    memset(out, 0, columns * sizeof *out);
    for (size_t i = 0; i < rows; i++) {
        float *row = memory + i * columns;
        for (size_t j = 0; j < columns; j++) {
            row[j] *= kept;
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
                 size = sizes->key_dim * sizes->value_dim;
    float *memory = recurrence_of_layer(state, chunk->layer) +
                    recurrence_convolution_size(config, architecture_delta_channels(config)) + head * size;
    for (size_t t = 0; t < chunk->tokens; t++) {
        float *row = pass_row(chunk, state, BUFFER_SCRATCH, t);
        if (recurrence_begins(chunk, t)) memset(memory, 0, size * sizeof *memory);
        write_and_read(sizes, memory, row + own, row + keys + own, row + 2 * keys + head * sizes->value_dim,
                       pass_row(chunk, state, BUFFER_DECAY, t)[head],
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

/* ---- the block ---- */

static Status project_all(const Pass *pass, Error *error) {
    static const struct {
        TensorPart weight;
        Buffer to;
    } PROJECTIONS[] = {{TENSOR_PART_DELTA_IN, BUFFER_SCRATCH},
                       {TENSOR_PART_DELTA_GATE, BUFFER_ATTENTION_GATE},
                       {TENSOR_PART_DELTA_WRITE, BUFFER_WRITE},
                       {TENSOR_PART_DELTA_STEP, BUFFER_DECAY}};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof PROJECTIONS / sizeof *PROJECTIONS && status == STATUS_OK; i++)
        status = pass_project_part(pass, PROJECTIONS[i].weight, BUFFER_NORMED, PROJECTIONS[i].to, error);
    return status;
}

static Activation activation_of(const ModelConfig *config) {
    return config->activation;
}

Status block_delta_run(const Pass *pass, Error *error) {
    const Chunk *chunk = &pass->chunk;
    const ModelConfig *config = chunk->states[0]->side->config;
    DeltaStep heads = {chunk, config->recurrent.value_heads};
    const ChannelConvolution convolution = {.buffer = BUFFER_SCRATCH,
                                            .channels = architecture_delta_channels(config),
                                            .weight = TENSOR_PART_DELTA_CONVOLUTION,
                                            .bias = TENSOR_PART_COUNT,
                                            .activation = activation_of};
    bool is_fused = architecture_needs(forward_plan(chunk->states[0], chunk->layer), TENSOR_PART_DELTA_FUSED);
    Status status = is_fused ? project_fused(pass, error) : project_all(pass, error);
    if (status == STATUS_OK) status = channel_convolution_run(pass, &convolution, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, prepare_token, error);
    if (status == STATUS_OK)
        status = job_run(chunk->job, heads.tasks * chunk->state_count, run_head, &heads, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, gate_token, error);
    if (status != STATUS_OK) return status;
    return pass_project_part(pass, TENSOR_PART_DELTA_OUT, BUFFER_MIXED, BUFFER_ADDED, error);
}
