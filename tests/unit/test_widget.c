/* Lists, maps, charts and dials, drawn on a canvas and compared as text. */
#include "tui/canvas/chart.h"
#include "tui/canvas/dial_bar.h"
#include "tui/canvas/heat_map.h"
#include "tui/canvas/list_box.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const Theme MONO = {.depth = THEME_MONO}, ASCII = {.depth = THEME_MONO, .ascii = true},
                   COLOURED = {.depth = THEME_256}, NO_BRAILLE = {.depth = THEME_MONO, .lacks_braille = true};

static Canvas *make(int rows, int columns, Theme theme) {
    Canvas *canvas;
    assert_int_equal(canvas_create(rows, columns, theme, &canvas, NULL), STATUS_OK);
    return canvas;
}

static void assert_shows(Canvas *canvas, const char *expected) {
    char *text;
    assert_int_equal(canvas_to_text(canvas, &text, NULL), STATUS_OK);
    assert_string_equal(text, expected);
    free(text);
    canvas_clear(canvas);
}

/* ---- lists ---- */

static const ListColumn LIST_COLUMNS[] = {{"name", 0, false, 0}, {"n", 3, true, 1}, {"extra", 6, false, 2}};

static void write_cell(void *user, size_t row, size_t column, char *text, Role *role) {
    (void)user;
    (void)role;
    (void)snprintf(text, LIST_CELL_SIZE, "%s%zu", column == 0 ? "item " : "", row);
}

static void a_list_keeps_its_cursor_in_sight(void **state) {
    Canvas *canvas = make(4, 22, MONO);
    ListState list = {.cursor = 5};
    (void)state;
    list_box_draw(canvas, canvas_area(canvas), &list, 9, LIST_COLUMNS, 3, true, write_cell, NULL);
    assert_int_equal(list.top, 3);
    assert_true((canvas_cell(canvas, 3, 0)->style.attributes & THEME_REVERSE) != 0);
    assert_shows(
        canvas,
        "name               n\nitem 3             3 │\nitem 4             4 █\nitem 5             5 │\n");
    list.cursor = 100; /* the list became shorter */
    list_box_draw(canvas, canvas_area(canvas), &list, 2, LIST_COLUMNS, 3, true, write_cell, NULL);
    assert_int_equal(list.cursor, 1);
    assert_int_equal(list.top, 0);
    canvas_free(canvas);
}

static void columns_of_the_largest_priority_go_first(void **state) {
    ListState list = {0};
    (void)state;
    Canvas *canvas = make(2, 30, MONO);
    list_box_draw(canvas, canvas_area(canvas), &list, 1, LIST_COLUMNS, 3, false, write_cell, NULL);
    assert_shows(canvas, "name                 n  extra\nitem 0               0  0\n");
    list_box_draw(canvas, rect_make(0, 0, 2, 14), &list, 1, LIST_COLUMNS, 3, false, write_cell, NULL);
    assert_shows(canvas, "name         n\nitem 0       0\n");
    list_box_draw(canvas, rect_make(0, 0, 2, 10), &list, 1, LIST_COLUMNS, 3, false, write_cell, NULL);
    assert_shows(canvas, "name\nitem 0\n");
    canvas_free(canvas);
}

