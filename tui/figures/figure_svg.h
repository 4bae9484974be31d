/*
 * figure_svg — a sheet of vector graphics, an SVG file: what figures for papers are drawn with. Lengths are points
 * (1/72 inch) from the upper left corner; text stays text.
 *
 * Black on white, no decoration. Colours are chosen here and nowhere else in figures: ramps after viridis
 * (rising in lightness, so that a grey print keeps the order) and blue–white–red; lines after Okabe and Ito,
 * told apart by dash and marker too.
 *
 * Like FILE, a sheet remembers a failed write: figure_svg_end() tells.
 */
#ifndef REJUV_TUI_FIGURE_SVG_H
#define REJUV_TUI_FIGURE_SVG_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How a figure comes out, whatever is in it. */
typedef struct FigureSheet {
    double width, height;    /* points */
    const char *title;       /* above it; NULL: none */
    const char *description; /* kept in the file: what made it, from what */
    /* of a figure that stands in a page with others, a word; NULL: it is a file of its own */
    const char *name;
    FILE *file; /* where it is drawn; NULL: where the command line says */
} FigureSheet;

typedef struct FigureBox {
    double x, y, width, height;
} FigureBox;

typedef enum FigureAnchor { FIGURE_START, FIGURE_MIDDLE, FIGURE_END } FigureAnchor;

typedef struct FigureFont {
    double size;
    FigureAnchor anchor;
    bool bold, upright; /* upright: read from below, for the names of y axes */
} FigureFont;

typedef enum FigureRamp { FIGURE_SEQUENTIAL, FIGURE_DIVERGING } FigureRamp;

typedef struct FigureLine {
    unsigned colour; /* 0xRRGGBB */
    double width;
    const char *dashes; /* "4 2"; NULL: solid */
} FigureLine;

enum { FIGURE_SERIES_MOST = 7, FIGURE_BLACK = 0x000000, FIGURE_GREY = 0x6b6b6b, FIGURE_LIGHT = 0xd9d9d9 };

/* ---- the sheet ---- */

/* Begins the file; the area that is left for the figure, below its title. */
FigureBox figure_svg_begin(const FigureSheet *sheet, FILE *file);
Status figure_svg_end(FILE *file, Error *error) STATUS_MUST_CHECK;

/* ---- drawing ---- */

/* `y` is the middle of the characters' height. Any text: it is escaped. */
void figure_svg_text(FILE *file, double x, double y, FigureFont font, const char *text);

void figure_svg_line(FILE *file, double x1, double y1, double x2, double y2, FigureLine line);

/* Through all points; a pair with a NaN interrupts it. */
void figure_svg_curve(FILE *file, const double *x, const double *y, size_t count, FigureLine line);

/* A marker of series `series`, about `size` across; `note` is what a reader is shown who points at it. */
void figure_svg_marker(FILE *file, double x, double y, size_t series, double size, const char *note);

/* Filled without an edge. `note` as above, or NULL. */
void figure_svg_fill(FILE *file, FigureBox box, unsigned colour, const char *note);
void figure_svg_outline(FILE *file, FigureBox box, FigureLine line);

/* The colours of a ramp from bottom to top. `name` is the gradient's within the file. */
void figure_svg_gradient(FILE *file, FigureBox box, FigureRamp ramp, const char *name);

/* ---- looks ---- */

/* How much room a text needs: the widths of Helvetica, of which Arial, Liberation Sans and Nimbus are copies, and
 * some more for fonts that are none. */
double figure_svg_text_width(const char *text, double size);

/* `share` from 0 to 1, clamped. */
unsigned figure_svg_colour(FigureRamp ramp, double share);

/* The line of series `series`: colour and dash. */
FigureLine figure_svg_series(size_t series);

#endif
