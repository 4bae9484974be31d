/* The dials as settings: which of them decides for which tensor, which are refused, and when two are alike.
 */
#include "core/fusion/settings.h"
#include "tiny_model.h"

static const char QWEN2[] = "{\"model_type\":\"qwen2\"," TINY_SIZES("3") "}"; /* biases, a head of its own */

static TinyModel tiny;

static int open_tiny(void **state) {
    if (scratch_make(state) != 0) return -1;
    tiny = tiny_model_make(QWEN2);
    return 0;
}

static int close_tiny(void **state) {
    tiny_model_free(&tiny);
    return scratch_remove(state);
}

static double a_of(const Settings *settings, TensorRole role, int layer) {
    const PairTensor *tensor = pair_find_role(tiny.pair, role, layer);
    assert_non_null(tensor);
    Blend blend = settings_blend(settings, tensor);
    assert_ptr_equal(blend.sft, tensor->sft);
    assert_ptr_equal(blend.base, tensor->base);
    assert_true(blend.row_ranks == NULL && blend.column_ranks == NULL);
    assert_true(blend.a == settings_alpha(settings, role, layer));
    return blend.a;
}

static void one_alpha_is_everyones(void **state) {
    (void)state;
    const Settings settings = {.alpha = 0.3};
    for (size_t i = 0; i < tiny.pair->count; i++) {
        Blend blend = settings_blend(&settings, &tiny.pair->tensors[i]);
        assert_true(blend.a == 0.3);
    }
    assert_int_equal(settings_check(&settings, tiny.pair, NULL), STATUS_OK);
}

static SettingsCurve *make_ramp(size_t layers, double first, double last) {
    SettingsCurve *curve;
    assert_int_equal(settings_curve_create_ramp(layers, first, last, &curve, NULL), STATUS_OK);
    return curve;
}

static void a_kind_of_its_own_goes_before_the_curve_and_the_curve_before_alpha(void **state) {
    (void)state;
    SettingsCurve *curve = make_ramp(3, 0.0, 1.0);
    Settings settings = {.alpha = 0.3, .curve = curve};
    settings.kinds[SETTINGS_UP] = (SettingsOwn){true, 0.9};
    settings.kinds[SETTINGS_DOWN] = (SettingsOwn){false, 0.9}; /* not set: its number does not matter */
    assert_int_equal(settings_check(&settings, tiny.pair, NULL), STATUS_OK);
    for (int layer = 0; layer < 3; layer++) {
        assert_true(a_of(&settings, TENSOR_Q, layer) == 0.5 * layer);
        assert_true(a_of(&settings, TENSOR_DOWN, layer) == 0.5 * layer);
        assert_true(a_of(&settings, TENSOR_UP, layer) == 0.9);
    }
    assert_true(a_of(&settings, TENSOR_EMBEDDING, -1) == 0.3); /* of no layer */
    assert_true(a_of(&settings, TENSOR_HEAD, -1) == 0.3);
    settings_curve_free(curve);
}

static void a_bias_goes_with_its_weight_and_all_norms_together(void **state) {
    (void)state;
    Settings settings = {.alpha = 0.3};
    settings.kinds[SETTINGS_Q] = (SettingsOwn){true, 0.1};
    settings.kinds[SETTINGS_NORM] = (SettingsOwn){true, 0.2};
    settings.kinds[SETTINGS_EMBEDDING] = (SettingsOwn){true, 0.4};
    settings.kinds[SETTINGS_HEAD] = (SettingsOwn){true, 0.6};
    assert_true(a_of(&settings, TENSOR_Q, 1) == 0.1 && a_of(&settings, TENSOR_Q_BIAS, 1) == 0.1);
    assert_true(a_of(&settings, TENSOR_K, 1) == 0.3 && a_of(&settings, TENSOR_K_BIAS, 1) == 0.3);
    assert_true(a_of(&settings, TENSOR_ATTENTION_NORM, 0) == 0.2 &&
                a_of(&settings, TENSOR_MLP_NORM, 2) == 0.2);
    assert_true(settings_alpha(&settings, TENSOR_Q_NORM, 0) == 0.2 &&
                settings_alpha(&settings, TENSOR_K_NORM, 1) == 0.2);
    assert_true(a_of(&settings, TENSOR_FINAL_NORM, -1) == 0.2);
    assert_true(a_of(&settings, TENSOR_EMBEDDING, -1) == 0.4 && a_of(&settings, TENSOR_HEAD, -1) == 0.6);
}

static void a_tensor_that_is_not_fused_stays_sfts_whatever_the_dials_say(void **state) {
    (void)state;
    const Settings settings = {.alpha = 0.0};
    PairTensor alone = *pair_find_role(tiny.pair, TENSOR_UP, 0);
    alone.is_fused = false;
    Blend blend = settings_blend(&settings, &alone);
    assert_null(blend.base);
    assert_true(blend.a == 1.0);
}

