/* JSON string literals: what is read, what is refused, and that writing and reading are each other's inverse.
 */
#include "core/files/json_text.h"

/* clang-format off: cmocka.h needs the others before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
/* clang-format on */

static void expect_text(const char *literal, const char *expected, size_t expected_bytes) {
    char *text;
    size_t used, bytes;
    Error error;
    if (json_text_decode(literal, strlen(literal), &used, &text, &bytes, &error) != STATUS_OK)
        fail_msg("%s: %s", literal, error.message);
    assert_int_equal(bytes, expected_bytes);
    assert_memory_equal(text, expected, bytes);
    assert_int_equal(text[bytes], '\0');
    free(text);
}

static void expect_refusal(const char *literal, size_t length, const char *part) {
    char *text;
    size_t used, bytes;
    Error error;
    assert_int_equal(json_text_decode(literal, length, &used, &text, &bytes, &error), STATUS_FORMAT);
    assert_null(text);
    if (strstr(error.message, part) == NULL) fail_msg("%s", error.message);
}

static void expect_literal(const char *text, size_t bytes, const char *expected) {
    char *literal;
    Error error;
    assert_int_equal(json_text_encode(text, bytes, &literal, &error), STATUS_OK);
    assert_string_equal(literal, expected);
    free(literal);
}

static void plain_characters_stand_for_themselves(void **state) {
    (void)state;
    expect_text("\"\"", "", 0);
    expect_text("\"abc 日本 🙂\"", "abc 日本 🙂", strlen("abc 日本 🙂"));
}

static void every_escape_is_read(void **state) {
    (void)state;
    expect_text("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
    expect_text("\"\\u00e9\\u00E9\"", "éé", 4);
    expect_text("\"\\ud83d\\ude42\"", "🙂", 4);
    expect_text("\"a\\u0000b\"", "a\0b", 3);
}

static void the_end_of_the_literal_is_reported(void **state) {
    (void)state;
    char *text;
    size_t used, bytes;
    assert_int_equal(json_text_decode("\"ab\\u0041\" , 1", 15, &used, &text, &bytes, NULL), STATUS_OK);
    assert_int_equal(used, 10);
    assert_string_equal(text, "abA");
    free(text);
}

static void wrong_literals_are_refused_with_their_offset(void **state) {
    (void)state;
    static const char *const LITERALS[] = {
        "\"a\n\"",     "\"\\q\"",           "\"\\u12\"",     "\"\\u12g4\"",
        "\"\\ud800\"", "\"\\ud800x\"",      "\"\\udc00\"",   "\"\\ud800\\u0041\"",
        "\"a\xff\"",   "\"a\xed\xa0\x80\"", "\"a\xc0\x80\"", "\"\\"};
    for (size_t i = 0; i < sizeof LITERALS / sizeof *LITERALS; i++)
        expect_refusal(LITERALS[i], strlen(LITERALS[i]), "at byte ");
    expect_refusal("\"a\n\"", 4, "at byte 2");
}

static void a_literal_without_quotation_marks_is_refused(void **state) {
    (void)state;
    expect_refusal("", 0, "no quotation mark");
    expect_refusal("abc", 3, "no quotation mark");
    expect_refusal("\"abc", 4, "at the end");
    expect_refusal("\"abc\"", 4, "at the end"); /* the mark is beyond the given length */
}

static void what_is_written_is_one_printable_line(void **state) {
    (void)state;
    expect_literal("", 0, "\"\"");
    expect_literal("a\0\n\x1b\"\\\x7f", 7, "\"a\\u0000\\n\\u001b\\\"\\\\\\u007f\"");
    expect_literal("\xc2\x9b\xe2\x80\xa8", 5, "\"\\u009b\\u2028\"");
    expect_literal("é🙂", 6, "\"é🙂\"");
}

static void invalid_text_is_not_written(void **state) {
    (void)state;
    char *literal;
    Error error;
    assert_int_equal(json_text_encode("ab\x80", 3, &literal, &error), STATUS_FORMAT);
    assert_non_null(strstr(error.message, "offset 2"));
    assert_null(literal);
}

static void every_character_survives_writing_and_reading(void **state) {
    (void)state;
    char text[4];
    for (uint32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 0x101) {
        if (c >= 0xD800 && c <= 0xDFFF) continue;
        size_t count = 0, used, bytes;
        if (c < 0x80) {
            text[count++] = (char)c;
        } else {
            int tails = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
            text[count++] = (char)((tails == 1 ? 0xC0 : tails == 2 ? 0xE0 : 0xF0) | c >> (6 * tails));
            while (tails-- > 0) text[count++] = (char)(0x80 | (c >> (6 * tails) & 0x3F));
        }
        char *literal, *again;
        assert_int_equal(json_text_encode(text, count, &literal, NULL), STATUS_OK);
        assert_int_equal(json_text_decode(literal, strlen(literal), &used, &again, &bytes, NULL), STATUS_OK);
        assert_int_equal(bytes, count);
        assert_memory_equal(again, text, count);
        free(literal);
        free(again);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_characters_stand_for_themselves),
        cmocka_unit_test(every_escape_is_read),
        cmocka_unit_test(the_end_of_the_literal_is_reported),
        cmocka_unit_test(wrong_literals_are_refused_with_their_offset),
        cmocka_unit_test(a_literal_without_quotation_marks_is_refused),
        cmocka_unit_test(what_is_written_is_one_printable_line),
        cmocka_unit_test(invalid_text_is_not_written),
        cmocka_unit_test(every_character_survives_writing_and_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
