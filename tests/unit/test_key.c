/* The names of keys. */
#include "tui/keys/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_of_keys_go_there_and_back(void **state) {
    static const char *const NAMES[] = {
        "a",     "A",          "?",          "Space",      "Hash",      "é",         "Up",     "PageDown",
        "F1",    "F12",        "Enter",      "Tab",        "Shift-Tab", "Esc",       "Ctrl-l", "Alt-x",
        "Alt-A", "Shift-Left", "Ctrl-Space", "Ctrl-Alt-x", "Delete",    "Alt-Enter", "日"};
    (void)state;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        Key key;
        char name[KEY_NAME_SIZE];
        assert_true(key_parse(NAMES[i], strlen(NAMES[i]), &key));
        key_write_name(key, name);
        assert_string_equal(name, NAMES[i]);
    }
}

/* A terminal sends one byte for both: under its own name such a key would never be pressed. */
static void control_letters_that_are_named_keys_are_those(void **state) {
    static const char *const PAIRS[][2] = {
        {"Ctrl-i", "Tab"}, {"Ctrl-M", "Enter"},       {"Ctrl-j", "Enter"},      {"Ctrl-h", "Backspace"},
        {"Ctrl-[", "Esc"}, {"Ctrl-Alt-i", "Alt-Tab"}, {"Ctrl-Tab", "Ctrl-Tab"}, {"Ctrl-k", "Ctrl-k"}};
    (void)state;
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++) {
        Key key;
        char name[KEY_NAME_SIZE];
        assert_true(key_parse(PAIRS[i][0], strlen(PAIRS[i][0]), &key));
        key_write_name(key, name);
        assert_string_equal(name, PAIRS[i][1]);
    }
}

static void what_is_not_a_key_is_refused(void **state) {
    static const char *const WORDS[] = {"",      "ab",      "enter", "F0",   "F13",    "F1x",
                                        "Ctrl-", "Shift-a", "Up-Up", "\x1b", "\u202e", "\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        Key key;
        assert_false(key_parse(WORDS[i], strlen(WORDS[i]), &key));
    }
}

static void what_stands_behind_a_name_is_not_read(void **state) {
    Key key;
    (void)state;
    assert_true(key_parse("F12", 2, &key));
    assert_int_equal(key, KEY_FUNCTION + 1);
}

static void control_letters_have_no_case(void **state) {
    Key key;
    (void)state;
    assert_true(key_parse("Ctrl-L", 6, &key));
    assert_int_equal(key, KEY_CONTROL | 'l');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_keys_go_there_and_back),
        cmocka_unit_test(control_letters_that_are_named_keys_are_those),
        cmocka_unit_test(what_is_not_a_key_is_refused),
        cmocka_unit_test(what_stands_behind_a_name_is_not_read),
        cmocka_unit_test(control_letters_have_no_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
