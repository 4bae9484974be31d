#include "core/support/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

/* Messages quote files that nobody vouches for, and end up on a terminal: no control character passes, nor a
 * byte that is no UTF-8, which a terminal may take for one; and a cut leaves no half of a character. */
static void remove_controls(char *message) {
    unsigned char *c = (unsigned char *)message;
    while (*c != '\0') {
        if (*c >= 0x20 && *c < 0x7f) {
            c++;
            continue;
        }
        utf8proc_int32_t character;
        utf8proc_ssize_t length = utf8proc_iterate(c, -1, &character); /* a NUL ends what is cut short */
        bool is_c1 = length == 2 && character < 0xa0;
        if (is_c1) c[1] = '?';
        if (length <= 0 || is_c1 || *c < 0x20 || *c == 0x7f) *c = '?';
        c += length <= 0 ? 1 : length;
    }
}

Status status_fail(Error *error, Status status, const char *format, ...) {
    if (error == NULL) return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    remove_controls(error->message);
    return status;
}

Status status_fail_errno(Error *error, int errno_value, const char *format, ...) {
    Status status = errno_value == ENOMEM ? STATUS_NO_MEMORY : STATUS_IO;
    if (error == NULL) return status;
    error->status = status;
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    if (used >= 0 && (size_t)used < sizeof error->message) {
        char buffer[128];
        const char *reason = strerror_r(errno_value, buffer, sizeof buffer); /* GNU's: returns the text */
        (void)snprintf(error->message + used, sizeof error->message - (size_t)used, ": %s", reason);
    }
    remove_controls(error->message);
    return status;
}

Status status_add_context(Error *error, const char *format, ...) {
    if (error == NULL) return STATUS_ARGUMENT;
    char message[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (used >= 0 && (size_t)used < sizeof message) {
        size_t room = sizeof message - (size_t)used;
        (void)snprintf(message + used, room, ": %.*s", (int)room, error->message);
    }
    memcpy(error->message, message, sizeof message);
    remove_controls(error->message);
    return error->status;
}

const char *status_name(Status status) {
    switch (status) {
    case STATUS_OK:
        return "ok";
    case STATUS_NO_MEMORY:
        return "no_memory";
    case STATUS_IO:
        return "io";
    case STATUS_FORMAT:
        return "format";
    case STATUS_UNSUPPORTED:
        return "unsupported";
    case STATUS_MISMATCH:
        return "mismatch";
    case STATUS_ARGUMENT:
        return "argument";
    case STATUS_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}
