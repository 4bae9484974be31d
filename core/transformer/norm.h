/*
 * norm — the normalisation around a block, and of query and key heads, forward and backward. Sums are in double.
 *
 *     NORM_RMS      y = γ ⊙ x / √(mean x² + ε)                     without γ: γ = 1; without β: β = 0
 *     NORM_LAYER    y = γ ⊙ (x − mean x) / √(var x + ε) + β
 */
#ifndef REJUV_CORE_NORM_H
#define REJUV_CORE_NORM_H

#include "core/checkpoint/architecture.h"

#include <stddef.h>

typedef struct Norm {
    NormKind kind;
    const float *weight, *bias; /* [size], or NULL */
    size_t size;
    double epsilon;
} Norm;

/* y, all [size]; `out` may be `x`. */
void norm_forward(const Norm *norm, const float *x, float *out);

/* dx for dy = `gradient`, added to `out`; the scale is not frozen. All [size]. */
void norm_backward(const Norm *norm, const float *x, const float *gradient, float *out);

/* γ ⊙ d / σ of x, less its mean where the norm takes one off: what d at y is at x, with σ held. All [size]. */
void norm_direct(const Norm *norm, const float *x, const float *direction, float *out);

/* dγ for dy = `gradient`, added to `sums` [size]; dβ is dy. */
void norm_add_weight_gradient(const Norm *norm, const float *x, const float *gradient, double *sums);

#endif
