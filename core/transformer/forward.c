#include "core/transformer/forward.h"

#include "core/support/memory.h"
#include "core/transformer/attention.h"
#include "core/transformer/block_attention.h"
#include "core/transformer/block_common.h"
#include "core/transformer/block_compressed.h"
#include "core/transformer/block_connections.h"
#include "core/transformer/block_convolution.h"
#include "core/transformer/block_delta.h"
#include "core/transformer/block_experts.h"
#include "core/transformer/block_gated_recurrence.h"
#include "core/transformer/block_head_experts.h"
#include "core/transformer/block_latent.h"
#include "core/transformer/block_layer_input.h"
#include "core/transformer/block_lightning.h"
#include "core/transformer/block_mlp.h"
#include "core/transformer/block_selective.h"
#include "core/transformer/block_state_space.h"
#include "core/transformer/block_streams.h"
#include "core/transformer/embedding.h"
#include "core/transformer/recurrence.h"
#include "core/transformer/text_lengths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_TOKENS = 512, /* more would only make a cancellation slower */
    SMALLEST_CHUNK = 16,
    ACTIVATION_BUDGET = 64 << 20, /* bytes, for all states together */
};

/* ---- steps on the residual stream ---- */

/* The norm of that role from one buffer to another; where the model has none there, a copy. */
static void norm_row(const Chunk *chunk, ForwardState *state, size_t token, TensorRole role, bool has_norm,
                     Buffer from, Buffer to) {
    const float *x = pass_row(chunk, state, from, token);
    float *out = pass_row(chunk, state, to, token);
    Norm norm = forward_norm(state, chunk->layer, role);
    if (has_norm)
        norm_forward(&norm, x, out);
    else if (out != x)
        memcpy(out, x, norm.size * sizeof *out);
}

static NormPlaces norms_of(const Chunk *chunk, const ForwardState *state) {
    return architecture_norms(state->side->config, forward_plan(state, chunk->layer));
}

static bool has_norm_before(const Chunk *chunk, const ForwardState *state) {
    return norms_of(chunk, state) != NORMS_BEHIND && state->side->config->wiring != WIRING_AFTER;
}

static bool has_norm_behind(const Chunk *chunk, const ForwardState *state) {
    NormPlaces norms = norms_of(chunk, state);
    return norms == NORMS_AROUND || norms == NORMS_BEHIND;
}

static void norm_for_attention(const Chunk *chunk, ForwardState *state, size_t token) {
    bool has_norm = has_norm_before(chunk, state);
    bool has_common = architecture_needs(forward_plan(state, chunk->layer), TENSOR_PART_COMMON_NORM);
    Buffer from = has_common ? BUFFER_BESIDE : BUFFER_RESIDUAL;
    norm_row(chunk, state, token, TENSOR_ATTENTION_NORM, has_norm, from, BUFFER_NORMED);
}

static void norm_for_mlp(const Chunk *chunk, ForwardState *state, size_t token) {
    bool has_norm = has_norm_before(chunk, state);
    norm_row(chunk, state, token, TENSOR_MLP_NORM, has_norm, BUFFER_RESIDUAL, BUFFER_NORMED);
}

/* A block's norms, the one behind it and its only one, and the vector that scales the stream. */
typedef struct BlockEnd {
    TensorRole post, own;
    TensorPart residual;
} BlockEnd;

/* What a block gives, through the norm behind it, onto the stream, or onto the block's input; or all of it through the
 * block's only norm. */
static void add_block(const Chunk *chunk, ForwardState *state, size_t token, StreamScales scales,
                      BlockEnd end) {
    const ModelConfig *config = state->side->config;
    bool has_norm = has_norm_behind(chunk, state);
    float *residual = pass_row(chunk, state, BUFFER_RESIDUAL, token);
    const float kept = (float)scales.stream, scale = (float)(config->residual_scale * scales.block);
    const float *added = pass_row(chunk, state, BUFFER_ADDED, token), *stream = residual;
    if (config->residual_is_normed) stream = pass_row(chunk, state, BUFFER_NORMED, token);
    const float *own = forward_part(state, chunk->layer, end.residual);
    norm_row(chunk, state, token, end.post, has_norm, BUFFER_ADDED, BUFFER_ADDED);
    for (size_t i = 0; i < config->hidden_size; i++)
        residual[i] = stream[i] * (own != NULL ? own[i] : kept) + added[i] * scale;
    norm_row(chunk, state, token, end.own, config->wiring == WIRING_AFTER, BUFFER_RESIDUAL, BUFFER_RESIDUAL);
}

