#include "core/readiness/sample_file_row.h"

#include "core/files/json.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sample_file_row_free(SampleFileRow *row) {
    calibration_free_row(&row->row);
    token_list_free(&row->prompt_ids);
    token_list_free(&row->response_ids);
}

/* ---- members ---- */

static Status read_text(const cJSON *item, char **text, Error *error) {
    if (!cJSON_IsString(item))
        return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be a text", item->string);
    *text = memory_copy_text(item->valuestring, strlen(item->valuestring));
    return *text == NULL ? memory_fail(error, "a sample") : STATUS_OK;
}

static Status read_ids(const cJSON *item, TokenList *list, Error *error) {
    const cJSON *id;
    if (!cJSON_IsArray(item))
        return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be an array of token ids", item->string);
    cJSON_ArrayForEach(id, item) {
        uint64_t value;
        if (!json_read_count(id, &value) || value > INT32_MAX)
            return status_fail(error, STATUS_FORMAT, "expected \"%s\" to hold token ids", item->string);
        Status status = token_list_append(list, (int32_t)value, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static Status take_prompt(SampleFileRow *row, const cJSON *item, Error *error) {
    if (cJSON_IsString(item)) return read_text(item, &row->row.prompt, error);
    row->has_number = json_read_count(item, &row->number);
    if (row->has_number) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be a text, or the number of a prompt%s",
                       item->string, cJSON_IsArray(item) ? "; render messages, or give prompt_ids" : "");
}

static Status take_prompt_text(SampleFileRow *row, const cJSON *item, Error *error) {
    return read_text(item, &row->row.prompt, error);
}

static Status take_prompt_ids(SampleFileRow *row, const cJSON *item, Error *error) {
    row->has_prompt_ids = true;
    return read_ids(item, &row->prompt_ids, error);
}

static Status take_response(SampleFileRow *row, const cJSON *item, Error *error) {
    return read_text(item, &row->row.response, error);
}

static Status take_response_ids(SampleFileRow *row, const cJSON *item, Error *error) {
    row->has_response_ids = true;
    return read_ids(item, &row->response_ids, error);
}

static Status take_reward(SampleFileRow *row, const cJSON *item, Error *error) {
    if (cJSON_IsBool(item)) {
        row->reward = cJSON_IsTrue(item) ? 1.0 : 0.0;
        return STATUS_OK;
    }
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be a number", item->string);
    row->reward = item->valuedouble;
    return STATUS_OK;
}

static Status take_answer(SampleFileRow *row, const cJSON *item, Error *error) {
    char number[JSON_NUMBER_SIZE];
    if (!cJSON_IsNumber(item)) return read_text(item, &row->row.answer, error);
    (void)json_format_number(item->valuedouble, 1, number);
    row->row.answer = memory_copy_text(number, strlen(number));
    return row->row.answer == NULL ? memory_fail(error, "a sample") : STATUS_OK;
}

static Status take_number(SampleFileRow *row, const cJSON *item, Error *error) {
    (void)row; /* samples are in the file's order */
    if (cJSON_IsNumber(item)) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be a number", item->string);
}

/* ---- keys ---- */

enum { NAMES = 6 };

typedef struct Member {
    const char *names[NAMES]; /* the first that is there counts */
    Status (*take)(SampleFileRow *row, const cJSON *item, Error *error);
    bool is_of_sample; /* an output has one of its own */
} Member;

static const Member MEMBERS[] = {
    {{"prompt"}, take_prompt, false},
    {{"prompt_text", "input"}, take_prompt_text, false},
    {{"prompt_ids", "prompt_token_ids"}, take_prompt_ids, false},
    {{"response", "output", "completion", "text"}, take_response, true},
    {{"response_ids", "token_ids", "response_token_ids", "output_token_ids", "output_ids"},
     take_response_ids,
     true},
    {{"reward", "score"}, take_reward, true},
    {{"answer", "gts", "ground_truth"}, take_answer, false},
    {{"sample"}, take_number, true},
};

/* What those who sample write beside it; what else is about a row, calibration_forms.c knows. */
static const char *const HARMLESS[] = {
    "pred",       "prediction", "extracted_answer", "finish_reason",   "stop_reason",
    "request_id", "step",       "logprobs",         "prompt_logprobs", "cumulative_logprob",
    "metrics",    "acc",        "reward_model"};

enum { MEMBER_COUNT = sizeof MEMBERS / sizeof *MEMBERS, HARMLESS_COUNT = sizeof HARMLESS / sizeof *HARMLESS };

static const cJSON *find_member(const cJSON *object, const Member *member) {
    for (size_t i = 0; i < NAMES && member->names[i] != NULL; i++) {
        const cJSON *item = json_find(object, member->names[i]);
        if (item != NULL) return item;
    }
    return NULL;
}

/* Whether a member is used, or may be passed over. */
static bool is_known(const cJSON *object, const cJSON *item, bool has_outputs) {
    if (!calibration_holds_something(item) || calibration_key_is_harmless(item->string)) return true;
    if (has_outputs && strcmp(item->string, "outputs") == 0) return true;
    for (size_t i = 0; i < HARMLESS_COUNT; i++)
        if (strcmp(item->string, HARMLESS[i]) == 0) return true;
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        if (find_member(object, &MEMBERS[i]) == item) return true;
    return false;
}

static Status check_keys(const cJSON *object, bool has_outputs, Error *error) {
    const cJSON *item;
    cJSON_ArrayForEach(item, object) {
        if (!is_known(object, item, has_outputs))
            return status_fail(
                error, STATUS_UNSUPPORTED,
                "the sample has \"%.60s\", which nothing is made of: leave it out, or put it into the "
                "prompt or the response",
                item->string);
    }
    return STATUS_OK;
}

static Status check_row(const SampleFileRow *row, Error *error) {
    if (row->row.prompt == NULL && !row->has_prompt_ids)
        return status_fail(error, STATUS_FORMAT,
                           row->has_number ? "expected prompt_ids beside the number of the prompt"
                                           : "expected \"prompt\" or \"prompt_ids\"");
    if (row->row.response == NULL && !row->has_response_ids)
        return status_fail(error, STATUS_FORMAT, "expected \"response\" or \"response_ids\"");
    return STATUS_OK;
}

Status sample_file_row_read(const cJSON *object, const cJSON *output, SampleFileRow *row, Error *error) {
    row->reward = NAN;
    Status status = check_keys(object, output != NULL, error);
    if (status == STATUS_OK && cJSON_IsObject(output)) status = check_keys(output, false, error);
    for (size_t i = 0; i < MEMBER_COUNT && status == STATUS_OK; i++) {
        const cJSON *item = MEMBERS[i].is_of_sample ? find_member(output, &MEMBERS[i]) : NULL;
        if (item == NULL) item = find_member(object, &MEMBERS[i]);
        if (item != NULL) status = MEMBERS[i].take(row, item, error);
    }
    if (status == STATUS_OK && cJSON_IsString(output)) {
        row->row.response = memory_copy_text(output->valuestring, strlen(output->valuestring));
        if (row->row.response == NULL) status = memory_fail(error, "a sample");
    }
    const cJSON *truth = json_find(json_find(object, "reward_model"), "ground_truth");
    if (status == STATUS_OK && row->row.answer == NULL && truth != NULL)
        status = take_answer(row, truth, error);
    return status == STATUS_OK ? check_row(row, error) : status;
}

/* ---- ids ---- */

static Status encode_apart(const char *text, bool is_prompt, const Tokenizer *tokenizer, TokenList *list,
                           Error *error) {
    if (tokenizer == NULL)
        return status_fail(error, STATUS_ARGUMENT, "there is no tokenizer: give token ids");
    return tokenizer_encode(tokenizer, text, strlen(text), is_prompt, list, error);
}

/* Ids that were given, or made of a text by itself, in one block. */
static Status join_ids(SampleFileRow *row, Error *error) {
    CalibrationRow *to = &row->row;
    const TokenList *prompt = &row->prompt_ids, *response = &row->response_ids;
    if (!memory_add(prompt->count, response->count, &to->count)) return memory_fail(error, "a sample");
    to->ids = memory_allocate(to->count, sizeof *to->ids);
    if (to->ids == NULL) return memory_fail(error, "a sample");
    if (prompt->count > 0) memcpy(to->ids, prompt->ids, prompt->count * sizeof *to->ids);
    if (response->count > 0)
        memcpy(to->ids + prompt->count, response->ids, response->count * sizeof *to->ids);
    to->prompt_count = prompt->count;
    return STATUS_OK;
}

Status sample_file_row_encode(SampleFileRow *row, const Tokenizer *tokenizer, const CalibrationEnd *end,
                              Error *error) {
    CalibrationRow *made = &row->row;
    if (!row->has_prompt_ids && !row->has_response_ids)
        return calibration_encode_row(made, strlen(made->prompt), strlen(made->response), tokenizer, end,
                                      error);
    Status status = STATUS_OK;
    if (!row->has_prompt_ids) status = encode_apart(made->prompt, true, tokenizer, &row->prompt_ids, error);
    if (status == STATUS_OK && !row->has_response_ids) {
        TokenList *ids = &row->response_ids;
        status = encode_apart(made->response, false, tokenizer, ids, error);
        made->is_ended = end->id >= 0 && (ids->count == 0 || ids->ids[ids->count - 1] != end->id);
        if (status == STATUS_OK && made->is_ended) status = token_list_append(ids, end->id, error);
    }
    return status == STATUS_OK ? join_ids(row, error) : status;
}
