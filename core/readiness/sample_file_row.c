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

/* What stands there under two keys must be the same. */
static Status fail_other(const char *key, const char *what, Error *error) {
    return status_fail(error, STATUS_FORMAT,
                       "\"%s\": there is another %s under another key for the same: leave one out", key,
                       what);
}

static Status put_text(const char *key, const char *value, char **text, Error *error) {
    if (*text != NULL && strcmp(*text, value) != 0) return fail_other(key, "text", error);
    if (*text == NULL) *text = memory_copy_text(value, strlen(value));
    return *text == NULL ? memory_fail(error, "a sample") : STATUS_OK;
}

static Status read_text(const cJSON *item, char **text, Error *error) {
    if (!cJSON_IsString(item))
        return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be a text", item->string);
    return put_text(item->string, item->valuestring, text, error);
}

static Status read_list(const cJSON *item, TokenList *list, Error *error) {
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

static bool is_same_list(const TokenList *a, const TokenList *b) {
    return a->count == b->count && (a->count == 0 || memcmp(a->ids, b->ids, a->count * sizeof *a->ids) == 0);
}

static Status read_ids(const cJSON *item, TokenList *list, bool *has_ids, Error *error) {
    TokenList read = {0};
    Status status = read_list(item, &read, error);
    if (status == STATUS_OK && *has_ids && !is_same_list(&read, list))
        status = fail_other(item->string, "list of ids", error);
    if (status != STATUS_OK || *has_ids) {
        token_list_free(&read);
        return status;
    }
    *list = read;
    *has_ids = true;
    return STATUS_OK;
}

/* Messages are read where their ids are made: there is a template only then. */
static Status take_prompt(SampleFileRow *row, const cJSON *item, Error *error) {
    if (cJSON_IsArray(item)) return STATUS_OK;
    if (cJSON_IsString(item)) return read_text(item, &row->row.prompt, error);
    row->has_number = json_read_count(item, &row->number);
    if (row->has_number) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "expected \"%s\" to be a text, messages, or the number of a prompt", item->string);
}

static Status take_prompt_text(SampleFileRow *row, const cJSON *item, Error *error) {
    return read_text(item, &row->row.prompt, error);
}

static Status take_prompt_ids(SampleFileRow *row, const cJSON *item, Error *error) {
    return read_ids(item, &row->prompt_ids, &row->has_prompt_ids, error);
}

/* One message of the assistant, as TRL has it: what was said is its content, and the end behind it. */
static Status read_message(const cJSON *list, char **text, Error *error) {
    const cJSON *message = cJSON_GetArrayItem(list, 0), *content = json_find(message, "content"), *item;
    if (cJSON_GetArraySize(list) != 1 || strcmp(json_get_text(message, "role", ""), "assistant") != 0)
        return status_fail(
            error, STATUS_UNSUPPORTED,
            "\"%s\" is messages: expected one, by \"assistant\"; render others, or give response_ids",
            list->string);
    cJSON_ArrayForEach(item, message) {
        bool is_known = item == content || strcmp(item->string, "role") == 0;
        if (!is_known && calibration_holds_something(item))
            return status_fail(error, STATUS_UNSUPPORTED,
                               "the message in \"%s\" has \"%.60s\": render it, or give response_ids",
                               list->string, item->string);
    }
    if (content == NULL)
        return status_fail(error, STATUS_FORMAT, "expected the message in \"%s\" to have content",
                           list->string);
    return read_text(content, text, error);
}

static Status take_response(SampleFileRow *row, const cJSON *item, Error *error) {
    if (cJSON_IsArray(item)) return read_message(item, &row->row.response, error);
    return read_text(item, &row->row.response, error);
}

static Status take_response_ids(SampleFileRow *row, const cJSON *item, Error *error) {
    return read_ids(item, &row->response_ids, &row->has_response_ids, error);
}

static Status take_reward(SampleFileRow *row, const cJSON *item, Error *error) {
    double reward = cJSON_IsBool(item) ? (double)cJSON_IsTrue(item) : item->valuedouble;
    if (!cJSON_IsBool(item) && (!cJSON_IsNumber(item) || !isfinite(reward)))
        return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be a number", item->string);
    if (!isnan(row->reward) && row->reward != reward) return fail_other(item->string, "reward", error);
    row->reward = reward;
    return STATUS_OK;
}

