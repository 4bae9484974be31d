/*
 * A session without a terminal: the demo pair is opened, and what the screens would show is waited for.
 */
#include "core/numerics/random.h"
#include "session_fixture.h"
#include "tui/app/dial_actions.h"
#include "tui/session/session.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_elements.h"
#include "tui/session/session_export.h"
#include "tui/session/session_sweep.h"
#include "tui/session/session_targets.h"

#include <math.h>

/* ---- opening ---- */

static void the_demo_pair_opens_and_fills_in(void **state) {
    (void)state;
    Session *session = open_demo();
    char title[128];
    session_title(session, title, sizeof title);
    assert_string_equal(title, "base → sft (llama 6L 1.2M)");
    wait_for(session, "drift", drift_is_complete);
    wait_for(session, "tokenizer", tokenizer_is_there);
    wait_for(session, "preview", preview_is_fresh);
    wait_for(session, "headlines", headline_is_fresh);
    assert_int_equal(session_example_count(session), DEMO_ROWS);
    assert_int_equal(session_current_example(session), 0);
    assert_string_equal(session_example(session, 0), session_prompt_text(session, NULL));
    const DistributionAverages *base = session_headline_base(session), *sft = session_headline_sft(session);
    assert_true(sft->entropy < base->entropy); /* the demo's SFT model is over-trained: surer than base */
    assert_true(base->kl_base == 0.0 && sft->kl_sft == 0.0 && sft->kl_base > 0.0);
    assert_true(session_headline_settings(session)->alpha == 0.5);
    assert_null(session_headline_message(session));
    assert_null(session_preview_message(session));
    for (size_t i = 0; i < session_finding_count(session); i++)
        assert_int_not_equal(session_finding(session, i)->severity, SEVERITY_ERROR);
    settle(session);
    assert_false(session_refresh(session)); /* at rest, nothing asks to be drawn */
    session_free(session);
}

static void a_pair_that_cannot_be_opened_is_an_error_with_a_name(void **state) {
    (void)state;
    Session *session;
    Error error = {0};
    const SessionOptions options = {
        .base = TESTS_DIR "/demo/base", .sft = TESTS_DIR "/demo/none", .alpha = 0.5};
    assert_int_equal(session_create(&options, &session, &error), STATUS_IO);
    assert_null(session);
    assert_non_null(strstr(error.message, "demo/none"));
    session_free(NULL);
}

static void a_pair_that_cannot_be_run_is_still_looked_at(void **state) {
    (void)state;
    Session *session =
        open_pair(TESTS_DIR "/golden/pairs/shapes/base", TESTS_DIR "/golden/pairs/shapes/sft", NULL);
    settle(session);
    assert_true(drift_is_complete(session));
    assert_null(session_model(session));
    assert_non_null(session_model_error(session));
    assert_string_equal(session_headline_message(session), session_model_error(session));
    assert_string_equal(session_preview_message(session), session_model_error(session));
    Error error;
    assert_int_equal(session_set_prompt(session, "a", 1, &error), STATUS_UNSUPPORTED);
    assert_int_equal(session_continue(session, &error), STATUS_ARGUMENT);
    session_start_sweep(session, false, 0.0, 1.0, 5);
    assert_false(session_sweep(session).is_running);
    session_free(session);
}

static void two_models_that_do_not_match_are_explained_and_scanned(void **state) {
    (void)state;
    Session *session = open_pair(TESTS_DIR "/golden/pairs/qwen3-tied/base", TESTS_DIR "/demo/sft", NULL);
    settle(session); /* and nothing starts over and over again */
    assert_true(drift_is_complete(session));
    assert_true(session_finding_count(session) > 0);
    assert_int_equal(session_finding(session, 0)->severity, SEVERITY_ERROR); /* the gravest first */
    assert_null(session_finding(session, session_finding_count(session)));
    assert_null(session_model(session));
    session_free(session);
}

