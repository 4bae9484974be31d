/*
 * sample_set — answers sampled to prompts, grouped by prompt, and what each earned: what a group-relative step of
 * reinforcement learning sees.
 *
 * The room: is the checkpoint ready for reinforcement learning? Samples and their figures, the gradient at hand-over, the
 * landscape of the loss. Results are structs that the caller owns and frees; measuring runs on the caller's Job.
 */
#ifndef REJUV_CORE_SAMPLE_SET_H
#define REJUV_CORE_SAMPLE_SET_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Sample {
    int32_t *ids; /* of the response, its end included where it came */
    size_t count;
    /* where they are not the group's: what follows a prompt may change its last token; else NULL */
    int32_t *prompt_ids;
    size_t prompt_count;
    bool is_ended; /* by a token that ends texts; false: it ran out of tokens, or that is not known */
    double reward; /* NaN: not known; an answer is right from 1 on */
    char *text;    /* of the response; NULL: not known */
} Sample;

typedef struct SampleGroup {
    int32_t *ids; /* of the prompt */
    size_t count;
    char *prompt, *answer; /* as texts; NULL: not known */
    Sample *samples;
    size_t sample_count, sample_capacity;
} SampleGroup;

/* Zero-initialise; sample_set_free() releases. */
typedef struct SampleSet {
    SampleGroup *groups;
    size_t count, capacity;
} SampleSet;

/* A new group at the end, empty; and a new sample of a group, its reward NaN. Both stay the set's; pointers to others of
 * their kind are void then. */
Status sample_set_add_group(SampleSet *set, SampleGroup **group, Error *error) STATUS_MUST_CHECK;
Status sample_set_add_sample(SampleGroup *group, Sample **sample, Error *error) STATUS_MUST_CHECK;

/* Takes all samples out of a group; its prompt stays. */
void sample_set_drop_samples(SampleGroup *group);

/* A copy of a sample, texts included, in place of an empty one; after a failure it is empty. */
Status sample_set_copy_sample(const Sample *from, Sample *to, Error *error) STATUS_MUST_CHECK;

/* Releases what a sample holds. */
void sample_set_free_sample(Sample *sample);

size_t sample_set_samples(const SampleSet *set);

void sample_set_free(SampleSet *set);

#endif
