/*
 * gradient_sums — norms of gradients of weights out of what meets at them (BackwardFlow), without the gradients of more
 * than one layer ever in memory.
 *
 *     one group of rows, many tokens    256 × 512 elements of Σ g ⊗ x at a time, squared, added up and forgotten
 *     one group, few tokens             Σ over pairs of tokens (g_t · g_t')(x_t · x_t'): no element is made
 *     several groups                    a layer's matrices grow from group to group, in float32, and go with its last
 *     a layer's experts                 gradient_experts.h
 *
 * Vectors (norms, biases) are summed in double, rows that are looked up too (gradient_rows.h). Sums do not depend on the number of threads.
 */
#ifndef REJUV_CORE_GRADIENT_SUMS_H
#define REJUV_CORE_GRADIENT_SUMS_H

#include "core/readiness/gradient_experts.h"
#include "core/readiness/gradient_form.h"

typedef struct GradientSums GradientSums;

/* For the threads of `job`, and tensors of `pair`; both must outlive it. The caller frees. */
Status gradient_sums_create(const Pair *pair, Job *job, GradientSums **sums, Error *error) STATUS_MUST_CHECK;
void gradient_sums_free(GradientSums *sums); /* takes NULL */

/* Adds a flow. Of the last group: ‖·‖²_F of its tensor's gradient, and of its bias's, or of all of experts, in `squares`; else
 * nothing there changes. */
Status gradient_sums_add(GradientSums *sums, const BackwardFlow *flow, const GradientSquares *squares,
                         Error *error) STATUS_MUST_CHECK;

/* ‖Σ g ⊗ x‖²_F of one flow that is all there is, in either form. */
Status gradient_sums_square(GradientSums *sums, const BackwardFlow *flow, GradientForm form, double *square,
                            Error *error) STATUS_MUST_CHECK;

/* Bytes that a model's matrices take where there are several groups; those of experts aside (gradient_experts.h). And what of them is
 * summed over layers that share it, with one group too. */
uint64_t gradient_sums_shared_bytes(const Model *model);
uint64_t gradient_sums_bytes(const Model *model);

#endif
