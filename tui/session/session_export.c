#include "tui/session/session_export.h"

#include "core/support/memory.h"
#include "tui/session/session_files.h"
#include "tui/session/session_internal.h"
#include "tui/session/session_neurons.h"
#include "tui/text/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each errand is its job thread's while that runs. */
typedef struct PlanErrand {
    const Pair *pair;
    Settings settings;
    SessionExportForm form;
    ExportPlan *plan;
} PlanErrand;

typedef struct DiscardErrand {
    char directory[sizeof((SessionExportForm *)NULL)->directory];
    uint64_t bytes;
} DiscardErrand;

typedef struct ExportErrand { /* of `exporting`, then of `verifying` */
    PlanErrand wanted;
    ExportPlan *plan;
    bool has_begun; /* something may have been written */
    VerifyResult *result;
} ExportErrand;

/* All but the errands is the UI thread's. */
struct SessionExportPart {
    SessionExportForm form;
    ExportPlan *plan;       /* the last one, or NULL */
    Settings plan_settings; /* that the last one was tried at */
    bool is_plan_outdated;  /* by something else than settings */
    Error plan_error;
    Task planning, discarding;
    PlanErrand plan_errand;
    DiscardErrand discard_errand;
    Task exporting, verifying;
    ExportErrand errand;
    VerifyResult *verification;
    SessionExportStage outcome; /* IDLE, DONE or FAILED */
    char message[ERROR_MESSAGE_SIZE + 512];
};

/* ---- the form ---- */

/* The plan on screen is out of date, but better than none until the next is there. */
static void outdate_plan(Session *session) {
    session->export->is_plan_outdated = true;
}

static void fill_form(Session *session) {
    SessionExportForm *form = &session->export->form;
    const char *sft = session->pair->sft->directory;
    const char *slash = strrchr(sft, '/');
    const char *name = slash == NULL || slash[1] == '\0' ? sft : slash + 1;
    char here[sizeof form->directory / 2];
    if (getcwd(here, sizeof here) == NULL)
        (void)snprintf(here, sizeof here, "."); /* gone, or too long to show */
    (void)snprintf(form->directory, sizeof form->directory, "%s/%.255s-rejuvenated",
                   strcmp(here, "/") == 0 ? "" : here, strcmp(name, ".") == 0 ? "model" : name);
    form->is_suggested = true;
    form->donor = DONOR_SFT;
    form->dtype = DTYPE_UNKNOWN;
    form->shard_bytes = EXPORT_DEFAULT_SHARD_BYTES;
    outdate_plan(session);
}

Status session_export_open(Session *session, const struct SessionOptions *options, Error *error) {
    session->export = memory_allocate(1, sizeof *session->export);
    if (session->export == NULL) return memory_fail(error, "the session");
    struct SessionExportPart *export = session->export;
    export->form.allow_unmatched = options->allow_unmatched;
    export->planning.label = "export plan";
    export->planning.runs_to_end = true; /* the next drawing would only begin it again */
    export->discarding.label = "removing";
    export->discarding.runs_to_end = true;
    export->exporting.label = "export";
    export->exporting.unit = "B";
    export->verifying.label = "verifying";
    export->verifying.unit = "B";
    fill_form(session);
    return STATUS_OK;
}

void session_export_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_EXPORT] = &session->export->exporting;
    tasks[SESSION_TASK_VERIFICATION] = &session->export->verifying;
    tasks[SESSION_TASK_REMOVAL] = &session->export->discarding;
    tasks[SESSION_TASK_PLAN] = &session->export->planning;
}

const SessionExportForm *session_export_form(const Session *session) {
    return &session->export->form;
}

bool session_export_form_name(SessionExportForm *form, const char *directory) {
    if (*directory == '\0' || strlen(directory) >= sizeof form->directory) return false;
    if (strcmp(directory, form->directory) != 0) form->is_suggested = false;
    (void)snprintf(form->directory, sizeof form->directory, "%s", directory);
    return true;
}

static bool is_busy(const Session *session) {
    return task_is_running(&session->export->exporting) || task_is_running(&session->export->verifying) ||
           task_is_running(&session->export->discarding);
}

static void forget_outcome(Session *session) {
    session->export->outcome = SESSION_EXPORT_IDLE;
    session->export->message[0] = '\0';
    verify_result_free(session->export->verification);
    session->export->verification = NULL;
}

