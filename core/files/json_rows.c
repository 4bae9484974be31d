#include "core/files/json_rows.h"

#include "core/files/json.h"

#include <string.h>

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(JsonRows *cursor) {
    for (; cursor->at < cursor->end && (is_blank(*cursor->at) || *cursor->at == '\n'); cursor->at++)
        cursor->line += *cursor->at == '\n';
}

/* A file may be one array of rows, "[" or "[{…": taken for lines of text it would give rows that nobody meant. */
static bool begins_array(JsonRows cursor) {
    skip_blanks(&cursor);
    if (cursor.at == cursor.end || *cursor.at != '[') return false;
    for (cursor.at++; cursor.at < cursor.end && is_blank(*cursor.at);) cursor.at++;
    return cursor.at == cursor.end || *cursor.at == '{' || *cursor.at == '\n' || *cursor.at == ']';
}

JsonRows json_rows_begin(const char *text, size_t bytes) {
    static const char BYTE_ORDER_MARK[] = "\xef\xbb\xbf";
    size_t mark = sizeof BYTE_ORDER_MARK - 1;
    if (bytes < mark || memcmp(text, BYTE_ORDER_MARK, mark) != 0) mark = 0;
    JsonRows cursor = {.at = text + mark, .end = text + bytes, .line = 1};
    cursor.is_array = begins_array(cursor);
    if (!cursor.is_array) return cursor;
    skip_blanks(&cursor);
    cursor.at++;
    return cursor;
}

/* Lines without anything in them are none. False at the end. */
static bool next_line(JsonRows *cursor, JsonRow *row) {
    while (cursor->at < cursor->end) {
        const char *stop = memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at)), *first = cursor->at;
        *row = (JsonRow){.at = cursor->at, .line = cursor->line++};
        row->bytes = (size_t)((stop != NULL ? stop : cursor->end) - cursor->at);
        cursor->at += row->bytes + (stop != NULL ? 1 : 0);
        if (row->bytes > 0 && row->at[row->bytes - 1] == '\r') row->bytes--;
        while (first < row->at + row->bytes && is_blank(*first)) first++;
        row->is_json = first < row->at + row->bytes && *first == '{';
        if (first < row->at + row->bytes) return true;
    }
    return false;
}

/* The bytes of the value at the cursor, up to where its brackets close. */
static size_t measure_value(const JsonRows *cursor) {
    size_t depth = 0;
    bool is_quoted = false;
    for (const char *at = cursor->at; at < cursor->end; at++) {
        if (is_quoted) {
            if (*at == '\\')
                at++;
            else
                is_quoted = *at != '"';
            continue;
        }
        is_quoted = *at == '"';
        if (*at == '{' || *at == '[') depth++;
        if ((*at == '}' || *at == ']') && --depth == 0) return (size_t)(at + 1 - cursor->at);
    }
    return (size_t)(cursor->end - cursor->at);
}

static Status fail_array(const JsonRows *cursor, const char *expected, Error *error) {
    return status_fail(error, STATUS_FORMAT, "expected %s in the array of rows, found %s", expected,
                       cursor->at < cursor->end ? "something else" : "its end");
}

/* *found is false behind the last row. */
static Status next_of_array(JsonRows *cursor, JsonRow *row, bool *found, Error *error) {
    *found = false;
    skip_blanks(cursor);
    row->line = cursor->line;
    if (cursor->is_over)
        return cursor->at == cursor->end ? STATUS_OK : fail_array(cursor, "nothing more", error);
    if (cursor->at < cursor->end && *cursor->at == ']') {
        cursor->is_over = true;
        cursor->at++;
        return next_of_array(cursor, row, found, error);
    }
    if (cursor->count > 0) {
        if (cursor->at == cursor->end || *cursor->at != ',') return fail_array(cursor, "a comma", error);
        cursor->at++;
        skip_blanks(cursor);
    }
    row->line = cursor->line;
    if (cursor->at == cursor->end || *cursor->at != '{') return fail_array(cursor, "an object", error);
    *row = (JsonRow){.at = cursor->at, .bytes = measure_value(cursor), .line = cursor->line, .is_json = true};
    for (size_t i = 0; i < row->bytes; i++) cursor->line += row->at[i] == '\n';
    cursor->at += row->bytes;
    *found = true;
    return STATUS_OK;
}

Status json_rows_next(JsonRows *cursor, JsonRow *row, bool *found, Error *error) {
    *row = (JsonRow){0};
    Status status = STATUS_OK;
    if (cursor->is_array)
        status = next_of_array(cursor, row, found, error);
    else
        *found = next_line(cursor, row);
    cursor->count += status == STATUS_OK && *found;
    return status;
}

/* ---- parsing ---- */

/* cJSON's strings end at a NUL: a text that holds one, as it is or escaped, would be cut without a word. */
static bool holds_nul(const char *line, size_t bytes) {
    if (memchr(line, '\0', bytes) != NULL) return true;
    for (const char *at = line, *end = line + bytes; (at = memchr(at, '\\', (size_t)(end - at))) != NULL;) {
        if (end - at >= 6 && memcmp(at, "\\u0000", 6) == 0) return true;
        at += end - at >= 2 ? 2 : 1; /* what follows is escaped: a backslash, say */
    }
    return false;
}

Status json_rows_parse(const JsonRow *row, cJSON **object, Error *error) {
    *object = NULL;
    if (holds_nul(row->at, row->bytes))
        return status_fail(error, STATUS_UNSUPPORTED, "U+0000 in a text is not supported: give token ids");
    return json_parse(row->at, row->bytes, "a row on one line", object, error);
}
