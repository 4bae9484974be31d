#include "core/chat/chat_method_container.h"

#include "core/chat/chat_compare.h"
#include "core/chat/chat_dict.h"

#include <string.h>

#define METHOD(name)                                                                                         \
    static Status name(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result)

Status chat_method_container_view(ChatRun *run, const ChatDict *dict, ChatListKind kind, ChatValue *view) {
    ChatList *list, *pair;
    CHAT_TRY(chat_value_new_list(run, kind, dict->count, &list));
    CHAT_TRY(chat_run_step(run, dict->count));
    for (size_t i = 0; i < dict->count; i++) {
        ChatValue item = kind == CHAT_LIST_VALUES ? dict->entries[i].value : dict->entries[i].key;
        if (kind == CHAT_LIST_ITEMS) {
            CHAT_TRY(chat_value_new_list(run, CHAT_LIST_TUPLE, 2, &pair));
            CHAT_TRY(chat_value_append(run, pair, dict->entries[i].key));
            CHAT_TRY(chat_value_append(run, pair, dict->entries[i].value));
            item = chat_value_list(pair);
        }
        CHAT_TRY(chat_value_append(run, list, item));
    }
    *view = chat_value_list(list);
    return STATUS_OK;
}

METHOD(list_keys) {
    return (void)arguments, chat_method_container_view(run, self.as.dict, CHAT_LIST_KEYS, result);
}

METHOD(list_values) {
    return (void)arguments, chat_method_container_view(run, self.as.dict, CHAT_LIST_VALUES, result);
}

METHOD(list_items) {
    return (void)arguments, chat_method_container_view(run, self.as.dict, CHAT_LIST_ITEMS, result);
}

METHOD(get) {
    if (!chat_dict_is_key(arguments[0]))
        return chat_run_fail(run, STATUS_FORMAT, "a %s is no key of a dict",
                             chat_value_type_name(arguments[0]));
    const ChatValue *found = chat_dict_find(run, self.as.dict, arguments[0]);
    *result = found != NULL ? *found : arguments[1].type == CHAT_MISSING ? chat_value_none() : arguments[1];
    return STATUS_OK;
}

METHOD(copy_itself) { /* what nothing can change needs no copy */
    (void)run, (void)arguments;
    *result = self;
    return STATUS_OK;
}

METHOD(count_item) {
    int64_t count = 0;
    const ChatList *list = self.as.list;
    CHAT_TRY(chat_run_step(run, list->count));
    for (size_t i = 0; i < list->count; i++) count += chat_compare_equal(run, list->items[i], arguments[0]);
    *result = chat_value_int(count);
    return STATUS_OK;
}

METHOD(find_item) {
    const ChatList *list = self.as.list;
    int64_t count = (int64_t)list->count, from, to;
    CHAT_TRY(chat_arguments_integer(run, arguments[1], 0, &from));
    CHAT_TRY(chat_arguments_integer(run, arguments[2], count, &to));
    CHAT_TRY(chat_run_step(run, list->count));
    if (from < 0) from = from < -count ? 0 : from + count;
    if (to < 0) to = to < -count ? 0 : to + count;
    for (int64_t i = from; i < to && i < count; i++) {
        if (!chat_compare_equal(run, list->items[i], arguments[0])) continue;
        *result = chat_value_int(i);
        return STATUS_OK;
    }
    return chat_run_fail(run, STATUS_FORMAT, "index: the value is not in the list");
}

static const ChatRow DICT_METHODS[] = {
    {"get", "/ key default", 1, get, NULL}, {"items", "", 0, list_items, NULL},
    {"keys", "", 0, list_keys, NULL},       {"values", "", 0, list_values, NULL},
    {"copy", "", 0, copy_itself, NULL},     {"fromkeys", NULL, 0, NULL, NULL},
};

static const ChatRow LIST_METHODS[] = {
    {"count", "/ value", 1, count_item, NULL},
    {"index", "/ value start stop", 1, find_item, NULL},
    {"copy", "", 0, copy_itself, NULL}, /* the last: of lists alone */
};

enum {
    DICT_METHOD_COUNT = sizeof DICT_METHODS / sizeof *DICT_METHODS,
    LIST_METHOD_COUNT = sizeof LIST_METHODS / sizeof *LIST_METHODS
};

const ChatRow *chat_method_container_find(ChatValue of, const ChatText *name) {
    if (of.type == CHAT_DICT) return chat_arguments_find(DICT_METHODS, DICT_METHOD_COUNT, name);
    if (!chat_value_is_sequence(of)) return NULL;
    bool is_list = of.as.list->kind == CHAT_LIST_LIST;
    return chat_arguments_find(LIST_METHODS, LIST_METHOD_COUNT - !is_list, name);
}

bool chat_method_container_is_unsafe(ChatValue of, const ChatText *name) {
    static const char *const DICT[] = {"clear", "pop", "popitem", "setdefault", "update", NULL};
    static const char *const LIST[] = {"append", "clear",  "pop",    "reverse", "insert",
                                       "sort",   "extend", "remove", NULL};
    bool is_list = chat_value_is_list(of, CHAT_LIST_LIST);
    if (!is_list && of.type != CHAT_DICT) return false;
    for (const char *const *unsafe = is_list ? LIST : DICT; *unsafe != NULL; unsafe++) {
        if (strlen(*unsafe) == name->length && memcmp(*unsafe, name->bytes, name->length) == 0) return true;
    }
    return false;
}
