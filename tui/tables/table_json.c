#include "tui/tables/table_json.h"

#include "core/files/disk.h"
#include "core/files/json.h"
#include "core/support/memory.h"
#include "tui/tables/table_internal.h"
#include "tui/text/format.h"
#include "tui/text/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 2, ESCAPE_LIMIT = 12 };

/* One character (or, when it is -1, a stray byte) as it stands in a JSON string; returns its length. */
static size_t escape_character(int32_t character, const char *input, size_t bytes,
                               char form[ESCAPE_LIMIT + 1]) {
    static const struct {
        int32_t character;
        const char *form;
    } SHORT[] = {{'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\t', "\\t"},
                 {'\r', "\\r"}, {'\b', "\\b"},  {'\f', "\\f"}};
    if (character < 0) character = 0xFFFD;
    for (size_t i = 0; i < sizeof SHORT / sizeof SHORT[0]; i++)
        if (SHORT[i].character == character)
            return (size_t)snprintf(form, ESCAPE_LIMIT + 1, "%s", SHORT[i].form);
    if (text_character_width(character) < 0 && character > 0xFFFF) {
        uint32_t rest = (uint32_t)character - 0x10000;
        return (size_t)snprintf(form, ESCAPE_LIMIT + 1, "\\u%04x\\u%04x", 0xD800U + (rest >> 10 & 0x3FF),
                                0xDC00U + (rest & 0x3FF));
    }
    if (text_character_width(character) < 0)
        return (size_t)snprintf(form, ESCAPE_LIMIT + 1, "\\u%04x", (unsigned)character & 0xFFFF);
    if (character == 0xFFFD) { /* it may stand for a stray byte: not what the input has */
        memcpy(form, "\xEF\xBF\xBD", 4);
        return 3;
    }
    memcpy(form, input, bytes);
    form[bytes] = '\0';
    return bytes;
}

char *table_json_quote(const char *text, size_t bytes) {
    size_t needed = 3, used = 0;
    char form[ESCAPE_LIMIT + 1], *quoted = NULL;
    for (int round = 0; round < 2; round++) { /* measures, then writes */
        if (round == 1) {
            quoted = memory_allocate(needed, 1);
            if (quoted == NULL) return NULL;
            quoted[used++] = '"';
        }
        for (size_t at = 0; at < bytes;) {
            int32_t character;
            size_t taken = text_decode(text + at, bytes - at, &character);
            size_t length = escape_character(character, text + at, taken, form);
            if (round == 0) {
                needed += length;
            } else {
                memcpy(quoted + used, form, length);
                used += length;
            }
            at += taken;
        }
    }
    quoted[used++] = '"';
    quoted[used] = '\0';
    return quoted;
}

/* ---- rows ---- */

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

static cJSON *row_to_json(const Table *table, size_t row) {
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
        cJSON *row = row_to_json(table, r);
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

static bool write_quoted(const char *text, FILE *file) {
    char *quoted = table_json_quote(text, strlen(text));
    if (quoted == NULL) return false;
    (void)fputs(quoted, file); /* ferror() is asked at the end, here and below */
    free(quoted);
    return true;
}

static bool is_simple(const cJSON *item) {
    const cJSON *child;
    if (!cJSON_IsArray(item) && !cJSON_IsObject(item)) return true;
    cJSON_ArrayForEach(child, item) {
        if (cJSON_IsArray(child) || cJSON_IsObject(child)) return false;
    }
    return true;
}

static void break_line(int depth, FILE *file) {
    (void)putc('\n', file);
    for (int i = 0; i < depth * INDENT; i++) (void)putc(' ', file);
}

static void write_number(double value, FILE *file) {
    char text[JSON_NUMBER_SIZE];
    (void)json_format_number(value, 1, text);
    (void)fprintf(file, isfinite(value) ? "%s" : "\"%s\"", text);
}

static bool write_item(const cJSON *item, int depth, FILE *file);

/* What comes before a child: a comma behind another, a line of its own, its name in an object. */
static bool begin_child(const char *key, bool is_first, bool lines, int depth, FILE *file) {
    if (!is_first) (void)fputs(lines ? "," : ", ", file);
    if (lines) break_line(depth, file);
    if (key != NULL && !write_quoted(key, file)) return false;
    if (key != NULL) (void)fputs(": ", file);
    return true;
}

static bool write_children(const cJSON *item, bool lines, int depth, FILE *file) {
    bool is_object = cJSON_IsObject(item);
    const cJSON *child;
    cJSON_ArrayForEach(child, item) {
        if (!begin_child(is_object ? child->string : NULL, child == item->child, lines, depth + 1, file) ||
            !write_item(child, depth + 1, file))
            return false;
    }
    return true;
}

/* Containers of scalars stand on one line, except the outermost. */
static bool write_item(const cJSON *item, int depth, FILE *file) {
    if (cJSON_IsString(item)) return write_quoted(item->valuestring, file);
    if (cJSON_IsNumber(item)) {
        write_number(item->valuedouble, file);
    } else if (cJSON_IsRaw(item)) {
        (void)fputs(item->valuestring, file);
    } else if (cJSON_IsArray(item) || cJSON_IsObject(item)) {
        bool object = cJSON_IsObject(item), lines = depth == 0 || !is_simple(item);
        (void)putc(object ? '{' : '[', file);
        if (!write_children(item, lines, depth, file)) return false;
        if (lines && item->child != NULL) break_line(depth, file);
        (void)putc(object ? '}' : ']', file);
    } else {
        (void)fputs(cJSON_IsTrue(item) ? "true" : cJSON_IsFalse(item) ? "false" : "null", file);
    }
    return true;
}

static bool write_rows(const Table *table, int depth, FILE *file) {
    bool complete = true;
    size_t count = table_row_count(table);
    (void)putc('[', file);
    for (size_t i = 0; i < count && complete; i++) {
        cJSON *row = row_to_json(table, i);
        complete = row != NULL && begin_child(NULL, i == 0, true, depth + 1, file) &&
                   write_item(row, depth + 1, file);
        cJSON_Delete(row);
    }
    if (count > 0) break_line(depth, file);
    (void)putc(']', file);
    return complete;
}

Status table_json_write_rows(const cJSON *tree, const char *key, const Table *table, FILE *file,
                             Error *error) {
    Status status = table_check(table, error);
    if (status != STATUS_OK) return status;
    bool complete = true;
    if (tree != NULL) {
        (void)putc('{', file);
        complete =
            write_children(tree, true, 0, file) && begin_child(key, tree->child == NULL, true, 1, file);
    }
    complete = complete && write_rows(table, tree != NULL ? 1 : 0, file);
    if (!complete) return memory_fail(error, "writing JSON");
    if (tree != NULL) {
        break_line(0, file);
        (void)putc('}', file);
    }
    (void)putc('\n', file);
    return table_json_check_file(file, error);
}

Status table_json_write(const cJSON *tree, FILE *file, Error *error) {
    if (!write_item(tree, 0, file)) return memory_fail(error, "writing JSON");
    (void)putc('\n', file);
    return table_json_check_file(file, error);
}

Status table_json_check_file(FILE *file, Error *error) {
    return disk_check_stream(file, "the output", error);
}
