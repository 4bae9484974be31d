#include "core/readiness/rollout_slots.h"

#include "core/support/memory.h"
#include "core/transformer/forward.h"

#include <stdlib.h>

/* ---- opening ---- */

static Status check_prompts(const SampleSet *set, uint64_t positions, size_t *longest, Error *error) {
    *longest = 0;
    for (size_t i = 0; i < set->count; i++) {
        size_t tokens = set->groups[i].count;
        if (tokens == 0)
            return status_fail(error, STATUS_ARGUMENT, "prompt %zu: expected one token at least", i + 1);
        if (positions > 0 && tokens >= positions)
            return status_fail(
                error, STATUS_ARGUMENT,
                "prompt %zu has %zu tokens, and the model %zu positions: none is left for an answer", i + 1,
                tokens, (size_t)positions);
        if (tokens > *longest) *longest = tokens;
    }
    return STATUS_OK;
}

/* Cells for answers, and for the prompts whose samples fill the slots, one more that begins, and one that ends. */
static bool count_cells(RolloutSlots *slots, size_t longest, size_t *cells) {
    size_t prompts = slots->count / slots->samples + 2;
    if (prompts > slots->count) prompts = slots->count;
    return memory_multiply(prompts, longest, &slots->area) &&
           memory_multiply(slots->count, slots->cells, cells) && memory_add(*cells, slots->area, cells);
}

/* Fewer slots, until they fit. */
static Status fit_memory(RolloutSlots *slots, const ModelConfig *config, size_t longest, Error *error) {
    uint64_t token = forward_token_bytes(config, 1, 1), limit = forward_memory_limit();
    for (;; slots->count = (slots->count + 1) / 2) {
        size_t cells;
        if (!count_cells(slots, longest, &cells)) cells = SIZE_MAX;
        Status status = forward_check_memory(token, cells, limit, "a prompt and its answer", error);
        if (status == STATUS_OK || slots->count == 1) return status;
    }
}

Status rollout_slots_open(RolloutSlots *slots, const ModelConfig *config, const SampleSet *set,
                          size_t samples, size_t most_tokens, size_t wanted, Error *error) {
    size_t longest, all;
    *slots = (RolloutSlots){.count = wanted,
                            .cells = most_tokens,
                            .groups = set->count,
                            .samples = samples,
                            .positions = config->max_positions};
    Status status = check_prompts(set, slots->positions, &longest, error);
    if (status != STATUS_OK) return status;
    if (memory_multiply(set->count, samples, &all) && all < slots->count) slots->count = all;
    if (slots->positions > 0 && slots->cells > slots->positions) slots->cells = (size_t)slots->positions;
    status = fit_memory(slots, config, longest, error);
    if (status != STATUS_OK) return status;
    slots->prompt_count = slots->count;
    slots->slots = memory_allocate(slots->count, sizeof *slots->slots);
    slots->prompts = memory_allocate(slots->count, sizeof *slots->prompts);
    bool complete = slots->slots != NULL && slots->prompts != NULL;
    for (size_t i = 0; i < slots->count && complete; i++) {
        slots->slots[i].ids = memory_allocate(slots->cells, sizeof(int32_t));
        slots->prompts[i] =
            (RolloutPrompt){.is_read = true, .hidden = memory_allocate(config->hidden_size, sizeof(float))};
        complete = slots->slots[i].ids != NULL && slots->prompts[i].hidden != NULL;
    }
    return complete ? STATUS_OK : memory_fail(error, "sampling");
}

void rollout_slots_close(RolloutSlots *slots) {
    for (size_t i = 0; i < slots->count; i++) {
        if (slots->slots != NULL) free(slots->slots[i].ids);
        if (slots->prompts != NULL) free(slots->prompts[i].hidden);
    }
    free(slots->slots);
    free(slots->prompts);
    *slots = (RolloutSlots){0};
}

size_t rollout_slots_capacity(const RolloutSlots *slots) {
    return slots->count * slots->cells + slots->area;
}

bool rollout_slots_is_over(const RolloutSlots *slots) {
    if (slots->group < slots->groups) return false;
    for (size_t i = 0; i < slots->count; i++) {
        if (slots->slots[i].prompt != NULL) return false;
    }
    return true;
}

