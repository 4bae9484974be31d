/*
 * gradient_experts — norms of gradients of the weights of a mixture of experts, out of what meets at them (FLOW_EXPERTS), expert
 * by expert: of tensors that one expert has, of those that all are in, and of each expert.
 *
 *     an expert of few rows     Σ over pairs of rows (g_r · g_r')(x_r · x_r')
 *     of many                   128 × 256 elements of Σ g ⊗ x at a time, squared, added up and forgotten
 *     of none                   0
 *     several groups            a layer's rows stay from group to group, and go with its last
 *
 * All experts of a matrix are one step of the team. Sums do not depend on the number of threads.
 */
#ifndef REJUV_CORE_GRADIENT_EXPERTS_H
#define REJUV_CORE_GRADIENT_EXPERTS_H

#include "core/transformer/backward.h"

/* ‖·‖²_F of gradients, where they go. */
typedef struct GradientSquares {
    double *tensors;  /* [pair->count] */
    double **experts; /* [layers][experts], of each all its weights and biases; NULL for a layer without */
} GradientSquares;

typedef struct GradientExperts GradientExperts;

/* For the threads of `job`, and tensors of `pair`; both must outlive it. The caller frees. */
Status gradient_experts_create(const Pair *pair, Job *job, GradientExperts **experts,
                               Error *error) STATUS_MUST_CHECK;
void gradient_experts_free(GradientExperts *experts); /* takes NULL */

/* Adds a FLOW_EXPERTS. Of the last group: the squares of all its tensors and experts; else nothing there changes. */
Status gradient_experts_add(GradientExperts *experts, const BackwardFlow *flow,
                            const GradientSquares *squares, Error *error) STATUS_MUST_CHECK;

/* Bytes that stay of a token where there are several groups, and that a matrix's rows are listed in; 0 without experts. */
uint64_t gradient_experts_token_bytes(const Model *model);

#endif
