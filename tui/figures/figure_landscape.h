/*
 * figure_landscape — figures of the loss around a checkpoint: the line, the plane, sharpness. The plane shares its name
 * with that of two dials, and is asked for by --plane.
 */
#ifndef REJUV_TUI_FIGURE_LANDSCAPE_H
#define REJUV_TUI_FIGURE_LANDSCAPE_H

#include "tui/commands/batch_landscape.h"
#include "tui/figures/figure.h"

/* What `rejuv figure plane` makes with --plane. */
Status figure_landscape_make_plane(Batch *batch, const FigureSheet *sheet, Error *error) STATUS_MUST_CHECK;

/* Of a landscape that others measured; with a line at *mark, where it is not NULL. */
Status figure_landscape_draw_line(Batch *batch, const BatchLandscape *landscape, const double *mark,
                                  const FigureSheet *sheet, Error *error) STATUS_MUST_CHECK;
Status figure_landscape_draw_plane(Batch *batch, const BatchLandscape *landscape, const FigureSheet *sheet,
                                   Error *error) STATUS_MUST_CHECK;
Status figure_landscape_draw_sharpness(Batch *batch, const BatchLandscape *landscape,
                                       const FigureSheet *sheet, Error *error) STATUS_MUST_CHECK;

#endif
