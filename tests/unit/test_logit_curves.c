/*
 * Distributions between measured points of α: exact where logits are polynomials in α, within the error that is stated on
 * the demo pair, within the memory that is stated.
 */
#include "core/evaluation/calibration.h"
#include "core/evaluation/logit_curves_internal.h"
#include "core/numerics/random.h"
#include "core/support/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { POINTS = LOGIT_CURVES_POINTS, LARGEST = 500, TRIED = 24, TOP = 8 };

/* ---- logits that are known at every α ---- */

typedef void (*Family)(double alpha, float *logits, size_t vocabulary);

/* Token i: a polynomial of degree i mod 5, some of them far below the others. */
static void make_polynomials(double alpha, float *logits, size_t vocabulary) {
    for (size_t i = 0; i < vocabulary; i++) {
        double value = i % 3 == 0 ? -12.0 : 0.0;
        for (size_t power = 0; power <= i % 5; power++)
            value += 4.0 * (random_uniform(17 + power, i) - 0.5) * pow(alpha, (double)power);
        logits[i] = (float)value;
    }
}

static void make_one_bad(double alpha, float *logits, size_t vocabulary) {
    make_polynomials(alpha, logits, vocabulary);
    if (alpha > 0.4 && alpha < 0.6) logits[7] = NAN;
}

/* No polynomial of low degree: a kink. */
static void make_kinked(double alpha, float *logits, size_t vocabulary) {
    make_polynomials(alpha, logits, vocabulary);
    logits[1] += (float)(6.0 * fabs(alpha - 0.37));
}

static DistributionPosition describe(Family family, double alpha, size_t vocabulary, int32_t next,
                                     float *logits) {
    float base[LARGEST], sft[LARGEST], scratch[2][LARGEST];
    family(0.0, base, vocabulary);
    family(1.0, sft, vocabulary);
    family(alpha, logits, vocabulary);
    DistributionReference references[] = {{.logits = base, .probabilities = scratch[0]},
                                          {.logits = sft, .probabilities = scratch[1]}};
    for (int i = 0; i < 2; i++) distribution_make_reference(&references[i], vocabulary, next);
    return distribution_describe(logits, vocabulary, next, &references[0], &references[1]);
}

