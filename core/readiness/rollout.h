/*
 * rollout — answers of a model at any setting to many prompts, sampled side by side.
 *
 *     slots      sequences that grow together: a step gives each a token, and costs one pass over the weights
 *     prompts    are run once; their keys and values stay until the last of their samples has ended
 *     refilled   where a sample ends, the next takes its slot, be it of the same prompt or of the next
 *
 * Token t of sample k of group g (counted from options->first_group) is chosen (sampling.h) with a uniform number that is a function of seed, g, k and t
 * alone: which samples happen to grow side by side does not matter, but for the last bit of the logits.
 */
#ifndef REJUV_CORE_ROLLOUT_H
#define REJUV_CORE_ROLLOUT_H

#include "core/evaluation/sampling.h"
#include "core/readiness/sample_set.h"
#include "core/transformer/forward.h"

enum { ROLLOUT_SLOTS = 64 }; /* where no other number is asked for */

typedef struct RolloutOptions {
    size_t samples;     /* K, of each prompt */
    size_t most_tokens; /* of an answer */
    size_t slots;       /* 0: ROLLOUT_SLOTS; fewer where memory allows no more */
    Sampling sampling;
    uint64_t seed;
    size_t first_group; /* g of the set's first group: of a set that is a stretch of a longer one */
    int32_t end;        /* ends an answer besides the model's own ends; -1: nothing does */
} RolloutOptions;

/* Sample `sample` of group `group` has ended. On the calling thread; the sample is the set's. */
typedef void (*RolloutObserver)(void *user, size_t group, size_t sample);

/* Adds `samples` samples to each group of the set, under `settings`. An answer ends with an end-of-text token of the
 * model whose settings these are, or with options->end (which it has then), after most_tokens tokens, or where the model's positions end.
 * Refused: a prompt without tokens, or that leaves no position for an answer; one whose cache does not fit
 * forward_memory_limit(). After a failure or a cancellation the samples that have ended stay; others are taken out.
 * Reports "sampling" in tokens · layers. STATUS_FORMAT where logits are no numbers. */
Status rollout_run(const Model *model, const Settings *settings, SampleSet *set,
                   const RolloutOptions *options, RolloutObserver observer, void *user, Job *job,
                   Error *error) STATUS_MUST_CHECK;

#endif
