/* Figures for papers: ticks, scales, and drawings of any numbers and names. */
#include "tests/unit/scratch.h"
#include "tests/unit/xml_check.h"
#include "tui/canvas/theme.h"
#include "tui/figures/figure_bars.h"
#include "tui/figures/figure_contour.h"
#include "tui/figures/figure_curves.h"
#include "tui/figures/figure_heatmap.h"

#include <math.h>

static const FigureSheet SHEET = {
    .width = 400, .height = 240, .title = "a < b & ]]>", .description = "how & why"};
static const char HOSTILE[] = "<b>\x1b[31m&]]>\xff\"";

/* ---- ticks ---- */

/* 1, 2 or 5 times a power of ten. */
static bool is_round(double step) {
    double lead = step / pow(10.0, floor(log10(step) + 1e-9));
    return fabs(lead - 1) < 1e-6 || fabs(lead - 2) < 1e-6 || fabs(lead - 5) < 1e-6;
}

static void expect_labels(bool is_log, double low, double high, size_t most, const char *expected) {
    FigureScale scale = {is_log, low, high};
    FigureTicks ticks = figure_scale_ticks(&scale, most);
    char found[512] = "";
    for (size_t i = 0; i < ticks.count; i++) {
        strcat(found, i > 0 ? " " : "");
        strcat(found, ticks.labels[i]);
    }
    assert_string_equal(found, expected);
}

static void linear_ticks_are_round_even_and_inside(void **state) {
    (void)state;
    size_t checked = 0;
    for (int exponent = -300; exponent <= 300; exponent += 3) {
        for (double low = -7.3; low < 8; low += 1.7) {
            for (double range = 0.37; range < 9; range *= 1.9) {
                FigureScale scale = {false, low * pow(10, exponent), (low + range) * pow(10, exponent)};
                FigureTicks ticks = figure_scale_ticks(&scale, 6);
                double step = ticks.values[1] - ticks.values[0], slack = 1e-6 * step;
                assert_in_range(ticks.count, 2, 6);
                assert_true(is_round(step));
                for (size_t i = 0; i < ticks.count; i++) {
                    assert_true(ticks.values[i] >= scale.low - slack &&
                                ticks.values[i] <= scale.high + slack);
                    if (i > 0) assert_true(fabs(ticks.values[i] - ticks.values[i - 1] - step) < slack);
                    if (i > 0) assert_string_not_equal(ticks.labels[i], ticks.labels[i - 1]);
                }
                checked++;
            }
        }
    }
    print_message("%zu ranges\n", checked);
}

static void the_smallest_is_a_number_wherever_it_stands(void **state) {
    (void)state;
    const double none[] = {NAN, NAN}, some[] = {NAN, 3.0, NAN, -INFINITY, 2.0};
    assert_int_equal(figure_scale_smallest(none, 2), 2);
    assert_int_equal(figure_scale_smallest(some, 3), 1);
    assert_int_equal(figure_scale_smallest(some, 5), 3);
    assert_int_equal(figure_scale_smallest(some, 0), 0);
}

static void labels_have_the_digits_that_tell_them_apart(void **state) {
    (void)state;
    expect_labels(false, 0, 1, 6, "0.0 0.2 0.4 0.6 0.8 1.0");
    expect_labels(false, -0.03, 0.28, 8, "0.00 0.05 0.10 0.15 0.20 0.25");
    expect_labels(false, 0, 40, 5, "0 10 20 30 40");
    expect_labels(false, -2.2, 2.2, 5, "\u22122 \u22121 0 1 2");
    expect_labels(false, 0.1117, 0.16, 6, "0.12 0.13 0.14 0.15 0.16");
    expect_labels(false, 0, 4.4e-6, 5, "0 1×10⁻⁶ 2×10⁻⁶ 3×10⁻⁶ 4×10⁻⁶");
    expect_labels(false, 0, 2e7, 5, "0 0.5×10⁷ 1.0×10⁷ 1.5×10⁷ 2.0×10⁷");
    expect_labels(false, 1e6, 1.04e6, 5, "1.00×10⁶ 1.01×10⁶ 1.02×10⁶ 1.03×10⁶ 1.04×10⁶");
}

