#include "core/transformer/glu.h"

#include "core/numerics/kernels.h"

#include <math.h>

Glu glu_of_experts(const ModelConfig *config, const LayerPlan *plan) {
    const ExpertPlan *experts = &plan->experts;
    return (Glu){.activation = config->activation,
                 .is_plain = experts->is_plain,
                 .scale = 1.0F,
                 .clamp = (float)experts->clamp,
                 .limit = (float)experts->glu_limit,
                 .alpha = (float)experts->glu_alpha};
}

Glu glu_of_mlp(const ModelConfig *config, const LayerPlan *plan) {
    bool is_shared = plan->mlp == MLP_EXPERTS;
    return (Glu){.activation = config->activation,
                 .is_plain = is_shared ? plan->experts.is_plain : plan->mlp == MLP_PLAIN,
                 .scale = (float)config->gate_scale,
                 .clamp = is_shared ? (float)plan->experts.clamp : 0.0F,
                 .limit = (float)plan->glu_limit,
                 .alpha = (float)plan->glu_alpha};
}

static float activate(const Glu *glu, float x) {
    return glu->activation == ACTIVATION_XIELU ? activation_xielu(&glu->xielu, x)
                                               : activation_value(glu->activation, x);
}

static float clamp_gate(const Glu *glu, float gate) {
    return glu->clamp > 0.0F && gate > glu->clamp ? glu->clamp : gate;
}

static float clamp_up(const Glu *glu, float up) {
    return glu->clamp > 0.0F && up < -glu->clamp ? -glu->clamp : clamp_gate(glu, up);
}

float glu_value(const Glu *glu, float gate, float up) {
    if (glu->is_plain) return activate(glu, up);
    if (glu->limit > 0.0F) return activation_clamped_glu(glu->limit, glu->alpha, gate * glu->scale, up);
    return activate(glu, clamp_gate(glu, gate * glu->scale)) * clamp_up(glu, up);
}

static void differentiate_activation(const Glu *glu, float x, float *value, float *slope) {
    if (glu->activation != ACTIVATION_XIELU) {
        activation_differentiate(glu->activation, x, value, slope);
        return;
    }
    *value = activation_xielu(&glu->xielu, x);
    *slope = activation_xielu_slope(&glu->xielu, x);
}

/* (clamp(up) + 1) · clamp(gate) · sigmoid(alpha · clamp(gate)). */
static void differentiate_clamped(const Glu *glu, float gate, float up, float *by_gate, float *by_up) {
    float limit = glu->limit, alpha = glu->alpha;
    float g = fminf(gate, limit), u = fmaxf(fminf(up, limit), -limit), s = 1.0F / (1.0F + expf(-g * alpha));
    *by_up = up >= -limit && up <= limit ? g * s : 0.0F;
    *by_gate = gate <= limit ? (u + 1.0F) * (s + alpha * g * s * (1.0F - s)) : 0.0F;
}

void glu_differentiate(const Glu *glu, float gate, float up, float *by_gate, float *by_up) {
    float value = 0.0F, slope = 0.0F;
    if (glu->is_plain) {
        differentiate_activation(glu, up, &value, by_up);
        *by_gate = 0.0F;
        return;
    }
    gate *= glu->scale;
    if (glu->limit > 0.0F) {
        differentiate_clamped(glu, gate, up, by_gate, by_up);
    } else {
        float open = clamp_gate(glu, gate), through = clamp_up(glu, up);
        differentiate_activation(glu, open, &value, &slope);
        *by_gate = open == gate ? through * slope : 0.0F;
        *by_up = through == up ? value : 0.0F;
    }
    *by_gate *= glu->scale;
}

/* ---- many at once ---- */

/* What nearly every model has. */
static bool is_bare_silu(const Glu *glu) {
    return glu->activation == ACTIVATION_SILU && !glu->is_plain && glu->limit == 0.0F && glu->clamp == 0.0F &&
           glu->scale == 1.0F;
}

void glu_descend(const Glu *glu, const float *gate, const float *up, const float *from, size_t count,
                 float *to_gate, float *to_up) {
    if (is_bare_silu(glu)) {
        kernels_get()->silu_slopes(gate, count, to_up, to_gate);
        for (size_t i = 0; i < count; i++) to_up[i] *= from[i];
        for (size_t i = 0; i < count; i++) to_gate[i] = from[i] * (up[i] * to_gate[i]);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        float by_gate = 0.0F, by_up = 0.0F;
        glu_differentiate(glu, gate[i], up[i], &by_gate, &by_up);
        to_up[i] = from[i] * by_up;
        if (to_gate != NULL) to_gate[i] = from[i] * by_gate;
    }
}
