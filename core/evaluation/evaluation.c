#include "core/evaluation/evaluation_internal.h"
#include "core/evaluation/evaluation_memory.h"
#include "core/evaluation/evaluation_prefix_internal.h"
#include "core/evaluation/logit_curves_internal.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOGITS_BUDGET = 64 << 20, /* bytes of logits for all models at the positions compared at once */
    LARGEST_COMPARISON = 64   /* positions */
};

static const Settings BASE = {.alpha = 0.0}, SFT = {.alpha = 1.0};

/* ---- rows and results ---- */

Status evaluation_check_tokens(const Model *model, size_t tokens, size_t top_count, Error *error) {
    return evaluation_memory_check_tokens(model, tokens, top_count, error);
}

/* False when out of memory. */
static bool copy_rows(Evaluation *made, const EvaluationRow *rows) {
    size_t spans = 0;
    for (size_t i = 0; i < made->row_count; i++) spans += rows[i].spans == NULL ? 0 : rows[i].span_count;
    made->rows = memory_allocate(made->row_count, sizeof *made->rows);
    made->ids = memory_allocate(made->tokens, sizeof *made->ids);
    made->spans = memory_allocate(spans, sizeof *made->spans);
    if (made->rows == NULL || made->ids == NULL || made->spans == NULL) return false;
    int32_t *ids = made->ids;
    EvaluationSpan *next = made->spans;
    for (size_t i = 0; i < made->row_count; i++) {
        made->rows[i] = rows[i];
        made->rows[i].ids = ids;
        if (rows[i].count > 0) memcpy(ids, rows[i].ids, rows[i].count * sizeof *ids);
        ids += rows[i].count;
        if (rows[i].spans == NULL) continue;
        made->rows[i].spans = next;
        for (size_t s = 0; s < rows[i].span_count; s++) *next++ = rows[i].spans[s];
    }
    return true;
}

Status evaluation_create(const Model *model, const EvaluationRow *rows, size_t row_count, size_t top_count,
                         Evaluation **evaluation, Error *error) {
    *evaluation = NULL;
    Status status = forward_check_logits(model, error);
    if (status == STATUS_OK) status = evaluation_memory_check(model, rows, row_count, top_count, error);
    if (status != STATUS_OK) return status;
    Evaluation *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "an evaluation");
    made->model = model;
    made->row_count = row_count;
    made->top_count = top_count < forward_vocabulary(model) ? top_count : forward_vocabulary(model);
    for (size_t i = 0; i < row_count; i++) {
        made->tokens += rows[i].count;
        made->positions += evaluation_row_positions(&rows[i]);
    }
    if (!copy_rows(made, rows)) {
        evaluation_free(made);
        return memory_fail(error, "an evaluation");
    }
    *evaluation = made;
    return STATUS_OK;
}

void evaluation_free(Evaluation *evaluation) {
    if (evaluation == NULL) return;
    free(evaluation->rows);
    free(evaluation->ids);
    free(evaluation->spans);
    free(evaluation->base_hidden);
    free(evaluation->sft_hidden);
    free(evaluation);
}

size_t evaluation_position_count(const Evaluation *evaluation) {
    return evaluation->positions;
}

/* ---- comparing distributions ---- */

/* Positions [first, first + count) of a group: logits of base (0), SFT (1) and the measured models (2 …). */
typedef struct Comparison {
    const Evaluation *evaluation;
    const int32_t *next;  /* [count] */
    float *logits;        /* [models][count][vocabulary] */
    float *probabilities; /* [threads][2][vocabulary] */
    size_t vocabulary, first, count, models;
    EvaluationResult *const *results; /* [models]; NULL where a model is only a reference */
    LogitCurves *curves;              /* NULL: none; else through the measured models, */
    size_t first_point;               /* the first of which is this one of theirs */
} Comparison;

