/*
 * The text on screen of a session: typed, continued, answered, and the targets that attribution takes of it.
 */
#include "session_fixture.h"
#include "tui/session/session.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_targets.h"

#include <math.h>

/* ---- prompts ---- */

static void a_typed_prompt_takes_the_place_of_the_example(void **state) {
    (void)state;
    static const char TEXT[] = "Question: What is 2 + 3?\nAnswer:";
    Session *session = open_demo();
    wait_for(session, "tokenizer", tokenizer_is_there);
    Error error = {0};
    size_t bytes;
    const int32_t *ids;
    assert_int_equal(session_set_prompt(session, TEXT, sizeof TEXT - 1, &error), STATUS_OK);
    assert_string_equal(session_prompt_text(session, &bytes), TEXT);
    assert_int_equal(bytes, sizeof TEXT - 1);
    size_t count = session_prompt_tokens(session, &ids);
    assert_true(count > 0);
    assert_int_equal(session_current_example(session), -1);
    assert_null(session_preview(session, SIDE_BASE)); /* that was of the other prompt */
    assert_true(isnan(session_entropy_gap(session, 0)));
    assert_true(isnan(session_probability(session, SIDE_SFT, 0, ids[0])));
    wait_for(session, "preview", preview_is_fresh);
    for (Side side = SIDE_BASE; side < SIDE_COUNT; side++) {
        const EvaluationResult *result = session_preview(session, side);
        assert_int_equal(result->count, count);
        assert_int_equal(result->top_count, SESSION_TOP);
        for (size_t t = 0; t < count; t++) {
            double top = session_probability(session, side, t, result->positions[t].top);
            assert_true(fabs(top - result->positions[t].top1) < 1e-5);
            assert_int_equal(result->positions[t].next, t + 1 < count ? ids[t + 1] : -1);
        }
    }
    for (size_t t = 0; t < count; t++) {
        double gap = session_preview(session, SIDE_BASE)->positions[t].entropy -
                     session_preview(session, SIDE_SFT)->positions[t].entropy;
        assert_true(session_entropy_gap(session, t) == gap);
    }
    assert_true(isnan(session_entropy_gap(session, count)));
    assert_int_equal(session_use_example(session, 3, &error), STATUS_OK);
    assert_int_equal(session_current_example(session), 3);
    session_free(session);
}

static void a_prompt_that_cannot_be_measured_leaves_the_old_one(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "preview", preview_is_fresh);
    Error error = {0};
    char long_text[4000], *before = memory_format("%s", session_prompt_text(session, NULL));
    memset(long_text, 'x', sizeof long_text);
    for (size_t i = 0; i < sizeof long_text; i += 2) long_text[i] = (char)('!' + i / 2 % 90);
    assert_int_equal(session_set_prompt(session, "", 0, &error), STATUS_ARGUMENT);
    assert_int_equal(session_set_prompt(session, "\xff", 1, &error), STATUS_ARGUMENT);
    assert_int_equal(session_set_prompt(session, long_text, sizeof long_text, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "the model's context 256"));
    assert_int_equal(session_use_example(session, 9999, &error), STATUS_ARGUMENT);
    assert_string_equal(session_prompt_text(session, NULL), before);
    assert_true(preview_is_fresh(session));
    assert_int_equal(session_current_example(session), 0);
    free(before);
    session_free(session);
}

static void the_prompt_may_be_set_to_its_own_text(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "preview", preview_is_fresh);
    size_t bytes;
    const char *text = session_prompt_text(session, &bytes);
    char *copy = memory_format("%s", text);
    assert_int_equal(session_set_prompt(session, text, bytes, NULL), STATUS_OK);
    assert_string_equal(session_prompt_text(session, NULL), copy);
    free(copy);
    session_free(session);
}

static void pins_are_a_few_and_toggle(void **state) {
    (void)state;
    Session *session = open_demo();
    for (int32_t id = 0; id < SESSION_PINS; id++) assert_true(session_toggle_pin(session, id));
    assert_false(session_toggle_pin(session, 99));
    assert_int_equal(session_pin_count(session), SESSION_PINS);
    assert_true(session_toggle_pin(session, 3)); /* removes */
    assert_false(session_is_pinned(session, 3));
    assert_int_equal(session_pin(session, 3), 4); /* the others keep their order */
    assert_true(session_toggle_pin(session, 99));
    assert_true(session_is_pinned(session, 99));
    session_free(session);
}

/* ---- continuing ---- */

static bool has_continuation(const Session *session) {
    return session_prompt_added(session) > 0 && !session_is_continuing(session);
}

