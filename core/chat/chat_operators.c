#include "core/chat/chat_operators.h"

#include "core/chat/chat_builder.h"
#include "core/chat/chat_compare.h"
#include "core/chat/chat_dict.h"
#include "core/chat/chat_percent.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The keys or items of a dict, which Python can subtract. */
static bool is_view(ChatValue value) {
    return chat_value_is_list(value, CHAT_LIST_KEYS) || chat_value_is_list(value, CHAT_LIST_ITEMS);
}

static Status refuse(ChatRun *run, ChatTokenType op, ChatValue a, ChatValue b) {
    if (a.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, a);
    if (b.type == CHAT_UNDEFINED) return chat_value_fail_undefined(run, b);
    bool is_big = a.type == CHAT_BIG || b.type == CHAT_BIG;
    if (is_view(a) || is_view(b))
        return chat_run_fail(run, STATUS_UNSUPPORTED, "%s: a %s and a %s, which makes a set",
                             CHAT_TOKEN_NAMES[op], chat_value_type_name(a), chat_value_type_name(b));
    return chat_run_fail(run, is_big ? STATUS_UNSUPPORTED : STATUS_FORMAT, "%s: %s and %s%s",
                         CHAT_TOKEN_NAMES[op], chat_value_type_name(a), chat_value_type_name(b),
                         is_big ? ", beyond 64 bits" : "");
}

/* ---- integers ---- */

static int64_t modulo(int64_t a, int64_t b) {
    int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest; /* of the sign of b */
}

static int64_t floor_divide(int64_t a, int64_t b) {
    int64_t quotient = a / b;
    return quotient - (a % b != 0 && (a < 0) != (b < 0));
}

/* False where it overflows. */
static bool power(int64_t base, int64_t exponent, int64_t *result) {
    int64_t product = 1;
    while (exponent > 0) {
        if (exponent & 1 && __builtin_mul_overflow(product, base, &product)) return false;
        exponent >>= 1;
        if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return false;
    }
    *result = product;
    return true;
}

static Status apply_integers(ChatRun *run, ChatTokenType op, int64_t a, int64_t b, ChatValue *result) {
    int64_t integer = 0;
    bool overflows = false;
    if ((op == CHAT_TOKEN_DIV || op == CHAT_TOKEN_FLOORDIV || op == CHAT_TOKEN_MOD) && b == 0)
        return chat_run_fail(run, STATUS_FORMAT, "division by zero");
    if (op == CHAT_TOKEN_POW && b < 0) {
        if (a == 0) return chat_run_fail(run, STATUS_FORMAT, "0.0 cannot be raised to a negative power");
        *result = chat_value_float(pow((double)a, (double)b));
        return STATUS_OK;
    }
    switch (op) {
    case CHAT_TOKEN_ADD:
        overflows = __builtin_add_overflow(a, b, &integer);
        break;
    case CHAT_TOKEN_SUB:
        overflows = __builtin_sub_overflow(a, b, &integer);
        break;
    case CHAT_TOKEN_MUL:
        overflows = __builtin_mul_overflow(a, b, &integer);
        break;
    case CHAT_TOKEN_POW:
        overflows = !power(a, b, &integer);
        break;
    case CHAT_TOKEN_DIV:
        *result = chat_value_float((double)a / (double)b);
        return STATUS_OK;
    default:
        overflows = a == INT64_MIN && b == -1 && op == CHAT_TOKEN_FLOORDIV;
        if (overflows || b == -1)
            integer = op == CHAT_TOKEN_MOD || overflows ? 0 : -a;
        else
            integer = op == CHAT_TOKEN_MOD ? modulo(a, b) : floor_divide(a, b);
    }
    if (overflows) return chat_run_fail(run, STATUS_UNSUPPORTED, "%s: beyond 64 bits", CHAT_TOKEN_NAMES[op]);
    *result = chat_value_int(integer);
    return STATUS_OK;
}

/* ---- floats ---- */

static double float_modulo(double a, double b) {
    double rest = fmod(a, b);
    if (rest == 0) return copysign(0.0, b);
    return (b < 0) != (rest < 0) ? rest + b : rest;
}

static double float_floor_divide(double a, double b) {
    double rest = fmod(a, b), quotient = (a - rest) / b;
    if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1.0;
    if (quotient == 0) return copysign(0.0, a / b);
    double floored = floor(quotient);
    return quotient - floored > 0.5 ? floored + 1.0 : floored;
}

static Status raise(ChatRun *run, double a, double b, double *result) {
    if (a == 0 && b < 0) return chat_run_fail(run, STATUS_FORMAT, "0.0 cannot be raised to a negative power");
    *result = pow(a, b);
    if (isnan(*result) && !isnan(a) && !isnan(b))
        return chat_run_fail(run, STATUS_UNSUPPORTED, "**: a complex number");
    if (isinf(*result) && !isinf(a) && !isinf(b))
        return chat_run_fail(run, STATUS_FORMAT, "**: result too large");
    return STATUS_OK;
}

