/*
 * chat_format — str.format() of Python, sandboxed: attributes and items by the template's own rules.
 */
#ifndef REJUV_CORE_CHAT_FORMAT_H
#define REJUV_CORE_CHAT_FORMAT_H

#include "core/chat/chat_value.h"

/* format.format(*call.values, **call.named) */
Status chat_format_apply(ChatRun *run, const ChatText *format, const ChatCall *call,
                         ChatValue *result) STATUS_MUST_CHECK;

#endif
