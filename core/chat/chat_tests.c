#include "core/chat/chat_tests.h"

#include "core/chat/chat_case.h"
#include "core/chat/chat_compare.h"
#include "core/chat/chat_operators.h"
#include "core/chat/chat_print.h"

#include <string.h>

#define TEST(name)                                                                                           \
    static Status name(ChatRun *run, ChatValue self, const ChatValue *arguments, ChatValue *result)

/* A test that asks of the value alone. */
#define TEST_VALUE(name, condition)                                                                          \
    TEST(name) {                                                                                             \
        (void)run, (void)arguments;                                                                          \
        *result = chat_value_bool(condition);                                                                \
        return STATUS_OK;                                                                                    \
    }

static bool has_items(ChatValue value) {
    return value.type == CHAT_UNDEFINED || value.type == CHAT_TEXT || value.type == CHAT_DICT ||
           chat_value_is_sequence(value);
}

TEST_VALUE(is_defined, self.type != CHAT_UNDEFINED)
TEST_VALUE(is_undefined, self.type == CHAT_UNDEFINED)
TEST_VALUE(is_none, self.type == CHAT_NONE)
TEST_VALUE(is_boolean, self.type == CHAT_BOOL)
TEST_VALUE(is_true, self.type == CHAT_BOOL && self.as.truth)
TEST_VALUE(is_false, self.type == CHAT_BOOL && !self.as.truth)
TEST_VALUE(is_integer, self.type == CHAT_INT || self.type == CHAT_BIG)
TEST_VALUE(is_float, self.type == CHAT_FLOAT)
TEST_VALUE(is_number, chat_value_is_number(self) || self.type == CHAT_BIG)
TEST_VALUE(is_string, self.type == CHAT_TEXT)
TEST_VALUE(is_mapping, self.type == CHAT_DICT)
TEST_VALUE(is_sequence, has_items(self))
TEST_VALUE(is_iterable, chat_value_is_iterable(self))
TEST_VALUE(is_callable,
           self.type == CHAT_UNDEFINED || (self.type == CHAT_OBJECT && self.as.object->call != NULL))
TEST_VALUE(is_escaped, self.type == CHAT_TEXT && self.as.text->is_marked)

TEST(is_lower) {
    const ChatText *text;
    (void)arguments;
    CHAT_TRY(chat_print_text(run, self, &text));
    *result = chat_value_bool(chat_case_is(text, false));
    return STATUS_OK;
}

TEST(is_upper) {
    const ChatText *text;
    (void)arguments;
    CHAT_TRY(chat_print_text(run, self, &text));
    *result = chat_value_bool(chat_case_is(text, true));
    return STATUS_OK;
}

static Status test_rest(ChatRun *run, ChatValue self, ChatValue divisor, int64_t rest, ChatValue *result) {
    ChatValue found;
    CHAT_TRY(chat_operators_apply(run, CHAT_TOKEN_MOD, self, divisor, &found));
    *result = chat_value_bool(chat_compare_equal(run, found, chat_value_int(rest)));
    return STATUS_OK;
}

TEST(is_odd) {
    return (void)arguments, test_rest(run, self, chat_value_int(2), 1, result);
}

TEST(is_even) {
    return (void)arguments, test_rest(run, self, chat_value_int(2), 0, result);
}

TEST(is_divisible) {
    return test_rest(run, self, arguments[0], 0, result);
}

/* `is` of Python: the same object; numbers and texts that are equal may be one. */
TEST(is_same) {
    ChatValue other = arguments[0];
    bool same = self.type == other.type;
    if (same && (self.type == CHAT_DICT || self.type == CHAT_NAMESPACE))
        same = self.as.dict == other.as.dict;
    else if (same && self.type == CHAT_LIST)
        same = self.as.list == other.as.list;
    else if (same)
        same = chat_compare_equal(run, self, other);
    *result = chat_value_bool(same);
    return STATUS_OK;
}

