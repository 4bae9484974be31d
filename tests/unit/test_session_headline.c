/* What Tune turns and shows: α of kinds and layers, what enters and leaves the reset set, the plane. */
#include "session_fixture.h"
#include "tui/app/dial_actions.h"
#include "tui/session/session.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_reset.h"
#include "tui/session/session_sweep.h"

#include <math.h>

/* ---- α of kinds and layers ---- */

static void a_kind_has_its_own_alpha_until_it_follows_again(void **state) {
    (void)state;
    Session *session = open_demo();
    assert_true(session_alpha_is_common(session));
    session_set_kind_alpha(session, SETTINGS_Q, 0.30049);
    assert_true(session_kind_alpha(session, SETTINGS_Q) == 0.3); /* in steps of a thousandth, like α */
    session_set_kind_alpha(session, SETTINGS_K, 7.0);
    assert_true(session_kind_alpha(session, SETTINGS_K) == 1.0);
    session_set_kind_alpha(session, SETTINGS_K, NAN);
    assert_true(session_kind_alpha(session, SETTINGS_K) == 1.0);
    assert_true(session_kind_alpha(session, SETTINGS_V) == 0.5);
    assert_false(session_alpha_is_common(session));
    assert_string_equal(session_dials(session).text, "α 0.50*  ρ 0.0%  ω 1.00");
    session_clear_kind_alpha(session, SETTINGS_Q);
    session_clear_kind_alpha(session, SETTINGS_K);
    assert_true(session_alpha_is_common(session));
    assert_string_equal(session_dials(session).text, "α 0.50  ρ 0.0%  ω 1.00");
    session_free(session);
}

static void protection_goes_from_following_to_sft_to_base_and_back(void **state) {
    (void)state;
    Session *session = open_demo();
    static const SettingsKind KEPT[] = {SETTINGS_EMBEDDING, SETTINGS_NORM, SETTINGS_HEAD};
    for (size_t i = 0; i < 3; i++) {
        const SettingsOwn *own = &session_settings(session)->kinds[KEPT[i]];
        assert_true(session_turn_protection(session, KEPT[i]) && own->is_set && own->alpha == 1.0);
        assert_true(session_turn_protection(session, KEPT[i]) && own->is_set && own->alpha == 0.0);
        assert_true(session_turn_protection(session, KEPT[i]) && !own->is_set);
    }
    assert_false(session_turn_protection(session, SETTINGS_GATE)); /* has neurons: an α, but no side */
    assert_true(session_alpha_is_common(session));
    session_free(session);
}

static void a_tied_head_is_no_kind_of_its_own(void **state) {
    (void)state;
    Session *tied =
        open_pair(TESTS_DIR "/golden/pairs/qwen3-tied/base", TESTS_DIR "/golden/pairs/qwen3-tied/sft", NULL);
    assert_false(session_has_kind(tied, SETTINGS_HEAD));
    assert_true(session_has_kind(tied, SETTINGS_EMBEDDING) && session_has_kind(tied, SETTINGS_GATE));
    Error error;
    assert_int_equal(session_read_kinds(tied, "q=0.5,lm_head=0.5", &error), STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "such weights are in embed"));
    assert_int_equal(session_read_protection(tied, "lm_head=sft", &error), STATUS_MISMATCH);
    assert_false(session_settings(tied)->kinds[SETTINGS_Q].is_set); /* all or nothing */
    session_free(tied);
    Session *demo = open_demo();
    static const SettingsKind LLAMAS[] = {SETTINGS_Q,    SETTINGS_K,   SETTINGS_V,    SETTINGS_O,
                                          SETTINGS_GATE, SETTINGS_UP,  SETTINGS_DOWN, SETTINGS_EMBEDDING,
                                          SETTINGS_NORM, SETTINGS_HEAD};
    size_t kinds = 0;
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) kinds += session_has_kind(demo, (SettingsKind)i);
    for (size_t i = 0; i < sizeof LLAMAS / sizeof *LLAMAS; i++)
        assert_true(session_has_kind(demo, LLAMAS[i]));
    assert_int_equal(kinds, sizeof LLAMAS / sizeof *LLAMAS);
    session_free(demo);
}

