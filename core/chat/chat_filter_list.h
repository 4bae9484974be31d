/*
 * chat_filter_list — the filters of rows of values: first, join, sort and the like.
 */
#ifndef REJUV_CORE_CHAT_FILTER_LIST_H
#define REJUV_CORE_CHAT_FILTER_LIST_H

#include "core/chat/chat_arguments.h"

const ChatRow *chat_filter_list_find(const ChatText *name);

#endif
