/*
 * Every system call of the real program that can fail fails once, in turn, in whatever the program does with a pair: it ends
 * with what it would have said without the fault, or with status 2 and a reason. Nothing that it leaves looks finished, the
 * next run does what the first was to do, inputs are as they were, and the terminal is given back.
 *
 * By night (NIGHTLY) at every call, or at so many of them, spread evenly; by day at the first, at the last, and at some between.
 */
#include "tests/program.h"
#include "tests/scratch.h"
#include "tests/screens/terminal_host.h"
#include "tui/cli/command_table.h"

#ifdef NIGHTLY
enum { MOST_FAULTS = 2000 }; /* an attribution allocates fifty thousand times */
#else
enum { MOST_FAULTS = 4 };
#endif
enum { MOST_WORDS = 24, HANG_SECONDS = 300 };

/* What fails how. `is_safe`: the call is repeated, or something else is done, and nobody sees it. */
typedef struct Fault {
    const char *call, *error;
    bool is_safe;
} Fault;

static const Fault FAULTS[] = {
    {"open", "EIO", false},         {"open", "EMFILE", false},
    {"open", "EINTR", false},       {"read", "EIO", false},
    {"read", "EINTR", true},        {"read", "SHORT", true},
    {"pread", "EIO", false},        {"pread", "EINTR", true},
    {"pread", "SHORT", true},       {"write", "ENOSPC", false},
    {"write", "EINTR", true},       {"write", "SHORT", true},
    {"pwrite", "ENOSPC", false},    {"pwrite", "EDQUOT", false},
    {"pwrite", "EINTR", true},      {"pwrite", "SHORT", true},
    {"fsync", "EIO", false},        {"fsync", "EINTR", true},
    {"rename", "EIO", false},       {"ftruncate", "EIO", false},
    {"fallocate", "ENOSPC", false}, {"mmap", "ENOMEM", false},
    {"munmap", "EIO", false},       {"close", "EIO", false},
    {"mkdir", "ENOSPC", false},     {"pthread_create", "EAGAIN", true},
    {"malloc", "ENOMEM", false},
};
enum { FAULT_COUNT = sizeof FAULTS / sizeof *FAULTS };

/* ---- a run of the program ---- */

typedef struct Work {
    const char *name;
    const char *const *arguments;
    bool is_export, is_resumed; /* is_resumed: `partial` is put where the export goes on */
} Work;

/* Sets what the library reads; how = NULL: only counts. */
static void plan_fault(const Fault *fault, const char *how, long nth) {
    char text[32];
    (void)snprintf(text, sizeof text, "%ld", nth);
    scratch_clear("log");
    scratch_clear("count");
    if (setenv("LD_PRELOAD", INJECT_FAULTS, 1) != 0 || setenv("FAULT_CALL", fault->call, 1) != 0 ||
        setenv("FAULT_ERRNO", how != NULL ? how : "EIO", 1) != 0 ||
        setenv("FAULT_NTH", how != NULL ? text : "1000000000", 1) != 0 ||
        setenv("FAULT_LOG", scratch_path("log"), 1) != 0 ||
        setenv("FAULT_COUNT", scratch_path("count"), 1) != 0 ||
        setenv("ASAN_OPTIONS", "verify_asan_link_order=0:fast_unwind_on_malloc=0", 1) != 0 ||
        setenv("LSAN_OPTIONS", "print_suppressions=0:suppressions='" TESTS_DIR "/faults/leaks.txt'", 1) != 0)
        _exit(97);
}

static pid_t start(const Work *work, const Fault *fault, const char *how, long nth, FILE *out, FILE *err) {
    const char *words[MOST_WORDS] = {REJUV_PROGRAM};
    for (size_t i = 0; work->arguments[i] != NULL; i++) words[i + 1] = work->arguments[i];
    program_forget_places();
    scratch_clear("log");
    scratch_clear("count");
    pid_t child = fork();
    assert_true(child >= 0);
    if (child != 0) return child;
    if (fault != NULL) plan_fault(fault, how, nth);
    (void)alarm(HANG_SECONDS);
    if (dup2(fileno(out), 1) < 0 || dup2(fileno(err), 2) < 0 || chdir(scratch) != 0) _exit(99);
    (void)execv(REJUV_PROGRAM, (char *const *)(uintptr_t)words);
    _exit(98);
}

static void shell(const char *format, const char *first, const char *second) {
    char command[4096];
    (void)snprintf(command, sizeof command, "cd '%s' && ", scratch);
    size_t at = strlen(command);
    (void)snprintf(command + at, sizeof command - at, format, first, second);
    if (system(command) != 0) fail_msg("%s", command);
}

