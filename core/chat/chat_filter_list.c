#include "core/chat/chat_filter_list.h"

#include "core/chat/chat_access.h"
#include "core/chat/chat_builder.h"
#include "core/chat/chat_case.h"
#include "core/chat/chat_compare.h"
#include "core/chat/chat_dict.h"
#include "core/chat/chat_method_container.h"
#include "core/chat/chat_operators.h"
#include "core/chat/chat_print.h"
#include "core/chat/chat_sort.h"

#include <string.h>

#define FILTER(name)                                                                                         \
    static Status name(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result)

static const ChatValue NOTHING = {.type = CHAT_MISSING};

/* ---- length, first, last ---- */

FILTER(length) {
    size_t count;
    (void)arguments;
    if (!chat_value_length(self, &count))
        return chat_run_fail(run, STATUS_FORMAT, "a value of type %s has no length",
                             chat_value_type_name(self));
    *result = chat_value_int((int64_t)count);
    return STATUS_OK;
}

FILTER(first) {
    static const ChatText EMPTY = {.bytes = "the first of nothing", .length = 20};
    const ChatList *items;
    (void)arguments;
    if (self.type == CHAT_TEXT && self.as.text->length > 0)
        return chat_access_item(run, self, chat_value_int(0), result);
    CHAT_TRY(chat_value_iterate(run, self, &items));
    *result = items->count > 0 ? items->items[0] : chat_value_undefined(&EMPTY);
    return STATUS_OK;
}

FILTER(last) {
    static const ChatText EMPTY = {.bytes = "the last of nothing", .length = 19};
    const ChatList *items;
    (void)arguments;
    if (self.type == CHAT_TEXT && self.as.text->length > 0)
        return chat_access_item(run, self, chat_value_int(-1), result);
    if (chat_value_is_list(self, CHAT_LIST_ITERATOR))
        return chat_run_fail(run, STATUS_FORMAT,
                             "last: an iterator has no last: put it through the filter list");
    CHAT_TRY(chat_value_iterate(run, self, &items));
    *result = items->count > 0 ? items->items[items->count - 1] : chat_value_undefined(&EMPTY);
    return STATUS_OK;
}

/* ---- lists of the same ---- */

static Status copy(ChatRun *run, ChatValue self, ChatListKind kind, ChatList **list) {
    const ChatList *items;
    CHAT_TRY(chat_value_iterate(run, self, &items));
    CHAT_TRY(chat_value_new_list(run, kind, items->count, list));
    if (items->count > 0) memcpy((*list)->items, items->items, items->count * sizeof(ChatValue));
    (*list)->count = items->count;
    return STATUS_OK;
}

FILTER(to_list) {
    ChatList *list;
    (void)arguments;
    CHAT_TRY(copy(run, self, CHAT_LIST_LIST, &list));
    *result = chat_value_list(list);
    return STATUS_OK;
}

FILTER(items) {
    ChatList *list;
    (void)arguments;
    if (self.type != CHAT_DICT && self.type != CHAT_UNDEFINED)
        return chat_run_fail(run, STATUS_FORMAT,
                             "items: Can only get item pairs from a mapping, not from a %s",
                             chat_value_type_name(self));
    if (self.type == CHAT_DICT) {
        CHAT_TRY(chat_method_container_view(run, self.as.dict, CHAT_LIST_ITEMS, result));
        result->as.list->kind = CHAT_LIST_ITERATOR;
        return STATUS_OK;
    }
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_ITERATOR, 0, &list));
    *result = chat_value_list(list);
    return STATUS_OK;
}

FILTER(reverse) {
    ChatList *list;
    (void)arguments;
    bool was_iterator = chat_value_is_list(self, CHAT_LIST_ITERATOR);
    CHAT_TRY(copy(run, self, was_iterator ? CHAT_LIST_LIST : CHAT_LIST_ITERATOR, &list));
    for (size_t i = 0; i < list->count / 2; i++) {
        ChatValue item = list->items[i];
        list->items[i] = list->items[list->count - 1 - i];
        list->items[list->count - 1 - i] = item;
    }
    *result = chat_value_list(list);
    if (self.type != CHAT_TEXT) return STATUS_OK;
    ChatBuilder builder = {.run = run};
    for (size_t i = 0; i < list->count; i++) chat_builder_add_text(&builder, list->items[i].as.text);
    return chat_builder_finish(&builder, result);
}

