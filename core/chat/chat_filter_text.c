#include "core/chat/chat_filter_text.h"

#include "core/chat/chat_builder.h"
#include "core/chat/chat_case.h"
#include "core/chat/chat_dict.h"
#include "core/chat/chat_json_write.h"
#include "core/chat/chat_method_text.h"
#include "core/chat/chat_operators.h"
#include "core/chat/chat_percent.h"
#include "core/chat/chat_print.h"
#include "core/chat/chat_text.h"

#include <ctype.h>
#include <string.h>
#include <utf8proc.h>

#define FILTER(name)                                                                                         \
    static Status name(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result)

/* ---- case and white space ---- */

static Status change(ChatRun *run, ChatValue self, ChatCase to, ChatValue *result) {
    const ChatText *text;
    CHAT_TRY(chat_print_text(run, self, &text));
    CHAT_TRY(chat_case_change(run, text, to, result));
    return text->is_marked ? chat_value_mark(run, result) : STATUS_OK;
}

FILTER(upper) {
    return (void)arguments, change(run, self, CHAT_CASE_UPPER, result);
}

FILTER(lower) {
    return (void)arguments, change(run, self, CHAT_CASE_LOWER, result);
}

FILTER(capitalize) {
    return (void)arguments, change(run, self, CHAT_CASE_CAPITALIZE, result);
}

static bool is_between_words(int32_t point) {
    return chat_text_is_space(point) || (point > 0 && point < 0x80 && strchr("-({[<", point) != NULL);
}

/* The first letter of each word above, the others below. */
static Status add_word(ChatBuilder *builder, const char *bytes, size_t length) {
    size_t first = chat_text_width(bytes, length);
    const ChatText head = {.bytes = bytes, .length = first},
                   tail = {.bytes = bytes + first, .length = length - first};
    ChatValue upper_head, lower_tail;
    CHAT_TRY(chat_case_change(builder->run, &head, CHAT_CASE_UPPER, &upper_head));
    CHAT_TRY(chat_case_change(builder->run, &tail, CHAT_CASE_LOWER, &lower_tail));
    chat_builder_add_text(builder, upper_head.as.text);
    chat_builder_add_text(builder, lower_tail.as.text);
    return builder->status;
}

FILTER(title) {
    const ChatText *text;
    ChatBuilder builder = {.run = run};
    (void)arguments;
    CHAT_TRY(chat_print_text(run, self, &text));
    for (size_t at = 0, end = 0, width; at < text->length; at = end) {
        bool between = is_between_words(chat_text_point(text->bytes + at, text->length - at, &width));
        for (end = at; end < text->length; end += width) {
            int32_t point = chat_text_point(text->bytes + end, text->length - end, &width);
            if (is_between_words(point) != between) break;
        }
        if (between)
            chat_builder_add(&builder, text->bytes + at, end - at);
        else
            CHAT_TRY(add_word(&builder, text->bytes + at, end - at));
    }
    return chat_builder_finish(&builder, result);
}

FILTER(trim) {
    const ChatText *text, *characters = NULL;
    if (arguments[0].type != CHAT_NONE) CHAT_TRY(chat_arguments_text(run, arguments[0], NULL, &characters));
    CHAT_TRY(chat_print_text(run, self, &text));
    CHAT_TRY(chat_method_text_strip(run, text, characters, CHAT_SIDE_BOTH, result));
    return text->is_marked ? chat_value_mark(run, result) : STATUS_OK;
}

FILTER(center) {
    const ChatText *text;
    int64_t width;
    CHAT_TRY(chat_arguments_integer(run, arguments[0], 80, &width));
    CHAT_TRY(chat_print_text(run, self, &text));
    return chat_method_text_center(run, text, width, NULL, result);
}

/* ---- indent ---- */

static Status read_indent(ChatRun *run, ChatValue width, ChatValue *indent) {
    ChatBuilder builder = {.run = run};
    int64_t blanks;
    *indent = width;
    if (width.type == CHAT_TEXT) return STATUS_OK;
    CHAT_TRY(chat_arguments_integer(run, width, 4, &blanks));
    chat_builder_repeat(&builder, " ", 1, blanks > 0 ? (size_t)blanks : 0);
    return chat_builder_finish(&builder, indent);
}

FILTER(indent) {
    ChatBuilder builder = {.run = run};
    const ChatText *text;
    ChatValue by;
    bool first = chat_arguments_truth(arguments[1], false), blank = chat_arguments_truth(arguments[2], false);
    CHAT_TRY(chat_arguments_text(run, self, NULL, &text));
    CHAT_TRY(read_indent(run, arguments[0], &by));
    size_t at = 0, line = 0, end = 0;
    bool is_first = true, goes_on = true;
    while (goes_on) { /* one line more than there are, empty, where the text ends with a line's end */
        size_t begin = at;
        goes_on = chat_text_next_line(text->bytes, text->length, &at, &line, &end);
        if (!goes_on) line = 0;
        if (!is_first) chat_builder_add_string(&builder, "\n");
        if (is_first ? first : blank || line > 0) chat_builder_add_text(&builder, by.as.text);
        chat_builder_add(&builder, text->bytes + begin, line);
        goes_on = goes_on && end > 0;
        is_first = false;
    }
    return chat_builder_finish(&builder, result);
}