static ProgramResult run(const Work *work, const Fault *fault, const char *how, long nth) {
    if (work->is_export) shell("rm -rf out .out.rejuv-partial", "", "");
    if (work->is_resumed) shell("cp -a partial .out.rejuv-partial", "", "");
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out != NULL && err != NULL);
    ProgramResult result = {.status = program_wait(start(work, fault, how, nth, out, err))};
    result.output = program_read(out, &result.output_bytes);
    result.errors = program_read(err, &result.errors_bytes);
    program_drop_progress(result.errors, &result.errors_bytes);
    return result;
}

/* How many such calls an undisturbed run makes. */
static long count_calls(const Work *work, const Fault *fault) {
    ProgramResult result = run(work, fault, NULL, 0);
    if (result.status != 0) fail_msg("%s: status %d, %s", work->name, result.status, result.errors);
    program_free(&result);
    char *text = scratch_read("count", NULL);
    assert_non_null(text);
    long count = strtol(text, NULL, 10);
    free(text);
    return count;
}

/* ---- what must hold ---- */

static void expect_whole(const Work *work) {
    if (work->is_export) shell("diff -r reference out && test ! -e .out.rejuv-partial", "", "");
}

/* Whether what the program says of a file that is optional, in its figures or beside them, has the system's reason. */
static bool is_told(const ProgramResult *found) {
    static const char *const REASONS[] = {"Input/output error", "Too many open files",
                                          "Interrupted system call", "Cannot allocate memory"};
    for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++)
        if (strstr(found->output, REASONS[i]) != NULL || strstr(found->errors, REASONS[i]) != NULL)
            return true;
    return false;
}

/* What the next run makes of what is left. */
static void expect_next(const Work *work, const char *where) {
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out != NULL && err != NULL);
    int status = program_wait(start(work, NULL, NULL, 0, out, err));
    size_t bytes;
    char *errors = program_read(err, &bytes);
    if (status != 0) fail_msg("%s: the next run fails too: %s", where, errors);
    free(errors);
    (void)fclose(out);
    expect_whole(work);
}

static void expect_failure(const Work *work, const char *where, const ProgramResult *found) {
    if (found->status != COMMAND_EXIT_ERROR)
        fail_msg("%s: status %d, \"%s\"", where, found->status, found->errors);
    if (strncmp(found->errors, "rejuv: ", 7) != 0) fail_msg("%s: no reason, \"%s\"", where, found->errors);
    if (!work->is_export) return;
    if (scratch_has(".out.rejuv-partial/model.safetensors") &&
        !scratch_has(".out.rejuv-partial/rejuv-partial.json"))
        fail_msg("%s: the partial directory looks finished", where);
    if (!scratch_has("out"))
        expect_next(work, where);
    else /* what was read again to verify it could not be read */
        expect_whole(work);
}

static void expect_outcome(const Work *work, const Fault *fault, long nth, const ProgramResult *expected,
                           const ProgramResult *found) {
    char where[256];
    (void)snprintf(where, sizeof where, "%s, %s %ld: %s", work->name, fault->call, nth, fault->error);
    bool is_same =
        found->output_bytes == expected->output_bytes && strcmp(found->output, expected->output) == 0;
    if (found->status == 0) {
        if (!is_same && (fault->is_safe || !is_told(found)))
            fail_msg("%s: other figures, and not why\n%s\n%s", where, found->output, found->errors);
        expect_whole(work);
    } else if (work->is_export && found->status == COMMAND_EXIT_FINDING && is_told(found)) {
        expect_whole(work); /* and the inputs could not be read again to verify it */
    } else if (fault->is_safe) {
        fail_msg("%s: status %d, \"%s\"", where, found->status, found->errors);
    } else {
        expect_failure(work, where, found);
    }
}

static void expect_inputs(void) {
    shell("diff -r '%s/golden/pairs/qwen3-tied' pair", TESTS_DIR, "");
}

static void survive_at(const Work *work, const Fault *fault, long nth, const ProgramResult *expected) {
    ProgramResult found = run(work, fault, fault->error, nth);
    expect_outcome(work, fault, nth, expected, &found);
    program_free(&found);
}

