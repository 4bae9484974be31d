/*
 * session_neurons_measure — what session_neurons.h offers, measured in the background: one thing at a time, what the reset dial
 * needs first. For the other parts of a session: the cache gives what was kept in place of measuring.
 */
#ifndef REJUV_TUI_SESSION_NEURONS_MEASURE_H
#define REJUV_TUI_SESSION_NEURONS_MEASURE_H

#include "tui/session/session_message.h"
#include "tui/session/session_neurons_errands.h"
#include "tui/session/session_task.h"

/* What an order by this selector comes from, at the dials and on the rows as they are. */
RankingOrigin session_ranking_origin(const Session *session, Selector selector);

SessionDormancyErrand session_make_dormancy_errand(const Session *session, Side side); /* without rows */

/* Take results out of an errand into the session. */
Status session_accept_attribution(Session *session, SessionAttributionErrand *errand,
                                  Error *error) STATUS_MUST_CHECK;
Status session_accept_dormancy(Session *session, SessionDormancyErrand *errand,
                               Error *error) STATUS_MUST_CHECK;
Status session_accept_drift(Session *session, SessionDriftErrand *errand, Error *error) STATUS_MUST_CHECK;

/* ---- for session.c ---- */

/* Starts something only where it may: not while the cache may still have it. */
bool session_neurons_measure_refresh(Session *session, bool may_start);

/* What was cancelled or failed is tried again. */
void session_neurons_measure_resume(Session *session);

/* Before the rows change. Rankings stay, for settings may borrow them, but no longer choose. */
void session_neurons_measure_forget(Session *session);
void session_neurons_measure_list(Session *session, Task **tasks);
void session_neurons_measure_free(Session *session);

#endif
