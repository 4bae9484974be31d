/*
 * sample_score — how likely each of the three models finds samples, wherever they come from: teacher-forced.
 */
#ifndef REJUV_CORE_SAMPLE_SCORE_H
#define REJUV_CORE_SAMPLE_SCORE_H

#include "core/evaluation/evaluation.h"
#include "core/readiness/sample_rows.h"

typedef struct SampleScore {
    double log_probability; /* Σ ln p of the response's tokens */
    double entropy;         /* mean over its positions; NaN where there is none */
} SampleScore;

/* The same of one token of a response: ln p of it, and the entropy at the position that predicts it. */
typedef struct SampleTokenScore {
    float log_probability, entropy;
} SampleTokenScore;

double sample_score_probability(const SampleTokenScore *score);

/* Over all response tokens of all samples. */
typedef struct SampleScoreMeans {
    size_t response_tokens;
    double entropy, log_probability;
} SampleScoreMeans;

/* Scores of base, SFT and W at the dials into scores[SIDE], each [rows->count]. Rows go in batches, so that memory does not
 * grow with their number. Reports "scoring samples" in tokens. */
Status sample_score_measure(const Model *model, const Settings *dials, const SampleRows *rows,
                            SampleScore *const scores[SIDE_COUNT], Job *job, Error *error) STATUS_MUST_CHECK;

/* The same token by token, into tokens[SIDE], each [rows->response_tokens]: row by row. */
Status sample_score_measure_tokens(const Model *model, const Settings *dials, const SampleRows *rows,
                                   SampleTokenScore *const tokens[SIDE_COUNT], Job *job,
                                   Error *error) STATUS_MUST_CHECK;

SampleScoreMeans sample_score_average(const SampleRows *rows, const SampleScore *scores);

#endif
