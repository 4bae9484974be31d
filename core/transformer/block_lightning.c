#include "core/transformer/block_lightning.h"

#include "core/transformer/activation.h"
#include "core/transformer/recurrence.h"

#include <math.h>
#include <string.h>

static const double NORM_EPSILON = 1e-6; /* whatever the model's is */

typedef struct LightningStep {
    const Chunk *chunk;
    size_t heads; /* of one state */
} LightningStep;

/* One head: what its text has left behind, and what its places in a block weigh. */
typedef struct Head {
    size_t dim, block;
    float *memory, *keys, *values;
    const float *of_memory, *into_memory, *of_block; /* [block], [block], [block × block] */
    double slope;
} Head;

static Head find_head(const Chunk *chunk, const ForwardState *state, size_t head) {
    const RecurrentSizes *sizes = &state->side->config->recurrent;
    const size_t dim = sizes->value_dim, block = sizes->block;
    float *own = recurrence_of_layer(state, chunk->layer) + head * dim * (dim + 2 * block);
    return (Head){
        .dim = dim,
        .block = block,
        .memory = own,
        .keys = own + dim * dim,
        .values = own + dim * (dim + block),
        .of_memory = forward_part(state, chunk->layer, TENSOR_PART_LIGHTNING_QUERY_DECAY) + head * block,
        .into_memory = forward_part(state, chunk->layer, TENSOR_PART_LIGHTNING_KEY_DECAY) + head * block,
        .of_block =
            forward_part(state, chunk->layer, TENSOR_PART_LIGHTNING_BLOCK_DECAY) + head * block * block,
        .slope = (double)forward_part(state, chunk->layer, TENSOR_PART_LIGHTNING_SLOPE)[head]};
}

static void add_scaled(float *to, const float *from, size_t size, float scale) {
    for (size_t i = 0; i < size; i++) to[i] += scale * from[i];
}

static float dot(const float *a, const float *b, size_t size) {
    float sum = 0.0F;
    for (size_t i = 0; i < size; i++) sum += a[i] * b[i];
    return sum;
}

static void read_token(const Head *head, size_t place, const float *query, float *out) {
    const float *decay = head->of_block + place * head->block;
    memset(out, 0, head->dim * sizeof *out);
    for (size_t i = 0; i < head->dim; i++)
        add_scaled(out, head->memory + i * head->dim, head->dim, query[i] * head->of_memory[place]);
    for (size_t j = 0; j <= place; j++)
        add_scaled(out, head->values + j * head->dim, head->dim,
                   decay[j] * dot(query, head->keys + j * head->dim, head->dim));
}

/* What a block that is full leaves behind. */
static void keep_block(const Head *head) {
    const float falls = (float)exp(-head->slope * (double)head->block);
    for (size_t i = 0; i < head->dim * head->dim; i++) head->memory[i] *= falls;
    for (size_t j = 0; j < head->block; j++)
        for (size_t i = 0; i < head->dim; i++)
            add_scaled(head->memory + i * head->dim, head->values + j * head->dim, head->dim,
                       head->keys[j * head->dim + i] * head->into_memory[j]);
}

/* One head over all tokens, in their order. */
static void run_head(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const LightningStep *step = argument;
    const Chunk *chunk = step->chunk;
    ForwardState *state = chunk->states[task / step->heads];
    const size_t own = task % step->heads;
    const Head head = find_head(chunk, state, own);
    for (size_t t = 0; t < chunk->tokens; t++) {
        const float *query = pass_row(chunk, state, BUFFER_QKV, t) + 3 * own * head.dim;
        const size_t place = chunk_position(chunk, t) % head.block;
        if (recurrence_begins(chunk, t)) memset(head.memory, 0, head.dim * head.dim * sizeof *head.memory);
        memcpy(head.keys + place * head.dim, query + head.dim, head.dim * sizeof *query);
        memcpy(head.values + place * head.dim, query + 2 * head.dim, head.dim * sizeof *query);
        read_token(&head, place, query, pass_row(chunk, state, BUFFER_MIXED, t) + own * head.dim);
        if (place + 1 == head.block) keep_block(&head);
    }
}

