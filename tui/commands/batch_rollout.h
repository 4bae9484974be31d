/*
 * batch_rollout — samples and what they say of base, SFT and W: the measuring behind `rejuv rollout`.
 *
 *     --samples ──► groups of samples ──► rewards ──► figures, advantages
 *     --prompts ──┘                  ──► scores under base, SFT and W ──► --gradient: of each of the three
 */
#ifndef REJUV_TUI_BATCH_ROLLOUT_H
#define REJUV_TUI_BATCH_ROLLOUT_H

#include "core/readiness/gradient.h"
#include "core/readiness/sample_figures.h"
#include "core/readiness/sample_file.h"
#include "core/readiness/sample_score.h"
#include "tui/commands/batch_method.h"

/* What one of the three states makes of the samples. */
typedef struct RolloutState {
    SampleScore *scores; /* [rows.count] */
    SampleScoreMeans means;
    double loss;       /* L, the surrogate's */
    Gradient gradient; /* empty where it was not asked for */
    SampleSet drawn;   /* its own samples, where all states sample, but for W's, which are the file's */
    SampleFigures drawn_figures;
} RolloutState;

/* Zero-initialise; batch_rollout_free() releases. */
typedef struct BatchRollout {
    BatchMethod dials;
    SampleFile file;
    SampleRows rows;
    SampleFigures figures;
    double *advantages; /* [rows.count] */
    RolloutState states[SIDE_COUNT];
    uint64_t seed;
    bool has_gradient, is_sampled;
} BatchRollout;

/* "base", "sft", "fused". */
extern const char *const BATCH_ROLLOUT_STATES[SIDE_COUNT];

/* Everything from the options to the figures; --out is written as soon as rewards are known. Opens the model. */
Status batch_rollout_measure(Batch *batch, BatchRollout *rollout, Error *error) STATUS_MUST_CHECK;

/* What goes with --samples and --prompts, before anything is opened. */
Status batch_rollout_check(const Options *options, Error *error) STATUS_MUST_CHECK;

/* Samples, scores and figures alone, where the model is open and dials.settings stand: for what measured other things at
 * them. Of these, --gradient's. */
Status batch_rollout_measure_gradients(Batch *batch, BatchRollout *rollout, Error *error) STATUS_MUST_CHECK;
Status batch_rollout_measure_samples(Batch *batch, BatchRollout *rollout, Error *error) STATUS_MUST_CHECK;

/* The figures of a state's own samples; NULL where it has not sampled. */
const SampleFigures *batch_rollout_drawn(const Batch *batch, const BatchRollout *rollout, Side side);

void batch_rollout_free(BatchRollout *rollout);

#endif
