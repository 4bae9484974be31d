/* One table, three ways of writing it. */
#include "core/files/json.h"
#include "tui/tables/table.h"
#include "tui/tables/table_json.h"
#include "tui/tables/table_write.h"
#include "tui/text/format.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const TableColumn COLUMNS[] = {{"tensor", NULL, NULL, TABLE_TEXT, 0},
                                      {"relative", "rel", "%", TABLE_NUMBER, 3},
                                      {"elements", NULL, "", TABLE_INTEGER, 0},
                                      {"equal", NULL, NULL, TABLE_BOOL, 0}};

static Table *make(void) {
    Table *table;
    assert_int_equal(table_create(COLUMNS, 4, &table, NULL), STATUS_OK);
    return table;
}

static void add(Table *table, const char *text, double number, int64_t integer, bool truth) {
    table_add_row(table);
    table_add_text(table, text);
    table_add_number(table, number);
    table_add_integer(table, integer);
    table_add_bool(table, truth);
}

static char *written(const Table *table, TableFormat format) {
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    Error error = {.message = ""};
    assert_non_null(file);
    Status status = table_write(table, format, file, &error);
    assert_int_equal(fclose(file), 0);
    if (status != STATUS_OK) fail_msg("%s", error.message);
    return text;
}

static void assert_written(const Table *table, TableFormat format, const char *expected) {
    char *text = written(table, format);
    assert_string_equal(text, expected);
    free(text);
}

static void text_is_aligned_with_figures_to_the_right(void **state) {
    Table *table = make();
    (void)state;
    add(table, "a.weight", 0.31271, 8192, false);
    add(table, "日本", NAN, 5, true);
    assert_written(table, TABLE_AS_TEXT,
                   "tensor    rel (%)  elements  equal\n"
                   "a.weight    0.313      8192     no\n"
                   "日本          nan         5    yes\n");
    table_free(table);
}

/* Not the same as a figure that came out as no number: nothing is wrong. Programs read it as one all the same. */
static void what_is_undefined_has_a_sign_of_its_own_for_people(void **state) {
    Table *table = make();
    (void)state;
    table_add_row(table);
    table_add_text(table, "equal");
    table_add_figure(table, 0.5, true);
    table_add_integer(table, 5);
    table_add_bool(table, true);
    assert_written(table, TABLE_AS_TEXT,
                   "tensor  rel (%)  elements  equal\n"
                   "equal         -         5    yes\n");
    assert_written(table, TABLE_AS_CSV,
                   "tensor,relative,elements,equal\r\n"
                   "equal,NaN,5,true\r\n");
    table_free(table);
}

static void csv_quotes_what_rfc_4180_says(void **state) {
    Table *table = make();
    (void)state;
    add(table, "plain", 0.1, INT64_MIN, true);
    add(table, "with,comma \"and quotes\"\nand a line", -INFINITY, 9007199254740993, false);
    table_add_row(table);
    for (int i = 0; i < 4; i++) table_add_empty(table);
    assert_written(table, TABLE_AS_CSV,
                   "tensor,relative,elements,equal\r\n"
                   "plain,0.1,-9223372036854775808,true\r\n"
                   "\"with,comma \"\"and quotes\"\"\nand a line\",-Infinity,9007199254740993,false\r\n"
                   ",,,\r\n");
    table_free(table);
}

static void json_is_an_array_of_objects_with_exact_figures(void **state) {
    Table *table = make();
    (void)state;
    add(table, "a\"b", 0.1, 9007199254740993, true);
    add(table, "c", NAN, -1, false);
    assert_written(
        table, TABLE_AS_JSON,
        "[\n"
        "  {\"tensor\": \"a\\\"b\", \"relative\": 0.1, \"elements\": 9007199254740993, \"equal\": true},\n"
        "  {\"tensor\": \"c\", \"relative\": \"NaN\", \"elements\": -1, \"equal\": false}\n"
        "]\n");
    table_free(table);
}

static void an_empty_table_is_still_valid(void **state) {
    Table *table = make();
    (void)state;
    assert_written(table, TABLE_AS_JSON, "[]\n");
    assert_written(table, TABLE_AS_CSV, "tensor,relative,elements,equal\r\n");
    table_free(table);
}

