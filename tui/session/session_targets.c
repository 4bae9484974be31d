#include "tui/session/session_targets.h"

#include "core/support/memory.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_files.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_neurons.h"

#include <stdlib.h>

/* The UI thread's. */
struct SessionTargetsPart {
    SessionTarget *targets;
    size_t count, capacity;
    bool is_alike; /* they are those of the rule, for `wanted`, on the prompt of `revision` */
    size_t wanted;
    uint64_t revision;
};

Status session_targets_open(Session *session, const struct SessionOptions *options, Error *error) {
    (void)options;
    session->targets = memory_allocate(1, sizeof *session->targets);
    if (session->targets == NULL) return memory_fail(error, "the session");
    return STATUS_OK;
}

void session_targets_free(Session *session) {
    if (session->targets == NULL) return;
    free(session->targets->targets);
    free(session->targets);
}

/* ---- of a calibration row ---- */

/* How many ids of the text on screen are the row's. */
static size_t count_common(const Session *session, size_t row_index) {
    const CalibrationRow *row = &session_calibration(session, NULL)->rows[row_index];
    const int32_t *ids;
    size_t count = session_prompt_tokens(session, &ids), common = 0;
    while (common < count && common < row->count && ids[common] == row->ids[common]) common++;
    return common;
}

static bool is_of_row(const Session *session) {
    const Calibration *rows = session_calibration(session, NULL);
    int example = session_current_example(session);
    if (example < 0 || rows == NULL || (size_t)example >= rows->count) return false;
    /* a template may have made another text of its prompt */
    return !session_chat_is_on(session) ||
           count_common(session, (size_t)example) >= rows->rows[example].prompt_count;
}

static SessionTargets list_chosen(Session *session) {
    SessionTargets found = {.is_chosen = true};
    const Attribution *attribution = session_attribution(session);
    struct SessionTargetsPart *list = session->targets;
    if (attribution == NULL) {
        found.message = session_neurons_message(session);
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
    size_t common = count_common(session, (size_t)session_current_example(session));
    for (size_t i = 0; i < attribution->target_count; i++) {
        const AttributionTarget *target = &attribution->targets[i];
        if (target->row != (size_t)session_current_example(session)) continue;
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
    struct SessionTargetsPart *list = session->targets;
    const int32_t *ids;
    (void)session_prompt_tokens(session, &ids);
    const EvaluationRow row = {.ids = ids, .count = base->count, .first = 0, .end = base->count};
    AttributionTarget *chosen;
    size_t count;
    Status status = attribution_choose_targets(&row, 1, base, sft, session_neurons_targets(session), &chosen,
                                               &count, error);
    if (status != STATUS_OK) return status;
    status = MEMORY_RESERVE(list->targets, &list->capacity, count, error);
    list->count = status == STATUS_OK ? count : 0;
    for (size_t i = 0; i < list->count; i++)
        list->targets[i] =
            (SessionTarget){chosen[i].position, i, chosen[i].entropy_base - chosen[i].entropy_sft};
    list->is_alike = status == STATUS_OK;
    list->wanted = session_neurons_targets(session);
    list->revision = session_prompt_revision(session);
    free(chosen);
    return status;
}

static SessionTargets list_alike(Session *session) {
    const struct SessionTargetsPart *list = session->targets;
    const EvaluationResult *base = session_preview(session, SIDE_BASE),
                           *sft = session_preview(session, SIDE_SFT);
    SessionTargets found = {.wanted = session_neurons_targets(session)};
    Error error;
    if (base == NULL || sft == NULL || base->count > session_prompt_tokens(session, NULL)) {
        found.message = session_preview_message(session);
        if (found.message == NULL) found.message = "the text is being measured";
        return found;
    }
    bool known =
        list->is_alike && list->wanted == found.wanted && list->revision == session_prompt_revision(session);
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
typedef struct Place {
    size_t row, position;
} Place;

static int compare_places(Place a, Place b) {
    if (a.row != b.row) return a.row < b.row ? -1 : 1;
    return a.position < b.position ? -1 : a.position > b.position;
}

static Place place_of(const Session *session, const SessionTargets *targets, size_t index) {
    if (!targets->is_chosen) return (Place){0, targets->targets[index].position};
    const AttributionTarget *target = &session_attribution(session)->targets[index];
    return (Place){target->row, target->position};
}

/* The nearest of `count` places behind (1) or before (-1) `from`; where there is none, the first or last. */
static Place find_next(const Session *session, const SessionTargets *targets, size_t count, Place from,
                       int direction) {
    Place next = from, end = place_of(session, targets, 0);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        Place place = place_of(session, targets, i);
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
    Place place = {targets.is_chosen ? (size_t)session_current_example(session) : 0, *position};
    int direction = steps < 0 ? -1 : 1;
    for (int left = abs(steps); left > 0; left--)
        place = find_next(session, &targets, count, place, direction);
    Status status = STATUS_OK;
    if (targets.is_chosen && place.row != (size_t)session_current_example(session))
        status = session_use_example(session, place.row, error);
    if (status == STATUS_OK && targets.is_chosen && place.position >= count_common(session, place.row))
        status = session_show_response(session, error);
    if (status == STATUS_OK) *position = place.position;
    return status;
}
