/*
 * figure_landscape — figures of the loss around a checkpoint: the line, the plane, sharpness. The plane shares its name
 * with that of two dials, and is asked for by --plane.
 */
#ifndef REJUV_TUI_FIGURE_LANDSCAPE_H
#define REJUV_TUI_FIGURE_LANDSCAPE_H

#include "tui/figures/figure.h"

/* What `rejuv figure plane` makes with --plane. */
Status figure_landscape_make_plane(Batch *batch, const FigureSheet *sheet, Error *error) STATUS_MUST_CHECK;

#endif
