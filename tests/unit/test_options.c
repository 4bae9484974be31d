/* The command line, read: words to options and operands, values to numbers, mistakes to messages. */
#include "tests/golden/golden.h"
#include "tui/cli/command_table.h"
#include "tui/cli/options.h"

#include <string.h>

enum { WORDS = 16 };

static Status parse(Options *options, Error *error, const char *const *words) {
    char *argv[WORDS + 2] = {"rejuv"};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++) argv[argc] = (char *)(uintptr_t)words[argc - 1];
    return options_parse(argc, argv, options, error);
}

#define ACCEPT(options, ...)                                                                                 \
    do {                                                                                                     \
        Error accept_error = {0};                                                                            \
        if (parse(options, &accept_error, (const char *const[]){__VA_ARGS__, NULL}) != STATUS_OK)            \
            fail_msg("%s", accept_error.message);                                                            \
    } while (0)

static void expect_refusal(const char *part, const char *const *words) {
    Options options;
    Error error = {0};
    assert_int_equal(parse(&options, &error, words), STATUS_ARGUMENT);
    if (strstr(error.message, part) == NULL) fail_msg("expected \"%s\" in: %s", part, error.message);
    options_free(&options);
}

#define REFUSE(part, ...) expect_refusal(part, (const char *const[]){__VA_ARGS__, NULL})

static void nothing_at_all_is_the_terminal_program(void **unused) {
    (void)unused;
    Options options;
    Error error;
    assert_int_equal(parse(&options, &error, (const char *const[]){NULL}), STATUS_OK);
    assert_int_equal(options.command, COMMAND_OPEN);
    assert_int_equal(options.operand_count, 0);
    options_free(&options);
    ACCEPT(&options, "BASE", "SFT");
    assert_int_equal(options.command, COMMAND_OPEN);
    assert_string_equal(options.operands[1], "SFT");
    options_free(&options);
}

static void options_stand_anywhere(void **unused) {
    (void)unused;
    static const char *const LINES[][8] = {
        {"--threads", "3", "drift", "BASE", "SFT", "--json"},
        {"drift", "--threads=3", "BASE", "--json", "SFT"},
        {"-j3", "--json", "drift", "BASE", "SFT"},
        {"drift", "BASE", "SFT", "--json", "-j", "3"},
        {"-j", "3", "drift", "--json", "--", "BASE", "SFT"},
    };
    for (size_t i = 0; i < sizeof LINES / sizeof *LINES; i++) {
        Options options;
        Error error = {0};
        if (parse(&options, &error, LINES[i]) != STATUS_OK) fail_msg("line %zu: %s", i, error.message);
        assert_int_equal(options.command, COMMAND_DRIFT);
        assert_int_equal(options_value(&options, OPTION_THREADS)->count, 3);
        assert_true(options_has(&options, OPTION_JSON));
        assert_false(options_has(&options, OPTION_CSV));
        assert_int_equal(options.operand_count, 2);
        assert_string_equal(options.operands[0], "BASE");
        assert_string_equal(options.operands[1], "SFT");
        options_free(&options);
    }
}

static void letters_stand_together(void **unused) {
    (void)unused;
    Options options;
    ACCEPT(&options, "drift", "-qk5", "BASE", "SFT");
    assert_true(options_has(&options, OPTION_QUIET));
    assert_int_equal(options_value(&options, OPTION_TOP_ROWS)->count, 5);
    options_free(&options);
}

static void two_dashes_end_the_options(void **unused) {
    (void)unused;
    Options options;
    ACCEPT(&options, "check", "--", "--json", "-q");
    assert_string_equal(options.operands[0], "--json");
    assert_string_equal(options.operands[1], "-q");
    assert_false(options_has(&options, OPTION_QUIET));
    options_free(&options);
    ACCEPT(&options, "--", "check", "drift"); /* then they are directories */
    assert_int_equal(options.command, COMMAND_OPEN);
    options_free(&options);
}

static void one_name_means_what_its_command_says(void **unused) {
    (void)unused;
    Options options;
    ACCEPT(&options, "preview", "B", "S", "--alpha", "0.25");
    assert_true(options_value(&options, OPTION_ALPHA)->number == 0.25);
    options_free(&options);
    ACCEPT(&options, "--alpha", "-0.25:1.25:7", "sweep", "B", "S");
    const OptionValue *value = options_value(&options, OPTION_ALPHA_RANGE);
    const Range range = option_range(value);
    assert_true(value->number == -0.25 && value->to == 1.25 && value->count == 7);
    assert_true(range_point(&range, 0) == -0.25);
    assert_true(range_point(&range, 1) == 0.0);
    assert_true(range_point(&range, 6) == 1.25);
    options_free(&options);
}

