/*
 * What stands in place of a file and is none, or leads elsewhere: pipes, devices, directories, links to nothing and to
 * themselves, where a pair, its recipe, its rows and its samples are read. Refused by name, or told and passed over; never
 * waited for, and nothing is left that looks finished. And directories with names that a terminal or a browser would act on.
 */
#include "tests/program.h"
#include "tests/scratch.h"
#include "tui/cli/command_table.h"

enum { MOST_WORDS = 8 };

typedef enum Kind { PIPE, DIRECTORY, DEVICE, LINK_TO_NOTHING, LINK_TO_ITSELF, KIND_COUNT } Kind;

static const char *const KINDS[] = {"a pipe", "a directory", "a device", "a link to nothing",
                                    "a link to itself"};

static int make(void **state) {
    char line[2400];
    if (scratch_make(state) != 0 || chdir(scratch) != 0) return -1;
    (void)snprintf(line, sizeof line,
                   "cp -r '%s/demo/base' '%s/demo/sft' . && "
                   "echo '{\"prompt\":\"Once\",\"response\":\" upon\"}' >rows.jsonl && echo Once >prompt.txt",
                   TESTS_DIR, TESTS_DIR);
    return system(line);
}

static int forget(void **state) {
    return chdir("/") == 0 ? scratch_remove(state) : -1;
}

static void put(const char *file, Kind kind) {
    static const char *const TARGETS[] = {[DEVICE] = "/dev/zero", [LINK_TO_NOTHING] = "/nowhere/at/all"};
    const char *name = strrchr(file, '/');
    int failed =
        kind == PIPE ? mkfifo(file, 0600)
        : kind == DIRECTORY
            ? mkdir(file, 0700)
            : symlink(kind == LINK_TO_ITSELF ? (name != NULL ? name + 1 : file) : TARGETS[kind], file);
    assert_int_equal(failed, 0);
}

/* ---- one file of a pair after the other ---- */

typedef struct Outcome {
    int status;
    const char *says; /* on one of the two outputs */
} Outcome;

#define NO_FILE   "expected a regular file"
#define NO_TARGET "a link to /nowhere/at/all, which is not there"
#define NO_END    "Too many levels of symbolic links"

static const struct {
    const char *file, *words[MOST_WORDS];
    Outcome irregular, lost, circular; /* pipe, directory, device; a link to nothing; one to itself */
} PLACES[] = {
    {"sft/config.json", {"check", "base", "sft", "--json"}, {2, NO_FILE}, {0, NO_TARGET}, {2, NO_END}},
    {"sft/config.json",
     {"preview", "base", "sft", "--ids", "1"},
     {2, NO_FILE},
     {2, "there is no config.json"},
     {2, NO_END}},
    {"sft/generation_config.json",
     {"check", "base", "sft", "--json"},
     {0, NO_FILE},
     {0, NO_TARGET},
     {0, NO_END}},
    {"sft/tokenizer.json", {"preview", "base", "sft", "-p", "x"}, {2, NO_FILE}, {2, NO_TARGET}, {2, NO_END}},
    {"sft/tokenizer.json", {"tokenize", "sft"}, {2, NO_FILE}, {2, NO_TARGET}, {2, NO_END}},
    {"sft/tokenizer_config.json",
     {"preview", "base", "sft", "-p", "x"},
     {2, NO_FILE},
     {2, NO_TARGET},
     {2, NO_END}},
    {"sft/special_tokens_map.json",
     {"preview", "base", "sft", "-p", "x"},
     {2, NO_FILE},
     {2, NO_TARGET},
     {2, NO_END}},
    {"sft/chat_template.jinja", {"chat", "sft"}, {2, NO_FILE}, {2, NO_TARGET}, {2, NO_END}},
    {"sft/chat_template.jinja",
     {"check", "base", "sft", "--json"},
     {0, NO_FILE},
     {0, NO_TARGET},
     {0, NO_END}},
    {"sft/chat_template.jinja",
     {"export", "base", "sft", "--out", "out"},
     {0, "No chat template goes along: SFT has none"},
     {2, NO_TARGET},
     {2, NO_END}},
    {"sft/model.safetensors", {"info", "sft"}, {2, NO_FILE}, {2, NO_TARGET}, {2, NO_END}},
    {"sft/model.safetensors", {"drift", "base", "sft"}, {2, NO_FILE}, {2, NO_TARGET}, {2, NO_END}},
    {"sft/model.safetensors.index.json", {"info", "sft"}, {0, ""}, {2, NO_TARGET}, {2, NO_END}},
    {"sft/adapter_config.json",
     {"check", "base", "sft"},
     {2, "adapter_config.json"},
     {2, NO_TARGET},
     {2, NO_END}},
    {"recipe.json",
     {"export", "--recipe", "recipe.json", "--out", "out"},
     {2, NO_FILE},
     {2, "recipe.json: No such file"},
     {2, NO_END}},
    {"sft/rejuvenation.json",
     {"verify", "sft"},
     {2, NO_FILE},
     {2, "rejuvenation.json: No such file"},
     {2, NO_END}},
};

