#include "tui/session/session_files.h"

#include "core/chat/chat_difference.h"
#include "core/checkpoint/nonfinite.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_findings.h"
#include "tui/session/session_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tokenizers, chat templates and the first calibration rows: the job thread's while `loading` runs. */
typedef struct Load {
    const char *base_directory, *sft_directory;
    TokenizerRule rule;
    char *rows_path, *end_token, *chat_template; /* NULL: none */
    const ModelConfig *config;                   /* NULL where the model cannot be run */
    Tokenizer *base, *sft;
    FindingList templates; /* how the chat templates of both differ */
    ChatSource *chat;      /* of SFT's directory; NULL: there is none, or chat_error says why */
    Calibration *rows;     /* until session_files_take_rows() */
    Error base_error, sft_error, chat_error, rows_error, difference;
} Load;

typedef struct ScanErrand {
    const Pair *pair;
    DriftTable *table;
} ScanErrand;

/* The drift table may be read by the UI thread while `scanning`, or the cache's job, fills it (core/drift/drift.h).
 * All else but `load` is the UI thread's. */
struct SessionFilesPart {
    Task loading;
    Load load;
    DriftTable *drift;
    Task scanning;
    ScanErrand scan_errand;
    bool is_scan_wanted, has_told_values;
    /* about tokenizers, rows and values: the pair's own do not change, for jobs check them */
    FindingList findings;
};

/* ---- tokenizers and calibration rows, behind the first screen ---- */

static Status load_tokenizer(const char *directory, TokenizerRule rule, Tokenizer **tokenizer, Error *error) {
    Status status = tokenizer_open_directory(directory, rule, tokenizer, error);
    if (status == STATUS_OK && *tokenizer == NULL)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: there is no %s: prompts have to be token ids",
                           directory, tokenizer_absence(rule));
    return status;
}

Status session_read_rows(const char *path, const CalibrationReading *reading, Job *job,
                         Calibration **calibration, Error *error) {
    CalibrationReading limited = *reading;
    limited.limit = SESSION_ROWS_LIMIT + 1;
    *calibration = NULL;
    if (strcmp(path, "-") == 0)
        return status_fail(error, STATUS_ARGUMENT,
                           "rows cannot come from standard input here, which is the keyboard: give a file");
    Status status = calibration_read(path, &limited, job, calibration, error);
    if (status == STATUS_OK && (*calibration)->count > SESSION_ROWS_LIMIT)
        status = status_fail(error, STATUS_UNSUPPORTED,
                             "%s: expected %d calibration rows at most, found more: measure on some of them",
                             path, (int)SESSION_ROWS_LIMIT);
    if (status == STATUS_OK) return STATUS_OK;
    calibration_free(*calibration);
    *calibration = NULL;
    return status;
}

static Status load(Job *job, void *argument, Error *error) {
    Load *load = argument;
    (void)job_report(job, "loading", 0, 3);
    Status sft = load_tokenizer(load->sft_directory, load->rule, &load->sft, &load->sft_error);
    if (chat_source_open(load->sft_directory, &load->chat, &load->chat_error) == STATUS_OK)
        load->chat_error = (Error){0}; /* what is wrong is a finding too: chat_difference_warn() */
    (void)job_report(job, "loading", 1, 3);
    Status base = load_tokenizer(load->base_directory, load->rule, &load->base, &load->base_error);
    if (sft == STATUS_OK && base == STATUS_OK) {
        Status compared = tokenizer_compare(load->base, load->sft, &load->difference);
        if (compared == STATUS_OK) load->difference = (Error){0};
    }
    Status told = chat_difference_warn(load->base_directory, load->sft_directory, &load->templates, error);
    if (told != STATUS_OK) return told;
    (void)job_report(job, "loading", 2, 3);
    if (load->rows_path != NULL && load->config != NULL) {
        /* a failure stays in rows_error: the session goes on without rows */
        const CalibrationReading reading = {.tokenizer = load->sft,
                                            .config = load->config,
                                            .end_token = load->end_token,
                                            .directory = load->sft_directory,
                                            .template = load->chat_template};
        Status read = session_read_rows(load->rows_path, &reading, job, &load->rows, &load->rows_error);
        if (read == STATUS_OK) load->rows_error = (Error){0};
    }
    return job_report(job, "loading", 3, 3) ? STATUS_OK : job_cancelled(error);
}