static void add_mlp(const Chunk *chunk, ForwardState *state, size_t token) {
    const BlockEnd end = {TENSOR_POST_MLP_NORM, TENSOR_MLP_NORM, TENSOR_PART_MLP_RESIDUAL};
    add_block(chunk, state, token, state->side->config->mlp_scales, end);
}

/* An MLP beside it has its own norm of the same input, where it has one. */
static void add_attention(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    bool is_beside = config->wiring == WIRING_PARALLEL && norms_of(chunk, state) != NORMS_ONE;
    if (is_beside) norm_for_mlp(chunk, state, token);
    const BlockEnd end = {TENSOR_POST_ATTENTION_NORM, TENSOR_ATTENTION_NORM, TENSOR_PART_ATTENTION_RESIDUAL};
    add_block(chunk, state, token, forward_plan(state, chunk->layer)->scales, end);
}

/* A layer of one block goes on to the next. */
static void norm_behind_attention(const Chunk *chunk, ForwardState *state, size_t token) {
    if (forward_plan(state, chunk->layer)->mlp == MLP_NONE) return;
    if (state->side->config->wiring != WIRING_PARALLEL) norm_for_mlp(chunk, state, token);
}

/* ---- a layer ---- */

static Status attend(const Pass *pass, Error *error) {
    const LayerPlan *plan = forward_plan(pass->chunk.states[0], pass->chunk.layer);
    if (architecture_needs(plan, TENSOR_PART_SHARED_KEY)) return block_compressed_run(pass, error);
    if (architecture_needs(plan, TENSOR_PART_QUERY_EXPERTS)) return block_head_experts_run(pass, error);
    return plan->latent.latent > 0 ? block_latent_run(pass, error) : block_attention_run(pass, error);
}

static Status mix_tokens(const Pass *pass, Error *error) {
    switch (forward_plan(pass->chunk.states[0], pass->chunk.layer)->mixer) {
    case MIXER_CONVOLUTION:
        return block_convolution_run(pass, error);
    case MIXER_DELTA:
        return block_delta_run(pass, error);
    case MIXER_STATE_SPACE:
        return block_state_space_run(pass, error);
    case MIXER_SELECTIVE:
        return block_selective_run(pass, error);
    case MIXER_GATED:
        return block_gated_recurrence_run(pass, error);
    case MIXER_LIGHTNING:
        return block_lightning_run(pass, error);
    case MIXER_ATTENTION:
    case MIXER_NONE:
        break;
    }
    return attend(pass, error);
}

/* Both of one input, each with its factors. */
static void keep_beside(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const float *added = pass_row(chunk, state, BUFFER_ADDED, token);
    float *beside = pass_row(chunk, state, BUFFER_BESIDE, token),
          *normed = pass_row(chunk, state, BUFFER_NORMED, token);
    for (size_t i = 0; i < config->hidden_size; i++) {
        beside[i] = added[i] * (float)config->state.out_scale;
        normed[i] *= (float)config->attention_in_scale;
    }
}

static void add_beside(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    const float *beside = pass_row(chunk, state, BUFFER_BESIDE, token);
    float *added = pass_row(chunk, state, BUFFER_ADDED, token);
    for (size_t i = 0; i < config->hidden_size; i++)
        added[i] = added[i] * (float)config->attention_out_scale + beside[i];
}

static Status run_beside(const Pass *pass, Error *error) {
    Status status = pass_for_tokens(pass, keep_beside, error);
    if (status == STATUS_OK) status = attend(pass, error);
    return status == STATUS_OK ? pass_for_tokens(pass, add_beside, error) : status;
}

static Status add_to_stream(const Pass *pass, TokenFunction add, Error *error) {
    return block_connections_are_there(pass) ? block_connections_add(pass, error)
                                             : pass_for_tokens(pass, add, error);
}