static void a_directory_may_be_both_sides(void **state) {
    (void)state;
    char *few = scratch_path("few.jsonl");
    Session *session = open_pair(TESTS_DIR "/demo/sft", TESTS_DIR "/demo/sft", few);
    free(few);
    wait_for(session, "headlines", headline_is_fresh);
    assert_true(session_headline_fused(session)->kl_base < 1e-9);
    wait_for(session, "drift", drift_is_complete);
    for (size_t i = 0; i < drift_table_count(session_drift(session)); i++) {
        DriftRow row;
        assert_true(drift_table_row(session_drift(session), i, &row));
        assert_true(row.is_equal);
    }
    session_free(session);
}

static void bad_calibration_rows_are_a_finding_and_no_failure(void **state) {
    (void)state;
    scratch_write_text("rows.jsonl", "{\"prompt_ids\":[99999]}");
    char *path = scratch_path("rows.jsonl");
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", path);
    settle(session);
    const char *message;
    assert_null(session_calibration(session, &message));
    assert_non_null(strstr(message, "line 1"));
    assert_string_equal(session_headline_message(session), message);
    assert_string_equal(session_finding(session, 0)->subject, "calibration");
    Error error;
    assert_int_equal(session_use_example(session, 0, &error), STATUS_ARGUMENT);
    assert_int_equal(session_set_prompt(session, "Question", 8, &error), STATUS_OK); /* prompts still work */
    wait_for(session, "preview", preview_is_fresh);
    free(path);
    session_free(session);
}

/* ---- dials ---- */

static void the_dial_is_clamped_and_steps_in_thousandths(void **state) {
    (void)state;
    Session *session = open_demo();
    static const struct {
        double set, is;
        const char *text;
    } CASES[] = {{0.25, 0.25, "α 0.25"},     {-3.0, 0.0, "α 0.00"},  {7.0, 1.0, "α 1.00"},
                 {0.1234, 0.123, "α 0.123"}, {0.29, 0.29, "α 0.29"}, {0.57, 0.57, "α 0.57"},
                 {INFINITY, 1.0, "α 1.00"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        session_set_alpha(session, CASES[i].set);
        assert_true(session_settings(session)->alpha == CASES[i].is);
        char text[64];
        (void)snprintf(text, sizeof text, "%s  ρ 0.0%%  ω 1.00", CASES[i].text);
        assert_string_equal(session_dials(session).text, text);
    }
    session_set_alpha(session, NAN); /* no number: nothing changes */
    assert_true(session_settings(session)->alpha == 1.0);
    const ActionArgument thrice = {.count = 3}, number = {.count = 1, .number = 0.4};
    assert_true(dial_actions_act(session, ACTION_ALPHA_SET, &number) & REACTION_REFRESH);
    (void)dial_actions_act(session, ACTION_ALPHA_UP, &thrice);
    assert_true(session_settings(session)->alpha == 0.43);
    (void)dial_actions_act(session, ACTION_ALPHA_DOWN_COARSE, &thrice);
    assert_true(session_settings(session)->alpha == 0.13);
    assert_int_equal(dial_actions_act(session, ACTION_NOTHING, &thrice), REACTION_IGNORED);
    session_free(session);
}

static void what_is_older_than_the_dial_is_stale_until_it_is_measured_again(void **state) {
    (void)state;
    Session *session = open_demo();
    assert_true(session_preview_is_stale(session) && session_headline_is_stale(session));
    assert_false(session_dials(session).stale); /* there is nothing on screen that could be old */
    wait_for(session, "preview", preview_is_fresh);
    wait_for(session, "headlines", headline_is_fresh);
    assert_false(session_dials(session).stale);
    double before = session_headline_fused(session)->kl_base;
    session_set_alpha(session, 0.8);
    assert_true(session_preview_is_stale(session) && session_headline_is_stale(session));
    assert_true(session_dials(session).stale);
    assert_true(session_headline_fused(session)->kl_base == before); /* the old figure stays in sight */
    assert_true(session_headline_settings(session)->alpha == 0.5);
    session_set_alpha(session, 0.5);
    assert_false(session_dials(session).stale); /* turned back: it is what is wanted */
    session_set_alpha(session, 0.8);
    wait_for(session, "preview", preview_is_fresh);
    wait_for(session, "headlines", headline_is_fresh);
    assert_true(session_headline_settings(session)->alpha == 0.8);
    assert_true(session_headline_fused(session)->kl_base > before); /* further from base */
    session_free(session);
}

static void the_last_of_many_turns_is_what_is_measured(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "preview", preview_is_fresh);
    for (int i = 0; i <= 100; i++) {
        session_set_alpha(session, 0.01 * i);
        (void)session_refresh(session);
    }
    session_set_alpha(session, 0.321);
    wait_for(session, "preview", preview_is_fresh);
    assert_true(session_preview(session, SIDE_FUSED)->settings.alpha == 0.321);
    session_free(session);
}

