/* Colours: readable on any background, ordered along ramps, never alone. */
#include "tui/text.h"
#include "tui/theme.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* WCAG 2 contrast of two luminances. */
static double contrast(double a, double b) {
    return (fmax(a, b) + 0.05) / (fmin(a, b) + 0.05);
}

static void texts_of_256_colours_are_readable_on_black_and_on_white(void **state) {
    const Theme theme = {THEME_256, false};
    double worst = 100;
    (void)state;
    for (int role = 0; role < ROLE_COUNT; role++) {
        Style style = theme_style(&theme, (Role)role);
        if (style.foreground < 0) continue;
        double luminance = theme_luminance(style.foreground);
        worst = fmin(worst, fmin(contrast(luminance, 0), contrast(luminance, 1)));
        assert_true(contrast(luminance, 0) >= 3 &&
                    contrast(luminance, 1) >= 3); /* WCAG's least for large text */
    }
    print_message("least contrast on black or white: %.2f (3 required)\n", worst);
}

static void no_text_is_dark_blue_or_grey_at_few_colours(void **state) {
    (void)state;
    for (int depth = THEME_8; depth <= THEME_16; depth++) {
        const Theme theme = {(ThemeDepth)depth, false};
        for (int role = 0; role < ROLE_COUNT; role++) {
            Colour colour = theme_style(&theme, (Role)role).foreground;
            assert_true(colour != 0 && colour != 4 && colour < 7);
        }
    }
}

static void every_text_keeps_the_terminals_background(void **state) {
    (void)state;
    for (int depth = 0; depth < THEME_DEPTHS; depth++) {
        const Theme theme = {(ThemeDepth)depth, false};
        for (int role = 0; role < ROLE_COUNT; role++)
            assert_int_equal(theme_style(&theme, (Role)role).background, THEME_DEFAULT_COLOUR);
    }
}

static void monochrome_has_no_colour_at_all(void **state) {
    const Theme theme = {THEME_MONO, false};
    (void)state;
    for (int role = 0; role < ROLE_COUNT; role++)
        assert_int_equal(theme_style(&theme, (Role)role).foreground, THEME_DEFAULT_COLOUR);
    for (int ramp = 0; ramp < RAMP_COUNT; ramp++)
        for (size_t i = 0; i < theme_step_count(&theme, (Ramp)ramp); i++)
            assert_int_equal(theme_step(&theme, (Ramp)ramp, i).style.foreground, THEME_DEFAULT_COLOUR);
    assert_int_not_equal(theme_style(&theme, ROLE_SELECTED).attributes, 0);
    assert_int_not_equal(theme_style(&theme, ROLE_STALE).attributes, 0);
    assert_int_not_equal(theme_style(&theme, ROLE_ERROR).attributes, 0);
}

static void no_color_counts_only_when_it_is_not_empty(void **state) {
    (void)state;
    assert_int_equal(theme_choose_depth(256, "1"), THEME_MONO);
    assert_int_equal(theme_choose_depth(256, ""), THEME_256);
    assert_int_equal(theme_choose_depth(256, NULL), THEME_256);
    assert_int_equal(theme_choose_depth(88, NULL), THEME_16);
    assert_int_equal(theme_choose_depth(8, NULL), THEME_8);
    assert_int_equal(theme_choose_depth(2, NULL), THEME_MONO);
    assert_int_equal(theme_choose_depth(-1, NULL), THEME_MONO);
}

/* The colour of a step as it is seen: its background where the cell is filled, bold as bright at 8 colours.
 */
static double step_luminance(const Theme *theme, Ramp ramp, size_t step) {
    Style style = theme_step(theme, ramp, step).style;
    if (theme->depth == THEME_256) return theme_luminance(style.background);
    Colour colour = style.foreground;
    return theme_luminance((style.attributes & THEME_BOLD) != 0 && colour < 8 ? colour + 8 : colour);
}

static void sequential_ramps_grow_lighter(void **state) {
    (void)state;
    for (int depth = THEME_8; depth < THEME_DEPTHS; depth++) {
        for (int ascii = 0; ascii < 2; ascii++) {
            const Theme theme = {(ThemeDepth)depth, ascii == 1};
            size_t count = theme_step_count(&theme, RAMP_SEQUENTIAL);
            for (size_t i = 1; i < count; i++)
                assert_true(step_luminance(&theme, RAMP_SEQUENTIAL, i) >=
                            step_luminance(&theme, RAMP_SEQUENTIAL, i - 1));
            assert_true(step_luminance(&theme, RAMP_SEQUENTIAL, count - 1) >
                        step_luminance(&theme, RAMP_SEQUENTIAL, 0));
        }
    }
}