static void the_last_of_repeated_options_counts_but_pins_gather(void **unused) {
    (void)unused;
    Options options;
    size_t at = 0;
    ACCEPT(&options, "preview", "B", "S", "--top", "3", "--pin", "a", "--top", "7", "--pin", "b");
    assert_int_equal(options_value(&options, OPTION_TOP)->count, 7);
    assert_string_equal(options_next(&options, OPTION_PIN, &at), "a");
    assert_string_equal(options_next(&options, OPTION_PIN, &at), "b");
    assert_null(options_next(&options, OPTION_PIN, &at));
    options_free(&options);
}

static void sizes_have_units(void **unused) {
    (void)unused;
    static const struct {
        const char *text;
        uint64_t bytes;
    } SIZES[] = {{"5GB", 5000000000}, {"500mb", 500000000}, {"2GiB", 2147483648},
                 {"1.5kB", 1500},     {"4096", 4096},       {"1 TB", 1000000000000}};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        Options options;
        ACCEPT(&options, "export", "B", "S", "--shard-size", SIZES[i].text);
        assert_int_equal(options_value(&options, OPTION_SHARD_SIZE)->count, SIZES[i].bytes);
        options_free(&options);
    }
    REFUSE("--shard-size", "export", "B", "S", "--shard-size", "5 bananas");
    REFUSE("--shard-size", "export", "B", "S", "--shard-size", "-1");
    REFUSE("--shard-size", "export", "B", "S", "--shard-size", "0");
    REFUSE("--shard-size", "export", "B", "S", "--shard-size", "99999999TB");
    REFUSE("--shard-size", "export", "B", "S", "--shard-size", "nanGB");
}

static void shares_may_be_percentages_and_ranges_one_point(void **unused) {
    (void)unused;
    Options options;
    ACCEPT(&options, "export", "B", "S", "--rho", "1%");
    assert_true(options_value(&options, OPTION_RHO)->number == 0.01);
    options_free(&options);
    ACCEPT(&options, "sweep", "B", "S", "--rho", "0.5%:4%:8", "--alpha", "0.5");
    const Range rho = option_range(options_value(&options, OPTION_RHO_RANGE)),
                alpha = option_range(options_value(&options, OPTION_ALPHA_RANGE));
    assert_int_equal(rho.points, 8);
    assert_true(range_point(&rho, 0) == 0.005);
    assert_true(range_point(&rho, 7) == 0.04);
    assert_int_equal(alpha.points, 1);
    assert_true(range_point(&alpha, 0) == 0.5);
    options_free(&options);
    REFUSE("--rho: expected a share from 0 to 1, such as 0.01 or 1%", "export", "B", "S", "--rho", "101%");
    REFUSE("--rho: expected a share", "export", "B", "S", "--rho", "%");
    REFUSE("--rho: expected a share", "export", "B", "S", "--rho", "1%%");
    REFUSE("--rho: expected a share", "reset", "B", "S", "--rho", "-0.1");
    REFUSE("--rho: expected R|FROM:TO:POINTS", "sweep", "B", "S", "--rho", "0:2:3");
    REFUSE("--alpha: expected a number", "preview", "B", "S", "--alpha", "50%");
    REFUSE("expected one of attribution|drift|dormancy|gradient|random", "reset", "B", "S", "--select",
           "luck");
}

/* Rows are what a sweep measures on; elsewhere they choose neurons, beside whatever else is measured. */
static void a_calibration_excludes_a_prompt_only_where_both_are_measured_on(void **unused) {
    (void)unused;
    Options options;
    ACCEPT(&options, "preview", "B", "S", "--ids", "1,2", "--calibration", "F", "--rho", "1%");
    options_free(&options);
    REFUSE("--calibration and --prompt exclude each other", "sweep", "B", "S", "--prompt", "x", "-c", "F");
    REFUSE("--calibration and --ids exclude each other", "sweep", "B", "S", "--ids", "1,2", "-c", "F");
    REFUSE("--recipe and --rho exclude each other", "export", "--recipe", "r", "--rho", "1%");
}

