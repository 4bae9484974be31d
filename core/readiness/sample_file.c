#include "core/readiness/sample_file.h"

#include "core/files/input.h"
#include "core/files/json.h"
#include "core/files/json_rows.h"
#include "core/readiness/sample_file_row.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 30, TASK_ROWS = 16 };

/* A file under way. */
typedef struct Reading {
    const CalibrationReading *reading;
    SampleFile *file;
    const char *name;      /* of the file, in messages */
    CalibrationChat *chat; /* NULL: no prompt was messages yet */
    SampleFileRow *rows;
    size_t count, capacity;
    Status *statuses; /* [count]: of their ids */
    size_t *places;   /* [place_count]: groups by their key, 1 and up; 0: none */
    size_t place_count;
    size_t dumped; /* rows of verl's dumps */
} Reading;

static Status fail_at(const Reading *reading, size_t line, Error *error) {
    return status_add_context(error, "%s, line %zu", reading->name, line);
}

/* ---- rows ---- */

static Status add_row(Reading *reading, const cJSON *object, const cJSON *output, size_t line, Error *error) {
    Status status = MEMORY_RESERVE(reading->rows, &reading->capacity, reading->count + 1, error);
    if (status != STATUS_OK) return status;
    SampleFileRow *row = &reading->rows[reading->count++];
    *row = (SampleFileRow){.line = line};
    status = sample_file_row_read(object, output, row, error);
    if (status == STATUS_OK && row->row.conversation != NULL && reading->chat == NULL)
        status = calibration_chat_open(reading->reading, &reading->chat, error);
    return status;
}

static Status add_object(Reading *reading, const cJSON *object, size_t line, Error *error) {
    const cJSON *outputs = sample_file_row_outputs(object), *output;
    if (outputs == NULL) return add_row(reading, object, NULL, line, error);
    if (!cJSON_IsArray(outputs))
        return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be an array", outputs->string);
    Status status = STATUS_OK;
    cJSON_ArrayForEach(output, outputs) {
        if (!cJSON_IsString(output) && !cJSON_IsObject(output))
            return status_fail(error, STATUS_FORMAT, "expected \"%s\" to hold texts or objects",
                               outputs->string);
        status = add_row(reading, object, output, line, error);
        if (status != STATUS_OK) return status;
    }
    return status;
}

static Status read_row(Reading *reading, const JsonRow *text, Error *error) {
    cJSON *object;
    if (!text->is_json)
        return status_fail(error, STATUS_FORMAT, "expected a sample as an object of JSON, found other text");
    Status status = json_rows_parse(text, &object, error);
    if (status == STATUS_OK) status = add_object(reading, object, text->line, error);
    cJSON_Delete(object);
    return status;
}

static Status read_rows(Reading *reading, const char *text, size_t bytes, Job *job, Error *error) {
    enum { REPORTED = 256 };
    JsonRows rows = json_rows_begin(text, bytes);
    Status status = STATUS_OK;
    for (bool found = true; found && status == STATUS_OK;) {
        JsonRow row;
        if (rows.count % REPORTED == 0 &&
            !job_report(job, "reading samples", (uint64_t)(rows.at - text), bytes))
            return job_cancelled(error);
        status = json_rows_next(&rows, &row, &found, error);
        if (status == STATUS_OK && found) status = read_row(reading, &row, error);
        if (status != STATUS_OK) (void)fail_at(reading, row.line, error);
    }
    if (status != STATUS_OK || reading->count > 0) return status;
    return status_fail(error, STATUS_FORMAT, "%s: expected one sample at least, found none", reading->name);
}

static void encode_rows(void *argument, size_t task, unsigned worker) {
    Reading *reading = argument;
    size_t end = (task + 1) * TASK_ROWS < reading->count ? (task + 1) * TASK_ROWS : reading->count;
    (void)worker;
    for (size_t i = task * TASK_ROWS; i < end; i++) {
        Error error; /* of the first that is no sample it is found out again */
        reading->statuses[i] =
            sample_file_row_encode(&reading->rows[i], reading->chat, reading->reading->tokenizer,
                                   &reading->file->facts->end, &error);
    }
}

/* What the first row that has no ids has in the way: the same as before, but that memory may be there again, for what was half
 * made. */
static Status fail_encoding(Reading *reading, size_t index, Error *error) {
    SampleFileRow *row = &reading->rows[index];
    if (reading->statuses[index] == STATUS_NO_MEMORY) return memory_fail(error, "samples");
    free(row->row.ids);
    row->row.ids = NULL;
    Status status = sample_file_row_encode(row, reading->chat, reading->reading->tokenizer,
                                           &reading->file->facts->end, error);
    if (status != STATUS_OK && status != STATUS_NO_MEMORY) (void)fail_at(reading, row->line, error);
    return status;
}

