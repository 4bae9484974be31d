/*
 * direction — random directions in the space of all weights, each row of one as long as its row of W (Li et al. 2018's
 * filter normalisation): the one place that says which direction a seed and a number stand for.
 *
 *     d[r, c] = ± ‖W_r‖ / √columns       of every matrix that runs; vectors do not move, a tied head moves with its
 *                                        embedding, once
 *     sign of element e of tensor NAME   bit e mod 64 of word e div 64 of the key; 0 is +; e counts along the rows
 *                                        of the SFT model's tensor
 *     key = mix(mix(seed) + k) xor fnv1a64(NAME), word i = mix(key + (i + 1) · 0x9E3779B97F4A7C15)
 *                                        modulo 2^64, mix SplitMix64's finaliser (random.h)
 *
 * Directions depend on where W stands, by its rows' norms: base, SFT and W have each their own. The norms are all that
 * is kept, a float for each row; signs are made with the panel (core/fusion/blend.h).
 */
#ifndef REJUV_CORE_DIRECTION_H
#define REJUV_CORE_DIRECTION_H

#include "core/checkpoint/model.h"
#include "core/fusion/settings.h"
#include "core/support/job.h"

/* The rows' norms of one W. Immutable; shifts made with it borrow it. */
typedef struct Directions Directions;

/* One pass over W at these settings (its shift, if any, does not count). The model must outlive it. Reports
 * "row norms", in rows. The caller frees; on failure *directions is NULL. */
Status direction_measure(const Model *model, const Settings *settings, Directions **directions, Job *job,
                         Error *error) STATUS_MUST_CHECK;
void direction_free(Directions *directions); /* takes NULL */

typedef struct DirectionStep {
    uint64_t direction; /* k, from 0 */
    double coefficient;
} DirectionStep;

/* Σ c·d of up to BLEND_STEPS_MOST steps. A coefficient of 0 is no step: then W stays where it is to the bit. */
Shift direction_shift(const Directions *directions, uint64_t seed, const DirectionStep *steps, size_t count);

/* mix(mix(seed) + direction), and the key of a tensor's signs. */
uint64_t direction_number(uint64_t seed, uint64_t direction);
uint64_t direction_key(uint64_t seed, uint64_t direction, const char *name);

#endif
