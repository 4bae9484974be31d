/* Colours: readable on any background, ordered along ramps, never alone. */
#include "tui/canvas/theme.h"
#include "tui/text/text.h"

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

static const ThemeDepth MANY[] = {THEME_256, THEME_DIRECT};

/* A role's contrast on a background: none of its own counts as the theme's text. */
static double role_contrast(const Theme *theme, Role role, Colour background) {
    Colour foreground = theme_style(theme, role).foreground;
    if (foreground < 0) foreground = theme_foreground(theme);
    return foreground < 0 ? INFINITY : contrast(theme_luminance(foreground), theme_luminance(background));
}

static bool is_drawing(Role role) {
    return role == ROLE_BORDER || role == ROLE_BAR || role == ROLE_BAR_REST;
}

static void texts_are_readable_on_black_and_on_white_where_the_background_is_not_known(void **state) {
    double worst = 100;
    (void)state;
    for (int i = 0; i < 2; i++) {
        const Theme theme = {.depth = MANY[i]};
        for (int role = 0; role < ROLE_COUNT; role++) {
            worst = fmin(worst, role_contrast(&theme, (Role)role, 16));
            worst = fmin(worst, role_contrast(&theme, (Role)role, 231));
        }
    }
    print_message("least contrast on black or white: %.2f (3 required)\n", worst);
    assert_true(worst >= 3); /* WCAG's least for large text */
}

/* Text 4.5 : 1 for dark and light (WCAG AA), 7 : 1 for high contrast (AAA); lines and bars 3 : 1. */
static void texts_are_readable_on_the_themes_background(void **state) {
    static const struct {
        ThemeKind kind;
        double text, drawing;
        Colour other; /* the other end of the backgrounds that the theme is for */
    } CASES[] = {{THEME_DARK, 4.5, 3, 16}, {THEME_LIGHT, 4.5, 3, 231}, {THEME_HIGH_CONTRAST, 7, 3, 16}};
    (void)state;
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        double worst = 100;
        for (int i = 0; i < 2; i++) {
            const Theme theme = {.depth = MANY[i], .kind = CASES[c].kind};
            for (int role = 0; role < ROLE_COUNT; role++) {
                double here = fmin(role_contrast(&theme, (Role)role, theme_background(&theme)),
                                   role_contrast(&theme, (Role)role, CASES[c].other));
                double least = is_drawing((Role)role) ? CASES[c].drawing : CASES[c].text;
                if (here < least)
                    fail_msg("%s: %s has %.2f, %.1f required", theme_kind_name(theme.kind),
                             theme_role_name((Role)role), here, least);
                if (!is_drawing((Role)role)) worst = fmin(worst, here);
            }
        }
        print_message("%s: least contrast of text %.2f (%.1f required)\n", theme_kind_name(CASES[c].kind),
                      worst, CASES[c].text);
    }
}

static void no_text_is_dark_blue_or_grey_at_few_colours(void **state) {
    (void)state;
    for (int depth = THEME_8; depth <= THEME_16; depth++) {
        for (int kind = 0; kind < THEME_KINDS; kind++) {
            const Theme theme = {.depth = (ThemeDepth)depth, .kind = (ThemeKind)kind};
            for (int role = 0; role < ROLE_COUNT && kind != THEME_LIGHT; role++) {
                Colour colour = theme_style(&theme, (Role)role).foreground;
                assert_true(colour != 0 && colour != 4 && colour < 7);
            }
        }
    }
}

/* With xterm's palette, even 4.5 : 1. */
static void no_text_of_the_light_theme_is_yellow_green_or_cyan_at_few_colours(void **state) {
    const Theme theme = {.depth = THEME_8, .kind = THEME_LIGHT};
    (void)state;
    for (int role = 0; role < ROLE_COUNT; role++) assert_true(role_contrast(&theme, (Role)role, 231) >= 4.5);
}

static void only_high_contrast_paints_a_background(void **state) {
    (void)state;
    for (int kind = 0; kind < THEME_KINDS; kind++) {
        Theme theme = {.depth = THEME_256, .kind = (ThemeKind)kind};
        assert_int_equal(theme_paints(&theme), kind == THEME_HIGH_CONTRAST);
        theme.depth = THEME_MONO;
        assert_false(theme_paints(&theme));
    }
}

