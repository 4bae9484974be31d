#include "core/tokenizer/tokenizer_text.h"

#include "core/files/json_text.h"
#include "core/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { TEXT_BYTES_MAX = INT32_MAX }; /* positions of symbols are int32_t */

Status tokenizer_text_append(TokenizerText *text, const char *bytes, size_t count, Error *error) {
    size_t needed;
    if (!memory_add(text->bytes, count, &needed) || needed >= TEXT_BYTES_MAX)
        return status_fail(error, STATUS_ARGUMENT,
                           "expected a text of less than %d bytes once it is normalized", TEXT_BYTES_MAX);
    Status status = MEMORY_RESERVE(text->text, &text->capacity, needed + 1, error);
    if (status != STATUS_OK) return status;
    if (count > 0) memcpy(text->text + text->bytes, bytes, count);
    text->bytes = needed;
    text->text[needed] = '\0';
    return STATUS_OK;
}

Status tokenizer_text_append_string(TokenizerText *text, const char *string, Error *error) {
    return tokenizer_text_append(text, string, strlen(string), error);
}

Status tokenizer_text_append_character(TokenizerText *text, uint32_t code_point, Error *error) {
    utf8proc_uint8_t encoded[4];
    utf8proc_ssize_t count = utf8proc_encode_char((utf8proc_int32_t)code_point, encoded);
    return tokenizer_text_append(text, (const char *)encoded, (size_t)count, error);
}

Status tokenizer_text_insert(TokenizerText *text, size_t at, const char *insertion, Error *error) {
    size_t count = strlen(insertion), tail = text->bytes - at;
    Status status = tokenizer_text_append(text, insertion, count, error);
    if (status != STATUS_OK) return status;
    memmove(text->text + at + count, text->text + at, tail);
    memcpy(text->text + at, insertion, count);
    return STATUS_OK;
}

void tokenizer_text_free(TokenizerText *text) {
    free(text->text);
    *text = (TokenizerText){0};
}

Stretch tokenizer_text_part(Stretch whole, size_t begin, size_t bytes, int32_t id) {
    return (Stretch){.begin = whole.begin + begin,
                     .bytes = bytes,
                     .id = id,
                     .first = whole.first > begin ? whole.first - begin : 0};
}

Status tokenizer_text_add_stretch(Stretches *stretches, Stretch stretch, Error *error) {
    if (stretch.bytes == 0 && stretch.id == TOKENIZER_NO_ID) return STATUS_OK;
    Status status = MEMORY_RESERVE(stretches->items, &stretches->capacity, stretches->count + 1, error);
    if (status != STATUS_OK) return status;
    stretches->items[stretches->count++] = stretch;
    return STATUS_OK;
}

void tokenizer_text_free_stretches(Stretches *stretches) {
    tokenizer_text_free(&stretches->text);
    free(stretches->items);
    *stretches = (Stretches){0};
}

void tokenizer_text_move_marks(TextMarks *marks, size_t until, size_t from, size_t to) {
    for (; marks->next < marks->count && marks->at[marks->next] <= until; marks->next++)
        marks->at[marks->next] = to + (marks->at[marks->next] - from);
}

void tokenizer_text_hold_marks(TextMarks *marks, size_t before, size_t to) {
    for (; marks->next < marks->count && marks->at[marks->next] < before; marks->next++)
        marks->at[marks->next] = to;
}

void tokenizer_text_cover_marks(TextMarks *marks, size_t begin, size_t end) {
    for (size_t i = marks->next; marks->covered != NULL && i < marks->count && marks->at[i] < end; i++)
        if (marks->at[i] > begin) marks->covered[i] = true;
}

bool tokenizer_text_is_utf8(const char *text, size_t bytes, size_t *offset) {
    for (size_t at = 0; at < bytes;) {
        if ((unsigned char)text[at] < 0x80) {
            at++;
            continue;
        }
        utf8proc_int32_t code_point;
        utf8proc_ssize_t taken = utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                                  (utf8proc_ssize_t)(bytes - at), &code_point);
        if (taken <= 0) {
            *offset = at;
            return false;
        }
        at += (size_t)taken;
    }
    return true;
}

bool tokenizer_text_is_space(uint32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

size_t tokenizer_text_read(const char *text, uint32_t *code_point) {
    const unsigned char *u = (const unsigned char *)text;
    if (u[0] < 0x80) {
        *code_point = u[0];
        return 1;
    }
    if (u[0] < 0xE0) {
        *code_point = (uint32_t)((u[0] & 0x1F) << 6 | (u[1] & 0x3F));
        return 2;
    }
    if (u[0] < 0xF0) {
        *code_point = (uint32_t)((u[0] & 0x0F) << 12 | (u[1] & 0x3F) << 6 | (u[2] & 0x3F));
        return 3;
    }
    *code_point = (uint32_t)((u[0] & 0x07) << 18 | (u[1] & 0x3F) << 12 | (u[2] & 0x3F) << 6 | (u[3] & 0x3F));
    return 4;
}

size_t tokenizer_text_find(const char *text, size_t bytes, size_t from, const char *needle,
                           size_t needle_bytes) {
    if (from >= bytes) return bytes;
    const char *found = memmem(text + from, bytes - from, needle, needle_bytes);
    return found == NULL ? bytes : (size_t)(found - text);
}

const char *tokenizer_text_quote(char quote[TOKENIZER_QUOTE_SIZE], const char *text, size_t bytes) {
    enum { SHOWN = 48 }; /* of at most six characters each when escaped */
    size_t shown = bytes < SHOWN ? bytes : SHOWN;
    while (shown < bytes && shown > 0 && ((unsigned char)text[shown] & 0xC0) == 0x80) shown--;
    char *literal;
    if (json_text_encode(text, shown, &literal, NULL) != STATUS_OK) {
        (void)snprintf(quote, TOKENIZER_QUOTE_SIZE, "(%zu bytes)", bytes);
        return quote;
    }
    (void)snprintf(quote, TOKENIZER_QUOTE_SIZE, "%s%s", literal, shown < bytes ? "…" : "");
    free(literal);
    return quote;
}