static void a_continuation_is_appended_measured_and_taken_off_again(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "preview", preview_is_fresh);
    Error error = {0};
    size_t before = session_prompt_tokens(session, NULL);
    *session_continuation(session) = (SessionContinuation){.side = SIDE_SFT, .tokens = 6, .seed = 1};
    assert_int_equal(session_continue(session, &error), STATUS_OK);
    assert_int_equal(session_continue(session, &error), STATUS_ARGUMENT); /* one at a time */
    wait_for(session, "continuation", has_continuation);
    size_t added = session_prompt_added(session);
    assert_in_range(added, 1, 6);
    assert_int_equal(session_prompt_tokens(session, NULL), before + added);
    wait_for(session, "preview", preview_is_fresh);
    const EvaluationResult *sft = session_preview(session, SIDE_SFT);
    assert_int_equal(sft->count, before + added);
    for (size_t t = before - 1; t + 1 < before + added; t++) /* greedy from SFT: its most likely tokens */
        assert_int_equal(sft->positions[t].next, sft->positions[t].top);
    session_remove_continuation(session);
    assert_int_equal(session_prompt_tokens(session, NULL), before);
    assert_int_equal(session_prompt_added(session), 0);
    wait_for(session, "preview", preview_is_fresh);
    assert_int_equal(session_preview(session, SIDE_SFT)->count, before);
    session_remove_continuation(session); /* nothing is left to take off */
    assert_int_equal(session_prompt_tokens(session, NULL), before);
    session_free(session);
}

static void a_continuation_ends_with_the_models_context(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "preview", preview_is_fresh);
    Error error = {0};
    static const char SENTENCE[] = " Tom has 12 coins.";
    char text[2048] = "Question:"; /* most of the context, so that there is little to generate */
    while (session_prompt_tokens(session, NULL) < 220) {
        assert_true(strlen(text) + sizeof SENTENCE <= sizeof text);
        strcat(text, SENTENCE);
        assert_int_equal(session_set_prompt(session, text, strlen(text), &error), STATUS_OK);
    }
    for (int i = 0; i < 40 && session_prompt_tokens(session, NULL) < 256; i++) {
        size_t before = session_prompt_added(session);
        *session_continuation(session) =
            (SessionContinuation){.side = SIDE_BASE, .tokens = 1000, .temperature = 1.0, .seed = (uint64_t)i};
        assert_int_equal(session_continue(session, &error), STATUS_OK);
        while (session_prompt_added(session) == before) {
            events_wait();
            (void)session_refresh(session);
        }
    }
    assert_int_equal(session_prompt_tokens(session, NULL), 256);
    assert_int_equal(session_continue(session, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "256"));
    session_free(session);
}

static void a_new_prompt_drops_the_continuation_of_the_old_one(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "preview", preview_is_fresh);
    *session_continuation(session) =
        (SessionContinuation){.side = SIDE_BASE, .tokens = 150, .temperature = 1.0};
    assert_int_equal(session_continue(session, NULL), STATUS_OK);
    assert_int_equal(session_set_prompt(session, "Question", 8, NULL), STATUS_OK);
    assert_false(session_is_continuing(session));
    size_t count = session_prompt_tokens(session, NULL);
    settle(session);
    assert_int_equal(session_prompt_added(session), 0);
    assert_int_equal(session_prompt_tokens(session, NULL), count);
    session_free(session);
}

/* ---- targets on the text on screen ---- */

static bool base_and_sft_are_there(const Session *session) {
    return session_preview(session, SIDE_BASE) != NULL && session_preview(session, SIDE_SFT) != NULL;
}

