#include "tui/session/session_rows.h"

#include "core/files/disk.h"
#include "core/support/memory.h"
#include "tui/session/session_state.h"
#include "tui/text/format.h"
#include "tui/text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LEAST = 6 };

static const char PROMPT_SOURCE[] = "the prompt on screen";

/* ---- what there is ---- */

const Calibration *session_calibration(const Session *session, const char **message) {
    const SessionLoad *loaded = &session->load;
    bool loading = work_is_running(&session->loading);
    if (message != NULL)
        *message = loading                            ? "loading calibration rows"
                   : loaded->calibration_path == NULL ? "no calibration rows: give a file with :rows-file"
                                                      : loaded->calibration_error.message;
    return loading ? NULL : loaded->calibration;
}

const char *session_rows_file(const Session *session) {
    bool any = session_calibration(session, NULL) != NULL && !session->are_rows_of_prompt;
    return any ? session->load.calibration_path : NULL;
}

const char *session_last_rows_file(const Session *session) {
    return session->load.calibration_path;
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash[1] == '\0' ? path : slash + 1;
}

/* The longest of these that fits; the file's name may be shortened. */
static void choose_text(const Calibration *rows, int columns, char text[SESSION_ROWS_TEXT]) {
    char name[128], count[FORMAT_SIZE], tokens[FORMAT_SIZE], few[FORMAT_SIZE], responses[FORMAT_SIZE];
    const char *source = base_name(rows->source), *plural = rows->count == 1 ? "" : "s";
    (void)text_escape(source, strlen(source), TEXT_PLAIN, name, sizeof name);
    (void)format_count(rows->count, count);
    (void)format_count(rows->tokens, tokens);
    (void)format_short_count(rows->tokens, few);
    (void)format_count(rows->response_tokens, responses);
    (void)snprintf(text, SESSION_ROWS_TEXT, "%s row%s, %s tokens (%s%s) of %s", count, plural, tokens,
                   rows->response_tokens > 0 ? responses : "no responses",
                   rows->response_tokens > 0 ? " of responses" : "", name);
    if (text_width(text) > columns)
        (void)snprintf(text, SESSION_ROWS_TEXT, "%s row%s, %s tokens of %s", count, plural, tokens, name);
    if (text_width(text) <= columns) return;
    (void)snprintf(text, SESSION_ROWS_TEXT, "%s row%s, %s tok", count, plural, few);
    int room = columns - text_width(text) - 2;
    if (room >= NAME_LEAST) {
        text_shorten(name, sizeof name, room, false);
        text_append(text, SESSION_ROWS_TEXT, ", ");
        text_append(text, SESSION_ROWS_TEXT, name);
    }
    if (text_width(text) > columns) text[0] = '\0';
}

void session_describe_rows(const Session *session, int columns, char text[SESSION_ROWS_TEXT]) {
    const char *message;
    const Calibration *rows = session_calibration(session, &message);
    if (rows != NULL) {
        choose_text(rows, columns, text);
        return;
    }
    (void)text_escape(message, strlen(message), TEXT_PLAIN, text, SESSION_ROWS_TEXT);
    if (text_width(text) > columns) text[0] = '\0';
}

/* ---- taking rows ---- */

/* Cancelled together and then waited for one by one, they stop in the time of the slowest. */
static void forget_figures(Session *session) {
    (void)work_cancel(&session->sweeping);
    (void)work_cancel(&session->planing);
    (void)work_cancel(&session->bookmarking);
    (void)work_cancel(&session->method.attributing);
    (void)work_cancel(&session->method.measuring);
    (void)work_cancel(&session->method.driving);
    session_cache_change_rows(session); /* first: it may be writing what goes now */
    session_bookmark_forget(session);
    session_tune_forget(session);
    session_method_forget(session);
}

/* The prompt on screen is an example where a row has its text; else the first row's takes its place, unless it was
 * typed or goes on. */
static void follow_examples(Session *session) {
    const Calibration *rows = session->load.calibration;
    bool may_change =
        session->prompt_text == NULL || (session->current_example >= 0 && session->prompt_added == 0);
    size_t first = 0;
    session->current_example = -1;
    for (size_t i = 0; i < rows->count && session->prompt_text != NULL; i++) {
        if (rows->rows[i].prompt == NULL || strcmp(rows->rows[i].prompt, session->prompt_text) != 0) continue;
        session->current_example = (int)i;
        if (session->prompt_response == 0 || session->are_rows_of_prompt) return;
        may_change = true; /* the response on screen is that of the old row */
        first = i;
        break;
    }
    Error error;
    if (may_change && rows->rows[first].prompt != NULL &&
        session_use_example(session, first, &error) != STATUS_OK)
        session_say(session, SESSION_WARNING, "%s", error.message);
}

