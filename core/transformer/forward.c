#include "core/transformer/forward.h"

#include "core/support/memory.h"
#include "core/transformer/activation.h"
#include "core/transformer/attention.h"
#include "core/transformer/forward_internal.h"
#include "core/transformer/norm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_TOKENS = 512, /* more would only make a cancellation slower */
    SMALLEST_CHUNK = 16,
    ACTIVATION_BUDGET = 64 << 20, /* bytes, for all states together */
    TOKEN_BLOCK = 8               /* tokens a task of the element-wise steps */
};

/* ---- the arithmetic of one token ---- */

/* Rotates (x[i], x[i + d/2]) by the angle of frequency i. */
static void rotate(float *x, size_t dim, const float *cosines, const float *sines) {
    size_t half = dim / 2;
    for (size_t i = 0; i < half; i++) {
        float a = x[i], b = x[i + half];
        x[i] = a * cosines[i] - b * sines[i];
        x[i + half] = b * cosines[i] + a * sines[i];
    }
}

/* ---- steps over the chunk's tokens ---- */

typedef struct TokenStep TokenStep;
typedef void (*TokenFunction)(const Chunk *chunk, ForwardState *state, size_t token);

struct TokenStep {
    const Chunk *chunk;
    TokenFunction function;
    size_t blocks;
};

static void run_token_block(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const TokenStep *step = argument;
    const Chunk *chunk = step->chunk;
    size_t first = task % step->blocks * TOKEN_BLOCK, end = first + TOKEN_BLOCK;
    if (end > chunk->tokens) end = chunk->tokens;
    for (size_t token = first; token < end; token++)
        step->function(chunk, chunk->states[task / step->blocks], token);
}

static Status for_tokens(const Chunk *chunk, TokenFunction function, Error *error) {
    TokenStep step = {chunk, function, (chunk->tokens + TOKEN_BLOCK - 1) / TOKEN_BLOCK};
    return job_run(chunk->job, step.blocks * chunk->state_count, run_token_block, &step, error);
}

static float *token_row(ForwardState *state, Buffer buffer, size_t token) {
    return state->buffers[buffer] + token * forward_buffer_width(state->model->config, buffer);
}

static void norm_residual(const Chunk *chunk, ForwardState *state, size_t token, TensorRole role) {
    const ModelConfig *config = state->side->config;
    norm_forward(token_row(state, BUFFER_RESIDUAL, token), forward_vector(state, chunk->layer, role),
                 config->hidden_size, config->norm_epsilon, token_row(state, BUFFER_NORMED, token));
}

static void add_to_residual(ForwardState *state, size_t token) {
    float *residual = token_row(state, BUFFER_RESIDUAL, token);
    const float *added = token_row(state, BUFFER_NORMED, token);
    for (size_t i = 0; i < state->model->config->hidden_size; i++) residual[i] += added[i];
}

static void embed(const Chunk *chunk, ForwardState *state, size_t token) {
    Blend blend = settings_blend(&state->settings, state->model->tensors[TENSOR_EMBEDDING]);
    blend_rows(&blend, (size_t)chunk->ids[token], 1, token_row(state, BUFFER_RESIDUAL, token));
}

static void norm_for_attention(const Chunk *chunk, ForwardState *state, size_t token) {
    norm_residual(chunk, state, token, TENSOR_ATTENTION_NORM);
}

static void add_and_norm_for_mlp(const Chunk *chunk, ForwardState *state, size_t token) {
    add_to_residual(state, token);
    norm_residual(chunk, state, token, TENSOR_MLP_NORM);
}

static void add_mlp(const Chunk *chunk, ForwardState *state, size_t token) {
    (void)chunk;
    add_to_residual(state, token);
}

static void position_head(const Chunk *chunk, const ForwardState *state, size_t token, float *head,
                          TensorRole norm) {
    const ModelConfig *config = state->side->config;
    size_t dim = config->head_dim;
    const float *weight = forward_vector(state, chunk->layer, norm);
    if (weight != NULL) norm_forward(head, weight, dim, config->norm_epsilon, head);
    bool is_base = state->side == &state->model->base;
    rotate(head, dim, chunk->cosines[is_base] + token * dim / 2, chunk->sines[is_base] + token * dim / 2);
}

