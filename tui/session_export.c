#include "tui/session_export.h"

#include "tui/session_state.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the form and its plan ---- */

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
}

const SessionExportForm *session_export_form(const Session *session) {
    return &session->export_form;
}

static void forget_plan(Session *session) {
    export_plan_free(session->plan);
    session->plan = NULL;
    session->is_plan_tried = false;
    session->plan_error = (Error){0};
}

static bool is_busy(const Session *session) {
    return work_is_running(&session->exporting) || work_is_running(&session->verifying);
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
    forget_plan(session);
    forget_outcome(session);
    return true;
}

static Status make_plan(const Session *session, ExportPlan **plan, Error *error) {
    ExportOptions options = {.settings = session->settings,
                             .directory = session->export_form.directory,
                             .dtype = session->export_form.dtype,
                             .shard_bytes = session->export_form.shard_bytes,
                             .donor = session->export_form.donor};
    return export_plan(session->pair, &options, plan, error);
}

const ExportPlan *session_export_plan(Session *session) {
    if (session->is_plan_tried && !settings_equal(&session->plan_settings, &session->settings))
        forget_plan(session);
    if (!session->is_plan_tried) {
        session->is_plan_tried = true;
        session->plan_settings = session->settings;
        if (make_plan(session, &session->plan, &session->plan_error) != STATUS_OK) session->plan = NULL;
    }
    return session->plan;
}

SessionExportStage session_export_stage(const Session *session) {
    if (work_is_running(&session->exporting)) return SESSION_EXPORT_WRITING;
    if (work_is_running(&session->verifying)) return SESSION_EXPORT_VERIFYING;
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

static Status run_export(Job *job, void *argument, Error *error) {
    SessionExportErrand *errand = argument;
    return export_run(errand->plan, job, error);
}

static Status run_verification(Job *job, void *argument, Error *error) {
    SessionExportErrand *errand = argument;
    const VerifyOptions options = {.without_inputs = false};
    return verify_export(errand->plan->directory, &options, job, &errand->result, error);
}

Status session_start_export(Session *session, Error *error) {
    if (is_busy(session)) return status_fail(error, STATUS_ARGUMENT, "an export is running already");
    forget_outcome(session);
    /* a plan of its own: the one on screen follows the dials while this one runs */
    Status status = make_plan(session, &session->export_errand.plan, error);
    if (status == STATUS_OK) status = export_check(session->export_errand.plan, error);
    if (status == STATUS_OK)
        status =
            work_start(&session->exporting, session->threads, run_export, &session->export_errand, error);
    if (status == STATUS_OK) return STATUS_OK;
    export_plan_free(session->export_errand.plan);
    session->export_errand.plan = NULL;
    return status;
}

Status session_discard_export(Session *session, uint64_t *bytes, Error *error) {
    if (is_busy(session)) return status_fail(error, STATUS_ARGUMENT, "an export is running");
    forget_plan(session);
    forget_outcome(session);
    return export_discard(session->export_form.directory, bytes, error);
}

static void finish(Session *session, SessionExportStage outcome, SessionTone tone, const char *message) {
    session->export_outcome = outcome;
    (void)snprintf(session->export_message, sizeof session->export_message, "%s", message);
    session_say(session, tone, "%s", session->export_message);
    export_plan_free(session->export_errand.plan);
    session->export_errand.plan = NULL;
    forget_plan(session); /* the target is there now, or a part of it: the plan on screen has to say so */
}

static void collect_export(Session *session) {
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
    if (work_poll(&session->exporting)) {
        collect_export(session);
        return true;
    }
    if (work_poll(&session->verifying)) {
        collect_verification(session);
        return true;
    }
    return false;
}

void session_export_close(Session *session) {
    work_stop(&session->exporting);
    work_stop(&session->verifying);
    export_plan_free(session->export_errand.plan);
    verify_result_free(session->export_errand.result);
    verify_result_free(session->verification);
    export_plan_free(session->plan);
}
