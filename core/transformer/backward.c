#include "core/transformer/backward.h"

#include "core/support/memory.h"
#include "core/transformer/activation.h"
#include "core/transformer/backward_attention.h"
#include "core/transformer/backward_internal.h"
#include "core/transformer/norm.h"

#include <stdlib.h>
#include <string.h>

enum { TOKEN_BLOCK = 8 };

/* ---- the layer forward again ---- */

static void keep_activations(void *user, const ForwardMoment *moment) {
    static const struct {
        bool is_kept;
        BackwardSite site;
    } KEPT[] = {
        [FORWARD_LAYER_INPUT] = {false, BACKWARD_SITES},
        [FORWARD_QUERY] = {true, BACKWARD_QUERY},
        [FORWARD_KEY] = {true, BACKWARD_KEY},
        [FORWARD_VALUE] = {true, BACKWARD_VALUE},
        [FORWARD_MIXED] = {true, BACKWARD_MIXED},
        [FORWARD_MIDDLE] = {false, BACKWARD_SITES},
        [FORWARD_GATE] = {true, BACKWARD_GATE},
        [FORWARD_UP] = {true, BACKWARD_UP},
        [FORWARD_ACTIVATED] = {true, BACKWARD_ACTIVATED},
    };
    Backward *backward = user;
    float *to = NULL;
    if (moment->site == FORWARD_MIDDLE) to = backward->middle;
    if (KEPT[moment->site].is_kept) to = backward->activations[KEPT[moment->site].site];
    if (to != NULL) memcpy(to, moment->values, moment->tokens * moment->width * sizeof *to);
}

/* ---- element-wise steps ---- */

/* A group of rows on its way down. */
typedef struct Descent {
    Backward *backward;
    const BackwardGroup *group;
    const BackwardSpan *spans; /* [count]: of the group's sequences */
    size_t count, tokens;
    uint64_t layer;
    float *scratch; /* [threads][scratch_stride], for backward_attention_run() */
    size_t scratch_stride;
    Job *job;
    /* where gradients of weights are wanted; else all of it is NULL */
    BackwardTaker taker;
    void *user;
    float *normed;            /* [group tokens × hidden_size]: the input of a block's first projections */
    double *head_norms[2];    /* [count · kv_heads × head_dim]: of q/k norms, by sequence and head */
    float *norm_gradients[2]; /* [head_dim] */
} Descent;

/* Runs step(descent, sequence, token within it) for all tokens of all sequences. */
typedef void (*DescentStep)(const Descent *descent, size_t sequence, size_t token);

typedef struct DescentLoop {
    const Descent *descent;
    DescentStep step;
} DescentLoop;

