/*
 * Rollouts as a session offers them: drawn as the engine draws them, one after another, cancelled, kept where they would come
 * out the same, told from what the dials have made of them since, graded by a program.
 */
#include "rollouts_fixture.h"

#include <math.h>

/* Graded line by line, or when the input ends: the same rewards of the same samples. */
static void a_program_grades_what_is_drawn(void **state) {
    (void)state;
    static const char *const RULES[] = {
        "command:while read -r line; do case $line in *'response\": \" '*) echo 1;; *) echo 0;; esac; done",
        "command:sed 's/.*response\": \" .*/1/; t; s/.*/0/'"};
    for (size_t r = 0; r < 2; r++) {
        Session *session = open_few();
        choose_rule(session, RULES[r]);
        SessionRollouts shown = draw(session);
        size_t right = 0;
        for (size_t c = 0; c < SIDE_COUNT; c++) {
            assert_true(shown.column[c].ready == shown.column[c].total && shown.column[c].total > 0);
            for (size_t g = 0; g < shown.groups; g++)
                for (size_t i = 0; i < SAMPLES; i++) {
                    const Sample *sample = &shown.column[c].set->groups[g].samples[i];
                    assert_true(sample->reward == (sample->text[0] == ' ' ? 1.0 : 0.0));
                    right += sample->reward == 1.0;
                }
        }
        assert_true(right > 0);
        session_free(session);
    }
}

/* What it said last is told, and on no screen. */
static void a_program_that_crashes_is_told_with_what_it_said(void **state) {
    (void)state;
    Session *session = open_few();
    choose_rule(session, "command:read -r line; echo 1; echo 'KeyError: answer' >&2; exit 3");
    session_start_rollouts(session);
    wait_for(session, "the crash", is_over);
    const char *error = session_rollouts(session).error;
    assert_non_null(error);
    if (strstr(error, "ended with status 3") == NULL || strstr(error, "KeyError: answer") == NULL)
        fail_msg("%s", error);
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    (void)snprintf(choice.reward, sizeof choice.reward, "command: ");
    Error refused;
    assert_int_equal(session_rollouts_choose(session, &choice, &refused), STATUS_ARGUMENT);
    session_free(session);
}

static void nothing_is_sampled_unasked(void **state) {
    (void)state;
    Session *session = open_few();
    SessionRollouts shown = session_rollouts(session);
    assert_true(shown.columns == 0 && !shown.is_running && shown.error == NULL && !shown.has_gradient);
    assert_null(session_rollouts_message(session));
    assert_int_equal(session_rollouts_next(session).prompts, DEMO_ROWS);
    assert_int_equal(session_rollouts_choice(session).prompts, 64);
    session_free(session);
}

static void check_figures(const SampleSet *set, const SessionRolloutsColumn *column) {
    SampleFigures figures;
    assert_int_equal(sample_figures_measure(set, SEED, &figures, NULL), STATUS_OK);
    assert_non_null(column->figures);
    assert_int_equal(column->figures->fewest, SAMPLES);
    assert_true(column->figures->average.value == figures.average.value);
    assert_true(column->figures->average.error == figures.average.error);
    assert_true(column->figures->repeated.value == figures.repeated.value);
    for (size_t k = 0; k < SAMPLES; k++) assert_true(column->figures->pass[k].value == figures.pass[k].value);
    for (size_t g = 0; g < set->count; g++) {
        assert_true(session_rollouts_is_complete(column, g));
        assert_true(column->right[g] == figures.prompts[g].right);
        assert_true(session_rollouts_figure(column, 0, g) == figures.prompts[g].average);
    }
    sample_figures_free(&figures);
}

/* Summed over a sample's tokens they are the sample's; over all tokens the means are those of the command. */
static void check_scores(const Session *session, const SampleSet *set, const SessionRolloutsColumn *column) {
    SampleRows rows = {0};
    SampleScore *scores[SIDE_COUNT];
    Error error = {0};
    size_t row = 0;
    assert_int_equal(sample_rows_list(set, &rows, &error), STATUS_OK);
    for (size_t side = 0; side < SIDE_COUNT; side++) scores[side] = calloc(rows.count, sizeof(SampleScore));
    assert_int_equal(
        sample_score_measure(session_model(session), session_settings(session), &rows, scores, NULL, &error),
        STATUS_OK);
    assert_non_null(column->scores);
    for (size_t g = 0; g < set->count; g++) {
        for (size_t i = 0; i < set->groups[g].sample_count; i++, row++) {
            size_t first = session_rollouts_first_token(column, g, i);
            for (size_t side = 0; side < SIDE_COUNT; side++) {
                double sum = 0.0;
                for (size_t t = 0; t < set->groups[g].samples[i].count; t++)
                    sum += (double)column->scores->tokens[side][first + t].log_probability;
                assert_true(fabs(sum - scores[side][row].log_probability) < 1e-4);
            }
        }
    }
    for (size_t side = 0; side < SIDE_COUNT; side++) {
        SampleScoreMeans means = sample_score_average(&rows, scores[side]);
        assert_true(fabs(column->scores->entropy[side].value - means.entropy) < 1e-6);
        assert_true(fabs(column->scores->log_probability[side] - means.log_probability) < 1e-6);
        assert_true(column->scores->entropy[side].error > 0.0);
        free(scores[side]);
    }
    sample_rows_free(&rows);
}

