/*
 * figure_write — how the kinds of figures write alike: the drawing to where it is asked for, and the labels in it.
 */
#ifndef REJUV_TUI_FIGURE_WRITE_H
#define REJUV_TUI_FIGURE_WRITE_H

#include "tui/commands/batch.h"
#include "tui/figures/figure_bars.h"
#include "tui/figures/figure_curves.h"
#include "tui/figures/figure_heatmap.h"

/* To the sheet's file; else to --out, or standard output. */
Status figure_write_heatmap(Batch *batch, const FigureHeatmap *map, const FigureSheet *sheet,
                            Error *error) STATUS_MUST_CHECK;
Status figure_write_bars(Batch *batch, const FigureBars *bars, const FigureSheet *sheet,
                         Error *error) STATUS_MUST_CHECK;
Status figure_write_curves(Batch *batch, const FigureCurves *curves, const FigureSheet *sheet,
                           Error *error) STATUS_MUST_CHECK;

/* "entropy (nat)"; "top-1 probability" where there is no unit. */
void figure_write_label(const char *name, const char *unit, char *text, size_t size);

#endif