FILTER(join) {
    const ChatList *list;
    const ChatText *between = NULL;
    ChatBuilder builder = {.run = run};
    CHAT_TRY(chat_value_iterate(run, self, &list));
    if (arguments[0].type != CHAT_MISSING) CHAT_TRY(chat_print_text(run, arguments[0], &between));
    for (size_t i = 0; i < list->count && builder.status == STATUS_OK; i++) {
        ChatValue item;
        CHAT_TRY(chat_access_path(run, list->items[i], arguments[1], NOTHING, &item));
        if (i > 0 && between != NULL) chat_builder_add_text(&builder, between);
        chat_print_add(&builder, item);
    }
    return chat_builder_finish(&builder, result);
}

/* ---- rows of rows ---- */

FILTER(batch) {
    const ChatList *list;
    ChatList *rows, *row = NULL;
    int64_t size;
    CHAT_TRY(chat_arguments_integer(run, arguments[0], 0, &size));
    CHAT_TRY(chat_value_iterate(run, self, &list));
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_ITERATOR, 0, &rows));
    for (size_t i = 0; i < list->count; i++) {
        if (row == NULL || (int64_t)row->count == size) {
            CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, 0, &row));
            CHAT_TRY(chat_value_append(run, rows, chat_value_list(row)));
        }
        CHAT_TRY(chat_value_append(run, row, list->items[i]));
    }
    bool fills = arguments[1].type != CHAT_MISSING && arguments[1].type != CHAT_NONE;
    while (fills && row != NULL && (int64_t)row->count < size) {
        CHAT_TRY(chat_run_step(run, 1));
        CHAT_TRY(chat_value_append(run, row, arguments[1]));
    }
    *result = chat_value_list(rows);
    return STATUS_OK;
}

FILTER(slice) {
    const ChatList *list;
    ChatList *rows, *row;
    int64_t count;
    CHAT_TRY(chat_arguments_integer(run, arguments[0], 0, &count));
    if (count == 0) return chat_run_fail(run, STATUS_FORMAT, "slice: division by zero");
    CHAT_TRY(chat_value_iterate(run, self, &list));
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_ITERATOR, 0, &rows));
    bool fills = arguments[1].type != CHAT_MISSING && arguments[1].type != CHAT_NONE;
    size_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        bool has_extra = (uint64_t)i < list->count % (uint64_t)count;
        size_t size = list->count / (uint64_t)count + has_extra;
        CHAT_TRY(chat_run_step(run, 1));
        CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, size, &row));
        for (size_t j = 0; j < size; j++) CHAT_TRY(chat_value_append(run, row, list->items[at++]));
        if (fills && !has_extra) CHAT_TRY(chat_value_append(run, row, arguments[1]));
        CHAT_TRY(chat_value_append(run, rows, chat_value_list(row)));
    }
    *result = chat_value_list(rows);
    return STATUS_OK;
}

/* ---- by keys ---- */

/* A key to compare by: a path's value, in lower case unless case counts. */
static Status find_key(ChatRun *run, ChatValue item, ChatValue path, ChatValue fallback, bool case_sensitive,
                       ChatValue *key) {
    CHAT_TRY(chat_access_path(run, item, path, fallback, key));
    if (key->type != CHAT_TEXT || case_sensitive) return STATUS_OK;
    return chat_case_change(run, key->as.text, CHAT_CASE_LOWER, key);
}

/* The same of several paths with commas between them. */
static Status find_keys(ChatRun *run, ChatValue item, ChatValue paths, bool case_sensitive, ChatValue *key) {
    if (paths.type != CHAT_TEXT || memchr(paths.as.text->bytes, ',', paths.as.text->length) == NULL)
        return find_key(run, item, paths, NOTHING, case_sensitive, key);
    ChatList *keys;
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, 0, &keys));
    const ChatText *text = paths.as.text;
    for (size_t at = 0; at <= text->length;) {
        const char *comma = memchr(text->bytes + at, ',', text->length - at);
        size_t end = comma == NULL ? text->length : (size_t)(comma - text->bytes);
        ChatValue path, one;
        CHAT_TRY(chat_value_keep(run, text->bytes + at, end - at, &path));
        CHAT_TRY(find_key(run, item, path, NOTHING, case_sensitive, &one));
        CHAT_TRY(chat_value_append(run, keys, one));
        at = end + 1;
    }
    *key = chat_value_list(keys);
    return STATUS_OK;
}