static void turning_a_layer_bends_a_level_curve(void **state) {
    (void)state;
    Session *session = open_demo();
    size_t layers = session_layers(session);
    assert_int_equal(layers, 6);
    session_set_layer_alpha(session, 2, 0.7);
    assert_int_equal(session_settings(session)->curve->count, 6);
    for (size_t i = 0; i < layers; i++) assert_true(session_layer_alpha(session, i) == (i == 2 ? 0.7 : 0.5));
    session_set_alpha(session, 0.1); /* the curve stays where it is drawn */
    assert_true(session_layer_alpha(session, 0) == 0.5);
    session_set_layer_alpha(session, 6, 0.9); /* there is no such layer */
    assert_int_equal(session_settings(session)->curve->count, 6);
    session_clear_layers(session);
    assert_true(session_layer_alpha(session, 2) == 0.1);
    session_free(session);
}

static void text_sets_what_the_options_of_the_same_name_set(void **state) {
    (void)state;
    Session *session = open_demo();
    Error error = {0};
    assert_int_equal(session_read_layers(session, "0.4:0.6", &error), STATUS_OK);
    assert_true(session_layer_alpha(session, 5) == 0.6);
    assert_int_equal(session_read_layers(session, "0.1,0.2", &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "each of 6 layers, found 2"));
    assert_true(session_layer_alpha(session, 5) == 0.6);
    assert_int_equal(session_read_kinds(session, "q=0.3", &error), STATUS_OK);
    assert_int_equal(session_read_kinds(session, "q=0.4,k=0.5", &error), STATUS_OK); /* again is no mistake */
    assert_int_equal(session_read_protection(session, "embed,norm=sft", &error), STATUS_OK);
    assert_int_equal(session_read_kinds(session, "v=0.2,x=1", &error), STATUS_ARGUMENT); /* all or nothing */
    assert_true(session_kind_alpha(session, SETTINGS_Q) == 0.4);
    assert_true(session_kind_alpha(session, SETTINGS_NORM) == 1.0);
    assert_false(session_settings(session)->kinds[SETTINGS_V].is_set);
    const ActionArgument once = {.count = 1};
    (void)dial_actions_act(session, ACTION_PAPER, &once); /* the paper has one α for all */
    assert_true(session_alpha_is_common(session));
    session_free(session);
}

static void headlines_follow_the_alpha_of_kinds_and_layers(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "headlines", headline_is_fresh);
    Error error = {0};
    assert_int_equal(session_read_layers(session, "1:1", &error), STATUS_OK);
    assert_true(session_headline_is_stale(session));
    assert_int_equal(session_read_protection(session, "embed,norm,lm_head=sft", &error), STATUS_OK);
    wait_for(session, "headlines", headline_is_fresh); /* all of it is the SFT model now */
    assert_true(session_headline_fused(session)->kl_sft < 1e-9);
    session_free(session);
}

/* ---- what enters and leaves ---- */

static void expect_set(const Session *session, bool *set) {
    SessionReset reset = session_reset(session);
    uint64_t selected = 0;
    for (uint64_t i = 0; i < reset.neurons; i++) {
        NeuronScores neuron;
        session_neuron(session, i, &neuron);
        assert_true(set[i] == neuron.is_reset);
        selected += set[i];
    }
    assert_int_equal(selected, reset.selected);
}

static void each_step_names_what_enters_and_what_leaves(void **state) {
    (void)state;
    enum { NEURONS = 8640 };
    static bool set[NEURONS];
    Session *session = open_demo();
    wait_for(session, "ranking", neurons_are_ranked);
    (void)session_refresh(session);
    assert_null(session_change(session)); /* nothing has entered yet */
    memset(set, 0, sizeof set);
    static const double RHO[] = {0.0005, 0.001, 0.0015, 0.001, 0.0005, 0.0};
    for (size_t step = 0; step < sizeof RHO / sizeof *RHO; step++) {
        session_set_rho(session, RHO[step]);
        assert_true(session_refresh(session)); /* at once: nothing has to be measured */
        const SessionChange *change = session_change(session);
        assert_true(change->entered <= SESSION_CHANGE_NAMED && change->left <= SESSION_CHANGE_NAMED);
        assert_true(step < 3 ? change->left == 0 && change->entered > 0
                             : change->entered == 0 && change->left > 0);
        assert_true(change->rho_after == RHO[step]);
        assert_true(change->rho_before == (step == 0 ? 0.0 : RHO[step - 1]));
        for (uint64_t i = 0; i < change->entered; i++) {
            assert_false(set[change->entering[i]]);
            set[change->entering[i]] = true;
        }
        for (uint64_t i = 0; i < change->left; i++) {
            assert_true(set[change->leaving[i]]);
            set[change->leaving[i]] = false;
        }
        expect_set(session, set);
    }
    session_free(session);
}

