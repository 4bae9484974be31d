#include "core/chat/chat_output.h"

#include "core/chat/chat_print.h"
#include "core/chat/chat_text.h"
#include "core/support/memory.h"

#include <stdlib.h>
#include <string.h>

Status chat_output_add(ChatRun *run, const char *bytes, size_t length) {
    ChatOutput *output = run->renderer;
    if (length == 0) return STATUS_OK;
    if (length > run->limits.output - output->length)
        return chat_run_fail(run, STATUS_UNSUPPORTED, "its text is longer than %zu bytes",
                             run->limits.output);
    CHAT_TRY(MEMORY_RESERVE(output->bytes, &output->capacity, output->length + length, run->error));
    memcpy(output->bytes + output->length, bytes, length);
    output->length += length;
    return STATUS_OK;
}

Status chat_output_print(ChatRun *run, ChatValue value) {
    const ChatText *text;
    if (value.type == CHAT_UNDEFINED) return STATUS_OK;
    CHAT_TRY(chat_print_text(run, value, &text));
    return chat_output_add(run, text->bytes, text->length);
}

size_t chat_output_begin_capture(ChatRun *run) {
    ChatOutput *output = run->renderer;
    if (output->captures++ == 0) output->outermost = output->length;
    return output->length;
}

Status chat_output_end_capture(ChatRun *run, size_t begin, ChatValue *value) {
    ChatOutput *output = run->renderer;
    size_t length = output->length - begin;
    output->captures--;
    output->length = begin;
    return chat_value_copy(run, length > 0 ? output->bytes + begin : "", length, value);
}

Status chat_output_add_span(ChatRun *run, size_t points) {
    ChatOutput *output = run->renderer;
    size_t at = output->captures > 0 ? output->outermost : output->length;
    if (at < output->counted) output->counted = output->counted_points = 0;
    if (at > output->counted)
        output->counted_points += chat_text_count(output->bytes + output->counted, at - output->counted);
    output->counted = at;
    CHAT_TRY(MEMORY_RESERVE(output->spans, &output->span_capacity, output->span_count + 1, run->error));
    output->spans[output->span_count++] = (ChatSpan){output->counted_points, output->counted_points + points};
    return STATUS_OK;
}

void chat_output_free(ChatOutput *output) {
    free(output->bytes);
    free(output->spans);
    *output = (ChatOutput){0};
}
