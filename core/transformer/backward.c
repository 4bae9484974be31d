#include "core/transformer/backward.h"

#include "core/support/memory.h"
#include "core/transformer/activation.h"
#include "core/transformer/backward_attention.h"
#include "core/transformer/forward_internal.h"
#include "core/transformer/norm.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_BLOCK = 8 };

/* Gradients of one layer, [tokens of all sequences × width] each. */
typedef enum Slope {
    SLOPE_RESIDUAL, /* hidden_size: the caller's */
    SLOPE_NORMED,   /* hidden_size: at the output of a norm */
    SLOPE_ACTIVATED,
    SLOPE_GATE,
    SLOPE_UP,
    SLOPE_MIXED,
    SLOPE_QUERY,
    SLOPE_KEY,
    SLOPE_VALUE,
    SLOPE_COUNT
} Slope;

struct Backward {
    const Model *model;
    Settings settings;
    ForwardState *state;
    MatmulScratch *scratch;
    unsigned threads;
    size_t *row_first; /* [row_count]: a row's first token among all */
    size_t row_count, tokens;
    int32_t *ids;
    size_t *starts; /* [tokens] */
    float *inputs;  /* [layers + 1][tokens × hidden_size] */
    float *middle;  /* [tokens × hidden_size]: the residual stream between attention and MLP */
    float *activations[BACKWARD_SITES]; /* [tokens × width], of the layer at hand */
    float *slopes[SLOPE_COUNT];
    size_t slope_tokens;
};

/* ---- sizes ---- */

static size_t site_width(const ModelConfig *config, BackwardSite site) {
    static const Buffer BUFFERS[BACKWARD_SITES] = {
        [BACKWARD_QUERY] = BUFFER_QUERY,   [BACKWARD_KEY] = BUFFER_KEY, [BACKWARD_VALUE] = BUFFER_VALUE,
        [BACKWARD_GATE] = BUFFER_GATE,     [BACKWARD_UP] = BUFFER_UP,   [BACKWARD_MIXED] = BUFFER_MIXED,
        [BACKWARD_ACTIVATED] = BUFFER_GATE};
    return forward_buffer_width(config, BUFFERS[site]);
}

static size_t slope_width(const ModelConfig *config, Slope slope) {
    switch (slope) {
    case SLOPE_RESIDUAL:
    case SLOPE_NORMED:
        return config->hidden_size;
    case SLOPE_ACTIVATED:
    case SLOPE_GATE:
    case SLOPE_UP:
        return config->intermediate_size;
    case SLOPE_MIXED:
    case SLOPE_QUERY:
        return config->heads * config->head_dim;
    case SLOPE_KEY:
    case SLOPE_VALUE:
        return config->kv_heads * config->head_dim;
    case SLOPE_COUNT:
        break;
    }
    return 0;
}

uint64_t backward_bytes(const Model *model, size_t row_tokens, size_t sequence_tokens) {
    const ModelConfig *config = model->config;
    uint64_t row = (config->layers + 2) * config->hidden_size, sequence = 0; /* kept inputs and the middle */
    row += 2 * config->layers * config->kv_heads * config->head_dim;         /* the KV cache */
    for (int i = 0; i < BACKWARD_SITES; i++) row += site_width(config, (BackwardSite)i);
    for (int i = 0; i < BUFFER_COUNT; i++) row += forward_buffer_width(config, (Buffer)i);
    for (int i = 0; i < SLOPE_COUNT; i++) sequence += slope_width(config, (Slope)i);
    uint64_t rows, sequences, bytes;
    if (__builtin_mul_overflow(row * sizeof(float), row_tokens, &rows) ||
        __builtin_mul_overflow(sequence * sizeof(float), sequence_tokens, &sequences) ||
        __builtin_add_overflow(rows, sequences, &bytes))
        return UINT64_MAX;
    return bytes;
}

Status backward_check_tokens(const Model *model, size_t tokens, Error *error) {
    return forward_check_memory(backward_bytes(model, 1, 1), tokens, forward_memory_limit(),
                                "a backward pass", error);
}

