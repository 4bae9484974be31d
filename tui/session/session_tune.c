#include "tui/session/session_tune.h"

#include "core/support/memory.h"
#include "tui/session/session_state.h"
#include "tui/text/range.h"

#include <math.h>
#include <stdlib.h>

/* Up to so many multiply-adds, headlines are measured without being asked: some seconds on one core. */
static const double EAGER_WORK = 1e12;

/* ---- headlines ---- */

static void want_sweep(Session *session, bool is_rho, double from, double to, size_t points) {
    session->is_rho_sweep = is_rho;
    if (points < 2) points = 2;
    if (points > SESSION_SWEEP_LARGEST) points = SESSION_SWEEP_LARGEST;
    const Range range = {from, to, points};
    for (size_t i = 0; i < points; i++) session->wanted_sweep[i] = range_point(&range, i);
    session->wanted_sweep_count = points;
}

void session_tune_begin(Session *session) {
    const Calibration *calibration = session->load.calibration;
    if (session->model == NULL || calibration == NULL) return;
    EvaluationRow *rows = calibration_list_positions(calibration, true);
    Status status = rows == NULL
                        ? memory_fail(&session->headline_error, "calibration rows")
                        : comparison_create(session->model, rows, calibration->count, 0, "calibration rows",
                                            session->threads, &session->headline, &session->headline_error);
    free(rows);
    if (status != STATUS_OK) return;
    double work = 3.0 * (double)session->pair->sft->parameters * (double)calibration->tokens;
    session->headline_waits = work > EAGER_WORK;
    if (!session->headline_waits) want_sweep(session, false, 0.0, 1.0, SESSION_SWEEP_POINTS);
}

static const DistributionAverages *averages_of(const EvaluationResult *result) {
    return result == NULL ? NULL : &result->averages;
}

/* What was kept of an earlier session, until it is measured. */
static const DistributionAverages *recalled(const Session *session, Side side) {
    return session->cache.has_averages ? &session->cache.averages[side] : NULL;
}

const DistributionAverages *session_headline_base(const Session *session) {
    if (session->headline == NULL) return NULL;
    const DistributionAverages *measured = averages_of(comparison_base(session->headline));
    return measured != NULL ? measured : recalled(session, SIDE_BASE);
}

const DistributionAverages *session_headline_sft(const Session *session) {
    if (session->headline == NULL) return NULL;
    const DistributionAverages *measured = averages_of(comparison_sft(session->headline));
    return measured != NULL ? measured : recalled(session, SIDE_SFT);
}

const DistributionAverages *session_headline_fused(const Session *session) {
    return session->headline == NULL ? NULL : averages_of(comparison_fused(session->headline));
}

const Settings *session_headline_settings(const Session *session) {
    const EvaluationResult *fused = session->headline == NULL ? NULL : comparison_fused(session->headline);
    return fused == NULL ? NULL : &fused->settings;
}

bool session_headline_is_stale(const Session *session) {
    return session->headline == NULL || comparison_is_stale(session->headline, &session->settings);
}

const char *session_headline_message(const Session *session) {
    const char *message;
    if (session->model == NULL) return session->model_error.message;
    if (session_calibration(session, &message) == NULL) return message;
    if (session->headline == NULL) return session->headline_error.message;
    if (comparison_error(session->headline) != NULL) return comparison_error(session->headline);
    if (session->headline_waits)
        return session->cache.has_averages ? "W is not measured yet: it takes a while for this model"
                                           : "not measured yet: it takes a while for this model";
    if (comparison_is_halted(session->headline) && session_headline_base(session) == NULL)
        return "not measured: cancelled";
    return NULL;
}

bool session_headline_is_cancelled(const Session *session) {
    return session->headline != NULL && session_headline_is_stale(session) &&
           comparison_is_halted(session->headline) && comparison_error(session->headline) == NULL;
}

void session_measure_headlines(Session *session) {
    session->headline_waits = false;
    if (session->headline != NULL) comparison_resume(session->headline);
}

/* ---- the sweep ---- */

static Status sweep(Job *job, void *argument, Error *error) {
    SessionSweepErrand *errand = argument;
    return evaluation_measure(errand->evaluation, errand->settings, errand->count, errand->results, job,
                              error);
}

static void free_sweep_errand(Session *session) {
    if (session->sweep_errand == NULL) return;
    for (size_t i = 0; i < session->sweep_errand->count; i++)
        evaluation_free_result(&session->sweep_errand->results[i]);
    free(session->sweep_errand);
    session->sweep_errand = NULL;
}

void session_tune_forget(Session *session) {
    session_plane_close(session);
    work_stop(&session->sweeping);
    free_sweep_errand(session);
    session->sweep_count = session->wanted_sweep_count = 0;
    session->sweep_error = (Error){0};
    comparison_free(session->headline);
    session->headline = NULL;
    session->headline_error = (Error){0};
    session->headline_waits = false;
}

void session_tune_close(Session *session) {
    session_tune_forget(session);
}

/* A sweep over α waits for the neurons that ρ resets as long as they are on their way: it would be of other dials
 * as soon as they are there. */
