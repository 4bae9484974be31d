#include "tui/session/session.h"

#include "core/support/memory.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_cache.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_chat.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_drivers.h"
#include "tui/session/session_elements.h"
#include "tui/session/session_export.h"
#include "tui/session/session_files.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_ladder.h"
#include "tui/session/session_landscape.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_neurons_measure.h"
#include "tui/session/session_prompt.h"
#include "tui/session/session_reset.h"
#include "tui/session/session_rollouts.h"
#include "tui/session/session_spectrum.h"
#include "tui/session/session_sweep.h"
#include "tui/session/session_targets.h"
#include "tui/session/session_task.h"
#include "tui/text/format.h"
#include "tui/text/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the parts ---- */

/* What a part does when all of them are asked; NULL where it does nothing.
 *
 *     begin    tokenizers and rows are there; and again, after the rows have changed
 *     refresh  collects what is finished and starts what is due; true: something changed
 *     forget   before the rows change: stops what is measured on them and drops what was
 *     list     session_task.h
 *     free     also a part that was not opened; no job runs any more, unless opening failed */
typedef struct Part {
    const char *name;
    Status (*open)(Session *session, const SessionOptions *options, Error *error);
    void (*begin)(Session *session);
    bool (*refresh)(Session *session);
    void (*forget)(Session *session);
    void (*list)(Session *session, Task **tasks);
    void (*free)(Session *session);
} Part;

static bool refresh_files(Session *session);
static bool refresh_rows(Session *session);
static bool refresh_neurons(Session *session);
static bool refresh_ladder(Session *session);

/* From the bottom up: a part knows only those above it here. Freed, and told to forget, from the last to the first. */
static const Part PARTS[] = {
    {"message", session_message_open, NULL, NULL, NULL, NULL, session_message_free},
    {"files", session_files_open, NULL, refresh_files, NULL, session_files_list, session_files_free},
    {"calibration", session_calibration_open, session_calibration_begin, refresh_rows, NULL,
     session_calibration_list, session_calibration_free},
    {"dials", NULL, NULL, NULL, NULL, NULL, session_alpha_free},
    {"headline", session_headline_open, session_headline_begin, session_headline_refresh,
     session_headline_forget, session_headline_list, session_headline_free},
    {"neurons", session_neurons_open, session_neurons_begin, refresh_neurons, session_neurons_measure_forget,
     session_neurons_measure_list, session_neurons_measure_free},
    {"drivers", session_drivers_open, NULL, session_drivers_refresh, session_drivers_forget,
     session_drivers_list, session_drivers_free},
    {"sweep", session_sweep_open, session_sweep_begin, session_sweep_refresh, session_sweep_forget,
     session_sweep_list, session_sweep_free},
    {"landscape", session_landscape_open, NULL, session_landscape_refresh, session_landscape_forget,
     session_landscape_list, session_landscape_free},
    {"bookmarks", session_bookmark_open, NULL, session_bookmark_refresh, session_bookmark_forget,
     session_bookmark_list, session_bookmark_free},
    {"reset", session_reset_open, NULL, session_reset_refresh, NULL, NULL, session_reset_free},
    {"chat", session_chat_open, NULL, NULL, NULL, NULL, session_chat_free},
    {"prompt", session_prompt_open, session_prompt_begin, session_prompt_refresh, NULL, session_prompt_list,
     session_prompt_free},
    {"targets", session_targets_open, NULL, NULL, NULL, NULL, session_targets_free},
    {"elements", session_elements_open, NULL, session_elements_refresh, NULL, session_elements_list,
     session_elements_free},
    {"spectrum", session_spectrum_open, NULL, session_spectrum_refresh, NULL, session_spectrum_list,
     session_spectrum_free},
    {"export", session_export_open, NULL, session_export_refresh, NULL, session_export_list,
     session_export_free},
    {"cache", session_cache_open, NULL, session_cache_refresh, session_cache_forget, session_cache_list,
     session_cache_free},
    {"rollouts", session_rollouts_open, NULL, session_rollouts_refresh, session_rollouts_forget,
     session_rollouts_list, session_rollouts_free},
    {"ladder", session_ladder_open, session_ladder_begin, refresh_ladder, session_ladder_forget,
     session_ladder_list, session_ladder_free},
};

