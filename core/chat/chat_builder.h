/*
 * chat_builder — a text that is put together in a rendering's arena. A zeroed builder with its run set is empty and
 * valid. What fails is remembered: appends after it do nothing, and chat_builder_finish() reports it.
 */
#ifndef REJUV_CORE_CHAT_BUILDER_H
#define REJUV_CORE_CHAT_BUILDER_H

#include "core/chat/chat_value.h"

typedef struct ChatBuilder {
    ChatRun *run;
    char *bytes;
    size_t length, capacity;
    Status status;
} ChatBuilder;

void chat_builder_add(ChatBuilder *builder, const char *bytes, size_t length);
void chat_builder_add_string(ChatBuilder *builder, const char *text);
void chat_builder_add_text(ChatBuilder *builder, const ChatText *text);
void chat_builder_add_point(ChatBuilder *builder, int32_t point);
void chat_builder_repeat(ChatBuilder *builder, const char *bytes, size_t length, size_t times);

/* The text as a value. */
Status chat_builder_finish(ChatBuilder *builder, ChatValue *value) STATUS_MUST_CHECK;

#endif
