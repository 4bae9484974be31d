#include "core/readiness/sample_rows.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

static const int32_t *prompt_of(const SampleGroup *group, const Sample *sample, size_t *count) {
    *count = sample->prompt_ids != NULL ? sample->prompt_count : group->count;
    return sample->prompt_ids != NULL ? sample->prompt_ids : group->ids;
}

static Status count_tokens(const SampleSet *set, SampleRows *rows, Error *error) {
    for (size_t g = 0; g < set->count; g++) {
        const SampleGroup *group = &set->groups[g];
        for (size_t i = 0; i < group->sample_count; i++) {
            size_t tokens, prompt;
            (void)prompt_of(group, &group->samples[i], &prompt);
            if (prompt == 0)
                return status_fail(error, STATUS_ARGUMENT,
                                   "prompt %zu has no tokens: nothing predicts its response", g);
            if (!memory_add(prompt, group->samples[i].count, &tokens) ||
                !memory_add(rows->tokens, tokens, &rows->tokens))
                return memory_fail(error, "samples");
            rows->response_tokens += group->samples[i].count;
            rows->count++;
        }
    }
    return STATUS_OK;
}

/* A response of no tokens has no position that predicts it. */
static EvaluationRow make_row(const SampleGroup *group, const Sample *sample, int32_t *ids) {
    size_t prompt;
    const int32_t *prompt_ids = prompt_of(group, sample, &prompt);
    memcpy(ids, prompt_ids, prompt * sizeof *ids);
    if (sample->count > 0) memcpy(ids + prompt, sample->ids, sample->count * sizeof *ids);
    size_t count = prompt + sample->count;
    return (EvaluationRow){.ids = ids, .count = count, .first = prompt - 1, .end = count - 1};
}

Status sample_rows_list(const SampleSet *set, SampleRows *rows, Error *error) {
    *rows = (SampleRows){0};
    Status status = count_tokens(set, rows, error);
    if (status != STATUS_OK) return status;
    rows->rows = memory_allocate(rows->count, sizeof *rows->rows);
    rows->ids = memory_allocate(rows->tokens, sizeof *rows->ids);
    if (rows->rows == NULL || rows->ids == NULL) {
        sample_rows_free(rows);
        return memory_fail(error, "samples");
    }
    EvaluationRow *next = rows->rows;
    int32_t *ids = rows->ids;
    for (size_t g = 0; g < set->count; g++) {
        for (size_t i = 0; i < set->groups[g].sample_count; i++) {
            *next = make_row(&set->groups[g], &set->groups[g].samples[i], ids);
            ids += next->count;
            next++;
        }
    }
    return STATUS_OK;
}

void sample_rows_free(SampleRows *rows) {
    free(rows->rows);
    free(rows->ids);
    *rows = (SampleRows){0};
}
