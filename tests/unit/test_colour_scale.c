/*
 * Figures on a ramp: shares are small integers over powers of two or ten; tolerance 1e-15, one rounding of 1
 * (the largest error seen is 0).
 */
#include "tui/canvas/colour_scale.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const double TOLERANCE = 1e-15;

static ColourScale make_full(Ramp ramp, double nothing, double most, bool logarithmic) {
    ColourScale key = colour_scale_make(ramp, nothing, logarithmic);
    colour_scale_include(&key, most);
    return key;
}

static void assert_share(const ColourScale *key, double value, double share) {
    assert_float_equal(colour_scale_share(key, value), share, TOLERANCE);
}

static void shares_rise_from_nothing_to_the_largest_value_included(void **state) {
    (void)state;
    ColourScale key = make_full(RAMP_SEQUENTIAL, 0, 8, false);
    colour_scale_include(&key, 2);
    assert_share(&key, 0, 0);
    assert_share(&key, 2, 0.25);
    assert_share(&key, 8, 1);
    assert_share(&key, 80, 1);
    assert_share(&key, -1, 0);
}

static void where_less_is_more_the_ramp_runs_downwards(void **state) {
    (void)state;
    ColourScale key = make_full(RAMP_SEQUENTIAL, 1, 0.5, false); /* cosines: 1 is no drift */
    assert_share(&key, 1, 0);
    assert_share(&key, 0.75, 0.5);
    assert_share(&key, 0.5, 1);
}

static void given_ends_stay_whatever_is_beyond_them(void **state) {
    (void)state;
    ColourScale key = colour_scale_make_fixed(RAMP_SEQUENTIAL, 172, 0); /* ranks: 0 is the most */
    colour_scale_include(&key, 3644);
    assert_share(&key, 0, 1);
    assert_share(&key, 86, 0.5);
    assert_share(&key, 3644, 0);
}

static void a_diverging_ramp_has_both_sides_of_its_middle(void **state) {
    (void)state;
    ColourScale key = make_full(RAMP_DIVERGING, 3, -1, false);
    assert_share(&key, 3, 0);
    assert_share(&key, 5, 0.5);
    assert_share(&key, 1, -0.5);
    assert_share(&key, -1, -1);
    assert_share(&key, 7, 1);
}

static void a_logarithmic_ramp_spreads_three_decades(void **state) {
    (void)state;
    ColourScale key = make_full(RAMP_SEQUENTIAL, 0, 1000, true),
                both = make_full(RAMP_DIVERGING, 0, 1000, true);
    assert_share(&key, 1000, 1);
    assert_share(&key, 1, 0);
    assert_share(&key, 0.001, 0);
    assert_share(&key, 0, 0);
    assert_share(&key, 100, 1 - 1.0 / (double)COLOUR_SCALE_DECADES);
    assert_share(&both, -100, 1.0 / (double)COLOUR_SCALE_DECADES - 1);
}

static void what_is_not_finite_does_not_stretch_the_ramp(void **state) {
    (void)state;
    ColourScale key = make_full(RAMP_SEQUENTIAL, 0, 4, false);
    colour_scale_include(&key, INFINITY);
    colour_scale_include(&key, NAN);
    assert_share(&key, 2, 0.5);
    assert_share(&key, INFINITY, 1);
    assert_true(isnan(colour_scale_share(&key, NAN)));
    assert_false(colour_scale_is_known(NAN));
    assert_true(colour_scale_is_known(INFINITY));
}

static void without_extent_everything_is_nothing(void **state) {
    (void)state;
    ColourScale key = colour_scale_make(RAMP_SEQUENTIAL, 0, true);
    assert_share(&key, 0, 0);
    assert_share(&key, INFINITY, 1);
}

static void the_room_beyond_the_values_is_not_known(void **state) {
    (void)state;
    ColourScale key = make_full(RAMP_SEQUENTIAL, 0, 2, false);
    double values[2] = {1, 2}, shares[4] = {0};
    colour_scale_share_all(&key, values, 2, shares, 4);
    assert_float_equal(shares[0], 0.5, TOLERANCE);
    assert_float_equal(shares[1], 1, TOLERANCE);
    assert_true(isnan(shares[2]) && isnan(shares[3]));
}

static void the_legend_names_both_ends(void **state) {
    (void)state;
    Canvas *canvas;
    char *text;
    Theme theme = {.depth = THEME_MONO, .ascii = true};
    ColourScale key = make_full(RAMP_SEQUENTIAL, 0, 4, true);
    assert_int_equal(canvas_create(1, 40, theme, &canvas, NULL), STATUS_OK);
    int width = colour_scale_draw(canvas, canvas_area(canvas), &key);
    assert_int_equal(canvas_to_text(canvas, &text, NULL), STATUS_OK);
    assert_non_null(strstr(text, "log 0.004  .:-=+*#%@ 4\n"));
    assert_int_equal(width, 4 + 5 + 1 + 10 + 1 + 1);
    free(text);
    canvas_free(canvas);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_rise_from_nothing_to_the_largest_value_included),
        cmocka_unit_test(where_less_is_more_the_ramp_runs_downwards),
        cmocka_unit_test(given_ends_stay_whatever_is_beyond_them),
        cmocka_unit_test(a_diverging_ramp_has_both_sides_of_its_middle),
        cmocka_unit_test(a_logarithmic_ramp_spreads_three_decades),
        cmocka_unit_test(what_is_not_finite_does_not_stretch_the_ramp),
        cmocka_unit_test(without_extent_everything_is_nothing),
        cmocka_unit_test(the_room_beyond_the_values_is_not_known),
        cmocka_unit_test(the_legend_names_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