/* ---- cancelling ---- */

static void cancelling_stops_one_thing_after_another_until_all_is_quiet(void **state) {
    (void)state;
    Session *session = open_demo();
    (void)session_refresh(session);
    int cancelled = 0;
    do {
        cancelled += session_cancel(session);
        (void)session_refresh(session);
    } while (!is_idle(session));
    assert_true(cancelled > 0);
    settle(session);
    assert_false(session_cancel(session));
    session_resume_drift(session);
    session_measure_headlines(session);
    wait_for(session, "drift", drift_is_complete);
    Error error;
    wait_for(session, "tokenizer", tokenizer_is_there);
    assert_int_equal(session_set_prompt(session, "Question: 1 + 1?", 16, &error), STATUS_OK);
    wait_for(session, "preview", preview_is_fresh);
    session_free(session);
}

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

/* ---- the sweep ---- */

static bool sweep_is_done(const Session *session) {
    return session_sweep(session).count > 0 && !session_sweep(session).is_running;
}

static void a_sweep_has_its_points_from_end_to_end(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "sweep", sweep_is_done);
    assert_int_equal(session_sweep(session).count, SESSION_SWEEP_POINTS); /* the first comes unasked */
    session_start_sweep(session, false, 0.0, 1.0, 5);
    assert_true(session_sweep(session).is_running);
    wait_for(session, "sweep", sweep_is_done);
    wait_for(session, "headlines", headline_is_fresh);
    SessionSweep sweep = session_sweep(session);
    assert_int_equal(sweep.count, 5);
    assert_null(sweep.error);
    for (size_t i = 0; i < 5; i++) assert_true(sweep.values[i] == 0.25 * (double)i);
    assert_true(fabs(sweep.averages[0].entropy - session_headline_base(session)->entropy) < 1e-5);
    assert_true(fabs(sweep.averages[4].entropy - session_headline_sft(session)->entropy) < 1e-5);
    assert_true(fabs(sweep.averages[2].entropy - session_headline_fused(session)->entropy) <
                1e-5); /* α is 0.5 */
    for (size_t i = 1; i < 5; i++) assert_true(sweep.averages[i].kl_base > sweep.averages[i - 1].kl_base);
    session_start_sweep(session, false, 0.0, 1.0, 21); /* the second makes way for the third */
    (void)session_refresh(session);
    session_start_sweep(session, false, 0.4, 0.6, 0); /* two points at least */
    while (session_sweep(session).is_running) {
        events_wait();
        (void)session_refresh(session);
    }
    assert_int_equal(session_sweep(session).count, 2);
    assert_true(session_sweep(session).values[0] == 0.4 && session_sweep(session).values[1] == 0.6);
    session_free(session);
}

static void a_sweep_that_waits_for_the_headlines_is_cancelled_with_them(void **state) {
    (void)state;
    size_t tried = 0;
    for (int i = 0; i < 50 && tried == 0; i++) {
        Session *session = open_demo();
        wait_for(session, "tokenizer", tokenizer_is_there);
        session_start_sweep(session, false, 0.0, 1.0, 21);
        bool waits = session_sweep(session).is_running && session_headline_base(session) == NULL;
        while (session_cancel(session), (void)session_refresh(session), !is_idle(session)) events_wait();
        settle(session);
        if (waits && session_headline_base(session) == NULL) {
            assert_false(session_sweep(session).is_running); /* nothing runs, so nothing may be said to */
            tried++;
        }
        session_free(session);
    }
    assert_true(tried > 0);
}

