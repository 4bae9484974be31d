/*
 * Exports under faults: every system call that an export makes to write fails once, in turn. Whatever fails,
 * no directory looks finished, and the next run without faults gives the bytes of an undisturbed one.
 *
 * The test runs itself as the exporting program (arguments: export BASE SFT OUT), under a library
 * that makes calls fail (faults/inject_faults.c).
 */
#include "tests/export_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#ifndef NIGHTLY
#define NIGHTLY 0
#endif

enum { FAILED = 9, MALLOC_STRIDE = NIGHTLY ? 1 : 5 /* of hundreds of allocations */ };

/* ---- the exporting program ---- */

static int run_export(char **arguments) {
    Error error = {0};
    Pair *pair = NULL;
    ExportPlan *plan = NULL;
    Job *job = NULL;
    ExportOptions options = {.settings = {.alpha = 0.3},
                             .directory = arguments[4],
                             .shard_bytes = 600,
                             .window_bytes = 256,
                             .sync_bytes = 1};
    Status status = pair_open(arguments[2], arguments[3], &pair, &error);
    if (status == STATUS_OK) status = export_plan(pair, &options, &plan, &error);
    if (status == STATUS_OK) status = job_create(2, NULL, NULL, &job, &error);
    if (status == STATUS_OK) status = export_run(plan, job, &error);
    if (status != STATUS_OK) (void)fprintf(stderr, "%s\n", error.message);
    job_free(job);
    export_plan_free(plan);
    pair_close(pair);
    return status == STATUS_OK ? 0 : FAILED;
}

static char program[1024];

/* Runs it under `faults` (assignments for sh). The exit status, or minus the signal that ended it. */
static int export_under(const char *faults) {
    char command[8192], errors[1024];
    (void)snprintf(errors, sizeof errors, "%s", scratch_path("errors"));
    (void)snprintf(
        command, sizeof command,
        "ASAN_OPTIONS=\"$ASAN_OPTIONS:verify_asan_link_order=0\" LD_PRELOAD='%s' FAULT_LOG='%s' %s "
        "exec '%s' export '%s' '%s' '%s' 2>'%s'",
        INJECT_FAULTS, scratch_path("log"), faults, program, scratch_path("base"), scratch_path("sft"),
        scratch_path("out"), errors);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    return WIFEXITED(result) ? WEXITSTATUS(result) : -WTERMSIG(result);
}

/* ---- what must hold ---- */

static bool looks_finished(const char *directory) {
    Checkpoint *checkpoint;
    char state[256];
    (void)snprintf(state, sizeof state, "%s/rejuv-partial.json", directory);
    if (scratch_has(state) || checkpoint_open(scratch_path(directory), &checkpoint, NULL) != STATUS_OK)
        return false;
    checkpoint_close(checkpoint);
    return true;
}

static void expect_reference(const char *faults) {
    char command[2048];
    (void)snprintf(command, sizeof command, "diff -r '%s' '%s'", scratch_path("reference"),
                   scratch_path("out"));
    if (system(command) != 0) fail_msg("%s: the bytes differ", faults);
    if (scratch_has(".out.rejuv-partial")) fail_msg("%s: the partial directory is still there", faults);
}

/* One run under a fault and one without. False where the fault did not happen: there are no more calls. */
static bool survive(const char *faults) {
    scratch_clear("out");
    scratch_clear(".out.rejuv-partial");
    scratch_clear("log");
    int status = export_under(faults);
    if (!scratch_has("log")) {
        assert_int_equal(status, 0);
        return false;
    }
    if (status == 0) {
        expect_reference(faults); /* a fault that does not matter, in closing a file that was read, say */
        return true;
    }
    if (status != FAILED && status != -SIGKILL) fail_msg("%s: status %d", faults, status);
    char *message = scratch_read("errors", NULL);
    if (status == FAILED && strlen(message) < 10) fail_msg("%s: no message", faults);
    free(message);
    if (status == FAILED && scratch_has("out")) fail_msg("%s: the target is there", faults);
    if (looks_finished("out")) { /* killed when there was nothing left to do: then it is finished */
        expect_reference(faults);
        return true;
    }
    if (looks_finished(".out.rejuv-partial")) fail_msg("%s: the partial directory looks finished", faults);
    if (export_under("") != 0) fail_msg("%s: the next run fails too", faults);
    expect_reference(faults);
    return true;
}