static Status take_answer(SampleFileRow *row, const cJSON *item, Error *error) {
    char number[JSON_NUMBER_SIZE];
    if (!cJSON_IsNumber(item)) return read_text(item, &row->row.answer, error);
    (void)json_format_number(item->valuedouble, 1, number);
    return put_text(item->string, number, &row->row.answer, error);
}

static Status take_number(SampleFileRow *row, const cJSON *item, Error *error) {
    (void)row; /* samples are in the file's order */
    if (cJSON_IsNumber(item)) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be a number", item->string);
}

/* ---- keys ---- */

enum { NAMES = 6 };

typedef struct Member {
    const char *names[NAMES]; /* any, or several that say the same */
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

/* ---- verl's dumps ---- */

static const char *const OF_DUMP[] = {"input", "output", "gts", "score", "step"};
enum { OF_DUMP_COUNT = sizeof OF_DUMP / sizeof *OF_DUMP };

/* All of these are there (what is not known is null); beside them what the reward function gave, under any name. */
static bool is_dump(const cJSON *object) {
    for (size_t i = 0; i < OF_DUMP_COUNT; i++)
        if (json_find_any(object, OF_DUMP[i]) == NULL) return false;
    return true;
}

static bool is_of_dump(const char *key) {
    for (size_t i = 0; i < OF_DUMP_COUNT; i++)
        if (strcmp(key, OF_DUMP[i]) == 0) return true;
    return false;
}

static bool has_name(const Member *member, const char *key) {
    for (size_t i = 0; i < NAMES && member->names[i] != NULL; i++)
        if (strcmp(member->names[i], key) == 0) return true;
    return false;
}

/* In a dump the reward function's keys say nothing of the sample, whatever they are called. */
static Status take_member(SampleFileRow *row, const cJSON *object, const Member *member, bool in_dump,
                          bool *is_there, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < NAMES && member->names[i] != NULL && status == STATUS_OK; i++) {
        const cJSON *item = json_find(object, member->names[i]);
        if (item == NULL || (in_dump && !is_of_dump(member->names[i]))) continue;
        *is_there = true;
        status = member->take(row, item, error);
    }
    return status;
}

/* ---- messages ---- */

/* What templates see beside messages. */
static const char *const OF_CHAT[] = {"tools", "documents", "chat_template_kwargs", "template_kwargs"};
enum { OF_CHAT_COUNT = sizeof OF_CHAT / sizeof *OF_CHAT };

static bool is_of_chat(const cJSON *object, const char *key) {
    for (size_t i = 0; i < OF_CHAT_COUNT; i++)
        if (strcmp(key, OF_CHAT[i]) == 0) return cJSON_IsArray(json_find(object, "prompt"));
    return false;
}

/* What follows the assistant's own words goes on with them (TRL), or is another turn (verl): not to be guessed. */
static Status check_last(const cJSON *messages, Error *error) {
    const cJSON *last = cJSON_GetArrayItem(messages, cJSON_GetArraySize(messages) - 1);
    if (strcmp(json_get_text(last, "role", ""), "assistant") != 0) return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED,
                       "the last message of \"prompt\" is the assistant's: render it, or give prompt_ids");
}

/* {"prompt": messages, …}: nothing of it is learned, and an answer is asked for. */
static Status take_messages(SampleFileRow *row, const cJSON *object, Error *error) {
    const cJSON *messages = json_find(object, "prompt");
    if (!cJSON_IsArray(messages) || row->has_prompt_ids) return STATUS_OK;
    Status status = check_last(messages, error);
    if (status != STATUS_OK) return status;
    cJSON *conversation = cJSON_CreateObject();
    bool complete = conversation != NULL &&
                    cJSON_AddItemReferenceToObject(conversation, "prompt", (cJSON *)(uintptr_t)messages);
    for (size_t i = 0; i < OF_CHAT_COUNT && complete; i++) {
        const cJSON *item = json_find(object, OF_CHAT[i]);
        if (item != NULL)
            complete = cJSON_AddItemReferenceToObject(conversation, OF_CHAT[i], (cJSON *)(uintptr_t)item);
    }
    char *text = complete ? cJSON_PrintUnformatted(conversation) : NULL;
    if (text != NULL) row->row.conversation = memory_copy_text(text, strlen(text));
    cJSON_free(text);
    cJSON_Delete(conversation);
    return row->row.conversation == NULL ? memory_fail(error, "a sample") : STATUS_OK;
}

