/*
 * How `rejuv` behaves in scripts when something is not as it should be: wrong usage, wrong files, signals,
 * closed pipes, full disks, hostile names. The real program is run.
 */
#include "tests/golden/golden.h"
#include "tests/program.h"
#include "tests/unit/scratch.h"
#include "tui/cli/command_table.h"
#include "tui/cli/options.h"

#include <dirent.h>
#include <signal.h>

static char *base, *sft, *calibration; /* the demo pair */

static int open_demo(void **state) {
    base = golden_path("demo/%s%s", "base", "");
    sft = golden_path("demo/%s%s", "sft", "");
    calibration = golden_path("demo/%s%s", "calibration.jsonl", "");
    return scratch_make(state);
}

static int close_demo(void **state) {
    free(base);
    free(sft);
    free(calibration);
    return scratch_remove(state);
}

/* ---- usage ---- */

static void every_command_helps_within_80_columns_and_names_its_options(void **unused) {
    (void)unused;
    for (CommandId id = 0; id < COMMAND_COUNT; id++) {
        const char *with[] = {command_table_facts(id)->name, "--help", NULL};
        ProgramResult result = program_run_with(id == COMMAND_OPEN ? with + 1 : with, NULL, 0);
        assert_int_equal(result.status, 0);
        assert_string_equal(result.errors, "");
        for (char *line = result.output; *line != '\0'; line += strcspn(line, "\n") + 1)
            if (strcspn(line, "\n") >= 80) fail_msg("too wide: %.100s", line);
        for (OptionId option = 0; option < OPTION_COUNT; option++) {
            char name[64];
            (void)snprintf(name, sizeof name, "--%s ", option_facts(option)->name);
            bool takes = (option_facts(option)->commands >> id & 1U) != 0;
            if (takes && strstr(result.output, name) == NULL) fail_msg("%s is not in the help", name);
        }
        program_free(&result);
    }
}

static void wrong_usage_ends_with_2_and_says_what_is_wrong(void **unused) {
    (void)unused;
    PROGRAM_EXPECT(2, "did you mean --sort?", "drift", base, sft, "--srot", "norm");
    PROGRAM_EXPECT(2, "usage: rejuv drift BASE SFT", "drift", base);
    PROGRAM_EXPECT(2, "did you mean check?", "chek", base, sft);
    PROGRAM_EXPECT(2, "\"scenery\" is no command", "scenery", base, sft);
    PROGRAM_EXPECT(2, "expected no argument, found 1\n", "manual", "page");
    PROGRAM_EXPECT(2, "argument 1 is empty\n", "verify", "");
    PROGRAM_EXPECT(2, "argument 2 is empty\n", "drift", base, "");
    PROGRAM_EXPECT(2, "expected DIR or nothing, found 2 arguments", "info", base, sft);
    PROGRAM_EXPECT(2, "expected a prompt", "preview", base, sft);
    PROGRAM_EXPECT(2, "--from says how to --continue", "preview", base, sft, "-p", "x", "--from", "base");
    PROGRAM_EXPECT(2, "expected what to measure on", "sweep", base, sft);
    PROGRAM_EXPECT(2, "expected --out DIR", "export", base, sft);
    PROGRAM_EXPECT(2, "expected BASE SFT", "export", "--out", "x");
    PROGRAM_EXPECT(2, "token ids such as 1,2,3", "preview", base, sft, "--ids", "1,two");
    PROGRAM_EXPECT(2, "found \",2\"", "preview", base, sft, "--ids", "1,,2");
    PROGRAM_EXPECT(2, "found \"1,\"", "preview", base, sft, "--ids", "1,");
    PROGRAM_EXPECT(2, "found \",1\"", "preview", base, sft, "--ids", ",1");
    PROGRAM_EXPECT(0, "", "preview", base, sft, "--quiet", "--ids", " 1, 2 3 ");
    PROGRAM_EXPECT(2, "expected BASE SFT..., found one: rejuv info ", base);
    PROGRAM_EXPECT(2, "outside the vocabulary", "preview", base, sft, "--ids", "512");
    PROGRAM_EXPECT(2, "one token at least", "preview", base, sft, "--ids", "");
}