/* Up to the input of the MLP. */
static Status run_mixer(const Pass *pass, Error *error) {
    Status status = block_connections_take(pass, TENSOR_PART_ATTENTION_CONNECTION, error);
    pass_observe(pass, FORWARD_LAYER_INPUT, BUFFER_RESIDUAL);
    block_streams_observe(pass);
    const LayerPlan *plan = forward_plan(pass->chunk.states[0], pass->chunk.layer);
    if (status == STATUS_OK) status = block_streams_predict(pass, error);
    if (status == STATUS_OK) status = block_common_run(pass, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, norm_for_attention, error);
    if (plan->mixer == MIXER_NONE) return status;
    if (status == STATUS_OK) status = mix_tokens(pass, error);
    if (status == STATUS_OK && plan->attends_beside) status = run_beside(pass, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_ATTENTION_OUTPUT, BUFFER_ADDED);
    if (status == STATUS_OK) status = add_to_stream(pass, add_attention, error);
    if (status == STATUS_OK) status = block_connections_take(pass, TENSOR_PART_MLP_CONNECTION, error);
    if (status == STATUS_OK) status = block_streams_join(pass, error);
    if (status != STATUS_OK) return status;
    pass_observe(pass, FORWARD_MIDDLE, BUFFER_RESIDUAL);
    return pass_for_tokens(pass, norm_behind_attention, error);
}

static Status run_mlp(const Pass *pass, Error *error) {
    MlpKind kind = forward_plan(pass->chunk.states[0], pass->chunk.layer)->mlp;
    if (kind == MLP_NONE) return block_layer_input_run(pass, error);
    bool has_experts = kind == MLP_EXPERTS;
    Status status = has_experts ? block_experts_run(pass, error) : block_mlp_run(pass, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_MLP_OUTPUT, BUFFER_ADDED);
    if (status == STATUS_OK) status = add_to_stream(pass, add_mlp, error);
    if (status == STATUS_OK) status = block_streams_correct(pass, error);
    return status == STATUS_OK ? block_layer_input_run(pass, error) : status;
}

/* What a call allocates for its chunks, all of it released in one place. */
typedef struct Workspace {
    MatmulOperand *operands;
    Angles angles[2][MODEL_MAX_ROPES]; /* SFT's, base's */
    float *frequencies;
    size_t *lengths; /* [tokens of the input] */
    float *scores;
} Workspace;

/* ---- the network ---- */

static void finish_tokens(const Chunk *chunk, size_t done) {
    for (size_t i = 0; i < chunk->state_count; i++) {
        ForwardState *state = chunk->states[i];
        const ModelConfig *config = state->side->config;
        const Norm norm = forward_norm(state, config->layers, TENSOR_FINAL_NORM);
        for (size_t t = 0; t < chunk->tokens; t++) {
            const float *x = state->buffers[BUFFER_RESIDUAL] + t * norm.size;
            float *hidden = state->hidden + (done + t) * norm.size;
            if (config->lacks_final_norm)
                memcpy(hidden, x, norm.size * sizeof *hidden);
            else
                norm_forward(&norm, x, hidden);
        }
    }
}

static Status run_chunk(Pass *pass, const ForwardInput *input, size_t done, Error *error) {
    const Chunk *chunk = &pass->chunk;
    uint64_t layers = chunk->states[0]->model->config->layers;
    pass->chunk.layer = 0;
    Status status = embedding_run(pass, error);
    if (status == STATUS_OK) status = block_common_begin(pass, error);
    if (status == STATUS_OK) status = block_connections_begin(pass, error);
    for (uint64_t layer = 0; layer < layers && status == STATUS_OK; layer++) {
        pass->chunk.layer = layer;
        uint64_t reached = input->done + done * layers + layer * chunk->tokens;
        uint64_t total = input->total > 0 ? input->total : input->count * layers;
        if (!job_report(chunk->job, input->stage != NULL ? input->stage : "forward", reached, total))
            return job_cancelled(error);
        status = run_mixer(pass, error);
        if (status == STATUS_OK) status = run_mlp(pass, error);
    }
    if (status == STATUS_OK) status = block_streams_end(pass, error);
    if (status == STATUS_OK) status = block_connections_end(pass, error);
    if (status != STATUS_OK) return status;
    pass->chunk.layer = layers;
    pass_observe(pass, FORWARD_LAYER_INPUT, BUFFER_RESIDUAL);
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
    uint64_t vocabulary = forward_vocabulary(state->model);
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
        for (size_t t = 0; t < input->count && status == STATUS_OK; t++)
            status = architecture_check_token(states[i]->side->config, input->ids[t], error);
    if (status == STATUS_OK) status = recurrence_check_input(states, count, input, error);
    return status == STATUS_OK ? embedding_check_positions(state, input, error) : status;
}

