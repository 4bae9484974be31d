/*
 * chat_method_text — the methods of str. (format and format_map are not among them: chat_access has those.)
 */
#ifndef REJUV_CORE_CHAT_METHOD_TEXT_H
#define REJUV_CORE_CHAT_METHOD_TEXT_H

#include "core/chat/chat_arguments.h"

/* The method of that name, or NULL. */
const ChatRow *chat_method_text_find(const ChatText *name);

/* str.strip, lstrip, rstrip: of white space where `characters` is NULL. */
typedef enum ChatSide { CHAT_SIDE_LEFT = 1, CHAT_SIDE_RIGHT = 2, CHAT_SIDE_BOTH = 3 } ChatSide;
Status chat_method_text_strip(ChatRun *run, const ChatText *text, const ChatText *characters, ChatSide side,
                              ChatValue *result) STATUS_MUST_CHECK;

/* str.replace; `most` below 0: all. */
Status chat_method_text_replace(ChatRun *run, const ChatText *text, const ChatText *old, const ChatText *by,
                                int64_t most, ChatValue *result) STATUS_MUST_CHECK;

/* str.center: */
Status chat_method_text_center(ChatRun *run, const ChatText *text, int64_t width, const ChatText *fill,
                               ChatValue *result) STATUS_MUST_CHECK;

#endif
