/* Keys: their names, the built-in bindings, users' own, and what typing means. */
#include "tui/keymap.h"
#include "tui/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static Keymap *make(void) {
    Keymap *keymap;
    Error error = {.message = ""};
    Status status = keymap_create(&keymap, &error);
    if (status != STATUS_OK) fail_msg("%s", error.message);
    return keymap;
}

static Status read_text(Keymap *keymap, const char *text, Error *error) {
    return keymap_read(keymap, text, strlen(text), "test.keys", error);
}

static Action action_of(const Keymap *keymap, const char *view, Key key) {
    const KeymapBinding *binding;
    return keymap_look_up(keymap, view, &key, 1, &binding) == KEYMAP_BOUND ? binding->action : ACTION_NOTHING;
}

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

static void what_is_not_a_key_is_refused(void **state) {
    static const char *const WORDS[] = {"",      "ab",      "enter", "F0",   "F13",    "F1x",
                                        "Ctrl-", "Shift-a", "Up-Up", "\x1b", "\u202e", "\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        Key key;
        assert_false(key_parse(WORDS[i], strlen(WORDS[i]), &key));
    }
}

static void control_letters_have_no_case(void **state) {
    Key key;
    (void)state;
    assert_true(key_parse("Ctrl-L", 6, &key));
    assert_int_equal(key, KEY_CONTROL | 'l');
}

static void the_built_in_file_is_valid_and_binds_no_key_twice(void **state) {
    size_t bytes, bindings = 0;
    const char *text = keymap_default_text(&bytes);
    Keymap *keymap = make();
    (void)state;
    assert_int_equal(strlen(text), bytes); /* embedded whole, with a NUL behind it */
    /* every line that is not blank, a comment or a section is one binding; a key bound twice would give fewer
     */
    size_t lines = 0;
    char section[KEYMAP_SECTION] = "";
    for (const char *at = text; at < text + bytes;) {
        const char *end = strchr(at, '\n');
        size_t length = end != NULL ? (size_t)(end - at) : strlen(at), blank = strspn(at, " \t");
        bool names_view = at[0] == '[' && length > 1 && at[1] != ' '; /* a bracket alone is a key */
        if (blank < length && at[blank] != '#' && !names_view) lines++;
        if (names_view) {
            (void)snprintf(section, sizeof section, "%.*s", (int)strcspn(at + 1, "]"), at + 1);
            bool known = strcmp(section, "generic") == 0;
            for (size_t v = 0; v < VIEW_COUNT; v++)
                known = known || (VIEWS[v] != NULL && strcmp(VIEWS[v]->name, section) == 0);
            if (!known) fail_msg("the section [%s] is no view", section);
        }
        at += length + 1;
    }
    const KeymapBinding *list[1024];
    bindings = keymap_list(keymap, "no such view", list, 1024);
    for (size_t v = 0; v < VIEW_COUNT; v++) {
        if (VIEWS[v] == NULL) continue;
        size_t count = keymap_list(keymap, VIEWS[v]->name, list, 1024);
        for (size_t i = 0; i < count && i < 1024; i++) bindings += strcmp(list[i]->section, "generic") != 0;
    }
    assert_int_equal(bindings, lines);
    keymap_free(keymap);
}

static void keys_that_everybody_expects_are_bound(void **state) {
    Keymap *keymap = make();
    (void)state;
    assert_int_equal(action_of(keymap, "layers", 'q'), ACTION_QUIT);
    assert_int_equal(action_of(keymap, "layers", '?'), ACTION_HELP);
    assert_int_equal(action_of(keymap, "layers", ':'), ACTION_COMMAND);
    assert_int_equal(action_of(keymap, "layers", '/'), ACTION_SEARCH);
    assert_int_equal(action_of(keymap, "layers", KEY_CONTROL | 'c'), ACTION_INTERRUPT);
    assert_int_equal(action_of(keymap, "layers", KEY_CONTROL | 'z'), ACTION_SUSPEND);
    assert_int_equal(action_of(keymap, "layers", KEY_ARROW_UP), ACTION_MOVE_UP);
    assert_int_equal(action_of(keymap, "layers", 'k'), ACTION_MOVE_UP);
    keymap_free(keymap);
}

