#include "core/chat/chat_value.h"

#include "core/chat/chat_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- making them ---- */

ChatValue chat_value_none(void) {
    return (ChatValue){.type = CHAT_NONE};
}

ChatValue chat_value_bool(bool truth) {
    return (ChatValue){.type = CHAT_BOOL, .as.truth = truth};
}

ChatValue chat_value_int(int64_t integer) {
    return (ChatValue){.type = CHAT_INT, .as.integer = integer};
}

ChatValue chat_value_float(double number) {
    return (ChatValue){.type = CHAT_FLOAT, .as.number = number};
}

ChatValue chat_value_text(const ChatText *text) {
    return (ChatValue){.type = CHAT_TEXT, .as.text = text};
}

ChatValue chat_value_list(ChatList *list) {
    return (ChatValue){.type = CHAT_LIST, .as.list = list};
}

ChatValue chat_value_object(ChatObject *object) {
    return (ChatValue){.type = CHAT_OBJECT, .as.object = object};
}

ChatValue chat_value_undefined(const ChatText *name) {
    return (ChatValue){.type = CHAT_UNDEFINED, .as.text = name};
}

Status chat_value_keep(ChatRun *run, const char *bytes, size_t length, ChatValue *value) {
    void *block;
    Status status = chat_run_take(run, 1, sizeof(ChatText), &block);
    if (status != STATUS_OK) return status;
    ChatText *text = block;
    *text = (ChatText){.bytes = bytes, .length = length, .points = chat_text_count(bytes, length)};
    *value = chat_value_text(text);
    return STATUS_OK;
}

Status chat_value_copy(ChatRun *run, const char *bytes, size_t length, ChatValue *value) {
    void *copy;
    Status status = chat_run_take(run, length + 1, 1, &copy);
    if (status != STATUS_OK) return status;
    if (length > 0) memcpy(copy, bytes, length);
    return chat_value_keep(run, copy, length, value);
}

Status chat_value_mark(ChatRun *run, ChatValue *value) {
    void *block;
    if (value->type == CHAT_LIST) {
        for (size_t i = 0; i < value->as.list->count; i++)
            CHAT_TRY(chat_value_mark(run, &value->as.list->items[i]));
    }
    if (value->type != CHAT_TEXT) return STATUS_OK;
    CHAT_TRY(chat_run_take(run, 1, sizeof(ChatText), &block));
    ChatText *text = block;
    *text = *value->as.text;
    text->is_marked = true;
    *value = chat_value_text(text);
    return STATUS_OK;
}

Status chat_value_format(ChatRun *run, ChatValue *value, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text)
        length = (int)strlen(text); /* cut: for short texts only */
    return chat_value_copy(run, text, (size_t)length, value);
}

Status chat_value_new_list(ChatRun *run, ChatListKind kind, size_t capacity, ChatList **list) {
    void *block, *items = NULL;
    Status status = chat_run_take(run, 1, sizeof(ChatList), &block);
    if (status == STATUS_OK && capacity > 0) status = chat_run_take(run, capacity, sizeof(ChatValue), &items);
    if (status != STATUS_OK) return status;
    *list = block;
    **list = (ChatList){.kind = kind, .items = items, .capacity = capacity};
    return STATUS_OK;
}

Status chat_value_append(ChatRun *run, ChatList *list, ChatValue item) {
    void *items = list->items;
    Status status =
        chat_run_grow(run, &items, list->count, &list->capacity, list->count + 1, sizeof(ChatValue));
    if (status != STATUS_OK) return status;
    list->items = items;
    list->items[list->count++] = item;
    return STATUS_OK;
}

Status chat_value_new_object(ChatRun *run, ChatObject object, ChatValue *value) {
    void *block;
    Status status = chat_run_take(run, 1, sizeof(ChatObject), &block);
    if (status != STATUS_OK) return status;
    *(ChatObject *)block = object;
    *value = chat_value_object(block);
    return STATUS_OK;
}

/* ---- asking them ---- */

const char *chat_value_type_name(ChatValue value) {
    static const char *const NAMES[] = {
        [CHAT_MISSING] = "nothing",
        [CHAT_UNDEFINED] = "Undefined",
        [CHAT_NONE] = "NoneType",
        [CHAT_BOOL] = "bool",
        [CHAT_INT] = "int",
        [CHAT_BIG] = "int",
        [CHAT_FLOAT] = "float",
        [CHAT_TEXT] = "str",
        [CHAT_LIST] = "list",
        [CHAT_DICT] = "dict",
        [CHAT_NAMESPACE] = "namespace",
        [CHAT_OBJECT] = "object",
    };
    static const char *const KINDS[] = {
        [CHAT_LIST_LIST] = "list",        [CHAT_LIST_TUPLE] = "tuple",
        [CHAT_LIST_GROUP] = "tuple",      [CHAT_LIST_RANGE] = "range",
        [CHAT_LIST_KEYS] = "dict_keys",   [CHAT_LIST_VALUES] = "dict_values",
        [CHAT_LIST_ITEMS] = "dict_items", [CHAT_LIST_ITERATOR] = "generator",
    };
    if (value.type == CHAT_LIST) return KINDS[value.as.list->kind];
    if (value.type == CHAT_OBJECT) return value.as.object->kind;
    return NAMES[value.type];
}

