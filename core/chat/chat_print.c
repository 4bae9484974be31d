#include "core/chat/chat_print.h"

#include "core/chat/chat_number.h"
#include "core/chat/chat_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add_escaped(ChatBuilder *builder, int32_t point) {
    char text[16];
    const char *format = point < 0x100 ? "\\x%02x" : point < 0x10000 ? "\\u%04x" : "\\U%08x";
    switch (point) {
    case '\n':
        chat_builder_add_string(builder, "\\n");
        return;
    case '\r':
        chat_builder_add_string(builder, "\\r");
        return;
    case '\t':
        chat_builder_add_string(builder, "\\t");
        return;
    default:
        (void)snprintf(text, sizeof text, format, (unsigned)point);
        chat_builder_add_string(builder, text);
    }
}

/* In single quotes, unless it holds those and no double ones. */
static void add_quoted(ChatBuilder *builder, const ChatText *text) {
    bool has_single = memchr(text->bytes, '\'', text->length) != NULL;
    char quote = has_single && memchr(text->bytes, '"', text->length) == NULL ? '"' : '\'';
    size_t width;
    if (text->is_marked) chat_builder_add_string(builder, "Markup(");
    chat_builder_add(builder, &quote, 1);
    for (size_t at = 0; at < text->length; at += width) {
        int32_t point = chat_text_point(text->bytes + at, text->length - at, &width);
        if (point == quote || point == '\\') chat_builder_add_string(builder, "\\");
        if (chat_text_is_printable(point))
            chat_builder_add(builder, text->bytes + at, width);
        else
            add_escaped(builder, point);
    }
    chat_builder_add(builder, &quote, 1);
    if (text->is_marked) chat_builder_add_string(builder, ")");
}

static void add_integer(ChatBuilder *builder, int64_t integer) {
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, integer);
    chat_builder_add_string(builder, text);
}

static void add_range(ChatBuilder *builder, const ChatList *range) {
    chat_builder_add_string(builder, "range(");
    add_integer(builder, range->start);
    chat_builder_add_string(builder, ", ");
    add_integer(builder, range->stop);
    if (range->step != 1) {
        chat_builder_add_string(builder, ", ");
        add_integer(builder, range->step);
    }
    chat_builder_add_string(builder, ")");
}

static void add_list(ChatBuilder *builder, const ChatList *list) {
    static const char *const OPEN[] = {"[", "(", "(", "", "dict_keys([", "dict_values([", "dict_items(["};
    static const char *const CLOSE[] = {"]", ")", ")", "", "])", "])", "])"};
    if (list->kind == CHAT_LIST_ITERATOR) {
        builder->status = chat_run_fail(builder->run, STATUS_UNSUPPORTED,
                                        "an iterator is printed: put it through the filter list");
        return;
    }
    if (list->kind == CHAT_LIST_RANGE) {
        add_range(builder, list);
        return;
    }
    chat_builder_add_string(builder, OPEN[list->kind]);
    for (size_t i = 0; i < list->count && builder->status == STATUS_OK; i++) {
        if (i > 0) chat_builder_add_string(builder, ", ");
        chat_print_add_repr(builder, list->items[i]);
    }
    bool is_tuple = list->kind == CHAT_LIST_TUPLE || list->kind == CHAT_LIST_GROUP;
    if (is_tuple && list->count == 1) chat_builder_add_string(builder, ",");
    chat_builder_add_string(builder, CLOSE[list->kind]);
}

static void add_dict(ChatBuilder *builder, const ChatDict *dict) {
    chat_builder_add_string(builder, "{");
    for (size_t i = 0; i < dict->count && builder->status == STATUS_OK; i++) {
        if (i > 0) chat_builder_add_string(builder, ", ");
        chat_print_add_repr(builder, dict->entries[i].key);
        chat_builder_add_string(builder, ": ");
        chat_print_add_repr(builder, dict->entries[i].value);
    }
    chat_builder_add_string(builder, "}");
}

static void add_object(ChatBuilder *builder, ChatObject *object) {
    static const ChatText PRINTED = {.bytes = "", .length = 0};
    ChatValue text = {.type = CHAT_MISSING};
    if (object->get != NULL) builder->status = object->get(builder->run, object, &PRINTED, &text);
    if (builder->status != STATUS_OK) return;
    if (text.type == CHAT_TEXT)
        chat_builder_add_text(builder, text.as.text);
    else
        builder->status = chat_run_fail(builder->run, STATUS_UNSUPPORTED, "the %s %s is printed, not called",
                                        object->kind, object->name);
}

static void add_inside(ChatBuilder *builder, ChatValue value) {
    builder->status = chat_run_step(builder->run, 1);
    if (builder->status == STATUS_OK) builder->status = chat_run_enter(builder->run);
    if (builder->status != STATUS_OK) return;
    if (value.type == CHAT_LIST) {
        add_list(builder, value.as.list);
    } else if (value.type == CHAT_DICT) {
        add_dict(builder, value.as.dict);
    } else {
        chat_builder_add_string(builder, "<Namespace ");
        add_dict(builder, value.as.dict);
        chat_builder_add_string(builder, ">");
    }
    chat_run_leave(builder->run);
}

void chat_print_add_repr(ChatBuilder *builder, ChatValue value) {
    char number[CHAT_NUMBER_SIZE];
    if (builder->status != STATUS_OK) return;
    switch (value.type) {
    case CHAT_MISSING:
    case CHAT_UNDEFINED:
        chat_builder_add_string(builder, "Undefined");
        return;
    case CHAT_NONE:
        chat_builder_add_string(builder, "None");
        return;
    case CHAT_BOOL:
        chat_builder_add_string(builder, value.as.truth ? "True" : "False");
        return;
    case CHAT_INT:
        add_integer(builder, value.as.integer);
        return;
    case CHAT_BIG:
        chat_builder_add_text(builder, value.as.text);
        return;
    case CHAT_FLOAT:
        chat_number_print(value.as.number, number);
        chat_builder_add_string(builder, number);
        return;
    case CHAT_TEXT:
        add_quoted(builder, value.as.text);
        return;
    case CHAT_OBJECT:
        add_object(builder, value.as.object);
        return;
    case CHAT_LIST:
    case CHAT_DICT:
    case CHAT_NAMESPACE:
        add_inside(builder, value);
        return;
    }
}

void chat_print_add(ChatBuilder *builder, ChatValue value) {
    if (value.type == CHAT_TEXT)
        chat_builder_add_text(builder, value.as.text);
    else if (value.type != CHAT_UNDEFINED && value.type != CHAT_MISSING)
        chat_print_add_repr(builder, value);
}

Status chat_print_text(ChatRun *run, ChatValue value, const ChatText **text) {
    if (value.type == CHAT_TEXT) {
        *text = value.as.text;
        return STATUS_OK;
    }
    ChatBuilder builder = {.run = run};
    ChatValue printed;
    chat_print_add(&builder, value);
    Status status = chat_builder_finish(&builder, &printed);
    if (status == STATUS_OK) *text = printed.as.text;
    return status;
}
