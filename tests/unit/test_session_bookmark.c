/* Going back to where the dials stood: undo, redo, bookmarks and their figures. */
#include "pair_files.h"
#include "session_fixture.h"
#include "tui/app/dial_actions.h"
#include "tui/session/session.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"

#include <math.h>

static void act(Session *session, Action action, int count, const char *text) {
    ActionArgument argument = {.count = count, .text = text, .number = strtod(text, NULL)};
    (void)dial_actions_act(session, action, &argument);
    (void)session_refresh(session);
}

static void expect_message(Session *session, const char *part) {
    SessionTone tone;
    char text[512] = "";
    while (session_take_message(session, &tone, text, sizeof text)) {
    }
    if (strstr(text, part) == NULL) fail_msg("expected \"%s\", found \"%s\"", part, text);
}

static void every_dial_is_turned_back_and_forth_again(void **state) {
    (void)state;
    Session *session = open_demo();
    (void)session_refresh(session);
    act(session, ACTION_ALPHA_UP, 5, "");
    act(session, ACTION_RHO_SET, 1, "2");
    act(session, ACTION_OMEGA_SET, 1, "0.5");
    session_set_selector(session, SELECTOR_DRIFT);
    (void)session_refresh(session);
    session_set_targets(session, 4);
    (void)session_refresh(session);
    act(session, ACTION_UNDO, 2, "");
    assert_int_equal(session_reset(session).selector, SELECTOR_ATTRIBUTION);
    assert_int_equal(session_reset(session).targets, 32);
    act(session, ACTION_UNDO, 2, "");
    assert_true(session_settings(session)->rho == 0.0);
    assert_true(session_settings(session)->omega == 1.0);
    assert_true(session_settings(session)->alpha == 0.55);
    act(session, ACTION_UNDO, 10, "");
    assert_true(session_settings(session)->alpha == 0.5);
    expect_message(session, "undo: α 0.50 (0 more)");
    act(session, ACTION_UNDO, 1, "");
    expect_message(session, "nothing to undo");
    act(session, ACTION_REDO, 10, "");
    assert_true(session_settings(session)->omega == 0.5);
    assert_int_equal(session_reset(session).selector, SELECTOR_DRIFT);
    assert_int_equal(session_reset(session).targets, 4);
    session_free(session);
}

static void curves_are_turned_back_and_kept_by_bookmarks(void **state) {
    (void)state;
    Session *session = open_demo();
    Error error = {0};
    (void)session_refresh(session);
    session_set_layer_alpha(session, 2, 0.7);
    const SettingsCurve *turned = session_settings(session)->curve;
    act(session, ACTION_KEEP, 1, "turned");
    assert_int_equal(session_read_layers(session, "0.4:0.6", &error), STATUS_OK);
    (void)session_refresh(session);
    session_clear_layers(session);
    act(session, ACTION_KEEP, 1, "level");
    act(session, ACTION_UNDO, 1, "");
    assert_true(session_layer_alpha(session, 5) == 0.6);
    act(session, ACTION_UNDO, 1, "");
    assert_ptr_equal(session_settings(session)->curve, turned);
    act(session, ACTION_UNDO, 1, "");
    assert_null(session_settings(session)->curve);
    act(session, ACTION_REDO, 2, "");
    assert_true(session_layer_alpha(session, 0) == 0.4);
    act(session, ACTION_RETURN, 1, "turned");
    assert_true(session_is_at_bookmark(session, 0));
    assert_true(session_layer_alpha(session, 2) == 0.7 && session_layer_alpha(session, 3) == 0.5);
    act(session, ACTION_RETURN, 1, "level");
    assert_null(session_settings(session)->curve);
    session_free(session);
}

/* Up and down again is where it was: the same curve, not one more. */
static void an_equal_curve_is_the_one_there_was(void **state) {
    (void)state;
    Session *session = open_demo();
    Error error = {0};
    session_set_layer_alpha(session, 2, 0.7);
    const SettingsCurve *low = session_settings(session)->curve;
    session_set_layer_alpha(session, 2, 0.8);
    const SettingsCurve *high = session_settings(session)->curve;
    assert_true(low != high && low->alpha[2] == 0.7 && high->alpha[2] == 0.8);
    session_set_layer_alpha(session, 2, 0.7);
    assert_ptr_equal(session_settings(session)->curve, low);
    session_clear_layers(session);
    assert_int_equal(session_read_layers(session, "0.5,0.5,0.8,0.5,0.5,0.5", &error), STATUS_OK);
    assert_ptr_equal(session_settings(session)->curve, high);
    session_free(session);
}

