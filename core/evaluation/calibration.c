#include "core/evaluation/calibration.h"

#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 30, HASH_PIECE = 1 << 24 };

Status calibration_create(const char *source, Calibration **calibration, Error *error) {
    *calibration = memory_allocate(1, sizeof **calibration);
    if (*calibration == NULL) return memory_fail(error, "calibration rows");
    (*calibration)->source = memory_copy_text(source, strlen(source));
    if ((*calibration)->source != NULL) return STATUS_OK;
    calibration_free(*calibration);
    *calibration = NULL;
    return memory_fail(error, "calibration rows");
}

static void free_row(CalibrationRow *row) {
    free(row->prompt);
    free(row->response);
    free(row->answer);
    free(row->ids);
    *row = (CalibrationRow){0};
}

void calibration_free(Calibration *calibration) {
    if (calibration == NULL) return;
    for (size_t i = 0; i < calibration->count; i++) free_row(&calibration->rows[i]);
    free(calibration->rows);
    free(calibration->source);
    free(calibration);
}

static Status check_ids(const CalibrationRow *row, const ModelConfig *config, Error *error) {
    if (row->prompt_count == 0)
        return status_fail(error, STATUS_ARGUMENT, "expected a prompt of one token at least");
    for (size_t i = 0; i < row->count; i++) {
        if (row->ids[i] < 0 || (uint64_t)row->ids[i] >= config->vocabulary)
            return status_fail(error, STATUS_ARGUMENT,
                               "token id %" PRId32 " is outside the vocabulary of %" PRIu64, row->ids[i],
                               config->vocabulary);
    }
    return STATUS_OK;
}

/* Takes over what the row owns, also on failure. */
static Status add_row(Calibration *calibration, CalibrationRow *row, const ModelConfig *config,
                      Error *error) {
    Status status = check_ids(row, config, error);
    if (status == STATUS_OK)
        status = MEMORY_RESERVE(calibration->rows, &calibration->capacity, calibration->count + 1, error);
    if (status != STATUS_OK) {
        free_row(row);
        return status;
    }
    calibration->rows[calibration->count++] = *row;
    calibration->tokens += row->count;
    calibration->response_tokens += row->count - row->prompt_count;
    return STATUS_OK;
}

static Status encode_row(CalibrationRow *row, const char *prompt, size_t prompt_bytes, const char *response,
                         size_t response_bytes, const Tokenizer *tokenizer, const ModelConfig *config,
                         Error *error) {
    TokenList list = {0};
    Status status = tokenizer_encode(tokenizer, prompt, prompt_bytes, true, &list, error);
    row->prompt_count = list.count;
    if (status == STATUS_OK && response != NULL)
        status = tokenizer_encode(tokenizer, response, response_bytes, false, &list, error);
    if (status == STATUS_OK && response != NULL && config->eos_count > 0)
        status = token_list_append(&list, config->eos[0], error);
    row->ids = list.ids; /* the list's block becomes the row's, whatever the status */
    row->count = list.count;
    return status;
}

Status calibration_add_text(Calibration *calibration, const char *prompt, size_t prompt_bytes,
                            const char *response, size_t response_bytes, const Tokenizer *tokenizer,
                            const ModelConfig *config, Error *error) {
    if (tokenizer == NULL)
        return status_fail(error, STATUS_ARGUMENT, "there is no tokenizer: give token ids");
    CalibrationRow row = {.prompt = memory_copy_text(prompt, prompt_bytes)};
    if (response != NULL) row.response = memory_copy_text(response, response_bytes);
    Status status =
        row.prompt == NULL || (response != NULL && row.response == NULL)
            ? memory_fail(error, "a calibration row")
            : encode_row(&row, prompt, prompt_bytes, response, response_bytes, tokenizer, config, error);
    if (status == STATUS_OK) return add_row(calibration, &row, config, error);
    free_row(&row);
    return status;
}

Status calibration_add_ids(Calibration *calibration, const int32_t *prompt, size_t prompt_count,
                           const int32_t *response, size_t response_count, const ModelConfig *config,
                           Error *error) {
    CalibrationRow row = {.prompt_count = prompt_count};
    if (!memory_add(prompt_count, response_count, &row.count)) return memory_fail(error, "a calibration row");
    row.ids = memory_allocate(row.count, sizeof *row.ids);
    if (row.ids == NULL) return memory_fail(error, "a calibration row");
    if (prompt_count > 0) memcpy(row.ids, prompt, prompt_count * sizeof *prompt);
    if (response_count > 0) memcpy(row.ids + prompt_count, response, response_count * sizeof *response);
    return add_row(calibration, &row, config, error);
}