enum { PART_COUNT = sizeof PARTS / sizeof *PARTS };

/* ---- what the first line says ---- */

void session_title(const Session *session, char *text, size_t size) {
    const Checkpoint *base = session->pair->base, *sft = session->pair->sft;
    char parameters[FORMAT_SIZE], shown[64], rung[32] = "";
    const Ladder *ladder = session_ladder(session);
    const char *type = json_get_text(sft->config, "model_type", "?"); /* whatever a file says */
    (void)text_escape(type, strlen(type), TEXT_PLAIN, shown, sizeof shown);
    if (ladder != NULL)
        (void)snprintf(rung, sizeof rung, " [%zu/%zu]", session_ladder_rung(session), ladder->count);
    (void)snprintf(text, size, "%s → %s%s (%s %zuL %s)", text_last_component(base->directory),
                   text_last_component(sft->directory), rung, shown, sft->layers,
                   format_short_count(sft->parameters, parameters));
}

/* 0.29 · 100 is not 29: whether α has a third decimal, and ρ in percent a second, is asked of whole thousandths of α
 * and ten-thousandths of ρ. */
static int alpha_decimals(double alpha) {
    return lround(alpha * 1000.0) % 10 == 0 ? 2 : 3;
}

static int rho_decimals(double rho) {
    return lround(rho * 10000.0) % 10 == 0 ? 1 : 2;
}

SessionDials session_dials(const Session *session) {
    SessionDials dials = {0};
    const Settings *settings = &session->settings;
    bool waits = settings->rho > 0.0 && settings->ranking == NULL;
    int length = snprintf(dials.text, sizeof dials.text, "α %.*f%s", alpha_decimals(settings->alpha),
                          settings->alpha, session_alpha_is_common(session) ? "" : "*");
    if (session->model != NULL && length > 0)
        (void)snprintf(dials.text + length, sizeof dials.text - (size_t)length, "  ρ %.*f%%%s  ω %.2f",
                       rho_decimals(settings->rho), settings->rho * 100.0, waits ? "…" : "", settings->omega);
    bool preview = session_preview(session, SIDE_FUSED) != NULL;
    bool headline = session_headline_fused(session) != NULL;
    dials.stale =
        (preview && session_preview_is_stale(session)) || (headline && session_headline_is_stale(session));
    return dials;
}

/* ---- running work ---- */

/* What base and SFT are measured for goes with them: it would wait for ever. */
static bool cancel_headline(Session *session, SessionTask task) {
    (void)task;
    session_sweep_drop_wanted(session);
    session_landscape_drop_wanted(session);
    return session_headline_cancel(session);
}

/* What waits for a task, and how it is cancelled where that takes more than task_cancel(). The order in which tasks are
 * shown and cancelled is that of their numbers. */
