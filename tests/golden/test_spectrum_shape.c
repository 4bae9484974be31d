/*
 * The noise in, and the tail of, singular values against golden/spectra/spectra.json, which scikit-rmt, powerlaw and scipy
 * made (spectra/make.py).
 *
 * Tolerance: 1e-9, relative; the largest error observed stands beside the test, which prints it.
 */
#include "core/drift/spectrum_shape.h"
#include "tests/golden/golden.h"

#include <math.h>

#define TOLERANCE 1e-9

static double worst;

static double number_of(const cJSON *object, const char *key) {
    const cJSON *item = json_find(object, key);
    assert_non_null(item);
    return item->valuedouble;
}

static void compare(const char *name, const cJSON *expected, const char *key, double found) {
    double figure = number_of(expected, key), error = fabs(found - figure) / fabs(figure);
    if (!(error <= TOLERANCE)) fail_msg("%s, %s: expected %.17g, found %.17g", name, key, figure, found);
    worst = fmax(worst, error);
}

static Spectrum read_spectrum(const cJSON *facts) {
    const cJSON *list = json_find(facts, "values"), *value;
    size_t count = (size_t)cJSON_GetArraySize(list), i = 0;
    Spectrum spectrum = {.method = SPECTRUM_EXACT,
                         .rows = (uint64_t)number_of(facts, "rows"),
                         .columns = (uint64_t)number_of(facts, "columns"),
                         .count = count,
                         .values = memory_allocate(count, sizeof(double)),
                         .errors = memory_allocate(count, sizeof(double)),
                         .norm = 1.0};
    assert_true(spectrum.values != NULL && spectrum.errors != NULL);
    cJSON_ArrayForEach(value, list) spectrum.values[i++] = value->valuedouble;
    return spectrum;
}

static void compare_matrix(const cJSON *facts) {
    const cJSON *noise = json_find(facts, "noise"), *tail = json_find(facts, "tail");
    Spectrum spectrum = read_spectrum(facts);
    SpectrumShape shape;
    assert_int_equal(spectrum_shape_measure(&spectrum, &shape, NULL), STATUS_OK);
    if (noise != NULL) {
        compare(facts->string, noise, "variance", shape.noise.variance);
        compare(facts->string, noise, "edge", shape.noise.edge);
        compare(facts->string, noise, "limit", shape.noise.limit);
        compare(facts->string, noise, "distance", shape.noise.distance);
        assert_int_equal(shape.noise.above, (size_t)number_of(noise, "above"));
    } else {
        assert_true(isnan(shape.noise.edge) && isnan(shape.noise.distance) && shape.noise.above == 0);
    }
    compare(facts->string, tail, "exponent", shape.tail.exponent);
    compare(facts->string, tail, "error", shape.tail.error);
    compare(facts->string, tail, "distance", shape.tail.distance);
    compare(facts->string, tail, "of_noise", shape.tail.of_noise);
    assert_int_equal(shape.tail.count, (size_t)number_of(tail, "count"));
    spectrum_free(&spectrum);
}

/* Observed: 5.2e-15. */
static void noise_and_tails_are_as_others_find_them(void **state) {
    (void)state;
    cJSON *tree = golden_read_json("golden/spectra/%s.json", "spectra", "");
    const cJSON *facts;
    size_t count = 0;
    cJSON_ArrayForEach(facts, tree) {
        compare_matrix(facts);
        count++;
    }
    assert_int_equal(count, 5);
    print_message("%zu matrices, largest relative error %.2g\n", count, worst);
    cJSON_Delete(tree);
}

static void the_law_s_quantile_and_its_distribution_function_undo_each_other(void **state) {
    (void)state;
    static const double RATIOS[] = {1e-4, 0.01, 0.3, 0.999, 1.0};
    for (size_t i = 0; i < sizeof RATIOS / sizeof *RATIOS; i++) {
        double ratio = RATIOS[i], low = (1 - sqrt(ratio)) * (1 - sqrt(ratio)),
               high = (1 + sqrt(ratio)) * (1 + sqrt(ratio));
        for (int k = 1; k < 20; k++) {
            double lambda = spectrum_shape_quantile(ratio, k / 20.0);
            assert_true(lambda > low && lambda < high);
            assert_true(fabs(spectrum_shape_law(ratio, lambda) - k / 20.0) < 1e-11);
        }
        assert_true(spectrum_shape_law(ratio, low * 0.999) == 0.0);
        assert_true(spectrum_shape_law(ratio, high * 1.001) == 1.0);
    }
}

static void what_has_not_all_values_or_too_few_has_no_shape(void **state) {
    (void)state;
    double values[SPECTRUM_SHAPE_LEAST], errors[SPECTRUM_SHAPE_LEAST] = {0};
    for (int i = 0; i < SPECTRUM_SHAPE_LEAST; i++) values[i] = SPECTRUM_SHAPE_LEAST - i;
    Spectrum spectrum = {.method = SPECTRUM_EXACT,
                         .rows = SPECTRUM_SHAPE_LEAST,
                         .columns = 70,
                         .count = SPECTRUM_SHAPE_LEAST,
                         .values = values,
                         .errors = errors,
                         .norm = 1.0};
    SpectrumShape shape;
    assert_int_equal(spectrum_shape_measure(&spectrum, &shape, NULL), STATUS_OK);
    assert_true(!isnan(shape.noise.edge) && !isnan(shape.tail.exponent));
    spectrum.count--;
    assert_int_equal(spectrum_shape_measure(&spectrum, &shape, NULL), STATUS_OK);
    assert_true(isnan(shape.noise.edge) && isnan(shape.tail.exponent) && isnan(shape.tail.of_noise));
    spectrum.count++;
    spectrum.method = SPECTRUM_LANCZOS;
    assert_int_equal(spectrum_shape_measure(&spectrum, &shape, NULL), STATUS_OK);
    assert_true(isnan(shape.noise.edge) && isnan(shape.tail.exponent));
}

/* A list of equal values has no tail: there is nothing to take an exponent of. */
static void equal_values_have_no_tail(void **state) {
    (void)state;
    double values[SPECTRUM_SHAPE_LEAST], errors[SPECTRUM_SHAPE_LEAST] = {0};
    for (int i = 0; i < SPECTRUM_SHAPE_LEAST; i++) values[i] = 0.5;
    Spectrum spectrum = {.method = SPECTRUM_EXACT,
                         .rows = SPECTRUM_SHAPE_LEAST,
                         .columns = SPECTRUM_SHAPE_LEAST,
                         .count = SPECTRUM_SHAPE_LEAST,
                         .values = values,
                         .errors = errors,
                         .norm = 1.0};
    SpectrumShape shape;
    assert_int_equal(spectrum_shape_measure(&spectrum, &shape, NULL), STATUS_OK);
    assert_true(isnan(shape.tail.exponent) && shape.tail.count == 0);
    assert_int_equal(shape.noise.above, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_and_tails_are_as_others_find_them),
        cmocka_unit_test(the_law_s_quantile_and_its_distribution_function_undo_each_other),
        cmocka_unit_test(what_has_not_all_values_or_too_few_has_no_shape),
        cmocka_unit_test(equal_values_have_no_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
