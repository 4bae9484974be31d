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

/* Σ slopes · weights, the choice being what it is at these logits. */
static double weigh(const ExpertPlan *plan, const float *logits, const float *correction, const float *slopes,
                    const Outcome *wanted) {
    Outcome outcome = choose(plan, logits, correction);
    double sum = 0.0;
    assert_memory_equal(outcome.chosen, wanted->chosen, sizeof outcome.chosen);
    for (size_t k = 0; k < plan->chosen; k++) sum += (double)slopes[k] * (double)outcome.weights[k];
    return sum;
}

static void check_way_back(const ExpertPlan *plan, const float *logits, const float *correction) {
    const float slopes[3] = {0.7F, -1.1F, 0.4F}, step = 1.0F / 64.0F;
    Outcome outcome = choose(plan, logits, correction);
    float scores[MOST], rivals[MOST], groups[MOST], given[3], out[MOST], chosen[MOST], weights[MOST];
    memcpy(scores, logits, plan->count * sizeof *scores);
    memcpy(given, slopes, sizeof given);
    expert_choose(plan, &(ExpertChoice){.logits = scores,
                                        .rivals = rivals,
                                        .groups = groups,
                                        .correction = correction,
                                        .chosen = chosen,
                                        .weights = weights});
    expert_choice_descend(plan, scores, chosen, given, out);
    for (size_t i = 0; i < plan->count; i++) {
        float up[MOST], down[MOST];
        memcpy(up, logits, plan->count * sizeof *up);
        memcpy(down, logits, plan->count * sizeof *down);
        up[i] += step;
        down[i] -= step;
        double slope = (weigh(plan, up, correction, slopes, &outcome) -
                        weigh(plan, down, correction, slopes, &outcome)) /
                       (2.0 * (double)step);
        if (fabs(slope - (double)out[i]) > 2e-4)
            fail_msg("scoring %d, logit %zu: %g, by difference %g", (int)plan->scoring, i, (double)out[i],
                     slope);
    }
}

static void the_way_back_is_what_differences_give(void **state) {
    (void)state;
    const float logits[6] = {0.3F, 1.4F, -0.9F, 1.1F, 0.8F, -0.2F},
                correction[6] = {0.0F, -0.3F, 0.1F, 0.3F, 0.0F, 0.1F};
    for (int scoring = EXPERTS_SOFTMAX; scoring <= EXPERTS_SPARSE_MIXER; scoring++) {
        for (int kind = 0; kind < 4; kind++) {
            ExpertPlan plan = plan_of((ExpertScoring)scoring, 6, 3);
            plan.mixer_jitter = 0.2;
            plan.normalises = kind > 0;
            plan.scale = 1.5;
            plan.added_sum = kind == 2 ? 0.5 : 0.0;
            plan.least_sum = kind == 3 ? 5.0 : 0.0; /* more than any sum here */
            check_way_back(&plan, logits, scoring == EXPERTS_SIGMOID ? correction : NULL);
        }
    }
}

/* The root of softplus; experts that a table chose are weighed alike, in its order, one twice if it says so. */
static void experts_of_a_table_have_the_weights_of_their_scores(void **state) {
    (void)state;
    ExpertPlan plan = plan_of(EXPERTS_SOFTPLUS_ROOT, 4, 2);
    plan.normalises = true;
    const double scores[] = {sqrt(log(2.0)), sqrt(log1p(exp(2.0))), 0.0, sqrt(log1p(exp(1.0)))};
    Outcome outcome = choose(&plan, LOGITS, NULL);
    assert_true(outcome.chosen[0] == 1.0F && outcome.chosen[1] == 3.0F);
    assert_close(outcome.weights[0], scores[1] / (scores[1] + scores[3]));
    float logits[4], chosen[] = {3.0F, 0.0F}, weights[2];
    const ExpertChoice choice = {.logits = logits, .chosen = chosen, .weights = weights};
    memcpy(logits, LOGITS, sizeof logits);
    expert_weigh(&plan, &choice);
    assert_close(weights[0], scores[3] / (scores[3] + scores[0]));
    assert_close(weights[1], scores[0] / (scores[3] + scores[0]));
    chosen[1] = 3.0F;
    memcpy(logits, LOGITS, sizeof logits);
    expert_weigh(&plan, &choice);
    assert_close(weights[0], 0.5);
    assert_close(weights[1], 0.5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(experts_of_a_table_have_the_weights_of_their_scores),
        cmocka_unit_test(softmax_weighs_the_best_by_their_share_of_all),
        cmocka_unit_test(softmax_of_the_chosen_leaves_the_others_out),
        cmocka_unit_test(a_correction_moves_the_choice_and_not_the_weight),
        cmocka_unit_test(logits_decide_where_sigmoids_are_equal),
        cmocka_unit_test(only_the_best_groups_compete),
        cmocka_unit_test(the_mixer_weighs_by_those_that_come_near),
        cmocka_unit_test(what_is_not_a_number_chooses_within_the_experts),
        cmocka_unit_test(the_way_back_is_what_differences_give),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
