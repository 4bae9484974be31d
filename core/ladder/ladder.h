/*
 * ladder — checkpoints of one training in its order: base, epochs of SFT, perhaps what RL made of the last.
 *
 *     0        1        2        3
 *     base ─── rung ─── rung ─── rung        each opens as a pair with base, and as one with the rung before
 *
 * A ladder is names, which it borrows: what it opens is its caller's, one pair at a time as a rule, so that a long
 * ladder takes no more memory than a pair. A rung may be an adapter of base.
 *
 * The room: a training's checkpoints, and what is measured along them (ladder_figures.h). Figures are their owner's;
 * what fills them runs on a Job, and may keep what it measured in a Cache.
 */
#ifndef REJUV_CORE_LADDER_H
#define REJUV_CORE_LADDER_H

#include "core/checkpoint/pair.h"

typedef struct Ladder {
    const char *base;
    const char *const *rungs; /* [count]; rung number 1 is the first */
    size_t count;
} Ladder;

/* The directory of rung `number`, 0 to `count`: 0 is base. */
const char *ladder_directory(const Ladder *ladder, size_t number);

/* Opens rung `to` (from 1) as the SFT side of a pair whose base is rung `from`. STATUS_MISMATCH where the two cannot be
 * fused; every message begins with the rung's number and directory. The caller closes the pair. */
Status ladder_open_pair(const Ladder *ladder, size_t from, size_t to, Pair **pair,
                        Error *error) STATUS_MUST_CHECK;

/* Whether every rung opens with base, and with the one before: headers only, before anything takes long. */
Status ladder_check(const Ladder *ladder, Error *error) STATUS_MUST_CHECK;

#endif