static void without_a_terminal_the_terminal_program_names_the_commands(void **unused) {
    (void)unused;
    PROGRAM_EXPECT(2, "standard input is not a terminal; commands for scripts: rejuv info, check", base, sft);
}

/* ---- files ---- */

static void files_that_are_not_there_or_not_whole_are_named(void **unused) {
    (void)unused;
    PROGRAM_EXPECT(2, "/nowhere", "info", "/nowhere");
    PROGRAM_EXPECT(2, "/nowhere", "drift", base, "/nowhere");
    PROGRAM_EXPECT(2, "/nowhere", "tokenize", "/nowhere");
    PROGRAM_EXPECT(2, "/nowhere", "sweep", base, sft, "--calibration", "/nowhere");
    PROGRAM_EXPECT(2, "/nowhere", "preview", base, sft, "--prompt-file", "/nowhere");
    PROGRAM_EXPECT(2, "/nowhere", "export", "--recipe", "/nowhere", "--out", "x");
    PROGRAM_EXPECT(2, "/nowhere", "verify", "/nowhere");
    PROGRAM_EXPECT(2, "/nowhere/x", "preview", base, sft, "--ids", "1", "--logits-out", "/nowhere/x");
    char *directory = scratch_path("cut/");
    scratch_write_safetensors("cut/model.safetensors",
                              "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", 15);
    PROGRAM_EXPECT(2, "cut/model.safetensors", "info", directory);
    PROGRAM_EXPECT(2, "cut/model.safetensors", "drift", directory, directory);
    free(directory);
}

