/*
 * chat_output — the text of a rendering as it grows, and stretches of it that are taken back: what a macro or a
 * block gives is rendered at the end of it and then cut off as a value.
 */
#ifndef REJUV_CORE_CHAT_OUTPUT_H
#define REJUV_CORE_CHAT_OUTPUT_H

#include "core/chat/chat_value.h"

/* Of one rendering: run->renderer. */
typedef struct ChatOutput {
    char *bytes;
    size_t length, capacity;
    unsigned captures;              /* that are open */
    size_t outermost;               /* where the first of them begins */
    size_t counted, counted_points; /* bytes whose code points are known */
    ChatSpan *spans;
    size_t span_count, span_capacity;
} ChatOutput;

Status chat_output_add(ChatRun *run, const char *bytes, size_t length) STATUS_MUST_CHECK;

/* str(value) */
Status chat_output_print(ChatRun *run, ChatValue value) STATUS_MUST_CHECK;

/* From begin to end, what is added becomes *value. */
size_t chat_output_begin_capture(ChatRun *run);
Status chat_output_end_capture(ChatRun *run, size_t begin, ChatValue *value) STATUS_MUST_CHECK;

/* A generation block of so many code points, as transformers counts: behind what is out of every capture. To be
 * called once its own capture is closed. */
Status chat_output_add_span(ChatRun *run, size_t points) STATUS_MUST_CHECK;

void chat_output_free(ChatOutput *output);

#endif
