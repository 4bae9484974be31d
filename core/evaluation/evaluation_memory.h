/*
 * evaluation_memory — what an evaluation takes in memory, and how much of it is done at once for that.
 *
 * Internal to the evaluation.
 */
#ifndef REJUV_CORE_EVALUATION_MEMORY_H
#define REJUV_CORE_EVALUATION_MEMORY_H

#include "core/evaluation/evaluation.h"

/* As evaluation_check_tokens(). */
Status evaluation_memory_check_tokens(const Model *model, size_t tokens, size_t top_count,
                                      Error *error) STATUS_MUST_CHECK;

/* How many of `count` settings may run side by side over the evaluation's rows. */
size_t evaluation_memory_together(const Evaluation *evaluation, size_t count);

/* Whether the rows, and what is kept of all of them, fit forward_memory_limit(). */
Status evaluation_memory_check(const Model *model, const EvaluationRow *rows, size_t count, size_t top_count,
                               Error *error) STATUS_MUST_CHECK;

#endif
