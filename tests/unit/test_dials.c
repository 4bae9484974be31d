/* Where the dials stand as one value: in words, on a command line, in the history. */
#include "tests/golden/golden.h"
#include "tui/commands/dial_options.h"
#include "tui/session/undo_history.h"

#include <stdlib.h>
#include <string.h>

static Dials state_at(double alpha) {
    return (Dials){.settings = settings_at(alpha), .targets = 32};
}

static void expect_options(const Dials *state, CommandId command, const char *expected) {
    CommandLine line = {0};
    Error error = {0};
    char *text;
    dial_options_add(state, command, &line);
    if (command_line_take(&line, &text, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(text, expected);
    free(text);
}

static void without_a_reset_alpha_says_it_all(void **unused) {
    (void)unused;
    Dials state = state_at(0.5);
    char text[128];
    dials_describe(&state, text, sizeof text);
    assert_string_equal(text, "α 0.50");
    expect_options(&state, COMMAND_PREVIEW, "rejuv --alpha 0.5");
    expect_options(&state, COMMAND_RESET, "rejuv --alpha 0.5 --rho 0"); /* it has a ρ of its own otherwise */
}

static void a_reset_names_what_differs_from_the_defaults(void **unused) {
    (void)unused;
    Dials state = state_at(0.625);
    char text[128];
    state.settings.rho = 0.01;
    dials_describe(&state, text, sizeof text);
    assert_string_equal(text, "α 0.625  ρ 1%  ω 1.00  attribution 32");
    expect_options(&state, COMMAND_EXPORT, "rejuv --alpha 0.625 --rho 0.01");
    state.settings.omega = 0.3;
    state.targets = 8;
    expect_options(&state, COMMAND_EXPORT, "rejuv --alpha 0.625 --rho 0.01 --omega 0.3 --targets 8");
    state.selector = SELECTOR_DRIFT;
    expect_options(&state, COMMAND_EXPORT, "rejuv --alpha 0.625 --rho 0.01 --omega 0.3 --select drift");
}

static void weights_of_kinds_and_layers_read_back_to_the_last_bit(void **unused) {
    (void)unused;
    Dials state = state_at(0.5);
    char text[128];
    state.settings.kinds[SETTINGS_NORM] = (SettingsOwn){true, 1.0};
    state.settings.kinds[SETTINGS_Q] = (SettingsOwn){true, 1.0 / 3.0};
    SettingsCurve *curve;
    assert_int_equal(settings_curve_create_ramp(3, 0.0, 0.1, &curve, NULL), STATUS_OK);
    state.settings.curve = curve;
    dials_describe(&state, text, sizeof text);
    assert_string_equal(text, "α 0.50  q 0.333  norm 1.00  by layer 0.00…0.10");
    expect_options(&state, COMMAND_PREVIEW,
                   "rejuv --alpha 0.5 --alpha-kind q=0.3333333333333333,norm=1 --alpha-layers 0:0.1");
    settings_curve_free(curve);
}

static void opening_the_program_repeats_dials_that_do_nothing_yet(void **unused) {
    (void)unused;
    Dials state = state_at(0.5);
    expect_options(&state, COMMAND_OPEN, "rejuv --alpha 0.5");
    state.settings.omega = 0.3;
    state.selector = SELECTOR_DRIFT;
    state.targets = 8;
    expect_options(&state, COMMAND_OPEN, "rejuv --alpha 0.5 --omega 0.3 --select drift --targets 8");
    expect_options(&state, COMMAND_EXPORT, "rejuv --alpha 0.5");
}

static void a_description_that_is_too_long_is_cut(void **unused) {
    (void)unused;
    Dials state = state_at(0.5);
    char text[12];
    state.settings.rho = 0.01;
    dials_describe(&state, text, sizeof text);
    assert_int_equal(strlen(text), sizeof text - 1);
}

static void words_are_quoted_for_a_shell(void **unused) {
    (void)unused;
    CommandLine line = {0};
    Error error = {0};
    char *text;
    command_line_add(&line, "%s", "a b");
    command_line_add(&line, "%s", "it's");
    command_line_add(&line, "%s", "");
    command_line_add(&line, "%s", "$HOME");
    command_line_add(&line, "%s", "two\nlines'\\");
    command_line_add(&line, "%s", "\033[2J'\\");
    command_line_add(&line, "%s", "\u202egnp.\u200b \u03b1'"); /* right to left, and of no width */
    command_line_add(&line, "%s", "\302\2332J\377");           /* a control of two bytes, no UTF-8 */
    command_line_add(&line, "%s", "plain/path-1.0:2");
    if (command_line_take(&line, &text, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(
        text,
        "rejuv 'a b' 'it'\\''s' '' '$HOME' 'two\nlines'\\''\\' $'\\033[2J\\'\\\\' "
        "$'\\342\\200\\256gnp.\\342\\200\\213 \u03b1\\'' $'\\302\\2332J\\377' plain/path-1.0:2");
    free(text);
}

static void an_option_stands_once_and_only_where_it_is_taken(void **unused) {
    (void)unused;
    CommandLine line = {0};
    Error error = {0};
    char *text;
    command_line_add_option(&line, COMMAND_SWEEP, OPTION_ALPHA_RANGE, "0:1:21");
    command_line_add_number(&line, COMMAND_SWEEP, OPTION_ALPHA_RANGE, 0.5);
    command_line_add_option(&line, COMMAND_SWEEP, OPTION_SORT, "%s", "rms");
    if (command_line_take(&line, &text, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(text, "rejuv --alpha 0:1:21");
    free(text);
}

static void what_is_reset_is_said_where_rho_is_swept_from_a_dial_at_nought(void **unused) {
    (void)unused;
    CommandLine line = {0};
    Error error = {0};
    char *text;
    Dials state = state_at(0.5);
    state.settings.rho = 0.0;
    state.settings.omega = 0.5;
    state.selector = SELECTOR_DRIFT;
    command_line_add_option(&line, COMMAND_SWEEP, OPTION_RHO_RANGE, "0:0.04:9");
    dial_options_add(&state, COMMAND_SWEEP, &line);
    if (command_line_take(&line, &text, &error) != STATUS_OK) fail_msg("%s", error.message);
    assert_string_equal(text, "rejuv --rho 0:0.04:9 --alpha 0.5 --omega 0.5 --select drift");
    free(text);
}

/* ---- the history ---- */

static void note(UndoHistory *history, double alpha) {
    Dials state = state_at(alpha);
    undo_history_note(history, &state);
}

static void expect_step(UndoHistory *history, int steps, double alpha, size_t expected_left) {
    size_t left;
    const Dials *state = undo_history_go(history, steps, &left);
    if (state == NULL) fail_msg("no step %d", steps);
    assert_true(state->settings.alpha == alpha);
    assert_int_equal(left, expected_left);
}

static void undo_goes_back_and_redo_forth(void **unused) {
    (void)unused;
    UndoHistory history = {0};
    size_t left;
    assert_null(undo_history_go(&history, 1, &left));
    for (int i = 0; i <= 4; i++) note(&history, i / 10.0);
    note(&history, 0.4); /* stands where it stood: no step */
    expect_step(&history, 1, 0.3, 3);
    expect_step(&history, 2, 0.1, 1);
    expect_step(&history, -1, 0.2, 2);
    expect_step(&history, 100, 0.0, 0);
    assert_null(undo_history_go(&history, 1, &left));
    expect_step(&history, -100, 0.4, 0);
    assert_null(undo_history_go(&history, -1, &left));
    undo_history_free(&history);
}

static void turning_a_dial_after_undo_forgets_what_was_ahead(void **unused) {
    (void)unused;
    UndoHistory history = {0};
    size_t left;
    for (int i = 0; i <= 3; i++) note(&history, i / 10.0);
    expect_step(&history, 2, 0.1, 1);
    note(&history, 0.9);
    assert_null(undo_history_go(&history, -1, &left));
    expect_step(&history, 1, 0.1, 1);
    undo_history_free(&history);
}

static void the_oldest_of_very_many_steps_are_forgotten(void **unused) {
    (void)unused;
    UndoHistory history = {0};
    enum { MORE = DIAL_HISTORY_STATES + 50 };
    for (int i = 0; i < MORE; i++) note(&history, i / (double)MORE);
    expect_step(&history, MORE, 50 / (double)MORE, 0);
    undo_history_free(&history);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_reset_alpha_says_it_all),
        cmocka_unit_test(a_reset_names_what_differs_from_the_defaults),
        cmocka_unit_test(weights_of_kinds_and_layers_read_back_to_the_last_bit),
        cmocka_unit_test(opening_the_program_repeats_dials_that_do_nothing_yet),
        cmocka_unit_test(a_description_that_is_too_long_is_cut),
        cmocka_unit_test(words_are_quoted_for_a_shell),
        cmocka_unit_test(an_option_stands_once_and_only_where_it_is_taken),
        cmocka_unit_test(what_is_reset_is_said_where_rho_is_swept_from_a_dial_at_nought),
        cmocka_unit_test(undo_goes_back_and_redo_forth),
        cmocka_unit_test(turning_a_dial_after_undo_forgets_what_was_ahead),
        cmocka_unit_test(the_oldest_of_very_many_steps_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
