#include "core/readiness/sample_prompts.h"

#include "core/support/memory.h"

#include <string.h>

/* Texts may be NULL. */
static Status add_group(SampleSet *set, const int32_t *ids, size_t count, const char *prompt,
                        const char *answer, Error *error) {
    SampleGroup *group;
    Status status = sample_set_add_group(set, &group, error);
    if (status != STATUS_OK) return status;
    group->ids = memory_allocate(count, sizeof *group->ids);
    if (prompt != NULL) group->prompt = memory_copy_text(prompt, strlen(prompt));
    if (answer != NULL) group->answer = memory_copy_text(answer, strlen(answer));
    if (group->ids == NULL || (prompt != NULL && group->prompt == NULL) ||
        (answer != NULL && group->answer == NULL))
        return memory_fail(error, "prompts");
    if (count > 0) memcpy(group->ids, ids, count * sizeof *ids);
    group->count = count;
    return STATUS_OK;
}

Status sample_prompts_add(const Calibration *rows, SampleSet *set, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < rows->count && status == STATUS_OK; i++) {
        const CalibrationRow *row = &rows->rows[i];
        status = add_group(set, row->ids, row->prompt_count, row->prompt, row->answer, error);
    }
    return status;
}

Status sample_prompts_copy(const SampleSet *from, SampleSet *set, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < from->count && status == STATUS_OK; i++) {
        const SampleGroup *group = &from->groups[i];
        status = add_group(set, group->ids, group->count, group->prompt, group->answer, error);
    }
    return status;
}