/* ---- others ---- */

FILTER(replace) {
    const ChatText *text, *old, *by;
    int64_t most;
    CHAT_TRY(chat_print_text(run, self, &text));
    CHAT_TRY(chat_print_text(run, arguments[0], &old));
    CHAT_TRY(chat_print_text(run, arguments[1], &by));
    ChatValue count = arguments[2];
    if (count.type == CHAT_NONE) count.type = CHAT_MISSING;
    CHAT_TRY(chat_arguments_integer(run, count, -1, &most));
    return chat_method_text_replace(run, text, old, by, most, result);
}

FILTER(string) {
    const ChatText *text;
    (void)arguments;
    CHAT_TRY(chat_print_text(run, self, &text));
    *result = chat_value_text(text);
    return STATUS_OK;
}

FILTER(safe) {
    CHAT_TRY(string(run, self, arguments, result));
    return result->as.text->is_marked ? STATUS_OK : chat_value_mark(run, result);
}

FILTER(escape) {
    const ChatText *text;
    (void)arguments;
    CHAT_TRY(chat_print_text(run, self, &text));
    *result = chat_value_text(text);
    return text->is_marked ? STATUS_OK : chat_operators_escape(run, text, result);
}

FILTER(force_escape) {
    const ChatText *text;
    (void)arguments;
    CHAT_TRY(chat_print_text(run, self, &text));
    return chat_operators_escape(run, text, result);
}

FILTER(truncate) {
    static const ChatText DOTS = {.bytes = "...", .length = 3, .points = 3};
    const ChatText *text, *end;
    ChatBuilder builder = {.run = run};
    int64_t length, leeway;
    size_t count;
    CHAT_TRY(chat_arguments_integer(run, arguments[0], 255, &length));
    CHAT_TRY(chat_arguments_text(run, arguments[2], &DOTS, &end));
    ChatValue given = arguments[3];
    if (given.type == CHAT_NONE) given.type = CHAT_MISSING;
    CHAT_TRY(chat_arguments_integer(run, given, 5, &leeway));
    if (length < (int64_t)end->points || leeway < 0)
        return chat_run_fail(run, STATUS_FORMAT, "truncate: the length is below that of the end");
    *result = self;
    if (!chat_value_length(self, &count))
        return chat_run_fail(run, STATUS_FORMAT, "truncate: a value of type %s has no length",
                             chat_value_type_name(self));
    if (leeway >= (int64_t)count || (int64_t)count - leeway <= length) return STATUS_OK;
    CHAT_TRY(chat_arguments_text(run, self, NULL, &text));
    size_t kept = chat_text_offset(text->bytes, text->length, text->points, (size_t)length - end->points);
    if (!chat_arguments_truth(arguments[1], false)) {
        size_t blank = chat_text_find_last(text->bytes, kept, " ", 1);
        if (blank != SIZE_MAX) kept = blank;
    }
    chat_builder_add(&builder, text->bytes, kept);
    chat_builder_add_text(&builder, end);
    return chat_builder_finish(&builder, result);
}