/* `call` fails with `reason` at its first time and at every `stride`th from there on, until there is none left to fail. */
static void survive_stride(const char *call, const char *path, const char *reason, unsigned at_least,
                           unsigned stride) {
    unsigned nth = 1;
    for (;; nth += stride) {
        char faults[1024];
        (void)snprintf(faults, sizeof faults, "FAULT_CALL=%s FAULT_PATH='%s' FAULT_ERRNO=%s FAULT_NTH=%u",
                       call, path, reason, nth);
        if (!survive(faults)) break;
        assert_true(nth < 1000);
    }
    if (nth <= at_least) fail_msg("%s: expected more than %u calls, found %u", call, at_least, nth - 1);
}

static void survive_every(const char *call, const char *path, const char *reason, unsigned at_least) {
    survive_stride(call, path, reason, at_least, 1);
}

/* ---- the tests ---- */

static void a_full_disk_at_any_write_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    survive_every("pwrite", scratch, "ENOSPC", 15);
}

static void a_full_disk_says_how_much_was_to_be_written(void **state) {
    (void)state;
    scratch_clear("out");
    assert_int_equal(export_under("FAULT_CALL=pwrite FAULT_PATH=.safetensors FAULT_ERRNO=ENOSPC FAULT_NTH=4"),
                     FAILED);
    char *message = scratch_read("errors", NULL);
    assert_non_null(strstr(message, "model-00001-of-00002.safetensors: writing 256 bytes where "));
    assert_non_null(strstr(message, " are free: No space left on device"));
    assert_non_null(strstr(message, "the same export goes on from there"));
    free(message);
    assert_int_equal(export_under(""), 0);
    expect_reference("after a full disk");
}

static void a_disk_that_fills_up_at_any_byte_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    unsigned bytes = 1;
    for (;; bytes += 333) {
        char faults[1024];
        (void)snprintf(faults, sizeof faults,
                       "FAULT_CALL=pwrite FAULT_PATH='%s' FAULT_ERRNO=ENOSPC FAULT_BYTES=%u FAULT_TIMES=0",
                       scratch, bytes);
        if (!survive(faults)) break;
    }
    assert_true(bytes > 4000);
}

static void short_writes_are_completed(void **state) {
    (void)state;
    scratch_clear("out");
    char faults[1024];
    (void)snprintf(faults, sizeof faults, "FAULT_CALL=pwrite FAULT_PATH='%s' FAULT_ERRNO=SHORT FAULT_TIMES=0",
                   scratch);
    assert_int_equal(export_under(faults), 0);
    expect_reference(faults);
}

static void interrupted_calls_are_repeated(void **state) {
    (void)state;
    static const char *const CALLS[] = {"pwrite", "fsync"};
    for (int i = 0; i < 2; i++) {
        scratch_clear("out");
        char faults[1024];
        (void)snprintf(faults, sizeof faults, "FAULT_CALL=%s FAULT_PATH='%s' FAULT_ERRNO=EINTR FAULT_TIMES=9",
                       CALLS[i], scratch);
        assert_int_equal(export_under(faults), 0);
        expect_reference(faults);
    }
}

static void a_failing_fsync_anywhere_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    survive_every("fsync", scratch, "EIO", 15);
}

static void a_failing_rename_anywhere_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    survive_every("rename", "rejuv-partial", "EIO", 5);
}

static void a_failing_truncation_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    survive_every("ftruncate", scratch, "EIO", 4);
}

static void room_that_cannot_be_set_aside_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    survive_every("fallocate", scratch, "ENOSPC", 1);
    survive_every("fallocate", scratch, "KILL", 1);
}

static void room_that_cannot_be_set_aside_is_said_as_a_full_disk(void **state) {
    (void)state;
    scratch_clear("out");
    scratch_clear(".out.rejuv-partial");
    assert_int_equal(export_under("FAULT_CALL=fallocate FAULT_PATH=.safetensors FAULT_ERRNO=ENOSPC"), FAILED);
    char *message = scratch_read("errors", NULL);
    assert_non_null(strstr(message, "model-00001-of-00002.safetensors: writing "));
    assert_non_null(strstr(message, " are free: No space left on device"));
    free(message);
}