static LogitCurves *make_curves(Family family, size_t vocabulary, int32_t next, size_t at_once) {
    static float logits[POINTS][LARGEST];
    float base[LARGEST], sft[LARGEST], scratch[3][LARGEST];
    Settings settings[POINTS];
    DistributionPosition described[POINTS];
    EvaluationResult results[POINTS];
    LogitCurves *curves;
    Error error = {0};
    for (size_t i = 0; i < POINTS; i++) {
        settings[i] = settings_at(chebyshev_point(0.0, 1.0, POINTS, i));
        described[i] = describe(family, settings[i].alpha, vocabulary, next, logits[i]);
        results[i] = (EvaluationResult){.positions = &described[i], .count = 1};
        results[i].averages = distribution_average(&described[i], 1);
    }
    if (logit_curves_create(settings, POINTS, 1, vocabulary, TOP, &curves, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    family(0.0, base, vocabulary);
    family(1.0, sft, vocabulary);
    DistributionReference references[] = {{.logits = base, .probabilities = scratch[0]},
                                          {.logits = sft, .probabilities = scratch[1]}};
    for (int i = 0; i < 2; i++) distribution_make_reference(&references[i], vocabulary, next);
    for (size_t first = 0; first < POINTS; first += at_once) {
        const CurveRow row = {.first = first,
                              .count = POINTS - first < at_once ? POINTS - first : at_once,
                              .vocabulary = vocabulary,
                              .next = next,
                              .base = &references[0],
                              .sft = &references[1],
                              .logits = logits[first],
                              .stride = LARGEST,
                              .scratch = scratch[2]};
        logit_curves_keep(curves, &row, described + first);
    }
    assert_int_equal(logit_curves_measure_errors(curves, results, NULL, &error), STATUS_OK);
    return curves;
}

static double largest_difference(const DistributionPosition *a, const DistributionPosition *b) {
    double worst = fmax(fabs(a->entropy - b->entropy), fabs(a->top1 - b->top1));
    worst = fmax(worst, fmax(fabs(a->kl_base - b->kl_base), fabs(a->kl_sft - b->kl_sft)));
    worst = fmax(worst, fabs(a->next_log_probability - b->next_log_probability));
    return fmax(worst, fabs(a->dp_base - b->dp_base));
}

/* The largest difference of any figure at any α tried, which has to be within `tolerance`. */
static void must_follow(Family family, size_t vocabulary, size_t at_once, double tolerance) {
    const int32_t next = 5;
    float logits[LARGEST];
    LogitCurves *curves = make_curves(family, vocabulary, next, at_once);
    LogitEstimate estimate = {0};
    Error error = {0};
    double worst = 0.0;
    for (int i = 0; i <= 50; i++) {
        const Settings settings = settings_at(i / 50.0);
        DistributionPosition exact = describe(family, settings.alpha, vocabulary, next, logits);
        assert_int_equal(logit_curves_estimate(curves, &settings, &estimate, &error), STATUS_OK);
        const DistributionPosition *found = &estimate.result.positions[0];
        worst = fmax(worst, largest_difference(found, &exact));
        assert_int_equal(found->top, exact.top);
        assert_int_equal(found->next, next);
        assert_int_equal(found->same_top_base, exact.same_top_base);
        assert_int_equal(found->same_top_sft, exact.same_top_sft);
        assert_int_equal(estimate.result.top[0].id, exact.top);
        for (size_t k = 0; k < TOP; k++) {
            const DistributionToken *token = &estimate.result.top[k];
            double truth = (double)logits[token->id] - exact.log_normalizer;
            worst = fmax(worst, fabs((double)token->log_probability - truth));
            assert_true(k == 0 || token->log_probability <= token[-1].log_probability);
        }
    }
    print_message("%zu tokens, %zu points at once: largest difference %.1e, stated %.1e nat\n", vocabulary,
                  at_once, worst, estimate.errors[0].entropy);
    assert_true(worst < tolerance);
    logit_curves_free_estimate(&estimate);
    logit_curves_free(curves);
}

static void logits_that_are_polynomials_come_back_as_they_are(void **state) {
    (void)state;
    must_follow(make_polynomials, TOP, POINTS, 1e-5);
    must_follow(make_polynomials, 40, POINTS, 1e-5); /* all are kept */
}

static void what_is_not_kept_of_them_is_a_remainder(void **state) {
    (void)state;
    must_follow(make_polynomials, LARGEST, POINTS, 1e-5);
    must_follow(make_polynomials, LARGEST, 5, 1e-5); /* not all points at once */
}

static void the_next_token_is_kept_however_unlikely(void **state) {
    (void)state;
    for (int32_t next = 0; next < LARGEST; next += 83) {
        float logits[LARGEST];
        LogitCurves *curves = make_curves(make_polynomials, LARGEST, next, POINTS);
        LogitEstimate estimate = {0};
        const Settings settings = settings_at(0.613);
        assert_int_equal(logit_curves_estimate(curves, &settings, &estimate, NULL), STATUS_OK);
        double truth = describe(make_polynomials, 0.613, LARGEST, next, logits).next_log_probability;
        assert_true(fabs(estimate.result.positions[0].next_log_probability - truth) < 1e-4);
        logit_curves_free_estimate(&estimate);
        logit_curves_free(curves);
    }
}

static void what_no_polynomial_follows_is_stated_as_an_error_that_large(void **state) {
    (void)state;
    float logits[LARGEST];
    LogitCurves *curves = make_curves(make_kinked, 40, 5, POINTS);
    LogitEstimate estimate = {0};
    for (int i = 0; i <= 50; i++) {
        const Settings settings = settings_at(i / 50.0);
        DistributionPosition exact = describe(make_kinked, settings.alpha, 40, 5, logits);
        assert_int_equal(logit_curves_estimate(curves, &settings, &estimate, NULL), STATUS_OK);
        const DistributionPosition *found = &estimate.result.positions[0];
        const LogitErrors *errors = &estimate.errors[0];
        assert_true(fabs(found->entropy - exact.entropy) <= errors->entropy);
        assert_true(fabs(found->kl_base - exact.kl_base) <= errors->kl_base);
        assert_true(fabs(found->top1 - exact.top1) <= errors->probability);
    }
    assert_true(estimate.errors[0].entropy > 1e-3); /* and it is large */
    logit_curves_free_estimate(&estimate);
    logit_curves_free(curves);
}

static void a_nan_at_a_point_is_one_between_them(void **state) {
    (void)state;
    LogitCurves *curves = make_curves(make_one_bad, 40, 5, POINTS);
    LogitEstimate estimate = {0};
    const Settings settings = settings_at(0.3);
    assert_int_equal(logit_curves_estimate(curves, &settings, &estimate, NULL), STATUS_OK);
    assert_true(isnan(estimate.result.positions[0].entropy) && isnan(estimate.result.averages.kl_base));
    assert_true(isinf(estimate.errors[0].entropy) && isinf(estimate.wrong.entropy));
    assert_true(estimate.wrong.confident >= 1.0);
    logit_curves_free_estimate(&estimate);
    logit_curves_free(curves);
}

/* ---- memory ---- */

static void memory_is_bounded_however_many_positions_there_are(void **state) {
    (void)state;
    Settings settings[POINTS];
    for (size_t i = 0; i < POINTS; i++) settings[i] = settings_at(chebyshev_point(0.0, 1.0, POINTS, i));
    static const size_t POSITIONS[] = {1, 1000, 4000, 8000, 14000};
    size_t before = LOGIT_CURVES_TOKENS;
    for (size_t i = 0; i < sizeof POSITIONS / sizeof *POSITIONS; i++) {
        LogitCurves *curves;
        assert_int_equal(logit_curves_create(settings, POINTS, POSITIONS[i], 150000, 0, &curves, NULL),
                         STATUS_OK);
        assert_non_null(curves);
        assert_true(logit_curves_bytes(curves) <= LOGIT_CURVES_BYTES + sizeof *curves);
        assert_true(curves->tokens <= before && curves->tokens >= LOGIT_CURVES_FEWEST);
        before = curves->tokens;
        logit_curves_free(curves);
    }
    assert_true(before < LOGIT_CURVES_TOKENS);
    LogitCurves *curves;
    assert_int_equal(logit_curves_create(settings, POINTS, 1000000, 150000, 0, &curves, NULL), STATUS_OK);
    assert_null(curves); /* too many: none */
    assert_int_equal(logit_curves_create(settings, 3, 1, 40, 0, &curves, NULL), STATUS_ARGUMENT);
    assert_int_equal(logit_curves_create(settings, CHEBYSHEV_MOST + 1, 1, 40, 0, &curves, NULL),
                     STATUS_ARGUMENT);
}

static void other_dials_than_alpha_are_not_covered(void **state) {
    (void)state;
    LogitCurves *curves = make_curves(make_polynomials, 40, 5, POINTS);
    Settings settings = settings_at(0.37);
    assert_true(logit_curves_cover(curves, &settings));
    settings.alpha = 1.01;
    assert_false(logit_curves_cover(curves, &settings));
    settings.alpha = NAN;
    assert_false(logit_curves_cover(curves, &settings));
    settings = settings_at(0.37);
    settings.omega = 0.5;
    assert_false(logit_curves_cover(curves, &settings));
    settings = settings_at(0.37);
    settings.kinds[SETTINGS_Q] = (SettingsOwn){true, 0.37};
    assert_false(logit_curves_cover(curves, &settings));
    logit_curves_free(curves);
}

/* ---- a model ---- */

typedef struct Demo {
    Pair *pair;
    Model *model;
    Calibration *rows;
    Evaluation *evaluation;
    EvaluationResult base, sft, points[POINTS], exact[TRIED];
    LogitCurves *curves;
} Demo;

static void read_rows(Demo *demo, size_t count, EvaluationRow **rows) {
    Tokenizer *tokenizer;
    Error error = {0};
    if (tokenizer_open(TESTS_DIR "/demo/sft/tokenizer.json", &tokenizer, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    const CalibrationReading reading = {.tokenizer = tokenizer, .config = demo->model->config};
    if (calibration_read(TESTS_DIR "/demo/calibration.jsonl", &reading, NULL, &demo->rows, &error) !=
        STATUS_OK)
        fail_msg("%s", error.message);
    tokenizer_free(tokenizer);
    *rows = calibration_list_positions(demo->rows, true);
    assert_true(*rows != NULL && demo->rows->count >= count);
}

static Demo open_demo(size_t count) {
    Demo demo = {0};
    EvaluationRow *rows;
    Job *job;
    Error error = {0};
    if (pair_open(TESTS_DIR "/demo/base", TESTS_DIR "/demo/sft", &demo.pair, &error) != STATUS_OK ||
        model_open(demo.pair, &demo.model, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    read_rows(&demo, count, &rows);
    Settings settings[POINTS], tried[TRIED];
    for (size_t i = 0; i < POINTS; i++) settings[i] = settings_at(chebyshev_point(0.0, 1.0, POINTS, i));
    for (size_t i = 0; i < TRIED; i++) tried[i] = settings_at(0.013 + 0.974 * (double)i / (TRIED - 1));
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    if (evaluation_create(demo.model, rows, count, TOP, &demo.evaluation, &error) != STATUS_OK ||
        evaluation_prepare(demo.evaluation, &demo.base, &demo.sft, job, &error) != STATUS_OK ||
        logit_curves_measure(demo.evaluation, settings, POINTS, demo.points, &demo.curves, job, &error) !=
            STATUS_OK ||
        evaluation_measure(demo.evaluation, tried, TRIED, demo.exact, job, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    job_free(job);
    free(rows);
    return demo;
}

static void close_demo(Demo *demo) {
    logit_curves_free(demo->curves);
    for (size_t i = 0; i < POINTS; i++) evaluation_free_result(&demo->points[i]);
    for (size_t i = 0; i < TRIED; i++) evaluation_free_result(&demo->exact[i]);
    evaluation_free_result(&demo->base);
    evaluation_free_result(&demo->sft);
    evaluation_free(demo->evaluation);
    calibration_free(demo->rows);
    model_close(demo->model);
    pair_close(demo->pair);
}

typedef struct Worst {
    double share, error; /* of the stated error; the largest that was made */
} Worst;

static void hold(double found, double exact, double stated, Worst *worst) {
    if (isnan(found) && isnan(exact)) return;
    double error = fabs(found - exact);
    if (error > worst->error) worst->error = error;
    if (error > 0.0 && error / stated > worst->share) worst->share = error / stated;
}

static void hold_tokens(const LogitEstimate *estimate, const EvaluationResult *exact, size_t at,
                        Worst *worst) {
    for (size_t i = 0; i < TOP; i++) {
        const DistributionToken *truth = &exact->top[at * TOP + i];
        double found = logit_curves_probability(estimate, at, truth->id); /* NaN: not among its own first */
        if (!isnan(found))
            hold(found, exp((double)truth->log_probability), estimate->errors[at].probability, worst);
    }
}

static void the_stated_error_covers_the_true_one_between_the_points_of_the_demo_pair(void **state) {
    (void)state;
    Demo demo = open_demo(6);
    LogitEstimate estimate = {0};
    Worst entropy = {0}, kl = {0}, probability = {0}, figures[32] = {{0}};
    for (size_t i = 0; i < TRIED; i++) {
        const EvaluationResult *exact = &demo.exact[i];
        assert_true(logit_curves_cover(demo.curves, &exact->settings));
        assert_int_equal(logit_curves_estimate(demo.curves, &exact->settings, &estimate, NULL), STATUS_OK);
        assert_int_equal(estimate.result.count, exact->count);
        for (size_t at = 0; at < exact->count; at++) {
            const DistributionPosition *found = &estimate.result.positions[at],
                                       *truth = &exact->positions[at];
            const LogitErrors *errors = &estimate.errors[at];
            hold(found->entropy, truth->entropy, errors->entropy, &entropy);
            hold(found->kl_base, truth->kl_base, errors->kl_base, &kl);
            hold(found->kl_sft, truth->kl_sft, errors->kl_sft, &kl);
            hold(found->top1, truth->top1, errors->probability, &probability);
            hold(found->dp_base, truth->dp_base, errors->probability, &probability);
            hold_tokens(&estimate, exact, at, &probability);
        }
        for (size_t f = 0; f < DISTRIBUTION_FIGURE_COUNT; f++)
            hold(distribution_figure(&estimate.result.averages, f), distribution_figure(&exact->averages, f),
                 distribution_figure(&estimate.wrong, f), &figures[f]);
    }
    print_message(
        "%zu positions at %d α: entropy %.1e nat (%.2f of what is stated), KL %.1e (%.2f), p %.1e (%.2f)\n",
        demo.exact[0].count, TRIED, entropy.error, entropy.share, kl.error, kl.share, probability.error,
        probability.share);
    assert_true(entropy.share <= 1.0 && kl.share <= 1.0 && probability.share <= 1.0);
    for (size_t f = 0; f < DISTRIBUTION_FIGURE_COUNT; f++) {
        print_message("  %-16s %.1e (%.2f)\n", DISTRIBUTION_FIGURES[f].key, figures[f].error,
                      figures[f].share);
        assert_true(figures[f].share <= 1.0);
    }
    /* and it is small enough to be of use: a hundredth of the figure */
    assert_true(estimate.wrong.entropy < 0.01 * demo.sft.averages.entropy);
    assert_true(estimate.wrong.loss < 0.01 * demo.sft.averages.loss);
    logit_curves_free_estimate(&estimate);
    close_demo(&demo);
}

static void at_a_point_figures_are_those_that_were_measured_there(void **state) {
    (void)state;
    Demo demo = open_demo(2);
    LogitEstimate estimate = {0};
    for (size_t i = 0; i < POINTS; i++) {
        assert_int_equal(logit_curves_estimate(demo.curves, &demo.points[i].settings, &estimate, NULL),
                         STATUS_OK);
        for (size_t at = 0; at < estimate.result.count; at++) {
            const DistributionPosition *found = &estimate.result.positions[at],
                                       *truth = &demo.points[i].positions[at];
            assert_true(fabs(found->entropy - truth->entropy) < 1e-5);
            assert_true(fabs(found->kl_base - truth->kl_base) < 1e-5);
            assert_true(fabs(found->top1 - truth->top1) < 1e-5);
            assert_true(isnan(logit_curves_probability(&estimate, at, -1)));
            if (truth->next >= 0)
                assert_true(fabs(logit_curves_probability(&estimate, at, truth->next) -
                                 exp(truth->next_log_probability)) < 1e-5);
        }
    }
    logit_curves_free_estimate(&estimate);
    close_demo(&demo);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_that_are_polynomials_come_back_as_they_are),
        cmocka_unit_test(what_is_not_kept_of_them_is_a_remainder),
        cmocka_unit_test(the_next_token_is_kept_however_unlikely),
        cmocka_unit_test(what_no_polynomial_follows_is_stated_as_an_error_that_large),
        cmocka_unit_test(a_nan_at_a_point_is_one_between_them),
        cmocka_unit_test(memory_is_bounded_however_many_positions_there_are),
        cmocka_unit_test(other_dials_than_alpha_are_not_covered),
        cmocka_unit_test(the_stated_error_covers_the_true_one_between_the_points_of_the_demo_pair),
        cmocka_unit_test(at_a_point_figures_are_those_that_were_measured_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
