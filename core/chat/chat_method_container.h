/*
 * chat_method_container — the methods of dict, list, tuple and range that the immutable sandbox lets through; and
 * the names of those that it does not.
 */
#ifndef REJUV_CORE_CHAT_METHOD_CONTAINER_H
#define REJUV_CORE_CHAT_METHOD_CONTAINER_H

#include "core/chat/chat_arguments.h"

/* The method of that name of such a value (a dict or a list), or NULL. */
const ChatRow *chat_method_container_find(ChatValue of, const ChatText *name);

/* list.append, dict.pop, …: there, but unsafe. */
bool chat_method_container_is_unsafe(ChatValue of, const ChatText *name);

/* keys(), values() and items() as values. */
Status chat_method_container_view(ChatRun *run, const ChatDict *dict, ChatListKind kind,
                                  ChatValue *view) STATUS_MUST_CHECK;

#endif
