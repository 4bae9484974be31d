/*
 * Rollouts as a session offers them: drawn as the engine draws them, one after another, cancelled, kept where they would come
 * out the same, told from what the dials have made of them since; read from files, sound and broken; their gradient.
 */
#include "core/readiness/reward.h"
#include "core/readiness/rollout.h"
#include "core/readiness/sample_prompts.h"
#include "session_fixture.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_rollouts.h"
#include "tui/session/session_rollouts_figures.h"
#include "views/views.h"

#include <math.h>

enum { SAMPLES = 4, TOKENS = 24, SEED = 7 };

#define GOLDEN TESTS_DIR "/golden/readiness/demo"

static bool is_over(const Session *session) {
    return !session_rollouts(session).is_running;
}

static bool has_some(const Session *session) {
    SessionRollouts shown = session_rollouts(session);
    return shown.columns > 0 && shown.column[0].ready > 0;
}

static bool gradient_is_there(const Session *session) {
    return session_rollouts(session).has_gradient;
}

static void choose_few(Session *session, size_t samples, size_t tokens) {
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    Error error = {0};
    choice.samples = samples;
    choice.most_tokens = tokens;
    choice.seed = SEED;
    assert_int_equal(session_rollouts_choose(session, &choice, &error), STATUS_OK);
}

/* Little to sample. */
static Session *open_few(void) {
    Session *session = open_demo();
    choose_few(session, SAMPLES, TOKENS);
    settle(session); /* rows are read first */
    return session;
}

static SessionRollouts draw(Session *session) {
    session_start_rollouts(session);
    assert_true(session_rollouts(session).is_running);
    wait_for(session, "samples", is_over);
    SessionRollouts shown = session_rollouts(session);
    if (shown.error != NULL) fail_msg("%s", shown.error);
    return shown;
}

static SessionRollouts read_file(Session *session, const char *path) {
    Error error = {0};
    settle(session);
    if (session_rollouts_take_file(session, path, true, &error) != STATUS_OK) fail_msg("%s", error.message);
    wait_for(session, "a file", is_over);
    return session_rollouts(session);
}

/* ---- drawing ---- */

static void choose_rule(Session *session, const char *rule) {
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    Error error = {0};
    (void)snprintf(choice.reward, sizeof choice.reward, "%s", rule);
    if (session_rollouts_choose(session, &choice, &error) != STATUS_OK) fail_msg("%s", error.message);
}

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

/* What the engine gives for one state, with rewards by the rule. */
static void draw_by_hand(Session *session, Side side, SampleSet *set) {
    const RolloutOptions options = {.samples = SAMPLES,
                                    .most_tokens = TOKENS,
                                    .sampling = {.temperature = 1.0, .top_p = 1.0},
                                    .seed = SEED,
                                    .end = session_calibration(session, NULL)->end.id};
    const Settings dials = *session_settings(session), settings = settings_of_side(side, &dials);
    Reward *reward;
    Job *job;
    Error error = {0};
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(sample_prompts_add(session_calibration(session, NULL), set, &error), STATUS_OK);
    assert_int_equal(rollout_run(session_model(session), &settings, set, &options, NULL, NULL, job, &error),
                     STATUS_OK);
    assert_int_equal(reward_decode_texts(set, session_tokenizer(session, NULL), NULL, &error), STATUS_OK);
    assert_int_equal(reward_open("number", &reward, &error), STATUS_OK);
    assert_int_equal(reward_apply(reward, set, NULL, &error), STATUS_OK);
    reward_free(reward);
    job_free(job);
}

