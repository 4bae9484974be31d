#include "core/evaluation/calibration.h"

#include "core/evaluation/calibration_forms.h"
#include "core/support/buffer.h"
#include "core/support/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Status calibration_create(const char *source, Calibration **calibration, Error *error) {
    *calibration = memory_allocate(1, sizeof **calibration);
    if (*calibration == NULL) return memory_fail(error, "calibration rows");
    (*calibration)->end.id = -1;
    (*calibration)->source = memory_copy_text(source, strlen(source));
    if ((*calibration)->source != NULL) return STATUS_OK;
    calibration_free(*calibration);
    *calibration = NULL;
    return memory_fail(error, "calibration rows");
}

void calibration_free_row(CalibrationRow *row) {
    free(row->prompt);
    free(row->response);
    free(row->answer);
    free(row->conversation);
    free(row->measured);
    free(row->ids);
    *row = (CalibrationRow){0};
}

void calibration_free(Calibration *calibration) {
    if (calibration == NULL) return;
    for (size_t i = 0; i < calibration->count; i++) calibration_free_row(&calibration->rows[i]);
    free(calibration->rows);
    free(calibration->source);
    free(calibration);
}

static Status check_ids(const CalibrationRow *row, const ModelConfig *config, Error *error) {
    if (row->prompt_count == 0 && row->count > 0 && row->prompt != NULL && row->prompt[0] != '\0')
        return status_fail(error, STATUS_ARGUMENT,
                           "expected a prompt of one token at least, found none that the response does not "
                           "begin in");
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

static void count_row(Calibration *calibration, const CalibrationRow *row, const ModelConfig *config) {
    calibration->tokens += row->count;
    EvaluationRow response = calibration_positions(row, true);
    if (row->count > row->prompt_count) calibration->response_tokens += evaluation_row_predictions(&response);
    calibration->positions = config->max_positions;
    calibration->positions_from = config->from[CONFIG_POSITIONS];
    calibration->too_long += config->max_positions > 0 && row->count > config->max_positions;
    if (row->count > calibration->longest) calibration->longest = row->count;
    calibration->doubled += row->doubles_first;
    calibration->changed += row->changes_prompt;
    calibration->ended += row->is_ended;
    calibration->conversations += row->conversation != NULL;
    calibration->last_alone += row->is_last_alone;
}

Status calibration_learn_tokens(CalibrationRow *row, const EvaluationSpan *spans, size_t count,
                                Error *error) {
    row->measured = memory_allocate(count, sizeof *row->measured);
    if (row->measured == NULL) return memory_fail(error, "a calibration row");
    for (size_t i = 0; i < count; i++) {
        EvaluationSpan learned = spans[i];
        if (learned.first == 0) learned.first = 1; /* nothing predicts a text's first token */
        if (learned.end <= learned.first) continue;
        EvaluationSpan *last = row->measured_count > 0 ? &row->measured[row->measured_count - 1] : NULL;
        if (last != NULL && learned.first - 1 <= last->end) {
            if (learned.end - 1 > last->end) last->end = learned.end - 1;
            continue;
        }
        row->measured[row->measured_count++] = (EvaluationSpan){learned.first - 1, learned.end - 1};
    }
    row->prompt_count = row->measured_count > 0 ? row->measured[0].first + 1 : row->count;
    bool is_tail = row->measured_count == 1 && row->measured[0].end + 1 == row->count;
    if (row->measured_count > 0 && !is_tail) return STATUS_OK;
    free(row->measured); /* as of any other row */
    row->measured = NULL;
    row->measured_count = 0;
    return STATUS_OK;
}

Status calibration_take_row(Calibration *calibration, CalibrationRow *row, const ModelConfig *config,
                            Error *error) {
    Status status = check_ids(row, config, error);
    if (status == STATUS_OK)
        status = MEMORY_RESERVE(calibration->rows, &calibration->capacity, calibration->count + 1, error);
    if (status != STATUS_OK) {
        calibration_free_row(row);
        return status;
    }
    calibration->rows[calibration->count++] = *row;
    count_row(calibration, row, config);
    return STATUS_OK;
}

/* ---- what a response ends with ---- */

/* A number is an id; where it is a token too, the id is meant. */
static bool read_id(const char *text, int32_t *id) {
    char *end;
    errno = 0;
    long value = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : -1;
    if (value < 0 || errno != 0 || value > INT32_MAX || *end != '\0') return false;
    *id = (int32_t)value;
    return true;
}

Status calibration_choose_end(Calibration *calibration, const Tokenizer *tokenizer, const ModelConfig *config,
                              const char *wanted, Error *error) {
    CalibrationEnd *end = &calibration->end;
    *end = (CalibrationEnd){.id = -1};
    if (wanted == NULL) {
        if (tokenizer != NULL) end->id = tokenizer_end(tokenizer, &end->from);
        if (end->id >= 0 || config->eos_count == 0) return STATUS_OK;
        const char *key = config->from[CONFIG_EOS];
        *end = (CalibrationEnd){config->eos[0], key != NULL ? key : "default of the model's type"};
        return STATUS_OK;
    }
    end->from = "--end-token";
    if (strcmp(wanted, "none") == 0) return STATUS_OK;
    if (!read_id(wanted, &end->id) && tokenizer != NULL)
        end->id = tokenizer_find(tokenizer, wanted, strlen(wanted));
    if (end->id >= 0 && (uint64_t)end->id < config->vocabulary) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT,
                       "--end-token: expected a token of the tokenizer, an id below %" PRIu64
                       ", or none; found \"%.80s\"",
                       config->vocabulary, wanted);
}

