#include "core/chat/chat_method_text.h"

#include "core/chat/chat_builder.h"
#include "core/chat/chat_case.h"
#include "core/chat/chat_method_split.h"
#include "core/chat/chat_text.h"

#include <ctype.h>
#include <string.h>
#include <utf8proc.h>

#define METHOD(name)                                                                                         \
    static Status name(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result)

static const ChatText BLANK = {.bytes = " ", .length = 1, .points = 1};

/* ---- strip ---- */

static bool contains_point(const ChatText *characters, const char *bytes, size_t width) {
    for (size_t at = 0; at < characters->length;) {
        size_t other = chat_text_width(characters->bytes + at, characters->length - at);
        if (other == width && memcmp(characters->bytes + at, bytes, width) == 0) return true;
        at += other;
    }
    return false;
}

static size_t strip_before(const char *text, size_t length, const ChatText *characters) {
    size_t at = 0;
    while (at < length) {
        size_t width = chat_text_width(text + at, length - at);
        if (!contains_point(characters, text + at, width)) break;
        at += width;
    }
    return at;
}

static size_t strip_behind(const char *text, size_t length, const ChatText *characters) {
    size_t end = length;
    while (end > 0) {
        size_t at = end - 1;
        while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80) at--;
        if (!contains_point(characters, text + at, end - at)) break;
        end = at;
    }
    return length - end;
}

Status chat_method_text_strip(ChatRun *run, const ChatText *text, const ChatText *characters, ChatSide side,
                              ChatValue *result) {
    const char *bytes = text->bytes;
    size_t length = text->length, off = 0;
    if (side & CHAT_SIDE_LEFT)
        off = characters == NULL ? chat_text_space_before(bytes, length)
                                 : strip_before(bytes, length, characters);
    bytes += off;
    length -= off;
    if (side & CHAT_SIDE_RIGHT)
        length -= characters == NULL ? chat_text_space_behind(bytes, length)
                                     : strip_behind(bytes, length, characters);
    return chat_value_keep(run, bytes, length, result);
}

static Status strip(ChatRun *run, ChatValue self, ChatValue argument, ChatSide side, ChatValue *result) {
    const ChatText *characters = NULL;
    if (argument.type != CHAT_NONE) CHAT_TRY(chat_arguments_text(run, argument, NULL, &characters));
    return chat_method_text_strip(run, self.as.text, characters, side, result);
}

METHOD(strip_both) {
    return strip(run, self, arguments[0], CHAT_SIDE_BOTH, result);
}

METHOD(strip_left) {
    return strip(run, self, arguments[0], CHAT_SIDE_LEFT, result);
}

METHOD(strip_right) {
    return strip(run, self, arguments[0], CHAT_SIDE_RIGHT, result);
}

METHOD(remove_prefix) {
    const ChatText *text = self.as.text, *part;
    CHAT_TRY(chat_arguments_text(run, arguments[0], NULL, &part));
    bool has = text->length >= part->length && memcmp(text->bytes, part->bytes, part->length) == 0;
    size_t off = has ? part->length : 0;
    return chat_value_keep(run, text->bytes + off, text->length - off, result);
}

METHOD(remove_suffix) {
    const ChatText *text = self.as.text, *part;
    CHAT_TRY(chat_arguments_text(run, arguments[0], NULL, &part));
    bool has = text->length >= part->length &&
               memcmp(text->bytes + text->length - part->length, part->bytes, part->length) == 0;
    return chat_value_keep(run, text->bytes, text->length - (has ? part->length : 0), result);
}

/* ---- finding ---- */

