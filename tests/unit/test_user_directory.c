/* The user's own files: who may read them, and names that begin with ~. */
#include "core/files/user_directory.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned mode_of(const char *path) {
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    return (unsigned)facts.st_mode & 07777;
}

static void must_write(const char *path, const char *text) {
    Error error = {0};
    if (user_directory_write_file(path, text, strlen(text), &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void files_of_the_user_are_nobody_elses_business(void **state) {
    (void)state;
    char *path = scratch_path("state/copied"), *left = scratch_path("state/copied.new");
    must_write(path, "a prompt");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(chmod(path, 0644), 0); /* as earlier versions wrote it */
    must_write(path, "another");
    assert_int_equal(mode_of(path), 0600);
    scratch_write("state/copied.new", "left by a crash, longer than what comes", 39);
    assert_int_equal(chmod(left, 0666), 0);
    must_write(path, "a third");
    assert_int_equal(mode_of(path), 0600);
    struct stat facts;
    assert_true(stat(path, &facts) == 0 && facts.st_size == 7);
    free(left);
    free(path);
}

static void expect_name(const char *name, const char *expected) {
    char text[64];
    assert_true(user_directory_expand_home(name, text, sizeof text));
    assert_string_equal(text, expected);
}

static void a_tilde_at_the_beginning_is_the_home_directory(void **state) {
    (void)state;
    assert_int_equal(setenv("HOME", "/home/someone", 1), 0);
    expect_name("~/rows.jsonl", "/home/someone/rows.jsonl");
    expect_name("~", "/home/someone");
    expect_name("", "");
    expect_name("a/~/b", "a/~/b");
    expect_name("~other/b", "~other/b"); /* someone else's: no shell is here to know it */
    expect_name("./~", "./~");
    char text[16];
    assert_false(user_directory_expand_home("~/ab", text, sizeof text)); /* 16, and no room for the end */
    assert_true(user_directory_expand_home("123456789012345", text, sizeof text));
    assert_int_equal(unsetenv("HOME"), 0);
    expect_name("~/a", "~/a");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_of_the_user_are_nobody_elses_business),
                                       cmocka_unit_test(a_tilde_at_the_beginning_is_the_home_directory)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
