#include "core/readiness/sample_score.h"

#include <math.h>

enum { BATCH_TOKENS = 8192 };

double sample_score_probability(const SampleTokenScore *score) {
    return exp((double)score->log_probability);
}

/* Where scores go: of whole samples, or of their tokens; the other is NULL. */
typedef struct ScoreSink {
    SampleScore *const *samples;
    SampleTokenScore *const *tokens;
    size_t row, token; /* the next batch's first */
} ScoreSink;

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

static void take_tokens(const EvaluationResult *result, SampleTokenScore *tokens) {
    for (size_t i = 0; i < result->count; i++)
        tokens[i] = (SampleTokenScore){(float)result->positions[i].next_log_probability,
                                       (float)result->positions[i].entropy};
}

static Status score_batch(const Model *model, const Settings *dials, const EvaluationRow *rows, size_t count,
                          const ScoreSink *sink, Job *job, Error *error) {
    Evaluation *evaluation;
    EvaluationResult results[SIDE_COUNT] = {0};
    Status status = evaluation_create(model, rows, count, 0, &evaluation, error);
    if (status == STATUS_OK)
        status = evaluation_prepare(evaluation, &results[SIDE_BASE], &results[SIDE_SFT], job, error);
    if (status == STATUS_OK)
        status = evaluation_measure(evaluation, dials, 1, &results[SIDE_FUSED], job, error);
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        if (status == STATUS_OK && sink->samples != NULL)
            take_scores(rows, count, &results[side], sink->samples[side] + sink->row);
        if (status == STATUS_OK && sink->tokens != NULL)
            take_tokens(&results[side], sink->tokens[side] + sink->token);
        evaluation_free_result(&results[side]);
    }
    evaluation_free(evaluation);
    return status;
}

static Status score(const Model *model, const Settings *dials, const SampleRows *rows, ScoreSink *sink,
                    Job *job, Error *error) {
    Status status = STATUS_OK;
    size_t done = 0;
    while (sink->row < rows->count && status == STATUS_OK) {
        const EvaluationRow *batch = rows->rows + sink->row;
        size_t count = 0, tokens = 0, positions = 0;
        for (; sink->row + count < rows->count && (count == 0 || tokens + batch[count].count <= BATCH_TOKENS);
             count++) {
            tokens += batch[count].count;
            positions += evaluation_row_positions(&batch[count]);
        }
        if (!job_report(job, "scoring samples", done, rows->tokens)) return job_cancelled(error);
        status = score_batch(model, dials, batch, count, sink, job, error);
        sink->row += count;
        sink->token += positions;
        done += tokens;
    }
    return status;
}

Status sample_score_measure(const Model *model, const Settings *dials, const SampleRows *rows,
                            SampleScore *const scores[SIDE_COUNT], Job *job, Error *error) {
    ScoreSink sink = {.samples = scores};
    return score(model, dials, rows, &sink, job, error);
}

Status sample_score_measure_tokens(const Model *model, const Settings *dials, const SampleRows *rows,
                                   SampleTokenScore *const tokens[SIDE_COUNT], Job *job, Error *error) {
    ScoreSink sink = {.tokens = tokens};
    return score(model, dials, rows, &sink, job, error);
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
