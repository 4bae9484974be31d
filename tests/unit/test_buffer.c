/* Texts that grow. */
#include "core/support/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void what_stands_in_quotes_can_be_read_as_json_and_yaml(void **state) {
    static const struct {
        const char *text, *quoted;
    } CASES[] = {
        {"", "\"\""},
        {"a", "\"a\""},
        {"model.layers.0.weight", "\"model.layers.0.weight\""},
        {"say \"a\\b\"", "\"say \\\"a\\\\b\\\"\""},
        {"\"", "\"\\\"\""},
        {"a\nb\tc\x01"
         "d\x7f",
         "\"a\\u000ab\\u0009c\\u0001d\\u007f\""},
        {"Gr\xc3\xb6\xc3\x9f"
         "e",
         "\"Gr\xc3\xb6\xc3\x9f"
         "e\""},
        {"x\xc2\x85y\xc2\xa0z", "\"x\\u0085y\xc2\xa0z\""},
        {"\xe6\x97\xa5", "\"\xe6\x97\xa5\""},
        {"cut \xc2", "\"cut \xc2\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Buffer buffer = {0};
        buffer_add_quoted(&buffer, CASES[i].text);
        assert_false(buffer.failed);
        assert_string_equal(buffer.text, CASES[i].quoted);
        assert_int_equal(buffer.length, strlen(CASES[i].quoted));
        buffer_free(&buffer);
    }
}

static void a_piece_of_any_length_is_added_whole(void **state) {
    Buffer buffer = {0};
    char expected[4096] = "";
    size_t length = 0;
    (void)state;
    for (size_t piece = 0; piece < 64; piece++) {
        memset(expected + length, 'a' + (int)(piece % 26), piece);
        buffer_add(&buffer, expected + length, piece);
        length += piece;
        assert_int_equal(buffer.length, length);
    }
    assert_string_equal(buffer.text, expected);
    buffer_free(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_in_quotes_can_be_read_as_json_and_yaml),
        cmocka_unit_test(a_piece_of_any_length_is_added_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
