#include "core/readiness/sample_set.h"

#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>

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

static void free_group(SampleGroup *group) {
    for (size_t i = 0; i < group->sample_count; i++) {
        free(group->samples[i].ids);
        free(group->samples[i].prompt_ids);
        free(group->samples[i].text);
    }
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