static void note_findings(Session *session) {
    const Load *loaded = &session->files->load;
    Error error;
    Status status = STATUS_OK;
    if (loaded->difference.status != STATUS_OK)
        status = finding_add(&session->files->findings, SEVERITY_WARNING, "tokenizer", &error, "%s",
                             loaded->difference.message);
    else if (loaded->sft == NULL)
        status = finding_add(&session->files->findings, SEVERITY_WARNING, "tokenizer", &error, "%s",
                             loaded->sft_error.message);
    else if (loaded->base == NULL)
        status = finding_add(&session->files->findings, SEVERITY_NOTE, "tokenizer", &error,
                             "base: %s; SFT's is used", loaded->base_error.message);
    uint64_t rows = loaded->config != NULL ? architecture_embedding_rows(loaded->config) : 0;
    if (status == STATUS_OK)
        status = tokenizer_findings_add(loaded->base, loaded->sft, rows, &session->files->findings, &error);
    if (status == STATUS_OK) status = finding_add_all(&session->files->findings, &loaded->templates, &error);
    if (status == STATUS_OK && loaded->rows_error.status != STATUS_OK)
        status = finding_add(&session->files->findings, SEVERITY_WARNING, SESSION_ROWS_SUBJECT, &error, "%s",
                             loaded->rows_error.message);
    if (status != STATUS_OK) session_say(session, SESSION_ERROR, "%s", error.message);
}

/* ---- opening ---- */

static Status scan(Job *job, void *argument, Error *error) {
    const ScanErrand *errand = argument;
    return drift_scan(errand->pair, errand->table, job, error);
}

static Status prepare_load(Session *session, const SessionOptions *options, Error *error) {
    Load *errand = &session->files->load;
    errand->config = session->model != NULL ? session->model->config : NULL;
    errand->base_directory = checkpoint_text_directory(session->pair->base);
    errand->sft_directory = checkpoint_text_directory(session->pair->sft);
    errand->rule = options->tokenizer_rule;
    const struct {
        const char *text;
        char **copy;
    } TEXTS[] = {{options->end_token, &errand->end_token},
                 {options->chat_template, &errand->chat_template},
                 {options->calibration, &errand->rows_path}};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        if (TEXTS[i].text == NULL) continue;
        *TEXTS[i].copy = memory_copy_text(TEXTS[i].text, strlen(TEXTS[i].text));
        if (*TEXTS[i].copy == NULL) return memory_fail(error, "the session");
    }
    return STATUS_OK;
}

Status session_files_open(Session *session, const SessionOptions *options, Error *error) {
    session->files = memory_allocate(1, sizeof *session->files);
    if (session->files == NULL) return memory_fail(error, "the session");
    struct SessionFilesPart *files = session->files;
    files->loading.label = "loading tokenizers";
    files->scanning.label = "drift";
    files->scanning.unit = "B";
    files->is_scan_wanted = true;
    Status status = drift_table_create(session->pair, &files->drift, error);
    if (status == STATUS_OK) status = prepare_load(session, options, error);
    files->scan_errand = (ScanErrand){session->pair, files->drift};
    return status == STATUS_OK ? task_start(&files->loading, 1, load, &files->load, error) : status;
}

void session_files_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_LOADING] = &session->files->loading;
    tasks[SESSION_TASK_DRIFT] = &session->files->scanning;
}

bool session_files_cancel_scan(Session *session, SessionTask task) {
    (void)task;
    session->files->is_scan_wanted = false;
    return task_cancel(&session->files->scanning);
}

void session_files_free(Session *session) {
    struct SessionFilesPart *files = session->files;
    if (files == NULL) return;
    task_stop(&files->loading);
    task_stop(&files->scanning);
    drift_table_free(files->drift);
    tokenizer_free(files->load.base);
    tokenizer_free(files->load.sft);
    chat_source_close(files->load.chat);
    calibration_free(files->load.rows);
    finding_free(&files->load.templates);
    finding_free(&files->findings);
    free(files->load.rows_path);
    free(files->load.end_token);
    free(files->load.chat_template);
    free(files);
}

Calibration *session_files_take_rows(Session *session, Error *error) {
    Load *loaded = &session->files->load;
    Calibration *rows = loaded->rows;
    *error = loaded->rows_error;
    loaded->rows = NULL;
    return rows;
}

DriftTable *session_files_drift_table(Session *session) {
    return session->files->drift;
}

/* What the scan saw on each side that is NaN or infinite; once, when all of it is there. */
static void tell_values(Session *session) {
    const Pair *pair = session->pair;
    NonfiniteTensors sides[2] = {{0}, {0}};
    FindingList *findings = &session->files->findings;
    DriftRow row;
    Error error;
    session->files->has_told_values = true;
    for (size_t i = 0; i < pair->count; i++) {
        if (!drift_table_row(session->files->drift, i, &row)) continue;
        nonfinite_add(&sides[0], pair->tensors[i].name, row.base_nonfinite);
        nonfinite_add(&sides[1], pair->tensors[i].name, row.sft_nonfinite);
    }
    Status status = nonfinite_tell(&sides[0], findings, "base", "", &error);
    if (status == STATUS_OK) status = nonfinite_tell(&sides[1], findings, "sft", "", &error);
    buffer_free(&sides[1].names); /* after a failure it has some */
    if (status != STATUS_OK) session_say(session, SESSION_ERROR, "%s", error.message);
}

