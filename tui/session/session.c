#include "tui/session/session.h"

#include "core/support/memory.h"
#include "tui/session/session_state.h"
#include "tui/text/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the parts ---- */

/* What a part does when all of them are asked; NULL where it does nothing. */
typedef struct Part {
    const char *name;
    Status (*open)(Session *session, const SessionOptions *options, Error *error);
    bool (*refresh)(
        Session *session); /* collects what is finished and starts what is due; true: something changed */
    void (*list)(Session *session, Work **tasks);
    void (*free)(Session *session); /* also of one that was not opened */
} Part;

static void list_others(Session *session, Work **tasks) {
    tasks[SESSION_TASK_ROWS] = &session->reading_rows;
    tasks[SESSION_TASK_SWEEP] = &session->sweeping;
    tasks[SESSION_TASK_PLANE] = &session->planing;
    tasks[SESSION_TASK_CONTINUATION] = &session->continuing;
    if (session->prompt != NULL) tasks[SESSION_TASK_PREVIEW] = comparison_work(session->prompt);
    tasks[SESSION_TASK_BOOKMARKS] = &session->bookmarking;
    if (session->headline != NULL) tasks[SESSION_TASK_HEADLINE] = comparison_work(session->headline);
    tasks[SESSION_TASK_DRIVERS] = &session->method.driving;
    tasks[SESSION_TASK_ATTRIBUTION] = &session->method.attributing;
    tasks[SESSION_TASK_NEURON_DRIFT] = &session->method.profiling;
    tasks[SESSION_TASK_DORMANCY] = &session->method.measuring;
    tasks[SESSION_TASK_DRIFT] = &session->scanning;
    tasks[SESSION_TASK_LOADING] = &session->loading;
    tasks[SESSION_TASK_CACHE_OPENING] = &session->cache.opening;
    tasks[SESSION_TASK_CACHE_RECALL] = &session->cache.recalling;
    tasks[SESSION_TASK_CACHE_WRITING] = &session->cache.keeping;
    tasks[SESSION_TASK_CACHE_READING] = &session->cache.reading;
}

/* From the bottom up: each knows only those above it in this table. Freed from the top down. */
static const Part PARTS[] = {
    {"message", session_message_open, NULL, NULL, session_message_free},
    {"files", NULL, session_pair_refresh, list_others, NULL},
    {"calibration", NULL, session_rows_refresh, NULL, NULL},
    {"cache", NULL, session_cache_refresh, NULL, NULL},
    {"headline", NULL, session_tune_refresh, NULL, NULL},
    {"bookmarks", NULL, session_bookmark_refresh, NULL, NULL},
    {"prompt", NULL, session_prompt_refresh, NULL, NULL},
    {"neurons", NULL, session_method_refresh, NULL, NULL},
    {"drivers", NULL, session_drivers_refresh, NULL, NULL},
    {"sweep", NULL, session_plane_refresh, NULL, NULL},
    {"reset", session_change_open, session_change_refresh, NULL, session_change_free},
    {"elements", session_tensor_open, session_tensor_refresh, session_tensor_list, session_tensor_free},
    {"spectrum", session_spectrum_open, session_spectrum_refresh, session_spectrum_list,
     session_spectrum_free},
    {"export", session_export_open, session_export_refresh, session_export_list, session_export_free},
};

enum { PART_COUNT = sizeof PARTS / sizeof *PARTS };

/* ---- opening and closing ---- */

static void name_works(Session *session) {
    session->loading.label = "loading tokenizers";
    session->reading_rows.label = "reading rows";
    session->scanning.label = "drift";
    session->scanning.unit = "B";
    session->sweeping.label = "sweep";
    session->planing.label = "plane";
    session->method.attributing.label = "attribution";
    session->method.measuring.label = "dormancy";
    session->method.profiling.label = "drift of neurons";
    session->method.driving.label = "tokens of a neuron";
    session->cache.opening.label = "kept analyses";
    session->cache.recalling.label = "kept analyses";
    session->cache.reading.label = "reading contents";
    session->cache.reading.unit = "B";
    session->cache.keeping.label = "keeping analyses";
    session->continuing.label = "continuing";
    session->bookmarking.label = "bookmarks";
}

