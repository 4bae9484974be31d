#include "tui/session/session_sweep.h"

#include "core/support/memory.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_neurons.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The job thread's while `sweeping` runs. */
typedef struct SweepErrand {
    const Evaluation *evaluation;
    Settings settings[SESSION_SWEEP_LARGEST];
    EvaluationResult results[SESSION_SWEEP_LARGEST];
    size_t count;
    bool is_rho, follows_dial;
    LogitCurves *curves; /* where it does */
} SweepErrand;

/* While `planing` runs, `averages` are the job thread's from row `ready` on, and the UI thread's before that. */
typedef struct PlaneErrand {
    const Evaluation *evaluation;
    SessionPlaneRange range;
    Settings settings;
    DistributionAverages *averages; /* [rho.points × alpha.points] */
    _Atomic size_t ready;           /* rows */
} PlaneErrand;

/* All but the errands is the UI thread's. */
struct SessionSweepPart {
    Task sweeping;
    SweepErrand *sweep_errand;
    double values[SESSION_SWEEP_LARGEST];
    Settings settings;
    bool is_rho, is_rho_wanted; /* of the sweep that is there; of the one that is wanted */
    bool follows_dial, follows_dial_wanted;
    DistributionAverages averages[SESSION_SWEEP_LARGEST];
    size_t count;
    double wanted_values[SESSION_SWEEP_LARGEST];
    size_t wanted_count; /* 0: none is due */
    Error error;

    Task planing;
    PlaneErrand plane; /* also once it is over: what views look at */
    SessionPlaneRange wanted_plane;
    bool is_plane_wanted;
    Error plane_error;
};

const SessionPlaneRange SESSION_PLANE_DEFAULT = {.alpha = {.to = 1.0, .points = 11},
                                                 .rho = {.to = 0.04, .points = 9}};

/* ---- the sweep ---- */

static void want_sweep(Session *session, bool is_rho, double from, double to, size_t points) {
    session->sweep->is_rho_wanted = is_rho;
    session->sweep->follows_dial_wanted = false;
    if (points < 2) points = 2;
    if (points > SESSION_SWEEP_LARGEST) points = SESSION_SWEEP_LARGEST;
    const Range range = {.from = from, .to = to, .points = points};
    for (size_t i = 0; i < points; i++) session->sweep->wanted_values[i] = range_point(&range, i);
    session->sweep->wanted_count = points;
}

static void want_dial_sweep(Session *session) {
    Settings points[SESSION_SWEEP_POINTS];
    logit_curves_list_points(&session->settings, SESSION_SWEEP_POINTS, points);
    for (size_t i = 0; i < SESSION_SWEEP_POINTS; i++) session->sweep->wanted_values[i] = points[i].alpha;
    session->sweep->wanted_count = SESSION_SWEEP_POINTS;
    session->sweep->is_rho_wanted = false;
    session->sweep->follows_dial_wanted = true;
}

static Status sweep(Job *job, void *argument, Error *error) {
    SweepErrand *errand = argument;
    if (errand->follows_dial)
        return logit_curves_measure(errand->evaluation, errand->settings, errand->count, errand->results,
                                    &errand->curves, job, error);
    return evaluation_measure(errand->evaluation, errand->settings, errand->count, errand->results, job,
                              error);
}

static void free_sweep_errand(Session *session) {
    if (session->sweep->sweep_errand == NULL) return;
    for (size_t i = 0; i < session->sweep->sweep_errand->count; i++)
        evaluation_free_result(&session->sweep->sweep_errand->results[i]);
    logit_curves_free(session->sweep->sweep_errand->curves);
    free(session->sweep->sweep_errand);
    session->sweep->sweep_errand = NULL;
}

/* A sweep over α waits for the neurons that ρ resets as long as they are on their way: it would be of other dials
 * as soon as they are there. */
static bool sweep_needs_ranking(const Session *session) {
    if (session->settings.ranking != NULL) return false;
    return session->sweep->is_rho_wanted ||
           (session->settings.rho > 0.0 && session_ranking_message(session) == NULL);
}

/* Why the sweep that is wanted will not come, however long one waits. */
static const char *find_sweep_obstacle(const Session *session) {
    const char *message = session_headline_message(session);
    return message == NULL && sweep_needs_ranking(session) ? session_ranking_message(session) : message;
}

static void start_wanted(Session *session) {
    (void)task_cancel(&session->sweep->sweeping); /* a running one makes way */
    session_measure_headlines(session);           /* base and SFT have to be there first */
    const char *message = find_sweep_obstacle(session);
    if (message != NULL) {
        session->sweep->wanted_count = 0;
        session_say(session, SESSION_WARNING, "no sweep: %s", message);
    }
}

