/*
 * figure — figures for papers, one file figure_NAME.c for each kind. A kind measures what the batch commands
 * measure, by the same functions, and draws it (figure_write.h).
 *
 * The room: figures for papers, as SVG. A figure owns what it measured until it is written; main thread.
 */
#ifndef REJUV_TUI_FIGURE_H
#define REJUV_TUI_FIGURE_H

#include "tui/commands/batch.h"
#include "tui/figures/figure_curves.h"

enum { FIGURE_OPTIONS_MOST = 24, FIGURE_METRICS_MOST = FIGURE_PANELS_MOST };

typedef struct FigureKind {
    const char *name;
    const char *summary;                   /* one line */
    double width, height;                  /* millimetres, unless told */
    OptionId options[FIGURE_OPTIONS_MOST]; /* those of its own, as many as option_count */
    size_t option_count;
    bool takes_rungs; /* one SFT model or several; else one */

    /* Opens, measures, and hands what there is to figure_write_…(). */
    Status (*make)(Batch *batch, const FigureSheet *sheet, Error *error);
} FigureKind;

extern const FigureKind figure_layers, figure_spectrum, figure_sweep, figure_plane, figure_landscape,
    figure_sharpness, figure_ladder, figure_rungs;

/* Of the kinds that `rejuv figure` knows, in order; NULL from their number on. */
const char *figure_kind_name(size_t index);

#endif
