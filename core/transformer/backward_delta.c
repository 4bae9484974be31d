#include "core/transformer/backward_delta.h"

#include "core/transformer/activation.h"
#include "core/transformer/backward_delta_internal.h"
#include "core/transformer/block_delta.h"
#include "core/transformer/channel_convolution.h"

#include <math.h>
#include <string.h>

/* A token's row of what the forward pass left. */
static const float *row_of(const Descent *descent, const float *rows, size_t width, size_t sequence,
                           size_t token) {
    return rows + (descent->spans[sequence].row + token) * width;
}

static const float *copy_of(const Descent *descent, BackwardCopy copy, size_t sequence, size_t token) {
    size_t width = backward_copy_width(descent_config(descent), descent_plan(descent), copy);
    return row_of(descent, descent->backward->copies[copy], width, sequence, token);
}

static const float *buffer_of(const Descent *descent, Buffer buffer, size_t sequence, size_t token) {
    size_t width = forward_layer_width(descent_config(descent), descent_plan(descent), buffer);
    return row_of(descent, descent->backward->state->buffers[buffer], width, sequence, token);
}

/* ---- behind the rule ---- */

/* To the gate, and to what the norm gave. */
static void descend_gate(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const ModelConfig *config = descent_config(descent);
    const Norm norm = block_delta_norm(descent->backward->state, descent->layer);
    const float *read = copy_of(descent, COPY_ATTENDED, sequence, token),
                *gate = buffer_of(descent, BUFFER_ATTENTION_GATE, sequence, token);
    float *normed = descent->rows + (size_t)worker * 2 * descent->row_stride,
          *slope = descent_slope(descent, SLOPE_MIXED, sequence, token),
          *to_gate = descent_slope(descent, SLOPE_ATTENTION_GATE, sequence, token);
    for (size_t i = 0; i < config->recurrent.value_heads * norm.size; i += norm.size)
        norm_forward(&norm, read + i, normed + i);
    for (size_t i = 0; i < config->recurrent.value_heads * norm.size; i++) {
        float value = 0.0F, bent = 0.0F;
        activation_differentiate(config->delta.gate, gate[i], &value, &bent);
        to_gate[i] = slope[i] * normed[i] * bent;
        slope[i] *= value;
    }
}

static void descend_norm(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const Norm norm = block_delta_norm(descent->backward->state, descent->layer);
    const float *read = copy_of(descent, COPY_ATTENDED, sequence, token);
    float *through = descent->rows + (size_t)worker * 2 * descent->row_stride,
          *slope = descent_slope(descent, SLOPE_MIXED, sequence, token);
    for (size_t i = 0; i < descent_slope_width(descent, SLOPE_MIXED); i += norm.size) {
        memset(through, 0, norm.size * sizeof *through);
        norm_backward(&norm, read + i, slope + i, through);
        memcpy(slope + i, through, norm.size * sizeof *slope);
    }
}

/* Heads share it: a row for each of a token's. */
static Status give_norm(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *tensor = backward->model->layers[descent->layer].parts[TENSOR_PART_DELTA_NORM];
    const Norm norm = block_delta_norm(backward->state, descent->layer);
    BackwardFlow flow = {.kind = FLOW_NORM,
                         .tensor = tensor,
                         .role = tensor->role,
                         .tokens = descent->tokens * (size_t)descent_config(descent)->recurrent.value_heads,
                         .columns = norm.size,
                         .rows = norm.size,
                         .inputs = backward->copies[COPY_ATTENDED],
                         .gradients = backward->slopes[SLOPE_MIXED],
                         .norm = norm};
    return descent->taker == NULL ? STATUS_OK : descent_give(descent, &flow, error);
}

static Status descend_output(const Descent *descent, Error *error) {
    Status status = descent_run_part(descent, TENSOR_PART_DELTA_OUT, TENSOR_PART_COUNT,
                                     descent->backward->state->buffers[BUFFER_MIXED], descent->given,
                                     SLOPE_MIXED, false, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_gate, error);
    if (status == STATUS_OK) status = give_norm(descent, error);
    return status == STATUS_OK ? descent_for_tokens(descent, descend_norm, error) : status;
}

/* ---- before the rule ---- */

/* x · scale / √(|x|² + smallest), in place of the gradient at it. */
static void descend_length(const float *x, size_t size, double scale, float *slope) {
    double squares = BLOCK_DELTA_SMALLEST_SQUARE, along = 0.0;
    for (size_t i = 0; i < size; i++) {
        squares += (double)x[i] * (double)x[i];
        along += (double)x[i] * (double)slope[i];
    }
    double factor = scale / sqrt(squares);
    for (size_t i = 0; i < size; i++)
        slope[i] = (float)(factor * ((double)slope[i] - (double)x[i] * along / squares));
}

