/*
 * chat_sort — sorted() of Python: stable, in the order of `<`, which fails where types have none.
 */
#ifndef REJUV_CORE_CHAT_SORT_H
#define REJUV_CORE_CHAT_SORT_H

#include "core/chat/chat_value.h"

/* order[]: places of `count` keys, from the smallest on (from the largest where `reverse`); equals stay as they
 * were. */
Status chat_sort(ChatRun *run, const ChatValue *keys, size_t count, bool reverse,
                 size_t *order) STATUS_MUST_CHECK;

#endif
