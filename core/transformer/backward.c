#include "core/transformer/backward.h"

#include "core/support/memory.h"
#include "core/transformer/backward_connections.h"
#include "core/transformer/backward_mixer.h"
#include "core/transformer/backward_streams.h"
#include "core/transformer/block_common.h"
#include "core/transformer/block_layer_input.h"
#include "core/transformer/block_mlp.h"
#include "core/transformer/descent_shared.h"
#include "core/transformer/descent_stream.h"
#include "core/transformer/embedding.h"
#include "core/transformer/rotary.h"

#include <stdlib.h>
#include <string.h>

/* ---- the layer forward again ---- */

static void keep_activations(void *user, const ForwardMoment *moment) {
    static const struct {
        bool is_kept;
        BackwardSite site;
    } KEPT[FORWARD_MLP_OUTPUT + 1] = {
        [FORWARD_QKV] = {true, BACKWARD_QKV},
        [FORWARD_QUERY_LATENT] = {true, BACKWARD_QUERY_LATENT},
        [FORWARD_LATENT] = {true, BACKWARD_LATENT},
        [FORWARD_QUERY] = {true, BACKWARD_QUERY},
        [FORWARD_KEY] = {true, BACKWARD_KEY},
        [FORWARD_VALUE] = {true, BACKWARD_VALUE},
        [FORWARD_MIXED] = {true, BACKWARD_MIXED},
        [FORWARD_GATE_UP] = {true, BACKWARD_GATE_UP},
        [FORWARD_GATE] = {true, BACKWARD_GATE},
        [FORWARD_UP] = {true, BACKWARD_UP},
        [FORWARD_ACTIVATED] = {true, BACKWARD_ACTIVATED},
    };
    static const struct {
        ForwardSite site;
        BackwardCopy copy;
    } COPIES[] = {{FORWARD_PROJECTED, COPY_PROJECTED},
                  {FORWARD_CONVOLVED, COPY_CONVOLVED},
                  {FORWARD_DECAY, COPY_DECAY},
                  {FORWARD_GATE_RANK, COPY_GATE_RANK},
                  {FORWARD_DECAY_RANK, COPY_DECAY_RANK},
                  {FORWARD_ATTENDED, COPY_ATTENDED},
                  {FORWARD_STATE_IN, COPY_STATE_IN},
                  {FORWARD_STATE_SMALL, COPY_STATE_SMALL},
                  {FORWARD_STATE_READ, COPY_STATE_READ},
                  {FORWARD_BEHIND, COPY_BEHIND},
                  {FORWARD_LAYER_GATE, COPY_LAYER_GATE},
                  {FORWARD_LAYER_OUTPUT, COPY_LAYER_OUTPUT},
                  {FORWARD_LAUREL, COPY_LAUREL},
                  {FORWARD_STREAM_MODES, COPY_STREAM_MODES},
                  {FORWARD_COMMON_ATTENDED, COPY_COMMON_ATTENDED},
                  {FORWARD_COMMON_OUTPUT, COPY_COMMON_OUTPUT},
                  {FORWARD_MIDDLE_STREAMS, COPY_MIDDLE_STREAMS},
                  {FORWARD_ATTENTION_CONNECTION, COPY_ATTENTION_CONNECTION},
                  {FORWARD_MLP_CONNECTION, COPY_MLP_CONNECTION},
                  {FORWARD_HEAD_SCORES, COPY_HEAD_SCORES},
                  {FORWARD_HEAD_CHOSEN, COPY_HEAD_CHOSEN},
                  {FORWARD_HEAD_WEIGHTS, COPY_HEAD_WEIGHTS}};
    Backward *backward = user;
    float *to = NULL;
    backward_experts_keep(backward->experts, moment);
    if (moment->site == FORWARD_MIDDLE) to = backward->middle;
    if (moment->site == FORWARD_ATTENTION_OUTPUT) to = backward->outputs[0];
    if (moment->site == FORWARD_MLP_OUTPUT) to = backward->outputs[1];
    if (KEPT[moment->site].is_kept) to = backward->activations[KEPT[moment->site].site];
    for (size_t i = 0; i < sizeof COPIES / sizeof *COPIES; i++)
        if (moment->site == COPIES[i].site) to = backward->copies[COPIES[i].copy];
    if (to != NULL) memcpy(to, moment->values, moment->tokens * moment->width * sizeof *to);
}