/* ---- rows of text ---- */

enum { SEAM_BYTES = 96, SEAM_TOKENS = 6 };

/* The last `tokens` of the prompt's last bytes; false where there are not so many, or not so many bytes. */
static Status encode_end(const char *prompt, size_t bytes, size_t taken, const Tokenizer *tokenizer,
                         size_t tokens, int32_t *ids, bool *found, Error *error) {
    TokenList list = {0};
    *found = false;
    if (bytes < 2 * taken) return STATUS_OK;
    size_t from = bytes - taken;
    while (from < bytes && ((unsigned char)prompt[from] & 0xC0) == 0x80) from++;
    Status status = tokenizer_encode(tokenizer, prompt + from, bytes - from, false, &list, error);
    *found = status == STATUS_OK && list.count > 2 * tokens;
    if (*found) memcpy(ids, list.ids + list.count - tokens, tokens * sizeof *ids);
    token_list_free(&list);
    return status;
}

static Status compare_whole(const CalibrationRow *row, const char *prompt, size_t bytes,
                            const Tokenizer *tokenizer, bool *differs, Error *error) {
    TokenList alone = {0};
    Status status = tokenizer_encode(tokenizer, prompt, bytes, true, &alone, error);
    size_t count = row->prompt_count;
    *differs = alone.count < count || memcmp(row->ids, alone.ids, count * sizeof *row->ids) != 0;
    if (alone.count > count) /* what the tokenizer puts behind a text is no change */
        *differs = *differs || !tokenizer_is_special(tokenizer, alone.ids[count]);
    token_list_free(&alone);
    return status;
}

/* Whether the prompt alone has the ids that it has before the response. What follows acts on its end: where its last bytes
 * have the same last tokens, so has all of it; and where two stretches of them agree on others, so would all of it. */
static Status compare_seam(const CalibrationRow *row, const char *prompt, size_t bytes,
                           const Tokenizer *tokenizer, bool *differs, Error *error) {
    int32_t ends[2][SEAM_TOKENS];
    for (size_t i = 0; i < 2; i++) {
        bool found;
        Status status =
            encode_end(prompt, bytes, (i + 1) * SEAM_BYTES, tokenizer, SEAM_TOKENS, ends[i], &found, error);
        if (status != STATUS_OK) return status;
        if (!found || row->prompt_count < SEAM_TOKENS) break;
        *differs = memcmp(row->ids + row->prompt_count - SEAM_TOKENS, ends[i], sizeof ends[i]) != 0;
        if (!*differs || (i == 1 && memcmp(ends[0], ends[1], sizeof ends[0]) == 0)) return STATUS_OK;
    }
    return compare_whole(row, prompt, bytes, tokenizer, differs, error);
}

