#include "core/tokenizer/tokenizer_stages.h"

#include "core/files/json.h"
#include "core/files/json_text.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

Status tokenizer_stages_refuse(const char *stage, const char *type, Error *error) {
    char quote[TOKENIZER_QUOTE_SIZE];
    return status_fail(error, STATUS_UNSUPPORTED, "%s type %s is not supported", stage,
                       tokenizer_text_quote(quote, type, strlen(type)));
}

Status tokenizer_stages_get_bool(const cJSON *step, const char *stage, const char *key, bool *value,
                                 Error *error) {
    const cJSON *item = json_find(step, key);
    if (!cJSON_IsBool(item))
        return status_fail(error, STATUS_FORMAT, "%s: expected true or false for %s", stage, key);
    *value = cJSON_IsTrue(item);
    return STATUS_OK;
}

Status tokenizer_stages_get_option(const cJSON *step, const char *stage, const char *key, bool *value,
                                   Error *error) {
    return json_find(step, key) == NULL ? STATUS_OK
                                        : tokenizer_stages_get_bool(step, stage, key, value, error);
}

Status tokenizer_stages_get_string(const cJSON *step, const char *stage, const char *key, const char **value,
                                   Error *error) {
    *value = json_get_text(step, key, NULL);
    return *value == NULL ? status_fail(error, STATUS_FORMAT, "%s: expected a string for %s", stage, key)
                          : STATUS_OK;
}

static Status read_steps(const StageReading *stage, const cJSON *json, unsigned depth, void *made,
                         TokenizerText *description, Error *error) {
    const char *type = json_get_text(json, "type", NULL);
    if (type == NULL)
        return status_fail(error, STATUS_FORMAT, "%s: expected an object with a type", stage->name);
    if (strcmp(type, "Sequence") != 0) return stage->add(made, json, type, description, error);
    const cJSON *steps = json_find(json, stage->key), *step;
    if (!cJSON_IsArray(steps))
        return status_fail(error, STATUS_FORMAT, "%s: expected an array %s", stage->name, stage->key);
    if (depth >= STAGES_DEPTH_MAX)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: Sequences nested deeper than %d are not supported",
                           stage->name, STAGES_DEPTH_MAX);
    Status status = STATUS_OK;
    cJSON_ArrayForEach(step, steps) {
        if (status == STATUS_OK) status = read_steps(stage, step, depth + 1, made, description, error);
    }
    return status;
}

Status tokenizer_stages_read(const StageReading *stage, const cJSON *json, void *made,
                             TokenizerText *description, Error *error) {
    return read_steps(stage, json, 0, made, description, error);
}

static Status append_quoted(TokenizerText *description, const char *text, Error *error) {
    char *literal;
    Status status = json_text_encode(text, strlen(text), &literal, error);
    if (status == STATUS_OK) status = tokenizer_text_append_string(description, literal, error);
    free(literal);
    return status;
}

Status tokenizer_stages_describe(TokenizerText *description, const char *name, const char *first,
                                 const char *second, Error *error) {
    Status status = STATUS_OK;
    if (description->bytes > 0) status = tokenizer_text_append_string(description, ", ", error);
    if (status == STATUS_OK) status = tokenizer_text_append_string(description, name, error);
    if (status != STATUS_OK || first == NULL) return status;
    status = tokenizer_text_append_string(description, " ", error);
    if (status == STATUS_OK) status = append_quoted(description, first, error);
    if (status != STATUS_OK || second == NULL) return status;
    status = tokenizer_text_append_string(description, " ", error);
    return status == STATUS_OK ? append_quoted(description, second, error) : status;
}

Status tokenizer_stages_read_pattern(const cJSON *step, const char *stage, TokenizerPattern *pattern,
                                     TokenizerText *description, Error *error) {
    const cJSON *json = json_find(step, "pattern");
    const char *literal = json_get_text(json, "String", NULL), *regex = json_get_text(json, "Regex", NULL);
    if ((literal == NULL) == (regex == NULL))
        return status_fail(error, STATUS_FORMAT, "%s: expected a pattern with a String or a Regex", stage);
    const char *text = literal != NULL ? literal : regex;
    if (text[0] == '\0')
        return status_fail(error, STATUS_UNSUPPORTED, "%s: an empty pattern is not supported", stage);
    Status status = STATUS_OK;
    bool are_texts = false;
    if (literal != NULL) {
        pattern->bytes = strlen(literal);
        pattern->literal = memory_copy_text(literal, pattern->bytes);
        if (pattern->literal == NULL) return memory_fail(error, stage);
    } else {
        status = tokenizer_alternatives_read(regex, &pattern->alternatives, &are_texts, error);
        if (status == STATUS_OK && !are_texts)
            status = tokenizer_regex_compile(regex, strlen(regex), &pattern->regex, error);
    }
    if (status != STATUS_OK) return error == NULL ? status : status_add_context(error, "%s", stage);
    return tokenizer_stages_describe(description, literal != NULL ? "string" : "regex", text, NULL, error);
}

void tokenizer_stages_free_pattern(TokenizerPattern *pattern) {
    free(pattern->literal);
    tokenizer_trie_free(&pattern->alternatives);
    tokenizer_regex_free(pattern->regex);
    *pattern = (TokenizerPattern){0};
}

static void find_alternative(const Trie *alternatives, const char *text, size_t bytes, size_t from,
                             bool *found, size_t *begin, size_t *end) {
    size_t length = 0;
    for (*begin = from, *found = false; *begin < bytes && !*found; *begin += *found ? 0 : 1)
        *found = tokenizer_trie_find_longest(alternatives, text + *begin, bytes - *begin, &length) >= 0;
    *end = *begin + length;
}

Status tokenizer_stages_find(const TokenizerPattern *pattern, RegexScratch *scratch, const char *text,
                             size_t bytes, size_t from, bool *found, size_t *begin, size_t *end,
                             Error *error) {
    if (pattern->alternatives.count > 0) {
        find_alternative(&pattern->alternatives, text, bytes, from, found, begin, end);
        return STATUS_OK;
    }
    if (pattern->literal == NULL)
        return tokenizer_regex_find(pattern->regex, scratch, text, bytes, from, found, begin, end, error);
    *begin = tokenizer_text_find(text, bytes, from, pattern->literal, pattern->bytes);
    *end = *begin + pattern->bytes;
    *found = *begin < bytes;
    return STATUS_OK;
}

Status tokenizer_stages_replace(const TokenizerPattern *pattern, RegexScratch *scratch, const char *text,
                                size_t bytes, const char *content, TokenizerText *out, TextMarks *marks,
                                Error *error) {
    size_t at = 0, content_bytes = strlen(content);
    for (;;) {
        size_t begin, end;
        bool found;
        Status status = tokenizer_stages_find(pattern, scratch, text, bytes, at, &found, &begin, &end, error);
        if (status == STATUS_OK && !found) break;
        if (status == STATUS_OK) {
            tokenizer_text_move_marks(marks, begin, at, out->bytes);
            status = tokenizer_text_append(out, text + at, begin - at, error);
        }
        tokenizer_text_hold_marks(marks, end, out->bytes);
        if (status == STATUS_OK) status = tokenizer_text_append(out, content, content_bytes, error);
        if (status != STATUS_OK) return status;
        at = end;
    }
    tokenizer_text_move_marks(marks, bytes, at, out->bytes);
    return tokenizer_text_append(out, text + at, bytes - at, error);
}
