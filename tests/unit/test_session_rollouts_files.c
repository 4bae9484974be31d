/*
 * Rollouts that a session reads from files, sound and broken, grades, and writes; their gradient.
 */
#include "rollouts_fixture.h"

#include <math.h>

static void a_file_of_prompts_is_sampled_from(void **state) {
    (void)state;
    Session *session = open_few();
    char *path = scratch_path("few.jsonl");
    Error error = {0};
    SampleSet expected = {0};
    assert_int_equal(session_rollouts_take_file(session, path, false, &error), STATUS_OK);
    SessionRollouts shown = draw(session);
    assert_string_equal(shown.path, path);
    draw_by_hand(session, SIDE_SFT, &expected);
    check_same_samples(&expected, shown.column[SIDE_SFT].set);
    sample_set_free(&expected);
    free(path);
    session_free(session);
}

/* Against float64 autograd (tests/golden/readiness): tolerances as in golden/test_readiness.c. */
static void a_file_has_the_golden_figures_and_gradient(void **state) {
    (void)state;
    char *text;
    size_t bytes;
    Error error = {0};
    assert_int_equal(json_read_text(GOLDEN "/readiness.json", 1 << 24, &text, &bytes, &error), STATUS_OK);
    cJSON *golden = cJSON_ParseWithLength(text, bytes);
    assert_non_null(golden);
    Session *session = open_demo();
    settle(session);
    session_set_alpha(session, json_get_number(golden, "alpha", NAN));
    SessionRollouts shown = read_file(session, GOLDEN "/samples.jsonl");
    if (shown.error != NULL) fail_msg("%s", shown.error);
    assert_true(shown.is_file && shown.columns == 1 && shown.column[0].side == SIDE_COUNT);
    assert_true(fabs(shown.column[0].figures->average.value - json_get_number(golden, "avg_at_k", NAN)) <
                1e-12);
    assert_true(fabs(shown.column[0].figures->mixed.value - json_get_number(golden, "mixed_share", NAN)) <
                1e-12);
    session_start_rollouts_gradient(session);
    wait_for(session, "the gradient", gradient_is_there);
    static const char *const STATES[SIDE_COUNT] = {"base", "sft", "fused"};
    for (Side side = SIDE_BASE; side < SIDE_COUNT; side++) {
        const cJSON *of = json_find(json_find(golden, "states"), STATES[side]);
        double whole = session_rollouts_gradient(session, side, GRADIENT_ALL, TENSOR_ROLE_COUNT, false);
        double expected = json_get_number(of, "gradient_norm", NAN);
        assert_true(fabs(whole - expected) < 1e-4 * expected);
        assert_true(fabs(shown.column[0].scores->entropy[side].value - json_get_number(of, "entropy", NAN)) <
                    1e-5);
        double embedding = session_rollouts_gradient(session, side, -1, TENSOR_EMBEDDING, true);
        assert_true(embedding > 0.0 && embedding < 1.0);
    }
    assert_true(isnan(session_rollouts_gradient(session, SIDE_BASE, 99, TENSOR_Q, false)));
    cJSON_Delete(golden);
    free(text);
    session_free(session);
}

static void a_broken_file_is_told_with_its_line_and_the_old_samples_stay(void **state) {
    static const char BROKEN[] =
        "{\"prompt\": 0, \"prompt_ids\": [1], \"response_ids\": [2], \"reward\": 1}\n{\"prompt\"\n";
    static const char NONE[] = "{\"prompt\": \"2 + 2 =\", \"response\": \" 4\"}\n";
    (void)state;
    Session *session = open_few();
    scratch_write("broken.jsonl", BROKEN, sizeof BROKEN - 1);
    scratch_write("none.jsonl", NONE, sizeof NONE - 1);
    char *broken = scratch_path("broken.jsonl"), *none = scratch_path("none.jsonl");
    (void)draw(session);
    SessionRollouts shown = read_file(session, broken);
    assert_non_null(strstr(shown.error, "line 2"));
    assert_int_equal(shown.columns, SIDE_COUNT);
    assert_true(session_rollouts_differs(session));
    assert_non_null(strstr(read_file(session, none).error, "not every sample has a reward"));
    assert_non_null(strstr(read_file(session, "/nowhere/at/all").error, "/nowhere/at/all"));
    Error error = {0};
    assert_int_equal(session_rollouts_take_file(session, "-", true, &error), STATUS_ARGUMENT);
    assert_int_equal(session_rollouts_take_file(session, NULL, false, &error), STATUS_OK);
    assert_null(session_rollouts(session).error);
    assert_false(session_rollouts_differs(session)); /* back at what is there */
    free(broken);
    free(none);
    session_free(session);
}