static void moving_stops_at_the_ends_and_counts(void **state) {
    ListState list = {.page = 4};
    ActionArgument once = {.count = 1, .text = ""}, ten = {.count = 10, .has_count = true, .text = ""};
    (void)state;
    assert_int_equal(list_box_act(&list, 20, ACTION_MOVE_UP, &once), REACTION_REDRAW);
    assert_int_equal(list.cursor, 0);
    (void)list_box_act(&list, 20, ACTION_MOVE_DOWN, &ten);
    assert_int_equal(list.cursor, 10);
    (void)list_box_act(&list, 20, ACTION_PAGE_DOWN, &once);
    assert_int_equal(list.cursor, 14);
    (void)list_box_act(&list, 20, ACTION_PAGE_DOWN, &ten);
    assert_int_equal(list.cursor, 19);
    (void)list_box_act(&list, 20, ACTION_FIRST, &once);
    assert_int_equal(list.cursor, 0);
    (void)list_box_act(&list, 20, ACTION_LAST, &ten); /* 10G goes to the tenth */
    assert_int_equal(list.cursor, 9);
    (void)list_box_act(&list, 0, ACTION_LAST, &once);
    assert_int_equal(list.cursor, 0);
    assert_int_equal(list_box_act(&list, 20, ACTION_QUIT, &once), REACTION_IGNORED);
}

static void facts_stand_in_two_columns(void **state) {
    static const Fact FACTS[] = {{"Model", NULL, ROLE_TEXT},
                                 {"type", "llama", ROLE_TEXT},
                                 {"layers", "6", ROLE_TEXT},
                                 {"", "", ROLE_TEXT}};
    Canvas *canvas = make(4, 20, MONO);
    (void)state;
    assert_int_equal(list_box_draw_facts(canvas, canvas_area(canvas), FACTS, 4), 4);
    assert_shows(canvas, "Model\ntype    llama\nlayers  6\n\n");
    canvas_free(canvas);
}

/* ---- maps ---- */

static void a_map_has_labels_steps_and_a_cursor(void **state) {
    static const double VALUES[] = {0, 0.25, 0.5, 0.75, 1, NAN};
    static const char *const ROWS[] = {"0", "1"}, *const HEADS[] = {"q", "k", "v"};
    HeatMap map = {.values = VALUES,
                   .rows = 2,
                   .columns = 3,
                   .low = 0,
                   .high = 1,
                   .ramp = RAMP_SEQUENTIAL,
                   .row_labels = ROWS,
                   .column_labels = HEADS,
                   .cursor_row = 1,
                   .cursor_column = 0,
                   .marked_rows = true};
    Canvas *canvas = make(3, 20, MONO);
    (void)state;
    heat_map_draw(canvas, canvas_area(canvas), &map);
    assert_shows(canvas, "     q   k   v\n  0      ░░░ ▒▒▒\n▸ 1 [▓▓] ███  ·\n");
    canvas_free(canvas);
    canvas = make(3, 20, ASCII);
    heat_map_draw(canvas, canvas_area(canvas), &map);
    assert_shows(canvas, "     q   k   v\n  0      ::: +++\n> 1 [##] @@@  .\n");
    canvas_free(canvas);
}

/* Between 0.25 and 0.5 across, between the rows wherever 0.3 lies between them; next to what is not known, none. */
static void a_map_has_lines_of_equal_value_between_its_cells(void **state) {
    static const double VALUES[] = {0, 0.25, 0.5, 0.25, 0.5, NAN}, LEVELS[] = {0.3};
    const HeatMap map = {.values = VALUES,
                         .rows = 2,
                         .columns = 3,
                         .low = 0,
                         .high = 1,
                         .ramp = RAMP_SEQUENTIAL,
                         .levels = LEVELS,
                         .level_count = 1,
                         .cell_width = 4,
                         .cursor_row = 9};
    Canvas *canvas = make(2, 12, MONO);
    (void)state;
    heat_map_draw(canvas, canvas_area(canvas), &map);
    for (int column = 0; column < 12; column++) {
        bool is_below = column > 4 && column < 8; /* 0.25 over 0.5: the others are alike, or not known */
        assert_int_equal(canvas_cell(canvas, 0, column)->style.attributes & THEME_UNDERLINE,
                         is_below ? THEME_UNDERLINE : 0);
    }
    assert_shows(canvas, "     ░░░│▒▒▒\n ░░░│▒▒▒  ·\n");
    canvas_free(canvas);
}

