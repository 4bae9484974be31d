/*
 * figure_sweep — figures of the output space over a dial, of a sweep that others measured: for pages that hold several
 * figures.
 */
#ifndef REJUV_TUI_FIGURE_SWEEP_H
#define REJUV_TUI_FIGURE_SWEEP_H

#include "tui/commands/sweep.h"
#include "tui/figures/figure_svg.h"

/* A panel for each of metrics[count], keys of DISTRIBUTION_FIGURES and at most FIGURE_PANELS_MOST; with a line at *mark,
 * where it is not NULL. */
Status figure_sweep_draw(Batch *batch, const Sweep *sweep, const char *const *metrics, size_t count,
                         const double *mark, const FigureSheet *sheet, Error *error) STATUS_MUST_CHECK;

#endif
