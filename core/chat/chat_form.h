/*
 * chat_form — the forms in which people keep conversations, as one list of messages:
 *
 *     {"messages": […]}                                    as they are
 *     {"prompt": […], "completion": […]}                   TRL's; what is in the prompt is not learned
 *     {"prompt": […], "response": "…"}                     a text is one turn of the assistant
 *     {"conversations": [{"from", "value"}, …], "system"}  ShareGPT's; {"role", "content"} under that key too
 *     {"instruction", "input", "output", "history", "system"}  Alpaca's: the first two, a line each, are the user's turn
 */
#ifndef REJUV_CORE_CHAT_FORM_H
#define REJUV_CORE_CHAT_FORM_H

#include "core/chat/chat_value.h"

/* The messages as given, and how many of them are the prompt of what follows (0: none is). *list is NULL where the
 * object is of no form. STATUS_FORMAT where its members are not what the form has there; STATUS_UNSUPPORTED for a role
 * of ShareGPT that is unknown. */
Status chat_form_read(ChatRun *run, const ChatDict *given, ChatList **list, size_t *prompt) STATUS_MUST_CHECK;

#endif