static Status reserve_angles(Workspace *workspace, const Model *model, size_t chunk, Error *error) {
    const ModelConfig *sides[2] = {model->sft.config, model->base.config};
    size_t block;
    if (!memory_multiply(chunk, sizeof(float), &block)) return memory_fail(error, "a forward pass");
    workspace->frequencies = memory_allocate(model->config->head_dim + 1, sizeof(float));
    bool complete = workspace->frequencies != NULL;
    for (int side = 0; side < 2; side++) {
        for (size_t r = 0; r < sides[side]->rope_count; r++) {
            Angles *angles = &workspace->angles[side][r];
            angles->cosines = memory_allocate_aligned(sides[side]->ropes[r].dims / 2, block);
            angles->sines = memory_allocate_aligned(sides[side]->ropes[r].dims / 2, block);
            complete = complete && angles->cosines != NULL && angles->sines != NULL;
        }
    }
    return complete ? STATUS_OK : memory_fail(error, "a forward pass");
}

static Status reserve(Workspace *workspace, ForwardState *const *states, size_t count,
                      const ForwardInput *input, size_t chunk, const Job *job, Error *error) {
    size_t score_row;
    if (!memory_multiply(count_keys(states[0], input), ATTENTION_BLOCK * sizeof(float), &score_row))
        return memory_fail(error, "a forward pass");
    workspace->operands = memory_allocate(count, sizeof *workspace->operands);
    workspace->lengths = memory_allocate(input->count, sizeof *workspace->lengths);
    workspace->scores = memory_allocate_aligned(job_threads(job), score_row);
    if (workspace->operands == NULL || workspace->lengths == NULL || workspace->scores == NULL)
        return memory_fail(error, "a forward pass");
    text_lengths_measure(states[0], input, workspace->lengths);
    Status status = reserve_angles(workspace, states[0]->model, chunk, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = forward_reserve_buffers(states[i], chunk, error);
        if (status == STATUS_OK) status = forward_reserve_hidden(states[i], input->count, error);
    }
    return status;
}

static void release(Workspace *workspace) {
    free(workspace->operands);
    for (size_t i = 0; i < 2 * MODEL_MAX_ROPES; i++) {
        free(workspace->angles[i / MODEL_MAX_ROPES][i % MODEL_MAX_ROPES].cosines);
        free(workspace->angles[i / MODEL_MAX_ROPES][i % MODEL_MAX_ROPES].sines);
    }
    free(workspace->frequencies);
    free(workspace->lengths);
    free(workspace->scores);
}

Status forward_run(ForwardState *const *states, size_t count, const ForwardInput *input,
                   MatmulScratch *scratch, Job *job, Error *error) {
    if (count == 0 || input->count == 0) return STATUS_OK;
    Status status = check_input(states, count, input, error);
    if (status != STATUS_OK) return status;
    Workspace workspace = {0};
    size_t chunk_tokens = choose_chunk(states[0]->model->config, count, input->count),
           before = states[0]->length, keys = count_keys(states[0], input);
    status = reserve(&workspace, states, count, input, chunk_tokens, job, error);
    if (status == STATUS_OK) recurrence_begin(states, count);
    bool has_begun = status == STATUS_OK;
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
                             .in_blocks = input->in_blocks,
                             .lengths = workspace.lengths + done,
                             .scores = workspace.scores,
                             .score_stride = keys,
                             .job = job};
        memcpy(pass.chunk.angles, workspace.angles, sizeof workspace.angles);
        text_lengths_turn(&pass.chunk, workspace.frequencies);
        status = run_chunk(&pass, input, done, error);
        for (size_t i = 0; i < count && status == STATUS_OK && input->places == NULL; i++)
            states[i]->length += tokens;
    }
    if (status != STATUS_OK) {
        for (size_t i = 0; i < count; i++) states[i]->length = before;
    }
    if (has_begun) recurrence_end(states, count, input, status == STATUS_OK);
    release(&workspace);
    return status;
}

