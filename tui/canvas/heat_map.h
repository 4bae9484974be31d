/*
 * heat_map — a matrix of numbers as coloured cells.
 */
#ifndef REJUV_TUI_HEAT_MAP_H
#define REJUV_TUI_HEAT_MAP_H

#include "tui/canvas/canvas.h"

#include <stdbool.h>
#include <stddef.h>

/* A labelled map: one matrix element a cell of `cell_width` columns, with labels and a cursor. It scrolls so
 * that the cursor's cell is in sight. */
typedef struct HeatMap {
    const double *values; /* [rows × columns], row by row; NaN: not known yet */
    size_t rows, columns;
    double low, high; /* the values at the ends of the ramp; diverging: `low` is -high */
    Ramp ramp;
    const char *const *row_labels;    /* [rows], may be NULL */
    const char *const *column_labels; /* [columns], may be NULL */
    bool is_scale;            /* the columns are a scale: where labels are wide, every so many is labelled */
    const bool *absent;       /* [rows × columns], may be NULL: no such element, left blank */
    const char *const *texts; /* [rows × columns], may be NULL, and so may each: what a cell says */
    /* [level_count]: a line between cells on both sides of one: │, and underlined above */
    const double *levels;
    size_t level_count;
    int cell_width;                   /* 0: the widest column label and one more, at least 4 */
    size_t cursor_row, cursor_column; /* outside the matrix: no cursor */
    bool marked_rows;                 /* a ▸ before the cursor's row */

    /* For the mouse: what a press on a cell sets, to row_number + its row and to its column; NULL: nothing. */
    size_t *pressed_row, *pressed_column;
    size_t row_number;
} HeatMap;

void heat_map_draw(Canvas *canvas, Rect area, const HeatMap *map);

/* A dense map without labels: as many elements as the area has cells. With UTF-8 and 256 colours or more a cell
 * shows two values, one above the other (heat_map_dense_rows() = 2 × rows). NaN is blank. The cursor's element
 * is drawn reversed. */
typedef struct HeatGrid {
    const double *values; /* [rows × columns] */
    size_t rows, columns;
    double low, high;
    Ramp ramp;
    long cursor_row, cursor_column; /* -1: no cursor */
} HeatGrid;

int heat_map_dense_rows(const Theme *theme, int rows);
void heat_map_draw_dense(Canvas *canvas, Rect area, const HeatGrid *grid);

/* `LOW ░▒▓█ HIGH` in one row, right-aligned at the end of the area. Returns its width. */
int heat_map_draw_legend(Canvas *canvas, Rect area, Ramp ramp, double low, double high);

/* Where a value lies on a ramp: 0 … 1, or -1 … 1; NaN stays NaN. Everything that has no extent is 0. */
double heat_map_scale(Ramp ramp, double low, double high, double value);

#endif