static Status encode_all(Reading *reading, Job *job, Error *error) {
    reading->statuses = memory_allocate(reading->count, sizeof *reading->statuses);
    if (reading->statuses == NULL) return memory_fail(error, "samples");
    Status status = job_run(job, (reading->count + TASK_ROWS - 1) / TASK_ROWS, encode_rows, reading, error);
    for (size_t i = 0; i < reading->count && status == STATUS_OK; i++)
        if (reading->statuses[i] != STATUS_OK) status = fail_encoding(reading, i, error);
    return status;
}

/* ---- groups ---- */

static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) hash = (hash ^ at[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    return hash;
}

static const char *text_or_none(const char *text) {
    return text == NULL ? "" : text;
}

static uint64_t hash_key(const SampleFileRow *row) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    if (row->has_number) return add_bytes(hash, &row->number, sizeof row->number);
    hash = add_bytes(hash, text_or_none(row->row.answer), strlen(text_or_none(row->row.answer)));
    if (row->has_prompt_ids)
        return add_bytes(hash, row->row.ids, row->row.prompt_count * sizeof *row->row.ids);
    return add_bytes(hash, row->row.prompt, strlen(row->row.prompt));
}

/* What a group was begun with: the row that came first. */
typedef struct GroupFirst {
    bool has_number, has_prompt_ids;
    uint64_t number;
} GroupFirst;

static bool has_same_ids(const SampleGroup *group, const CalibrationRow *row) {
    return group->count == row->prompt_count &&
           memcmp(group->ids, row->ids, row->prompt_count * sizeof *row->ids) == 0;
}

static bool has_same_text(const SampleGroup *group, const CalibrationRow *row) {
    return group->prompt != NULL && row->prompt != NULL && strcmp(group->prompt, row->prompt) == 0;
}

static bool has_same_answer(const SampleGroup *group, const CalibrationRow *row) {
    return strcmp(text_or_none(group->answer), text_or_none(row->answer)) == 0;
}

static bool is_of_group(const SampleGroup *group, const GroupFirst *first, const SampleFileRow *row) {
    if (first->has_number != row->has_number) return false;
    if (row->has_number) return first->number == row->number;
    return first->has_prompt_ids == row->has_prompt_ids && has_same_answer(group, &row->row) &&
           (row->has_prompt_ids ? has_same_ids(group, &row->row) : has_same_text(group, &row->row));
}

/* One number, one prompt: the same ids, or where a response changed the last of them, the same text. */
static Status check_group(const SampleGroup *group, const SampleFileRow *row, Error *error) {
    if (!has_same_ids(group, &row->row) && !has_same_text(group, &row->row))
        return status_fail(error, STATUS_FORMAT, "prompt %" PRIu64 " has other %s than in the lines before",
                           row->number, row->has_prompt_ids ? "ids" : "words");
    if (!has_same_answer(group, &row->row))
        return status_fail(error, STATUS_FORMAT,
                           "prompt %" PRIu64 " has another answer than in the lines before", row->number);
    return STATUS_OK;
}

static int32_t *copy_ids(const int32_t *ids, size_t count) {
    int32_t *copy = memory_allocate(count, sizeof *copy);
    if (copy != NULL && count > 0) memcpy(copy, ids, count * sizeof *copy);
    return copy;
}

/* The texts become the group's. */
static Status begin_group(SampleSet *set, CalibrationRow *row, SampleGroup **group, Error *error) {
    Status status = sample_set_add_group(set, group, error);
    if (status != STATUS_OK) return status;
    (*group)->ids = copy_ids(row->ids, row->prompt_count);
    (*group)->count = row->prompt_count;
    (*group)->prompt = row->prompt;
    (*group)->answer = row->answer;
    row->prompt = row->answer = NULL;
    return (*group)->ids == NULL ? memory_fail(error, "samples") : STATUS_OK;
}

static Status add_sample(const Reading *reading, SampleGroup *group, SampleFileRow *from, Error *error) {
    Sample *sample;
    CalibrationRow *row = &from->row;
    Status status = sample_set_add_sample(group, &sample, error);
    if (status != STATUS_OK) return status;
    sample->count = row->count - row->prompt_count;
    sample->ids = copy_ids(row->ids + row->prompt_count, sample->count);
    sample->reward = from->reward;
    sample->text = row->response;
    row->response = NULL;
    int32_t end = reading->file->facts->end.id;
    sample->is_ended = end >= 0 && sample->count > 0 && row->ids[row->count - 1] == end;
    if (!has_same_ids(group, row)) {
        sample->prompt_ids = copy_ids(row->ids, row->prompt_count);
        sample->prompt_count = row->prompt_count;
        if (sample->prompt_ids == NULL) return memory_fail(error, "samples");
    }
    return sample->ids == NULL ? memory_fail(error, "samples") : STATUS_OK;
}

