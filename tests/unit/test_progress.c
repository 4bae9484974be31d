/* How far a batch command is, where nobody watches: a line every ten seconds, and the file of --log-file. */
#include "tui/commands/batch_log.h"
#include "tui/commands/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/rejuv-log-XXXXXX";

static int make_file(void **state) {
    (void)state;
    int file = mkstemp(path);
    return file < 0 ? 1 : close(file);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

/* Without the time and the process, which differ. Freed by the caller. */
static char *read_lines(void) {
    char *text = calloc(1, 4096), line[1024];
    FILE *file = fopen(path, "r");
    assert_non_null(text);
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        assert_int_equal(line[strlen("2026-11-30T21:30:00")], 'Z');
        const char *rest = strchr(strchr(line, ' ') + 1, ' ') + 1;
        (void)strncat(text, rest, 4095 - strlen(text));
    }
    assert_int_equal(fclose(file), 0);
    return text;
}

static void a_line_is_written_when_ten_seconds_have_gone_by(void **state) {
    (void)state;
    const JobProgress some = {.stage = "export", .done = 400000000, .total = 1000000000, .seconds = 2};
    Progress progress = progress_begin(true);
    progress.log = fopen(path, "ae");
    assert_non_null(progress.log);
    progress_observe(&progress, some); /* just begun */
    progress.said -= 11;
    progress_observe(&progress, some);
    progress_observe(&progress, some); /* just said */
    assert_int_equal(fclose(progress.log), 0);
    char *lines = read_lines();
    assert_string_equal(lines, "export 40 %, 200 MB/s, 0:03 left\n");
    free(lines);
}

static void a_log_has_how_it_began_what_was_told_and_how_it_ended(void **state) {
    (void)state;
    char *words[] = {"rejuv", "export", "BASE", "SFT", NULL};
    FILE *log;
    Error error;
    assert_int_equal(batch_log_begin(path, 4, words, &log, &error), STATUS_OK);
    batch_log_write(log, "a name with\nsomething in it");
    assert_int_equal(batch_log_end(log, path, 130, 61, &error), STATUS_OK);
    char *lines = read_lines();
    assert_string_equal(lines,
                        "export 40 %, 200 MB/s, 0:03 left\n"
                        "began: rejuv export BASE SFT\n"
                        "a name with\\nsomething in it\n"
                        "ended: status 130, after 1:01\n");
    free(lines);
}

static void a_log_that_cannot_be_written_is_told(void **state) {
    (void)state;
    char *words[] = {"rejuv", NULL};
    FILE *log;
    Error error;
    assert_int_equal(batch_log_begin("/nowhere/log", 1, words, &log, &error), STATUS_IO);
    assert_int_equal(batch_log_begin("/dev/full", 1, words, &log, &error), STATUS_OK);
    assert_int_equal(batch_log_end(log, "/dev/full", 0, 0, &error), STATUS_IO);
    batch_log_write(NULL, "nobody listens");
    assert_int_equal(batch_log_end(NULL, NULL, 0, 0, &error), STATUS_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_written_when_ten_seconds_have_gone_by),
        cmocka_unit_test(a_log_has_how_it_began_what_was_told_and_how_it_ended),
        cmocka_unit_test(a_log_that_cannot_be_written_is_told),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