static void themes_have_names(void **state) {
    ThemeKind kind;
    bool mono;
    (void)state;
    assert_true(theme_read_name("high-contrast", NULL, &kind, &mono) && kind == THEME_HIGH_CONTRAST && !mono);
    assert_true(theme_read_name("mono", NULL, &kind, &mono) && mono);
    assert_true(theme_read_name("auto", "15;0", &kind, &mono) && kind == THEME_DARK && !mono);
    assert_true(theme_read_name("auto", NULL, &kind, &mono) && kind == THEME_ANY);
    assert_false(theme_read_name("any", NULL, &kind, &mono)); /* what auto says when it knows nothing */
    assert_false(theme_read_name("", NULL, &kind, &mono));
}

static void colorfgbg_tells_a_light_background(void **state) {
    static const struct {
        const char *value;
        ThemeKind kind;
    } CASES[] = {
        {NULL, THEME_ANY},    {"", THEME_ANY},     {"15;0", THEME_DARK},          {"0;15", THEME_LIGHT},
        {"0;7", THEME_LIGHT}, {"7;8", THEME_DARK}, {"0;default;15", THEME_LIGHT}, {"15;default", THEME_ANY},
        {"0;99", THEME_ANY},  {"0;1x", THEME_ANY}, {"0;-1", THEME_ANY},           {"15", THEME_ANY}};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_int_equal(theme_kind_of_background(CASES[i].value), CASES[i].kind);
}

static void the_background_itself_says_which_theme(void **state) {
    static const struct {
        Colour background;
        ThemeKind kind;
    } CASES[] = {{0x000000, THEME_DARK}, {0x282C34, THEME_DARK},  {0x002B36, THEME_DARK},
                 {0x3F3F3F, THEME_DARK}, {0xFDF6E3, THEME_LIGHT}, {0xFFFFFF, THEME_LIGHT},
                 {0xC0C0C0, THEME_LIGHT}};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_int_equal(theme_kind_of_colour(THEME_RGB | CASES[i].background), CASES[i].kind);
}

/* The roles that stand beside each other must not look alike to those who see fewer colours. */
static void the_three_models_differ_in_lightness_or_hue_in_every_theme(void **state) {
    static const Role SIDES[] = {ROLE_BASE, ROLE_SFT, ROLE_FUSED};
    (void)state;
    for (int kind = 0; kind < THEME_KINDS; kind++) {
        const Theme theme = {.depth = THEME_256, .kind = (ThemeKind)kind};
        for (int i = 0; i < 3; i++)
            assert_int_not_equal(theme_style(&theme, SIDES[i]).foreground,
                                 theme_style(&theme, SIDES[(i + 1) % 3]).foreground);
    }
}

static void every_text_keeps_the_terminals_background(void **state) {
    (void)state;
    for (int depth = 0; depth < THEME_DEPTHS; depth++) {
        const Theme theme = {.depth = (ThemeDepth)depth};
        for (int role = 0; role < ROLE_COUNT; role++)
            assert_int_equal(theme_style(&theme, (Role)role).background, THEME_DEFAULT_COLOUR);
    }
}

static void monochrome_has_no_colour_at_all(void **state) {
    const Theme theme = {.depth = THEME_MONO};
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
    assert_int_equal(theme_choose_depth(32767, NULL), THEME_256);
    assert_int_equal(theme_choose_depth(1 << 24, NULL), THEME_DIRECT);
    assert_int_equal(theme_choose_depth(1 << 24, "1"), THEME_MONO);
    assert_int_equal(theme_choose_depth(88, NULL), THEME_16);
    assert_int_equal(theme_choose_depth(8, NULL), THEME_8);
    assert_int_equal(theme_choose_depth(2, NULL), THEME_MONO);
    assert_int_equal(theme_choose_depth(-1, NULL), THEME_MONO);
}

/* The colour of a step as it is seen: its background where the cell is filled, bold as bright at 8 colours.
 */
static double step_luminance(const Theme *theme, Ramp ramp, size_t step) {
    Style style = theme_step(theme, ramp, step).style;
    if (theme_fills(theme)) return theme_luminance(style.background);
    Colour colour = style.foreground;
    return theme_luminance((style.attributes & THEME_BOLD) != 0 && colour < 8 ? colour + 8 : colour);
}

/* CIE L* of a luminance: 0 black, 100 white, equal steps look equal. */
static double lightness(double luminance) {
    return luminance > 216.0 / 24389 ? 116 * cbrt(luminance) - 16 : luminance * 24389 / 27;
}