static void keep_curves(const Comparison *comparison, size_t i, const DistributionReference *base,
                        const DistributionReference *sft) {
    enum { REFERENCES = 2 };
    DistributionPosition described[CHEBYSHEV_MOST];
    size_t points = comparison->models - REFERENCES, at = comparison->first + i;
    for (size_t m = 0; m < points; m++) described[m] = comparison->results[m + REFERENCES]->positions[at];
    const CurveRow row = {.position = at,
                          .first = comparison->first_point,
                          .count = points,
                          .vocabulary = comparison->vocabulary,
                          .next = comparison->next[i],
                          .base = base,
                          .sft = sft,
                          .logits = comparison->logits +
                                    (REFERENCES * comparison->count + i) * comparison->vocabulary,
                          .stride = comparison->count * comparison->vocabulary,
                          .scratch = base->probabilities};
    logit_curves_keep(comparison->curves, &row, described);
}

static void compare_position(void *argument, size_t i, unsigned worker) {
    const Comparison *comparison = argument;
    size_t vocabulary = comparison->vocabulary, model_size = comparison->count * vocabulary;
    const float *logits = comparison->logits + i * vocabulary;
    float *probabilities = comparison->probabilities + (size_t)worker * 2 * vocabulary;
    DistributionReference base = {.logits = logits, .probabilities = probabilities};
    DistributionReference sft = {.logits = logits + model_size, .probabilities = probabilities + vocabulary};
    int32_t next = comparison->next[i];
    distribution_make_reference(&base, vocabulary, next);
    distribution_make_reference(&sft, vocabulary, next);
    for (size_t m = 0; m < comparison->models; m++) {
        EvaluationResult *result = comparison->results[m];
        if (result == NULL) continue;
        size_t at = comparison->first + i;
        const float *own = logits + m * model_size;
        result->positions[at] = distribution_describe(own, vocabulary, next, &base, &sft);
        if (result->top != NULL)
            distribution_find_top(own, vocabulary, result->positions[at].log_normalizer,
                                  result->top + at * result->top_count, result->top_count);
    }
    if (comparison->curves != NULL) keep_curves(comparison, i, &base, &sft);
}

typedef struct Models {
    const Settings **settings;  /* [count]: base, SFT, … */
    const float **hidden;       /* [count], of the group's first position */
    EvaluationResult **results; /* [count] */
    size_t count;
    size_t known;        /* the first positions, which are described already */
    LogitCurves *curves; /* or NULL; and the point of theirs that is model 2 */
    size_t first_point;
} Models;

static Status compare_chunk(Comparison *comparison, const Models *models, ForwardHead *heads, size_t offset,
                            MatmulScratch *scratch, Job *job, Error *error) {
    size_t width = comparison->evaluation->model->config->hidden_size;
    for (size_t m = 0; m < models->count; m++)
        heads[m] =
            (ForwardHead){.settings = models->settings[m],
                          .hidden = models->hidden[m] + offset * width,
                          .logits = comparison->logits + m * comparison->count * comparison->vocabulary};
    Status status = forward_logits(comparison->evaluation->model, heads, models->count, comparison->count,
                                   scratch, job, error);
    return status == STATUS_OK ? job_run(job, comparison->count, compare_position, comparison, error)
                               : status;
}

size_t evaluation_positions_together(const Evaluation *evaluation, size_t models) {
    size_t chunk = LOGITS_BUDGET / (forward_vocabulary(evaluation->model) * sizeof(float) * models);
    if (chunk < 1) chunk = 1;
    return chunk < LARGEST_COMPARISON ? chunk : LARGEST_COMPARISON;
}