/* ---- sessions of verl's agents ---- */

/* uid is PROMPT_SESSION_OUTPUT: of several outputs the session's score stands beside each. */
static Status check_session(const cJSON *object, Error *error) {
    const char *uid = json_get_text(object, "uid", ""), *last = strrchr(uid, '_');
    size_t digits = last == NULL ? 0 : strspn(last + 1, "0123456789");
    if (digits == 0 || last[1 + digits] != '\0' || strtoul(last + 1, NULL, 10) == 0) return STATUS_OK;
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "\"uid\" is \"%.80s\": one of several outputs of a session, which are no samples of one prompt", uid);
}

/* ---- the row ---- */

/* Whether a member is used, or may be passed over. */
static bool is_known(const cJSON *object, const cJSON *item, bool has_outputs) {
    if (!calibration_holds_something(item) || calibration_key_is_harmless(item->string)) return true;
    if (is_of_chat(object, item->string)) return true;
    if (has_outputs && item == sample_file_row_outputs(object)) return true;
    for (size_t i = 0; i < HARMLESS_COUNT; i++)
        if (strcmp(item->string, HARMLESS[i]) == 0) return true;
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        if (has_name(&MEMBERS[i], item->string)) return true;
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
    if (row->row.prompt == NULL && !row->has_prompt_ids && row->row.conversation == NULL)
        return status_fail(error, STATUS_FORMAT,
                           row->has_number ? "expected prompt_ids beside the number of the prompt"
                                           : "expected \"prompt\" or \"prompt_ids\"");
    if (row->row.response == NULL && !row->has_response_ids)
        return status_fail(error, STATUS_FORMAT, "expected \"response\" or \"response_ids\"");
    return STATUS_OK;
}

const cJSON *sample_file_row_outputs(const cJSON *object) {
    const cJSON *outputs = json_find(object, "outputs");
    return outputs != NULL ? outputs : json_find(object, "responses");
}

Status sample_file_row_read(const cJSON *object, const cJSON *output, SampleFileRow *row, Error *error) {
    row->reward = NAN;
    row->is_dump = output == NULL && is_dump(object);
    Status status = row->is_dump ? check_session(object, error) : check_keys(object, output != NULL, error);
    if (status == STATUS_OK && cJSON_IsObject(output)) status = check_keys(output, false, error);
    for (size_t i = 0; i < MEMBER_COUNT && status == STATUS_OK; i++) {
        bool is_there = false;
        if (MEMBERS[i].is_of_sample) status = take_member(row, output, &MEMBERS[i], false, &is_there, error);
        if (!is_there) status = take_member(row, object, &MEMBERS[i], row->is_dump, &is_there, error);
    }
    if (status == STATUS_OK && !row->is_dump) status = take_messages(row, object, error);
    if (status == STATUS_OK && cJSON_IsString(output))
        status = put_text("outputs", output->valuestring, &row->row.response, error);
    const cJSON *truth = json_find(json_find(object, "reward_model"), "ground_truth");
    bool is_answer = cJSON_IsString(truth) || cJSON_IsNumber(truth) || row->row.answer == NULL;
    if (status == STATUS_OK && truth != NULL && !row->is_dump && is_answer)
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

/* The messages' ids, as those that were given; its text is what they render to. */
static Status encode_messages(SampleFileRow *row, const CalibrationChat *chat, Error *error) {
    CalibrationRow rendered = {.conversation = row->row.conversation};
    Status status = calibration_chat_encode(chat, &rendered, error);
    row->has_prompt_ids = status == STATUS_OK;
    for (size_t i = 0; i < rendered.count && status == STATUS_OK; i++)
        status = token_list_append(&row->prompt_ids, rendered.ids[i], error);
    if (status == STATUS_OK) {
        free(row->row.prompt);
        row->row.prompt = rendered.prompt;
        rendered.prompt = NULL;
    }
    rendered.conversation = NULL;
    calibration_free_row(&rendered);
    return status;
}

Status sample_file_row_encode(SampleFileRow *row, const CalibrationChat *chat, const Tokenizer *tokenizer,
                              const CalibrationEnd *end, Error *error) {
    CalibrationRow *made = &row->row;
    if (made->conversation != NULL && !row->has_prompt_ids) {
        Status status = encode_messages(row, chat, error);
        if (status != STATUS_OK) return status;
    }
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