/* Dials that came from a command line go with it. */
static void the_session_has_its_own_of_a_curve_that_it_is_given(void **state) {
    (void)state;
    Session *session = open_demo();
    Dials dials = session_dial_state(session);
    SettingsCurve *curve, *longer;
    assert_int_equal(settings_curve_create_ramp(session_layers(session), 0.1, 0.9, &curve, NULL), STATUS_OK);
    assert_int_equal(settings_curve_create_ramp(session_layers(session) + 1, 0.1, 0.9, &longer, NULL),
                     STATUS_OK);
    dials.settings.curve = curve;
    session_set_dial_state(session, &dials);
    assert_true(session_add_bookmark(session, "given", &dials));
    dials.settings.curve = longer;
    assert_true(session_add_bookmark(session, "longer", &dials));
    settings_curve_free(curve);
    settings_curve_free(longer);
    assert_true(session_layer_alpha(session, 5) == 0.9);
    assert_ptr_equal(session_bookmark(session, 0)->dials.settings.curve, session_settings(session)->curve);
    session_set_dial_state(session, &session_bookmark(session, 1)->dials); /* of another model: left out */
    assert_null(session_settings(session)->curve);
    session_free(session);
}

/* A pair without config.json: it cannot be run, but fused, by curves as long as it is deep. */
static void undo_keeps_the_curve_of_a_model_that_cannot_be_run(void **state) {
    (void)state;
    enum { LAYERS = 300 };
    PairFiles files;
    char base[160], sft[160];
    pair_files_make_layers(&files, 0, LAYERS);
    pair_files_path(&files, "base", false, base, sizeof base);
    pair_files_path(&files, "sft", false, sft, sizeof sft);
    Session *session = open_pair(base, sft, NULL);
    assert_null(session_model(session));
    assert_int_equal(session_layers(session), LAYERS);
    session_set_layer_alpha(session, LAYERS - 1, 0.7);
    (void)session_refresh(session);
    session_set_layer_alpha(session, 0, 0.2);
    (void)session_refresh(session);
    act(session, ACTION_UNDO, 1, "");
    assert_true(session_layer_alpha(session, 0) == 0.5);
    assert_true(session_layer_alpha(session, LAYERS - 1) == 0.7);
    session_free(session);
    pair_files_remove(&files);
}

static void a_ranking_that_comes_in_is_no_step(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "ranking", neurons_are_ranked);
    act(session, ACTION_UNDO, 1, "");
    expect_message(session, "nothing to undo");
    session_free(session);
}

static bool bookmarks_are_measured(const Session *session) {
    for (size_t i = 0; i < session_bookmark_count(session); i++) {
        if (session_bookmark_averages(session, i) == NULL) return false;
    }
    return true;
}

static void a_bookmark_has_the_figures_of_its_dials(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "ranking", neurons_are_ranked);
    act(session, ACTION_PAPER, 1, "");
    settle(session);
    double loss = session_headline_fused(session)->loss;
    act(session, ACTION_KEEP, 1, "paper");
    assert_non_null(session_bookmark_averages(session, 0)); /* it is on screen: nothing to measure */
    assert_true(session_bookmark_averages(session, 0)->loss == loss);
    assert_true(session_is_at_bookmark(session, 0));

    /* kept, and left at once: measured behind W */
    act(session, ACTION_ALPHA_SET, 1, "0.8");
    act(session, ACTION_KEEP, 1, "");
    act(session, ACTION_ALPHA_SET, 1, "0.2");
    assert_string_equal(session_bookmark(session, 1)->name, "A");
    assert_null(session_bookmark_averages(session, 1));
    wait_for(session, "bookmark's figures", bookmarks_are_measured);
    double measured = session_bookmark_averages(session, 1)->loss;
    act(session, ACTION_RETURN, 1, "A");
    assert_true(session_settings(session)->alpha == 0.8 && session_settings(session)->rho == 0.01);
    settle(session);
    assert_true(session_headline_fused(session)->loss == measured);

    act(session, ACTION_RETURN, 1, "1"); /* by its number */
    assert_true(session_settings(session)->alpha == 0.5);
    act(session, ACTION_RETURN, 1, "nowhere");
    expect_message(session, "no bookmark \"nowhere\"");
    session_free(session);
}

static bool rows_are_one(const Session *session) {
    const Calibration *rows = session_calibration(session, NULL);
    return rows != NULL && rows->count == 1;
}

static bool rows_are_few(const Session *session) {
    const Calibration *rows = session_calibration(session, NULL);
    return rows != NULL && rows->count == DEMO_ROWS;
}

static void load_rows(Session *session, const char *path, Condition are_there) {
    Error error = {0};
    if (session_load_rows(session, path, &error) != STATUS_OK) fail_msg("%s", error.message);
    wait_for(session, "rows", are_there);
    settle(session);
}