/* ---- a layer ---- */

static Status descend_mlp(Descent *descent, Error *error) {
    bool shares = descent_config(descent)->norms == NORMS_ONE;
    Status status = descent_stream_enter(descent, BLOCK_MLP, error);
    descent->accumulates = false;
    if (status == STATUS_OK && descent->taker != NULL)
        status = descent_stream_norm(descent, shares ? BLOCK_ATTENTION : BLOCK_MLP, error);
    bool has_experts = descent_plan(descent)->mlp == MLP_EXPERTS;
    if (status == STATUS_OK)
        status = has_experts ? backward_experts_descend(descent, error) : block_mlp_descend(descent, error);
    return status == STATUS_OK && !shares ? descent_stream_leave(descent, BLOCK_MLP, error) : status;
}

static Status descend_attention(Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    Status status = STATUS_OK;
    descent->accumulates = config->norms == NORMS_ONE || config->streams > 1;
    if (descent->taker != NULL) status = descent_stream_norm(descent, BLOCK_ATTENTION, error);
    if (status == STATUS_OK) status = backward_streams_join(descent, error);
    if (status == STATUS_OK) status = descent_stream_enter(descent, BLOCK_ATTENTION, error);
    if (status == STATUS_OK) status = backward_mixer_descend(descent, error);
    if (status == STATUS_OK) status = descent_stream_leave(descent, BLOCK_ATTENTION, error);
    if (status == STATUS_OK) status = block_common_descend(descent, error);
    return status == STATUS_OK ? backward_streams_predict(descent, error) : status;
}

/* Either may be missing. */
static Status descend_layer(Descent *descent, Error *error) {
    const LayerPlan *plan = descent_plan(descent);
    Status status = block_layer_input_descend(descent, error);
    if (status == STATUS_OK) status = backward_streams_correct(descent, error);
    if (status == STATUS_OK && plan->mlp != MLP_NONE) status = descend_mlp(descent, error);
    return status == STATUS_OK && plan->mixer != MIXER_NONE ? descend_attention(descent, error) : status;
}

/* Keys and values of another layer are in the cache, but not where another group came after. */
static Status restore_keys(const Descent *descent, Error *error) {
    Backward *backward = descent->backward;
    int source = descent_plan(descent)->kv_layer;
    if (source < 0 || backward->group_count == 1) return STATUS_OK;
    const ForwardInput input = backward_input(backward, descent->group, (uint64_t)source);
    return forward_replay_keys(backward->state, (uint64_t)source,
                               backward_inputs(backward, descent->group, (uint64_t)source), &input,
                               backward->scratch, descent->job, error);
}

/* Runs the layer forward again for the group, then down. What was kept of it stands in for what would be computed. */
static Status run_layer(Descent *descent, const char *stage, Error *error) {
    Backward *backward = descent->backward;
    const BackwardGroup *group = descent->group;
    ForwardInput input = backward_input(backward, group, descent->layer);
    input.stage = stage;
    input.observer = keep_activations;
    input.user = backward;
    descent->kept = backward_kept(backward, group, descent->layer);
    Status status = restore_keys(descent, error);
    if (status != STATUS_OK) return status;
    status = forward_replay_layer(
        backward->state, descent->layer, backward_inputs(backward, group, descent->layer), &input,
        descent->kept.up != NULL ? &descent->kept : NULL, backward->scratch, descent->job, error);
    return status == STATUS_OK ? descend_layer(descent, error) : status;
}

/* ---- memory ---- */