/* Takes over the rows. */
static void take_rows(Session *session, Calibration *rows, bool are_of_prompt) {
    SessionLoad *load = &session->load;
    forget_figures(session);
    calibration_free(load->calibration);
    load->calibration = rows;
    load->calibration_error = (Error){0};
    memcpy(load->calibration_sha256, rows->sha256, HASH_HEX_SIZE);
    session->are_rows_of_prompt = are_of_prompt;
    finding_remove(&session->pair->findings, SESSION_ROWS_SUBJECT);
    session_tune_begin(session);
    follow_examples(session);
}

/* ---- a file ---- */

Status session_read_rows(const char *path, const Tokenizer *tokenizer, const ModelConfig *config, Job *job,
                         Calibration **calibration, Error *error) {
    Status status =
        calibration_read(path, tokenizer, config, SESSION_ROWS_LIMIT + 1, job, calibration, error);
    if (status == STATUS_OK && (*calibration)->count > SESSION_ROWS_LIMIT)
        status = status_fail(error, STATUS_UNSUPPORTED,
                             "%s: expected %d calibration rows at most, found more: measure on some of them",
                             path, (int)SESSION_ROWS_LIMIT);
    if (status == STATUS_OK) return STATUS_OK;
    calibration_free(*calibration);
    *calibration = NULL;
    return status;
}

static Status read_file(Job *job, void *argument, Error *error) {
    SessionRowsErrand *errand = argument;
    (void)job_report(job, "reading rows", 0, 0);
    return session_read_rows(errand->path, errand->tokenizer, errand->config, job, &errand->calibration,
                             error);
}

static void free_errand(SessionRowsErrand *errand) {
    free(errand->path);
    calibration_free(errand->calibration);
    *errand = (SessionRowsErrand){0};
}

static Status check_readiness(const Session *session, Error *error) {
    if (session->model == NULL)
        return status_fail(error, STATUS_UNSUPPORTED, "%s", session->model_error.message);
    if (work_is_running(&session->loading))
        return status_fail(error, STATUS_ARGUMENT, "the tokenizer is still loading");
    if (work_is_running(&session->reading_rows))
        return status_fail(error, STATUS_ARGUMENT, "rows are being read already");
    return STATUS_OK;
}

Status session_load_rows(Session *session, const char *path, Error *error) {
    Status status = check_readiness(session, error);
    if (status != STATUS_OK) return status;
    SessionRowsErrand *errand = &session->rows_errand;
    free_errand(errand);
    errand->path = memory_copy_text(path, strlen(path));
    if (errand->path == NULL) return memory_fail(error, "calibration rows");
    errand->tokenizer = session->load.sft;
    errand->config = session->model->config;
    return work_start(&session->reading_rows, 1, read_file, errand, error);
}

static void collect_file(Session *session) {
    SessionRowsErrand *errand = &session->rows_errand;
    char text[SESSION_ROWS_TEXT];
    const char *kept = session->load.calibration != NULL ? "; the old rows stay" : "";
    if (session->reading_rows.status == STATUS_OK) {
        free(session->load.calibration_path);
        session->load.calibration_path = errand->path;
        errand->path = NULL;
        take_rows(session, errand->calibration, false);
        errand->calibration = NULL;
        session_describe_rows(session, SESSION_ROWS_TEXT, text);
        session_say(session, SESSION_GOOD, "%s are measured on now", text);
    } else if (session->reading_rows.status == STATUS_CANCELLED) {
        session_say(session, SESSION_NOTE, "%s was not read%s", errand->path, kept);
    } else {
        session_say(session, SESSION_ERROR, "%s%s", session->reading_rows.error.message, kept);
    }
    free_errand(errand);
}

bool session_rows_refresh(Session *session) {
    if (!work_poll(&session->reading_rows)) return false;
    collect_file(session);
    return true;
}

void session_rows_close(Session *session) {
    work_stop(&session->reading_rows);
    free_errand(&session->rows_errand);
}

