/* The library that injects faults does inject them: where it was told, as often as it was told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/faults-XXXXXX";

/* Runs the sample under `faults` (assignments for sh); its line is left in `line`. Returns its wait status.
 */
static int run_sample(const char *faults, char *line, size_t size) {
    char command[4096];
    (void)unlink("log");
    (void)snprintf(
        command, sizeof command,
        "ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 LD_PRELOAD='%s' FAULT_LOG='%s/log' %s "
        "'%s' '%s' 2>'%s/errors'",
        INJECT_FAULTS, folder, faults, FAULT_SAMPLE, folder, folder);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    line[0] = '\0';
    if (fgets(line, (int)size, output) != NULL) line[strcspn(line, "\n")] = '\0';
    return pclose(output);
}

static void expect_line(const char *faults, const char *expected) {
    char line[256];
    (void)run_sample(faults, line, sizeof line);
    assert_string_equal(line, expected);
}

static void read_file(const char *name, char *text, size_t size) {
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    size_t bytes = file == NULL ? 0 : fread(text, 1, size - 1, file);
    text[bytes] = '\0';
    if (file != NULL) (void)fclose(file);
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int remove_folder(void **state) {
    (void)state;
    char command[256];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return chdir("/") != 0 || system(command) != 0;
}

static void without_a_plan_nothing_fails(void **state) {
    (void)state;
    expect_line("", "done");
}

static void every_call_fails_when_told(void **state) {
    (void)state;
    static const char *const calls[] = {"open",      "write", "read",   "pread", "pwrite", "fsync",
                                        "ftruncate", "mmap",  "malloc", "close", "rename"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char plan[128], expected[128];
        (void)snprintf(plan, sizeof plan, "FAULT_CALL=%s FAULT_PATH=file.part FAULT_ERRNO=EXDEV", calls[i]);
        (void)snprintf(expected, sizeof expected, "%s 1: %s", calls[i], strerror(EXDEV));
        expect_line(plan, expected);
    }
}

static void the_nth_call_fails_and_not_the_one_before(void **state) {
    (void)state;
    expect_line("FAULT_CALL=write FAULT_PATH=file.part FAULT_NTH=7", "write 7: Input/output error");
    expect_line("FAULT_CALL=malloc FAULT_PATH=file.part FAULT_NTH=3", "malloc 3: Cannot allocate memory");
    expect_line("FAULT_CALL=write FAULT_PATH=file.part FAULT_NTH=11", "done");
}

static void another_file_does_not_fail(void **state) {
    (void)state;
    expect_line("FAULT_CALL=write FAULT_PATH=other.part", "done");
}

static void a_disk_fills_up_at_a_byte(void **state) {
    (void)state;
    /* 250 bytes: two pieces, half of the third, and then none */
    expect_line("FAULT_CALL=write FAULT_PATH=file.part FAULT_BYTES=250 FAULT_ERRNO=ENOSPC FAULT_TIMES=0",
                "write 4: No space left on device");
    char text[2048];
    read_file("file.part", text, sizeof text);
    FILE *file = fopen("file.part", "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    assert_int_equal(ftell(file), 250);
    (void)fclose(file);
}

static void short_calls_move_fewer_bytes_and_nothing_is_lost(void **state) {
    (void)state;
    char text[256];
    expect_line("FAULT_CALL=write FAULT_PATH=file.part FAULT_ERRNO=SHORT FAULT_TIMES=2", "done");
    read_file("errors", text, sizeof text);
    assert_string_equal(text, "12 writes, 10 reads\n");
    expect_line("FAULT_CALL=read FAULT_PATH=file.part FAULT_ERRNO=SHORT FAULT_TIMES=1", "done");
    read_file("errors", text, sizeof text);
    assert_string_equal(text, "10 writes, 11 reads\n");
}

static void a_process_is_killed_at_a_call(void **state) {
    (void)state;
    char line[256];
    int status = run_sample("FAULT_CALL=rename FAULT_ERRNO=KILL", line, sizeof line);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + 9);
    assert_string_equal(line, "");
}

static void every_fault_is_logged(void **state) {
    (void)state;
    char text[256], expected[256];
    expect_line("FAULT_CALL=fsync FAULT_PATH=file.part", "fsync 1: Input/output error");
    read_file("log", text, sizeof text);
    (void)snprintf(expected, sizeof expected, "fsync %s/file.part\n", folder);
    assert_string_equal(text, expected);
    expect_line("FAULT_CALL=fsync FAULT_PATH=other.part", "done");
    read_file("log", text, sizeof text);
    assert_string_equal(text, "");
}

static void a_misspelt_error_is_refused(void **state) {
    (void)state;
    char line[256];
    int status = run_sample("FAULT_CALL=write FAULT_ERRNO=ENOSPACE", line, sizeof line);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 125);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_plan_nothing_fails),
        cmocka_unit_test(every_call_fails_when_told),
        cmocka_unit_test(the_nth_call_fails_and_not_the_one_before),
        cmocka_unit_test(another_file_does_not_fail),
        cmocka_unit_test(a_disk_fills_up_at_a_byte),
        cmocka_unit_test(short_calls_move_fewer_bytes_and_nothing_is_lost),
        cmocka_unit_test(a_process_is_killed_at_a_call),
        cmocka_unit_test(every_fault_is_logged),
        cmocka_unit_test(a_misspelt_error_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
