/*
 * report_json — how figures and texts leave the program in JSON; report.c and the batch commands share it.
 */
#ifndef REJUV_TUI_REPORT_JSON_H
#define REJUV_TUI_REPORT_JSON_H

#include "core/status.h"
#include "tui/report.h"

#include <stddef.h>
#include <stdio.h>

/* A text as a JSON string, quotes included, in a block that the caller frees; NULL when out of memory. What
 * is unprintable or changes direction becomes \u escapes, a NUL byte among them; invalid UTF-8 U+FFFD. */
char *report_quote(const char *text, size_t bytes);

/* Flushes; STATUS_IO where anything written to the file was not taken. */
Status report_check_file(FILE *file, Error *error) STATUS_MUST_CHECK;

#endif
