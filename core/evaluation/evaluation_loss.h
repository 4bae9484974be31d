/*
 * evaluation_loss — the loss alone of many settings, and nothing that compares them: for the points of a landscape. A
 * setting's loss is the figure `loss` of its averages (distribution.h).
 *
 *     settings      16 side by side, as far as memory allows: one pass over the files for each such batch
 *     positions     those whose next token is known; logits are made for a few at a time, and forgotten
 */
#ifndef REJUV_CORE_EVALUATION_LOSS_H
#define REJUV_CORE_EVALUATION_LOSS_H

#include "core/evaluation/evaluation.h"

/* So many settings share a pass over the files, where memory allows; more would cost memory for no less reading that
 * matters. */
enum { EVALUATION_LOSS_TOGETHER = 16 };

/* How many positions of these rows predict a token that is known. */
size_t evaluation_loss_tokens(const Evaluation *evaluation);

/* losses[count]: each the mean of −ln p of the true next tokens; NaN over none, and whatever the arithmetic of weights
 * that are not numbers gives. The evaluation need not be prepared. Reports `stage`, over all passes. */
Status evaluation_loss_measure(const Evaluation *evaluation, const Settings *settings, size_t count,
                               double *losses, const char *stage, Job *job, Error *error) STATUS_MUST_CHECK;

#endif
