/*
 * chat_compare — ==, < and `in` of values, as Python has them.
 */
#ifndef REJUV_CORE_CHAT_COMPARE_H
#define REJUV_CORE_CHAT_COMPARE_H

#include "core/chat/chat_value.h"

/* a == b. It counts steps; where those are used up it says false, and the next step fails. */
bool chat_compare_equal(ChatRun *run, ChatValue a, ChatValue b);

/* *order: -1, 0 or 1; CHAT_COMPARE_UNORDERED where it is none of them (a NaN). Fails where the types have no order.
 * */
enum { CHAT_COMPARE_UNORDERED = 2 };
Status chat_compare_order(ChatRun *run, ChatValue a, ChatValue b, int *order) STATUS_MUST_CHECK;

/* Code points of two texts: -1, 0 or 1. */
int chat_compare_texts(const ChatText *a, const ChatText *b);

/* item in container */
Status chat_compare_contains(ChatRun *run, ChatValue container, ChatValue item,
                             bool *contains) STATUS_MUST_CHECK;

#endif
