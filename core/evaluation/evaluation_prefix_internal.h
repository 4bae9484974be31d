/* evaluation_prefix_internal — how the passes of an evaluation use what is kept of the text before. Not for others. */
#ifndef REJUV_CORE_EVALUATION_PREFIX_INTERNAL_H
#define REJUV_CORE_EVALUATION_PREFIX_INTERNAL_H

#include "core/evaluation/evaluation_internal.h"
#include "core/evaluation/evaluation_prefix.h"

/* Whether the evaluation has one that is of use for its rows. */
bool evaluation_prefix_applies(const Evaluation *evaluation);

/* As evaluation_run_group() of the only row: `count` sides from `first` on under these settings, from where the text
 * differs. hidden[i] receives [tokens × hidden_size]. */
Status evaluation_prefix_run(const Evaluation *evaluation, Side first, const Settings *settings, size_t count,
                             float *const *hidden, const char *stage, MatmulScratch *scratch, Job *job,
                             Error *error) STATUS_MUST_CHECK;

/* Writes what is known of the first positions after evaluation_prefix_run(), and says of how many. */
size_t evaluation_prefix_recall(const Evaluation *evaluation, Side side, EvaluationResult *result);

/* Keeps the figures of all positions; where there is no memory for them, none. */
void evaluation_prefix_keep(const Evaluation *evaluation, Side side, const EvaluationResult *result);

#endif