static Status reserve_slopes(Backward *backward, size_t tokens, Error *error) {
    if (tokens <= backward->slope_tokens) return STATUS_OK;
    backward->slope_tokens = 0;
    for (int i = SLOPE_RESIDUAL + 1; i < SLOPE_COUNT; i++) {
        size_t width = backward_widest_slope(backward_config(backward), (Slope)i);
        free(backward->slopes[i]);
        backward->slopes[i] = NULL;
        if (width == 0 || i == SLOPE_STREAMS) continue;
        backward->slopes[i] = memory_allocate_aligned(tokens, width * sizeof(float));
        if (backward->slopes[i] == NULL) return memory_fail(error, "gradients");
    }
    backward->slope_tokens = tokens;
    return backward_experts_reserve(backward->experts, backward_config(backward), tokens, error);
}

static Status check_threads(const Backward *backward, const Job *job, Error *error) {
    if (job_threads(job) <= backward->threads) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "made for %u threads, a job of %u", backward->threads,
                       job_threads(job));
}

static Status compute_angles(Descent *descent, size_t longest, Error *error) {
    const ModelConfig *config = descent_config(descent);
    float *frequencies = memory_allocate(config->head_dim + 1, sizeof *frequencies);
    Status status = frequencies == NULL ? memory_fail(error, "attention") : STATUS_OK;
    for (size_t r = 0; r < config->rope_count && status == STATUS_OK; r++) {
        size_t half = config->ropes[r].dims / 2;
        Angles *angles = &descent->angles[r];
        angles->cosines = memory_allocate_aligned(longest + 1, (half + 1) * sizeof(float));
        angles->sines = memory_allocate_aligned(longest + 1, (half + 1) * sizeof(float));
        if (angles->cosines == NULL || angles->sines == NULL) status = memory_fail(error, "attention");
        if (status == STATUS_OK) model_rope_frequencies(&config->ropes[r], 0, frequencies);
        for (size_t t = 0; t < longest && status == STATUS_OK; t++)
            rotary_compute(&config->ropes[r], frequencies, t, angles->cosines + t * half,
                           angles->sines + t * half);
    }
    free(frequencies);
    return status;
}

static Status open_descent(Descent *descent, size_t tokens, size_t longest, Error *error) {
    Backward *backward = descent->backward;
    static const BackwardSite ROWS[] = {BACKWARD_QUERY, BACKWARD_KEY,          BACKWARD_VALUE,
                                        BACKWARD_MIXED, BACKWARD_QUERY_LATENT, BACKWARD_LATENT,
                                        BACKWARD_UP};
    const ModelConfig *config = backward_config(backward);
    size_t attention = backward_attention_scratch(longest), mixer = backward_mixer_scratch(config, longest);
    descent->scratch_stride = mixer > attention ? mixer : attention;
    descent->row_stride = backward->model->config->hidden_size;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        size_t width = backward_widest_site(config, ROWS[i]);
        if (width > descent->row_stride) descent->row_stride = width;
    }
    static const Slope SLOPES[] = {SLOPE_MIXED, SLOPE_STATE_OUT, SLOPE_STATE_SMALL, SLOPE_COMMON_IN};
    for (size_t i = 0; i < sizeof SLOPES / sizeof *SLOPES; i++) {
        size_t width = backward_widest_slope(config, SLOPES[i]);
        if (width > descent->row_stride) descent->row_stride = width;
    }
    descent->scratch = memory_allocate_aligned(backward->threads, descent->scratch_stride * sizeof(float));
    descent->rows = memory_allocate_aligned(backward->threads, 2 * descent->row_stride * sizeof(float));
    if (descent->scratch == NULL || descent->rows == NULL) return memory_fail(error, "attention");
    Status status = compute_angles(descent, longest, error);
    return status == STATUS_OK ? reserve_slopes(backward, tokens, error) : status;
}

/* Like gradients at the residual they go from layer to layer, of all groups; those at the embedding begin with nothing. */
static Status open_streams(Descent *descent, size_t tokens, Error *error) {
    size_t width = backward_widest_slope(backward_config(descent->backward), SLOPE_STREAMS);
    if (width == 0) return STATUS_OK;
    descent->streams = memory_allocate_aligned(tokens, width * sizeof(float));
    if (descent->streams == NULL) return memory_fail(error, "gradients");
    memset(descent->streams, 0, tokens * width * sizeof *descent->streams);
    return STATUS_OK;
}