static void numbers_outside_text_read_back_to_the_same_bits(void **state) {
    static const double VALUES[] = {
        0.1, 1.0 / 3, 1e300, 5e-324, 123456789.123456789, -0.0, 0x1.fffffffffffffp-1, 4.1e-5};
    static const TableColumn ONE[] = {{"x", NULL, NULL, TABLE_NUMBER, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof VALUES / sizeof VALUES[0]; i++) {
        Table *table;
        assert_int_equal(table_create(ONE, 1, &table, NULL), STATUS_OK);
        table_add_row(table);
        table_add_number(table, VALUES[i]);
        char *csv = written(table, TABLE_AS_CSV), *json = written(table, TABLE_AS_JSON);
        double read = strtod(csv + 3, NULL);
        assert_memory_equal(&read, &VALUES[i], sizeof read);
        cJSON *tree;
        assert_int_equal(json_parse(json, strlen(json), "the table", &tree, NULL), STATUS_OK);
        double parsed = cJSON_GetObjectItem(cJSON_GetArrayItem(tree, 0), "x")->valuedouble;
        assert_memory_equal(&parsed, &VALUES[i], sizeof parsed);
        cJSON_Delete(tree);
        free(csv);
        free(json);
        table_free(table);
    }
}

static void no_format_lets_an_escape_sequence_through(void **state) {
    static const char HOSTILE[] = "a\x1b[2J\x07\0\xff\xc2\x9b\u202e\U000e0041z";
    Table *table = make();
    (void)state;
    table_add_row(table);
    table_add_bytes(table, HOSTILE, sizeof HOSTILE - 1);
    table_add_number(table, 1);
    table_add_integer(table, 1);
    table_add_bool(table, true);
    for (int format = TABLE_AS_TEXT; format <= TABLE_AS_JSON; format++) {
        char *text = written(table, (TableFormat)format);
        for (const char *c = text; *c != '\0'; c++)
            assert_true((unsigned char)*c >= 0x20 || *c == '\n' || *c == '\r');
        assert_null(strstr(text, "\xc2\x9b"));
        assert_null(strstr(text, "\u202e"));
        if (format == TABLE_AS_JSON)
            assert_non_null(strstr(text, "\"a\\u001b[2J\\u0007\\u0000\ufffd\\u009b\\u202e\\udb40\\udc41z\""));
        else
            assert_non_null(strstr(text, "a\\x1b[2J\\x07\\x00\\xff\\u009b\\u202e\\U000e0041z"));
        free(text);
    }
    table_free(table);
}

static void a_wrong_cell_is_reported_when_writing(void **state) {
    (void)state;
    for (int wrong = 0; wrong < 4; wrong++) {
        Table *table = make();
        Error error = {.message = ""};
        if (wrong == 3) table_add_text(table, "before any row");
        table_add_row(table);
        table_add_text(table, "x");
        if (wrong == 0) table_add_integer(table, 3); /* a number was due */
        if (wrong == 1) table_add_row(table);        /* three cells are missing */
        if (wrong >= 2) {
            table_add_number(table, 1);
            table_add_integer(table, 3);
        } /* 2: one is missing at the end */
        assert_int_equal(table_write(table, TABLE_AS_TEXT, stdout, &error), STATUS_ARGUMENT);
        assert_true(strlen(error.message) > 10);
        table_free(table);
    }
}

static void sorting_is_stable_and_puts_the_unknown_last(void **state) {
    static const double VALUES[] = {1, NAN, 3, 1, 2};
    (void)state;
    for (int descending = 0; descending < 2; descending++) {
        Table *table = make();
        for (int i = 0; i < 5; i++) add(table, "x", VALUES[i], i, true);
        table_sort(table, 1, descending == 1);
        char order[6] = "", cell[8];
        for (size_t row = 0; row < 5; row++) {
            table_cell_text(table, row, 2, cell, sizeof cell);
            strcat(order, cell);
        }
        assert_string_equal(order, descending == 1 ? "24031" : "03421");
        table_truncate(table, 2);
        assert_int_equal(table_row_count(table), 2);
        table_free(table);
    }
}

static void a_full_disk_is_an_error(void **state) {
    Table *table = make();
    Error error;
    FILE *full = fopen("/dev/full", "w");
    (void)state;
    if (full == NULL) skip();
    add(table, "x", 1, 1, true);
    assert_int_equal(table_write(table, TABLE_AS_CSV, full, &error), STATUS_IO);
    assert_int_equal(table_write(table, TABLE_AS_JSON, full, &error), STATUS_IO);
    (void)fclose(full);
    table_free(table);
}

static void a_file_that_exists_is_never_overwritten(void **state) {
    char name[] = "/tmp/rejuv-test-XXXXXX";
    Table *table = make();
    Error error;
    int file = mkstemp(name);
    (void)state;
    assert_true(file >= 0);
    assert_int_equal(table_write_file(table, name, &error), STATUS_IO);
    assert_int_equal(close(file), 0);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(table_write_file(table, name, &error), STATUS_OK);
    assert_int_equal(unlink(name), 0);
    table_free(table);
}

static void trees_are_indented_and_their_leaves_stay_on_one_line(void **state) {
    cJSON *tree = cJSON_Parse("{\"a\":[1,2.5,\"x\"],\"b\":{\"c\":{\"d\":null}},\"e\":[],\"f\":true}");
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    (void)state;
    assert_int_equal(table_json_write(tree, file, NULL), STATUS_OK);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(
        text,
        "{\n  \"a\": [1, 2.5, \"x\"],\n  \"b\": {\n    \"c\": {\"d\": null}\n  },\n  \"e\": [],\n  \"f\": true\n}\n");
    cJSON_Delete(tree);
    free(text);
}

/* The tree with the table put into it, and the two written side by side, are the same bytes. */
static void assert_rows_as_in_tree(const char *members, const Table *table) {
    cJSON *tree = cJSON_Parse(members), *array;
    char *whole = NULL, *apart = NULL;
    size_t bytes;
    Error error = {.message = ""};
    assert_non_null(tree);
    FILE *file = open_memstream(&apart, &bytes);
    assert_non_null(file);
    assert_int_equal(table_json_write_rows(tree, "rows", table, file, &error), STATUS_OK);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(table_json_array(table, &array, &error), STATUS_OK);
    assert_true(json_add(tree, "rows", array));
    file = open_memstream(&whole, &bytes);
    assert_non_null(file);
    assert_int_equal(table_json_write(tree, file, &error), STATUS_OK);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(apart, whole);
    cJSON_Delete(tree);
    free(whole);
    free(apart);
}

static void rows_written_one_by_one_are_those_of_the_tree(void **state) {
    (void)state;
    Table *table = make();
    assert_rows_as_in_tree("{}", table);
    assert_rows_as_in_tree("{\"a\": [1, {\"b\": []}], \"c\": {\"d\": null}}", table);
    add(table, "a \"quoted\"\ttext", 0.1, 9007199254740993, true);
    add(table, "b", NAN, -1, false);
    assert_rows_as_in_tree("{}", table);
    assert_rows_as_in_tree("{\"a\": [1, {\"b\": []}], \"c\": {\"d\": null}}", table);
    Error error = {.message = ""};
    table_add_row(table); /* with no cells */
    assert_int_equal(table_json_write_rows(NULL, NULL, table, stdout, &error), STATUS_ARGUMENT);
    table_free(table);
}

static void figures_are_written_as_people_read_them(void **state) {
    char text[FORMAT_SIZE];
    (void)state;
    assert_string_equal(format_number(0.31271, 4, text), "0.3127");
    assert_string_equal(format_number(0.000041, 2, text), "4.1e-05");
    assert_string_equal(format_number(12.5, 4, text), "12.50");
    assert_string_equal(format_number(123456, 4, text), "123456");
    assert_string_equal(format_number(0, 3, text), "0.00");
    assert_string_equal(format_number(0.00123, 2, text), "0.0012");
    assert_string_equal(format_number(0.0999999, 2, text), "0.10");
    assert_string_equal(format_number(-INFINITY, 2, text), "-inf");
    assert_string_equal(format_fit(0.3127, 4, text), ".313");
    assert_string_equal(format_fit(1234.5, 4, text), "1234");
    assert_string_equal(format_fit(1.9, 6, text), "1.9");
    assert_string_equal(format_column(1.9, 6, text), "1.9000");
    assert_string_equal(format_column(0.0157, 6, text), ".01570");
    assert_string_equal(format_column(17.773, 6, text), "17.773");
    assert_string_equal(format_column(0, 6, text), "0");
    assert_string_equal(format_column(-0.5, 6, text), "-.5000");
    assert_string_equal(format_count(8640, text), "8 640");
    assert_string_equal(format_count(1234567, text), "1 234 567");
    assert_string_equal(format_count(999, text), "999");
    assert_string_equal(format_short_count(1200000, text), "1.2M");
    assert_string_equal(format_short_count(999999, text), "1.0M");
    assert_string_equal(format_bytes(1.9e9, text), "1.9 GB");
    assert_string_equal(format_bytes(512, text), "512 B");
    assert_string_equal(format_duration(4, text), "0:04");
    assert_string_equal(format_duration(3723, text), "1:02:03");
    assert_string_equal(format_duration(NAN, text), "-:--");
    assert_string_equal(format_share(0.992, text), "99.2 %");
    assert_string_equal(format_share(1e-6, text), "<0.1 %");
    assert_string_equal(format_share(0.99999, text), ">99.9 %");
    assert_string_equal(format_share(1, text), "100.0 %");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_aligned_with_figures_to_the_right),
        cmocka_unit_test(what_is_undefined_has_a_sign_of_its_own_for_people),
        cmocka_unit_test(csv_quotes_what_rfc_4180_says),
        cmocka_unit_test(json_is_an_array_of_objects_with_exact_figures),
        cmocka_unit_test(an_empty_table_is_still_valid),
        cmocka_unit_test(numbers_outside_text_read_back_to_the_same_bits),
        cmocka_unit_test(no_format_lets_an_escape_sequence_through),
        cmocka_unit_test(a_wrong_cell_is_reported_when_writing),
        cmocka_unit_test(sorting_is_stable_and_puts_the_unknown_last),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(a_file_that_exists_is_never_overwritten),
        cmocka_unit_test(trees_are_indented_and_their_leaves_stay_on_one_line),
        cmocka_unit_test(rows_written_one_by_one_are_those_of_the_tree),
        cmocka_unit_test(figures_are_written_as_people_read_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