static void a_map_larger_than_its_area_follows_the_cursor(void **state) {
    enum { SIDE = 50 };
    double values[SIDE * SIDE];
    char names[SIDE][12];
    const char *labels[SIDE];
    (void)state;
    for (int i = 0; i < SIDE * SIDE; i++) values[i] = 1;
    for (int i = 0; i < SIDE; i++) {
        (void)snprintf(names[i], sizeof names[i], "%d", i);
        labels[i] = names[i];
    }
    HeatMap map = {.values = values,
                   .rows = SIDE,
                   .columns = SIDE,
                   .high = 1,
                   .row_labels = labels,
                   .column_labels = labels};
    for (int i = 0; i < SIDE; i++) {
        Canvas *canvas = make(6, 30, MONO);
        map.cursor_row = map.cursor_column = (size_t)i;
        heat_map_draw(canvas, canvas_area(canvas), &map);
        char *text;
        assert_int_equal(canvas_to_text(canvas, &text, NULL), STATUS_OK);
        assert_non_null(strstr(text, "[██]"));
        free(text);
        canvas_free(canvas);
    }
}

static void a_scale_labels_every_so_many_columns_rather_than_cut_figures(void **state) {
    static const double VALUES[] = {1, 1, 1, 1};
    static const char *const LABELS[] = {"-0.25", "-0.125", "0", "0.125"};
    HeatMap map = {.values = VALUES,
                   .rows = 1,
                   .columns = 4,
                   .high = 1,
                   .column_labels = LABELS,
                   .cursor_row = 9,
                   .cell_width = 5};
    Canvas *canvas = make(2, 20, MONO);
    (void)state;
    heat_map_draw(canvas, canvas_area(canvas), &map);
    assert_shows(canvas, " -0.… -0.… 0    0.1…\n ████ ████ ████ ████\n");
    canvas_erase(canvas, canvas_area(canvas));
    map.is_scale = true;
    heat_map_draw(canvas, canvas_area(canvas), &map);
    assert_shows(canvas, " -0.25     0\n ████ ████ ████ ████\n");
    canvas_free(canvas);
}

static void a_missing_element_is_blank_and_an_unknown_one_a_dot(void **state) {
    static const double VALUES[] = {NAN, 1};
    static const bool ABSENT[] = {false, true};
    HeatMap map = {.values = VALUES,
                   .rows = 1,
                   .columns = 2,
                   .high = 1,
                   .absent = ABSENT,
                   .cursor_row = 9,
                   .cell_width = 4};
    Canvas *canvas = make(1, 10, MONO);
    (void)state;
    heat_map_draw(canvas, canvas_area(canvas), &map);
    assert_shows(canvas, "  ·\n");
    canvas_free(canvas);
}

static void a_dense_map_puts_two_values_in_a_cell_where_it_can(void **state) {
    static const double VALUES[] = {0, 1, 1, 0, NAN, 1};
    HeatGrid grid = {.values = VALUES,
                     .rows = 3,
                     .columns = 2,
                     .low = 0,
                     .high = 1,
                     .cursor_row = -1,
                     .cursor_column = -1};
    Canvas *canvas = make(3, 2, COLOURED);
    (void)state;
    assert_int_equal(heat_map_dense_rows(&COLOURED, 3), 6);
    assert_int_equal(heat_map_dense_rows(&MONO, 3), 3);
    heat_map_draw_dense(canvas, canvas_area(canvas), &grid);
    Style first = canvas_cell(canvas, 0, 0)->style;
    assert_int_equal(first.foreground, theme_solid(&COLOURED, RAMP_SEQUENTIAL, 0));
    assert_int_equal(first.background, theme_solid(&COLOURED, RAMP_SEQUENTIAL, 1));
    assert_shows(canvas, "▀▀\n ▀\n\n");
    canvas_free(canvas);
    canvas = make(3, 2, MONO);
    heat_map_draw_dense(canvas, canvas_area(canvas), &grid);
    assert_shows(canvas, " █\n█\n █\n");
    canvas_free(canvas);
}

