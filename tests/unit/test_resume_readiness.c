/* The landscape and the rollouts of a session that is taken up again. */
#include "resume_fixture.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_landscape.h"
#include "tui/session/session_rollouts.h"

static bool rollouts_are_over(const Session *session) {
    return !session_rollouts(session).is_running;
}

static void choose_few(Session *session, size_t samples) {
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    Error error = {0};
    choice.samples = samples;
    choice.most_tokens = 5;
    choice.seed = 11;
    choice.sampling.temperature = 0.75;
    assert_int_equal(session_rollouts_choose(session, &choice, &error), STATUS_OK);
}

static void draw_few(Session *session) {
    choose_few(session, 2);
    session_start_rollouts(session);
    wait_for(session, "samples", rollouts_are_over);
    if (session_rollouts(session).error != NULL) fail_msg("%s", session_rollouts(session).error);
}

/* Leaves a session with drawn samples, of W at `alpha`, and a third checkpoint behind. */
static void leave_drawn(const char *path, const char *cache, double alpha, void *const *states) {
    char *rows = scratch_path("few.jsonl");
    SessionOptions options = {
        .base = TESTS_DIR "/demo/base", .sft = TESTS_DIR "/demo/sft", .calibration = rows};
    Session *session = open_with_cache(&options, cache);
    session_set_alpha(session, alpha);
    settle(session);
    SessionLandscapeChoice choice = session_landscape_choice(session);
    choice.third = TESTS_DIR "/demo/base";
    choice.triangle = (Range){.from = -0.5, .to = 1.5, .points = 5};
    choice.sigma = 0.25;
    choice.seed = 3;
    assert_true(session_landscape_choose(session, &choice));
    draw_few(session);
    settle(session);
    write_session(session, path, states);
    session_free(session);
    free(rows);
}

static void drawn_samples_come_from_the_cache_and_the_landscape_has_its_third(void **state) {
    (void)state;
    char *path = scratch_path("drawn.json"), *cache = scratch_path("cache");
    void **states = no_states();
    Resume resume;
    leave_drawn(path, cache, 0.5, states);
    Session *session = take_up(path, cache, &resume);
    SessionLandscapeChoice landscape = session_landscape_choice(session);
    assert_string_equal(landscape.third, TESTS_DIR "/demo/base");
    assert_true(landscape.triangle.points == 5 && landscape.sigma == 0.25 && landscape.seed == 3);
    wait_for(session, "kept samples", rollouts_are_over);
    SessionRollouts shown = session_rollouts(session);
    if (shown.error != NULL) fail_msg("%s", shown.error);
    assert_int_equal(shown.columns, SIDE_COUNT);
    for (size_t c = 0; c < SIDE_COUNT; c++)
        assert_true(shown.column[c].total > 0 && shown.column[c].ready == shown.column[c].total);
    assert_true(shown.choice.samples == 2 && shown.choice.seed == 11 &&
                shown.choice.sampling.temperature == 0.75);
    resume_free(&resume);
    session_free(session);
    free(path);
    free(cache);
    free(states);
}

static bool was_said(Session *session, const char *words) {
    SessionTone tone;
    char text[512];
    bool said = false;
    while (session_take_message(session, &tone, text, sizeof text))
        said = said || strstr(text, words) != NULL;
    return said;
}

/* Leaves a session whose samples of W are not in the cache, those of base and SFT are; `columns` were whole when it was left. */
static void leave_without_w(const char *path, const char *cache, size_t columns, void *const *states) {
    char *other = scratch_path("cache-of-w");
    leave_drawn(path, cache, 0.625, states);
    leave_drawn(path, other, 0.5, states);
    char *command = memory_format(
        "sed -i 's/\"states\":[^,]*/\"states\": %zu/' '%s' && "
        "grep -q '\"states\": %zu,' '%s'",
        columns, path, columns, path);
    assert_non_null(command);
    assert_int_equal(system(command), 0);
    free(command);
    free(other);
}

/* Base and SFT are kept whole, W never was: what there is comes again, and nobody says that it was lost. */
static void what_was_cancelled_is_there_as_far_as_it_was_whole(void **state) {
    (void)state;
    void **states = no_states();
    for (size_t columns = SIDE_FUSED; columns <= SIDE_COUNT; columns++) {
        bool was_cancelled = columns < SIDE_COUNT;
        char *path = scratch_path("cut.json"), *cache = scratch_path(was_cancelled ? "cache-3" : "cache-4");
        Resume resume;
        leave_without_w(path, cache, columns, states);
        Session *session = take_up(path, cache, &resume);
        wait_for(session, "kept samples", rollouts_are_over);
        settle(session);
        SessionRollouts shown = session_rollouts(session);
        assert_int_equal(session_rollouts_whole(session), SIDE_FUSED);
        assert_int_equal(shown.column[SIDE_FUSED].ready, 0);
        assert_non_null(shown.column[SIDE_SFT].figures);
        assert_true(was_said(session, "sampling from W had not ended") == was_cancelled);
        assert_true((shown.error == NULL) == was_cancelled);
        if (!was_cancelled)
            assert_string_equal(shown.error, "the samples of W of the last time are not kept any more");
        resume_free(&resume);
        session_free(session);
        free(path);
        free(cache);
    }
    free(states);
}

/* Nothing is drawn in their place. */
static void samples_that_are_not_kept_are_missed_aloud(void **state) {
    (void)state;
    char *path = scratch_path("gone.json"), *cache = scratch_path("cache-2"), *other = scratch_path("empty");
    void **states = no_states();
    Resume resume;
    leave_drawn(path, cache, 0.5, states);
    Session *session = take_up(path, other, &resume);
    wait_for(session, "no samples", rollouts_are_over);
    SessionRollouts shown = session_rollouts(session);
    assert_non_null(strstr(shown.error, "not kept any more"));
    for (size_t c = 0; c < shown.columns; c++) assert_int_equal(shown.column[c].ready, 0);
    resume_free(&resume);
    session_free(session);
    free(path);
    free(cache);
    free(other);
    free(states);
}

static void a_file_of_samples_is_read_again(void **state) {
    (void)state;
    char *path = scratch_path("file.json");
    void **states = no_states();
    SessionOptions options = {.base = TESTS_DIR "/demo/base",
                              .sft = TESTS_DIR "/demo/sft",
                              .samples = TESTS_DIR "/golden/readiness/demo/samples.jsonl"};
    Session *session = open_with_cache(&options, NULL);
    Resume resume;
    wait_for(session, "the file", rollouts_are_over);
    size_t groups = session_rollouts(session).groups;
    write_session(session, path, states);
    session_free(session);
    session = take_up(path, NULL, &resume);
    assert_string_equal(resume.session.samples, TESTS_DIR "/golden/readiness/demo/samples.jsonl");
    wait_for(session, "the file again", rollouts_are_over);
    SessionRollouts shown = session_rollouts(session);
    assert_true(shown.is_file && groups > 0 && shown.groups == groups && shown.columns == 1);
    resume_free(&resume);
    session_free(session);
    free(path);
    free(states);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_samples_come_from_the_cache_and_the_landscape_has_its_third),
        cmocka_unit_test(samples_that_are_not_kept_are_missed_aloud),
        cmocka_unit_test(what_was_cancelled_is_there_as_far_as_it_was_whole),
        cmocka_unit_test(a_file_of_samples_is_read_again),
    };
    return cmocka_run_group_tests(tests, write_few_rows, scratch_remove);
}
