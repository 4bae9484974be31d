/*
 * figure_heatmap — a table of numbers as coloured cells with labels on both axes and a colour bar.
 *
 *     y label │ ┌──┬──┬──┬──┬──┐   ▐ 0.20
 *         up  ─ │  │  │  │  │  │   ▐ 0.10
 *       gate  ─ │  │  │  │  │  │   ▐ 0.05   bar label
 *             │ └──┴──┴──┴──┴──┘   ▐ 0.00
 *                0  1  2  3  4
 *                   x label
 *
 * The first row is the upper one. A value that is not known (NaN) is a light cell with a stroke through it; one
 * beyond the bar's ends has the end's colour.
 */
#ifndef REJUV_TUI_FIGURE_HEATMAP_H
#define REJUV_TUI_FIGURE_HEATMAP_H

#include "tui/figures/figure_scale.h"
#include "tui/figures/figure_svg.h"

typedef struct FigureHeatmapAxis {
    const char *label;        /* "layer"; any text */
    const char *const *names; /* [count] of the cells: written as many as there is room for, evenly */
    size_t count;
} FigureHeatmapAxis;

/* A frame around a cell; a dashed one stands within a whole one, so that both can be around the same. */
typedef struct FigureHeatmapMark {
    size_t x, y;
    bool is_dashed;
} FigureHeatmapMark;

enum { FIGURE_MARKS_MOST = 2, FIGURE_NOTES_MOST = 3 };

typedef struct FigureHeatmap {
    FigureHeatmapAxis x, y;
    const double *values; /* [y.count × x.count] */
    const char *bar_label;
    FigureScale scale; /* of the colours */
    FigureRamp ramp;
    /* lines of equal value at the bar's ticks; names are then those of the cells' middles */
    bool has_contours;
    FigureHeatmapMark marks[FIGURE_MARKS_MOST];
    size_t mark_count;
    const char *notes[FIGURE_NOTES_MOST]; /* lines below the figure */
    size_t note_count;
} FigureHeatmap;

/* One more frame, and the line below the figure that says what it is around. */
void figure_heatmap_add_mark(FigureHeatmap *map, FigureHeatmapMark mark, const char *note);

Status figure_heatmap_draw(const FigureHeatmap *map, const FigureSheet *sheet, FILE *file,
                           Error *error) STATUS_MUST_CHECK;

#endif
