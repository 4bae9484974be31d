/*
 * attribution_rank — what each target's scores say: the best rank of every neuron, and which modules of which
 * layers carry the attribution. For attribution.c.
 *
 *     mass(b) = mean over targets of   Σ_{j in block b} score_j / Σ_{all j} score_j
 *
 * A target counts once however large its logit: its scores are taken as shares of their sum, so the masses of
 * all blocks add up to 1. A target whose scores are all 0 has no shares and is left out; with none left every
 * mass is NaN. So is it where a score is.
 */
#ifndef REJUV_CORE_ATTRIBUTION_RANK_H
#define REJUV_CORE_ATTRIBUTION_RANK_H

#include "core/fusion/neurons.h"
#include "core/support/job.h"

/* ---- ranks ---- */

/* The caller's arrays; `rank` begins as INT32_MAX. */
typedef struct AttributionRanks {
    size_t neurons;  /* M */
    int32_t *rank;   /* [M]: the best over the targets so far */
    int32_t *target; /* [M]: which gave it, the first of equals */
    float *score;    /* [M]: at that target */
} AttributionRanks;

/* Ranks scores [count × M] of targets first … first + count − 1 and improves what is in *ranks where they are
 * better. Equal scores: the lower index first (neurons are numbered in the order that breaks ties). */
Status attribution_rank(const AttributionRanks *ranks, const float *scores, size_t first, size_t count,
                        Job *job, Error *error) STATUS_MUST_CHECK;

/* ---- masses ---- */

/* The mean over targets that were added so far, as a sum: zero-initialise `targets` and `shares`[blocks]. */
typedef struct AttributionMass {
    double *shares; /* [neurons_block_count()], in the order of neurons_block() */
    double *shared; /* [the same]: what of it is the shared expert's; NULL: there is none, or nobody asks */
    size_t targets; /* that have shares */
} AttributionMass;

/* Adds one target's scores[M]. */
void attribution_mass_add(AttributionMass *mass, const NeuronTable *table, const float *scores);

/* Turns the sums into means, in place. */
void attribution_mass_finish(AttributionMass *mass, const NeuronTable *table);

#endif