bool session_files_refresh(Session *session, bool may_scan, bool *has_loaded) {
    bool changed = false;
    *has_loaded = false;
    if (task_poll(&session->files->loading)) {
        note_findings(session);
        *has_loaded = changed = true;
    }
    if (task_poll(&session->files->scanning)) {
        changed = true;
        if (session->files->scanning.status != STATUS_OK &&
            session->files->scanning.status != STATUS_CANCELLED) {
            session->files->is_scan_wanted = false;
            session_say(session, SESSION_ERROR, "%s", session->files->scanning.error.message);
        }
    }
    bool complete = drift_table_ready(session->files->drift) == drift_table_count(session->files->drift);
    if (complete && !session->files->has_told_values) {
        tell_values(session);
        changed = true;
    }
    if (session->files->is_scan_wanted && !complete && may_scan &&
        !task_is_running(&session->files->scanning)) {
        Error error;
        if (task_start(&session->files->scanning, session->threads, scan, &session->files->scan_errand,
                       &error) != STATUS_OK) {
            session->files->is_scan_wanted = false;
            session_say(session, SESSION_ERROR, "%s", error.message);
        }
        changed = true;
    }
    return changed;
}

/* ---- what is open ---- */

const Pair *session_pair(const Session *session) {
    return session->pair;
}

const Model *session_model(const Session *session) {
    return session->model;
}

const char *session_model_error(const Session *session) {
    return session->model == NULL ? session->model_error.message : NULL;
}

const Tokenizer *session_tokenizer(const Session *session, const char **message) {
    bool loading = task_is_running(&session->files->loading);
    if (message != NULL)
        *message = loading ? "loading the tokenizer" : session->files->load.sft_error.message;
    return loading ? NULL : session->files->load.sft;
}

const ChatSource *session_files_chat_source(const Session *session, const char **message) {
    const Load *load = &session->files->load;
    bool loading = task_is_running(&session->files->loading);
    *message = loading                                ? "loading chat templates"
               : load->chat_error.status != STATUS_OK ? load->chat_error.message
                                                      : "the SFT model's directory has no chat template";
    return loading ? NULL : load->chat;
}

CalibrationReading session_rows_reading(const Session *session) {
    return (CalibrationReading){.tokenizer = session_tokenizer(session, NULL),
                                .config = session->model->config,
                                .end_token = session->files->load.end_token,
                                .directory = session->files->load.sft_directory,
                                .template = session->files->load.chat_template};
}

const char *session_end_token(const Session *session) {
    return session->files->load.end_token;
}

const char *session_chat_template(const Session *session) {
    return session->files->load.chat_template;
}

TokenizerRule session_tokenizer_rule(const Session *session) {
    return session->files->load.rule;
}

const Tokenizer *session_base_tokenizer(const Session *session) {
    return task_is_running(&session->files->loading) ? NULL : session->files->load.base;
}

bool session_tokenizers_are_loading(const Session *session) {
    return task_is_running(&session->files->loading);
}

/* ---- findings ---- */

size_t session_finding_count(const Session *session) {
    return session->pair->findings.count + session->files->findings.count;
}

/* The pair's come first. */
static const Finding *find_any(const Session *session, size_t index) {
    const FindingList *of_pair = &session->pair->findings, *own = &session->files->findings;
    return index < of_pair->count ? &of_pair->items[index] : &own->items[index - of_pair->count];
}

const Finding *session_finding(const Session *session, size_t index) {
    size_t count = session_finding_count(session);
    for (int severity = SEVERITY_ERROR; severity >= SEVERITY_NOTE; severity--) {
        for (size_t i = 0; i < count; i++) {
            const Finding *finding = find_any(session, i);
            if (finding->severity == (Severity)severity && index-- == 0) return finding;
        }
    }
    return NULL;
}

void session_files_note_rows(Session *session, const Calibration *rows) {
    char remark[CALIBRATION_REMARK_SIZE];
    Error error;
    for (size_t i = 0; calibration_remark(rows, i, remark); i++) {
        if (finding_add(&session->files->findings, SEVERITY_WARNING, SESSION_ROWS_SUBJECT, &error, "%s",
                        remark) != STATUS_OK)
            session_say(session, SESSION_ERROR, "%s", error.message);
    }
}

void session_files_take_back(Session *session, const char *subject) {
    finding_remove(&session->files->findings, subject);
}

/* ---- drift ---- */

const DriftTable *session_drift(const Session *session) {
    return session->files->drift;
}

bool session_drift_is_running(const Session *session) {
    return task_is_running(&session->files->scanning);
}

void session_resume_drift(Session *session) {
    session->files->is_scan_wanted = true;
}

size_t session_token_bytes(const Session *session, int32_t id, char *text, size_t size) {
    const Tokenizer *tokenizer = session_tokenizer(session, NULL);
    char *bytes = NULL;
    size_t count = 0;
    if (tokenizer == NULL || tokenizer_token_bytes(tokenizer, id, &bytes, &count, NULL) != STATUS_OK) {
        int length = snprintf(text, size, "#%d", id);
        return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
    }
    if (count > size - 1) count = size - 1;
    memcpy(text, bytes, count);
    text[count] = '\0';
    free(bytes);
    return count;
}
