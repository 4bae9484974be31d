/*
 * Which part of a tensor is on screen: zoom, panning and the cursor of the Tensor view.
 */
#include "core/drift/elements.h"
#include "views/tensor/tensor_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const TensorRoom ROOM = {32, 72, 16, 7};

static TensorWindow open_window(uint64_t rows, uint64_t columns) {
    TensorWindow window = tensor_window_make(rows, columns);
    (void)tensor_window_fit(&window, ROOM);
    return window;
}

/* What always holds: the window lies in the tensor, the grid in the room, the cursor in its cell. */
static void assert_sound(const TensorWindow *window) {
    TensorShown shown = tensor_window_shown(window);
    TensorCell cell = tensor_window_cell(window);
    assert_true(shown.rows >= 1 && shown.row + shown.rows <= window->rows);
    assert_true(shown.columns >= 1 && shown.column + shown.columns <= window->columns);
    size_t rows = shown.figures ? ROOM.figure_rows : ROOM.rows;
    size_t columns = shown.figures ? ROOM.figure_columns : ROOM.columns;
    if (shown.flows) {
        rows *= columns;
        columns = 1;
    }
    assert_true(shown.grid_rows <= rows && shown.grid_rows <= shown.rows);
    assert_true(shown.grid_columns <= columns && shown.grid_columns <= shown.columns);
    assert_true(cell.grid_row < shown.grid_rows && cell.grid_column < shown.grid_columns);
    assert_in_range(window->cursor_row, cell.row, cell.row + cell.rows - 1);
    assert_in_range(window->cursor_column, cell.column, cell.column + cell.columns - 1);
    if (shown.single) assert_true(cell.rows == 1 && cell.columns == 1);
}

static void it_opens_on_the_whole_tensor(void **state) {
    (void)state;
    TensorWindow window = open_window(4096, 12288);
    TensorShown shown = tensor_window_shown(&window);
    assert_int_equal(shown.rows, 4096);
    assert_int_equal(shown.columns, 12288);
    assert_int_equal(shown.grid_rows, 32);
    assert_int_equal(shown.grid_columns, 72);
    assert_false(shown.single || shown.figures || shown.flows);
    assert_sound(&window);
}

static void zooming_ends_at_single_elements_and_then_at_figures(void **state) {
    (void)state;
    TensorWindow window = open_window(4096, 12288);
    unsigned last = tensor_window_last_zoom(&window);
    tensor_window_zoom(&window, (long)last - 1);
    TensorShown shown = tensor_window_shown(&window);
    assert_true(shown.single && !shown.figures);
    assert_int_equal(shown.rows, 32);
    assert_int_equal(shown.columns, 72);
    tensor_window_zoom(&window, 1);
    shown = tensor_window_shown(&window);
    assert_true(shown.single && shown.figures);
    assert_int_equal(shown.rows, 16);
    assert_int_equal(shown.columns, 7);
    tensor_window_zoom(&window, 100);
    assert_int_equal(window.zoom, last);
    tensor_window_zoom(&window, -1000);
    assert_int_equal(tensor_window_shown(&window).rows, 4096);
}

static void the_element_under_the_cursor_stays_in_sight_while_zooming(void **state) {
    (void)state;
    TensorWindow window = open_window(4096, 12288);
    tensor_window_go(&window, 3000, 11999);
    for (unsigned zoom = 0; zoom <= tensor_window_last_zoom(&window); zoom++) {
        assert_int_equal(window.cursor_row, 3000);
        assert_int_equal(window.cursor_column, 11999);
        assert_sound(&window);
        tensor_window_zoom(&window, 1);
    }
}

static void a_step_goes_to_the_next_cell_and_the_window_follows_at_its_edge(void **state) {
    (void)state;
    TensorWindow window = open_window(100, 1000);
    tensor_window_zoom(&window, 2);
    for (int i = 0; i < 300; i++) {
        TensorCell before = tensor_window_cell(&window);
        tensor_window_move(&window, 1, 1);
        assert_sound(&window);
        assert_true(window.cursor_row >= before.row + before.rows || window.cursor_row == 99);
        assert_true(window.cursor_column >= before.column + before.columns || window.cursor_column == 999);
    }
    assert_int_equal(window.cursor_row, 99);
    assert_int_equal(window.cursor_column, 999);
    for (int i = 0; i < 300; i++) {
        tensor_window_move(&window, -1, -1);
        assert_sound(&window);
    }
    assert_int_equal(window.cursor_row, 0);
    assert_int_equal(window.cursor_column, 0);
}

