/*
 * session_ladder — the rungs beside the one that a session has open: `rejuv BASE A B C`. What is measured of them is the
 * LiveLadder's, which the sessions of its rungs share one after another; the session of the moment lends it rows, the
 * prompt and the cache, and lets it measure while nothing else that is on screen is.
 */
#ifndef REJUV_TUI_SESSION_LADDER_H
#define REJUV_TUI_SESSION_LADDER_H

#include "core/ladder/ladder_figures.h"
#include "tui/session/live_ladder.h"
#include "tui/session/session_message.h"
#include "tui/session/session_task.h"

/* Base and rungs; NULL where one SFT model alone is open. */
const Ladder *session_ladder(const Session *session);

/* Which rung is tuned: 1 to the ladder's count; 0 without a ladder. */
size_t session_ladder_rung(const Session *session);

/* The last name of a rung's directory; 0 is base. */
const char *session_ladder_name(const Session *session, size_t number);

/* What is measured so far; only where there is a ladder. */
const LadderFigures *session_ladder_figures(const Session *session);

/* From now on all of it is measured, bit by bit; what takes long for a large model only once it was asked for. */
void session_ladder_show(Session *session);
void session_ladder_measure(Session *session);

/* Why figures of a part that are not there do not come by themselves; NULL: they do. And whether all that they wait for is
 * to be asked for. */
const char *session_ladder_message(const Session *session, LadderPart part);
bool session_ladder_waits(const Session *session, LadderPart part);

/* What is to be known about figures that are there: live_ladder_warning(). */
const char *session_ladder_warning(const Session *session);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_ladder_open(Session *session, const struct SessionOptions *options,
                           Error *error) STATUS_MUST_CHECK;
void session_ladder_begin(Session *session);
bool session_ladder_refresh(Session *session, bool may_start);
void session_ladder_forget(Session *session);
void session_ladder_list(Session *session, Task **tasks);
bool session_ladder_cancel(Session *session, SessionTask task);
void session_ladder_free(Session *session);

/* Whether it was shown; and then what waits to be asked for, for a picture. */
bool session_ladder_is_shown(const Session *session);
void session_ladder_measure_shown(Session *session);

#endif