bool session_set_export_form(Session *session, const SessionExportForm *form) {
    if (is_busy(session)) return false;
    session->export->form = *form;
    outdate_plan(session);
    forget_outcome(session);
    return true;
}

/* ---- planning, behind the screen: thousands of tensors take a while ---- */

static Status make_plan(const PlanErrand *errand, ExportPlan **plan, Error *error) {
    ExportOptions options = {.settings = errand->settings,
                             .directory = errand->form.directory,
                             .dtype = errand->form.dtype,
                             .shard_bytes = errand->form.shard_bytes,
                             .donor = errand->form.donor,
                             .allow_unmatched = errand->form.allow_unmatched};
    return export_plan(errand->pair, &options, plan, error);
}

static Status run_planning(Job *job, void *argument, Error *error) {
    (void)job;
    PlanErrand *errand = argument;
    return make_plan(errand, &errand->plan, error);
}

static PlanErrand describe_plan(const Session *session) {
    return (PlanErrand){.pair = session->pair, .settings = session->settings, .form = session->export->form};
}

bool session_export_plan_is_stale(const Session *session) {
    return session->export->is_plan_outdated || task_is_running(&session->export->planning) ||
           !settings_equal(&session->export->plan_settings, &session->settings);
}

/* One plan at a time: dials that turn meanwhile are planned for when it is done, at where they are then. */
static void start_planning(Session *session) {
    if (task_is_running(&session->export->planning) || is_busy(session)) return;
    session->export->is_plan_outdated = false;
    session->export->plan_error = (Error){0};
    session->export->plan_errand = describe_plan(session);
    session->export->plan_settings = session->settings;
    if (task_start(&session->export->planning, 1, run_planning, &session->export->plan_errand,
                   &session->export->plan_error) == STATUS_OK)
        return;
    export_plan_free(session->export->plan);
    session->export->plan = NULL;
}

const ExportPlan *session_export_plan(Session *session) {
    if (session_export_plan_is_stale(session)) start_planning(session);
    return session->export->plan;
}

static void collect_plan(Session *session) {
    export_plan_free(session->export->plan);
    session->export->plan = session->export->plan_errand.plan;
    session->export->plan_error = session->export->planning.error;
    session->export->plan_errand.plan = NULL;
}

SessionExportStage session_export_stage(const Session *session) {
    if (task_is_running(&session->export->exporting)) return SESSION_EXPORT_WRITING;
    if (task_is_running(&session->export->verifying)) return SESSION_EXPORT_VERIFYING;
    if (task_is_running(&session->export->discarding)) return SESSION_EXPORT_DISCARDING;
    return session->export->outcome;
}

const char *session_export_message(const Session *session) {
    if (session->export->message[0] != '\0') return session->export->message;
    return session->export->plan_error.status != STATUS_OK ? session->export->plan_error.message : NULL;
}

const VerifyResult *session_export_verification(const Session *session) {
    return session->export->verification;
}

/* ---- running ---- */

/* Plans afresh: what was in the way when the plan on screen was made may be gone, or the reverse. */
static Status run_export(Job *job, void *argument, Error *error) {
    ExportErrand *errand = argument;
    Status status = make_plan(&errand->wanted, &errand->plan, error);
    if (status == STATUS_OK) status = export_check(errand->plan, error);
    if (status != STATUS_OK) return status;
    errand->has_begun = true;
    return export_run(errand->plan, job, error);
}

static Status run_verification(Job *job, void *argument, Error *error) {
    ExportErrand *errand = argument;
    const VerifyOptions options = {.made = errand->plan, .written = errand->plan->recipe};
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
    session->export->errand = (ExportErrand){.wanted = describe_plan(session)};
    return task_start(&session->export->exporting, session->threads, run_export, &session->export->errand,
                      error);
}

/* ---- what an interrupted one left ---- */

static Status run_discarding(Job *job, void *argument, Error *error) {
    (void)job;
    DiscardErrand *errand = argument;
    return export_discard(errand->directory, &errand->bytes, error);
}

Status session_discard_export(Session *session, Error *error) {
    if (is_busy(session)) return status_fail(error, STATUS_ARGUMENT, "an export is running");
    forget_outcome(session);
    DiscardErrand *errand = &session->export->discard_errand;
    errand->bytes = 0;
    memcpy(errand->directory, session->export->form.directory, sizeof errand->directory);
    return task_start(&session->export->discarding, 1, run_discarding, errand, error);
}

