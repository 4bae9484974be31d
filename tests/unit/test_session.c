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
        cmocka_unit_test(a_sweep_has_its_points_from_end_to_end),
        cmocka_unit_test(a_sweep_that_waits_for_the_headlines_is_cancelled_with_them),
        cmocka_unit_test(elements_of_the_fusion_follow_the_dial_and_those_of_delta_do_not),
        cmocka_unit_test(messages_come_in_order_and_the_oldest_give_way),
        cmocka_unit_test(a_token_is_shown_by_its_bytes_or_its_number),
        cmocka_unit_test(a_session_can_be_left_at_any_moment),
        cmocka_unit_test(what_is_nan_or_infinite_is_a_finding_once_the_scan_is_through),
    };
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
