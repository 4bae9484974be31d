#include "core/transformer/block_mlp.h"

#include "core/transformer/activation.h"
#include "core/transformer/glu.h"

#include <math.h>
#include <string.h>

static void split_gate_up(const Chunk *chunk, ForwardState *state, size_t token) {
    size_t width = forward_plan(state, chunk->layer)->intermediate_size;
    const float *from = state->buffers[BUFFER_GATE_UP] + token * 2 * width;
    memcpy(pass_row(chunk, state, BUFFER_GATE, token), from, width * sizeof *from);
    memcpy(pass_row(chunk, state, BUFFER_UP, token), from + width, width * sizeof *from);
}

/* With the layer's own weights where the activation has some. */
static Glu make_glu(const ForwardState *state, uint64_t layer) {
    Glu glu = glu_of_mlp(state->side->config, forward_plan(state, layer));
    if (glu.activation == ACTIVATION_XIELU)
        glu.xielu = activation_read_xielu(*forward_part(state, layer, TENSOR_PART_XIELU_POSITIVE),
                                          *forward_part(state, layer, TENSOR_PART_XIELU_NEGATIVE),
                                          *forward_part(state, layer, TENSOR_PART_XIELU_BETA),
                                          *forward_part(state, layer, TENSOR_PART_XIELU_EPSILON));
    return glu;
}

/* to[i] = act(from[i]) */
static void activate(const Chunk *chunk, const ForwardState *state, const float *from, float *to) {
    size_t width = forward_plan(state, chunk->layer)->intermediate_size;
    const Glu glu = make_glu(state, chunk->layer);
    if (glu.activation != ACTIVATION_XIELU) {
        activation_values(glu.activation, from, width, to);
        return;
    }
    for (size_t i = 0; i < width; i++) to[i] = activation_xielu(&glu.xielu, from[i]);
}

/* What is above the mean plus so many deviations, from there on; the rest is 0. */
static void cut_off(double deviations, float *gate, size_t width) {
    if (isnan(deviations)) return;
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < width; i++) sum += (double)gate[i];
    const double mean = sum / (double)width;
    for (size_t i = 0; i < width; i++) squares += ((double)gate[i] - mean) * ((double)gate[i] - mean);
    const double least = mean + sqrt(squares / (double)width) * deviations;
    for (size_t i = 0; i < width; i++) gate[i] = (float)fmax((double)gate[i] - least, 0.0);
}

static void activate_gate(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t width = plan->intermediate_size;
    float *gate = pass_row(chunk, state, BUFFER_GATE, token);
    const float *up = pass_row(chunk, state, BUFFER_UP, token);
    float scale = (float)state->side->config->gate_scale;
    for (size_t i = 0; scale != 1.0F && i < width; i++) gate[i] *= scale;
    cut_off(plan->cutoff, gate, width);
    if (plan->glu_limit > 0.0) {
        for (size_t i = 0; i < width; i++)
            gate[i] = activation_clamped_glu((float)plan->glu_limit, (float)plan->glu_alpha, gate[i], up[i]);
        return;
    }
    activate(chunk, state, gate, gate);
    for (size_t i = 0; i < width; i++) gate[i] *= up[i];
    pass_norm_part(chunk, state, token, TENSOR_PART_ACTIVATED_NORM, BUFFER_GATE);
}

/* Without a gate: the input of down is in the gate's place all the same. */
static void activate_up(const Chunk *chunk, ForwardState *state, size_t token) {
    activate(chunk, state, pass_row(chunk, state, BUFFER_UP, token),
             pass_row(chunk, state, BUFFER_GATE, token));
    pass_norm_part(chunk, state, token, TENSOR_PART_ACTIVATED_NORM, BUFFER_GATE);
}

static Status project_gate_up(const Pass *pass, bool is_gated, bool is_fused, Error *error) {
    static const Projection GATE = {TENSOR_GATE, TENSOR_GATE_BIAS, BUFFER_NORMED, BUFFER_GATE};
    static const Projection UP = {TENSOR_UP, TENSOR_UP_BIAS, BUFFER_NORMED, BUFFER_UP};
    static const Projection FUSED = {TENSOR_GATE_UP, TENSOR_GATE_UP_BIAS, BUFFER_NORMED, BUFFER_GATE_UP};
    Status status = STATUS_OK;
    if (is_fused) {
        status = pass_project(pass, FUSED, error);
        if (status == STATUS_OK) pass_observe(pass, FORWARD_GATE_UP, BUFFER_GATE_UP);
        return status == STATUS_OK ? pass_for_tokens(pass, split_gate_up, error) : status;
    }
    if (is_gated) status = pass_project(pass, GATE, error);
    return status == STATUS_OK ? pass_project(pass, UP, error) : status;
}

Status block_mlp_activate(const Pass *pass, Error *error) {
    const LayerPlan *plan = forward_plan(pass->chunk.states[0], pass->chunk.layer);
    bool is_gated = plan->mlp == MLP_GATED;
    Status status = project_gate_up(pass, is_gated, architecture_has(plan, TENSOR_GATE_UP), error);
    if (status != STATUS_OK) return status;
    if (is_gated) pass_observe(pass, FORWARD_GATE, BUFFER_GATE);
    pass_observe(pass, FORWARD_UP, BUFFER_UP);
    status = pass_for_tokens(pass, is_gated ? activate_gate : activate_up, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_ACTIVATED, BUFFER_GATE);
    return status;
}

