#include "tui/session/session_ladder.h"

#include "core/evaluation/calibration.h"
#include "core/support/memory.h"
#include "tui/session/session_cache.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_files.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_prompt.h"
#include "tui/text/text.h"

#include <stdlib.h>
#include <string.h>

/* The UI thread's; the rows are looked at by the ladder's job, which is stopped before they go. */
struct SessionLadderPart {
    LiveLadder *live; /* borrowed; NULL: one SFT model */
    size_t rung;
    bool is_shown;
    EvaluationRow *rows; /* of the calibration; NULL: none, or the model cannot be run */
};

static const unsigned DRIFTS = 1U << LADDER_FROM_BASE | 1U << LADDER_STEP | 1U << LADDER_TO_LAST;
static const unsigned ALL = (1U << LADDER_PART_COUNT) - 1U;

/* ---- what is open ---- */

const Ladder *session_ladder(const Session *session) {
    return session->ladder->live != NULL ? live_ladder_names(session->ladder->live) : NULL;
}

size_t session_ladder_rung(const Session *session) {
    return session->ladder->live != NULL ? session->ladder->rung : 0;
}

const char *session_ladder_name(const Session *session, size_t number) {
    return text_last_component(ladder_directory(session_ladder(session), number));
}

const LadderFigures *session_ladder_figures(const Session *session) {
    return live_ladder_figures(session->ladder->live);
}

/* ---- measuring ---- */

void session_ladder_show(Session *session) {
    struct SessionLadderPart *part = session->ladder;
    if (part->live == NULL) return;
    part->is_shown = true;
    live_ladder_want(part->live, session_headline_is_due(session) ? ALL : DRIFTS);
}

void session_ladder_measure(Session *session) {
    if (session->ladder->live != NULL) live_ladder_want(session->ladder->live, ALL);
}

bool session_ladder_is_shown(const Session *session) {
    return session->ladder->is_shown;
}

void session_ladder_measure_shown(Session *session) {
    if (session_ladder_is_shown(session)) session_ladder_measure(session);
}

const char *session_ladder_message(const Session *session, LadderPart part) {
    const struct SessionLadderPart *own = session->ladder;
    const char *message = live_ladder_error(own->live);
    if (message != NULL) return message;
    if (part >= LADDER_DRIFTS && session->model == NULL) return session->model_error.message;
    if (part == LADDER_PROMPT && session_prompt_tokens(session, NULL) == 0) return "there is no prompt";
    if ((part == LADDER_ROWS || part == LADDER_DORMANCY) && session_calibration(session, &message) == NULL)
        return message;
    return session_ladder_waits(session, part) ? "not measured yet: it takes a while" : NULL;
}

bool session_ladder_waits(const Session *session, LadderPart part) {
    return (live_ladder_wanted(session->ladder->live) >> part & 1U) == 0;
}

const char *session_ladder_warning(const Session *session) {
    return live_ladder_warning(session->ladder->live);
}

/* ---- for session.c ---- */

Status session_ladder_open(Session *session, const SessionOptions *options, Error *error) {
    session->ladder = memory_allocate(1, sizeof *session->ladder);
    if (session->ladder == NULL) return memory_fail(error, "the session");
    session->ladder->live = options->ladder;
    session->ladder->rung = options->rung;
    return STATUS_OK;
}

void session_ladder_begin(Session *session) {
    struct SessionLadderPart *part = session->ladder;
    const Calibration *rows = session_calibration(session, NULL);
    if (part->live == NULL) return;
    if (session->model != NULL && rows != NULL) part->rows = calibration_list_positions(rows, true);
    live_ladder_set_rows(part->live, part->rows, part->rows != NULL ? rows->count : 0);
    if (part->is_shown) session_ladder_show(session); /* whether they take long is known now */
}

bool session_ladder_refresh(Session *session, bool may_start) {
    struct SessionLadderPart *part = session->ladder;
    const int32_t *ids;
    CacheOrigin origin;
    bool may_write;
    if (part->live == NULL) return false;
    size_t count = session->model != NULL ? session_prompt_tokens(session, &ids) : 0;
    live_ladder_set_prompt(part->live, count > 0 ? ids : NULL, count);
    const Cache *cache = session_cache_place(session, &origin, &may_write);
    return live_ladder_refresh(part->live, may_start, session->threads, cache, may_write);
}

void session_ladder_forget(Session *session) {
    if (session->ladder->live != NULL) live_ladder_drop_rows(session->ladder->live);
    free(session->ladder->rows);
    session->ladder->rows = NULL;
}

void session_ladder_list(Session *session, Task **tasks) {
    if (session->ladder->live != NULL) tasks[SESSION_TASK_LADDER] = live_ladder_task(session->ladder->live);
}

bool session_ladder_cancel(Session *session, SessionTask task) {
    (void)task;
    return live_ladder_cancel(session->ladder->live);
}

void session_ladder_free(Session *session) {
    if (session->ladder == NULL) return;
    session_ladder_forget(session);
    free(session->ladder);
}
