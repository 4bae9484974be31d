/*
 * report_figures — the figures of a report, each drawn by the kind that draws it for papers, with its command.
 */
#ifndef REJUV_TUI_REPORT_FIGURES_H
#define REJUV_TUI_REPORT_FIGURES_H

#include "tui/report/report_data.h"
#include "tui/report/report_document.h"

typedef enum ReportFigure {
    REPORT_FIGURE_DRIFT,
    REPORT_FIGURE_SPECTRA,
    REPORT_FIGURE_DORMANCY,
    REPORT_FIGURE_SWEEP,
    REPORT_FIGURE_LINE,
    REPORT_FIGURE_PLANE,
    REPORT_FIGURE_SHARPNESS,
    REPORT_FIGURE_COUNT
} ReportFigure;

/* Adds the figure, its caption and the command that draws it alone. A figure that cannot be drawn of this pair (no
 * layers that are known, nothing that changed) is a sentence that says why. */
void report_figures_add(ReportDocument *document, const ReportData *data, ReportFigure figure);

#endif
