/*
 * rollout_ranks — the work of `rejuv rollout`, dealt out among ranks: each samples answers to a stretch of the prompts, and
 * all have every sample afterwards. Alone, all of it is the caller's.
 */
#ifndef REJUV_TUI_ROLLOUT_RANKS_H
#define REJUV_TUI_ROLLOUT_RANKS_H

#include "core/readiness/gradient.h"
#include "core/readiness/rollout.h"
#include "tui/commands/batch.h"

/* As rollout_run() of the whole set, whose groups have no samples yet: dealt out by the tokens they may come to. */
Status rollout_ranks_sample(Batch *batch, const Settings *settings, const RolloutOptions *options,
                            SampleSet *set, Error *error) STATUS_MUST_CHECK;

/* The leader's rewards to all; a meeting (ranks.h). */
Status rollout_ranks_share_rewards(Batch *batch, Status own, SampleSet *set, Error *error) STATUS_MUST_CHECK;

/* The gradient that rank `from` measured to all; a meeting. */
Status rollout_ranks_pass_gradient(Batch *batch, Status own, size_t from, Gradient *gradient,
                                   Error *error) STATUS_MUST_CHECK;

#endif