static Status compare_group(const Evaluation *evaluation, const EvaluationGroup *group, const Models *models,
                            MatmulScratch *scratch, Job *job, Error *error) {
    size_t vocabulary = forward_vocabulary(evaluation->model);
    size_t chunk = evaluation_positions_together(evaluation, models->count);
    int32_t *next = evaluation_list_next(evaluation, group);
    ForwardHead *heads = memory_allocate(models->count, sizeof *heads);
    float *logits = memory_allocate_aligned(models->count * chunk, vocabulary * sizeof *logits);
    float *probabilities = memory_allocate_aligned(job_threads(job), 2 * vocabulary * sizeof *probabilities);
    Status status = STATUS_OK;
    if (next == NULL || heads == NULL || logits == NULL || probabilities == NULL)
        status = memory_fail(error, "logits");
    for (size_t at = models->known; at < group->positions && status == STATUS_OK; at += chunk) {
        Comparison comparison = {.evaluation = evaluation,
                                 .next = next + at,
                                 .logits = logits,
                                 .probabilities = probabilities,
                                 .vocabulary = vocabulary,
                                 .first = group->first_position + at,
                                 .count = group->positions - at < chunk ? group->positions - at : chunk,
                                 .models = models->count,
                                 .results = models->results,
                                 .curves = models->curves,
                                 .first_point = models->first_point};
        status = compare_chunk(&comparison, models, heads, at, scratch, job, error);
    }
    free(probabilities);
    free(logits);
    free(heads);
    free(next);
    return status;
}

/* ---- the two passes ---- */

/* Base and SFT: from where the text differs from the one before, where that is kept. */
static Status run_both(const Evaluation *evaluation, const EvaluationGroup *group, float *const *hidden,
                       MatmulScratch *scratch, Job *job, Error *error) {
    static const char STAGE[] = "base and SFT";
    const Settings both[] = {BASE, SFT};
    if (evaluation_prefix_applies(evaluation))
        return evaluation_prefix_run(evaluation, SIDE_BASE, both, 2, hidden, STAGE, scratch, job, error);
    return evaluation_run_group(evaluation, group, both, 2, hidden, (EvaluationStage){STAGE, 0, 1}, scratch,
                                job, error);
}

static size_t recall_both(const Evaluation *evaluation, EvaluationResult *base, EvaluationResult *sft) {
    if (!evaluation_prefix_applies(evaluation)) return 0;
    size_t first = evaluation_prefix_recall(evaluation, SIDE_BASE, base);
    size_t second = evaluation_prefix_recall(evaluation, SIDE_SFT, sft);
    return first < second ? first : second;
}

Status evaluation_prepare(Evaluation *evaluation, EvaluationResult *base, EvaluationResult *sft, Job *job,
                          Error *error) {
    size_t width = evaluation->model->config->hidden_size;
    *base = *sft = (EvaluationResult){0};
    MatmulScratch *scratch = NULL;
    Status status = matmul_create_scratch(job_threads(job), &scratch, error);
    free(evaluation->base_hidden);
    free(evaluation->sft_hidden);
    evaluation->base_hidden = memory_allocate(evaluation->positions, width * sizeof(float));
    evaluation->sft_hidden = memory_allocate(evaluation->positions, width * sizeof(float));
    if (status == STATUS_OK && (evaluation->base_hidden == NULL || evaluation->sft_hidden == NULL))
        status = memory_fail(error, "hidden states");
    if (status == STATUS_OK) status = evaluation_make_result(evaluation, BASE, base, error);
    if (status == STATUS_OK) status = evaluation_make_result(evaluation, SFT, sft, error);
    EvaluationGroup group = {0};
    while (status == STATUS_OK &&
           evaluation_next_group(evaluation, evaluation_group_limit(evaluation, 2), &group)) {
        float *hidden[] = {evaluation->base_hidden + group.first_position * width,
                           evaluation->sft_hidden + group.first_position * width};
        status = run_both(evaluation, &group, hidden, scratch, job, error);
        Models models = {.settings = (const Settings *[]){&BASE, &SFT},
                         .hidden = (const float *[]){hidden[0], hidden[1]},
                         .results = (EvaluationResult *[]){base, sft},
                         .count = 2};
        if (status == STATUS_OK) models.known = recall_both(evaluation, base, sft);
        if (status == STATUS_OK) status = compare_group(evaluation, &group, &models, scratch, job, error);
    }
    matmul_free_scratch(scratch);
    if (status != STATUS_OK) {
        evaluation_free_result(base);
        evaluation_free_result(sft);
        return status;
    }
    evaluation->is_prepared = true;
    EvaluationResult *results[] = {base, sft};
    for (int i = 0; i < 2; i++) {
        if (evaluation_prefix_applies(evaluation)) evaluation_prefix_keep(evaluation, (Side)i, results[i]);
        results[i]->averages = distribution_average(results[i]->positions, results[i]->count);
        if (results[i]->hidden != NULL)
            memcpy(results[i]->hidden, i == 0 ? evaluation->base_hidden : evaluation->sft_hidden,
                   evaluation->positions * width * sizeof(float));
    }
    return STATUS_OK;
}

