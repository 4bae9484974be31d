#include "core/support/memory.h"
#include "tui/tables/table_internal.h"
#include "tui/text/format.h"
#include "tui/text/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Status table_create(const TableColumn *columns, size_t count, Table **table, Error *error) {
    Table *made = memory_allocate(1, sizeof *made);
    *table = NULL;
    if (made == NULL) return memory_fail(error, "a table");
    made->columns = memory_allocate(count, sizeof *columns);
    if (made->columns == NULL) {
        free(made);
        return memory_fail(error, "a table");
    }
    if (count > 0) memcpy(made->columns, columns, count * sizeof *columns);
    made->column_count = made->filled = count;
    *table = made;
    return STATUS_OK;
}

void table_free(Table *table) {
    if (table == NULL) return;
    table_truncate(table, 0);
    free(table->rows);
    free(table->columns);
    free(table);
}

static void free_row(const Table *table, TableCell *row) {
    for (size_t i = 0; i < table->column_count; i++) free(row[i].text);
    free(row);
}

void table_truncate(Table *table, size_t rows) {
    if (rows >= table->row_count) return;
    while (table->row_count > rows) free_row(table, table->rows[--table->row_count]);
    table->filled = table->column_count;
}

/* ---- adding ---- */

static void check_row(Table *table) {
    if (table->status == STATUS_OK && table->filled != table->column_count)
        table->status =
            status_fail(&table->error, STATUS_ARGUMENT, "row %zu has %zu cells; the table has %zu columns",
                        table->row_count, table->filled, table->column_count);
}

void table_add_row(Table *table) {
    check_row(table);
    if (table->status != STATUS_OK) return;
    TableCell *row = memory_allocate(table->column_count, sizeof *row);
    if (row == NULL) {
        table->status = memory_fail(&table->error, "a row of a table");
        return;
    }
    table->status = MEMORY_RESERVE(table->rows, &table->row_capacity, table->row_count + 1, &table->error);
    if (table->status != STATUS_OK) {
        free(row);
        return;
    }
    table->rows[table->row_count++] = row;
    table->filled = 0;
}

/* The next cell of the last row, if a value of this type fits there. */
static TableCell *next_cell(Table *table, TableType type, bool any_type) {
    if (table->status != STATUS_OK) return NULL;
    if (table->row_count == 0 || table->filled >= table->column_count) {
        table->status =
            status_fail(&table->error, STATUS_ARGUMENT, "a cell too many in row %zu", table->row_count);
        return NULL;
    }
    const TableColumn *column = &table->columns[table->filled];
    if (!any_type && column->type != type) {
        table->status =
            status_fail(&table->error, STATUS_ARGUMENT, "a value of another type in column %s of row %zu",
                        column->key, table->row_count);
        return NULL;
    }
    return &table->rows[table->row_count - 1][table->filled++];
}

void table_add_bytes(Table *table, const char *text, size_t bytes) {
    TableCell *cell = next_cell(table, TABLE_TEXT, false);
    if (cell == NULL) return;
    cell->text = memory_copy_text(text, bytes);
    cell->bytes = bytes;
    if (cell->text == NULL) table->status = memory_fail(&table->error, "a cell of a table");
}

void table_add_text(Table *table, const char *text) {
    if (text == NULL)
        table_add_empty(table);
    else
        table_add_bytes(table, text, strlen(text));
}

void table_add_figure(Table *table, double value, bool is_undefined) {
    TableCell *cell = next_cell(table, TABLE_NUMBER, false);
    if (cell == NULL) return;
    cell->number = is_undefined ? (double)NAN : value;
    cell->is_undefined = is_undefined;
}

void table_add_number(Table *table, double value) {
    table_add_figure(table, value, false);
}

void table_add_integer(Table *table, int64_t value) {
    TableCell *cell = next_cell(table, TABLE_INTEGER, false);
    if (cell != NULL) cell->integer = value;
}