static void close_descent(Descent *descent) {
    descent_shared_close(descent);
    for (size_t r = 0; r < MODEL_MAX_ROPES; r++) {
        free(descent->angles[r].cosines);
        free(descent->angles[r].sines);
    }
    descent->backward->slopes[SLOPE_RESIDUAL] = NULL; /* the caller's */
    descent->backward->slopes[SLOPE_STREAMS] = NULL;
    free(descent->streams);
    free(descent->shared_keys);
    free(descent->shared_values);
    free(descent->head_sums);
    free(descent->vector_sums);
    free(descent->bias_sums);
    free(descent->vector_gradients);
    free(descent->norm_gradients);
    free(descent->normed);
    free(descent->rows);
    free(descent->scratch);
}

/* ---- activations and their gradients ---- */

/* What was kept of an MLP the layer did not go through again: a visitor sees that, and as one where it is stored so. */
static void show_kept(const Descent *descent, BackwardLayer *layer) {
    const ForwardKept *kept = &descent->kept;
    size_t gate = layer->width[BACKWARD_GATE], up = layer->width[BACKWARD_UP],
           joined = layer->width[BACKWARD_GATE_UP];
    float *to = descent->backward->activations[BACKWARD_GATE_UP];
    if (kept->up == NULL) return;
    layer->activations[BACKWARD_GATE] = kept->gate;
    layer->activations[BACKWARD_UP] = kept->up;
    for (size_t t = 0; joined > 0 && t < descent->group->tokens; t++) {
        memcpy(to + t * joined, kept->gate + t * gate, gate * sizeof *to);
        memcpy(to + t * joined + gate, kept->up + t * up, up * sizeof *to);
    }
}

static Status visit(const Descent *descent, BackwardVisitor visitor, void *user, Error *error) {
    static const Slope SLOPES[BACKWARD_SITES] = {[BACKWARD_QUERY] = SLOPE_QUERY,
                                                 [BACKWARD_KEY] = SLOPE_KEY,
                                                 [BACKWARD_VALUE] = SLOPE_VALUE,
                                                 [BACKWARD_GATE] = SLOPE_GATE,
                                                 [BACKWARD_UP] = SLOPE_UP,
                                                 [BACKWARD_MIXED] = SLOPE_MIXED,
                                                 [BACKWARD_ACTIVATED] = SLOPE_ACTIVATED,
                                                 [BACKWARD_QKV] = SLOPE_QKV,
                                                 [BACKWARD_GATE_UP] = SLOPE_GATE_UP,
                                                 [BACKWARD_QUERY_LATENT] = SLOPE_QUERY_LATENT,
                                                 [BACKWARD_LATENT] = SLOPE_LATENT};
    const Backward *backward = descent->backward;
    const LayerPlan *plan = descent_plan(descent);
    BackwardLayer layer = {.layer = descent->layer, .descent = descent};
    if (plan->mlp == MLP_EXPERTS) layer.experts = backward_experts_seen(backward->experts);
    for (int i = 0; i < BACKWARD_SITES; i++) {
        layer.width[i] = backward_site_width(plan, (BackwardSite)i);
        layer.activations[i] = backward->activations[i];
        layer.gradients[i] = backward->slopes[SLOPES[i]];
    }
    if (descent_config(descent)->has_output_gate && architecture_attends(plan)) {
        layer.width[BACKWARD_QUERY] = descent_slope_width(descent, SLOPE_PROJECTED);
        layer.activations[BACKWARD_QUERY] = backward->copies[COPY_PROJECTED];
        layer.gradients[BACKWARD_QUERY] = backward->slopes[SLOPE_PROJECTED];
    }
    show_kept(descent, &layer);
    descent_stream_show(descent, &layer);
    return visitor(user, &layer, error);
}