/* Rows without a response never rank neurons by the gradient: what there is of that kind is of other rows. */
static void a_bookmark_has_no_figures_by_a_ranking_of_other_rows(void **state) {
    (void)state;
    static const char PROMPT[] = "Question: Tom has 12 coins.\n";
    char *few = scratch_path("few.jsonl"), *prompt = scratch_path("prompt.txt");
    scratch_write("prompt.txt", PROMPT, sizeof PROMPT - 1);
    Session *session = open_demo();
    session_set_selector(session, SELECTOR_GRADIENT);
    wait_for(session, "ranking", neurons_are_ranked);
    act(session, ACTION_RHO_SET, 1, "1");
    act(session, ACTION_KEEP, 1, "reset");
    wait_for(session, "bookmark's figures", bookmarks_are_measured);
    double loss = session_bookmark_averages(session, 0)->loss;
    act(session, ACTION_RHO_SET, 1, "0"); /* so that W is measured on any rows */
    act(session, ACTION_KEEP, 1, "whole");
    load_rows(session, prompt, rows_are_one);
    assert_false(neurons_are_ranked(session));
    assert_null(session_bookmark_averages(session, 0));
    assert_non_null(session_bookmark_averages(session, 1)); /* which needs none */
    load_rows(session, few, rows_are_few);
    assert_true(session_bookmark_averages(session, 0)->loss == loss);
    session_free(session);
    free(few);
    free(prompt);
}

static void bookmarks_take_letters_are_replaced_and_removed(void **state) {
    (void)state;
    Session *session = open_demo();
    size_t index;
    (void)session_refresh(session);
    act(session, ACTION_RETURN, 1, "A");
    expect_message(session, "there are no bookmarks yet");
    for (int i = 0; i < SESSION_BOOKMARKS; i++) assert_true(session_keep_bookmark(session, ""));
    assert_string_equal(session_bookmark(session, SESSION_BOOKMARKS - 1)->name, "Z");
    assert_false(session_keep_bookmark(session, "one more"));
    expect_message(session, "already");
    act(session, ACTION_ALPHA_SET, 1, "0.1");
    assert_true(session_keep_bookmark(session, "C")); /* replaces */
    assert_int_equal(session_bookmark_count(session), SESSION_BOOKMARKS);
    assert_true(session_bookmark(session, 2)->dials.settings.alpha == 0.1);
    session_remove_bookmark(session, 0);
    assert_int_equal(session_bookmark_count(session), SESSION_BOOKMARKS - 1);
    assert_false(session_find_bookmark(session, "A", &index));
    assert_true(session_keep_bookmark(session, "")); /* the freed letter */
    assert_true(session_find_bookmark(session, "A", &index));
    session_free(session);
}

static void a_name_is_cut_at_a_whole_character_and_found_as_it_was_given(void **state) {
    (void)state;
    Session *session = open_demo();
    static const char NAME[] = "日日日日日日日日日日日";
    size_t index = 9;
    (void)session_refresh(session);
    assert_true(session_keep_bookmark(session, NAME));
    assert_string_equal(session_bookmark(session, 0)->name, "日日日日日日日");
    assert_true(session_find_bookmark(session, NAME, &index));
    assert_int_equal(index, 0);
    session_free(session);
}

/* The name that is kept is not the name that was given; as a number that one is no bookmark's either. */
static void a_name_that_is_too_long_is_kept_shorter(void **state) {
    (void)state;
    Session *session = open_demo();
    const char *name = "2999999999029999999990299";
    (void)session_refresh(session);
    act(session, ACTION_KEEP, 1, name);
    assert_int_equal(session_bookmark_count(session), 1);
    assert_int_equal(strlen(session_bookmark(session, 0)->name), SESSION_BOOKMARK_NAME - 1);
    expect_message(session, session_bookmark(session, 0)->name);
    session_free(session);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_dial_is_turned_back_and_forth_again),
        cmocka_unit_test(curves_are_turned_back_and_kept_by_bookmarks),
        cmocka_unit_test(an_equal_curve_is_the_one_there_was),
        cmocka_unit_test(the_session_has_its_own_of_a_curve_that_it_is_given),
        cmocka_unit_test(undo_keeps_the_curve_of_a_model_that_cannot_be_run),
        cmocka_unit_test(a_ranking_that_comes_in_is_no_step),
        cmocka_unit_test(a_bookmark_has_the_figures_of_its_dials),
        cmocka_unit_test(a_bookmark_has_no_figures_by_a_ranking_of_other_rows),
        cmocka_unit_test(bookmarks_take_letters_are_replaced_and_removed),
        cmocka_unit_test(a_name_is_cut_at_a_whole_character_and_found_as_it_was_given),
        cmocka_unit_test(a_name_that_is_too_long_is_kept_shorter),
    };
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