Status session_return_to_file(Session *session, Error *error) {
    if (session->load.calibration_path == NULL)
        return status_fail(error, STATUS_ARGUMENT, "there was no calibration file to go back to");
    if (session_rows_file(session) != NULL)
        return status_fail(error, STATUS_ARGUMENT, "the rows are those of %s",
                           session->load.calibration_path);
    return session_load_rows(session, session->load.calibration_path, error);
}

/* ---- the prompt on screen ---- */

static Status make_prompt_rows(const Session *session, Calibration *rows, Error *error) {
    const TokenList *list = &session->prompt_ids;
    size_t response = session->prompt_response + session->prompt_added, prompt = list->count - response;
    Status status = calibration_add_ids(rows, list->ids, prompt, list->ids + prompt, response,
                                        session->model->config, error);
    if (status != STATUS_OK) return status;
    rows->rows[0].prompt = memory_copy_text(session->prompt_text, session->prompt_bytes);
    return rows->rows[0].prompt != NULL ? STATUS_OK : memory_fail(error, "calibration rows");
}

/* The sum that a file of them has. */
static Status hash_rows(Calibration *rows, Error *error) {
    char *text;
    size_t bytes;
    Status status = calibration_format_ids(rows, &text, &bytes, error);
    if (status != STATUS_OK) return status;
    status = hash_bytes(text, bytes, rows->sha256, error);
    free(text);
    return status;
}

Status session_use_prompt_rows(Session *session, Error *error) {
    Status status = check_readiness(session, error);
    if (status != STATUS_OK) return status;
    if (session->prompt_text == NULL || session->prompt_ids.count == 0)
        return status_fail(error, STATUS_ARGUMENT, "there is no prompt to measure on");
    if (session_is_continuing(session))
        return status_fail(error, STATUS_ARGUMENT, "the prompt is still being continued");
    Calibration *rows;
    status = calibration_create(PROMPT_SOURCE, &rows, error);
    if (status == STATUS_OK) status = make_prompt_rows(session, rows, error);
    if (status == STATUS_OK) status = hash_rows(rows, error);
    if (status != STATUS_OK) {
        calibration_free(rows);
        return status;
    }
    take_rows(session, rows, true);
    return STATUS_OK;
}

/* ---- writing ---- */

static Status write_new(const char *path, const char *text, size_t bytes, Error *error) {
    DiskFile file; /* half a file of rows would be read as a whole one */
    Status status = disk_file_begin_new(&file, path, error);
    if (status != STATUS_OK) return status;
    status = disk_write(file.descriptor, text, bytes, 0, path, error);
    if (status == STATUS_OK) return disk_file_commit(&file, DISK_SYNC_NONE, error);
    disk_file_discard(&file);
    return status;
}

Status session_save_rows(Session *session, const char *path, Error *error) {
    const char *message;
    const Calibration *rows = session_calibration(session, &message);
    if (rows == NULL) return status_fail(error, STATUS_ARGUMENT, "%s", message);
    char *text, *source = memory_copy_text(path, strlen(path)), *kept = memory_copy_text(path, strlen(path));
    size_t bytes;
    Status status = source == NULL || kept == NULL ? memory_fail(error, "calibration rows")
                                                   : calibration_format_ids(rows, &text, &bytes, error);
    if (status == STATUS_OK) {
        status = write_new(path, text, bytes, error);
        free(text);
    }
    if (status == STATUS_OK && session->are_rows_of_prompt) {
        char **places[] = {&session->load.calibration->source, &session->load.calibration_path};
        char *names[] = {source, kept};
        for (int i = 0; i < 2; i++) {
            free(*places[i]);
            *places[i] = names[i];
        }
        session->are_rows_of_prompt = false; /* of a file that has their sum: nothing is measured again */
        return STATUS_OK;
    }
    free(source);
    free(kept);
    return status;
}

/* ---- actions ---- */

void session_say_prompt_rows(Session *session) {
    const Calibration *rows = session->load.calibration;
    if (rows->response_tokens > 0)
        session_say(session, SESSION_GOOD,
                    "measured on the prompt on screen: %zu tokens, the last %zu as its response",
                    rows->tokens, rows->response_tokens);
    else
        session_say(session, SESSION_GOOD,
                    "measured on the prompt on screen: %zu tokens, at the last of them, for it "
                    "has no continuation",
                    rows->tokens);
}
