/*
 * Figures of samples, by hand: pass@k, advantages, repeated answers, and standard errors that a seed fixes.
 */
#include "core/readiness/sample_figures.h"
#include "core/support/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* A group whose samples have these rewards; sample i is the one token ids[i], or i. */
static void add_group(SampleSet *set, const double *rewards, const int32_t *ids, size_t count) {
    SampleGroup *group;
    assert_int_equal(sample_set_add_group(set, &group, NULL), STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        Sample *sample;
        assert_int_equal(sample_set_add_sample(group, &sample, NULL), STATUS_OK);
        sample->ids = memory_allocate(1, sizeof *sample->ids);
        assert_non_null(sample->ids);
        sample->ids[0] = ids == NULL ? (int32_t)i : ids[i];
        sample->count = 1;
        sample->reward = rewards[i];
    }
}

#define ADD_GROUP(set, ids, ...)                                                                             \
    add_group(set, (const double[]){__VA_ARGS__}, ids, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void assert_near(double found, double expected) {
    if (fabs(found - expected) > 1e-12) fail_msg("expected %.17g, found %.17g", expected, found);
}

static void pass_is_the_chance_that_one_of_k_is_right(void **unused) {
    (void)unused;
    assert_near(sample_figures_pass(4, 1, 1), 0.25);
    assert_near(sample_figures_pass(4, 1, 2), 0.5);
    assert_near(sample_figures_pass(4, 2, 2), 1.0 - 1.0 / 6.0);
    assert_near(sample_figures_pass(4, 0, 4), 0.0);
    assert_near(sample_figures_pass(4, 4, 1), 1.0);
    assert_near(sample_figures_pass(4, 1, 4), 1.0);
    /* binomials that no double holds */
    assert_near(sample_figures_pass(100000, 1, 50000), 0.5);
}

static void different_numbers_of_samples_go_up_to_the_fewest(void **unused) {
    (void)unused;
    SampleSet set = {0};
    SampleFigures figures;
    Error error = {0};
    ADD_GROUP(&set, NULL, 1, 0, 0, 0);
    ADD_GROUP(&set, NULL, 0.5, 2);
    assert_int_equal(sample_figures_measure(&set, 0, &figures, &error), STATUS_OK);
    assert_int_equal(figures.fewest, 2);
    assert_int_equal(figures.samples, 6);
    assert_near(figures.average.value, (0.25 + 0.5) / 2.0);
    assert_near(figures.mean_reward.value, (0.25 + 1.25) / 2.0);
    assert_near(figures.pass[0].value, (0.25 + 0.5) / 2.0);
    assert_near(figures.pass[1].value, (0.5 + 1.0) / 2.0);
    assert_near(figures.gap.value, figures.pass[1].value - figures.average.value);
    sample_figures_free(&figures);
    sample_set_free(&set);
}

static void answers_that_were_there_are_repeated(void **unused) {
    (void)unused;
    SampleSet set = {0};
    SampleFigures figures;
    ADD_GROUP(&set, ((const int32_t[]){5, 6, 5, 5}), 0, 0, 0, 0);
    assert_int_equal(sample_figures_measure(&set, 0, &figures, NULL), STATUS_OK);
    assert_near(figures.repeated.value, 0.5);
    assert_true(isnan(figures.repeated.error)); /* of one prompt nothing is known */
    assert_near(figures.tokens.value, 1.0);
    sample_figures_free(&figures);
    sample_set_free(&set);
}

static void advantages_are_within_a_group(void **unused) {
    (void)unused;
    SampleSet set = {0};
    double advantages[9];
    ADD_GROUP(&set, NULL, 1, 0, 0, 0);
    ADD_GROUP(&set, NULL, 0.1, 0.1, 0.1); /* whose mean is not 0.1 */
    ADD_GROUP(&set, NULL, 1);
    ADD_GROUP(&set, NULL, 2);
    sample_figures_advantages(&set, advantages);
    double deviation = sqrt((0.75 * 0.75 + 3 * 0.25 * 0.25) / 3.0);
    assert_near(advantages[0], 0.75 / (deviation + 1e-6));
    assert_near(advantages[3], -0.25 / (deviation + 1e-6));
    for (size_t i = 4; i < 9; i++) assert_true(advantages[i] == 0.0);
    sample_set_free(&set);
}

/* The standard error of a mean of n prompts is close to s / √n, and another seed's is close to it, but another. */
static void standard_errors_are_those_of_the_bootstrap(void **unused) {
    (void)unused;
    SampleSet set = {0};
    SampleFigures figures[3];
    enum { PROMPTS = 40 };
    for (size_t i = 0; i < PROMPTS; i++) ADD_GROUP(&set, NULL, i % 4 == 0 ? 1.0 : 0.0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sample_figures_measure(&set, i / 2, &figures[i], NULL), STATUS_OK);
    double expected = sqrt(0.25 * 0.75 / PROMPTS);
    for (size_t i = 0; i < 3; i++) assert_true(fabs(figures[i].average.error - expected) < 0.15 * expected);
    assert_true(figures[0].average.error == figures[1].average.error);
    assert_true(figures[0].average.error != figures[2].average.error);
    for (size_t i = 0; i < 3; i++) sample_figures_free(&figures[i]);
    sample_set_free(&set);
}

static void what_has_no_figures_is_named(void **unused) {
    (void)unused;
    SampleSet set = {0};
    SampleFigures figures;
    Error error = {0};
    assert_int_equal(sample_figures_measure(&set, 0, &figures, &error), STATUS_ARGUMENT);
    ADD_GROUP(&set, NULL, 1, NAN);
    assert_int_equal(sample_figures_measure(&set, 0, &figures, &error), STATUS_ARGUMENT);
    assert_string_equal(error.message, "sample 1 of prompt 0 has no reward");
    SampleGroup *group;
    set.groups[0].samples[1].reward = 0.0;
    assert_int_equal(sample_set_add_group(&set, &group, NULL), STATUS_OK);
    assert_int_equal(sample_figures_measure(&set, 0, &figures, &error), STATUS_ARGUMENT);
    assert_string_equal(error.message, "prompt 1 has no samples");
    sample_set_free(&set);
}

/* Of two prompts of 1 and 3 tokens: the longer counts for more; drawn twice, the one alone or the other. */
static void a_ratio_is_of_sums_and_its_error_of_the_bootstrap(void **unused) {
    (void)unused;
    const double sums[] = {4.0, 6.0}, counts[] = {1.0, 3.0}, none[] = {0.0, 0.0};
    SampleEstimate estimate = sample_figures_estimate_ratio(sums, counts, 2, 0);
    assert_true(estimate.value == 2.5);
    /* 4, 2.5 twice and 2 of four equal draws */
    double mean = (4.0 + 2.5 + 2.5 + 2.0) / 4.0, variance = 0.0;
    const double draws[] = {4.0, 2.5, 2.5, 2.0};
    for (size_t i = 0; i < 4; i++) variance += (draws[i] - mean) * (draws[i] - mean) / 4.0;
    assert_true(fabs(estimate.error - sqrt(variance)) < 0.1 * sqrt(variance));
    assert_true(isnan(sample_figures_estimate_ratio(sums, counts, 1, 0).error));
    assert_true(isnan(sample_figures_estimate_ratio(sums, none, 2, 0).value));
}

static void a_prompt_has_the_figures_that_it_has_among_all(void **unused) {
    (void)unused;
    SampleSet set = {0};
    SampleFigures figures;
    ADD_GROUP(&set, NULL, 1, 0, 1);
    ADD_GROUP(&set, NULL, 0, 0);
    assert_int_equal(sample_figures_measure(&set, 0, &figures, NULL), STATUS_OK);
    for (size_t g = 0; g < 2; g++) {
        PromptFigures prompt;
        assert_int_equal(sample_figures_measure_prompt(&set.groups[g], &prompt, NULL), STATUS_OK);
        assert_true(prompt.right == figures.prompts[g].right && prompt.average == figures.prompts[g].average);
        assert_true(prompt.is_mixed == figures.prompts[g].is_mixed);
    }
    sample_figures_free(&figures);
    sample_set_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pass_is_the_chance_that_one_of_k_is_right),
        cmocka_unit_test(different_numbers_of_samples_go_up_to_the_fewest),
        cmocka_unit_test(answers_that_were_there_are_repeated),
        cmocka_unit_test(advantages_are_within_a_group),
        cmocka_unit_test(standard_errors_are_those_of_the_bootstrap),
        cmocka_unit_test(what_has_no_figures_is_named),
        cmocka_unit_test(a_ratio_is_of_sums_and_its_error_of_the_bootstrap),
        cmocka_unit_test(a_prompt_has_the_figures_that_it_has_among_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
