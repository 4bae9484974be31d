/*
 * batch_ladder — everything that is measured along the rungs of a training: behind `rejuv ladder` and the figure of it.
 *
 *     BASE A B C ──► every rung opened ──► drift, and with --calibration loss, entropy, dormancy, with a prompt its
 *                                          entropy ──► LadderFigures
 */
#ifndef REJUV_TUI_BATCH_LADDER_H
#define REJUV_TUI_BATCH_LADDER_H

#include "core/ladder/ladder_figures.h"
#include "tui/commands/batch_method.h"
#include "tui/commands/batch_prompt.h"

/* Zero-initialise; batch_ladder_free() releases. */
typedef struct BatchLadder {
    Ladder ladder; /* borrows the operands */
    LadderFigures figures;
    BatchMethod method; /* the calibration and its rows */
    BatchPrompt prompt;
    Cache *cache;  /* what sessions kept; NULL: it is not looked at */
    bool has_said; /* that some of it was taken */
} BatchLadder;

/* From operands (base and rungs) and options to the figures. Dormancy that the model type has not is told and done
 * without; all else that fails is an error that names the rung. Rows and prompt are read with the last rung's
 * tokenizer. */
Status batch_ladder_measure(Batch *batch, const char *const *operands, size_t count, BatchLadder *ladder,
                            Error *error) STATUS_MUST_CHECK;
void batch_ladder_free(BatchLadder *ladder);

/* Thresholds of the options. */
LadderTaus batch_ladder_taus(const Options *options);

#endif
