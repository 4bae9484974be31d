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

/* What the gate gives where it is cut off, scaled, in place. */
static void open_gate(const Descent *descent, float *gate) {
    const LayerPlan *plan = descent_plan(descent);
    float scale = (float)descent_config(descent)->gate_scale;
    for (size_t i = 0; i < plan->intermediate_size; i++) gate[i] *= scale;
    cut_off(plan->cutoff, gate, plan->intermediate_size);
}

/* From what was left of a gate to the gate, x: of what is taken off each, a part is of the mean and a part of the deviation,
 * which all have made. */
static void descend_cutoff(double deviations, const float *x, float scale, const float *left, float *slope,
                           size_t width) {
    double sum = 0.0, squares = 0.0, given = 0.0;
    for (size_t i = 0; i < width; i++) sum += (double)(x[i] * scale);
    const double mean = sum / (double)width;
    for (size_t i = 0; i < width; i++) squares += pow((double)(x[i] * scale) - mean, 2.0);
    const double deviation = sqrt(squares / (double)width);
    for (size_t i = 0; i < width; i++) {
        if (left[i] <= 0.0F) slope[i] = 0.0F;
        given += (double)slope[i];
    }
    for (size_t i = 0; i < width; i++) {
        double along = deviation > 0.0 ? deviations * ((double)(x[i] * scale) - mean) / deviation : 0.0;
        slope[i] = (float)((double)slope[i] - given * (1.0 + along) / (double)width) * scale;
    }
}

/* A token's gate and up on the way back; its gate cut off already where it is. */
typedef struct GateUp {
    Glu glu;
    const float *gate, *up;
    size_t width;
} GateUp;

static GateUp find_gate_up(const Descent *descent, size_t sequence, size_t token, float *room) {
    GateUp of = {.glu = make_glu(descent->backward->state, descent->layer),
                 .up = descent_activation(descent, BACKWARD_UP, sequence, token),
                 .width = backward_site_width(descent_plan(descent), BACKWARD_UP)};
    of.gate = of.glu.is_plain ? of.up : descent_activation(descent, BACKWARD_GATE, sequence, token);
    if (isnan(descent_plan(descent)->cutoff)) return of;
    memcpy(room, of.gate, of.width * sizeof *room);
    open_gate(descent, room);
    of.gate = room;
    of.glu.scale = 1.0F;
    return of;
}

/* At what the activation gave: what down took, or what its norm took. */
static Slope slope_of_activation(const Descent *descent) {
    bool is_normed = architecture_needs(descent_plan(descent), TENSOR_PART_ACTIVATED_NORM);
    return is_normed ? SLOPE_UNNORMED : SLOPE_ACTIVATED;
}

static void descend_activation(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    float *room = descent->rows + (size_t)worker * 2 * descent->row_stride;
    const GateUp of = find_gate_up(descent, sequence, token, room);
    const float *from = descent_slope(descent, slope_of_activation(descent), sequence, token);
    float *to_up = descent_slope(descent, SLOPE_UP, sequence, token),
          *to_gate = of.glu.is_plain ? NULL : descent_slope(descent, SLOPE_GATE, sequence, token);
    glu_descend(&of.glu, of.gate, of.up, from, of.width, to_gate, to_up);
    if (of.gate == room)
        descend_cutoff(descent_plan(descent)->cutoff,
                       descent_activation(descent, BACKWARD_GATE, sequence, token),
                       (float)descent_config(descent)->gate_scale, room, to_gate, of.width);
}

/* ---- the norm between activation and down ---- */

static Norm activated_norm(const Descent *descent) {
    const ModelConfig *config = descent_config(descent);
    return (Norm){.kind = config->norm,
                  .weight =
                      forward_part(descent->backward->state, descent->layer, TENSOR_PART_ACTIVATED_NORM),
                  .size = descent_plan(descent)->intermediate_size,
                  .epsilon = config->norm_epsilon};
}

