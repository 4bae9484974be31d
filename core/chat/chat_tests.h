/*
 * chat_tests — what `is` asks.
 */
#ifndef REJUV_CORE_CHAT_TESTS_H
#define REJUV_CORE_CHAT_TESTS_H

#include "core/chat/chat_arguments.h"

/* The test of that name, or NULL. */
const ChatRow *chat_tests_find(const ChatText *name);

/* `value is ROW(call)`; `row` NULL: there is none of that name. */
Status chat_tests_apply(ChatRun *run, const ChatRow *row, const ChatText *name, ChatValue value,
                        const ChatCall *call, bool *holds) STATUS_MUST_CHECK;

#endif
