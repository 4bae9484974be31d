#include "core/chat/chat_lexer_literal.h"

#include "core/chat/chat_builder.h"
#include "core/chat/chat_number.h"

#include <ctype.h>
#include <string.h>

/* ---- numbers ---- */

typedef struct Scan {
    const char *text;
    size_t length;
} Scan;

static char at(const Scan *scan, size_t place) {
    return place < scan->length ? scan->text[place] : '\0';
}

/* Behind digits of `allowed`, one `_` between two; `begin` where there are none. */
static size_t end_digits(const Scan *scan, size_t begin, const char *allowed) {
    size_t place = begin;
    while (at(scan, place) != '\0' && strchr(allowed, at(scan, place)) != NULL) {
        place++;
        if (at(scan, place) == '_' && at(scan, place + 1) != '\0' &&
            strchr(allowed, at(scan, place + 1)) != NULL)
            place++;
    }
    return place;
}

static const char DECIMAL[] = "0123456789";

/* Behind a float, or `begin`. */
static size_t end_float(const Scan *scan, size_t begin) {
    if (begin > 0 && scan->text[begin - 1] == '.') return begin;
    size_t place = end_digits(scan, begin, DECIMAL);
    if (place == begin) return begin;
    size_t fraction = at(scan, place) == '.' ? end_digits(scan, place + 1, DECIMAL) : place + 1;
    bool has_fraction = at(scan, place) == '.' && fraction > place + 1;
    if (has_fraction) place = fraction;
    if (at(scan, place) == 'e' || at(scan, place) == 'E') {
        size_t digits = place + 1 + (at(scan, place + 1) == '+' || at(scan, place + 1) == '-');
        size_t end = end_digits(scan, digits, DECIMAL);
        if (end > digits) return end;
    }
    return has_fraction ? place : begin;
}

static size_t end_integer(const Scan *scan, size_t begin) {
    static const struct {
        char letter;
        const char *digits;
    } PREFIXES[] = {{'b', "01"}, {'o', "01234567"}, {'x', "0123456789abcdefABCDEF"}};
    for (size_t i = 0; i < 3; i++) {
        if (at(scan, begin) != '0' || tolower((unsigned char)at(scan, begin + 1)) != PREFIXES[i].letter)
            continue;
        size_t digits = begin + 2 + (at(scan, begin + 2) == '_');
        size_t end = end_digits(scan, digits, PREFIXES[i].digits);
        if (end > digits) return end;
    }
    return end_digits(scan, begin, at(scan, begin) == '0' ? "0" : DECIMAL);
}

Status chat_lexer_literal_number(ChatRun *run, const char *text, size_t length, size_t begin, size_t *end,
                                 ChatValue *value, ChatTokenType *type) {
    const Scan scan = {text, length};
    *end = begin;
    if (!isdigit((unsigned char)at(&scan, begin))) return STATUS_OK;
    bool is_number = false;
    *end = end_float(&scan, begin);
    *type = *end > begin ? CHAT_TOKEN_FLOAT : CHAT_TOKEN_INTEGER;
    if (*end == begin) *end = end_integer(&scan, begin);
    const ChatText written = {.bytes = text + begin, .length = *end - begin};
    if (*type == CHAT_TOKEN_FLOAT) {
        double number = 0;
        is_number = chat_number_read_float(&written, &number);
        *value = chat_value_float(number);
    } else {
        Status status = chat_number_read_int(run, &written, 0, value, &is_number);
        if (status != STATUS_OK) return status;
        if (is_number && value->type == CHAT_BIG)
            return chat_run_fail(run, STATUS_UNSUPPORTED, "an integer is beyond 64 bits");
    }
    return is_number ? STATUS_OK : chat_run_fail(run, STATUS_FORMAT, "expected a number");
}

/* ---- strings ---- */

/* `digits` hexadecimal digits; -1 where they are not there. */
static int32_t read_hexadecimal(const char *text, size_t left, size_t digits) {
    int64_t point = 0;
    if (left < digits) return -1;
    for (size_t i = 0; i < digits; i++) {
        if (!isxdigit((unsigned char)text[i])) return -1;
        int digit =
            isdigit((unsigned char)text[i]) ? text[i] - '0' : tolower((unsigned char)text[i]) - 'a' + 10;
        point = point * 16 + digit;
    }
    return point > 0x10FFFF ? -1 : (int32_t)point;
}

static size_t unescape_octal(ChatBuilder *builder, const char *text, size_t left) {
    int32_t point = 0;
    size_t used = 0;
    for (; used < 3 && used < left && text[used] >= '0' && text[used] <= '7'; used++)
        point = point * 8 + (text[used] - '0');
    chat_builder_add_point(builder, point);
    return used;
}

static size_t unescape_hexadecimal(ChatBuilder *builder, const char *text, size_t left) {
    size_t digits = *text == 'x' ? 2 : *text == 'u' ? 4 : 8;
    int32_t point = read_hexadecimal(text + 1, left - 1, digits);
    if (point < 0 || (point >= 0xD800 && point < 0xE000))
        builder->status = chat_run_fail(builder->run, STATUS_FORMAT,
                                        "\\%c: expected %zu hexadecimal digits of "
                                        "a character",
                                        *text, digits);
    else
        chat_builder_add_point(builder, point);
    return 1 + digits;
}

/* The escape behind a backslash; returns its bytes. */
static size_t unescape(ChatBuilder *builder, const char *text, size_t left) {
    static const char LETTERS[] = "\\'\"abfnrtv", MEANT[] = "\\'\"\a\b\f\n\r\t\v";
    const char *letter = *text == '\0' ? NULL : strchr(LETTERS, *text);
    if (*text == '\n') return 1;
    if (letter != NULL) {
        chat_builder_add(builder, &MEANT[letter - LETTERS], 1);
        return 1;
    }
    if (*text >= '0' && *text <= '7') return unescape_octal(builder, text, left);
    if (*text == 'x' || *text == 'u' || *text == 'U') return unescape_hexadecimal(builder, text, left);
    if (*text == 'N')
        builder->status = chat_run_fail(builder->run, STATUS_UNSUPPORTED, "\\N, a character by its name");
    chat_builder_add_string(builder, "\\"); /* no escape: it stays */
    return 0;
}

Status chat_lexer_literal_string(ChatRun *run, const char *text, size_t length, size_t begin, size_t *end,
                                 ChatValue *value) {
    char quote = text[begin];
    *end = begin;
    if (quote != '\'' && quote != '"') return STATUS_OK;
    size_t place = begin + 1;
    while (place < length && text[place] != quote) place += text[place] == '\\' ? 2 : 1;
    if (place >= length) return STATUS_OK; /* the quote is an unexpected character */
    *end = place + 1;
    if (memchr(text + begin + 1, '\\', place - begin - 1) == NULL)
        return chat_value_keep(run, text + begin + 1, place - begin - 1, value);
    ChatBuilder builder = {.run = run};
    for (size_t i = begin + 1; i < place;) {
        const char *backslash = memchr(text + i, '\\', place - i);
        size_t plain = backslash == NULL ? place : (size_t)(backslash - text);
        chat_builder_add(&builder, text + i, plain - i);
        i = plain == place ? place : plain + 1;
        if (plain < place && i < place) i += unescape(&builder, text + i, place - i);
    }
    return chat_builder_finish(&builder, value);
}
