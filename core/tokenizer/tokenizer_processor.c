#include "core/files/json.h"
#include "core/support/memory.h"
#include "core/tokenizer/tokenizer_stages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char STAGE[] = "post_processor";

static Status add_item(Processor *processor, int32_t item, Error *error) {
    Status status = MEMORY_RESERVE(processor->items, &processor->capacity, processor->count + 1, error);
    if (status == STATUS_OK) processor->items[processor->count++] = item;
    return status;
}

/* The ids that special_tokens gives to the template's name. */
static Status add_special(const cJSON *specials, const char *name, Processor *processor, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    const cJSON *ids = json_find(json_find(specials, name), "ids"), *id;
    if (!cJSON_IsArray(ids))
        return status_fail(error, STATUS_FORMAT, "post_processor: expected ids for the special token %s",
                           tokenizer_text_quote(quote, name, strlen(name)));
    cJSON_ArrayForEach(id, ids) {
        uint64_t value;
        if (!json_read_count(id, &value) || value >= TOKENIZER_IDS_MAX)
            return status_fail(error, STATUS_FORMAT,
                               "post_processor: expected ids below %d for the special token %s",
                               TOKENIZER_IDS_MAX, tokenizer_text_quote(quote, name, strlen(name)));
        Status status = add_item(processor, (int32_t)value, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

static Status read_template(const cJSON *json, Processor *processor, Error *error) {
    if (processor->has_template)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "post_processor: two templates in one Sequence are not supported");
    processor->has_template = true;
    const cJSON *single = json_find(json, "single"), *piece;
    if (!cJSON_IsArray(single))
        return status_fail(error, STATUS_FORMAT, "post_processor: expected an array single");
    cJSON_ArrayForEach(piece, single) {
        const char *special = json_get_text(json_find(piece, "SpecialToken"), "id", NULL);
        const char *sequence = json_get_text(json_find(piece, "Sequence"), "id", NULL);
        Status status;
        if (special != NULL && sequence == NULL) {
            status = add_special(json_find(json, "special_tokens"), special, processor, error);
        } else if (special == NULL && sequence != NULL && strcmp(sequence, "A") == 0) {
            status = add_item(processor, TOKENIZER_NO_ID, error);
        } else {
            status = status_fail(
                error, STATUS_UNSUPPORTED,
                "post_processor: a template of other pieces than special tokens and the sequence A "
                "is not supported");
        }
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* RobertaProcessing and BertProcessing: ["<s>", 0] before the text, ["</s>", 2] behind it. */
static Status read_frame(const cJSON *json, Processor *processor, Error *error) {
    static const char *const ENDS[] = {"cls", "sep"};
    if (processor->has_template)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "post_processor: two templates in one Sequence are not supported");
    processor->has_template = true;
    for (size_t i = 0; i < 2; i++) {
        uint64_t id;
        const cJSON *end = json_find(json, ENDS[i]);
        if (!cJSON_IsArray(end) || !json_read_count(cJSON_GetArrayItem(end, 1), &id) ||
            id >= TOKENIZER_IDS_MAX)
            return status_fail(error, STATUS_FORMAT, "post_processor: expected a token and its id for %s",
                               ENDS[i]);
        Status status = add_item(processor, (int32_t)id, error);
        if (status == STATUS_OK && i == 0) status = add_item(processor, TOKENIZER_NO_ID, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* Described as a whole: steps may say the same in several ways. */
static Status add_step(void *made, const cJSON *json, const char *type, TokenizerText *description,
                       Error *error) {
    (void)description;
    if (strcmp(type, "ByteLevel") == 0) return STATUS_OK; /* it only moves offsets */
    if (strcmp(type, "TemplateProcessing") == 0) return read_template(json, made, error);
    if (strcmp(type, "RobertaProcessing") == 0 || strcmp(type, "BertProcessing") == 0)
        return read_frame(json, made, error);
    return tokenizer_stages_refuse(STAGE, type, error);
}

static const StageReading READING = {STAGE, "processors", add_step};

static Status describe(const Processor *processor, TokenizerText *description, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < processor->count && status == STATUS_OK; i++) {
        char item[16] = "the text";
        if (processor->items[i] != TOKENIZER_NO_ID)
            (void)snprintf(item, sizeof item, "%d", (int)processor->items[i]);
        status = tokenizer_stages_describe(description, item, NULL, NULL, error);
    }
    return status;
}

Status tokenizer_processor_read(const cJSON *json, Processor *processor, TokenizerText *description,
                                Error *error) {
    if (json == NULL) return STATUS_OK;
    Status status = tokenizer_stages_read(&READING, json, processor, description, error);
    return status == STATUS_OK ? describe(processor, description, error) : status;
}

Status tokenizer_processor_put_around(Processor *processor, int32_t first, int32_t last,
                                      TokenizerText *description, Error *error) {
    Status status = first == TOKENIZER_NO_ID ? STATUS_OK : add_item(processor, first, error);
    if (status == STATUS_OK) status = add_item(processor, TOKENIZER_NO_ID, error);
    if (status == STATUS_OK && last != TOKENIZER_NO_ID) status = add_item(processor, last, error);
    processor->has_template = status == STATUS_OK;
    return status == STATUS_OK ? describe(processor, description, error) : status;
}

bool tokenizer_processor_is_same(const Processor *a, const Processor *b) {
    static const int32_t text = TOKENIZER_NO_ID;
    const int32_t *lists[2] = {a->has_template ? a->items : &text, b->has_template ? b->items : &text};
    size_t counts[2] = {a->has_template ? a->count : 1, b->has_template ? b->count : 1};
    return counts[0] == counts[1] &&
           (counts[0] == 0 || memcmp(lists[0], lists[1], counts[0] * sizeof text) == 0);
}

void tokenizer_processor_free(Processor *processor) {
    free(processor->items);
    *processor = (Processor){0};
}

static Status append_all(const TokenList *ids, TokenList *list, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < ids->count && status == STATUS_OK; i++)
        status = token_list_append(list, ids->ids[i], error);
    return status;
}

Status tokenizer_processor_apply(const Processor *processor, const TokenList *ids, bool add_special,
                                 TokenList *list, TextMarks *marks, Error *error) {
    marks->next = 0;
    if (!processor->has_template) {
        tokenizer_text_move_marks(marks, ids->count, 0, list->count);
        return append_all(ids, list, error);
    }
    Status status = STATUS_OK;
    for (size_t i = 0; i < processor->count && status == STATUS_OK; i++) {
        if (processor->items[i] == TOKENIZER_NO_ID) {
            tokenizer_text_move_marks(marks, ids->count, 0, list->count);
            status = append_all(ids, list, error);
        } else if (add_special) {
            status = token_list_append(list, processor->items[i], error);
        }
    }
    return status;
}

size_t tokenizer_processor_leading(const Processor *processor) {
    size_t leading = 0;
    while (processor->has_template && leading < processor->count &&
           processor->items[leading] != TOKENIZER_NO_ID)
        leading++;
    return leading < processor->count ? leading : 0;
}
