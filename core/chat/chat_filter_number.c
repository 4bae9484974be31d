#include "core/chat/chat_filter_number.h"

#include "core/chat/chat_number.h"
#include "core/chat/chat_operators.h"

#include <math.h>
#include <string.h>

#define FILTER(name)                                                                                         \
    static Status name(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result)

FILTER(absolute) {
    (void)arguments;
    if (self.type == CHAT_FLOAT) {
        *result = chat_value_float(fabs(self.as.number));
        return STATUS_OK;
    }
    if (!chat_value_is_integer(self)) return chat_arguments_integer(run, self, 0, &(int64_t){0});
    return chat_operators_sign(run, self, chat_value_integer(self) < 0, result);
}

static Status truncate(ChatRun *run, double number, ChatValue fallback, bool is_strict, ChatValue *result) {
    int64_t integer;
    if (chat_number_truncate(number, &integer))
        *result = chat_value_int(integer);
    else if (isnan(number) || (isinf(number) && !is_strict))
        *result = fallback;
    else
        return chat_run_fail(run, STATUS_UNSUPPORTED, "int: a float is beyond 64 bits");
    return STATUS_OK;
}

FILTER(to_integer) {
    ChatValue fallback = arguments[0].type == CHAT_MISSING ? chat_value_int(0) : arguments[0];
    int64_t base;
    double number;
    bool is_number = false;
    CHAT_TRY(chat_arguments_integer(run, arguments[1], 10, &base));
    if (self.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, self);
    if (self.type == CHAT_FLOAT) return truncate(run, self.as.number, fallback, true, result);
    *result = chat_value_is_integer(self) ? chat_value_int(chat_value_integer(self)) : fallback;
    if (self.type == CHAT_BIG) *result = self;
    if (self.type != CHAT_TEXT) return STATUS_OK;
    if (base == 0 || (base >= 2 && base <= 36))
        CHAT_TRY(chat_number_read_int(run, self.as.text, (int)base, result, &is_number));
    if (is_number) return STATUS_OK;
    *result = fallback;
    return chat_number_read_float(self.as.text, &number) ? truncate(run, number, fallback, false, result)
                                                         : STATUS_OK;
}

FILTER(to_float) {
    double number = 0;
    if (self.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, self);
    *result = arguments[0].type == CHAT_MISSING ? chat_value_float(0) : arguments[0];
    if (chat_value_is_number(self)) *result = chat_value_float(chat_value_number(self));
    if ((self.type == CHAT_TEXT || self.type == CHAT_BIG) && chat_number_read_float(self.as.text, &number))
        *result = chat_value_float(number);
    return STATUS_OK;
}

/* round() of an integer to tens, hundreds, …: to the nearest, halves to even. */
static Status round_integer(ChatRun *run, int64_t integer, int64_t digits, ChatValue *result) {
    int64_t scale = 1;
    *result = chat_value_int(integer);
    if (digits >= 0) return STATUS_OK;
    for (int64_t i = 0; i > digits; i--) {
        if (scale <= INT64_MAX / 10) {
            scale *= 10;
            continue;
        }
        *result = chat_value_int(0);
        return STATUS_OK;
    }
    int64_t rest = integer % scale, down = integer - rest;
    bool overflows = rest < 0 && __builtin_sub_overflow(down, scale, &down);
    if (rest < 0) rest += scale;
    bool up = rest > scale - rest || (rest == scale - rest && (down / scale) % 2 != 0);
    if (overflows || (up && __builtin_add_overflow(down, scale, &down)))
        return chat_run_fail(run, STATUS_UNSUPPORTED, "round: beyond 64 bits");
    *result = chat_value_int(down);
    return STATUS_OK;
}

FILTER(round_number) {
    static const ChatText COMMON = {.bytes = "common", .length = 6};
    const ChatText *method;
    int64_t digits;
    CHAT_TRY(chat_arguments_integer(run, arguments[0], 0, &digits));
    CHAT_TRY(chat_arguments_text(run, arguments[1], &COMMON, &method));
    if (self.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, self);
    if (!chat_value_is_number(self))
        return chat_run_fail(run, STATUS_FORMAT, "round: a %s is no number", chat_value_type_name(self));
    bool is_common = method->length == 6 && memcmp(method->bytes, "common", 6) == 0;
    bool is_floor = method->length == 5 && memcmp(method->bytes, "floor", 5) == 0;
    bool is_ceil = method->length == 4 && memcmp(method->bytes, "ceil", 4) == 0;
    if (!is_common && !is_floor && !is_ceil)
        return chat_run_fail(run, STATUS_FORMAT, "round: method must be common, ceil or floor");
    if (is_common && chat_value_is_integer(self))
        return round_integer(run, chat_value_integer(self), digits, result);
    double number = chat_value_number(self), scale = pow(10, (double)digits);
    if (is_common)
        number = chat_operators_round(number, digits);
    else
        number = (is_floor ? floor(number * scale) : ceil(number * scale)) / scale;
    *result = chat_value_float(number);
    return STATUS_OK;
}

FILTER(file_size) {
    static const char *const UNITS[2][8] = {{"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"},
                                            {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"}};
    bool binary = chat_arguments_truth(arguments[0], false);
    double bytes, base = binary ? 1024 : 1000, unit = base;
    if (chat_value_is_number(self))
        bytes = chat_value_number(self);
    else if (self.type != CHAT_TEXT || !chat_number_read_float(self.as.text, &bytes))
        return chat_run_fail(run, STATUS_FORMAT, "filesizeformat: expected a number");
    if (bytes == 1) return chat_value_format(run, result, "1 Byte");
    if (bytes < base) return chat_value_format(run, result, "%.0f Bytes", trunc(bytes));
    size_t i = 0;
    for (unit *= base; i < 7 && bytes >= unit; i++) unit *= base;
    return chat_value_format(run, result, "%.1f %s", base * bytes / unit, UNITS[binary][i]);
}

static const ChatRow FILTERS[] = {
    {"abs", "", 0, absolute, NULL},
    {"int", "default base", 0, to_integer, NULL},
    {"float", "default", 0, to_float, NULL},
    {"round", "precision method", 0, round_number, NULL},
    {"filesizeformat", "binary", 0, file_size, NULL},
};

const ChatRow *chat_filter_number_find(const ChatText *name) {
    return chat_arguments_find(FILTERS, sizeof FILTERS / sizeof *FILTERS, name);
}