static void expect(const char *file, Kind kind, const char *const *words, Outcome expected) {
    ProgramResult result = program_run_with(words, NULL, 0);
    bool is_told =
        strstr(result.output, expected.says) != NULL || strstr(result.errors, expected.says) != NULL;
    if (result.status != expected.status || !is_told)
        fail_msg("%s as %s, %s: expected %d, \"%s\", found %d, \"%s\"", file, KINDS[kind], words[0],
                 expected.status, expected.says, result.status, result.errors);
    if (result.status == COMMAND_EXIT_ERROR && (scratch_has("out") || scratch_has(".out.rejuv-partial")))
        fail_msg("%s as %s: something is left of an export", file, KINDS[kind]);
    program_free(&result);
    scratch_clear("out");
}

static void what_is_no_file_is_refused_by_name_or_told(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        bool was_there = rename(PLACES[i].file, "aside") == 0;
        for (Kind kind = 0; kind < KIND_COUNT; kind++) {
            put(PLACES[i].file, kind);
            expect(PLACES[i].file, kind, PLACES[i].words,
                   kind == LINK_TO_NOTHING  ? PLACES[i].lost
                   : kind == LINK_TO_ITSELF ? PLACES[i].circular
                                            : PLACES[i].irregular);
            scratch_clear(PLACES[i].file);
        }
        if (was_there) assert_int_equal(rename("aside", PLACES[i].file), 0);
    }
}

/* ---- what may be a pipe ---- */

static const struct {
    const char *file, *words[MOST_WORDS + 4];
    const char *of_nothing; /* said of an empty one */
} STREAMS[] = {
    {"given",
     {"sweep", "base", "sft", "-c", "given", "--alpha", "0.5"},
     "expected one row at least, found none"},
    {"given", {"rollout", "base", "sft", "--samples", "given"}, "expected one sample at least, found none"},
    {"given",
     {"rollout", "base", "sft", "--prompts", "given", "--reward", "exact"},
     "expected one row at least, found none"},
    {"given",
     {"preview", "base", "sft", "--prompt-file", "given"},
     "expected a prompt of one token at least"},
};

static void what_may_be_a_pipe_is_still_no_directory_and_no_link_to_nothing(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof STREAMS / sizeof *STREAMS; i++) {
        const char *file = STREAMS[i].file;
        put(file, DIRECTORY);
        expect(file, DIRECTORY, STREAMS[i].words, (Outcome){2, "irectory"});
        assert_int_equal(rmdir(file), 0);
        put(file, LINK_TO_NOTHING);
        expect(file, LINK_TO_NOTHING, STREAMS[i].words, (Outcome){2, "given: No such file or directory"});
        assert_int_equal(unlink(file), 0);
        assert_int_equal(symlink("/dev/null", file), 0);
        expect(file, DEVICE, STREAMS[i].words, (Outcome){2, STREAMS[i].of_nothing});
        assert_int_equal(unlink(file), 0);
    }
}

/* A program that opens a pipe waits for whoever writes to it, as cat does; and can be told to stop. */
static void a_pipe_that_nobody_writes_to_is_waited_for_until_a_signal(void **unused) {
    (void)unused;
    put("given", PIPE);
    pid_t child =
        program_start((const char *const[]){"sweep", "base", "sft", "-c", "given", NULL}, -1, -1, -1);
    program_interrupt(child, SIGTERM);
    assert_int_equal(program_wait(child), COMMAND_EXIT_INTERRUPTED);
    assert_int_equal(unlink("given"), 0);
}

/* ---- names ---- */

static void expect_harmless(const char *const *words) {
    static const char *const ACTED_ON[] = {"\033",   "\a",       "\u202e",  "\u2066",
                                           "\u200b", "\302\233", "<script>"};
    ProgramResult result = program_run_with(words, NULL, 0);
    if (result.status != 0) fail_msg("%s: %s", words[0], result.errors);
    for (size_t i = 0; i < sizeof ACTED_ON / sizeof *ACTED_ON; i++) {
        const char *at = strstr(result.output, ACTED_ON[i]);
        if (at != NULL) fail_msg("%s: character %zu goes out as it is: %.40s", words[0], i, at);
        if (i < 6) assert_null(strstr(result.errors, ACTED_ON[i]));
    }
    program_free(&result);
}

static void a_directorys_name_is_harmless_in_a_page_and_in_a_figure(void **unused) {
    (void)unused;
    static const char NAME[] = "\033]0;x\a\u202e\u2066\u200b\302\2332J<script>";
    assert_int_equal(symlink("sft", NAME), 0);
    expect_harmless((const char *const[]){"report", "base", NAME, "-c", "rows.jsonl", "--sweep", "0:1:2",
                                          "--rows", "1", "--line", "0:1:2", "--plane", "-0.1:0.1:2",
                                          "--directions", "1", NULL});
    expect_harmless((const char *const[]){"figure", "layers", "base", NAME, NULL});
    expect_harmless((const char *const[]){"shot", "overview", "base", NAME, "--format", "svg", NULL});
    assert_int_equal(unlink(NAME), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_file_is_refused_by_name_or_told),
        cmocka_unit_test(what_may_be_a_pipe_is_still_no_directory_and_no_link_to_nothing),
        cmocka_unit_test(a_pipe_that_nobody_writes_to_is_waited_for_until_a_signal),
        cmocka_unit_test(a_directorys_name_is_harmless_in_a_page_and_in_a_figure),
    };
    return cmocka_run_group_tests(tests, make, forget);
}
