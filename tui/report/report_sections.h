/*
 * report_sections — what each section of a report says: report.c lists them.
 *
 *     report_sections.c         the pair and its weights: pair, preflight, drift, spectra, dormancy
 *     report_sections_output.c  what the models say: setting, output, sweep, landscape; recipe and limits
 */
#ifndef REJUV_TUI_REPORT_SECTIONS_H
#define REJUV_TUI_REPORT_SECTIONS_H

#include "tui/report/report_data.h"
#include "tui/report/report_document.h"

void report_sections_add_pair(ReportDocument *document, const ReportData *data);
void report_sections_add_preflight(ReportDocument *document, const ReportData *data);
void report_sections_add_drift(ReportDocument *document, const ReportData *data);
void report_sections_add_spectra(ReportDocument *document, const ReportData *data);
void report_sections_add_dormancy(ReportDocument *document, const ReportData *data);

void report_sections_add_setting(ReportDocument *document, const ReportData *data);
void report_sections_add_output(ReportDocument *document, const ReportData *data);
void report_sections_add_sweep(ReportDocument *document, const ReportData *data);
void report_sections_add_landscape(ReportDocument *document, const ReportData *data);
void report_sections_add_readiness(ReportDocument *document, const ReportData *data);
void report_sections_add_recipe(ReportDocument *document, const ReportData *data);
void report_sections_add_limits(ReportDocument *document, const ReportData *data);

/* ---- for both files ---- */

/* Creates a table for a section; NULL after a failure, which the document remembers. */
Table *report_sections_table(ReportDocument *document, const TableColumn *columns, size_t count);

/* The command that gives the same figures by itself; `words` as ReportCall has them. */
void report_sections_add_command(ReportDocument *document, const ReportData *data, CommandId command,
                                 const char *const *words, bool is_of_pair);

#endif