/* q/k norms, rotary embedding, and keys and values into the cache. */
static void position_and_cache(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    size_t dim = config->head_dim;
    float *query = token_row(state, BUFFER_QUERY, token), *key = token_row(state, BUFFER_KEY, token);
    const float *value = token_row(state, BUFFER_VALUE, token);
    for (uint64_t h = 0; h < config->heads; h++)
        position_head(chunk, state, token, query + h * dim, TENSOR_Q_NORM);
    for (uint64_t h = 0; h < config->kv_heads; h++) {
        position_head(chunk, state, token, key + h * dim, TENSOR_K_NORM);
        size_t cell =
            ((chunk->layer * config->kv_heads + h) * state->capacity + chunk_cell(chunk, token)) * dim;
        memcpy(state->keys + cell, key + h * dim, dim * sizeof *key);
        memcpy(state->values + cell, value + h * dim, dim * sizeof *value);
    }
}

static void activate_gate(const Chunk *chunk, ForwardState *state, size_t token) {
    (void)chunk;
    const ModelConfig *config = state->side->config;
    float *gate = token_row(state, BUFFER_GATE, token);
    const float *up = token_row(state, BUFFER_UP, token);
    for (size_t i = 0; i < config->intermediate_size; i++)
        gate[i] = activation_value(config->activation, gate[i]) * up[i];
}

/* ---- the network ---- */

typedef struct Projection {
    TensorRole weight, bias;
    Buffer from, to;
} Projection;

typedef struct Pass {
    Chunk chunk;
    const ForwardInput *input;
    size_t done;             /* tokens of the input before this chunk */
    MatmulOperand *operands; /* [state_count] */
    MatmulScratch *scratch;
} Pass;

static Status project(const Pass *pass, Projection projection, Error *error) {
    const Chunk *chunk = &pass->chunk;
    for (size_t i = 0; i < chunk->state_count; i++) {
        ForwardState *state = chunk->states[i];
        const PairTensor *tensor = state->model->layers[chunk->layer].tensors[projection.weight];
        pass->operands[i] = (MatmulOperand){.blend = settings_blend(&state->settings, tensor),
                                            .bias = forward_vector(state, chunk->layer, projection.bias),
                                            .x = state->buffers[projection.from],
                                            .y = state->buffers[projection.to]};
    }
    return matmul_run(pass->operands, chunk->state_count, chunk->tokens, pass->scratch, chunk->job, error);
}

static void observe(const Pass *pass, ForwardSite site, Buffer buffer) {
    const Chunk *chunk = &pass->chunk;
    if (pass->input->observer == NULL) return;
    for (size_t i = 0; i < chunk->state_count; i++) {
        ForwardMoment moment = {.site = site,
                                .layer = chunk->layer,
                                .state = i,
                                .first = pass->done,
                                .tokens = chunk->tokens,
                                .values = chunk->states[i]->buffers[buffer],
                                .width = forward_buffer_width(chunk->states[i]->model->config, buffer)};
        pass->input->observer(pass->input->user, &moment);
    }
}

static Status run_attention(const Pass *pass, Error *error) {
    static const Projection QUERY = {TENSOR_Q, TENSOR_Q_BIAS, BUFFER_NORMED, BUFFER_QUERY};
    static const Projection KEY = {TENSOR_K, TENSOR_K_BIAS, BUFFER_NORMED, BUFFER_KEY};
    static const Projection VALUE = {TENSOR_V, TENSOR_V_BIAS, BUFFER_NORMED, BUFFER_VALUE};
    static const Projection OUTPUT = {TENSOR_O, TENSOR_O_BIAS, BUFFER_MIXED, BUFFER_NORMED};
    const Chunk *chunk = &pass->chunk;
    observe(pass, FORWARD_LAYER_INPUT, BUFFER_RESIDUAL);
    Status status = for_tokens(chunk, norm_for_attention, error);
    if (status == STATUS_OK) status = project(pass, QUERY, error);
    if (status == STATUS_OK) status = project(pass, KEY, error);
    if (status == STATUS_OK) status = project(pass, VALUE, error);
    if (status != STATUS_OK) return status;
    observe(pass, FORWARD_QUERY, BUFFER_QUERY);
    observe(pass, FORWARD_KEY, BUFFER_KEY);
    observe(pass, FORWARD_VALUE, BUFFER_VALUE);
    status = for_tokens(chunk, position_and_cache, error);
    if (status == STATUS_OK) status = attention_run(chunk, error);
    if (status != STATUS_OK) return status;
    observe(pass, FORWARD_MIXED, BUFFER_MIXED);
    status = project(pass, OUTPUT, error);
    if (status == STATUS_OK) status = for_tokens(chunk, add_and_norm_for_mlp, error);
    return status;
}

