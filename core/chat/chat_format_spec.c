#include "core/chat/chat_format_spec.h"

#include "core/chat/chat_number.h"
#include "core/chat/chat_print.h"
#include "core/chat/chat_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_PRECISION = 200, MOST_WIDTH = 1000000, NUMBER_SIZE = 1024 };

/* ---- reading ---- */

static bool is_align(char character) {
    return character != '\0' && strchr("<>=^", character) != NULL;
}

static int64_t read_digits(const char *text, size_t length, size_t *at) {
    int64_t number = 0;
    for (; *at < length && isdigit((unsigned char)text[*at]); (*at)++)
        number = number > MOST_WIDTH ? number : number * 10 + (text[*at] - '0');
    return number;
}

static bool take(const ChatText *text, size_t *at, const char *allowed, char *taken) {
    if (*at >= text->length || text->bytes[*at] == '\0' || strchr(allowed, text->bytes[*at]) == NULL)
        return false;
    *taken = text->bytes[(*at)++];
    return true;
}

static size_t read_align(const ChatText *text, ChatFormatSpec *spec) {
    size_t width = 0;
    if (text->length == 0) return 0;
    int32_t first = chat_text_point(text->bytes, text->length, &width);
    if (width < text->length && is_align(text->bytes[width])) {
        spec->fill = first;
        spec->align = text->bytes[width];
        return width + 1;
    }
    if (!is_align(text->bytes[0])) return 0;
    spec->align = text->bytes[0];
    return 1;
}

Status chat_format_spec_read(ChatRun *run, const ChatText *text, ChatFormatSpec *spec) {
    char taken;
    *spec = (ChatFormatSpec){.width = -1, .precision = -1};
    size_t at = read_align(text, spec);
    if (take(text, &at, "+- ", &taken) && taken != '-') spec->sign = taken;
    spec->alternate = take(text, &at, "#", &taken);
    if (take(text, &at, "0", &taken)) {
        if (spec->fill == 0) spec->fill = '0';
        if (spec->align == 0) spec->align = '=';
    }
    if (at < text->length && isdigit((unsigned char)text->bytes[at]))
        spec->width = read_digits(text->bytes, text->length, &at);
    (void)take(text, &at, ",_", &spec->grouping);
    if (take(text, &at, ".", &taken)) spec->precision = read_digits(text->bytes, text->length, &at);
    (void)take(text, &at, "bcdeEfFgGosxX%", &spec->type);
    if (at < text->length)
        return chat_run_fail(run, STATUS_UNSUPPORTED, "the format \"%.*s\" is not known",
                             (int)(text->length > 60 ? 60 : text->length), text->bytes);
    if (spec->precision > MOST_PRECISION || spec->width > MOST_WIDTH)
        return chat_run_fail(run, STATUS_UNSUPPORTED, "a format is wider than %d", (int)MOST_WIDTH);
    return STATUS_OK;
}

/* ---- padding ---- */

static void fill(ChatBuilder *builder, const ChatFormatSpec *spec, size_t count) {
    char bytes[4] = " ";
    size_t width = spec->fill == 0 ? 1 : chat_text_encode(spec->fill, bytes);
    chat_builder_repeat(builder, bytes, width, count);
}

void chat_format_spec_pad(ChatBuilder *builder, const char *bytes, size_t length, size_t prefix,
                          const ChatFormatSpec *spec, char align) {
    size_t points = chat_text_count(bytes, length);
    size_t missing = spec->width > 0 && (size_t)spec->width > points ? (size_t)spec->width - points : 0;
    if (spec->align != 0) align = spec->align;
    size_t before = align == '<' ? 0 : align == '^' ? missing / 2 : missing;
    if (align == '=') {
        chat_builder_add(builder, bytes, prefix);
        bytes += prefix;
        length -= prefix;
    }
    fill(builder, spec, before);
    chat_builder_add(builder, bytes, length);
    fill(builder, spec, missing - before);
}

/* ---- numbers ---- */

/* Puts separators between the digits of text[begin..end). */
static void group_digits(char text[NUMBER_SIZE], size_t begin, size_t end, size_t size, char separator) {
    for (size_t place = end; place > begin + size;) {
        place -= size;
        size_t length = strlen(text);
        if (length + 2 > NUMBER_SIZE) return;
        memmove(text + place + 1, text + place, length - place + 1);
        text[place] = separator;
    }
}

static size_t write_sign(char *text, bool negative, char sign) {
    if (!negative && sign == 0) return 0;
    text[0] = negative ? '-' : sign;
    return 1;
}

