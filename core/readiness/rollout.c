#include "core/readiness/rollout.h"

#include "core/evaluation/generation.h"
#include "core/numerics/random.h"
#include "core/readiness/rollout_slots.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

enum { PROMPT_TOKENS = 1024 /* of new prompts that join a step, but for one that is longer */ };

typedef struct Rollout {
    const Model *model;
    const Settings *settings;
    const RolloutOptions *options;
    SampleSet *set;
    RolloutObserver observer;
    void *user;
    Job *job;
    RolloutSlots slots;
    size_t width, vocabulary;
    ForwardState *state;
    MatmulScratch *scratch;
    SamplingScratch **sampling; /* [threads] */
    unsigned threads;
    /* of a step: what goes in, the rows of logits, what comes out */
    int32_t *ids;
    ForwardPlace *places;
    size_t count, capacity;
    float *hidden, *logits; /* [slots × width], [slots × vocabulary] */
    size_t rows;
    size_t *row_of;    /* [slots] */
    int32_t *tokens;   /* [slots] */
    Status *statuses;  /* [slots] */
    Error *errors;     /* [slots] */
    uint64_t finished; /* samples */
} Rollout;

/* ---- what goes in ---- */

static void put(Rollout *rollout, int32_t id, ForwardPlace place) {
    rollout->ids[rollout->count] = id;
    rollout->places[rollout->count++] = place;
}

/* The last token of each sequence that has one, and all of those prompts that are new. */
static Status make_input(Rollout *rollout, Error *error) {
    const RolloutSlots *slots = &rollout->slots;
    size_t needed = slots->count;
    for (size_t i = 0; i < slots->prompt_count; i++)
        if (!slots->prompts[i].is_read) needed += slots->prompts[i].tokens;
    if (needed > rollout->capacity) {
        free(rollout->ids);
        free(rollout->places);
        rollout->ids = memory_allocate(needed, sizeof *rollout->ids);
        rollout->places = memory_allocate(needed, sizeof *rollout->places);
        rollout->capacity = rollout->ids == NULL || rollout->places == NULL ? 0 : needed;
        if (rollout->capacity == 0) return memory_fail(error, "sampling");
    }
    rollout->count = 0;
    for (size_t s = 0; s < slots->count; s++) {
        const RolloutSlot *slot = &slots->slots[s];
        if (slot->prompt == NULL || slot->count == 0) continue;
        size_t first = s * slots->cells;
        put(rollout, slot->ids[slot->count - 1],
            (ForwardPlace){first + slot->count - 1, first, slot->prompt->cell, slot->prompt->tokens});
    }
    for (size_t i = 0; i < slots->prompt_count; i++) {
        const RolloutPrompt *prompt = &slots->prompts[i];
        const int32_t *ids = rollout->set->groups[prompt->group].ids;
        for (size_t t = 0; t < prompt->tokens && !prompt->is_read; t++)
            put(rollout, ids[t], (ForwardPlace){.cell = prompt->cell + t, .first = prompt->cell});
    }
    return STATUS_OK;
}

/* ---- what comes out ---- */

/* Hidden states of prompts stay with them: samples that start later begin with the same. */
static void keep_prompts(Rollout *rollout, size_t at) {
    for (size_t i = 0; i < rollout->slots.prompt_count; i++) {
        RolloutPrompt *prompt = &rollout->slots.prompts[i];
        if (prompt->is_read) continue;
        at += prompt->tokens;
        memcpy(prompt->hidden, forward_hidden(rollout->state) + (at - 1) * rollout->width,
               rollout->width * sizeof(float));
        prompt->is_read = true;
    }
}

/* A row for each sequence that has tokens, and one for each prompt whose samples have their first to come. */
static void gather_rows(Rollout *rollout) {
    RolloutSlots *slots = &rollout->slots;
    size_t fed = 0;
    rollout->rows = 0;
    for (size_t i = 0; i < slots->prompt_count; i++) slots->prompts[i].row = SIZE_MAX;
    for (size_t s = 0; s < slots->count; s++) {
        RolloutSlot *slot = &slots->slots[s];
        if (slot->prompt == NULL) continue;
        const float *from = slot->prompt->hidden;
        if (slot->count > 0) from = forward_hidden(rollout->state) + fed++ * rollout->width;
        if (slot->count == 0 && slot->prompt->row != SIZE_MAX) {
            rollout->row_of[s] = slot->prompt->row;
            continue;
        }
        if (slot->count == 0) slot->prompt->row = rollout->rows;
        rollout->row_of[s] = rollout->rows;
        memcpy(rollout->hidden + rollout->rows++ * rollout->width, from, rollout->width * sizeof *from);
    }
}