static Status apply_floats(ChatRun *run, ChatTokenType op, double a, double b, ChatValue *result) {
    double number = 0;
    if ((op == CHAT_TOKEN_DIV || op == CHAT_TOKEN_FLOORDIV || op == CHAT_TOKEN_MOD) && b == 0)
        return chat_run_fail(run, STATUS_FORMAT, "float division by zero");
    switch (op) {
    case CHAT_TOKEN_ADD:
        number = a + b;
        break;
    case CHAT_TOKEN_SUB:
        number = a - b;
        break;
    case CHAT_TOKEN_MUL:
        number = a * b;
        break;
    case CHAT_TOKEN_DIV:
        number = a / b;
        break;
    case CHAT_TOKEN_FLOORDIV:
        number = float_floor_divide(a, b);
        break;
    case CHAT_TOKEN_MOD:
        number = float_modulo(a, b);
        break;
    default:
        CHAT_TRY(raise(run, a, b, &number));
    }
    *result = chat_value_float(number);
    return STATUS_OK;
}

double chat_operators_round(double number, int64_t digits) {
    char text[400];
    if (!isfinite(number) || digits > 300) return number;
    if (digits >= 0) { /* as printf rounds: to the nearest, exactly */
        (void)snprintf(text, sizeof text, "%.*f", digits > 60 ? 60 : (int)digits, number);
        return strtod(text, NULL);
    }
    if (digits < -308) return copysign(0.0, number);
    double scale = pow(10, (double)-digits), scaled = number / scale;
    return nearbyint(scaled) * scale;
}

/* ---- texts and lists ---- */

Status chat_operators_escape(ChatRun *run, const ChatText *text, ChatValue *result) {
    ChatBuilder builder = {.run = run};
    for (size_t i = 0; i < text->length; i++) {
        switch (text->bytes[i]) {
        case '&':
            chat_builder_add_string(&builder, "&amp;");
            break;
        case '<':
            chat_builder_add_string(&builder, "&lt;");
            break;
        case '>':
            chat_builder_add_string(&builder, "&gt;");
            break;
        case '\'':
            chat_builder_add_string(&builder, "&#39;");
            break;
        case '"':
            chat_builder_add_string(&builder, "&#34;");
            break;
        default:
            chat_builder_add(&builder, text->bytes + i, 1);
        }
    }
    CHAT_TRY(chat_builder_finish(&builder, result));
    return chat_value_mark(run, result);
}

/* Where one of two texts is marked, the other is escaped. */
static Status add_texts(ChatRun *run, ChatValue a, ChatValue b, ChatValue *result) {
    ChatBuilder builder = {.run = run};
    bool marks = a.as.text->is_marked || b.as.text->is_marked;
    if (marks && !a.as.text->is_marked) CHAT_TRY(chat_operators_escape(run, a.as.text, &a));
    if (marks && !b.as.text->is_marked) CHAT_TRY(chat_operators_escape(run, b.as.text, &b));
    if (!marks && b.as.text->length == 0) {
        *result = a;
        return STATUS_OK;
    }
    chat_builder_add_text(&builder, a.as.text);
    chat_builder_add_text(&builder, b.as.text);
    CHAT_TRY(chat_builder_finish(&builder, result));
    return marks ? chat_value_mark(run, result) : STATUS_OK;
}

static bool is_plain_list(ChatValue value) {
    return value.type == CHAT_LIST && value.as.list->kind <= CHAT_LIST_GROUP;
}

static Status add_lists(ChatRun *run, const ChatList *a, const ChatList *b, ChatValue *result) {
    ChatList *list;
    size_t count;
    if (!memory_add(a->count, b->count, &count)) count = SIZE_MAX; /* which is refused */
    CHAT_TRY(chat_run_step(run, a->count + b->count));
    CHAT_TRY(
        chat_value_new_list(run, a->kind == CHAT_LIST_LIST ? CHAT_LIST_LIST : CHAT_LIST_TUPLE, count, &list));
    for (size_t i = 0; i < a->count; i++) CHAT_TRY(chat_value_append(run, list, a->items[i]));
    for (size_t i = 0; i < b->count; i++) CHAT_TRY(chat_value_append(run, list, b->items[i]));
    *result = chat_value_list(list);
    return STATUS_OK;
}