static void collect_discarding(Session *session) {
    char text[FORMAT_SIZE];
    outdate_plan(session);
    if (session->export->discarding.status != STATUS_OK)
        session_say(session, SESSION_ERROR, "%s", session->export->discarding.error.message);
    else
        session_say(session, SESSION_NOTE, "%s of an interrupted export removed",
                    format_bytes((double)session->export->discard_errand.bytes, text));
}

/* ---- the end of a run ---- */

static void finish(Session *session, SessionExportStage outcome, SessionTone tone, const char *message) {
    session->export->outcome = outcome;
    (void)snprintf(session->export->message, sizeof session->export->message, "%s", message);
    session_say(session, tone, "%s", session->export->message);
    export_plan_free(session->export->errand.plan);
    session->export->errand.plan = NULL;
    outdate_plan(session); /* the target is there now, or a part of it: the plan on screen has to say so */
}

static void collect_export(Session *session) {
    if (session->export->exporting.status != STATUS_OK && !session->export->errand.has_begun) {
        finish(session, SESSION_EXPORT_IDLE, SESSION_ERROR, session->export->exporting.error.message);
        session->export->message[0] = '\0'; /* the plan on screen has it among its findings */
        return;
    }
    if (session->export->exporting.status != STATUS_OK) {
        finish(session, SESSION_EXPORT_FAILED, SESSION_ERROR, session->export->exporting.error.message);
        return;
    }
    Error error;
    if (task_start(&session->export->verifying, session->threads, run_verification, &session->export->errand,
                   &error) != STATUS_OK)
        finish(session, SESSION_EXPORT_FAILED, SESSION_ERROR, error.message);
}

static void collect_verification(Session *session) {
    char message[ERROR_MESSAGE_SIZE + 256];
    session->export->verification = session->export->errand.result;
    session->export->errand.result = NULL;
    if (session->export->verifying.status == STATUS_OK) {
        (void)snprintf(message, sizeof message, "written and verified: %s",
                       session->export->errand.plan->directory);
        finish(session, SESSION_EXPORT_DONE, SESSION_GOOD, message);
    } else if (session->export->verifying.status == STATUS_CANCELLED) {
        (void)snprintf(message, sizeof message, "written, but the verification was cancelled: %s",
                       session->export->errand.plan->directory);
        finish(session, SESSION_EXPORT_DONE, SESSION_WARNING, message);
    } else {
        finish(session, SESSION_EXPORT_FAILED, SESSION_ERROR, session->export->verifying.error.message);
    }
}

bool session_export_refresh(Session *session) {
    bool changed = task_poll(&session->export->planning);
    if (changed) collect_plan(session);
    if (task_poll(&session->export->exporting)) {
        collect_export(session);
        changed = true;
    }
    if (task_poll(&session->export->verifying)) {
        collect_verification(session);
        changed = true;
    }
    if (task_poll(&session->export->discarding)) {
        collect_discarding(session);
        changed = true;
    }
    return changed;
}

const char *session_leave_export(Session *session) {
    Task *works[] = {&session->export->exporting, &session->export->verifying, &session->export->discarding};
    if (!is_busy(session)) return NULL;
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) (void)task_cancel(works[i]);
    while (is_busy(session)) {
        if (task_wait(&session->export->exporting)) collect_export(session);
        (void)task_cancel(&session->export->verifying); /* it follows an export that was done just now */
        if (task_wait(&session->export->verifying)) collect_verification(session);
        if (task_wait(&session->export->discarding)) {
            collect_discarding(session);
            return "what an interrupted export left is removed";
        }
    }
    return session->export->message;
}

void session_export_free(Session *session) {
    if (session->export == NULL) return;
    task_stop(&session->export->exporting);
    task_stop(&session->export->verifying);
    task_stop(&session->export->discarding);
    task_stop(&session->export->planning);
    export_plan_free(session->export->errand.plan);
    export_plan_free(session->export->plan_errand.plan);
    verify_result_free(session->export->errand.result);
    verify_result_free(session->export->verification);
    export_plan_free(session->export->plan);
    free(session->export);
}