static void a_users_file_changes_adds_and_takes_away(void **state) {
    Keymap *keymap = make();
    Error error;
    (void)state;
    assert_int_equal(
        read_text(keymap,
                  "q help # a comment\r\n\n[generic]\ny  alpha-set 0.25\nG nothing\nZ Z quit\nHash quit",
                  &error),
        STATUS_OK);
    assert_int_equal(action_of(keymap, "layers", 'q'), ACTION_HELP);
    assert_int_equal(action_of(keymap, "layers", 'G'), ACTION_NOTHING);
    assert_int_equal(action_of(keymap, "layers", '#'), ACTION_QUIT);
    assert_int_equal(action_of(keymap, "layers", 'j'), ACTION_MOVE_DOWN);
    Key keys[] = {'y'};
    const KeymapBinding *binding;
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 1, &binding), KEYMAP_BOUND);
    assert_string_equal(binding->argument, "0.25");
    keymap_free(keymap);
}

static void a_views_section_comes_before_the_generic_one(void **state) {
    Keymap *keymap = make();
    (void)state;
    assert_int_equal(read_text(keymap, "[layers]\nm quit\nG nothing", NULL), STATUS_OK);
    assert_int_equal(action_of(keymap, "layers", 'm'), ACTION_QUIT);
    assert_int_equal(action_of(keymap, "tensor", 'm'), ACTION_METRIC_NEXT);
    assert_int_equal(action_of(keymap, "layers", 'G'), ACTION_NOTHING);
    assert_int_equal(action_of(keymap, "tensor", 'G'), ACTION_LAST);
    assert_string_equal(keymap_find(keymap, "layers", ACTION_QUIT)->section, "layers");
    keymap_free(keymap);
}

static void a_bad_line_is_named_with_what_is_near_and_changes_nothing(void **state) {
    static const struct {
        const char *text, *part;
    } CASES[] = {
        {"j move-down\nq qiut", "line 2: there is no action \"qiut\"; \"quit\" is near"},
        {"Upp move-up", "expected a key such as"},
        {"j", "expected the name of an action"},
        {"j qui", "\"quit\" is near"}, /* no beginnings in files: they may stop being unambiguous */
        {"[layers\nj quit", "expected a section"},
        {"j alpha-set much", "takes a number"},
        {"j quit now", "takes nothing"},
        {"j \x1b[2Jx", "\\x1b[2Jx"},
        {"a b c d e quit", "no action"},
    };
    Keymap *keymap = make();
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        Error error = {.message = ""};
        assert_int_equal(read_text(keymap, CASES[i].text, &error), STATUS_FORMAT);
        if (strstr(error.message, CASES[i].part) == NULL || strstr(error.message, "test.keys, line") == NULL)
            fail_msg("\"%s\" is not in \"%s\"", CASES[i].part, error.message);
    }
    assert_int_equal(action_of(keymap, "layers", 'j'), ACTION_MOVE_DOWN);
    keymap_free(keymap);
}

static void a_missing_file_that_was_named_is_an_error(void **state) {
    Keymap *keymap = make();
    Error error;
    (void)state;
    assert_int_equal(keymap_read_user(keymap, TESTS_DIR "/no-such-file", &error), STATUS_IO);
    keymap_free(keymap);
}

static void a_sequence_and_its_beginning_exclude_each_other(void **state) {
    Keymap *keymap = make();
    const KeymapBinding *binding;
    Key keys[] = {'g', 'g'};
    (void)state;
    assert_int_equal(read_text(keymap, "g g last", NULL), STATUS_OK);
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 1, &binding), KEYMAP_PREFIX);
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 2, &binding), KEYMAP_BOUND);
    assert_int_equal(read_text(keymap, "g quit", NULL), STATUS_OK);
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 1, &binding), KEYMAP_BOUND);
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 2, &binding), KEYMAP_UNBOUND);
    assert_int_equal(read_text(keymap, "[tensor]\ng g quit", NULL),
                     STATUS_OK); /* the view's sequence hides it */
    assert_int_equal(keymap_look_up(keymap, "tensor", keys, 1, &binding), KEYMAP_PREFIX);
    assert_int_equal(keymap_look_up(keymap, "layers", keys, 1, &binding), KEYMAP_BOUND);
    keymap_free(keymap);
}

