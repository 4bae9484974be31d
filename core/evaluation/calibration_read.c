#include "core/evaluation/calibration_chat.h"
#include "core/evaluation/calibration_forms.h"
#include "core/files/input.h"
#include "core/files/json_rows.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 30, BATCH_ROWS = 256 };

/* ---- making rows ---- */

/* A row that has no ids yet. */
typedef struct Waiting {
    CalibrationRow row;
    size_t line, prompt_bytes, response_bytes;
    Status status; /* of its ids, with `error` */
    Error error;
} Waiting;

/* What is read together, so that threads can make ids of it; rows are added in the file's order. */
typedef struct Batch {
    const CalibrationReading *reading;
    Calibration *made;
    CalibrationChat *chat; /* NULL: no row was a conversation yet */
    Waiting *waiting;
    size_t count, capacity; /* at most BATCH_ROWS are filled */
} Batch;

static Status read_json(const JsonRow *text, CalibrationRow *row, Error *error) {
    cJSON *object;
    Status status = json_rows_parse(text, &object, error);
    if (status != STATUS_OK) return status;
    status = calibration_read_form(object, text->at, text->bytes, row, error);
    cJSON_Delete(object);
    return status;
}

static Status read_row(Batch *batch, const JsonRow *text, Error *error) {
    Status status = MEMORY_RESERVE(batch->waiting, &batch->capacity, batch->count + 1, error);
    if (status != STATUS_OK) return status;
    Waiting *waiting = &batch->waiting[batch->count];
    CalibrationRow *row = &waiting->row;
    *row = (CalibrationRow){0};
    size_t prompt = text->bytes, response = 0;
    if (text->is_json) {
        status = read_json(text, row, error);
        prompt = row->prompt == NULL ? 0 : strlen(row->prompt);
        response = row->response == NULL ? 0 : strlen(row->response);
    } else {
        row->prompt = memory_copy_text(text->at, text->bytes);
        if (row->prompt == NULL) status = memory_fail(error, "a calibration row");
    }
    if (status == STATUS_OK && row->conversation != NULL && batch->chat == NULL)
        status = calibration_chat_open(batch->reading, &batch->chat, error);
    if (status != STATUS_OK) {
        calibration_free_row(row);
        return status;
    }
    waiting->line = text->line;
    waiting->prompt_bytes = prompt;
    waiting->response_bytes = response;
    batch->count++;
    return STATUS_OK;
}

static void encode_one(void *argument, size_t task, unsigned worker) {
    Batch *batch = argument;
    Waiting *waiting = &batch->waiting[task];
    CalibrationRow *row = &waiting->row;
    (void)worker;
    waiting->status = STATUS_OK;
    if (row->conversation != NULL)
        waiting->status = calibration_chat_encode(batch->chat, row, &waiting->error);
    else if (row->prompt != NULL)
        waiting->status =
            calibration_encode_row(row, waiting->prompt_bytes, waiting->response_bytes,
                                   batch->reading->tokenizer, &batch->made->end, &waiting->error);
}

static Status fail_at(const Calibration *made, size_t line, Error *error) {
    return error == NULL ? STATUS_FORMAT
                         : status_add_context(error, "%s, line %zu", input_name(made->source), line);
}

static void free_batch(Batch *batch) {
    for (size_t i = 0; i < batch->count; i++) calibration_free_row(&batch->waiting[i].row);
    calibration_chat_close(batch->chat);
    free(batch->waiting);
}

/* Somebody's answer that nothing would be measured of, without a word. */
static Status check_answer(const Batch *batch, const CalibrationRow *row, Error *error) {
    bool is_lost = row->answer != NULL && row->prompt_count == row->count && !batch->reading->are_questions;
    return is_lost
               ? status_fail(error, STATUS_UNSUPPORTED,
                             "the row has an answer and no response: give what is to be measured as response")
               : STATUS_OK;
}

/* Makes the ids of all rows that wait, and adds them; what is left of them on failure, free_batch() frees. */
static Status take_batch(Batch *batch, Job *job, Error *error) {
    Status status = job_run(job, batch->count, encode_one, batch, error);
    for (size_t i = 0; i < batch->count && status == STATUS_OK; i++) {
        Waiting *waiting = &batch->waiting[i];
        status = waiting->status;
        if (status != STATUS_OK && error != NULL) *error = waiting->error;
        if (status == STATUS_OK) status = check_answer(batch, &waiting->row, error);
        if (status == STATUS_OK) {
            CalibrationRow row = waiting->row;
            waiting->row = (CalibrationRow){0};
            status = calibration_take_row(batch->made, &row, batch->reading->config, error);
        }
        if (status != STATUS_OK && status != STATUS_NO_MEMORY) {
            (void)fail_at(batch->made, waiting->line, error);
            return status;
        }
    }
    if (status == STATUS_OK) batch->count = 0;
    return status;
}

static bool is_enough(const Batch *batch) {
    size_t limit = batch->reading->limit;
    return limit > 0 && batch->made->count + batch->count >= limit;
}

/* Reads rows until the batch is full, or there are enough; *is_over at the end, or where one is refused. */
static Status fill_batch(Batch *batch, JsonRows *cursor, bool *is_over, Error *error) {
    Status status = STATUS_OK;
    while (batch->count < BATCH_ROWS && !is_enough(batch)) {
        JsonRow text;
        bool found;
        status = json_rows_next(cursor, &text, &found, error);
        if (status == STATUS_OK && found) status = read_row(batch, &text, error);
        *is_over = status != STATUS_OK || !found;
        if (status != STATUS_OK) (void)fail_at(batch->made, text.line, error);
        if (*is_over) return status;
    }
    *is_over = is_enough(batch);
    return STATUS_OK;
}

static Status add_rows(Batch *batch, const char *text, size_t bytes, Job *job, Error *error) {
    Status status = STATUS_OK;
    Error refused;
    JsonRows cursor = json_rows_begin(text, bytes);
    for (bool is_over = false; !is_over && status == STATUS_OK;) {
        if (!job_report(job, "reading rows", (uint64_t)(cursor.at - text), bytes))
            return job_cancelled(error);
        Status read = fill_batch(batch, &cursor, &is_over, &refused);
        status = take_batch(batch, job, error); /* what is before a refused row is refused first */
        if (status != STATUS_OK || read == STATUS_OK) continue;
        if (error != NULL) *error = refused;
        status = read;
    }
    if (status != STATUS_OK || batch->made->count > 0) return status;
    return status_fail(error, STATUS_FORMAT, "%s: expected one row at least, found none",
                       input_name(batch->made->source));
}

Status calibration_read(const char *path, const CalibrationReading *reading, Job *job,
                        Calibration **calibration, Error *error) {
    *calibration = NULL;
    Input input;
    Calibration *made = NULL;
    Status status = calibration_create(path, &made, error);
    if (status == STATUS_OK)
        status = calibration_choose_end(made, reading->tokenizer, reading->config, reading->end_token, error);
    if (status == STATUS_OK) {
        Batch batch = {.reading = reading, .made = made};
        status = input_read(path, FILE_LIMIT, job, &input, error);
        if (status == STATUS_OK) status = add_rows(&batch, input.text, input.bytes, job, error);
        if (status == STATUS_OK) memcpy(made->sha256, input.sha256, sizeof made->sha256);
        input_free(&input);
        free_batch(&batch);
    }
    if (status != STATUS_OK) {
        calibration_free(made);
        return status;
    }
    *calibration = made;
    return STATUS_OK;
}