static void samples_figures_and_scores_are_the_engines(void **state) {
    (void)state;
    Session *session = open_few();
    SessionRollouts shown = draw(session);
    assert_int_equal(shown.columns, SIDE_COUNT);
    assert_int_equal(shown.groups, DEMO_ROWS);
    assert_false(shown.is_file || shown.is_stale);
    for (Side side = SIDE_BASE; side < SIDE_COUNT; side++) {
        SampleSet set = {0};
        const SessionRolloutsColumn *column = &shown.column[side];
        assert_int_equal(column->side, side);
        assert_int_equal(column->ready, DEMO_ROWS * SAMPLES);
        draw_by_hand(session, side, &set);
        check_same_samples(&set, column->set);
        check_figures(&set, column);
        check_scores(session, &set, column);
        sample_set_free(&set);
    }
    session_free(session);
}

static void what_came_before_a_cancellation_stays(void **state) {
    (void)state;
    Session *session = open_demo();
    choose_few(session, 512, 64);
    settle(session);
    session_start_rollouts(session);
    wait_for(session, "the first samples", has_some);
    SessionJob job;
    assert_int_equal(session_jobs(session, &job, 1), 1);
    assert_string_equal(job.label, "sampling base");
    assert_true(job.total > 0);
    assert_true(session_cancel(session));
    wait_for(session, "the end", is_over);
    settle(session);
    SessionRollouts shown = session_rollouts(session);
    assert_null(shown.error);
    assert_true(shown.column[0].ready > 0 && shown.column[2].ready == 0);
    assert_null(shown.column[2].figures);
    assert_null(shown.column[0].scores);
    session_start_rollouts_gradient(session); /* it would be of samples that are not there */
    assert_false(session_rollouts(session).is_running);
    session_start_rollouts(session);
    session_free(session); /* and a session may be left while it samples */
}

static void figures_are_over_prompts_that_have_all_their_samples(void **state) {
    (void)state;
    Session *session = open_demo();
    choose_few(session, 64, 64);
    settle(session);
    session_start_rollouts(session);
    wait_for(session, "the first samples", has_some);
    (void)session_cancel(session);
    wait_for(session, "the end", is_over);
    SessionRollouts shown = session_rollouts(session);
    for (size_t c = 0; c < SIDE_COUNT; c++) {
        size_t complete = 0;
        for (size_t g = 0; g < DEMO_ROWS; g++) {
            bool is_complete = session_rollouts_is_complete(&shown.column[c], g);
            complete += is_complete;
            assert_true(isnan(session_rollouts_figure(&shown.column[c], 0, g)) == !is_complete);
        }
        assert_int_equal(shown.column[c].figures == NULL ? 0 : shown.column[c].figures->prompt_count,
                         complete);
    }
    session_free(session);
}

static void dials_that_are_turned_meanwhile_make_w_stale_and_leave_base_and_sft(void **state) {
    (void)state;
    Session *session = open_few();
    session_start_rollouts(session);
    wait_for(session, "the first samples", has_some);
    session_set_alpha(session, 0.1);
    wait_for(session, "samples", is_over);
    SessionRollouts shown = session_rollouts(session);
    assert_true(shown.is_stale && shown.settings->alpha == 0.5);
    SampleSet before[SIDE_COUNT] = {0};
    const double at_half = shown.column[SIDE_FUSED].scores->log_probability[SIDE_FUSED];
    for (size_t c = 0; c < SIDE_COUNT; c++) draw_by_hand(session, (Side)c, &before[c]); /* W at α 0.1 */
    shown = draw(session);
    assert_false(shown.is_stale);
    assert_true(shown.settings->alpha == 0.1);
    for (size_t c = 0; c < SIDE_COUNT; c++) check_same_samples(&before[c], shown.column[c].set);
    assert_true(shown.column[SIDE_FUSED].scores->log_probability[SIDE_FUSED] != at_half);
    check_scores(session, &before[SIDE_BASE], &shown.column[SIDE_BASE]);
    for (size_t c = 0; c < SIDE_COUNT; c++) sample_set_free(&before[c]);
    session_free(session);
}

