/*
 * figure_contour — lines of equal value over the cells of a table, through the cells' middles, where values are known.
 * For figure_heatmap.c.
 */
#ifndef REJUV_TUI_FIGURE_CONTOUR_H
#define REJUV_TUI_FIGURE_CONTOUR_H

#include "tui/figures/figure_svg.h"

/* The line of `level` through places[rows × columns], of which NaN is not known; the first row is the upper one, the
 * cells fill `box`. Between middles places run straight. */
void figure_contour_draw(const double *places, size_t columns, size_t rows, double level, FigureBox box,
                         FigureLine line, FILE *file);

#endif
