/* JSON from files that nobody vouches for: what is read, what is refused, and how numbers are written. */
#include "core/json.h"
#include "scratch.h"

#include <math.h>

static Status parse(const char *text, size_t bytes, cJSON **tree, Error *error) {
    /* exactly these bytes and none behind them: the address sanitizer sees a step too far */
    char *exact = memory_allocate(bytes, 1);
    assert_non_null(exact);
    memcpy(exact, text, bytes);
    Status status = json_parse(exact, bytes, "the file", tree, error);
    free(exact);
    return status;
}

static cJSON *must_parse(const char *text) {
    cJSON *tree;
    Error error = {0};
    if (parse(text, strlen(text), &tree, &error) != STATUS_OK) fail_msg("%s", error.message);
    return tree;
}

static void must_refuse(const char *text, size_t bytes) {
    cJSON *tree = (cJSON *)&tree;
    Error error = {0};
    assert_int_equal(parse(text, bytes, &tree, &error), STATUS_FORMAT);
    assert_null(tree);
    assert_non_null(strstr(error.message, "the file"));
}

static void a_value_may_be_followed_by_space_and_nothing_else(void **state) {
    (void)state;
    cJSON_Delete(must_parse("{\"a\": 1} \n\r\t "));
    must_refuse("{} x", 4);
    must_refuse("{}{}", 4);
    must_refuse("1 2", 3);
    must_refuse("[1],", 4);
    must_refuse("{}\0{\"a\":1}", 10);
}

static void what_is_no_json_is_refused_with_a_place(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"",         " ",   "{",   "[1,",   "{\"a\"}",
                                        "{\"a\":}", "'a'", "nul", "\"abc", "{a:1}"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) must_refuse(TEXTS[i], strlen(TEXTS[i]));
    cJSON *tree;
    Error error;
    assert_int_equal(parse("{\"a\": !}", 8, &tree, &error), STATUS_FORMAT);
    assert_non_null(strstr(error.message, "byte 6 of 8"));
}

static void nesting_without_end_is_refused(void **state) {
    (void)state;
    char deep[200000];
    memset(deep, '[', sizeof deep);
    must_refuse(deep, sizeof deep);
    for (size_t i = 0; i + 5 <= sizeof deep; i += 5) memcpy(deep + i, "{\"a\":", 5);
    must_refuse(deep, sizeof deep);
}

static bool is_count(const char *text, uint64_t *value) {
    cJSON *tree = must_parse(text);
    bool yes = json_read_count(tree, value);
    cJSON_Delete(tree);
    return yes;
}

static void counts_are_exact_up_to_two_to_the_53(void **state) {
    (void)state;
    uint64_t value = 0;
    assert_true(is_count("0", &value) && value == 0);
    assert_true(is_count("-0", &value) && value == 0);
    assert_true(is_count("1e3", &value) && value == 1000);
    assert_true(is_count("9007199254740991", &value) && value == 9007199254740991U);
    static const char *const REFUSED[] = {"9007199254740992",
                                          "9007199254740993",
                                          "18446744073709551616",
                                          "1e999",
                                          "-1",
                                          "-1e-9",
                                          "0.5",
                                          "\"1\"",
                                          "true",
                                          "null",
                                          "[1]"};
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        value = 77;
        if (is_count(REFUSED[i], &value)) fail_msg("%s passed for a count", REFUSED[i]);
        assert_int_equal(value, 77); /* untouched */
    }
    assert_false(json_read_count(NULL, &value));
}

static void numbers_that_are_none_are_written_as_text(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } CASES[] = {{NAN, "\"NaN\""},
                 {-NAN, "\"NaN\""},
                 {INFINITY, "\"Infinity\""},
                 {-INFINITY, "\"-Infinity\""},
                 {0.1, "0.1"},
                 {1e300, "1e+300"},
                 {-2.5, "-2.5"},
                 {12345678, "12345678"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        cJSON *number = json_new_number(CASES[i].value);
        char *text = cJSON_PrintUnformatted(number);
        assert_string_equal(text, CASES[i].text);
        cJSON_free(text);
        cJSON_Delete(number);
    }
}

static void written_numbers_are_read_back_to_the_last_bit(void **state) {
    (void)state;
    static const double VALUES[] = {1.0 / 3.0, 0x1.fffffffffffffp-1022, 4.9e-324, 1.7976931348623157e308,
                                    0.1 + 0.2, 9007199254740991.0,      -1e-17};
    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++) {
        cJSON *number = json_new_number(VALUES[i]);
        char *text = cJSON_PrintUnformatted(number);
        cJSON *again = must_parse(text);
        assert_true(again->valuedouble == VALUES[i]);
        cJSON_Delete(again);
        cJSON_free(text);
        cJSON_Delete(number);
    }
}