static void values_are_scaled_to_the_ramp(void **state) {
    (void)state;
    assert_float_equal(heat_map_scale(RAMP_SEQUENTIAL, 2, 4, 3), 0.5, 0);
    assert_float_equal(heat_map_scale(RAMP_SEQUENTIAL, 2, 4, 9), 1, 0);
    assert_float_equal(heat_map_scale(RAMP_DIVERGING, -2, 2, -1), -0.5, 0);
    assert_float_equal(heat_map_scale(RAMP_DIVERGING, -2, 2, INFINITY), 1, 0);
    assert_float_equal(heat_map_scale(RAMP_SEQUENTIAL, 3, 3, 3), 0, 0);
    assert_true(isnan(heat_map_scale(RAMP_SEQUENTIAL, 0, 1, NAN)));
}

static void a_legend_names_both_ends(void **state) {
    Canvas *canvas = make(1, 24, MONO);
    (void)state;
    assert_int_equal(heat_map_draw_legend(canvas, canvas_area(canvas), RAMP_SEQUENTIAL, 0, 0.41), 12);
    assert_shows(canvas, "            0  ░▒▓█ 0.41\n");
    canvas_free(canvas);
}

/* ---- charts ---- */

static void bars_have_eighths_and_show_the_least_share(void **state) {
    Canvas *canvas = make(4, 8, MONO);
    Rect area = canvas_area(canvas);
    (void)state;
    chart_draw_bar(canvas, area, 0, 0, 4, 0.5 + 1.0 / 32, ROLE_BAR);
    chart_draw_bar(canvas, area, 1, 0, 4, 1e-9, ROLE_BAR);
    chart_draw_bar(canvas, area, 2, 0, 4, NAN, ROLE_BAR);
    chart_draw_bar(canvas, area, 3, 0, 4, 7, ROLE_BAR);
    assert_shows(canvas, "██▏\n▏\n\n████\n");
    canvas_free(canvas);
    canvas = make(2, 8, ASCII);
    chart_draw_bar(canvas, canvas_area(canvas), 0, 0, 4, 0.5, ROLE_BAR);
    chart_draw_bar(canvas, canvas_area(canvas), 1, 0, 4, 1e-9, ROLE_BAR);
    assert_shows(canvas, "##\n#\n");
    canvas_free(canvas);
}

static void a_chart_has_axes_a_legend_and_a_mark(void **state) {
    static const double X[] = {0, 0.5, 1}, Y[] = {0, 1, 2}, Z[] = {2, NAN, 0};
    static const ChartSeries SERIES[] = {{Y, "up", NULL, ROLE_TEXT}, {Z, "down", NULL, ROLE_TEXT}};
    Chart chart = {.x = X,
                   .count = 3,
                   .series = SERIES,
                   .series_count = 2,
                   .title = "H",
                   .x_label = "α",
                   .mark = 0.25,
                   .y_low = NAN,
                   .y_high = NAN};
    Canvas *canvas = make(7, 29, MONO), *console = make(7, 29, NO_BRAILLE);
    (void)state;
    chart_draw(canvas, canvas_area(canvas), &chart);
    assert_shows(canvas,
                 "H  ● up  × down\n"
                 "      2┤×    │           ⣀⠤⠒●\n"
                 "       │     │       ⣀⠤⠒⠉\n"
                 "       │     │   ⣀●⠒⠉\n"
                 "       │    ⢀⡠⠔⠒⠉\n"
                 "      0┤●⠤⠒⠉⠁│              ×\n"
                 "        0         α         1\n");
    chart_draw(console, canvas_area(console), &chart);
    assert_shows(console,
                 "H  ● up  × down\n"
                 "      2┤×    │            ··●\n"
                 "       │     │       ·····\n"
                 "       │     │  ··●··\n"
                 "       │   ·····\n"
                 "      0┤●··  │              ×\n"
                 "        0         α         1\n");
    canvas_free(canvas);
    canvas_free(console);
}

