#include "tui/session/session_export.h"

#include "tui/session/session_state.h"
#include "tui/text/format.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the form ---- */

/* The plan on screen is out of date, but better than none until the next is there. */
static void outdate_plan(Session *session) {
    session->is_plan_outdated = true;
}

void session_export_open(Session *session) {
    SessionExportForm *form = &session->export_form;
    const char *sft = session->pair->sft->directory;
    const char *slash = strrchr(sft, '/');
    const char *name = slash == NULL || slash[1] == '\0' ? sft : slash + 1;
    char here[sizeof form->directory / 2];
    if (getcwd(here, sizeof here) == NULL)
        (void)snprintf(here, sizeof here, "."); /* gone, or too long to show */
    (void)snprintf(form->directory, sizeof form->directory, "%s/%.255s-rejuvenated",
                   strcmp(here, "/") == 0 ? "" : here, strcmp(name, ".") == 0 ? "model" : name);
    form->donor = DONOR_SFT;
    form->dtype = DTYPE_UNKNOWN;
    form->shard_bytes = EXPORT_DEFAULT_SHARD_BYTES;
    outdate_plan(session);
}

const SessionExportForm *session_export_form(const Session *session) {
    return &session->export_form;
}

static bool is_busy(const Session *session) {
    return work_is_running(&session->exporting) || work_is_running(&session->verifying) ||
           work_is_running(&session->discarding);
}

static void forget_outcome(Session *session) {
    session->export_outcome = SESSION_EXPORT_IDLE;
    session->export_message[0] = '\0';
    verify_result_free(session->verification);
    session->verification = NULL;
}

bool session_set_export_form(Session *session, const SessionExportForm *form) {
    if (is_busy(session)) return false;
    session->export_form = *form;
    outdate_plan(session);
    forget_outcome(session);
    return true;
}

/* ---- planning, behind the screen: thousands of tensors take a while ---- */

static Status make_plan(const SessionPlanErrand *errand, ExportPlan **plan, Error *error) {
    ExportOptions options = {.settings = errand->settings,
                             .directory = errand->form.directory,
                             .dtype = errand->form.dtype,
                             .shard_bytes = errand->form.shard_bytes,
                             .donor = errand->form.donor};
    return export_plan(errand->pair, &options, plan, error);
}

static Status run_planning(Job *job, void *argument, Error *error) {
    (void)job;
    SessionPlanErrand *errand = argument;
    return make_plan(errand, &errand->plan, error);
}

static SessionPlanErrand describe_plan(const Session *session) {
    return (SessionPlanErrand){
        .pair = session->pair, .settings = session->settings, .form = session->export_form};
}

bool session_export_plan_is_stale(const Session *session) {
    return session->is_plan_outdated || work_is_running(&session->planning) ||
           !settings_equal(&session->plan_settings, &session->settings);
}

/* One plan at a time: dials that turn meanwhile are planned for when it is done, at where they are then. */
static void start_planning(Session *session) {
    if (work_is_running(&session->planning) || is_busy(session)) return;
    session->is_plan_outdated = false;
    session->plan_error = (Error){0};
    session->plan_errand = describe_plan(session);
    session->plan_settings = session->settings;
    if (work_start(&session->planning, 1, run_planning, &session->plan_errand, &session->plan_error) ==
        STATUS_OK)
        return;
    export_plan_free(session->plan);
    session->plan = NULL;
}

const ExportPlan *session_export_plan(Session *session) {
    if (session_export_plan_is_stale(session)) start_planning(session);
    return session->plan;
}

static void collect_plan(Session *session) {
    export_plan_free(session->plan);
    session->plan = session->plan_errand.plan;
    session->plan_error = session->planning.error;
    session->plan_errand.plan = NULL;
}

SessionExportStage session_export_stage(const Session *session) {
    if (work_is_running(&session->exporting)) return SESSION_EXPORT_WRITING;
    if (work_is_running(&session->verifying)) return SESSION_EXPORT_VERIFYING;
    if (work_is_running(&session->discarding)) return SESSION_EXPORT_DISCARDING;
    return session->export_outcome;
}

const char *session_export_message(const Session *session) {
    if (session->export_message[0] != '\0') return session->export_message;
    return session->plan_error.status != STATUS_OK ? session->plan_error.message : NULL;
}

const VerifyResult *session_export_verification(const Session *session) {
    return session->verification;
}

/* ---- running ---- */

/* Plans afresh: what was in the way when the plan on screen was made may be gone, or the reverse. */
static Status run_export(Job *job, void *argument, Error *error) {
    SessionExportErrand *errand = argument;
    Status status = make_plan(&errand->wanted, &errand->plan, error);
    if (status == STATUS_OK) status = export_check(errand->plan, error);
    if (status != STATUS_OK) return status;
    errand->has_begun = true;
    return export_run(errand->plan, job, error);
}

static Status run_verification(Job *job, void *argument, Error *error) {
    SessionExportErrand *errand = argument;
    const VerifyOptions options = {.without_inputs = false};
    return verify_export(errand->plan->directory, &options, job, &errand->result, error);
}

const char *session_export_obstacle(const Session *session) {
    if (session->settings.rho <= 0.0 || session_ranking_is_fresh(session)) return NULL;
    const char *message = session_ranking_message(session);
    return message != NULL ? message : "the neurons are still being ranked";
}

