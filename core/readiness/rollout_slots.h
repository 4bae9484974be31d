/*
 * rollout_slots — who sits where while samples grow side by side: slots of cells for answers, and behind them an area
 * of cells for the prompts that have samples in them.
 *
 *     cells    [slot 0][slot 1]…[slot S - 1][ prompts, wherever there is a gap that holds them ]
 *
 * Internal to the rollout; no mathematics here.
 */
#ifndef REJUV_CORE_ROLLOUT_SLOTS_H
#define REJUV_CORE_ROLLOUT_SLOTS_H

#include "core/checkpoint/architecture.h"
#include "core/readiness/sample_set.h"

/* A prompt whose keys and values are in the cache, or will be after the next step. */
typedef struct RolloutPrompt {
    size_t group, cell, tokens;
    size_t first_sample; /* of the group: those before are not of this run */
    size_t most;         /* tokens of an answer: the model's positions may end it */
    size_t left;         /* samples that have not ended */
    bool is_read;
    float *hidden; /* after the final norm, at its last token */
    size_t row;    /* of the step's logits */
} RolloutPrompt;

typedef struct RolloutSlot {
    RolloutPrompt *prompt; /* NULL: the slot is free */
    size_t number;         /* of the sample, in this run */
    int32_t *ids;          /* [cells] */
    size_t count;
} RolloutSlot;

typedef struct RolloutSlots {
    RolloutSlot *slots;
    size_t count, cells;    /* slots, cells of each */
    size_t area;            /* cells for prompts */
    RolloutPrompt *prompts; /* [prompt_count]; one without tokens is free, and counts as read */
    size_t prompt_count;
    size_t groups, samples; /* groups, and samples of each */
    size_t group, sample;   /* the next to begin */
    uint64_t positions;     /* of the model; 0: not known */
} RolloutSlots;

/* As many slots as were `wanted`, or as the samples fill, or as fit forward_memory_limit(). Refused: a prompt without
 * tokens, or that leaves no position; where not even one slot fits. */
Status rollout_slots_open(RolloutSlots *slots, const ModelConfig *config, const SampleSet *set,
                          size_t samples, size_t most_tokens, size_t wanted, Error *error) STATUS_MUST_CHECK;
void rollout_slots_close(RolloutSlots *slots);

/* Cells in all. */
size_t rollout_slots_capacity(const RolloutSlots *slots);

/* Every sample has begun and ended. */
bool rollout_slots_is_over(const RolloutSlots *slots);

/* Gives free slots to samples that have not begun, whose places in their groups it makes; new prompts of about
 * `prompt_tokens` tokens join at a time. */
Status rollout_slots_admit(RolloutSlots *slots, SampleSet *set, size_t prompt_tokens,
                           Error *error) STATUS_MUST_CHECK;

/* Its sample has ended; so has its prompt, where it was the last. */
void rollout_slots_release(RolloutSlot *slot);

#endif
