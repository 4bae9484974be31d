/* JSON from files that nobody vouches for: what is read, what is refused, and how numbers are written. */
#include "core/files/json.h"
#include "scratch.h"

#include <math.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* As json.loads() of Python 3.11 reads them: json.dumps() writes infinities and NaN so. */
static void constants_of_python_are_numbers_outside_of_strings(void **state) {
    (void)state;
    cJSON *tree = must_parse(
        "{\"a\": Infinity, \"b\": [-Infinity, 1e-6,NaN], \"Infinity\": \"NaN, \\\" -Infinity\","
        " \"c\": {\"d\": 7}}");
    const cJSON *list = json_find(tree, "b");
    assert_true(json_get_number(tree, "a", 0.0) == INFINITY);
    assert_true(cJSON_GetArrayItem(list, 0)->valuedouble == -INFINITY);
    assert_true(cJSON_GetArrayItem(list, 1)->valuedouble == 1e-6);
    assert_true(isnan(cJSON_GetArrayItem(list, 2)->valuedouble));
    assert_string_equal(json_get_text(tree, "Infinity", ""), "NaN, \" -Infinity");
    assert_true(json_get_number(json_find(tree, "c"), "d", 0.0) == 7.0);
    uint64_t count;
    assert_false(json_read_count(json_find(tree, "a"), &count));
    cJSON_Delete(tree);
    static const char *const OTHERS[] = {"Inf",   "[infinity]",         "[+Infinity]",
                                         "[nan]", "{\"a\": Infinity1}", "[NaN NaN]",
                                         "NaN!",  "Infinity Infinity",  "[- Infinity]"};
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) must_refuse(OTHERS[i], strlen(OTHERS[i]));
}

/* json.loads('{"a": 1, "a": 2}') == {"a": 2} */
static void of_members_of_one_name_the_last_counts(void **state) {
    (void)state;
    cJSON *tree = must_parse("{\"a\": 1, \"b\": 5, \"a\": 2}");
    assert_true(json_get_number(tree, "a", 0.0) == 2.0);
    cJSON_Delete(tree);
    tree = must_parse("{\"a\": 1, \"a\": null}");
    assert_null(json_find(tree, "a"));
    assert_true(cJSON_IsNull(json_find_any(tree, "a")));
    assert_null(json_find_any(tree, "b"));
    cJSON_Delete(tree);
}

