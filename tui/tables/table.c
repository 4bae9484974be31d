#include "tui/tables/table.h"

#include "core/files/disk.h"
#include "core/files/json.h"
#include "core/support/memory.h"
#include "tui/tables/table_json.h"
#include "tui/text/format.h"
#include "tui/text/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct TableCell {
    bool empty;
    char *text; /* TABLE_TEXT: `bytes` bytes and a NUL */
    size_t bytes;
    double number;   /* TABLE_NUMBER */
    int64_t integer; /* TABLE_INTEGER, TABLE_BOOL */
} TableCell;

struct Table {
    TableColumn *columns;
    size_t column_count;
    TableCell **rows;
    size_t row_count, row_capacity;
    size_t filled; /* cells of the last row */
    Status status; /* the first thing that went wrong, and where */
    Error error;
};

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

void table_add_number(Table *table, double value) {
    TableCell *cell = next_cell(table, TABLE_NUMBER, false);
    if (cell != NULL) cell->number = value;
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

/* ---- writing ---- */

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
        (void)snprintf(text, size, "%s", format_number(cell->number, digits > 0 ? digits : 4, number));
        break;
    case TABLE_INTEGER:
        (void)snprintf(text, size, "%lld", (long long)cell->integer);
        break;
    case TABLE_BOOL:
        (void)snprintf(text, size, "%s", cell->integer != 0 ? "yes" : "no");
        break;
    }
}

/* The printable form of a text cell in a block of its own. */
static char *escape_cell(const TableCell *cell, unsigned flags) {
    char none[1];
    size_t bytes = text_escape(cell->text, cell->bytes, flags, none, 1);
    char *text = memory_allocate(bytes + 1, 1);
    if (text != NULL) (void)text_escape(cell->text, cell->bytes, flags, text, bytes + 1);
    return text;
}

static char *text_of_cell(const Table *table, size_t row, size_t column) {
    const TableCell *cell = &table->rows[row][column];
    if (table->columns[column].type == TABLE_TEXT && !cell->empty) return escape_cell(cell, TEXT_PLAIN);
    char text[64];
    table_cell_text(table, row, column, text, sizeof text);
    return memory_copy_text(text, strlen(text));
}

static void write_head(const TableColumn *column, char *text, size_t size) {
    const char *label = column->label != NULL ? column->label : column->key;
    bool unit = column->unit != NULL && column->unit[0] != '\0';
    (void)snprintf(text, size, unit ? "%s (%s)" : "%s%s", label, unit ? column->unit : "");
}

static void pad(FILE *file, int columns) {
    for (int i = 0; i < columns; i++) (void)putc(' ', file); /* ferror() is asked at the end */
}

static void write_padded(FILE *file, const char *text, int width, bool right, bool last) {
    int blanks = width - text_width(text);
    if (right) pad(file, blanks);
    (void)fputs(text, file);
    if (!right && !last) pad(file, blanks);
    (void)fputs(last ? "\n" : "  ", file);
}

static Status write_text(const Table *table, FILE *file, Error *error) {
    char head[128];
    size_t columns = table->column_count;
    int *widths = memory_allocate(columns, sizeof *widths);
    bool complete = widths != NULL;
    /* two rounds over the cells: one measures, one writes */
    for (int round = 0; round < 2 && complete; round++) {
        for (size_t c = 0; c < columns; c++) {
            write_head(&table->columns[c], head, sizeof head);
            if (round == 0)
                widths[c] = text_width(head);
            else
                write_padded(file, head, widths[c], table->columns[c].type > TABLE_TEXT, c + 1 == columns);
        }
        for (size_t i = 0; i < table->row_count * columns && complete; i++) {
            size_t c = i % columns;
            char *text = text_of_cell(table, i / columns, c);
            complete = text != NULL;
            if (!complete) break;
            if (round == 1)
                write_padded(file, text, widths[c], table->columns[c].type > TABLE_TEXT, c + 1 == columns);
            else if (text_width(text) > widths[c])
                widths[c] = text_width(text);
            free(text);
        }
    }
    free(widths);
    return complete ? STATUS_OK : memory_fail(error, "writing a table");
}

static void write_csv_text(const char *text, FILE *file) {
    if (strpbrk(text, ",\"\r\n") == NULL) {
        (void)fputs(text, file);
        return;
    }
    (void)putc('"', file);
    for (; *text != '\0'; text++) {
        if (*text == '"') (void)putc('"', file);
        (void)putc(*text, file);
    }
    (void)putc('"', file);
}

