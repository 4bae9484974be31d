/*
 * report_write — a document as a page, as Markdown, as JSON. None needs more than the document; the same document gives
 * the same bytes.
 *
 *     HTML       well-formed as XML behind its <!DOCTYPE>; no script, nothing from elsewhere; figures in the page
 *     Markdown   tables as GitHub has them; a figure is its caption, and the command that draws it
 *     JSON       {"title", "sections": {KEY: {"title", "lead", "text": […], "tables": {KEY: {"caption", "rows"}},
 *                "figures": {KEY: {"caption"}}, "commands": […]}}}
 */
#ifndef REJUV_TUI_REPORT_WRITE_H
#define REJUV_TUI_REPORT_WRITE_H

#include "tui/report/report_document.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* The file is flushed, and STATUS_IO where it took not all. */
Status report_write_html(const ReportDocument *document, FILE *file, Error *error) STATUS_MUST_CHECK;
Status report_write_markdown(const ReportDocument *document, FILE *file, Error *error) STATUS_MUST_CHECK;

/* `tree` is an object to which title and sections are added; it stays the caller's. */
Status report_write_json(const ReportDocument *document, cJSON *tree, FILE *file,
                         Error *error) STATUS_MUST_CHECK;

#endif
