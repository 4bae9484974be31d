#include "tui/tables/table_write.h"

#include "core/files/disk.h"
#include "core/files/json.h"
#include "core/support/memory.h"
#include "tui/tables/table_internal.h"
#include "tui/tables/table_json.h"
#include "tui/text/format.h"
#include "tui/text/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- text ---- */

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

/* ---- any form ---- */

Status table_write(const Table *table, TableFormat format, FILE *file, Error *error) {
    Status status = table_check(table, error);
    if (status != STATUS_OK) return status;
    if (format == TABLE_AS_JSON) return table_json_write_rows(NULL, NULL, table, file, error);
    status = format == TABLE_AS_CSV ? write_csv(table, file, error) : write_text(table, file, error);
    return status == STATUS_OK ? table_json_check_file(file, error) : status;
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
