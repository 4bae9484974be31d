/*
 * What a session measures of neurons: each part whatever became of the others, cancelled and taken up again; and the
 * tokens that drive one.
 */
#include "core/method/dials.h"
#include "session_fixture.h"
#include "tui/cli/options.h"
#include "tui/session/session.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_drivers.h"
#include "tui/session/session_export.h"

#include <math.h>

enum { ROWS = 6, TOKENS = 200, ATTEMPTS = 40 };

static uint64_t wanted;

static const SessionDriver *ask(const Session *session, size_t *count) {
    return session_drivers((Session *)(uintptr_t)session, wanted, count);
}

static bool wanted_is_there(const Session *session) {
    size_t count;
    return ask(session, &count) != NULL;
}

static bool job_is_running(const Session *session, const char *label) {
    SessionJob jobs[12];
    size_t count = session_jobs((Session *)(uintptr_t)session, jobs, 12);
    for (size_t i = 0; i < count; i++)
        if (strcmp(jobs[i].label, label) == 0) return true;
    return false;
}

static bool attribution_runs(const Session *session) {
    return job_is_running(session, "attribution");
}

/* Long enough for a pass over them to be caught under way. */
static int write_long_rows(void **state) {
    if (scratch_make(state) != 0) return -1;
    char *path = scratch_path("few.jsonl");
    FILE *file = fopen(path, "w");
    free(path);
    if (file == NULL) return -1;
    for (int row = 0; row < ROWS; row++) {
        (void)fprintf(file, "{\"prompt_ids\": [1");
        for (int i = 1; i < TOKENS; i++) (void)fprintf(file, ", %d", (row * 31 + i * 7) % 500);
        (void)fprintf(file, "], \"response_ids\": [5, 6]}\n");
    }
    return fclose(file);
}

static void the_largest_come_first_and_each_token_once(void **state) {
    (void)state;
    Session *session = open_demo();
    size_t count;
    settle(session);
    wanted = 7;
    wait_for(session, "tokens", wanted_is_there);
    const SessionDriver *drivers = ask(session, &count);
    assert_int_equal(count, 16);
    for (size_t i = 1; i < count; i++) assert_true(fabs(drivers[i].value) <= fabs(drivers[i - 1].value));
    size_t repeated = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(drivers[i].times >= 1);
        repeated += drivers[i].times > 1;
        for (size_t j = 0; j < i; j++) assert_int_not_equal(drivers[i].token, drivers[j].token);
    }
    assert_true(repeated > 0); /* the rows have many spaces */
    assert_null(session_drivers_message(session));
    session_free(session);
}

static void a_cancelled_measurement_waits_to_be_asked_again(void **state) {
    (void)state;
    Session *session = open_demo();
    settle(session);
    bool caught = false;
    for (wanted = 0; wanted < ATTEMPTS && !caught; wanted += !caught) {
        assert_false(wanted_is_there(session));
        assert_true(session_cancel(session));
        settle(session);
        caught = !wanted_is_there(session); /* every drawing asks */
    }
    assert_true(caught);
    settle(session);
    assert_false(wanted_is_there(session));
    assert_non_null(strstr(session_drivers_message(session), "cancelled"));
    session_measure_method(session);
    assert_null(session_drivers_message(session));
    wait_for(session, "tokens", wanted_is_there);
    session_free(session);
}

static void they_come_although_attribution_was_cancelled(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "attribution", attribution_runs);
    while (job_is_running(session, "attribution")) { /* what a person waits for is cancelled first */
        (void)session_cancel(session);
        (void)session_refresh(session);
    }
    settle(session);
    assert_null(session_attribution(session));
    wanted = 3;
    wait_for(session, "tokens", wanted_is_there);
    assert_null(session_attribution(session)); /* it stays cancelled */
    session_free(session);
}

static void drift_orders_neurons_without_rows(void **state) {
    (void)state;
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", NULL);
    settle(session);
    assert_false(session_reset(session).is_ready);
    assert_non_null(strstr(session_ranking_message(session), "no calibration rows"));
    session_set_selector(session, SELECTOR_DRIFT);
    assert_null(session_ranking_message(session));
    wait_for(session, "ranking", neurons_are_ranked);
    session_set_rho(session, 0.01);
    assert_int_equal(session_reset(session).selected, 86); /* of 8 640 */
    assert_null(session_export_obstacle(session));
    session_set_selector(session, SELECTOR_RANDOM);
    assert_true(session_reset(session).is_ready);
    session_free(session);
}

static void a_chosen_selector_is_measured_although_the_rest_was_cancelled(void **state) {
    (void)state;
    Session *session = open_demo();
    wait_for(session, "attribution", attribution_runs);
    while (job_is_running(session, "attribution")) {
        (void)session_cancel(session);
        (void)session_refresh(session);
    }
    settle(session);
    assert_false(session_reset(session).is_ready);
    assert_non_null(strstr(session_ranking_message(session), "cancelled"));
    session_set_selector(session, SELECTOR_DORMANCY);
    wait_for(session, "ranking", neurons_are_ranked);
    settle(session);
    assert_null(session_attribution(session)); /* it stays cancelled */
    session_measure_method(session);
    session_set_selector(session, SELECTOR_ATTRIBUTION);
    wait_for(session, "ranking", neurons_are_ranked);
    session_free(session);
}

/* The dial takes what --targets takes, and says where that ends. */
static void as_many_targets_as_the_option_takes_and_no_more(void **state) {
    (void)state;
    const OptionFacts *option = option_facts(OPTION_TARGETS);
    static const double REFUSED[] = {0.0, -1.0, 2.5, DIALS_MOST_TARGETS + 1.0, 1e300, INFINITY, NAN};
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", NULL);
    SessionTone tone;
    char text[512];
    assert_true(option->least == 1 && option->most == DIALS_MOST_TARGETS);
    assert_int_equal(session_reset(session).targets, strtoul(option->initial, NULL, 10));
    session_set_targets(session, option->most);
    assert_int_equal(session_reset(session).targets, DIALS_MOST_TARGETS);
    session_set_targets(session, 5000);
    assert_int_equal(session_reset(session).targets, 5000);
    while (session_take_message(session, &tone, text, sizeof text)) continue;
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        session_set_targets(session, REFUSED[i]);
        assert_int_equal(session_reset(session).targets, 5000);
        assert_true(session_take_message(session, &tone, text, sizeof text));
        assert_int_equal(tone, SESSION_WARNING);
        assert_non_null(strstr(text, "from 1 to 1000000, found "));
    }
    session_free(session);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_largest_come_first_and_each_token_once, write_few_rows,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(a_cancelled_measurement_waits_to_be_asked_again, write_long_rows,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(they_come_although_attribution_was_cancelled, write_long_rows,
                                        scratch_remove),
        cmocka_unit_test(drift_orders_neurons_without_rows),
        cmocka_unit_test(as_many_targets_as_the_option_takes_and_no_more),
        cmocka_unit_test_setup_teardown(a_chosen_selector_is_measured_although_the_rest_was_cancelled,
                                        write_long_rows, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