/* ---- forward, keeping what the way back needs ---- */

static void keep_input(void *user, const ForwardMoment *moment) {
    Backward *backward = user;
    if (moment->site != FORWARD_LAYER_INPUT) return;
    float *to = backward->inputs + (moment->layer * backward->tokens + moment->first) * moment->width;
    memcpy(to, moment->values, moment->tokens * moment->width * sizeof *to);
}

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

static Status allocate(Backward *backward, Error *error) {
    const ModelConfig *config = backward->model->config;
    size_t row_bytes = config->hidden_size * sizeof(float), kept;
    if (!memory_multiply(backward->tokens, config->layers + 1, &kept))
        return memory_fail(error, "activations");
    backward->ids = memory_allocate(backward->tokens, sizeof *backward->ids);
    backward->starts = memory_allocate(backward->tokens, sizeof *backward->starts);
    backward->inputs = memory_allocate_aligned(kept, row_bytes);
    backward->middle = memory_allocate_aligned(backward->tokens, row_bytes);
    bool complete = backward->ids != NULL && backward->starts != NULL && backward->inputs != NULL &&
                    backward->middle != NULL;
    for (int i = 0; i < BACKWARD_SITES && complete; i++) {
        backward->activations[i] =
            memory_allocate_aligned(backward->tokens, site_width(config, (BackwardSite)i) * sizeof(float));
        complete = backward->activations[i] != NULL;
    }
    return complete ? STATUS_OK : memory_fail(error, "activations");
}

static void lay_out_rows(Backward *backward, const BackwardRow *rows) {
    size_t token = 0;
    for (size_t i = 0; i < backward->row_count; i++) {
        backward->row_first[i] = token;
        for (size_t t = 0; t < rows[i].count; t++, token++) {
            backward->ids[token] = rows[i].ids[t];
            backward->starts[token] = backward->row_first[i];
        }
    }
}

static ForwardInput make_input(const Backward *backward, ForwardObserver observer, const char *stage) {
    return (ForwardInput){.ids = backward->ids,
                          .starts = backward->starts,
                          .count = backward->tokens,
                          .stage = stage,
                          .observer = observer,
                          .user = (void *)(uintptr_t)backward};
}

Status backward_create(const Model *model, const Settings *settings, const BackwardRow *rows,
                       size_t row_count, const char *stage, Job *job, Backward **backward, Error *error) {
    *backward = NULL;
    if (model->config->roles[TENSOR_Q_NORM] && model->config->head_dim > BACKWARD_LARGEST_NORMED_HEAD)
        return status_fail(error, STATUS_UNSUPPORTED, "gradients through q/k norms of heads larger than %d",
                           BACKWARD_LARGEST_NORMED_HEAD);
    Backward *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "a backward pass");
    made->model = model;
    made->settings = *settings;
    made->threads = job_threads(job);
    made->row_count = row_count;
    for (size_t i = 0; i < row_count; i++) made->tokens += rows[i].count;
    made->row_first = memory_allocate(row_count, sizeof *made->row_first);
    Status status = made->row_first == NULL ? memory_fail(error, "a backward pass") : STATUS_OK;
    if (status == STATUS_OK) status = allocate(made, error);
    if (status == STATUS_OK) status = matmul_create_scratch(made->threads, &made->scratch, error);
    if (status == STATUS_OK)
        status = forward_create_state(model, settings, made->tokens, &made->state, error);
    if (status == STATUS_OK) {
        lay_out_rows(made, rows);
        ForwardInput input = make_input(made, keep_input, stage);
        input.user = made;
        status = forward_run(&made->state, 1, &input, made->scratch, job, error);
    }
    if (status != STATUS_OK) {
        backward_free(made);
        return status;
    }
    *backward = made;
    return STATUS_OK;
}

