/*
 * evaluation — models on given token rows: the distributions of base, SFT and any settings between them,
 * position by position, in as few passes over the files as memory allows.
 *
 *     rows      ids of a prompt, or of a prompt and its response, and which positions of each are measured
 *               (evaluation_row.h)
 *     pass 1    evaluation_prepare(): base and SFT side by side; their hidden states are kept (hidden_size
 *               floats a position and model), their logits are not
 *     pass 2    evaluation_measure(): the wanted settings side by side; logits of base, SFT and them are
 *               made again for a few positions at a time, compared, and forgotten
 *
 * Base is W at α = 0. Where SFT enlarged the vocabulary it has SFT's rows for the tokens that it lacks, so that
 * all distributions are over one vocabulary, and rows may hold such tokens.
 *
 * So turning α costs one forward pass of W, and memory does not grow with the vocabulary. Rows shorter than a
 * group share a pass; they do not see each other.
 *
 * The room: output space, rows of tokens, distributions and their figures, models side by side on rows,
 * generation. An Evaluation borrows the model and the rows, and is used by one Job at a time; what it gives is the
 * caller's.
 */
#ifndef REJUV_CORE_EVALUATION_H
#define REJUV_CORE_EVALUATION_H

#include "core/evaluation/distribution.h"
#include "core/evaluation/evaluation_row.h"
#include "core/transformer/forward.h"

typedef struct Evaluation Evaluation;

/* One model's figures. positions[i] and top[i·top_count …] belong to measured position i, counted through all
 * rows in order. Zero-initialise; evaluation_free_result() releases. */
typedef struct EvaluationResult {
    Settings settings;
    DistributionPosition *positions;
    DistributionToken *top; /* NULL where top_count is 0 */
    float *hidden; /* [count × hidden_size], for evaluation_follow_token(); NULL where top_count is 0 */
    size_t count, top_count;
    DistributionAverages averages;
} EvaluationResult;

/* Can a row of so many tokens be evaluated within forward_memory_limit()? Refused with a message that says how
 * many can. For base and SFT side by side, all positions measured, with their `top_count` most likely tokens. */
Status evaluation_check_tokens(const Model *model, size_t tokens, size_t top_count,
                               Error *error) STATUS_MUST_CHECK;

/* The rows are copied; one that evaluation_check_tokens() refuses is refused, and so are rows that together
 * measure more positions than what is kept of them (the hidden states of base and SFT above all) fits
 * forward_memory_limit(). `top_count` most likely tokens are kept for every position (0: none; at most the
 * vocabulary). The model must outlive the evaluation. */
Status evaluation_create(const Model *model, const EvaluationRow *rows, size_t row_count, size_t top_count,
                         Evaluation **evaluation, Error *error) STATUS_MUST_CHECK;
void evaluation_free(Evaluation *evaluation); /* takes NULL */

/* Measures base and SFT. Reports "base and SFT" in token-layers. Once, before evaluation_measure(). */
Status evaluation_prepare(Evaluation *evaluation, EvaluationResult *base, EvaluationResult *sft, Job *job,
                          Error *error) STATUS_MUST_CHECK;

/* Measures `count` settings into results[count], as many side by side as a row's memory allows. On failure the
 * results are empty. */
Status evaluation_measure(const Evaluation *evaluation, const Settings *settings, size_t count,
                          EvaluationResult *results, Job *job, Error *error) STATUS_MUST_CHECK;

size_t evaluation_position_count(const Evaluation *evaluation);

/* ln p of any token at measured position `position` of a result that keeps its top tokens: one row of the
 * head, so cheap enough for the thread that draws. NaN for a token or position that does not exist. */
double evaluation_follow_token(const Model *model, const EvaluationResult *result, size_t position,
                               int32_t token);

void evaluation_free_result(EvaluationResult *result);

#endif
