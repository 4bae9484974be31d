/*
 * chat_access — of.name, of[key] and of[a:b:c], as the immutable sandbox of jinja2 allows them: what changes a
 * value, and what begins with two underlines, is undefined.
 */
#ifndef REJUV_CORE_CHAT_ACCESS_H
#define REJUV_CORE_CHAT_ACCESS_H

#include "core/chat/chat_value.h"

/* An attribute, or else an item of that name; undefined where there is neither. */
Status chat_access_attribute(ChatRun *run, ChatValue of, const ChatText *name,
                             ChatValue *result) STATUS_MUST_CHECK;

/* An attribute alone, for the filter attr. */
Status chat_access_attribute_only(ChatRun *run, ChatValue of, const ChatText *name,
                                  ChatValue *result) STATUS_MUST_CHECK;

/* An item, or else an attribute where the key is a text. */
Status chat_access_item(ChatRun *run, ChatValue of, ChatValue key, ChatValue *result) STATUS_MUST_CHECK;

/* Parts are integers, or CHAT_NONE. */
Status chat_access_slice(ChatRun *run, ChatValue of, const ChatValue parts[3],
                         ChatValue *result) STATUS_MUST_CHECK;

/* Either, as run->get. */
Status chat_access_get(ChatRun *run, const ChatValue *of, const ChatValue *key, bool is_attribute,
                       ChatValue *result);

/* "a.b.0" of a value: the paths of map, selectattr and sort. `path` is a text, an integer or none. */
Status chat_access_path(ChatRun *run, ChatValue of, ChatValue path, ChatValue fallback,
                        ChatValue *result) STATUS_MUST_CHECK;

#endif
