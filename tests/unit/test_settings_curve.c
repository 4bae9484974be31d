/* Curves over the layers: what they hold, when two are one, and that no number of layers is too many for settings. */
#include "core/fusion/settings.h"
#include "pair_files.h"

#include <math.h>

enum { MANY = 300 };

static SettingsCurve *make_ramp(size_t layers, double first, double last) {
    SettingsCurve *curve;
    Error error = {0};
    if (settings_curve_create_ramp(layers, first, last, &curve, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return curve;
}

static void a_ramp_runs_from_the_first_layer_to_the_last(void **state) {
    (void)state;
    SettingsCurve *curve = make_ramp(5, 1.0, 0.0), *single = make_ramp(1, 0.7, 0.2);
    for (int layer = 0; layer < 5; layer++) assert_true(curve->alpha[layer] == 1.0 - 0.25 * layer);
    assert_int_equal(single->count, 1);
    assert_true(single->alpha[0] == 0.7);
    assert_true(settings_curve_is_ramp(curve) && settings_curve_is_ramp(single));
    settings_curve_free(curve);
    settings_curve_free(single);
}

static void a_curve_is_a_copy(void **state) {
    (void)state;
    double alpha[] = {0.1, 0.7, 0.2};
    SettingsCurve *curve;
    assert_int_equal(settings_curve_create(alpha, 3, &curve, NULL), STATUS_OK);
    alpha[1] = 0.0;
    assert_true(curve->count == 3 && curve->alpha[1] == 0.7);
    assert_false(settings_curve_is_ramp(curve));
    settings_curve_free(curve);
    settings_curve_free(NULL);
}

static void a_curve_of_no_layers_or_of_too_many_is_none(void **state) {
    (void)state;
    static const size_t COUNTS[] = {SIZE_MAX, SIZE_MAX / sizeof(double)};
    const double alpha = 0.5;
    SettingsCurve *curve = (SettingsCurve *)(void *)&curve;
    Error error = {0};
    assert_int_equal(settings_curve_create(&alpha, 0, &curve, &error), STATUS_ARGUMENT);
    assert_null(curve);
    assert_non_null(strstr(error.message, "expected"));
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++) {
        assert_int_equal(settings_curve_create_ramp(COUNTS[i], 0.0, 1.0, &curve, NULL), STATUS_NO_MEMORY);
        assert_null(curve);
    }
}

static void curves_are_equal_where_all_bits_are(void **state) {
    (void)state;
    SettingsCurve *a = make_ramp(MANY, 0.0, 1.0), *b = make_ramp(MANY, 0.0, 1.0);
    SettingsCurve *shorter = make_ramp(MANY - 1, 0.0, 1.0);
    assert_true(settings_curve_equal(a, a) && settings_curve_equal(a, b) && settings_curve_equal(NULL, NULL));
    assert_false(settings_curve_equal(a, NULL) || settings_curve_equal(NULL, a));
    assert_false(settings_curve_equal(a, shorter) || settings_curve_equal(shorter, a));
    b->alpha[MANY - 1] = nextafter(1.0, 0.0);
    assert_false(settings_curve_equal(a, b));
    b->alpha[MANY - 1] = 1.0;
    b->alpha[0] = -0.0; /* of which W can differ in the sign of a zero */
    assert_false(settings_curve_equal(a, b));
    settings_curve_free(a);
    settings_curve_free(b);
    settings_curve_free(shorter);
}

static void settings_of_three_hundred_layers_blend_each_by_its_own(void **state) {
    (void)state;
    PairFiles files;
    pair_files_make_layers(&files, 0, MANY);
    SettingsCurve *curve = make_ramp(MANY, 0.0, 1.0), *shorter = make_ramp(256, 0.0, 1.0);
    const Settings settings = {.alpha = 0.5, .curve = curve}, wrong = {.alpha = 0.5, .curve = shorter};
    Error error = {0};
    assert_int_equal(settings_layers(files.pair), MANY);
    if (settings_check(&settings, files.pair, &error) != STATUS_OK) fail_msg("%s", error.message);
    for (size_t i = 0; i < files.pair->count; i++) {
        const PairTensor *tensor = &files.pair->tensors[i];
        assert_true(settings_blend(&settings, tensor).a == curve->alpha[tensor->layer]);
    }
    assert_int_equal(settings_check(&wrong, files.pair, &error), STATUS_MISMATCH);
    assert_non_null(strstr(error.message, "each of 300 layers, found 256"));
    curve->alpha[MANY - 1] = NAN;
    assert_int_equal(settings_check(&settings, files.pair, &error), STATUS_ARGUMENT);
    assert_non_null(strstr(error.message, "curve"));
    settings_curve_free(curve);
    settings_curve_free(shorter);
    pair_files_remove(&files);
}

/* Its name is all there is of such a layer: nothing is allocated for those before it. */
static void a_pair_with_more_layers_than_tensors_has_no_curve(void **state) {
    (void)state;
    PairFiles files;
    pair_files_make_layers(&files, 9998, 2); /* names claim no higher ones */
    assert_int_equal(files.pair->tensors[1].layer, 9999);
    assert_int_equal(settings_layers(files.pair), 0);
    pair_files_remove(&files);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ramp_runs_from_the_first_layer_to_the_last),
        cmocka_unit_test(a_curve_is_a_copy),
        cmocka_unit_test(a_curve_of_no_layers_or_of_too_many_is_none),
        cmocka_unit_test(curves_are_equal_where_all_bits_are),
        cmocka_unit_test(settings_of_three_hundred_layers_blend_each_by_its_own),
        cmocka_unit_test(a_pair_with_more_layers_than_tensors_has_no_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
