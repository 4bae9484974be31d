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

static void gate_token(const Chunk *chunk, ForwardState *state, size_t token) {
    const Norm norm = {.kind = NORM_RMS,
                       .weight = forward_part(state, chunk->layer, TENSOR_PART_LIGHTNING_NORM),
                       .size = architecture_delta_values(state->side->config),
                       .epsilon = NORM_EPSILON};
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
    if (status == STATUS_OK) status = pass_for_tokens(pass, activate, error);
    if (status == STATUS_OK)
        status = job_run(chunk->job, step.heads * chunk->state_count, run_head, &step, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, gate_token, error);
    if (status != STATUS_OK) return status;
    return pass_project_part(pass, TENSOR_PART_LIGHTNING_OUT, BUFFER_MIXED, BUFFER_ADDED, error);
}
