/*
 * The randomised method of singular values beside the exact one: within the errors that it states itself.
 */
#include "tests/unit/spectrum_fixture.h"

#ifndef NIGHTLY
#define NIGHTLY 0
#endif

enum { SEEDS = NIGHTLY ? 5 : 2 };

/* ---- scales of columns ---- */

static double geometric(size_t j) {
    return pow(0.8, (double)j);
}

/* A few directions, as a merged adapter of low rank leaves them. */
static double few(size_t j) {
    return j % 100 == 7 ? 1.0 + 0.01 * (double)j : 0.0;
}

static double few_in_noise(size_t j) {
    return j < 4 ? 20.0 - (double)j : 0.1;
}

/* ---- the randomised method ---- */

static double worst_share; /* of the stated error that was used up */

static void assert_within(const char *what, double found, double expected, double stated) {
    double share = fabs(found - expected) / stated;
    if (!(fabs(found - expected) <= stated))
        fail_msg("%s: expected %.10g, found %.10g ± %.3g", what, expected, found, stated);
    if (share > worst_share) worst_share = share;
}

/* spectrum.h: with ε the share of λ₁ that is missed, 1.648·√s·exp(−√ε·(2k − 1)) to the power of the block's width
 * is 10⁻⁶. */
static void assert_missed_is_as_stated(const Spectrum *spectrum) {
    size_t size = spectrum->rows < spectrum->columns ? spectrum->rows : spectrum->columns;
    size_t steps = size / SPECTRUM_BLOCK < SPECTRUM_STEPS ? size / SPECTRUM_BLOCK : SPECTRUM_STEPS;
    double share = 1.0 - 1.0 / ((1.0 + spectrum->missed) * (1.0 + spectrum->missed));
    double each = 1.648 * sqrt((double)size) * exp(-sqrt(share) * (2.0 * (double)steps - 1.0));
    if (steps * SPECTRUM_BLOCK == size)
        assert_true(spectrum->missed == 0.0); /* the whole space */
    else
        assert_relative(log(each), log(1e-6) / (double)SPECTRUM_BLOCK, 1e-9);
}

static void compare_methods(const char *name, const Pair *pair, const Spectrum *exact, uint64_t seed) {
    Spectrum found = measure(pair, 0, seed, NULL);
    assert_int_equal(found.method, SPECTRUM_LANCZOS);
    assert_int_equal(found.count, SPECTRUM_LEADING);
    assert_true(found.norm == exact->norm);
    for (size_t i = 0; i < found.count; i++) {
        assert_within(name, found.values[i], exact->values[i], found.errors[i] + exact->errors[i]);
        double above = found.values[i] * found.values[i] - exact->values[i] * exact->values[i];
        assert_true(above <= 1e-13 * exact->values[0] * exact->values[0]); /* never above, but for rounding */
    }
    assert_true(exact->values[0] <= found.values[0] * (1.0 + found.missed));
    assert_missed_is_as_stated(&found);
    for (SpectrumMetric metric = 0; metric < SPECTRUM_METRIC_COUNT; metric++)
        assert_within(name, spectrum_value(&found, metric), spectrum_value(exact, metric),
                      spectrum_value_error(&found, metric) + spectrum_value_error(exact, metric));
    if (seed == 1)
        print_message(
            "%-26s norm %.6g ± %.1e (true %+.1e, missed ≤ %.1e), effective rank %.5g ± %.1e (true %+.1e)\n",
            name, found.values[0], found.errors[0], exact->values[0] - found.values[0], found.missed,
            found.effective_rank, found.effective_rank_error, exact->effective_rank - found.effective_rank);
    spectrum_free(&found);
}

static void compare_on(const char *name, size_t rows, size_t columns, float *values) {
    PairFiles files;
    make_change(&files, rows, columns, values);
    Spectrum exact = measure(files.pair, 1000, 0, NULL);
    assert_int_equal(exact.method, SPECTRUM_EXACT);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) compare_methods(name, files.pair, &exact, seed);
    spectrum_free(&exact);
    pair_files_remove(&files);
    free(values);
}

static void its_error_is_within_the_stated_one_where_values_decay_slowly(void **state) {
    (void)state;
    worst_share = 0.0;
    compare_on("flat, square", 500, 500, make_random(500, 500, 11, flat));
    compare_on("flat, tall", 900, 440, make_random(900, 440, 12, flat));
    compare_on("flat, wide", 450, 700, make_random(450, 700, 13, flat));
    if (NIGHTLY) compare_on("flat, 1000", 1000, 1000, make_random(1000, 1000, 15, flat));
    if (NIGHTLY) compare_on("flat, taller", 1500, 480, make_random(1500, 480, 12, flat));
    compare_on("1/√j, square", 600, 600, make_random(600, 600, 14, slow));
    print_message("at most %.0f%% of a stated error was used up\n", 100.0 * worst_share);
}

static void its_error_is_within_the_stated_one_where_values_decay_fast(void **state) {
    (void)state;
    worst_share = 0.0;
    compare_on("1/j², tall", 700, 450, make_random(700, 450, 21, fast));
    compare_on("0.8ʲ, wide", 420, 700, make_random(420, 700, 22, geometric));
    compare_on("four in noise", 500, 800, make_random(500, 800, 23, few_in_noise));
    compare_on("rank 5", 600, 500, make_random(600, 500, 24, few));
    print_message("at most %.0f%% of a stated error was used up\n", 100.0 * worst_share);
}

/* Krylov spaces find no more equal values than a block is wide: what is left must not be taken for nothing.
 */
static void its_error_is_within_the_stated_one_where_values_are_equal(void **state) {
    (void)state;
    worst_share = 0.0;
    compare_on("500 equal of 500", 500, 500, make_equal(500, 500, 500));
    compare_on("200 equal of 500", 500, 500, make_equal(500, 500, 200));
    compare_on("17 equal of 500", 500, 600, make_equal(500, 600, 17));
    compare_on("12 equal of 500", 500, 600, make_equal(500, 600, 12));
    compare_on("one", 500, 600, make_equal(500, 600, 1));
    print_message("at most %.0f%% of a stated error was used up\n", 100.0 * worst_share);
}

static void the_same_seed_gives_the_same_bits_on_any_number_of_threads(void **state) {
    (void)state;
    float *values = make_random(500, 700, 31, slow);
    PairFiles files;
    Error error = {0};
    make_change(&files, 500, 700, values);
    Spectrum one = measure(files.pair, 0, 7, NULL), other = measure(files.pair, 0, 8, NULL);
    for (unsigned threads = 1; threads <= 3; threads++) {
        Job *job;
        assert_int_equal(job_create(threads, NULL, NULL, &job, &error), STATUS_OK);
        Spectrum many = measure(files.pair, 0, 7, job);
        assert_memory_equal(many.values, one.values, one.count * sizeof *one.values);
        assert_memory_equal(many.errors, one.errors, one.count * sizeof *one.errors);
        assert_true(many.effective_rank == one.effective_rank);
        assert_int_equal(many.seed, 7);
        spectrum_free(&many);
        job_free(job);
    }
    assert_true(other.effective_rank != one.effective_rank);
    spectrum_free(&one);
    spectrum_free(&other);
    pair_files_remove(&files);
    free(values);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_error_is_within_the_stated_one_where_values_decay_slowly),
        cmocka_unit_test(its_error_is_within_the_stated_one_where_values_decay_fast),
        cmocka_unit_test(its_error_is_within_the_stated_one_where_values_are_equal),
        cmocka_unit_test(the_same_seed_gives_the_same_bits_on_any_number_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
