/*
 * gradient_sums — norms of gradients of weights out of what meets at them (BackwardFlow), without the gradients of more
 * than one layer ever in memory.
 *
 *     one group of rows, many tokens    256 × 512 elements of Σ g ⊗ x at a time, squared, added up and forgotten
 *     one group, few tokens             Σ over pairs of tokens (g_t · g_t')(x_t · x_t'): no element is made
 *     several groups                    a layer's matrices grow from group to group, in float32, and go with its last
 *
 * Vectors (norms, biases) are summed in double, rows that are looked up too (gradient_rows.h). Sums do not depend on the number of threads.
 */
#ifndef REJUV_CORE_GRADIENT_SUMS_H
#define REJUV_CORE_GRADIENT_SUMS_H

#include "core/transformer/backward.h"

typedef enum GradientForm { GRADIENT_PANELS, GRADIENT_PAIRS } GradientForm;

typedef struct GradientSums GradientSums;

/* For the threads of `job`, and tensors of `pair`; both must outlive it. The caller frees. */
Status gradient_sums_create(const Pair *pair, Job *job, GradientSums **sums, Error *error) STATUS_MUST_CHECK;
void gradient_sums_free(GradientSums *sums); /* takes NULL */

/* Adds a flow. Of the last group: ‖·‖²_F of its tensor's gradient, and of its bias's, in `squares` [pair->count], where those
 * tensors have them; else nothing there changes. */
Status gradient_sums_add(GradientSums *sums, const BackwardFlow *flow, double *squares,
                         Error *error) STATUS_MUST_CHECK;

/* What a matrix's flow of one group is summed by: whatever takes fewer multiplications. */
GradientForm gradient_sums_choose(size_t tokens, size_t rows, size_t columns);

/* ‖Σ g ⊗ x‖²_F of one flow that is all there is, in either form. */
Status gradient_sums_square(GradientSums *sums, const BackwardFlow *flow, GradientForm form, double *squares,
                            Error *error) STATUS_MUST_CHECK;

/* Bytes that a model's matrices take where there are several groups. */
uint64_t gradient_sums_bytes(const Model *model);

#endif
