/*
 * sweep — what the dials do at a range of settings: the measuring behind `rejuv sweep` and the figures made of it.
 *
 *     --alpha, --rho ──► settings: every ρ at every α, α varying within ρ
 *     rows of --calibration, or one prompt ──► averages of base, SFT and W at each setting
 */
#ifndef REJUV_TUI_SWEEP_H
#define REJUV_TUI_SWEEP_H

#include "tui/commands/batch_method.h"
#include "tui/commands/batch_prompt.h"

/* Zero-initialise; sweep_free() releases. */
typedef struct Sweep {
    BatchMethod dials;
    BatchPrompt prompt;             /* without --calibration */
    const Calibration *calibration; /* what is measured on: that, or the dials' */
    size_t alphas, rhos, points;    /* points = alphas · rhos */
    Settings *settings;             /* [points] */
    DistributionAverages base, sft, *fused;
} Sweep;

/* Everything from the options to the figures. STATUS_ARGUMENT where there is nothing to measure on or there are
 * too many points. Opens the model. */
Status sweep_measure(Batch *batch, Sweep *sweep, Error *error) STATUS_MUST_CHECK;
/* Settings of one evaluation, which is prepared, as many in a pass as suits: the averages of each, and where `last` is
 * not NULL all that there is of the last one, for the caller to free. */
Status sweep_measure_settings(Batch *batch, const Evaluation *evaluation, const Settings *settings,
                              size_t points, DistributionAverages *fused, EvaluationResult *last,
                              Error *error) STATUS_MUST_CHECK;
void sweep_free(Sweep *sweep);

#endif
