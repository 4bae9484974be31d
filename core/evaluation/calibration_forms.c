#include "core/evaluation/calibration_forms.h"

#include "core/files/json.h"
#include "core/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORM_KEYS = 4, KEYS_SHOWN = 400 };

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

static Status make_of_ids(const cJSON *object, CalibrationRow *row, Error *error) {
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
    if (cJSON_IsArray(item) && cJSON_IsObject(item->child))
        return status_fail(
            error, STATUS_UNSUPPORTED,
            "expected \"%s\" to be a text, found the messages of a conversation, which are not "
            "supported: render them with the model's chat template",
            key);
    if (!cJSON_IsString(item)) return status_fail(error, STATUS_FORMAT, "expected \"%s\" to be a text", key);
    *copy = memory_copy_text(item->valuestring, strlen(item->valuestring));
    return *copy == NULL ? memory_fail(error, "a calibration row") : STATUS_OK;
}

static Status make_of_response(const cJSON *object, CalibrationRow *row, Error *error) {
    Status status = copy_text(object, "prompt", &row->prompt, error);
    if (status == STATUS_OK) status = copy_text(object, "response", &row->response, error);
    return status == STATUS_OK ? copy_text(object, "answer", &row->answer, error) : status;
}

static Status make_of_completion(const cJSON *object, CalibrationRow *row, Error *error) {
    Status status = copy_text(object, "prompt", &row->prompt, error);
    return status == STATUS_OK ? copy_text(object, "completion", &row->response, error) : status;
}

static Status make_of_prompt(const cJSON *object, CalibrationRow *row, Error *error) {
    return copy_text(object, "prompt", &row->prompt, error);
}

static Status make_of_text(const cJSON *object, CalibrationRow *row, Error *error) {
    return copy_text(object, "text", &row->prompt, error);
}

/* ---- the forms ---- */

typedef struct RowForm {
    const char *needed[FORM_KEYS], *besides[FORM_KEYS];
    Status (*make)(const cJSON *object, CalibrationRow *row, Error *error); /* NULL: it is refused, */
    const char *refusal;                                                    /* with these words */
} RowForm;

#define CONVERSATION                                                                                         \
    "is a conversation, which is not supported: render it with the model's chat template, and give prompt "  \
    "and response"

static const RowForm FORMS[] = {
    {{"prompt_ids"}, {"response_ids"}, make_of_ids, NULL},
    {{"chosen", "rejected"}, {NULL}, NULL, "is a preference: give what is to be measured as response"},
    {{"messages"}, {NULL}, NULL, CONVERSATION},
    {{"conversations"}, {NULL}, NULL, CONVERSATION},
    {{"conversation"}, {NULL}, NULL, CONVERSATION},
    {{"prompt", "completion"}, {NULL}, make_of_completion, NULL},
    {{"prompt", "response"}, {"answer"}, make_of_response, NULL},
    {{"prompt"}, {NULL}, make_of_prompt, NULL},
    {{"instruction", "output"},
     {"input"},
     NULL,
     "is of Alpaca's form, which does not say the prompt that its fields go into, and trainers differ: give "
     "prompt and response as the model was trained on them"},
    {{"input_ids"},
     {NULL},
     NULL,
     "has ids that do not say where the response begins: give prompt_ids and response_ids"},
    {{"text"}, {NULL}, make_of_text, NULL},
};

/* What is about a row and not of it: passed over, whatever it holds. */
static const char *const HARMLESS[] = {
    "id",        "idx",      "index",      "uid",        "uuid",        "guid",        "hash",
    "key",       "row_id",   "prompt_id",  "doc_id",     "sample_id",   "question_id", "conversation_id",
    "custom_id", "source",   "origin",     "dataset",    "data_source", "subset",      "split",
    "config",    "file",     "url",        "path",       "license",     "author",      "language",
    "lang",      "locale",   "version",    "date",       "timestamp",   "created",     "created_at",
    "meta",      "metadata", "info",       "extra_info", "category",    "categories",  "topic",
    "domain",    "subject",  "task",       "task_type",  "type",        "kind",        "tag",
    "tags",      "level",    "difficulty", "score",      "scores",      "rating",      "reward",
    "quality",   "weight",   "model",      "model_name", "generator",   "comment",     "note",
    "notes"};

static bool is_among(const char *const *keys, size_t count, const char *key) {
    for (size_t i = 0; i < count && keys[i] != NULL; i++) {
        if (strcmp(keys[i], key) == 0) return true;
    }
    return false;
}

static bool fits(const RowForm *form, const cJSON *object) {
    for (size_t i = 0; i < FORM_KEYS && form->needed[i] != NULL; i++) {
        if (json_find(object, form->needed[i]) == NULL) return false;
    }
    return true;
}

/* Numbers and switches say nothing that could be measured. */
static bool holds_something(const cJSON *item) {
    if (cJSON_IsString(item)) return item->valuestring[0] != '\0';
    return (cJSON_IsArray(item) || cJSON_IsObject(item)) && item->child != NULL;
}

/* "prompt, completion, …" of the members that `form` does not use and that hold something; of all, where it is NULL. */
static size_t list_keys(const cJSON *object, const RowForm *form, char text[KEYS_SHOWN]) {
    const cJSON *item;
    size_t used = 0, count = 0;
    text[0] = '\0';
    cJSON_ArrayForEach(item, object) {
        if (form != NULL && (!holds_something(item) || is_among(form->needed, FORM_KEYS, item->string) ||
                             is_among(form->besides, FORM_KEYS, item->string) ||
                             is_among(HARMLESS, sizeof HARMLESS / sizeof *HARMLESS, item->string)))
            continue;
        int length = snprintf(text + used, KEYS_SHOWN - used, "%s%.60s", count > 0 ? ", " : "", item->string);
        count++;
        if (length > 0) used += (size_t)length;
        if (used >= KEYS_SHOWN - 1) break;
    }
    return count;
}

Status calibration_read_form(const cJSON *object, CalibrationRow *row, Error *error) {
    char keys[KEYS_SHOWN];
    const RowForm *form = NULL;
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS && form == NULL; i++) {
        if (fits(&FORMS[i], object)) form = &FORMS[i];
    }
    if (form == NULL) {
        (void)list_keys(object, NULL, keys);
        return status_fail(error, STATUS_FORMAT,
                           "expected \"prompt\" and \"response\" (or \"completion\"), \"prompt_ids\" and "
                           "\"response_ids\", or \"text\"; found a row with %s",
                           keys[0] != '\0' ? keys : "no keys");
    }
    if (form->make == NULL) {
        (void)list_keys(object, NULL, keys);
        return status_fail(error, STATUS_UNSUPPORTED, "the row (%s) %s", keys, form->refusal);
    }
    Status status = form->make(object, row, error);
    if (status == STATUS_OK && list_keys(object, form, keys) > 0)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "the row has %s, which nothing is made of beside \"%s\": leave it out, or put it "
                           "into the prompt or the response",
                           keys, form->needed[0]);
    return status;
}
