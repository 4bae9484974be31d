#include "core/chat/chat_percent.h"

#include "core/chat/chat_dict.h"
#include "core/chat/chat_format_spec.h"
#include "core/chat/chat_number.h"
#include "core/chat/chat_print.h"

#include <ctype.h>
#include <string.h>

typedef struct Percent {
    ChatRun *run;
    const ChatText *format;
    size_t at, used; /* bytes of the format, values of the tuple */
    ChatValue values;
    ChatBuilder builder;
} Percent;

static bool is_tuple(ChatValue values) {
    return chat_value_is_list(values, CHAT_LIST_TUPLE) || chat_value_is_list(values, CHAT_LIST_GROUP);
}

static char look(const Percent *percent) {
    return percent->at < percent->format->length ? percent->format->bytes[percent->at] : '\0';
}

static Status next_value(Percent *percent, ChatValue *value) {
    size_t count = is_tuple(percent->values) ? percent->values.as.list->count : 1;
    if (percent->used >= count)
        return chat_run_fail(percent->run, STATUS_FORMAT, "not enough arguments for format string");
    *value = is_tuple(percent->values) ? percent->values.as.list->items[percent->used] : percent->values;
    percent->used++;
    return STATUS_OK;
}

/* (name): the value of that key. */
static Status read_key(Percent *percent, ChatValue *value) {
    size_t begin = ++percent->at, open = 1;
    for (; percent->at < percent->format->length && open > 0; percent->at++)
        open += look(percent) == '(' ? 1 : look(percent) == ')' ? (size_t)-1 : 0;
    if (open > 0) return chat_run_fail(percent->run, STATUS_FORMAT, "incomplete format key");
    if (percent->values.type != CHAT_DICT)
        return chat_run_fail(percent->run, STATUS_FORMAT, "format requires a mapping");
    size_t length = percent->at - 1 - begin;
    const ChatValue *found =
        chat_dict_find_text(percent->values.as.dict, percent->format->bytes + begin, length);
    if (found == NULL)
        return chat_run_fail(percent->run, STATUS_FORMAT, "there is no key %.*s", (int)length,
                             percent->format->bytes + begin);
    *value = *found;
    return STATUS_OK;
}

/* A width or a precision: digits, or * for a value. */
static Status read_size(Percent *percent, int64_t *size) {
    *size = 0;
    if (look(percent) == '*') {
        ChatValue value;
        percent->at++;
        CHAT_TRY(next_value(percent, &value));
        if (!chat_value_is_integer(value)) return chat_run_fail(percent->run, STATUS_FORMAT, "* wants int");
        *size = chat_value_integer(value);
    } else {
        for (; isdigit((unsigned char)look(percent)); percent->at++)
            *size = *size > 1000000 ? *size : *size * 10 + (look(percent) - '0');
    }
    if (*size < -1000000 || *size > 1000000)
        return chat_run_fail(percent->run, STATUS_UNSUPPORTED, "a format is wider than 1000000");
    return STATUS_OK;
}

static Status read_spec(Percent *percent, ChatFormatSpec *spec) {
    bool has_zero = false;
    *spec = (ChatFormatSpec){.width = -1, .precision = -1, .align = '>'};
    for (; look(percent) != '\0' && strchr("-+ 0#", look(percent)) != NULL; percent->at++) {
        char flag = look(percent);
        if (flag == '-') spec->align = '<';
        if (flag == '+' || (flag == ' ' && spec->sign == 0)) spec->sign = flag;
        has_zero = has_zero || flag == '0';
        spec->alternate = spec->alternate || flag == '#';
    }
    CHAT_TRY(read_size(percent, &spec->width));
    if (spec->width < 0) {
        spec->align = '<';
        spec->width = -spec->width;
    }
    if (has_zero && spec->align != '<') {
        spec->fill = '0';
        spec->align = '=';
    }
    if (look(percent) != '.') return STATUS_OK;
    percent->at++;
    CHAT_TRY(read_size(percent, &spec->precision));
    if (spec->precision > 200)
        return chat_run_fail(percent->run, STATUS_UNSUPPORTED, "a precision beyond 200");
    if (spec->precision < 0) spec->precision = 0;
    return STATUS_OK;
}

static void add_printed(Percent *percent, ChatValue value, ChatFormatSpec *spec, bool is_repr) {
    ChatBuilder printed = {.run = percent->run};
    ChatValue text;
    is_repr ? chat_print_add_repr(&printed, value) : chat_print_add(&printed, value);
    percent->builder.status = chat_builder_finish(&printed, &text);
    spec->type = 's';
    spec->sign = 0;
    if (spec->align == '=') spec->align = '>';
    if (spec->fill == '0') spec->fill = 0;
    chat_format_spec_add(&percent->builder, text, spec);
}