/* Queries and keys as they were convolved; and what is written, before it is bent. */
static void descend_token(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ModelConfig *config = descent_config(descent);
    const size_t heads = config->recurrent.key_heads, dim = config->recurrent.key_dim;
    const float *convolved = copy_of(descent, COPY_CONVOLVED, sequence, token),
                *write = buffer_of(descent, BUFFER_WRITE, sequence, token);
    float *slope = descent_slope(descent, SLOPE_PROJECTED, sequence, token),
          *to_write = descent_slope(descent, SLOPE_WRITE, sequence, token);
    for (size_t h = 0; h < 2 * heads; h++)
        descend_length(convolved + h * dim, dim, h < heads ? 1.0 / sqrt((double)dim) : 1.0, slope + h * dim);
    for (size_t h = 0; h < config->recurrent.value_heads; h++)
        to_write[h] *= write[h] * (1.0F - write[h] / (float)config->delta.write_scale);
}

/* Of log γ, with x what goes into it: by x, and by the logarithm of its rate. */
static void differentiate_decay(const DeltaSwitches *delta, double rate, double x, double *by_x,
                                double *by_rate) {
    if (delta->least_decay != 0.0) {
        double open = 1.0 / (1.0 + exp(-rate * x)), bent = delta->least_decay * open * (1.0 - open) * rate;
        *by_x = bent;
        *by_rate = bent * x;
        return;
    }
    *by_x = x > 20.0 ? -rate : -rate / (1.0 + exp(-x));
    *by_rate = -rate * (x > 20.0 ? x : log1p(exp(x)));
}

/* From γ to what it comes of, of one value head; its rate's sum in vector_sums. */
static void descend_decay(void *argument, size_t head, unsigned worker) {
    (void)worker;
    const Descent *descent = argument;
    const ModelConfig *config = descent_config(descent);
    const ForwardState *state = descent->backward->state;
    const size_t each = architecture_delta_decays(config) / config->recurrent.value_heads;
    const float *bias = forward_part(state, descent->layer, TENSOR_PART_DELTA_STEP_BIAS);
    double rate = exp((double)forward_part(state, descent->layer, TENSOR_PART_DELTA_DECAY)[head]), sum = 0.0;
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t t = 0; t < descent->spans[s].tokens; t++) {
            const float *step = copy_of(descent, COPY_DECAY, s, t),
                        *kept = buffer_of(descent, BUFFER_DECAY, s, t);
            float *slope = descent_slope(descent, SLOPE_DECAY, s, t);
            for (size_t i = head * each; i < (head + 1) * each; i++) {
                double by_x, by_rate, own = (double)slope[i] * (double)kept[i];
                differentiate_decay(&config->delta, rate, (double)step[i] + (double)bias[i], &by_x, &by_rate);
                slope[i] = (float)(own * by_x);
                sum += own * by_rate;
            }
        }
    }
    if (descent->taker != NULL) descent->vector_sums[head] = sum;
}

static Status descend_decays(Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    size_t heads = config->recurrent.value_heads;
    Status status = job_run(descent->job, heads, descend_decay, descent, error);
    if (status == STATUS_OK) status = descent_give_sums(descent, TENSOR_PART_DELTA_DECAY, heads, error);
    return status == STATUS_OK ? descent_give_columns(descent, TENSOR_PART_DELTA_STEP_BIAS, SLOPE_DECAY, 0,
                                                      architecture_delta_decays(config), error)
                               : status;
}

size_t backward_delta_scratch(const ModelConfig *config, size_t tokens) {
    return backward_delta_rule_scratch(config, tokens);
}

Status backward_delta_descend(const Descent *descent, Error *error) {
    const ChannelConvolution convolution =
        block_delta_convolution(descent_config(descent), descent_plan(descent));
    Descent own = *descent;
    Status status = descend_output(descent, error);
    if (status == STATUS_OK) status = backward_delta_rule(descent, error);
    if (status == STATUS_OK) status = descend_decays(&own, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_token, error);
    if (status == STATUS_OK)
        status = channel_convolution_descend(descent, &convolution, descent->backward->copies[COPY_PROJECTED],
                                             SLOPE_PROJECTED, error);
    return status == STATUS_OK ? backward_delta_matrices(descent, error) : status;
}