/* The arrays of one evaluation_measure(), freed in one place. */
typedef struct Measurement {
    Models models;  /* base, SFT, then the measured ones */
    float **hidden; /* [count][limit × hidden_size], of the group at hand */
    size_t count;
    bool continues; /* a text whose beginning is kept */
} Measurement;

/* Settings that run side by side. */
typedef struct Batch {
    const Settings *settings;
    size_t count;
    EvaluationResult *results;
    LogitCurves *curves; /* or NULL; their point that is the first of these */
    size_t point;
    bool is_alone; /* no others are measured in this call */
} Batch;

static Status make_measurement(const Evaluation *evaluation, const Batch *batch, size_t group_positions,
                               Measurement *measurement, Error *error) {
    size_t count = batch->count;
    *measurement = (Measurement){
        .count = count, .models = {.count = count + 2, .curves = batch->curves, .first_point = batch->point}};
    measurement->continues =
        batch->is_alone && batch->curves == NULL && evaluation_prefix_applies(evaluation);
    Models *models = &measurement->models;
    models->settings = memory_allocate(count + 2, sizeof *models->settings);
    models->hidden = memory_allocate(count + 2, sizeof *models->hidden);
    models->results = memory_allocate(count + 2, sizeof *models->results);
    measurement->hidden = memory_allocate(count, sizeof *measurement->hidden);
    if (models->settings == NULL || models->hidden == NULL || models->results == NULL ||
        measurement->hidden == NULL)
        return memory_fail(error, "an evaluation");
    models->settings[0] = &BASE;
    models->settings[1] = &SFT;
    for (size_t i = 0; i < count; i++) {
        models->settings[i + 2] = &batch->settings[i];
        models->results[i + 2] = &batch->results[i];
        measurement->hidden[i] =
            memory_allocate(group_positions, evaluation->model->config->hidden_size * sizeof(float));
        if (measurement->hidden[i] == NULL) return memory_fail(error, "hidden states");
    }
    return STATUS_OK;
}

static void free_measurement(Measurement *measurement) {
    for (size_t i = 0; i < measurement->count && measurement->hidden != NULL; i++)
        free(measurement->hidden[i]);
    free(measurement->hidden);
    free(measurement->models.settings);
    free(measurement->models.hidden);
    free(measurement->models.results);
}