/* Up to the input of down. */
static Status run_gate(const Pass *pass, Error *error) {
    static const Projection GATE = {TENSOR_GATE, TENSOR_GATE_BIAS, BUFFER_NORMED, BUFFER_GATE};
    static const Projection UP = {TENSOR_UP, TENSOR_UP_BIAS, BUFFER_NORMED, BUFFER_UP};
    const Chunk *chunk = &pass->chunk;
    observe(pass, FORWARD_MIDDLE, BUFFER_RESIDUAL);
    Status status = project(pass, GATE, error);
    if (status == STATUS_OK) status = project(pass, UP, error);
    if (status != STATUS_OK) return status;
    observe(pass, FORWARD_GATE, BUFFER_GATE);
    observe(pass, FORWARD_UP, BUFFER_UP);
    status = for_tokens(chunk, activate_gate, error);
    if (status != STATUS_OK) return status;
    observe(pass, FORWARD_ACTIVATED, BUFFER_GATE);
    return STATUS_OK;
}

static Status run_mlp(const Pass *pass, Error *error) {
    static const Projection DOWN = {TENSOR_DOWN, TENSOR_DOWN_BIAS, BUFFER_GATE, BUFFER_NORMED};
    Status status = run_gate(pass, error);
    if (status == STATUS_OK) status = project(pass, DOWN, error);
    if (status == STATUS_OK) status = for_tokens(&pass->chunk, add_mlp, error);
    return status;
}

/* What a call allocates for its chunks, all of it released in one place. */
typedef struct Workspace {
    MatmulOperand *operands;
    float *cosines[2], *sines[2]; /* [chunk × head_dim / 2]: SFT's, base's */
    float *scores;
} Workspace;

/* cos and sin of position × frequency. The product is rounded to float32 first, as transformers does. */
static void compute_angles(const Chunk *chunk, const ModelSide *side, float *cosines, float *sines) {
    size_t half = side->config->head_dim / 2;
    double scale = side->config->rope.attention_factor;
    for (size_t t = 0; t < chunk->tokens; t++) {
        float position = (float)chunk_position(chunk, t);
        for (size_t i = 0; i < half; i++) {
            float angle = position * side->inverse_frequencies[i];
            cosines[t * half + i] = (float)(cos((double)angle) * scale);
            sines[t * half + i] = (float)(sin((double)angle) * scale);
        }
    }
}

/* Base's states and the others' turn by frequencies of their own. */
static void compute_all_angles(const Chunk *chunk, const Workspace *workspace) {
    const Model *model = chunk->states[0]->model;
    bool wanted[2] = {false, false};
    for (size_t i = 0; i < chunk->state_count; i++) wanted[chunk->states[i]->side == &model->base] = true;
    for (int is_base = 0; is_base < 2; is_base++) {
        if (wanted[is_base])
            compute_angles(chunk, is_base ? &model->base : &model->sft, workspace->cosines[is_base],
                           workspace->sines[is_base]);
    }
}

static void finish_tokens(const Chunk *chunk, size_t done) {
    for (size_t i = 0; i < chunk->state_count; i++) {
        ForwardState *state = chunk->states[i];
        const ModelConfig *config = state->side->config;
        const float *weight = forward_vector(state, config->layers, TENSOR_FINAL_NORM);
        for (size_t t = 0; t < chunk->tokens; t++)
            norm_forward(token_row(state, BUFFER_RESIDUAL, t), weight, config->hidden_size,
                         config->norm_epsilon, state->hidden + (done + t) * config->hidden_size);
    }
}

static Status run_chunk(Pass *pass, const ForwardInput *input, size_t done, Error *error) {
    const Chunk *chunk = &pass->chunk;
    uint64_t layers = chunk->states[0]->model->config->layers;
    Status status = for_tokens(chunk, embed, error);
    for (uint64_t layer = 0; layer < layers && status == STATUS_OK; layer++) {
        pass->chunk.layer = layer;
        uint64_t reached = input->done + done * layers + layer * chunk->tokens;
        uint64_t total = input->total > 0 ? input->total : input->count * layers;
        if (!job_report(chunk->job, input->stage != NULL ? input->stage : "forward", reached, total))
            return job_cancelled(error);
        status = run_attention(pass, error);
        if (status == STATUS_OK) status = run_mlp(pass, error);
    }
    if (status != STATUS_OK) return status;
    pass->chunk.layer = layers;
    observe(pass, FORWARD_LAYER_INPUT, BUFFER_RESIDUAL);
    finish_tokens(chunk, done);
    return STATUS_OK;
}

