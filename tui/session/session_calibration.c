#include "tui/session/session_calibration.h"

#include "core/files/disk.h"
#include "core/support/memory.h"
#include "tui/session/session_internal.h"
#include "tui/text/format.h"
#include "tui/text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of another file, on their way: the job thread's while `reading` runs. */
typedef struct RowsErrand {
    char *path;
    CalibrationReading reading;
    Calibration *calibration;
} RowsErrand;

/* All but the errand is the UI thread's. Jobs that measure on the rows read them, so they change only after
 * session.c has stopped those: until then the new ones are `offered`. */
struct SessionCalibrationPart {
    Calibration *rows;  /* NULL: none, and `error` says why */
    char *path;         /* the file of rows that was read last; NULL: none */
    bool are_of_prompt; /* not those of `path` */
    Error error;
    Calibration *offered; /* NULL: none */
    char *offered_path;   /* NULL: they are of the prompt */
    Task reading;
    RowsErrand errand;
};

enum { NAME_LEAST = 6 };

/* ---- what there is ---- */

const Calibration *session_calibration(const Session *session, const char **message) {
    const struct SessionCalibrationPart *part = session->calibration;
    bool loading = session_tokenizers_are_loading(session);
    if (message != NULL)
        *message = loading              ? "loading calibration rows"
                   : part->path == NULL ? "no calibration rows: give a file with :rows-file"
                                        : part->error.message;
    return loading ? NULL : part->rows;
}

bool session_calibration_is_wanted(const Session *session) {
    const struct SessionCalibrationPart *part = session->calibration;
    return !session_tokenizers_are_loading(session) && part->rows == NULL && part->path == NULL;
}

const char *session_calibration_sha256(const Session *session) {
    static const char NONE[HASH_HEX_SIZE];
    return session->calibration->rows == NULL ? NONE : session->calibration->rows->sha256;
}

bool session_calibration_are_of_prompt(const Session *session) {
    return session->calibration->are_of_prompt;
}

const char *session_calibration_file(const Session *session) {
    bool any = session_calibration(session, NULL) != NULL && !session->calibration->are_of_prompt;
    return any ? session->calibration->path : NULL;
}

