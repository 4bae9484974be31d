/*
 * buffer — text that grows: headers, indexes, small files that are made before they are written.
 *
 * A failed allocation is remembered, not reported at every step: the appends after it do nothing, and
 * buffer_take() says so. A zeroed Buffer is empty and valid.
 */
#ifndef REJUV_CORE_BUFFER_H
#define REJUV_CORE_BUFFER_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Buffer {
    char *text; /* NUL-terminated once something was appended */
    size_t length, capacity;
    bool failed;
} Buffer;

void buffer_add(Buffer *buffer, const char *text, size_t length);
void buffer_add_text(Buffer *buffer, const char *text);
void buffer_add_format(Buffer *buffer, const char *format, ...) STATUS_PRINTF(2, 3);

/* As a JSON string, with its quotes; it is also a YAML one. */
void buffer_add_quoted(Buffer *buffer, const char *text);

/* Hands the text to the caller, who frees it; the buffer is empty afterwards. `what` is for the message. */
Status buffer_take(Buffer *buffer, char **text, size_t *length, const char *what,
                   Error *error) STATUS_MUST_CHECK;

void buffer_free(Buffer *buffer);

#endif
