/*
 * chat_conversation — a conversation as one JSON object:
 *
 *     {"messages": [{"role": "user", "content": "Hi"}, …], "tools": […], "documents": […],
 *      "add_generation_prompt": true, "template_kwargs": {"enable_thinking": false}}
 *
 * Messages are taken as apply_chat_template of transformers takes them: members that are null are not there, and a
 * message's thoughts have the names `thinking` and `reasoning_content`. template_kwargs (or chat_template_kwargs) are
 * variables of the template. Other members are passed over.
 */
#ifndef REJUV_CORE_CHAT_CONVERSATION_H
#define REJUV_CORE_CHAT_CONVERSATION_H

#include "core/chat/chat.h"

/* STATUS_FORMAT where it is no such object. */
Status chat_conversation_read(const char *json, size_t length, ChatConversation **conversation,
                              Error *error) STATUS_MUST_CHECK;
void chat_conversation_free(ChatConversation *conversation);

size_t chat_conversation_count(const ChatConversation *conversation);

/* `tools` is there and not null. */
bool chat_conversation_has_tools(const ChatConversation *conversation);

#endif
