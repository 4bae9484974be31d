/*
 * chart — bars, curves and histograms in block and line characters; ASCII where need be.
 */
#ifndef REJUV_TUI_CHART_H
#define REJUV_TUI_CHART_H

#include "tui/canvas/canvas.h"

#include <stdbool.h>
#include <stddef.h>

/* A bar of `columns` columns at (row, column), `share` 0 … 1 of it filled, in eighths of a column (ASCII:
 * whole columns of #). The rest is blank. A share above 0 shows at least one eighth. NaN: nothing. */
void chart_draw_bar(Canvas *canvas, Rect area, int row, int column, int columns, double share, Role role);

/* One curve; its glyph tells it apart without colour. */
typedef struct ChartSeries {
    const double *y;   /* [count]; NaN: no point here */
    const char *label; /* in the legend; NULL: none */
    const char *glyph; /* one column: "●", "×", "+"; NULL: one by its place in the list */
    Role role;
} ChartSeries;

typedef struct Chart {
    const double *x; /* [count], ascending */
    size_t count;
    const ChartSeries *series;
    size_t series_count;
    const char *title;    /* above, or NULL */
    const char *x_label;  /* below, or NULL */
    double mark;          /* an x to mark with a vertical line; NaN: none */
    double y_low, y_high; /* the range of y; both equal: from the data */
    bool logarithmic;     /* y by its logarithm, labelled with its values; no point where it is not above 0 */
} Chart;

/* Axes with the ends of both ranges, curves joined by lines (in braille, 2 × 4 dots a cell; ASCII, and a console whose font
 * has no braille: a dot a cell), the mark, a legend in the title's row. One curve in four rows or less is drawn as the upper edge of a surface, in eighths of a row. */
void chart_draw(Canvas *canvas, Rect area, const Chart *chart);

/* Vertical bars over the whole area, one bin a group of columns, in eighths of a row; heights scale to the
 * largest; `logarithmic` in log(1 + n). With two rows or more the last row has the labels `low` and `high`
 * (NULL: none). */
void chart_draw_histogram(Canvas *canvas, Rect area, const double *counts, size_t bins, bool logarithmic,
                          const char *low, const char *high, Role role);

/* One row: `count` values as ▁▂▃▄▅▆▇█ (ASCII: _.-=+*#@), from 0 to the largest; pooled by the largest where
 * the row has fewer columns. */
void chart_draw_spark(Canvas *canvas, Rect area, int row, int column, int columns, const double *values,
                      size_t count, Role role);

#endif