static void activate(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    float *x = pass_row(chunk, state, BUFFER_QKV, token);
    for (size_t i = 0; i < 3 * architecture_delta_values(config); i++)
        x[i] = activation_value(config->activation, x[i]);
}

static Norm norm_of(const ForwardState *state, uint64_t layer) {
    return (Norm){.kind = NORM_RMS,
                  .weight = forward_part(state, layer, TENSOR_PART_LIGHTNING_NORM),
                  .size = architecture_delta_values(state->side->config),
                  .epsilon = NORM_EPSILON};
}

static void gate_token(const Chunk *chunk, ForwardState *state, size_t token) {
    const Norm norm = norm_of(state, chunk->layer);
    float *mixed = pass_row(chunk, state, BUFFER_MIXED, token);
    const float *gate = pass_row(chunk, state, BUFFER_ATTENTION_GATE, token);
    norm_forward(&norm, mixed, mixed);
    for (size_t i = 0; i < norm.size; i++) mixed[i] *= activation_value(ACTIVATION_SIGMOID, gate[i]);
}

Status block_lightning_run(const Pass *pass, Error *error) {
    const Chunk *chunk = &pass->chunk;
    LightningStep step = {chunk, chunk->states[0]->side->config->recurrent.value_heads};
    Status status = pass_project_part(pass, TENSOR_PART_LIGHTNING_QKV, BUFFER_NORMED, BUFFER_QKV, error);
    if (status == STATUS_OK)
        status =
            pass_project_part(pass, TENSOR_PART_LIGHTNING_GATE, BUFFER_NORMED, BUFFER_ATTENTION_GATE, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_PROJECTED, BUFFER_QKV);
    if (status == STATUS_OK) status = pass_for_tokens(pass, activate, error);
    if (status == STATUS_OK)
        status = job_run(chunk->job, step.heads * chunk->state_count, run_head, &step, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_ATTENDED, BUFFER_MIXED);
    if (status == STATUS_OK) status = pass_for_tokens(pass, gate_token, error);
    if (status != STATUS_OK) return status;
    return pass_project_part(pass, TENSOR_PART_LIGHTNING_OUT, BUFFER_MIXED, BUFFER_ADDED, error);
}

/* ---- the way back ---- */

/* One head of one sequence. */
typedef struct HeadDescent {
    const Descent *descent;
    const float *of_memory, *into_memory, *of_block; /* as of Head */
    float falls;
    size_t sequence, own, dim, block, tokens;
    float *memories; /* [blocks][dim × dim]: S where each block begins */
    float *slope;    /* [dim × dim]: dS */
} HeadDescent;

size_t block_lightning_scratch(const ModelConfig *config, size_t tokens) {
    const size_t dim = config->recurrent.value_dim, block = config->recurrent.block;
    return (tokens / block + 2) * dim * dim;
}

static size_t width_of(const HeadDescent *head) {
    return architecture_delta_values(descent_config(head->descent));
}

/* A token's query, key and value, one behind the other; and the gradients at them. */
static const float *query_of(const HeadDescent *head, size_t token) {
    return head->descent->backward->state->buffers[BUFFER_QKV] +
           3 * ((head->descent->spans[head->sequence].row + token) * width_of(head) + head->own * head->dim);
}

static float *query_slope(const HeadDescent *head, size_t token) {
    return descent_slope(head->descent, SLOPE_STORED, head->sequence, token) + 3 * head->own * head->dim;
}

/* At what the token read. */
static const float *read_slope(const HeadDescent *head, size_t token) {
    return descent_slope(head->descent, SLOPE_MIXED, head->sequence, token) + head->own * head->dim;
}

