/* Distributions of a few tokens, whose figures can be computed by hand. Tolerance 2e-7: logits and
 * exponentials are float32. */
#include "core/evaluation/distribution.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 8 };
static const double TOLERANCE = 2e-7;

static void must_be(double found, double expected) {
    if (!(fabs(found - expected) <= TOLERANCE)) fail_msg("expected %.9g, found %.9g", expected, found);
}

/* Describes x beside base and SFT at a position whose next token is `next`. */
static DistributionPosition describe(const float *x, const float *b, const float *s, size_t vocabulary,
                                     int32_t next) {
    float base_probabilities[MOST], sft_probabilities[MOST];
    DistributionReference base = {.logits = b, .probabilities = base_probabilities};
    DistributionReference sft = {.logits = s, .probabilities = sft_probabilities};
    distribution_make_reference(&base, vocabulary, next);
    distribution_make_reference(&sft, vocabulary, next);
    return distribution_describe(x, vocabulary, next, &base, &sft);
}

static void figures_of_a_small_distribution_are_those_computed_by_hand(void **state) {
    (void)state;
    /* x: 1/2 1/4 1/4; base: 1/4 1/4 1/2; SFT: uniform; all logits shifted, which changes nothing */
    const float ln2 = 0.69314718F;
    const float x[] = {5.0F + ln2, 5.0F, 5.0F}, b[] = {-3.0F, -3.0F, -3.0F + ln2}, s[] = {0, 0, 0};
    DistributionPosition p = describe(x, b, s, 3, 1);
    assert_int_equal(p.top, 0);
    assert_int_equal(p.next, 1);
    assert_false(p.same_top_base);
    assert_true(p.same_top_sft); /* of SFT's three equals the lowest id */
    must_be(p.top1, 0.5);
    must_be(p.entropy, 1.5 * log(2.0));
    must_be(p.log_normalizer, 5.0 + log(4.0));
    must_be(p.next_log_probability, log(0.25));
    must_be(p.kl_base, 0.25 * log(2.0)); /* 1/4 ln ½ + 1/4 ln 1 + 1/2 ln 2 */
    must_be(p.kl_sft, log(1.0 / 3.0) - (log(0.5) + 2.0 * log(0.25)) / 3.0);
    must_be(p.dp_base, 0.25 - 0.25);
    must_be(describe(x, b, s, 3, 0).dp_base, 0.5 - 0.25);
    must_be(describe(x, b, s, 3, 2).dp_base, 0.25 - 0.5);
}

static void a_model_is_at_no_distance_from_itself(void **state) {
    (void)state;
    const float x[] = {0.1F, -7.3F, 88.0F, 3.14F, -0.0F};
    float copy[5];
    memcpy(copy, x, sizeof x);
    DistributionPosition p = describe(x, x, copy, 5, 1);
    assert_true(p.kl_base == 0.0);
    assert_true(p.kl_sft >= 0.0 && p.kl_sft < 1e-12); /* the same numbers at another address */
    assert_true(p.dp_base == 0.0);
    assert_true(p.same_top_base && p.same_top_sft);
}

static void divergence_is_never_negative_and_not_symmetric(void **state) {
    (void)state;
    const float x[] = {0.0F, 1e-4F}, b[] = {1e-4F, 0.0F}, far[] = {30.0F, 0.0F}, flat[] = {0.0F, 0.0F};
    assert_true(describe(x, b, b, 2, 0).kl_base >= 0.0);
    double one = describe(far, flat, flat, 2, 0).kl_base, other = describe(flat, far, far, 2, 0).kl_base;
    assert_true(one > 10.0 && other < 1.0);
    must_be(other, log(2.0)); /* far is all but certain: −ln ½ */
}

static void of_equal_logits_the_lower_id_is_the_top(void **state) {
    (void)state;
    const float x[] = {1.0F, 3.0F, 3.0F, 3.0F}, b[] = {0.0F, 0.0F, 9.0F, 9.0F};
    DistributionPosition p = describe(x, b, x, 4, -1);
    assert_int_equal(p.top, 1);
    assert_false(p.same_top_base);
    DistributionToken top[4];
    distribution_find_top(x, 4, p.log_normalizer, top, 4);
    const int32_t expected[] = {1, 2, 3, 0};
    for (int i = 0; i < 4; i++) assert_int_equal(top[i].id, expected[i]);
}

