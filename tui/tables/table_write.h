/*
 * table_write — a table written three ways: aligned text for people, CSV (RFC 4180) for spreadsheets, JSON for
 * scripts.
 */
#ifndef REJUV_TUI_TABLE_WRITE_H
#define REJUV_TUI_TABLE_WRITE_H

#include "tui/tables/table.h"

#include <stdio.h>

typedef enum TableFormat { TABLE_AS_TEXT, TABLE_AS_CSV, TABLE_AS_JSON } TableFormat;

/* Writes it; checks that the file took it. As text it has a head line and two spaces between columns, numbers to the
 * right. */
Status table_write(const Table *table, TableFormat format, FILE *file, Error *error) STATUS_MUST_CHECK;

/* The same into a file of that name: JSON when it ends in .json, aligned text in .txt, else CSV. */
Status table_write_file(const Table *table, const char *path, Error *error) STATUS_MUST_CHECK;

#endif
