#include "views/tensor/tensor_window.h"

#include "core/drift/elements.h"

enum { ZOOM_LIMIT = 63 };

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

TensorWindow tensor_window_make(uint64_t rows, uint64_t columns) {
    return (TensorWindow){.rows = rows, .columns = columns, .room = {1, 1, 1, 1}};
}

/* ---- what a zoom shows ---- */

static bool is_empty(const TensorWindow *window) {
    return window->rows == 0 || window->columns == 0;
}

static bool flows(const TensorWindow *window) {
    return window->columns == 1;
}

/* Elements along an axis of `size` on `cells` cells: halved with each step, but never fewer than the cells.
 */
static uint64_t extent(uint64_t size, uint64_t cells, unsigned zoom) {
    uint64_t halved = zoom == 0 ? size : (size >> zoom) + ((size & ((UINT64_C(1) << zoom) - 1)) != 0);
    return most(halved, least(cells, size));
}

/* The least zoom at which each cell is one element. */
static unsigned single_zoom(const TensorWindow *window) {
    uint64_t rows = window->room.rows, columns = window->room.columns;
    if (flows(window)) rows *= columns;
    unsigned zoom = 0;
    while (zoom < ZOOM_LIMIT - 1 && (extent(window->rows, rows, zoom) > rows ||
                                     (!flows(window) && extent(window->columns, columns, zoom) > columns)))
        zoom++;
    return zoom;
}

unsigned tensor_window_last_zoom(const TensorWindow *window) {
    return single_zoom(window) + 1;
}

TensorShown tensor_window_shown(const TensorWindow *window) {
    const TensorRoom *room = &window->room;
    unsigned last = tensor_window_last_zoom(window);
    TensorShown shown = {.row = window->row, .column = window->column, .flows = flows(window)};
    shown.figures = window->zoom >= last;
    shown.single = window->zoom + 1 >= last;
    uint64_t rows = shown.figures ? room->figure_rows : room->rows;
    uint64_t columns = shown.figures ? room->figure_columns : room->columns;
    shown.line = (size_t)columns;
    if (shown.flows) {
        rows *= columns;
        columns = 1;
    }
    unsigned zoom = shown.figures ? ZOOM_LIMIT : window->zoom;
    shown.rows = extent(window->rows, rows, zoom);
    shown.columns = extent(window->columns, columns, zoom);
    shown.grid_rows = (size_t)least(rows, shown.rows);
    shown.grid_columns = (size_t)least(columns, shown.columns);
    return shown;
}

/* Where a stretch of `length` elements begins so that it lies within `size` and holds the cursor. */
static uint64_t bring_in(uint64_t begin, uint64_t length, uint64_t size, uint64_t cursor) {
    if (cursor < begin) begin = cursor;
    if (cursor >= begin + length) begin = cursor - length + 1;
    return least(begin, size - length);
}

TensorShown tensor_window_fit(TensorWindow *window, TensorRoom room) {
    window->room = (TensorRoom){most(room.rows, 1), most(room.columns, 1), most(room.figure_rows, 1),
                                most(room.figure_columns, 1)};
    window->zoom = (unsigned)least(window->zoom, tensor_window_last_zoom(window));
    if (is_empty(window)) return (TensorShown){0};
    window->cursor_row = least(window->cursor_row, window->rows - 1);
    window->cursor_column = least(window->cursor_column, window->columns - 1);
    TensorShown shown = tensor_window_shown(window);
    window->row = bring_in(window->row, shown.rows, window->rows, window->cursor_row);
    window->column = bring_in(window->column, shown.columns, window->columns, window->cursor_column);
    return tensor_window_shown(window);
}

/* ---- the cursor ---- */

/* The cell that covers an element: the inverse of elements_cell_span(). */
static size_t cell_of(uint64_t begin, uint64_t size, size_t cells, uint64_t element) {
    return size == 0 ? 0 : (size_t)(((element - begin + 1) * cells - 1) / size);
}

