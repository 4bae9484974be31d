/* The command shown for a view is one that the program takes, with the dials as they stand. */
#include "session_fixture.h"
#include "tui/app/equivalent_command.h"
#include "tui/cli/command_table.h"
#include "tui/commands/dial_options.h"
#include "tui/session/session.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_dials.h"
#include "views/views.h"

enum { WORDS = 64, WORD_SIZE = 4096 };

/* The words that a shell makes of a command line. */
static int split(const char *text, char words[WORDS][WORD_SIZE]) {
    char *path = scratch_path("words.sh"), *script = memory_format("printf '%%s\\0' %s\n", text);
    assert_non_null(script);
    scratch_write("words.sh", script, strlen(script));
    char *command = memory_format("bash %s", path);
    assert_non_null(command);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    int count = 0;
    size_t at = 0;
    for (int c; (c = fgetc(pipe)) != EOF && count < WORDS;) {
        assert_true(at < WORD_SIZE);
        words[count][at++] = (char)c;
        if (c != '\0') continue;
        count++;
        at = 0;
    }
    assert_int_equal(pclose(pipe), 0);
    free(command);
    free(script);
    free(path);
    return count;
}

static void read_options(const char *text, Options *options) {
    static char words[WORDS][WORD_SIZE];
    char *argv[WORDS + 1];
    Error error = {0};
    int argc = split(text, words);
    for (int i = 0; i < argc; i++) argv[i] = words[i];
    assert_string_equal(words[0], "rejuv");
    Status status = options_parse(argc, argv, options, &error);
    if (status == STATUS_OK)
        status = command_table_check_operands(options->command, options->operand_count, &error);
    if (status != STATUS_OK) fail_msg("%s\n%s", text, error.message);
}

/* Opens a view, asks for its command, and reads that as the program would. */
static void check_view(const View *view, Session *session) {
    void *state = NULL;
    Options options;
    Error error = {0};
    char *text;
    if (view->open != NULL && view->open(session, &state, &error) != STATUS_OK) fail_msg("%s", error.message);
    Canvas *canvas;
    assert_int_equal(canvas_create(24, 80, (Theme){.depth = THEME_MONO}, &canvas, &error), STATUS_OK);
    view->draw(state, session, canvas,
               canvas_area(canvas)); /* what a view stands on is found out in drawing */
    if (equivalent_command_write(view, state, session, &text, &error) != STATUS_OK)
        fail_msg("%s: %s", view->name, error.message);
    read_options(text, &options);
    if (dial_options_check(&options, &error) != STATUS_OK) fail_msg("%s\n%s", text, error.message);
    assert_string_equal(options.operands[0], session_pair(session)->base->directory);
    options_free(&options);
    free(text);
    canvas_free(canvas);
    if (view->close != NULL) view->close(state);
}

static void every_view_has_a_command_that_the_program_takes(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "ranking", neurons_are_ranked);
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < VIEWS.count; i++)
            if (VIEWS.views[i] != NULL) check_view(VIEWS.views[i], session);
        session_set_rho(session, 0.02); /* and with a reset */
        session_set_omega(session, 0.5);
        session_set_targets(session, 4);
    }
    session_free(session);
}

static void the_dials_are_those_on_screen(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "tokenizer", tokenizer_is_there);
    Error error = {0};
    session_set_alpha(session, 0.375);
    session_set_rho(session, 0.0125);
    session_set_selector(session, SELECTOR_DORMANCY);
    assert_int_equal(session_read_layers(session, "0.1:0.7", &error), STATUS_OK);
    assert_int_equal(session_read_kinds(session, "norm=1,q=0.25", &error), STATUS_OK);
    char *text;
    assert_int_equal(equivalent_command_write_opening(VIEWS.views[5], session, &text, &error), STATUS_OK);
    Options options;
    read_options(text, &options);
    assert_int_equal(options.command, COMMAND_OPEN);
    SettingsCurve *curve;
    Dials read, shown = session_dial_state(session);
    if (dial_options_read(&options, session_pair(session), &read, &curve, &error) != STATUS_OK)
        fail_msg("%s\n%s", text, error.message);
    assert_true(dials_equal(&read, &shown));
    assert_true(curve != NULL && read.settings.curve == curve);
    settings_curve_free(curve);
    assert_string_equal(options_text(&options, OPTION_VIEW), VIEWS.views[5]->name);
    options_free(&options);
    free(text);
    session_free(session);
}

