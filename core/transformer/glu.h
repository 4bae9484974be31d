/*
 * glu — what stands between gate, up and the input of down, of one pair of their values: value and derivatives, in float32.
 *
 *     act(scale · gate) · up           of an MLP, of an expert, and of the one that every token passes
 *     act(up)                          without a gate
 *     act(min(gate, c)) · clamp(up)    up within ± c
 *     (clamp(up) + 1) · g · sigmoid(alpha · g)    gpt-oss's: g = min(gate, limit), up within ± limit
 *
 * For block_mlp.c, block_experts.c and their ways back.
 */
#ifndef REJUV_CORE_GLU_H
#define REJUV_CORE_GLU_H

#include "core/transformer/activation.h"

typedef struct Glu {
    Activation activation;
    Xielu xielu;        /* ACTIVATION_XIELU */
    bool is_plain;      /* there is no gate: what is passed for it is not looked at */
    float scale;        /* of the gate */
    float clamp;        /* 0: none */
    float limit, alpha; /* limit 0: not gpt-oss's */
} Glu;

/* Of routed experts; of a layer's MLP or shared expert, whose xIELU its caller fills in. */
Glu glu_of_experts(const ModelConfig *config, const LayerPlan *plan);
Glu glu_of_mlp(const ModelConfig *config, const LayerPlan *plan);

float glu_value(const Glu *glu, float gate, float up);

/* The value by gate and by up; by gate 0 where there is none. At a corner the derivative of one side, as torch has it. */
void glu_differentiate(const Glu *glu, float gate, float up, float *by_gate, float *by_up);

/* From the gradients at `count` values to those at what they came of: to_gate[i] = from[i] · the value by gate, to_up likewise;
 * to_gate is NULL where there is no gate. They are apart from what is read. SiLU's are the kernels' (Kernels.silu_slopes). */
void glu_descend(const Glu *glu, const float *gate, const float *up, const float *from, size_t count,
                 float *to_gate, float *to_up);

#endif
