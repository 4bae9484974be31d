#include "core/support/memory.h"
#include "core/transformer/backward_attention.h"
#include "core/transformer/backward_internal.h"
#include "core/transformer/backward_mixer.h"
#include "core/transformer/compressor_cache.h"
#include "core/transformer/norm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- sizes ---- */

uint64_t backward_kept_bytes(const Model *model) {
    const ModelConfig *config = model->config;
    uint64_t streams = config->streams > 1 ? config->streams - 1 : config->connections;
    /* of further streams the gradients, too, and the first where all end */
    uint64_t besides = streams > 0 ? (config->layers + 2) * streams + 1 : config->has_common;
    return ((config->layers + 1 + besides) * config->hidden_size + config->layers * config->layer_input_size +
            backward_shared_width(config)) *
           sizeof(float);
}

/* Of a token's keys and values in a layer, and of whether a key is kept. */
static uint64_t cell_width(const ModelConfig *config) {
    return config->kv_heads * (config->head_dim + config->value_dim + (config->kept_keys > 0));
}

/* Floats that a token of rows takes besides while its group is at hand, and one of sequences. */
static uint64_t row_width(const ModelConfig *config) {
    uint64_t width =
        config->hidden_size + config->layers * cell_width(config) + compressor_cache_floats(config);
    if (backward_keeps_outputs(config)) width += 2 * config->hidden_size;
    for (int i = 0; i < BACKWARD_SITES; i++) width += backward_widest_site(config, (BackwardSite)i);
    for (int i = 0; i < COPY_COUNT; i++) width += backward_widest_copy(config, (BackwardCopy)i);
    for (int i = 0; i < BUFFER_COUNT; i++) width += forward_buffer_width(config, (Buffer)i);
    width += backward_experts_row_width(config);
    return width; /* the middle, the KV cache, activations */
}

static uint64_t sequence_width(const ModelConfig *config) {
    uint64_t width = backward_shared_width(config);
    for (int i = 0; i < SLOPE_COUNT; i++) width += backward_widest_slope(config, (Slope)i);
    return width + backward_experts_sequence_width(config);
}

/* Of whichever of the two takes more. */
static uint64_t width_of(const Model *model, uint64_t (*width)(const ModelConfig *config)) {
    uint64_t base = width(model->base.config), sft = width(model->sft.config);
    return base > sft ? base : sft;
}

uint64_t backward_bytes(const Model *model, size_t row_tokens, size_t sequence_tokens) {
    uint64_t row = backward_kept_bytes(model) + width_of(model, row_width) * sizeof(float), rows, sequences,
             bytes;
    if (__builtin_mul_overflow(row, row_tokens, &rows) ||
        __builtin_mul_overflow(width_of(model, sequence_width) * sizeof(float), sequence_tokens,
                               &sequences) ||
        __builtin_add_overflow(rows, sequences, &bytes))
        return UINT64_MAX;
    return bytes;
}

uint64_t backward_group_bytes(const Model *model, size_t tokens) {
    const ModelConfig *config = model->config;
    uint64_t shared = BACKWARD_MOST_SHARED * cell_width(config);
    uint64_t width =
        width_of(model, row_width) + width_of(model, sequence_width) + config->hidden_size + shared;
    uint64_t bytes;
    return __builtin_mul_overflow(width * sizeof(float), tokens, &bytes) ? UINT64_MAX : bytes;
}

uint64_t backward_scratch_bytes(const Model *model, size_t tokens, unsigned threads) {
    uint64_t own = backward_attention_scratch(tokens), bytes;
    const uint64_t base = backward_mixer_scratch(model->base.config, tokens),
                   sft = backward_mixer_scratch(model->sft.config, tokens);
    if (base > own) own = base;
    if (sft > own) own = sft;
    return __builtin_mul_overflow(own, (uint64_t)threads * sizeof(float), &bytes) ? UINT64_MAX : bytes;
}

Status backward_check_tokens(const Model *model, size_t tokens, size_t longest, unsigned threads,
                             Error *error) {
    uint64_t limit = forward_memory_limit(), scratch = backward_scratch_bytes(model, longest, threads);
    limit = limit > scratch ? limit - scratch : 0;
    return forward_check_memory(backward_bytes(model, 1, 1), tokens, limit, "a backward pass", error);
}

/* ---- forward, keeping what the way back needs ---- */

