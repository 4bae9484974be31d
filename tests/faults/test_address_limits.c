/*
 * Where a batch system limits the addresses of a process (RLIMIT_AS, as h_vmem of grid engines) or its data: every
 * command ends, with a result or with an error that says what is missing, and SIGTERM ends it before. What waits for memory
 * that never comes is ended by an alarm, which is against hangs only.
 */
#include "tests/program.h"
#include "tests/sanitizer.h"
#include "tests/scratch.h"
#include "tui/cli/command_table.h"

#include <inttypes.h>
#include <sys/resource.h>

static const char BASE[] = TESTS_DIR "/demo/base", SFT[] = TESTS_DIR "/demo/sft",
                  ROWS[] = TESTS_DIR "/demo/calibration.jsonl";
static char few[1024], one[1024]; /* of the rows; a short one with an answer */
enum { HANG_SECONDS = 300, MIB = 1 << 20 };

static char whole[1024], exported[1024],
    templated[1024]; /* an export, where another goes, a directory with a chat template */

typedef struct Run {
    unsigned resource; /* RLIMIT_AS, RLIMIT_DATA */
    uint64_t bytes;
    const char *const *arguments;
    const char *input;
} Run;

static pid_t start(const Run *run, FILE *in, FILE *out, FILE *err) {
    const char *words[PROGRAM_ARGUMENTS + 2] = {REJUV_PROGRAM};
    for (size_t i = 0; run->arguments[i] != NULL; i++) words[i + 1] = run->arguments[i];
    program_forget_places();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child != 0) return child;
    const struct rlimit limit = {run->bytes, run->bytes};
    (void)alarm(HANG_SECONDS);
    if (dup2(fileno(in), 0) < 0 || dup2(fileno(out), 1) < 0 || dup2(fileno(err), 2) < 0 ||
        setrlimit(run->resource, &limit) != 0)
        _exit(99);
    (void)execv(REJUV_PROGRAM, (char *const *)(uintptr_t)words);
    _exit(98);
}

static ProgramResult finish(const Run *run) {
    FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
    assert_true(in != NULL && out != NULL && err != NULL);
    assert_true(fputs(run->input != NULL ? run->input : "", in) >= 0);
    rewind(in);
    ProgramResult result = {.status = program_wait(start(run, in, out, err))};
    (void)fclose(in);
    result.output = program_read(out, &result.output_bytes);
    result.errors = program_read(err, &result.errors_bytes);
    return result;
}

/* ---- every command, every limit ---- */

/* A result, or status 2 and a reason. */
static void expect_end(const Run *run) {
    static const char *const REASONS[] = {"out of memory", "are allowed"};
    ProgramResult result = finish(run);
    bool is_told = false;
    for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++)
        is_told = is_told || strstr(result.errors, REASONS[i]) != NULL;
    if (result.status != 0 && !(result.status == COMMAND_EXIT_ERROR && is_told))
        fail_msg("%s within %" PRIu64 " MiB: status %d, \"%s\"", run->arguments[0], run->bytes / MIB,
                 result.status, result.errors);
    program_free(&result);
}

static void expect_ends(unsigned resource, const uint64_t *limits, size_t count, const char *input,
                        const char *const *arguments) {
    for (size_t i = 0; i < count; i++) {
        const Run run = {resource, limits[i] * MIB, arguments, input};
        scratch_clear("exported");
        expect_end(&run);
    }
    const Run last = {resource, limits[count - 1] * MIB, arguments, input};
    scratch_clear("exported");
    ProgramResult result = finish(&last);
    if (result.status != 0)
        fail_msg("%s within the largest limit: status %d, \"%s\"", arguments[0], result.status,
                 result.errors);
    program_free(&result);
}

#ifdef NIGHTLY
static const uint64_t LIMITS[] = {100, 150, 200, 232, 240, 250, 300, 350, 400, 600, 1000, 2000, 4000};
#else
static const uint64_t LIMITS[] = {100, 200, 240, 300, 600, 4000};
#endif

#define EXPECT_ENDS(input, ...)                                                                              \
    expect_ends(RLIMIT_AS, LIMITS, sizeof LIMITS / sizeof *LIMITS, input,                                    \
                (const char *const[]){__VA_ARGS__, NULL})