static void a_value_is_written_in_so_many_digits(void **state) {
    static const struct {
        double value;
        const char *text;
    } CASES[] = {{0.08137, "0.08137"}, {-3, "\u22123.000"},   {123456, "123456"},
                 {0, "0.000"},         {1e-4, "0.0001000"},   {-3.2e-7, "\u22123.200×10⁻⁷"},
                 {9.99996, "10.000"},  {INFINITY, "inf"},     {-INFINITY, "\u2212inf"},
                 {NAN, "nan"},         {1e300, "1.000×10³⁰⁰"}};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[FIGURE_TICK_TEXT];
        figure_scale_write(CASES[i].value, 4, text);
        assert_string_equal(text, CASES[i].text);
    }
}

static void logarithmic_ticks_are_powers_or_1_2_5(void **state) {
    (void)state;
    expect_labels(true, 0.9, 1100, 8, "1 10 100 1000");
    expect_labels(true, 5e-6, 0.7, 8, "10⁻⁵ 10⁻⁴ 10⁻³ 10⁻² 10⁻¹");
    expect_labels(true, 0.02, 0.9, 8, "0.02 0.05 0.1 0.2 0.5");
    expect_labels(true, 1e-30, 1, 4, "10⁻³⁰ 10⁻²⁰ 10⁻¹⁰ 10⁰");
    expect_labels(true, 32, 48, 8, "35 40 45"); /* less than a decade: linear ones */
}

static void ranges_without_extent_still_have_a_scale(void **state) {
    static const double NONE[] = {NAN, INFINITY}, SAME[] = {0.25, 0.25}, ZERO[] = {0, 0},
                        NEGATIVE[] = {-1, 0};
    const struct {
        const double *values;
        bool is_log;
    } CASES[] = {{NONE, false}, {NONE, true}, {SAME, false},   {SAME, true},
                 {ZERO, false}, {ZERO, true}, {NEGATIVE, true}};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        FigureScale scale = figure_scale_around(CASES[i].values, 2, CASES[i].is_log, 0.05);
        assert_true(scale.high > scale.low && isfinite(scale.low) && isfinite(scale.high));
        assert_true(!scale.is_log || scale.low > 0);
        assert_true(figure_scale_ticks(&scale, 6).count >= 2);
    }
}

static void a_value_has_its_place_and_what_is_none_has_none(void **state) {
    const FigureScale linear = {false, -1, 3}, logarithmic = {true, 0.01, 100};
    (void)state;
    assert_true(figure_scale_place(&linear, 0) == 0.25);
    assert_true(fabs(figure_scale_place(&logarithmic, 1) - 0.5) < 1e-12);
    assert_true(isnan(figure_scale_place(&logarithmic, 0)));
    assert_true(isnan(figure_scale_place(&logarithmic, -3)));
    assert_true(isnan(figure_scale_place(&linear, NAN)));
}

/* ---- colours ---- */

static double luminance(unsigned colour) {
    return theme_luminance(THEME_RGB | (Colour)colour);
}

static void a_grey_print_keeps_the_order_of_a_ramp(void **state) {
    (void)state;
    for (int i = 1; i <= 200; i++) {
        double share = i / 200.0;
        assert_true(luminance(figure_svg_colour(FIGURE_SEQUENTIAL, share)) >
                    luminance(figure_svg_colour(FIGURE_SEQUENTIAL, share - 0.005)));
        /* of a diverging one from the middle to both ends */
        double near = fabs(share - 0.5), far = fabs(share - 0.505);
        if (near < far)
            assert_true(luminance(figure_svg_colour(FIGURE_DIVERGING, share)) >
                        luminance(figure_svg_colour(FIGURE_DIVERGING, share - 0.005)));
    }
    assert_int_equal(figure_svg_colour(FIGURE_DIVERGING, 0.5), 0xf7f7f7);
    assert_int_equal(figure_svg_colour(FIGURE_SEQUENTIAL, -5), figure_svg_colour(FIGURE_SEQUENTIAL, 0));
    assert_int_equal(figure_svg_colour(FIGURE_SEQUENTIAL, 5), figure_svg_colour(FIGURE_SEQUENTIAL, 1));
}

static void lines_differ_in_colour_and_in_dash(void **state) {
    (void)state;
    for (size_t a = 0; a < FIGURE_SERIES_MOST; a++) {
        for (size_t b = 0; b < a; b++) {
            FigureLine first = figure_svg_series(a), second = figure_svg_series(b);
            assert_int_not_equal(first.colour, second.colour);
            assert_true((first.dashes == NULL) != (second.dashes == NULL) ||
                        strcmp(first.dashes, second.dashes) != 0);
        }
    }
}

