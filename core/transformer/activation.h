/*
 * activation — what stands between gate and down, value and derivative, in float32: every activation of transformers
 * 5.24's table but prelu. For forward.c and backward.c.
 */
#ifndef REJUV_CORE_ACTIVATION_H
#define REJUV_CORE_ACTIVATION_H

#include "core/checkpoint/architecture.h"

/* Of all that have no weights of their own; x itself for one that has. */
float activation_value(Activation activation, float x);

/* The same of `count` values at once; `to` may be `from`. SiLU is the kernels' (Kernels.silu): its exponential differs from
 * libm's in the last bit here and there. */
void activation_values(Activation activation, const float *from, size_t count, float *to);

/* xIELU (arXiv 2411.13010): α₊ x² + β x above 0, else α₋ (eᵐ − 1 − x) + β x with m = min(x, ε). */
typedef struct Xielu {
    float above, below; /* α₊, α₋ */
    float beta, epsilon;
} Xielu;

/* Of the weights as they are stored: α₊ = softplus(positive), α₋ = β + softplus(negative). */
Xielu activation_read_xielu(float positive, float negative, float beta, float epsilon);

float activation_xielu(const Xielu *weights, float x);

/* xielu′(x); and the value by α₊, which is 0 below 0, or by α₋, which is 0 above. */
float activation_xielu_slope(const Xielu *weights, float x);
float activation_xielu_by_weight(const Xielu *weights, float x);

/* log(1 + eˣ); x itself beyond 20, as torch has it. */
float activation_softplus(float x);

/* act(x) and act′(x); where it has a corner, the derivative of one side, as torch has it. */
void activation_differentiate(Activation activation, float x, float *value, float *slope);

/* gpt-oss's: the gate is bounded above, up on both sides. */
float activation_clamped_glu(float limit, float alpha, float gate, float up);

#endif