/* The demo SFT behind another config.json: `from` in it is `to`. */
static char *sft_of_config(const char *name, const char *from, const char *to) {
    char inside[64], *directory, *weights = golden_path("demo/%s%s", "sft", "/model.safetensors");
    char *source = golden_path("demo/%s%s", "sft", "/config.json"), text[4096];
    FILE *file = fopen(source, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    char *at = strstr(text, from);
    assert_true(at != NULL && strlen(from) == strlen(to));
    memcpy(at, to, strlen(to));
    (void)snprintf(inside, sizeof inside, "%s/", name);
    directory = scratch_path(inside);
    (void)snprintf(inside, sizeof inside, "%s/config.json", name);
    scratch_write_text(inside, text);
    (void)snprintf(inside, sizeof inside, "%s/model.safetensors", name);
    char *link = scratch_path(inside);
    assert_int_equal(symlink(weights, link), 0);
    free(link);
    free(source);
    free(weights);
    return directory;
}

static void a_config_that_does_not_fit_the_tensors_is_told_by_check_info_and_export(void **unused) {
    (void)unused;
    char *misfit = sft_of_config("misfit", "\"intermediate_size\": 352", "\"intermediate_size\": 300"), *out;
    static const char REASON[] = "expected [300 × 128] from config.json, found [352 × 128]";
    ProgramResult check = PROGRAM_RUN("check", base, misfit, "--csv"),
                  info = PROGRAM_RUN("info", misfit, "--json");
    assert_int_equal(check.status, 0); /* the tensors can be fused all the same */
    assert_non_null(strstr(check.output, "warning,config.json"));
    assert_non_null(strstr(check.output, REASON));
    cJSON *tree = program_json(&info);
    const cJSON *checkpoint = json_find(tree, "checkpoint");
    assert_false(json_get_bool(checkpoint, "can_run", true));
    assert_non_null(strstr(json_get_text(checkpoint, "cannot_run_because", ""), REASON));
    assert_non_null(json_find(checkpoint, "hidden_size")); /* what config.json says is still listed */
    out = scratch_path("out");
    PROGRAM_EXPECT(0, REASON, "export", base, misfit, "--out", out, "--dry-run");
    free(out);
    cJSON_Delete(tree);
    program_free(&check);
    program_free(&info);
    free(misfit);
}

static void a_prompt_that_is_too_long_is_told_once(void **unused) {
    (void)unused;
    char prompt[3001];
    memset(prompt, 'a', sizeof prompt - 1);
    prompt[sizeof prompt - 1] = '\0';
    ProgramResult result = PROGRAM_RUN("preview", base, sft, "-p", prompt);
    const char *told = strstr(result.errors, "3000 tokens");
    assert_non_null(told);
    assert_null(strstr(told + 1, "3000 tokens"));
    program_free(&result);
}

static void a_bad_line_ends_tokenize_with_its_number(void **unused) {
    (void)unused;
    static const struct {
        const char *option, *input, *message;
    } CASES[] = {{"--plain", "good\n\xff\n", "line 2"},  {"--json", "\"good\"\nnot json\n", "line 2"},
                 {"--json", "\"a\" \"b\"\n", "line 1"},  {"--json", "\n", "line 1"},
                 {"--decode", "1 2\n1 two\n", "line 2"}, {"--decode", "1 99999999999\n", "line 1"},
                 {"--decode", "-1\n", "line 1"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        ProgramResult result = program_run_with((const char *const[]){"tokenize", sft, CASES[i].option, NULL},
                                                CASES[i].input, strlen(CASES[i].input));
        assert_int_equal(result.status, 2);
        if (strstr(result.errors, CASES[i].message) == NULL)
            fail_msg("expected %s, found %s", CASES[i].message, result.errors);
        program_free(&result);
    }
}

static void nothing_untrusted_goes_out_raw(void **unused) {
    (void)unused;
    static const char *const NAMES[] = {"\x1b[31mred",
                                        "\xc2\x9b"
                                        "31m",
                                        "\xe2\x80\xae"
                                        "right to left"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        ProgramResult result = PROGRAM_RUN("drift", NAMES[i], NAMES[i]);
        assert_int_equal(result.status, 2);
        assert_null(strchr(result.errors, '\x1b'));
        assert_null(strstr(result.errors, "\xc2\x9b"));
        assert_null(strstr(result.errors, "\xe2\x80\xae"));
        program_free(&result);
    }
    static const char *const FORMATS[] = {"--quiet", "--json", "--csv"};
    for (size_t i = 0; i < sizeof FORMATS / sizeof *FORMATS; i++) {
        ProgramResult result = PROGRAM_RUN("preview", base, sft, "--prompt", "a\x1b[31m\a", FORMATS[i]);
        assert_int_equal(result.status, 0);
        assert_null(strchr(result.output, '\x1b'));
        assert_null(strchr(result.output, '\a'));
        program_free(&result);
    }
}

/* ---- signals and pipes ---- */

/* A sweep that would take minutes. */
static void expect_interrupted(int signal_number) {
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out != NULL && err != NULL);
    const char *const arguments[] = {
        "sweep", base, sft, "--calibration", calibration, "--alpha", "0:1:10000", "--threads", "2", NULL};
    pid_t child = program_start(arguments, -1, fileno(out), fileno(err));
    program_interrupt(child, signal_number);
    assert_int_equal(program_wait(child), COMMAND_EXIT_INTERRUPTED);
    size_t bytes;
    free(program_read(out, &bytes));
    assert_int_equal(bytes, 0); /* nothing that could be taken for a result */
    free(program_read(err, &bytes));
}

static void interrupted_work_ends_with_130(void **unused) {
    (void)unused;
    expect_interrupted(SIGINT);
    expect_interrupted(SIGTERM);
}

static void expect_shrinking_is_an_error(void) {
    char *copy = scratch_path("shrinking"), *weights = scratch_path("shrinking/model.safetensors"),
         line[2400];
    (void)snprintf(line, sizeof line, "rm -rf '%s' && cp -r '%s' '%s'", copy, base, copy);
    assert_int_equal(system(line), 0);
    FILE *out = tmpfile(), *err = tmpfile();
    assert_true(out != NULL && err != NULL);
    const char *const arguments[] = {
        "sweep", copy, sft, "--calibration", calibration, "--alpha", "0:1:10000", "--threads", "16", NULL};
    pid_t child = program_start(arguments, -1, fileno(out), fileno(err));
    program_await_catching(child, SIGINT); /* it is at work: the files are mapped */
    assert_int_equal(truncate(weights, 0), 0);
    assert_int_equal(program_wait(child), COMMAND_EXIT_ERROR);
    size_t bytes;
    char *errors = program_read(err, &bytes);
    assert_non_null(strstr(errors, "an input file shrank"));
    free(errors);
    free(program_read(out, &bytes));
    assert_int_equal(bytes, 0);
    free(weights);
    free(copy);
}

/* Whichever thread finds it first, and however many do at once. */
static void an_input_that_shrinks_meanwhile_is_an_error(void **unused) {
    (void)unused;
    for (int tries = 0; tries < 12; tries++) expect_shrinking_is_an_error();
}

/* Nobody reads: the first write fails. */
static void expect_status_without_reader(int status, const char *const *arguments) {
    int ends[2];
    FILE *err = tmpfile();
    assert_non_null(err);
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    pid_t child = program_start(arguments, -1, ends[1], fileno(err));
    (void)close(ends[1]);
    assert_int_equal(program_wait(child), status);
    size_t bytes;
    char *errors = program_read(err, &bytes);
    assert_string_equal(errors, "");
    free(errors);
}

static void a_reader_that_had_enough_is_no_error(void **unused) {
    (void)unused;
    expect_status_without_reader(0, (const char *const[]){"drift", base, sft, "--json", NULL});
    expect_status_without_reader(0, (const char *const[]){"drift", base, sft, NULL});
    /* a few words, first written when all is over */
    char *out = scratch_path("nothing");
    expect_status_without_reader(0,
                                 (const char *const[]){"export", base, sft, "--out", out, "--discard", NULL});
    free(out);
}

static void a_closed_pipe_ends_an_endless_tokenize(void **unused) {
    (void)unused;
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    (void)fcntl(in[1], F_SETFD, FD_CLOEXEC);
    (void)fcntl(out[0], F_SETFD, FD_CLOEXEC);
    const char *const arguments[] = {"tokenize", sft, NULL};
    pid_t child = program_start(arguments, in[0], out[1], -1);
    (void)close(in[0]);
    (void)close(out[1]);
    char answer[64] = "";
    assert_int_equal(write(in[1], "Question\n", 9), 9);
    assert_true(read(out[0], answer, sizeof answer - 1) > 0); /* an answer before the end of the input */
    assert_string_equal(answer, "300\n");
    (void)close(out[0]);
    assert_int_equal(write(in[1], "Question\n", 9), 9);
    assert_int_equal(program_wait(child), 0); /* although its input is still open */
    (void)close(in[1]);
}

static void a_full_disk_is_an_error(void **unused) {
    (void)unused;
    static const char *const WORDS[] = {"info", "--help", "--version"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        const char *const line[] = {WORDS[i], NULL};
        int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
        FILE *err = tmpfile();
        assert_true(full >= 0 && err != NULL);
        assert_int_equal(program_wait(program_start(line, -1, full, fileno(err))), 2);
        size_t bytes;
        char *errors = program_read(err, &bytes);
        assert_non_null(strstr(errors, "No space left on device"));
        free(errors);
        (void)close(full);
    }
    PROGRAM_EXPECT(2, "No space left on device", "preview", base, sft, "--ids", "1", "--logits-out",
                   "/dev/full");
    PROGRAM_EXPECT(2, "/dev/full: the figure could not be written: No space left on device", "figure",
                   "layers", base, sft, "--out", "/dev/full");
    PROGRAM_EXPECT(2, "/dev/full: the drawing could not be written: No space left on device", "shot",
                   "layers", base, sft, "--format", "svg", "--out", "/dev/full");
}

/* ---- files that are written ---- */

static size_t count_entries(const char *directory) {
    size_t count = 0;
    DIR *stream = opendir(directory);
    assert_non_null(stream);
    while (readdir(stream) != NULL) count++;
    (void)closedir(stream);
    return count - 2;
}

static void logits_appear_whole_or_not_at_all(void **unused) {
    (void)unused;
    char *directory = scratch_path("logits/"), *path;
    path = scratch_path("logits/file");
    PROGRAM_EXPECT(0, "", "preview", base, sft, "--ids", "1,2", "--logits-out", path);
    PROGRAM_EXPECT(0, "", "preview", base, sft, "--ids", "1,2,3", "--logits-out", path); /* in its place */
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_size, 3 * 512 * 4);
    assert_int_equal(count_entries(directory), 1);
    PROGRAM_EXPECT(2, "Is a directory", "preview", base, sft, "--ids", "1", "--logits-out", directory);
    assert_int_equal(count_entries(directory), 1);
    free(path);
    free(directory);
}