/* ---- drawings ---- */

static char *heatmap(const FigureHeatmap *map, const FigureSheet *sheet, Status expected) {
    char *text = NULL;
    size_t bytes;
    Error error = {0};
    FILE *file = open_memstream(&text, &bytes);
    assert_int_equal(figure_heatmap_draw(map, sheet, file, &error), expected);
    assert_int_equal(fclose(file), 0);
    return text;
}

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) count++;
    return count;
}

static const double VALUES[6] = {0.0, 0.5, 1.0, NAN, 7.0, -3.0};
static const char *const NAMES_X[] = {"0", "1", "2"}, *const NAMES_Y[] = {HOSTILE, "up"};
static const FigureHeatmap MAP = {.x = {"layer", NAMES_X, 3},
                                  .y = {HOSTILE, NAMES_Y, 2},
                                  .values = VALUES,
                                  .bar_label = "relative norm (‖Δ‖/‖B‖)",
                                  .scale = {false, 0.0, 1.0},
                                  .marks = {{0, 0, false}, {0, 0, true}},
                                  .mark_count = 2,
                                  .notes = {HOSTILE, "a second line"},
                                  .note_count = 2};

static void a_heatmap_is_well_formed_whatever_its_names(void **state) {
    (void)state;
    char *svg = heatmap(&MAP, &SHEET, STATUS_OK);
    XmlCheck check = xml_check(svg);
    if (check.problem[0] != '\0') fail_msg("%s", check.problem);
    assert_null(strstr(svg, "<b>"));
    /* a title, 2 axes with 3 and 2 names, the bar's 6 ticks and its name, 2 notes */
    assert_int_equal(check.texts, 1 + 2 + 5 + 6 + 1 + 2);
    /* around one cell, one within the other */
    assert_non_null(strstr(svg, "stroke-dasharray=\"2 2\""));
    assert_non_null(strstr(svg, "<desc>how &amp; why</desc>"));
    assert_non_null(strstr(svg, "width=\"141.11mm\" height=\"84.67mm\" viewBox=\"0 0 400.00 240.00\""));
    free(svg);
}

static void a_cell_has_the_colour_of_its_value_and_says_it(void **state) {
    (void)state;
    char *svg = heatmap(&MAP, &SHEET, STATUS_OK);
    assert_int_equal(count_of(svg, "fill=\"#440154\" shape-rendering"), 2); /* 0, and −3 below the end */
    assert_int_equal(count_of(svg, "fill=\"#21918c\" shape-rendering"), 1); /* 0.5 */
    assert_int_equal(count_of(svg, "fill=\"#fde725\" shape-rendering"), 2); /* 1, and 7 above it */
    assert_int_equal(count_of(svg, "fill=\"#d9d9d9\" shape-rendering"), 1); /* not known */
    assert_non_null(strstr(svg, "<title>1, up: 7.000</title>"));
    assert_non_null(strstr(svg, "<title>2, up: \u22123.000</title>"));
    assert_non_null(strstr(svg, "<title>0, up: not defined</title>"));
    free(svg);
}

static void names_stand_as_far_apart_as_they_are_wide(void **state) {
    enum { MANY = 400 };
    static double values[MANY];
    static char texts[MANY][12];
    static const char *names[MANY];
    (void)state;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%d", i);
        names[i] = texts[i];
    }
    FigureHeatmap map = MAP;
    map.x = (FigureHeatmapAxis){"layer", names, MANY};
    map.y = (FigureHeatmapAxis){"module", NAMES_X, 1};
    map.values = values;
    map.mark_count = map.note_count = 0;
    char *svg = heatmap(&map, &SHEET, STATUS_OK);
    assert_string_equal(xml_check(svg).problem, "");
    assert_non_null(strstr(svg, ">350</text>"));
    assert_null(strstr(svg, ">360</text>")); /* every fiftieth */
    free(svg);
}

static void a_figure_too_small_for_its_labels_is_refused(void **state) {
    (void)state;
    const FigureSheet small = {.width = 60, .height = 60, .description = ""};
    free(heatmap(&MAP, &small, STATUS_ARGUMENT));
}

