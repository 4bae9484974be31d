#include "tui/session/session_landscape.h"

#include "core/evaluation/evaluation_loss.h"
#include "core/support/memory.h"
#include "tui/session/session_files.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_sweep.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* While `measuring` runs, what lies from `ready` on of the errand `running` is the job thread's, and all else the UI
 * thread's. Also once it is over: what views look at. */
typedef struct LandscapeErrand {
    SessionLandscapeKind kind;
    const Model *model;
    const Evaluation *evaluation;
    SessionLandscapeChoice choice; /* its third is: */
    char *third;
    Triangle *triangle; /* of the directory that `third` was when it was opened: kept for another grid */
    Settings settings;
    double *losses; /* of the line and the plane */
    LandscapeSharpness sharpness[SIDE_COUNT];
    size_t total; /* points, or models; 0: nothing is there */
    _Atomic size_t ready;
} LandscapeErrand;

/* All but the errand that runs is the UI thread's. */
struct SessionLandscapePart {
    SessionLandscapeChoice choice; /* its third is: */
    char *third;
    Task measuring;
    SessionLandscapeKind running; /* while `measuring` runs */
    LandscapeErrand errands[SESSION_LANDSCAPE_COUNT];
    bool is_wanted[SESSION_LANDSCAPE_COUNT];
    Error errors[SESSION_LANDSCAPE_COUNT];
};

static const SessionLandscapeChoice DEFAULTS = {.line = {.from = -0.25, .to = 1.25, .points = 13},
                                                .plane = {.from = -0.25, .to = 0.25, .points = 11},
                                                .triangle = {.from = -0.25, .to = 1.25, .points = 13},
                                                .sigma = 0.1,
                                                .directions = 8};

static const char *const LABELS[] = {"line", "plane", "sharpness"};

/* ---- what to measure with ---- */

SessionLandscapeChoice session_landscape_choice(const Session *session) {
    return session->landscape->choice;
}

static bool is_range(const Range *range, size_t most_points) {
    return isfinite(range->from) && isfinite(range->to) && range->from < range->to && range->points >= 2 &&
           range->points <= most_points;
}

const Range *session_landscape_range(const SessionLandscapeChoice *choice, SessionLandscapeKind kind) {
    if (kind == SESSION_LANDSCAPE_SHARPNESS) return NULL;
    if (kind == SESSION_LANDSCAPE_LINE) return &choice->line;
    return choice->third != NULL ? &choice->triangle : &choice->plane;
}

/* The text may be the one that is there: it is copied first. */
static bool keep_text(char **kept, const char *text) {
    char *copy = text == NULL ? NULL : memory_copy_text(text, strlen(text));
    if (text != NULL && copy == NULL) return false;
    free(*kept);
    *kept = copy;
    return true;
}

bool session_landscape_choose(Session *session, const SessionLandscapeChoice *choice) {
    struct SessionLandscapePart *part = session->landscape;
    bool fits = is_range(&choice->line, SESSION_LANDSCAPE_LINE_MOST) &&
                is_range(&choice->plane, SESSION_LANDSCAPE_PLANE_MOST) &&
                is_range(&choice->triangle, SESSION_LANDSCAPE_PLANE_MOST) && isfinite(choice->sigma) &&
                choice->sigma > 0.0 && choice->directions >= 1 &&
                choice->directions <= SESSION_LANDSCAPE_DIRECTIONS_MOST;
    if (!fits || !keep_text(&part->third, choice->third)) return false;
    part->choice = *choice;
    part->choice.third = part->third;
    return true;
}

static bool ranges_equal(const Range *a, const Range *b) {
    return a->from == b->from && a->to == b->to && a->points == b->points;
}