static void a_logarithmic_chart_has_equal_steps_for_equal_factors(void **state) {
    static const double X[] = {0, 1, 2, 3}, Y[] = {100, 10, 1, 0};
    ChartSeries series = {Y, NULL, NULL, ROLE_TEXT};
    Chart chart = {.x = X, .count = 4, .series = &series, .series_count = 1, .mark = -1, .logarithmic = true};
    Canvas *canvas = make(6, 27, MONO);
    (void)state;
    chart_draw(canvas, canvas_area(canvas), &chart);
    assert_shows(canvas,
                 "    100┤●⢄⡀\n"
                 "       │  ⠈⠢⡀\n"
                 "       │    ⠈⠑●⡀\n"
                 "       │       ⠈⠒⢄\n"
                 "      1┤          ⠉⠢●\n"
                 "        0                 3\n");
    canvas_free(canvas);
}

/* What stands between points that are closer is not hidden by them. */
static void many_points_leave_the_finer_line_in_sight(void **state) {
    static const double X[] = {0, 1, 2, 3, 4, 5, 6, 7, 8}, Y[] = {8, 7, 6, 5, 4, 3, 2, 1, 0};
    ChartSeries series = {Y, NULL, NULL, ROLE_TEXT};
    Chart chart = {.x = X, .count = 9, .series = &series, .series_count = 1, .mark = -1};
    Canvas *canvas = make(6, 17, MONO), *plain = make(6, 17, NO_BRAILLE);
    (void)state;
    chart_draw(canvas, canvas_area(canvas), &chart);
    chart_draw(plain, canvas_area(plain), &chart);
    int points = 0, plain_points = 0;
    for (int column = 0; column < 17; column++) {
        for (int row = 0; row < 6; row++) {
            points += strcmp(canvas_cell(canvas, row, column)->text, "●") == 0;
            plain_points += strcmp(canvas_cell(plain, row, column)->text, "●") == 0;
        }
    }
    assert_int_equal(points, 5); /* every second: they stand two columns apart */
    assert_int_equal(plain_points, 9);
    canvas_free(canvas);
    canvas_free(plain);
}

static void a_curve_in_a_few_rows_is_the_edge_of_a_surface(void **state) {
    static const double X[] = {0, 1, 2, 3, 4}, Y[] = {0, 1, 2, NAN, 4};
    ChartSeries series = {Y, NULL, NULL, ROLE_TEXT};
    Chart chart = {
        .x = X, .count = 5, .series = &series, .series_count = 1, .mark = 1, .y_low = 0, .y_high = 4};
    Canvas *canvas = make(2, 9, MONO), *plain = make(2, 9, ASCII);
    (void)state;
    chart_draw(canvas, canvas_area(canvas), &chart);
    assert_string_equal(canvas_cell(canvas, 0, 2)->text, "│"); /* the mark, above the surface */
    assert_string_equal(canvas_cell(canvas, 1, 2)->text, "▅");
    assert_shows(canvas,
                 "  │ ▁   █\n"
                 "▁▃▅▇█   █\n");
    chart_draw(plain, canvas_area(plain), &chart);
    assert_shows(plain,
                 "  | _   @\n"
                 "_-+#@   @\n");
    canvas_free(canvas);
    canvas_free(plain);
}