/* ---- reading a file ---- */

static Status read_ids(const cJSON *array, const char *key, TokenList *list, Error *error) {
    if (array == NULL) return STATUS_OK;
    if (!cJSON_IsArray(array))
        return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be an array", key);
    const cJSON *item;
    cJSON_ArrayForEach(item, array) {
        uint64_t id;
        if (!json_read_count(item, &id) || id > INT32_MAX)
            return status_fail(error, STATUS_FORMAT, "expected \"%s\" to hold token ids", key);
        Status status = token_list_append(list, (int32_t)id, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static Status add_id_object(Calibration *calibration, const cJSON *object, const ModelConfig *config,
                            Error *error) {
    TokenList prompt = {0}, response = {0};
    Status status = read_ids(json_find(object, "prompt_ids"), "prompt_ids", &prompt, error);
    if (status == STATUS_OK)
        status = read_ids(json_find(object, "response_ids"), "response_ids", &response, error);
    if (status == STATUS_OK)
        status = calibration_add_ids(calibration, prompt.ids, prompt.count, response.ids, response.count,
                                     config, error);
    token_list_free(&prompt);
    token_list_free(&response);
    return status;
}

/* Member `key` as text, NULL where it is absent; what is there and no text is a mistake, not an absence. */
static Status read_text(const cJSON *object, const char *key, const char **text, Error *error) {
    const cJSON *item = json_find(object, key);
    *text = cJSON_IsString(item) ? item->valuestring : NULL;
    if (item == NULL || *text != NULL) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be a text", key);
}

static Status add_object(Calibration *calibration, const cJSON *object, const Tokenizer *tokenizer,
                         const ModelConfig *config, Error *error) {
    if (json_find(object, "prompt_ids") != NULL) return add_id_object(calibration, object, config, error);
    const char *prompt, *response, *answer;
    Status status = read_text(object, "prompt", &prompt, error);
    if (status == STATUS_OK) status = read_text(object, "response", &response, error);
    if (status == STATUS_OK) status = read_text(object, "answer", &answer, error);
    if (status != STATUS_OK) return status;
    if (prompt == NULL) return status_fail(error, STATUS_FORMAT, "expected \"prompt\" or \"prompt_ids\"");
    status = calibration_add_text(calibration, prompt, strlen(prompt), response,
                                  response == NULL ? 0 : strlen(response), tokenizer, config, error);
    if (status != STATUS_OK || answer == NULL) return status;
    CalibrationRow *row = &calibration->rows[calibration->count - 1];
    row->answer = memory_copy_text(answer, strlen(answer));
    return row->answer == NULL ? memory_fail(error, "a calibration row") : STATUS_OK;
}

/* cJSON's strings end at a NUL: a text that holds one, as it is or escaped, would be cut without a word. */
static bool holds_nul(const char *line, size_t bytes) {
    if (memchr(line, '\0', bytes) != NULL) return true;
    for (size_t i = 0; i + 1 < bytes; i++) {
        if (line[i] != '\\') continue;
        if (bytes - i >= 6 && memcmp(line + i, "\\u0000", 6) == 0) return true;
        i++; /* what follows is escaped: a backslash, say */
    }
    return false;
}

/* The first byte from `at` on that is no space of JSON's; NUL where there is none. */
static char first_byte(const char *line, size_t bytes, size_t *at) {
    while (*at < bytes && (line[*at] == ' ' || line[*at] == '\t')) ++*at;
    return *at < bytes ? line[*at] : '\0';
}

/* A file may be one array of rows, "[" or "[{…": taken for lines of text it would give rows that nobody meant. */
static bool begins_array(const char *line, size_t bytes) {
    size_t at = 0;
    if (first_byte(line, bytes, &at) != '[') return false;
    at++;
    char next = first_byte(line, bytes, &at);
    return next == '\0' || next == '{';
}

static Status add_line(Calibration *calibration, const char *line, size_t bytes, const Tokenizer *tokenizer,
                       const ModelConfig *config, Error *error) {
    if (calibration->count == 0 && begins_array(line, bytes))
        return status_fail(
            error, STATUS_FORMAT,
            "expected a row a line, found a JSON array of rows (jq -c '.[]' FILE writes them as "
            "lines)");
    if (line[0] != '{')
        return calibration_add_text(calibration, line, bytes, NULL, 0, tokenizer, config, error);
    if (holds_nul(line, bytes))
        return status_fail(error, STATUS_UNSUPPORTED,
                           "U+0000 in a calibration text is not supported: give token ids");
    cJSON *object;
    Status status = json_parse(line, bytes, "the line", &object, error);
    if (status != STATUS_OK) return status;
    status = add_object(calibration, object, tokenizer, config, error);
    cJSON_Delete(object);
    return status;
}

static Status add_lines(Calibration *calibration, const char *text, size_t bytes, const Tokenizer *tokenizer,
                        const ModelConfig *config, size_t limit, Job *job, Error *error) {
    static const char BYTE_ORDER_MARK[] = "\xef\xbb\xbf";
    size_t number = 0, mark = sizeof BYTE_ORDER_MARK - 1;
    if (bytes < mark || memcmp(text, BYTE_ORDER_MARK, mark) != 0) mark = 0;
    for (const char *line = text + mark, *end = text + bytes; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop != NULL ? stop : end) - line);
        size_t content = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
        number++;
        if (job_is_cancelled(job)) return job_cancelled(error);
        if (content > 0) {
            Status status = add_line(calibration, line, content, tokenizer, config, error);
            if (status != STATUS_OK) {
                (void)status_add_context(error, "%s, line %zu", calibration->source, number);
                return status;
            }
        }
        if (limit > 0 && calibration->count == limit) break;
        line += length + 1;
    }
    if (calibration->count > 0) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected one row at least, found none",
                       calibration->source);
}