/* What the full block that begins at `first` leaves behind. */
static void advance(const HeadDescent *head, size_t first, const float *from, float *to) {
    const size_t dim = head->dim;
    for (size_t i = 0; i < dim * dim; i++) to[i] = head->falls * from[i];
    for (size_t j = 0; j < head->block; j++) {
        const float *key = query_of(head, first + j) + dim, *value = key + dim;
        for (size_t i = 0; i < dim; i++) add_scaled(to + i * dim, value, dim, key[i] * head->into_memory[j]);
    }
}

/* What token `place` of a block reads of it. */
static void descend_read(const HeadDescent *head, size_t first, size_t place, const float *memory) {
    const size_t dim = head->dim;
    const float *decay = head->of_block + place * head->block, *query = query_of(head, first + place),
                *read = read_slope(head, first + place);
    float *to = query_slope(head, first + place);
    for (size_t i = 0; i < dim; i++)
        to[i] += head->of_memory[place] * recurrence_dot(memory + i * dim, read, dim);
    for (size_t j = 0; j <= place; j++) {
        const float *key = query_of(head, first + j) + dim;
        float *to_key = query_slope(head, first + j) + dim;
        const float weight = decay[j] * recurrence_dot(read, key + dim, dim);
        add_scaled(to, key, dim, weight);
        add_scaled(to_key, query, dim, weight);
        add_scaled(to_key + dim, read, dim, decay[j] * recurrence_dot(query, key, dim));
    }
}

/* What a full block left behind, from dS to that at its begin, but for what it read. */
static void descend_memory(const HeadDescent *head, size_t first) {
    const size_t dim = head->dim;
    for (size_t j = 0; j < head->block; j++) {
        const float *key = query_of(head, first + j) + dim;
        const float own = head->into_memory[j];
        float *to = query_slope(head, first + j) + dim;
        for (size_t i = 0; i < dim; i++) {
            to[i] += own * recurrence_dot(head->slope + i * dim, key + dim, dim);
            add_scaled(to + dim, head->slope + i * dim, dim, own * key[i]);
        }
    }
    for (size_t i = 0; i < dim * dim; i++) head->slope[i] *= head->falls;
}

static void descend_block(const HeadDescent *head, size_t first, const float *memory) {
    const size_t dim = head->dim, left = head->tokens - first,
                 count = left < head->block ? left : head->block;
    if (left > head->block) descend_memory(head, first);
    for (size_t p = 0; p < count; p++) {
        const float *query = query_of(head, first + p), *read = read_slope(head, first + p);
        descend_read(head, first, p, memory);
        for (size_t i = 0; i < dim; i++)
            add_scaled(head->slope + i * dim, read, dim, head->of_memory[p] * query[i]);
    }
}

static void descend_head(void *argument, size_t task, unsigned worker) {
    const Descent *descent = argument;
    const ForwardState *state = descent->backward->state;
    const RecurrentSizes *sizes = &descent_config(descent)->recurrent;
    const size_t dim = sizes->value_dim, block = sizes->block, own = task % sizes->value_heads;
    const float slope = forward_part(state, descent->layer, TENSOR_PART_LIGHTNING_SLOPE)[own];
    HeadDescent head = {
        .descent = descent,
        .of_memory = forward_part(state, descent->layer, TENSOR_PART_LIGHTNING_QUERY_DECAY) + own * block,
        .into_memory = forward_part(state, descent->layer, TENSOR_PART_LIGHTNING_KEY_DECAY) + own * block,
        .of_block =
            forward_part(state, descent->layer, TENSOR_PART_LIGHTNING_BLOCK_DECAY) + own * block * block,
        .falls = (float)exp(-(double)slope * (double)block),
        .sequence = task / sizes->value_heads,
        .own = own,
        .dim = dim,
        .block = block,
        .slope = descent->scratch + (size_t)worker * descent->scratch_stride};
    head.tokens = descent->spans[head.sequence].tokens;
    head.memories = head.slope + dim * dim;
    if (head.tokens == 0) return;
    const size_t blocks = (head.tokens + block - 1) / block;
    memset(head.slope, 0, 2 * dim * dim * sizeof *head.slope); /* and the first begins with nothing */
    for (size_t t = 0; t < head.tokens; t++) memset(query_slope(&head, t), 0, 3 * dim * sizeof(float));
    for (size_t b = 1; b < blocks && !job_is_cancelled(descent->job); b++)
        advance(&head, (b - 1) * block, head.memories + (b - 1) * dim * dim, head.memories + b * dim * dim);
    for (size_t b = blocks; b-- > 0 && !job_is_cancelled(descent->job);)
        descend_block(&head, b * block, head.memories + b * dim * dim);
}

