/*
 * figure — figures for papers, one file figure_NAME.c for each kind. A kind measures what the batch commands
 * measure, by the same functions, and draws it (figure_heatmap.h, figure_curves.h).
 *
 * The room: figures for papers, as SVG. A figure owns what it measured until it is written; main thread.
 */
#ifndef REJUV_TUI_FIGURE_H
#define REJUV_TUI_FIGURE_H

#include "tui/commands/batch.h"
#include "tui/figures/figure_curves.h"
#include "tui/figures/figure_heatmap.h"

enum { FIGURE_OPTIONS_MOST = 20, FIGURE_METRICS_MOST = FIGURE_PANELS_MOST };

typedef struct FigureKind {
    const char *name;
    const char *summary;                   /* one line */
    double width, height;                  /* millimetres, unless told */
    OptionId options[FIGURE_OPTIONS_MOST]; /* those of its own, as many as option_count */
    size_t option_count;

    /* Opens, measures, and hands what there is to figure_write_…(). */
    Status (*make)(Batch *batch, const FigureSheet *sheet, Error *error);
} FigureKind;

extern const FigureKind figure_layers, figure_spectrum, figure_sweep, figure_plane;

/* Of the kinds that `rejuv figure` knows, in order; NULL from their number on. */
const char *figure_kind_name(size_t index);

/* To --out, or standard output. */
Status figure_write_heatmap(Batch *batch, const FigureHeatmap *map, const FigureSheet *sheet,
                            Error *error) STATUS_MUST_CHECK;
Status figure_write_curves(Batch *batch, const FigureCurves *curves, const FigureSheet *sheet,
                           Error *error) STATUS_MUST_CHECK;

/* The texts of --metric in order, or `initial` where none is given. STATUS_ARGUMENT for more than `most`. */
Status figure_list_metrics(const Options *options, const char *const *initial, size_t initial_count,
                           size_t most, const char **keys, size_t *count, Error *error) STATUS_MUST_CHECK;

/* Which of the `count` keys it is; STATUS_ARGUMENT names what is near, or all. */
Status figure_find_metric(const char *key, const char *const *keys, size_t count, size_t *which,
                          Error *error) STATUS_MUST_CHECK;

/* "entropy (nat)"; "top-1 probability" where there is no unit. */
void figure_write_label(const char *name, const char *unit, char *text, size_t size);

#endif
