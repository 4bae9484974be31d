/*
 * table — one description of a table, written three ways: aligned text for people, CSV (RFC 4180) for
 * spreadsheets, JSON for scripts. Views (`:numbers`) and batch commands both use it, so a figure has one name
 * everywhere.
 *
 *     static const TableColumn COLUMNS[] = {{"tensor", "tensor", "", TABLE_TEXT, 0},
 *                                           {"relative", "rel", "", TABLE_NUMBER, 4}};
 *     table_create(COLUMNS, 2, &table, error)
 *     table_add_row(table); table_add_text(table, name); table_add_number(table, 0.31);
 *     table_write(table, TABLE_AS_CSV, stdout, error)
 *
 * Adding never fails visibly: a table that ran out of memory, or a row with too few or too many cells or a
 * cell of the wrong type, is remembered and reported by table_write(). In text and CSV, text is in the
 * printable form of text_escape() (CSV keeps newlines, in quotes); in JSON it is exact, invalid UTF-8 as
 * U+FFFD, everything unprintable as \u escapes. NaN and infinities: nan, inf, -inf in text; "NaN",
 * "Infinity", "-Infinity" in JSON and, without quotes, in CSV. Numbers outside text have as many digits as
 * it takes to read the same double back.
 *
 * The room: a table described once, the tables of neurons and of modules, and the ways to write them. A Table is
 * its maker's, and one thread's at a time.
 */
#ifndef REJUV_TUI_TABLE_H
#define REJUV_TUI_TABLE_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum TableType { TABLE_TEXT, TABLE_NUMBER, TABLE_INTEGER, TABLE_BOOL } TableType;

typedef struct TableColumn {
    const char *key;   /* snake_case: JSON member and CSV head; stable */
    const char *label; /* head in text; NULL: the key */
    const char *unit;  /* shown after the label in text, as "label (unit)"; "" or NULL: none */
    TableType type;
    int digits; /* significant digits in text, for TABLE_NUMBER; 0: 4 */
} TableColumn;

typedef struct Table Table;

/* Keeps its own copy of the columns (the strings must outlive the table). */
Status table_create(const TableColumn *columns, size_t count, Table **table, Error *error) STATUS_MUST_CHECK;
void table_free(Table *table);

/* Cells are added in the order of the columns. Text is copied. */
void table_add_row(Table *table);
void table_add_text(Table *table, const char *text); /* NULL: an empty cell */
void table_add_bytes(Table *table, const char *text, size_t bytes);
void table_add_number(Table *table, double value);
void table_add_figure(Table *table, double value,
                      bool is_undefined); /* "-" where it has no value, in CSV and JSON NaN */
void table_add_integer(Table *table, int64_t value);
void table_add_bool(Table *table, bool value);
void table_add_empty(Table *table); /* nothing known: empty in text and CSV, null in JSON */

/* What went wrong while cells were added, if anything did. */
Status table_check(const Table *table, Error *error) STATUS_MUST_CHECK;

size_t table_row_count(const Table *table);
size_t table_column_count(const Table *table);
const TableColumn *table_column(const Table *table, size_t column); /* the table's own */

/* Sorts rows by a column, largest (or last) first when `descending`; equal rows keep their order, NaN and
 * empty cells come last. */
void table_sort(Table *table, size_t column, bool descending);

/* Keeps the first `rows` rows. */
void table_truncate(Table *table, size_t rows);

/* A cell as text mode writes it, for views that draw a Table. */
void table_cell_text(const Table *table, size_t row, size_t column, char *text, size_t size);

#endif
