/*
 * canvas — a grid of cells that views draw into. No curses, no terminal: a canvas can be drawn, compared and
 * written out anywhere, which is how every view dumps itself.
 *
 *        column 0            area.column
 *      0 ┌─────────────────────┬──────────────┐
 *        │                     │ (0,0) of     │   row and column of every drawing call count from the
 *        │         area.row  ──┤ the area     │   area's corner; what falls outside the area or the
 *        │                     │              │   canvas is cut off.
 *        └─────────────────────┴──────────────┘
 *
 * Every write clips, so areas of 0×0 and positions far outside are fine. A cell holds one cluster (text.h)
 * and a style. A wide character takes two cells, the second one empty with width 0; one that an edge or a
 * later write cuts in half becomes spaces. What may not be shown never reaches a cell. On a canvas whose
 * theme is ASCII, characters beyond ASCII are replaced on the way in, column for column: views write UTF-8
 * and need not care.
 *
 * The room: cells, colours, charts of cells, what a mouse can hit, a canvas as a picture. A Canvas is its maker's;
 * the UI thread's, except in tests.
 */
#ifndef REJUV_TUI_CANVAS_H
#define REJUV_TUI_CANVAS_H

#include "core/support/status.h"
#include "tui/canvas/theme.h"
#include "tui/text/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct Rect {
    int row, column, rows, columns;
} Rect;

typedef struct Cell {
    char text[TEXT_CLUSTER_BYTES + 1]; /* "" in the second half of a wide character */
    uint8_t width;                     /* 1, 2, or 0 for that second half */
    Style style;
} Cell;

typedef struct HitArea HitArea; /* hit_area.h */

typedef struct Canvas {
    Theme theme;
    int rows, columns;
    Cell *cells;                   /* [rows × columns] */
    int cursor_row, cursor_column; /* where the terminal's cursor shall be; -1: hidden */
    HitArea *zones;                /* what a mouse finds where; see hit_area_add() */
    size_t zone_count, zone_capacity;
} Canvas;

/* ---- rectangles ---- */

Rect rect_make(int row, int column, int rows, int columns);
bool rect_is_empty(Rect rect);
Rect rect_intersect(Rect a, Rect b);

/* Cuts a strip off *rest and returns it; it is never larger than *rest. Layouts are written as cuts:
 *     Rect head = rect_cut_top(&area, 1), side = rect_cut_right(&area, 24); */
Rect rect_cut_top(Rect *rest, int rows);
Rect rect_cut_bottom(Rect *rest, int rows);
Rect rect_cut_left(Rect *rest, int columns);
Rect rect_cut_right(Rect *rest, int columns);

/* Part `index` of `count` panes side by side with `gap` columns between them; widths differ by one at most.
 */
Rect rect_pane(Rect area, int index, int count, int gap);

/* ---- a canvas ---- */

/* Cleared; free with canvas_free(), which takes NULL. Sizes below 0 count as 0. */
Status canvas_create(int rows, int columns, Theme theme, Canvas **canvas, Error *error) STATUS_MUST_CHECK;
void canvas_free(Canvas *canvas);

/* Another size, cleared. On failure the canvas stays as it was. */
Status canvas_resize(Canvas *canvas, int rows, int columns, Error *error) STATUS_MUST_CHECK;

/* All of it blank, the cursor hidden. */
void canvas_clear(Canvas *canvas);
Rect canvas_area(const Canvas *canvas);
const Cell *canvas_cell(const Canvas *canvas, int row, int column); /* NULL outside */

/* ---- drawing ---- */

/* Writes a NUL-terminated UTF-8 text on one row (a newline in it shows as a replacement character: escape
 * first). Text that goes on past the area's right edge has … in the last column that is seen; one glyph alone, as of a
 * chart, has not. Returns the column after it, counted even where clipped, so that texts can be chained. */
int canvas_write(Canvas *canvas, Rect area, int row, int column, Role role, const char *text);
int canvas_print(Canvas *canvas, Rect area, int row, int column, Role role, const char *format, ...)
    STATUS_PRINTF(6, 7);

/* The same without the mark, for what is drawn rather than read. */
int canvas_write_styled(Canvas *canvas, Rect area, int row, int column, Style style, const char *text);

/* So that the text's last column is the one before `end`. Returns the column where it begins. */
int canvas_write_right(Canvas *canvas, Rect area, int row, int end, Role role, const char *text);

/* Text of at most `columns` columns, shortened with … where needed; `columns` are filled with spaces. */
void canvas_write_field(Canvas *canvas, Rect area, int row, int column, int columns, bool right, Role role,
                        const char *text);

/* Untrusted bytes, escaped by text_escape() with `flags`, and marked where they go on. Returns the column after. */
int canvas_write_raw(Canvas *canvas, Rect area, int row, int column, Role role, unsigned flags,
                     const char *bytes, size_t count);

/* Words broken over rows from `row` on; what goes on below the area has … at its end. Returns the row after the last,
 * counted even where clipped. */
int canvas_write_wrapped(Canvas *canvas, Rect area, int row, Role role, const char *text);

/* How many rows of so many columns that takes; 0 for an empty text. */
int canvas_count_wrapped(int columns, const char *text);

/* The same one-column glyph `columns` times along a row, or `rows` times down a column. */
void canvas_fill_row(Canvas *canvas, Rect area, int row, int column, int columns, Role role,
                     const char *glyph);
void canvas_fill_column(Canvas *canvas, Rect area, int row, int column, int rows, Role role,
                        const char *glyph);

/* Blanks an area. */
void canvas_erase(Canvas *canvas, Rect area);

/* Lays a role over what is drawn there already: its attributes are added, its colours replace. */
void canvas_restyle(Canvas *canvas, Rect area, Role role);

/* Underlines what is drawn there already. */
void canvas_underline(Canvas *canvas, Rect area);

/* A single frame around the area; returns what is inside. */
Rect canvas_frame(Canvas *canvas, Rect area, const char *title);

void canvas_set_cursor(Canvas *canvas, Rect area, int row, int column);

/* ---- reading it back ---- */

/* The text of every row, trailing blanks cut, each ended by a newline. The caller frees *text. */
Status canvas_to_text(const Canvas *canvas, char **text, Error *error) STATUS_MUST_CHECK;
Status canvas_dump(const Canvas *canvas, FILE *file, Error *error) STATUS_MUST_CHECK;

/* True when both show the same in this cell. */
bool cell_equals(const Cell *a, const Cell *b);

#endif