static void diverging_ramps_are_lightest_in_the_middle(void **state) {
    (void)state;
    for (int depth = THEME_8; depth < THEME_DEPTHS; depth++) {
        const Theme theme = {(ThemeDepth)depth, false};
        size_t count = theme_step_count(&theme, RAMP_DIVERGING), middle = count / 2;
        assert_int_equal(count % 2, 1);
        for (size_t i = 1; i < count; i++) {
            double here = step_luminance(&theme, RAMP_DIVERGING, i),
                   before = step_luminance(&theme, RAMP_DIVERGING, i - 1);
            if (i <= middle) assert_true(here >= before);
            if (i > middle) assert_true(here <= before);
        }
    }
}

static size_t glyph_place(const char *const *glyphs, size_t count, const char *glyph) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(glyphs[i], glyph) == 0) return i;
    fail_msg("\"%s\" is not a glyph of the ramp", glyph);
    return count;
}

static void glyphs_alone_carry_the_order(void **state) {
    static const char *const ORDERS[2][2][10] = {
        {{" ", "░", "▒", "▓", "█"}, {" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"}},
        {{"▼", "▾", "-", "·", "+", "▴", "▲"}, {"V", "v", "-", ".", "+", "^", "A"}}};
    static const size_t COUNTS[2][2] = {{5, 10}, {7, 7}};
    (void)state;
    for (int depth = 0; depth < THEME_DEPTHS; depth++) {
        for (int ramp = 0; ramp < RAMP_COUNT; ramp++) {
            for (int ascii = 0; ascii < 2; ascii++) {
                const Theme theme = {(ThemeDepth)depth, ascii == 1};
                size_t last = 0, steps = theme_step_count(&theme, (Ramp)ramp);
                for (size_t i = 0; i < steps; i++) {
                    ThemeHeat heat = theme_step(&theme, (Ramp)ramp, i);
                    size_t place = glyph_place(ORDERS[ramp][ascii], COUNTS[ramp][ascii], heat.glyph);
                    assert_true(place >= last && text_width(heat.glyph) == 1);
                    if (i == 0) assert_int_equal(place, 0);
                    last = place;
                }
                assert_int_equal(last, COUNTS[ramp][ascii] - 1);
            }
        }
    }
}

static void values_beyond_the_ends_take_the_ends(void **state) {
    const Theme theme = {THEME_256, false};
    (void)state;
    assert_string_equal(theme_heat(&theme, RAMP_SEQUENTIAL, -5).glyph, " ");
    assert_string_equal(theme_heat(&theme, RAMP_SEQUENTIAL, 7).glyph, "█");
    assert_string_equal(theme_heat(&theme, RAMP_DIVERGING, -7).glyph, "▼");
    assert_string_equal(theme_heat(&theme, RAMP_DIVERGING, 0).glyph, "·");
    assert_string_equal(theme_heat(&theme, RAMP_DIVERGING, INFINITY).glyph, "▲");
    assert_int_equal(theme_heat(&theme, RAMP_SEQUENTIAL, NAN).style.background, THEME_DEFAULT_COLOUR);
    assert_int_equal(theme_solid(&theme, RAMP_SEQUENTIAL, NAN), THEME_DEFAULT_COLOUR);
}

static void the_palette_is_xterms(void **state) {
    uint8_t rgb[3];
    (void)state;
    theme_rgb(196, rgb);
    assert_true(rgb[0] == 255 && rgb[1] == 0 && rgb[2] == 0);
    theme_rgb(67, rgb);
    assert_true(rgb[0] == 95 && rgb[1] == 135 && rgb[2] == 175);
    theme_rgb(244, rgb);
    assert_true(rgb[0] == 128 && rgb[1] == 128 && rgb[2] == 128);
    theme_rgb(THEME_RGB | 0x102030, rgb);
    assert_true(rgb[0] == 0x10 && rgb[1] == 0x20 && rgb[2] == 0x30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_256_colours_are_readable_on_black_and_on_white),
        cmocka_unit_test(no_text_is_dark_blue_or_grey_at_few_colours),
        cmocka_unit_test(every_text_keeps_the_terminals_background),
        cmocka_unit_test(monochrome_has_no_colour_at_all),
        cmocka_unit_test(no_color_counts_only_when_it_is_not_empty),
        cmocka_unit_test(sequential_ramps_grow_lighter),
        cmocka_unit_test(diverging_ramps_are_lightest_in_the_middle),
        cmocka_unit_test(glyphs_alone_carry_the_order),
        cmocka_unit_test(values_beyond_the_ends_take_the_ends),
        cmocka_unit_test(the_palette_is_xterms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
