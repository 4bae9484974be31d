#include "tui/commands/rollout_ranks.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- samples ---- */

typedef struct PackedSample {
    uint64_t count;
    bool is_ended;
} PackedSample;

static void pack_samples(const SampleSet *set, size_t first, size_t end, Buffer *bytes) {
    for (size_t g = first; g < end; g++) {
        const SampleGroup *group = &set->groups[g];
        for (size_t k = 0; k < group->sample_count; k++) {
            PackedSample packed;
            memset(&packed, 0, sizeof packed); /* between members too */
            packed.count = group->samples[k].count;
            packed.is_ended = group->samples[k].is_ended;
            buffer_add(bytes, (const char *)&packed, sizeof packed);
            buffer_add(bytes, (const char *)group->samples[k].ids, packed.count * sizeof(int32_t));
        }
    }
}

static Status unpack_sample(SampleGroup *group, const char **at, Error *error) {
    PackedSample packed;
    Sample *sample;
    memcpy(&packed, *at, sizeof packed);
    *at += sizeof packed;
    Status status = sample_set_add_sample(group, &sample, error);
    if (status != STATUS_OK) return status;
    sample->ids = memory_allocate(packed.count > 0 ? packed.count : 1, sizeof *sample->ids);
    if (sample->ids == NULL) return memory_fail(error, "samples");
    memcpy(sample->ids, *at, packed.count * sizeof *sample->ids);
    *at += packed.count * sizeof *sample->ids;
    sample->count = packed.count;
    sample->is_ended = packed.is_ended;
    return STATUS_OK;
}

static Status unpack_samples(SampleSet *set, size_t first, size_t end, size_t each, const Buffer *bytes,
                             Error *error) {
    const char *at = bytes->text;
    Status status = STATUS_OK;
    for (size_t g = first; g < end; g++)
        for (size_t k = 0; k < each && status == STATUS_OK; k++)
            status = unpack_sample(&set->groups[g], &at, error);
    return status;
}

/* By the tokens that a prompt may come to. */
static Status deal_prompts(const Batch *batch, const SampleSet *set, const RolloutOptions *options,
                           size_t **firsts, Error *error) {
    uint64_t *weights = memory_allocate(set->count > 0 ? set->count : 1, sizeof *weights);
    if (weights == NULL) return memory_fail(error, "what is dealt out");
    for (size_t g = 0; g < set->count; g++) {
        weights[g] = set->groups[g].count + (uint64_t)options->samples * options->most_tokens;
    }
    Status status = ranks_deal(batch->ranks, weights, set->count, firsts, error);
    free(weights);
    return status;
}

Status rollout_ranks_sample(Batch *batch, const Settings *settings, const RolloutOptions *options,
                            SampleSet *set, Error *error) {
    size_t *firsts, own = ranks_own(batch->ranks);
    Status status = deal_prompts(batch, set, options, &firsts, error);
    if (status != STATUS_OK) return status;
    RolloutOptions mine = *options;
    mine.first_group = firsts[own];
    SampleSet stretch = {.groups = set->groups + firsts[own], .count = firsts[own + 1] - firsts[own]};
    status = rollout_run(batch->model, settings, &stretch, &mine, NULL, NULL, batch->job, error);
    for (size_t r = 0; r < ranks_count(batch->ranks) && batch->ranks != NULL; r++) {
        Buffer bytes = {0};
        if (r == own && status == STATUS_OK) pack_samples(set, firsts[r], firsts[r + 1], &bytes);
        status = ranks_pass(batch->ranks, status, r, &bytes, error);
        if (r != own && status == STATUS_OK)
            status = unpack_samples(set, firsts[r], firsts[r + 1], options->samples, &bytes, error);
        buffer_free(&bytes);
    }
    free(firsts);
    return status;
}

/* ---- rewards ---- */

Status rollout_ranks_share_rewards(Batch *batch, Status own, SampleSet *set, Error *error) {
    Buffer rewards = {0};
    if (batch->ranks == NULL) return own;
    for (size_t g = 0; g < set->count && ranks_is_lead(batch->ranks) && own == STATUS_OK; g++)
        for (size_t k = 0; k < set->groups[g].sample_count; k++)
            buffer_add(&rewards, (const char *)&set->groups[g].samples[k].reward, sizeof(double));
    Status status = ranks_pass(batch->ranks, own, 0, &rewards, error);
    const char *at = rewards.text;
    for (size_t g = 0; g < set->count && status == STATUS_OK; g++) {
        for (size_t k = 0; k < set->groups[g].sample_count; k++, at += sizeof(double))
            memcpy(&set->groups[g].samples[k].reward, at, sizeof(double));
    }
    buffer_free(&rewards);
    return status;
}

/* ---- gradients ---- */

static void pack_gradient(const Pair *pair, const Gradient *gradient, Buffer *bytes) {
    buffer_add(bytes, (const char *)gradient, sizeof *gradient);
    for (size_t i = 0; i < gradient->count; i++) {
        size_t place = (size_t)(gradient->tensors[i].tensor - pair->tensors);
        buffer_add(bytes, (const char *)&gradient->tensors[i], sizeof *gradient->tensors);
        buffer_add(bytes, (const char *)&place, sizeof place);
    }
    buffer_add(bytes, (const char *)gradient->experts, gradient->expert_count * sizeof *gradient->experts);
}

static Status unpack_gradient(const Pair *pair, const Buffer *bytes, Gradient *gradient, Error *error) {
    const char *at = bytes->text;
    memcpy(gradient, at, sizeof *gradient);
    at += sizeof *gradient;
    gradient->tensors = memory_allocate(gradient->count, sizeof *gradient->tensors);
    gradient->experts = memory_allocate(gradient->expert_count, sizeof *gradient->experts);
    if (gradient->tensors == NULL || gradient->experts == NULL) {
        gradient_free(gradient);
        return memory_fail(error, "a gradient");
    }
    for (size_t i = 0; i < gradient->count; i++) {
        size_t place;
        memcpy(&gradient->tensors[i], at, sizeof *gradient->tensors);
        at += sizeof *gradient->tensors;
        memcpy(&place, at, sizeof place);
        at += sizeof place;
        gradient->tensors[i].tensor = &pair->tensors[place];
    }
    if (gradient->expert_count > 0)
        memcpy(gradient->experts, at, gradient->expert_count * sizeof *gradient->experts);
    return STATUS_OK;
}

Status rollout_ranks_pass_gradient(Batch *batch, Status own, size_t from, Gradient *gradient, Error *error) {
    Buffer bytes = {0};
    if (batch->ranks == NULL) return own;
    bool is_own = from == ranks_own(batch->ranks);
    if (is_own && own == STATUS_OK) pack_gradient(batch->pair, gradient, &bytes);
    Status status = ranks_pass(batch->ranks, own, from, &bytes, error);
    if (!is_own && status == STATUS_OK) status = unpack_gradient(batch->pair, &bytes, gradient, error);
    buffer_free(&bytes);
    return status;
}
