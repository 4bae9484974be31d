/* The user's settings file. */
#include "tests/scratch.h"
#include "tui/app/config.h"

static Config read_text(const char *text) {
    Config config = {0};
    config_read(&config, text, strlen(text));
    return config;
}

static void settings_are_read(void **state) {
    Config config = read_text("# mine\n\n theme = light # for the beamer\r\nkeys=vim");
    (void)state;
    assert_int_equal(config.problem_count, 0);
    assert_string_equal(config.theme, "light");
    assert_string_equal(config.keys, "vim");
}

static void the_later_line_wins(void **state) {
    Config config = read_text("theme = light\ntheme = mono\n");
    (void)state;
    assert_string_equal(config.theme, "mono");
}

static void what_is_wrong_is_left_out_and_named_by_its_line(void **state) {
    static const struct {
        const char *text, *problem;
        int line;
    } CASES[] = {
        {"theme = lihgt\nkeys = emacs", "theme is auto, dark, light, high-contrast or mono, not \"lihgt\"",
         1},
        {"keys = emacs\nkeys = nano", "keys is default, vim or emacs, not \"nano\"", 2},
        {"keys = emacs\ntheem = dark", "there is no setting \"theem\"; near: theme", 2},
        {"keys = emacs\nzzz = dark", "there is no setting \"zzz\"; there are theme and keys", 2},
        {"keys = emacs\ntheme", "expected NAME = VALUE", 2},
        {"keys = emacs\ntheme = dark light", "expected NAME = VALUE", 2},
        {"keys = emacs\ntheme = \x1b[2J", "not \"\\x1b[2J\"", 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Config config = read_text(CASES[i].text);
        assert_int_equal(config.problem_count, 1);
        assert_int_equal(config.problems[0].line, CASES[i].line);
        assert_non_null(strstr(config.problems[0].text, CASES[i].problem));
        assert_string_equal(config.keys, "emacs");
        assert_string_equal(config.theme, "");
    }
}

static void a_file_of_nonsense_ends(void **state) {
    enum { SIZE = 4096 };
    char text[SIZE];
    Config config = {0};
    (void)state;
    for (int i = 0; i < SIZE; i++) text[i] = (char)(i * 7 % 256);
    config_read(&config, text, SIZE);
    assert_true(config.problem_count <= CONFIG_PROBLEMS);
    assert_string_equal(config.theme, "");
}

static void no_file_is_no_problem(void **state) {
    Config config;
    (void)state;
    assert_int_equal(setenv("XDG_CONFIG_HOME", TESTS_DIR "/no-such-folder", 1), 0);
    config_read_user(&config);
    assert_int_equal(config.problem_count, 0);
    config_free(&config);
    assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
    assert_int_equal(unsetenv("HOME"), 0);
    config_read_user(&config);
    assert_null(config.path);
    config_free(&config);
}

/* A link to nothing is no file that is not there: someone put it there. */
static void a_file_that_cannot_be_read_is_named_once_with_the_reason(void **state) {
    static const struct {
        const char *target, *reason; /* of a link; NULL: a directory */
    } CASES[] = {{NULL, "expected a regular file"},
                 {"/nowhere/at/all", "No such file or directory"},
                 {"config", "Too many levels of symbolic links"},
                 {"/dev/zero", "expected a regular file"}};
    (void)state;
    assert_int_equal(mkdir(scratch_path("rejuv"), 0777), 0);
    assert_int_equal(setenv("XDG_CONFIG_HOME", scratch, 1), 0);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const char *path = scratch_path("rejuv/config");
        char expected[1200];
        Config config;
        (void)snprintf(expected, sizeof expected, "%s: %s", path, CASES[i].reason);
        assert_int_equal(CASES[i].target == NULL ? mkdir(path, 0777) : symlink(CASES[i].target, path), 0);
        config_read_user(&config);
        assert_int_equal(config.problem_count, 1);
        assert_int_equal(config.problems[0].line, 0);
        assert_string_equal(config.problems[0].text, expected);
        config_free(&config);
        scratch_clear("rejuv/config");
    }
    assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_read),
        cmocka_unit_test(the_later_line_wins),
        cmocka_unit_test(what_is_wrong_is_left_out_and_named_by_its_line),
        cmocka_unit_test(a_file_of_nonsense_ends),
        cmocka_unit_test(no_file_is_no_problem),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named_once_with_the_reason),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