static Status allocate(Backward *backward, Error *error) {
    const ModelConfig *config = backward_config(backward);
    size_t row_bytes = config->hidden_size * sizeof(float), kept;
    if (!memory_multiply(backward->tokens, config->layers + 1, &kept))
        return memory_fail(error, "activations");
    backward->ids = memory_allocate(backward->tokens, sizeof *backward->ids);
    backward->starts = memory_allocate(backward->tokens, sizeof *backward->starts);
    backward->places = memory_allocate(backward->tokens, sizeof *backward->places);
    backward->inputs = memory_allocate_aligned(kept, row_bytes);
    backward->middle = memory_allocate_aligned(backward->group_tokens, row_bytes);
    bool complete = backward->ids != NULL && backward->starts != NULL && backward->places != NULL &&
                    backward->inputs != NULL && backward->middle != NULL;
    for (int i = 0; i < BACKWARD_SITES && complete; i++) {
        size_t width = backward_widest_site(config, (BackwardSite)i);
        if (width == 0) continue;
        backward->activations[i] = memory_allocate_aligned(backward->group_tokens, width * sizeof(float));
        complete = backward->activations[i] != NULL;
    }
    for (int i = 0; i < COPY_COUNT && complete; i++) {
        size_t width = backward_widest_copy(config, (BackwardCopy)i);
        if (width == 0) continue;
        backward->copies[i] = memory_allocate_aligned(backward->group_tokens, width * sizeof(float));
        complete = backward->copies[i] != NULL;
    }
    size_t besides = forward_buffer_width(config, BUFFER_LAYER_INPUTS);
    if (complete && besides > 0) {
        backward->layer_inputs = memory_allocate_aligned(backward->tokens, besides * sizeof(float));
        complete = backward->layer_inputs != NULL;
    }
    size_t streams = backward_streams_width(config), kept_streams;
    if (complete && streams > 0) {
        if (!memory_multiply(kept, streams, &kept_streams)) return memory_fail(error, "activations");
        backward->streams = memory_allocate_aligned(kept_streams, sizeof(float));
        backward->ending = memory_allocate_aligned(backward->tokens, row_bytes);
        complete = backward->streams != NULL && backward->ending != NULL;
    }
    for (int i = 0; i < 2 && complete && backward_keeps_outputs(config); i++) {
        backward->outputs[i] = memory_allocate_aligned(backward->group_tokens, row_bytes);
        complete = backward->outputs[i] != NULL;
    }
    if (!complete) return memory_fail(error, "activations");
    return backward_experts_create(config, backward->group_tokens, &backward->experts, error);
}

static void fill_part(Backward *backward, const BackwardGroup *group, const BackwardPart *part,
                      const int32_t *ids) {
    for (size_t t = 0; t < part->tokens; t++) {
        size_t at = part->first + t;
        backward->ids[at] = ids[t];
        backward->starts[at] = part->first - group->first;
        backward->places[at] =
            (ForwardPlace){.cell = at - group->first,
                           .first = part->first - group->first,
                           .prefix = part->prefix_tokens > 0 ? part->prefix - group->first : 0,
                           .prefix_count = part->prefix_tokens};
    }
}

static void fill_rows(Backward *backward, const BackwardRow *rows) {
    const BackwardGroup *group = backward->groups;
    for (size_t i = 0; i < backward->row_count; i++) {
        size_t last = backward->row_part[i];
        while (last >= group->first_part + group->part_count) group++;
        const BackwardPart *own = &backward->parts[last];
        fill_part(backward, group, own, rows[i].ids + own->prefix_tokens);
        /* what it goes on from stands right before the first that does */
        if (own->prefix_tokens > 0 && backward->parts[last - 1].first == own->prefix)
            fill_part(backward, group, &backward->parts[last - 1], rows[i].ids);
    }
}

/* Layers lie side by side: all have gate and up alike, and nothing but them, as experts do. */
static bool keeps_mlps(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++) {
        MlpKind kind = config->plans[i].mlp;
        if (kind == MLP_NONE || kind == MLP_EXPERTS || kind != config->plans[0].mlp) return false;
    }
    return true;
}