static size_t sequence_of(const Descent *descent, size_t token) {
    size_t low = 0, high = descent->count;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (descent->spans[middle].first <= token)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void run_steps(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const DescentLoop *loop = argument;
    const Descent *descent = loop->descent;
    size_t end = (task + 1) * TOKEN_BLOCK < descent->tokens ? (task + 1) * TOKEN_BLOCK : descent->tokens;
    for (size_t token = task * TOKEN_BLOCK; token < end; token++) {
        size_t sequence = sequence_of(descent, token);
        loop->step(descent, sequence, token - descent->spans[sequence].first);
    }
}

static Status for_tokens(const Descent *descent, DescentStep step, Error *error) {
    DescentLoop loop = {.descent = descent, .step = step};
    return job_run(descent->job, (descent->tokens + TOKEN_BLOCK - 1) / TOKEN_BLOCK, run_steps, &loop, error);
}

static float *slope_row(const Descent *descent, Slope slope, size_t sequence, size_t token) {
    const Backward *backward = descent->backward;
    return backward->slopes[slope] +
           (descent->spans[sequence].first + token) * backward_slope_width(backward->model->config, slope);
}

static const float *activation_row(const Descent *descent, BackwardSite site, size_t sequence, size_t token) {
    const Backward *backward = descent->backward;
    size_t at = descent->spans[sequence].row + token;
    return backward->activations[site] + at * backward_site_width(backward->model->config, site);
}

static void descend_gate(const Descent *descent, size_t sequence, size_t token) {
    const ModelConfig *config = descent->backward->state->side->config;
    const float *gate = activation_row(descent, BACKWARD_GATE, sequence, token);
    const float *up = activation_row(descent, BACKWARD_UP, sequence, token);
    const float *from = slope_row(descent, SLOPE_ACTIVATED, sequence, token);
    float *to_gate = slope_row(descent, SLOPE_GATE, sequence, token);
    float *to_up = slope_row(descent, SLOPE_UP, sequence, token);
    for (size_t i = 0; i < config->intermediate_size; i++) {
        float value = 0.0F, slope = 0.0F;
        activation_differentiate(config->activation, gate[i], &value, &slope);
        to_up[i] = from[i] * value;
        to_gate[i] = from[i] * up[i] * slope;
    }
}

static void descend_norm(const Descent *descent, size_t sequence, size_t token, const float *streams,
                         TensorRole role) {
    const Backward *backward = descent->backward;
    const Norm norm = forward_norm(backward->state, descent->layer, role);
    size_t at = descent->spans[sequence].row + token;
    norm_backward(&norm, streams + at * norm.size, slope_row(descent, SLOPE_NORMED, sequence, token),
                  slope_row(descent, SLOPE_RESIDUAL, sequence, token));
}

static void descend_mlp_norm(const Descent *descent, size_t sequence, size_t token) {
    descend_norm(descent, sequence, token, descent->backward->middle, TENSOR_MLP_NORM);
}

static void descend_attention_norm(const Descent *descent, size_t sequence, size_t token) {
    const Backward *backward = descent->backward;
    descend_norm(descent, sequence, token, backward_inputs(backward, descent->group, descent->layer),
                 TENSOR_ATTENTION_NORM);
}

/* ---- projections and attention ---- */

static Status descend_projection(const Descent *descent, TensorRole role, Slope from, Slope to,
                                 bool accumulate, Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *tensor = backward->model->layers[descent->layer].tensors[role];
    MatmulOperand operand = {.blend = settings_blend(&backward->settings, tensor),
                             .x = backward->slopes[from],
                             .y = backward->slopes[to]};
    return matmul_run_back(&operand, 1, descent->tokens, accumulate, backward->scratch, descent->job, error);
}

static Status descend_attention(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    BackwardAttention attention = {.state = backward->state,
                                   .layer = descent->layer,
                                   .spans = descent->spans,
                                   .count = descent->count,
                                   .query = backward->activations[BACKWARD_QUERY],
                                   .key = backward->activations[BACKWARD_KEY],
                                   .mixed = backward->slopes[SLOPE_MIXED],
                                   .to_query = backward->slopes[SLOPE_QUERY],
                                   .to_key = backward->slopes[SLOPE_KEY],
                                   .to_value = backward->slopes[SLOPE_VALUE],
                                   .to_query_norm = descent->head_norms[0],
                                   .to_key_norm = descent->head_norms[1],
                                   .scratch = descent->scratch,
                                   .scratch_stride = descent->scratch_stride,
                                   .job = descent->job};
    return backward_attention_run(&attention, error);
}

/* ---- gradients of weights ---- */

static void norm_token(const Descent *descent, const float *streams, size_t token, TensorRole role) {
    const Backward *backward = descent->backward;
    const Norm norm = forward_norm(backward->state, descent->layer, role);
    norm_forward(&norm, streams + token * norm.size, descent->normed + token * norm.size);
}

static void norm_for_mlp(const Descent *descent, size_t sequence, size_t token) {
    norm_token(descent, descent->backward->middle, descent->spans[sequence].row + token, TENSOR_MLP_NORM);
}

static void norm_for_attention(const Descent *descent, size_t sequence, size_t token) {
    const Backward *backward = descent->backward;
    norm_token(descent, backward_inputs(backward, descent->group, descent->layer),
               descent->spans[sequence].row + token, TENSOR_ATTENTION_NORM);
}

static Status give(const Descent *descent, TensorRole role, const float *inputs, size_t columns,
                   const float *gradients, size_t rows, Error *error) {
    const Backward *backward = descent->backward;
    BackwardFlow flow = {.layer = descent->layer,
                         .role = role,
                         .tokens = inputs == NULL ? 1 : descent->tokens,
                         .inputs = inputs,
                         .gradients = gradients,
                         .columns = columns,
                         .rows = rows,
                         .is_first = descent->group == backward->groups,
                         .is_last = descent->group + 1 == backward->groups + backward->group_count};
    return descent->taker(descent->user, &flow, error);
}

/* What meets at a matrix: the input, by its site or the normed stream, and the gradient at its output. */
static Status give_matrix(const Descent *descent, TensorRole role, BackwardSite input, Slope slope,
                          Error *error) {
    const Backward *backward = descent->backward;
    const ModelConfig *config = backward->model->config;
    bool is_normed = input == BACKWARD_SITES;
    if (descent->taker == NULL) return STATUS_OK;
    return give(descent, role, is_normed ? descent->normed : backward->activations[input],
                is_normed ? config->hidden_size : backward_site_width(config, input), backward->slopes[slope],
                backward_slope_width(config, slope), error);
}

static Status give_norm(const Descent *descent, TensorRole role, const float *streams, Error *error) {
    size_t width = descent->backward->model->config->hidden_size;
    if (descent->taker == NULL) return STATUS_OK;
    return give(descent, role, streams, width, descent->backward->slopes[SLOPE_NORMED], width, error);
}

/* The sum over all heads of all sequences. */
static Status give_head_norms(const Descent *descent, Error *error) {
    static const TensorRole ROLES[2] = {TENSOR_Q_NORM, TENSOR_K_NORM};
    const ModelConfig *config = descent->backward->model->config;
    Status status = STATUS_OK;
    for (size_t i = 0; i < 2 && status == STATUS_OK && descent->head_norms[0] != NULL; i++) {
        if (forward_vector(descent->backward->state, descent->layer, ROLES[i]) == NULL) continue;
        for (size_t c = 0; c < config->head_dim; c++) {
            double sum = 0.0;
            for (size_t task = 0; task < descent->count * config->kv_heads; task++)
                sum += descent->head_norms[i][task * config->head_dim + c];
            descent->norm_gradients[i][c] = (float)sum;
        }
        status = give(descent, ROLES[i], NULL, 1, descent->norm_gradients[i], config->head_dim, error);
    }
    return status;
}

/* ---- a layer ---- */

static Status descend_mlp(const Descent *descent, Error *error) {
    Status status = give_matrix(descent, TENSOR_DOWN, BACKWARD_ACTIVATED, SLOPE_RESIDUAL, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_DOWN, SLOPE_RESIDUAL, SLOPE_ACTIVATED, false, error);
    if (status == STATUS_OK) status = for_tokens(descent, descend_gate, error);
    if (status == STATUS_OK && descent->taker != NULL) status = for_tokens(descent, norm_for_mlp, error);
    if (status == STATUS_OK) status = give_matrix(descent, TENSOR_GATE, BACKWARD_SITES, SLOPE_GATE, error);
    if (status == STATUS_OK) status = give_matrix(descent, TENSOR_UP, BACKWARD_SITES, SLOPE_UP, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_GATE, SLOPE_GATE, SLOPE_NORMED, false, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_UP, SLOPE_UP, SLOPE_NORMED, true, error);
    if (status == STATUS_OK) status = give_norm(descent, TENSOR_MLP_NORM, descent->backward->middle, error);
    return status == STATUS_OK ? for_tokens(descent, descend_mlp_norm, error) : status;
}

static Status give_attention(const Descent *descent, Error *error) {
    if (descent->taker == NULL) return STATUS_OK;
    Status status = for_tokens(descent, norm_for_attention, error);
    if (status == STATUS_OK) status = give_matrix(descent, TENSOR_Q, BACKWARD_SITES, SLOPE_QUERY, error);
    if (status == STATUS_OK) status = give_matrix(descent, TENSOR_K, BACKWARD_SITES, SLOPE_KEY, error);
    if (status == STATUS_OK) status = give_matrix(descent, TENSOR_V, BACKWARD_SITES, SLOPE_VALUE, error);
    return status == STATUS_OK ? give_head_norms(descent, error) : status;
}

static Status descend_layer(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    Status status = descend_mlp(descent, error);
    if (status == STATUS_OK) status = give_matrix(descent, TENSOR_O, BACKWARD_MIXED, SLOPE_RESIDUAL, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_O, SLOPE_RESIDUAL, SLOPE_MIXED, false, error);
    if (status == STATUS_OK) status = descend_attention(descent, error);
    if (status == STATUS_OK) status = give_attention(descent, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_Q, SLOPE_QUERY, SLOPE_NORMED, false, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_K, SLOPE_KEY, SLOPE_NORMED, true, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_V, SLOPE_VALUE, SLOPE_NORMED, true, error);
    if (status == STATUS_OK)
        status = give_norm(descent, TENSOR_ATTENTION_NORM,
                           backward_inputs(backward, descent->group, descent->layer), error);
    return status == STATUS_OK ? for_tokens(descent, descend_attention_norm, error) : status;
}

/* Runs the layer forward again for the group, then down. */
static Status run_layer(const Descent *descent, const char *stage, Error *error) {
    Backward *backward = descent->backward;
    const BackwardGroup *group = descent->group;
    ForwardInput input = {.ids = backward->ids + group->first,
                          .starts = backward->starts + group->first,
                          .count = group->tokens,
                          .stage = stage,
                          .observer = keep_activations,
                          .user = backward};
    Status status = forward_replay_layer(backward->state, descent->layer,
                                         backward_inputs(backward, group, descent->layer), &input,
                                         backward->scratch, descent->job, error);
    return status == STATUS_OK ? descend_layer(descent, error) : status;
}

/* ---- memory ---- */

static Status reserve_slopes(Backward *backward, size_t tokens, Error *error) {
    if (tokens <= backward->slope_tokens) return STATUS_OK;
    backward->slope_tokens = 0;
    for (int i = SLOPE_RESIDUAL + 1; i < SLOPE_COUNT; i++) {
        free(backward->slopes[i]);
        backward->slopes[i] = memory_allocate_aligned(
            tokens, backward_slope_width(backward->model->config, (Slope)i) * sizeof(float));
        if (backward->slopes[i] == NULL) return memory_fail(error, "gradients");
    }
    backward->slope_tokens = tokens;
    return STATUS_OK;
}

static Status check_threads(const Backward *backward, const Job *job, Error *error) {
    if (job_threads(job) <= backward->threads) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "made for %u threads, a job of %u", backward->threads,
                       job_threads(job));
}

