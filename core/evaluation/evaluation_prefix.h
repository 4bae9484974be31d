/*
 * evaluation_prefix — what is kept of a text that was evaluated, so that the next one is only computed from where it
 * differs: a prompt that is edited, a conversation that goes on, an answer that grows.
 *
 *     text 1    Question: 2 + 2 =            base, SFT, W run over all of it
 *     text 2    Question: 2 + 2 = 4. And     … over " 4. And", and W if its settings are the same
 *
 * Kept of base, SFT and the last W are the KV cache, the hidden states, the figures and the most likely tokens. Used where
 * an Evaluation has one row that is measured at all its positions, by evaluation_prepare(), and by evaluation_measure() of
 * one setting. Nothing is kept where it would take more than EVALUATION_PREFIX_BYTES; nothing is used where what is cached
 * depends on what follows (forward_keeps_prefix()). Figures differ from those of the whole text by rounding, as products of
 * other sizes do.
 *
 * It may outlive evaluations, of one model, and be used by one of them at a time, whose job it belongs to while that runs.
 */
#ifndef REJUV_CORE_EVALUATION_PREFIX_H
#define REJUV_CORE_EVALUATION_PREFIX_H

#include "core/evaluation/evaluation.h"

enum { EVALUATION_PREFIX_BYTES = 512 << 20 };

typedef struct EvaluationPrefix EvaluationPrefix;

Status evaluation_prefix_create(EvaluationPrefix **prefix, Error *error) STATUS_MUST_CHECK;
void evaluation_prefix_free(EvaluationPrefix *prefix); /* takes NULL */

/* That evaluation uses it from then on; it is borrowed. */
void evaluation_prefix_attach(EvaluationPrefix *prefix, Evaluation *evaluation);

/* How many tokens the last pass of a side did not compute again. */
size_t evaluation_prefix_reused(const EvaluationPrefix *prefix, Side side);

#endif