void backward_free(Backward *backward) {
    if (backward == NULL) return;
    for (int i = 0; i < BACKWARD_SITES; i++) free(backward->activations[i]);
    for (int i = SLOPE_RESIDUAL + 1; i < SLOPE_COUNT; i++)
        free(backward->slopes[i]); /* the residual's is the caller's */
    free(backward->middle);
    free(backward->inputs);
    free(backward->starts);
    free(backward->ids);
    free(backward->row_first);
    matmul_free_scratch(backward->scratch);
    forward_free_state(backward->state);
    free(backward);
}

const float *backward_residual(const Backward *backward, size_t row, size_t token) {
    const ModelConfig *config = backward->model->config;
    return backward->inputs +
           (config->layers * backward->tokens + backward->row_first[row] + token) * config->hidden_size;
}

const float *backward_hidden(const Backward *backward, size_t row, size_t token) {
    return forward_hidden(backward->state) +
           (backward->row_first[row] + token) * backward->model->config->hidden_size;
}

/* ---- element-wise steps ---- */

/* A run on its way down. */
typedef struct Descent {
    Backward *backward;
    const BackwardSpan *spans; /* [count]: of the sequences */
    size_t count, tokens;
    uint64_t layer;
    float *scratch; /* [threads][scratch_stride], for backward_attention_run() */
    size_t scratch_stride;
    Job *job;
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
           (descent->spans[sequence].first + token) * slope_width(backward->model->config, slope);
}

static const float *activation_row(const Descent *descent, BackwardSite site, size_t sequence, size_t token) {
    const Backward *backward = descent->backward;
    size_t at = descent->spans[sequence].row + token;
    return backward->activations[site] + at * site_width(backward->model->config, site);
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
    const ModelConfig *config = backward->state->side->config;
    size_t at = descent->spans[sequence].row + token;
    norm_backward(streams + at * config->hidden_size, forward_vector(backward->state, descent->layer, role),
                  slope_row(descent, SLOPE_NORMED, sequence, token), config->hidden_size,
                  config->norm_epsilon, slope_row(descent, SLOPE_RESIDUAL, sequence, token));
}

static void descend_mlp_norm(const Descent *descent, size_t sequence, size_t token) {
    descend_norm(descent, sequence, token, descent->backward->middle, TENSOR_MLP_NORM);
}

static void descend_attention_norm(const Descent *descent, size_t sequence, size_t token) {
    const Backward *backward = descent->backward;
    const float *inputs =
        backward->inputs + descent->layer * backward->tokens * backward->model->config->hidden_size;
    descend_norm(descent, sequence, token, inputs, TENSOR_ATTENTION_NORM);
}

/* ---- a layer ---- */

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
                                   .scratch = descent->scratch,
                                   .scratch_stride = descent->scratch_stride,
                                   .job = descent->job};
    return backward_attention_run(&attention, error);
}

static Status descend_layer(const Descent *descent, Error *error) {
    Status status = descend_projection(descent, TENSOR_DOWN, SLOPE_RESIDUAL, SLOPE_ACTIVATED, false, error);
    if (status == STATUS_OK) status = for_tokens(descent, descend_gate, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_GATE, SLOPE_GATE, SLOPE_NORMED, false, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_UP, SLOPE_UP, SLOPE_NORMED, true, error);
    if (status == STATUS_OK) status = for_tokens(descent, descend_mlp_norm, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_O, SLOPE_RESIDUAL, SLOPE_MIXED, false, error);
    if (status == STATUS_OK) status = descend_attention(descent, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_Q, SLOPE_QUERY, SLOPE_NORMED, false, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_K, SLOPE_KEY, SLOPE_NORMED, true, error);
    if (status == STATUS_OK)
        status = descend_projection(descent, TENSOR_V, SLOPE_VALUE, SLOPE_NORMED, true, error);
    if (status == STATUS_OK) status = for_tokens(descent, descend_attention_norm, error);
    return status;
}

