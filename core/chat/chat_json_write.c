#include "core/chat/chat_json_write.h"

#include "core/chat/chat_builder.h"
#include "core/chat/chat_number.h"
#include "core/chat/chat_print.h"
#include "core/chat/chat_sort.h"
#include "core/chat/chat_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Writer {
    ChatBuilder builder;
    const ChatJsonStyle *style;
    size_t level;
} Writer;

static void add_unit(ChatBuilder *builder, unsigned unit) {
    char text[16];
    (void)snprintf(text, sizeof text, "\\u%04x", unit);
    chat_builder_add_string(builder, text);
}

static void add_escape(ChatBuilder *builder, int32_t point) {
    static const char NAMED[] = "\"\\\n\r\t\b\f", LETTERS[] = "\"\\nrtbf";
    const char *found = point != 0 && point < 0x80 ? strchr(NAMED, (int)point) : NULL;
    if (found != NULL) {
        char text[3] = {'\\', LETTERS[found - NAMED], '\0'};
        chat_builder_add_string(builder, text);
    } else if (point < 0x10000) {
        add_unit(builder, (unsigned)point);
    } else {
        add_unit(builder, 0xD800 + (((unsigned)point - 0x10000) >> 10));
        add_unit(builder, 0xDC00 + (((unsigned)point - 0x10000) & 0x3FF));
    }
}

static void write_text(Writer *writer, const ChatText *text) {
    size_t width, plain = 0;
    chat_builder_add_string(&writer->builder, "\"");
    for (size_t at = 0; at < text->length; at += width) {
        int32_t point = chat_text_point(text->bytes + at, text->length - at, &width);
        bool escapes =
            point < 0x20 || point == '"' || point == '\\' || (writer->style->ascii && point > 0x7E);
        if (!escapes) continue;
        chat_builder_add(&writer->builder, text->bytes + plain, at - plain);
        add_escape(&writer->builder, point);
        plain = at + width;
    }
    chat_builder_add(&writer->builder, text->bytes + plain, text->length - plain);
    chat_builder_add_string(&writer->builder, "\"");
}

static void write_number(Writer *writer, double number) {
    char text[CHAT_NUMBER_SIZE];
    if (isnan(number) || isinf(number)) {
        chat_builder_add_string(&writer->builder, isnan(number) ? "NaN"
                                                  : number < 0  ? "-Infinity"
                                                                : "Infinity");
        return;
    }
    chat_number_print(number, text);
    chat_builder_add_string(&writer->builder, text);
}

static void break_line(Writer *writer) {
    const ChatText *indent = writer->style->indent;
    if (indent == NULL) return;
    chat_builder_add_string(&writer->builder, "\n");
    chat_builder_repeat(&writer->builder, indent->bytes, indent->length, writer->level);
}

static void write_value(Writer *writer, ChatValue value);

/* What is before an item: the comma between two, and the line's beginning. */
static void begin_item(Writer *writer, size_t index) {
    if (index > 0) chat_builder_add_text(&writer->builder, writer->style->comma);
    break_line(writer);
}

static void write_list(Writer *writer, const ChatList *list) {
    chat_builder_add_string(&writer->builder, "[");
    writer->level++;
    for (size_t i = 0; i < list->count && writer->builder.status == STATUS_OK; i++) {
        begin_item(writer, i);
        write_value(writer, list->items[i]);
    }
    writer->level--;
    if (list->count > 0) break_line(writer);
    chat_builder_add_string(&writer->builder, "]");
}

static void write_key(Writer *writer, ChatValue key) {
    ChatBuilder *builder = &writer->builder;
    if (key.type == CHAT_TEXT) {
        write_text(writer, key.as.text);
        return;
    }
    chat_builder_add_string(builder, "\"");
    if (key.type == CHAT_BOOL || key.type == CHAT_NONE || key.type == CHAT_INT || key.type == CHAT_BIG ||
        key.type == CHAT_FLOAT)
        write_value(writer, key);
    else
        builder->status = chat_run_fail(builder->run, STATUS_FORMAT, "tojson: a %s is no key of JSON",
                                        chat_value_type_name(key));
    chat_builder_add_string(builder, "\"");
}

/* Places of a dict's entries in the order in which they are written. */
static Status order_entries(ChatRun *run, const ChatDict *dict, bool sort, ChatValue **keys, size_t **order) {
    void *places, *copies;
    Status status = chat_run_take(run, dict->count, sizeof(size_t), &places);
    if (status == STATUS_OK) status = chat_run_take(run, dict->count, sizeof(ChatValue), &copies);
    if (status != STATUS_OK) return status;
    *order = places;
    *keys = copies;
    for (size_t i = 0; i < dict->count; i++) {
        (*order)[i] = i;
        (*keys)[i] = dict->entries[i].key;
    }
    return sort ? chat_sort(run, *keys, dict->count, false, *order) : STATUS_OK;
}

static void write_dict(Writer *writer, const ChatDict *dict) {
    ChatBuilder *builder = &writer->builder;
    ChatValue *keys = NULL;
    size_t *order = NULL;
    chat_builder_add_string(builder, "{");
    if (builder->status == STATUS_OK)
        builder->status = order_entries(builder->run, dict, writer->style->sort, &keys, &order);
    writer->level++;
    for (size_t i = 0; i < dict->count && builder->status == STATUS_OK; i++) {
        begin_item(writer, i);
        write_key(writer, dict->entries[order[i]].key);
        chat_builder_add_text(builder, writer->style->colon);
        write_value(writer, dict->entries[order[i]].value);
    }
    writer->level--;
    if (dict->count > 0) break_line(writer);
    chat_builder_add_string(builder, "}");
}

static void write_inside(Writer *writer, ChatValue value) {
    ChatBuilder *builder = &writer->builder;
    builder->status = chat_run_step(builder->run, 1);
    if (builder->status == STATUS_OK) builder->status = chat_run_enter(builder->run);
    if (builder->status != STATUS_OK) return;
    if (value.type == CHAT_DICT)
        write_dict(writer, value.as.dict);
    else
        write_list(writer, value.as.list);
    chat_run_leave(builder->run);
}

static bool is_written_list(ChatValue value) {
    return value.type == CHAT_LIST && value.as.list->kind <= CHAT_LIST_GROUP;
}

static void write_value(Writer *writer, ChatValue value) {
    ChatBuilder *builder = &writer->builder;
    if (builder->status != STATUS_OK) return;
    if (value.type == CHAT_TEXT)
        write_text(writer, value.as.text);
    else if (value.type == CHAT_NONE)
        chat_builder_add_string(builder, "null");
    else if (value.type == CHAT_BOOL)
        chat_builder_add_string(builder, value.as.truth ? "true" : "false");
    else if (value.type == CHAT_INT || value.type == CHAT_BIG)
        chat_print_add_repr(builder, value);
    else if (value.type == CHAT_FLOAT)
        write_number(writer, value.as.number);
    else if (value.type == CHAT_DICT || is_written_list(value))
        write_inside(writer, value);
    else
        builder->status = chat_run_fail(builder->run, STATUS_FORMAT, "tojson: a value of type %s is no JSON",
                                        chat_value_type_name(value));
}

Status chat_json_write(ChatRun *run, ChatValue value, const ChatJsonStyle *style, ChatValue *text) {
    Writer writer = {.builder = {.run = run}, .style = style};
    write_value(&writer, value);
    return chat_builder_finish(&writer.builder, text);
}
