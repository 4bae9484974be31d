/*
 * report — one document of all that is measured of a pair and a setting: the sections, in order, as a table.
 *
 *     report_data.h ──► sections here ──► report_document.h ──► report_write.h: HTML, Markdown, JSON
 *           └──► report_verdict.h: rules, figures to sentences
 *
 * The room: a page of everything. It measures by what the batch commands measure with, and draws by the figures of
 * papers; main thread. Data, document and drawings are the command's, until they are written.
 */
#ifndef REJUV_TUI_REPORT_H
#define REJUV_TUI_REPORT_H

#include "tui/report/report_data.h"
#include "tui/report/report_document.h"

/* Of the sections, in order; NULL from their number on. */
const char *report_section_key(size_t index);

/* Which parts are measured, where these sections are left out (--skip). STATUS_ARGUMENT names what is near a key that there
 * is not. */
Status report_choose_parts(const Options *options, ReportParts *parts, Error *error) STATUS_MUST_CHECK;

/* All sections that there are figures for and that are not left out; report_document_check() tells what failed. */
void report_make(const ReportData *data, ReportDocument *document);

#endif
