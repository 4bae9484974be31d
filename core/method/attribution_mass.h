/*
 * attribution_mass — which modules of which layers carry the attribution.
 *
 *     mass(b) = mean over targets of   Σ_{j in block b} score_j / Σ_{all j} score_j
 *
 * A target counts once however large its logit: its scores are taken as shares of their sum, so the masses of
 * all blocks add up to 1. A target whose scores are all 0 has no shares and is left out; with none left every
 * mass is NaN. So is it where a score is.
 */
#ifndef REJUV_CORE_ATTRIBUTION_MASS_H
#define REJUV_CORE_ATTRIBUTION_MASS_H

#include "core/fusion/neurons.h"

/* The mean over targets that were added so far, as a sum: zero-initialise `targets` and `shares`[blocks]. */
typedef struct AttributionMass {
    double *shares; /* [neurons_block_count()], in the order of neurons_block() */
    size_t targets; /* that have shares */
} AttributionMass;

/* Adds one target's scores[M]. */
void attribution_mass_add(AttributionMass *mass, const NeuronTable *table, const float *scores);

/* Turns the sums into means, in place. */
void attribution_mass_finish(AttributionMass *mass, const NeuronTable *table);

#endif