static void commands_that_multiply_end(void **unused) {
    (void)unused;
    EXPECT_ENDS(NULL, "drift", BASE, SFT, "--spectrum");
    EXPECT_ENDS(NULL, "preview", BASE, SFT, "--prompt", "Once upon a time");
    EXPECT_ENDS(NULL, "sweep", BASE, SFT, "--prompt", "Once upon a time", "--alpha", "0.5");
    EXPECT_ENDS(NULL, "reset", BASE, SFT, "--calibration", few, "--rho", "1%");
    EXPECT_ENDS(NULL, "neurons", BASE, SFT, "--calibration", few);
    EXPECT_ENDS(NULL, "shot", "layers", BASE, SFT);
    EXPECT_ENDS(NULL, "figure", "sweep", BASE, SFT, "--calibration", few, "--alpha", "0:1:3");
}

static void commands_that_differentiate_sample_and_climb_end(void **unused) {
    (void)unused;
    EXPECT_ENDS(NULL, "reset", BASE, SFT, "--calibration", one, "--rho", "1%", "--select", "gradient");
    EXPECT_ENDS(NULL, "rollout", BASE, SFT, "--prompts", one, "--reward", "exact", "--samples-per-prompt",
                "2", "--max-tokens", "2", "--gradient");
    EXPECT_ENDS(NULL, "landscape", BASE, SFT, "--calibration", one, "--line", "0:1:2", "--plane",
                "-0.1:0.1:2", "--sharpness", "0.1", "--directions", "1");
    EXPECT_ENDS(NULL, "ladder", BASE, SFT, SFT, "--calibration", one);
    EXPECT_ENDS(NULL, "report", BASE, SFT, "--calibration", one, "--sweep", "0:1:2", "--line", "0:1:2",
                "--plane", "-0.1:0.1:2", "--directions", "1", "--rows", "1", "--markdown");
    EXPECT_ENDS(NULL, "shot", "landscape", BASE, SFT, "--calibration", one);
}

static void commands_that_multiply_nothing_end(void **unused) {
    (void)unused;
    EXPECT_ENDS(NULL, "info", SFT);
    EXPECT_ENDS(NULL, "check", BASE, SFT, "--values");
    EXPECT_ENDS(NULL, "drift", BASE, SFT);
    EXPECT_ENDS(NULL, "export", BASE, SFT, "--out", exported);
    EXPECT_ENDS(NULL, "verify", whole);
    EXPECT_ENDS("a line\n", "tokenize", SFT);
    EXPECT_ENDS("{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}\n", "chat", templated);
}

static void a_limit_of_data_counts_too(void **unused) {
    (void)unused;
    static const uint64_t DATA[] = {20, 100, 180, 300, 1000};
    expect_ends(RLIMIT_DATA, DATA, sizeof DATA / sizeof *DATA, NULL,
                (const char *const[]){"sweep", BASE, SFT, "--prompt", "Once", "--alpha", "0.5", NULL});
}

/* ---- what is told, and what is not changed ---- */

static uint64_t read_missing(const char *errors) {
    static const char BEFORE[] = " leave ";
    const char *at = strstr(errors, BEFORE);
    uint64_t left = 0, missing = 0;
    if (at == NULL ||
        sscanf(at + strlen(BEFORE), "%" SCNu64 ", %" SCNu64 " bytes are missing", &left, &missing) != 2)
        fail_msg("no number of missing bytes in \"%s\"", errors);
    return missing;
}

/* A limit within which matrices can be multiplied, as it is told where that is not so. */
static uint64_t enough_to_multiply(void) {
    static const char *const ARGUMENTS[] = {"sweep", BASE, SFT, "--prompt", "Once", "--alpha", "0.5", NULL};
    const Run run = {RLIMIT_AS, (uint64_t)100 * MIB, ARGUMENTS, NULL};
    ProgramResult result = finish(&run);
    assert_int_equal(result.status, COMMAND_EXIT_ERROR);
    assert_int_equal(result.output_bytes, 0);
    uint64_t missing = read_missing(result.errors);
    program_free(&result);
    return run.bytes + missing;
}

