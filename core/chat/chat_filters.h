/*
 * chat_filters — all filters by name; those that apply others (map, select) are here.
 */
#ifndef REJUV_CORE_CHAT_FILTERS_H
#define REJUV_CORE_CHAT_FILTERS_H

#include "core/chat/chat_arguments.h"

/* The filter of that name, or NULL. */
const ChatRow *chat_filters_find(const ChatText *name);

/* `value | ROW(call)`; `row` NULL: there is none of that name. */
Status chat_filters_apply(ChatRun *run, const ChatRow *row, const ChatText *name, ChatValue value,
                          const ChatCall *call, ChatValue *result) STATUS_MUST_CHECK;

#endif