/* A comparison as a test. */
#define TEST_COMPARE(name, op)                                                                               \
    TEST(name) {                                                                                             \
        bool holds;                                                                                          \
        CHAT_TRY(chat_operators_compare(run, op, self, arguments[0], &holds));                               \
        *result = chat_value_bool(holds);                                                                    \
        return STATUS_OK;                                                                                    \
    }
TEST_COMPARE(is_in, CHAT_TOKEN_NAME)
TEST_COMPARE(is_equal, CHAT_TOKEN_EQ)
TEST_COMPARE(is_unequal, CHAT_TOKEN_NE)
TEST_COMPARE(is_less, CHAT_TOKEN_LT)
TEST_COMPARE(is_at_most, CHAT_TOKEN_LTEQ)
TEST_COMPARE(is_greater, CHAT_TOKEN_GT)
TEST_COMPARE(is_at_least, CHAT_TOKEN_GTEQ)

static const ChatRow TESTS[] = {
    {"defined", "", 0, is_defined, NULL},
    {"undefined", "", 0, is_undefined, NULL},
    {"none", "", 0, is_none, NULL},
    {"string", "", 0, is_string, NULL},
    {"mapping", "", 0, is_mapping, NULL},
    {"iterable", "", 0, is_iterable, NULL},
    {"sequence", "", 0, is_sequence, NULL},
    {"boolean", "", 0, is_boolean, NULL},
    {"true", "", 0, is_true, NULL},
    {"false", "", 0, is_false, NULL},
    {"integer", "", 0, is_integer, NULL},
    {"float", "", 0, is_float, NULL},
    {"number", "", 0, is_number, NULL},
    {"callable", "", 0, is_callable, NULL},
    {"escaped", "", 0, is_escaped, NULL},
    {"lower", "", 0, is_lower, NULL},
    {"upper", "", 0, is_upper, NULL},
    {"odd", "", 0, is_odd, NULL},
    {"even", "", 0, is_even, NULL},
    {"divisibleby", "num", 1, is_divisible, NULL},
    {"sameas", "other", 1, is_same, NULL},
    {"in", "seq", 1, is_in, NULL},
    {"eq", "/ other", 1, is_equal, NULL},
    {"equalto", "/ other", 1, is_equal, NULL},
    {"==", "/ other", 1, is_equal, NULL},
    {"ne", "/ other", 1, is_unequal, NULL},
    {"!=", "/ other", 1, is_unequal, NULL},
    {"lt", "/ other", 1, is_less, NULL},
    {"lessthan", "/ other", 1, is_less, NULL},
    {"<", "/ other", 1, is_less, NULL},
    {"le", "/ other", 1, is_at_most, NULL},
    {"<=", "/ other", 1, is_at_most, NULL},
    {"gt", "/ other", 1, is_greater, NULL},
    {"greaterthan", "/ other", 1, is_greater, NULL},
    {">", "/ other", 1, is_greater, NULL},
    {"ge", "/ other", 1, is_at_least, NULL},
    {">=", "/ other", 1, is_at_least, NULL},
    {"filter", NULL, 0, NULL, NULL},
    {"test", NULL, 0, NULL, NULL},
};

const ChatRow *chat_tests_find(const ChatText *name) {
    return chat_arguments_find(TESTS, sizeof TESTS / sizeof *TESTS, name);
}

Status chat_tests_apply(ChatRun *run, const ChatRow *row, const ChatText *name, ChatValue value,
                        const ChatCall *call, bool *holds) {
    ChatValue result;
    if (row == NULL)
        return chat_run_fail(run, STATUS_UNSUPPORTED, "there is no test %.*s",
                             (int)(name->length > 60 ? 60 : name->length), name->bytes);
    CHAT_TRY(chat_arguments_apply(run, "test", row, value, call, &result));
    *holds = chat_value_is_truthy(result);
    return STATUS_OK;
}
