/*
 * session_chat — the conversation behind the prompt: its turns, the chat template that makes a text of them, and
 * whether it is on. The template is SFT's: both models are given one text.
 *
 *     turns ──draft (a copy that is changed, then rendered)──► text ──session_prompt.c──► ids ──► session_chat_take()
 *
 * A draft that the template refuses, or whose text cannot be the prompt, is dropped: turns, template and prompt stay as
 * they were. What a model answers is a turn from its first token on; its ids stay those that the model chose until the
 * next draft is taken. Everything here is the UI thread's; how a user changes a conversation is session_turns.h.
 */
#ifndef REJUV_TUI_SESSION_CHAT_H
#define REJUV_TUI_SESSION_CHAT_H

#include "core/chat/chat_turns.h"
#include "tui/session/session_files.h"

/* Whether there are templates; where not, *message (may be NULL) says why, or that they are loading. */
bool session_chat_is_offered(const Session *session, const char **message);

/* The prompt is the text of the turns. */
bool session_chat_is_on(const Session *session);

/* The name of the template that is used for the turns that there are; "" without any. */
const char *session_chat_name(const Session *session);

/* The name that was asked for; NULL: as suits the conversation. */
const char *session_chat_choice(const Session *session);

/* The turns; NULL before the first. They outlast the template's being turned off. */
const ChatTurns *session_chat_turns(const Session *session);

/* The turns as JSON, which the caller frees; NULL, and STATUS_OK, where the template is off or there are none. */
Status session_chat_write_text(const Session *session, char **json, Error *error) STATUS_MUST_CHECK;

/* The variable by which the template is told to let the model think or not; NULL where it reads none. */
const char *session_chat_switch(const Session *session);
ChatSwitch session_chat_thinking(const Session *session);

/* The file that has the turns as they stand, opened or written last; NULL: none. */
const char *session_chat_file(const Session *session);

/* What the last turn is. */
typedef enum SessionAnswer {
    SESSION_ANSWER_NONE,  /* as it was typed or read */
    SESSION_ANSWER_OPEN,  /* a model's, which may go on */
    SESSION_ANSWER_ENDED, /* a model's, which ended it */
} SessionAnswer;
SessionAnswer session_chat_answer(const Session *session);

/* Whether the last turn is the assistant's and has its end: there is nothing to continue. */
bool session_chat_is_answered(const Session *session);

/* Why the template refused the last draft, in full: with its name, line and construct; NULL: it did not. */
const char *session_chat_refusal(const Session *session);

/* ---- drafts ---- */

/* Taken or dropped by whoever made it. */
typedef struct SessionChatDraft {
    ChatTurns *turns;
    char *choice; /* of the template; NULL: as suits */
    char *file;   /* that has the turns; NULL: none */
    char *text;   /* rendered by `template`, which the source owns */
    size_t bytes;
    const ChatTemplate *template;
    bool has_tools;
} SessionChatDraft;

/* A conversation as JSON, with the template that is chosen: a file's, or a calibration row's. `file` may be NULL. */
Status session_chat_open_text(Session *session, const char *json, size_t bytes, const char *file,
                              SessionChatDraft *draft, Error *error) STATUS_MUST_CHECK;

/* The turns that there are, or none, to be changed; then session_chat_render(). After a failure of either there is
 * nothing to drop. */
Status session_chat_begin(const Session *session, SessionChatDraft *draft, Error *error) STATUS_MUST_CHECK;
Status session_chat_render(Session *session, SessionChatDraft *draft, Error *error) STATUS_MUST_CHECK;

/* A conversation that begins with this user's turn: what was the system's turn, and the switch, stay. */
Status session_chat_begin_user(Session *session, const char *text, size_t bytes, SessionChatDraft *draft,
                               Error *error) STATUS_MUST_CHECK;

/* The template is on from then on. */
void session_chat_take(Session *session, SessionChatDraft *draft);
void session_chat_drop(SessionChatDraft *draft); /* takes a zeroed one */

/* ---- for the other parts of a session ---- */

/* The turns stay; the template is again the one of the options. */
void session_chat_turn_off(Session *session);

/* Turned on without turns: the next prompt is the first. `choice` may be NULL. */
Status session_chat_turn_on(Session *session, const char *choice, Error *error) STATUS_MUST_CHECK;

/* What a model has answered so far is the last turn; after a failure that is as it was. */
Status session_chat_hear(Session *session, const char *text, size_t bytes, bool has_ended,
                         Error *error) STATUS_MUST_CHECK;

/* The turns are in this file now. */
Status session_chat_name_file(Session *session, const char *file, Error *error) STATUS_MUST_CHECK;

Status session_chat_open(Session *session, const SessionOptions *options, Error *error) STATUS_MUST_CHECK;
void session_chat_free(Session *session);

#endif