static void a_file_system_that_sets_no_room_aside_is_written_to_all_the_same(void **state) {
    (void)state;
    scratch_clear("out");
    scratch_clear(".out.rejuv-partial");
    assert_int_equal(export_under("FAULT_CALL=fallocate FAULT_ERRNO=EOPNOTSUPP FAULT_TIMES=0"), 0);
    expect_reference("no fallocate");
}

static void a_failing_open_anywhere_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    survive_every("open", "", "EIO", 15);
}

static void a_failing_close_anywhere_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    survive_every("close", scratch, "EIO", 10);
}

static void a_failing_read_of_the_donor_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    survive_every("read", "tokenizer", "EIO", 1);
}

static void memory_that_runs_out_anywhere_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    survive_stride("malloc", scratch, "ENOMEM", 100, MALLOC_STRIDE);
}

static void a_kill_at_any_write_sync_or_rename_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    survive_every("pwrite", scratch, "KILL", 15);
    survive_every("fsync", scratch, "KILL", 15);
    survive_every("rename", "rejuv-partial", "KILL", 5);
}

/* Not at a call but at any instant. */
static void a_kill_at_any_time_leaves_nothing_that_looks_finished(void **state) {
    (void)state;
    unsigned killed = 0;
    for (long microseconds = 500; microseconds < 40000; microseconds += 700) {
        scratch_clear("out");
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)execl(program, program, "export", scratch_path("base"), scratch_path("sft"),
                        scratch_path("out"), (char *)NULL);
            _exit(127);
        }
        struct timespec delay = {0, microseconds * 1000};
        (void)nanosleep(&delay, NULL);
        (void)kill(child, SIGKILL);
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        killed += WIFSIGNALED(result);
        assert_false(looks_finished(".out.rejuv-partial"));
        if (!looks_finished("out")) assert_int_equal(export_under(""), 0); /* on what is left, if anything */
        expect_reference("a kill");
    }
    assert_true(killed > 0);
}

static int make_pair(void **state) {
    if (scratch_make(state) != 0) return -1;
    fixture_make_pair();
    if (export_under("") != 0) return -1;
    return rename(scratch_path("out"), scratch_path("reference"));
}

int main(int count, char **arguments) {
    if (count == 5 && strcmp(arguments[1], "export") == 0) return run_export(arguments);
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_at_any_write_leaves_nothing_that_looks_finished),
        cmocka_unit_test(a_full_disk_says_how_much_was_to_be_written),
        cmocka_unit_test(a_disk_that_fills_up_at_any_byte_leaves_nothing_that_looks_finished),
        cmocka_unit_test(short_writes_are_completed),
        cmocka_unit_test(interrupted_calls_are_repeated),
        cmocka_unit_test(a_failing_fsync_anywhere_leaves_nothing_that_looks_finished),
        cmocka_unit_test(a_failing_rename_anywhere_leaves_nothing_that_looks_finished),
        cmocka_unit_test(a_failing_truncation_leaves_nothing_that_looks_finished),
        cmocka_unit_test(room_that_cannot_be_set_aside_leaves_nothing_that_looks_finished),
        cmocka_unit_test(room_that_cannot_be_set_aside_is_said_as_a_full_disk),
        cmocka_unit_test(a_file_system_that_sets_no_room_aside_is_written_to_all_the_same),
        cmocka_unit_test(a_failing_open_anywhere_leaves_nothing_that_looks_finished),
        cmocka_unit_test(a_failing_close_anywhere_leaves_nothing_that_looks_finished),
        cmocka_unit_test(a_failing_read_of_the_donor_leaves_nothing_that_looks_finished),
        cmocka_unit_test(memory_that_runs_out_anywhere_leaves_nothing_that_looks_finished),
        cmocka_unit_test(a_kill_at_any_write_sync_or_rename_leaves_nothing_that_looks_finished),
        cmocka_unit_test(a_kill_at_any_time_leaves_nothing_that_looks_finished),
    };
    return cmocka_run_group_tests(tests, make_pair, scratch_remove);
}