/* The bytes of text[start:end], as slices have them; false where it begins behind the end. */
static Status bound(ChatRun *run, const ChatText *text, ChatValue start, ChatValue end, size_t *first,
                    size_t *length, bool *is_inside) {
    int64_t points = (int64_t)text->points, from, to;
    if (start.type == CHAT_NONE) start.type = CHAT_MISSING;
    if (end.type == CHAT_NONE) end.type = CHAT_MISSING;
    CHAT_TRY(chat_arguments_integer(run, start, 0, &from));
    CHAT_TRY(chat_arguments_integer(run, end, points, &to));
    if (from < 0) from = from < -points ? 0 : from + points;
    if (to < 0) to = to < -points ? 0 : to + points;
    if (to > points) to = points;
    *is_inside = from <= to;
    *first = chat_text_offset(text->bytes, text->length, text->points, (size_t)from);
    size_t last = chat_text_offset(text->bytes, text->length, text->points, (size_t)to);
    *length = *is_inside ? last - *first : 0;
    return STATUS_OK;
}

typedef size_t Finder(const char *text, size_t length, const char *part, size_t part_length);

static Status find(ChatRun *run, ChatValue self, const ChatValue *arguments, Finder *finder, bool must,
                   ChatValue *result) {
    const ChatText *part, *text = self.as.text;
    size_t first, length;
    bool is_inside;
    CHAT_TRY(chat_arguments_text(run, arguments[0], NULL, &part));
    CHAT_TRY(bound(run, text, arguments[1], arguments[2], &first, &length, &is_inside));
    size_t found = is_inside ? finder(text->bytes + first, length, part->bytes, part->length) : SIZE_MAX;
    if (found == SIZE_MAX && must) return chat_run_fail(run, STATUS_FORMAT, "substring not found");
    *result = chat_value_int(found == SIZE_MAX ? -1 : (int64_t)chat_text_count(text->bytes, first + found));
    return STATUS_OK;
}

METHOD(find_first) {
    return find(run, self, arguments, chat_text_find, false, result);
}

METHOD(find_last) {
    return find(run, self, arguments, chat_text_find_last, false, result);
}

METHOD(index_first) {
    return find(run, self, arguments, chat_text_find, true, result);
}

METHOD(index_last) {
    return find(run, self, arguments, chat_text_find_last, true, result);
}

METHOD(count_parts) {
    const ChatText *part, *text = self.as.text;
    size_t first, length;
    bool is_inside;
    int64_t count = 0;
    CHAT_TRY(chat_arguments_text(run, arguments[0], NULL, &part));
    CHAT_TRY(bound(run, text, arguments[1], arguments[2], &first, &length, &is_inside));
    if (is_inside && part->length == 0) count = (int64_t)chat_text_count(text->bytes + first, length) + 1;
    for (size_t at = first; is_inside && part->length > 0;) {
        size_t found = chat_text_find(text->bytes + at, first + length - at, part->bytes, part->length);
        if (found == SIZE_MAX) break;
        at += found + part->length;
        count++;
    }
    *result = chat_value_int(count);
    return STATUS_OK;
}

static bool has_end(const char *text, size_t length, const ChatText *part, bool at_start) {
    return length >= part->length &&
           memcmp(at_start ? text : text + length - part->length, part->bytes, part->length) == 0;
}

static Status has_ends(ChatRun *run, ChatValue self, const ChatValue *arguments, bool at_start,
                       ChatValue *result) {
    const ChatText *part, *text = self.as.text;
    size_t first, length;
    bool is_inside, found = false;
    CHAT_TRY(bound(run, text, arguments[1], arguments[2], &first, &length, &is_inside));
    bool is_tuple = chat_value_is_list(arguments[0], CHAT_LIST_TUPLE);
    size_t count = is_tuple ? arguments[0].as.list->count : 1;
    for (size_t i = 0; i < count && !found; i++) {
        CHAT_TRY(
            chat_arguments_text(run, is_tuple ? arguments[0].as.list->items[i] : arguments[0], NULL, &part));
        found = is_inside && has_end(text->bytes + first, length, part, at_start);
    }
    *result = chat_value_bool(found);
    return STATUS_OK;
}

METHOD(starts_with) {
    return has_ends(run, self, arguments, true, result);
}

