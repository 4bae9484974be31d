#include "tui/text/format.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPONENT_LEAST = -4, EXPONENT_MOST = 5 }; /* beyond them, scientific notation */

/* LC_NUMERIC stays "C" in this program, so printf's decimal point is a point. */

static char *write_odd(double value, char text[FORMAT_SIZE]) {
    (void)snprintf(text, FORMAT_SIZE, "%s", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
    return text;
}

char *format_number(double value, int digits, char text[FORMAT_SIZE]) {
    if (!isfinite(value)) return write_odd(value, text);
    if (digits < 1) digits = 1;
    if (digits > 17) digits = 17;
    (void)snprintf(text, FORMAT_SIZE, "%.*e", digits - 1, value); /* rounds first: 0.0999 may become 0.10 */
    int exponent = value == 0 ? 0 : atoi(strchr(text, 'e') + 1);
    if (exponent < EXPONENT_LEAST || exponent > EXPONENT_MOST) return text;
    int decimals = digits - 1 - exponent;
    (void)snprintf(text, FORMAT_SIZE, "%.*f", decimals < 0 ? 0 : decimals, value);
    return text;
}

/* 0.2500 as 0.25, 2.000 as 2; a number in scientific notation stays. */
static void drop_zeros(char *text) {
    if (strchr(text, '.') == NULL || strchr(text, 'e') != NULL) return;
    size_t length = strlen(text);
    while (text[length - 1] == '0') length--;
    if (text[length - 1] == '.') length--;
    text[length] = '\0';
}

static char *fit(double value, int columns, bool keeps_zeros, char text[FORMAT_SIZE]) {
    if (!isfinite(value)) return write_odd(value, text);
    for (int digits = 6; digits > 0; digits--) {
        (void)format_number(value, digits, text);
        if (!keeps_zeros || value == 0) drop_zeros(text);
        if ((int)strlen(text) <= columns) return text;
        char *zero = text[0] == '-' ? text + 1 : text;
        if (zero[0] == '0' && zero[1] == '.' && (int)strlen(text) == columns + 1) {
            memmove(zero, zero + 1, strlen(zero)); /* .313, -.313 */
            return text;
        }
    }
    (void)snprintf(text, FORMAT_SIZE, "%.0e", value);
    return text;
}

char *format_fit(double value, int columns, char text[FORMAT_SIZE]) {
    return fit(value, columns, false, text);
}

char *format_column(double value, int columns, char text[FORMAT_SIZE]) {
    return fit(value, columns, true, text);
}

char *format_count(uint64_t value, char text[FORMAT_SIZE]) {
    char digits[FORMAT_SIZE];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    int used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) text[used++] = ' ';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

/* value in units of 1000^n with that unit's letter: three digits at most, one decimal below 100. */
static void scale(double value, const char *const *units, size_t count, const char *space,
                  char text[FORMAT_SIZE]) {
    size_t unit = 0;
    while (unit + 1 < count && fabs(value) >= 999.5) {
        value /= 1000;
        unit++;
    }
    int decimals = unit == 0 || fabs(value) >= 99.95 ? 0 : 1;
    (void)snprintf(text, FORMAT_SIZE, "%.*f%s%s", decimals, value, space, units[unit]);
}

char *format_short_count(uint64_t value, char text[FORMAT_SIZE]) {
    static const char *const UNITS[] = {"", "K", "M", "B", "T"};
    scale((double)value, UNITS, 5, "", text);
    return text;
}

char *format_bytes(double bytes, char text[FORMAT_SIZE]) {
    static const char *const UNITS[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    if (!isfinite(bytes)) return write_odd(bytes, text);
    scale(bytes, UNITS, 6, " ", text);
    return text;
}

char *format_duration(double seconds, char text[FORMAT_SIZE]) {
    if (!isfinite(seconds) || seconds < 0 || seconds > 1e9) {
        (void)snprintf(text, FORMAT_SIZE, "-:--");
        return text;
    }
    long whole = (long)(seconds + 0.5), hours = whole / 3600;
    if (hours > 0)
        (void)snprintf(text, FORMAT_SIZE, "%ld:%02ld:%02ld", hours, whole / 60 % 60, whole % 60);
    else
        (void)snprintf(text, FORMAT_SIZE, "%ld:%02ld", whole / 60, whole % 60);
    return text;
}

char *format_share(double share, char text[FORMAT_SIZE]) {
    if (!isfinite(share)) return write_odd(share, text);
    double percent = share * 100;
    if (percent > 0 && percent < 0.05)
        (void)snprintf(text, FORMAT_SIZE, "<0.1 %%");
    else if (percent > 99.95 && percent < 100)
        (void)snprintf(text, FORMAT_SIZE, ">99.9 %%");
    else
        (void)snprintf(text, FORMAT_SIZE, "%.1f %%", percent);
    return text;
}