/* ---- elements ---- */

static const ElementsMap *current_map(const Session *session) {
    bool is_current = false;
    const ElementsMap *map = session_elements(session, NULL, &is_current);
    return is_current ? map : NULL;
}

static bool map_is_current(const Session *session) {
    return current_map(session) != NULL;
}

static void elements_of_the_fusion_follow_the_dial_and_those_of_delta_do_not(void **state) {
    (void)state;
    Session *session = open_demo();
    const PairTensor *tensor = pair_find_role(session_pair(session), TENSOR_UP, 2);
    ElementsRequest request = {.tensor = tensor,
                               .source = ELEMENTS_DIFFERENCE,
                               .pooling = ELEMENTS_RMS,
                               .rows = tensor->sft->rows,
                               .columns = tensor->sft->columns,
                               .grid_rows = 8,
                               .grid_columns = 8};
    assert_null(session_elements(session, NULL, NULL));
    session_request_elements(session, &request);
    wait_for(session, "map", map_is_current);
    double of_delta = current_map(session)->largest_cell;
    session_set_alpha(session, 0.9);
    session_request_elements(session, &request);
    assert_true(map_is_current(session)); /* Δ is as it was */
    request.source = ELEMENTS_FUSED;
    session_request_elements(session, &request);
    assert_false(map_is_current(session));
    assert_true(session_elements(session, NULL, NULL)->largest_cell == of_delta); /* still the last one */
    wait_for(session, "map", map_is_current);
    session_set_alpha(session, 0.1);
    session_request_elements(session, &request);
    assert_false(map_is_current(session));
    wait_for(session, "map", map_is_current);
    request.rows = 0;
    session_request_elements(session, &request);
    settle(session);
    assert_non_null(session_elements_error(session));
    session_free(session);
}

/* ---- export ---- */

static bool export_is_over(const Session *session) {
    SessionExportStage stage = session_export_stage(session);
    return stage == SESSION_EXPORT_DONE || stage == SESSION_EXPORT_FAILED;
}

static bool plan_is_fresh(const Session *session) {
    return !session_export_plan_is_stale(session);
}

/* Asked for again and again, as a screen does. */
static const ExportPlan *wait_for_plan(Session *session) {
    while (session_export_plan(session), !plan_is_fresh(session)) {
        events_wait();
        (void)session_refresh(session);
    }
    return session_export_plan(session);
}

static bool nothing_is_written(const Session *session) {
    return session_export_stage(session) == SESSION_EXPORT_IDLE;
}

static void a_plan_is_made_behind_the_screen_and_the_last_one_stays_meanwhile(void **state) {
    (void)state;
    Session *session = open_demo();
    assert_null(session_export_plan(session)); /* the first one is being made */
    assert_true(session_export_plan_is_stale(session));
    assert_null(session_export_message(session));
    assert_non_null(wait_for_plan(session));
    session_set_alpha(session, 0.4);
    assert_true(session_export_plan_is_stale(session));
    const ExportPlan *last = session_export_plan(session);
    assert_non_null(last);
    assert_true(last->options.settings.alpha == 0.5);
    session_set_alpha(session, 0.3); /* while that for 0.4 is being made */
    assert_true(wait_for_plan(session)->options.settings.alpha == 0.3);
    SessionExportForm form = *session_export_form(session);
    (void)snprintf(form.directory, sizeof form.directory, "/dev/null/nowhere");
    assert_true(session_set_export_form(session, &form));
    assert_true(session_export_plan_is_stale(session));
    const ExportPlan *plan = wait_for_plan(session);
    assert_true(plan == NULL || export_check(plan, NULL) != STATUS_OK);
    session_free(session);
}

