/*
 * An export out of a session: its plan is made behind the screen; it is written, verified, cancelled, left.
 */
#include "session_fixture.h"
#include "tui/session/session.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_export.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_made_behind_the_screen_and_the_last_one_stays_meanwhile),
        cmocka_unit_test(a_plan_is_waited_for_and_not_cancelled),
        cmocka_unit_test(leaving_ends_an_export_and_says_what_became_of_it),
        cmocka_unit_test(a_reset_whose_neurons_are_not_ranked_is_not_exported_without),
        cmocka_unit_test(an_export_is_planned_written_and_verified),
        cmocka_unit_test(a_cancelled_export_leaves_no_target_and_can_be_discarded),
    };
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