/* As many of the last layers as there is room for. */
static Status allocate_kept(Backward *backward, uint64_t bytes, Error *error) {
    const ModelConfig *config = backward_config(backward);
    size_t gate = backward_widest_site(config, BACKWARD_GATE), up = backward_widest_site(config, BACKWARD_UP),
           layer;
    backward->kept_from = config->layers;
    if (!keeps_mlps(config)) return STATUS_OK;
    if (!memory_multiply(backward->tokens, (gate + up) * sizeof(float), &layer) || layer == 0)
        return STATUS_OK;
    uint64_t layers = bytes / layer < config->layers ? bytes / layer : config->layers;
    if (layers == 0) return STATUS_OK;
    backward->kept_from = config->layers - layers;
    backward->ups = memory_allocate_aligned(layers * backward->tokens, up * sizeof(float));
    if (gate > 0) backward->gates = memory_allocate_aligned(layers * backward->tokens, gate * sizeof(float));
    bool complete = backward->ups != NULL && (gate == 0 || backward->gates != NULL);
    return complete ? STATUS_OK : memory_fail(error, "activations");
}

/* Where a group's part of what is kept of a layer begins. */
static size_t kept_place(const Backward *backward, const BackwardGroup *group, uint64_t layer) {
    size_t width = backward_widest_site(backward_config(backward), BACKWARD_UP);
    return ((layer - backward->kept_from) * backward->tokens + group->first) * width;
}

ForwardKept backward_kept(const Backward *backward, const BackwardGroup *group, uint64_t layer) {
    if (layer < backward->kept_from) return (ForwardKept){0};
    size_t at = kept_place(backward, group, layer);
    return (ForwardKept){.gate = backward->gates == NULL ? NULL : backward->gates + at,
                         .up = backward->ups + at};
}

typedef struct Keeping {
    Backward *backward;
    const BackwardGroup *group;
} Keeping;

static void keep(void *user, const ForwardMoment *moment) {
    const Keeping *keeping = user;
    const Backward *backward = keeping->backward;
    float *to = NULL;
    if (moment->site == FORWARD_LAYER_INPUT) to = backward_inputs(backward, keeping->group, moment->layer);
    if (moment->site == FORWARD_STREAMS) to = backward_streams(backward, keeping->group, moment->layer);
    if (moment->site == FORWARD_STREAM_ENDING) to = backward->ending + keeping->group->first * moment->width;
    if (moment->site == FORWARD_LAYER_INPUTS)
        to = backward->layer_inputs + keeping->group->first * moment->width;
    bool is_kept = moment->layer >= backward->kept_from;
    if (is_kept && moment->site == FORWARD_GATE)
        to = backward->gates + kept_place(backward, keeping->group, moment->layer);
    if (is_kept && moment->site == FORWARD_UP)
        to = backward->ups + kept_place(backward, keeping->group, moment->layer);
    if (to == NULL) return;
    memcpy(to + moment->first * moment->width, moment->values, moment->tokens * moment->width * sizeof *to);
}

static Status run_groups(Backward *backward, const char *stage, Job *job, Error *error) {
    uint64_t layers = backward->model->config->layers;
    Status status = STATUS_OK;
    for (size_t g = 0; g < backward->group_count && status == STATUS_OK; g++) {
        const BackwardGroup *group = &backward->groups[g];
        Keeping keeping = {backward, group};
        ForwardInput input = backward_input(backward, group, 0);
        input.stage = stage;
        input.done = group->first * layers;
        input.total = backward->tokens * layers;
        input.observer = keep;
        input.layer_inputs = input.streams = NULL; /* they are made here */
        input.user = &keeping;
        forward_rewind(backward->state, 0);
        status = forward_run(&backward->state, 1, &input, backward->scratch, job, error);
    }
    return status;
}

static Status fill(Backward *made, const BackwardRow *rows, size_t group_tokens, uint64_t kept_bytes,
                   const char *stage, Job *job, Error *error) {
    Status status = backward_lay_out(made, rows, group_tokens, error);
    if (status == STATUS_OK) status = allocate(made, error);
    if (status == STATUS_OK) status = allocate_kept(made, kept_bytes, error);
    if (status == STATUS_OK) status = matmul_create_scratch(made->threads, &made->scratch, error);
    if (status == STATUS_OK)
        status = forward_create_state(made->model, &made->settings, made->group_tokens, &made->state, error);
    if (status != STATUS_OK) return status;
    fill_rows(made, rows);
    return run_groups(made, stage, job, error);
}

/* ---- what has a way back ---- */