void table_add_bool(Table *table, bool value) {
    TableCell *cell = next_cell(table, TABLE_BOOL, false);
    if (cell != NULL) cell->integer = value;
}

void table_add_empty(Table *table) {
    TableCell *cell = next_cell(table, TABLE_TEXT, true);
    if (cell != NULL) cell->empty = true;
}

size_t table_row_count(const Table *table) {
    return table->row_count;
}

size_t table_column_count(const Table *table) {
    return table->column_count;
}

const TableColumn *table_column(const Table *table, size_t column) {
    return &table->columns[column];
}

/* ---- sorting ---- */

static bool is_last(const TableCell *cell, TableType type) {
    return cell->empty || (type == TABLE_NUMBER && isnan(cell->number));
}

static int compare_cells(const TableCell *a, const TableCell *b, TableType type) {
    if (type == TABLE_TEXT) return strcmp(a->text, b->text);
    if (type == TABLE_NUMBER) return (a->number > b->number) - (a->number < b->number);
    return (a->integer > b->integer) - (a->integer < b->integer);
}

static bool belongs_before(const Table *table, const TableCell *a, const TableCell *b, size_t column,
                           bool descending) {
    TableType type = table->columns[column].type;
    bool a_last = is_last(&a[column], type), b_last = is_last(&b[column], type);
    if (a_last || b_last) return !a_last && b_last;
    int order = compare_cells(&a[column], &b[column], type);
    return descending ? order > 0 : order < 0;
}

/* Merges two sorted halves; stable. */
static void sort_rows(const Table *table, TableCell **rows, TableCell **spare, size_t count, size_t column,
                      bool descending) {
    if (count < 2) return;
    size_t half = count / 2, a = 0, b = half;
    sort_rows(table, rows, spare, half, column, descending);
    sort_rows(table, rows + half, spare, count - half, column, descending);
    for (size_t i = 0; i < count; i++) {
        bool second = a == half || (b < count && belongs_before(table, rows[b], rows[a], column, descending));
        spare[i] = second ? rows[b++] : rows[a++];
    }
    memcpy(rows, spare, count * sizeof(TableCell *));
}

void table_sort(Table *table, size_t column, bool descending) {
    check_row(table);
    if (table->status != STATUS_OK || column >= table->column_count || table->row_count < 2) return;
    TableCell **spare = memory_allocate(table->row_count, sizeof(TableCell *));
    if (spare == NULL) {
        table->status = memory_fail(&table->error, "sorting a table");
        return;
    }
    sort_rows(table, table->rows, spare, table->row_count, column, descending);
    free(spare);
}

/* ---- reading ---- */

void table_cell_text(const Table *table, size_t row, size_t column, char *text, size_t size) {
    const TableCell *cell = &table->rows[row][column];
    char number[FORMAT_SIZE];
    int digits = table->columns[column].digits;
    text[0] = '\0';
    if (cell->empty) return;
    switch (table->columns[column].type) {
    case TABLE_TEXT:
        (void)text_escape(cell->text, cell->bytes, TEXT_PLAIN, text, size);
        break;
    case TABLE_NUMBER:
        (void)snprintf(text, size, "%s",
                       cell->is_undefined ? "-"
                                          : format_number(cell->number, digits > 0 ? digits : 4, number));
        break;
    case TABLE_INTEGER:
        (void)snprintf(text, size, "%lld", (long long)cell->integer);
        break;
    case TABLE_BOOL:
        (void)snprintf(text, size, "%s", cell->integer != 0 ? "yes" : "no");
        break;
    }
}

Status table_check(const Table *table, Error *error) {
    if (table->status != STATUS_OK) return status_fail(error, table->status, "%s", table->error.message);
    if (table->filled == table->column_count) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "row %zu has %zu cells; the table has %zu columns",
                       table->row_count, table->filled, table->column_count);
}