FILTER(count_words) {
    const ChatText *text;
    int64_t count = 0;
    bool in_word = false;
    size_t width;
    (void)arguments;
    CHAT_TRY(chat_print_text(run, self, &text));
    for (size_t at = 0; at < text->length; at += width) {
        int32_t point = chat_text_point(text->bytes + at, text->length - at, &width);
        utf8proc_category_t category = utf8proc_category(point);
        bool is_word = point == '_' ||
                       (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
                       (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
        count += is_word && !in_word;
        in_word = is_word;
    }
    *result = chat_value_int(count);
    return STATUS_OK;
}

/* `text % values`: the call itself, for any number of values. */
static Status format(ChatRun *run, ChatValue self, const ChatCall *call, ChatValue *result) {
    const ChatText *text;
    CHAT_TRY(chat_print_text(run, self, &text));
    if (text->is_marked) return chat_run_fail(run, STATUS_UNSUPPORTED, "format: of a text marked safe");
    if (call->count > 0 && call->named_count > 0)
        return chat_run_fail(run, STATUS_FORMAT, "format: positional and keyword arguments at the same time");
    if (call->named_count == 0) {
        ChatList tuple = {.kind = CHAT_LIST_TUPLE, .items = call->values, .count = call->count};
        return chat_percent_format(run, text, chat_value_list(&tuple), result);
    }
    ChatDict *dict;
    CHAT_TRY(chat_dict_new(run, call->named_count, &dict));
    for (size_t i = 0; i < call->named_count; i++)
        CHAT_TRY(chat_dict_set(run, dict, chat_value_text(call->names[i]), call->named[i]));
    return chat_percent_format(run, text, (ChatValue){.type = CHAT_DICT, .as.dict = dict}, result);
}

/* ---- urlencode ---- */

static Status add_quoted(ChatBuilder *builder, ChatValue value, bool in_query) {
    static const char DIGITS[] = "0123456789ABCDEF";
    const ChatText *text;
    CHAT_TRY(chat_print_text(builder->run, value, &text));
    for (size_t i = 0; i < text->length; i++) {
        unsigned char byte = (unsigned char)text->bytes[i];
        char escape_text[3] = {'%', DIGITS[byte >> 4], DIGITS[byte & 15]};
        bool stays = byte < 0x80 && (isalnum(byte) || (byte != 0 && strchr("_.-~", byte) != NULL));
        if (stays || (byte == '/' && !in_query))
            chat_builder_add(builder, text->bytes + i, 1);
        else if (byte == ' ' && in_query)
            chat_builder_add(builder, "+", 1);
        else
            chat_builder_add(builder, escape_text, 3);
    }
    return builder->status;
}

FILTER(url_encode) {
    ChatBuilder builder = {.run = run};
    const ChatList *items;
    (void)arguments;
    if (self.type == CHAT_TEXT || !chat_value_is_iterable(self)) {
        CHAT_TRY(add_quoted(&builder, self, false));
        return chat_builder_finish(&builder, result);
    }
    bool is_dict = self.type == CHAT_DICT;
    CHAT_TRY(chat_value_iterate(run, self, &items));
    for (size_t i = 0; i < items->count; i++) {
        const ChatList *pair = items->items[i].type == CHAT_LIST ? items->items[i].as.list : NULL;
        if (!is_dict && (pair == NULL || pair->count != 2))
            return chat_run_fail(run, STATUS_FORMAT, "urlencode: expected pairs");
        if (i > 0) chat_builder_add(&builder, "&", 1);
        CHAT_TRY(add_quoted(&builder, is_dict ? items->items[i] : pair->items[0], true));
        chat_builder_add(&builder, "=", 1);
        CHAT_TRY(add_quoted(&builder, is_dict ? self.as.dict->entries[i].value : pair->items[1], true));
    }
    return chat_builder_finish(&builder, result);
}

/* ---- tojson ---- */

static const ChatText COMMA = {.bytes = ",", .length = 1, .points = 1};
static const ChatText COMMA_BLANK = {.bytes = ", ", .length = 2, .points = 2};
static const ChatText COLON_BLANK = {.bytes = ": ", .length = 2, .points = 2};

static Status read_separators(ChatRun *run, ChatValue separators, ChatJsonStyle *style) {
    const ChatList *items;
    if (separators.type == CHAT_MISSING || separators.type == CHAT_NONE) return STATUS_OK;
    CHAT_TRY(chat_value_iterate(run, separators, &items));
    if (items->count != 2) return chat_run_fail(run, STATUS_FORMAT, "tojson: expected two separators");
    CHAT_TRY(chat_arguments_text(run, items->items[0], NULL, &style->comma));
    return chat_arguments_text(run, items->items[1], NULL, &style->colon);
}

FILTER(to_json) {
    ChatJsonStyle style = {.ascii = chat_arguments_truth(arguments[0], false),
                           .sort = chat_arguments_truth(arguments[3], false),
                           .comma = &COMMA_BLANK,
                           .colon = &COLON_BLANK};
    if (arguments[1].type != CHAT_MISSING && arguments[1].type != CHAT_NONE) {
        ChatValue by;
        CHAT_TRY(read_indent(run, arguments[1], &by));
        style.indent = by.as.text;
        style.comma = &COMMA;
    }
    CHAT_TRY(read_separators(run, arguments[2], &style));
    return chat_json_write(run, self, &style, result);
}

static const ChatRow FILTERS[] = {
    {"tojson", "ensure_ascii indent separators sort_keys", 0, to_json, NULL},
    {"trim", "chars", 0, trim, NULL},
    {"string", "", 0, string, NULL},
    {"safe", "", 0, safe, NULL},
    {"upper", "", 0, upper, NULL},
    {"lower", "", 0, lower, NULL},
    {"capitalize", "", 0, capitalize, NULL},
    {"title", "", 0, title, NULL},
    {"replace", "old new count", 2, replace, NULL},
    {"indent", "width first blank", 0, indent, NULL},
    {"center", "width", 0, center, NULL},
    {"truncate", "length killwords end leeway", 0, truncate, NULL},
    {"format", NULL, 0, NULL, format},
    {"escape", "", 0, escape, NULL},
    {"e", "", 0, escape, NULL},
    {"forceescape", "", 0, force_escape, NULL},
    {"wordcount", "", 0, count_words, NULL},
    {"urlencode", "", 0, url_encode, NULL},
    {"pprint", NULL, 0, NULL, NULL},
    {"striptags", NULL, 0, NULL, NULL},
    {"urlize", NULL, 0, NULL, NULL},
    {"wordwrap", NULL, 0, NULL, NULL},
    {"xmlattr", NULL, 0, NULL, NULL},
};

const ChatRow *chat_filter_text_find(const ChatText *name) {
    return chat_arguments_find(FILTERS, sizeof FILTERS / sizeof *FILTERS, name);
}