TensorCell tensor_window_cell(const TensorWindow *window) {
    if (is_empty(window)) return (TensorCell){0};
    TensorShown shown = tensor_window_shown(window);
    TensorCell cell = {cell_of(shown.row, shown.rows, shown.grid_rows, window->cursor_row),
                       cell_of(shown.column, shown.columns, shown.grid_columns, window->cursor_column),
                       0,
                       0,
                       0,
                       0};
    elements_cell_span(shown.row, shown.rows, shown.grid_rows, cell.grid_row, &cell.row, &cell.rows);
    elements_cell_span(shown.column, shown.columns, shown.grid_columns, cell.grid_column, &cell.column,
                       &cell.columns);
    return cell;
}

void tensor_window_go(TensorWindow *window, uint64_t row, uint64_t column) {
    window->cursor_row = row;
    window->cursor_column = column;
    (void)tensor_window_fit(window, window->room);
}

/* `steps` cells on along an axis: within the window to the cell's first element, beyond it as far again. */
static uint64_t step(uint64_t cursor, uint64_t begin, uint64_t length, size_t cells, uint64_t size,
                     long steps) {
    uint64_t count = steps < 0 ? 0 - (uint64_t)steps : (uint64_t)steps, first, span;
    if (count == 0 || cells == 0) return cursor;
    size_t cell = cell_of(begin, length, cells, cursor);
    uint64_t room = steps < 0 ? cell : cells - 1 - cell;
    if (count <= room) {
        cell = steps < 0 ? cell - (size_t)count : cell + (size_t)count;
        elements_cell_span(begin, length, cells, cell, &first, &span);
        return first;
    }
    span = length / cells + (length % cells != 0);
    if (count > size / span) count = size / span + 1;
    if (steps < 0) return cursor > count * span ? cursor - count * span : 0;
    return least(cursor + count * span, size - 1);
}

void tensor_window_move(TensorWindow *window, long down, long right) {
    if (is_empty(window)) return;
    TensorShown shown = tensor_window_shown(window);
    if (shown.flows) { /* a line down is as many cells on as a line has */
        long line = (long)least(shown.line, INT32_MAX);
        down = down * line + right;
        right = 0;
    }
    uint64_t row = step(window->cursor_row, shown.row, shown.rows, shown.grid_rows, window->rows, down);
    uint64_t column =
        step(window->cursor_column, shown.column, shown.columns, shown.grid_columns, window->columns, right);
    tensor_window_go(window, row, column);
}

static uint64_t shift(uint64_t at, uint64_t size, uint64_t half, long times) {
    uint64_t count = least(times < 0 ? 0 - (uint64_t)times : (uint64_t)times, size / half + 1);
    if (times < 0) return at > count * half ? at - count * half : 0;
    return least(at + count * half, size - 1);
}

void tensor_window_pan(TensorWindow *window, long down, long right) {
    if (is_empty(window)) return;
    TensorShown shown = tensor_window_shown(window);
    uint64_t half_rows = most(shown.rows / 2, 1), half_columns = most(shown.columns / 2, 1);
    if (shown.flows) down += right;
    window->row = shift(window->row, window->rows, half_rows, down);
    window->cursor_row = shift(window->cursor_row, window->rows, half_rows, down);
    if (!shown.flows) {
        window->column = shift(window->column, window->columns, half_columns, right);
        window->cursor_column = shift(window->cursor_column, window->columns, half_columns, right);
    }
    (void)tensor_window_fit(window, window->room);
}

/* ---- zoom ---- */

/* Where a stretch of `length` begins so that the cursor is as far along it as it was in the old one. */
static uint64_t keep_place(uint64_t begin, uint64_t old_length, uint64_t length, uint64_t cursor) {
    double share = old_length > 0 ? (double)(cursor - begin) / (double)old_length : 0;
    uint64_t before = (uint64_t)(share * (double)length);
    return cursor > before ? cursor - before : 0;
}

void tensor_window_zoom(TensorWindow *window, long steps) {
    if (is_empty(window)) return;
    TensorShown before = tensor_window_shown(window);
    long zoom = (long)window->zoom + steps, last = (long)tensor_window_last_zoom(window);
    window->zoom = (unsigned)(zoom < 0 ? 0 : zoom > last ? last : zoom);
    TensorShown after = tensor_window_shown(window);
    window->row = keep_place(before.row, before.rows, after.rows, window->cursor_row);
    window->column = keep_place(before.column, before.columns, after.columns, window->cursor_column);
    (void)tensor_window_fit(window, window->room);
}