/* The first, the last, and evenly between them. */
static void survive(const Work *work) {
    ProgramResult expected = run(work, NULL, NULL, 0);
    if (expected.status != 0) fail_msg("%s: %s", work->name, expected.errors);
    size_t faults = 0;
    for (size_t f = 0; f < FAULT_COUNT; f++) {
        long calls = count_calls(work, &FAULTS[f]), chosen = calls < MOST_FAULTS ? calls : MOST_FAULTS;
        for (long i = 0; i < chosen; i++, faults++)
            survive_at(work, &FAULTS[f], chosen == 1 ? 1 : 1 + i * (calls - 1) / (chosen - 1), &expected);
    }
    print_message("%zu faults\n", faults);
    assert_true(faults > 10);
    program_free(&expected);
    expect_inputs();
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void an_export_survives(void **unused) {
    (void)unused;
    survive(&(Work){"export", WORDS("export", "pair/base", "pair/sft", "--out", "out", "-q"), true, false});
}

static void a_resumed_export_survives(void **unused) {
    (void)unused;
    survive(&(Work){"resume", WORDS("export", "pair/base", "pair/sft", "--out", "out", "-q"), true, true});
}

static void opening_survives(void **unused) {
    (void)unused;
    survive(&(Work){"check", WORDS("check", "pair/base", "pair/sft", "--values"), false, false});
    survive(&(Work){"drift", WORDS("drift", "pair/base", "pair/sft", "--json", "-q"), false, false});
}

static void a_preview_survives(void **unused) {
    (void)unused;
    survive(&(Work){"preview", WORDS("preview", "pair/base", "pair/sft", "--ids", "31,55,7"), false, false});
}

static void an_attribution_survives(void **unused) {
    (void)unused;
    survive(&(Work){"neurons",
                    WORDS("neurons", "pair/base", "pair/sft", "-c", "pair/calibration.jsonl", "--targets",
                          "2", "--json", "-q"),
                    false, false});
}

static void a_report_survives(void **unused) {
    (void)unused;
    survive(&(Work){"report",
                    WORDS("report", "pair/base", "pair/sft", "-c", "pair/calibration.jsonl", "--sweep",
                          "0:1:2", "--line", "0:1:2", "--plane", "-0.2:0.2:2", "--directions", "1", "--rows",
                          "1", "--json", "-q"),
                    false, false});
}

/* ---- killed ---- */

static void killed_at_any_write_the_next_run_gives_the_same_bytes(void **unused) {
    static const char *const CALLS[] = {"pwrite", "fsync", "rename", "ftruncate", "close"};
    (void)unused;
    const Work work = {"export", WORDS("export", "pair/base", "pair/sft", "--out", "out", "-q"), true, false};
    for (size_t c = 0; c < sizeof CALLS / sizeof *CALLS; c++) {
        const Fault fault = {CALLS[c], "KILL", false};
        long calls = count_calls(&work, &fault), chosen = calls < MOST_FAULTS ? calls : MOST_FAULTS;
        assert_true(calls > 1);
        for (long i = 0; i < chosen; i++) {
            ProgramResult result = run(&work, &fault, "KILL", 1 + i * (calls - 1) / (chosen - 1));
            assert_int_equal(result.status, PROGRAM_KILLED + SIGKILL);
            program_free(&result);
            if (scratch_has("out") && !scratch_has("out/rejuv-partial.json")) /* killed when it was whole */
                expect_whole(&work);
            else
                expect_next(&work, CALLS[c]);
        }
    }
    expect_inputs();
}

/* ---- a session ---- */

/* Through all views, and out. Whatever fails, it may end before. */
static void look_around(TerminalHost *host, const char *where) {
    static const char *const KEYS[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "q"};
    Error error = {0};
    for (size_t k = 0; k < sizeof KEYS / sizeof *KEYS && terminal_host_is_running(host); k++) {
        if (terminal_host_send_key(host, KEYS[k], &error) != STATUS_OK) return; /* it has just left */
        if (k + 1 < sizeof KEYS / sizeof *KEYS &&
            terminal_host_wait_quiet(host, 0.02, HANG_SECONDS, &error) != STATUS_OK)
            fail_msg("%s: %s", where, error.message);
    }
}

/* `path`: only calls on files of such a path fail; "": on all. */
static int sit(const Fault *fault, const char *path, const char *how, long nth, const char *where) {
    char preload[1200], call[64], errors[64], times[64], log[1200], count[1200], home[1200], asan[256],
        only[64];
    (void)snprintf(preload, sizeof preload, "LD_PRELOAD=%s", INJECT_FAULTS);
    (void)snprintf(call, sizeof call, "FAULT_CALL=%s", fault->call);
    (void)snprintf(errors, sizeof errors, "FAULT_ERRNO=%s", how != NULL ? how : "EIO");
    (void)snprintf(times, sizeof times, "FAULT_NTH=%ld", how != NULL ? nth : 1000000000L);
    (void)snprintf(log, sizeof log, "FAULT_LOG=%s", scratch_path("log"));
    (void)snprintf(count, sizeof count, "FAULT_COUNT=%s", scratch_path("count"));
    (void)snprintf(home, sizeof home, "HOME=%s", scratch_path("home"));
    (void)snprintf(asan, sizeof asan, "ASAN_OPTIONS=verify_asan_link_order=0:detect_leaks=0");
    (void)snprintf(only, sizeof only, "%s=%s", path[0] != '\0' ? "FAULT_PATH" : "UNUSED", path);
    char *const environment[] = {preload,
                                 only,
                                 call,
                                 errors,
                                 times,
                                 log,
                                 count,
                                 home,
                                 asan,
                                 "XDG_CACHE_HOME=/dev/null",
                                 "TERM=xterm-256color",
                                 "LANG=C.UTF-8",
                                 NULL};
    char *const arguments[] = {REJUV_PROGRAM, "pair/base", "pair/sft", "--calibration", "few.jsonl", NULL};
    const TerminalHostOptions options = {24, 80, arguments, environment, scratch};
    TerminalHost *host;
    Error error = {0};
    char why[256];
    int status;
    scratch_clear("log");
    scratch_clear("count");
    assert_int_equal(terminal_host_start(&options, &host, &error), STATUS_OK);
    if (terminal_host_wait_quiet(host, 0.05, HANG_SECONDS, &error) != STATUS_OK)
        fail_msg("%s: %s", where, error.message);
    look_around(host, where);
    if (terminal_host_wait_exit(host, HANG_SECONDS, &status, &error) != STATUS_OK) {
        terminal_host_print(host, stderr);
        fail_msg("%s: %s", where, error.message);
    }
    if (!terminal_host_is_restored(host, why, sizeof why)) fail_msg("%s: the terminal: %s", where, why);
    terminal_host_free(host);
    return status;
}

static void a_session_survives(void **unused) {
    static const Fault SEEN[] = {
        {"open", "EMFILE", false},
        {"read", "EIO", false},
        {"read", "EINTR", true},
        {"write", "EINTR", true},
        {"write", "SHORT", true},
        {"mmap", "ENOMEM", false},
        {"pthread_create", "EAGAIN", false},
        {"malloc", "ENOMEM", false},
    };
    (void)unused;
    for (size_t f = 0; f < sizeof SEEN / sizeof *SEEN; f++) {
        char where[256];
        (void)snprintf(where, sizeof where, "session, counting %s", SEEN[f].call);
        assert_int_equal(sit(&SEEN[f], "", NULL, 0, where), 0);
        char *text = scratch_read("count", NULL);
        assert_non_null(text);
        long calls = strtol(text, NULL, 10), chosen = calls < MOST_FAULTS ? calls : MOST_FAULTS;
        free(text);
        for (long i = 0; i < chosen; i++) {
            long nth = chosen == 1 ? 1 : 1 + i * (calls - 1) / (chosen - 1);
            (void)snprintf(where, sizeof where, "session, %s %ld: %s", SEEN[f].call, nth, SEEN[f].error);
            int status = sit(&SEEN[f], "", SEEN[f].error, nth, where);
            if (status != 0 && (status != COMMAND_EXIT_ERROR || SEEN[f].is_safe))
                fail_msg("%s: status %d", where, status);
        }
        print_message("%ld faults of %ld %s\n", chosen, calls, SEEN[f].call);
    }
    expect_inputs();
}

/* In the middle of what the terminal answers, where the rest would be taken for keys, and keys for the rest. */
static void a_read_of_the_terminal_that_fails_once_loses_no_key(void **unused) {
    static const Fault FAULT = {"read", "EINTR", true};
    (void)unused;
    for (long nth = 1; nth <= 6; nth++) {
        char where[64];
        (void)snprintf(where, sizeof where, "session, read %ld of the terminal", nth);
        assert_int_equal(sit(&FAULT, "/dev/pts", FAULT.error, nth, where), 0);
    }
}

/* ---- the pair ---- */

static int make_pair(void **state) {
    if (scratch_make(state) != 0) return -1;
    shell(
        "cp -r '%s/golden/pairs/qwen3-tied' pair && mkdir home && head -n 2 pair/calibration.jsonl >few.jsonl",
        TESTS_DIR, "");
    const Work work = {"export", WORDS("export", "pair/base", "pair/sft", "--out", "out", "-q"), true, false};
    const Fault fault = {"pwrite", "KILL", false};
    ProgramResult result = run(&work, NULL, NULL, 0);
    int status = result.status;
    program_free(&result);
    if (status != 0) return -1;
    shell("mv out reference", "", "");
    long calls = count_calls(&work, &fault);
    result = run(&work, &fault, "KILL", (calls + 1) / 2);
    program_free(&result);
    shell("mv .out.rejuv-partial partial", "", "");
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_export_survives),
        cmocka_unit_test(a_resumed_export_survives),
        cmocka_unit_test(opening_survives),
        cmocka_unit_test(a_preview_survives),
        cmocka_unit_test(an_attribution_survives),
        cmocka_unit_test(a_report_survives),
        cmocka_unit_test(killed_at_any_write_the_next_run_gives_the_same_bytes),
        cmocka_unit_test(a_read_of_the_terminal_that_fails_once_loses_no_key),
        cmocka_unit_test(a_session_survives),
    };
    return cmocka_run_group_tests(tests, make_pair, scratch_remove);
}
