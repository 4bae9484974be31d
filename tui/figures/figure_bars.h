/*
 * figure_bars — one bar for each of a few things, in a panel for each figure, side by side; with the figure's standard
 * error where there is one.
 *
 *     label │      ┬            label │ ▆▆
 *           │ ▆▆   █▆                 │ ██      ▃▃
 *           │ ██  ▆██   ▃▃            │ ██  ▅▅  ██
 *         0 ┼─██──███───██─         0 ┼─██──██──██─
 *            base SFT    W             base SFT  W
 */
#ifndef REJUV_TUI_FIGURE_BARS_H
#define REJUV_TUI_FIGURE_BARS_H

#include "tui/figures/figure_scale.h"
#include "tui/figures/figure_svg.h"

typedef struct FigureBarPanel {
    const char *label;    /* of the axis; any text */
    const double *values; /* [count]; NaN: not known, and no bar */
    const double *errors; /* [count]; NULL: none; NaN: not known */
} FigureBarPanel;

typedef struct FigureBars {
    const char *const *names; /* [count] */
    size_t count;             /* at most FIGURE_SERIES_MOST */
    const FigureBarPanel *panels;
    size_t panel_count;
    const char *note; /* a line below the figure */
} FigureBars;

Status figure_bars_draw(const FigureBars *bars, const FigureSheet *sheet, FILE *file,
                        Error *error) STATUS_MUST_CHECK;

#endif
