#include "core/files/json_edit.h"
#include "tests/scratch.h"

static void expect(const char *text, const char *key, const char *value, const char *wanted) {
    char *edited;
    Error error = {0};
    if (json_edit_member(text, key, value, "config.json", &edited, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_string_equal(edited, wanted);
    free(edited);
}

static void only_the_value_of_the_member_changes(void **state) {
    (void)state;
    expect("{\n \"eps\": 1e-06,\t\"theta\":500000.0, \"n\" : 5 , \"big\": 123456789012345678901}", "n", "6",
           "{\n \"eps\": 1e-06,\t\"theta\":500000.0, \"n\" : 6 , \"big\": 123456789012345678901}");
}

static void constants_of_python_stay_as_they_are(void **state) {
    (void)state;
    expect("{\"limit\": [0.0, Infinity], \"n\": NaN, \"m\": -Infinity}", "n", "6",
           "{\"limit\": [0.0, Infinity], \"n\": 6, \"m\": -Infinity}");
    expect("{\"limit\": [0.0, Infinity]}", "n", "6", "{\"limit\": [0.0, Infinity],\"n\": 6}");
}

static void members_of_inner_objects_are_left_alone(void **state) {
    (void)state;
    expect("{\"a\": {\"n\": 1, \"s\": \"}\\\"{\"}, \"n\": [1, {\"n\": 2}], \"z\": 0}", "n", "7",
           "{\"a\": {\"n\": 1, \"s\": \"}\\\"{\"}, \"n\": 7, \"z\": 0}");
}

static void a_member_that_is_there_twice_changes_twice(void **state) {
    (void)state;
    expect("{\"n\": 1, \"m\": 2, \"n\": 3}", "n", "\"x\"", "{\"n\": \"x\", \"m\": 2, \"n\": \"x\"}");
}

static void a_new_member_goes_behind_the_last_in_its_layout(void **state) {
    (void)state;
    expect("{\n  \"a\": 1,\n  \"b\": {\"c\": 2}\n}\n", "n", "true",
           "{\n  \"a\": 1,\n  \"b\": {\"c\": 2},\n  \"n\": true\n}\n");
    expect("{}", "n", "1", "{\"n\": 1}");
    expect(" { } ", "n", "1", " {\"n\": 1 } ");
    expect("{\"a\":1}", "n", "1", "{\"a\":1,\"n\": 1}");
}

static void what_is_no_object_is_refused(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"", "[1]", "{\"a\": }", "{\"a\": 1", "3", "{\"a\": 1} x"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        char *edited;
        Error error;
        assert_int_equal(json_edit_member(TEXTS[i], "n", "1", "config.json", &edited, &error), STATUS_FORMAT);
        assert_null(edited);
        assert_non_null(strstr(error.message, "config.json"));
    }
}

static void an_escaped_spelling_of_the_key_is_refused_rather_than_doubled(void **state) {
    (void)state;
    char *edited;
    Error error;
    assert_int_equal(json_edit_member("{\"\\u006e\": 1}", "n", "2", "config.json", &edited, &error),
                     STATUS_FORMAT);
    assert_null(edited);
}

static void expect_removed(const char *text, bool at_any_level, const char *wanted) {
    char *edited;
    Error error = {0};
    if (json_edit_remove(text, "q", at_any_level, "config.json", &edited, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_string_equal(edited, wanted);
    free(edited);
}

static void a_member_is_removed_with_one_comma(void **state) {
    (void)state;
    expect_removed("{\n  \"a\": 1e-06,\n  \"q\": {\"b\": [1, 2]},\n  \"z\": 3\n}\n", false,
                   "{\n  \"a\": 1e-06,\n  \"z\": 3\n}\n");
    expect_removed("{\n  \"q\": {},\n  \"z\": 3\n}", false, "{\n  \"z\": 3\n}");
    expect_removed("{\"a\": 1, \"q\": {\"x\": \"}\"}}", false, "{\"a\": 1}");
    expect_removed("{\"q\": {} }", false, "{ }");
    expect_removed("{\"q\": {}, \"q\": {}, \"a\": 1, \"q\": {}, \"q\": {}}", false, "{ \"a\": 1}");
    expect_removed("{\"a\": 1}", false, "{\"a\": 1}");
}

static void only_objects_and_only_where_asked_are_removed(void **state) {
    (void)state;
    expect_removed("{\"q\": 1, \"a\": {\"b\": {\"q\": {}, \"c\": 2}}}", false,
                   "{\"q\": 1, \"a\": {\"b\": {\"q\": {}, \"c\": 2}}}");
    expect_removed("{\"q\": 1, \"a\": {\"b\": {\"q\": {}, \"c\": 2}, \"q\": {\"q\": {}}}}", true,
                   "{\"q\": 1, \"a\": {\"b\": { \"c\": 2}}}");
    char *edited;
    Error error;
    assert_int_equal(json_edit_remove("{\"\\u0071\": {}}", "q", false, "config.json", &edited, &error),
                     STATUS_FORMAT);
    assert_null(edited);
    assert_int_equal(json_edit_remove("[]", "q", true, "config.json", &edited, &error), STATUS_FORMAT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_value_of_the_member_changes),
        cmocka_unit_test(constants_of_python_stay_as_they_are),
        cmocka_unit_test(members_of_inner_objects_are_left_alone),
        cmocka_unit_test(a_member_that_is_there_twice_changes_twice),
        cmocka_unit_test(a_new_member_goes_behind_the_last_in_its_layout),
        cmocka_unit_test(a_member_is_removed_with_one_comma),
        cmocka_unit_test(only_objects_and_only_where_asked_are_removed),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(an_escaped_spelling_of_the_key_is_refused_rather_than_doubled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