static Status open_descent(Descent *descent, size_t tokens, size_t longest, Error *error) {
    Backward *backward = descent->backward;
    descent->scratch_stride = backward_attention_scratch(longest);
    descent->scratch = memory_allocate_aligned(backward->threads, descent->scratch_stride * sizeof(float));
    return descent->scratch == NULL ? memory_fail(error, "attention")
                                    : reserve_slopes(backward, tokens, error);
}

/* ---- activations and their gradients ---- */

static Status visit(const Descent *descent, BackwardVisitor visitor, void *user, Error *error) {
    static const Slope SLOPES[BACKWARD_SITES] = {
        [BACKWARD_QUERY] = SLOPE_QUERY,        [BACKWARD_KEY] = SLOPE_KEY, [BACKWARD_VALUE] = SLOPE_VALUE,
        [BACKWARD_GATE] = SLOPE_GATE,          [BACKWARD_UP] = SLOPE_UP,   [BACKWARD_MIXED] = SLOPE_MIXED,
        [BACKWARD_ACTIVATED] = SLOPE_ACTIVATED};
    const Backward *backward = descent->backward;
    BackwardLayer layer = {.layer = descent->layer};
    for (int i = 0; i < BACKWARD_SITES; i++) {
        layer.width[i] = backward_site_width(backward->model->config, (BackwardSite)i);
        layer.activations[i] = backward->activations[i];
        layer.gradients[i] = backward->slopes[SLOPES[i]];
    }
    return visitor(user, &layer, error);
}