static void check_same_samples(const SampleSet *expected, const SampleSet *found) {
    assert_int_equal(found->count, expected->count);
    for (size_t g = 0; g < expected->count; g++) {
        const SampleGroup *left = &expected->groups[g], *right = &found->groups[g];
        assert_int_equal(right->sample_count, left->sample_count);
        for (size_t i = 0; i < left->sample_count; i++) {
            assert_int_equal(right->samples[i].count, left->samples[i].count);
            assert_memory_equal(right->samples[i].ids, left->samples[i].ids,
                                left->samples[i].count * sizeof *left->samples[i].ids);
            assert_true(right->samples[i].reward == left->samples[i].reward);
            assert_true(right->samples[i].is_ended == left->samples[i].is_ended);
            if (left->samples[i].text != NULL)
                assert_string_equal(right->samples[i].text, left->samples[i].text);
        }
    }
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

/* ---- files ---- */

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

/* ---- the view, with samples: the other views' monkey (test_views.c) has none ---- */

static void draw_view(const View *view, void *opened, Session *session, size_t i) {
    static const int ROWS[] = {0, 1, 2, 3, 5, 8, 13, 24, 50}, COLUMNS[] = {0, 1, 4, 11, 30, 80, 150, 220};
    static const Theme THEMES[] = {{.depth = THEME_256}, {.depth = THEME_MONO, .ascii = true}};
    Canvas *canvas;
    Error error = {0};
    bool is_ascii = i >= 72;
    assert_int_equal(canvas_create(ROWS[i % 9], COLUMNS[i / 9 % 8], THEMES[is_ascii], &canvas, &error),
                     STATUS_OK);
    view->draw(opened, session, canvas, canvas_area(canvas));
    char *text;
    assert_int_equal(canvas_to_text(canvas, &text, &error), STATUS_OK);
    for (size_t c = 0; text[c] != '\0' && is_ascii; c++) assert_true((unsigned char)text[c] < 128);
    free(text);
    canvas_free(canvas);
}

static void check_any_window(Session *session) {
    enum { STRIDE = 5 }; /* other windows at each step */
    static const Action STEPS[] = {ACTION_PANE_NEXT,  ACTION_PANE_NEXT, ACTION_PANE_NEXT,  ACTION_ENTER,
                                   ACTION_MOVE_RIGHT, ACTION_PANE_NEXT, ACTION_LAST,       ACTION_MOVE_LEFT,
                                   ACTION_BACK,       ACTION_LAST,      ACTION_METRIC_NEXT};
    const View *view = VIEWS.views[view_find(&VIEWS, "rollouts")];
    const ActionArgument once = {.count = 1, .text = ""}, often = {.count = 100, .text = ""};
    void *opened;
    Error error = {0};
    assert_int_equal(view->open(session, &opened, &error), STATUS_OK);
    for (size_t step = 0; step < sizeof STEPS / sizeof *STEPS; step++) {
        for (size_t i = step % STRIDE; i < 144; i += STRIDE) draw_view(view, opened, session, i);
        (void)view->act(opened, session, STEPS[step], step % 2 == 0 ? &once : &often);
        Table *table = NULL;
        char value[256];
        if (view->numbers(opened, session, &table, &error) == STATUS_OK) table_free(table);
        (void)view->value(opened, session, value, sizeof value);
    }
    assert_true(view->find(opened, session, "many", 1, false) || session_rollouts(session).groups == 0);
    view->close(opened);
}

static void the_view_fits_any_window(void **state) {
    (void)state;
    Session *session = open_few();
    check_any_window(session);
    (void)draw(session);
    session_start_rollouts_gradient(session);
    wait_for(session, "the gradient", gradient_is_there);
    check_any_window(session);
    choose_few(session, 200, 2); /* cells of a strip stand for several */
    (void)draw(session);
    check_any_window(session);
    (void)read_file(session, GOLDEN "/samples.jsonl");
    check_any_window(session);
    session_free(session);
}

int main(void) {
#define WITH_ROWS(test) cmocka_unit_test_setup_teardown(test, write_few_rows, scratch_remove)
    const struct CMUnitTest tests[] = {
        WITH_ROWS(a_program_grades_what_is_drawn),
        WITH_ROWS(a_program_grades_a_file),
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
        WITH_ROWS(a_file_of_prompts_is_sampled_from),
        WITH_ROWS(a_file_has_the_golden_figures_and_gradient),
        WITH_ROWS(a_broken_file_is_told_with_its_line_and_the_old_samples_stay),
        WITH_ROWS(a_rule_goes_before_the_rewards_of_a_file),
        WITH_ROWS(what_is_written_reads_as_the_same),
        WITH_ROWS(options_name_a_file_that_is_read_at_once),
        WITH_ROWS(the_view_fits_any_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
