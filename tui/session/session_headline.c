#include "tui/session/session_headline.h"

#include "core/support/memory.h"
#include "tui/session/live_evaluation.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_internal.h"

#include <stdlib.h>
#include <string.h>

/* The UI thread's; `live` has a job of its own, and its Evaluation serves those of sweeps, planes and bookmarks: they
 * forget before it goes. */
struct SessionHeadlinePart {
    LiveEvaluation *live; /* NULL before calibration rows are there */
    Error error;          /* why it could not be made */
    bool waits;           /* it would take long: not until asked */
    bool has_recalled;
    /* base and SFT as an earlier session measured them, until they are measured */
    DistributionAverages recalled[2];
};

/* Up to so many multiply-adds, headlines are measured without being asked: some seconds on one core. */
static const double EAGER_WORK = 1e12;

/* ---- headlines ---- */

void session_headline_begin(Session *session) {
    const Calibration *calibration = session_calibration(session, NULL);
    if (session->model == NULL || calibration == NULL) return;
    EvaluationRow *rows = calibration_list_positions(calibration, true);
    Status status =
        rows == NULL
            ? memory_fail(&session->headline->error, "calibration rows")
            : live_evaluation_create(session->model, rows, calibration->count, 0, "calibration rows",
                                     session->threads, &session->headline->live, &session->headline->error);
    free(rows);
    if (status != STATUS_OK) return;
    double work = 3.0 * (double)session->pair->sft->parameters * (double)calibration->tokens;
    session->headline->waits = work > EAGER_WORK;
}

static const DistributionAverages *averages_of(const EvaluationResult *result) {
    return result == NULL ? NULL : &result->averages;
}

/* What was kept of an earlier session, until it is measured. */
static const DistributionAverages *recalled(const Session *session, Side side) {
    return session->headline->has_recalled ? &session->headline->recalled[side] : NULL;
}

const DistributionAverages *session_headline_base(const Session *session) {
    if (session->headline->live == NULL) return NULL;
    const DistributionAverages *measured = averages_of(live_evaluation_base(session->headline->live));
    return measured != NULL ? measured : recalled(session, SIDE_BASE);
}

const DistributionAverages *session_headline_sft(const Session *session) {
    if (session->headline->live == NULL) return NULL;
    const DistributionAverages *measured = averages_of(live_evaluation_sft(session->headline->live));
    return measured != NULL ? measured : recalled(session, SIDE_SFT);
}

const DistributionAverages *session_headline_fused(const Session *session) {
    return session->headline->live == NULL ? NULL
                                           : averages_of(live_evaluation_fused(session->headline->live));
}

const Settings *session_headline_settings(const Session *session) {
    const EvaluationResult *fused =
        session->headline->live == NULL ? NULL : live_evaluation_fused(session->headline->live);
    return fused == NULL ? NULL : &fused->settings;
}

bool session_headline_is_stale(const Session *session) {
    return session->headline->live == NULL ||
           live_evaluation_is_stale(session->headline->live, &session->settings);
}

const char *session_headline_message(const Session *session) {
    const char *message;
    if (session->model == NULL) return session->model_error.message;
    if (session_calibration(session, &message) == NULL) return message;
    if (session->headline->live == NULL) return session->headline->error.message;
    if (live_evaluation_error(session->headline->live) != NULL)
        return live_evaluation_error(session->headline->live);
    if (session->headline->waits)
        return session->headline->has_recalled ? "W is not measured yet: it takes a while for this model"
                                               : "not measured yet: it takes a while for this model";
    if (live_evaluation_is_halted(session->headline->live) && session_headline_base(session) == NULL)
        return "not measured: cancelled";
    return NULL;
}

bool session_headline_is_cancelled(const Session *session) {
    return session->headline->live != NULL && session_headline_is_stale(session) &&
           live_evaluation_is_halted(session->headline->live) &&
           live_evaluation_error(session->headline->live) == NULL;
}

void session_measure_headlines(Session *session) {
    session->headline->waits = false;
    if (session->headline->live != NULL) live_evaluation_resume(session->headline->live);
}

const LogitEstimate *session_headline_estimate(const Session *session) {
    return session->headline->live == NULL ? NULL : live_evaluation_estimate(session->headline->live);
}

/* ---- for the parts that measure on the same rows ---- */

bool session_headline_has_curves(const Session *session) {
    return session->headline->live != NULL &&
           live_evaluation_has_curves(session->headline->live, &session->settings);
}

void session_headline_take_curves(Session *session, LogitCurves *curves) {
    live_evaluation_take_curves(session->headline->live, curves);
}

const EvaluationResult *session_headline_result(const Session *session, Side side) {
    const LiveEvaluation *live = session->headline->live;
    if (live == NULL || side == SIDE_FUSED) return live == NULL ? NULL : live_evaluation_fused(live);
    return side == SIDE_BASE ? live_evaluation_base(live) : live_evaluation_sft(live);
}

const Evaluation *session_headline_evaluation(const Session *session) {
    return session->headline->live == NULL ? NULL : live_evaluation_evaluation(session->headline->live);
}

double session_headline_seconds(const Session *session) {
    return session->headline->live == NULL ? 0.0 : live_evaluation_seconds(session->headline->live);
}

bool session_headline_is_due(const Session *session) {
    return session->headline->live != NULL && !session->headline->waits;
}

void session_headline_recall(Session *session, const DistributionAverages averages[2]) {
    memcpy(session->headline->recalled, averages, sizeof session->headline->recalled);
    session->headline->has_recalled = true;
}

/* ---- for session.c ---- */

Status session_headline_open(Session *session, const struct SessionOptions *options, Error *error) {
    (void)options;
    session->headline = memory_allocate(1, sizeof *session->headline);
    if (session->headline == NULL) return memory_fail(error, "the session");
    return STATUS_OK;
}

bool session_headline_refresh(Session *session) {
    return session_headline_is_due(session) &&
           live_evaluation_refresh(session->headline->live, &session->settings);
}

void session_headline_forget(Session *session) {
    live_evaluation_free(session->headline->live);
    *session->headline = (struct SessionHeadlinePart){0};
}

void session_headline_list(Session *session, Task **tasks) {
    if (session->headline->live != NULL)
        tasks[SESSION_TASK_HEADLINE] = live_evaluation_work(session->headline->live);
}

bool session_headline_cancel(Session *session) {
    return live_evaluation_cancel(session->headline->live);
}

void session_headline_free(Session *session) {
    if (session->headline == NULL) return;
    session_headline_forget(session);
    free(session->headline);
}
