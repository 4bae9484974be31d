/*
 * session_headline — what the dials do to the headline figures.
 *
 * Headlines are measured on the calibration rows. Where that would take long (a large model), it waits until
 * asked: session_measure_headlines().
 */
#ifndef REJUV_TUI_SESSION_HEADLINE_H
#define REJUV_TUI_SESSION_HEADLINE_H

#include "core/evaluation/distribution.h"
#include "core/evaluation/evaluation.h"
#include "core/evaluation/logit_curves.h"
#include "core/fusion/settings.h"
#include "tui/session/session_message.h"
#include "tui/session/session_task.h"

/* Averages over the response positions of the calibration rows; NULL while there are none. */
const DistributionAverages *session_headline_base(const Session *session);
const DistributionAverages *session_headline_sft(const Session *session);
const DistributionAverages *session_headline_fused(const Session *session);
const Settings *session_headline_settings(const Session *session); /* the dials of session_headline_fused() */
bool session_headline_is_stale(const Session *session);

/* What session_headline_fused() will be at the dials, from curves over α, while it is stale: NULL where it is not, or where no
 * sweep covers the dials. */
const LogitEstimate *session_headline_estimate(const Session *session);

/* Why there are no headlines: "loading", "no calibration rows: …", "not measured: …", an error; NULL while
 * measuring or when they are there. */
const char *session_headline_message(const Session *session);

/* Measuring was cancelled and waits for session_measure_headlines(): W is missing or stale, and stays so. */
bool session_headline_is_cancelled(const Session *session);

/* Starts measuring where that waits to be asked, or goes on after a cancellation. */
void session_measure_headlines(Session *session);

/* ---- for the other parts of a session ---- */

/* Averages of base and SFT that are shown until they are measured: on the rows that are there. */
void session_headline_recall(Session *session, const DistributionAverages averages[2]);

/* What was measured, never recalled: NULL while it is not there. Valid until the next refresh. */
const EvaluationResult *session_headline_result(const Session *session, Side side);

/* For other settings on the same rows: NULL until base and SFT are measured. Whoever's job uses it stops when told to
 * forget. */
const Evaluation *session_headline_evaluation(const Session *session);

/* There are some of the dials as they stand, wherever α does: a sweep over α was done. */
bool session_headline_has_curves(const Session *session);

/* Curves that were measured with that evaluation, which it takes. */
void session_headline_take_curves(Session *session, LogitCurves *curves);

double session_headline_seconds(const Session *session); /* that W took last; 0 before */

/* There are rows, and it need not be asked for. */
bool session_headline_is_due(const Session *session);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_headline_open(Session *session, const struct SessionOptions *options,
                             Error *error) STATUS_MUST_CHECK;
void session_headline_begin(Session *session);
bool session_headline_refresh(Session *session);
void session_headline_forget(Session *session);
void session_headline_list(Session *session, Task **tasks);
bool session_headline_cancel(Session *session);
void session_headline_free(Session *session);

#endif
