#include "tui/session/session_message.h"

#include "core/support/memory.h"
#include "tui/session/session_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = 8, MESSAGE_SIZE = 512 };

/* The UI thread's. */
struct SessionMessagePart {
    char texts[MESSAGES][MESSAGE_SIZE]; /* a ring, the oldest at `first` */
    SessionTone tones[MESSAGES];
    size_t first, count;
};

Status session_message_open(Session *session, const struct SessionOptions *options, Error *error) {
    (void)options;
    session->messages = memory_allocate(1, sizeof *session->messages);
    return session->messages != NULL ? STATUS_OK : memory_fail(error, "the session");
}

void session_message_free(Session *session) {
    free(session->messages);
}

static void drop_oldest(struct SessionMessagePart *messages) {
    messages->first = (messages->first + 1) % MESSAGES;
    messages->count--;
}

bool session_take_message(Session *session, SessionTone *tone, char *text, size_t size) {
    struct SessionMessagePart *messages = session->messages;
    if (messages->count == 0) return false;
    (void)snprintf(text, size, "%s", messages->texts[messages->first]);
    *tone = messages->tones[messages->first];
    drop_oldest(messages);
    return true;
}

void session_say(Session *session, SessionTone tone, const char *format, ...) {
    struct SessionMessagePart *messages = session->messages;
    if (messages->count == MESSAGES) drop_oldest(messages);
    size_t place = (messages->first + messages->count++) % MESSAGES;
    messages->tones[place] = tone;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(messages->texts[place], MESSAGE_SIZE, format, arguments);
    va_end(arguments);
}
