#include "core/transformer/differential.h"

#include "core/transformer/attention.h"

#include <math.h>
#include <string.h>

/* λ₀ */
static double first_share(uint64_t layer) {
    return 0.8 - 0.6 * exp(-0.3 * (double)layer);
}

static double multiply(const float *a, const float *b, size_t size) {
    double sum = 0.0;
    for (size_t i = 0; i < size; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* exp(q·k) */
static double exponential_of(const ForwardState *state, uint64_t layer, TensorPart query, TensorPart key) {
    return exp(multiply(forward_part(state, layer, query), forward_part(state, layer, key),
                        forward_plan(state, layer)->head_dim));
}

static double share_of(const ForwardState *state, uint64_t layer) {
    return exponential_of(state, layer, TENSOR_PART_LAMBDA_Q1, TENSOR_PART_LAMBDA_K1) -
           exponential_of(state, layer, TENSOR_PART_LAMBDA_Q2, TENSOR_PART_LAMBDA_K2) + first_share(layer);
}

/* Each token has room for both halves' values in BUFFER_SCRATCH. */
static void keep(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t width = plan->heads * plan->head_dim;
    float *to = state->buffers[BUFFER_SCRATCH] + token * 2 * width + (chunk->value_half == 2 ? width : 0);
    memcpy(to, pass_row(chunk, state, BUFFER_MIXED, token), width * sizeof *to);
}

/* Of both halves' values. */
static Norm norm_of(const ForwardState *state, const LayerPlan *plan) {
    return (Norm){.kind = NORM_RMS, .size = 2 * plan->head_dim, .epsilon = state->side->config->norm_epsilon};
}

/* What the norm takes of head h; both halves of a token's heads are at `mixed`. */
static void subtract(const LayerPlan *plan, const float *mixed, size_t h, float share, float *out) {
    size_t dim = plan->head_dim, half = plan->heads / 2, width = plan->heads * dim;
    for (size_t i = 0; i < 2 * dim; i++) {
        const float *of_half = mixed + i / dim * width;
        out[i] = of_half[h * dim + i % dim] - share * of_half[(half + h) * dim + i % dim];
    }
}

static void combine(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t dim = plan->head_dim, half = plan->heads / 2, width = plan->heads * dim;
    const float *mixed = state->buffers[BUFFER_SCRATCH] + token * 2 * width;
    float *out = pass_row(chunk, state, BUFFER_MIXED, token), share = (float)share_of(state, chunk->layer);
    float rest = (float)(1.0 - first_share(chunk->layer));
    const Norm norm = norm_of(state, plan);
    for (size_t h = 0; h < half; h++, out += 2 * dim) {
        subtract(plan, mixed, h, share, out);
        norm_forward(&norm, out, out);
        for (size_t i = 0; i < 2 * dim; i++) out[i] *= rest;
    }
}

Status differential_run(const Pass *pass, Error *error) {
    Pass halves = *pass;
    Status status = STATUS_OK;
    for (int half = 1; half <= 2 && status == STATUS_OK; half++) {
        halves.chunk.value_half = half;
        status = attention_run(&halves.chunk, error);
        if (status == STATUS_OK) status = pass_for_tokens(&halves, keep, error);
    }
    return status == STATUS_OK ? pass_for_tokens(pass, combine, error) : status;
}

/* ---- the way back ---- */

/* What both halves' values were mixed to, of a token of the group. */
static const float *halves_of(const Descent *descent, size_t sequence, size_t token) {
    const LayerPlan *plan = descent_plan(descent);
    return descent->backward->state->buffers[BUFFER_SCRATCH] +
           (descent->spans[sequence].row + token) * 2 * plan->heads * plan->head_dim;
}

/* To each head and its partner, in both halves. */
static void descend_combination(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const ForwardState *state = descent->backward->state;
    const LayerPlan *plan = descent_plan(descent);
    const Norm norm = norm_of(state, plan);
    size_t dim = plan->head_dim, half = plan->heads / 2, width = plan->heads * dim;
    const float share = (float)share_of(state, descent->layer),
                rest = (float)(1.0 - first_share(descent->layer)),
                *mixed = halves_of(descent, sequence, token);
    float *x = descent->rows + (size_t)worker * 2 * descent->row_stride, *through = x + descent->row_stride,
          *slope = descent_slope(descent, SLOPE_MIXED, sequence, token),
          *to = descent_slope(descent, SLOPE_HALVES, sequence, token);
    for (size_t h = 0; h < half; h++, slope += 2 * dim) {
        subtract(plan, mixed, h, share, x);
        memset(through, 0, norm.size * sizeof *through);
        for (size_t i = 0; i < norm.size; i++) slope[i] *= rest;
        norm_backward(&norm, x, slope, through);
        for (size_t i = 0; i < 2 * dim; i++) {
            float *of_half = to + i / dim * width;
            of_half[h * dim + i % dim] = through[i];
            of_half[(half + h) * dim + i % dim] = -share * through[i];
        }
    }
}

/* Two key heads mix the same value in each half. */
static void join_values(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const LayerPlan *plan = descent_plan(descent);
    size_t own = plan->kv_heads / 2 * plan->head_dim;
    const float *from = descent_slope(descent, SLOPE_VALUE_HALVES, sequence, token);
    float *to = descent_slope(descent, SLOPE_VALUE, sequence, token);
    for (size_t i = 0; i < own; i++) {
        to[i] = from[i] + from[own + i];
        to[own + i] = from[2 * own + i] + from[3 * own + i];
    }
}

/* dλ: less what partners gave. */
static double sum_share(const Descent *descent) {
    const LayerPlan *plan = descent_plan(descent);
    size_t own = plan->heads / 2 * plan->head_dim;
    double sum = 0.0;
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t t = 0; t < descent->spans[s].tokens; t++) {
            const float *mixed = halves_of(descent, s, t),
                        *slope = descent_slope(descent, SLOPE_HALVES, s, t);
            for (size_t half = 0; half < 2; half++)
                sum -= multiply(slope + half * 2 * own, mixed + (half * 2 + 1) * own, own);
        }
    }
    return sum;
}