static void curves_are_well_formed_and_a_gap_is_a_gap(void **state) {
    static const double X[] = {0, 1, 2, 3}, Y[] = {1, 2, NAN, 4};
    static const double *const XS[] = {X}, *const YS[] = {Y};
    static const size_t COUNTS[] = {4};
    static const char *const NAMES[] = {HOSTILE};
    const FigurePanel panel = {.label = HOSTILE, .scale = {false, 0, 5}, .y = YS, .levels = {3.0, NAN}};
    const FigureCurves curves = {.x_label = "α",
                                 .x_scale = {false, 0, 3},
                                 .series_count = 1,
                                 .names = NAMES,
                                 .x = XS,
                                 .x_counts = COUNTS,
                                 .has_markers = true,
                                 .panels = &panel,
                                 .panel_count = 1,
                                 .level_names = {"base", "SFT"},
                                 .level_count = 2,
                                 .has_mark = true,
                                 .mark = 1.5,
                                 .mark_name = "α = 1.5"};
    char *svg = NULL;
    size_t bytes;
    (void)state;
    FILE *file = open_memstream(&svg, &bytes);
    assert_int_equal(figure_curves_draw(&curves, &SHEET, file, NULL), STATUS_OK);
    assert_int_equal(fclose(file), 0);
    XmlCheck check = xml_check(svg);
    if (check.problem[0] != '\0') fail_msg("%s", check.problem);
    const char *curve = strstr(svg, "stroke-linejoin");
    assert_non_null(curve);
    while (curve > svg && *curve != '<') curve--;
    size_t length = strcspn(curve, ">"), moves = 0, lines = 0;
    for (size_t i = strlen("<path "); i < length; i++) {
        moves += curve[i] == 'M';
        lines += curve[i] == 'L';
    }
    assert_int_equal(moves, 2); /* two points joined, and one alone */
    assert_int_equal(lines, 1);
    assert_int_equal(count_of(svg, "<title>"),
                     1 + 3 + 1); /* the sheet's, a marker for each value, the legend's */
    assert_non_null(strstr(svg, "<title>3.000: 4.000</title>"));
    assert_int_equal(count_of(svg, "stroke-dasharray=\"6 3\""), 2); /* base, and in the legend */
    assert_int_equal(count_of(svg, "stroke-dasharray=\"6 2 1 2\""),
                     1);                                            /* SFT: not known, in the legend only */
    assert_int_equal(count_of(svg, "stroke-dasharray=\"1 2\""), 2); /* the mark */
    free(svg);
}

/* ---- lines of equal value ---- */

static char *contour(const double *places, size_t columns, size_t rows, double level) {
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    assert_non_null(file);
    const FigureBox box = {0.0, 0.0, 10.0 * (double)columns, 10.0 * (double)rows};
    figure_contour_draw(places, columns, rows, level, box, (FigureLine){FIGURE_BLACK, 1.0, NULL}, file);
    assert_int_equal(fclose(file), 0);
    return text;
}

/* Whether a line from one point to the other, either way, is there. */
static void expect_line(const char *svg, double x1, double y1, double x2, double y2) {
    char there[128], back[128];
    (void)snprintf(there, sizeof there, "\"M%.2f %.2fL%.2f %.2f\"", x1, y1, x2, y2);
    (void)snprintf(back, sizeof back, "\"M%.2f %.2fL%.2f %.2f\"", x2, y2, x1, y1);
    if (strstr(svg, there) == NULL && strstr(svg, back) == NULL) fail_msg("expected %s in %s", there, svg);
}

static void a_contour_crosses_between_middles_where_its_level_lies(void **state) {
    (void)state;
    /* rises to the right: upright lines a quarter of the way from the first middle (x = 5) to the second */
    const double slope[6] = {0.0, 1.0, 2.0, 0.0, 1.0, 2.0};
    char *svg = contour(slope, 3, 2, 0.25);
    expect_line(svg, 7.5, 5.0, 7.5, 15.0);
    assert_int_equal(count_of(svg, "<path"), 1);
    free(svg);
    svg = contour(slope, 3, 2, 5.0);
    assert_string_equal(svg, "");
    free(svg);
}