METHOD(ends_with) {
    return has_ends(run, self, arguments, false, result);
}

/* ---- replace ---- */

static void replace_nothing(ChatBuilder *builder, const ChatText *text, const ChatText *by, int64_t most) {
    size_t at = 0;
    for (; most > 0; most--) { /* before each code point, and behind the last */
        chat_builder_add_text(builder, by);
        if (at >= text->length) return;
        size_t width = chat_text_width(text->bytes + at, text->length - at);
        chat_builder_add(builder, text->bytes + at, width);
        at += width;
    }
    chat_builder_add(builder, text->bytes + at, text->length - at);
}

Status chat_method_text_replace(ChatRun *run, const ChatText *text, const ChatText *old, const ChatText *by,
                                int64_t most, ChatValue *result) {
    ChatBuilder builder = {.run = run};
    if (most < 0) most = INT64_MAX;
    CHAT_TRY(chat_run_step(run, text->length / 16));
    if (old->length == 0) {
        replace_nothing(&builder, text, by, most);
        return chat_builder_finish(&builder, result);
    }
    size_t at = 0;
    for (; most > 0; most--) {
        size_t found = chat_text_find(text->bytes + at, text->length - at, old->bytes, old->length);
        if (found == SIZE_MAX) break;
        chat_builder_add(&builder, text->bytes + at, found);
        chat_builder_add_text(&builder, by);
        at += found + old->length;
    }
    chat_builder_add(&builder, text->bytes + at, text->length - at);
    return chat_builder_finish(&builder, result);
}

METHOD(replace) {
    const ChatText *old, *by;
    int64_t most;
    CHAT_TRY(chat_arguments_text(run, arguments[0], NULL, &old));
    CHAT_TRY(chat_arguments_text(run, arguments[1], NULL, &by));
    CHAT_TRY(chat_arguments_integer(run, arguments[2], -1, &most));
    return chat_method_text_replace(run, self.as.text, old, by, most, result);
}

/* ---- case ---- */

METHOD(upper) {
    return (void)arguments, chat_case_change(run, self.as.text, CHAT_CASE_UPPER, result);
}

METHOD(lower) {
    return (void)arguments, chat_case_change(run, self.as.text, CHAT_CASE_LOWER, result);
}

METHOD(title) {
    return (void)arguments, chat_case_change(run, self.as.text, CHAT_CASE_TITLE, result);
}

METHOD(capitalize) {
    return (void)arguments, chat_case_change(run, self.as.text, CHAT_CASE_CAPITALIZE, result);
}

METHOD(swap_case) {
    return (void)arguments, chat_case_change(run, self.as.text, CHAT_CASE_SWAP, result);
}

/* ---- padding ---- */

static Status pad(ChatRun *run, const ChatText *text, int64_t before, int64_t behind, const ChatText *with,
                  ChatValue *result) {
    ChatBuilder builder = {.run = run};
    if (with->points != 1)
        return chat_run_fail(run, STATUS_FORMAT, "The fill character must be exactly one character long");
    chat_builder_repeat(&builder, with->bytes, with->length, before > 0 ? (size_t)before : 0);
    chat_builder_add_text(&builder, text);
    chat_builder_repeat(&builder, with->bytes, with->length, behind > 0 ? (size_t)behind : 0);
    return chat_builder_finish(&builder, result);
}

Status chat_method_text_center(ChatRun *run, const ChatText *text, int64_t width, const ChatText *with,
                               ChatValue *result) {
    int64_t missing = width > (int64_t)text->points ? width - (int64_t)text->points : 0;
    int64_t left = missing / 2 + (missing & width & 1);
    return pad(run, text, left, missing - left, with == NULL ? &BLANK : with, result);
}

METHOD(center) {
    const ChatText *with;
    int64_t width;
    CHAT_TRY(chat_arguments_integer(run, arguments[0], 0, &width));
    CHAT_TRY(chat_arguments_text(run, arguments[1], &BLANK, &with));
    return chat_method_text_center(run, self.as.text, width, with, result);
}