static void a_rule_goes_before_the_rewards_of_a_file(void **state) {
    static const char LINES[] =
        "{\"prompt\": \"2 + 2 =\", \"response\": \" 4\", \"answer\": \"4\", \"reward\": 0}\n"
        "{\"prompt\": \"2 + 2 =\", \"response\": \" 5\", \"answer\": \"4\", \"reward\": 1}\n";
    (void)state;
    Session *session = open_few();
    scratch_write("lines.jsonl", LINES, sizeof LINES - 1);
    char *path = scratch_path("lines.jsonl");
    SessionRollouts shown = read_file(session, path);
    assert_string_equal(session_rollouts_rule(session, &shown.choice), "the file's");
    assert_true(shown.column[0].set->groups[0].samples[0].reward == 0.0);
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    Error error = {0};
    (void)snprintf(choice.reward, sizeof choice.reward, "exact");
    assert_int_equal(session_rollouts_choose(session, &choice, &error), STATUS_OK);
    shown = draw(session);
    assert_true(shown.column[0].set->groups[0].samples[0].reward == 1.0);
    assert_true(shown.column[0].set->groups[0].samples[1].reward == 0.0);
    free(path);
    session_free(session);
}

static void a_program_grades_a_file(void **state) {
    (void)state;
    Session *session = open_few();
    choose_rule(session, "command:awk '{print NR % 2}'");
    SessionRollouts shown = read_file(session, GOLDEN "/samples.jsonl");
    if (shown.error != NULL) fail_msg("%s", shown.error);
    assert_true(shown.column[0].set->groups[0].samples[0].reward == 1.0);
    assert_true(shown.column[0].set->groups[0].samples[1].reward == 0.0);
    session_free(session);
}

static void what_is_written_reads_as_the_same(void **state) {
    (void)state;
    Session *session = open_few();
    char *path = scratch_path("written.jsonl");
    Error error = {0};
    SampleSet expected = {0};
    assert_int_equal(session_rollouts_save(session, 0, path, &error), STATUS_ARGUMENT); /* nothing is there */
    (void)draw(session);
    draw_by_hand(session, SIDE_FUSED, &expected);
    assert_int_equal(session_rollouts_save(session, SIDE_FUSED, path, &error), STATUS_OK);
    assert_int_equal(session_rollouts_save(session, SIDE_FUSED, path, &error), STATUS_IO); /* it exists */
    SessionRollouts shown = read_file(session, path);
    if (shown.error != NULL) fail_msg("%s", shown.error);
    for (size_t g = 0; g < expected.count; g++) {
        for (size_t i = 0; i < SAMPLES; i++) {
            const Sample *left = &expected.groups[g].samples[i],
                         *right = &shown.column[0].set->groups[g].samples[i];
            assert_int_equal(right->count, left->count);
            assert_memory_equal(right->ids, left->ids, left->count * sizeof *left->ids);
            assert_true(right->reward == left->reward);
        }
    }
    sample_set_free(&expected);
    free(path);
    session_free(session);
}

static void options_name_a_file_that_is_read_at_once(void **state) {
    (void)state;
    Session *session;
    Error error = {0};
    events_open();
    SessionOptions options = {.base = TESTS_DIR "/demo/base",
                              .sft = TESTS_DIR "/demo/sft",
                              .samples = GOLDEN "/samples.jsonl",
                              .alpha = 0.5,
                              .threads = 2};
    assert_int_equal(session_create(&options, &session, &error), STATUS_OK);
    settle(session);
    assert_int_equal(session_rollouts(session).columns, 1);
    assert_int_equal(session_rollouts(session).groups, 12);
    session_free(session);
    options.prompts = options.samples;
    assert_int_equal(session_create(&options, &session, &error), STATUS_ARGUMENT);
    options.prompts = NULL;
    options.reward = "regex:(";
    assert_int_equal(session_create(&options, &session, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "--reward"));
}

int main(void) {
#define WITH_ROWS(test) cmocka_unit_test_setup_teardown(test, write_few_rows, scratch_remove)
    const struct CMUnitTest tests[] = {
        WITH_ROWS(a_file_of_prompts_is_sampled_from),
        WITH_ROWS(a_file_has_the_golden_figures_and_gradient),
        WITH_ROWS(a_broken_file_is_told_with_its_line_and_the_old_samples_stay),
        WITH_ROWS(a_rule_goes_before_the_rewards_of_a_file),
        WITH_ROWS(a_program_grades_a_file),
        WITH_ROWS(what_is_written_reads_as_the_same),
        WITH_ROWS(options_name_a_file_that_is_read_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