void session_start_sweep(Session *session, bool is_rho, double from, double to, size_t points) {
    want_sweep(session, is_rho, from, to, points);
    start_wanted(session);
}

void session_start_dial_sweep(Session *session) {
    want_dial_sweep(session);
    start_wanted(session);
}

/* A sweep that would wait for ever goes, and says so: it would come when nobody looks for it any more. */
static void drop_hopeless_sweep(Session *session) {
    if (session->sweep->wanted_count == 0 || !sweep_needs_ranking(session)) return;
    const char *message = session_headline_message(session) == NULL ? session_ranking_message(session) : NULL;
    if (message == NULL) return;
    session->sweep->wanted_count = 0;
    session_say(session, SESSION_WARNING, "no sweep: %s", message);
}

static void collect_sweep(Session *session) {
    SweepErrand *errand = session->sweep->sweep_errand;
    session->sweep->error = (Error){0};
    if (session->sweep->sweeping.status == STATUS_OK) {
        session->sweep->count = errand->count;
        session->sweep->is_rho = errand->is_rho;
        session->sweep->follows_dial = errand->follows_dial;
        session->sweep->settings = errand->settings[0];
        for (size_t i = 0; i < errand->count; i++) {
            session->sweep->values[i] = errand->is_rho ? errand->settings[i].rho : errand->settings[i].alpha;
            session->sweep->averages[i] = errand->results[i].averages;
        }
        if (errand->follows_dial) session_headline_take_curves(session, errand->curves);
        errand->curves = NULL;
    } else if (session->sweep->sweeping.status != STATUS_CANCELLED) {
        session->sweep->error = session->sweep->sweeping.error;
    }
    free_sweep_errand(session);
}

static void start_sweep(Session *session, const Evaluation *evaluation) {
    SweepErrand *errand = memory_allocate(1, sizeof *errand);
    Error error = {0};
    Status status = STATUS_OK;
    if (errand == NULL) {
        status = memory_fail(&error, "a sweep");
    } else {
        errand->evaluation = evaluation;
        errand->count = session->sweep->wanted_count;
        for (size_t i = 0; i < errand->count; i++) {
            errand->settings[i] = session->settings;
            *(session->sweep->is_rho_wanted ? &errand->settings[i].rho : &errand->settings[i].alpha) =
                session->sweep->wanted_values[i];
        }
        errand->is_rho = session->sweep->is_rho_wanted;
        errand->follows_dial = session->sweep->follows_dial_wanted;
        session->sweep->sweep_errand = errand;
        status = task_start(&session->sweep->sweeping, session->threads, sweep, errand, &error);
    }
    session->sweep->wanted_count = 0;
    if (status == STATUS_OK) return;
    free_sweep_errand(session);
    session->sweep->error = error;
}

static bool refresh_sweep(Session *session) {
    bool changed = false;
    if (task_poll(&session->sweep->sweeping)) {
        collect_sweep(session);
        changed = true;
    }
    /* W at the dials first: that is what is looked at */
    const Evaluation *evaluation = session_headline_evaluation(session);
    bool is_free = evaluation != NULL && !task_is_running(&session->sweep->sweeping) &&
                   !session_headline_is_stale(session);
    drop_hopeless_sweep(session);
    if (session->sweep->wanted_count > 0 && is_free && !sweep_needs_ranking(session)) {
        start_sweep(session, evaluation);
        changed = true;
    }
    return changed;
}

static bool is_sweep_stale(const Session *session) {
    const Settings *now = &session->settings;
    Settings then = session->sweep->settings;
    *(session->sweep->is_rho ? &then.rho : &then.alpha) = session->sweep->is_rho ? now->rho : now->alpha;
    if (!session->sweep->is_rho && then.rho == 0.0 && now->rho == 0.0)
        then.ranking = now->ranking; /* which does nothing yet */
    return session->sweep->count > 0 && !settings_equal(&then, now);
}

SessionSweep session_sweep(const Session *session) {
    bool is_waiting = session->sweep->wanted_count > 0 && find_sweep_obstacle(session) == NULL;
    return (SessionSweep){.count = session->sweep->count,
                          .is_rho = session->sweep->is_rho,
                          .follows_dial = session->sweep->follows_dial,
                          .settings = &session->sweep->settings,
                          .values = session->sweep->values,
                          .averages = session->sweep->averages,
                          .is_running = task_is_running(&session->sweep->sweeping) || is_waiting,
                          .waits_for_ranking = is_waiting && sweep_needs_ranking(session),
                          .is_stale = is_sweep_stale(session),
                          .error = session->sweep->error.status != STATUS_OK ? session->sweep->error.message
                                                                             : NULL};
}

