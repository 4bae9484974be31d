/*
 * chat_print — values as text: str() and repr() of Python.
 */
#ifndef REJUV_CORE_CHAT_PRINT_H
#define REJUV_CORE_CHAT_PRINT_H

#include "core/chat/chat_builder.h"

/* str(value): what a template prints. What is refused (a method, an iterator: their texts are addresses) is in the
 * builder's status. */
void chat_print_add(ChatBuilder *builder, ChatValue value);
void chat_print_add_repr(ChatBuilder *builder, ChatValue value);

/* str(value) as a value of its own; a text stays what it is. */
Status chat_print_text(ChatRun *run, ChatValue value, const ChatText **text) STATUS_MUST_CHECK;

#endif