bool chat_value_is_truthy(ChatValue value) {
    switch (value.type) {
    case CHAT_MISSING:
    case CHAT_UNDEFINED:
    case CHAT_NONE:
        return false;
    case CHAT_BOOL:
        return value.as.truth;
    case CHAT_INT:
        return value.as.integer != 0;
    case CHAT_FLOAT:
        return value.as.number != 0;
    case CHAT_TEXT:
        return value.as.text->length > 0;
    case CHAT_LIST:
        return value.as.list->kind == CHAT_LIST_ITERATOR || value.as.list->count > 0;
    case CHAT_DICT:
        return value.as.dict->count > 0;
    case CHAT_BIG:
    case CHAT_NAMESPACE:
    case CHAT_OBJECT:
        return true;
    }
    return true;
}

bool chat_value_is_integer(ChatValue value) {
    return value.type == CHAT_INT || value.type == CHAT_BOOL;
}

bool chat_value_is_number(ChatValue value) {
    return chat_value_is_integer(value) || value.type == CHAT_FLOAT;
}

int64_t chat_value_integer(ChatValue value) {
    return value.type == CHAT_BOOL ? value.as.truth : value.as.integer;
}

double chat_value_number(ChatValue value) {
    return value.type == CHAT_FLOAT ? value.as.number : (double)chat_value_integer(value);
}

bool chat_value_is_list(ChatValue value, ChatListKind kind) {
    return value.type == CHAT_LIST && value.as.list->kind == kind;
}

bool chat_value_is_sequence(ChatValue value) {
    return value.type == CHAT_LIST && value.as.list->kind <= CHAT_LIST_RANGE;
}

bool chat_value_length(ChatValue value, size_t *length) {
    switch (value.type) {
    case CHAT_UNDEFINED:
        *length = 0;
        return true;
    case CHAT_TEXT:
        *length = value.as.text->points;
        return true;
    case CHAT_LIST:
        *length = value.as.list->count;
        return value.as.list->kind != CHAT_LIST_ITERATOR;
    case CHAT_DICT:
        *length = value.as.dict->count;
        return true;
    default:
        return false;
    }
}

bool chat_value_is_iterable(ChatValue value) {
    return value.type == CHAT_UNDEFINED || value.type == CHAT_TEXT || value.type == CHAT_LIST ||
           value.type == CHAT_DICT;
}

static Status list_points(ChatRun *run, const ChatText *text, ChatList **list) {
    Status status = chat_value_new_list(run, CHAT_LIST_LIST, text->points, list);
    for (size_t at = 0; status == STATUS_OK && at < text->length;) {
        size_t width = chat_text_width(text->bytes + at, text->length - at);
        ChatValue point;
        status = chat_value_keep(run, text->bytes + at, width, &point);
        if (status == STATUS_OK) status = chat_value_append(run, *list, point);
        at += width;
    }
    return status;
}

static Status list_keys(ChatRun *run, const ChatDict *dict, ChatList **list) {
    Status status = chat_value_new_list(run, CHAT_LIST_LIST, dict->count, list);
    for (size_t i = 0; status == STATUS_OK && i < dict->count; i++)
        status = chat_value_append(run, *list, dict->entries[i].key);
    return status;
}

static Status use_up(ChatRun *run, ChatList *iterator, ChatList **list) {
    Status status = chat_value_new_list(run, CHAT_LIST_LIST, 0, list);
    if (status != STATUS_OK) return status;
    **list = *iterator;
    (*list)->kind = CHAT_LIST_LIST;
    iterator->count = iterator->capacity = 0;
    iterator->items = NULL;
    return STATUS_OK;
}

Status chat_value_iterate(ChatRun *run, ChatValue value, const ChatList **items) {
    static const ChatList EMPTY = {.kind = CHAT_LIST_LIST};
    ChatList *list = NULL;
    Status status = STATUS_OK;
    *items = &EMPTY;
    if (value.type == CHAT_UNDEFINED) return STATUS_OK;
    if (value.type == CHAT_TEXT)
        status = list_points(run, value.as.text, &list);
    else if (value.type == CHAT_DICT)
        status = list_keys(run, value.as.dict, &list);
    else if (chat_value_is_list(value, CHAT_LIST_ITERATOR))
        status = use_up(run, value.as.list, &list);
    else if (value.type == CHAT_LIST)
        list = value.as.list;
    else
        return chat_run_fail(run, STATUS_FORMAT, "a value of type %s is not iterable",
                             chat_value_type_name(value));
    if (status != STATUS_OK) return status;
    *items = list;
    return chat_run_step(run, list->count);
}

Status chat_value_fail_undefined(ChatRun *run, ChatValue value) {
    const ChatText *name = value.as.text;
    if (name == NULL) return chat_run_fail(run, STATUS_FORMAT, "a value is undefined");
    int length = (int)(name->length > 200 ? 200 : name->length);
    if (name->is_marked) return chat_run_fail(run, STATUS_FORMAT, "%.*s", length, name->bytes);
    return chat_run_fail(run, STATUS_FORMAT, "\"%.*s\" is undefined", length, name->bytes);
}
