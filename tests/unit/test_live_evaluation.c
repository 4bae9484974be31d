/*
 * Task and comparisons, as the UI thread sees them: what is running, what is stale, what a cancellation
 * stops. Nothing depends on how fast a thread is.
 */
#include "events.h"
#include "tiny_model.h"
#include "tui/session/live_evaluation.h"

#include <sched.h>
#include <stdatomic.h>

static const char CONFIG[] = "{\"model_type\":\"llama\"," TINY_SIZES("2") "}";

enum { TOKENS = 400 };

typedef struct Fixture {
    TinyModel tiny;
    int32_t ids[TOKENS];
    LiveEvaluation *comparison;
} Fixture;

static Fixture make_fixture(void) {
    Fixture fixture = {.tiny = tiny_model_make(CONFIG)};
    Error error = {0};
    events_open();
    tiny_ids(fixture.ids, TOKENS, 3);
    const EvaluationRow row = {.ids = fixture.ids, .count = TOKENS, .end = TOKENS};
    if (live_evaluation_create(fixture.tiny.model, &row, 1, 4, "preview", 2, &fixture.comparison, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    return fixture;
}

static void free_fixture(Fixture *fixture) {
    live_evaluation_free(fixture->comparison);
    tiny_model_free(&fixture->tiny);
}

/* Refreshes until nothing runs and nothing changes, curves too; says how often something changed. */
static size_t settle(LiveEvaluation *comparison, double alpha) {
    const Settings wanted = {.alpha = alpha};
    size_t changes = 0;
    for (;; events_wait()) {
        bool changed = live_evaluation_refresh(comparison, &wanted);
        changes += changed;
        bool is_busy =
            live_evaluation_work(comparison) != NULL || live_evaluation_curves_work(comparison) != NULL;
        if (!changed && !is_busy) return changes;
    }
}

/* Refreshes until W is being measured at this α; false where it was done before anyone could look. */
static bool catch_measuring(LiveEvaluation *comparison, double alpha) {
    const Settings wanted = {.alpha = alpha};
    for (;; events_wait()) {
        (void)live_evaluation_refresh(comparison, &wanted);
        if (!live_evaluation_is_stale(comparison, &wanted)) return false;
        if (live_evaluation_base(comparison) != NULL && live_evaluation_work(comparison) != NULL) return true;
    }
}

static void base_and_sft_come_first_and_then_w_at_the_dials(void **state) {
    (void)state;
    Fixture fixture = make_fixture();
    LiveEvaluation *comparison = fixture.comparison;
    const Settings wanted = {.alpha = 0.4}, other = {.alpha = 0.5};
    assert_null(live_evaluation_base(comparison));
    assert_null(live_evaluation_work(comparison)); /* not before it is asked for */
    assert_true(live_evaluation_is_stale(comparison, &wanted));
    assert_true(live_evaluation_refresh(comparison, &wanted));
    assert_non_null(live_evaluation_work(comparison));
    assert_string_equal(live_evaluation_work(comparison)->label, "preview");
    assert_true(settle(comparison, 0.4) >= 2);
    assert_int_equal(live_evaluation_base(comparison)->count, TOKENS);
    assert_int_equal(live_evaluation_sft(comparison)->count, TOKENS);
    assert_true(live_evaluation_fused(comparison)->settings.alpha == 0.4);
    assert_false(live_evaluation_is_stale(comparison, &wanted));
    assert_true(live_evaluation_is_stale(comparison, &other));
    assert_null(live_evaluation_error(comparison));
    assert_non_null(live_evaluation_evaluation(comparison));
    assert_false(live_evaluation_refresh(comparison, &wanted)); /* there is nothing left to do */
    free_fixture(&fixture);
}

static void turning_the_dial_keeps_the_old_w_until_the_new_one_is_there(void **state) {
    (void)state;
    Fixture fixture = make_fixture();
    LiveEvaluation *comparison = fixture.comparison;
    const Settings old = {.alpha = 0.4}, new = {.alpha = 0.6};
    (void)settle(comparison, 0.4);
    assert_true(live_evaluation_refresh(comparison, &new)); /* starts */
    assert_true(live_evaluation_fused(comparison)->settings.alpha == 0.4);
    assert_true(live_evaluation_is_stale(comparison, &new));
    assert_false(live_evaluation_is_stale(comparison, &old));
    (void)settle(comparison, 0.6);
    assert_true(live_evaluation_fused(comparison)->settings.alpha == 0.6);
    assert_false(live_evaluation_is_stale(comparison, &new));
    assert_true(live_evaluation_is_stale(comparison, &old)); /* derived, not stored */
    free_fixture(&fixture);
}

static void a_measurement_at_settings_no_longer_wanted_is_abandoned(void **state) {
    (void)state;
    Fixture fixture = make_fixture();
    LiveEvaluation *comparison = fixture.comparison;
    (void)settle(comparison, 0.5);
    size_t caught = 0;
    for (int i = 0; i < 200 && caught < 5; i++) {
        double first = 0.001 * (double)(2 * i), second = first + 0.001;
        if (!catch_measuring(comparison, first)) continue;
        const Settings wanted = {.alpha = second};
        (void)live_evaluation_refresh(comparison, &wanted);
        Task *work = live_evaluation_work(comparison);
        if (work != NULL && live_evaluation_fused(comparison)->settings.alpha != first) {
            assert_true(job_is_cancelled(work->job)); /* the one that ran was of the dial as it was */
            caught++;
        }
        (void)settle(comparison, second);
        assert_true(live_evaluation_fused(comparison)->settings.alpha == second);
    }
    assert_true(caught > 0);
    free_fixture(&fixture);
}

static void base_and_sft_go_on_while_the_dial_turns(void **state) {
    (void)state;
    Fixture fixture = make_fixture();
    for (int i = 0; i < 50; i++) {
        const Settings wanted = {.alpha = 0.01 * i};
        (void)live_evaluation_refresh(fixture.comparison, &wanted);
        Task *work = live_evaluation_work(fixture.comparison);
        if (work != NULL && live_evaluation_base(fixture.comparison) == NULL)
            assert_false(job_is_cancelled(work->job));
    }
    (void)settle(fixture.comparison, 0.77);
    assert_true(live_evaluation_fused(fixture.comparison)->settings.alpha == 0.77);
    free_fixture(&fixture);
}

/* A fixture whose first work was cancelled before it was done: nearly always at the first try. */
static Fixture make_cancelled_fixture(double alpha) {
    const Settings wanted = {.alpha = alpha};
    for (int i = 0; i < 100; i++) {
        Fixture fixture = make_fixture();
        assert_true(live_evaluation_refresh(fixture.comparison, &wanted));
        assert_true(live_evaluation_cancel(fixture.comparison));
        (void)settle(fixture.comparison, alpha);
        if (live_evaluation_base(fixture.comparison) == NULL) return fixture;
        free_fixture(&fixture);
    }
    fail_msg("it was always done before it could be cancelled");
    return (Fixture){0};
}

static void cancelled_it_stays_stopped_until_resumed(void **state) {
    (void)state;
    Fixture fixture = make_cancelled_fixture(0.4);
    LiveEvaluation *comparison = fixture.comparison;
    const Settings wanted = {.alpha = 0.4};
    assert_false(live_evaluation_cancel(comparison)); /* idle */
    assert_null(live_evaluation_error(comparison));   /* to be cancelled is no failure */
    assert_int_equal(settle(comparison, 0.4), 0);
    live_evaluation_resume(comparison);
    (void)settle(comparison, 0.4);
    assert_false(live_evaluation_is_stale(comparison, &wanted));
    free_fixture(&fixture);
}

static void cancelled_it_starts_again_when_the_dial_turns(void **state) {
    (void)state;
    Fixture fixture = make_cancelled_fixture(0.4);
    (void)settle(fixture.comparison, 0.41);
    assert_true(live_evaluation_fused(fixture.comparison)->settings.alpha == 0.41);
    free_fixture(&fixture);
}

/* What runs may be at settings that are not wanted any more: the wanted ones are what is cancelled. */
static void a_cancellation_after_the_dial_turned_stops_it_too(void **state) {
    (void)state;
    Fixture fixture = make_fixture();
    LiveEvaluation *comparison = fixture.comparison;
    const Settings first = {.alpha = 0.4}, second = {.alpha = 0.5};
    assert_true(live_evaluation_refresh(comparison, &first)); /* base and SFT */
    (void)live_evaluation_refresh(comparison, &second);
    if (live_evaluation_cancel(comparison)) {
        (void)settle(comparison, 0.5);
        assert_true(live_evaluation_is_stale(comparison, &second));
        assert_int_equal(settle(comparison, 0.5), 0);
    }
    live_evaluation_resume(comparison);
    (void)settle(comparison, 0.5);
    for (int i = 0; i < 100; i++) {
        double old = 0.6 + 0.002 * i, new = old + 0.001;
        const Settings wanted = {.alpha = new};
        if (!catch_measuring(comparison, old)) continue;
        (void)live_evaluation_refresh(comparison, &wanted); /* what runs was at `old` */
        if (!live_evaluation_cancel(comparison)) continue;
        (void)settle(comparison, new);
        assert_null(live_evaluation_work(comparison));
        assert_int_equal(settle(comparison, new), 0);
        break;
    }
    free_fixture(&fixture);
}

static void a_failure_is_told_and_not_repeated(void **state) {
    (void)state;
    TinyModel tiny = tiny_model_make(CONFIG);
    const int32_t ids[] = {1, 99}; /* 99 is not in the vocabulary */
    const EvaluationRow row = {.ids = ids, .count = 2, .end = 2};
    LiveEvaluation *comparison;
    assert_int_equal(live_evaluation_create(tiny.model, &row, 1, 0, "preview", 1, &comparison, NULL),
                     STATUS_OK);
    (void)settle(comparison, 0.5);
    assert_non_null(live_evaluation_error(comparison));
    assert_non_null(strstr(live_evaluation_error(comparison), "99"));
    assert_int_equal(settle(comparison, 0.5), 0);
    assert_null(live_evaluation_fused(comparison));
    assert_null(live_evaluation_evaluation(comparison));
    live_evaluation_free(comparison);
    live_evaluation_free(NULL);
    tiny_model_free(&tiny);
}

static void it_can_be_freed_at_any_moment(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 20; i++) {
        Fixture fixture = make_fixture();
        const Settings wanted = {.alpha = 0.5}, other = {.alpha = 0.6};
        for (uint64_t k = 0; k < random_bits(1, i) % 30; k++) {
            (void)live_evaluation_refresh(fixture.comparison, k % 5 == 4 ? &other : &wanted);
            if (k % 3 == 0) events_wait();
        }
        free_fixture(&fixture);
    }
}

/* ---- work ---- */

typedef struct Errand {
    atomic_bool may_end;
    Status status;
} Errand;

static Status run_errand(Job *job, void *argument, Error *error) {
    Errand *errand = argument;
    while (!atomic_load(&errand->may_end)) {
        if (!job_report(job, "waiting", 0, 1)) return job_cancelled(error);
        (void)sched_yield();
    }
    return errand->status == STATUS_OK ? STATUS_OK : status_fail(error, errand->status, "no luck");
}

static void poll_until_over(Task *work) {
    while (!task_poll(work)) events_wait();
}

static void work_is_over_once(void **state) {
    (void)state;
    Task work = {.label = "errand"};
    Errand errand = {.status = STATUS_FORMAT};
    Error error = {0};
    assert_false(task_is_running(&work) || task_poll(&work) || task_cancel(&work));
    assert_int_equal(task_start(&work, 1, run_errand, &errand, &error), STATUS_OK);
    assert_true(task_is_running(&work));
    assert_false(task_poll(&work));
    assert_int_equal(task_start(&work, 1, run_errand, &errand, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "errand is running already"));
    atomic_store(&errand.may_end, true);
    poll_until_over(&work);
    assert_int_equal(work.status, STATUS_FORMAT);
    assert_string_equal(work.error.message, "no luck");
    assert_false(task_is_running(&work) || task_poll(&work));
    errand.status = STATUS_OK; /* and it can be started again, and forgets */
    assert_int_equal(task_start(&work, 1, run_errand, &errand, &error), STATUS_OK);
    poll_until_over(&work);
    assert_int_equal(work.status, STATUS_OK);
    assert_string_equal(work.error.message, "");
}

static void work_is_cancelled_or_stopped(void **state) {
    (void)state;
    Task work = {.label = "errand"};
    Errand errand = {0};
    assert_int_equal(task_start(&work, 1, run_errand, &errand, NULL), STATUS_OK);
    assert_true(task_cancel(&work));
    poll_until_over(&work);
    assert_int_equal(work.status, STATUS_CANCELLED);
    assert_int_equal(task_start(&work, 1, run_errand, &errand, NULL), STATUS_OK);
    task_stop(&work);
    assert_false(task_is_running(&work) || task_poll(&work));
    task_stop(&work); /* idle: nothing to do */
}

/* ---- between measured points of α ---- */

static bool is_near(const LogitEstimate *estimate, const EvaluationResult *exact) {
    bool is_near = estimate->result.count == exact->count;
    for (size_t i = 0; i < exact->count; i++) {
        const DistributionPosition *found = &estimate->result.positions[i], *truth = &exact->positions[i];
        is_near = is_near && fabs(found->entropy - truth->entropy) <= estimate->errors[i].entropy &&
                  fabs(found->top1 - truth->top1) <= estimate->errors[i].probability;
    }
    return is_near;
}

static void curves_say_at_once_what_w_will_be_and_give_way_to_it(void **state) {
    (void)state;
    Fixture fixture = make_fixture();
    LiveEvaluation *comparison = fixture.comparison;
    const Settings there = {.alpha = 0.4}, wanted = {.alpha = 0.63}, outside = {.alpha = 0.63, .omega = 0.5};
    (void)settle(comparison, 0.4);
    assert_false(live_evaluation_has_curves(comparison, &wanted)); /* not by themselves */
    live_evaluation_want_curves(comparison, true);
    (void)settle(comparison, 0.4);
    assert_true(live_evaluation_has_curves(comparison, &wanted));
    assert_false(live_evaluation_has_curves(comparison, &outside));
    assert_null(live_evaluation_estimate(comparison)); /* W is there */
    assert_true(live_evaluation_refresh(comparison, &wanted));
    assert_non_null(live_evaluation_work(comparison)); /* W is on its way */
    const LogitEstimate *estimate = live_evaluation_estimate(comparison);
    assert_non_null(estimate);
    assert_true(estimate->result.settings.alpha == 0.63);
    LogitEstimate kept = *estimate;
    DistributionPosition *positions = memory_allocate(TOKENS, sizeof *positions);
    assert_non_null(positions);
    memcpy(positions, estimate->result.positions, TOKENS * sizeof *positions);
    kept.result.positions = positions;
    (void)settle(comparison, 0.63);
    assert_null(live_evaluation_estimate(comparison));
    assert_true(is_near(&kept, live_evaluation_fused(comparison)));
    assert_false(live_evaluation_refresh(comparison, &wanted)); /* nothing is left to do */
    free(positions);
    (void)live_evaluation_refresh(comparison, &there); /* and back */
    assert_true(live_evaluation_estimate(comparison)->result.settings.alpha == 0.4);
    (void)settle(comparison, 0.4);
    free_fixture(&fixture);
}

static void curves_are_measured_anew_at_other_dials_and_once(void **state) {
    (void)state;
    Fixture fixture = make_fixture();
    LiveEvaluation *comparison = fixture.comparison;
    const Settings others = {.alpha = 0.4, .omega = 0.5};
    live_evaluation_want_curves(comparison, true);
    (void)settle(comparison, 0.4);
    (void)live_evaluation_refresh(comparison, &others);
    assert_null(live_evaluation_estimate(comparison)); /* they say nothing of these */
    while (!live_evaluation_has_curves(comparison, &others)) {
        events_wait();
        (void)live_evaluation_refresh(comparison, &others);
    }
    (void)settle(comparison, 0.5); /* the first dials again */
    assert_true(live_evaluation_has_curves(comparison, &(Settings){.alpha = 0.2}));
    (void)live_evaluation_refresh(comparison, &(Settings){.alpha = 0.2});
    assert_null(live_evaluation_curves_work(comparison));
    live_evaluation_take_curves(comparison, NULL);
    (void)settle(comparison, 0.2);
    assert_false(
        live_evaluation_has_curves(comparison, &(Settings){.alpha = 0.2})); /* as they were taken away */
    free_fixture(&fixture);
}

static void curves_that_are_cancelled_stay_away_until_another_dial_is_turned(void **state) {
    (void)state;
    Fixture fixture = make_fixture();
    LiveEvaluation *comparison = fixture.comparison;
    const Settings wanted = {.alpha = 0.4};
    (void)settle(comparison, 0.4);
    live_evaluation_want_curves(comparison, true);
    assert_true(live_evaluation_refresh(comparison, &wanted));
    if (task_cancel(live_evaluation_curves_work(comparison))) {
        (void)settle(comparison, 0.4);
        if (!live_evaluation_has_curves(comparison, &wanted)) { /* it was in time */
            assert_int_equal(settle(comparison, 0.4), 0);
            assert_null(live_evaluation_error(comparison));
        }
    }
    free_fixture(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base_and_sft_come_first_and_then_w_at_the_dials),
        cmocka_unit_test(turning_the_dial_keeps_the_old_w_until_the_new_one_is_there),
        cmocka_unit_test(a_measurement_at_settings_no_longer_wanted_is_abandoned),
        cmocka_unit_test(base_and_sft_go_on_while_the_dial_turns),
        cmocka_unit_test(cancelled_it_stays_stopped_until_resumed),
        cmocka_unit_test(cancelled_it_starts_again_when_the_dial_turns),
        cmocka_unit_test(a_cancellation_after_the_dial_turned_stops_it_too),
        cmocka_unit_test(a_failure_is_told_and_not_repeated),
        cmocka_unit_test(it_can_be_freed_at_any_moment),
        cmocka_unit_test(work_is_over_once),
        cmocka_unit_test(work_is_cancelled_or_stopped),
        cmocka_unit_test(curves_say_at_once_what_w_will_be_and_give_way_to_it),
        cmocka_unit_test(curves_are_measured_anew_at_other_dials_and_once),
        cmocka_unit_test(curves_that_are_cancelled_stay_away_until_another_dial_is_turned),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
