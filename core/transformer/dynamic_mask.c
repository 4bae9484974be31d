#include "core/transformer/dynamic_mask.h"

#include "core/transformer/activation.h"

#include <math.h>

static void keep_mask(const Chunk *chunk, ForwardState *state, size_t token) {
    const float *steps = pass_row(chunk, state, BUFFER_MASK, token),
                *rates = forward_part(state, chunk->layer, TENSOR_PART_MASK_RATE);
    size_t cell = chunk_cell(chunk, token);
    for (uint64_t h = 0; h < forward_plan(state, chunk->layer)->kv_heads; h++)
        forward_masks(state, chunk->layer, h)[cell] = expf(rates[h] * activation_softplus(steps[h]));
}

Status dynamic_mask_run(const Pass *pass, Error *error) {
    Status status = pass_project_biased(pass, TENSOR_PART_MASK_STEP, TENSOR_PART_MASK_STEP_BIAS, BUFFER_VALUE,
                                        BUFFER_MASK, error);
    return status == STATUS_OK ? pass_for_tokens(pass, keep_mask, error) : status;
}

/* ---- the way back ---- */

/* To steps, in place, of all tokens of one key head; gives the gradient at its rate. */
static double descend_head(const Descent *descent, size_t head) {
    const ForwardState *state = descent->backward->state;
    const size_t heads = descent_plan(descent)->kv_heads;
    const double rate = (double)forward_part(state, descent->layer, TENSOR_PART_MASK_RATE)[head];
    double sum = 0.0;
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t t = 0; t < descent->spans[s].tokens; t++) {
            const float step = state->buffers[BUFFER_MASK][(descent->spans[s].row + t) * heads + head];
            const double soft = (double)activation_softplus(step), open = 1.0 / (1.0 + exp(-(double)step));
            float *slope = descent_slope(descent, SLOPE_MASK, s, t) + head;
            const double own = (double)*slope * exp(rate * soft);
            *slope = (float)(own * rate * (step > 20.0F ? 1.0 : open));
            sum += own * soft;
        }
    }
    return sum;
}

Status dynamic_mask_descend(const Descent *descent, Error *error) {
    const size_t heads = descent_plan(descent)->kv_heads;
    if (!architecture_needs(descent_plan(descent), TENSOR_PART_MASK_RATE)) return STATUS_OK;
    for (size_t h = 0; h < heads; h++) {
        const double sum = descend_head(descent, h);
        if (descent->taker != NULL) descent->vector_sums[h] = sum;
    }
    Status status = descent_give_sums(descent, TENSOR_PART_MASK_RATE, heads, error);
    return status == STATUS_OK ? descent_run_part(descent, TENSOR_PART_MASK_STEP, TENSOR_PART_MASK_STEP_BIAS,
                                                  descent->backward->activations[BACKWARD_VALUE], SLOPE_MASK,
                                                  SLOPE_VALUE, true, error)
                               : status;
}
