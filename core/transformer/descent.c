#include "core/transformer/descent.h"

enum { TOKEN_BLOCK = 8 };

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
    const DescentLoop *loop = argument;
    const Descent *descent = loop->descent;
    size_t end = (task + 1) * TOKEN_BLOCK < descent->tokens ? (task + 1) * TOKEN_BLOCK : descent->tokens;
    for (size_t token = task * TOKEN_BLOCK; token < end; token++) {
        size_t sequence = sequence_of(descent, token);
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

float *descent_slope(const Descent *descent, Slope slope, size_t sequence, size_t token) {
    const Backward *backward = descent->backward;
    return backward->slopes[slope] +
           (descent->spans[sequence].first + token) * backward_slope_width(backward->model->config, slope);
}

const float *descent_activation(const Descent *descent, BackwardSite site, size_t sequence, size_t token) {
    const Backward *backward = descent->backward;
    size_t at = descent->spans[sequence].row + token;
    return backward->activations[site] + at * backward_site_width(backward->model->config, site);
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

Status descent_give(const Descent *descent, TensorRole role, const float *inputs, size_t columns,
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
    return descent->taker == NULL ? STATUS_OK : descent->taker(descent->user, &flow, error);
}

Status descent_give_matrix(const Descent *descent, TensorRole role, BackwardSite input, Slope slope,
                           Error *error) {
    const Backward *backward = descent->backward;
    const ModelConfig *config = backward->model->config;
    bool is_normed = input == BACKWARD_SITES;
    if (descent->taker == NULL) return STATUS_OK;
    return descent_give(descent, role, is_normed ? descent->normed : backward->activations[input],
                        is_normed ? config->hidden_size : backward_site_width(config, input),
                        backward->slopes[slope], backward_slope_width(config, slope), error);
}
