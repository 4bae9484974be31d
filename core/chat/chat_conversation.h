/*
 * chat_conversation — a conversation as one JSON object:
 *
 *     {"messages": [{"role": "user", "content": "Hi"}, …], "tools": […], "documents": […],
 *      "add_generation_prompt": true, "template_kwargs": {"enable_thinking": false}}
 *
 * or in another of the forms that people keep them in (chat_form.h): TRL's prompt and completion, ShareGPT's, Alpaca's.
 *
 * Messages are taken as apply_chat_template of transformers takes them: members that are null are not there, and a
 * message's thoughts have the names `thinking` and `reasoning_content`. template_kwargs (or chat_template_kwargs) are
 * variables of the template. tools and documents may be texts of JSON. Other members are passed over.
 *
 * A conversation that is a prompt, for a model to answer, may be its messages alone, [{"role": "user", …}, …], and asks
 * for an answer where it does not say.
 *
 * What is learned is what the assistant says, but for what is part of a prompt, and for messages whose "weight", "train",
 * "training" or "loss" is 0 or false.
 */
#ifndef REJUV_CORE_CHAT_CONVERSATION_H
#define REJUV_CORE_CHAT_CONVERSATION_H

#include "core/chat/chat.h"

/* STATUS_FORMAT where it is no such object. */
Status chat_conversation_read(const char *json, size_t length, ChatConversation **conversation,
                              Error *error) STATUS_MUST_CHECK;

/* The same of a prompt: an object or a list of messages; where add_generation_prompt is not there or null, it is true
 * unless the last message is the assistant's. */
Status chat_conversation_read_prompt(const char *json, size_t length, ChatConversation **conversation,
                                     Error *error) STATUS_MUST_CHECK;
void chat_conversation_free(ChatConversation *conversation);

size_t chat_conversation_count(const ChatConversation *conversation);

/* Who says message `index`, and whether it is learned: in part, where its switch is neither off nor on. */
typedef enum ChatTurn {
    CHAT_TURN_OTHER,
    CHAT_TURN_PASSED,
    CHAT_TURN_LEARNED, /* and so is what comes behind it */
    CHAT_TURN_IN_PART
} ChatTurn;
ChatTurn chat_conversation_turn(const ChatConversation *conversation, size_t index);

/* Its role, `bytes` long; none where it has no text for one. */
const char *chat_conversation_role(const ChatConversation *conversation, size_t index, size_t *bytes);

/* `tools` is there and not null. */
bool chat_conversation_has_tools(const ChatConversation *conversation);

/* Whether the rendering is to end where an answer begins. */
bool chat_conversation_asks(const ChatConversation *conversation);

#endif