/* ---- ranges of the plane ---- */

Status session_plane_read_range(const char *text, SessionPlaneRange *range, Error *error) {
    static const RangeLimits LIMITS[] = {
        {.most = 1.0, .least_points = 1, .most_points = SESSION_PLANE_LARGEST, .has_to_climb = true},
        {.most = 1.0,
         .least_points = 1,
         .most_points = SESSION_PLANE_LARGEST,
         .are_shares = true,
         .has_to_climb = true}};
    Range read[2];
    if (!range_read_list(text, LIMITS, 2, read))
        return status_fail(error, STATUS_ARGUMENT,
                           "expected FROM:TO:POINTS of α and of ρ, such as 0:1:11 0:4%%:9, rising, at most "
                           "%d points each, found \"%s\"",
                           SESSION_PLANE_LARGEST, text);
    *range = (SessionPlaneRange){.alpha = read[0], .rho = read[1]};
    return STATUS_OK;
}

void session_plane_write_range(const SessionPlaneRange *range, char *text, size_t size) {
    char alpha[64], rho[64];
    range_write(&range->alpha, false, alpha, sizeof alpha);
    range_write(&range->rho, true, rho, sizeof rho);
    (void)snprintf(text, size, "%s %s", alpha, rho);
}

/* ---- measuring the plane ---- */

/* One pass for a row: its settings share all but ρ. */
static Status measure_plane(Job *job, void *argument, Error *error) {
    PlaneErrand *errand = argument;
    size_t alphas = errand->range.alpha.points;
    Settings settings[SESSION_PLANE_LARGEST];
    EvaluationResult results[SESSION_PLANE_LARGEST];
    for (size_t row = 0; row < errand->range.rho.points; row++) {
        for (size_t i = 0; i < alphas; i++) {
            settings[i] = errand->settings;
            settings[i].alpha = range_point(&errand->range.alpha, i);
            settings[i].rho = range_point(&errand->range.rho, row);
        }
        Status status = evaluation_measure(errand->evaluation, settings, alphas, results, job, error);
        if (status != STATUS_OK) return status;
        for (size_t i = 0; i < alphas; i++) {
            errand->averages[row * alphas + i] = results[i].averages;
            evaluation_free_result(&results[i]);
        }
        atomic_store_explicit(&errand->ready, row + 1, memory_order_release);
    }
    return STATUS_OK;
}

static size_t count_ready(const Session *session) {
    return atomic_load_explicit(&session->sweep->plane.ready, memory_order_acquire);
}

JobProgress session_plane_progress(const Session *session, JobProgress row) {
    size_t rows = session->sweep->plane.range.rho.points, ready = count_ready(session);
    bool between = row.done >= row.total && ready < rows; /* the row that is done may be counted already */
    row.done = between ? row.total * ready : row.total * ready + row.done;
    row.total *= rows;
    return row;
}

static void drop_plane(Session *session) {
    task_stop(&session->sweep->planing);
    free(session->sweep->plane.averages);
    session->sweep->plane = (PlaneErrand){.range = session->sweep->plane.range};
    session->sweep->is_plane_wanted = false;
}

static bool plane_needs_ranking(const Session *session, const SessionPlaneRange *range) {
    return range->rho.to > 0.0 && session->settings.ranking == NULL;
}

/* Why it will not come, however long one waits. */
static const char *find_plane_obstacle(const Session *session, const SessionPlaneRange *range) {
    const char *message = session_headline_message(session);
    return message == NULL && plane_needs_ranking(session, range) ? session_ranking_message(session)
                                                                  : message;
}

void session_start_plane(Session *session, const SessionPlaneRange *range) {
    session_measure_headlines(session); /* base and SFT have to be there first */
    const char *message = find_plane_obstacle(session, range);
    session->sweep->is_plane_wanted = message == NULL;
    if (message != NULL) {
        session_say(session, SESSION_WARNING, "no plane: %s", message);
        return;
    }
    session->sweep->wanted_plane = *range;
    (void)task_cancel(&session->sweep->planing); /* a running one makes way */
}

