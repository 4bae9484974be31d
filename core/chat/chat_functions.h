/*
 * chat_functions — the functions that every template has: range, dict, namespace, cycler, joiner, and those of
 * transformers, raise_exception and strftime_now.
 */
#ifndef REJUV_CORE_CHAT_FUNCTIONS_H
#define REJUV_CORE_CHAT_FUNCTIONS_H

#include "core/chat/chat_value.h"

/* *value stays CHAT_MISSING where there is none of that name. */
Status chat_functions_find(ChatRun *run, const ChatText *name, ChatValue *value) STATUS_MUST_CHECK;

#endif
