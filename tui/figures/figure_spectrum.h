/*
 * figure_spectrum — singular values of changes, of spectra that others measured: for pages that hold several figures.
 */
#ifndef REJUV_TUI_FIGURE_SPECTRUM_H
#define REJUV_TUI_FIGURE_SPECTRUM_H

#include "core/drift/spectrum.h"
#include "tui/commands/batch.h"
#include "tui/figures/figure_svg.h"

/* A curve for each of spectra[count], at most FIGURE_SERIES_MOST. STATUS_UNSUPPORTED names one that is not finite, or of
 * no change. */
Status figure_spectrum_draw(Batch *batch, const Spectrum *spectra, size_t count, const FigureSheet *sheet,
                            Error *error) STATUS_MUST_CHECK;

#endif