static const struct {
    unsigned parts;
    bool is_on_rows;                                    /* measures on the calibration rows */
    bool (*cancel)(Session *session, SessionTask task); /* false where it runs to its end all the same */
} TASKS[SESSION_TASK_COUNT] = {
    [SESSION_TASK_EXPORT] = {SESSION_PART_EXPORT, false, NULL},
    [SESSION_TASK_VERIFICATION] = {SESSION_PART_EXPORT, false, NULL},
    [SESSION_TASK_REMOVAL] = {SESSION_PART_EXPORT, false, NULL},
    [SESSION_TASK_ROWS] = {SESSION_PART_FILES, false, NULL},
    [SESSION_TASK_SWEEP] = {SESSION_PART_SWEEP, true, NULL},
    [SESSION_TASK_PLANE] = {SESSION_PART_SWEEP, true, NULL},
    [SESSION_TASK_LANDSCAPE] = {SESSION_PART_LANDSCAPE, true, session_landscape_cancel},
    [SESSION_TASK_ROLLOUTS] = {SESSION_PART_ROLLOUTS, false, session_rollouts_cancel},
    [SESSION_TASK_CONTINUATION] = {SESSION_PART_PROMPT, false, NULL},
    [SESSION_TASK_PREVIEW] = {SESSION_PART_PROMPT, false, session_prompt_cancel_preview},
    [SESSION_TASK_PREVIEW_CURVES] = {SESSION_PART_CURVES, false, NULL},
    [SESSION_TASK_ELEMENTS] = {SESSION_PART_ELEMENTS, false, session_elements_cancel},
    [SESSION_TASK_SPECTRUM] = {SESSION_PART_ELEMENTS, false, session_spectrum_cancel},
    [SESSION_TASK_PLAN] = {SESSION_PART_EXPORT, false, NULL},
    [SESSION_TASK_BOOKMARKS] = {SESSION_PART_SWEEP, true, NULL},
    [SESSION_TASK_HEADLINE] = {SESSION_PART_HEADLINE, true, cancel_headline},
    [SESSION_TASK_DRIVERS] = {SESSION_PART_METHOD, true, session_drivers_cancel},
    [SESSION_TASK_ATTRIBUTION] = {SESSION_PART_METHOD, true, NULL},
    [SESSION_TASK_NEURON_DRIFT] = {SESSION_PART_METHOD, false, NULL},
    [SESSION_TASK_DORMANCY] = {SESSION_PART_METHOD, true, NULL},
    [SESSION_TASK_DRIFT] = {SESSION_PART_DRIFT, false, session_files_cancel_scan},
    [SESSION_TASK_LADDER] = {SESSION_PART_LADDER, true, session_ladder_cancel},
    [SESSION_TASK_LOADING] = {SESSION_PART_FILES, false, NULL},
    [SESSION_TASK_CACHE_OPENING] = {SESSION_PART_FILES | SESSION_PART_DRIFT, false, NULL},
    [SESSION_TASK_CACHE_RECALL] = {SESSION_PART_FILES | SESSION_PART_DRIFT, true, NULL},
    [SESSION_TASK_CACHE_WRITING] = {SESSION_PART_CACHE, true, NULL},
    [SESSION_TASK_CACHE_READING] = {SESSION_PART_CACHE, false, NULL},
};

/* The tasks that run and that any of `parts` waits for: tasks[] has NULL for all others. Returns how many. */
static size_t list_tasks(Session *session, unsigned parts, Task *tasks[SESSION_TASK_COUNT]) {
    size_t count = 0;
    for (int task = 0; task < SESSION_TASK_COUNT; task++) tasks[task] = NULL;
    for (size_t i = 0; i < PART_COUNT; i++)
        if (PARTS[i].list != NULL) PARTS[i].list(session, tasks);
    for (int task = 0; task < SESSION_TASK_COUNT; task++) {
        bool counts = tasks[task] != NULL && (TASKS[task].parts & parts) != 0 && task_is_running(tasks[task]);
        if (!counts) tasks[task] = NULL;
        count += counts;
    }
    return count;
}

static void describe_job(const Session *session, SessionTask task, const Task *work, SessionJob *job) {
    JobProgress progress = job_progress(work->job);
    if (task == SESSION_TASK_PLANE) progress = session_plane_progress(session, progress);
    if (task == SESSION_TASK_LANDSCAPE) progress = session_landscape_progress(session, progress);
    *job = (SessionJob){.done = progress.done, .total = progress.total, .seconds = progress.seconds};
    (void)snprintf(job->label, sizeof job->label, "%s", work->label);
    if (task == SESSION_TASK_ROLLOUTS) session_rollouts_describe(session, progress, job);
    if (work->unit == NULL || progress.seconds < 0.2) return;
    char rate[FORMAT_SIZE];
    (void)snprintf(job->rate, sizeof job->rate, "%s/s",
                   format_bytes((double)progress.done / progress.seconds, rate));
}

