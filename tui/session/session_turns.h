/*
 * session_turns — how a user writes a conversation: turns are typed and taken off, the template is turned on and off,
 * files are opened and written. Each makes a draft of session_chat.h and shows it as the prompt, or says why not and
 * leaves everything as it was.
 */
#ifndef REJUV_TUI_SESSION_TURNS_H
#define REJUV_TUI_SESSION_TURNS_H

#include "tui/session/session_prompt.h"

/* Types a turn: of the system the first; of the user and the assistant behind the last, or in its place where that is
 * of the same role; of any other role, such as tool, behind the last. Turns the template on, as session_use_template()
 * does. An empty text takes the system's turn away, and is refused of the others. */
Status session_type_turn(Session *session, const char *role, const char *text, size_t bytes,
                         Error *error) STATUS_MUST_CHECK;

/* What is typed as the prompt: the user's turn where the template is on, else the prompt itself. */
Status session_type_prompt(Session *session, const char *text, size_t bytes, Error *error) STATUS_MUST_CHECK;

/* What typing such a turn would take the place of; NULL: nothing. */
const char *session_typed_turn(const Session *session, const char *role);

/* Takes the last turn off, a model's answer with its tokens; the only one stays (STATUS_ARGUMENT). */
Status session_remove_turn(Session *session, Error *error) STATUS_MUST_CHECK;

/* "on", "off", "toggle", or the name of a template. Turned on, the prompt on screen is the user's turn, of the
 * conversation that there was where it ends with that turn; turned off, the user's last turn is the prompt. */
Status session_use_template(Session *session, const char *word, Error *error) STATUS_MUST_CHECK;

/* "on", "off", "default", or "toggle": from one of these to the next. STATUS_ARGUMENT where the template reads no such
 * variable. */
Status session_use_thinking(Session *session, const char *word, Error *error) STATUS_MUST_CHECK;

/* A conversation from a file of JSON (core/chat/chat_conversation.h); to a new one. */
Status session_open_chat(Session *session, const char *path, Error *error) STATUS_MUST_CHECK;
Status session_write_chat(Session *session, const char *path, Error *error) STATUS_MUST_CHECK;

#endif
