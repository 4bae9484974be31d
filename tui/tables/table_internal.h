/*
 * table_internal — what a Table is made of, for the files that write one.
 */
#ifndef REJUV_TUI_TABLE_INTERNAL_H
#define REJUV_TUI_TABLE_INTERNAL_H

#include "tui/tables/table.h"

typedef struct TableCell {
    bool empty, is_undefined;
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

#endif