Status session_start_export(Session *session, Error *error) {
    const char *obstacle = session_export_obstacle(session);
    if (is_busy(session)) return status_fail(error, STATUS_ARGUMENT, "an export is running already");
    if (obstacle != NULL)
        return status_fail(error, STATUS_ARGUMENT, "no export: ρ asks for a reset, but %s", obstacle);
    forget_outcome(session);
    /* a plan of its own: the one on screen follows the dials while this one runs */
    session->export_errand = (SessionExportErrand){.wanted = describe_plan(session)};
    return work_start(&session->exporting, session->threads, run_export, &session->export_errand, error);
}

/* ---- what an interrupted one left ---- */

static Status run_discarding(Job *job, void *argument, Error *error) {
    (void)job;
    SessionDiscardErrand *errand = argument;
    return export_discard(errand->directory, &errand->bytes, error);
}

Status session_discard_export(Session *session, Error *error) {
    if (is_busy(session)) return status_fail(error, STATUS_ARGUMENT, "an export is running");
    forget_outcome(session);
    SessionDiscardErrand *errand = &session->discard_errand;
    errand->bytes = 0;
    memcpy(errand->directory, session->export_form.directory, sizeof errand->directory);
    return work_start(&session->discarding, 1, run_discarding, errand, error);
}

static void collect_discarding(Session *session) {
    char text[FORMAT_SIZE];
    outdate_plan(session);
    if (session->discarding.status != STATUS_OK)
        session_say(session, SESSION_ERROR, "%s", session->discarding.error.message);
    else
        session_say(session, SESSION_NOTE, "%s of an interrupted export removed",
                    format_bytes((double)session->discard_errand.bytes, text));
}

/* ---- the end of a run ---- */

static void finish(Session *session, SessionExportStage outcome, SessionTone tone, const char *message) {
    session->export_outcome = outcome;
    (void)snprintf(session->export_message, sizeof session->export_message, "%s", message);
    session_say(session, tone, "%s", session->export_message);
    export_plan_free(session->export_errand.plan);
    session->export_errand.plan = NULL;
    outdate_plan(session); /* the target is there now, or a part of it: the plan on screen has to say so */
}

static void collect_export(Session *session) {
    if (session->exporting.status != STATUS_OK && !session->export_errand.has_begun) {
        finish(session, SESSION_EXPORT_IDLE, SESSION_ERROR, session->exporting.error.message);
        session->export_message[0] = '\0'; /* the plan on screen has it among its findings */
        return;
    }
    if (session->exporting.status != STATUS_OK) {
        finish(session, SESSION_EXPORT_FAILED, SESSION_ERROR, session->exporting.error.message);
        return;
    }
    Error error;
    if (work_start(&session->verifying, session->threads, run_verification, &session->export_errand,
                   &error) != STATUS_OK)
        finish(session, SESSION_EXPORT_FAILED, SESSION_ERROR, error.message);
}

static void collect_verification(Session *session) {
    char message[ERROR_MESSAGE_SIZE + 256];
    session->verification = session->export_errand.result;
    session->export_errand.result = NULL;
    if (session->verifying.status == STATUS_OK) {
        (void)snprintf(message, sizeof message, "written and verified: %s",
                       session->export_errand.plan->directory);
        finish(session, SESSION_EXPORT_DONE, SESSION_GOOD, message);
    } else if (session->verifying.status == STATUS_CANCELLED) {
        (void)snprintf(message, sizeof message, "written, but the verification was cancelled: %s",
                       session->export_errand.plan->directory);
        finish(session, SESSION_EXPORT_DONE, SESSION_WARNING, message);
    } else {
        finish(session, SESSION_EXPORT_FAILED, SESSION_ERROR, session->verifying.error.message);
    }
}

bool session_export_refresh(Session *session) {
    bool changed = work_poll(&session->planning);
    if (changed) collect_plan(session);
    if (work_poll(&session->exporting)) {
        collect_export(session);
        changed = true;
    }
    if (work_poll(&session->verifying)) {
        collect_verification(session);
        changed = true;
    }
    if (work_poll(&session->discarding)) {
        collect_discarding(session);
        changed = true;
    }
    return changed;
}

const char *session_leave_export(Session *session) {
    Work *works[] = {&session->exporting, &session->verifying, &session->discarding};
    if (!is_busy(session)) return NULL;
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) (void)work_cancel(works[i]);
    while (is_busy(session)) {
        if (work_wait(&session->exporting)) collect_export(session);
        (void)work_cancel(&session->verifying); /* it follows an export that was done just now */
        if (work_wait(&session->verifying)) collect_verification(session);
        if (work_wait(&session->discarding)) {
            collect_discarding(session);
            return "what an interrupted export left is removed";
        }
    }
    return session->export_message;
}

void session_export_close(Session *session) {
    work_stop(&session->exporting);
    work_stop(&session->verifying);
    work_stop(&session->discarding);
    work_stop(&session->planning);
    export_plan_free(session->export_errand.plan);
    export_plan_free(session->plan_errand.plan);
    verify_result_free(session->export_errand.result);
    verify_result_free(session->verification);
    export_plan_free(session->plan);
}