/* Those of `parts` that run, the one to show first. */
static size_t describe_jobs(Session *session, unsigned parts, SessionJob *jobs, size_t capacity) {
    Task *tasks[SESSION_TASK_COUNT];
    size_t count = 0;
    (void)list_tasks(session, parts, tasks);
    for (int task = 0; task < SESSION_TASK_COUNT && count < capacity; task++)
        if (tasks[task] != NULL) describe_job(session, (SessionTask)task, tasks[task], &jobs[count++]);
    return count;
}

size_t session_jobs(Session *session, SessionJob *jobs, size_t capacity) {
    return describe_jobs(session, SESSION_PARTS_ALL, jobs, capacity);
}

/* What goes before the rungs that are not tuned. */
enum {
    BEFORE_LADDER = SESSION_PART_FILES | SESSION_PART_DRIFT | SESSION_PART_HEADLINE | SESSION_PART_METHOD |
                    SESSION_PART_PROMPT
};

/* With what they come from. */
static unsigned complete_parts(const Session *session, unsigned parts) {
    if ((parts & SESSION_PART_LADDER) != 0 && session_ladder_is_shown(session)) parts |= BEFORE_LADDER;
    bool resets = session->settings.rho > 0.0;
    if (resets && (parts & (SESSION_PART_HEADLINE | SESSION_PART_SWEEP | SESSION_PART_LANDSCAPE |
                            SESSION_PART_ROLLOUTS | SESSION_PART_PROMPT | SESSION_PART_EXPORT)) != 0)
        parts |= SESSION_PART_METHOD;
    if ((parts & SESSION_PART_LANDSCAPE) != 0) parts |= SESSION_PART_SWEEP; /* which goes first */
    if ((parts & (SESSION_PART_SWEEP | SESSION_PART_METHOD)) != 0) parts |= SESSION_PART_HEADLINE;
    if ((parts & (SESSION_PART_HEADLINE | SESSION_PART_ROLLOUTS | SESSION_PART_PROMPT)) != 0)
        parts |= SESSION_PART_FILES;
    return parts;
}

bool session_is_measuring(Session *session, unsigned parts, SessionJob *job) {
    return describe_jobs(session, complete_parts(session, parts), job, 1) > 0;
}

void session_measure_method(Session *session) {
    session_neurons_measure_resume(session);
    session_drivers_resume(session);
    session_measure_headlines(session);
}

void session_measure(Session *session, unsigned parts) {
    parts = complete_parts(session, parts);
    if ((parts & SESSION_PART_METHOD) != 0)
        session_measure_method(session);
    else if ((parts & SESSION_PART_HEADLINE) != 0)
        session_measure_headlines(session);
    if ((parts & SESSION_PART_LANDSCAPE) != 0) session_landscape_measure(session);
    if ((parts & SESSION_PART_ROLLOUTS) != 0) session_rollouts_measure(session);
    if ((parts & SESSION_PART_LADDER) != 0) session_ladder_measure_shown(session);
}

static bool cancel_task(Session *session, SessionTask task, Task *work) {
    return TASKS[task].cancel != NULL ? TASKS[task].cancel(session, task) : task_cancel(work);
}

bool session_cancel(Session *session) {
    Task *tasks[SESSION_TASK_COUNT];
    (void)list_tasks(session, SESSION_PARTS_ALL, tasks);
    for (int task = 0; task < SESSION_TASK_COUNT; task++)
        if (tasks[task] != NULL && cancel_task(session, (SessionTask)task, tasks[task])) return true;
    return false;
}

/* ---- opening and closing ---- */

static Status open_parts(Session *session, const SessionOptions *options, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < PART_COUNT && status == STATUS_OK; i++)
        if (PARTS[i].open != NULL) status = PARTS[i].open(session, options, error);
    return status;
}

static void free_parts(Session *session) {
    for (size_t i = PART_COUNT; i-- > 0;)
        if (PARTS[i].free != NULL) PARTS[i].free(session);
    model_close(session->model);
    pair_close(session->pair);
    free(session);
}