/* A list of the items in the order of their keys. */
static Status sort_items(ChatRun *run, const ChatList *list, const ChatValue *keys, bool reversed,
                         ChatList **sorted) {
    void *order;
    CHAT_TRY(chat_run_take(run, list->count, sizeof(size_t), &order));
    CHAT_TRY(chat_sort(run, keys, list->count, reversed, order));
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, list->count, sorted));
    for (size_t i = 0; i < list->count; i++)
        CHAT_TRY(chat_value_append(run, *sorted, list->items[((size_t *)order)[i]]));
    return STATUS_OK;
}

static Status take_keys(ChatRun *run, size_t count, ChatValue **keys) {
    void *block;
    CHAT_TRY(chat_run_take(run, count, sizeof(ChatValue), &block));
    *keys = block;
    return STATUS_OK;
}

FILTER(sort) {
    const ChatList *list;
    ChatList *sorted;
    ChatValue *keys;
    bool case_sensitive = chat_arguments_truth(arguments[1], false);
    CHAT_TRY(chat_value_iterate(run, self, &list));
    CHAT_TRY(take_keys(run, list->count, &keys));
    for (size_t i = 0; i < list->count; i++)
        CHAT_TRY(find_keys(run, list->items[i], arguments[2], case_sensitive, &keys[i]));
    CHAT_TRY(sort_items(run, list, keys, chat_arguments_truth(arguments[0], false), &sorted));
    *result = chat_value_list(sorted);
    return STATUS_OK;
}

FILTER(sort_dict) {
    static const ChatText KEY = {.bytes = "key", .length = 3};
    ChatValue view, *keys;
    ChatList *sorted;
    const ChatText *by;
    CHAT_TRY(chat_arguments_text(run, arguments[1], &KEY, &by));
    bool by_value = by->length == 5 && memcmp(by->bytes, "value", 5) == 0;
    if (!by_value && (by->length != 3 || memcmp(by->bytes, "key", 3) != 0))
        return chat_run_fail(run, STATUS_FORMAT,
                             "dictsort: You can only sort by either \"key\" or \"value\"");
    if (self.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, self);
    if (self.type != CHAT_DICT)
        return chat_run_fail(run, STATUS_FORMAT, "dictsort: a %s is no dict", chat_value_type_name(self));
    CHAT_TRY(chat_method_container_view(run, self.as.dict, CHAT_LIST_ITEMS, &view));
    CHAT_TRY(take_keys(run, view.as.list->count, &keys));
    for (size_t i = 0; i < view.as.list->count; i++)
        CHAT_TRY(find_key(run, view.as.list->items[i].as.list->items[by_value], chat_value_none(), NOTHING,
                          chat_arguments_truth(arguments[0], false), &keys[i]));
    CHAT_TRY(sort_items(run, view.as.list, keys, chat_arguments_truth(arguments[2], false), &sorted));
    *result = chat_value_list(sorted);
    return STATUS_OK;
}

FILTER(unique) {
    const ChatList *list;
    ChatList *kept;
    ChatDict *seen;
    CHAT_TRY(chat_value_iterate(run, self, &list));
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_ITERATOR, 0, &kept));
    CHAT_TRY(chat_dict_new(run, 0, &seen));
    for (size_t i = 0; i < list->count; i++) {
        ChatValue key;
        CHAT_TRY(find_key(run, list->items[i], arguments[1], NOTHING,
                          chat_arguments_truth(arguments[0], false), &key));
        if (chat_dict_find(run, seen, key) != NULL) continue;
        CHAT_TRY(chat_dict_set(run, seen, key, chat_value_none()));
        CHAT_TRY(chat_value_append(run, kept, list->items[i]));
    }
    *result = chat_value_list(kept);
    return STATUS_OK;
}

static Status find_extreme(ChatRun *run, ChatValue self, const ChatValue *arguments, int wanted,
                           ChatValue *result) {
    static const ChatText EMPTY = {.bytes = "an extreme of nothing", .length = 21};
    const ChatList *list;
    ChatValue best = NOTHING, key;
    CHAT_TRY(chat_value_iterate(run, self, &list));
    *result = chat_value_undefined(&EMPTY);
    for (size_t i = 0; i < list->count; i++) {
        int order = wanted;
        CHAT_TRY(find_key(run, list->items[i], arguments[1], NOTHING,
                          chat_arguments_truth(arguments[0], false), &key));
        if (i > 0) CHAT_TRY(chat_compare_order(run, key, best, &order));
        if (order == CHAT_COMPARE_UNORDERED || (wanted < 0 ? order >= 0 : order <= 0)) continue;
        best = key;
        *result = list->items[i];
    }
    return STATUS_OK;
}

