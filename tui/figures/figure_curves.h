/*
 * figure_curves — curves over one axis: one panel for each figure, side by side, with one legend below.
 *
 *     y label │       ╱        y label │ ╲
 *             │ ╌╌╌╌╌╱╌╌╌              │ ╌╌╲╌╌╌╌╌     ╌ a level: a value to compare with
 *             │___╱__┊____             │______╲┊_     ┊ the mark
 *                x label                  x label
 *                 ●─ W   ╌ base   ┈ SFT
 */
#ifndef REJUV_TUI_FIGURE_CURVES_H
#define REJUV_TUI_FIGURE_CURVES_H

#include "tui/figures/figure_scale.h"
#include "tui/figures/figure_svg.h"

enum { FIGURE_LEVELS_MOST = 2, FIGURE_PANELS_MOST = 12 };

typedef struct FigurePanel {
    const char *label;                 /* of the y axis, with its unit */
    FigureScale scale;                 /* of the y axis */
    const double *const *y;            /* [series]: [x_counts[series]]; NaN: not known */
    double levels[FIGURE_LEVELS_MOST]; /* NaN: none here */
} FigurePanel;

typedef struct FigureCurves {
    const char *x_label;
    FigureScale x_scale;
    size_t series_count;      /* at most FIGURE_SERIES_MOST */
    const char *const *names; /* [series], in the legend; any text */
    const double *const *x;   /* [series]: [x_counts[series]] */
    const size_t *x_counts;
    bool has_markers;

    const FigurePanel *panels;
    size_t panel_count; /* at most FIGURE_PANELS_MOST */
    const char *level_names[FIGURE_LEVELS_MOST];
    size_t level_count;

    bool has_mark; /* a line at x = mark */
    double mark;
    const char *mark_name;
} FigureCurves;

Status figure_curves_draw(const FigureCurves *curves, const FigureSheet *sheet, FILE *file,
                          Error *error) STATUS_MUST_CHECK;

#endif
