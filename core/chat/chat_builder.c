#include "core/chat/chat_builder.h"

#include "core/chat/chat_text.h"
#include "core/support/memory.h"

#include <string.h>

static bool reserve(ChatBuilder *builder, size_t more) {
    size_t needed;
    if (builder->status != STATUS_OK) return false;
    if (!memory_add(builder->length, more, &needed)) needed = SIZE_MAX; /* is refused below */
    if (needed <= builder->capacity) return true;
    void *bytes = builder->bytes;
    if (builder->capacity == 0) builder->capacity = 16; /* larger from the start than a row of values is */
    if (builder->bytes == NULL && needed <= builder->capacity)
        builder->status = chat_run_take(builder->run, builder->capacity, 1, &bytes);
    else
        builder->status = chat_run_grow(builder->run, &bytes, builder->length, &builder->capacity, needed, 1);
    builder->bytes = bytes;
    return builder->status == STATUS_OK;
}

void chat_builder_add(ChatBuilder *builder, const char *bytes, size_t length) {
    if (length == 0 || !reserve(builder, length)) return;
    memcpy(builder->bytes + builder->length, bytes, length);
    builder->length += length;
}

void chat_builder_add_string(ChatBuilder *builder, const char *text) {
    chat_builder_add(builder, text, strlen(text));
}

void chat_builder_add_text(ChatBuilder *builder, const ChatText *text) {
    chat_builder_add(builder, text->bytes, text->length);
}

void chat_builder_add_point(ChatBuilder *builder, int32_t point) {
    char bytes[4];
    chat_builder_add(builder, bytes, chat_text_encode(point, bytes));
}

void chat_builder_repeat(ChatBuilder *builder, const char *bytes, size_t length, size_t times) {
    size_t total;
    if (!memory_multiply(length, times, &total)) total = SIZE_MAX;
    if (total == 0 || !reserve(builder, total)) return;
    for (size_t i = 0; i < times; i++) chat_builder_add(builder, bytes, length);
}

Status chat_builder_finish(ChatBuilder *builder, ChatValue *value) {
    if (builder->status != STATUS_OK) return builder->status;
    return chat_value_keep(builder->run, builder->length > 0 ? builder->bytes : "", builder->length, value);
}
