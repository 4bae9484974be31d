/*
 * session_bookmark — going back to where the dials stood: step by step (undo and redo of every dial), or to
 * a bookmark, which keeps a state under a name together with its headline figures.
 *
 *     keep ──► figures taken over, where W is measured at these dials just now
 *          └─► otherwise measured in the background, after W at the dials
 */
#ifndef REJUV_TUI_SESSION_BOOKMARK_H
#define REJUV_TUI_SESSION_BOOKMARK_H

#include "core/evaluation/distribution.h"
#include "core/method/dials.h"
#include "tui/session/session_message.h"
#include "tui/session/session_task.h"

/* A curve that the session did not make, here and for bookmarks, is copied: it need not outlive the call.
 *
 * Where all dials stand, with a curve of the session's; and turns all of them there. A curve that is not one of this
 * model's layers is left out. When memory is short nothing turns: says so. */
Dials session_dial_state(const Session *session);
void session_set_dial_state(Session *session, const Dials *state);

/* Goes back (or, negative, forth) over so many turns of a dial; says so. */
void session_undo(Session *session, int steps);

/* ---- bookmarks ---- */

enum { SESSION_BOOKMARKS = 26, SESSION_BOOKMARK_NAME = 24 };

typedef struct SessionBookmark {
    char name[SESSION_BOOKMARK_NAME];
    Dials dials;
    bool has_averages;
    DistributionAverages averages;          /* of W, over the calibration rows */
    char calibration_sha256[HASH_HEX_SIZE]; /* of those rows */
} SessionBookmark;

size_t session_bookmark_count(const Session *session);
const SessionBookmark *session_bookmark(const Session *session, size_t index);

/* Its headline figures on the calibration rows that are open now; NULL while they are not known. */
const DistributionAverages *session_bookmark_averages(const Session *session, size_t index);

/* Whether the dials stand there now. */
bool session_is_at_bookmark(const Session *session, size_t index);

/* Keeps the dials as they are; "" takes the first free letter. One that has this name already is replaced.
 * False when there are too many, or memory is short: says so. */
bool session_keep_bookmark(Session *session, const char *name);
bool session_add_bookmark(Session *session, const char *name, const Dials *dials); /* the same with others */
void session_remove_bookmark(Session *session, size_t index);

/* "name", or its index + 1 as a number; false when there is none. */
bool session_find_bookmark(const Session *session, const char *name, size_t *index);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_bookmark_open(Session *session, const struct SessionOptions *options,
                             Error *error) STATUS_MUST_CHECK;
bool session_bookmark_refresh(Session *session);
void session_bookmark_forget(Session *session);
void session_bookmark_list(Session *session, Task **tasks);
void session_bookmark_free(Session *session);

#endif
