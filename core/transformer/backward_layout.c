#include "core/support/memory.h"
#include "core/transformer/backward_internal.h"

#include <stdlib.h>

/* A part goes on from another through keys and values; a state of the text is of one text alone, compressed
 * keys are of its windows, and values of differential attention and dynamic masks have no room for what several parts give them. */
static bool can_share(const ModelConfig *config) {
    for (size_t i = 0; i < config->plan_count; i++)
        if (config->plans[i].mixer != MIXER_ATTENTION ||
            architecture_needs(&config->plans[i], TENSOR_PART_SHARED_KEY) ||
            architecture_needs(&config->plans[i], TENSOR_PART_LAMBDA_Q1) ||
            architecture_needs(&config->plans[i], TENSOR_PART_MASK_RATE))
            return false;
    return true;
}

static size_t add_part(Backward *backward, size_t tokens, size_t prefix, size_t prefix_tokens) {
    BackwardGroup *group = &backward->groups[backward->group_count - 1];
    backward->parts[backward->part_count] = (BackwardPart){backward->tokens, tokens, prefix, prefix_tokens};
    backward->tokens += tokens;
    group->part_count++;
    group->tokens += tokens;
    group->shared += prefix_tokens;
    if (group->tokens > backward->group_tokens) backward->group_tokens = group->tokens;
    if (prefix_tokens > 0) backward->shares = true;
    return backward->part_count++;
}

/* Into the last group, where there is room; else into one of its own. */
static void make_room(Backward *backward, size_t tokens, size_t shared, size_t group_tokens) {
    if (backward->group_count > 0) {
        const BackwardGroup *group = &backward->groups[backward->group_count - 1];
        bool fits = tokens <= group_tokens && group->tokens <= group_tokens - tokens &&
                    group->shared / BACKWARD_MOST_SHARED + shared <= group_tokens;
        if (fits) return;
    }
    backward->groups[backward->group_count++] =
        (BackwardGroup){.first_part = backward->part_count, .first = backward->tokens};
}

/* How many of a row's first tokens are a part of their own. */
static size_t prefix_of(const BackwardRow *rows, size_t count, size_t row) {
    if (rows[row].shared > 0) return rows[row].shared;
    return row + 1 < count ? rows[row + 1].shared : 0;
}

static void lay_out(Backward *backward, const BackwardRow *rows, size_t group_tokens, bool shares) {
    for (size_t i = 0; i < backward->row_count; i++) {
        size_t shared = shares ? prefix_of(rows, backward->row_count, i) : 0, group = backward->group_count;
        const BackwardPart *before = i > 0 ? &backward->parts[backward->row_part[i - 1]] : NULL;
        size_t prefix = before != NULL ? before->prefix : 0;
        bool goes_on = shares && before != NULL && rows[i].shared > 0 && before->prefix_tokens == shared;
        make_room(backward, goes_on ? rows[i].count - shared : rows[i].count, shared, group_tokens);
        if (goes_on && backward->group_count > group) goes_on = false; /* the prefix is in another */
        if (shared > 0 && !goes_on) prefix = backward->parts[add_part(backward, shared, 0, 0)].first;
        backward->row_part[i] = add_part(backward, rows[i].count - shared, prefix, shared);
    }
}

Status backward_lay_out(Backward *backward, const BackwardRow *rows, size_t group_tokens, Error *error) {
    size_t count = backward->row_count;
    backward->row_part = memory_allocate(count, sizeof *backward->row_part);
    backward->groups = memory_allocate(count, sizeof *backward->groups);
    backward->parts = memory_allocate(count, 2 * sizeof *backward->parts);
    if (backward->row_part == NULL || backward->groups == NULL || backward->parts == NULL)
        return memory_fail(error, "a backward pass");
    const Model *model = backward->model;
    lay_out(backward, rows, group_tokens, can_share(model->base.config) && can_share(model->sft.config));
    return STATUS_OK;
}

void backward_free_layout(Backward *backward) {
    free(backward->row_part);
    free(backward->groups);
    free(backward->parts);
}

Status backward_count_tokens(const Model *model, const BackwardRow *rows, size_t row_count,
                             size_t group_tokens, size_t *tokens, size_t *largest, Error *error) {
    Backward counted = {.model = model, .row_count = row_count};
    Status status = backward_lay_out(&counted, rows, group_tokens, error);
    *tokens = counted.tokens;
    *largest = counted.group_tokens;
    backward_free_layout(&counted);
    return status;
}
