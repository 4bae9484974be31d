#include "tui/session.h"

#include "tui/format.h"
#include "tui/session_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* ---- running work ---- */

enum { MOST_WORKS = 24 };

/* All work that may run, that asked for last by a person first: what is shown first and cancelled first. */
static size_t list_works(Session *session, Work **works) {
    size_t count = 0;
    Work *all[] = {&session->exporting,
                   &session->verifying,
                   &session->sweeping,
                   &session->continuing,
                   session->prompt != NULL ? comparison_work(session->prompt) : NULL,
                   &session->pooling,
                   &session->bookmarking,
                   session->headline != NULL ? comparison_work(session->headline) : NULL,
                   &session->method.driving,
                   &session->method.attributing,
                   &session->method.profiling,
                   &session->method.measuring,
                   &session->scanning,
                   &session->loading,
                   &session->cache.opening,
                   &session->cache.recalling,
                   &session->cache.keeping,
                   &session->cache.reading};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i] != NULL && work_is_running(all[i])) works[count++] = all[i];
    }
    return count;
}

size_t session_jobs(Session *session, SessionJob *jobs, size_t capacity) {
    Work *works[MOST_WORKS];
    size_t count = list_works(session, works);
    if (count > capacity) count = capacity;
    for (size_t i = 0; i < count; i++) {
        JobProgress progress = job_progress(works[i]->job);
        jobs[i] = (SessionJob){.done = progress.done, .total = progress.total, .seconds = progress.seconds};
        (void)snprintf(jobs[i].label, sizeof jobs[i].label, "%s", works[i]->label);
        if (works[i]->unit == NULL || progress.seconds < 0.2) continue;
        char rate[FORMAT_SIZE];
        (void)snprintf(jobs[i].rate, sizeof jobs[i].rate, "%s/s",
                       format_bytes((double)progress.done / progress.seconds, rate));
    }
    return count;
}

bool session_cancel(Session *session) {
    if (session->prompt != NULL && comparison_work(session->prompt) != NULL &&
        !work_is_running(&session->exporting) && !work_is_running(&session->verifying) &&
        !work_is_running(&session->sweeping) && !work_is_running(&session->continuing))
        return comparison_cancel(session->prompt);
    Work *works[MOST_WORKS];
    if (list_works(session, works) == 0) return false;
    if (session->headline != NULL && works[0] == comparison_work(session->headline)) {
        session->wanted_sweep_count = 0; /* a sweep that waits for base and SFT would wait for ever */
        return comparison_cancel(session->headline);
    }
    if (works[0] == &session->pooling) return session_tensor_cancel(session);
    if (works[0] == &session->scanning) session->is_scan_wanted = false;
    return work_cancel(works[0]);
}

bool session_refresh(Session *session) {
    bool changed = session_pair_refresh(session);
    changed |= session_cache_refresh(session);
    changed |= session_tune_refresh(session);
    changed |= session_bookmark_refresh(session);
    changed |= session_prompt_refresh(session);
    changed |= session_method_refresh(session);
    changed |= session_tensor_refresh(session);
    changed |= session_export_refresh(session);
    Work *works[MOST_WORKS];
    return changed || list_works(session, works) > 0; /* progress moves while anything runs */
}

/* ---- messages ---- */

bool session_take_message(Session *session, SessionTone *tone, char *text, size_t size) {
    if (session->message_count == 0) return false;
    (void)snprintf(text, size, "%s", session->messages[session->first_message]);
    *tone = session->tones[session->first_message];
    session->first_message = (session->first_message + 1) % SESSION_MESSAGES;
    session->message_count--;
    return true;
}

void session_say(Session *session, SessionTone tone, const char *format, ...) {
    if (session->message_count == SESSION_MESSAGES) { /* the oldest gives way */
        session->first_message = (session->first_message + 1) % SESSION_MESSAGES;
        session->message_count--;
    }
    size_t place = (session->first_message + session->message_count++) % SESSION_MESSAGES;
    session->tones[place] = tone;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(session->messages[place], SESSION_MESSAGE_SIZE, format, arguments);
    va_end(arguments);
}