static void the_top_tokens_are_the_most_likely_in_order(void **state) {
    (void)state;
    const float x[] = {0.5F, -1.0F, 4.0F, 4.0F, -INFINITY, 2.0F, 0.5F};
    DistributionPosition p = describe(x, x, x, 7, -1);
    DistributionToken top[7];
    double sum = 0.0;
    for (size_t count = 0; count <= 7; count++) {
        const int32_t expected[] = {2, 3, 5, 0, 6, 1, 4};
        distribution_find_top(x, 7, p.log_normalizer, top, count);
        for (size_t i = 0; i < count; i++) assert_int_equal(top[i].id, expected[i]);
    }
    for (int i = 0; i < 7; i++) sum += exp((double)top[i].log_probability);
    must_be(sum, 1.0);
    must_be(exp((double)top[0].log_probability), p.top1);
}

static void without_a_next_token_its_figures_are_no_numbers(void **state) {
    (void)state;
    const float x[] = {1.0F, 2.0F};
    DistributionPosition p = describe(x, x, x, 2, -1);
    assert_int_equal(p.next, -1);
    assert_true(isnan(p.next_log_probability) && isnan(p.dp_base));
    assert_true(isfinite(p.entropy) && isfinite(p.kl_base));
}

static void a_vocabulary_of_one_token_is_certain(void **state) {
    (void)state;
    const float x[] = {-4.0F}, b[] = {9.0F};
    DistributionPosition p = describe(x, b, b, 1, 0);
    assert_int_equal(p.top, 0);
    assert_true(p.top1 == 1.0 && p.entropy == 0.0 && !signbit(p.entropy));
    assert_true(p.next_log_probability == 0.0 && p.kl_base == 0.0 && p.dp_base == 0.0);
}

static void a_token_of_logit_minus_infinity_is_impossible(void **state) {
    (void)state;
    const float x[] = {0.0F, 0.0F, -INFINITY}, b[] = {0.0F, 0.0F, 0.0F};
    DistributionPosition p = describe(x, b, x, 3, 2);
    must_be(p.entropy, log(2.0));
    must_be(p.top1, 0.5);
    assert_true(p.next_log_probability == -INFINITY);
    must_be(p.dp_base, -1.0 / 3.0);
    assert_true(p.kl_base == INFINITY); /* base gives it a third */
    must_be(describe(b, x, x, 3, 0).kl_base, log(1.5));
}

static void a_nan_among_the_logits_shows_in_every_figure(void **state) {
    (void)state;
    const float good[] = {0.0F, 1.0F, 2.0F};
    for (int at = 0; at < 3; at++) {
        float bad[] = {0.0F, 1.0F, 2.0F};
        bad[at] = NAN;
        DistributionPosition p = describe(bad, good, good, 3, 1);
        assert_true(isnan(p.entropy) && isnan(p.top1) && isnan(p.kl_base) && isnan(p.kl_sft));
        assert_true(isnan(p.next_log_probability) && isnan(p.log_normalizer));
        assert_false(distribution_has_order(&p)); /* so that no token is shown as its first */
        p = describe(good, bad, good, 3, 1);      /* and in the distance to a base that has it */
        assert_true(isnan(p.kl_base) && isnan(p.dp_base));
        assert_true(isfinite(p.entropy) && isfinite(p.kl_sft) && distribution_has_order(&p));
    }
    const float bad[] = {0.0F, NAN, 2.0F}; /* also in its distance to itself */
    DistributionPosition own = describe(bad, bad, bad, 3, 1);
    assert_true(isnan(own.kl_base) && isnan(own.kl_sft) && isnan(own.dp_base));
    const float infinite[] = {0.0F, INFINITY, 0.0F}, none[] = {-INFINITY, -INFINITY, -INFINITY};
    assert_true(isnan(describe(infinite, good, good, 3, 1).entropy));
    assert_true(isnan(describe(none, good, good, 3, 1).entropy));
}