static KeymapMatch feed(const Keymap *keymap, KeymapInput *input, Key key, Action *action, int *count) {
    const KeymapBinding *binding = NULL;
    KeymapMatch match = keymap_feed(keymap, "layers", input, key, &binding, count);
    *action = match == KEYMAP_BOUND ? binding->action : ACTION_NOTHING;
    return match;
}

static void alt_digits_begin_a_count(void **state) {
    Keymap *keymap = make();
    KeymapInput input = {0};
    Action action;
    int count;
    (void)state;
    assert_int_equal(feed(keymap, &input, KEY_ALT | '1', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, '0', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, 'j', &action, &count), KEYMAP_BOUND);
    assert_int_equal(action, ACTION_MOVE_DOWN);
    assert_int_equal(count, 10);
    assert_int_equal(feed(keymap, &input, '2', &action, &count), KEYMAP_BOUND); /* bound to a view again */
    assert_int_equal(action, ACTION_VIEW_2);
    assert_int_equal(count, 1);
    keymap_free(keymap);
}

static void unbound_digits_begin_a_count(void **state) {
    Keymap *keymap = make();
    KeymapInput input = {0};
    Action action;
    int count;
    (void)state;
    assert_int_equal(read_text(keymap, "1 nothing\n0 quit", NULL), STATUS_OK);
    assert_int_equal(feed(keymap, &input, '1', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, '0', &action, &count), KEYMAP_PREFIX);
    for (int i = 0; i < 20; i++) assert_int_equal(feed(keymap, &input, '9', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, 'k', &action, &count), KEYMAP_BOUND);
    assert_int_equal(count, KEYMAP_COUNT_LIMIT);
    assert_int_equal(feed(keymap, &input, '0', &action, &count), KEYMAP_BOUND); /* first: an ordinary key */
    assert_int_equal(action, ACTION_QUIT);
    keymap_free(keymap);
}

static void sequences_wait_and_escape_takes_them_back(void **state) {
    Keymap *keymap = make();
    KeymapInput input = {0};
    Action action;
    int count;
    (void)state;
    assert_int_equal(read_text(keymap, "g nothing\ng g first\ng x y z quit", NULL), STATUS_OK);
    assert_int_equal(feed(keymap, &input, 'g', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, 'g', &action, &count), KEYMAP_BOUND);
    assert_int_equal(action, ACTION_FIRST);
    assert_int_equal(feed(keymap, &input, 'g', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, KEY_ESCAPE, &action, &count), KEYMAP_PREFIX);
    assert_int_equal(input.key_count, 0);
    assert_int_equal(feed(keymap, &input, 'g', &action, &count), KEYMAP_PREFIX);
    assert_int_equal(feed(keymap, &input, 'q', &action, &count), KEYMAP_UNBOUND);
    assert_int_equal(feed(keymap, &input, 'g', &action, &count), KEYMAP_PREFIX);
    (void)feed(keymap, &input, 'x', &action, &count);
    (void)feed(keymap, &input, 'y', &action, &count);
    assert_int_equal(feed(keymap, &input, 'z', &action, &count), KEYMAP_BOUND);
    assert_int_equal(action, ACTION_QUIT);
    assert_int_equal(feed(keymap, &input, KEY_ESCAPE, &action, &count),
                     KEYMAP_BOUND); /* nothing typed: itself */
    assert_int_equal(action, ACTION_BACK);
    keymap_free(keymap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_keys_go_there_and_back),
        cmocka_unit_test(what_is_not_a_key_is_refused),
        cmocka_unit_test(control_letters_have_no_case),
        cmocka_unit_test(the_built_in_file_is_valid_and_binds_no_key_twice),
        cmocka_unit_test(keys_that_everybody_expects_are_bound),
        cmocka_unit_test(a_users_file_changes_adds_and_takes_away),
        cmocka_unit_test(a_views_section_comes_before_the_generic_one),
        cmocka_unit_test(a_bad_line_is_named_with_what_is_near_and_changes_nothing),
        cmocka_unit_test(a_missing_file_that_was_named_is_an_error),
        cmocka_unit_test(a_sequence_and_its_beginning_exclude_each_other),
        cmocka_unit_test(alt_digits_begin_a_count),
        cmocka_unit_test(unbound_digits_begin_a_count),
        cmocka_unit_test(sequences_wait_and_escape_takes_them_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