METHOD(justify_left) {
    const ChatText *with;
    int64_t width;
    CHAT_TRY(chat_arguments_integer(run, arguments[0], 0, &width));
    CHAT_TRY(chat_arguments_text(run, arguments[1], &BLANK, &with));
    int64_t points = (int64_t)self.as.text->points;
    return pad(run, self.as.text, 0, width > points ? width - points : 0, with, result);
}

METHOD(justify_right) {
    const ChatText *with;
    int64_t width;
    CHAT_TRY(chat_arguments_integer(run, arguments[0], 0, &width));
    CHAT_TRY(chat_arguments_text(run, arguments[1], &BLANK, &with));
    int64_t points = (int64_t)self.as.text->points;
    return pad(run, self.as.text, width > points ? width - points : 0, 0, with, result);
}

METHOD(fill_zeros) {
    const ChatText *text = self.as.text;
    ChatBuilder builder = {.run = run};
    int64_t width;
    CHAT_TRY(chat_arguments_integer(run, arguments[0], 0, &width));
    size_t sign = text->length > 0 && (text->bytes[0] == '-' || text->bytes[0] == '+');
    chat_builder_add(&builder, text->bytes, sign);
    if (width > (int64_t)text->points) chat_builder_repeat(&builder, "0", 1, (size_t)width - text->points);
    chat_builder_add(&builder, text->bytes + sign, text->length - sign);
    return chat_builder_finish(&builder, result);
}

/* ---- join ---- */

METHOD(join) {
    const ChatList *items;
    ChatBuilder builder = {.run = run};
    CHAT_TRY(chat_value_iterate(run, arguments[0], &items));
    for (size_t i = 0; i < items->count; i++) {
        if (items->items[i].type != CHAT_TEXT)
            return chat_run_fail(run, STATUS_FORMAT, "join: item %zu is a %s, not a text", i,
                                 chat_value_type_name(items->items[i]));
        if (i > 0) chat_builder_add_text(&builder, self.as.text);
        chat_builder_add_text(&builder, items->items[i].as.text);
    }
    return chat_builder_finish(&builder, result);
}

/* ---- what all code points are ---- */

static bool is_letter(int32_t point) {
    return utf8proc_category(point) >= UTF8PROC_CATEGORY_LU &&
           utf8proc_category(point) <= UTF8PROC_CATEGORY_LO;
}

static bool is_decimal(int32_t point) {
    return utf8proc_category(point) == UTF8PROC_CATEGORY_ND;
}

static bool is_digit(int32_t point) {
    return is_decimal(point) || chat_case_in_class(CHAT_CLASS_DIGITS, point);
}

static bool is_numeric(int32_t point) {
    utf8proc_category_t category = utf8proc_category(point);
    return (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO) ||
           chat_case_in_class(CHAT_CLASS_NUMERIC, point);
}

static bool is_letter_or_number(int32_t point) {
    return is_letter(point) || is_numeric(point);
}

static bool is_ascii(int32_t point) {
    return point < 0x80;
}

static Status all(const ChatText *text, bool (*is)(int32_t), bool if_empty, ChatValue *result) {
    bool holds = text->length > 0 || if_empty;
    size_t width;
    for (size_t at = 0; at < text->length && holds; at += width)
        holds = is(chat_text_point(text->bytes + at, text->length - at, &width));
    *result = chat_value_bool(holds);
    return STATUS_OK;
}

#define METHOD_ALL(name, is, if_empty)                                                                       \
    METHOD(name) {                                                                                           \
        return (void)run, (void)arguments, all(self.as.text, is, if_empty, result);                          \
    }
