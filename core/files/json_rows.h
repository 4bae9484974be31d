/*
 * json_rows — the rows of a text: a line each, objects of JSON or anything else; or one array of objects, however it is
 * laid out.
 *
 *     JsonRows rows = json_rows_begin(text, bytes);
 *     while ((status = json_rows_next(&rows, &row, &found, error)) == STATUS_OK && found) …
 *
 * Rows borrow the text, which stays as it is.
 */
#ifndef REJUV_CORE_JSON_ROWS_H
#define REJUV_CORE_JSON_ROWS_H

#include "core/support/status.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the next row is looked for. */
typedef struct JsonRows {
    const char *at, *end;
    size_t line;  /* of `at`, from 1 */
    size_t count; /* rows before it */
    bool is_array, is_over;
} JsonRows;

/* One row: an object of JSON, or a line of another kind. */
typedef struct JsonRow {
    const char *at;
    size_t bytes, line;
    bool is_json;
} JsonRow;

/* A mark of byte order is passed over. */
JsonRows json_rows_begin(const char *text, size_t bytes);

/* *found is false behind the last row; lines without anything in them are none. STATUS_FORMAT for an array that is broken
 * between its rows; row->line says where, then too. */
Status json_rows_next(JsonRows *rows, JsonRow *row, bool *found, Error *error) STATUS_MUST_CHECK;

/* The object of a row that is_json, which the caller frees. STATUS_UNSUPPORTED for one with U+0000 in it: cJSON's texts end
 * there. */
Status json_rows_parse(const JsonRow *row, cJSON **object, Error *error) STATUS_MUST_CHECK;

#endif