const char *session_last_rows_file(const Session *session) {
    return session->calibration->path;
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

void session_describe_rows_and_end(const Session *session, int columns, char text[SESSION_ROWS_TEXT]) {
    const Calibration *rows = session_calibration(session, NULL);
    session_describe_rows(session, columns, text);
    char bytes[64], end[96], longer[SESSION_ROWS_TEXT];
    if (rows == NULL || rows->ended == 0 || text[0] == '\0') return;
    size_t count = session_token_bytes(session, rows->end.id, bytes, sizeof bytes);
    (void)text_escape(bytes, count, TEXT_PLAIN, end, sizeof end);
    (void)snprintf(longer, sizeof longer, "%s, ended by %s (%s)", text, end, rows->end.from);
    if (text_width(longer) > columns) (void)snprintf(longer, sizeof longer, "%s, ended by %s", text, end);
    if (text_width(longer) <= columns) (void)snprintf(text, SESSION_ROWS_TEXT, "%s", longer);
}

/* ---- taking rows ---- */

bool session_calibration_are_offered(const Session *session) {
    return session->calibration->offered != NULL;
}

void session_calibration_offer(Session *session, Calibration *rows) {
    session->calibration->offered = rows;
}

void session_calibration_begin(Session *session) {
    struct SessionCalibrationPart *part = session->calibration;
    if (part->offered == NULL) {
        part->rows = session_files_take_rows(session, &part->error);
        if (part->rows != NULL) session_files_note_rows(session, part->rows);
        return;
    }
    calibration_free(part->rows);
    part->rows = part->offered;
    part->offered = NULL;
    part->error = (Error){0};
    part->are_of_prompt = part->offered_path == NULL;
    if (part->offered_path != NULL) {
        free(part->path);
        part->path = part->offered_path;
        part->offered_path = NULL;
    }
    session_files_take_back(session, SESSION_ROWS_SUBJECT);
    session_files_note_rows(session, part->rows);
}

/* ---- a file ---- */

static Status read_file(Job *job, void *argument, Error *error) {
    RowsErrand *errand = argument;
    (void)job_report(job, "reading rows", 0, 0);
    return session_read_rows(errand->path, &errand->reading, job, &errand->calibration, error);
}

static void free_errand(RowsErrand *errand) {
    free(errand->path);
    calibration_free(errand->calibration);
    *errand = (RowsErrand){0};
}

Status session_calibration_check_readiness(const Session *session, Error *error) {
    if (session->model == NULL)
        return status_fail(error, STATUS_UNSUPPORTED, "%s", session->model_error.message);
    if (session_tokenizers_are_loading(session))
        return status_fail(error, STATUS_ARGUMENT, "the tokenizer is still loading");
    if (task_is_running(&session->calibration->reading))
        return status_fail(error, STATUS_ARGUMENT, "rows are being read already");
    return STATUS_OK;
}

Status session_load_rows(Session *session, const char *path, Error *error) {
    Status status = session_calibration_check_readiness(session, error);
    if (status != STATUS_OK) return status;
    RowsErrand *errand = &session->calibration->errand;
    free_errand(errand);
    errand->path = memory_copy_text(path, strlen(path));
    if (errand->path == NULL) return memory_fail(error, "calibration rows");
    errand->reading = session_rows_reading(session);
    return task_start(&session->calibration->reading, 1, read_file, errand, error);
}

static void collect_file(Session *session) {
    struct SessionCalibrationPart *part = session->calibration;
    RowsErrand *errand = &part->errand;
    const char *kept = session->calibration->rows != NULL ? "; the old rows stay" : "";
    if (session->calibration->reading.status == STATUS_OK) {
        part->offered = errand->calibration;
        part->offered_path = errand->path;
        errand->calibration = NULL;
        errand->path = NULL;
    } else if (session->calibration->reading.status == STATUS_CANCELLED) {
        session_say(session, SESSION_NOTE, "%s was not read%s", errand->path, kept);
    } else {
        session_say(session, SESSION_ERROR, "%s%s", session->calibration->reading.error.message, kept);
    }
    free_errand(errand);
}

bool session_calibration_refresh(Session *session) {
    if (!task_poll(&session->calibration->reading)) return false;
    collect_file(session);
    return true;
}

Status session_calibration_open(Session *session, const SessionOptions *options, Error *error) {
    session->calibration = memory_allocate(1, sizeof *session->calibration);
    if (session->calibration == NULL) return memory_fail(error, "the session");
    session->calibration->reading.label = "reading rows";
    if (options->calibration == NULL) return STATUS_OK;
    session->calibration->path = memory_copy_text(options->calibration, strlen(options->calibration));
    return session->calibration->path != NULL ? STATUS_OK : memory_fail(error, "the session");
}

void session_calibration_list(Session *session, Task **tasks) {
    tasks[SESSION_TASK_ROWS] = &session->calibration->reading;
}

void session_calibration_free(Session *session) {
    struct SessionCalibrationPart *part = session->calibration;
    if (part == NULL) return;
    task_stop(&part->reading);
    free_errand(&part->errand);
    calibration_free(part->rows);
    calibration_free(part->offered);
    free(part->offered_path);
    free(part->path);
    free(part);
}

Status session_return_to_file(Session *session, Error *error) {
    if (session->calibration->path == NULL)
        return status_fail(error, STATUS_ARGUMENT, "there was no calibration file to go back to");
    if (session_calibration_file(session) != NULL)
        return status_fail(error, STATUS_ARGUMENT, "the rows are those of %s", session->calibration->path);
    return session_load_rows(session, session->calibration->path, error);
}

/* ---- writing ---- */

Status session_save_rows(Session *session, const char *path, Error *error) {
    const char *message;
    const Calibration *rows = session_calibration(session, &message);
    if (rows == NULL) return status_fail(error, STATUS_ARGUMENT, "%s", message);
    char *text, *source = memory_copy_text(path, strlen(path)), *kept = memory_copy_text(path, strlen(path));
    size_t bytes;
    Status status = source == NULL || kept == NULL ? memory_fail(error, "calibration rows")
                                                   : calibration_format_ids(rows, &text, &bytes, error);
    if (status == STATUS_OK) {
        status = disk_write_new(path, text, bytes, error);
        free(text);
    }
    if (status == STATUS_OK && session->calibration->are_of_prompt) {
        char **places[] = {&session->calibration->rows->source, &session->calibration->path};
        char *names[] = {source, kept};
        for (int i = 0; i < 2; i++) {
            free(*places[i]);
            *places[i] = names[i];
        }
        session->calibration->are_of_prompt =
            false; /* of a file that has their sum: nothing is measured again */
        return STATUS_OK;
    }
    free(source);
    free(kept);
    return status;
}

/* ---- what is said of them ---- */

void session_calibration_say(Session *session) {
    char text[SESSION_ROWS_TEXT];
    choose_text(session->calibration->rows, SESSION_ROWS_TEXT, text);
    session_say(session, SESSION_GOOD, "%s are measured on now", text);
}

void session_say_prompt_rows(Session *session) {
    const Calibration *rows = session->calibration->rows;
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
