#include "core/evaluation/evaluation_loss.h"

#include "core/evaluation/evaluation_internal.h"
#include "core/evaluation/evaluation_memory.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>

enum { PASS_SETTINGS = EVALUATION_LOSS_TOGETHER };

/* Some settings on their way through all groups. */
typedef struct Losses {
    const Evaluation *evaluation;
    const Settings *settings;
    size_t count;
    size_t largest;               /* positions of a group */
    float *hidden[PASS_SETTINGS]; /* [largest × hidden_size] */
    ForwardHead heads[PASS_SETTINGS];
    float *logits; /* [count][chunk][vocabulary] */
    double *logs;  /* [count][largest]: ln p of the true next token */
    size_t chunk;  /* positions whose logits are made at once */
    double sums[PASS_SETTINGS];
    size_t tokens;
} Losses;

static void release(Losses *losses) {
    for (size_t i = 0; i < losses->count; i++) free(losses->hidden[i]);
    free(losses->logits);
    free(losses->logs);
}

static Status reserve(Losses *losses, Error *error) {
    const Evaluation *evaluation = losses->evaluation;
    size_t width = evaluation->model->config->hidden_size * sizeof(float);
    size_t limit = evaluation_group_limit(evaluation, losses->count);
    size_t vocabulary = forward_vocabulary(evaluation->model);
    EvaluationGroup group = {0};
    while (evaluation_next_group(evaluation, limit, &group)) {
        if (group.positions > losses->largest) losses->largest = group.positions;
    }
    losses->chunk = evaluation_positions_together(evaluation, losses->count);
    losses->logits = memory_allocate_aligned(losses->count * losses->chunk, vocabulary * sizeof(float));
    losses->logs = memory_allocate(losses->largest, losses->count * sizeof *losses->logs);
    bool complete = losses->logits != NULL && losses->logs != NULL;
    for (size_t i = 0; i < losses->count; i++) {
        losses->hidden[i] = memory_allocate(losses->largest, width);
        complete = complete && losses->hidden[i] != NULL;
    }
    return complete ? STATUS_OK : memory_fail(error, "losses");
}

/* ---- one group ---- */

/* Positions [first, first + count) of a group. */
typedef struct Stretch {
    const Losses *losses;
    const int32_t *next;
    size_t first, count;
} Stretch;

static void take_position(void *argument, size_t task, unsigned worker) {
    (void)worker;
    const Stretch *stretch = argument;
    const Losses *losses = stretch->losses;
    size_t model = task / stretch->count, at = task % stretch->count, position = stretch->first + at;
    size_t vocabulary = forward_vocabulary(losses->evaluation->model);
    if (stretch->next[position] < 0) return;
    losses->logs[model * losses->largest + position] = distribution_log_probability(
        losses->heads[model].logits + at * vocabulary, vocabulary, stretch->next[position]);
}

static Status take_stretch(Losses *losses, const Stretch *stretch, MatmulScratch *scratch, Job *job,
                           Error *error) {
    const Model *model = losses->evaluation->model;
    size_t vocabulary = forward_vocabulary(model);
    for (size_t i = 0; i < losses->count; i++)
        losses->heads[i] =
            (ForwardHead){.settings = &losses->settings[i],
                          .hidden = losses->hidden[i] + stretch->first * model->config->hidden_size,
                          .logits = losses->logits + i * losses->chunk * vocabulary};
    Status status = forward_logits(model, losses->heads, losses->count, stretch->count, scratch, job, error);
    if (status != STATUS_OK) return status;
    return job_run(job, losses->count * stretch->count, take_position, (void *)(uintptr_t)stretch, error);
}

static Status take_group(Losses *losses, const EvaluationGroup *group, EvaluationStage stage,
                         MatmulScratch *scratch, Job *job, Error *error) {
    int32_t *next = evaluation_list_next(losses->evaluation, group);
    Status status = next == NULL
                        ? memory_fail(error, "losses")
                        : evaluation_run_group(losses->evaluation, group, losses->settings, losses->count,
                                               losses->hidden, stage, scratch, job, error);
    for (size_t at = 0; at < group->positions && status == STATUS_OK; at += losses->chunk) {
        size_t rest = group->positions - at;
        const Stretch stretch = {losses, next, at, rest < losses->chunk ? rest : losses->chunk};
        status = take_stretch(losses, &stretch, scratch, job, error);
    }
    for (size_t at = 0; at < group->positions && status == STATUS_OK; at++) {
        if (next[at] < 0) continue;
        losses->tokens++;
        for (size_t i = 0; i < losses->count; i++) losses->sums[i] -= losses->logs[i * losses->largest + at];
    }
    free(next);
    return status;
}

/* ---- all of them ---- */

static Status measure_together(const Evaluation *evaluation, const Settings *settings, size_t count,
                               double *result, EvaluationStage stage, MatmulScratch *scratch, Job *job,
                               Error *error) {
    Losses losses = {.evaluation = evaluation, .settings = settings, .count = count};
    Status status = reserve(&losses, error);
    size_t limit = evaluation_group_limit(evaluation, count);
    EvaluationGroup group = {0};
    while (status == STATUS_OK && evaluation_next_group(evaluation, limit, &group))
        status = take_group(&losses, &group, stage, scratch, job, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        result[i] = losses.tokens == 0 ? NAN : losses.sums[i] / (double)losses.tokens;
    release(&losses);
    return status;
}

Status evaluation_loss_measure(const Evaluation *evaluation, const Settings *settings, size_t count,
                               double *losses, const char *stage, Job *job, Error *error) {
    MatmulScratch *scratch = NULL;
    Status status = matmul_create_scratch(job_threads(job), &scratch, error);
    size_t together = evaluation_memory_together(evaluation, count < PASS_SETTINGS ? count : PASS_SETTINGS);
    size_t passes = together == 0 ? 0 : (count + together - 1) / together;
    for (size_t pass = 0; pass < passes && status == STATUS_OK; pass++) {
        size_t at = pass * together, n = count - at < together ? count - at : together;
        status = measure_together(evaluation, settings + at, n, losses + at,
                                  (EvaluationStage){stage, pass, passes}, scratch, job, error);
    }
    matmul_free_scratch(scratch);
    return status;
}

size_t evaluation_loss_tokens(const Evaluation *evaluation) {
    size_t tokens = 0;
    for (size_t i = 0; i < evaluation->row_count; i++)
        tokens += evaluation_row_predictions(&evaluation->rows[i]);
    return tokens;
}