static void another_selector_exchanges_the_set(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "ranking", neurons_are_ranked);
    settle(session); /* drift is ranked after attribution */
    session_set_rho(session, 0.01);
    (void)session_refresh(session);
    uint64_t before = session_reset(session).selected;
    session_set_selector(session, SELECTOR_DRIFT);
    (void)session_refresh(session);
    const SessionChange *change = session_change(session);
    assert_true(change->entered > 0 && change->left > 0);
    assert_int_equal(before + change->entered - change->left, session_reset(session).selected);
    session_free(session);
}

static void shares_by_layer_and_module_add_up_to_the_set(void **state) {
    (void)state;
    Session *session = open_demo();
    assert_true(isnan(session_reset_share(session, 0, 6, NEURON_MODULE_COUNT)));
    wait_for(session, "ranking", neurons_are_ranked);
    session_set_rho(session, 0.02);
    SessionReset reset = session_reset(session);
    const NeuronTable *table = session_neurons(session);
    assert_true(fabs(session_reset_share(session, 0, 6, NEURON_MODULE_COUNT) * (double)reset.neurons -
                     (double)reset.selected) < 1e-6);
    for (int m = 0; m < NEURON_MODULE_COUNT; m++) {
        if (table->counts[m] == 0) continue;
        double sum = 0;
        for (uint64_t layer = 0; layer < table->layers; layer++)
            sum += session_reset_share(session, layer, layer + 1, (NeuronModule)m) * (double)table->counts[m];
        assert_true(fabs(sum - (double)reset.by_module[m]) < 1e-6);
    }
    session_free(session);
}

/* ---- the plane ---- */

static bool plane_is_done(const Session *session) {
    return !session_plane(session).is_running;
}

static bool sweep_is_done(const Session *session) {
    return session_sweep(session).count > 0 && !session_sweep(session).is_running;
}

static void a_cell_of_the_plane_is_the_sweep_at_that_alpha_and_rho(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "ranking", neurons_are_ranked);
    const SessionPlaneRange range = {.alpha = {.from = 0.25, .to = 0.75, .points = 3},
                                     .rho = {.from = 0.0, .to = 0.02, .points = 2}};
    assert_null(session_plane(session).averages); /* not by itself */
    session_start_plane(session, &range);
    assert_true(session_plane(session).is_running);
    wait_for(session, "plane", plane_is_done);
    SessionPlane plane = session_plane(session);
    assert_null(plane.error);
    assert_int_equal(plane.ready, 2);
    assert_false(plane.is_stale);
    for (size_t row = 0; row < 2; row++) {
        session_set_rho(session, range_point(&range.rho, row));
        session_start_sweep(session, false, 0.25, 0.75, 3);
        wait_for(session, "sweep", sweep_is_done);
        SessionSweep sweep = session_sweep(session);
        for (size_t i = 0; i < 3; i++) {
            const DistributionAverages *cell = &plane.averages[row * 3 + i];
            for (size_t k = 0; k < DISTRIBUTION_FIGURE_COUNT; k++)
                assert_true(distribution_figure(cell, k) == distribution_figure(&sweep.averages[i], k));
        }
    }
    double values[6];
    session_plane_values(&plane, 0, values);
    assert_true(values[5] == distribution_figure(&plane.averages[5], 0));
    assert_true(values[2] != values[5]); /* ρ acts */
    session_free(session);
}

static bool headlines_can_be_measured(const Session *session) {
    return session_headline_message(session) == NULL;
}

static void a_plane_that_is_asked_for_early_waits_for_the_ranking(void **state) {
    (void)state;
    Session *session = open_demo();
    const SessionPlaneRange range = {.alpha = {.from = 0.5, .to = 0.5, .points = 1},
                                     .rho = {.from = 0.01, .to = 0.01, .points = 1}};
    wait_for(session, "calibration rows", headlines_can_be_measured);
    assert_false(neurons_are_ranked(session)); /* that needs base and SFT first */
    session_start_plane(session, &range);
    assert_true(session_plane(session).is_running && session_plane(session).is_waiting);
    wait_for(session, "plane", plane_is_done);
    assert_int_equal(session_plane(session).ready, 1);
    assert_non_null(session_plane(session).settings->ranking);
    session_free(session);
}