/* Cancelled, a plan would be begun again by the next drawing, or never, and something half removed would stay. */
static void a_plan_is_waited_for_and_not_cancelled(void **state) {
    (void)state;
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", NULL);
    SessionJob job;
    settle(session);
    assert_false(session_is_measuring(session, SESSION_PART_EXPORT, &job));
    assert_null(session_export_plan(session)); /* as a drawing asks */
    assert_true(session_is_measuring(session, SESSION_PART_EXPORT, &job));
    assert_string_equal(job.label, "export plan");
    assert_false(session_cancel(session));
    settle(session);
    assert_false(session_is_measuring(session, SESSION_PART_EXPORT, &job));
    assert_non_null(session_export_plan(session));
    assert_true(plan_is_fresh(session));
    session_free(session);
}

static void aim_at(Session *session, const char *name) {
    SessionExportForm form = *session_export_form(session);
    char *target = scratch_path(name);
    (void)snprintf(form.directory, sizeof form.directory, "%s", target);
    assert_true(session_set_export_form(session, &form));
    free(target);
}

static void a_reset_whose_neurons_are_not_ranked_is_not_exported_without(void **state) {
    (void)state;
    Session *session = open_demo();
    Error error = {0};
    aim_at(session, "too-early");
    session_set_rho(session, 0.01);
    assert_false(neurons_are_ranked(session));
    assert_non_null(session_export_obstacle(session));
    assert_int_equal(session_start_export(session, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "ρ asks for a reset"));
    assert_true(nothing_is_written(session));
    session_set_rho(session, 0.0);
    assert_null(session_export_obstacle(session));
    session_set_rho(session, 0.01);
    wait_for(session, "ranking", neurons_are_ranked);
    assert_null(session_export_obstacle(session));
    session_set_targets(session, 7); /* the order that is there is of 32 */
    assert_string_equal(session_export_obstacle(session), "the neurons are still being ranked");
    session_set_selector(session, SELECTOR_RANDOM); /* an order of its own */
    wait_for(session, "ranking", neurons_are_ranked);
    assert_null(session_export_obstacle(session));
    session_free(session);
    session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", NULL);
    settle(session);
    session_set_rho(session, 0.01);
    assert_non_null(strstr(session_export_obstacle(session), "no calibration rows"));
    session_free(session);
}

static void leaving_ends_an_export_and_says_what_became_of_it(void **state) {
    (void)state;
    Session *session = open_demo();
    assert_null(session_leave_export(session)); /* nothing runs */
    SessionExportForm form = *session_export_form(session);
    char *target = scratch_path("left");
    (void)snprintf(form.directory, sizeof form.directory, "%s", target);
    assert_true(session_set_export_form(session, &form));
    assert_int_equal(session_start_export(session, NULL), STATUS_OK);
    const char *message = session_leave_export(session);
    assert_non_null(message);
    struct stat facts;
    bool is_written = stat(target, &facts) == 0;
    assert_non_null(strstr(message, is_written ? "written" : "cancel"));
    assert_null(session_leave_export(session));
    free(target);
    session_free(session);
}