static void a_session_that_follows_the_file_has_commands_that_do(void **state) {
    (void)state;
    const SessionOptions by_file = {.base = TESTS_DIR "/demo/base",
                                    .sft = TESTS_DIR "/demo/sft",
                                    .tokenizer_rule = TOKENIZER_BY_FILE,
                                    .threads = 2};
    Session *session;
    Options options;
    Error error = {0};
    char *text;
    events_open();
    if (session_create(&by_file, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    wait_for(session, "tokenizer", tokenizer_is_there);
    assert_int_equal(session_tokenizer_rule(session), TOKENIZER_BY_FILE);
    assert_int_equal(equivalent_command_write_opening(VIEWS.views[0], session, &text, &error), STATUS_OK);
    read_options(text, &options);
    assert_true(options_has(&options, OPTION_TOKENIZER_FILE));
    options_free(&options);
    free(text);
    session_free(session);
}

static void a_session_with_an_end_of_its_own_has_commands_with_it(void **state) {
    (void)state;
    char *few = scratch_path("few.jsonl");
    SessionOptions ended = {
        .base = TESTS_DIR "/demo/base", .sft = TESTS_DIR "/demo/sft", .calibration = few, .threads = 2};
    Session *session;
    Options options;
    Error error = {0};
    char *text;
    static const char *const ENDS[] = {"7", "none", "<|endoftext|>"}; /* which a shell must not understand */
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        ended.end_token = ENDS[i];
        events_open();
        if (session_create(&ended, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
        wait_for(session, "tokenizer", tokenizer_is_there);
        assert_string_equal(session_end_token(session), ENDS[i]);
        assert_int_equal(equivalent_command_write_opening(VIEWS.views[0], session, &text, &error), STATUS_OK);
        read_options(text, &options);
        assert_string_equal(options_text(&options, OPTION_END_TOKEN), ENDS[i]);
        options_free(&options);
        free(text);
        session_free(session);
    }
    free(few);
}

/* The samples would be of other prompts: with ρ at 0 too, where no rows are read beside them. */
static void samples_of_conversations_name_the_template_that_renders_them(void **state) {
    (void)state;
    char *few = scratch_path("few.jsonl");
    const SessionOptions named = {.base = TESTS_DIR "/demo/base",
                                  .sft = TESTS_DIR "/demo/sft",
                                  .prompts = few,
                                  .end_token = "7",
                                  .chat_template = "of two words",
                                  .threads = 2};
    const View *rollouts = VIEWS.views[7];
    Session *session;
    Options options;
    Error error = {0};
    void *place = NULL;
    char *text;
    events_open();
    if (session_create(&named, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    wait_for(session, "tokenizer", tokenizer_is_there);
    assert_int_equal(rollouts->open(session, &place, &error), STATUS_OK);
    for (int opens = 0; opens < 2; opens++) {
        Status status = opens ? equivalent_command_write_opening(rollouts, session, &text, &error)
                              : equivalent_command_write(rollouts, place, session, &text, &error);
        if (status != STATUS_OK) fail_msg("%s", error.message);
        read_options(text, &options);
        assert_int_equal(options.command, opens ? COMMAND_OPEN : COMMAND_ROLLOUT);
        assert_string_equal(options_text(&options, OPTION_PROMPTS), few);
        assert_string_equal(options_text(&options, OPTION_TEMPLATE), "of two words");
        assert_string_equal(options_text(&options, OPTION_END_TOKEN), "7");
        assert_false(options_has(&options, OPTION_CALIBRATION));
        options_free(&options);
        free(text);
    }
    rollouts->close(place);
    session_free(session);
    free(few);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_of_conversations_name_the_template_that_renders_them),
        cmocka_unit_test(a_session_with_an_end_of_its_own_has_commands_with_it),
        cmocka_unit_test(every_view_has_a_command_that_the_program_takes),
        cmocka_unit_test(the_dials_are_those_on_screen),
        cmocka_unit_test(a_session_that_follows_the_file_has_commands_that_do),
    };
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
