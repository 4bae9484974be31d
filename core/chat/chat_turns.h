/*
 * chat_turns — a conversation that is being written: the JSON object of chat_conversation.h, whose messages can be
 * added, changed and taken away.
 *
 *     file or text ──chat_turns_read──► turns ──chat_turns_write──► JSON ──chat_conversation_read──► to be rendered
 *                                       ▲  │
 *                        typed, answered┘  └ chat_turns_get: what a screen shows
 *
 * What it does not know (tools, documents, names of messages, tool calls, any other member) it keeps as it was read:
 * order of keys, integers of any size, 1.0 a float, texts with any character. Whoever made one frees it; it is its
 * thread's own. A change that fails leaves it as it was, but for memory.
 */
#ifndef REJUV_CORE_CHAT_TURNS_H
#define REJUV_CORE_CHAT_TURNS_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ChatTurns ChatTurns;

/* One message, as people read it; until the next change. */
typedef struct ChatMessage {
    const char *role,
        *text; /* UTF-8, NUL-terminated; the content, and under their names what else the message has */
    size_t role_bytes, bytes;
    bool is_plain; /* it has a role and a text, and nothing else */
} ChatMessage;

/* Without messages; from an object that chat_conversation_read() takes (else its STATUS_FORMAT), whose form becomes that
 * of messages; of another. */
Status chat_turns_create(ChatTurns **turns, Error *error) STATUS_MUST_CHECK;
Status chat_turns_read(const char *json, size_t length, ChatTurns **turns, Error *error) STATUS_MUST_CHECK;
Status chat_turns_copy(const ChatTurns *turns, ChatTurns **copy, Error *error) STATUS_MUST_CHECK;
void chat_turns_free(ChatTurns *turns); /* takes NULL */

size_t chat_turns_count(const ChatTurns *turns);
ChatMessage chat_turns_get(const ChatTurns *turns, size_t index);
bool chat_turns_has_role(const ChatTurns *turns, size_t index, const char *role); /* false beyond the last */

/* {"role": …, "content": …} before message `index` (their count: behind the last), or in its place. STATUS_ARGUMENT
 * where the text is not UTF-8. */
Status chat_turns_insert(ChatTurns *turns, size_t index, const char *role, const char *text, size_t bytes,
                         Error *error) STATUS_MUST_CHECK;
Status chat_turns_replace(ChatTurns *turns, size_t index, const char *role, const char *text, size_t bytes,
                          Error *error) STATUS_MUST_CHECK;
void chat_turns_remove(ChatTurns *turns, size_t index);

/* A variable of template_kwargs that is true or false; CHAT_SWITCH_UNSET where it is not there, or anything else. */
typedef enum ChatSwitch { CHAT_SWITCH_UNSET, CHAT_SWITCH_OFF, CHAT_SWITCH_ON } ChatSwitch;
ChatSwitch chat_turns_switch(const ChatTurns *turns, const char *name);
Status chat_turns_set_switch(ChatTurns *turns, const char *name, ChatSwitch to,
                             Error *error) STATUS_MUST_CHECK;

/* The object, on one line or indented, which the caller frees. Its add_generation_prompt is as it was read while the
 * messages are; else true where the last is not the assistant's. */
Status chat_turns_write(const ChatTurns *turns, bool is_indented, char **json, size_t *bytes,
                        Error *error) STATUS_MUST_CHECK;

#endif
