/*
 * rollouts_fixture — a session with little to sample, and the same samples as the engine draws them.
 */
#ifndef REJUV_TESTS_ROLLOUTS_FIXTURE_H
#define REJUV_TESTS_ROLLOUTS_FIXTURE_H

#include "core/readiness/reward.h"
#include "core/readiness/rollout.h"
#include "core/readiness/sample_prompts.h"
#include "session_fixture.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_rollouts.h"
#include "tui/session/session_rollouts_figures.h"

enum { SAMPLES = 4, TOKENS = 24, SEED = 7 };

#define GOLDEN TESTS_DIR "/golden/readiness/demo"

static inline bool is_over(const Session *session) {
    return !session_rollouts(session).is_running;
}

static inline bool has_some(const Session *session) {
    SessionRollouts shown = session_rollouts(session);
    return shown.columns > 0 && shown.column[0].ready > 0;
}

static inline bool gradient_is_there(const Session *session) {
    return session_rollouts(session).has_gradient;
}

static inline void choose_few(Session *session, size_t samples, size_t tokens) {
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    Error error = {0};
    choice.samples = samples;
    choice.most_tokens = tokens;
    choice.seed = SEED;
    assert_int_equal(session_rollouts_choose(session, &choice, &error), STATUS_OK);
}

/* Little to sample. */
static inline Session *open_few(void) {
    Session *session = open_demo();
    choose_few(session, SAMPLES, TOKENS);
    settle(session); /* rows are read first */
    return session;
}

static inline SessionRollouts draw(Session *session) {
    session_start_rollouts(session);
    assert_true(session_rollouts(session).is_running);
    wait_for(session, "samples", is_over);
    SessionRollouts shown = session_rollouts(session);
    if (shown.error != NULL) fail_msg("%s", shown.error);
    return shown;
}

static inline SessionRollouts read_file(Session *session, const char *path) {
    Error error = {0};
    settle(session);
    if (session_rollouts_take_file(session, path, true, &error) != STATUS_OK) fail_msg("%s", error.message);
    wait_for(session, "a file", is_over);
    return session_rollouts(session);
}

static inline void choose_rule(Session *session, const char *rule) {
    SessionRolloutsChoice choice = session_rollouts_choice(session);
    Error error = {0};
    (void)snprintf(choice.reward, sizeof choice.reward, "%s", rule);
    if (session_rollouts_choose(session, &choice, &error) != STATUS_OK) fail_msg("%s", error.message);
}

/* What the engine gives for one state, with rewards by the rule. */
static inline void draw_by_hand(Session *session, Side side, SampleSet *set) {
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

static inline void check_same_samples(const SampleSet *expected, const SampleSet *found) {
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

#endif