static Status measure_group(const Evaluation *evaluation, const EvaluationGroup *group,
                            const Settings *settings, Measurement *measurement, MatmulScratch *scratch,
                            Job *job, Error *error) {
    static const char STAGE[] = "preview";
    size_t width = evaluation->model->config->hidden_size;
    Models *models = &measurement->models;
    Status status =
        measurement->continues
            ? evaluation_prefix_run(evaluation, SIDE_FUSED, settings, 1, measurement->hidden, STAGE, scratch,
                                    job, error)
            : evaluation_run_group(evaluation, group, settings, measurement->count, measurement->hidden,
                                   (EvaluationStage){STAGE, 0, 1}, scratch, job, error);
    if (status != STATUS_OK) return status;
    models->hidden[0] = evaluation->base_hidden + group->first_position * width;
    models->hidden[1] = evaluation->sft_hidden + group->first_position * width;
    for (size_t i = 0; i < measurement->count; i++) {
        models->hidden[i + 2] = measurement->hidden[i];
        if (models->results[i + 2]->hidden != NULL && group->positions > 0)
            memcpy(models->results[i + 2]->hidden + group->first_position * width, measurement->hidden[i],
                   group->positions * width * sizeof(float));
    }
    if (measurement->continues)
        models->known = evaluation_prefix_recall(evaluation, SIDE_FUSED, models->results[2]);
    status = compare_group(evaluation, group, models, scratch, job, error);
    if (status == STATUS_OK && measurement->continues)
        evaluation_prefix_keep(evaluation, SIDE_FUSED, models->results[2]);
    return status;
}

static Status measure_together(const Evaluation *evaluation, const Batch *batch, MatmulScratch *scratch,
                               Job *job, Error *error) {
    size_t limit = evaluation_group_limit(evaluation, batch->count), largest = 0;
    EvaluationGroup group = {0};
    while (evaluation_next_group(evaluation, limit, &group)) {
        if (group.positions > largest) largest = group.positions;
    }
    Measurement measurement = {0};
    Status status = make_measurement(evaluation, batch, largest, &measurement, error);
    for (size_t i = 0; i < batch->count && status == STATUS_OK; i++)
        status = evaluation_make_result(evaluation, batch->settings[i], &batch->results[i], error);
    group = (EvaluationGroup){0};
    while (status == STATUS_OK && evaluation_next_group(evaluation, limit, &group))
        status = measure_group(evaluation, &group, batch->settings, &measurement, scratch, job, error);
    free_measurement(&measurement);
    return status;
}

Status evaluation_measure_keeping(const Evaluation *evaluation, const Settings *settings, size_t count,
                                  EvaluationResult *results, LogitCurves *curves, Job *job, Error *error) {
    for (size_t i = 0; i < count; i++) results[i] = (EvaluationResult){0};
    if (!evaluation->is_prepared)
        return status_fail(error, STATUS_ARGUMENT, "base and SFT have to be measured before other settings");
    MatmulScratch *scratch = NULL;
    Status status = matmul_create_scratch(job_threads(job), &scratch, error);
    size_t together = evaluation_memory_together(evaluation, count);
    for (size_t at = 0; at < count && status == STATUS_OK; at += together) {
        const Batch batch = {.settings = settings + at,
                             .count = count - at < together ? count - at : together,
                             .results = results + at,
                             .curves = curves,
                             .point = at,
                             .is_alone = count == 1};
        status = measure_together(evaluation, &batch, scratch, job, error);
    }
    matmul_free_scratch(scratch);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        results[i].averages = distribution_average(results[i].positions, results[i].count);
    if (status == STATUS_OK && curves != NULL)
        status = logit_curves_measure_errors(curves, results, job, error);
    for (size_t i = 0; i < count && status != STATUS_OK; i++) evaluation_free_result(&results[i]);
    return status;
}

Status evaluation_measure(const Evaluation *evaluation, const Settings *settings, size_t count,
                          EvaluationResult *results, Job *job, Error *error) {
    return evaluation_measure_keeping(evaluation, settings, count, results, NULL, job, error);
}

double evaluation_follow_token(const Model *model, const EvaluationResult *result, size_t position,
                               int32_t token) {
    if (result->hidden == NULL || position >= result->count || token < 0 ||
        (size_t)token >= forward_vocabulary(model))
        return NAN;
    const float *hidden = result->hidden + position * model->config->hidden_size;
    return (double)forward_logit(model, &result->settings, hidden, token) -
           result->positions[position].log_normalizer;
}