/* ---- the way back: around the heads ---- */

/* To the gate, and to what the norm gave. */
static void descend_gate(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const Backward *backward = descent->backward;
    const Norm norm = norm_of(backward->state, descent->layer);
    const size_t at = (descent->spans[sequence].row + token) * norm.size;
    const float *gate = backward->state->buffers[BUFFER_ATTENTION_GATE] + at;
    float *normed = descent->rows + (size_t)worker * 2 * descent->row_stride,
          *slope = descent_slope(descent, SLOPE_MIXED, sequence, token),
          *to = descent_slope(descent, SLOPE_ATTENTION_GATE, sequence, token);
    norm_forward(&norm, backward->copies[COPY_ATTENDED] + at, normed);
    for (size_t i = 0; i < norm.size; i++) {
        float open = activation_value(ACTIVATION_SIGMOID, gate[i]);
        to[i] = slope[i] * normed[i] * open * (1.0F - open);
        slope[i] *= open;
    }
}

static void descend_norm(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const Backward *backward = descent->backward;
    const Norm norm = norm_of(backward->state, descent->layer);
    float *through = descent->rows + (size_t)worker * 2 * descent->row_stride,
          *slope = descent_slope(descent, SLOPE_MIXED, sequence, token);
    memset(through, 0, norm.size * sizeof *through);
    norm_backward(&norm, backward->copies[COPY_ATTENDED] + (descent->spans[sequence].row + token) * norm.size,
                  slope, through);
    memcpy(slope, through, norm.size * sizeof *slope);
}

/* To queries, keys and values as they are projected. */
static void descend_activation(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const size_t width = descent_slope_width(descent, SLOPE_STORED);
    const float *raw =
        descent->backward->copies[COPY_PROJECTED] + (descent->spans[sequence].row + token) * width;
    float *to = descent_slope(descent, SLOPE_STORED, sequence, token);
    for (size_t i = 0; i < width; i++) {
        float value, slope;
        activation_differentiate(descent_config(descent)->activation, raw[i], &value, &slope);
        to[i] *= slope;
    }
}

Status block_lightning_descend(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    Descent own = *descent;
    Status status =
        descent_run_part(descent, TENSOR_PART_LIGHTNING_OUT, TENSOR_PART_COUNT,
                         backward->state->buffers[BUFFER_MIXED], descent->given, SLOPE_MIXED, false, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_gate, error);
    if (status == STATUS_OK)
        status = descent_give_part_norm(descent, TENSOR_PART_LIGHTNING_NORM,
                                        norm_of(backward->state, descent->layer),
                                        backward->copies[COPY_ATTENDED], SLOPE_MIXED, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_norm, error);
    if (status == STATUS_OK)
        status = job_run(descent->job, descent->count * descent_config(descent)->recurrent.value_heads,
                         descend_head, &own, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_activation, error);
    if (status == STATUS_OK)
        status = descent_run_part(descent, TENSOR_PART_LIGHTNING_QKV, TENSOR_PART_COUNT, descent->normed,
                                  SLOPE_STORED, SLOPE_NORMED, descent->accumulates, error);
    return status == STATUS_OK
               ? descent_run_part(descent, TENSOR_PART_LIGHTNING_GATE, TENSOR_PART_COUNT, descent->normed,
                                  SLOPE_ATTENTION_GATE, SLOPE_NORMED, true, error)
               : status;
}
