#include "core/transformer/pass.h"

enum { TOKEN_BLOCK = 8 /* tokens a task of the element-wise steps */ };

typedef struct TokenStep {
    const Chunk *chunk;
    TokenFunction function;
    size_t blocks;
} TokenStep;

static void run_token_block(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const TokenStep *step = argument;
    const Chunk *chunk = step->chunk;
    size_t first = task % step->blocks * TOKEN_BLOCK, end = first + TOKEN_BLOCK;
    if (end > chunk->tokens) end = chunk->tokens;
    for (size_t token = first; token < end; token++)
        step->function(chunk, chunk->states[task / step->blocks], token);
}

Status pass_for_tokens(const Pass *pass, TokenFunction function, Error *error) {
    const Chunk *chunk = &pass->chunk;
    TokenStep step = {chunk, function, (chunk->tokens + TOKEN_BLOCK - 1) / TOKEN_BLOCK};
    return job_run(chunk->job, step.blocks * chunk->state_count, run_token_block, &step, error);
}

float *pass_row(const Chunk *chunk, ForwardState *state, Buffer buffer, size_t token) {
    const ModelConfig *config = state->side->config;
    return state->buffers[buffer] +
           token * forward_layer_width(config, architecture_layer(config, chunk->layer), buffer);
}

void pass_norm_part(const Chunk *chunk, ForwardState *state, size_t token, TensorPart part, Buffer buffer) {
    const ModelConfig *config = state->side->config;
    const LayerPlan *plan = architecture_layer(config, chunk->layer);
    const float *weight = forward_part(state, chunk->layer, part);
    if (weight == NULL) return;
    const Norm norm = {.kind = config->norm,
                       .weight = weight,
                       .size = forward_layer_width(config, plan, buffer),
                       .epsilon = config->norm_epsilon};
    float *row = pass_row(chunk, state, buffer, token);
    norm_forward(&norm, row, row);
}

Status pass_project(const Pass *pass, Projection projection, Error *error) {
    const Chunk *chunk = &pass->chunk;
    const ModelConfig *config = chunk->states[0]->model->config;
    for (size_t i = 0; i < chunk->state_count; i++) {
        ForwardState *state = chunk->states[i];
        const PairTensor *tensor = state->model->layers[chunk->layer].tensors[projection.weight];
        pass->operands[i] = (MatmulOperand){.blend = settings_blend(&state->settings, tensor),
                                            .bias = forward_vector(state, chunk->layer, projection.bias),
                                            .x = state->buffers[projection.from],
                                            .y = state->buffers[projection.to]};
    }
    if (!config->is_transposed)
        return matmul_run(pass->operands, chunk->state_count, chunk->tokens, pass->scratch, chunk->job,
                          error);
    return matmul_run_back(pass->operands, chunk->state_count, chunk->tokens, false, pass->scratch,
                           chunk->job, error);
}

Status pass_project_tensor(const Pass *pass, const PairTensor *tensor, Buffer from, Buffer to, Error *error) {
    const Chunk *chunk = &pass->chunk;
    for (size_t i = 0; i < chunk->state_count; i++) {
        ForwardState *state = chunk->states[i];
        pass->operands[i] = (MatmulOperand){.blend = settings_blend(&state->settings, tensor),
                                            .x = state->buffers[from],
                                            .y = state->buffers[to]};
    }
    return matmul_run(pass->operands, chunk->state_count, chunk->tokens, pass->scratch, chunk->job, error);
}

Status pass_project_part(const Pass *pass, TensorPart part, Buffer from, Buffer to, Error *error) {
    const Chunk *chunk = &pass->chunk;
    return pass_project_tensor(pass, chunk->states[0]->model->layers[chunk->layer].parts[part], from, to,
                               error);
}

Status pass_project_biased(const Pass *pass, TensorPart weight, TensorPart bias, Buffer from, Buffer to,
                           Error *error) {
    const Chunk *chunk = &pass->chunk;
    for (size_t i = 0; i < chunk->state_count; i++) {
        ForwardState *state = chunk->states[i];
        const PairTensor *tensor = state->model->layers[chunk->layer].parts[weight];
        pass->operands[i] = (MatmulOperand){.blend = settings_blend(&state->settings, tensor),
                                            .bias = forward_part(state, chunk->layer, bias),
                                            .x = state->buffers[from],
                                            .y = state->buffers[to]};
    }
    return matmul_run(pass->operands, chunk->state_count, chunk->tokens, pass->scratch, chunk->job, error);
}

void pass_observe_state(const Pass *pass, size_t state, ForwardSite site, Buffer buffer,
                        const ExpertRows *rows) {
    const Chunk *chunk = &pass->chunk;
    const ModelConfig *config = chunk->states[state]->side->config;
    if (pass->input->observer == NULL) return;
    /* the stream behind the last layer is as wide as before it */
    uint64_t layer = chunk->layer < config->layers ? chunk->layer : config->layers - 1;
    ForwardMoment moment = {.site = site,
                            .layer = chunk->layer,
                            .state = state,
                            .first = pass->done,
                            .tokens = chunk->tokens,
                            .values = chunk->states[state]->buffers[buffer],
                            .width = forward_layer_width(config, architecture_layer(config, layer), buffer),
                            .rows = rows};
    pass->input->observer(pass->input->user, &moment);
}

void pass_observe(const Pass *pass, ForwardSite site, Buffer buffer) {
    for (size_t i = 0; i < pass->chunk.state_count; i++) pass_observe_state(pass, i, site, buffer, NULL);
}