static void add_integer(ChatBuilder *builder, int64_t integer, const ChatFormatSpec *spec) {
    char text[NUMBER_SIZE], digits[72] = "0";
    unsigned base = spec->type == 'b' ? 2 : spec->type == 'o' ? 8 : tolower(spec->type) == 'x' ? 16 : 10;
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    size_t count = 0;
    do {
        digits[count++] = (spec->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef")[rest % base];
        rest /= base;
    } while (rest > 0);
    size_t prefix = write_sign(text, integer < 0, spec->sign);
    if (spec->alternate && base != 10) {
        text[prefix++] = '0';
        text[prefix++] = spec->type;
    }
    for (size_t i = 0; i < count; i++) text[prefix + i] = digits[count - 1 - i];
    text[prefix + count] = '\0';
    if (spec->grouping != 0) group_digits(text, prefix, prefix + count, base == 10 ? 3 : 4, spec->grouping);
    chat_format_spec_pad(builder, text, strlen(text), prefix, spec, '>');
}

/* %g with a `.0` where it would look like an integer: what no type at all means. */
static void write_general(char *digits, size_t size, double number, int64_t precision) {
    if (precision < 0) {
        char text[CHAT_NUMBER_SIZE];
        chat_number_print(number, text);
        (void)snprintf(digits, size, "%s", text);
        return;
    }
    int exponent = number == 0 ? 0 : (int)floor(log10(number));
    (void)snprintf(digits, size, "%.*g", precision == 0 ? 1 : (int)precision, number);
    if (strpbrk(digits, ".ein") != NULL || exponent >= precision) return;
    (void)snprintf(digits + strlen(digits), size - strlen(digits), ".0");
}

static void add_float(ChatBuilder *builder, double number, const ChatFormatSpec *spec) {
    char text[NUMBER_SIZE], format[16], digits[NUMBER_SIZE / 2];
    bool is_percent = spec->type == '%';
    size_t prefix = write_sign(text, signbit(number) && !isnan(number), spec->sign);
    number = fabs(number) * (is_percent ? 100 : 1);
    if (spec->type == 0) {
        write_general(digits, sizeof digits, number, spec->precision);
    } else {
        (void)snprintf(format, sizeof format, "%%%s.*%c", spec->alternate ? "#" : "",
                       is_percent ? 'f' : spec->type);
        (void)snprintf(digits, sizeof digits, format, spec->precision < 0 ? 6 : (int)spec->precision, number);
    }
    (void)snprintf(text + prefix, sizeof text - prefix, "%s%s", digits, is_percent ? "%" : "");
    size_t whole = strspn(text + prefix, "0123456789");
    if (spec->grouping != 0) group_digits(text, prefix, prefix + whole, 3, spec->grouping);
    chat_format_spec_pad(builder, text, strlen(text), prefix, spec, '>');
}

static void add_character(ChatBuilder *builder, int64_t point, const ChatFormatSpec *spec) {
    char bytes[4];
    if (point < 0 || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
        builder->status = chat_run_fail(builder->run, STATUS_FORMAT, "%" PRId64 " is no character", point);
    else
        chat_format_spec_pad(builder, bytes, chat_text_encode((int32_t)point, bytes), 0, spec, '<');
}

static bool is_float_type(char type) {
    return type != 0 && strchr("eEfFgG%", type) != NULL;
}

static void refuse(ChatBuilder *builder, ChatValue value, const ChatFormatSpec *spec) {
    char type[2] = {spec->type, '\0'};
    builder->status = chat_run_fail(builder->run, STATUS_FORMAT, "the format %s does not suit a %s",
                                    type[0] == 0 ? "with a width" : type, chat_value_type_name(value));
}

static void add_number(ChatBuilder *builder, ChatValue value, const ChatFormatSpec *spec) {
    bool is_integer = chat_value_is_integer(value);
    if (spec->type == 's')
        refuse(builder, value, spec);
    else if (!is_integer || is_float_type(spec->type))
        is_integer || spec->type == 0 || is_float_type(spec->type)
            ? add_float(builder, chat_value_number(value), spec)
            : refuse(builder, value, spec);
    else if (spec->type == 'c')
        add_character(builder, chat_value_integer(value), spec);
    else
        add_integer(builder, chat_value_integer(value), spec);
}

static void add_text(ChatBuilder *builder, const ChatText *text, const ChatFormatSpec *spec) {
    if ((spec->type != 0 && spec->type != 's') || spec->align == '=' || spec->sign != 0 ||
        spec->grouping != 0) {
        refuse(builder, chat_value_text(text), spec);
        return;
    }
    size_t kept = text->length;
    if (spec->precision >= 0)
        kept = chat_text_offset(text->bytes, text->length, text->points, (size_t)spec->precision);
    chat_format_spec_pad(builder, text->bytes, kept, 0, spec, '<');
}

static bool is_plain(const ChatFormatSpec *spec) {
    return spec->fill == 0 && spec->align == 0 && spec->sign == 0 && spec->grouping == 0 && spec->type == 0 &&
           !spec->alternate && spec->width < 0 && spec->precision < 0;
}

void chat_format_spec_add(ChatBuilder *builder, ChatValue value, const ChatFormatSpec *spec) {
    if (builder->status != STATUS_OK) return;
    if (is_plain(spec))
        chat_print_add(builder, value);
    else if (value.type == CHAT_TEXT)
        add_text(builder, value.as.text, spec);
    else if (chat_value_is_number(value))
        add_number(builder, value, spec);
    else
        refuse(builder, value, spec);
}