/* d exp(q·k): of q by k. */
static Status give_lambda(const Descent *descent, TensorPart part, TensorPart partner, double slope,
                          Error *error) {
    const ForwardState *state = descent->backward->state;
    const float *by = forward_part(state, descent->layer, partner);
    size_t dim = descent_plan(descent)->head_dim;
    slope *= exponential_of(state, descent->layer, part, partner);
    for (size_t i = 0; i < dim; i++) descent->vector_sums[i] = slope * (double)by[i];
    return descent_give_sums(descent, part, dim, error);
}

static Status give_lambdas(const Descent *descent, Error *error) {
    static const struct {
        TensorPart part, partner;
        double sign;
    } PARTS[] = {{TENSOR_PART_LAMBDA_Q1, TENSOR_PART_LAMBDA_K1, 1.0},
                 {TENSOR_PART_LAMBDA_K1, TENSOR_PART_LAMBDA_Q1, 1.0},
                 {TENSOR_PART_LAMBDA_Q2, TENSOR_PART_LAMBDA_K2, -1.0},
                 {TENSOR_PART_LAMBDA_K2, TENSOR_PART_LAMBDA_Q2, -1.0}};
    Status status = STATUS_OK;
    if (descent->taker == NULL) return STATUS_OK;
    const double slope = sum_share(descent);
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS && status == STATUS_OK; i++)
        status = give_lambda(descent, PARTS[i].part, PARTS[i].partner, PARTS[i].sign * slope, error);
    return status;
}

Status differential_descend(const Descent *descent, Error *error) {
    float *const *slopes = descent->backward->slopes;
    BackwardAttention attention = descent_attention(descent);
    attention.mixed = slopes[SLOPE_HALVES];
    attention.has_halves = true;
    attention.to_value = slopes[SLOPE_VALUE_HALVES];
    Status status = descent_for_tokens(descent, descend_combination, error);
    if (status == STATUS_OK) status = give_lambdas(descent, error);
    if (status == STATUS_OK) status = backward_attention_run(&attention, error);
    return status == STATUS_OK ? descent_for_tokens(descent, join_values, error) : status;
}