FILTER(find_min) {
    return find_extreme(run, self, arguments, -1, result);
}

FILTER(find_max) {
    return find_extreme(run, self, arguments, 1, result);
}

FILTER(sum) {
    const ChatList *list;
    *result = arguments[1].type == CHAT_MISSING ? chat_value_int(0) : arguments[1];
    if (result->type == CHAT_TEXT)
        return chat_run_fail(run, STATUS_FORMAT, "sum: texts are joined, not summed");
    CHAT_TRY(chat_value_iterate(run, self, &list));
    for (size_t i = 0; i < list->count; i++) {
        ChatValue item, before = *result;
        CHAT_TRY(chat_access_path(run, list->items[i], arguments[0], NOTHING, &item));
        CHAT_TRY(chat_operators_apply(run, CHAT_TOKEN_ADD, before, item, result));
    }
    return STATUS_OK;
}

/* ---- groups ---- */

/* Appends a tuple (grouper, [first, …]). */
static Status open_group(ChatRun *run, ChatList *groups, ChatValue grouper, ChatList **members) {
    ChatList *group;
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_GROUP, 2, &group));
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, 0, members));
    CHAT_TRY(chat_value_append(run, group, grouper));
    CHAT_TRY(chat_value_append(run, group, chat_value_list(*members)));
    return chat_value_append(run, groups, chat_value_list(group));
}

FILTER(group_by) {
    const ChatList *list;
    ChatList *sorted, *groups, *members = NULL;
    ChatValue *keys, last_key = NOTHING;
    bool case_sensitive = chat_arguments_truth(arguments[2], false);
    CHAT_TRY(chat_value_iterate(run, self, &list));
    CHAT_TRY(take_keys(run, list->count, &keys));
    for (size_t i = 0; i < list->count; i++)
        CHAT_TRY(find_key(run, list->items[i], arguments[0], arguments[1], case_sensitive, &keys[i]));
    CHAT_TRY(sort_items(run, list, keys, false, &sorted));
    CHAT_TRY(chat_value_new_list(run, CHAT_LIST_LIST, 0, &groups));
    for (size_t i = 0; i < sorted->count; i++) {
        ChatValue key, grouper;
        CHAT_TRY(find_key(run, sorted->items[i], arguments[0], arguments[1], case_sensitive, &key));
        CHAT_TRY(chat_access_path(run, sorted->items[i], arguments[0], arguments[1], &grouper));
        if (members == NULL || !chat_compare_equal(run, key, last_key))
            CHAT_TRY(open_group(run, groups, grouper, &members));
        CHAT_TRY(chat_value_append(run, members, sorted->items[i]));
        last_key = key;
    }
    *result = chat_value_list(groups);
    return STATUS_OK;
}

static const ChatRow FILTERS[] = {
    {"length", "", 0, length, NULL},
    {"count", "", 0, length, NULL},
    {"first", "", 0, first, NULL},
    {"last", "", 0, last, NULL},
    {"list", "", 0, to_list, NULL},
    {"items", "", 0, items, NULL},
    {"join", "d attribute", 0, join, NULL},
    {"reverse", "", 0, reverse, NULL},
    {"sort", "reverse case_sensitive attribute", 0, sort, NULL},
    {"dictsort", "case_sensitive by reverse", 0, sort_dict, NULL},
    {"unique", "case_sensitive attribute", 0, unique, NULL},
    {"min", "case_sensitive attribute", 0, find_min, NULL},
    {"max", "case_sensitive attribute", 0, find_max, NULL},
    {"sum", "attribute start", 0, sum, NULL},
    {"batch", "linecount fill_with", 1, batch, NULL},
    {"slice", "slices fill_with", 1, slice, NULL},
    {"groupby", "attribute default case_sensitive", 1, group_by, NULL},
    {"random", NULL, 0, NULL, NULL},
};

const ChatRow *chat_filter_list_find(const ChatText *name) {
    return chat_arguments_find(FILTERS, sizeof FILTERS / sizeof *FILTERS, name);
}
