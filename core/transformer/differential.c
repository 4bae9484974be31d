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

static double share_of(const ForwardState *state, uint64_t layer) {
    size_t dim = forward_plan(state, layer)->head_dim;
    double one = multiply(forward_part(state, layer, TENSOR_PART_LAMBDA_Q1),
                          forward_part(state, layer, TENSOR_PART_LAMBDA_K1), dim);
    double two = multiply(forward_part(state, layer, TENSOR_PART_LAMBDA_Q2),
                          forward_part(state, layer, TENSOR_PART_LAMBDA_K2), dim);
    return exp(one) - exp(two) + first_share(layer);
}

/* Each token has room for both halves' values in BUFFER_SCRATCH. */
static void keep(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t width = plan->heads * plan->head_dim;
    float *to = state->buffers[BUFFER_SCRATCH] + token * 2 * width + (chunk->value_half == 2 ? width : 0);
    memcpy(to, pass_row(chunk, state, BUFFER_MIXED, token), width * sizeof *to);
}

static void combine(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t dim = plan->head_dim, half = plan->heads / 2, width = plan->heads * dim;
    const float *mixed = state->buffers[BUFFER_SCRATCH] + token * 2 * width;
    float *out = pass_row(chunk, state, BUFFER_MIXED, token), share = (float)share_of(state, chunk->layer);
    float rest = (float)(1.0 - first_share(chunk->layer));
    const Norm norm = {.kind = NORM_RMS, .size = 2 * dim, .epsilon = state->side->config->norm_epsilon};
    for (size_t h = 0; h < half; h++, out += 2 * dim) {
        for (size_t i = 0; i < 2 * dim; i++) {
            const float *of_half = mixed + i / dim * width;
            out[i] = of_half[h * dim + i % dim] - share * of_half[(half + h) * dim + i % dim];
        }
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