static Status descend(Descent *descent, BackwardVisitor visitor, void *user, const char *stage,
                      Error *error) {
    uint64_t layers = descent->backward->model->config->layers;
    Status status = backward_streams_end(descent, error);
    if (status == STATUS_OK) status = backward_connections_end(descent, error);
    for (uint64_t layer = layers; layer-- > 0 && status == STATUS_OK;) {
        if (!job_report(descent->job, stage, layers - 1 - layer, layers)) return job_cancelled(error);
        descent->layer = layer;
        status = run_layer(descent, stage, error);
        if (status == STATUS_OK) status = visit(descent, visitor, user, error);
    }
    return status;
}

Status backward_run(Backward *backward, const BackwardSequence *sequences, size_t count, float *gradient,
                    BackwardVisitor visitor, void *user, const char *stage, Job *job, Error *error) {
    Status status = check_threads(backward, job, error);
    if (status != STATUS_OK) return status;
    if (backward->group_count > 1)
        return status_fail(error, STATUS_ARGUMENT, "sequences go back in one group, these rows are %zu",
                           backward->group_count);
    BackwardSpan *spans = memory_allocate(count, sizeof *spans);
    size_t tokens = 0, longest = 0;
    if (spans == NULL) return memory_fail(error, "a backward pass");
    for (size_t i = 0; i < count; i++) {
        spans[i] = (BackwardSpan){.tokens = sequences[i].tokens,
                                  .row = backward_place(backward, sequences[i].row, 0),
                                  .first = tokens};
        tokens += sequences[i].tokens;
        if (sequences[i].tokens > longest) longest = sequences[i].tokens;
    }
    Descent descent = {.backward = backward,
                       .group = backward->groups,
                       .spans = spans,
                       .count = count,
                       .tokens = tokens,
                       .job = job};
    status = open_descent(&descent, tokens, longest, error);
    if (status == STATUS_OK) status = descent_shared_open(&descent, tokens, error);
    if (status == STATUS_OK) status = open_streams(&descent, tokens, error);
    backward->slopes[SLOPE_RESIDUAL] = gradient;
    backward->slopes[SLOPE_STREAMS] = descent.streams;
    if (status == STATUS_OK && tokens > 0) status = descend(&descent, visitor, user, stage, error);
    close_descent(&descent);
    free(spans);
    return status;
}

/* ---- weights ---- */

static Status open_weights(Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    size_t row_bytes = backward->model->config->hidden_size * sizeof(float), shared = 0;
    for (size_t g = 0; g < backward->group_count; g++)
        if (backward->groups[g].shared > shared) shared = backward->groups[g].shared;
    const ModelConfig *config = backward_config(backward);
    descent->shared_keys =
        memory_allocate_aligned(shared, backward_widest_site(config, BACKWARD_KEY) * sizeof(float));
    descent->shared_values =
        memory_allocate_aligned(shared, backward_widest_site(config, BACKWARD_VALUE) * sizeof(float));
    descent->normed = memory_allocate_aligned(backward->group_tokens, row_bytes);
    descent->head_sums = memory_allocate(descent->row_stride, sizeof *descent->head_sums);
    descent->norm_gradients = memory_allocate(descent->row_stride, sizeof *descent->norm_gradients);
    size_t vector = backward_mixer_vector(config);
    descent->vector_sums = memory_allocate(vector, sizeof *descent->vector_sums);
    descent->bias_sums = memory_allocate(vector, sizeof *descent->bias_sums);
    descent->vector_gradients = memory_allocate(vector, sizeof *descent->vector_gradients);
    bool complete = descent->shared_keys != NULL && descent->shared_values != NULL &&
                    descent->normed != NULL && descent->head_sums != NULL &&
                    descent->norm_gradients != NULL && descent->vector_sums != NULL &&
                    descent->bias_sums != NULL && descent->vector_gradients != NULL;
    return complete ? STATUS_OK : memory_fail(error, "gradients of weights");
}

