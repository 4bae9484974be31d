#include "tui/session/session_plane.h"

#include "core/support/memory.h"
#include "tui/session/session_state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const SessionPlaneRange SESSION_PLANE_DEFAULT = {{0.0, 1.0, 11}, {0.0, 0.04, 9}};

/* ---- ranges ---- */

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

/* ---- measuring ---- */

/* One pass for a row: its settings share all but ρ. */
static Status measure_plane(Job *job, void *argument, Error *error) {
    SessionPlaneErrand *errand = argument;
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
    return atomic_load_explicit(&session->plane.ready, memory_order_acquire);
}

JobProgress session_plane_progress(const Session *session, JobProgress row) {
    size_t rows = session->plane.range.rho.points, ready = count_ready(session);
    bool between = row.done >= row.total && ready < rows; /* the row that is done may be counted already */
    row.done = between ? row.total * ready : row.total * ready + row.done;
    row.total *= rows;
    return row;
}

void session_plane_close(Session *session) {
    work_stop(&session->planing);
    free(session->plane.averages);
    session->plane = (SessionPlaneErrand){.range = session->plane.range};
    session->is_plane_wanted = false;
}

static bool needs_ranking(const Session *session, const SessionPlaneRange *range) {
    return range->rho.to > 0.0 && session->settings.ranking == NULL;
}

/* Why it will not come, however long one waits. */
static const char *find_obstacle(const Session *session, const SessionPlaneRange *range) {
    const char *message = session_headline_message(session);
    return message == NULL && needs_ranking(session, range) ? session_ranking_message(session) : message;
}

void session_start_plane(Session *session, const SessionPlaneRange *range) {
    session_measure_headlines(session); /* base and SFT have to be there first */
    const char *message = find_obstacle(session, range);
    session->is_plane_wanted = message == NULL;
    if (message != NULL) {
        session_say(session, SESSION_WARNING, "no plane: %s", message);
        return;
    }
    session->wanted_plane = *range;
    (void)work_cancel(&session->planing); /* a running one makes way */
}

static void start_plane(Session *session, const Evaluation *evaluation) {
    SessionPlaneErrand *errand = &session->plane;
    Error *error = &session->plane_error;
    session_plane_close(session); /* what was there makes room; nothing runs */
    *error = (Error){0};
    errand->evaluation = evaluation;
    errand->range = session->wanted_plane;
    errand->settings = session->settings;
    errand->averages =
        memory_allocate(errand->range.alpha.points * errand->range.rho.points, sizeof *errand->averages);
    Status status = errand->averages == NULL ? memory_fail(error, "a plane") : STATUS_OK;
    if (status == STATUS_OK)
        status = work_start(&session->planing, session->threads, measure_plane, errand, error);
    if (status != STATUS_OK) session_plane_close(session);
}

bool session_plane_refresh(Session *session) {
    bool changed = false;
    if (work_poll(&session->planing)) {
        bool failed = session->planing.status != STATUS_OK && session->planing.status != STATUS_CANCELLED;
        if (failed) session->plane_error = session->planing.error;
        changed = true;
    }
    const Evaluation *evaluation =
        session->headline == NULL ? NULL : comparison_evaluation(session->headline);
    /* what is looked at goes first: W at the dials, then a sweep */
    bool is_free = evaluation != NULL && !work_is_running(&session->planing) &&
                   !work_is_running(&session->sweeping) && session->wanted_sweep_count == 0 &&
                   !session_headline_is_stale(session);
    if (!session->is_plane_wanted || !is_free || needs_ranking(session, &session->wanted_plane))
        return changed;
    start_plane(session, evaluation);
    return true;
}

/* ---- what is there ---- */

static bool is_stale(const Session *session) {
    Settings then = session->plane.settings;
    then.alpha = session->settings.alpha;
    then.rho = session->settings.rho;
    return session->plane.averages != NULL && !settings_equal(&then, &session->settings);
}

SessionPlane session_plane(const Session *session) {
    const SessionPlaneErrand *errand = &session->plane;
    bool is_there = errand->averages != NULL;
    bool is_waiting = session->is_plane_wanted && find_obstacle(session, &session->wanted_plane) == NULL;
    return (SessionPlane){.range = errand->range.alpha.points > 0 ? errand->range : SESSION_PLANE_DEFAULT,
                          .averages = errand->averages,
                          .ready = is_there ? count_ready(session) : 0,
                          .settings = &errand->settings,
                          .is_running = work_is_running(&session->planing) || is_waiting,
                          .is_waiting = is_waiting,
                          .is_stale = is_stale(session),
                          .error =
                              session->plane_error.status != STATUS_OK ? session->plane_error.message : NULL};
}

void session_plane_values(const SessionPlane *plane, size_t figure, double *values) {
    size_t alphas = plane->range.alpha.points, count = alphas * plane->range.rho.points;
    for (size_t i = 0; i < count; i++)
        values[i] = i < plane->ready * alphas ? distribution_figure(&plane->averages[i], figure) : NAN;
}

double session_plane_seconds(const Session *session, const SessionPlaneRange *range) {
    double once = session->headline == NULL ? 0 : comparison_seconds(session->headline);
    return once > 0 ? once * (double)(range->alpha.points * range->rho.points) : NAN;
}
