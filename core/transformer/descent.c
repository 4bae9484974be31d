#include "core/transformer/descent.h"

#include "core/support/parts.h"

#include <string.h>

enum { TOKEN_BLOCK = 8, COLUMN_BLOCK = 64 };

typedef struct DescentLoop {
    const Descent *descent;
    DescentStep step;
} DescentLoop;

static void run_steps(void *argument, size_t task, unsigned worker) {
    const DescentLoop *loop = argument;
    const Descent *descent = loop->descent;
    size_t end = (task + 1) * TOKEN_BLOCK < descent->tokens ? (task + 1) * TOKEN_BLOCK : descent->tokens;
    for (size_t token = task * TOKEN_BLOCK; token < end; token++) {
        size_t sequence = parts_find(&descent->spans->first, sizeof *descent->spans, descent->count, token);
        loop->step(descent, sequence, token - descent->spans[sequence].first, worker);
    }
}

Status descent_for_tokens(const Descent *descent, DescentStep step, Error *error) {
    DescentLoop loop = {.descent = descent, .step = step};
    return job_run(descent->job, (descent->tokens + TOKEN_BLOCK - 1) / TOKEN_BLOCK, run_steps, &loop, error);
}

const ModelConfig *descent_config(const Descent *descent) {
    return descent->backward->state->side->config;
}

size_t descent_position(const Descent *descent, size_t sequence, size_t token) {
    return descent->spans[sequence].prefix_tokens + token;
}

const LayerPlan *descent_plan(const Descent *descent) {
    return architecture_layer(descent_config(descent), descent->layer);
}

size_t descent_slope_width(const Descent *descent, Slope slope) {
    return backward_slope_width(descent_config(descent), descent_plan(descent), slope);
}

float *descent_slope(const Descent *descent, Slope slope, size_t sequence, size_t token) {
    const Backward *backward = descent->backward;
    return backward->slopes[slope] +
           (descent->spans[sequence].first + token) * descent_slope_width(descent, slope);
}

const float *descent_activation(const Descent *descent, BackwardSite site, size_t sequence, size_t token) {
    const Backward *backward = descent->backward;
    size_t at = descent->spans[sequence].row + token;
    const float *values = backward->activations[site];
    if (site == BACKWARD_GATE && descent->kept.gate != NULL) values = descent->kept.gate;
    if (site == BACKWARD_UP && descent->kept.up != NULL) values = descent->kept.up;
    return values + at * backward_site_width(descent_plan(descent), site);
}

Status descent_project(const Descent *descent, TensorRole role, Slope from, Slope to, bool accumulate,
                       Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *tensor = backward->model->layers[descent->layer].tensors[role];
    MatmulOperand operand = {.blend = settings_blend(&backward->settings, tensor),
                             .x = backward->slopes[from],
                             .y = backward->slopes[to]};
    if (!backward->model->config->is_transposed)
        return matmul_run_back(&operand, 1, descent->tokens, accumulate, backward->scratch, descent->job,
                               error);
    if (accumulate) /* no such model has two matrices of one input */
        return status_fail(error, STATUS_UNSUPPORTED,
                           "gradients of several transposed matrices of one input");
    return matmul_run(&operand, 1, descent->tokens, backward->scratch, descent->job, error);
}

/* ---- what meets at weights ---- */

static TensorRole bias_of(TensorRole role) {
    static const TensorRole BIASES[TENSOR_ROLE_COUNT] = {[TENSOR_Q] = TENSOR_Q_BIAS,
                                                         [TENSOR_K] = TENSOR_K_BIAS,
                                                         [TENSOR_V] = TENSOR_V_BIAS,
                                                         [TENSOR_O] = TENSOR_O_BIAS,
                                                         [TENSOR_GATE] = TENSOR_GATE_BIAS,
                                                         [TENSOR_UP] = TENSOR_UP_BIAS,
                                                         [TENSOR_DOWN] = TENSOR_DOWN_BIAS,
                                                         [TENSOR_QKV] = TENSOR_QKV_BIAS,
                                                         [TENSOR_GATE_UP] = TENSOR_GATE_UP_BIAS};
    return BIASES[role];
}

Status descent_give(const Descent *descent, BackwardFlow *flow, Error *error) {
    const Backward *backward = descent->backward;
    flow->is_first = descent->group == backward->groups;
    flow->is_last = descent->group + 1 == backward->groups + backward->group_count;
    return descent->taker(descent->user, flow, error);
}

Status descent_give_matrix(const Descent *descent, TensorRole role, BackwardSite input, Slope slope,
                           Error *error) {
    const Backward *backward = descent->backward;
    const ModelConfig *config = backward->model->config;
    const ModelLayer *layer = &backward->model->layers[descent->layer];
    TensorRole bias = bias_of(role);
    bool is_normed = input == BACKWARD_SITES;
    if (descent->taker == NULL) return STATUS_OK;
    bool has_bias = forward_vector(backward->state, descent->layer, bias) != NULL;
    BackwardFlow flow = {.kind = FLOW_MATRIX,
                         .tensor = layer->tensors[role],
                         .bias = has_bias ? layer->tensors[bias] : NULL,
                         .role = role,
                         .tokens = descent->tokens,
                         .columns = is_normed ? config->hidden_size
                                              : backward_site_width(descent_plan(descent), input),
                         .rows = descent_slope_width(descent, slope),
                         .inputs = is_normed ? descent->normed : backward->activations[input],
                         .gradients = backward->slopes[slope]};
    return descent_give(descent, &flow, error);
}

