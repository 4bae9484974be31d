/*
 * chat_method_split — str.split and its kin: a text to a list of texts.
 */
#ifndef REJUV_CORE_CHAT_METHOD_SPLIT_H
#define REJUV_CORE_CHAT_METHOD_SPLIT_H

#include "core/chat/chat_value.h"

/* As rows of methods call them: (sep, maxsplit), (keepends), (sep). */
Status chat_method_split(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result);
Status chat_method_split_right(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result);
Status chat_method_split_lines(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result);
Status chat_method_split_partition(ChatRun *run, ChatValue self, const ChatValue *arguments,
                                   ChatValue *result);
Status chat_method_split_partition_right(ChatRun *run, ChatValue self, const ChatValue *arguments,
                                         ChatValue *result);

#endif
