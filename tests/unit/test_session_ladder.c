/*
 * Several SFT models of one training in a session: measured when they are looked at, on the rows and the prompt of the
 * moment; figures outlive the session of one rung, and are dropped with what they were measured on.
 */
#include "session_fixture.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_ladder.h"

#include <math.h>

/* Base itself as the first rung: a step of nothing, then all of it. */
static const char *const RUNGS[] = {TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft"};
enum { RUNG_COUNT = 2 };

static const LadderTaus TAUS = {0.025, 0.01};

static LiveLadder *open_ladder(void) {
    LiveLadder *ladder;
    Error error = {0};
    if (live_ladder_create(TESTS_DIR "/demo/base", RUNGS, RUNG_COUNT, TOKENIZER_BY_CLASS, &ladder, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    return ladder;
}

static Session *open_rung(LiveLadder *ladder, size_t rung) {
    Session *session;
    Error error = {0};
    char *rows = scratch_path("few.jsonl");
    events_open();
    const SessionOptions options = {.base = TESTS_DIR "/demo/base",
                                    .sft = RUNGS[rung - 1],
                                    .ladder = ladder,
                                    .rung = rung,
                                    .calibration = rows,
                                    .alpha = 0.5,
                                    .threads = 2};
    if (session_create(&options, &session, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(rows);
    return session;
}

static double figure(const Session *session, LadderFigure which, size_t number) {
    return ladder_figure(session_ladder_figures(session), which, number, TAUS);
}

static bool knows_all(const Session *session) {
    const LadderFigures *figures = session_ladder_figures(session);
    for (LadderPart part = 0; part < LADDER_PART_COUNT; part++)
        for (size_t number = 0; number <= RUNG_COUNT; number++)
            if (ladder_figures_applies(figures, number, part) && !figures->rungs[number].has[part])
                return false;
    return true;
}

static bool knows_a_step(const Session *session) {
    return session_ladder_figures(session)->rungs[1].has[LADDER_STEP];
}

static void nothing_is_measured_before_it_is_looked_at(void **state) {
    (void)state;
    LiveLadder *ladder = open_ladder();
    Session *session = open_rung(ladder, 2);
    char title[128];
    session_title(session, title, sizeof title);
    assert_non_null(strstr(title, "base → sft [2/2] ("));
    settle(session);
    for (LadderPart part = 0; part < LADDER_PART_COUNT; part++)
        assert_false(session_ladder_figures(session)->rungs[1].has[part]);
    assert_string_equal(session_ladder_message(session, LADDER_STEP), "not measured yet: it takes a while");
    session_free(session);
    live_ladder_free(ladder);
}

static void figures_are_those_of_the_rungs_own_session(void **state) {
    (void)state;
    LiveLadder *ladder = open_ladder();
    Session *session = open_rung(ladder, 2);
    session_ladder_show(session);
    wait_for(session, "rungs", knows_all);
    assert_true(figure(session, LADDER_DRIFT, 1) == 0.0 && figure(session, LADDER_STEP_DRIFT, 1) == 0.0);
    assert_true(figure(session, LADDER_STEP_DRIFT, 2) == figure(session, LADDER_DRIFT, 2));
    assert_true(figure(session, LADDER_LAST_DRIFT, 1) == figure(session, LADDER_DRIFT, 2));
    settle(session);
    DriftRow sum = {0};
    (void)drift_sum_all(session_drift(session), &sum);
    assert_true(figure(session, LADDER_DRIFT, 2) == drift_value(&sum, DRIFT_RELATIVE_NORM));
    assert_true(figure(session, LADDER_LOSS, 2) == session_headline_sft(session)->loss);
    assert_true(figure(session, LADDER_ENTROPY, 0) == session_headline_base(session)->entropy);
    assert_true(figure(session, LADDER_ENTROPY, 1) == session_headline_base(session)->entropy);
    double preview = session_preview(session, SIDE_SFT)->averages.entropy;
    assert_true(fabs(figure(session, LADDER_PROMPT_ENTROPY, 2) - preview) < 1e-6);
    session_free(session);
    live_ladder_free(ladder);
}

/* The next session has the rows of the same file: what was measured holds, and nothing is measured anew. */
static void another_rung_takes_the_figures_over(void **state) {
    (void)state;
    LiveLadder *ladder = open_ladder();
    Session *session = open_rung(ladder, 2);
    session_ladder_show(session);
    wait_for(session, "rungs", knows_all);
    double loss = figure(session, LADDER_LOSS, 2);
    session_free(session);
    session = open_rung(ladder, 1);
    assert_int_equal(session_ladder_rung(session), 1);
    assert_string_equal(session_ladder_name(session, 1), "base");
    assert_true(knows_all(session));
    settle(session);
    assert_true(knows_all(session) && figure(session, LADDER_LOSS, 2) == loss);
    session_free(session);
    live_ladder_free(ladder);
}

static void other_rows_and_another_prompt_are_measured_anew(void **state) {
    (void)state;
    LiveLadder *ladder = open_ladder();
    Session *session = open_rung(ladder, 2);
    Error error = {0};
    session_ladder_show(session);
    wait_for(session, "rungs", knows_all);
    settle(session);
    double loss = figure(session, LADDER_LOSS, 2), prompt = figure(session, LADDER_PROMPT_ENTROPY, 2);
    double drift = figure(session, LADDER_DRIFT, 2);
    assert_int_equal(session_set_prompt(session, "Tom has 12", 10, &error), STATUS_OK);
    (void)session_refresh(session);
    assert_true(isnan(figure(session, LADDER_PROMPT_ENTROPY, 2)));
    assert_true(figure(session, LADDER_LOSS, 2) == loss);
    wait_for(session, "the prompt on rungs", knows_all);
    assert_true(figure(session, LADDER_PROMPT_ENTROPY, 2) != prompt);
    assert_int_equal(session_use_prompt_rows(session, &error), STATUS_OK);
    settle(session);
    assert_true(knows_all(session));
    assert_true(figure(session, LADDER_ENTROPY, 2) == session_headline_sft(session)->entropy);
    assert_true(figure(session, LADDER_DRIFT, 2) == drift);
    session_free(session);
    live_ladder_free(ladder);
}

static void what_is_cancelled_stays_so_until_it_is_asked_for(void **state) {
    (void)state;
    LiveLadder *ladder = open_ladder();
    Session *session = open_rung(ladder, 2);
    settle(session);
    session_ladder_show(session);
    (void)session_refresh(session);
    assert_true(session_cancel(session));
    settle(session);
    assert_false(knows_a_step(session));
    assert_int_equal(live_ladder_missing(ladder), 0);
    session_ladder_measure(session);
    assert_true(live_ladder_missing(ladder) > 0);
    wait_for(session, "rungs", knows_all);
    session_free(session);
    live_ladder_free(ladder);
}

static void a_session_may_end_while_rungs_are_measured(void **state) {
    (void)state;
    LiveLadder *ladder = open_ladder();
    Session *session = open_rung(ladder, 2);
    settle(session);
    session_ladder_show(session);
    (void)session_refresh(session);
    session_free(session);
    session = open_rung(ladder, 1);
    wait_for(session, "rungs", knows_all); /* what was wanted still is */
    session_free(session);
    live_ladder_free(ladder);
}

static void a_ladder_that_does_not_fit_is_not_opened(void **state) {
    (void)state;
    const char *const rungs[] = {TESTS_DIR "/demo/sft", TESTS_DIR "/golden/models/none"};
    LiveLadder *ladder;
    Error error = {0};
    assert_int_equal(
        live_ladder_create(TESTS_DIR "/demo/base", rungs, 2, TOKENIZER_BY_CLASS, &ladder, &error), STATUS_IO);
    assert_null(ladder);
    assert_memory_equal(error.message, "rung 2: ", 8);
}

static bool knows_rows(const Session *session) {
    return session_ladder_figures(session)->rungs[2].has[LADDER_ROWS];
}

/* Its figures are those of tokens that are not its own. */
static void a_rung_with_another_tokenizer_is_told(void **state) {
    (void)state;
    char *changed = scratch_path("changed");
    char *command = memory_format("cp -r '%s' '%s' && sed -i 's/Jack/Jill/' '%s/tokenizer.json'", RUNGS[1],
                                  changed, changed);
    assert_int_equal(system(command), 0);
    const char *const rungs[] = {RUNGS[1], changed};
    LiveLadder *ladder;
    assert_int_equal(live_ladder_create(TESTS_DIR "/demo/base", rungs, 2, TOKENIZER_BY_CLASS, &ladder, NULL),
                     STATUS_OK);
    Session *session = open_rung(ladder, 2); /* whose tokens are those of rung 1 */
    session_ladder_show(session);
    wait_for(session, "rows on rungs", knows_rows);
    const char *warning = session_ladder_warning(session);
    assert_non_null(warning);
    assert_non_null(strstr(warning, "rung 2 reads texts by other tokens: "));
    session_free(session);
    live_ladder_free(ladder);
    ladder = open_ladder();
    session = open_rung(ladder, 2);
    session_ladder_show(session);
    wait_for(session, "rows on rungs", knows_rows);
    assert_null(session_ladder_warning(session));
    session_free(session);
    live_ladder_free(ladder);
    free(command);
    free(changed);
}

static void one_model_alone_is_no_ladder(void **state) {
    (void)state;
    Session *session = open_demo();
    char title[128];
    assert_null(session_ladder(session));
    assert_int_equal(session_ladder_rung(session), 0);
    session_ladder_show(session);
    session_ladder_measure(session);
    session_title(session, title, sizeof title);
    assert_null(strchr(title, '['));
    session_free(session);
}

/* Which rows they are is asked before anything is wanted: once. */
static void rows_are_not_asked_about_again_once_that_was_cancelled(void **state) {
    (void)state;
    static const int32_t IDS[] = {1, 2, 3};
    static const EvaluationRow ROW = {.ids = IDS, .count = 3, .end = 3};
    LiveLadder *ladder = open_ladder();
    events_open();
    live_ladder_set_rows(ladder, &ROW, 1);
    assert_true(live_ladder_refresh(ladder, false, 1, NULL, false));
    (void)live_ladder_cancel(ladder);
    live_ladder_stop(ladder);
    live_ladder_set_rows(ladder, &ROW, 1);
    (void)live_ladder_cancel(ladder); /* before it begins */
    assert_false(live_ladder_refresh(ladder, false, 1, NULL, false));
    live_ladder_want(ladder, 1U << LADDER_ROWS);
    assert_true(live_ladder_refresh(ladder, false, 1, NULL, false));
    live_ladder_stop(ladder);
    live_ladder_free(ladder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_measured_before_it_is_looked_at),
        cmocka_unit_test(figures_are_those_of_the_rungs_own_session),
        cmocka_unit_test(another_rung_takes_the_figures_over),
        cmocka_unit_test(other_rows_and_another_prompt_are_measured_anew),
        cmocka_unit_test(what_is_cancelled_stays_so_until_it_is_asked_for),
        cmocka_unit_test(rows_are_not_asked_about_again_once_that_was_cancelled),
        cmocka_unit_test(a_session_may_end_while_rungs_are_measured),
        cmocka_unit_test(a_ladder_that_does_not_fit_is_not_opened),
        cmocka_unit_test(a_rung_with_another_tokenizer_is_told),
        cmocka_unit_test(one_model_alone_is_no_ladder),
    };
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
