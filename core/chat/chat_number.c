#include "core/chat/chat_number.h"

#include "core/chat/chat_text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Digits without a point into digits[], how many, and the exponent of the first. */
static int shortest_digits(double number, char digits[24], int *exponent) {
    char text[40];
    int count = 1;
    for (; count < 17; count++) {
        (void)snprintf(text, sizeof text, "%.*e", count - 1, number);
        if (strtod(text, NULL) == number) break;
    }
    (void)snprintf(text, sizeof text, "%.*e", count - 1, number);
    int found = 0;
    char *at = text;
    for (; *at != 'e'; at++) {
        if (isdigit((unsigned char)*at)) digits[found++] = *at;
    }
    digits[found] = '\0';
    *exponent = (int)strtol(at + 1, NULL, 10);
    return found;
}

static void print_fixed(const char *sign, const char *digits, int count, int exponent,
                        char text[CHAT_NUMBER_SIZE]) {
    if (exponent < 0)
        (void)snprintf(text, CHAT_NUMBER_SIZE, "%s0.%.*s%s", sign, -exponent - 1, "0000", digits);
    else if (exponent + 1 >= count)
        (void)snprintf(text, CHAT_NUMBER_SIZE, "%s%s%.*s.0", sign, digits, exponent + 1 - count,
                       "0000000000000000");
    else
        (void)snprintf(text, CHAT_NUMBER_SIZE, "%s%.*s.%s", sign, exponent + 1, digits,
                       digits + exponent + 1);
}

void chat_number_print(double number, char text[CHAT_NUMBER_SIZE]) {
    char digits[24];
    int exponent;
    if (isnan(number) || isinf(number)) {
        (void)snprintf(text, CHAT_NUMBER_SIZE, "%s", isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
        return;
    }
    const char *sign = signbit(number) ? "-" : "";
    int count = shortest_digits(fabs(number), digits, &exponent);
    if (number == 0)
        (void)snprintf(text, CHAT_NUMBER_SIZE, "%s0.0", sign);
    else if (exponent >= -4 && exponent < 16)
        print_fixed(sign, digits, count, exponent, text);
    else
        (void)snprintf(text, CHAT_NUMBER_SIZE, "%s%c%s%se%c%02d", sign, digits[0], count > 1 ? "." : "",
                       digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
}

/* ---- texts to numbers ---- */

enum { LONGEST_NUMBER = 4300 }; /* Python's own limit of digits */

/* The text without white space around it and without `_` between digits; false where a `_` is elsewhere, or it is too
 * long. */
static bool clean(const ChatText *text, char *digits, size_t *length) {
    size_t before = chat_text_space_before(text->bytes, text->length);
    size_t left = text->length - before;
    const char *bytes = text->bytes + before;
    left -= chat_text_space_behind(bytes, left);
    *length = 0;
    if (left == 0 || left > LONGEST_NUMBER) return false;
    for (size_t i = 0; i < left; i++) {
        if (bytes[i] == '\0') return false;
        if (bytes[i] != '_')
            digits[(*length)++] = bytes[i];
        else if (i == 0 || i + 1 == left || !isalnum((unsigned char)bytes[i - 1]) ||
                 !isalnum((unsigned char)bytes[i + 1]))
            return false;
    }
    digits[*length] = '\0';
    return true;
}

static int digit_of(char character) {
    if (isdigit((unsigned char)character)) return character - '0';
    if (isalpha((unsigned char)character)) return tolower((unsigned char)character) - 'a' + 10;
    return 99;
}

/* Takes "0x" and its like off; the base is then known. */
static const char *take_prefix(const char *digits, int *base) {
    static const struct {
        char letter;
        int base;
    } PREFIXES[] = {{'b', 2}, {'o', 8}, {'x', 16}};
    for (size_t i = 0; i < 3; i++) {
        if (digits[0] != '0' || tolower((unsigned char)digits[1]) != PREFIXES[i].letter) continue;
        if (*base != 0 && *base != PREFIXES[i].base) continue;
        *base = PREFIXES[i].base;
        return digits + 2;
    }
    if (*base == 0) *base = 10;
    return digits;
}

Status chat_number_read_int(ChatRun *run, const ChatText *text, int base, ChatValue *value, bool *is_number) {
    char cleaned[LONGEST_NUMBER + 1];
    size_t length;
    *is_number = false;
    if (!clean(text, cleaned, &length)) return STATUS_OK;
    bool negative = cleaned[0] == '-', overflows = false;
    const char *digits = cleaned + (negative || cleaned[0] == '+');
    bool was_open = base == 0;
    const char *first = take_prefix(digits, &base);
    if (*first == '\0' ||
        (was_open && first == digits && *first == '0' && strspn(first, "0") != strlen(first)))
        return STATUS_OK;
    uint64_t sum = 0;
    for (const char *at = first; *at != '\0'; at++) {
        int digit = digit_of(*at);
        if (digit >= base) return STATUS_OK;
        overflows = overflows || __builtin_mul_overflow(sum, (uint64_t)base, &sum) ||
                    __builtin_add_overflow(sum, (uint64_t)digit, &sum);
    }
    *is_number = true;
    if (!overflows && sum <= (uint64_t)INT64_MAX + negative) {
        *value = chat_value_int(negative ? (int64_t)(0 - sum) : (int64_t)sum);
        return STATUS_OK;
    }
    if (base != 10) return chat_run_fail(run, STATUS_UNSUPPORTED, "an integer is beyond 64 bits");
    first += strspn(first, "0");
    char written[LONGEST_NUMBER + 2];
    int written_length = snprintf(written, sizeof written, "%s%s", negative ? "-" : "", first);
    Status status = chat_value_copy(run, written, (size_t)written_length, value);
    value->type = CHAT_BIG;
    return status;
}

bool chat_number_read_float(const ChatText *text, double *number) {
    char cleaned[LONGEST_NUMBER + 1], *end;
    size_t length;
    if (!clean(text, cleaned, &length)) return false;
    const char *digits = cleaned + (cleaned[0] == '-' || cleaned[0] == '+');
    bool is_word = strcasecmp(digits, "inf") == 0 || strcasecmp(digits, "infinity") == 0 ||
                   strcasecmp(digits, "nan") == 0;
    if (!is_word && strspn(cleaned, "0123456789+-.eE") != length) return false; /* strtod takes 0x1p3 too */
    *number = strtod(cleaned, &end);
    return *end == '\0';
}

bool chat_number_truncate(double number, int64_t *integer) {
    if (!(number > -9223372036854777856.0 && number < 9223372036854775808.0)) return false;
    *integer = (int64_t)number;
    return true;
}