static void level_empty_and_unknown_curves_are_drawn_without_harm(void **state) {
    static const double X[] = {0, 1}, LEVEL[] = {3, 3}, ZERO[] = {0, 0}, UNKNOWN[] = {NAN, NAN};
    ChartSeries series = {LEVEL, NULL, NULL, ROLE_TEXT};
    Chart chart = {
        .x = X, .count = 2, .series = &series, .series_count = 1, .mark = NAN, .y_low = NAN, .y_high = NAN};
    Canvas *canvas = make(6, 30, MONO);
    (void)state;
    chart_draw(canvas, canvas_area(canvas), &chart);
    assert_string_equal(canvas_cell(canvas, 2, 8)->text, "●"); /* in the middle of five rows and an axis */
    series.y = ZERO;
    canvas_erase(canvas, canvas_area(canvas));
    chart_draw(canvas, canvas_area(canvas), &chart);
    assert_string_equal(canvas_cell(canvas, 4, 8)->text, "●"); /* shares and counts are not below 0 */
    series.y = UNKNOWN;
    chart_draw(canvas, canvas_area(canvas), &chart);
    chart.count = 0;
    chart_draw(canvas, canvas_area(canvas), &chart);
    canvas_free(canvas);
}

static void histograms_grow_in_eighths_of_a_row(void **state) {
    static const double COUNTS[] = {0, 1, 8, 16};
    Canvas *canvas = make(3, 8, MONO);
    (void)state;
    chart_draw_histogram(canvas, canvas_area(canvas), COUNTS, 4, false, "-1", "1", ROLE_BAR);
    assert_shows(canvas, "      ██\n  ▁▁████\n-1     1\n");
    canvas_free(canvas);
}

static void a_spark_pools_by_the_largest(void **state) {
    static const double VALUES[] = {0, 8, 1, 0, 4, 0};
    Canvas *canvas = make(1, 8, MONO);
    (void)state;
    chart_draw_spark(canvas, canvas_area(canvas), 0, 0, 3, VALUES, 6, ROLE_BAR);
    assert_shows(canvas, "█▁▄\n");
    chart_draw_spark(canvas, canvas_area(canvas), 0, 0, 8, VALUES, 6, ROLE_BAR);
    assert_shows(canvas, " █▁ ▄\n");
    canvas_free(canvas);
}

/* ---- dials ---- */

static void progress_has_a_share_a_rate_and_the_time_left(void **state) {
    Canvas *canvas = make(2, 80, MONO);
    ProgressLine line = {"drift", 71, 100, 10, "1.9 GB/s", "^X cancel"};
    (void)state;
    dial_bar_draw_progress(canvas, canvas_area(canvas), 0, &line);
    line.total = 0;
    dial_bar_draw_progress(canvas, canvas_area(canvas), 1, &line);
    assert_shows(canvas,
                 "drift ████████████████████████░░░░░░░░░░  71 %  1.9 GB/s  0:04 left    ^X cancel\n"
                 "drift   1.9 GB/s  0:10                                                 ^X cancel\n");
    canvas_free(canvas);
}

static void a_dial_shows_where_it_stands(void **state) {
    Canvas *canvas = make(3, 50, MONO);
    Dial dial = {.label = "α fusion",
                 .low_label = "base",
                 .high_label = "sft",
                 .value_text = "0.500",
                 .low = 0,
                 .high = 1,
                 .value = 0.5,
                 .ticks = 4};
    (void)state;
    dial_bar_draw(canvas, canvas_area(canvas), 0, &dial);
    dial.value = 7;
    dial_bar_draw(canvas, canvas_area(canvas), 1, &dial);
    dial_bar_draw(canvas, rect_make(2, 0, 1, 16), 0, &dial);
    assert_shows(canvas,
                 "α fusion  base ├─────┼─────●────┼─────┤ sft  0.500\n"
                 "α fusion  base ├─────┼─────┼────┼─────● sft  0.500\n"
                 "α fusion 0.500\n");
    canvas_free(canvas);
}

