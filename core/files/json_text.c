#include "core/files/json_text.h"

#include "core/support/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { ESCAPE_DIGITS = 4, LONGEST_ESCAPE = 6 };

static bool read_hexadecimal(const char *json, size_t length, uint32_t *value) {
    if (length < ESCAPE_DIGITS) return false;
    *value = 0;
    for (size_t i = 0; i < ESCAPE_DIGITS; i++) {
        char c = json[i];
        uint32_t digit;
        if (c >= '0' && c <= '9') {
            digit = (uint32_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = (uint32_t)(c - 'a') + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = (uint32_t)(c - 'A') + 10;
        } else {
            return false;
        }
        *value = *value * 16 + digit;
    }
    return true;
}

/* The code point of the \uXXXX, or pair of them, at json[0]; 0 bytes used where there is none. */
static size_t read_unicode_escape(const char *json, size_t length, uint32_t *code_point) {
    uint32_t high, low;
    if (length < LONGEST_ESCAPE || !read_hexadecimal(json + 2, length - 2, &high)) return 0;
    *code_point = high;
    if (high < 0xD800 || high > 0xDFFF) return LONGEST_ESCAPE;
    if (high > 0xDBFF || length < 2 * LONGEST_ESCAPE || json[6] != '\\' || json[7] != 'u') return 0;
    if (!read_hexadecimal(json + 8, length - 8, &low) || low < 0xDC00 || low > 0xDFFF) return 0;
    *code_point = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return 2 * (size_t)LONGEST_ESCAPE;
}

static size_t read_escape(const char *json, size_t length, uint32_t *code_point) {
    static const char LETTERS[] = "\"\\/bfnrt", VALUES[] = "\"\\/\b\f\n\r\t";
    if (length < 2) return 0;
    if (json[1] == 'u') return read_unicode_escape(json, length, code_point);
    const char *letter = json[1] == '\0' ? NULL : strchr(LETTERS, json[1]);
    if (letter == NULL) return 0;
    *code_point = (uint32_t)VALUES[letter - LETTERS];
    return 2;
}

/* One character or escape of the literal: how many bytes it takes (0: it is wrong) and what it stands for. */
static size_t read_character(const char *json, size_t length, uint32_t *code_point) {
    if ((unsigned char)json[0] < 0x20) return 0;
    if (json[0] == '\\') return read_escape(json, length, code_point);
    utf8proc_int32_t read;
    utf8proc_ssize_t taken =
        utf8proc_iterate((const utf8proc_uint8_t *)json, (utf8proc_ssize_t)length, &read);
    if (taken <= 0) return 0;
    *code_point = (uint32_t)read;
    return (size_t)taken;
}

/* The offset of the closing quotation mark, `length` where there is none. */
static size_t find_end(const char *json, size_t length) {
    size_t at = 1;
    while (at < length && json[at] != '"') at += json[at] == '\\' ? 2 : 1;
    return at < length ? at : length;
}

Status json_text_decode(const char *json, size_t length, size_t *used, char **text, size_t *bytes,
                        Error *error) {
    *text = NULL;
    *bytes = *used = 0;
    if (length == 0 || json[0] != '"')
        return status_fail(error, STATUS_FORMAT, "expected a JSON string, found no quotation mark");
    size_t end = find_end(json, length), at = 1, count = 0;
    char *decoded = memory_allocate(end, 1); /* a decoded text is never longer than its literal */
    if (decoded == NULL) return memory_fail(error, "a JSON string");
    while (at < end) {
        uint32_t code_point;
        size_t taken = read_character(json + at, end - at, &code_point);
        if (taken == 0) {
            free(decoded);
            return status_fail(error, STATUS_FORMAT,
                               "expected a character of a JSON string at byte %zu, found a control "
                               "character, an invalid escape or invalid UTF-8",
                               at);
        }
        utf8proc_ssize_t written =
            utf8proc_encode_char((utf8proc_int32_t)code_point, (utf8proc_uint8_t *)decoded + count);
        count += (size_t)written;
        at += taken;
    }
    if (end == length) {
        free(decoded);
        return status_fail(error, STATUS_FORMAT, "expected a quotation mark at the end of the JSON string");
    }
    decoded[count] = '\0';
    *text = decoded;
    *bytes = count;
    *used = end + 1;
    return STATUS_OK;
}

static bool must_be_escaped(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == '"' || c == '\\' || c == 0x2028 || c == 0x2029;
}

static size_t write_escape(char *out, uint32_t c) {
    static const char VALUES[] = "\"\\\b\f\n\r\t", LETTERS[] = "\"\\bfnrt";
    const char *value = c == 0 || c > 0x7F ? NULL : strchr(VALUES, (int)c);
    if (value != NULL) {
        out[0] = '\\';
        out[1] = LETTERS[value - VALUES];
        return 2;
    }
    char digits[LONGEST_ESCAPE + 1];
    (void)snprintf(digits, sizeof digits, "\\u%04x", (unsigned)(c & 0xFFFF));
    memcpy(out, digits, LONGEST_ESCAPE);
    return LONGEST_ESCAPE;
}

Status json_text_encode(const char *text, size_t bytes, char **literal, Error *error) {
    *literal = NULL;
    size_t room;
    if (!memory_multiply(bytes, LONGEST_ESCAPE, &room) || !memory_add(room, 3, &room))
        return memory_fail(error, "a JSON string");
    char *out = memory_allocate(room, 1);
    if (out == NULL) return memory_fail(error, "a JSON string");
    size_t count = 0;
    out[count++] = '"';
    for (size_t at = 0; at < bytes;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t taken =
            utf8proc_iterate((const utf8proc_uint8_t *)text + at, (utf8proc_ssize_t)(bytes - at), &c);
        if (taken <= 0) {
            free(out);
            return status_fail(error, STATUS_FORMAT, "expected UTF-8, found an invalid byte at offset %zu",
                               at);
        }
        if (must_be_escaped((uint32_t)c)) {
            count += write_escape(out + count, (uint32_t)c);
        } else {
            memcpy(out + count, text + at, (size_t)taken);
            count += (size_t)taken;
        }
        at += (size_t)taken;
    }
    out[count++] = '"';
    out[count] = '\0';
    char *fitted = realloc(out, count + 1);
    *literal = fitted == NULL ? out : fitted;
    return STATUS_OK;
}