static bool texts_equal(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool choices_equal(const SessionLandscapeChoice *a, const SessionLandscapeChoice *b,
                          SessionLandscapeKind kind) {
    if (kind == SESSION_LANDSCAPE_SHARPNESS)
        return a->seed == b->seed && a->sigma == b->sigma && a->directions == b->directions;
    if (!ranges_equal(session_landscape_range(a, kind), session_landscape_range(b, kind))) return false;
    if (kind == SESSION_LANDSCAPE_LINE) return true;
    return texts_equal(a->third, b->third) && (a->third != NULL || a->seed == b->seed);
}

bool session_landscape_differs(const SessionLandscape *landscape, SessionLandscapeKind kind,
                               const SessionLandscapeChoice *choice) {
    return landscape->total > 0 && !choices_equal(&landscape->choice, choice, kind);
}

/* Points of the line and the plane; models of sharpness. */
static size_t count_all(const SessionLandscapeChoice *choice, SessionLandscapeKind kind) {
    const Range *range = session_landscape_range(choice, kind);
    if (range == NULL) return SIDE_COUNT;
    return kind == SESSION_LANDSCAPE_PLANE ? range->points * range->points : range->points;
}

size_t session_landscape_points(const Session *session, SessionLandscapeKind kind) {
    const SessionLandscapeChoice *choice = &session->landscape->choice;
    size_t count = count_all(choice, kind);
    return kind == SESSION_LANDSCAPE_SHARPNESS ? count * landscape_sharpness_losses(choice->directions)
                                               : count;
}

double session_landscape_seconds(const Session *session, SessionLandscapeKind kind) {
    double once = session_headline_seconds(session);
    return once > 0.0 ? once * (double)session_landscape_points(session, kind) : NAN;
}

/* ---- measuring, on the job thread ---- */

static void tell_ready(LandscapeErrand *errand, size_t ready) {
    atomic_store_explicit(&errand->ready, ready, memory_order_release);
}

/* `place` is that of a plane around W alone. */
static Status measure_piece(LandscapeErrand *errand, const LandscapePlace *place, const double *steps,
                            size_t first, size_t count, Job *job, Error *error) {
    size_t points = session_landscape_range(&errand->choice, errand->kind)->points;
    if (place != NULL)
        return landscape_measure_plane_piece(place, steps, points, first, count, errand->losses, job, error);
    if (errand->kind == SESSION_LANDSCAPE_PLANE)
        return landscape_measure_triangle_piece(errand->evaluation, errand->triangle, steps, points, first,
                                                count, errand->losses, job, error);
    return landscape_measure_line(errand->evaluation, steps + first, count, errand->losses + first, job,
                                  error);
}

/* As many losses as share a pass over the files, and then the next: the curve grows, and costs no more. */
static Status measure_points(LandscapeErrand *errand, const LandscapePlace *place, Job *job, Error *error) {
    double steps[SESSION_LANDSCAPE_LINE_MOST];
    const Range *range = session_landscape_range(&errand->choice, errand->kind);
    for (size_t i = 0; i < range->points; i++) steps[i] = range_point(range, i);
    for (size_t at = 0; at < errand->total;) {
        size_t rest = errand->total - at;
        size_t count = rest < EVALUATION_LOSS_TOGETHER ? rest : EVALUATION_LOSS_TOGETHER;
        Status status = measure_piece(errand, place, steps, at, count, job, error);
        if (status != STATUS_OK) return status;
        tell_ready(errand, at += count);
    }
    return STATUS_OK;
}

/* `side` matters to sharpness alone: a plane is around W. */
static Status measure_around(LandscapeErrand *errand, Side side, Job *job, Error *error) {
    const SessionLandscapeChoice *choice = &errand->choice;
    const Settings settings = settings_of_side(side, &errand->settings);
    Directions *directions = NULL;
    Status status = direction_measure(errand->model, &settings, &directions, job, error);
    const LandscapePlace place = {errand->evaluation, &settings, directions, choice->seed};
    if (status == STATUS_OK)
        status = errand->kind == SESSION_LANDSCAPE_PLANE
                     ? measure_points(errand, &place, job, error)
                     : landscape_measure_sharpness(&place, choice->sigma, choice->directions,
                                                   &errand->sharpness[side], job, error);
    direction_free(directions);
    return status;
}

static Status measure_triangle(LandscapeErrand *errand, Job *job, Error *error) {
    Status status = errand->triangle != NULL
                        ? STATUS_OK
                        : triangle_open(errand->model, errand->third, &errand->triangle, job, error);
    return status == STATUS_OK ? measure_points(errand, NULL, job, error) : status;
}

static Status measure_landscape(Job *job, void *argument, Error *error) {
    LandscapeErrand *errand = argument;
    if (errand->kind == SESSION_LANDSCAPE_LINE) return measure_points(errand, NULL, job, error);
    if (errand->kind == SESSION_LANDSCAPE_PLANE && errand->third != NULL)
        return measure_triangle(errand, job, error);
    if (errand->kind == SESSION_LANDSCAPE_PLANE) return measure_around(errand, SIDE_FUSED, job, error);
    for (size_t side = errand->ready; side < errand->total; side++) { /* what was kept is there */
        Status status = measure_around(errand, (Side)side, job, error);
        if (status != STATUS_OK) return status;
        tell_ready(errand, side + 1);
    }
    return STATUS_OK;
}

/* ---- whether it can be ---- */

static bool is_around_w(const SessionLandscapeChoice *choice, SessionLandscapeKind kind) {
    return kind == SESSION_LANDSCAPE_SHARPNESS || (kind == SESSION_LANDSCAPE_PLANE && choice->third == NULL);
}

static bool needs_ranking(const Session *session, SessionLandscapeKind kind) {
    return is_around_w(&session->landscape->choice, kind) && session->settings.rho > 0.0 &&
           session->settings.ranking == NULL;
}

const char *session_landscape_message(const Session *session, SessionLandscapeKind kind) {
    const char *message = session_headline_message(session);
    if (message != NULL) return message;
    const Evaluation *evaluation = session_headline_evaluation(session);
    if (evaluation != NULL && evaluation_loss_tokens(evaluation) == 0)
        return "no row has a response, of which the loss is taken";
    return needs_ranking(session, kind) ? session_ranking_message(session) : NULL;
}

/* What would wait for ever goes, and says so: it would come when nobody looks for it any more. */
static void drop_hopeless(Session *session) {
    for (SessionLandscapeKind kind = 0; kind < SESSION_LANDSCAPE_COUNT; kind++) {
        if (!session->landscape->is_wanted[kind]) continue;
        const char *message = session_landscape_message(session, kind);
        if (message == NULL) continue;
        session->landscape->is_wanted[kind] = false;
        session_say(session, SESSION_WARNING, "no %s: %s", LABELS[kind], message);
    }
}

/* ---- asking, starting, ending ---- */

static bool is_running(const Session *session, SessionLandscapeKind kind) {
    return task_is_running(&session->landscape->measuring) && session->landscape->running == kind;
}

void session_start_landscape(Session *session, SessionLandscapeKind kind) {
    session_measure_headlines(session); /* base and SFT have to be there first */
    session->landscape->is_wanted[kind] = true;
    drop_hopeless(session);
    if (session->landscape->is_wanted[kind] && is_running(session, kind))
        (void)task_cancel(&session->landscape->measuring); /* it makes way */
}

void session_landscape_measure(Session *session) {
    bool is_there = session->landscape->errands[SESSION_LANDSCAPE_LINE].total > 0;
    if (!is_there && session_landscape_message(session, SESSION_LANDSCAPE_LINE) == NULL)
        session_start_landscape(session, SESSION_LANDSCAPE_LINE);
}

/* All but the first `kept` models of a sharpness. */
static void drop_errand(LandscapeErrand *errand, size_t kept) {
    for (size_t side = kept; side < SIDE_COUNT; side++) landscape_free_sharpness(&errand->sharpness[side]);
    free(errand->losses);
    errand->losses = NULL;
    errand->total = 0;
    errand->ready = kept;
}

static size_t count_kept(const LandscapeErrand *errand, const SessionLandscapeChoice *choice) {
    bool is_same = errand->kind == SESSION_LANDSCAPE_SHARPNESS && errand->total > 0 &&
                   choices_equal(&errand->choice, choice, errand->kind);
    size_t ready = is_same ? errand->ready : 0;
    return ready < SIDE_FUSED ? ready : SIDE_FUSED;
}

static void start_errand(Session *session, SessionLandscapeKind kind, const Evaluation *evaluation) {
    struct SessionLandscapePart *part = session->landscape;
    LandscapeErrand *errand = &part->errands[kind];
    Error *error = &part->errors[kind];
    errand->kind = kind;
    drop_errand(errand, count_kept(errand, &part->choice));
    *error = (Error){0};
    errand->model = session->model;
    errand->evaluation = evaluation;
    bool is_other = !texts_equal(errand->third, part->third);
    if (is_other) {
        triangle_free(errand->triangle);
        errand->triangle = NULL;
    }
    bool is_kept = !is_other || keep_text(&errand->third, part->third);
    errand->choice = part->choice;
    errand->choice.third = errand->third;
    errand->settings = session->settings;
    errand->total = count_all(&part->choice, kind);
    bool has_losses = kind != SESSION_LANDSCAPE_SHARPNESS; /* which has its own */
    if (has_losses) errand->losses = memory_allocate(errand->total, sizeof *errand->losses);
    part->measuring.label = LABELS[kind];
    part->running = kind;
    part->is_wanted[kind] = false;
    bool complete = is_kept && (!has_losses || errand->losses != NULL);
    Status status = complete ? STATUS_OK : memory_fail(error, "a landscape");
    if (status == STATUS_OK)
        status = task_start(&part->measuring, session->threads, measure_landscape, errand, error);
    if (status != STATUS_OK) drop_errand(errand, 0);
}

bool session_landscape_refresh(Session *session) {
    struct SessionLandscapePart *part = session->landscape;
    bool changed = false;
    if (task_poll(&part->measuring)) {
        LandscapeErrand *errand = &part->errands[part->running];
        bool has_failed = part->measuring.status != STATUS_OK && part->measuring.status != STATUS_CANCELLED;
        if (has_failed) part->errors[part->running] = part->measuring.error;
        if (has_failed && errand->ready == 0) drop_errand(errand, 0);
        changed = true;
    }
    drop_hopeless(session);
    /* what is looked at elsewhere goes first: W at the dials, then sweep and plane of Tune */
    const Evaluation *evaluation = session_headline_evaluation(session);
    bool is_free = evaluation != NULL && !task_is_running(&part->measuring) &&
                   !session_headline_is_stale(session) && !session_sweep(session).is_running &&
                   !session_plane(session).is_running;
    for (SessionLandscapeKind kind = 0; kind < SESSION_LANDSCAPE_COUNT && is_free; kind++) {
        if (!part->is_wanted[kind] || needs_ranking(session, kind)) continue;
        start_errand(session, kind, evaluation);
        return true;
    }
    return changed;
}

void session_landscape_drop_wanted(Session *session) {
    for (SessionLandscapeKind kind = 0; kind < SESSION_LANDSCAPE_COUNT; kind++)
        session->landscape->is_wanted[kind] = false;
}

bool session_landscape_cancel(Session *session, SessionTask task) {
    (void)task;
    session_landscape_drop_wanted(session);
    return task_cancel(&session->landscape->measuring);
}

/* ---- what is there ---- */

static bool is_stale(const Session *session, const LandscapeErrand *errand) {
    Settings then = errand->settings;
    if (errand->total == 0 || !is_around_w(&errand->choice, errand->kind)) return false;
    if (then.rho == 0.0 && session->settings.rho == 0.0)
        then.ranking = session->settings.ranking; /* which does nothing yet */
    return !settings_equal(&then, &session->settings);
}

SessionLandscape session_landscape(const Session *session, SessionLandscapeKind kind) {
    const struct SessionLandscapePart *part = session->landscape;
    const LandscapeErrand *errand = &part->errands[kind];
    bool is_there = errand->total > 0, is_waiting = part->is_wanted[kind];
    size_t ready = is_there ? atomic_load_explicit(&errand->ready, memory_order_acquire) : 0;
    bool has_triangle = ready > 0 && kind == SESSION_LANDSCAPE_PLANE && errand->third != NULL;
    const Triangle *triangle = has_triangle ? errand->triangle : NULL; /* made before the first loss */
    return (SessionLandscape){.choice = is_there ? errand->choice : part->choice,
                              .settings = is_there ? &errand->settings : NULL,
                              .total = errand->total,
                              .ready = ready,
                              .losses = errand->losses,
                              .sharpness = errand->sharpness,
                              .triangle = triangle,
                              .is_running = is_running(session, kind) || is_waiting,
                              .is_waiting = is_waiting,
                              .is_stale = is_stale(session, errand),
                              .error =
                                  part->errors[kind].status != STATUS_OK ? part->errors[kind].message : NULL};
}

void session_landscape_list_losses(const SessionLandscape *landscape, double *losses) {
    for (size_t i = 0; i < landscape->total; i++)
        losses[i] = i < landscape->ready ? landscape->losses[i] : NAN;
}

void session_landscape_list_point(const SessionLandscape *landscape, size_t point, double *losses) {
    for (size_t i = 0; i < landscape->total; i++)
        losses[i] = i == point && i < landscape->ready ? landscape->losses[i] : NAN;
}

bool session_landscape_find_extent(const SessionLandscape *landscape, SessionLandscapeExtent *extent) {
    bool any = false;
    for (size_t i = 0; i < landscape->ready; i++) {
        double loss = landscape->losses[i];
        if (!isfinite(loss)) continue;
        if (!any) *extent = (SessionLandscapeExtent){i, loss, loss};
        if (loss < extent->low) {
            extent->low = loss;
            extent->smallest = i;
        }
        if (loss > extent->high) extent->high = loss;
        any = true;
    }
    return any;
}

/* Of sharpness, and while rows' norms are measured, the job's own figures say enough. */
JobProgress session_landscape_progress(const Session *session, JobProgress piece) {
    const LandscapeErrand *errand = &session->landscape->errands[session->landscape->running];
    bool is_piece = piece.stage != NULL && (strcmp(piece.stage, LABELS[SESSION_LANDSCAPE_LINE]) == 0 ||
                                            strcmp(piece.stage, LABELS[SESSION_LANDSCAPE_PLANE]) == 0);
    if (!is_piece || piece.total == 0) return piece;
    size_t ready = atomic_load_explicit(&errand->ready, memory_order_acquire), rest = errand->total - ready;
    size_t count = rest < EVALUATION_LOSS_TOGETHER ? rest : EVALUATION_LOSS_TOGETHER;
    bool between = piece.done >= piece.total; /* the piece that is done may be counted already */
    piece.done = between ? piece.total * ready : piece.total * ready + piece.done * count;
    piece.total *= errand->total;
    return piece;
}

/* ---- for session.c ---- */

Status session_landscape_open(Session *session, const struct SessionOptions *options, Error *error) {
    SessionLandscapeChoice choice = DEFAULTS;
    choice.third = options->third;
    session->landscape = memory_allocate(1, sizeof *session->landscape);
    if (session->landscape == NULL || !session_landscape_choose(session, &choice))
        return memory_fail(error, "the session");
    session->landscape->measuring.label = LABELS[SESSION_LANDSCAPE_LINE];
    return STATUS_OK;
}

void session_landscape_forget(Session *session) {
    struct SessionLandscapePart *part = session->landscape;
    task_stop(&part->measuring);
    session_landscape_drop_wanted(session);
    for (SessionLandscapeKind kind = 0; kind < SESSION_LANDSCAPE_COUNT; kind++) {
        drop_errand(&part->errands[kind], 0);
        part->errors[kind] = (Error){0};
    }
}

void session_landscape_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_LANDSCAPE] = &session->landscape->measuring;
}

void session_landscape_free(Session *session) {
    if (session->landscape == NULL) return;
    session_landscape_forget(session);
    for (SessionLandscapeKind kind = 0; kind < SESSION_LANDSCAPE_COUNT; kind++) {
        triangle_free(session->landscape->errands[kind].triangle);
        free(session->landscape->errands[kind].third);
    }
    free(session->landscape->third);
    free(session->landscape);
}
