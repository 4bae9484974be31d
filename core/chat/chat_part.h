/*
 * chat_part — a compiled template, and one rendering by it: of a conversation, or of its first messages.
 *
 * Internal to the room.
 */
#ifndef REJUV_CORE_CHAT_PART_H
#define REJUV_CORE_CHAT_PART_H

#include "core/chat/chat_output.h"
#include "core/chat/chat_tree.h"

struct ChatTemplate {
    ChatArena arena;
    ChatTree tree;
    char *name;
};

/* What part of a conversation is rendered. */
typedef struct ChatPart {
    size_t messages; /* the first of them */
    bool add_generation_prompt;
} ChatPart;

/* *output is to be freed by the caller in any case. */
Status chat_part_render(const ChatTemplate *template, const ChatRequest *request, ChatPart part,
                        ChatOutput *output, Error *error) STATUS_MUST_CHECK;

#endif
