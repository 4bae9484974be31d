/*
 * chat_json_read — JSON to values, as Python's json.loads reads it: the order of keys, integers of any size, 1.0 a
 * float, texts with any character, NaN and infinities.
 */
#ifndef REJUV_CORE_CHAT_JSON_READ_H
#define REJUV_CORE_CHAT_JSON_READ_H

#include "core/chat/chat_value.h"

/* One value and white space around it. Fails with the byte where it is none. */
Status chat_json_read(ChatRun *run, const char *json, size_t length, ChatValue *value) STATUS_MUST_CHECK;

#endif
