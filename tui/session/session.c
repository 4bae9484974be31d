#include "tui/session/session.h"

#include "core/support/memory.h"
#include "tui/session/session_state.h"
#include "tui/text/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    session->pooling.label = "elements";
    session->planning.label = "export plan";
    session->planning.runs_to_end = true; /* the next drawing would only begin it again */
    session->discarding.label = "removing";
    session->discarding.runs_to_end = true;
    session->decomposing.label = "singular values";
    session->exporting.label = "export";
    session->exporting.unit = "B";
    session->verifying.label = "verifying";
    session->verifying.unit = "B";
}

Status session_create(const SessionOptions *options, Session **session, Error *error) {
    *session = NULL;
    Session *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the session");
    Status status = session_message_open(made, options, error);
    made->threads = options->threads;
    made->settings = settings_at(options->alpha);
    made->method.target_count = ATTRIBUTION_TARGETS;
    made->current_example = -1;
    made->is_scan_wanted = true;
    name_works(made);
    if (status == STATUS_OK) status = pair_open(options->base, options->sft, &made->pair, error);
    if (status == STATUS_OK) status = drift_table_create(made->pair, &made->drift, error);
    if (status == STATUS_OK) status = session_pair_open(made, options, error);
    if (status == STATUS_OK) {
        /* a pair that cannot be run can still be looked at */
        if (model_open(made->pair, &made->model, &made->model_error) != STATUS_OK) made->model = NULL;
        made->load.config = made->model != NULL ? made->model->config : NULL;
        session_export_open(made);
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
    session_export_close(session);
    session_tensor_close(session);
    session_spectrum_close(session);
    session_prompt_close(session);
    session_bookmark_close(session);
    session_tune_close(session);
    session_method_close(session); /* after those whose settings may borrow its rankings */
    session_rows_close(session);
    session_pair_close(session);
    session_message_free(session);
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

enum { MOST_WORKS = 23 };

/* All work of `parts` that runs, that asked for last by a person first: what is shown first and cancelled
 * first. */
static size_t list_works(Session *session, unsigned parts, Work **works) {
    size_t count = 0;
    const struct {
        Work *work;
        unsigned parts; /* that wait for it */
    } all[] = {{&session->exporting, SESSION_PART_EXPORT},
               {&session->verifying, SESSION_PART_EXPORT},
               {&session->discarding, SESSION_PART_EXPORT},
               {&session->reading_rows, SESSION_PART_FILES},
               {&session->sweeping, SESSION_PART_SWEEP},
               {&session->planing, SESSION_PART_SWEEP},
               {&session->continuing, SESSION_PART_PROMPT},
               {session->prompt != NULL ? comparison_work(session->prompt) : NULL, SESSION_PART_PROMPT},
               {&session->pooling, SESSION_PART_ELEMENTS},
               {&session->decomposing, SESSION_PART_ELEMENTS},
               {&session->planning, SESSION_PART_EXPORT},
               {&session->bookmarking, SESSION_PART_SWEEP},
               {session->headline != NULL ? comparison_work(session->headline) : NULL, SESSION_PART_HEADLINE},
               {&session->method.driving, SESSION_PART_METHOD},
               {&session->method.attributing, SESSION_PART_METHOD},
               {&session->method.profiling, SESSION_PART_METHOD},
               {&session->method.measuring, SESSION_PART_METHOD},
               {&session->scanning, SESSION_PART_DRIFT},
               {&session->loading, SESSION_PART_FILES},
               {&session->cache.opening, SESSION_PART_FILES | SESSION_PART_DRIFT},
               {&session->cache.recalling, SESSION_PART_FILES | SESSION_PART_DRIFT},
               {&session->cache.keeping, SESSION_PART_CACHE},
               {&session->cache.reading, SESSION_PART_CACHE}};
    _Static_assert(sizeof all / sizeof *all == MOST_WORKS, "works[] of the callers has room for each");
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if ((all[i].parts & parts) != 0 && all[i].work != NULL && work_is_running(all[i].work))
            works[count++] = all[i].work;
    }
    return count;
}

static void describe_job(const Session *session, const Work *work, SessionJob *job) {
    JobProgress progress = job_progress(work->job);
    if (work == &session->planing) progress = session_plane_progress(session, progress);
    *job = (SessionJob){.done = progress.done, .total = progress.total, .seconds = progress.seconds};
    (void)snprintf(job->label, sizeof job->label, "%s", work->label);
    if (work->unit == NULL || progress.seconds < 0.2) return;
    char rate[FORMAT_SIZE];
    (void)snprintf(job->rate, sizeof job->rate, "%s/s",
                   format_bytes((double)progress.done / progress.seconds, rate));
}

size_t session_jobs(Session *session, SessionJob *jobs, size_t capacity) {
    Work *works[MOST_WORKS];
    size_t count = list_works(session, SESSION_PARTS_ALL, works);
    if (count > capacity) count = capacity;
    for (size_t i = 0; i < count; i++) describe_job(session, works[i], &jobs[i]);
    return count;
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
    Work *works[MOST_WORKS];
    if (list_works(session, complete_parts(session, parts), works) == 0) return false;
    describe_job(session, works[0], job);
    return true;
}

void session_measure(Session *session, unsigned parts) {
    parts = complete_parts(session, parts);
    if ((parts & SESSION_PART_METHOD) != 0)
        session_measure_method(session);
    else if ((parts & SESSION_PART_HEADLINE) != 0)
        session_measure_headlines(session);
}

/* False where it runs to its end all the same. */
static bool cancel_work(Session *session, Work *work) {
    if (session->prompt != NULL && work == comparison_work(session->prompt))
        return comparison_cancel(session->prompt);
    if (session->headline != NULL && work == comparison_work(session->headline)) {
        session->wanted_sweep_count = 0; /* what waits for base and SFT would wait for ever */
        session->is_plane_wanted = false;
        return comparison_cancel(session->headline);
    }
    if (work == &session->pooling) return session_tensor_cancel(session);
    if (work == &session->decomposing) return session_spectrum_cancel(session);
    if (work == &session->method.driving) return session_drivers_cancel(session);
    if (work == &session->scanning) session->is_scan_wanted = false;
    return work_cancel(work);
}

bool session_cancel(Session *session) {
    Work *works[MOST_WORKS];
    size_t count = list_works(session, SESSION_PARTS_ALL, works);
    for (size_t i = 0; i < count; i++)
        if (cancel_work(session, works[i])) return true;
    return false;
}

static bool refresh_parts(Session *session) {
    bool changed = session_pair_refresh(session);
    changed |= session_rows_refresh(session);
    changed |= session_cache_refresh(session);
    changed |= session_tune_refresh(session);
    changed |= session_bookmark_refresh(session);
    changed |= session_prompt_refresh(session);
    changed |= session_method_refresh(session);
    changed |= session_drivers_refresh(session);
    changed |= session_plane_refresh(session);
    changed |= session_change_refresh(session);
    changed |= session_tensor_refresh(session);
    changed |= session_spectrum_refresh(session);
    changed |= session_export_refresh(session);
    return changed;
}

bool session_refresh(Session *session) {
    enum { PASSES = 8 }; /* of which the last finds nothing new, unless work ends as fast as it begins */
    bool changed = false;
    /* What one part has got another may have waited for: where nothing runs any more, nobody would look again. */
    for (int pass = 0; pass < PASSES && refresh_parts(session); pass++) changed = true;
    Work *works[MOST_WORKS];
    return changed ||
           list_works(session, SESSION_PARTS_ALL, works) > 0; /* progress moves while anything runs */
}