static void a_member_of_another_type_counts_as_absent(void **state) {
    (void)state;
    cJSON *tree = must_parse("{\"n\": 1.5, \"t\": \"x\", \"b\": true, \"z\": null, \"N\": 2}");
    assert_true(json_get_number(tree, "n", 9.0) == 1.5);
    assert_true(json_get_number(tree, "N", 9.0) == 2.0); /* case matters */
    assert_true(json_get_number(tree, "t", 9.0) == 9.0);
    assert_true(json_get_number(tree, "none", 9.0) == 9.0);
    assert_string_equal(json_get_text(tree, "t", "y"), "x");
    assert_string_equal(json_get_text(tree, "n", "y"), "y");
    assert_true(json_get_bool(tree, "b", false));
    assert_true(json_get_bool(tree, "n", true));
    assert_null(json_find(tree, "z"));
    assert_null(json_find(NULL, "z"));
    assert_non_null(json_find(tree, "n"));
    cJSON_Delete(tree);
}

static void a_file_beyond_the_limit_is_refused_unread(void **state) {
    (void)state;
    scratch_write_text("ten", "[1,2,3,45]");
    char *path = scratch_path("ten");
    cJSON *tree;
    Error error = {0};
    assert_int_equal(json_read_file(path, 10, &tree, &error), STATUS_OK);
    cJSON_Delete(tree);
    assert_int_equal(json_read_file(path, 9, &tree, &error), STATUS_FORMAT);
    assert_null(tree);
    assert_non_null(strstr(error.message, "at most 9 bytes"));
    free(path);
}

static void what_is_no_regular_file_is_refused_and_not_waited_for(void **state) {
    (void)state;
    char *directory = scratch_path("directory/"), *pipe = scratch_path("pipe"), *none = scratch_path("none");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    const char *const paths[] = {directory, pipe, none};
    for (size_t i = 0; i < 3; i++) {
        char *text;
        size_t bytes;
        Error error = {0};
        Status status = json_read_text(paths[i], 100, &text, &bytes, &error);
        assert_int_equal(status, i < 2 ? STATUS_FORMAT : STATUS_IO);
        assert_null(text);
        assert_non_null(strstr(error.message, paths[i]));
    }
    free(directory);
    free(pipe);
    free(none);
}

static void the_text_of_a_file_ends_with_a_nul_beyond_its_bytes(void **state) {
    (void)state;
    scratch_write("bytes", "a\0b", 3);
    scratch_write("nothing", "", 0);
    char *path = scratch_path("bytes"), *text;
    size_t bytes;
    assert_int_equal(json_read_text(path, 3, &text, &bytes, NULL), STATUS_OK);
    assert_int_equal(bytes, 3);
    assert_memory_equal(text, "a\0b", 4);
    free(text);
    free(path);
    path = scratch_path("nothing");
    assert_int_equal(json_read_text(path, 3, &text, &bytes, NULL), STATUS_OK);
    assert_int_equal(bytes, 0);
    assert_string_equal(text, "");
    free(text);
    free(path);
}

static void an_object_is_built_member_by_member(void **state) {
    (void)state;
    cJSON *object = cJSON_CreateObject();
    assert_true(json_add_number(object, "n", NAN));
    assert_true(json_add_text(object, "t", "x"));
    assert_true(json_add_text(object, "none", NULL));
    assert_true(json_add_bool(object, "b", false));
    assert_false(json_add(object, "x", NULL)); /* what a failed allocation leaves */
    char *text = cJSON_PrintUnformatted(object);
    assert_string_equal(text, "{\"n\":\"NaN\",\"t\":\"x\",\"none\":null,\"b\":false}");
    cJSON_free(text);
    cJSON_Delete(object);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_may_be_followed_by_space_and_nothing_else),
        cmocka_unit_test(what_is_no_json_is_refused_with_a_place),
        cmocka_unit_test(nesting_without_end_is_refused),
        cmocka_unit_test(counts_are_exact_up_to_two_to_the_53),
        cmocka_unit_test(numbers_that_are_none_are_written_as_text),
        cmocka_unit_test(written_numbers_are_read_back_to_the_last_bit),
        cmocka_unit_test(a_member_of_another_type_counts_as_absent),
        cmocka_unit_test(a_file_beyond_the_limit_is_refused_unread),
        cmocka_unit_test(what_is_no_regular_file_is_refused_and_not_waited_for),
        cmocka_unit_test(the_text_of_a_file_ends_with_a_nul_beyond_its_bytes),
        cmocka_unit_test(an_object_is_built_member_by_member),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