/* What was kept of the token is in its row of the buffers before it is activated. */
static void activate_kept(const Chunk *chunk, ForwardState *state, size_t token) {
    const LayerPlan *plan = forward_plan(state, chunk->layer);
    size_t width = plan->intermediate_size, bytes = width * sizeof(float);
    memcpy(pass_row(chunk, state, BUFFER_UP, token), chunk->kept->up + token * width, bytes);
    if (plan->mlp == MLP_PLAIN) {
        activate_up(chunk, state, token);
        return;
    }
    memcpy(pass_row(chunk, state, BUFFER_GATE, token), chunk->kept->gate + token * width, bytes);
    activate_gate(chunk, state, token);
}

Status block_mlp_restore(const Pass *pass, Error *error) {
    Status status = pass_for_tokens(pass, activate_kept, error);
    if (status == STATUS_OK) pass_observe(pass, FORWARD_ACTIVATED, BUFFER_GATE);
    return status;
}

Status block_mlp_project_down(const Pass *pass, Error *error) {
    static const Projection DOWN = {TENSOR_DOWN, TENSOR_DOWN_BIAS, BUFFER_GATE, BUFFER_ADDED};
    return pass_project(pass, DOWN, error);
}

static void scale_added(const Chunk *chunk, ForwardState *state, size_t token) {
    const ModelConfig *config = state->side->config;
    float *added = pass_row(chunk, state, BUFFER_ADDED, token);
    for (size_t i = 0; i < config->hidden_size; i++) added[i] *= (float)config->mlp_scale;
}

/* States that run together may be of sides with other scales. */
static bool is_scaled(const Chunk *chunk) {
    for (size_t i = 0; i < chunk->state_count; i++)
        if (chunk->states[i]->side->config->mlp_scale != 1.0) return true;
    return false;
}

Status block_mlp_run(const Pass *pass, Error *error) {
    Status status = block_mlp_activate(pass, error);
    if (status == STATUS_OK) status = block_mlp_project_down(pass, error);
    if (status != STATUS_OK || !is_scaled(&pass->chunk)) return status;
    return pass_for_tokens(pass, scale_added, error);
}

/* ---- the way back ---- */

static void descend_activation(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    const Glu glu = make_glu(descent->backward->state, descent->layer);
    const float *up = descent_activation(descent, BACKWARD_UP, sequence, token),
                *gate = glu.is_plain ? up : descent_activation(descent, BACKWARD_GATE, sequence, token),
                *from = descent_slope(descent, SLOPE_ACTIVATED, sequence, token);
    float *to_up = descent_slope(descent, SLOPE_UP, sequence, token),
          *to_gate = glu.is_plain ? NULL : descent_slope(descent, SLOPE_GATE, sequence, token);
    for (size_t i = 0; i < backward_site_width(descent_plan(descent), BACKWARD_UP); i++) {
        float by_gate = 0.0F, by_up = 0.0F;
        glu_differentiate(&glu, gate[i], up[i], &by_gate, &by_up);
        to_up[i] = from[i] * by_up;
        if (to_gate != NULL) to_gate[i] = from[i] * by_gate;
    }
}

static void join_gate_up(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    (void)worker;
    size_t width = backward_site_width(descent_plan(descent), BACKWARD_UP);
    float *to = descent_slope(descent, SLOPE_GATE_UP, sequence, token);
    memcpy(to, descent_slope(descent, SLOPE_GATE, sequence, token), width * sizeof *to);
    memcpy(to + width, descent_slope(descent, SLOPE_UP, sequence, token), width * sizeof *to);
}

static Status descend_fused(const Descent *descent, Error *error) {
    Status status = descent_for_tokens(descent, join_gate_up, error);
    if (status == STATUS_OK)
        status = descent_give_matrix(descent, TENSOR_GATE_UP, BACKWARD_SITES, SLOPE_GATE_UP, error);
    return status == STATUS_OK
               ? descent_project(descent, TENSOR_GATE_UP, SLOPE_GATE_UP, SLOPE_NORMED, false, error)
               : status;
}

static Status descend_parted(const Descent *descent, bool is_gated, Error *error) {
    Status status = STATUS_OK;
    if (is_gated) status = descent_give_matrix(descent, TENSOR_GATE, BACKWARD_SITES, SLOPE_GATE, error);
    if (status == STATUS_OK)
        status = descent_give_matrix(descent, TENSOR_UP, BACKWARD_SITES, SLOPE_UP, error);
    if (status == STATUS_OK && is_gated)
        status = descent_project(descent, TENSOR_GATE, SLOPE_GATE, SLOPE_NORMED, false, error);
    return status == STATUS_OK ? descent_project(descent, TENSOR_UP, SLOPE_UP, SLOPE_NORMED, is_gated, error)
                               : status;
}

Status block_mlp_descend(const Descent *descent, Error *error) {
    const LayerPlan *plan = architecture_layer(descent_config(descent), descent->layer);
    bool is_gated = plan->mlp == MLP_GATED;
    Status status = descent_give_matrix(descent, TENSOR_DOWN, BACKWARD_ACTIVATED, descent->given, error);
    if (status == STATUS_OK)
        status = descent_project(descent, TENSOR_DOWN, descent->given, SLOPE_ACTIVATED, false, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_activation, error);
    if (status != STATUS_OK) return status;
    return architecture_has(plan, TENSOR_GATE_UP) ? descend_fused(descent, error)
                                                  : descend_parted(descent, is_gated, error);
}
