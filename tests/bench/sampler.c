#include "tests/bench/sampler.h"

#include "core/readiness/rollout.h"
#include "core/support/memory.h"
#include "core/transformer/forward.h"

Sampler sampler_create(const Model *model, Job *job) {
    Sampler sampler = {.model = model, .job = job, .settings = {.alpha = 0.5}};
    for (size_t i = 0; i < SAMPLER_PROMPT; i++)
        sampler.ids[i] = (int32_t)(i * 7919 % forward_vocabulary(model));
    return sampler;
}

Status sampler_run(Sampler *sampler, size_t most, Error *error) {
    SampleSet set = {0};
    SampleGroup *group;
    const RolloutOptions options = {.samples = SAMPLER_ANSWERS,
                                    .most_tokens = most,
                                    .sampling = {.temperature = 1.0},
                                    .seed = 1,
                                    .end = -1};
    Status status = sample_set_add_group(&set, &group, error);
    if (status == STATUS_OK) {
        group->ids = memory_allocate(SAMPLER_PROMPT, sizeof *group->ids);
        group->count = group->ids == NULL ? 0 : SAMPLER_PROMPT;
        for (size_t i = 0; i < group->count; i++) group->ids[i] = sampler->ids[i];
        status =
            rollout_run(sampler->model, &sampler->settings, &set, &options, NULL, NULL, sampler->job, error);
    }
    sampler->tokens = 0;
    for (size_t k = 0; status == STATUS_OK && k < set.groups[0].sample_count; k++)
        sampler->tokens += set.groups[0].samples[k].count;
    sample_set_free(&set);
    return status;
}