static void start_plane(Session *session, const Evaluation *evaluation) {
    PlaneErrand *errand = &session->sweep->plane;
    Error *error = &session->sweep->plane_error;
    drop_plane(session); /* what was there makes room; nothing runs */
    *error = (Error){0};
    errand->evaluation = evaluation;
    errand->range = session->sweep->wanted_plane;
    errand->settings = session->settings;
    errand->averages =
        memory_allocate(errand->range.alpha.points * errand->range.rho.points, sizeof *errand->averages);
    Status status = errand->averages == NULL ? memory_fail(error, "a plane") : STATUS_OK;
    if (status == STATUS_OK)
        status = task_start(&session->sweep->planing, session->threads, measure_plane, errand, error);
    if (status != STATUS_OK) drop_plane(session);
}

static bool refresh_plane(Session *session) {
    bool changed = false;
    if (task_poll(&session->sweep->planing)) {
        bool failed =
            session->sweep->planing.status != STATUS_OK && session->sweep->planing.status != STATUS_CANCELLED;
        if (failed) session->sweep->plane_error = session->sweep->planing.error;
        changed = true;
    }
    const Evaluation *evaluation = session_headline_evaluation(session);
    /* what is looked at goes first: W at the dials, then a sweep */
    bool is_free = evaluation != NULL && !task_is_running(&session->sweep->planing) &&
                   !task_is_running(&session->sweep->sweeping) && session->sweep->wanted_count == 0 &&
                   !session_headline_is_stale(session);
    if (!session->sweep->is_plane_wanted || !is_free ||
        plane_needs_ranking(session, &session->sweep->wanted_plane))
        return changed;
    start_plane(session, evaluation);
    return true;
}

/* ---- what is there of the plane ---- */

static bool is_plane_stale(const Session *session) {
    Settings then = session->sweep->plane.settings;
    then.alpha = session->settings.alpha;
    then.rho = session->settings.rho;
    return session->sweep->plane.averages != NULL && !settings_equal(&then, &session->settings);
}

SessionPlane session_plane(const Session *session) {
    const PlaneErrand *errand = &session->sweep->plane;
    bool is_there = errand->averages != NULL;
    bool is_waiting = session->sweep->is_plane_wanted &&
                      find_plane_obstacle(session, &session->sweep->wanted_plane) == NULL;
    return (SessionPlane){.range = errand->range.alpha.points > 0 ? errand->range : SESSION_PLANE_DEFAULT,
                          .averages = errand->averages,
                          .ready = is_there ? count_ready(session) : 0,
                          .settings = &errand->settings,
                          .is_running = task_is_running(&session->sweep->planing) || is_waiting,
                          .is_waiting = is_waiting,
                          .is_stale = is_plane_stale(session),
                          .error = session->sweep->plane_error.status != STATUS_OK
                                       ? session->sweep->plane_error.message
                                       : NULL};
}

void session_plane_values(const SessionPlane *plane, size_t figure, double *values) {
    size_t alphas = plane->range.alpha.points, count = alphas * plane->range.rho.points;
    for (size_t i = 0; i < count; i++)
        values[i] = i < plane->ready * alphas ? distribution_figure(&plane->averages[i], figure) : NAN;
}

double session_plane_seconds(const Session *session, const SessionPlaneRange *range) {
    double once = session_headline_seconds(session);
    return once > 0 ? once * (double)(range->alpha.points * range->rho.points) : NAN;
}

/* ---- for session.c ---- */

Status session_sweep_open(Session *session, const struct SessionOptions *options, Error *error) {
    (void)options;
    session->sweep = memory_allocate(1, sizeof *session->sweep);
    if (session->sweep == NULL) return memory_fail(error, "the session");
    session->sweep->sweeping.label = "sweep";
    session->sweep->planing.label = "plane";
    return STATUS_OK;
}

void session_sweep_begin(Session *session) {
    if (session_headline_is_due(session)) want_dial_sweep(session);
}

bool session_sweep_refresh(Session *session) {
    bool changed = refresh_sweep(session);
    return refresh_plane(session) || changed;
}

void session_sweep_forget(Session *session) {
    struct SessionSweepPart *part = session->sweep;
    drop_plane(session);
    task_stop(&part->sweeping);
    free_sweep_errand(session);
    part->count = part->wanted_count = 0;
    part->error = (Error){0};
}

void session_sweep_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_SWEEP] = &session->sweep->sweeping;
    tasks[SESSION_TASK_PLANE] = &session->sweep->planing;
}

void session_sweep_drop_wanted(Session *session) {
    session->sweep->wanted_count = 0;
    session->sweep->is_plane_wanted = false;
}

bool session_sweep_is_sweeping(const Session *session) {
    return task_is_running(&session->sweep->sweeping);
}

void session_sweep_free(Session *session) {
    if (session->sweep == NULL) return;
    session_sweep_forget(session);
    free(session->sweep);
}
