#include "tui/session/session_bookmark.h"

#include "core/support/memory.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_sweep.h"
#include "tui/session/undo_history.h"
#include "tui/text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The job thread's while `measuring` runs. */
typedef struct BookmarkErrand {
    const Evaluation *evaluation;
    Settings settings;
    Dials dials; /* of the bookmark it is for */
    EvaluationResult result;
} BookmarkErrand;

/* All but the errand is the UI thread's. */
struct SessionBookmarksPart {
    UndoHistory history;
    SessionBookmark list[SESSION_BOOKMARKS];
    size_t count;
    bool are_halted; /* cancelled or failed: until the next one is kept */
    Task measuring;
    BookmarkErrand errand;
};

/* ---- the dials as one value ---- */

Dials session_dial_state(const Session *session) {
    Dials state = {.settings = session->settings,
                   .selector = session_neurons_selector(session),
                   .targets = session_neurons_targets(session)};
    state.settings.ranking = NULL;
    return state;
}

void session_set_dial_state(Session *session, const Dials *state) {
    const SettingsCurve *curve = state->settings.curve;
    Error error;
    if (curve != NULL && curve->count != session_layers(session)) curve = NULL;
    if (session_keep_curve(session, curve, &curve, &error) != STATUS_OK) {
        session_say(session, SESSION_WARNING, "the dials stay where they are: %s", error.message);
        return;
    }
    session->settings = state->settings;
    session->settings.curve = curve;
    session_set_targets(session, (double)state->targets);
    session_set_selector(session, state->selector);
}

void session_undo(Session *session, int steps) {
    const char *direction = steps > 0 ? "undo" : "redo";
    size_t left;
    char text[160];
    Dials now = session_dial_state(session);
    undo_history_note(&session->bookmarks->history, &now);
    const Dials *state = undo_history_go(&session->bookmarks->history, steps, &left);
    if (state == NULL) {
        session_say(session, SESSION_NOTE, "nothing to %s: no dial was turned %s this", direction,
                    steps > 0 ? "before" : "back from");
        return;
    }
    session_set_dial_state(session, state);
    dials_describe(state, text, sizeof text);
    session_say(session, SESSION_NOTE, "%s: %s (%zu more)", direction, text, left);
}

/* ---- bookmarks ---- */

size_t session_bookmark_count(const Session *session) {
    return session->bookmarks->count;
}

const SessionBookmark *session_bookmark(const Session *session, size_t index) {
    return &session->bookmarks->list[index];
}

static bool has_averages(const Session *session, const SessionBookmark *bookmark) {
    return bookmark->has_averages &&
           strcmp(bookmark->calibration_sha256, session_calibration_sha256(session)) == 0;
}

const DistributionAverages *session_bookmark_averages(const Session *session, size_t index) {
    const SessionBookmark *bookmark = &session->bookmarks->list[index];
    return has_averages(session, bookmark) ? &bookmark->averages : NULL;
}

bool session_is_at_bookmark(const Session *session, size_t index) {
    Dials now = session_dial_state(session);
    return dials_equal(&now, &session->bookmarks->list[index].dials);
}

/* As much of it as a bookmark keeps, at a whole character. */
static void cut_name(const char *name, char cut[SESSION_BOOKMARK_NAME]) {
    cut[0] = '\0';
    text_append(cut, SESSION_BOOKMARK_NAME, name);
}

bool session_find_bookmark(const Session *session, const char *name, size_t *index) {
    char *end, kept[SESSION_BOOKMARK_NAME];
    cut_name(name, kept);
    unsigned long number = strtoul(name, &end, 10);
    for (size_t i = 0; i < session->bookmarks->count; i++) {
        *index = i;
        if (strcmp(session->bookmarks->list[i].name, kept) == 0) return true;
    }
    if (end == name || *end != '\0' || number < 1 || number > session->bookmarks->count) return false;
    *index = (size_t)number - 1;
    return true;
}

/* The first of A, B, … that is no bookmark's name. */
static void choose_name(const Session *session, char name[SESSION_BOOKMARK_NAME]) {
    size_t index;
    (void)snprintf(name, SESSION_BOOKMARK_NAME, "A");
    while (name[0] < 'Z' && session_find_bookmark(session, name, &index)) name[0]++;
}

bool session_add_bookmark(Session *session, const char *name, const Dials *dials) {
    char chosen[SESSION_BOOKMARK_NAME];
    size_t index;
    if (name[0] == '\0')
        choose_name(session, chosen);
    else
        cut_name(name, chosen);
    bool is_known = false;
    for (index = 0; index < session->bookmarks->count && !is_known; index += !is_known)
        is_known = strcmp(session->bookmarks->list[index].name, chosen) == 0;
    if (!is_known && session->bookmarks->count == SESSION_BOOKMARKS) {
        session_say(session, SESSION_WARNING, "there are %d bookmarks already: remove one first",
                    (int)SESSION_BOOKMARKS);
        return false;
    }
    const SettingsCurve *curve;
    Error error;
    if (session_keep_curve(session, dials->settings.curve, &curve, &error) != STATUS_OK) {
        session_say(session, SESSION_WARNING, "bookmark %s: %s", chosen, error.message);
        return false;
    }
    if (!is_known) index = session->bookmarks->count++;
    session->bookmarks->list[index] = (SessionBookmark){.dials = *dials};
    session->bookmarks->list[index].dials.settings.curve = curve;
    memcpy(session->bookmarks->list[index].name, chosen, sizeof chosen);
    session->bookmarks->are_halted = false;
    return true;
}