static size_t choose_chunk(const ModelConfig *config, size_t states, size_t tokens) {
    size_t width = 0;
    for (int i = 0; i < BUFFER_COUNT; i++) width += forward_buffer_width(config, (Buffer)i);
    size_t most = ACTIVATION_BUDGET / (width * sizeof(float) * states);
    if (most < SMALLEST_CHUNK) most = SMALLEST_CHUNK;
    if (most > CHUNK_TOKENS) most = CHUNK_TOKENS;
    return most < tokens ? most : tokens;
}

/* Beyond the longest context that a dynamic rotary embedding knows, every token would turn all tokens before it. */
static Status check_positions(const ForwardState *state, const ForwardInput *input, Error *error) {
    uint64_t longest = state->side->config->rope.longest;
    if (longest == 0) return STATUS_OK;
    for (size_t i = 0; i < input->count; i++) {
        const Chunk all = {.first = state->length, .starts = input->starts, .places = input->places};
        if (chunk_position(&all, i) >= longest)
            return status_fail(
                error, STATUS_UNSUPPORTED,
                "a dynamic rotary embedding: expected at most %zu tokens (max_position_embeddings), "
                "found more; beyond them its frequencies are not known",
                (size_t)longest);
    }
    return STATUS_OK;
}

static bool is_place(const ForwardPlace *place, size_t capacity) {
    return place->first <= place->cell && place->cell < capacity && place->prefix <= capacity &&
           place->prefix_count <= capacity - place->prefix;
}

/* The most keys that a token of the input sees. */
static size_t count_keys(const ForwardState *state, const ForwardInput *input) {
    size_t most = state->length + input->count;
    if (input->places == NULL) return most;
    most = 0;
    for (size_t i = 0; i < input->count; i++) {
        const ForwardPlace *place = &input->places[i];
        size_t keys = place->prefix_count + place->cell - place->first + 1;
        if (keys > most) most = keys;
    }
    return most;
}

static Status check_input(ForwardState *const *states, size_t count, const ForwardInput *input,
                          Error *error) {
    const ForwardState *state = states[0];
    uint64_t vocabulary = state->model->tensors[TENSOR_EMBEDDING]->sft->rows;
    for (size_t i = 0; i < count; i++) {
        if (states[i]->model != state->model || states[i]->length != state->length)
            return status_fail(error, STATUS_ARGUMENT,
                               "states of different models or lengths cannot run together");
        if (input->places == NULL && input->count > states[i]->capacity - states[i]->length)
            return status_fail(error, STATUS_ARGUMENT,
                               "%zu tokens do not fit: the cache holds %zu of at most %zu", input->count,
                               states[i]->length, states[i]->capacity);
    }
    for (size_t i = 0; i < input->count; i++) {
        if (input->ids[i] < 0 || (uint64_t)input->ids[i] >= vocabulary)
            return status_fail(error, STATUS_ARGUMENT, "token id %d is outside the vocabulary of %zu",
                               input->ids[i], (size_t)vocabulary);
        if (input->starts != NULL && input->starts[i] > state->length + i)
            return status_fail(error, STATUS_ARGUMENT, "token %zu starts after itself", i);
        if (input->places != NULL && !is_place(&input->places[i], state->capacity))
            return status_fail(error, STATUS_ARGUMENT, "token %zu has no place in the cache", i);
    }
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = check_positions(states[i], input, error);
    return status;
}

static Status reserve(Workspace *workspace, ForwardState *const *states, size_t count,
                      const ForwardInput *input, size_t chunk, const Job *job, Error *error) {
    size_t half = states[0]->model->config->head_dim / 2, score_row, block;
    if (!memory_multiply(count_keys(states[0], input), ATTENTION_BLOCK * sizeof(float), &score_row) ||
        !memory_multiply(chunk, sizeof(float), &block))
        return memory_fail(error, "a forward pass");
    workspace->operands = memory_allocate(count, sizeof *workspace->operands);
    bool complete = true;
    for (int i = 0; i < 2; i++) {
        workspace->cosines[i] = memory_allocate_aligned(half, block);
        workspace->sines[i] = memory_allocate_aligned(half, block);
        complete = complete && workspace->cosines[i] != NULL && workspace->sines[i] != NULL;
    }
    workspace->scores = memory_allocate_aligned(job_threads(job), score_row);
    if (!complete || workspace->operands == NULL || workspace->scores == NULL)
        return memory_fail(error, "a forward pass");
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = forward_reserve_buffers(states[i], chunk, error);
        if (status == STATUS_OK) status = forward_reserve_hidden(states[i], input->count, error);
    }
    return status;
}

static void release(Workspace *workspace) {
    free(workspace->operands);
    for (int i = 0; i < 2; i++) {
        free(workspace->cosines[i]);
        free(workspace->sines[i]);
    }
    free(workspace->scores);
}

