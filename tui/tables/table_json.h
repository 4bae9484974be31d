/*
 * table_json — how figures and texts leave the program in JSON: whole trees, and the rows of tables.
 */
#ifndef REJUV_TUI_TABLE_JSON_H
#define REJUV_TUI_TABLE_JSON_H

#include "tui/tables/table.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* A text as a JSON string, quotes included, in a block that the caller frees; NULL when out of memory. What
 * is unprintable or changes direction becomes \u escapes, a NUL byte among them; invalid UTF-8 U+FFFD. */
char *table_json_quote(const char *text, size_t bytes);

/* The rows as an array of objects, for a command that puts them in a larger document. Integers beyond 2^53
 * are exact. */
Status table_json_array(const Table *table, cJSON **array, Error *error) STATUS_MUST_CHECK;

/* Writes a tree, indented, ended by a newline: the one way JSON leaves this program. */
Status table_json_write(const cJSON *tree, FILE *file, Error *error) STATUS_MUST_CHECK;

/* The same of an object with a table's rows as its last member `key`; of the rows alone where `tree` is NULL. Each
 * row is a tree only while it is written: all of them at once take four times the table's memory. */
Status table_json_write_rows(const cJSON *tree, const char *key, const Table *table, FILE *file,
                             Error *error) STATUS_MUST_CHECK;

/* Flushes; STATUS_IO where anything written to the file was not taken. */
Status table_json_check_file(FILE *file, Error *error) STATUS_MUST_CHECK;

#endif