/* What a sample is drawn with: a seed of its own. */
static uint64_t seed_sample(const Rollout *rollout, const RolloutSlot *slot) {
    const RolloutOptions *options = rollout->options;
    return random_bits(random_bits(options->seed, options->first_group + slot->prompt->group), slot->number);
}

static void choose(void *argument, size_t s, unsigned worker) {
    Rollout *rollout = argument;
    const RolloutSlot *slot = &rollout->slots.slots[s];
    rollout->statuses[s] = STATUS_OK;
    if (slot->prompt == NULL) return;
    const float *logits = rollout->logits + rollout->row_of[s] * rollout->vocabulary;
    rollout->statuses[s] = sampling_check(logits, rollout->vocabulary, slot->prompt->tokens + slot->count - 1,
                                          &rollout->errors[s]);
    if (rollout->statuses[s] == STATUS_OK)
        rollout->tokens[s] = sampling_choose(logits, rollout->vocabulary, &rollout->options->sampling,
                                             random_uniform(seed_sample(rollout, slot), slot->count),
                                             rollout->sampling[worker]);
}

static bool ends_text(const Rollout *rollout, int32_t token) {
    return (rollout->options->end >= 0 && token == rollout->options->end) ||
           generation_ends_text(rollout->model, rollout->settings, token);
}

static Status finish(Rollout *rollout, RolloutSlot *slot, bool is_ended, Error *error) {
    SampleGroup *group = &rollout->set->groups[slot->prompt->group];
    Sample *sample = &group->samples[slot->prompt->first_sample + slot->number];
    sample->ids = memory_allocate(slot->count, sizeof *sample->ids);
    if (sample->ids == NULL) return memory_fail(error, "samples");
    memcpy(sample->ids, slot->ids, slot->count * sizeof *sample->ids);
    sample->count = slot->count;
    sample->is_ended = is_ended;
    rollout->finished++;
    if (rollout->observer != NULL)
        rollout->observer(rollout->user, slot->prompt->group, slot->prompt->first_sample + slot->number);
    rollout_slots_release(slot);
    return STATUS_OK;
}

