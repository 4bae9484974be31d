/*
 * batch_sampling — answers sampled for `rejuv rollout --prompts`: by one of the three states, or by each of them.
 */
#ifndef REJUV_TUI_BATCH_SAMPLING_H
#define REJUV_TUI_BATCH_SAMPLING_H

#include "core/readiness/rollout.h"
#include "tui/commands/batch_method.h"

/* Before anything is opened: what --prompts needs, and what goes with it alone. */
Status batch_sampling_check(const Options *options, Error *error) STATUS_MUST_CHECK;

/* Whether this state samples, and whose samples are looked at: those of W where all do. */
bool batch_sampling_draws(const Options *options, Side side);
Side batch_sampling_side(const Options *options);

/* How: `rows` are the prompts, whose end ends an answer too. */
RolloutOptions batch_sampling_options(const Options *options, const Calibration *rows);

/* Samples each of the set's prompts under the settings of `side`, and says how it went. */
Status batch_sampling_draw(Batch *batch, const Settings *dials, Side side, const Calibration *rows,
                           SampleSet *set, Error *error) STATUS_MUST_CHECK;

#endif
