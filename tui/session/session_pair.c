#include "tui/session/session_pair.h"

#include "core/support/memory.h"
#include "tui/session/session_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- tokenizers and calibration rows, behind the first screen ---- */

static Status load_tokenizer(const char *path, Tokenizer **tokenizer, Error *error) {
    if (access(path, F_OK) != 0)
        return status_fail(error, STATUS_UNSUPPORTED, "there is no %s: prompts have to be token ids", path);
    return tokenizer_open(path, tokenizer, error);
}

static Status load(Job *job, void *argument, Error *error) {
    SessionLoad *load = argument;
    (void)job_report(job, "loading", 0, 3);
    Status sft = load_tokenizer(load->sft_path, &load->sft, &load->sft_error);
    (void)job_report(job, "loading", 1, 3);
    Status base = load_tokenizer(load->base_path, &load->base, &load->base_error);
    if (sft == STATUS_OK && base == STATUS_OK) {
        Status compared = tokenizer_compare(load->base, load->sft, &load->difference);
        if (compared == STATUS_OK) load->difference = (Error){0};
    }
    (void)job_report(job, "loading", 2, 3);
    if (load->calibration_path != NULL && load->config != NULL) {
        /* a failure stays in calibration_error: the session goes on without rows */
        Status read = session_read_rows(load->calibration_path, load->sft, load->config, job,
                                        &load->calibration, &load->calibration_error);
        if (read == STATUS_OK) {
            memcpy(load->calibration_sha256, load->calibration->sha256, HASH_HEX_SIZE);
            load->calibration_error = (Error){0};
        }
    }
    return job_report(job, "loading", 3, 3) ? STATUS_OK : job_cancelled(error);
}

static void begin_with_tokenizers(Session *session) {
    const SessionLoad *loaded = &session->load;
    Error error;
    Status status = STATUS_OK;
    if (loaded->difference.status != STATUS_OK)
        status = finding_add(&session->pair->findings, SEVERITY_WARNING, "tokenizer", &error, "%s",
                             loaded->difference.message);
    else if (loaded->sft == NULL)
        status = finding_add(&session->pair->findings, SEVERITY_WARNING, "tokenizer", &error, "%s",
                             loaded->sft_error.message);
    else if (loaded->base == NULL)
        status = finding_add(&session->pair->findings, SEVERITY_NOTE, "tokenizer", &error,
                             "base: %s; SFT's is used", loaded->base_error.message);
    if (status == STATUS_OK && loaded->calibration_error.status != STATUS_OK)
        status = finding_add(&session->pair->findings, SEVERITY_WARNING, SESSION_ROWS_SUBJECT, &error, "%s",
                             loaded->calibration_error.message);
    if (status != STATUS_OK) session_say(session, SESSION_ERROR, "%s", error.message);
    session_tune_begin(session);
    session_method_begin(session);
    session_prompt_begin(session);
}

/* ---- opening ---- */

static Status scan(Job *job, void *argument, Error *error) {
    const Session *session = argument; /* pair and table do not change while the scan runs */
    return drift_scan(session->pair, session->drift, job, error);
}

Status session_pair_open(Session *session, const SessionOptions *options, Error *error) {
    session->load.base_path = checkpoint_path(session->pair->base, "tokenizer.json");
    session->load.sft_path = checkpoint_path(session->pair->sft, "tokenizer.json");
    bool complete = session->load.base_path != NULL && session->load.sft_path != NULL;
    if (options->calibration != NULL) {
        session->load.calibration_path = memory_copy_text(options->calibration, strlen(options->calibration));
        complete = complete && session->load.calibration_path != NULL;
    }
    if (options->prompt != NULL) {
        session->first_prompt = memory_copy_text(options->prompt, strlen(options->prompt));
        complete = complete && session->first_prompt != NULL;
    }
    return complete ? STATUS_OK : memory_fail(error, "the session");
}

Status session_pair_load(Session *session, Error *error) {
    return work_start(&session->loading, 1, load, &session->load, error);
}

void session_pair_close(Session *session) {
    work_stop(&session->loading);
    work_stop(&session->scanning);
    drift_table_free(session->drift);
    tokenizer_free(session->load.base);
    tokenizer_free(session->load.sft);
    calibration_free(session->load.calibration);
    free(session->load.base_path);
    free(session->load.sft_path);
    free(session->load.calibration_path);
    free(session->first_prompt);
    model_close(session->model);
    pair_close(session->pair);
}

bool session_pair_refresh(Session *session) {
    bool changed = false;
    if (work_poll(&session->loading)) {
        begin_with_tokenizers(session);
        changed = true;
    }
    if (work_poll(&session->scanning)) {
        changed = true;
        if (session->scanning.status != STATUS_OK && session->scanning.status != STATUS_CANCELLED) {
            session->is_scan_wanted = false;
            session_say(session, SESSION_ERROR, "%s", session->scanning.error.message);
        }
    }
    bool complete = drift_table_ready(session->drift) == drift_table_count(session->drift);
    if (session->is_scan_wanted && !complete && !work_is_running(&session->scanning) &&
        !session_cache_holds_drift(session)) {
        Error error;
        if (work_start(&session->scanning, session->threads, scan, session, &error) != STATUS_OK) {
            session->is_scan_wanted = false;
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
    bool loading = work_is_running(&session->loading);
    if (message != NULL) *message = loading ? "loading the tokenizer" : session->load.sft_error.message;
    return loading ? NULL : session->load.sft;
}

const Tokenizer *session_base_tokenizer(const Session *session) {
    return work_is_running(&session->loading) ? NULL : session->load.base;
}

bool session_tokenizers_are_loading(const Session *session) {
    return work_is_running(&session->loading);
}

size_t session_finding_count(const Session *session) {
    return session->pair->findings.count;
}

const Finding *session_finding(const Session *session, size_t index) {
    for (int severity = SEVERITY_ERROR; severity >= SEVERITY_NOTE; severity--) {
        for (size_t i = 0; i < session->pair->findings.count; i++) {
            if (session->pair->findings.items[i].severity == (Severity)severity && index-- == 0)
                return &session->pair->findings.items[i];
        }
    }
    return NULL;
}

const DriftTable *session_drift(const Session *session) {
    return session->drift;
}

bool session_drift_is_running(const Session *session) {
    return work_is_running(&session->scanning);
}

void session_resume_drift(Session *session) {
    session->is_scan_wanted = true;
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
