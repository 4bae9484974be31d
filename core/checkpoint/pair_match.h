/*
 * pair_match — makes a Pair's tensors of two open checkpoints, and says what does not meet.
 *
 * A helper of pair.c.
 */
#ifndef REJUV_CORE_PAIR_MATCH_H
#define REJUV_CORE_PAIR_MATCH_H

#include "core/checkpoint/pair.h"

/* Fills in tensors, names, share and findings. A pair that has nothing to blend gets an error among these. */
Status pair_match(Pair *pair, Error *error) STATUS_MUST_CHECK;

#endif