/* The list's block becomes the row's, whatever the status. */
static Status encode_text(CalibrationRow *row, const char *text, size_t prompt_bytes, size_t bytes,
                          const Tokenizer *tokenizer, const CalibrationEnd *end, Error *error) {
    TokenList list = {0};
    size_t seam = prompt_bytes;
    Status status = tokenizer_encode_places(tokenizer, text, bytes, true, &seam, 1, NULL, &list, error);
    bool has_response = row->response != NULL;
    bool is_ended = list.count > 0 && list.count > seam && list.ids[list.count - 1] == end->id;
    if (status == STATUS_OK && has_response && end->id >= 0 && !is_ended) {
        status = token_list_append(&list, end->id, error);
        row->is_ended = true;
    }
    row->ids = list.ids;
    row->count = list.count;
    row->prompt_count = has_response ? seam : list.count;
    row->doubles_first = tokenizer_doubles_first(tokenizer, list.ids, list.count);
    return status;
}

Status calibration_encode_row(CalibrationRow *row, size_t prompt_bytes, size_t response_bytes,
                              const Tokenizer *tokenizer, const CalibrationEnd *end, Error *error) {
    if (tokenizer == NULL)
        return status_fail(error, STATUS_ARGUMENT, "there is no tokenizer: give token ids");
    if (row->response == NULL)
        return encode_text(row, row->prompt, prompt_bytes, prompt_bytes, tokenizer, end, error);
    size_t bytes;
    char *text = memory_add(prompt_bytes, response_bytes, &bytes) ? memory_allocate(bytes + 1, 1) : NULL;
    if (text == NULL) return memory_fail(error, "a calibration row");
    memcpy(text, row->prompt, prompt_bytes);
    memcpy(text + prompt_bytes, row->response, response_bytes);
    Status status = encode_text(row, text, prompt_bytes, bytes, tokenizer, end, error);
    free(text);
    if (status == STATUS_OK && prompt_bytes > 0 && response_bytes > 0)
        status = compare_seam(row, row->prompt, prompt_bytes, tokenizer, &row->changes_prompt, error);
    return status;
}

Status calibration_add_text(Calibration *calibration, const char *prompt, size_t prompt_bytes,
                            const char *response, size_t response_bytes, const Tokenizer *tokenizer,
                            const ModelConfig *config, Error *error) {
    CalibrationRow row = {.prompt = memory_copy_text(prompt, prompt_bytes)};
    if (response != NULL) row.response = memory_copy_text(response, response_bytes);
    Status status =
        row.prompt == NULL || (response != NULL && row.response == NULL)
            ? memory_fail(error, "a calibration row")
            : calibration_encode_row(&row, prompt_bytes, response_bytes, tokenizer, &calibration->end, error);
    if (status == STATUS_OK) return calibration_take_row(calibration, &row, config, error);
    calibration_free_row(&row);
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
    return calibration_take_row(calibration, &row, config, error);
}

/* ---- writing ---- */

static void add_ids(Buffer *buffer, const char *key, const int32_t *ids, size_t count) {
    buffer_add_format(buffer, "\"%s\": [", key);
    for (size_t i = 0; i < count; i++) buffer_add_format(buffer, i == 0 ? "%" PRId32 : ", %" PRId32, ids[i]);
    buffer_add_text(buffer, "]");
}

/* "labels": the ids that are learned, and elsewhere what trainers put for none. */
static void add_labels(Buffer *buffer, const CalibrationRow *row) {
    EvaluationRow response = calibration_positions(row, true);
    buffer_add_text(buffer, ", \"labels\": [-100");
    for (size_t t = 1; t < row->count; t++)
        buffer_add_format(buffer, ", %" PRId32,
                          evaluation_row_measures(&response, t - 1) ? row->ids[t] : CALIBRATION_NO_LABEL);
    buffer_add_text(buffer, "]");
}

