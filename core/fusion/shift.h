/*
 * shift — where a W is moved to from where the dials put it: W + Σ c·d, along at most two random directions, or towards
 * a third model R, W + b·(R − B).
 *
 *     d[r, c] = ± ‖W_r‖ / √columns      each row of d as long as its row of W (Li et al. 2018's filter normalisation)
 *
 * The signs are made of a key when W is made (blend.h); what has to be known beforehand are the rows' norms, of the
 * same W: a float for each row of each matrix. Whoever measures them (core/readiness/direction.h) makes shifts.
 *
 * A Shift is numbers and borrowed sizes and tensors; settings borrow it as they borrow the ranking.
 */
#ifndef REJUV_CORE_SHIFT_H
#define REJUV_CORE_SHIFT_H

#include "core/checkpoint/pair.h"
#include "core/fusion/blend.h"

typedef struct ShiftTensor {
    const float *sizes; /* [rows]: ‖W_r‖ / √columns; NULL: a tensor that does not move */
    uint64_t name_key;  /* of its name, for the signs */
} ShiftTensor;

typedef struct Shift {
    const Pair *pair;           /* whose tensors these are */
    const ShiftTensor *tensors; /* [pair->count], borrowed */
    size_t count;               /* of the directions */
    uint64_t directions[BLEND_STEPS_MOST];
    double coefficients[BLEND_STEPS_MOST];
    const Tensor *const
        *third; /* [pair->count], borrowed; NULL for a tensor that R does not move; NULL: no R */
    double third_share;
} Shift;

/* Adds what the shift does to one of the pair's tensors. Takes NULL, which moves nothing. */
void shift_add(const Shift *shift, const PairTensor *tensor, Blend *blend);

#endif