Status session_create(const SessionOptions *options, Session **session, Error *error) {
    *session = NULL;
    Session *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the session");
    made->threads = options->threads;
    made->settings = settings_at(options->alpha);
    made->method.target_count = ATTRIBUTION_TARGETS;
    made->current_example = -1;
    made->is_scan_wanted = true;
    name_works(made);
    Status status = pair_open(options->base, options->sft, &made->pair, error);
    if (status == STATUS_OK) status = drift_table_create(made->pair, &made->drift, error);
    if (status == STATUS_OK) status = session_pair_open(made, options, error);
    if (status == STATUS_OK) {
        /* a pair that cannot be run can still be looked at */
        if (model_open(made->pair, &made->model, &made->model_error) != STATUS_OK) made->model = NULL;
        made->load.config = made->model != NULL ? made->model->config : NULL;
        for (size_t i = 0; i < PART_COUNT && status == STATUS_OK; i++)
            if (PARTS[i].open != NULL) status = PARTS[i].open(made, options, error);
    }
    if (status == STATUS_OK) {
        session_cache_open(made, options->cache);
        status = session_pair_load(made, error);
    }
    if (status != STATUS_OK) {
        session_free(made);
        return status;
    }
    *session = made;
    return STATUS_OK;
}

void session_free(Session *session) {
    if (session == NULL) return;
    session_cache_close(session); /* first: it looks at what the others free */
    for (size_t i = PART_COUNT; i-- > 0;)
        if (PARTS[i].free != NULL) PARTS[i].free(session);
    session_prompt_close(session);
    session_bookmark_close(session);
    session_tune_close(session);
    session_method_close(session); /* after those whose settings may borrow its rankings */
    session_rows_close(session);
    session_pair_close(session);
    free(session);
}

/* ---- what the first line says ---- */

static const char *last_component(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash[1] == '\0' ? path : slash + 1;
}

void session_title(const Session *session, char *text, size_t size) {
    const Checkpoint *base = session->pair->base, *sft = session->pair->sft;
    char parameters[FORMAT_SIZE];
    (void)snprintf(text, size, "%s → %s (%s %zuL %s)", last_component(base->directory),
                   last_component(sft->directory),
                   sft->model_status == STATUS_OK ? architecture_name(sft->model.architecture) : "?",
                   sft->layers, format_short_count(sft->parameters, parameters));
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
    bool preview = session->prompt != NULL && session_preview(session, SIDE_FUSED) != NULL;
    bool headline = session->headline != NULL && session_headline_fused(session) != NULL;
    dials.stale =
        (preview && session_preview_is_stale(session)) || (headline && session_headline_is_stale(session));
    return dials;
}

/* ---- running work ---- */

/* What base and SFT are measured for goes with them: it would wait for ever. */
static bool cancel_headline(Session *session, SessionTask task) {
    (void)task;
    session->wanted_sweep_count = 0;
    session->is_plane_wanted = false;
    return comparison_cancel(session->headline);
}

static bool cancel_preview(Session *session, SessionTask task) {
    (void)task;
    return comparison_cancel(session->prompt);
}

static bool cancel_drivers(Session *session, SessionTask task) {
    (void)task;
    return session_drivers_cancel(session);
}

static bool cancel_scan(Session *session, SessionTask task) {
    (void)task;
    session->is_scan_wanted = false;
    return work_cancel(&session->scanning);
}

/* What waits for a task, and how it is cancelled where that takes more than work_cancel(). */
static const struct {
    unsigned parts;
    bool (*cancel)(Session *session, SessionTask task); /* false where it runs to its end all the same */
} TASKS[SESSION_TASK_COUNT] = {
    [SESSION_TASK_EXPORT] = {SESSION_PART_EXPORT, NULL},
    [SESSION_TASK_VERIFICATION] = {SESSION_PART_EXPORT, NULL},
    [SESSION_TASK_REMOVAL] = {SESSION_PART_EXPORT, NULL},
    [SESSION_TASK_ROWS] = {SESSION_PART_FILES, NULL},
    [SESSION_TASK_SWEEP] = {SESSION_PART_SWEEP, NULL},
    [SESSION_TASK_PLANE] = {SESSION_PART_SWEEP, NULL},
    [SESSION_TASK_CONTINUATION] = {SESSION_PART_PROMPT, NULL},
    [SESSION_TASK_PREVIEW] = {SESSION_PART_PROMPT, cancel_preview},
    [SESSION_TASK_ELEMENTS] = {SESSION_PART_ELEMENTS, session_tensor_cancel},
    [SESSION_TASK_SPECTRUM] = {SESSION_PART_ELEMENTS, session_spectrum_cancel},
    [SESSION_TASK_PLAN] = {SESSION_PART_EXPORT, NULL},
    [SESSION_TASK_BOOKMARKS] = {SESSION_PART_SWEEP, NULL},
    [SESSION_TASK_HEADLINE] = {SESSION_PART_HEADLINE, cancel_headline},
    [SESSION_TASK_DRIVERS] = {SESSION_PART_METHOD, cancel_drivers},
    [SESSION_TASK_ATTRIBUTION] = {SESSION_PART_METHOD, NULL},
    [SESSION_TASK_NEURON_DRIFT] = {SESSION_PART_METHOD, NULL},
    [SESSION_TASK_DORMANCY] = {SESSION_PART_METHOD, NULL},
    [SESSION_TASK_DRIFT] = {SESSION_PART_DRIFT, cancel_scan},
    [SESSION_TASK_LOADING] = {SESSION_PART_FILES, NULL},
    [SESSION_TASK_CACHE_OPENING] = {SESSION_PART_FILES | SESSION_PART_DRIFT, NULL},
    [SESSION_TASK_CACHE_RECALL] = {SESSION_PART_FILES | SESSION_PART_DRIFT, NULL},
    [SESSION_TASK_CACHE_WRITING] = {SESSION_PART_CACHE, NULL},
    [SESSION_TASK_CACHE_READING] = {SESSION_PART_CACHE, NULL},
};