static Status take_tokens(Rollout *rollout, Error *error) {
    for (size_t s = 0; s < rollout->slots.count; s++) {
        RolloutSlot *slot = &rollout->slots.slots[s];
        if (slot->prompt == NULL) continue;
        if (rollout->statuses[s] != STATUS_OK) {
            if (error != NULL) *error = rollout->errors[s];
            return rollout->statuses[s];
        }
        int32_t token = rollout->tokens[s];
        slot->ids[slot->count++] = token;
        bool is_ended = ends_text(rollout, token);
        Status status = STATUS_OK;
        if (is_ended || slot->count == slot->prompt->most) status = finish(rollout, slot, is_ended, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* ---- a step ---- */

static ForwardInput describe_input(const Rollout *rollout) {
    const RolloutOptions *options = rollout->options;
    uint64_t layers = rollout->model->config->layers, tokens = rollout->finished * options->most_tokens;
    for (size_t s = 0; s < rollout->slots.count; s++) tokens += rollout->slots.slots[s].count;
    return (ForwardInput){.ids = rollout->ids,
                          .places = rollout->places,
                          .count = rollout->count,
                          .stage = "sampling",
                          .done = tokens * layers,
                          .total = (uint64_t)rollout->set->count * options->samples * options->most_tokens *
                                   layers};
}

static Status step(Rollout *rollout, Error *error) {
    Status status = make_input(rollout, error);
    if (status != STATUS_OK) return status;
    ForwardInput input = describe_input(rollout);
    if (input.count > 0)
        status = forward_run(&rollout->state, 1, &input, rollout->scratch, rollout->job, error);
    if (status != STATUS_OK) return status;
    size_t grown = 0;
    for (size_t s = 0; s < rollout->slots.count; s++)
        grown += rollout->slots.slots[s].prompt != NULL && rollout->slots.slots[s].count > 0;
    keep_prompts(rollout, grown);
    gather_rows(rollout);
    ForwardHead head = {.settings = rollout->settings, .hidden = rollout->hidden, .logits = rollout->logits};
    status = forward_logits(rollout->model, &head, 1, rollout->rows, rollout->scratch, rollout->job, error);
    if (status == STATUS_OK) status = job_run(rollout->job, rollout->slots.count, choose, rollout, error);
    return status == STATUS_OK ? take_tokens(rollout, error) : status;
}

/* ---- opening and closing ---- */

static Status open_scratch(Rollout *rollout, Error *error) {
    size_t slots = rollout->slots.count, row = rollout->vocabulary * sizeof(float);
    rollout->threads = job_threads(rollout->job);
    rollout->sampling = memory_allocate(rollout->threads, sizeof(SamplingScratch *));
    rollout->hidden = memory_allocate_aligned(slots, rollout->width * sizeof(float));
    rollout->logits = memory_allocate_aligned(slots, row);
    rollout->row_of = memory_allocate(slots, sizeof *rollout->row_of);
    rollout->tokens = memory_allocate(slots, sizeof *rollout->tokens);
    rollout->statuses = memory_allocate(slots, sizeof *rollout->statuses);
    rollout->errors = memory_allocate(slots, sizeof *rollout->errors);
    if (rollout->sampling == NULL || rollout->hidden == NULL || rollout->logits == NULL ||
        rollout->row_of == NULL || rollout->tokens == NULL || rollout->statuses == NULL ||
        rollout->errors == NULL)
        return memory_fail(error, "sampling");
    Status status = matmul_create_scratch(rollout->threads, &rollout->scratch, error);
    for (unsigned i = 0; i < rollout->threads && status == STATUS_OK; i++)
        status = sampling_create_scratch(rollout->vocabulary, &rollout->sampling[i], error);
    return status;
}

static Status open_rollout(Rollout *rollout, Error *error) {
    Status status = forward_check_logits(rollout->model, error);
    if (status != STATUS_OK) return status;
    rollout->width = rollout->model->config->hidden_size;
    rollout->vocabulary = forward_vocabulary(rollout->model);
    status = rollout_slots_open(&rollout->slots, rollout->model->config, rollout->set,
                                rollout->options->samples, rollout->options->most_tokens,
                                rollout->options->slots > 0 ? rollout->options->slots : ROLLOUT_SLOTS, error);
    if (status == STATUS_OK) status = open_scratch(rollout, error);
    if (status == STATUS_OK)
        status = forward_create_state(rollout->model, rollout->settings,
                                      rollout_slots_capacity(&rollout->slots), &rollout->state, error);
    return status;
}

static void close_rollout(Rollout *rollout) {
    for (unsigned i = 0; i < rollout->threads && rollout->sampling != NULL; i++)
        sampling_free_scratch(rollout->sampling[i]);
    free(rollout->sampling);
    matmul_free_scratch(rollout->scratch);
    forward_free_state(rollout->state);
    free(rollout->ids);
    free(rollout->places);
    free(rollout->hidden);
    free(rollout->logits);
    free(rollout->row_of);
    free(rollout->tokens);
    free(rollout->statuses);
    free(rollout->errors);
    rollout_slots_close(&rollout->slots);
}

/* Takes out the samples that were begun and have not ended: they have no tokens. */
static void drop_unfinished(SampleSet *set) {
    for (size_t i = 0; i < set->count; i++) {
        SampleGroup *group = &set->groups[i];
        size_t kept = 0;
        for (size_t k = 0; k < group->sample_count; k++)
            if (group->samples[k].ids != NULL) group->samples[kept++] = group->samples[k];
        group->sample_count = kept;
    }
}

Status rollout_run(const Model *model, const Settings *settings, SampleSet *set,
                   const RolloutOptions *options, RolloutObserver observer, void *user, Job *job,
                   Error *error) {
    if (set->count == 0 || options->samples == 0 || options->most_tokens == 0) return STATUS_OK;
    Rollout rollout = {.model = model,
                       .settings = settings,
                       .options = options,
                       .set = set,
                       .observer = observer,
                       .user = user,
                       .job = job};
    Status status = open_rollout(&rollout, error);
    while (status == STATUS_OK && !rollout_slots_is_over(&rollout.slots)) {
        status = rollout_slots_admit(&rollout.slots, set, PROMPT_TOKENS, error);
        if (status == STATUS_OK) status = step(&rollout, error);
    }
    drop_unfinished(set);
    close_rollout(&rollout);
    return status;
}