static bool sweep_runs(const Session *session) {
    SessionJob jobs[12];
    size_t count = session_jobs((Session *)(uintptr_t)session, jobs, 12);
    for (size_t i = 0; i < count; i++)
        if (strcmp(jobs[i].label, "sweep") == 0) return true;
    return false;
}

/* The figures at the dials are what is looked at; a sweep begins when they stand. */
static void a_sweep_waits_for_w_at_the_dials(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "sweep", sweep_is_done);
    session_set_alpha(session, 0.7);
    session_start_sweep(session, false, 0.0, 1.0, 3);
    assert_true(session_headline_is_stale(session));
    while (!sweep_is_done(session)) {
        (void)session_refresh(session);
        if (sweep_runs(session)) assert_false(session_headline_is_stale(session));
        if (!sweep_is_done(session)) events_wait();
    }
    assert_int_equal(session_sweep(session).count, 3);
    session_free(session);
}

static void a_sweep_over_rho_that_is_asked_for_early_waits_for_the_ranking(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "calibration rows", headlines_can_be_measured);
    assert_false(neurons_are_ranked(session));
    session_start_sweep(session, true, 0.0, 0.02, 3);
    assert_true(session_sweep(session).is_running && session_sweep(session).waits_for_ranking);
    wait_for(session, "sweep", sweep_is_done);
    SessionSweep sweep = session_sweep(session);
    assert_true(sweep.is_rho && sweep.count == 3 && !sweep.waits_for_ranking);
    assert_non_null(sweep.settings->ranking);
    assert_true(sweep.averages[0].entropy != sweep.averages[2].entropy); /* ρ acts */
    session_free(session);
}

static void a_sweep_over_alpha_waits_for_the_neurons_that_rho_resets(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "calibration rows", headlines_can_be_measured);
    session_set_rho(session, 0.01);
    assert_false(neurons_are_ranked(session));
    session_start_sweep(session, false, 0.0, 1.0, 3);
    assert_true(session_sweep(session).is_running && session_sweep(session).waits_for_ranking);
    wait_for(session, "sweep", sweep_is_done);
    SessionSweep sweep = session_sweep(session);
    assert_non_null(sweep.settings->ranking);
    assert_false(sweep.is_stale); /* it is of the dials as they stand */
    session_free(session);
}

static void a_sweep_over_alpha_comes_without_neurons_that_never_will(void **state) {
    (void)state;
    Session *session = open_demo();
    session_set_targets(session, 2000); /* takes a while, so that it can be cancelled */
    wait_for(session, "headlines", headline_is_fresh);
    session_set_rho(session, 0.01);
    while (session_ranking_message(session) == NULL) {
        events_wait();
        (void)session_refresh(session);
        (void)session_cancel(session);
    }
    assert_string_equal(session_ranking_message(session), "not measured: cancelled");
    session_start_sweep(session, false, 0.0, 1.0, 2);
    assert_true(session_sweep(session).is_running && !session_sweep(session).waits_for_ranking);
    wait_for(session, "sweep", sweep_is_done);
    session_free(session);
}

static void a_sweep_over_rho_goes_when_the_ranking_is_cancelled(void **state) {
    (void)state;
    Session *session = open_demo();
    SessionTone tone;
    char text[512] = "", last[512] = "";
    session_set_targets(session, 2000); /* takes a while, so that it can be cancelled */
    wait_for(session, "headlines", headline_is_fresh);
    assert_false(neurons_are_ranked(session));
    session_start_sweep(session, true, 0.0, 0.02, 3);
    while (session_ranking_message(session) == NULL) {
        events_wait();
        (void)session_refresh(session);
        (void)session_cancel(session);
    }
    assert_string_equal(session_ranking_message(session), "not measured: cancelled");
    (void)session_refresh(session);
    assert_false(session_sweep(session).is_running);
    while (session_take_message(session, &tone, text, sizeof text))
        if (strstr(text, "no sweep") != NULL) (void)snprintf(last, sizeof last, "%s", text);
    assert_non_null(strstr(last, "no sweep: not measured: cancelled"));
    session_free(session);
}