static bool needs_ranking(const Session *session) {
    if (session->settings.ranking != NULL) return false;
    return session->is_rho_sweep || (session->settings.rho > 0.0 && session_ranking_message(session) == NULL);
}

/* Why the sweep that is wanted will not come, however long one waits. */
static const char *find_obstacle(const Session *session) {
    const char *message = session_headline_message(session);
    return message == NULL && needs_ranking(session) ? session_ranking_message(session) : message;
}

void session_start_sweep(Session *session, bool is_rho, double from, double to, size_t points) {
    want_sweep(session, is_rho, from, to, points);
    (void)work_cancel(&session->sweeping); /* a running one makes way */
    session_measure_headlines(session);    /* base and SFT have to be there first */
    const char *message = find_obstacle(session);
    if (message != NULL) {
        session->wanted_sweep_count = 0;
        session_say(session, SESSION_WARNING, "no sweep: %s", message);
    }
}

/* A sweep that would wait for ever goes, and says so: it would come when nobody looks for it any more. */
static void drop_hopeless_sweep(Session *session) {
    if (session->wanted_sweep_count == 0 || !needs_ranking(session)) return;
    const char *message = session_headline_message(session) == NULL ? session_ranking_message(session) : NULL;
    if (message == NULL) return;
    session->wanted_sweep_count = 0;
    session_say(session, SESSION_WARNING, "no sweep: %s", message);
}

static void collect_sweep(Session *session) {
    SessionSweepErrand *errand = session->sweep_errand;
    session->sweep_error = (Error){0};
    if (session->sweeping.status == STATUS_OK) {
        session->sweep_count = errand->count;
        session->sweep_is_rho = errand->is_rho;
        session->sweep_settings = errand->settings[0];
        for (size_t i = 0; i < errand->count; i++) {
            session->sweep_values[i] = errand->is_rho ? errand->settings[i].rho : errand->settings[i].alpha;
            session->sweep_averages[i] = errand->results[i].averages;
        }
    } else if (session->sweeping.status != STATUS_CANCELLED) {
        session->sweep_error = session->sweeping.error;
    }
    free_sweep_errand(session);
}

static void start_sweep(Session *session, const Evaluation *evaluation) {
    SessionSweepErrand *errand = memory_allocate(1, sizeof *errand);
    Error error = {0};
    Status status = STATUS_OK;
    if (errand == NULL) {
        status = memory_fail(&error, "a sweep");
    } else {
        errand->evaluation = evaluation;
        errand->count = session->wanted_sweep_count;
        for (size_t i = 0; i < errand->count; i++) {
            errand->settings[i] = session->settings;
            *(session->is_rho_sweep ? &errand->settings[i].rho : &errand->settings[i].alpha) =
                session->wanted_sweep[i];
        }
        errand->is_rho = session->is_rho_sweep;
        session->sweep_errand = errand;
        status = work_start(&session->sweeping, session->threads, sweep, errand, &error);
    }
    session->wanted_sweep_count = 0;
    if (status == STATUS_OK) return;
    free_sweep_errand(session);
    session->sweep_error = error;
}

bool session_tune_refresh(Session *session) {
    bool changed = false;
    if (session->headline != NULL && !session->headline_waits)
        changed |= comparison_refresh(session->headline, &session->settings);
    if (work_poll(&session->sweeping)) {
        collect_sweep(session);
        changed = true;
    }
    const Evaluation *evaluation =
        session->headline == NULL ? NULL : comparison_evaluation(session->headline);
    /* W at the dials first: that is what is looked at */
    bool is_free =
        evaluation != NULL && !work_is_running(&session->sweeping) && !session_headline_is_stale(session);
    drop_hopeless_sweep(session);
    if (session->wanted_sweep_count > 0 && is_free && !needs_ranking(session)) {
        start_sweep(session, evaluation);
        changed = true;
    }
    return changed;
}

static bool is_sweep_stale(const Session *session) {
    const Settings *now = &session->settings;
    Settings then = session->sweep_settings;
    *(session->sweep_is_rho ? &then.rho : &then.alpha) = session->sweep_is_rho ? now->rho : now->alpha;
    if (!session->sweep_is_rho && then.rho == 0.0 && now->rho == 0.0)
        then.ranking = now->ranking; /* which does nothing yet */
    return session->sweep_count > 0 && !settings_equal(&then, now);
}

SessionSweep session_sweep(const Session *session) {
    bool is_waiting = session->wanted_sweep_count > 0 && find_obstacle(session) == NULL;
    return (SessionSweep){.count = session->sweep_count,
                          .is_rho = session->sweep_is_rho,
                          .settings = &session->sweep_settings,
                          .values = session->sweep_values,
                          .averages = session->sweep_averages,
                          .is_running = work_is_running(&session->sweeping) || is_waiting,
                          .waits_for_ranking = is_waiting && needs_ranking(session),
                          .is_stale = is_sweep_stale(session),
                          .error =
                              session->sweep_error.status != STATUS_OK ? session->sweep_error.message : NULL};
}
