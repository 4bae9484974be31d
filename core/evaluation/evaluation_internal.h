/*
 * evaluation_internal — the inside of an Evaluation and how its rows run in groups, for the files of this room: what
 * compares distributions, and what only takes losses. Not for others.
 */
#ifndef REJUV_CORE_EVALUATION_INTERNAL_H
#define REJUV_CORE_EVALUATION_INTERNAL_H

#include "core/evaluation/evaluation.h"
#include "core/evaluation/logit_curves.h"

struct Evaluation {
    const Model *model;
    EvaluationRow *rows; /* ids point into `ids`, spans into `spans` */
    int32_t *ids;
    EvaluationSpan *spans;
    size_t row_count, tokens, positions, top_count;
    float *base_hidden, *sft_hidden; /* [positions × hidden_size]; from evaluation_prepare() */
    bool is_prepared;
    struct EvaluationPrefix *prefix; /* borrowed; NULL: every text is computed from its first token */
};

/* Rows that share a pass, and what they measure, counted through all rows. */
typedef struct EvaluationGroup {
    size_t first_row, row_count;
    size_t tokens;
    size_t first_position, positions;
} EvaluationGroup;

/* What a pass reports: this one of how many. */
typedef struct EvaluationStage {
    const char *name;
    uint64_t pass, passes;
} EvaluationStage;

/* At how many positions the logits of so many models are made at once. */
size_t evaluation_positions_together(const Evaluation *evaluation, size_t models);

/* How many tokens a group of so many states may have. */
size_t evaluation_group_limit(const Evaluation *evaluation, size_t states);

/* The rows from `group`'s end on that fit one pass, at least one; false at the end. */
bool evaluation_next_group(const Evaluation *evaluation, size_t limit, EvaluationGroup *group);

/* Runs one group under `count` settings; hidden[i] receives [group positions × hidden_size]. */
Status evaluation_run_group(const Evaluation *evaluation, const EvaluationGroup *group,
                            const Settings *settings, size_t count, float *const *hidden,
                            EvaluationStage stage, MatmulScratch *scratch, Job *job,
                            Error *error) STATUS_MUST_CHECK;

/* A result at these settings with room for what the evaluation keeps of each position. */
Status evaluation_make_result(const Evaluation *evaluation, Settings settings, EvaluationResult *result,
                              Error *error) STATUS_MUST_CHECK;

/* evaluation_measure(), with curves kept through the results, and their errors measured; NULL: without. */
Status evaluation_measure_keeping(const Evaluation *evaluation, const Settings *settings, size_t count,
                                  EvaluationResult *results, LogitCurves *curves, Job *job,
                                  Error *error) STATUS_MUST_CHECK;

/* The true next token of every measured position of a group, -1 after a row's last; the caller frees. NULL when out of
 * memory. */
int32_t *evaluation_list_next(const Evaluation *evaluation, const EvaluationGroup *group);

#endif