static void an_export_is_planned_written_and_verified(void **state) {
    (void)state;
    Session *session = open_demo();
    SessionExportForm form = *session_export_form(session);
    assert_non_null(strstr(form.directory, "sft-rejuvenated"));
    char *target = scratch_path("exported");
    (void)snprintf(form.directory, sizeof form.directory, "%s", target);
    form.shard_bytes = 700000;
    assert_true(session_set_export_form(session, &form));
    const ExportPlan *plan = wait_for_plan(session);
    assert_non_null(plan);
    assert_true(plan->shard_count > 1);
    assert_true(plan->options.settings.alpha == 0.5);
    session_set_alpha(session, 0.4);
    assert_true(wait_for_plan(session)->options.settings.alpha == 0.4); /* the plan follows the dial */
    Error error = {0};
    assert_int_equal(session_export_stage(session), SESSION_EXPORT_IDLE);
    assert_int_equal(session_start_export(session, &error), STATUS_OK);
    assert_int_equal(session_start_export(session, &error), STATUS_ARGUMENT);
    assert_false(session_set_export_form(session, &form)); /* not while it runs */
    session_set_alpha(session, 0.9);                       /* this one is written at 0.4 all the same */
    wait_for(session, "export", export_is_over);
    if (session_export_stage(session) != SESSION_EXPORT_DONE) fail_msg("%s", session_export_message(session));
    const VerifyResult *result = session_export_verification(session);
    assert_non_null(result);
    assert_int_equal(result->tensors_equal, result->tensors);
    assert_int_equal(result->tensors_blended, result->tensors);
    assert_true(result->recipe->settings.alpha == 0.4);
    assert_non_null(strstr(session_export_message(session), "written and verified"));
    Pair *pair;
    assert_int_equal(pair_open(TESTS_DIR "/demo/base", target, &pair, &error), STATUS_OK); /* it opens */
    assert_int_equal(pair_check(pair, &error), STATUS_OK);
    pair_close(pair);
    SessionTone tone;
    char text[600] = "";
    assert_int_equal(session_start_export(session, &error), STATUS_OK); /* and is not overwritten */
    wait_for(session, "refusal", nothing_is_written);
    while (session_take_message(session, &tone, text, sizeof text)) continue;
    assert_int_equal(tone, SESSION_ERROR);
    assert_non_null(strstr(text, target));
    free(target);
    session_free(session);
}

static void a_cancelled_export_leaves_no_target_and_can_be_discarded(void **state) {
    (void)state;
    size_t tried = 0;
    SessionJob job;
    char *target = scratch_path("cancelled");
    for (int i = 0; i < 20 && tried == 0; i++) {
        Session *session = open_demo();
        SessionExportForm form = *session_export_form(session);
        (void)snprintf(form.directory, sizeof form.directory, "%s-%d", target, i);
        assert_true(session_set_export_form(session, &form));
        assert_int_equal(session_start_export(session, NULL), STATUS_OK);
        assert_true(session_cancel(session));
        wait_for(session, "end of the export", export_is_over);
        if (session_export_stage(session) == SESSION_EXPORT_FAILED) {
            struct stat facts;
            assert_int_not_equal(stat(form.directory, &facts), 0);
            assert_non_null(strstr(session_export_message(session), "kept")); /* or that nothing is */
            settle(session);
            assert_int_equal(session_discard_export(session, NULL), STATUS_OK);
            assert_true(session_is_measuring(session, SESSION_PART_EXPORT, &job));
            assert_string_equal(job.label, "removing");
            assert_false(session_cancel(session)); /* nothing else runs, and this goes to its end */
            wait_for(session, "end of the removal", nothing_is_written);
            assert_false(session_is_measuring(session, SESSION_PART_EXPORT, &job));
            tried++;
        }
        session_free(session);
    }
    assert_true(tried > 0);
    free(target);
}

/* ---- messages and tokens ---- */

static void messages_come_in_order_and_the_oldest_give_way(void **state) {
    (void)state;
    Session *session = open_demo();
    SessionTone tone;
    char text[600];
    while (session_take_message(session, &tone, text, sizeof text)) continue;
    for (int i = 0; i < 20; i++) session_say(session, i % 2 ? SESSION_GOOD : SESSION_ERROR, "message %d", i);
    int last = -1, taken = 0;
    for (; session_take_message(session, &tone, text, sizeof text); taken++) {
        int number = atoi(text + strlen("message "));
        assert_true(number > last);
        assert_int_equal(tone, number % 2 ? SESSION_GOOD : SESSION_ERROR);
        last = number;
    }
    assert_int_equal(last, 19);
    assert_true(taken > 1 && taken < 20);
    session_free(session);
}