/* The tasks that run and that any of `parts` waits for: tasks[] has NULL for all others. Returns how many. */
static size_t list_tasks(Session *session, unsigned parts, Work *tasks[SESSION_TASK_COUNT]) {
    size_t count = 0;
    for (int task = 0; task < SESSION_TASK_COUNT; task++) tasks[task] = NULL;
    for (size_t i = 0; i < PART_COUNT; i++)
        if (PARTS[i].list != NULL) PARTS[i].list(session, tasks);
    for (int task = 0; task < SESSION_TASK_COUNT; task++) {
        bool counts = tasks[task] != NULL && (TASKS[task].parts & parts) != 0 && work_is_running(tasks[task]);
        if (!counts) tasks[task] = NULL;
        count += counts;
    }
    return count;
}

static void describe_job(const Session *session, SessionTask task, const Work *work, SessionJob *job) {
    JobProgress progress = job_progress(work->job);
    if (task == SESSION_TASK_PLANE) progress = session_plane_progress(session, progress);
    *job = (SessionJob){.done = progress.done, .total = progress.total, .seconds = progress.seconds};
    (void)snprintf(job->label, sizeof job->label, "%s", work->label);
    if (work->unit == NULL || progress.seconds < 0.2) return;
    char rate[FORMAT_SIZE];
    (void)snprintf(job->rate, sizeof job->rate, "%s/s",
                   format_bytes((double)progress.done / progress.seconds, rate));
}

/* Those of `parts` that run, the one to show first. */
static size_t describe_jobs(Session *session, unsigned parts, SessionJob *jobs, size_t capacity) {
    Work *tasks[SESSION_TASK_COUNT];
    size_t count = 0;
    (void)list_tasks(session, parts, tasks);
    for (int task = 0; task < SESSION_TASK_COUNT && count < capacity; task++)
        if (tasks[task] != NULL) describe_job(session, (SessionTask)task, tasks[task], &jobs[count++]);
    return count;
}

size_t session_jobs(Session *session, SessionJob *jobs, size_t capacity) {
    return describe_jobs(session, SESSION_PARTS_ALL, jobs, capacity);
}

/* With what they come from. */
static unsigned complete_parts(const Session *session, unsigned parts) {
    bool resets = session->settings.rho > 0.0;
    if (resets && (parts & (SESSION_PART_HEADLINE | SESSION_PART_SWEEP | SESSION_PART_PROMPT |
                            SESSION_PART_EXPORT)) != 0)
        parts |= SESSION_PART_METHOD;
    if ((parts & (SESSION_PART_SWEEP | SESSION_PART_METHOD)) != 0) parts |= SESSION_PART_HEADLINE;
    if ((parts & (SESSION_PART_HEADLINE | SESSION_PART_PROMPT)) != 0) parts |= SESSION_PART_FILES;
    return parts;
}

bool session_is_measuring(Session *session, unsigned parts, SessionJob *job) {
    return describe_jobs(session, complete_parts(session, parts), job, 1) > 0;
}

void session_measure(Session *session, unsigned parts) {
    parts = complete_parts(session, parts);
    if ((parts & SESSION_PART_METHOD) != 0)
        session_measure_method(session);
    else if ((parts & SESSION_PART_HEADLINE) != 0)
        session_measure_headlines(session);
}

bool session_cancel(Session *session) {
    Work *tasks[SESSION_TASK_COUNT];
    (void)list_tasks(session, SESSION_PARTS_ALL, tasks);
    for (int task = 0; task < SESSION_TASK_COUNT; task++) {
        if (tasks[task] == NULL) continue;
        bool is_cancelled = TASKS[task].cancel != NULL ? TASKS[task].cancel(session, (SessionTask)task)
                                                       : work_cancel(tasks[task]);
        if (is_cancelled) return true;
    }
    return false;
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
    Work *tasks[SESSION_TASK_COUNT];
    return changed ||
           list_tasks(session, SESSION_PARTS_ALL, tasks) > 0; /* progress moves while anything runs */
}