static void a_plane_is_stale_once_another_dial_is_turned(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "ranking", neurons_are_ranked);
    const SessionPlaneRange range = {.alpha = {.from = 0.5, .to = 0.5, .points = 1},
                                     .rho = {.from = 0.01, .to = 0.01, .points = 1}};
    session_start_plane(session, &range);
    wait_for(session, "plane", plane_is_done);
    session_set_alpha(session, 0.9); /* its own axes do not count */
    session_set_rho(session, 0.03);
    assert_false(session_plane(session).is_stale);
    session_set_omega(session, 0.5);
    assert_true(session_plane(session).is_stale);
    session_set_omega(session, 1.0);
    assert_false(session_plane(session).is_stale);
    session_set_layer_alpha(session, 0, 0.1);
    assert_true(session_plane(session).is_stale);
    session_free(session);
}

static bool first_row_is_there(const Session *session) {
    return session_plane(session).ready > 0 && session_plane(session).averages != NULL;
}

static void a_plane_comes_row_by_row_and_can_be_cancelled(void **state) {
    (void)state;
    Session *session = open_demo();
    const SessionPlaneRange wide = {.alpha = {.from = 0.0, .to = 1.0, .points = 2},
                                    .rho = {.from = 0.0, .to = 0.04, .points = 41}};
    wait_for(session, "ranking", neurons_are_ranked);
    session_start_plane(session, &wide);
    wait_for(session, "a row", first_row_is_there);
    while (session_plane(session).is_running) {
        (void)session_cancel(session);
        events_wait();
        (void)session_refresh(session);
    }
    SessionPlane plane = session_plane(session);
    assert_false(plane.is_running);
    assert_null(plane.error);
    assert_true(plane.ready > 0 && plane.ready < 41); /* what was there stays */
    double values[82];
    session_plane_values(&plane, 0, values);
    assert_true(!isnan(values[0]));
    assert_true(isnan(values[81]));
    session_free(session); /* and with one that runs */
    session = open_demo();
    wait_for(session, "ranking", neurons_are_ranked);
    session_start_plane(session, &wide);
    wait_for(session, "a row", first_row_is_there);
    session_free(session);
}

static void without_rows_there_is_no_plane_and_it_is_said_why(void **state) {
    (void)state;
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", NULL);
    settle(session);
    SessionTone tone;
    char text[512] = "";
    while (session_take_message(session, &tone, text, sizeof text)) continue;
    session_start_plane(session, &SESSION_PLANE_DEFAULT);
    assert_false(session_plane(session).is_running);
    assert_true(session_take_message(session, &tone, text, sizeof text));
    assert_non_null(strstr(text, "no plane: no calibration rows"));
    assert_true(isnan(session_plane_seconds(session, &SESSION_PLANE_DEFAULT)));
    session_free(session);
}

static void ranges_of_a_plane_read_back(void **state) {
    (void)state;
    static const char *const WRONG[] = {"",          "0:1:11",        "0:1:11 0:4%:1", "1:0:5 0:4%:9",
                                        "0:1:11 x",  "0:2:3 0:4%:9",  "0:1:42 0:1:2",  "0:1:2 0:1:2 0",
                                        "-1:1:3 1%", "0:1:2 0:101%:2"};
    SessionPlaneRange range = SESSION_PLANE_DEFAULT;
    char text[128];
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        if (session_plane_read_range(WRONG[i], &range, NULL) == STATUS_OK)
            fail_msg("\"%s\" was taken", WRONG[i]);
    }
    assert_int_equal(range.alpha.points, 11);
    session_plane_write_range(&range, text, sizeof text);
    assert_string_equal(text, "0:1:11 0%:4%:9");
    assert_int_equal(session_plane_read_range("0.4:0.6:5 1%", &range, NULL), STATUS_OK);
    assert_true(range.alpha.from == 0.4 && range.alpha.to == 0.6 && range.alpha.points == 5);
    assert_true(range.rho.from == 0.01 && range.rho.points == 1);
    session_plane_write_range(&range, text, sizeof text);
    assert_string_equal(text, "0.4:0.6:5 1%");
}

/* ---- between measured points of α ---- */

static bool curves_are_there(const Session *session) {
    return session_headline_has_curves(session) && is_idle(session);
}

/* What stands on screen until W is measured, in one refresh: nothing that was begun in it can be over for sure, so that W
 * may be there too. */
