/*
 * Which experts a router chooses, and with what weights: every kind of scoring on logits whose outcome is worked out by
 * hand, ties, groups, a correction that moves the choice and not the weight. transformers' own figures are in
 * golden/test_experts.
 */
#include "core/transformer/expert_choice.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const float CLOSE = 1e-6F;

enum { MOST = 8 };

typedef struct Outcome {
    float chosen[MOST], weights[MOST];
} Outcome;

static Outcome choose(const ExpertPlan *plan, const float *logits, const float *correction) {
    Outcome outcome = {{0}, {0}};
    float scores[MOST], rivals[MOST], groups[MOST];
    memcpy(scores, logits, plan->count * sizeof *scores);
    const ExpertChoice choice = {.logits = scores,
                                 .rivals = rivals,
                                 .groups = groups,
                                 .correction = correction,
                                 .chosen = outcome.chosen,
                                 .weights = outcome.weights};
    expert_choose(plan, &choice);
    return outcome;
}

static ExpertPlan plan_of(ExpertScoring scoring, uint64_t count, uint64_t chosen) {
    return (ExpertPlan){
        .scoring = scoring, .count = count, .chosen = chosen, .groups = 1, .groups_chosen = 1, .scale = 1.0};
}

static void assert_close(float found, double wanted) {
    assert_true(fabs((double)found - wanted) < (double)CLOSE);
}

static const float LOGITS[4] = {0.0F, 2.0F, -1.0F, 1.0F};

static void softmax_weighs_the_best_by_their_share_of_all(void **state) {
    (void)state;
    ExpertPlan plan = plan_of(EXPERTS_SOFTMAX, 4, 2);
    double sum = 1.0 + exp(2.0) + exp(-1.0) + exp(1.0);
    Outcome outcome = choose(&plan, LOGITS, NULL);
    assert_true(outcome.chosen[0] == 1.0F && outcome.chosen[1] == 3.0F); /* the best first */
    assert_close(outcome.weights[0], exp(2.0) / sum);
    assert_close(outcome.weights[1], exp(1.0) / sum);
    plan.normalises = true;
    plan.scale = 2.5;
    outcome = choose(&plan, LOGITS, NULL);
    assert_close(outcome.weights[0], 2.5 * exp(2.0) / (exp(2.0) + exp(1.0)));
    plan.least_sum = 2.0; /* the sum is below: it is taken for 2 */
    outcome = choose(&plan, LOGITS, NULL);
    assert_close(outcome.weights[0], 2.5 * exp(2.0) / sum / 2.0);
}

static void softmax_of_the_chosen_leaves_the_others_out(void **state) {
    (void)state;
    const ExpertPlan plan = plan_of(EXPERTS_SOFTMAX_CHOSEN, 4, 2);
    Outcome outcome = choose(&plan, LOGITS, NULL);
    assert_close(outcome.weights[0], exp(2.0) / (exp(2.0) + exp(1.0)));
    assert_close(outcome.weights[1], exp(1.0) / (exp(2.0) + exp(1.0)));
}

static void a_correction_moves_the_choice_and_not_the_weight(void **state) {
    (void)state;
    const ExpertPlan plan = plan_of(EXPERTS_SIGMOID, 4, 1);
    const float correction[4] = {0.0F, 0.0F, 1.0F, 0.0F};
    Outcome outcome = choose(&plan, LOGITS, correction);
    assert_true(outcome.chosen[0] == 2.0F);
    assert_close(outcome.weights[0], 1.0 / (1.0 + exp(1.0)));
}

/* In float32 sigmoids of large logits are all 1: whoever chooses by logits still tells them apart. */
static void logits_decide_where_sigmoids_are_equal(void **state) {
    (void)state;
    const float large[3] = {30.0F, 31.0F, 32.0F};
    const ExpertPlan by_logit = plan_of(EXPERTS_SIGMOID_CHOSEN, 3, 1),
                     by_score = plan_of(EXPERTS_SIGMOID, 3, 1);
    assert_true(choose(&by_logit, large, NULL).chosen[0] == 2.0F);
    assert_true(choose(&by_score, large, NULL).chosen[0] == 0.0F); /* a tie: the lower number */
    assert_close(choose(&by_logit, large, NULL).weights[0], 1.0);
}

static void only_the_best_groups_compete(void **state) {
    (void)state;
    /* two groups of three: by its best the first wins, by its two best the second */
    const float logits[6] = {5.0F, -9.0F, -9.0F, 4.0F, 4.0F, 0.0F};
    ExpertPlan plan = plan_of(EXPERTS_SIGMOID, 6, 2);
    plan.groups = 2;
    plan.groups_chosen = 1;
    plan.group_best = 1;
    Outcome outcome = choose(&plan, logits, NULL);
    assert_true(outcome.chosen[0] == 0.0F && outcome.chosen[1] == 1.0F);
    plan.group_best = 2;
    outcome = choose(&plan, logits, NULL);
    assert_true(outcome.chosen[0] == 3.0F && outcome.chosen[1] == 4.0F);
    plan.groups_chosen = 2; /* all of them: as if there were none */
    outcome = choose(&plan, logits, NULL);
    assert_true(outcome.chosen[0] == 0.0F && outcome.chosen[1] == 3.0F);
}

/* (largest − x) / max(|x|, largest) above twice the jitter is out of a softmax; the second comes without the first. */
static void the_mixer_weighs_by_those_that_come_near(void **state) {
    (void)state;
    ExpertPlan plan = plan_of(EXPERTS_SPARSE_MIXER, 4, 2);
    const float logits[4] = {10.0F, 9.0F, 8.9F, 1.0F};
    plan.mixer_jitter = 0.052; /* 10.4 %: 9 comes near 10, 8.9 does not */
    Outcome outcome = choose(&plan, logits, NULL);
    assert_true(outcome.chosen[0] == 0.0F && outcome.chosen[1] == 1.0F);
    assert_close(outcome.weights[0], 1.0 / (1.0 + exp(-1.0)));
    assert_close(outcome.weights[1], 1.0 / (1.0 + exp((double)8.9F - 9.0)));
    plan.mixer_jitter = 0.0; /* none comes near */
    outcome = choose(&plan, logits, NULL);
    assert_close(outcome.weights[0], 1.0);
    assert_close(outcome.weights[1], 1.0);
}

static void what_is_not_a_number_chooses_within_the_experts(void **state) {
    (void)state;
    const float broken[4] = {NAN, NAN, NAN, NAN};
    for (int scoring = EXPERTS_SOFTMAX; scoring <= EXPERTS_SPARSE_MIXER; scoring++) {
        const ExpertPlan plan = plan_of((ExpertScoring)scoring, 4, 2);
        Outcome outcome = choose(&plan, broken, NULL);
        for (int k = 0; k < 2; k++) {
            assert_true(outcome.chosen[k] >= 0.0F && outcome.chosen[k] < 4.0F);
            assert_true(isnan(outcome.weights[k]) || scoring == EXPERTS_SPARSE_MIXER);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_weighs_the_best_by_their_share_of_all),
        cmocka_unit_test(softmax_of_the_chosen_leaves_the_others_out),
        cmocka_unit_test(a_correction_moves_the_choice_and_not_the_weight),
        cmocka_unit_test(logits_decide_where_sigmoids_are_equal),
        cmocka_unit_test(only_the_best_groups_compete),
        cmocka_unit_test(the_mixer_weighs_by_those_that_come_near),
        cmocka_unit_test(what_is_not_a_number_chooses_within_the_experts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