/* What down gives matters only where a norm follows, or what the layer has besides; experts are run to the end all the same. */
static Status replay_mlp(const Pass *pass, Error *error) {
    bool is_normed = has_norm_behind(&pass->chunk, pass->chunk.states[0]), is_kept = pass->chunk.kept != NULL;
    const LayerPlan *plan = forward_plan(pass->chunk.states[0], pass->chunk.layer);
    bool goes_on = architecture_needs(plan, TENSOR_PART_LAYER_GATE),
         is_wanted = is_normed || goes_on || block_connections_are_there(pass);
    if (plan->mlp == MLP_NONE && !goes_on) return STATUS_OK;
    if (plan->mlp == MLP_NONE || plan->mlp == MLP_EXPERTS || (is_wanted && !is_kept))
        return run_mlp(pass, error);
    Status status = is_kept ? block_mlp_restore(pass, error) : block_mlp_activate(pass, error);
    if (status == STATUS_OK && is_wanted) status = block_mlp_project_down(pass, error);
    if (status == STATUS_OK && is_wanted) pass_observe(pass, FORWARD_MLP_OUTPUT, BUFFER_ADDED);
    if (status == STATUS_OK && goes_on) status = add_to_stream(pass, add_mlp, error);
    if (status == STATUS_OK && goes_on) status = block_streams_correct(pass, error);
    return status == STATUS_OK && goes_on ? block_layer_input_run(pass, error) : status;
}

static Status replay_layer(const Pass *pass, Error *error) {
    Status status = run_mixer(pass, error);
    return status == STATUS_OK ? replay_mlp(pass, error) : status;
}

static Status replay_keys(const Pass *pass, Error *error) {
    Status status = block_streams_predict(pass, error);
    if (status == STATUS_OK) status = pass_for_tokens(pass, norm_for_attention, error);
    return status == STATUS_OK ? block_attention_fill_cache(pass, error) : status;
}

typedef Status (*Replay)(const Pass *pass, Error *error);

static Status replay(ForwardState *state, uint64_t layer, const float *residual, const ForwardInput *input,
                     const ForwardKept *kept, Replay function, MatmulScratch *scratch, Job *job,
                     Error *error) {
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
                             .places = input->places,
                             .in_blocks = input->in_blocks,
                             .lengths = workspace.lengths,
                             .scores = workspace.scores,
                             .score_stride = count_keys(state, input),
                             .layer = layer,
                             .kept = kept,
                             .job = job};
        memcpy(pass.chunk.angles, workspace.angles, sizeof workspace.angles);
        text_lengths_turn(&pass.chunk, workspace.frequencies);
        size_t width = state->model->config->hidden_size;
        memcpy(state->buffers[BUFFER_RESIDUAL], residual, input->count * width * sizeof *residual);
        size_t besides = forward_buffer_width(state->side->config, BUFFER_LAYER_INPUTS);
        if (input->layer_inputs != NULL)
            memcpy(state->buffers[BUFFER_LAYER_INPUTS], input->layer_inputs,
                   input->count * besides * sizeof *residual);
        if (input->embedded != NULL && state->side->config->has_common)
            memcpy(state->buffers[BUFFER_EMBEDDED], input->embedded, input->count * width * sizeof *residual);
        Buffer all = state->side->config->connections > 0 ? BUFFER_CONNECTED : BUFFER_STREAMS;
        if (input->streams != NULL)
            memcpy(state->buffers[all], input->streams,
                   input->count * forward_buffer_width(state->side->config, all) * sizeof *residual);
        status = function(&pass, error);
    }
    state->length = length;
    release(&workspace);
    return status;
}

Status forward_replay_layer(ForwardState *state, uint64_t layer, const float *residual,
                            const ForwardInput *input, const ForwardKept *kept, MatmulScratch *scratch,
                            Job *job, Error *error) {
    return replay(state, layer, residual, input, kept, replay_layer, scratch, job, error);
}

Status forward_replay_keys(ForwardState *state, uint64_t layer, const float *residual,
                           const ForwardInput *input, MatmulScratch *scratch, Job *job, Error *error) {
    return replay(state, layer, residual, input, NULL, replay_keys, scratch, job, error);
}
