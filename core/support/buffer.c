#include "core/support/buffer.h"

#include "core/support/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(Buffer *buffer, size_t length) {
    size_t needed;
    if (buffer->failed) return false;
    if (!memory_add(buffer->length, length, &needed) || !memory_add(needed, 1, &needed) ||
        MEMORY_RESERVE(buffer->text, &buffer->capacity, needed, NULL) != STATUS_OK) {
        buffer->failed = true;
        return false;
    }
    return true;
}

void buffer_add(Buffer *buffer, const char *text, size_t length) {
    if (!make_room(buffer, length)) return;
    if (length > 0) memcpy(buffer->text + buffer->length, text, length);
    buffer->length += length;
    buffer->text[buffer->length] = '\0';
}

void buffer_add_text(Buffer *buffer, const char *text) {
    buffer_add(buffer, text, strlen(text));
}

void buffer_add_format(Buffer *buffer, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) buffer->failed = true;
    if (length >= 0 && make_room(buffer, (size_t)length)) {
        (void)vsnprintf(buffer->text + buffer->length, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
}

/* Stands in quotes as it is, whatever comes before it. */
static bool is_plain(char byte) {
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

void buffer_add_quoted(Buffer *buffer, const char *text) {
    buffer_add_text(buffer, "\"");
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        if (byte == '"' || byte == '\\')
            buffer_add_format(buffer, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            buffer_add_format(buffer, "\\u%04x", byte);
        else if (byte == 0xC2 && (unsigned char)c[1] >= 0x80 && (unsigned char)c[1] <= 0x9F)
            buffer_add_format(buffer, "\\u%04x", (unsigned char)*++c); /* controls in UTF-8: no YAML */
        else {
            size_t plain = 1;
            while (is_plain(c[plain])) plain++;
            buffer_add(buffer, c, plain);
            c += plain - 1;
        }
    }
    buffer_add_text(buffer, "\"");
}

Status buffer_take(Buffer *buffer, char **text, size_t *length, const char *what, Error *error) {
    buffer_add(buffer, "", 0); /* an empty text is a text too */
    if (buffer->failed) {
        buffer_free(buffer);
        return memory_fail(error, what);
    }
    *text = buffer->text;
    if (length != NULL) *length = buffer->length;
    *buffer = (Buffer){0};
    return STATUS_OK;
}

void buffer_free(Buffer *buffer) {
    free(buffer->text);
    *buffer = (Buffer){0};
}
