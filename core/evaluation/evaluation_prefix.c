#include "core/evaluation/evaluation_prefix_internal.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

/* Tokens that a text may grow by before its cache is made anew. */
enum { SPARE_TOKENS = 256 };

typedef struct PrefixSide {
    Settings settings;
    ForwardState *state; /* NULL: nothing is kept */
    size_t capacity;     /* tokens */
    int32_t *ids;        /* [capacity] */
    float *hidden;       /* [capacity × hidden_size] */
    size_t count;        /* tokens of the text, cached */
    EvaluationResult described;
    size_t reused;
} PrefixSide;

struct EvaluationPrefix {
    PrefixSide sides[SIDE_COUNT];
};

Status evaluation_prefix_create(EvaluationPrefix **prefix, Error *error) {
    *prefix = memory_allocate(1, sizeof **prefix);
    return *prefix != NULL ? STATUS_OK : memory_fail(error, "what is kept of a text");
}

static void drop_side(PrefixSide *side) {
    forward_free_state(side->state);
    free(side->ids);
    free(side->hidden);
    evaluation_free_result(&side->described);
    *side = (PrefixSide){0};
}

void evaluation_prefix_free(EvaluationPrefix *prefix) {
    if (prefix == NULL) return;
    for (int i = 0; i < SIDE_COUNT; i++) drop_side(&prefix->sides[i]);
    free(prefix);
}

void evaluation_prefix_attach(EvaluationPrefix *prefix, Evaluation *evaluation) {
    evaluation->prefix = prefix;
}

size_t evaluation_prefix_reused(const EvaluationPrefix *prefix, Side side) {
    return prefix->sides[side].reused;
}

bool evaluation_prefix_applies(const Evaluation *evaluation) {
    if (evaluation->prefix == NULL || evaluation->row_count != 1) return false;
    const EvaluationRow *row = &evaluation->rows[0];
    bool is_whole = row->spans == NULL && row->first == 0 && row->end == row->count && row->count > 0;
    uint64_t token = forward_token_bytes(evaluation->model->config, SIDE_COUNT, 1);
    return is_whole && row->count + SPARE_TOKENS <= EVALUATION_PREFIX_BYTES / token;
}

/* ---- a side's run ---- */

/* Anew, with room for so many tokens. */
static Status begin_side(const Evaluation *evaluation, const Settings *settings, size_t tokens,
                         PrefixSide *side, Error *error) {
    drop_side(side);
    side->settings = *settings;
    side->capacity = tokens + SPARE_TOKENS;
    side->ids = memory_allocate(side->capacity, sizeof *side->ids);
    side->hidden =
        memory_allocate(side->capacity, evaluation->model->config->hidden_size * sizeof *side->hidden);
    Status status =
        side->ids == NULL || side->hidden == NULL ? memory_fail(error, "what is kept of a text") : STATUS_OK;
    if (status == STATUS_OK)
        status = forward_create_state(evaluation->model, settings, side->capacity, &side->state, error);
    if (status != STATUS_OK) drop_side(side);
    return status;
}

/* From where the row differs, as far as it can go on from there. */
static size_t find_common(const PrefixSide *side, const EvaluationRow *row) {
    size_t common = 0;
    while (common < side->count && common < row->count && side->ids[common] == row->ids[common]) common++;
    return forward_keeps_prefix(side->state, common) ? common : 0;
}

/* What predicts another token than before is known no more. */
static void rewind_side(PrefixSide *side, size_t common) {
    size_t known = common > 0 ? common - 1 : 0;
    forward_rewind(side->state, common);
    side->count = side->reused = common;
    if (side->described.count > known) side->described.count = known;
}

static Status prepare_sides(const Evaluation *evaluation, const Settings *settings, size_t count,
                            PrefixSide *sides, Error *error) {
    const EvaluationRow *row = &evaluation->rows[0];
    Status status = STATUS_OK;
    size_t common = row->count;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        bool fits = sides[i].state != NULL && sides[i].capacity >= row->count &&
                    settings_equal(&sides[i].settings, &settings[i]);
        if (!fits) status = begin_side(evaluation, &settings[i], row->count, &sides[i], error);
        size_t own = status == STATUS_OK ? find_common(&sides[i], row) : 0;
        if (own < common) common = own;
    }
    for (size_t i = 0; i < count && status == STATUS_OK; i++) /* the shortest has to suit all */
        if (!forward_keeps_prefix(sides[i].state, common)) common = 0;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) rewind_side(&sides[i], common);
    return status;
}

static Status run_rest(const Evaluation *evaluation, PrefixSide *sides, size_t count, const char *stage,
                       MatmulScratch *scratch, Job *job, Error *error) {
    const EvaluationRow *row = &evaluation->rows[0];
    size_t common = sides[0].count, width = evaluation->model->config->hidden_size;
    ForwardState *states[SIDE_COUNT] = {NULL};
    const ForwardInput input = {.ids = row->ids + common, .count = row->count - common, .stage = stage};
    if (input.count == 0) return STATUS_OK;
    for (size_t i = 0; i < count; i++) states[i] = sides[i].state;
    Status status = forward_run(states, count, &input, scratch, job, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        memcpy(sides[i].ids + common, input.ids, input.count * sizeof *input.ids);
        memcpy(sides[i].hidden + common * width, forward_hidden(states[i]),
               input.count * width * sizeof *sides[i].hidden);
        sides[i].count = row->count;
    }
    return status;
}

Status evaluation_prefix_run(const Evaluation *evaluation, Side first, const Settings *settings, size_t count,
                             float *const *hidden, const char *stage, MatmulScratch *scratch, Job *job,
                             Error *error) {
    PrefixSide *sides = evaluation->prefix->sides + first;
    size_t bytes = evaluation->tokens * evaluation->model->config->hidden_size * sizeof(float);
    Status status = prepare_sides(evaluation, settings, count, sides, error);
    if (status == STATUS_OK) status = run_rest(evaluation, sides, count, stage, scratch, job, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) memcpy(hidden[i], sides[i].hidden, bytes);
    return status;
}

/* ---- its figures ---- */

static void copy_figures(const EvaluationResult *from, size_t count, EvaluationResult *to) {
    if (count == 0) return;
    memcpy(to->positions, from->positions, count * sizeof *to->positions);
    if (to->top != NULL) memcpy(to->top, from->top, count * to->top_count * sizeof *to->top);
}

size_t evaluation_prefix_recall(const Evaluation *evaluation, Side side, EvaluationResult *result) {
    const EvaluationResult *known = &evaluation->prefix->sides[side].described;
    if (known->top_count != result->top_count) return 0;
    copy_figures(known, known->count, result);
    return known->count;
}

void evaluation_prefix_keep(const Evaluation *evaluation, Side side, const EvaluationResult *result) {
    PrefixSide *kept = &evaluation->prefix->sides[side];
    EvaluationResult *known = &kept->described;
    evaluation_free_result(known);
    *known = (EvaluationResult){.count = result->count, .top_count = result->top_count};
    known->positions = memory_allocate(result->count, sizeof *known->positions);
    if (result->top_count > 0)
        known->top = memory_allocate(result->count, result->top_count * sizeof *known->top);
    if (known->positions == NULL || (result->top_count > 0 && known->top == NULL))
        evaluation_free_result(known);
    else
        copy_figures(result, result->count, known);
}
