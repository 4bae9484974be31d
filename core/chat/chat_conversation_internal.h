/*
 * chat_conversation_internal — what a conversation is made of, for the interpreter.
 */
#ifndef REJUV_CORE_CHAT_CONVERSATION_INTERNAL_H
#define REJUV_CORE_CHAT_CONVERSATION_INTERNAL_H

#include "core/chat/chat_conversation.h"
#include "core/chat/chat_value.h"

struct ChatConversation {
    ChatArena arena;
    ChatList *messages;         /* of dicts */
    size_t prompt;              /* so many of them are not learned, whoever says them */
    ChatValue tools, documents; /* a list or none */
    bool add_generation_prompt;
    ChatDict *variables;
};

#endif