Status calibration_format_ids(const Calibration *calibration, char **text, size_t *bytes, Error *error) {
    Buffer buffer = {0};
    for (size_t i = 0; i < calibration->count; i++) {
        const CalibrationRow *row = &calibration->rows[i];
        buffer_add_text(&buffer, "{");
        if (row->measured != NULL)
            add_ids(&buffer, "input_ids", row->ids, row->count);
        else
            add_ids(&buffer, "prompt_ids", row->ids, row->prompt_count);
        if (row->measured != NULL) {
            add_labels(&buffer, row);
        } else if (row->count > row->prompt_count) {
            buffer_add_text(&buffer, ", ");
            add_ids(&buffer, "response_ids", row->ids + row->prompt_count, row->count - row->prompt_count);
        }
        buffer_add_text(&buffer, "}\n");
    }
    return buffer_take(&buffer, text, bytes, "calibration rows", error);
}

/* ---- what is said of them ---- */

/* "the row", "3 of 5 rows". */
static void name_rows(const Calibration *calibration, size_t rows, const char *one, const char *many,
                      char text[64]) {
    if (calibration->count == 1)
        (void)snprintf(text, 64, "%s", one);
    else
        (void)snprintf(text, 64, "%zu of %zu %s", rows, calibration->count, many);
}

static void describe_length(const Calibration *calibration, char text[CALIBRATION_REMARK_SIZE]) {
    char rows[64];
    const char *key = calibration->positions_from;
    name_rows(calibration, calibration->too_long, "it", "rows", rows);
    (void)snprintf(text, CALIBRATION_REMARK_SIZE,
                   "longer than the model's %" PRIu64
                   " positions (%s): %s, the longest of %zu tokens; what is measured beyond them says little",
                   calibration->positions, key != NULL ? key : "default of its type", rows,
                   calibration->longest);
}

static void describe_doubled(const Calibration *calibration, char text[CALIBRATION_REMARK_SIZE]) {
    char rows[64];
    name_rows(calibration, calibration->doubled, "it", "rows", rows);
    (void)snprintf(text, CALIBRATION_REMARK_SIZE,
                   "begins with the token that the tokenizer puts first, which is there twice then: %s",
                   rows);
}

static void describe_changed(const Calibration *calibration, char text[CALIBRATION_REMARK_SIZE]) {
    char rows[64];
    name_rows(calibration, calibration->changed, "it", "rows", rows);
    (void)snprintf(text, CALIBRATION_REMARK_SIZE,
                   "the response changes the tokens at the prompt's end (one that covers both is the "
                   "response's): %s",
                   rows);
}

static void describe_last(const Calibration *calibration, char text[CALIBRATION_REMARK_SIZE]) {
    char rows[64];
    name_rows(calibration, calibration->last_alone, "it", "rows", rows);
    (void)snprintf(
        text, CALIBRATION_REMARK_SIZE,
        "measured on the last turn alone, for the chat template does not render a turn as what is before it "
        "goes on: %s",
        rows);
}

static void describe_bare(const Calibration *calibration, char text[CALIBRATION_REMARK_SIZE]) {
    char rows[64];
    name_rows(calibration, calibration->bare, "it", "rows", rows);
    (void)snprintf(
        text, CALIBRATION_REMARK_SIZE,
        "verl dumps prompts without special tokens: where a chat template made them, the model read others "
        "(messages or prompt_ids say which): %s",
        rows);
}

bool calibration_remark(const Calibration *calibration, size_t index, char text[CALIBRATION_REMARK_SIZE]) {
    const struct {
        size_t rows;
        void (*describe)(const Calibration *, char[CALIBRATION_REMARK_SIZE]);
    } remarks[] = {{calibration->too_long, describe_length},
                   {calibration->doubled, describe_doubled},
                   {calibration->changed, describe_changed},
                   {calibration->last_alone, describe_last},
                   {calibration->bare, describe_bare}};
    for (size_t i = 0; i < sizeof remarks / sizeof *remarks; i++) {
        if (remarks[i].rows == 0 || index-- > 0) continue;
        remarks[i].describe(calibration, text);
        return true;
    }
    return false;
}

/* ---- positions ---- */

EvaluationRow calibration_positions(const CalibrationRow *row, bool responses_only) {
    EvaluationRow positions = {.ids = row->ids, .count = row->count, .first = 0, .end = row->count};
    if (!responses_only) return positions;
    if (row->measured != NULL) {
        positions.spans = row->measured;
        positions.span_count = row->measured_count;
        positions.first = row->measured[0].first;
        positions.end = row->measured[row->measured_count - 1].end;
        return positions;
    }
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