static Status descend(Descent *descent, BackwardVisitor visitor, void *user, const char *stage,
                      Error *error) {
    uint64_t layers = descent->backward->model->config->layers;
    Status status = STATUS_OK;
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
        spans[i] = (BackwardSpan){sequences[i].tokens, backward->row_first[sequences[i].row], tokens};
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
    backward->slopes[SLOPE_RESIDUAL] = gradient;
    if (status == STATUS_OK && tokens > 0) status = descend(&descent, visitor, user, stage, error);
    backward->slopes[SLOPE_RESIDUAL] = NULL;
    free(descent.scratch);
    free(spans);
    return status;
}

/* ---- weights ---- */

static Status open_weights(Descent *descent, size_t rows, Error *error) {
    const Backward *backward = descent->backward;
    const ModelConfig *config = backward->model->config;
    size_t width = config->hidden_size * sizeof(float);
    bool complete = (descent->normed = memory_allocate_aligned(backward->group_tokens, width)) != NULL;
    for (size_t i = 0; i < 2 && complete && config->roles[TENSOR_Q_NORM]; i++) {
        size_t tasks;
        if (!memory_multiply(rows, config->kv_heads * config->head_dim, &tasks)) tasks = SIZE_MAX;
        descent->head_norms[i] = memory_allocate(tasks, sizeof(double));
        descent->norm_gradients[i] = memory_allocate(config->head_dim, sizeof(float));
        complete = descent->head_norms[i] != NULL && descent->norm_gradients[i] != NULL;
    }
    return complete ? STATUS_OK : memory_fail(error, "gradients of weights");
}

