/* Messages: what they hold, how long they get, and that nothing of a file's can drive a terminal. */
#include "core/support/status.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void a_failure_carries_its_status_and_message(void **state) {
    (void)state;
    Error error = {0};
    assert_int_equal(status_fail(&error, STATUS_FORMAT, "tensor %s: %d", "q", 3), STATUS_FORMAT);
    assert_int_equal(error.status, STATUS_FORMAT);
    assert_string_equal(error.message, "tensor q: 3");
}

static void a_message_nobody_wants_still_fails_with_its_status(void **state) {
    (void)state;
    assert_int_equal(status_fail(NULL, STATUS_MISMATCH, "x"), STATUS_MISMATCH);
    assert_int_equal(status_fail_errno(NULL, EACCES, "x"), STATUS_IO);
    assert_int_equal(status_fail_errno(NULL, ENOMEM, "x"), STATUS_NO_MEMORY);
}

static void a_system_error_is_told_in_words(void **state) {
    (void)state;
    Error error;
    assert_int_equal(status_fail_errno(&error, EACCES, "%s", "a.safetensors"), STATUS_IO);
    assert_string_equal(error.message, "a.safetensors: Permission denied");
    assert_int_equal(status_fail_errno(&error, ENOMEM, "x"), STATUS_NO_MEMORY);
}

static void context_comes_before_what_happened(void **state) {
    (void)state;
    Error error;
    (void)status_fail(&error, STATUS_UNSUPPORTED, "id 7 is unknown");
    assert_int_equal(status_add_context(&error, "%s, line %d", "rows.jsonl", 4), STATUS_UNSUPPORTED);
    assert_string_equal(error.message, "rows.jsonl, line 4: id 7 is unknown");
}

/* Every way a message is made, fed with `text`. */
static void make_message(int way, const char *text, Error *error) {
    if (way == 0) (void)status_fail(error, STATUS_FORMAT, "%s", text);
    if (way == 1) (void)status_fail_errno(error, EIO, "%s", text);
    if (way == 2) {
        (void)status_fail(error, STATUS_FORMAT, "what");
        (void)status_add_context(error, "%s", text);
    }
}

static void must_be_plain(const char *message) {
    const unsigned char *c = (const unsigned char *)message;
    for (; *c != '\0'; c++) {
        bool is_c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;
        if (*c < 0x20 || *c == 0x7f || is_c1) fail_msg("byte %02x of a message is a control", *c);
    }
}

static void control_characters_of_a_name_never_reach_the_message(void **state) {
    (void)state;
    static const char *const NAMES[] = {"a\033[2Jb", "a\nb\rc\td", "a\x7f\x01z", "caf\303\251\302\23331m"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        for (int way = 0; way < 3; way++) {
            Error error;
            make_message(way, NAMES[i], &error);
            must_be_plain(error.message);
            assert_non_null(strchr(error.message, '?'));
        }
    }
}

static void letters_of_any_script_pass(void **state) {
    (void)state;
    Error error;
    (void)status_fail(&error, STATUS_FORMAT, "%s", "é 中 🙂 ×");
    assert_string_equal(error.message, "é 中 🙂 ×");
}

/* A terminal that is not in UTF-8 mode takes the single byte 9b for ESC [. */
static void bytes_that_are_no_utf8_become_question_marks(void **state) {
    (void)state;
    static const struct {
        const char *given, *shown;
    } CASES[] = {{"a\23331m", "a?31m"},        {"caf\xe9", "caf?"},          {"\xc0\x9b", "??"},
                 {"\xed\xa0\x80", "???"},      {"\xf5\x80\x80\x80", "????"}, {"\xe4\xb8", "??"},
                 {"\xc3\xa9\xc3", "\xc3\xa9?"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Error error;
        (void)status_fail(&error, STATUS_FORMAT, "%s", CASES[i].given);
        assert_string_equal(error.message, CASES[i].shown);
    }
}

static void a_message_longer_than_its_room_is_cut_and_still_plain(void **state) {
    (void)state;
    char name[2 * ERROR_MESSAGE_SIZE];
    memset(name, '\033', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (int way = 0; way < 3; way++) {
        Error error;
        memset(error.message, 'x', sizeof error.message);
        make_message(way, name, &error);
        assert_true(memchr(error.message, '\0', sizeof error.message) != NULL);
        must_be_plain(error.message);
    }
}

static void a_cut_does_not_leave_half_a_character(void **state) {
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        char name[2 * ERROR_MESSAGE_SIZE] = "";
        memset(name, 'a', shift);
        while (strlen(name) + 4 < sizeof name) strcat(name, "中");
        Error error;
        (void)status_fail(&error, STATUS_FORMAT, "%s", name);
        size_t length = strlen(error.message);
        assert_true(length >= ERROR_MESSAGE_SIZE - 4);
        for (size_t at = shift; at + 3 <= length; at += 3) assert_memory_equal(error.message + at, "中", 3);
        for (size_t at = shift + (length - shift) / 3 * 3; at < length; at++)
            assert_int_equal(error.message[at], '?');
    }
}

static void every_status_has_a_name_of_its_own(void **state) {
    (void)state;
    for (int a = STATUS_OK; a <= STATUS_CANCELLED; a++) {
        assert_string_not_equal(status_name((Status)a), "unknown");
        for (int b = STATUS_OK; b < a; b++)
            assert_string_not_equal(status_name((Status)a), status_name((Status)b));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_carries_its_status_and_message),
        cmocka_unit_test(a_message_nobody_wants_still_fails_with_its_status),
        cmocka_unit_test(a_system_error_is_told_in_words),
        cmocka_unit_test(context_comes_before_what_happened),
        cmocka_unit_test(control_characters_of_a_name_never_reach_the_message),
        cmocka_unit_test(letters_of_any_script_pass),
        cmocka_unit_test(bytes_that_are_no_utf8_become_question_marks),
        cmocka_unit_test(a_message_longer_than_its_room_is_cut_and_still_plain),
        cmocka_unit_test(a_cut_does_not_leave_half_a_character),
        cmocka_unit_test(every_status_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