static double step_lightness(const Theme *theme, Ramp ramp, size_t step) {
    return lightness(step_luminance(theme, ramp, step));
}

static void sequential_ramps_grow_lighter(void **state) {
    (void)state;
    for (int depth = THEME_8; depth < THEME_DEPTHS; depth++) {
        for (int ascii = 0; ascii < 2; ascii++) {
            const Theme theme = {.depth = (ThemeDepth)depth, .ascii = ascii == 1};
            size_t count = theme_step_count(&theme, RAMP_SEQUENTIAL);
            double first = step_lightness(&theme, RAMP_SEQUENTIAL, 0), last = first;
            for (size_t i = 1; i < count; i++) {
                double here = step_lightness(&theme, RAMP_SEQUENTIAL, i);
                assert_true(here >= last);
                if (depth == THEME_DIRECT) assert_true(here > last);
                last = here;
            }
            assert_true(last - first > 20);
            if (ascii == 0)
                print_message("depth %d: L* %.0f to %.0f in %zu steps\n", depth, first, last, count);
        }
    }
}

static void diverging_ramps_are_lightest_in_the_middle(void **state) {
    (void)state;
    for (int depth = THEME_8; depth < THEME_DEPTHS; depth++) {
        const Theme theme = {.depth = (ThemeDepth)depth};
        size_t count = theme_step_count(&theme, RAMP_DIVERGING), middle = count / 2;
        assert_int_equal(count % 2, 1);
        for (size_t i = 1; i < count; i++) {
            double here = step_lightness(&theme, RAMP_DIVERGING, i),
                   before = step_lightness(&theme, RAMP_DIVERGING, i - 1);
            if (i <= middle) assert_true(here >= before);
            if (i > middle) assert_true(here <= before);
            if (depth == THEME_DIRECT) assert_true(here != before);
        }
    }
}

/* Even steps: at 24 bits no step of viridis is more than twice the mean one. */
static void the_24_bit_ramp_is_even(void **state) {
    const Theme theme = {.depth = THEME_DIRECT};
    size_t count = theme_step_count(&theme, RAMP_SEQUENTIAL);
    double extent =
        step_lightness(&theme, RAMP_SEQUENTIAL, count - 1) - step_lightness(&theme, RAMP_SEQUENTIAL, 0);
    double mean = extent / (double)(count - 1), most = 0;
    (void)state;
    for (size_t i = 1; i < count; i++)
        most = fmax(most, step_lightness(&theme, RAMP_SEQUENTIAL, i) -
                              step_lightness(&theme, RAMP_SEQUENTIAL, i - 1));
    print_message("largest step %.2f, mean %.2f\n", most, mean);
    assert_true(most <= 2 * mean);
}

/* Every colour of a ramp can meet every other in a half-block cell; terminal.c keeps 4096 pairs. */
static void pairs_of_all_ramp_colours_fit(void **state) {
    (void)state;
    for (int depth = THEME_256; depth < THEME_DEPTHS; depth++) {
        const Theme theme = {.depth = (ThemeDepth)depth};
        size_t pairs = 0;
        for (int ramp = 0; ramp < RAMP_COUNT; ramp++) {
            size_t count = theme_step_count(&theme, (Ramp)ramp) + 1; /* and none */
            pairs += count * count + count * ROLE_COUNT;
        }
        assert_true(pairs < 4096);
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
                const Theme theme = {.depth = (ThemeDepth)depth, .ascii = ascii == 1};
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
    const Theme theme = {.depth = THEME_256};
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
        cmocka_unit_test(texts_are_readable_on_black_and_on_white_where_the_background_is_not_known),
        cmocka_unit_test(texts_are_readable_on_the_themes_background),
        cmocka_unit_test(no_text_of_the_light_theme_is_yellow_green_or_cyan_at_few_colours),
        cmocka_unit_test(only_high_contrast_paints_a_background),
        cmocka_unit_test(themes_have_names),
        cmocka_unit_test(colorfgbg_tells_a_light_background),
        cmocka_unit_test(the_background_itself_says_which_theme),
        cmocka_unit_test(the_three_models_differ_in_lightness_or_hue_in_every_theme),
        cmocka_unit_test(the_24_bit_ramp_is_even),
        cmocka_unit_test(pairs_of_all_ramp_colours_fit),
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
