/*
 * chat_dict — dicts: in the order in which keys arrived, found by hash. Keys are texts, numbers, booleans, none, and
 * tuples of those; 1, 1.0 and true are one key.
 */
#ifndef REJUV_CORE_CHAT_DICT_H
#define REJUV_CORE_CHAT_DICT_H

#include "core/chat/chat_value.h"

Status chat_dict_new(ChatRun *run, size_t capacity, ChatDict **dict) STATUS_MUST_CHECK;

/* Sets a key, which keeps its place where it is there. Fails where the key is no key (a list, a dict). */
Status chat_dict_set(ChatRun *run, ChatDict *dict, ChatValue key, ChatValue value) STATUS_MUST_CHECK;

/* The value, or NULL; also of what is no key. */
const ChatValue *chat_dict_find(ChatRun *run, const ChatDict *dict, ChatValue key);
const ChatValue *chat_dict_find_text(const ChatDict *dict, const char *bytes, size_t length);
const ChatValue *chat_dict_find_string(const ChatDict *dict, const char *key);

bool chat_dict_is_key(ChatValue value);

#endif