static Status write_csv_cell(const TableColumn *column, const TableCell *cell, FILE *file, Error *error) {
    char number[FORMAT_SIZE];
    if (cell->empty) return STATUS_OK;
    switch (column->type) {
    case TABLE_TEXT: {
        char *text = escape_cell(cell, TEXT_KEEP_NEWLINES);
        if (text == NULL) return memory_fail(error, "writing a table");
        write_csv_text(text, file);
        free(text);
        break;
    }
    case TABLE_NUMBER:
        (void)json_format_number(cell->number, 1, number);
        (void)fputs(number, file);
        break;
    case TABLE_INTEGER:
        (void)fprintf(file, "%lld", (long long)cell->integer);
        break;
    case TABLE_BOOL:
        (void)fputs(cell->integer != 0 ? "true" : "false", file);
        break;
    }
    return STATUS_OK;
}

static Status write_csv(const Table *table, FILE *file, Error *error) {
    for (size_t c = 0; c < table->column_count; c++) {
        if (c > 0) (void)putc(',', file);
        write_csv_text(table->columns[c].key, file);
    }
    (void)fputs("\r\n", file);
    for (size_t r = 0; r < table->row_count; r++) {
        for (size_t c = 0; c < table->column_count; c++) {
            if (c > 0) (void)putc(',', file);
            Status status = write_csv_cell(&table->columns[c], &table->rows[r][c], file, error);
            if (status != STATUS_OK) return status;
        }
        (void)fputs("\r\n", file);
    }
    return STATUS_OK;
}

Status table_check(const Table *table, Error *error) {
    if (table->status != STATUS_OK) return status_fail(error, table->status, "%s", table->error.message);
    if (table->filled == table->column_count) return STATUS_OK;
    return status_fail(error, STATUS_ARGUMENT, "row %zu has %zu cells; the table has %zu columns",
                       table->row_count, table->filled, table->column_count);
}

static cJSON *cell_to_json(const TableColumn *column, const TableCell *cell) {
    char number[FORMAT_SIZE];
    if (cell->empty) return cJSON_CreateNull();
    switch (column->type) {
    case TABLE_TEXT: { /* quoted already: cJSON's own strings end at a NUL */
        char *quoted = table_json_quote(cell->text, cell->bytes);
        cJSON *item = quoted == NULL ? NULL : cJSON_CreateRaw(quoted);
        free(quoted);
        return item;
    }
    case TABLE_NUMBER:
        return json_new_number(cell->number);
    case TABLE_INTEGER:
        (void)snprintf(number, sizeof number, "%lld", (long long)cell->integer);
        return cJSON_CreateRaw(number); /* beyond 2^53 a double would round it */
    case TABLE_BOOL:
        return cJSON_CreateBool(cell->integer != 0);
    }
    return NULL;
}

cJSON *table_json_row(const Table *table, size_t row) {
    cJSON *object = cJSON_CreateObject();
    bool complete = object != NULL;
    for (size_t c = 0; c < table->column_count && complete; c++)
        complete =
            json_add(object, table->columns[c].key, cell_to_json(&table->columns[c], &table->rows[row][c]));
    if (complete) return object;
    cJSON_Delete(object);
    return NULL;
}

Status table_json_array(const Table *table, cJSON **array, Error *error) {
    *array = NULL;
    Status status = table_check(table, error);
    if (status != STATUS_OK) return status;
    cJSON *made = cJSON_CreateArray();
    bool complete = made != NULL;
    for (size_t r = 0; r < table->row_count && complete; r++) {
        cJSON *row = table_json_row(table, r);
        complete = row != NULL && cJSON_AddItemToArray(made, row);
        if (!complete) cJSON_Delete(row);
    }
    if (!complete) {
        cJSON_Delete(made);
        return memory_fail(error, "a table as JSON");
    }
    *array = made;
    return STATUS_OK;
}

Status table_write(const Table *table, TableFormat format, FILE *file, Error *error) {
    Status status = table_check(table, error);
    if (status != STATUS_OK) return status;
    if (format == TABLE_AS_JSON) return table_json_write_rows(NULL, NULL, table, file, error);
    status = format == TABLE_AS_CSV ? write_csv(table, file, error) : write_text(table, file, error);
    return status == STATUS_OK ? table_check_file(file, error) : status;
}

Status table_write_file(const Table *table, const char *path, Error *error) {
    size_t length = strlen(path);
    TableFormat format = TABLE_AS_CSV;
    if (length > 5 && strcmp(path + length - 5, ".json") == 0) format = TABLE_AS_JSON;
    if (length > 4 && strcmp(path + length - 4, ".txt") == 0) format = TABLE_AS_TEXT;
    DiskFile file;
    Status status = disk_file_begin_new(&file, path, error);
    if (status != STATUS_OK) return status;
    status = table_write(table, format, file.stream, error);
    if (status == STATUS_OK) return disk_file_commit(&file, DISK_SYNC_NONE, error);
    disk_file_discard(&file);
    return status;
}
