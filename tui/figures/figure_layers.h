/*
 * figure_layers — layer by module as a heatmap, of what others measured: for pages that hold several figures.
 */
#ifndef REJUV_TUI_FIGURE_LAYERS_H
#define REJUV_TUI_FIGURE_LAYERS_H

#include "core/drift/drift.h"
#include "tui/figures/figure_method.h"
#include "tui/figures/figure_svg.h"

/* Of the batch's pair, which is open. STATUS_UNSUPPORTED where no tensor is a known module of a layer. */
Status figure_layers_draw_drift(Batch *batch, DriftMetric metric, DriftTable *drift, const FigureSheet *sheet,
                                Error *error) STATUS_MUST_CHECK;
Status figure_layers_draw_method(Batch *batch, const FigureMethod *method, const FigureSheet *sheet,
                                 Error *error) STATUS_MUST_CHECK;

#endif