static void close_weights(Descent *descent) {
    for (size_t i = 0; i < 2; i++) {
        free(descent->head_norms[i]);
        free(descent->norm_gradients[i]);
    }
    free(descent->normed);
    free(descent->scratch);
}

/* The group's rows, each a sequence of all its tokens. */
static void take_group(Descent *descent, const BackwardGroup *group, BackwardSpan *spans, float *gradient) {
    Backward *backward = descent->backward;
    for (size_t i = 0; i < group->row_count; i++) {
        size_t first = backward->row_first[group->first_row + i] - group->first;
        spans[i] = (BackwardSpan){backward->row_tokens[group->first_row + i], first, first};
    }
    descent->group = group;
    descent->spans = spans;
    descent->count = group->row_count;
    descent->tokens = group->tokens;
    backward->slopes[SLOPE_RESIDUAL] = gradient + group->first * backward->model->config->hidden_size;
}

static Status descend_groups(Descent *descent, BackwardSpan *spans, float *gradient, const char *stage,
                             Error *error) {
    const Backward *backward = descent->backward;
    uint64_t layers = backward->model->config->layers;
    Status status = STATUS_OK;
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
    return status;
}

Status backward_run_weights(Backward *backward, float *gradient, BackwardTaker taker, void *user,
                            const char *stage, Job *job, Error *error) {
    Status status = check_threads(backward, job, error);
    size_t longest = 0, rows = 0;
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < backward->row_count; i++)
        if (backward->row_tokens[i] > longest) longest = backward->row_tokens[i];
    for (size_t g = 0; g < backward->group_count; g++)
        if (backward->groups[g].row_count > rows) rows = backward->groups[g].row_count;
    BackwardSpan *spans = memory_allocate(rows, sizeof *spans);
    if (spans == NULL) return memory_fail(error, "a backward pass");
    Descent descent = {.backward = backward, .job = job, .taker = taker, .user = user};
    status = open_descent(&descent, backward->group_tokens, longest, error);
    if (status == STATUS_OK) status = open_weights(&descent, rows, error);
    if (status == STATUS_OK) status = descend_groups(&descent, spans, gradient, stage, error);
    backward->slopes[SLOPE_RESIDUAL] = NULL;
    close_weights(&descent);
    free(spans);
    return status;
}
