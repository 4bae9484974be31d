#include "tui/session.h"

#include "core/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES = 8, MESSAGE_SIZE = 512 };

struct Session {
    double alpha;
    char messages[MESSAGES][MESSAGE_SIZE]; /* a ring, oldest first */
    SessionTone tones[MESSAGES];
    size_t first, count;
};

Status session_create(Session **session, Error *error) {
    *session = memory_allocate(1, sizeof **session);
    if (*session == NULL) return memory_fail(error, "the session");
    (*session)->alpha = 0.5;
    return STATUS_OK;
}

void session_free(Session *session) {
    free(session);
}

void session_title(const Session *session, char *text, size_t size) {
    (void)session;
    (void)snprintf(text, size, "nothing open");
}

SessionDials session_dials(const Session *session) {
    SessionDials dials = {.stale = false};
    (void)snprintf(dials.text, sizeof dials.text, "α %.2f", session->alpha);
    return dials;
}

size_t session_jobs(Session *session, SessionJob *jobs, size_t capacity) {
    (void)session;
    (void)jobs;
    (void)capacity;
    return 0;
}

bool session_take_message(Session *session, SessionTone *tone, char *text, size_t size) {
    if (session->count == 0) return false;
    (void)snprintf(text, size, "%s", session->messages[session->first]);
    *tone = session->tones[session->first];
    session->first = (session->first + 1) % MESSAGES;
    session->count--;
    return true;
}

bool session_refresh(Session *session) {
    (void)session;
    return false;
}

bool session_cancel(Session *session) {
    (void)session;
    return false;
}

Reaction session_act(Session *session, Action action, const ActionArgument *argument) {
    double alpha = session->alpha;
    switch (action) {
    case ACTION_ALPHA_UP:
        alpha += 0.01 * argument->count;
        break;
    case ACTION_ALPHA_DOWN:
        alpha -= 0.01 * argument->count;
        break;
    case ACTION_ALPHA_UP_COARSE:
        alpha += 0.1 * argument->count;
        break;
    case ACTION_ALPHA_DOWN_COARSE:
        alpha -= 0.1 * argument->count;
        break;
    case ACTION_ALPHA_SET:
        alpha = argument->number;
        break;
    default:
        return REACTION_IGNORED;
    }
    session->alpha = fmin(1, fmax(0, round(alpha * 1e6) / 1e6));
    return REACTION_REFRESH;
}

void session_say(Session *session, SessionTone tone, const char *format, ...) {
    if (session->count == MESSAGES) { /* the oldest gives way */
        session->first = (session->first + 1) % MESSAGES;
        session->count--;
    }
    size_t place = (session->first + session->count++) % MESSAGES;
    session->tones[place] = tone;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(session->messages[place], MESSAGE_SIZE, format, arguments);
    va_end(arguments);
}
