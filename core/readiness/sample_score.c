#include "core/readiness/sample_score.h"

#include <math.h>

enum { BATCH_TOKENS = 8192 };

/* A result's positions are those of all rows of the batch, one after another. */
static void take_scores(const EvaluationRow *rows, size_t count, const EvaluationResult *result,
                        SampleScore *scores) {
    const DistributionPosition *position = result->positions;
    for (size_t i = 0; i < count; i++) {
        size_t tokens = evaluation_row_positions(&rows[i]);
        double entropy = 0.0;
        scores[i] = (SampleScore){0};
        for (size_t t = 0; t < tokens; t++, position++) {
            scores[i].log_probability += position->next_log_probability;
            entropy += position->entropy;
        }
        scores[i].entropy = tokens > 0 ? entropy / (double)tokens : NAN;
    }
}

static Status score_batch(const Model *model, const Settings *dials, const EvaluationRow *rows, size_t count,
                          SampleScore *const scores[SIDE_COUNT], size_t first, Job *job, Error *error) {
    Evaluation *evaluation;
    EvaluationResult results[SIDE_COUNT] = {0};
    Status status = evaluation_create(model, rows, count, 0, &evaluation, error);
    if (status == STATUS_OK)
        status = evaluation_prepare(evaluation, &results[SIDE_BASE], &results[SIDE_SFT], job, error);
    if (status == STATUS_OK)
        status = evaluation_measure(evaluation, dials, 1, &results[SIDE_FUSED], job, error);
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        if (status == STATUS_OK) take_scores(rows, count, &results[side], scores[side] + first);
        evaluation_free_result(&results[side]);
    }
    evaluation_free(evaluation);
    return status;
}

Status sample_score_measure(const Model *model, const Settings *dials, const SampleRows *rows,
                            SampleScore *const scores[SIDE_COUNT], Job *job, Error *error) {
    Status status = STATUS_OK;
    size_t done = 0;
    for (size_t at = 0; at < rows->count && status == STATUS_OK;) {
        size_t count = 0, tokens = 0;
        while (at + count < rows->count &&
               (count == 0 || tokens + rows->rows[at + count].count <= BATCH_TOKENS))
            tokens += rows->rows[at + count++].count;
        if (!job_report(job, "scoring samples", done, rows->tokens)) return job_cancelled(error);
        status = score_batch(model, dials, rows->rows + at, count, scores, at, job, error);
        at += count;
        done += tokens;
    }
    return status;
}

SampleScoreMeans sample_score_average(const SampleRows *rows, const SampleScore *scores) {
    SampleScoreMeans means = {0};
    double entropy = 0.0, log_probability = 0.0;
    for (size_t i = 0; i < rows->count; i++) {
        size_t tokens = evaluation_row_positions(&rows->rows[i]);
        if (tokens == 0) continue;
        means.response_tokens += tokens;
        entropy += scores[i].entropy * (double)tokens;
        log_probability += scores[i].log_probability;
    }
    double tokens = (double)means.response_tokens; /* over none: NaN */
    means.entropy = entropy / tokens;
    means.log_probability = log_probability / tokens;
    return means;
}
