#include "core/transformer/backward_delta.h"
#include "core/transformer/backward_delta_internal.h"

#include <string.h>

/* ---- out of one matrix ---- */

/* Of each key head its query, its key, its values, their gates. */
static void join_fused(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const ModelConfig *config = descent_config(descent);
    const size_t heads = config->recurrent.key_heads, dim = config->recurrent.key_dim,
                 keys = architecture_delta_keys(config), values = architecture_delta_values(config) / heads;
    const float *channels = descent_slope(descent, SLOPE_PROJECTED, sequence, token),
                *gates = descent_slope(descent, SLOPE_ATTENTION_GATE, sequence, token);
    float *to = descent_slope(descent, SLOPE_STORED, sequence, token);
    for (size_t h = 0; h < heads; h++, to += 2 * (dim + values)) {
        memcpy(to, channels + h * dim, dim * sizeof *to);
        memcpy(to + dim, channels + keys + h * dim, dim * sizeof *to);
        memcpy(to + 2 * dim, channels + 2 * keys + h * values, values * sizeof *to);
        memcpy(to + 2 * dim + values, gates + h * values, values * sizeof *to);
    }
}

/* Of each key head how much its value heads write, and keep. Rows are narrower than the gradient's, one behind the other. */
static void join_steps(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const RecurrentSizes *sizes = &descent_config(descent)->recurrent;
    const size_t group = sizes->value_heads / sizes->key_heads;
    const float *write = descent_slope(descent, SLOPE_WRITE, sequence, token),
                *decay = descent_slope(descent, SLOPE_DECAY, sequence, token);
    float *to = descent->backward->slopes[SLOPE_STORED] +
                (descent->spans[sequence].first + token) * 2 * sizes->value_heads;
    for (size_t h = 0; h < sizes->key_heads; h++) {
        memcpy(to + 2 * h * group, write + h * group, group * sizeof *to);
        memcpy(to + (2 * h + 1) * group, decay + h * group, group * sizeof *to);
    }
}

/* A matrix of what the block took. */
static Status descend_matrix(const Descent *descent, TensorPart part, Slope slope, bool accumulates,
                             Error *error) {
    return descent_run_part(descent, part, TENSOR_PART_COUNT, descent->normed, slope, SLOPE_NORMED,
                            accumulates, error);
}

static Status descend_fused(const Descent *descent, Error *error) {
    Status status = descent_for_tokens(descent, join_fused, error);
    if (status == STATUS_OK)
        status = descend_matrix(descent, TENSOR_PART_DELTA_FUSED, SLOPE_STORED, descent->accumulates, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, join_steps, error);
    return status == STATUS_OK ? descend_matrix(descent, TENSOR_PART_DELTA_STEPS, SLOPE_STORED, true, error)
                               : status;
}

/* ---- out of one each ---- */

static void move_channels(const Descent *descent, size_t first, size_t width) {
    const Backward *backward = descent->backward;
    const float *from = backward->slopes[SLOPE_PROJECTED] + first;
    float *to = backward->slopes[SLOPE_STORED];
    size_t channels = descent_slope_width(descent, SLOPE_PROJECTED);
    for (size_t t = 0; t < descent->tokens; t++)
        memcpy(to + t * width, from + t * channels, width * sizeof *to);
}

static Status descend_parted(const Descent *descent, Error *error) {
    const ModelConfig *config = descent_config(descent);
    const size_t keys = architecture_delta_keys(config);
    const struct {
        TensorPart weight;
        size_t width, first;
    } parts[] = {{TENSOR_PART_DELTA_QUERY, keys, 0},
                 {TENSOR_PART_DELTA_KEY, keys, keys},
                 {TENSOR_PART_DELTA_VALUE, architecture_delta_values(config), 2 * keys}};
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == STATUS_OK; i++) {
        move_channels(descent, parts[i].first, parts[i].width);
        status = descend_matrix(descent, parts[i].weight, SLOPE_STORED, i > 0 || descent->accumulates, error);
    }
    return status;
}

/* One matrix, or two with few channels between, which `copy` is of. */
static Status descend_ranked(const Descent *descent, TensorPart whole, TensorPart left, BackwardCopy copy,
                             Slope slope, Error *error) {
    const TensorPart right = (TensorPart)(left + 1);
    if (!architecture_needs(descent_plan(descent), left))
        return descend_matrix(descent, whole, slope, true, error);
    Status status = descent_run_part(descent, right, TENSOR_PART_COUNT, descent->backward->copies[copy],
                                     slope, SLOPE_STATE_RANK, false, error);
    return status == STATUS_OK ? descend_matrix(descent, left, SLOPE_STATE_RANK, true, error) : status;
}

static Status descend_all(const Descent *descent, Error *error) {
    bool is_parted = architecture_needs(descent_plan(descent), TENSOR_PART_DELTA_QUERY);
    Status status = is_parted ? descend_parted(descent, error)
                              : descend_matrix(descent, TENSOR_PART_DELTA_IN, SLOPE_PROJECTED,
                                               descent->accumulates, error);
    if (status == STATUS_OK)
        status = descend_ranked(descent, TENSOR_PART_DELTA_GATE, TENSOR_PART_DELTA_GATE_LEFT, COPY_GATE_RANK,
                                SLOPE_ATTENTION_GATE, error);
    if (status == STATUS_OK)
        status = descend_matrix(descent, TENSOR_PART_DELTA_WRITE, SLOPE_WRITE, true, error);
    return status == STATUS_OK ? descend_ranked(descent, TENSOR_PART_DELTA_STEP, TENSOR_PART_DELTA_STEP_LEFT,
                                                COPY_DECAY_RANK, SLOPE_DECAY, error)
                               : status;
}

Status backward_delta_matrices(const Descent *descent, Error *error) {
    bool is_fused = architecture_needs(descent_plan(descent), TENSOR_PART_DELTA_FUSED);
    return is_fused ? descend_fused(descent, error) : descend_all(descent, error);
}