static void choices_are_numbered_and_know_no_case(void **unused) {
    (void)unused;
    Options options;
    ACCEPT(&options, "export", "B", "S", "--dtype", "bf16", "--donor=base");
    assert_int_equal(options_value(&options, OPTION_DTYPE)->count, 3);
    assert_int_equal(options_value(&options, OPTION_DONOR)->count, 1);
    options_free(&options);
    REFUSE("expected one of keep|F32|F16|BF16", "export", "B", "S", "--dtype", "F8");
    REFUSE("expected one of sft|base", "export", "B", "S", "--donor", "fp16"); /* another's alias */
    REFUSE("expected one of", "export", "B", "S", "--dtype", "");
    REFUSE("expected one of", "export", "B", "S", "--dtype", "F3");
}

/* A default is written as a user would write it: each is given back to the parser. */
static void every_default_is_a_value_of_its_option(void **unused) {
    (void)unused;
    size_t defaults = 0;
    for (OptionId id = 0; id < OPTION_COUNT; id++) {
        const OptionFacts *facts = option_facts(id);
        assert_int_equal(facts->argument == NULL, facts->kind == OPTION_KIND_FLAG);
        if (facts->initial == NULL) continue;
        CommandId command = 1;
        while ((facts->commands >> command & 1U) == 0) command++;
        char *name = memory_format("--%s=%s", facts->name, facts->initial);
        assert_non_null(name);
        Options options;
        ACCEPT(&options, command_table_facts(command)->name, name, "--help");
        const OptionValue *value = options_value(&options, id);
        assert_true(value->given);
        options_free(&options);
        free(name);
        defaults++;
    }
    assert_true(defaults >= 8);
}

/* Otherwise a command would have two options of one name or letter. */
static void names_and_letters_are_unique_for_each_command(void **unused) {
    (void)unused;
    for (OptionId a = 0; a < OPTION_COUNT; a++) {
        for (OptionId b = a + 1; b < OPTION_COUNT; b++) {
            const OptionFacts *first = option_facts(a), *second = option_facts(b);
            if ((first->commands & second->commands) == 0) continue;
            assert_string_not_equal(first->name, second->name);
            if (first->letter != 0) assert_int_not_equal(first->letter, second->letter);
        }
    }
    for (OptionId id = 0; id < OPTION_COUNT; id++) {
        for (OptionId twin = 0; twin < id; twin++) { /* words are sorted before the command is known */
            if (strcmp(option_facts(id)->name, option_facts(twin)->name) == 0)
                assert_int_equal(option_facts(id)->argument == NULL, option_facts(twin)->argument == NULL);
        }
    }
}

static void a_mistake_names_the_option_and_the_nearest_one(void **unused) {
    (void)unused;
    REFUSE("there is no option --sorrt; did you mean --sort?", "drift", "B", "S", "--sorrt", "norm");
    REFUSE("there is no option --xyzzy", "drift", "B", "S", "--xyzzy");
    REFUSE("there is no option -X", "drift", "B", "S", "-X");
    REFUSE(
        "rejuv check takes no --alpha; it belongs to the terminal program, preview, neurons, reset, sweep, landscape, rollout, shot, figure, report, export",
        "check", "B", "S", "--alpha", "0.5");
    REFUSE("--top needs an argument", "drift", "B", "S", "--top");
    REFUSE("--json takes no argument, found \"yes\"", "drift", "B", "S", "--json=yes");
    REFUSE("--alpha: expected a number from 0 to 1, found \"1.5\"", "preview", "B", "S", "--alpha", "1.5");
    REFUSE("found \"half\"", "preview", "B", "S", "--alpha", "half");
    REFUSE("found \"nan\"", "preview", "B", "S", "--alpha", "nan");
    REFUSE("found \"\"", "preview", "B", "S", "--alpha", "");
    REFUSE("FROM:TO:POINTS", "sweep", "B", "S", "--alpha", "0.5:");
    REFUSE("FROM:TO:POINTS", "sweep", "B", "S", "--alpha", "0:1:1");
    REFUSE("FROM:TO:POINTS", "sweep", "B", "S", "--alpha", "0:3:5");
    REFUSE("--threads: expected a whole number from 1 to 4096", "drift", "B", "S", "-j", "0");
    REFUSE("found \"-1\"", "drift", "B", "S", "-j", "-1");
    REFUSE("exclude each other", "drift", "B", "S", "--json", "--csv");
    REFUSE("exclude each other", "export", "B", "S", "--recipe", "r", "--alpha", "0.5");
    REFUSE("--chat and --prompt exclude each other", "preview", "B", "S", "--chat", "f", "--prompt", "p");
    REFUSE("--chat and --prompt-file exclude each other", "figure", "sweep", "B", "S", "--chat", "f",
           "--prompt-file", "p");
    REFUSE("--chat and --ids exclude each other", "sweep", "B", "S", "--chat", "f", "--ids", "1");
}

