/*
 * picture_svg — a grid of character cells as SVG: a screen as it looks in a terminal, in 8 × 16 units a cell.
 *
 *     backgrounds   one path for each colour, cells side by side as one rectangle
 *     blocks        ▀ ▄ █ ░ ▖ … and lines ─ ┼ ║ … as rectangles: fonts leave gaps between them
 *     text          words of one look, each held to the width of its cells (textLength), so that columns
 *                   stay straight whatever font is there
 *
 * The same grid gives the same bytes. Where cells come from is the caller's business: the program draws its
 * canvas (picture.h), the screen tests what a terminal shows.
 */
#ifndef REJUV_TUI_PICTURE_SVG_H
#define REJUV_TUI_PICTURE_SVG_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stdio.h>

enum { PICTURE_SVG_CELL_WIDTH = 8, PICTURE_SVG_CELL_HEIGHT = 16, PICTURE_SVG_TEXT_SIZE = 32 };

/* Attributes of an element around the cells: a font of PICTURE_SVG_CELL_WIDTH units a character, and spaces
 * that count. */
#define PICTURE_SVG_FONT                                                                                     \
    "font-family=\"DejaVu Sans Mono,Menlo,Consolas,Liberation Mono,monospace\" "                             \
    "font-size=\"13.29\" xml:space=\"preserve\""

typedef struct PictureSvgCell {
    char text[PICTURE_SVG_TEXT_SIZE]; /* UTF-8; " " for a blank cell, "" in the second half of a wide one */
    int width;                        /* 1, 2, or 0 for that second half */
    unsigned front, back;             /* 0xRRGGBB */
    bool bold, italic, underline, strike;
} PictureSvgCell;

typedef struct PictureSvgGrid {
    const void *source;
    PictureSvgCell (*cell)(const void *source, int row, int column);
    int rows, columns;
    unsigned background;           /* what the grid lies on: not drawn */
    int cursor_row, cursor_column; /* -1: none is drawn */
    unsigned cursor_colour;
} PictureSvgGrid;

/* Writes the cells as two groups, the first cell's corner at 0, 0. STATUS_IO where the file takes no more. */
Status picture_svg_write(const PictureSvgGrid *grid, FILE *file, Error *error) STATUS_MUST_CHECK;

/* Text as the content of an element: markup escaped, and what XML may not hold, or a reader would not see, replaced
 * by U+FFFD. */
void picture_svg_write_text(const char *text, FILE *file);

#endif