static void with_the_bytes_that_are_told_it_works(void **unused) {
    (void)unused;
    const char *const arguments[] = {"sweep", BASE, SFT, "--prompt", "Once", "--alpha", "0.5", NULL};
    const Run run = {RLIMIT_AS, enough_to_multiply() + 2 * MIB, arguments,
                     NULL}; /* not all lies where it lay before */
    ProgramResult result = finish(&run);
    assert_string_equal(result.errors, "");
    assert_int_equal(result.status, 0);
    program_free(&result);
}

static void a_small_limit_changes_no_figure(void **unused) {
    (void)unused;
    const char *const arguments[] = {"reset",     BASE, SFT, "--calibration", few, "--rho", "1%", "--json",
                                     "--threads", "4",  NULL};
    const Run small = {RLIMIT_AS, enough_to_multiply() + 70 * MIB, arguments,
                       NULL}, /* not for a second buffer */
        free_run = {RLIMIT_AS, RLIM_INFINITY, arguments, NULL};
    ProgramResult result = finish(&small), expected = finish(&free_run);
    assert_int_equal(result.status, 0);
    assert_string_equal(result.output, expected.output);
    program_free(&result);
    program_free(&expected);
}

/* ---- signals ---- */

static void sigterm_ends_it_within_every_limit(void **unused) {
    (void)unused;
    const char *const arguments[] = {"sweep",     BASE, SFT, "--calibration", ROWS, "--alpha", "0:1:10000",
                                     "--threads", "4",  NULL};
    static const uint64_t BOTH[] = {300, 1000};
    for (size_t i = 0; i < sizeof BOTH / sizeof *BOTH; i++) {
        const Run run = {RLIMIT_AS, BOTH[i] * MIB, arguments, NULL};
        FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
        assert_true(in != NULL && out != NULL && err != NULL);
        pid_t child = start(&run, in, out, err);
        program_interrupt(child, SIGTERM);
        assert_int_equal(program_wait(child), COMMAND_EXIT_INTERRUPTED);
        (void)fclose(in);
        (void)fclose(out);
        (void)fclose(err);
    }
}

/* The table is longer than what a pipe holds. */
static void sigterm_ends_it_while_nobody_reads(void **unused) {
    (void)unused;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const char *const arguments[] = {"neurons", BASE, SFT, "--calibration", ROWS, "--json", NULL};
    pid_t child = program_start(arguments, -1, ends[1], -1);
    char byte;
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1); /* it writes */
    assert_int_equal(kill(child, SIGTERM), 0);
    assert_int_equal(program_wait(child), COMMAND_EXIT_INTERRUPTED);
    (void)close(ends[0]);
}

static int make(void **state) {
    int failed = scratch_make(state);
    if (failed != 0) return failed;
    (void)snprintf(whole, sizeof whole, "%s/whole", scratch);
    (void)snprintf(exported, sizeof exported, "%s/exported", scratch);
    (void)snprintf(few, sizeof few, "%s/few.jsonl", scratch);
    (void)snprintf(one, sizeof one, "%s/one.jsonl", scratch);
    scratch_write_text("one.jsonl", "{\"prompt\":\"Once\",\"response\":\" upon\",\"answer\":\"1\"}\n");
    (void)snprintf(templated, sizeof templated, "%s/templated", scratch);
    PROGRAM_EXPECT(0, "", "export", BASE, SFT, "--out", whole, "--quiet");
    assert_int_equal(mkdir(templated, 0777), 0);
    scratch_write_text("templated/chat_template.jinja", "{{ messages[0].content }}");
    char line[2400];
    (void)snprintf(line, sizeof line, "head -n 4 '%s' >'%s'", ROWS, few);
    return system(line);
}

int main(void) {
    if (HAS_SANITIZER) return 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_that_multiply_end),
        cmocka_unit_test(commands_that_differentiate_sample_and_climb_end),
        cmocka_unit_test(commands_that_multiply_nothing_end),
        cmocka_unit_test(a_limit_of_data_counts_too),
        cmocka_unit_test(with_the_bytes_that_are_told_it_works),
        cmocka_unit_test(a_small_limit_changes_no_figure),
        cmocka_unit_test(sigterm_ends_it_within_every_limit),
        cmocka_unit_test(sigterm_ends_it_while_nobody_reads),
    };
    return cmocka_run_group_tests(tests, make, scratch_remove);
}