static void another_choice_says_that_the_next_would_differ(void **state) {
    (void)state;
    Session *session = open_few();
    (void)draw(session);
    assert_false(session_rollouts_differs(session));
    choose_few(session, SAMPLES + 1, TOKENS);
    assert_true(session_rollouts_differs(session));
    assert_int_equal(session_rollouts(session).choice.samples, SAMPLES); /* what is there */
    assert_int_equal(draw(session).column[0].total, DEMO_ROWS * (SAMPLES + 1));
    assert_false(session_rollouts_differs(session));
    session_free(session);
}

static void a_choice_that_cannot_be_changes_nothing(void **state) {
    (void)state;
    Session *session = open_few();
    const SessionRolloutsChoice good = session_rollouts_choice(session);
    SessionRolloutsChoice bad[8];
    Error error = {0};
    for (size_t i = 0; i < 8; i++) bad[i] = good;
    bad[0].samples = 0;
    bad[1].samples = SESSION_ROLLOUTS_SAMPLES_MOST + 1;
    bad[2].prompts = 0;
    bad[3].most_tokens = SIZE_MAX;
    bad[4].sampling.temperature = NAN;
    bad[5].sampling.top_p = 0.0;
    bad[6].seed = UINT64_C(1) << 53;
    (void)snprintf(bad[7].reward, sizeof bad[7].reward, "regex:(");
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(session_rollouts_choose(session, &bad[i], &error), STATUS_ARGUMENT);
        assert_true(error.message[0] != '\0');
    }
    assert_int_equal(session_rollouts_choice(session).samples, SAMPLES);
    assert_string_equal(session_rollouts_choice(session).reward, "");
    session_free(session);
}

static void rows_without_answers_are_no_prompts_and_that_is_said(void **state) {
    static const char ROWS[] =
        "{\"prompt\": \"a\", \"response\": \" b\"}\n{\"prompt\": \"c\", \"response\": \" d\"}\n";
    (void)state;
    scratch_write("rows.jsonl", ROWS, sizeof ROWS - 1);
    char *path = scratch_path("rows.jsonl");
    Session *session = open_pair(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", path);
    settle(session);
    assert_non_null(strstr(session_rollouts_message(session), "no calibration row has an answer"));
    session_start_rollouts(session);
    assert_false(session_rollouts(session).is_running);
    free(path);
    session_free(session);
}

static void other_rows_take_their_samples_along_and_leave_those_of_a_file(void **state) {
    (void)state;
    Session *session = open_few();
    char *path = scratch_path("few.jsonl");
    Error error = {0};
    (void)draw(session);
    assert_int_equal(session_load_rows(session, path, &error), STATUS_OK);
    settle(session);
    assert_int_equal(session_rollouts(session).columns, 0);
    assert_int_equal(session_rollouts_choice(session).samples, SAMPLES);
    assert_int_equal(read_file(session, GOLDEN "/samples.jsonl").columns, 1);
    assert_int_equal(session_load_rows(session, path, &error), STATUS_OK);
    settle(session);
    assert_int_equal(session_rollouts(session).columns, 1);
    free(path);
    session_free(session);
}

int main(void) {
#define WITH_ROWS(test) cmocka_unit_test_setup_teardown(test, write_few_rows, scratch_remove)
    const struct CMUnitTest tests[] = {
        WITH_ROWS(a_program_grades_what_is_drawn),
        WITH_ROWS(a_program_that_crashes_is_told_with_what_it_said),
        WITH_ROWS(nothing_is_sampled_unasked),
        WITH_ROWS(samples_figures_and_scores_are_the_engines),
        WITH_ROWS(what_came_before_a_cancellation_stays),
        WITH_ROWS(figures_are_over_prompts_that_have_all_their_samples),
        WITH_ROWS(dials_that_are_turned_meanwhile_make_w_stale_and_leave_base_and_sft),
        WITH_ROWS(another_choice_says_that_the_next_would_differ),
        WITH_ROWS(a_choice_that_cannot_be_changes_nothing),
        WITH_ROWS(rows_without_answers_are_no_prompts_and_that_is_said),
        WITH_ROWS(other_rows_take_their_samples_along_and_leave_those_of_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