Status session_create(const SessionOptions *options, Session **session, Error *error) {
    *session = NULL;
    Session *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the session");
    made->threads = options->threads;
    made->settings = settings_at(options->alpha);
    Status status = pair_open(options->base, options->sft, &made->pair, error);
    if (status == STATUS_OK) status = model_add_misfit(made->pair, &made->pair->findings, error);
    if (status == STATUS_OK) {
        /* a pair that cannot be run can still be looked at */
        if (model_open(made->pair, &made->model, &made->model_error) != STATUS_OK) made->model = NULL;
        status = open_parts(made, options, error);
    }
    if (status == STATUS_OK)
        *session = made;
    else
        free_parts(made);
    return status;
}

/* Every job ends before the first part goes: settings anywhere may borrow a ranking, and the cache's jobs look at what
 * all others own. */
static void stop_tasks(Session *session) {
    Task *tasks[SESSION_TASK_COUNT];
    (void)list_tasks(session, SESSION_PARTS_ALL, tasks);
    for (int task = 0; task < SESSION_TASK_COUNT; task++)
        if (tasks[task] != NULL) (void)task_cancel(tasks[task]);
    for (int task = 0; task < SESSION_TASK_COUNT; task++)
        if (tasks[task] != NULL) task_stop(tasks[task]);
}

void session_free(Session *session) {
    if (session == NULL) return;
    stop_tasks(session);
    free_parts(session);
}

/* ---- other rows ---- */

static void begin_parts(Session *session) {
    for (size_t i = 0; i < PART_COUNT; i++)
        if (PARTS[i].begin != NULL) PARTS[i].begin(session);
}

/* Cancelled together and then waited for one by one, the jobs stop in the time of the slowest. */
static void change_rows(Session *session) {
    Task *tasks[SESSION_TASK_COUNT];
    (void)list_tasks(session, SESSION_PARTS_ALL, tasks);
    for (int task = 0; task < SESSION_TASK_COUNT; task++)
        if (tasks[task] != NULL && TASKS[task].is_on_rows) (void)task_cancel(tasks[task]);
    for (size_t i = PART_COUNT; i-- > 0;)
        if (PARTS[i].forget != NULL) PARTS[i].forget(session);
    begin_parts(session);
}

Status session_use_prompt_rows(Session *session, Error *error) {
    Calibration *rows = NULL;
    Status status = session_calibration_check_readiness(session, error);
    if (status == STATUS_OK) status = session_prompt_make_rows(session, &rows, error);
    if (status != STATUS_OK) return status;
    session_calibration_offer(session, rows);
    change_rows(session);
    return STATUS_OK;
}

/* ---- what is due ---- */

static bool refresh_files(Session *session) {
    bool has_loaded;
    bool changed = session_files_refresh(session, !session_cache_holds_drift(session), &has_loaded);
    if (has_loaded) begin_parts(session);
    return changed;
}

static bool refresh_rows(Session *session) {
    bool changed = session_calibration_refresh(session);
    if (!session_calibration_are_offered(session)) return changed;
    change_rows(session);
    session_calibration_say(session);
    return true;
}

/* What the cache writes must stay: a moment later. */
static bool refresh_neurons(Session *session) {
    return !session_cache_is_keeping(session) &&
           session_neurons_measure_refresh(session, !session_cache_holds_method(session));
}

static bool refresh_ladder(Session *session) {
    SessionJob job;
    return session_ladder_refresh(session, describe_jobs(session, BEFORE_LADDER, &job, 1) == 0);
}

static bool refresh_parts(Session *session) {
    bool changed = false;
    for (size_t i = 0; i < PART_COUNT; i++)
        if (PARTS[i].refresh != NULL) changed |= PARTS[i].refresh(session);
    return changed;
}

bool session_refresh(Session *session) {
    enum { PASSES = 8 }; /* of which the last finds nothing new, unless work ends as fast as it begins */
    bool changed = false;
    /* What one part has got another may have waited for: where nothing runs any more, nobody would look again. */
    for (int pass = 0; pass < PASSES && refresh_parts(session); pass++) changed = true;
    Task *tasks[SESSION_TASK_COUNT];
    return changed ||
           list_tasks(session, SESSION_PARTS_ALL, tasks) > 0; /* progress moves while anything runs */
}