/* The group's parts, each a sequence of all its tokens. */
static void take_group(Descent *descent, const BackwardGroup *group, BackwardSpan *spans, float *gradient) {
    Backward *backward = descent->backward;
    size_t shared = 0;
    for (size_t i = 0; i < group->part_count; i++) {
        const BackwardPart *part = &backward->parts[group->first_part + i];
        size_t first = part->first - group->first;
        spans[i] = (BackwardSpan){.tokens = part->tokens,
                                  .row = first,
                                  .first = first,
                                  .prefix = part->prefix_tokens > 0 ? part->prefix - group->first : 0,
                                  .prefix_tokens = part->prefix_tokens,
                                  .shared = shared};
        shared += part->prefix_tokens;
    }
    descent->group = group;
    descent->shared_first = group->first;
    descent->spans = spans;
    descent->count = group->part_count;
    descent->tokens = group->tokens;
    backward->slopes[SLOPE_RESIDUAL] = gradient + group->first * backward->model->config->hidden_size;
    size_t streams = backward_widest_slope(backward_config(backward), SLOPE_STREAMS);
    backward->slopes[SLOPE_STREAMS] =
        descent->streams == NULL ? NULL : descent->streams + group->first * streams;
}

static Status descend_groups(Descent *descent, BackwardSpan *spans, float *gradient, const char *stage,
                             Error *error) {
    const Backward *backward = descent->backward;
    uint64_t layers = backward->model->config->layers;
    Status status = STATUS_OK;
    for (size_t g = 0; g < backward->group_count && status == STATUS_OK; g++) {
        take_group(descent, &backward->groups[g], spans, gradient);
        status = backward_streams_end(descent, error);
        if (status == STATUS_OK) status = backward_connections_end(descent, error);
    }
    for (uint64_t layer = layers; layer-- > 0 && status == STATUS_OK;) {
        descent->layer = layer;
        for (size_t g = 0; g < backward->group_count && status == STATUS_OK; g++) {
            const BackwardGroup *group = &backward->groups[g];
            uint64_t done = (layers - 1 - layer) * backward->tokens + group->first;
            if (!job_report(descent->job, stage, done, layers * backward->tokens))
                return job_cancelled(error);
            take_group(descent, group, spans, gradient);
            status = run_layer(descent, stage, error);
        }
    }
    for (size_t g = 0; g < backward->group_count && status == STATUS_OK; g++) {
        take_group(descent, &backward->groups[g], spans, gradient);
        status = backward_streams_begin(descent, error);
        if (status == STATUS_OK) status = backward_connections_begin(descent, error);
        if (status == STATUS_OK) status = block_common_finish(descent, error);
        if (status == STATUS_OK) status = block_layer_input_finish(descent, error);
        if (status == STATUS_OK) status = embedding_descend(descent, error);
    }
    if (status == STATUS_OK) status = block_layer_input_give_rows(descent, error);
    return status == STATUS_OK ? embedding_give_rows(descent, gradient, error) : status;
}

Status backward_run_weights(Backward *backward, float *gradient, BackwardTaker taker, void *user,
                            const char *stage, Job *job, Error *error) {
    Status status = check_threads(backward, job, error);
    size_t longest = 0, parts = 0;
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < backward->part_count; i++)
        if (backward->parts[i].prefix_tokens + backward->parts[i].tokens > longest)
            longest = backward->parts[i].prefix_tokens + backward->parts[i].tokens;
    for (size_t g = 0; g < backward->group_count; g++)
        if (backward->groups[g].part_count > parts) parts = backward->groups[g].part_count;
    BackwardSpan *spans = memory_allocate(parts, sizeof *spans);
    if (spans == NULL) return memory_fail(error, "a backward pass");
    Descent descent = {.backward = backward, .job = job, .taker = taker, .user = user};
    status = open_descent(&descent, backward->group_tokens, longest, error);
    if (status == STATUS_OK) status = descent_shared_open(&descent, backward->tokens, error);
    if (status == STATUS_OK) status = open_streams(&descent, backward->tokens, error);
    if (status == STATUS_OK) status = open_weights(&descent, error);
    if (status == STATUS_OK) status = descend_groups(&descent, spans, gradient, stage, error);
    close_descent(&descent);
    free(spans);
    return status;
}