static Status visit(const Descent *descent, BackwardVisitor visitor, void *user, Error *error) {
    static const Slope SLOPES[BACKWARD_SITES] = {
        [BACKWARD_QUERY] = SLOPE_QUERY,        [BACKWARD_KEY] = SLOPE_KEY, [BACKWARD_VALUE] = SLOPE_VALUE,
        [BACKWARD_GATE] = SLOPE_GATE,          [BACKWARD_UP] = SLOPE_UP,   [BACKWARD_MIXED] = SLOPE_MIXED,
        [BACKWARD_ACTIVATED] = SLOPE_ACTIVATED};
    const Backward *backward = descent->backward;
    BackwardLayer layer = {.layer = descent->layer};
    for (int i = 0; i < BACKWARD_SITES; i++) {
        layer.width[i] = site_width(backward->model->config, (BackwardSite)i);
        layer.activations[i] = backward->activations[i];
        layer.gradients[i] = backward->slopes[SLOPES[i]];
    }
    return visitor(user, &layer, error);
}

static Status reserve_slopes(Backward *backward, size_t tokens, Error *error) {
    if (tokens <= backward->slope_tokens) return STATUS_OK;
    backward->slope_tokens = 0;
    for (int i = SLOPE_RESIDUAL + 1; i < SLOPE_COUNT; i++) {
        free(backward->slopes[i]);
        backward->slopes[i] =
            memory_allocate_aligned(tokens, slope_width(backward->model->config, (Slope)i) * sizeof(float));
        if (backward->slopes[i] == NULL) return memory_fail(error, "gradients");
    }
    backward->slope_tokens = tokens;
    return STATUS_OK;
}

static Status descend(Descent *descent, BackwardVisitor visitor, void *user, const char *stage,
                      Error *error) {
    Backward *backward = descent->backward;
    uint64_t layers = backward->model->config->layers;
    size_t stream = backward->tokens * backward->model->config->hidden_size;
    Status status = STATUS_OK;
    for (uint64_t layer = layers; layer-- > 0 && status == STATUS_OK;) {
        if (!job_report(descent->job, stage, layers - 1 - layer, layers)) return job_cancelled(error);
        descent->layer = layer;
        ForwardInput input = make_input(backward, keep_activations, stage);
        status = forward_replay_layer(backward->state, layer, backward->inputs + layer * stream, &input,
                                      backward->scratch, descent->job, error);
        if (status == STATUS_OK) status = descend_layer(descent, error);
        if (status == STATUS_OK) status = visit(descent, visitor, user, error);
    }
    return status;
}

Status backward_run(Backward *backward, const BackwardSequence *sequences, size_t count, float *gradient,
                    BackwardVisitor visitor, void *user, const char *stage, Job *job, Error *error) {
    if (job_threads(job) > backward->threads)
        return status_fail(error, STATUS_ARGUMENT, "made for %u threads, a job of %u", backward->threads,
                           job_threads(job));
    BackwardSpan *spans = memory_allocate(count, sizeof *spans);
    size_t tokens = 0, longest = 0;
    if (spans == NULL) return memory_fail(error, "a backward pass");
    for (size_t i = 0; i < count; i++) {
        spans[i] = (BackwardSpan){sequences[i].tokens, backward->row_first[sequences[i].row], tokens};
        tokens += sequences[i].tokens;
        if (sequences[i].tokens > longest) longest = sequences[i].tokens;
    }
    Descent descent = {.backward = backward,
                       .spans = spans,
                       .count = count,
                       .tokens = tokens,
                       .scratch_stride = backward_attention_scratch(longest),
                       .job = job};
    descent.scratch = memory_allocate_aligned(backward->threads, descent.scratch_stride * sizeof(float));
    Status status =
        descent.scratch == NULL ? memory_fail(error, "attention") : reserve_slopes(backward, tokens, error);
    backward->slopes[SLOPE_RESIDUAL] = gradient;
    if (status == STATUS_OK && tokens > 0) status = descend(&descent, visitor, user, stage, error);
    backward->slopes[SLOPE_RESIDUAL] = NULL;
    free(descent.scratch);
    free(spans);
    return status;
}