static void after_a_sweep_headlines_and_prompt_follow_the_dial_at_once(void **state) {
    (void)state;
    size_t seen = 0;
    Session *session = open_demo();
    wait_for(session, "curves", curves_are_there);
    settle(session);
    assert_true(session_sweep(session).follows_dial);
    assert_null(session_headline_estimate(session));
    for (int i = 0; i < 20 && seen < 3; i++) {
        session_set_alpha(session, 0.1 + 0.03 * i);
        (void)session_refresh(session);
        const LogitEstimate *headline = session_headline_estimate(session),
                            *prompt = session_preview_estimate(session);
        if (headline == NULL || prompt == NULL) { /* W was quicker */
            settle(session);
            continue;
        }
        seen++;
        DistributionAverages found = headline->result.averages, wrong = headline->wrong;
        double entropy = prompt->result.averages.entropy, error = prompt->wrong.entropy;
        settle(session);
        assert_null(session_headline_estimate(session));
        assert_null(session_preview_estimate(session));
        for (size_t k = 0; k < DISTRIBUTION_FIGURE_COUNT; k++)
            assert_true(fabs(distribution_figure(&found, k) -
                             distribution_figure(session_headline_fused(session), k)) <=
                        distribution_figure(&wrong, k));
        assert_true(fabs(entropy - session_preview(session, SIDE_FUSED)->averages.entropy) <= error);
    }
    assert_true(seen > 0);
    session_set_omega(session, 0.5); /* another dial: no curve is of it */
    (void)session_refresh(session);
    assert_null(session_headline_estimate(session));
    assert_false(session_headline_has_curves(session));
    session_start_dial_sweep(session);
    wait_for(session, "curves", curves_are_there);
    session_start_sweep(session, false, 0.4, 0.6, 3); /* another sweep leaves them */
    wait_for(session, "sweep", sweep_is_done);
    assert_true(session_headline_has_curves(session) && !session_sweep(session).follows_dial);
    session_free(session);
}

/* ---- cancelled headlines ---- */

static bool base_is_there(const Session *session) {
    return session_headline_base(session) != NULL;
}

static void headlines_that_were_cancelled_say_so_until_they_are_measured(void **state) {
    (void)state;
    size_t tried = 0;
    for (int i = 0; i < 20 && tried == 0; i++) {
        Session *session = open_demo();
        wait_for(session, "base", base_is_there);
        assert_false(session_headline_is_cancelled(session));
        while (session_cancel(session), (void)session_refresh(session), !is_idle(session)) events_wait();
        settle(session);
        if (session_headline_is_stale(session)) { /* W was not quicker */
            assert_true(session_headline_is_cancelled(session));
            session_measure_headlines(session);
            assert_false(session_headline_is_cancelled(session));
            wait_for(session, "headlines", headline_is_fresh);
            assert_false(session_headline_is_cancelled(session));
            tried++;
        }
        session_free(session);
    }
    assert_true(tried > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kind_has_its_own_alpha_until_it_follows_again),
        cmocka_unit_test(protection_goes_from_following_to_sft_to_base_and_back),
        cmocka_unit_test(a_tied_head_is_no_kind_of_its_own),
        cmocka_unit_test(turning_a_layer_bends_a_level_curve),
        cmocka_unit_test(text_sets_what_the_options_of_the_same_name_set),
        cmocka_unit_test(headlines_follow_the_alpha_of_kinds_and_layers),
        cmocka_unit_test(each_step_names_what_enters_and_what_leaves),
        cmocka_unit_test(another_selector_exchanges_the_set),
        cmocka_unit_test(shares_by_layer_and_module_add_up_to_the_set),
        cmocka_unit_test(a_cell_of_the_plane_is_the_sweep_at_that_alpha_and_rho),
        cmocka_unit_test(a_plane_that_is_asked_for_early_waits_for_the_ranking),
        cmocka_unit_test(a_sweep_waits_for_w_at_the_dials),
        cmocka_unit_test(a_sweep_over_rho_that_is_asked_for_early_waits_for_the_ranking),
        cmocka_unit_test(a_sweep_over_alpha_waits_for_the_neurons_that_rho_resets),
        cmocka_unit_test(a_sweep_over_alpha_comes_without_neurons_that_never_will),
        cmocka_unit_test(a_sweep_over_rho_goes_when_the_ranking_is_cancelled),
        cmocka_unit_test(a_plane_is_stale_once_another_dial_is_turned),
        cmocka_unit_test(a_plane_comes_row_by_row_and_can_be_cancelled),
        cmocka_unit_test(without_rows_there_is_no_plane_and_it_is_said_why),
        cmocka_unit_test(ranges_of_a_plane_read_back),
        cmocka_unit_test(after_a_sweep_headlines_and_prompt_follow_the_dial_at_once),
        cmocka_unit_test(headlines_that_were_cancelled_say_so_until_they_are_measured),
    };
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