Status forward_run(ForwardState *const *states, size_t count, const ForwardInput *input,
                   MatmulScratch *scratch, Job *job, Error *error) {
    if (count == 0 || input->count == 0) return STATUS_OK;
    Status status = check_input(states, count, input, error);
    if (status != STATUS_OK) return status;
    Workspace workspace = {0};
    size_t chunk_tokens = choose_chunk(states[0]->model->config, count, input->count),
           before = states[0]->length;
    size_t keys = count_keys(states[0], input);
    status = reserve(&workspace, states, count, input, chunk_tokens, job, error);
    for (size_t done = 0; done < input->count && status == STATUS_OK; done += chunk_tokens) {
        size_t tokens = input->count - done < chunk_tokens ? input->count - done : chunk_tokens;
        Pass pass = {.input = input, .done = done, .operands = workspace.operands, .scratch = scratch};
        pass.chunk = (Chunk){.states = states,
                             .state_count = count,
                             .ids = input->ids + done,
                             .tokens = tokens,
                             .first = before + done,
                             .starts = input->starts == NULL ? NULL : input->starts + done,
                             .places = input->places == NULL ? NULL : input->places + done,
                             .cosines = {workspace.cosines[0], workspace.cosines[1]},
                             .sines = {workspace.sines[0], workspace.sines[1]},
                             .scores = workspace.scores,
                             .score_stride = keys,
                             .job = job};
        compute_all_angles(&pass.chunk, &workspace);
        status = run_chunk(&pass, input, done, error);
        for (size_t i = 0; i < count && status == STATUS_OK && input->places == NULL; i++)
            states[i]->length += tokens;
    }
    if (status != STATUS_OK) {
        for (size_t i = 0; i < count; i++) states[i]->length = before;
    }
    release(&workspace);
    return status;
}

Status forward_replay_layer(ForwardState *state, uint64_t layer, const float *residual,
                            const ForwardInput *input, MatmulScratch *scratch, Job *job, Error *error) {
    Workspace workspace = {0};
    size_t length = state->length;
    state->length = 0; /* the layer is run from the first token again, over its own part of the cache */
    Status status = reserve(&workspace, &state, 1, input, input->count, job, error);
    if (status == STATUS_OK) {
        Pass pass = {.input = input, .operands = workspace.operands, .scratch = scratch};
        pass.chunk = (Chunk){.states = &state,
                             .state_count = 1,
                             .ids = input->ids,
                             .tokens = input->count,
                             .starts = input->starts,
                             .cosines = {workspace.cosines[0], workspace.cosines[1]},
                             .sines = {workspace.sines[0], workspace.sines[1]},
                             .scores = workspace.scores,
                             .score_stride = input->count,
                             .layer = layer,
                             .job = job};
        compute_all_angles(&pass.chunk, &workspace);
        size_t width = state->model->config->hidden_size;
        memcpy(state->buffers[BUFFER_RESIDUAL], residual, input->count * width * sizeof *residual);
        status = run_attention(&pass, error);
        if (status == STATUS_OK) status = run_gate(&pass, error);
    }
    state->length = length;
    release(&workspace);
    return status;
}

/* ---- logits ---- */

bool forward_has_logits(const Model *model) {
    return model_has_logits(model);
}

Status forward_check_logits(const Model *model, Error *error) {
    return model_check_logits(model, error);
}

size_t forward_vocabulary(const Model *model) {
    return model->tensors[TENSOR_EMBEDDING]->sft->rows; /* and of the head's: the model checks that */
}

Status forward_logits(const Model *model, const ForwardHead *heads, size_t count, size_t tokens,
                      MatmulScratch *scratch, Job *job, Error *error) {
    Status status = model_check_logits(model, error);
    if (status != STATUS_OK) return status;
    MatmulOperand *operands = memory_allocate(count, sizeof *operands);
    if (operands == NULL) return memory_fail(error, "logits");
    for (size_t i = 0; i < count; i++)
        operands[i] = (MatmulOperand){.blend = settings_blend(heads[i].settings, model->tensors[TENSOR_HEAD]),
                                      .x = heads[i].hidden,
                                      .y = heads[i].logits};
    status = matmul_run(operands, count, tokens, scratch, job, error);
    free(operands);
    return status;
}

float forward_logit(const Model *model, const Settings *settings, const float *hidden, int32_t token) {
    Blend blend = settings_blend(settings, model->tensors[TENSOR_HEAD]);
    float logit;
    blend_multiply_vector(&blend, (size_t)token, 1, hidden, &logit);
    return logit;
}