/* What the norm took, again: x [width]. `room` is as large. */
static void restore_activated(const Descent *descent, size_t sequence, size_t token, float *room, float *x) {
    const GateUp of = find_gate_up(descent, sequence, token, room);
    for (size_t i = 0; i < of.width; i++) x[i] = glu_value(&of.glu, of.gate[i], of.up[i]);
}

/* For who wants gradients of weights, all of it in the place of what the norm gave. */
static void keep_activated(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    size_t width = descent_plan(descent)->intermediate_size;
    restore_activated(descent, sequence, token, descent->rows + (size_t)worker * 2 * descent->row_stride,
                      descent->backward->state->buffers[BUFFER_GATE] +
                          (descent->spans[sequence].row + token) * width);
}

static void descend_norm(const Descent *descent, size_t sequence, size_t token, unsigned worker) {
    const Norm norm = activated_norm(descent);
    float *x = descent->rows + (size_t)worker * 2 * descent->row_stride,
          *to = descent_slope(descent, SLOPE_UNNORMED, sequence, token);
    restore_activated(descent, sequence, token, x + descent->row_stride, x);
    memset(to, 0, norm.size * sizeof *to);
    norm_backward(&norm, x, descent_slope(descent, SLOPE_ACTIVATED, sequence, token), to);
}

static Status descend_activated_norm(const Descent *descent, Error *error) {
    const Backward *backward = descent->backward;
    if (!architecture_needs(descent_plan(descent), TENSOR_PART_ACTIVATED_NORM)) return STATUS_OK;
    Status status = STATUS_OK;
    if (descent->taker != NULL) status = descent_for_tokens(descent, keep_activated, error);
    if (status == STATUS_OK)
        status = descent_give_part_norm(descent, TENSOR_PART_ACTIVATED_NORM, activated_norm(descent),
                                        backward->state->buffers[BUFFER_GATE], SLOPE_ACTIVATED, error);
    return status == STATUS_OK ? descent_for_tokens(descent, descend_norm, error) : status;
}

/* ---- weights of an activation ---- */

/* What α₊ or α₋ of xIELU learns: before softplus. */
static Status give_xielu(const Descent *descent, TensorPart part, bool is_above, Error *error) {
    const Backward *backward = descent->backward;
    const PairTensor *tensor = backward->model->layers[descent->layer].parts[part];
    const Xielu weights = make_glu(backward->state, descent->layer).xielu;
    double sum = 0.0;
    for (size_t s = 0; s < descent->count; s++) {
        for (size_t t = 0; t < descent->spans[s].tokens; t++) {
            const GateUp of = find_gate_up(descent, s, t, descent->rows);
            const float *from = descent_slope(descent, slope_of_activation(descent), s, t),
                        *x = of.glu.is_plain ? of.up : of.gate;
            for (size_t i = 0; i < of.width; i++) {
                double slope = (double)from[i] * (of.glu.is_plain ? 1.0 : (double)of.up[i]);
                if ((x[i] > 0.0F) == is_above)
                    sum += slope * (double)activation_xielu_by_weight(&weights, x[i]);
            }
        }
    }
    float stored = *forward_part(backward->state, descent->layer, part),
          gradient = (float)(sum / (1.0 + exp(-(double)stored)));
    return descent_give_vector(descent, tensor->role, tensor, &gradient, 1, error);
}

static Status give_activation(const Descent *descent, Error *error) {
    bool has_weights = descent_config(descent)->activation == ACTIVATION_XIELU;
    if (descent->taker == NULL || !has_weights) return STATUS_OK;
    Status status = give_xielu(descent, TENSOR_PART_XIELU_POSITIVE, true, error);
    return status == STATUS_OK ? give_xielu(descent, TENSOR_PART_XIELU_NEGATIVE, false, error) : status;
}

/* ---- gate and up ---- */

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
    if (status == STATUS_OK) status = descend_activated_norm(descent, error);
    if (status == STATUS_OK) status = give_activation(descent, error);
    if (status == STATUS_OK) status = descent_for_tokens(descent, descend_activation, error);
    if (status != STATUS_OK) return status;
    return architecture_has(plan, TENSOR_GATE_UP) ? descend_fused(descent, error)
                                                  : descend_parted(descent, is_gated, error);
}
