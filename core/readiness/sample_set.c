#include "core/readiness/sample_set.h"

#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Status sample_set_add_group(SampleSet *set, SampleGroup **group, Error *error) {
    Status status = MEMORY_RESERVE(set->groups, &set->capacity, set->count + 1, error);
    if (status != STATUS_OK) return status;
    *group = &set->groups[set->count++];
    **group = (SampleGroup){0};
    return STATUS_OK;
}

Status sample_set_add_sample(SampleGroup *group, Sample **sample, Error *error) {
    Status status = MEMORY_RESERVE(group->samples, &group->sample_capacity, group->sample_count + 1, error);
    if (status != STATUS_OK) return status;
    *sample = &group->samples[group->sample_count++];
    **sample = (Sample){.reward = NAN};
    return STATUS_OK;
}

size_t sample_set_samples(const SampleSet *set) {
    size_t samples = 0;
    for (size_t i = 0; i < set->count; i++) samples += set->groups[i].sample_count;
    return samples;
}

void sample_set_free_sample(Sample *sample) {
    free(sample->ids);
    free(sample->prompt_ids);
    free(sample->text);
    *sample = (Sample){.reward = NAN};
}

void sample_set_drop_samples(SampleGroup *group) {
    for (size_t i = 0; i < group->sample_count; i++) sample_set_free_sample(&group->samples[i]);
    group->sample_count = 0;
}

static int32_t *copy_ids(const int32_t *ids, size_t count) {
    int32_t *copy = memory_allocate(count, sizeof *copy);
    if (copy != NULL && count > 0) memcpy(copy, ids, count * sizeof *copy);
    return copy;
}

Status sample_set_copy_sample(const Sample *from, Sample *to, Error *error) {
    *to = *from;
    to->ids = copy_ids(from->ids, from->count);
    to->prompt_ids = from->prompt_ids == NULL ? NULL : copy_ids(from->prompt_ids, from->prompt_count);
    to->text = from->text == NULL ? NULL : memory_copy_text(from->text, strlen(from->text));
    bool is_whole = to->ids != NULL && (from->prompt_ids == NULL || to->prompt_ids != NULL) &&
                    (from->text == NULL || to->text != NULL);
    if (is_whole) return STATUS_OK;
    sample_set_free_sample(to);
    return memory_fail(error, "samples");
}

static void free_group(SampleGroup *group) {
    sample_set_drop_samples(group);
    free(group->samples);
    free(group->ids);
    free(group->prompt);
    free(group->answer);
}

void sample_set_free(SampleSet *set) {
    for (size_t i = 0; i < set->count; i++) free_group(&set->groups[i]);
    free(set->groups);
    *set = (SampleSet){0};
}
