/*
 * chat_json_write — values as JSON text, as Python's json.dumps writes it: what `tojson` of transformers is.
 */
#ifndef REJUV_CORE_CHAT_JSON_WRITE_H
#define REJUV_CORE_CHAT_JSON_WRITE_H

#include "core/chat/chat_value.h"

typedef struct ChatJsonStyle {
    bool ascii, sort;
    const ChatText *indent; /* NULL: all on one line */
    const ChatText *comma, *colon;
} ChatJsonStyle;

Status chat_json_write(ChatRun *run, ChatValue value, const ChatJsonStyle *style,
                       ChatValue *text) STATUS_MUST_CHECK;

#endif