METHOD_ALL(all_letters, is_letter, false)
METHOD_ALL(all_decimals, is_decimal, false)
METHOD_ALL(all_digits, is_digit, false)
METHOD_ALL(all_numeric, is_numeric, false)
METHOD_ALL(all_alphanumeric, is_letter_or_number, false)
METHOD_ALL(all_spaces, chat_text_is_space, false)
METHOD_ALL(all_ascii, is_ascii, true)
METHOD_ALL(all_printable, chat_text_is_printable, true)

METHOD(is_upper) {
    (void)run, (void)arguments;
    *result = chat_value_bool(chat_case_is(self.as.text, true));
    return STATUS_OK;
}

METHOD(is_lower) {
    (void)run, (void)arguments;
    *result = chat_value_bool(chat_case_is(self.as.text, false));
    return STATUS_OK;
}

METHOD(is_title) {
    (void)run, (void)arguments;
    *result = chat_value_bool(chat_case_is_title(self.as.text));
    return STATUS_OK;
}

static const ChatRow METHODS[] = {
    {"strip", "/ chars", 0, strip_both, NULL},
    {"lstrip", "/ chars", 0, strip_left, NULL},
    {"rstrip", "/ chars", 0, strip_right, NULL},
    {"split", "sep maxsplit", 0, chat_method_split, NULL},
    {"rsplit", "sep maxsplit", 0, chat_method_split_right, NULL},
    {"splitlines", "keepends", 0, chat_method_split_lines, NULL},
    {"partition", "/ sep", 1, chat_method_split_partition, NULL},
    {"rpartition", "/ sep", 1, chat_method_split_partition_right, NULL},
    {"removeprefix", "/ prefix", 1, remove_prefix, NULL},
    {"removesuffix", "/ suffix", 1, remove_suffix, NULL},
    {"startswith", "/ prefix start end", 1, starts_with, NULL},
    {"endswith", "/ suffix start end", 1, ends_with, NULL},
    {"find", "/ sub start end", 1, find_first, NULL},
    {"rfind", "/ sub start end", 1, find_last, NULL},
    {"index", "/ sub start end", 1, index_first, NULL},
    {"rindex", "/ sub start end", 1, index_last, NULL},
    {"count", "/ sub start end", 1, count_parts, NULL},
    {"replace", "/ old new count", 2, replace, NULL},
    {"upper", "", 0, upper, NULL},
    {"lower", "", 0, lower, NULL},
    {"title", "", 0, title, NULL},
    {"capitalize", "", 0, capitalize, NULL},
    {"swapcase", "", 0, swap_case, NULL},
    {"center", "/ width fillchar", 1, center, NULL},
    {"ljust", "/ width fillchar", 1, justify_left, NULL},
    {"rjust", "/ width fillchar", 1, justify_right, NULL},
    {"zfill", "/ width", 1, fill_zeros, NULL},
    {"join", "/ iterable", 1, join, NULL},
    {"isalpha", "", 0, all_letters, NULL},
    {"isdecimal", "", 0, all_decimals, NULL},
    {"isdigit", "", 0, all_digits, NULL},
    {"isnumeric", "", 0, all_numeric, NULL},
    {"isalnum", "", 0, all_alphanumeric, NULL},
    {"isspace", "", 0, all_spaces, NULL},
    {"isascii", "", 0, all_ascii, NULL},
    {"isprintable", "", 0, all_printable, NULL},
    {"isupper", "", 0, is_upper, NULL},
    {"islower", "", 0, is_lower, NULL},
    {"istitle", "", 0, is_title, NULL},
    {"casefold", NULL, 0, NULL, NULL},
    {"encode", NULL, 0, NULL, NULL},
    {"expandtabs", NULL, 0, NULL, NULL},
    {"isidentifier", NULL, 0, NULL, NULL},
    {"maketrans", NULL, 0, NULL, NULL},
    {"translate", NULL, 0, NULL, NULL},
};

const ChatRow *chat_method_text_find(const ChatText *name) {
    return chat_arguments_find(METHODS, sizeof METHODS / sizeof *METHODS, name);
}