static void a_mistake_in_the_operands_says_what_was_expected(void **unused) {
    (void)unused;
    REFUSE("expected BASE SFT..., found 1 argument", "drift", "B");
    REFUSE("expected BASE SFT, found 3 arguments", "check", "B", "S", "X");
    REFUSE("there is no command \"chekc\"; did you mean check?", "chekc", "B", "S");
    REFUSE("\"scenery\" is no command", "scenery", "B", "S");
    REFUSE("expected BASE SFT... or nothing, found 1 argument", "B");
    REFUSE("expected DIR [FILE], found 0 arguments", "chat");
    REFUSE("expected DIR [FILE], found 3 arguments", "chat", "D", "F", "X");
    for (size_t count = 1; count <= 2; count++)
        assert_int_equal(command_table_check_operands(COMMAND_CHAT, count, NULL), STATUS_OK);
    for (size_t count = 2; count <= 9; count++) /* rungs, as many as there are */
        assert_int_equal(command_table_check_operands(COMMAND_DRIFT, count, NULL), STATUS_OK);
}

static void help_and_version_need_nothing_else(void **unused) {
    (void)unused;
    Options options;
    ACCEPT(&options, "drift", "--help");
    assert_true(options_has(&options, OPTION_HELP));
    assert_int_equal(options.command, COMMAND_DRIFT);
    options_free(&options);
    ACCEPT(&options, "-V");
    assert_true(options_has(&options, OPTION_VERSION));
    options_free(&options);
}

static void types_are_taken_by_the_names_that_torch_and_others_have_for_them(void **unused) {
    (void)unused;
    static const struct {
        const char *name;
        uint64_t choice; /* of keep|F32|F16|BF16 */
    } NAMES[] = {{"bfloat16", 3}, {"BFloat16", 3}, {"bf16", 3},    {"BF16", 3}, {"torch.bfloat16", 3},
                 {"float16", 2},  {"fp16", 2},     {"FP16", 2},    {"half", 2}, {"f16", 2},
                 {"float32", 1},  {"fp32", 1},     {"Float32", 1}, {"F32", 1},  {"KEEP", 0}};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        Options options;
        ACCEPT(&options, "export", "B", "S", "--dtype", NAMES[i].name);
        assert_int_equal(options_value(&options, OPTION_DTYPE)->count, NAMES[i].choice);
        options_free(&options);
    }
    REFUSE("expected one of", "export", "B", "S", "--dtype", "torch.");
    REFUSE("expected one of", "export", "B", "S", "--dtype", "float64");
}

static void no_cache_is_taken_wherever_something_is_measured(void **unused) {
    (void)unused;
    static const char *const COMMANDS[] = {"info",   "check",  "drift",     "preview", "neurons",
                                           "reset",  "sweep",  "landscape", "rollout", "shot",
                                           "figure", "report", "export",    "verify"};
    for (size_t i = 0; i < sizeof COMMANDS / sizeof *COMMANDS; i++) {
        Options options;
        Error error = {0};
        const char *const words[] = {COMMANDS[i], "--no-cache", "--help", NULL};
        if (parse(&options, &error, words) != STATUS_OK) fail_msg("%s: %s", COMMANDS[i], error.message);
        assert_true(options_has(&options, OPTION_NO_CACHE_READ));
        options_free(&options);
    }
    REFUSE("it belongs to the terminal program, info, check, drift", "tokenize", "D", "--no-cache");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_at_all_is_the_terminal_program),
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(letters_stand_together),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(one_name_means_what_its_command_says),
        cmocka_unit_test(the_last_of_repeated_options_counts_but_pins_gather),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(shares_may_be_percentages_and_ranges_one_point),
        cmocka_unit_test(a_calibration_excludes_a_prompt_only_where_both_are_measured_on),
        cmocka_unit_test(choices_are_numbered_and_know_no_case),
        cmocka_unit_test(every_default_is_a_value_of_its_option),
        cmocka_unit_test(names_and_letters_are_unique_for_each_command),
        cmocka_unit_test(a_mistake_names_the_option_and_the_nearest_one),
        cmocka_unit_test(a_mistake_in_the_operands_says_what_was_expected),
        cmocka_unit_test(help_and_version_need_nothing_else),
        cmocka_unit_test(types_are_taken_by_the_names_that_torch_and_others_have_for_them),
        cmocka_unit_test(no_cache_is_taken_wherever_something_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