static void every_widget_takes_every_size(void **state) {
    static const double X[] = {0, 0.5, 1}, Y[] = {0, 1, NAN};
    static const ChartSeries SERIES = {Y, "y", NULL, ROLE_TEXT};
    static const char *const LABELS[] = {"one", "two", "three"};
    Chart chart = {.x = X,
                   .count = 3,
                   .series = &SERIES,
                   .series_count = 1,
                   .title = "t",
                   .x_label = "x",
                   .mark = 0.5,
                   .y_low = NAN,
                   .y_high = NAN};
    HeatMap map = {.values = Y,
                   .rows = 1,
                   .columns = 3,
                   .high = 1,
                   .row_labels = LABELS,
                   .column_labels = LABELS,
                   .marked_rows = true};
    HeatGrid grid = {.values = Y, .rows = 3, .columns = 1, .high = 1, .cursor_row = 2};
    ProgressLine line = {"label", 1, 3, 5, "r", "note"};
    Dial dial = {.label = "l",
                 .low_label = "a",
                 .high_label = "b",
                 .value_text = "v",
                 .high = 1,
                 .ticks = 3,
                 .selected = true};
    static const Theme THEMES[] = {
        {.depth = THEME_256}, {.depth = THEME_8}, {.depth = THEME_MONO, .ascii = true}};
    (void)state;
    for (int rows = 0; rows < 12; rows++) {
        for (int columns = 0; columns < 40; columns++) {
            Canvas *canvas = make(rows, columns, THEMES[(rows + columns) % 3]);
            Rect area = canvas_area(canvas);
            ListState list = {.cursor = 3};
            list_box_draw(canvas, area, &list, 9, LIST_COLUMNS, 3, true, write_cell, NULL);
            heat_map_draw(canvas, area, &map);
            heat_map_draw_dense(canvas, area, &grid);
            (void)heat_map_draw_legend(canvas, area, RAMP_DIVERGING, -1, 1);
            chart_draw(canvas, area, &chart);
            chart_draw_histogram(canvas, area, Y, 3, true, "low", "high", ROLE_BAR);
            chart_draw_spark(canvas, area, 0, 0, columns, Y, 3, ROLE_BAR);
            dial_bar_draw_progress(canvas, area, 0, &line);
            dial_bar_draw(canvas, area, 0, &dial);
            canvas_free(canvas);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_keeps_its_cursor_in_sight),
        cmocka_unit_test(columns_of_the_largest_priority_go_first),
        cmocka_unit_test(moving_stops_at_the_ends_and_counts),
        cmocka_unit_test(facts_stand_in_two_columns),
        cmocka_unit_test(a_map_has_labels_steps_and_a_cursor),
        cmocka_unit_test(a_map_has_lines_of_equal_value_between_its_cells),
        cmocka_unit_test(a_map_larger_than_its_area_follows_the_cursor),
        cmocka_unit_test(a_scale_labels_every_so_many_columns_rather_than_cut_figures),
        cmocka_unit_test(a_missing_element_is_blank_and_an_unknown_one_a_dot),
        cmocka_unit_test(a_dense_map_puts_two_values_in_a_cell_where_it_can),
        cmocka_unit_test(values_are_scaled_to_the_ramp),
        cmocka_unit_test(a_legend_names_both_ends),
        cmocka_unit_test(bars_have_eighths_and_show_the_least_share),
        cmocka_unit_test(a_chart_has_axes_a_legend_and_a_mark),
        cmocka_unit_test(many_points_leave_the_finer_line_in_sight),
        cmocka_unit_test(a_logarithmic_chart_has_equal_steps_for_equal_factors),
        cmocka_unit_test(a_curve_in_a_few_rows_is_the_edge_of_a_surface),
        cmocka_unit_test(level_empty_and_unknown_curves_are_drawn_without_harm),
        cmocka_unit_test(histograms_grow_in_eighths_of_a_row),
        cmocka_unit_test(a_spark_pools_by_the_largest),
        cmocka_unit_test(progress_has_a_share_a_rate_and_the_time_left),
        cmocka_unit_test(a_dial_shows_where_it_stands),
        cmocka_unit_test(every_widget_takes_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