static Status repeat(ChatRun *run, ChatValue what, int64_t times, ChatValue *result) {
    size_t count = times < 0 ? 0 : (size_t)times, total;
    if (what.type == CHAT_TEXT) {
        ChatBuilder builder = {.run = run};
        chat_builder_repeat(&builder, what.as.text->bytes, what.as.text->length, count);
        CHAT_TRY(chat_builder_finish(&builder, result));
        return what.as.text->is_marked ? chat_value_mark(run, result) : STATUS_OK;
    }
    const ChatList *list = what.as.list;
    ChatList *repeated;
    if (!memory_multiply(list->count, count, &total)) total = SIZE_MAX; /* which is refused */
    CHAT_TRY(chat_run_step(run, total));
    CHAT_TRY(chat_value_new_list(run, list->kind == CHAT_LIST_LIST ? CHAT_LIST_LIST : CHAT_LIST_TUPLE, total,
                                 &repeated));
    for (size_t i = 0; i < total; i++)
        CHAT_TRY(chat_value_append(run, repeated, list->items[i % list->count]));
    *result = chat_value_list(repeated);
    return STATUS_OK;
}

static Status format(ChatRun *run, ChatValue a, ChatValue b, ChatValue *result) {
    if (a.as.text->is_marked) return chat_run_fail(run, STATUS_UNSUPPORTED, "%%: on a text marked safe");
    return chat_percent_format(run, a.as.text, b, result);
}

Status chat_operators_apply(ChatRun *run, ChatTokenType op, ChatValue a, ChatValue b, ChatValue *result) {
    if (chat_value_is_integer(a) && chat_value_is_integer(b))
        return apply_integers(run, op, chat_value_integer(a), chat_value_integer(b), result);
    if (chat_value_is_number(a) && chat_value_is_number(b))
        return apply_floats(run, op, chat_value_number(a), chat_value_number(b), result);
    if (op == CHAT_TOKEN_ADD && a.type == CHAT_TEXT && b.type == CHAT_TEXT)
        return add_texts(run, a, b, result);
    if (op == CHAT_TOKEN_ADD && is_plain_list(a) && is_plain_list(b) &&
        (a.as.list->kind == CHAT_LIST_LIST) == (b.as.list->kind == CHAT_LIST_LIST))
        return add_lists(run, a.as.list, b.as.list, result);
    if (op == CHAT_TOKEN_MUL && (a.type == CHAT_TEXT || is_plain_list(a)) && chat_value_is_integer(b))
        return repeat(run, a, chat_value_integer(b), result);
    if (op == CHAT_TOKEN_MUL && (b.type == CHAT_TEXT || is_plain_list(b)) && chat_value_is_integer(a))
        return repeat(run, b, chat_value_integer(a), result);
    if (op == CHAT_TOKEN_MOD && a.type == CHAT_TEXT) return format(run, a, b, result);
    return refuse(run, op, a, b);
}

Status chat_operators_sign(ChatRun *run, ChatValue a, bool negative, ChatValue *result) {
    if (a.type == CHAT_FLOAT) {
        *result = chat_value_float(negative ? -a.as.number : a.as.number);
        return STATUS_OK;
    }
    if (!chat_value_is_integer(a)) return refuse(run, negative ? CHAT_TOKEN_SUB : CHAT_TOKEN_ADD, a, a);
    if (negative) return apply_integers(run, CHAT_TOKEN_SUB, 0, chat_value_integer(a), result);
    *result = chat_value_int(chat_value_integer(a));
    return STATUS_OK;
}

Status chat_operators_compare(ChatRun *run, ChatTokenType op, ChatValue a, ChatValue b, bool *holds) {
    int order;
    if (op == CHAT_TOKEN_EQ || op == CHAT_TOKEN_NE) {
        *holds = chat_compare_equal(run, a, b) == (op == CHAT_TOKEN_EQ);
        return chat_run_step(run, 0); /* it says nothing itself where steps are used up */
    }
    if (op == CHAT_TOKEN_NAME || op == CHAT_TOKEN_SEMICOLON) {
        if (b.type == CHAT_DICT) {
            if (!chat_dict_is_key(a)) return refuse(run, CHAT_TOKEN_EQ, a, b);
            *holds = chat_dict_find(run, b.as.dict, a) != NULL;
        } else {
            CHAT_TRY(chat_compare_contains(run, b, a, holds));
        }
        if (op == CHAT_TOKEN_SEMICOLON) *holds = !*holds;
        return STATUS_OK;
    }
    CHAT_TRY(chat_compare_order(run, a, b, &order));
    bool is_ordered = order != CHAT_COMPARE_UNORDERED;
    switch (op) {
    case CHAT_TOKEN_LT:
        *holds = is_ordered && order < 0;
        break;
    case CHAT_TOKEN_LTEQ:
        *holds = is_ordered && order <= 0;
        break;
    case CHAT_TOKEN_GT:
        *holds = is_ordered && order > 0;
        break;
    default:
        *holds = is_ordered && order >= 0;
    }
    return STATUS_OK;
}
