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