static void targets_are_visited_in_the_order_of_rows_and_positions(void **state) {
    (void)state;
    Session *session = open_demo();
    Error error = {0};
    wait_for(session, "preview", preview_is_fresh);
    wait_for(session, "attribution", neurons_are_ranked);
    const Attribution *attribution = session_attribution(session);
    size_t position = 0, listed = 0, last_row = 0, last_position = 0;
    for (size_t row = 0; row < DEMO_ROWS; row++) {
        assert_int_equal(session_use_example(session, row, NULL), STATUS_OK);
        SessionTargets targets = session_targets(session);
        assert_true(targets.is_chosen);
        assert_null(targets.message);
        assert_int_equal(targets.wanted, attribution->target_count);
        listed += targets.count + targets.hidden;
    }
    assert_int_equal(listed, attribution->target_count); /* each is in one row */
    assert_int_equal(session_use_example(session, 0, NULL), STATUS_OK);
    for (size_t i = 0; i < attribution->target_count; i++) {
        if (session_go_to_target(session, 1, &position, &error) != STATUS_OK) fail_msg("%s", error.message);
        size_t row = (size_t)session_current_example(session);
        SessionTargets targets = session_targets(session);
        const SessionTarget *target = session_find_target(&targets, position);
        assert_non_null(target); /* it is on screen: the row's response was put there where it takes that */
        assert_int_equal(attribution->targets[target->rank].row, row);
        assert_int_equal(attribution->targets[target->rank].position, position);
        if (i > 0) assert_true(row > last_row || (row == last_row && position > last_position));
        last_row = row;
        last_position = position;
    }
    settle(session);
    wait_for(session, "base and SFT", base_and_sft_are_there);
    SessionTargets targets = session_targets(session);
    const SessionTarget *target = session_find_target(&targets, position);
    /* the same position of the same text, measured once for attribution and once for the screen: 1e-5 nats is
     * some ten times what differently grouped multiplies were seen to make of it */
    assert_true(fabs(session_entropy_gap(session, position) - target->gap) < 1e-5);
    session_free(session);
}

static void a_response_is_shown_and_taken_off_again(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "preview", preview_is_fresh);
    size_t prompt = session_prompt_tokens(session, NULL);
    assert_int_equal(session_show_response(session, NULL), STATUS_OK);
    const CalibrationRow *row = &session_calibration(session, NULL)->rows[0];
    assert_int_equal(session_prompt_tokens(session, NULL), row->count);
    assert_int_equal(session_prompt_response(session), row->count - row->prompt_count);
    assert_int_equal(session_prompt_added(session), 0);
    assert_int_equal(session_show_response(session, NULL), STATUS_OK); /* once more: the same */
    assert_int_equal(session_prompt_tokens(session, NULL), row->count);
    session_remove_continuation(session);
    assert_int_equal(session_prompt_tokens(session, NULL), prompt);
    assert_int_equal(session_prompt_response(session), 0);
    assert_int_equal(session_set_prompt(session, "Ann", 3, NULL), STATUS_OK);
    assert_int_equal(session_show_response(session, NULL), STATUS_ARGUMENT);
    session_free(session);
}

static void of_any_other_text_the_rule_takes_the_largest_gaps(void **state) {
    (void)state;
    static const char TEXT[] = "Question: Tom has 12 coins. Ann gives Tom 30 more.";
    enum { WANTED = 5 };
    Session *session = open_demo();
    wait_for(session, "tokenizer", tokenizer_is_there);
    session_set_targets(session, WANTED);
    assert_int_equal(session_set_prompt(session, TEXT, sizeof TEXT - 1, NULL), STATUS_OK);
    assert_non_null(session_targets(session).message); /* nothing is measured yet */
    wait_for(session, "base and SFT", base_and_sft_are_there);
    SessionTargets targets = session_targets(session);
    assert_false(targets.is_chosen);
    assert_int_equal(targets.count, WANTED);
    double least = INFINITY;
    for (size_t i = 0; i < targets.count; i++) {
        const SessionTarget *target = &targets.targets[i];
        assert_int_equal(target->rank, i);
        assert_true(target->gap == session_entropy_gap(session, target->position));
        assert_true(fabs(target->gap) <= least);
        least = fabs(target->gap);
    }
    for (size_t t = 0; t < session_prompt_tokens(session, NULL); t++)
        if (session_find_target(&targets, t) == NULL)
            assert_true(fabs(session_entropy_gap(session, t)) <= least);
    size_t first = 0, position = 0;
    assert_int_equal(session_go_to_target(session, 1, &position, NULL), STATUS_OK);
    first = position;
    assert_int_equal(session_go_to_target(session, WANTED, &position, NULL),
                     STATUS_OK); /* all the way round */
    assert_int_equal(position, first);
    session_free(session);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_typed_prompt_takes_the_place_of_the_example),
        cmocka_unit_test(a_prompt_that_cannot_be_measured_leaves_the_old_one),
        cmocka_unit_test(the_prompt_may_be_set_to_its_own_text),
        cmocka_unit_test(pins_are_a_few_and_toggle),
        cmocka_unit_test(a_continuation_is_appended_measured_and_taken_off_again),
        cmocka_unit_test(a_continuation_ends_with_the_models_context),
        cmocka_unit_test(a_new_prompt_drops_the_continuation_of_the_old_one),
        cmocka_unit_test(targets_are_visited_in_the_order_of_rows_and_positions),
        cmocka_unit_test(a_response_is_shown_and_taken_off_again),
        cmocka_unit_test(of_any_other_text_the_rule_takes_the_largest_gaps),
    };
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