Status descent_give_norm(const Descent *descent, TensorRole role, const float *streams, Slope slope,
                         Error *error) {
    const Backward *backward = descent->backward;
    const ModelLayer *layer = &backward->model->layers[descent->layer];
    const Norm norm = forward_norm(backward->state, descent->layer, role);
    if (descent->taker == NULL || norm.weight == NULL) return STATUS_OK;
    BackwardFlow flow = {.kind = FLOW_NORM,
                         .tensor = layer->tensors[role],
                         .bias = norm.bias != NULL ? layer->biases[role] : NULL,
                         .role = role,
                         .tokens = descent->tokens,
                         .columns = norm.size,
                         .rows = norm.size,
                         .inputs = streams,
                         .gradients = backward->slopes[slope],
                         .norm = norm};
    return descent_give(descent, &flow, error);
}

Status descent_give_part_norm(const Descent *descent, TensorPart part, Norm norm, const float *inputs,
                              Slope slope, Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *tensor = backward->model->layers[descent->layer].parts[part];
    BackwardFlow flow = {.kind = FLOW_NORM,
                         .tensor = tensor,
                         .role = tensor->role,
                         .tokens = descent->tokens,
                         .columns = norm.size,
                         .rows = norm.size,
                         .inputs = inputs,
                         .gradients = backward->slopes[slope],
                         .norm = norm};
    return descent->taker == NULL ? STATUS_OK : descent_give(descent, &flow, error);
}

Status descent_give_vector(const Descent *descent, TensorRole role, const PairTensor *tensor,
                           const float *gradient, size_t rows, Error *error) {
    BackwardFlow flow = {.kind = FLOW_VECTOR,
                         .tensor = tensor,
                         .role = role,
                         .tokens = 1,
                         .rows = rows,
                         .gradients = gradient};
    return descent_give(descent, &flow, error);
}

/* ---- what meets at parts ---- */

static const PairTensor *part_of(const Descent *descent, TensorPart part) {
    return descent->backward->model->layers[descent->layer].parts[part];
}

Status descent_give_sums(const Descent *descent, TensorPart part, size_t rows, Error *error) {
    const PairTensor *tensor = part_of(descent, part);
    if (descent->taker == NULL) return STATUS_OK;
    for (size_t i = 0; i < rows; i++) descent->vector_gradients[i] = (float)descent->vector_sums[i];
    return descent_give_vector(descent, tensor->role, tensor, descent->vector_gradients, rows, error);
}

typedef struct ColumnSums {
    const Descent *descent;
    const float *from; /* the first column of the first token */
    size_t width, count;
} ColumnSums;

static void sum_columns(void *argument, size_t block, unsigned worker) {
    (void)worker;
    const ColumnSums *sums = argument;
    size_t first = block * COLUMN_BLOCK,
           end = first + COLUMN_BLOCK < sums->count ? first + COLUMN_BLOCK : sums->count;
    double *to = sums->descent->vector_sums;
    memset(to + first, 0, (end - first) * sizeof *to);
    for (size_t t = 0; t < sums->descent->tokens; t++) {
        const float *row = sums->from + t * sums->width;
        for (size_t i = first; i < end; i++) to[i] += (double)row[i];
    }
}

Status descent_give_columns(const Descent *descent, TensorPart part, Slope slope, size_t first, size_t count,
                            Error *error) {
    ColumnSums sums = {.descent = descent,
                       .from = descent->backward->slopes[slope] + first,
                       .width = descent_slope_width(descent, slope),
                       .count = count};
    if (descent->taker == NULL || !architecture_needs(descent_plan(descent), part)) return STATUS_OK;
    Status status =
        job_run(descent->job, (count + COLUMN_BLOCK - 1) / COLUMN_BLOCK, sum_columns, &sums, error);
    return status == STATUS_OK ? descent_give_sums(descent, part, count, error) : status;
}

static Status give_matrix(const Descent *descent, TensorPart part, const float *inputs, Slope slope,
                          Error *error) {
    const PairTensor *tensor = part_of(descent, part);
    BackwardFlow flow = {.kind = FLOW_MATRIX,
                         .tensor = tensor,
                         .role = tensor->role,
                         .tokens = descent->tokens,
                         .columns = (size_t)tensor->sft->columns,
                         .rows = (size_t)tensor->sft->rows,
                         .inputs = inputs,
                         .gradients = descent->backward->slopes[slope]};
    return descent->taker == NULL ? STATUS_OK : descent_give(descent, &flow, error);
}

Status descent_run_part(const Descent *descent, TensorPart matrix, TensorPart bias, const float *inputs,
                        Slope from, Slope to, bool accumulate, Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *tensor = part_of(descent, matrix);
    const MatmulOperand operand = {.blend = settings_blend(&backward->settings, tensor),
                                   .x = backward->slopes[from],
                                   .y = backward->slopes[to]};
    Status status = STATUS_OK;
    if (bias != TENSOR_PART_COUNT)
        status = descent_give_columns(descent, bias, from, 0, (size_t)tensor->sft->rows, error);
    if (status == STATUS_OK) status = give_matrix(descent, matrix, inputs, from, error);
    return status == STATUS_OK ? matmul_run_back(&operand, 1, descent->tokens, accumulate, backward->scratch,
                                                 descent->job, error)
                               : status;
}

BackwardAttention descent_attention(const Descent *descent) {
    float *const *slopes = descent->backward->slopes;
    return (BackwardAttention){.state = descent->backward->state,
                               .layer = descent->layer,
                               .spans = descent->spans,
                               .count = descent->count,
                               .mixed = slopes[SLOPE_MIXED],
                               .to_query = slopes[SLOPE_QUERY],
                               .to_key = slopes[SLOPE_KEY],
                               .to_value = slopes[SLOPE_VALUE],
                               .scratch = descent->scratch,
                               .scratch_stride = descent->scratch_stride,
                               .job = descent->job};
}