Status backward_check_model(const Model *model, Error *error) {
    const ModelConfig *sides[] = {model->base.config, model->sft.config};
    for (int i = 0; i < 2; i++) {
        const ModelConfig *config = sides[i];
        bool heads_fit = config->qk_norm == QK_NORM_NONE || config->clip == 0.0;
        const char *missing = config->wiring == WIRING_AFTER ? "norms on the stream behind the blocks"
                              : !heads_fit                   ? "clipped queries with q/k norms"
                                                             : architecture_forward_only(config);
        if (missing != NULL)
            return status_fail(
                error, STATUS_UNSUPPORTED,
                "gradients through %s (%s) are not known: no attribution, gradient dormancy or gradient at "
                "hand-over; previews, drift, dormancy, fusion and the landscape do without",
                missing, architecture_name(config->architecture));
    }
    return STATUS_OK;
}

/* Where frequencies follow a text's length, its parts would have others than the whole. */
static Status check_lengths(const Model *model, const BackwardRow *rows, size_t count, Error *error) {
    const ModelConfig *sides[] = {model->base.config, model->sft.config};
    for (size_t i = 0; i < 2 * MODEL_MAX_ROPES; i++) {
        uint64_t longest = sides[i / MODEL_MAX_ROPES]->ropes[i % MODEL_MAX_ROPES].longest;
        for (size_t r = 0; r < count && longest > 0; r++) {
            if (rows[r].count > longest)
                return status_fail(
                    error, STATUS_UNSUPPORTED,
                    "gradients of texts beyond %" PRIu64
                    " tokens are not known: there its rotary embedding turns by the text's length",
                    longest);
        }
    }
    return STATUS_OK;
}

Status backward_create_groups(const Model *model, const Settings *settings, const BackwardRow *rows,
                              size_t row_count, size_t group_tokens, uint64_t kept_bytes, const char *stage,
                              Job *job, Backward **backward, Error *error) {
    *backward = NULL;
    Status status = backward_check_model(model, error);
    if (status == STATUS_OK) status = check_lengths(model, rows, row_count, error);
    if (status != STATUS_OK) return status;
    Backward *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "a backward pass");
    made->model = model;
    made->settings = *settings;
    made->threads = job_threads(job);
    made->row_count = row_count;
    status = fill(made, rows, group_tokens, kept_bytes, stage, job, error);
    if (status != STATUS_OK) {
        backward_free(made);
        return status;
    }
    *backward = made;
    return STATUS_OK;
}

Status backward_create(const Model *model, const Settings *settings, const BackwardRow *rows,
                       size_t row_count, const char *stage, Job *job, Backward **backward, Error *error) {
    return backward_create_groups(model, settings, rows, row_count, SIZE_MAX, 0, stage, job, backward, error);
}

void backward_free(Backward *backward) {
    if (backward == NULL) return;
    for (int i = 0; i < BACKWARD_SITES; i++) free(backward->activations[i]);
    for (int i = SLOPE_RESIDUAL + 1; i < SLOPE_COUNT; i++)
        free(backward->slopes[i]); /* the residual's is the caller's */
    for (int i = 0; i < COPY_COUNT; i++) free(backward->copies[i]);
    for (int i = 0; i < 2; i++) free(backward->outputs[i]);
    free(backward->layer_inputs);
    free(backward->streams);
    free(backward->ending);
    backward_experts_free(backward->experts);
    free(backward->middle);
    free(backward->inputs);
    free(backward->gates);
    free(backward->ups);
    free(backward->starts);
    free(backward->places);
    free(backward->ids);
    backward_free_layout(backward);
    matmul_free_scratch(backward->scratch);
    forward_free_state(backward->state);
    free(backward);
}

/* ---- what was kept ---- */

const int32_t *backward_ids(const Backward *backward) {
    return backward->ids;
}

size_t backward_tokens(const Backward *backward) {
    return backward->tokens;
}

size_t backward_place(const Backward *backward, size_t row, size_t token) {
    const BackwardPart *part = &backward->parts[backward->row_part[row]];
    return token < part->prefix_tokens ? part->prefix + token : part->first + token - part->prefix_tokens;
}

const float *backward_residual(const Backward *backward, size_t row, size_t token) {
    const ModelConfig *config = backward->model->config;
    return backward->inputs +
           (config->layers * backward->tokens + backward_place(backward, row, token)) * config->hidden_size;
}

Norm backward_final_norm(const Backward *backward) {
    return forward_norm(backward->state, backward->model->config->layers, TENSOR_FINAL_NORM);
}

void backward_hidden(const Backward *backward, size_t row, size_t token, float *hidden) {
    const Norm norm = backward_final_norm(backward);
    norm_forward(&norm, backward_residual(backward, row, token), hidden);
}