static void a_number_keeps_whether_it_was_written_whole(void **state) {
    (void)state;
    scratch_write_text(
        "numbers.json",
        "{\"one\": [1, -20, 0], \"text\": \"3.5\", \"two\": [1.0, 1e3, 2E-5, NaN, -Infinity]}");
    char *path = scratch_path("numbers.json");
    cJSON *tree;
    Error error = {0};
    if (json_read_typed(path, 1000, &tree, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(path);
    const cJSON *item;
    cJSON_ArrayForEach(item, json_find(tree, "one"))
        assert_true(json_may_be_integer(item) && !json_may_be_float(item));
    cJSON_ArrayForEach(item, json_find(tree, "two"))
        assert_true(!json_may_be_integer(item) && json_may_be_float(item));
    assert_false(json_may_be_integer(json_find(tree, "text")) || json_may_be_float(json_find(tree, "text")));
    cJSON_Delete(tree);
    tree = must_parse("[1, 1.0]"); /* not kept: either */
    cJSON_ArrayForEach(item, tree) assert_true(json_may_be_integer(item) && json_may_be_float(item));
    cJSON_Delete(tree);
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

static void a_number_has_as_few_digits_as_give_it_back(void **state) {
    (void)state;
    static const struct {
        double value;
        int step, digits;
        const char *text;
    } CASES[] = {{0.1, 1, 15, "0.1"},
                 {-0.0, 1, 15, "-0"},
                 {1e22, 1, 15, "1e+22"},
                 {1.0 / 3.0, 1, 16, "0.3333333333333333"},
                 {1.0 / 3.0, 2, 17, "0.33333333333333331"},
                 {0.1 + 0.2, 1, 17, "0.30000000000000004"},
                 {-1.7976931348623157e308, 1, 17, "-1.7976931348623157e+308"},
                 {NAN, 1, 0, "NaN"},
                 {-INFINITY, 2, 0, "-Infinity"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[JSON_NUMBER_SIZE];
        assert_int_equal(json_format_number(CASES[i].value, CASES[i].step, text), CASES[i].digits);
        assert_string_equal(text, CASES[i].text);
    }
}

static size_t count(const char *text) {
    return json_count_values(text, strlen(text));
}

static void values_are_counted_without_parsing_them(void **state) {
    (void)state;
    assert_int_equal(count("1"), 1);
    assert_int_equal(count("[1,2,3]"), 4);
    assert_int_equal(count("{\"a\": [1, {\"b\": 2}], \"c\": null}"), 6);
    assert_int_equal(count("[\"a,b\\\",[{\"]"), 2); /* what is in a string is one value */
    assert_int_equal(count("\"never ended,,,,\\"), 1);
    assert_int_equal(count(""), 1);
}

static void a_text_of_too_many_values_is_refused_before_it_takes_memory(void **state) {
    (void)state;
    size_t bytes = 2 * (size_t)JSON_VALUE_LIMIT + 1;
    char *text = malloc(bytes);
    assert_non_null(text);
    for (size_t i = 0; i < bytes; i++) text[i] = i % 2 == 1 ? '0' : ',';
    text[0] = '[';
    text[bytes - 1] = ']';
    cJSON *tree;
    Error error = {0};
    assert_int_equal(json_parse(text, bytes, "the file", &tree, &error), STATUS_FORMAT);
    assert_null(tree);
    assert_non_null(strstr(error.message, "at most 12000000 JSON values, found 12000001"));
    free(text);
}

static void a_header_of_a_million_tensors_stays_below_that(void **state) {
    (void)state;
    static const char TENSOR[] =
        "\"model.layers.1.mlp.down_proj.weight\":{\"dtype\":\"BF16\","
        "\"shape\":[4096,1,3,3],\"data_offsets\":[100000000,100073728]}";
    size_t one = count(TENSOR); /* with the comma that would follow */
    assert_true(1000000 * one < JSON_VALUE_LIMIT);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OWN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_OWN_ALLOCATOR 1
#endif
#endif
#ifndef HAS_OWN_ALLOCATOR
#define HAS_OWN_ALLOCATOR 0
#endif

/* In a process of its own, whose memory is limited. */
static void memory_that_runs_out_is_not_malformed_json(void **state) {
    (void)state;
    if (HAS_OWN_ALLOCATOR) skip();
    enum { VALUES = 4000000 }; /* about 300 MB of tree */
    char *text = malloc(2 * VALUES + 1);
    assert_non_null(text);
    for (size_t i = 0; i < 2 * VALUES + 1; i++) text[i] = i % 2 == 1 ? '0' : ',';
    text[0] = '[';
    text[2 * VALUES] = ']';
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit limit = {100 << 20, 100 << 20};
        cJSON *tree;
        Error error = {0};
        if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(1);
        Status status = json_parse(text, 2 * VALUES + 1, "the file", &tree, &error);
        _exit(status == STATUS_NO_MEMORY && tree == NULL ? 0 : 2);
    }
    int result = -1;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    free(text);
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
        cmocka_unit_test(constants_of_python_are_numbers_outside_of_strings),
        cmocka_unit_test(of_members_of_one_name_the_last_counts),
        cmocka_unit_test(a_number_keeps_whether_it_was_written_whole),
        cmocka_unit_test(nesting_without_end_is_refused),
        cmocka_unit_test(counts_are_exact_up_to_two_to_the_53),
        cmocka_unit_test(numbers_that_are_none_are_written_as_text),
        cmocka_unit_test(written_numbers_are_read_back_to_the_last_bit),
        cmocka_unit_test(a_number_has_as_few_digits_as_give_it_back),
        cmocka_unit_test(values_are_counted_without_parsing_them),
        cmocka_unit_test(a_text_of_too_many_values_is_refused_before_it_takes_memory),
        cmocka_unit_test(a_header_of_a_million_tensors_stays_below_that),
        cmocka_unit_test(memory_that_runs_out_is_not_malformed_json),
        cmocka_unit_test(a_member_of_another_type_counts_as_absent),
        cmocka_unit_test(a_file_beyond_the_limit_is_refused_unread),
        cmocka_unit_test(what_is_no_regular_file_is_refused_and_not_waited_for),
        cmocka_unit_test(the_text_of_a_file_ends_with_a_nul_beyond_its_bytes),
        cmocka_unit_test(an_object_is_built_member_by_member),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