/* ---- giving places ---- */

static RolloutSlot *find_free_slot(RolloutSlots *slots) {
    for (size_t i = 0; i < slots->count; i++) {
        if (slots->slots[i].prompt == NULL) return &slots->slots[i];
    }
    return NULL;
}

static RolloutPrompt *find_prompt(RolloutSlots *slots, size_t group) {
    for (size_t i = 0; i < slots->prompt_count; i++) {
        if (slots->prompts[i].tokens > 0 && slots->prompts[i].group == group) return &slots->prompts[i];
    }
    return NULL;
}

/* Does [cell, cell + tokens) lie in the area, and no prompt in it? */
static bool is_gap(const RolloutSlots *slots, size_t cell, size_t tokens) {
    if (tokens > rollout_slots_capacity(slots) - cell) return false;
    for (size_t i = 0; i < slots->prompt_count; i++) {
        const RolloutPrompt *prompt = &slots->prompts[i];
        if (prompt->tokens > 0 && cell < prompt->cell + prompt->tokens && prompt->cell < cell + tokens)
            return false;
    }
    return true;
}

/* The first gap that holds so many: at the area's begin, or behind a prompt. */
static bool find_gap(const RolloutSlots *slots, size_t tokens, size_t *cell) {
    size_t begin = slots->count * slots->cells;
    bool found = is_gap(slots, begin, tokens);
    *cell = begin;
    for (size_t i = 0; i < slots->prompt_count; i++) {
        const RolloutPrompt *prompt = &slots->prompts[i];
        size_t end = prompt->cell + prompt->tokens;
        if (prompt->tokens == 0 || (found && end >= *cell) || !is_gap(slots, end, tokens)) continue;
        *cell = end;
        found = true;
    }
    return found;
}

/* *prompt is NULL where there is no room now. */
static Status begin_prompt(RolloutSlots *slots, SampleSet *set, RolloutPrompt **prompt, Error *error) {
    SampleGroup *group = &set->groups[slots->group];
    size_t cell, first = group->sample_count;
    RolloutPrompt *free_one = NULL;
    *prompt = NULL;
    for (size_t i = 0; i < slots->prompt_count && free_one == NULL; i++) {
        if (slots->prompts[i].tokens == 0) free_one = &slots->prompts[i];
    }
    if (free_one == NULL || !find_gap(slots, group->count, &cell)) return STATUS_OK;
    for (size_t k = 0; k < slots->samples; k++) {
        Sample *sample;
        Status status = sample_set_add_sample(group, &sample, error);
        if (status != STATUS_OK) return status;
    }
    size_t most = slots->cells;
    if (slots->positions > 0 && slots->positions - group->count < most)
        most = (size_t)slots->positions - group->count;
    *free_one = (RolloutPrompt){.group = slots->group,
                                .cell = cell,
                                .tokens = group->count,
                                .first_sample = first,
                                .most = most,
                                .left = slots->samples,
                                .hidden = free_one->hidden};
    *prompt = free_one;
    return STATUS_OK;
}

Status rollout_slots_admit(RolloutSlots *slots, SampleSet *set, size_t prompt_tokens, Error *error) {
    size_t joining = 0;
    for (RolloutSlot *slot; slots->group < slots->groups && (slot = find_free_slot(slots)) != NULL;) {
        RolloutPrompt *prompt = find_prompt(slots, slots->group);
        if (prompt == NULL) {
            size_t tokens = set->groups[slots->group].count;
            if (joining > 0 && joining + tokens > prompt_tokens) break;
            Status status = begin_prompt(slots, set, &prompt, error);
            if (status != STATUS_OK) return status;
            if (prompt == NULL) break;
            joining += tokens;
        }
        slot->prompt = prompt;
        slot->number = slots->sample++;
        slot->count = 0;
        if (slots->sample < slots->samples) continue;
        slots->sample = 0;
        slots->group++;
    }
    return STATUS_OK;
}

void rollout_slots_release(RolloutSlot *slot) {
    RolloutPrompt *prompt = slot->prompt;
    slot->prompt = NULL;
    slot->count = 0;
    if (--prompt->left > 0) return;
    prompt->tokens = 0;
    prompt->is_read = true;
}