/* An integer with at least `precision` digits is written by its width, sign first. */
static Status add_integer(Percent *percent, ChatValue value, ChatFormatSpec *spec, char type) {
    int64_t integer;
    if (value.type == CHAT_FLOAT && (type == 'd' || type == 'i' || type == 'u')) {
        if (!chat_number_truncate(value.as.number, &integer))
            return chat_run_fail(percent->run, STATUS_FORMAT, "a float is no integer of 64 bits");
        value = chat_value_int(integer);
    }
    if (!chat_value_is_integer(value))
        return chat_run_fail(percent->run, STATUS_FORMAT, "%%%c format: a real number is required, not %s",
                             type, chat_value_type_name(value));
    if (spec->precision >= 0)
        return chat_run_fail(percent->run, STATUS_UNSUPPORTED, "%%.%c: a precision of an integer", type);
    spec->type = type == 'i' || type == 'u' ? 'd' : type;
    chat_format_spec_add(&percent->builder, chat_value_int(chat_value_integer(value)), spec);
    return STATUS_OK;
}

static Status add_character(Percent *percent, ChatValue value, ChatFormatSpec *spec) {
    bool is_one = value.type == CHAT_TEXT && value.as.text->points == 1;
    if (!is_one && !chat_value_is_integer(value))
        return chat_run_fail(percent->run, STATUS_FORMAT, "%%c requires int or char");
    spec->type = is_one ? 's' : 'c';
    if (is_one)
        add_printed(percent, value, spec, false);
    else
        chat_format_spec_add(&percent->builder, value, spec);
    return STATUS_OK;
}

static Status add_conversion(Percent *percent) {
    ChatValue value = {.type = CHAT_MISSING};
    ChatFormatSpec spec;
    if (look(percent) == '(') CHAT_TRY(read_key(percent, &value));
    CHAT_TRY(read_spec(percent, &spec));
    if (look(percent) != '\0' && strchr("hlL", look(percent)) != NULL) percent->at++;
    char type = look(percent);
    if (percent->at >= percent->format->length)
        return chat_run_fail(percent->run, STATUS_FORMAT, "incomplete format");
    percent->at++;
    if (type == '%') {
        chat_builder_add(&percent->builder, "%", 1);
        return STATUS_OK;
    }
    if (type == '\0' || strchr("diuxXoeEfFgGcrs", type) == NULL)
        return chat_run_fail(percent->run, STATUS_UNSUPPORTED, "%%%c: unsupported format character", type);
    if (value.type == CHAT_MISSING) CHAT_TRY(next_value(percent, &value));
    if (type == 's' || type == 'r') {
        add_printed(percent, value, &spec, type == 'r');
        return STATUS_OK;
    }
    if (value.type == CHAT_UNDEFINED) return chat_value_fail_undefined(percent->run, value);
    if (type == 'c') return add_character(percent, value, &spec);
    if (strchr("diuxXo", type) != NULL) return add_integer(percent, value, &spec, type);
    if (!chat_value_is_number(value))
        return chat_run_fail(percent->run, STATUS_FORMAT, "must be real number, not %s",
                             chat_value_type_name(value));
    spec.type = type;
    chat_format_spec_add(&percent->builder, chat_value_float(chat_value_number(value)), &spec);
    return STATUS_OK;
}

Status chat_percent_format(ChatRun *run, const ChatText *format, ChatValue values, ChatValue *result) {
    Percent percent = {.run = run, .format = format, .values = values, .builder = {.run = run}};
    while (percent.at < format->length && percent.builder.status == STATUS_OK) {
        const char *begin = format->bytes + percent.at;
        const char *sign = memchr(begin, '%', format->length - percent.at);
        size_t plain = sign == NULL ? format->length - percent.at : (size_t)(sign - begin);
        chat_builder_add(&percent.builder, begin, plain);
        percent.at += plain;
        if (sign == NULL) break;
        percent.at++;
        CHAT_TRY(add_conversion(&percent));
    }
    size_t count = is_tuple(values) ? values.as.list->count : 1;
    /* what has items by a key is taken for a mapping, all of which need not be used */
    bool may_be_left = values.type == CHAT_DICT || values.type == CHAT_UNDEFINED ||
                       (chat_value_is_sequence(values) && !is_tuple(values));
    if (percent.builder.status == STATUS_OK && percent.used < count && !may_be_left)
        return chat_run_fail(run, STATUS_FORMAT, "not all arguments converted during string formatting");
    return chat_builder_finish(&percent.builder, result);
}
