/*
 * chat_percent — text % values: the printf of Python.
 */
#ifndef REJUV_CORE_CHAT_PERCENT_H
#define REJUV_CORE_CHAT_PERCENT_H

#include "core/chat/chat_value.h"

/* `values`: a tuple, a dict for %(name)s, or one value. */
Status chat_percent_format(ChatRun *run, const ChatText *format, ChatValue values,
                           ChatValue *result) STATUS_MUST_CHECK;

#endif