static void averages_leave_out_what_has_no_next_token(void **state) {
    (void)state;
    const DistributionPosition positions[] = {{.next = 1,
                                               .entropy = 1.0,
                                               .top1 = 0.995,
                                               .next_log_probability = -1.0,
                                               .dp_base = 0.3,
                                               .kl_base = 2.0,
                                               .same_top_base = true},
                                              {.next = 2,
                                               .entropy = 2.0,
                                               .top1 = 0.5,
                                               .next_log_probability = -2.0,
                                               .dp_base = -0.1,
                                               .kl_sft = 3.0},
                                              {.next = -1,
                                               .entropy = 3.0,
                                               .top1 = 0.99,
                                               .next_log_probability = NAN,
                                               .dp_base = NAN,
                                               .same_top_sft = true}};
    DistributionAverages a = distribution_average(positions, 3);
    assert_int_equal(a.positions, 3);
    assert_int_equal(a.response_tokens, 2);
    must_be(a.entropy, 2.0);
    must_be(a.kl_base, 2.0 / 3.0);
    must_be(a.kl_sft, 1.0);
    must_be(a.confident, 1.0 / 3.0); /* more than 0.99: 0.99 itself is not */
    must_be(a.same_top1_base, 1.0 / 3.0);
    must_be(a.same_top1_sft, 1.0 / 3.0);
    must_be(a.loss, 1.5);
    must_be(a.perplexity, exp(1.5));
    must_be(a.dp_base, 0.1);
    must_be(a.dp_base_rms, sqrt((0.09 + 0.01) / 2.0));
}

static void averages_over_nothing_are_no_numbers(void **state) {
    (void)state;
    DistributionAverages a = distribution_average(NULL, 0);
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++) assert_true(isnan(distribution_figure(&a, i)));
    const DistributionPosition prompt_only = {.next = -1, .next_log_probability = NAN, .dp_base = NAN};
    a = distribution_average(&prompt_only, 1);
    assert_true(isnan(a.loss) && isnan(a.perplexity) && isnan(a.dp_base));
    assert_true(a.entropy == 0.0);
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
        assert_int_equal(distribution_figure_is_undefined(&a, i), isnan(distribution_figure(&a, i)) != 0);
}

/* A share of 0 % sure positions would look like a model that was healed. */
static void a_nan_shows_in_every_average(void **state) {
    (void)state;
    const float good[] = {0.0F, 1.0F, 2.0F}, bad[] = {0.0F, NAN, 2.0F};
    DistributionPosition positions[] = {describe(good, good, good, 3, 1), describe(bad, good, good, 3, 1)};
    DistributionAverages a = distribution_average(positions, 2);
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
        assert_true(isnan(distribution_figure(&a, i)) && !distribution_figure_is_undefined(&a, i));
    positions[1] = describe(bad, bad, bad, 3, 1); /* beside itself, too */
    a = distribution_average(positions, 2);
    assert_true(isnan(a.confident) && isnan(a.same_top1_base) && isnan(a.same_top1_sft));
    positions[1] = describe(good, bad, good, 3, 1);
    a = distribution_average(positions, 2);
    assert_true(isnan(a.same_top1_base) && a.same_top1_sft == 1.0 && a.confident == 0.0);
}

static void every_figure_has_a_key_of_its_own_and_finds_its_number(void **state) {
    (void)state;
    DistributionAverages a = {.kl_base = 7.0, .perplexity = 9.0};
    size_t found = 0;
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++) {
        const DistributionFigure *figure = &DISTRIBUTION_FIGURES[i];
        if (strcmp(figure->key, "kl_base") == 0) found += distribution_figure(&a, i) == 7.0;
        if (strcmp(figure->key, "perplexity") == 0) found += distribution_figure(&a, i) == 9.0;
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(figure->key, DISTRIBUTION_FIGURES[j].key);
            assert_int_not_equal(figure->offset, DISTRIBUTION_FIGURES[j].offset);
        }
    }
    assert_int_equal(found, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_a_small_distribution_are_those_computed_by_hand),
        cmocka_unit_test(a_model_is_at_no_distance_from_itself),
        cmocka_unit_test(divergence_is_never_negative_and_not_symmetric),
        cmocka_unit_test(of_equal_logits_the_lower_id_is_the_top),
        cmocka_unit_test(the_top_tokens_are_the_most_likely_in_order),
        cmocka_unit_test(without_a_next_token_its_figures_are_no_numbers),
        cmocka_unit_test(a_vocabulary_of_one_token_is_certain),
        cmocka_unit_test(a_token_of_logit_minus_infinity_is_impossible),
        cmocka_unit_test(a_nan_among_the_logits_shows_in_every_figure),
        cmocka_unit_test(averages_leave_out_what_has_no_next_token),
        cmocka_unit_test(averages_over_nothing_are_no_numbers),
        cmocka_unit_test(a_nan_shows_in_every_average),
        cmocka_unit_test(every_figure_has_a_key_of_its_own_and_finds_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
