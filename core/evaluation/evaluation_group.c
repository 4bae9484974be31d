#include "core/evaluation/evaluation_internal.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

enum {
    STATE_BUDGET = 96 << 20, /* bytes of KV cache and hidden states for all settings of a pass */
    SMALLEST_GROUP = 64,     /* tokens of rows that share a pass, where memory would allow fewer */
    LARGEST_GROUP = 1024
};

size_t evaluation_group_limit(const Evaluation *evaluation, size_t states) {
    const ModelConfig *config = evaluation->model->config;
    size_t cache = 2 * config->layers * config->kv_heads * config->head_dim;
    size_t token = (cache + 2 * config->hidden_size) * sizeof(float) * states;
    size_t limit = STATE_BUDGET / token;
    if (limit < SMALLEST_GROUP) return SMALLEST_GROUP;
    return limit < LARGEST_GROUP ? limit : LARGEST_GROUP;
}

/* The rows from `group`'s end on that fit one pass, at least one; false at the end. */
bool evaluation_next_group(const Evaluation *evaluation, size_t limit, EvaluationGroup *group) {
    EvaluationGroup next = {.first_row = group->first_row + group->row_count,
                            .first_position = group->first_position + group->positions};
    for (size_t i = next.first_row; i < evaluation->row_count; i++) {
        const EvaluationRow *row = &evaluation->rows[i];
        if (next.row_count > 0 && next.tokens + row->count > limit) break;
        next.row_count++;
        next.tokens += row->count;
        next.positions += evaluation_row_positions(row);
    }
    *group = next;
    return next.row_count > 0;
}

/* Copies the hidden states of the measured positions, row after row. */
static void gather_hidden(const Evaluation *evaluation, const EvaluationGroup *group, const float *from,
                          float *to) {
    size_t width = evaluation->model->config->hidden_size;
    for (size_t i = 0; i < group->row_count; i++) {
        const EvaluationRow *row = &evaluation->rows[group->first_row + i];
        for (size_t s = 0; s < evaluation_row_spans(row); s++) {
            EvaluationSpan span = evaluation_row_span(row, s);
            size_t measured = span.end - span.first;
            if (measured > 0) memcpy(to, from + span.first * width, measured * width * sizeof *to);
            to += measured * width;
        }
        from += row->count * width;
    }
}

static Status run_states(const Evaluation *evaluation, const EvaluationGroup *group, ForwardState **states,
                         const Settings *settings, size_t count, ForwardInput *input, MatmulScratch *scratch,
                         Job *job, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = forward_create_state(evaluation->model, &settings[i], group->tokens, &states[i], error);
    return status == STATUS_OK ? forward_run(states, count, input, scratch, job, error) : status;
}

/* Runs one group under `count` settings; hidden[i] receives [group positions × hidden_size]. */
Status evaluation_run_group(const Evaluation *evaluation, const EvaluationGroup *group,
                            const Settings *settings, size_t count, float *const *hidden,
                            EvaluationStage stage, MatmulScratch *scratch, Job *job, Error *error) {
    size_t *starts = memory_allocate(group->tokens, sizeof *starts);
    ForwardState **states = memory_allocate(count, sizeof *states);
    Status status = starts == NULL || states == NULL ? memory_fail(error, "a group of rows") : STATUS_OK;
    if (status == STATUS_OK) {
        const EvaluationRow *rows = evaluation->rows + group->first_row;
        size_t token = 0;
        for (size_t i = 0; i < group->row_count; i++) {
            size_t start = token;
            for (size_t t = 0; t < rows[i].count; t++) starts[token++] = start;
        }
        uint64_t layers = evaluation->model->config->layers;
        ForwardInput input = {
            .ids = rows[0].ids,
            .starts = starts,
            .count = group->tokens,
            .stage = stage.name,
            .done = (stage.pass * evaluation->tokens + (uint64_t)(rows[0].ids - evaluation->ids)) * layers,
            .total = stage.passes * evaluation->tokens * layers};
        status = run_states(evaluation, group, states, settings, count, &input, scratch, job, error);
    }
    for (size_t i = 0; i < count && states != NULL; i++) {
        if (status == STATUS_OK && group->tokens > 0)
            gather_hidden(evaluation, group, forward_hidden(states[i]), hidden[i]);
        forward_free_state(states[i]);
    }
    free(states);
    free(starts);
    return status;
}

/* The true next token of every measured position of a group; -1 after a row's last. */
int32_t *evaluation_list_next(const Evaluation *evaluation, const EvaluationGroup *group) {
    int32_t *next = memory_allocate(group->positions, sizeof *next);
    size_t at = 0;
    for (size_t i = 0; i < group->row_count && next != NULL; i++) {
        const EvaluationRow *row = &evaluation->rows[group->first_row + i];
        for (size_t s = 0; s < evaluation_row_spans(row); s++) {
            EvaluationSpan span = evaluation_row_span(row, s);
            for (size_t t = span.first; t < span.end; t++)
                next[at++] = t + 1 < row->count ? row->ids[t + 1] : -1;
        }
    }
    return next;
}
