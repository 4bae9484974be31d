/*
 * chat_spans — where in a rendering the assistant speaks: by what the template marks with generation blocks, or by
 * rendering what is before a turn, and what ends with it.
 *
 * Internal to the room; chat.h says what the rules are.
 */
#ifndef REJUV_CORE_CHAT_SPANS_H
#define REJUV_CORE_CHAT_SPANS_H

#include "core/chat/chat_output.h"

/* The spans of `whole`, a rendering of all, become those that are asked for; *found is false where they cannot be
 * told. */
Status chat_spans_find(const ChatTemplate *template, const ChatRequest *request, ChatOutput *whole,
                       bool *found, Error *error) STATUS_MUST_CHECK;

#endif
