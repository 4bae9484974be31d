/* Paths as text, as URIs, from the root, and beside a file. */
#include "core/files/file_path.h"
#include "core/files/json.h"
#include "tests/scratch.h"

static char *to_uri(const char *path) {
    char *uri;
    assert_int_equal(file_path_to_uri(path, &uri, NULL), STATUS_OK);
    return uri;
}

/* The forms are those of Python 3.11's pathlib.PurePosixPath(…).as_uri(), bytes by os.fsdecode(). */
static void a_uri_holds_any_bytes_and_gives_them_back(void **state) {
    (void)state;
    static const struct {
        const char *path, *uri;
    } CASES[] = {{"/caf\xe9", "file:///caf%E9"},
                 {"/caf\xc3\xa9/m", "file:///caf%C3%A9/m"},
                 {"/a b#c?d%20", "file:///a%20b%23c%3Fd%2520"},
                 {"/x-._~/y", "file:///x-._~/y"},
                 {"/\n\x7f\xff", "file:///%0A%7F%FF"},
                 {"caf\xe9:/m", "caf%E9%3A/m"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *uri = to_uri(CASES[i].path), *path;
        assert_string_equal(uri, CASES[i].uri);
        assert_int_equal(file_path_from_uri(uri, &path, NULL), STATUS_OK);
        assert_string_equal(path, CASES[i].path);
        free(path);
        free(uri);
    }
}

static void what_is_no_uri_of_a_file_is_refused(void **state) {
    (void)state;
    static const char *const TEXTS[] = {
        "",           "/caf",        "file:/a",      "file://host/a", "http:///a",
        "file:///a%", "file:///a%0", "file:///a%zz", "file:///a%00b"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        char *path;
        Error error = {0};
        assert_int_equal(file_path_from_uri(TEXTS[i], &path, &error), STATUS_FORMAT);
        assert_non_null(strstr(error.message, "file:///PATH"));
    }
}

static void what_is_no_utf_8_is_replaced_in_text(void **state) {
    (void)state;
    static const struct {
        const char *path, *text;
    } CASES[] = {{"plain", NULL},
                 {"caf\xc3\xa9", NULL},
                 {"caf\xe9s", "caf\xEF\xBF\xBDs"},
                 {"\xff\xfe", "\xEF\xBF\xBD\xEF\xBF\xBD"},
                 {"cut\xe2\x82", "cut\xEF\xBF\xBD\xEF\xBF\xBD"},
                 {"\xed\xa0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}}; /* half a pair */
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char *text;
        assert_int_equal(file_path_is_text(CASES[i].path), CASES[i].text == NULL);
        assert_int_equal(file_path_text(CASES[i].path, &text, NULL), STATUS_OK);
        assert_string_equal(text, CASES[i].text != NULL ? CASES[i].text : CASES[i].path);
        free(text);
    }
}

static void a_path_is_a_member_and_one_more_where_it_is_no_text(void **state) {
    (void)state;
    static const char *const PATHS[] = {"/plain", "/caf\xe9"};
    for (size_t i = 0; i < 2; i++) {
        cJSON *tree = cJSON_CreateObject();
        char *path;
        assert_true(file_path_add(tree, "base", PATHS[i]));
        assert_int_equal(cJSON_GetArraySize(tree), i + 1);
        assert_int_equal(file_path_read(tree, "base", &path, NULL), STATUS_OK);
        assert_string_equal(path, PATHS[i]);
        free(path);
        assert_int_equal(file_path_read(tree, "sft", &path, NULL), STATUS_OK);
        assert_null(path);
        cJSON_Delete(tree);
    }
}

static void an_absolute_path_goes_through_links_and_stays_where_nothing_is(void **state) {
    (void)state;
    char *found, *wanted = realpath(scratch_path(""), NULL);
    assert_int_equal(mkdir(scratch_path("model"), 0777), 0);
    assert_int_equal(symlink("model", scratch_path("latest")), 0);
    assert_int_equal(file_path_absolute(scratch_path("./model/../latest"), &found, NULL), STATUS_OK);
    assert_int_equal(strncmp(found, wanted, strlen(wanted)), 0);
    assert_string_equal(found + strlen(wanted), "/model");
    free(found);
    free(wanted);
    assert_int_equal(file_path_absolute("/not/./here", &found, NULL), STATUS_OK);
    assert_string_equal(found, "/not/./here");
    free(found);
}

static void what_is_not_there_yet_is_named_from_where_we_are(void **state) {
    (void)state;
    char *found, *here = getcwd(NULL, 0);
    assert_non_null(here);
    assert_int_equal(file_path_absolute("not/here", &found, NULL), STATUS_OK);
    assert_int_equal(strncmp(found, here, strlen(here)), 0);
    assert_string_equal(found + strlen(here), "/not/here");
    free(found);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(file_path_absolute("not/here", &found, NULL), STATUS_OK);
    assert_string_equal(found, "/not/here");
    free(found);
    assert_int_equal(chdir(here), 0);
    free(here);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uri_holds_any_bytes_and_gives_them_back),
        cmocka_unit_test(what_is_no_uri_of_a_file_is_refused),
        cmocka_unit_test(what_is_no_utf_8_is_replaced_in_text),
        cmocka_unit_test(a_path_is_a_member_and_one_more_where_it_is_no_text),
        cmocka_unit_test(an_absolute_path_goes_through_links_and_stays_where_nothing_is),
        cmocka_unit_test(what_is_not_there_yet_is_named_from_where_we_are),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