static void a_token_is_shown_by_its_bytes_or_its_number(void **state) {
    (void)state;
    Session *session = open_demo();
    char text[16];
    assert_int_equal(session_token_bytes(session, 7, text, sizeof text),
                     2); /* the tokenizer is not there yet */
    assert_string_equal(text, "#7");
    assert_int_equal(session_token_bytes(session, 123456789, text, 4), 3);
    assert_string_equal(text, "#12");
    wait_for(session, "tokenizer", tokenizer_is_there);
    const int32_t *ids;
    wait_for(session, "preview", preview_is_fresh);
    size_t count = session_prompt_tokens(session, &ids), bytes, at = 0;
    const char *prompt = session_prompt_text(session, &bytes);
    for (size_t i = 0; i < count; i++) {
        size_t length = session_token_bytes(session, ids[i], text, sizeof text);
        assert_true(at + length <= bytes);
        assert_memory_equal(prompt + at, text, length);
        at += length;
    }
    assert_int_equal(at, bytes);
    session_free(session);
}

/* ---- leaving ---- */

static void a_session_can_be_left_at_any_moment(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 25; i++) {
        Session *session = open_demo();
        uint64_t refreshes = random_bits(1, i) % 60;
        for (uint64_t k = 0; k < refreshes; k++) {
            (void)session_refresh(session);
            if (k % 4 == 0) session_set_alpha(session, random_uniform(2, i * 100 + k));
            if (k == 20) session_start_sweep(session, false, 0.0, 1.0, 11);
            if (k == 25 && session_continue(session, NULL) != STATUS_OK) events_wait(); /* no prompt yet */
            if (k % 3 == 0) events_wait();
        }
        if (i % 3 == 0) {
            SessionExportForm form = *session_export_form(session);
            char name[32];
            (void)snprintf(name, sizeof name, "left-%d", (int)i);
            char *target = scratch_path(name);
            (void)snprintf(form.directory, sizeof form.directory, "%s", target);
            (void)session_set_export_form(session, &form);
            assert_int_equal(session_start_export(session, NULL), STATUS_OK);
            free(target);
        }
        session_free(session);
    }
}

/* ---- the reset dial ---- */

