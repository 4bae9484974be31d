/* The user's own files: who may read them, and names that begin with ~. */
#include "core/files/user_directory.h"
#include "core/support/memory.h"
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
    char *path = scratch_path("state/copied"), *left = memory_format("%s.%ld.new", path, (long)getpid());
    assert_non_null(left);
    must_write(path, "a prompt");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(chmod(path, 0644), 0); /* as earlier versions wrote it */
    must_write(path, "another");
    assert_int_equal(mode_of(path), 0600);
    FILE *file = fopen(left, "w"); /* by a crash of another process of this number */
    assert_non_null(file);
    assert_true(fputs("longer than what comes", file) >= 0 && fclose(file) == 0);
    assert_int_equal(chmod(left, 0666), 0);
    must_write(path, "a third");
    assert_int_equal(mode_of(path), 0600);
    struct stat facts;
    assert_true(stat(path, &facts) == 0 && facts.st_size == 7);
    free(left);
    free(path);
}

/* As sessions do whose connection is lost. */
static void processes_that_write_one_file_at_once_all_succeed(void **state) {
    (void)state;
    enum { PROCESSES = 4, TIMES = 100 };
    char *path = scratch_path("state/shared");
    static const char TEXT[] = "what each of them writes";
    pid_t children[PROCESSES];
    must_write(path, TEXT);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] > 0) continue;
        bool is_well = true;
        for (int n = 0; n < TIMES && is_well; n++)
            is_well = user_directory_write_file(path, TEXT, sizeof TEXT - 1, NULL) == STATUS_OK;
        _exit(is_well ? 0 : 1);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int ended;
        assert_int_equal(waitpid(children[i], &ended, 0), children[i]);
        assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    }
    struct stat facts;
    assert_true(stat(path, &facts) == 0 && facts.st_size == (off_t)(sizeof TEXT - 1));
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
                                       cmocka_unit_test(processes_that_write_one_file_at_once_all_succeed),
                                       cmocka_unit_test(a_tilde_at_the_beginning_is_the_home_directory)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
