/*
 * norm — the normalisation in front of a block, and of a query or key head: y = γ ⊙ x / rms(x) with
 * rms(x) = √(mean x² + ε), forward and backward. Sums are in double.
 */
#ifndef REJUV_CORE_NORM_H
#define REJUV_CORE_NORM_H

#include <stddef.h>

/* y, all [size]; `out` may be `x`. */
void norm_forward(const float *x, const float *weight, size_t size, double epsilon, float *out);

/* dx for dy = `gradient`, added to `out`; rms not frozen. All [size]. */
void norm_backward(const float *x, const float *weight, const float *gradient, size_t size, double epsilon,
                   float *out);

/* dγ = dy ⊙ x / rms(x) for dy = `gradient`, added to `sums` [size]. */
void norm_add_weight_gradient(const float *x, const float *gradient, size_t size, double epsilon,
                              double *sums);

#endif