bool session_keep_bookmark(Session *session, const char *name) {
    Dials dials = session_dial_state(session);
    return session_add_bookmark(session, name, &dials);
}

void session_remove_bookmark(Session *session, size_t index) {
    size_t behind = session->bookmarks->count - index - 1;
    memmove(&session->bookmarks->list[index], &session->bookmarks->list[index + 1],
            behind * sizeof *session->bookmarks->list);
    session->bookmarks->count--;
}

/* ---- their figures ---- */

static void set_averages(Session *session, SessionBookmark *bookmark, const DistributionAverages *averages) {
    bookmark->averages = *averages;
    bookmark->has_averages = true;
    memcpy(bookmark->calibration_sha256, session_calibration_sha256(session),
           sizeof bookmark->calibration_sha256);
}

/* The settings of a bookmark with the ranking they need; false while that is not there. */
static bool find_settings(const Session *session, const SessionBookmark *bookmark, Settings *settings) {
    *settings = bookmark->dials.settings;
    settings->ranking = session->settings.ranking; /* without ρ any will do */
    if (settings->rho <= 0.0) return true;
    const Ranking *ranking =
        session_neurons_find_ranking(session, bookmark->dials.selector, bookmark->dials.targets);
    if (ranking != NULL) settings->ranking = ranking;
    return ranking != NULL;
}

static Status measure(Job *job, void *argument, Error *error) {
    BookmarkErrand *errand = argument;
    return evaluation_measure(errand->evaluation, &errand->settings, 1, &errand->result, job, error);
}

static void collect(Session *session) {
    BookmarkErrand *errand = &session->bookmarks->errand;
    for (size_t i = 0; i < session->bookmarks->count && session->bookmarks->measuring.status == STATUS_OK;
         i++) {
        if (dials_equal(&session->bookmarks->list[i].dials, &errand->dials))
            set_averages(session, &session->bookmarks->list[i], &errand->result.averages);
    }
    session->bookmarks->are_halted = session->bookmarks->measuring.status != STATUS_OK;
    if (session->bookmarks->are_halted && session->bookmarks->measuring.status != STATUS_CANCELLED)
        session_say(session, SESSION_WARNING, "figures of a bookmark: %s",
                    session->bookmarks->measuring.error.message);
    evaluation_free_result(&errand->result);
    *errand = (BookmarkErrand){0};
}

static bool start(Session *session, const SessionBookmark *bookmark, const Settings *settings) {
    Error error;
    session->bookmarks->errand = (BookmarkErrand){
        .evaluation = session_headline_evaluation(session), .settings = *settings, .dials = bookmark->dials};
    Status status = task_start(&session->bookmarks->measuring, session->threads, measure,
                               &session->bookmarks->errand, &error);
    session->bookmarks->are_halted = status != STATUS_OK;
    return status == STATUS_OK;
}

/* Turning a dial makes W stale, which goes first; a bookmark waits until that is done. */
bool session_bookmark_refresh(Session *session) {
    bool changed = false;
    Dials now = session_dial_state(session);
    undo_history_note(&session->bookmarks->history, &now);
    if (task_poll(&session->bookmarks->measuring)) {
        collect(session);
        changed = true;
    }
    bool is_free = !session_headline_is_stale(session) && !session_sweep_is_sweeping(session) &&
                   !task_is_running(&session->bookmarks->measuring);
    if (!is_free) return changed;
    for (size_t i = 0; i < session->bookmarks->count; i++) {
        SessionBookmark *bookmark = &session->bookmarks->list[i];
        Settings settings;
        if (has_averages(session, bookmark) || !find_settings(session, bookmark, &settings)) continue;
        if (settings_equal(&settings, session_headline_settings(session))) {
            set_averages(session, bookmark, session_headline_fused(session));
            changed = true;
        } else if (session_headline_is_due(session) && !session->bookmarks->are_halted) {
            return start(session, bookmark, &settings) || changed;
        }
    }
    return changed;
}

void session_bookmark_forget(Session *session) {
    task_stop(&session->bookmarks->measuring);
    evaluation_free_result(&session->bookmarks->errand.result);
    session->bookmarks->errand = (BookmarkErrand){0};
    session->bookmarks->are_halted = false;
}

/* ---- for session.c ---- */

Status session_bookmark_open(Session *session, const struct SessionOptions *options, Error *error) {
    (void)options;
    session->bookmarks = memory_allocate(1, sizeof *session->bookmarks);
    if (session->bookmarks == NULL) return memory_fail(error, "the session");
    session->bookmarks->measuring.label = "bookmarks";
    return STATUS_OK;
}

void session_bookmark_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_BOOKMARKS] = &session->bookmarks->measuring;
}

void session_bookmark_free(Session *session) {
    if (session->bookmarks == NULL) return;
    session_bookmark_forget(session);
    undo_history_free(&session->bookmarks->history);
    free(session->bookmarks);
}
