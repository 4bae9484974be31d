/*
 * session_message — what the parts of a session tell the user, in the order in which it was said: shown one by one in
 * the line above the keys. The bottom of the room: every part may say something. On the UI thread.
 */
#ifndef REJUV_TUI_SESSION_MESSAGE_H
#define REJUV_TUI_SESSION_MESSAGE_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Session Session;

typedef enum SessionTone { SESSION_NOTE, SESSION_GOOD, SESSION_WARNING, SESSION_ERROR } SessionTone;

/* A message from a part, the frame or a view. Of more than a few that were not shown yet the oldest gives way. */
void session_say(Session *session, SessionTone tone, const char *format, ...) STATUS_PRINTF(3, 4);

/* Takes the oldest message that was not shown yet; false when there is none. */
bool session_take_message(Session *session, SessionTone *tone, char *text, size_t size);

/* ---- for session.c ---- */

struct SessionOptions;
Status session_message_open(Session *session, const struct SessionOptions *options,
                            Error *error) STATUS_MUST_CHECK;
void session_message_free(Session *session);

#endif