/* A large file takes seconds, so that a cancelled job is asked about between pieces. */
static Status hash_text(const char *text, size_t bytes, Job *job, char sha256[HASH_HEX_SIZE], Error *error) {
    Hash *hash;
    Status status = hash_create(&hash, error);
    if (status != STATUS_OK) return status;
    for (size_t at = 0; at < bytes && status == STATUS_OK; at += HASH_PIECE) {
        size_t piece = bytes - at < HASH_PIECE ? bytes - at : HASH_PIECE;
        status = job_is_cancelled(job) ? job_cancelled(error) : hash_add(hash, text + at, piece, error);
    }
    if (status == STATUS_OK) status = hash_finish(hash, sha256, error);
    hash_free(hash);
    return status;
}

Status calibration_read(const char *path, const Tokenizer *tokenizer, const ModelConfig *config, size_t limit,
                        Job *job, Calibration **calibration, Error *error) {
    *calibration = NULL;
    char *text;
    size_t bytes;
    Status status = json_read_text(path, FILE_LIMIT, &text, &bytes, error);
    if (status != STATUS_OK) return status;
    Calibration *made = NULL;
    status = calibration_create(path, &made, error);
    if (status == STATUS_OK) status = add_lines(made, text, bytes, tokenizer, config, limit, job, error);
    if (status == STATUS_OK) status = hash_text(text, bytes, job, made->sha256, error);
    free(text);
    if (status != STATUS_OK) {
        calibration_free(made);
        return status;
    }
    *calibration = made;
    return STATUS_OK;
}

/* ---- writing ---- */

static void add_ids(Buffer *buffer, const char *key, const int32_t *ids, size_t count) {
    buffer_add_format(buffer, "\"%s\": [", key);
    for (size_t i = 0; i < count; i++) buffer_add_format(buffer, i == 0 ? "%" PRId32 : ", %" PRId32, ids[i]);
    buffer_add_text(buffer, "]");
}

Status calibration_format_ids(const Calibration *calibration, char **text, size_t *bytes, Error *error) {
    Buffer buffer = {0};
    for (size_t i = 0; i < calibration->count; i++) {
        const CalibrationRow *row = &calibration->rows[i];
        buffer_add_text(&buffer, "{");
        add_ids(&buffer, "prompt_ids", row->ids, row->prompt_count);
        if (row->count > row->prompt_count) {
            buffer_add_text(&buffer, ", ");
            add_ids(&buffer, "response_ids", row->ids + row->prompt_count, row->count - row->prompt_count);
        }
        buffer_add_text(&buffer, "}\n");
    }
    return buffer_take(&buffer, text, bytes, "calibration rows", error);
}

/* ---- positions ---- */

EvaluationRow calibration_positions(const CalibrationRow *row, bool responses_only) {
    EvaluationRow positions = {.ids = row->ids, .count = row->count, .first = 0, .end = row->count};
    if (!responses_only) return positions;
    positions.first = row->prompt_count - 1;
    if (row->count > row->prompt_count)
        positions.end = row->count - 1; /* the last token has nothing to predict */
    return positions;
}

EvaluationRow *calibration_list_positions(const Calibration *calibration, bool responses_only) {
    EvaluationRow *rows = memory_allocate(calibration->count, sizeof *rows);
    for (size_t i = 0; i < calibration->count && rows != NULL; i++)
        rows[i] = calibration_positions(&calibration->rows[i], responses_only);
    return rows;
}
