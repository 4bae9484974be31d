/*
 * attribution_rank — sorting each target's scores, and the best rank of every neuron. For attribution.c.
 */
#ifndef REJUV_CORE_ATTRIBUTION_RANK_H
#define REJUV_CORE_ATTRIBUTION_RANK_H

#include "core/method/attribution.h"

/* Ranks scores [count × M] of targets first … first + count − 1 and improves best_rank, best_target and
 * best_score where they are better. Equal scores: the lower index first (neurons are numbered in the order
 * that breaks ties). */
Status attribution_rank(Attribution *attribution, const float *scores, size_t first, size_t count, Job *job,
                        Error *error) STATUS_MUST_CHECK;

#endif