static void a_saddle_keeps_its_corners_apart(void **state) {
    (void)state;
    /* high at two opposite corners: the middle, 0.4, is below the level, so that each high corner stands alone */
    const double saddle[4] = {0.8, 0.0, 0.0, 0.8};
    char *svg = contour(saddle, 2, 2, 0.6);
    expect_line(svg, 7.5, 5.0, 5.0, 7.5);
    expect_line(svg, 15.0, 12.5, 12.5, 15.0);
    assert_int_equal(count_of(svg, "<path"), 2);
    free(svg);
    svg = contour(saddle, 2, 2, 0.2); /* below the middle: the low corners stand alone */
    expect_line(svg, 12.5, 5.0, 15.0, 7.5);
    expect_line(svg, 7.5, 15.0, 5.0, 12.5);
    free(svg);
}

static void a_contour_stops_where_a_value_is_not_known(void **state) {
    (void)state;
    const double gap[6] = {0.0, 0.0, NAN, 1.0, 1.0, 1.0};
    char *svg = contour(gap, 3, 2, 0.5);
    expect_line(svg, 5.0, 10.0, 15.0, 10.0);
    assert_int_equal(count_of(svg, "<path"), 1);
    free(svg);
}

/* ---- bars ---- */

static char *bars_of(const double *values, const double *errors) {
    const FigureBarPanel panels[] = {{HOSTILE, values, NULL}, {"rise", values, errors}};
    const FigureBars bars = {(const char *const[]){"base", HOSTILE, "W"}, 3, panels, 2, "a note"};
    char *text = NULL;
    size_t bytes;
    Error error = {0};
    FILE *file = open_memstream(&text, &bytes);
    assert_non_null(file);
    assert_int_equal(figure_bars_draw(&bars, &SHEET, file, &error), STATUS_OK);
    assert_int_equal(fclose(file), 0);
    XmlCheck check = xml_check(text);
    if (check.problem[0] != '\0') fail_msg("%s", check.problem);
    return text;
}

static void a_bar_stands_for_each_value_that_is_known(void **state) {
    (void)state;
    const double values[] = {0.02, -0.01, 0.05}, errors[] = {0.004, NAN, 0.01};
    char *svg = bars_of(values, errors);
    assert_int_equal(count_of(svg, "<title>base: 0.02000</title>"), 2);
    assert_int_equal(count_of(svg, "<title>W: 0.05000</title>"), 2);
    assert_int_equal(count_of(svg, "stroke-width=\"0.9\""), 2 * 3); /* two errors, three strokes each */
    free(svg);
    const double unknown[] = {NAN, INFINITY, NAN};
    svg = bars_of(unknown, errors);
    assert_int_equal(count_of(svg, "not defined"), 2 * 2);
    assert_int_equal(count_of(svg, "stroke-width=\"0.9\""), 0);
    free(svg);
}

static void a_full_disk_is_told(void **state) {
    Error error;
    FILE *full = fopen("/dev/full", "w");
    (void)state;
    assert_non_null(full);
    assert_int_equal(figure_heatmap_draw(&MAP, &SHEET, full, &error), STATUS_IO);
    (void)fclose(full); /* fails again, as it must */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_ticks_are_round_even_and_inside),
        cmocka_unit_test(the_smallest_is_a_number_wherever_it_stands),
        cmocka_unit_test(labels_have_the_digits_that_tell_them_apart),
        cmocka_unit_test(a_value_is_written_in_so_many_digits),
        cmocka_unit_test(logarithmic_ticks_are_powers_or_1_2_5),
        cmocka_unit_test(ranges_without_extent_still_have_a_scale),
        cmocka_unit_test(a_value_has_its_place_and_what_is_none_has_none),
        cmocka_unit_test(a_grey_print_keeps_the_order_of_a_ramp),
        cmocka_unit_test(lines_differ_in_colour_and_in_dash),
        cmocka_unit_test(a_heatmap_is_well_formed_whatever_its_names),
        cmocka_unit_test(a_cell_has_the_colour_of_its_value_and_says_it),
        cmocka_unit_test(names_stand_as_far_apart_as_they_are_wide),
        cmocka_unit_test(a_figure_too_small_for_its_labels_is_refused),
        cmocka_unit_test(curves_are_well_formed_and_a_gap_is_a_gap),
        cmocka_unit_test(a_contour_crosses_between_middles_where_its_level_lies),
        cmocka_unit_test(a_saddle_keeps_its_corners_apart),
        cmocka_unit_test(a_contour_stops_where_a_value_is_not_known),
        cmocka_unit_test(a_bar_stands_for_each_value_that_is_known),
        cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
