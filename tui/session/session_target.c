#include "tui/session/session_target.h"

#include "core/support/memory.h"
#include "tui/session/session_state.h"

#include <stdlib.h>

/* ---- of a calibration row ---- */

/* How many ids of the text on screen are the row's. */
static size_t count_common(const Session *session, size_t row_index) {
    const CalibrationRow *row = &session->load.calibration->rows[row_index];
    const TokenList *list = &session->prompt_ids;
    size_t common = 0;
    while (common < list->count && common < row->count && list->ids[common] == row->ids[common]) common++;
    return common;
}

static bool is_of_row(const Session *session) {
    int example = session->current_example;
    return example >= 0 && session->load.calibration != NULL &&
           (size_t)example < session->load.calibration->count;
}

static SessionTargets list_chosen(Session *session) {
    SessionTargets found = {.is_chosen = true};
    const Attribution *attribution = session_attribution(session);
    SessionTargetList *list = &session->target_list;
    if (attribution == NULL) {
        found.message = session_method_message(session);
        if (found.message == NULL) found.message = "attribution is being measured";
        return found;
    }
    list->is_alike = false;
    list->count = 0;
    found.wanted = attribution->target_count;
    Error error;
    if (MEMORY_RESERVE(list->targets, &list->capacity, found.wanted, &error) != STATUS_OK) {
        found.message = "not enough memory";
        return found;
    }
    size_t common = count_common(session, (size_t)session->current_example);
    for (size_t i = 0; i < attribution->target_count; i++) {
        const AttributionTarget *target = &attribution->targets[i];
        if (target->row != (size_t)session->current_example) continue;
        if (target->position >= common)
            found.hidden++;
        else
            list->targets[list->count++] =
                (SessionTarget){target->position, i, target->entropy_base - target->entropy_sft};
    }
    found.targets = list->targets;
    found.count = list->count;
    return found;
}

/* ---- of any other text ---- */

/* Sorted once for a text and a number of targets: a long text has many positions. */
static Status choose_alike(Session *session, const EvaluationResult *base, const EvaluationResult *sft,
                           Error *error) {
    SessionTargetList *list = &session->target_list;
    const TokenList *ids = &session->prompt_ids;
    const EvaluationRow row = {.ids = ids->ids, .count = base->count, .first = 0, .end = base->count};
    AttributionTarget *chosen;
    size_t count;
    Status status =
        attribution_choose_targets(&row, 1, base, sft, session->method.target_count, &chosen, &count, error);
    if (status != STATUS_OK) return status;
    status = MEMORY_RESERVE(list->targets, &list->capacity, count, error);
    list->count = status == STATUS_OK ? count : 0;
    for (size_t i = 0; i < list->count; i++)
        list->targets[i] =
            (SessionTarget){chosen[i].position, i, chosen[i].entropy_base - chosen[i].entropy_sft};
    list->is_alike = status == STATUS_OK;
    list->wanted = session->method.target_count;
    free(chosen);
    return status;
}

static SessionTargets list_alike(Session *session) {
    const SessionTargetList *list = &session->target_list;
    const EvaluationResult *base = session_preview(session, SIDE_BASE),
                           *sft = session_preview(session, SIDE_SFT);
    SessionTargets found = {.wanted = session->method.target_count};
    Error error;
    if (base == NULL || sft == NULL || base->count > session->prompt_ids.count) {
        found.message = session_preview_message(session);
        if (found.message == NULL) found.message = "the text is being measured";
        return found;
    }
    bool known = list->is_alike && list->wanted == found.wanted;
    Status status = known ? STATUS_OK : choose_alike(session, base, sft, &error);
    if (status != STATUS_OK) {
        found.message = status == STATUS_FORMAT ? "an entropy is not a number" : "not enough memory";
        return found;
    }
    found.targets = list->targets;
    found.count = list->count;
    return found;
}

/* ---- for the views ---- */

SessionTargets session_targets(Session *session) {
    return is_of_row(session) ? list_chosen(session) : list_alike(session);
}

const SessionTarget *session_find_target(const SessionTargets *targets, size_t position) {
    for (size_t i = 0; i < targets->count; i++)
        if (targets->targets[i].position == position) return &targets->targets[i];
    return NULL;
}

/* A place in the order of rows and positions. */
typedef struct UserDirectory {
    size_t row, position;
} UserDirectory;

static int compare_places(UserDirectory a, UserDirectory b) {
    if (a.row != b.row) return a.row < b.row ? -1 : 1;
    return a.position < b.position ? -1 : a.position > b.position;
}

static UserDirectory place_of(const Session *session, const SessionTargets *targets, size_t index) {
    if (!targets->is_chosen) return (UserDirectory){0, targets->targets[index].position};
    const AttributionTarget *target = &session_attribution(session)->targets[index];
    return (UserDirectory){target->row, target->position};
}

/* The nearest of `count` places behind (1) or before (-1) `from`; where there is none, the first or last. */
static UserDirectory find_next(const Session *session, const SessionTargets *targets, size_t count,
                               UserDirectory from, int direction) {
    UserDirectory next = from, end = place_of(session, targets, 0);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        UserDirectory place = place_of(session, targets, i);
        if (compare_places(place, end) * direction < 0) end = place;
        if (compare_places(place, from) * direction <= 0) continue;
        if (!any || compare_places(place, next) * direction < 0) next = place;
        any = true;
    }
    return any ? next : end;
}

Status session_go_to_target(Session *session, int steps, size_t *position, Error *error) {
    SessionTargets targets = session_targets(session);
    if (targets.message != NULL)
        return status_fail(error, STATUS_ARGUMENT, "no targets yet: %s", targets.message);
    size_t count = targets.is_chosen ? targets.wanted : targets.count;
    if (count == 0) return status_fail(error, STATUS_ARGUMENT, "there are no targets");
    UserDirectory place = {targets.is_chosen ? (size_t)session->current_example : 0, *position};
    int direction = steps < 0 ? -1 : 1;
    for (int left = abs(steps); left > 0; left--)
        place = find_next(session, &targets, count, place, direction);
    Status status = STATUS_OK;
    if (targets.is_chosen && place.row != (size_t)session->current_example)
        status = session_use_example(session, place.row, error);
    if (status == STATUS_OK && targets.is_chosen && place.position >= count_common(session, place.row))
        status = session_show_response(session, error);
    if (status == STATUS_OK) *position = place.position;
    return status;
}