/* With all calibration rows: the figures of the golden data. */
static void the_reset_dial_cuts_the_ranking_and_the_figures_follow(void **state) {
    (void)state;
    Session *session =
        open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", TESTS_DIR "/demo/calibration.jsonl");
    wait_for(session, "ranking", neurons_are_ranked);
    assert_int_equal(session_reset(session).neurons, 8640);
    assert_int_equal(session_reset(session).selected, 0); /* ρ is 0 */
    session_set_rho(session, 0.01);
    SessionReset reset = session_reset(session);
    assert_int_equal(reset.per_target, 86);
    assert_int_equal(reset.selected, 384);
    assert_int_equal(reset.by_module[NEURON_K], 163);
    assert_int_equal(reset.by_module[NEURON_O], 0);
    wait_for(session, "headlines", headline_is_fresh);
    assert_true(fabs(session_headline_fused(session)->entropy - 0.12812724034320777) < 1e-4);
    wait_for(session, "dormancy", method_is_complete);
    size_t marked = 0;
    for (uint64_t i = 0; i < reset.neurons; i++) {
        NeuronScores neuron;
        session_neuron(session, i, &neuron);
        marked += neuron.is_reset;
        assert_true(neuron.rank >= 0 && neuron.target >= 0);
    }
    assert_int_equal(marked, 384);
    session_set_omega(session, 0.0); /* nothing is taken back: the fusion alone */
    wait_for(session, "headlines", headline_is_fresh);
    assert_true(fabs(session_headline_fused(session)->entropy - 0.12425161176280719) < 1e-4);
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

/* 0x7fc00000 and 0xff800000 in a tensor of four. */
static void what_is_nan_or_infinite_is_a_finding_once_the_scan_is_through(void **state) {
    (void)state;
    static const char HEADER[] = "{\"model.a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}";
    static const unsigned char SPOILT[] = {0, 0, 0xc0, 0x7f, 0, 0, 0x80, 0xff, 0, 0, 0x80, 0x3f, 0, 0, 0, 0};
    char *base = scratch_path("whole"), *sft = scratch_path("spoilt");
    assert_true(mkdir(base, 0700) == 0 && mkdir(sft, 0700) == 0);
    scratch_write_safetensors("whole/model.safetensors", HEADER, 16);
    char *file = memory_format("%s/model.safetensors", sft);
    scratch_write_safetensors("spoilt/model.safetensors", HEADER, 16);
    FILE *stream = fopen(file, "r+b");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, -16, SEEK_END), 0);
    assert_int_equal(fwrite(SPOILT, 1, 16, stream), 16);
    assert_int_equal(fclose(stream), 0);
    Session *session = open_pair(base, sft, NULL);
    settle(session);
    size_t told = 0;
    for (size_t i = 0; i < session_finding_count(session); i++) {
        const Finding *finding = session_finding(session, i);
        if (strcmp(finding->subject, "sft") != 0) continue;
        assert_string_equal(finding->text, "1 tensor holds 2 values that are NaN or infinite: model.a (2)");
        told++;
    }
    assert_int_equal(told, 1); /* and of base nothing */
    session_free(session);
    free(file);
    free(base);
    free(sft);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_demo_pair_opens_and_fills_in),
        cmocka_unit_test(the_reset_dial_cuts_the_ranking_and_the_figures_follow),
        cmocka_unit_test(a_pair_that_cannot_be_opened_is_an_error_with_a_name),
        cmocka_unit_test(a_pair_that_cannot_be_run_is_still_looked_at),
        cmocka_unit_test(two_models_that_do_not_match_are_explained_and_scanned),
        cmocka_unit_test(a_directory_may_be_both_sides),
        cmocka_unit_test(bad_calibration_rows_are_a_finding_and_no_failure),
        cmocka_unit_test(the_dial_is_clamped_and_steps_in_thousandths),
        cmocka_unit_test(what_is_older_than_the_dial_is_stale_until_it_is_measured_again),
        cmocka_unit_test(the_last_of_many_turns_is_what_is_measured),
        cmocka_unit_test(cancelling_stops_one_thing_after_another_until_all_is_quiet),
        cmocka_unit_test(a_typed_prompt_takes_the_place_of_the_example),
        cmocka_unit_test(a_prompt_that_cannot_be_measured_leaves_the_old_one),
        cmocka_unit_test(the_prompt_may_be_set_to_its_own_text),
        cmocka_unit_test(pins_are_a_few_and_toggle),
        cmocka_unit_test(a_continuation_is_appended_measured_and_taken_off_again),
        cmocka_unit_test(a_continuation_ends_with_the_models_context),
        cmocka_unit_test(a_new_prompt_drops_the_continuation_of_the_old_one),
        cmocka_unit_test(a_sweep_has_its_points_from_end_to_end),
        cmocka_unit_test(a_sweep_that_waits_for_the_headlines_is_cancelled_with_them),
        cmocka_unit_test(elements_of_the_fusion_follow_the_dial_and_those_of_delta_do_not),
        cmocka_unit_test(a_plan_is_made_behind_the_screen_and_the_last_one_stays_meanwhile),
        cmocka_unit_test(a_plan_is_waited_for_and_not_cancelled),
        cmocka_unit_test(leaving_ends_an_export_and_says_what_became_of_it),
        cmocka_unit_test(a_reset_whose_neurons_are_not_ranked_is_not_exported_without),
        cmocka_unit_test(an_export_is_planned_written_and_verified),
        cmocka_unit_test(a_cancelled_export_leaves_no_target_and_can_be_discarded),
        cmocka_unit_test(messages_come_in_order_and_the_oldest_give_way),
        cmocka_unit_test(a_token_is_shown_by_its_bytes_or_its_number),
        cmocka_unit_test(a_session_can_be_left_at_any_moment),
        cmocka_unit_test(targets_are_visited_in_the_order_of_rows_and_positions),
        cmocka_unit_test(a_response_is_shown_and_taken_off_again),
        cmocka_unit_test(of_any_other_text_the_rule_takes_the_largest_gaps),
        cmocka_unit_test(what_is_nan_or_infinite_is_a_finding_once_the_scan_is_through),
    };
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
