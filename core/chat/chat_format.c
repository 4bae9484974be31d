#include "core/chat/chat_format.h"

#include "core/chat/chat_format_spec.h"
#include "core/chat/chat_number.h"
#include "core/chat/chat_print.h"

#include <ctype.h>
#include <string.h>

typedef struct Formatter {
    ChatRun *run;
    const ChatCall *call;
    int64_t next;                 /* of the fields without a name */
    bool is_automatic, is_manual; /* fields were numbered by none, or by the template */
    unsigned level;
} Formatter;

static Status format_text(Formatter *formatter, const ChatText *format, ChatValue *result);

static Status find_named(Formatter *formatter, const char *name, size_t length, ChatValue *value) {
    const ChatCall *call = formatter->call;
    for (size_t i = 0; i < call->named_count; i++) {
        if (call->names[i]->length != length || memcmp(call->names[i]->bytes, name, length) != 0) continue;
        *value = call->named[i];
        return STATUS_OK;
    }
    return chat_run_fail(formatter->run, STATUS_FORMAT, "format: there is no argument %.*s",
                         (int)(length > 60 ? 60 : length), name);
}

/* The first part of a field: a name, a number, or nothing, which is the next number. */
static Status find_argument(Formatter *formatter, const char *name, size_t length, ChatValue *value) {
    int64_t place = 0;
    size_t digits = 0;
    for (; digits < length && isdigit((unsigned char)name[digits]) && place < 1000000; digits++)
        place = place * 10 + (name[digits] - '0');
    if (digits < length) return find_named(formatter, name, length, value);
    formatter->is_automatic = formatter->is_automatic || length == 0;
    formatter->is_manual = formatter->is_manual || length > 0;
    if (formatter->is_automatic && formatter->is_manual)
        return chat_run_fail(formatter->run, STATUS_FORMAT,
                             "format: cannot switch between automatic and manual field numbering");
    if (length == 0) place = formatter->next++;
    if ((size_t)place >= formatter->call->count)
        return chat_run_fail(formatter->run, STATUS_FORMAT, "format: there is no argument %d", (int)place);
    *value = formatter->call->values[place];
    return STATUS_OK;
}

/* .name and [key] behind the first part. */
static Status follow(Formatter *formatter, const char *path, size_t length, ChatValue *value) {
    for (size_t at = 0; at < length;) {
        bool is_attribute = path[at] == '.';
        if (!is_attribute && path[at] != '[')
            return chat_run_fail(formatter->run, STATUS_FORMAT, "format: expected . or [");
        size_t begin = ++at;
        while (at < length && (is_attribute ? path[at] != '.' && path[at] != '[' : path[at] != ']')) at++;
        if (at == begin || (!is_attribute && at >= length))
            return chat_run_fail(formatter->run, STATUS_FORMAT, "format: an empty or open field");
        ChatValue key, number, of = *value;
        bool is_number = false;
        CHAT_TRY(chat_value_keep(formatter->run, path + begin, at - begin, &key));
        if (!is_attribute && isdigit((unsigned char)path[begin]))
            CHAT_TRY(chat_number_read_int(formatter->run, key.as.text, 10, &number, &is_number));
        if (is_number) key = number;
        CHAT_TRY(formatter->run->get(formatter->run, &of, &key, is_attribute, value));
        at += !is_attribute;
    }
    return STATUS_OK;
}

static Status convert(Formatter *formatter, char conversion, ChatValue *value) {
    ChatBuilder builder = {.run = formatter->run};
    if (conversion == 'r')
        chat_print_add_repr(&builder, *value);
    else if (conversion == 's')
        chat_print_add(&builder, *value);
    else
        return chat_run_fail(formatter->run, STATUS_UNSUPPORTED, "format: the conversion !%c", conversion);
    return chat_builder_finish(&builder, value);
}

/* One field, without its braces: NAME!CONVERSION:SPEC. */
static Status add_field(Formatter *formatter, const char *field, size_t length, ChatBuilder *builder) {
    size_t name = 0, first = 0;
    while (name < length && field[name] != '!' && field[name] != ':') {
        if (field[name] == '[') /* a key may hold anything but ] */
            while (name + 1 < length && field[name] != ']') name++;
        name++;
    }
    while (first < name && field[first] != '.' && field[first] != '[') first++;
    ChatValue value, spec_value;
    CHAT_TRY(find_argument(formatter, field, first, &value));
    CHAT_TRY(follow(formatter, field + first, name - first, &value));
    if (name + 1 < length && field[name] == '!') {
        CHAT_TRY(convert(formatter, field[name + 1], &value));
        name += 2;
    }
    if (name < length && field[name] != ':')
        return chat_run_fail(formatter->run, STATUS_FORMAT,
                             "format: expected ':' after conversion specifier");
    size_t begin = name < length ? name + 1 : length;
    const ChatText text = {.bytes = field + begin, .length = length - begin};
    ChatFormatSpec spec;
    CHAT_TRY(format_text(formatter, &text, &spec_value));
    CHAT_TRY(chat_format_spec_read(formatter->run, spec_value.as.text, &spec));
    chat_format_spec_add(builder, value, &spec);
    return builder->status;
}

/* Behind the brace that closes the field that begins at `at`; 0 where none does. */
static size_t end_field(const ChatText *format, size_t at) {
    for (size_t open = 1; at < format->length; at++) {
        open += format->bytes[at] == '{';
        open -= format->bytes[at] == '}';
        if (open == 0) return at + 1;
    }
    return 0;
}

static Status format_text(Formatter *formatter, const ChatText *format, ChatValue *result) {
    ChatBuilder builder = {.run = formatter->run};
    if (++formatter->level > 3)
        return chat_run_fail(formatter->run, STATUS_FORMAT, "format: nested too deep");
    for (size_t at = 0; at < format->length && builder.status == STATUS_OK;) {
        char here = format->bytes[at];
        bool is_brace = here == '{' || here == '}';
        if (!is_brace || (at + 1 < format->length && format->bytes[at + 1] == here)) {
            chat_builder_add(&builder, &here, 1);
            at += is_brace ? 2 : 1;
            continue;
        }
        size_t end = here == '{' ? end_field(format, at + 1) : 0;
        if (end == 0)
            return chat_run_fail(formatter->run, STATUS_FORMAT, "format: a single '%c' in the format", here);
        CHAT_TRY(add_field(formatter, format->bytes + at + 1, end - at - 2, &builder));
        at = end;
    }
    formatter->level--;
    return chat_builder_finish(&builder, result);
}

Status chat_format_apply(ChatRun *run, const ChatText *format, const ChatCall *call, ChatValue *result) {
    Formatter formatter = {.run = run, .call = call};
    return format_text(&formatter, format, result);
}