static void refuse(Settings settings, Status status, const char *words) {
    Error error = {0};
    assert_int_equal(settings_check(&settings, tiny.pair, &error), status);
    if (strstr(error.message, words) == NULL) fail_msg("expected \"%s\" in: %s", words, error.message);
}

static void dials_that_make_no_sense_are_refused_by_name(void **state) {
    (void)state;
    refuse((Settings){.alpha = NAN}, STATUS_ARGUMENT, "alpha");
    refuse((Settings){.alpha = INFINITY}, STATUS_ARGUMENT, "alpha");
    refuse((Settings){.rho = -0.01}, STATUS_ARGUMENT, "ρ");
    refuse((Settings){.rho = NAN}, STATUS_ARGUMENT, "ρ");
    refuse((Settings){.omega = 1.01}, STATUS_ARGUMENT, "ω");
    Settings settings = {.alpha = 0.5};
    settings.kinds[SETTINGS_GATE] = (SettingsOwn){true, -INFINITY};
    refuse(settings, STATUS_ARGUMENT, "gate");
    SettingsCurve *unfit = make_ramp(3, 0.0, NAN), *longer = make_ramp(4, 0.0, 1.0);
    refuse((Settings){.alpha = 0.5, .curve = unfit}, STATUS_ARGUMENT, "curve");
    refuse((Settings){.alpha = 0.5, .curve = longer}, STATUS_MISMATCH, "3 layers, found 4");
    settings_curve_free(unfit);
    settings_curve_free(longer);
}

static void an_alpha_beyond_the_models_is_allowed_and_noticed(void **state) {
    (void)state;
    Settings settings = {.alpha = 1.25};
    assert_int_equal(settings_check(&settings, tiny.pair, NULL), STATUS_OK);
    assert_false(settings_is_between(&settings));
    settings.alpha = 1.0;
    assert_true(settings_is_between(&settings));
    settings.kinds[SETTINGS_V] = (SettingsOwn){false, 2.0};
    assert_true(settings_is_between(&settings)); /* it is not set */
    settings.kinds[SETTINGS_V].is_set = true;
    assert_false(settings_is_between(&settings));
    SettingsCurve *steep = make_ramp(3, 0.5, 1.01);
    assert_false(settings_is_between(&(Settings){.alpha = 0.5, .curve = steep}));
    settings_curve_free(steep);
}

static void settings_are_equal_where_no_dial_differs(void **state) {
    (void)state;
    SettingsCurve *curve = make_ramp(3, 0.0, 1.0), *alike = make_ramp(3, 0.0, 1.0);
    SettingsCurve *other = make_ramp(3, 0.0, 0.9);
    Settings a = {.alpha = 0.5, .curve = curve}, b = {.alpha = 0.5, .curve = alike};
    b.kinds[SETTINGS_K].alpha = 0.9; /* not set */
    assert_true(settings_equal(&a, &b));
    static const size_t CASES = 7;
    for (size_t i = 0; i < CASES; i++) {
        Settings c = a;
        if (i == 0) c.alpha = 0.501;
        if (i == 1) c.rho = 0.01;
        if (i == 2) c.omega = 1.0;
        if (i == 3) c.kinds[SETTINGS_K].is_set = true;
        if (i == 4) c.curve = NULL;
        if (i == 5) c.curve = other;
        if (i == 6) c.ranking = (const Ranking *)(const void *)&a;
        assert_false(settings_equal(&a, &c));
        assert_false(settings_equal(&c, &a));
    }
    settings_curve_free(curve);
    settings_curve_free(alike);
    settings_curve_free(other);
}

static void without_a_ranking_rho_selects_nothing(void **state) {
    (void)state;
    const Settings settings = {.alpha = 0.5, .rho = 1.0, .omega = 1.0};
    assert_int_equal(settings_cut(&settings), 0);
    assert_true(a_of(&settings, TENSOR_UP, 0) == 0.5);
}

static void kinds_are_found_by_their_names(void **state) {
    (void)state;
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        SettingsKind kind;
        assert_true(settings_find_kind(settings_kind_name((SettingsKind)i), &kind));
        assert_int_equal(kind, i);
    }
    SettingsKind kind;
    assert_false(settings_find_kind("", &kind));
    assert_false(settings_find_kind("Q", &kind));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_alpha_is_everyones),
        cmocka_unit_test(a_kind_of_its_own_goes_before_the_curve_and_the_curve_before_alpha),
        cmocka_unit_test(a_bias_goes_with_its_weight_and_all_norms_together),
        cmocka_unit_test(a_tensor_that_is_not_fused_stays_sfts_whatever_the_dials_say),
        cmocka_unit_test(dials_that_make_no_sense_are_refused_by_name),
        cmocka_unit_test(an_alpha_beyond_the_models_is_allowed_and_noticed),
        cmocka_unit_test(settings_are_equal_where_no_dial_differs),
        cmocka_unit_test(without_a_ranking_rho_selects_nothing),
        cmocka_unit_test(kinds_are_found_by_their_names),
    };
    return cmocka_run_group_tests(tests, open_tiny, close_tiny);
}
