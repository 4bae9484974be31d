/*
 * table_json — how figures and texts leave the program in JSON; table.c and the batch commands share it.
 */
#ifndef REJUV_TUI_TABLE_JSON_H
#define REJUV_TUI_TABLE_JSON_H

#include "core/support/status.h"
#include "tui/tables/table.h"

#include <stddef.h>
#include <stdio.h>

/* A text as a JSON string, quotes included, in a block that the caller frees; NULL when out of memory. What
 * is unprintable or changes direction becomes \u escapes, a NUL byte among them; invalid UTF-8 U+FFFD. */
char *table_json_quote(const char *text, size_t bytes);

/* What went wrong while cells were added, if anything did. */
Status table_check(const Table *table, Error *error) STATUS_MUST_CHECK;

/* One row as an object, which the caller deletes; NULL when out of memory. */
cJSON *table_json_row(const Table *table, size_t row);

/* Flushes; STATUS_IO where anything written to the file was not taken. */
Status table_check_file(FILE *file, Error *error) STATUS_MUST_CHECK;

#endif
