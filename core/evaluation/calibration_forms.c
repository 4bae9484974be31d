#include "core/evaluation/calibration_forms.h"

#include "core/files/json.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORM_KEYS = 10, KEYS_SHOWN = 400 };

/* A row of JSON: what was read, and the text that it was read from. */
typedef struct RowSource {
    const cJSON *object;
    const char *text;
    size_t bytes;
} RowSource;

/* ---- making rows ---- */

static Status read_ids(const cJSON *object, const char *key, TokenList *list, Error *error) {
    const cJSON *array = json_find(object, key), *item;
    if (array == NULL) return STATUS_OK;
    if (!cJSON_IsArray(array))
        return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be an array", key);
    cJSON_ArrayForEach(item, array) {
        uint64_t id;
        if (!json_read_count(item, &id) || id > INT32_MAX)
            return status_fail(error, STATUS_FORMAT, "expected \"%s\" to hold token ids", key);
        Status status = token_list_append(list, (int32_t)id, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static Status make_of_ids(const RowSource *source, CalibrationRow *row, Error *error) {
    const cJSON *object = source->object;
    TokenList list = {0};
    Status status = read_ids(object, "prompt_ids", &list, error);
    row->prompt_count = list.count;
    if (status == STATUS_OK) status = read_ids(object, "response_ids", &list, error);
    row->ids = list.ids; /* the list's block becomes the row's, whatever the status */
    row->count = list.count;
    return status;
}

/* A copy of member `key`, NULL where it is absent; what is there and no text is a mistake, not an absence. */
static Status copy_text(const cJSON *object, const char *key, char **copy, Error *error) {
    const cJSON *item = json_find(object, key);
    if (item == NULL) return STATUS_OK;
    if (!cJSON_IsString(item)) return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be a text", key);
    *copy = memory_copy_text(item->valuestring, strlen(item->valuestring));
    return *copy == NULL ? memory_fail(error, "a calibration row") : STATUS_OK;
}

static Status make_of_response(const RowSource *source, CalibrationRow *row, Error *error) {
    const cJSON *object = source->object;
    Status status = copy_text(object, "prompt", &row->prompt, error);
    if (status == STATUS_OK) status = copy_text(object, "response", &row->response, error);
    return status == STATUS_OK ? copy_text(object, "answer", &row->answer, error) : status;
}

static Status make_of_completion(const RowSource *source, CalibrationRow *row, Error *error) {
    const cJSON *object = source->object;
    Status status = copy_text(object, "prompt", &row->prompt, error);
    return status == STATUS_OK ? copy_text(object, "completion", &row->response, error) : status;
}

static Status make_of_prompt(const RowSource *source, CalibrationRow *row, Error *error) {
    Status status = copy_text(source->object, "prompt", &row->prompt, error);
    return status == STATUS_OK ? copy_text(source->object, "answer", &row->answer, error) : status;
}

static Status make_of_text(const RowSource *source, CalibrationRow *row, Error *error) {
    return copy_text(source->object, "text", &row->prompt, error);
}

/* ---- trainers' ids ---- */

/* Padding, which attention_mask leaves out at either end, is not of the row. */
static Status cut_padding(const cJSON *mask, TokenList *list, size_t *before, Error *error) {
    size_t at = 0, first = SIZE_MAX, end = 0, ones = 0;
    const cJSON *item;
    *before = 0;
    if (mask == NULL) return STATUS_OK;
    cJSON_ArrayForEach(item, mask) {
        if (cJSON_IsNumber(item) && item->valuedouble != 0.0) {
            if (first == SIZE_MAX) first = at;
            end = at + 1;
            ones++;
        }
        at++;
    }
    if (at != list->count || ones == 0 || ones != end - first)
        return status_fail(error, STATUS_FORMAT,
                           "expected \"attention_mask\" to have a one for each token of one stretch of "
                           "\"input_ids\"");
    memmove(list->ids, list->ids + first, ones * sizeof *list->ids);
    list->count = ones;
    *before = first;
    return STATUS_OK;
}

/* A mark of a token: is it learned? *fits is false for what is no mark. */
typedef bool (*ReadMark)(const cJSON *mark, int32_t id, bool *fits);

static bool read_label(const cJSON *mark, int32_t id, bool *fits) {
    double label = cJSON_IsNumber(mark) ? mark->valuedouble : NAN;
    *fits = label == (double)CALIBRATION_NO_LABEL || label == (double)id;
    return label == (double)id;
}

static bool read_mask(const cJSON *mark, int32_t id, bool *fits) {
    (void)id;
    *fits = cJSON_IsBool(mark) ||
            (cJSON_IsNumber(mark) && (mark->valuedouble == 0.0 || mark->valuedouble == 1.0));
    return cJSON_IsTrue(mark) || (cJSON_IsNumber(mark) && mark->valuedouble == 1.0);
}

/* `before` marks are those of padding. */
static Status learn_marked(CalibrationRow *row, const cJSON *marks, size_t before, const char *key,
                           ReadMark read, Error *error) {
    EvaluationSpan *spans = memory_allocate(row->count, sizeof *spans);
    size_t count = 0, at = 0;
    bool is_open = false, fits = true;
    if (spans == NULL) return memory_fail(error, "a calibration row");
    const cJSON *mark = marks->child;
    for (; mark != NULL && before > 0; before--) mark = mark->next;
    for (; mark != NULL && at < row->count && fits; mark = mark->next, at++) {
        bool is_learned = read(mark, row->ids[at], &fits);
        if (is_learned && !is_open) spans[count++].first = at;
        if (is_learned) spans[count - 1].end = at + 1;
        is_open = is_learned;
    }
    Status status = STATUS_OK;
    if (!fits || at < row->count)
        status = status_fail(
            error, STATUS_FORMAT,
            "expected \"%s\" to have %s for each of the %zu tokens of \"input_ids\", token %zu has not", key,
            read == read_label ? "its id, or -100," : "one or zero", row->count, fits ? at : at - 1);
    if (status == STATUS_OK) status = calibration_learn_tokens(row, spans, count, error);
    if (status == STATUS_OK && row->prompt_count == row->count)
        status = status_fail(error, STATUS_FORMAT, "\"%s\" has no token that is learned", key);
    free(spans);
    return status;
}

static Status make_of_marks(const RowSource *source, const char *key, ReadMark read, CalibrationRow *row,
                            Error *error) {
    TokenList list = {0};
    size_t before = 0;
    const cJSON *marks = json_find(source->object, key);
    if (!cJSON_IsArray(marks))
        return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be an array", key);
    Status status = read_ids(source->object, "input_ids", &list, error);
    if (status == STATUS_OK)
        status = cut_padding(json_find(source->object, "attention_mask"), &list, &before, error);
    row->ids = list.ids; /* the list's block becomes the row's, whatever the status */
    row->count = list.count;
    return status == STATUS_OK ? learn_marked(row, marks, before, key, read, error) : status;
}

static Status make_of_labels(const RowSource *source, CalibrationRow *row, Error *error) {
    return make_of_marks(source, "labels", read_label, row, error);
}

static Status make_of_assistant_masks(const RowSource *source, CalibrationRow *row, Error *error) {
    return make_of_marks(source, "assistant_masks", read_mask, row, error);
}

static Status make_of_completion_mask(const RowSource *source, CalibrationRow *row, Error *error) {
    return make_of_marks(source, "completion_mask", read_mask, row, error);
}

/* ---- conversations ---- */

/* verl's {"reward_model": {"ground_truth": "…"}} is an answer too. */
static Status copy_answer(const cJSON *object, CalibrationRow *row, Error *error) {
    const cJSON *truth = json_find(json_find(object, "reward_model"), "ground_truth");
    if (json_find(object, "answer") != NULL) return copy_text(object, "answer", &row->answer, error);
    if (!cJSON_IsString(truth)) return STATUS_OK;
    row->answer = memory_copy_text(truth->valuestring, strlen(truth->valuestring));
    return row->answer == NULL ? memory_fail(error, "a calibration row") : STATUS_OK;
}

/* Some keep the first question beside the messages. */
static bool repeats_question(const cJSON *object) {
    const cJSON *prompt = json_find(object, "prompt"), *message;
    if (!cJSON_IsString(prompt)) return prompt == NULL || cJSON_IsArray(prompt);
    cJSON_ArrayForEach(message, json_find(object, "messages")) {
        if (strcmp(json_get_text(message, "role", ""), "user") == 0)
            return strcmp(json_get_text(message, "content", ""), prompt->valuestring) == 0;
    }
    return false;
}

static Status make_of_conversation(const RowSource *source, CalibrationRow *row, Error *error) {
    if (!repeats_question(source->object))
        return status_fail(
            error, STATUS_UNSUPPORTED,
            "\"prompt\" stands beside \"messages\", and is not what the user says first: leave one out");
    row->conversation = memory_copy_text(source->text, source->bytes);
    if (row->conversation == NULL) return memory_fail(error, "a calibration row");
    return copy_answer(source->object, row, error);
}

/* ---- the forms ---- */

typedef struct RowForm {
    const char *needed[FORM_KEYS], *besides[FORM_KEYS];
    Status (*make)(const RowSource *source, CalibrationRow *row, Error *error); /* NULL: it is refused, */
    const char *refusal;                                                        /* with these words */
    bool is_list; /* fits only where the first key has a list */
} RowForm;

/* What goes into a template beside the messages, and the answer that is known. */
#define OF_CHAT                                                                                              \
    "tools", "documents", "template_kwargs", "chat_template_kwargs", "add_generation_prompt", "answer",      \
        "reward_model"

static const RowForm FORMS[] = {
    {{"prompt_ids"}, {"response_ids"}, make_of_ids, NULL, false},
    {{"chosen", "rejected"}, {NULL}, NULL, "is a preference: give what is to be measured as response", false},
    {{"messages"}, {OF_CHAT, "prompt"}, make_of_conversation, NULL, false},
    {{"conversation"}, {OF_CHAT}, make_of_conversation, NULL, true},
    {{"conversations"}, {OF_CHAT, "system", "system_prompt"}, make_of_conversation, NULL, false},
    {{"prompt", "completion"}, {OF_CHAT}, make_of_conversation, NULL, true},
    {{"prompt", "response"}, {OF_CHAT}, make_of_conversation, NULL, true},
    {{"prompt"}, {OF_CHAT}, make_of_conversation, NULL, true},
    {{"prompt", "completion"}, {NULL}, make_of_completion, NULL, false},
    {{"prompt", "response"}, {"answer"}, make_of_response, NULL, false},
    {{"prompt"}, {"answer"}, make_of_prompt, NULL, false},
    {{"instruction", "output"}, {"input", "history", "system", "answer"}, make_of_conversation, NULL, false},
    {{"input_ids", "labels"}, {"attention_mask"}, make_of_labels, NULL, false},
    {{"input_ids", "assistant_masks"}, {"attention_mask"}, make_of_assistant_masks, NULL, false},
    {{"input_ids", "completion_mask"}, {"attention_mask"}, make_of_completion_mask, NULL, false},
    {{"input_ids"},
     {NULL},
     NULL,
     "has ids that do not say where the response begins: give labels beside them, or prompt_ids and response_ids",
     false},
    {{"text"}, {NULL}, make_of_text, NULL, false},
};

/* What is about a row and not of it: passed over, whatever it holds. */
static const char *const HARMLESS[] = {
    "id",        "idx",      "index",     "uid",        "uuid",        "guid",        "hash",
    "key",       "row_id",   "prompt_id", "doc_id",     "sample_id",   "question_id", "conversation_id",
    "custom_id", "source",   "origin",    "dataset",    "data_source", "subset",      "split",
    "config",    "file",     "url",       "path",       "license",     "author",      "language",
    "lang",      "locale",   "version",   "date",       "timestamp",   "created",     "created_at",
    "meta",      "metadata", "info",      "extra_info", "category",    "categories",  "topic",
    "domain",    "ability",  "subject",   "task",       "task_type",   "type",        "kind",
    "tag",       "tags",     "level",     "difficulty", "score",       "scores",      "rating",
    "reward",    "quality",  "weight",    "model",      "model_name",  "generator",   "comment",
    "note",      "notes"};

static bool is_among(const char *const *keys, size_t count, const char *key) {
    for (size_t i = 0; i < count && keys[i] != NULL; i++) {
        if (strcmp(keys[i], key) == 0) return true;
    }
    return false;
}

static bool fits(const RowForm *form, const cJSON *object) {
    for (size_t i = 0; i < FORM_KEYS && form->needed[i] != NULL; i++) {
        const cJSON *item = json_find(object, form->needed[i]);
        if (item == NULL || (i == 0 && form->is_list && !cJSON_IsArray(item))) return false;
    }
    return true;
}

bool calibration_key_is_harmless(const char *key) {
    return is_among(HARMLESS, sizeof HARMLESS / sizeof *HARMLESS, key);
}

/* Numbers and switches say nothing that could be measured. */
bool calibration_holds_something(const cJSON *item) {
    if (cJSON_IsString(item)) return item->valuestring[0] != '\0';
    return (cJSON_IsArray(item) || cJSON_IsObject(item)) && item->child != NULL;
}

/* "prompt, completion, …" of the members that `form` does not use and that hold something; of all, where it is NULL. */
static size_t list_keys(const cJSON *object, const RowForm *form, char text[KEYS_SHOWN]) {
    const cJSON *item;
    size_t used = 0, count = 0;
    text[0] = '\0';
    cJSON_ArrayForEach(item, object) {
        if (form != NULL &&
            (!calibration_holds_something(item) || is_among(form->needed, FORM_KEYS, item->string) ||
             is_among(form->besides, FORM_KEYS, item->string) || calibration_key_is_harmless(item->string)))
            continue;
        int length = snprintf(text + used, KEYS_SHOWN - used, "%s%.60s", count > 0 ? ", " : "", item->string);
        count++;
        if (length > 0) used += (size_t)length;
        if (used >= KEYS_SHOWN - 1) break;
    }
    return count;
}

Status calibration_read_form(const cJSON *object, const char *text, size_t bytes, CalibrationRow *row,
                             Error *error) {
    char keys[KEYS_SHOWN];
    const RowSource source = {object, text, bytes};
    const RowForm *form = NULL;
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS && form == NULL; i++) {
        if (fits(&FORMS[i], object)) form = &FORMS[i];
    }
    if (form == NULL) {
        (void)list_keys(object, NULL, keys);
        return status_fail(
            error, STATUS_FORMAT,
            "expected \"prompt\" and \"response\" (or \"completion\"), \"messages\", \"conversations\", "
            "\"instruction\" and \"output\", \"prompt_ids\" and \"response_ids\", \"input_ids\" and "
            "\"labels\", or \"text\"; found a row with %s",
            keys[0] != '\0' ? keys : "no keys");
    }
    if (form->make == NULL) {
        (void)list_keys(object, NULL, keys);
        return status_fail(error, STATUS_UNSUPPORTED, "the row (%s) %s", keys, form->refusal);
    }
    Status status = form->make(&source, row, error);
    if (status == STATUS_OK && list_keys(object, form, keys) > 0)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "the row has %s, which nothing is made of beside \"%s\": leave it out, or put it "
                           "into the prompt or the response",
                           keys, form->needed[0]);
    return status;
}
