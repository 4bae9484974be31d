/* What lies where on a canvas, for a mouse. */
#include "tests/golden/golden.h"
#include "tui/canvas/heat_map.h"
#include "tui/canvas/hit_area.h"

static Canvas *open_canvas(void) {
    Canvas *canvas;
    Error error = {0};
    assert_int_equal(canvas_create(10, 40, (Theme){0}, &canvas, &error), STATUS_OK);
    return canvas;
}

static void the_zone_drawn_last_lies_above(void **unused) {
    (void)unused;
    Canvas *canvas = open_canvas();
    hit_area_add(canvas,
                 &(HitArea){.kind = HIT_AREA_BUTTON, .area = rect_make(0, 0, 10, 40), .action = ACTION_HELP});
    hit_area_add(canvas,
                 &(HitArea){.kind = HIT_AREA_BUTTON, .area = rect_make(2, 3, 1, 4), .action = ACTION_QUIT});
    assert_int_equal(hit_area_find(canvas, 2, 3)->action, ACTION_QUIT);
    assert_int_equal(hit_area_find(canvas, 2, 6)->action, ACTION_QUIT);
    assert_int_equal(hit_area_find(canvas, 2, 7)->action, ACTION_HELP);
    assert_int_equal(hit_area_find(canvas, 3, 3)->action, ACTION_HELP);
    assert_null(hit_area_find(canvas, 10, 3));
    assert_null(hit_area_find(canvas, -1, 3));
    canvas_clear(canvas);
    assert_null(hit_area_find(canvas, 2, 3));
    canvas_free(canvas);
}

static void a_zone_off_the_canvas_is_none(void **unused) {
    (void)unused;
    Canvas *canvas = open_canvas();
    hit_area_add(canvas, &(HitArea){.area = rect_make(20, 0, 5, 5)});
    hit_area_add(canvas, &(HitArea){.area = rect_make(0, 0, 0, 5)});
    assert_int_equal(canvas->zone_count, 0);
    canvas_free(canvas);
}

static void a_press_on_a_map_moves_both_cursors_to_the_item(void **unused) {
    (void)unused;
    size_t row = 9, column = 9;
    bool moved;
    HitArea zone = {.kind = HIT_AREA_GRID,
                    .area = rect_make(2, 5, 4, 20),
                    .down = {&row, 7, 9, 2},
                    .across = {&column, 1, 4, 5}};
    assert_true(hit_area_point(&zone, 2, 5, &moved));
    assert_true(moved && row == 7 && column == 1);
    assert_true(hit_area_point(&zone, 3, 9, &moved)); /* the same item's other end */
    assert_true(!moved && row == 7 && column == 1);
    assert_true(hit_area_point(&zone, 5, 19, &moved));
    assert_true(moved && row == 8 && column == 3);
    assert_false(hit_area_point(&zone, 5, 20, &moved)); /* no fifth column */
    assert_true(row == 8 && column == 3);
}

/* Cells of 5 columns behind labels of 2; 9 rows in 4, of which those around the cursor's show. */
static void a_heat_map_has_its_cells_where_it_draws_them(void **unused) {
    (void)unused;
    static const char *const LABELS[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8"};
    static const double VALUES[18];
    Canvas *canvas = open_canvas();
    size_t row = 6, column = 0;
    bool moved;
    const HeatMap map = {.values = VALUES,
                         .rows = 9,
                         .columns = 2,
                         .high = 1,
                         .row_labels = LABELS,
                         .cell_width = 5,
                         .cursor_row = row,
                         .cursor_column = column,
                         .pressed_row = &row,
                         .pressed_column = &column,
                         .row_number = 100};
    heat_map_draw(canvas, rect_make(1, 3, 4, 30), &map);
    const HitArea *zone = hit_area_find(canvas, 1, 5);
    assert_non_null(zone);
    assert_ptr_equal(hit_area_find(canvas, 4, 14), zone);
    assert_null(hit_area_find(canvas, 1, 4));  /* a label */
    assert_null(hit_area_find(canvas, 1, 15)); /* no third column */
    assert_null(hit_area_find(canvas, 5, 5));
    assert_true(hit_area_point(zone, 1, 9, &moved) && moved);
    assert_true(row == 104 && column == 0);
    assert_true(hit_area_point(zone, 4, 10, &moved) && moved);
    assert_true(row == 107 && column == 1);
    canvas_free(canvas);
}

static void a_slider_puts_the_cursor_on_its_item(void **unused) {
    (void)unused;
    size_t row = 0;
    bool moved;
    HitArea zone = {.kind = HIT_AREA_SLIDER, .area = rect_make(3, 10, 1, 11), .down = {&row, 7, 8, 1}};
    assert_true(hit_area_point(&zone, 3, 20, &moved) && moved && row == 7);
}

static void a_list_heeds_rows_only_and_not_those_below_its_end(void **unused) {
    (void)unused;
    size_t cursor = 0;
    bool moved;
    HitArea zone = {.kind = HIT_AREA_GRID, .area = rect_make(0, 0, 10, 40), .down = {&cursor, 3, 5, 1}};
    assert_true(hit_area_point(&zone, 1, 39, &moved));
    assert_int_equal(cursor, 4);
    assert_false(hit_area_point(&zone, 2, 0, &moved));
    assert_int_equal(cursor, 4);
}

static void a_track_gives_its_ends_at_its_ends_and_beyond(void **unused) {
    (void)unused;
    HitArea zone = {.kind = HIT_AREA_SLIDER, .area = rect_make(0, 10, 1, 11), .low = 0, .high = 4};
    assert_true(hit_area_value(&zone, 10) == 0 && hit_area_value(&zone, 0) == 0);
    assert_true(hit_area_value(&zone, 20) == 4 && hit_area_value(&zone, 79) == 4);
    assert_true(hit_area_value(&zone, 15) == 2);
    zone.area.columns = 1;
    assert_true(hit_area_value(&zone, 10) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_zone_drawn_last_lies_above),
        cmocka_unit_test(a_zone_off_the_canvas_is_none),
        cmocka_unit_test(a_press_on_a_map_moves_both_cursors_to_the_item),
        cmocka_unit_test(a_heat_map_has_its_cells_where_it_draws_them),
        cmocka_unit_test(a_slider_puts_the_cursor_on_its_item),
        cmocka_unit_test(a_list_heeds_rows_only_and_not_those_below_its_end),
        cmocka_unit_test(a_track_gives_its_ends_at_its_ends_and_beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