static void the_cell_under_the_cursor_is_the_one_that_pooling_covers_it_with(void **state) {
    (void)state;
    TensorWindow window = open_window(101, 103); /* neither is a multiple of the cells */
    for (uint64_t row = 0; row < 101; row++) {
        uint64_t first, count;
        tensor_window_go(&window, row, row);
        TensorCell cell = tensor_window_cell(&window);
        TensorShown shown = tensor_window_shown(&window);
        elements_cell_span(shown.row, shown.rows, shown.grid_rows, cell.grid_row, &first, &count);
        assert_in_range(row, first, first + count - 1);
    }
}

static void a_vector_flows_over_the_lines_of_the_screen(void **state) {
    (void)state;
    TensorWindow window = open_window(5000, 1);
    TensorShown shown = tensor_window_shown(&window);
    assert_true(shown.flows);
    assert_int_equal(shown.grid_rows, 32 * 72);
    assert_int_equal(shown.line, 72);
    tensor_window_move(&window, 1, 0);
    assert_int_equal(tensor_window_cell(&window).grid_row, 72);
    tensor_window_move(&window, 0, 3);
    assert_int_equal(tensor_window_cell(&window).grid_row, 75);
    tensor_window_zoom(&window, 1000);
    assert_int_equal(tensor_window_shown(&window).grid_rows, 16 * 7);
    assert_sound(&window);
}

static void panning_moves_by_halves_and_stops_at_the_edges(void **state) {
    (void)state;
    TensorWindow window = open_window(4096, 12288);
    tensor_window_zoom(&window, 3);
    assert_int_equal(tensor_window_shown(&window).rows, 512);
    tensor_window_pan(&window, 1, 0);
    assert_int_equal(window.row, 256);
    tensor_window_pan(&window, 1000, 1000);
    assert_int_equal(window.row, 4096 - 512);
    assert_int_equal(window.column, 12288 - 12288 / 8);
    assert_sound(&window);
    tensor_window_pan(&window, -1000, -1000);
    assert_int_equal(window.row, 0);
    assert_int_equal(window.column, 0);
    assert_sound(&window);
}

static void another_size_of_the_screen_keeps_the_cursor(void **state) {
    (void)state;
    static const TensorRoom ROOMS[] = {{1, 1, 1, 1}, {100, 200, 50, 20}, {3, 500, 2, 50}, {0, 0, 0, 0}};
    TensorWindow window = open_window(4096, 12288);
    tensor_window_go(&window, 4095, 1);
    for (size_t i = 0; i < sizeof ROOMS / sizeof *ROOMS; i++) {
        for (unsigned zoom = 0; zoom < 70; zoom++) {
            window.zoom = zoom;
            TensorShown shown = tensor_window_fit(&window, ROOMS[i]);
            assert_true(shown.grid_rows >= 1 && shown.row + shown.rows <= 4096);
            assert_int_equal(window.cursor_row, 4095);
            assert_int_equal(window.cursor_column, 1);
            assert_in_range(window.cursor_row, shown.row, shown.row + shown.rows - 1);
        }
    }
}

static void a_tensor_without_elements_or_with_one_is_survived(void **state) {
    (void)state;
    TensorWindow none = open_window(0, 4), one = open_window(1, 1);
    tensor_window_zoom(&none, 1);
    tensor_window_move(&none, 1, 1);
    tensor_window_pan(&none, 1, 1);
    tensor_window_go(&none, 5, 5);
    assert_int_equal(tensor_window_cell(&none).rows, 0);
    tensor_window_zoom(&one, 5);
    tensor_window_move(&one, 10, -10);
    tensor_window_pan(&one, -3, 3);
    assert_sound(&one);
    assert_true(tensor_window_shown(&one).figures);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_on_the_whole_tensor),
        cmocka_unit_test(zooming_ends_at_single_elements_and_then_at_figures),
        cmocka_unit_test(the_element_under_the_cursor_stays_in_sight_while_zooming),
        cmocka_unit_test(a_step_goes_to_the_next_cell_and_the_window_follows_at_its_edge),
        cmocka_unit_test(the_cell_under_the_cursor_is_the_one_that_pooling_covers_it_with),
        cmocka_unit_test(a_vector_flows_over_the_lines_of_the_screen),
        cmocka_unit_test(panning_moves_by_halves_and_stops_at_the_edges),
        cmocka_unit_test(another_size_of_the_screen_keeps_the_cursor),
        cmocka_unit_test(a_tensor_without_elements_or_with_one_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
