#include "core/readiness/reward_number.h"

#include <stdlib.h>
#include <string.h>

static const char MINUS[] = "\xe2\x88\x92"; /* U+2212 */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static size_t count_digits(const char *at, const char *end) {
    const char *first = at;
    while (at < end && is_digit(*at)) at++;
    return (size_t)(at - first);
}

/* Bytes of the number that begins at `at`, without its sign; 0: none does. */
static size_t measure(const char *at, const char *end) {
    const char *first = at;
    size_t digits = count_digits(at, end);
    at += digits;
    if (digits > 0 && digits <= 3) { /* groups: a comma and three digits, no more */
        while (end - at >= 4 && *at == ',' && count_digits(at + 1, end) == 3) at += 4;
    }
    if (end - at >= 2 && *at == '.' && is_digit(at[1])) at += 1 + count_digits(at + 1, end);
    if (at == first) return 0;
    if (end - at >= 2 && (*at == 'e' || *at == 'E')) {
        const char *power = at + 1 + (at[1] == '-' || at[1] == '+');
        size_t powers = count_digits(power, end);
        if (powers > 0) at = power + powers;
    }
    return (size_t)(at - first);
}

static bool is_joined(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit((char)c) || c == ')' || c == ']' ||
           c == '}';
}

/* Bytes of the sign that stands before `at`. */
static size_t measure_sign(const char *text, const char *at) {
    size_t sign = 0, minus = sizeof MINUS - 1;
    if (at > text && (at[-1] == '-' || at[-1] == '+')) sign = 1;
    if (sign == 0 && (size_t)(at - text) >= minus && memcmp(at - minus, MINUS, minus) == 0) sign = minus;
    if (sign == 0) return 0;
    const char *before = at - sign;
    return before > text && is_joined((unsigned char)before[-1]) ? 0 : sign;
}

bool reward_number_find_last(const char *text, size_t bytes, RewardNumber *number) {
    const char *end = text + bytes;
    bool found = false;
    for (const char *at = text; at < end;) {
        size_t length = measure(at, end);
        if (length == 0) {
            at++;
            continue;
        }
        size_t sign = measure_sign(text, at);
        *number = (RewardNumber){at - sign, length + sign};
        found = true;
        at += length;
    }
    return found;
}

/* What may stand around a number that is all an answer says. */
static size_t measure_around(const char *at, const char *end) {
    static const char *const AROUND[] = {" ", "\t", "\r",  "\n",  "$",
                                         "%", ".",  "\\%", "\\$", "\xe2\x82\xac" /* euro */};
    for (size_t i = 0; i < sizeof AROUND / sizeof *AROUND; i++) {
        size_t length = strlen(AROUND[i]);
        if ((size_t)(end - at) >= length && memcmp(at, AROUND[i], length) == 0) return length;
    }
    return 0;
}

bool reward_number_read(const char *text, size_t bytes, RewardNumber *number) {
    const char *end = text + bytes;
    if (!reward_number_find_last(text, bytes, number)) return false;
    for (const char *at = text; at < end;) {
        size_t around = at == number->at ? number->bytes : measure_around(at, end);
        if (around == 0) return false;
        at += around;
    }
    return true;
}

/* ---- comparing ---- */

/* A number without what does not count: no sign of it, no commas, no zeros at its ends. */
typedef struct Digits {
    const char *whole, *fraction; /* from the first that counts */
    size_t whole_bytes, fraction_bytes;
    bool is_negative;
} Digits;

static Digits take_digits(const RewardNumber *number) {
    const char *at = number->at, *end = at + number->bytes;
    Digits digits = {.is_negative = *at == '-' || (unsigned char)*at == 0xe2};
    while (at < end && !is_digit(*at) && *at != '.') at++;
    const char *point = memchr(at, '.', (size_t)(end - at));
    if (point == NULL) point = end;
    while (at < point && (*at == '0' || *at == ',')) at++;
    digits.whole = at;
    digits.whole_bytes = (size_t)(point - at);
    digits.fraction = point < end ? point + 1 : end;
    while (end > digits.fraction && end[-1] == '0') end--;
    digits.fraction_bytes = (size_t)(end - digits.fraction);
    return digits;
}

static bool is_zero(const Digits *digits) {
    return digits->whole_bytes == 0 && digits->fraction_bytes == 0;
}

/* The same digits, whatever commas are between them. */
static bool same_whole(const Digits *a, const Digits *b) {
    const char *left = a->whole, *left_end = left + a->whole_bytes;
    const char *right = b->whole, *right_end = right + b->whole_bytes;
    for (;;) {
        if (left < left_end && *left == ',') left++;
        if (right < right_end && *right == ',') right++;
        if (left == left_end || right == right_end) return left == left_end && right == right_end;
        if (*left++ != *right++) return false;
    }
}

static bool has_exponent(const RewardNumber *number) {
    return memchr(number->at, 'e', number->bytes) != NULL || memchr(number->at, 'E', number->bytes) != NULL;
}

static double to_double(const RewardNumber *number) {
    enum { MOST = 400 };
    char text[MOST];
    size_t used = 0;
    for (size_t i = 0; i < number->bytes && used + 1 < MOST; i++) {
        unsigned char c = (unsigned char)number->at[i];
        if (c == 0xe2) text[used++] = '-';
        if (c < 0x80 && c != ',') text[used++] = (char)c;
    }
    text[used] = '\0';
    return strtod(text, NULL);
}

bool reward_number_equal(const RewardNumber *a, const RewardNumber *b) {
    if (has_exponent(a) || has_exponent(b)) return to_double(a) == to_double(b);
    Digits left = take_digits(a), right = take_digits(b);
    if (is_zero(&left) || is_zero(&right)) return is_zero(&left) && is_zero(&right);
    return left.is_negative == right.is_negative && same_whole(&left, &right) &&
           left.fraction_bytes == right.fraction_bytes &&
           memcmp(left.fraction, right.fraction, left.fraction_bytes) == 0;
}