/* ---- OpenBLAS ---- */

static void a_program_with_slow_kernels_loads_openblas_again(void **unused) {
    (void)unused;
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        skip(); /* there is no better core */
    char *chosen = getenv("OPENBLAS_CORETYPE");
    char *kept = chosen != NULL ? memory_copy_text(chosen, strlen(chosen)) : NULL;
    assert_int_equal(unsetenv("OPENBLAS_CORETYPE"), 0);
    assert_int_equal(setenv("LD_PRELOAD", SLOW_BLAS, 1), 0);
    assert_int_equal(setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1), 0);
    ProgramResult result = PROGRAM_RUN("info", "--json");
    (void)unsetenv("LD_PRELOAD");
    if (kept != NULL) (void)setenv("OPENBLAS_CORETYPE", kept, 1);
    free(kept);
    assert_int_equal(result.status, 0);
    cJSON *tree = program_json(&result);
    const cJSON *program = json_find(tree, "program");
    assert_true(json_get_bool(program, "healed", false));
    assert_string_equal(json_get_text(program, "openblas_core_before", ""), "Prescott");
    assert_string_not_equal(json_get_text(program, "openblas_core", "Prescott"), "Prescott");
    cJSON_Delete(tree);
    program_free(&result);
#else
    skip();
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_helps_within_80_columns_and_names_its_options),
        cmocka_unit_test(wrong_usage_ends_with_2_and_says_what_is_wrong),
        cmocka_unit_test(without_a_terminal_the_terminal_program_names_the_commands),
        cmocka_unit_test(files_that_are_not_there_or_not_whole_are_named),
        cmocka_unit_test(a_config_that_does_not_fit_the_tensors_is_told_by_check_info_and_export),
        cmocka_unit_test(a_prompt_that_is_too_long_is_told_once),
        cmocka_unit_test(a_bad_line_ends_tokenize_with_its_number),
        cmocka_unit_test(nothing_untrusted_goes_out_raw),
        cmocka_unit_test(interrupted_work_ends_with_130),
        cmocka_unit_test(an_input_that_shrinks_meanwhile_is_an_error),
        cmocka_unit_test(a_reader_that_had_enough_is_no_error),
        cmocka_unit_test(a_closed_pipe_ends_an_endless_tokenize),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(logits_appear_whole_or_not_at_all),
        cmocka_unit_test(a_program_with_slow_kernels_loads_openblas_again),
    };
    return cmocka_run_group_tests(tests, open_demo, close_demo);
}
