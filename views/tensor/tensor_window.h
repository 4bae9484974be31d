/*
 * tensor_window — which part of a tensor is on screen, and where the cursor is in it.
 *
 *     zoom 0         the whole tensor, many elements a cell
 *     zoom 1, 2, …   half as many rows and columns each
 *     …              until each cell is one element
 *     the last       figures in place of colours: as many elements as can be written out
 *
 * What is shown follows from the zoom and the room there is, so that a resize needs no adjusting. The cursor
 * is an element; the cell under it is the one that covers it. A vector (one column) flows: its elements run
 * on from line to line of the screen, and its cells are counted along it.
 */
#ifndef REJUV_VIEWS_TENSOR_WINDOW_H
#define REJUV_VIEWS_TENSOR_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Cells on the screen, of a map and of written figures; at least 1 each. */
typedef struct TensorRoom {
    size_t rows, columns, figure_rows, figure_columns;
} TensorRoom;

typedef struct TensorWindow {
    uint64_t rows, columns; /* the tensor's */
    unsigned zoom;
    uint64_t row, column; /* the first element shown */
    uint64_t cursor_row, cursor_column;
    TensorRoom room;
} TensorWindow;

/* What is on screen: elements, and the cells that they are pooled to. */
typedef struct TensorShown {
    uint64_t row, rows, column, columns;
    size_t grid_rows, grid_columns;
    bool flows;   /* grid_columns is 1; the screen's lines have `line` cells each */
    size_t line;  /* cells in a line of the screen */
    bool single;  /* each cell is one element */
    bool figures; /* written out */
} TensorShown;

/* The cell under the cursor and the elements in it. */
typedef struct TensorCell {
    size_t grid_row, grid_column;
    uint64_t row, rows, column, columns;
} TensorCell;

/* All of a tensor, the cursor on its first element. */
TensorWindow tensor_window_make(uint64_t rows, uint64_t columns);

/* Brings zoom, origin and cursor into range for `room`, the cursor in sight; then says what is shown. */
TensorShown tensor_window_fit(TensorWindow *window, TensorRoom room);

/* The same for the room of the last fit. */
TensorShown tensor_window_shown(const TensorWindow *window);

TensorCell tensor_window_cell(const TensorWindow *window);

/* The cursor by cells; beyond the edge the window follows. */
void tensor_window_move(TensorWindow *window, long down, long right);

/* Window and cursor by halves of what is shown. */
void tensor_window_pan(TensorWindow *window, long down, long right);

/* The cursor to an element; clamped. */
void tensor_window_go(TensorWindow *window, uint64_t row, uint64_t column);

/* Closer or farther by steps; the element under the cursor stays where it is on the screen, as far as can be.
 */
void tensor_window_zoom(TensorWindow *window, long steps);

/* The zoom at which elements are written out. */
unsigned tensor_window_last_zoom(const TensorWindow *window);

#endif
