/*
 * triangle — the plane through three checkpoints: base, SFT, and a third, such as the one that RL made of either.
 *
 *     y │        ● third (p, q)           W(x, y) = B + x·e₁ + y·e₂
 *       │      ·                          e₁ = S − B;  e₂ at a right angle to e₁, as long, towards the third
 *       ●────────────●──── x              lengths and angles over all weights that the model runs with
 *     base (0, 0)   SFT (1, 0)
 *
 * Every tensor goes along, norms and biases too. A point is a blend of the three: its Settings have one α, and a Shift
 * towards the third. Where SFT enlarged the vocabulary, base has SFT's rows (evaluation.h), and so has this plane.
 */
#ifndef REJUV_CORE_TRIANGLE_H
#define REJUV_CORE_TRIANGLE_H

#include "core/checkpoint/model.h"
#include "core/fusion/settings.h"
#include "core/support/job.h"

typedef struct Triangle {
    const Model *model;
    Pair *pair; /* base and the third, owned */
    /* [model->pair->count], into that pair; NULL for what the model does not run with */
    const Tensor **third;
    double x, y; /* where the third is: p, q */
} Triangle;

/* Opens the third checkpoint and measures the angle: one pass over the three. The model must outlive it. STATUS_MISMATCH
 * where it cannot be fused with base, or has other tensors than the model; STATUS_ARGUMENT where the three lie on one
 * line, or one of them is not finite. Reports "third". The caller frees; on failure *triangle is NULL. */
Status triangle_open(const Model *model, const char *directory, Triangle **triangle, Job *job,
                     Error *error) STATUS_MUST_CHECK;
void triangle_free(Triangle *triangle); /* takes NULL */

/* The settings of a point; `shift` is what they borrow. */
Settings triangle_point(const Triangle *triangle, double x, double y, Shift *shift);

#endif