/* The group of a row, which is begun where there is none. */
static Status find_group(Reading *reading, GroupFirst *firsts, SampleFileRow *row, SampleGroup **group,
                         Error *error) {
    SampleSet *set = &reading->file->set;
    size_t at = (size_t)hash_key(row) & (reading->place_count - 1);
    for (; reading->places[at] != 0; at = (at + 1) & (reading->place_count - 1)) {
        size_t found = reading->places[at] - 1;
        *group = &set->groups[found];
        if (!is_of_group(*group, &firsts[found], row)) continue;
        return row->has_number ? check_group(*group, row, error) : STATUS_OK;
    }
    firsts[set->count] = (GroupFirst){row->has_number, row->has_prompt_ids, row->number};
    reading->places[at] = set->count + 1;
    return begin_group(set, &row->row, group, error);
}

/* Checks and counts a row as calibration rows are; it is not kept there. */
static Status count_row(Reading *reading, SampleFileRow *row, Error *error) {
    Calibration *facts = reading->file->facts;
    CalibrationRow counted = row->row;
    counted.response = counted.answer = counted.conversation = NULL;
    row->row.ids = NULL; /* these blocks are the calibration's for so long */
    row->row.prompt = NULL;
    Status status = calibration_take_row(facts, &counted, reading->reading->config, error);
    if (status != STATUS_OK) return status;
    CalibrationRow *taken = &facts->rows[facts->count - 1];
    row->row.ids = taken->ids;
    row->row.prompt = taken->prompt;
    taken->ids = NULL;
    taken->prompt = NULL;
    return STATUS_OK;
}

static Status take_row(Reading *reading, GroupFirst *firsts, SampleFileRow *row, Error *error) {
    SampleGroup *group;
    Status status = count_row(reading, row, error);
    if (status == STATUS_OK) status = find_group(reading, firsts, row, &group, error);
    if (status == STATUS_OK) status = add_sample(reading, group, row, error);
    if (status != STATUS_OK && status != STATUS_NO_MEMORY) (void)fail_at(reading, row->line, error);
    return status;
}

static Status group_rows(Reading *reading, Error *error) {
    for (reading->place_count = 16; reading->place_count < 2 * reading->count;) reading->place_count *= 2;
    reading->places = memory_allocate(reading->place_count, sizeof *reading->places);
    GroupFirst *firsts = memory_allocate(reading->count, sizeof *firsts);
    Status status = reading->places == NULL || firsts == NULL ? memory_fail(error, "samples") : STATUS_OK;
    for (size_t i = 0; i < reading->count && status == STATUS_OK; i++) {
        reading->dumped += reading->rows[i].is_dump;
        status = take_row(reading, firsts, &reading->rows[i], error);
        sample_file_row_free(&reading->rows[i]);
        reading->rows[i] = (SampleFileRow){0};
    }
    free(firsts);
    return status;
}

/* ---- the file ---- */

/* Where a chat template made the prompts, what verl dumps of them is not what the model read. */
static void count_bare(Reading *reading) {
    if (reading->dumped > 0 && calibration_chat_exists(reading->reading))
        reading->file->facts->bare = reading->dumped;
}

static void free_reading(Reading *reading) {
    for (size_t i = 0; i < reading->count; i++) sample_file_row_free(&reading->rows[i]);
    free(reading->rows);
    calibration_chat_close(reading->chat);
    free(reading->statuses);
    free(reading->places);
}

Status sample_file_read(const char *path, const CalibrationReading *reading, Job *job, SampleFile *file,
                        Error *error) {
    *file = (SampleFile){0};
    Reading own = {.reading = reading, .file = file, .name = input_name(path)};
    Input input = {0};
    Status status = calibration_create(path, &file->facts, error);
    if (status == STATUS_OK)
        status = calibration_choose_end(file->facts, reading->tokenizer, reading->config, reading->end_token,
                                        error);
    if (status == STATUS_OK) status = input_read(path, FILE_LIMIT, job, &input, error);
    if (status == STATUS_OK) status = read_rows(&own, input.text, input.bytes, job, error);
    if (status == STATUS_OK) status = encode_all(&own, job, error);
    if (status == STATUS_OK) status = group_rows(&own, error);
    if (status == STATUS_OK) count_bare(&own);
    if (status == STATUS_OK) memcpy(file->facts->sha256, input.sha256, sizeof input.sha256);
    input_free(&input);
    free_reading(&own);
    if (status != STATUS_OK) sample_file_free(file);
    return status;
}

void sample_file_free(SampleFile *file) {
    sample_set_free(&file->set);
    calibration_free(file->facts);
    *file = (SampleFile){0};
}
