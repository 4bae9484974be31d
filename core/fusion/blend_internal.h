/*
 * blend_internal — what blend.c leaves to others: where W goes from the line through base and SFT (blend_steps.c), the
 * matrices of a tensor that is several (blend_stack.c), and what an adapter makes of stored rows (blend_changed.c).
 */
#ifndef REJUV_CORE_BLEND_INTERNAL_H
#define REJUV_CORE_BLEND_INTERNAL_H

#include "core/fusion/blend.h"

/* Adds b·(R − B) and the steps along directions to `count` elements of W, from element `first` on, which lie in one row,
 * `line`, where there are directions. `from` is B, or S where base has no such elements. */
void blend_steps_take(const BlendSteps *steps, const Tensor *from, size_t line, uint64_t first, size_t count,
                      float *out);

/* A matrix of a stack as a blend of its own, whose tensors lie beside it: it stays where it is. */
typedef struct BlendMatrix {
    Tensor sft, base;
    Blend blend;
    size_t element, left; /* where an element of the stack is in it, and from there to its end */
} BlendMatrix;

/* The matrix that holds element `element` of the stack, counted along the rows. */
void blend_stack_take(const Blend *blend, size_t element, BlendMatrix *matrix);

/* As blend_window() and blend_multiply_vector() of a matrix, where S is stored rows and a product of factors alone, and base
 * is stored too; else false, and nothing was done. Rows are as if none had an a of its own: those that have are the
 * caller's to make again. */
bool blend_changed_window(const Blend *blend, size_t first, size_t count, size_t first_column, size_t columns,
                          float *out, size_t stride);

/* Here a column that is reset weighs nothing in S, and yet what is no number there shows: the caller's to make again, too. */
bool blend_changed_multiply(const Blend *blend, size_t first, size_t count, const float *x, float *y);

#endif
