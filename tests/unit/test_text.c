/* What may be shown: widths, clusters, escapes. */
#include "tui/text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_escaped(const char *text, size_t bytes, unsigned flags, const char *expected) {
    char out[256];
    size_t needed = text_escape(text, bytes, flags, out, sizeof out);
    assert_string_equal(out, expected);
    assert_int_equal(needed, strlen(expected));
}

static void control_bytes_and_escape_sequences_become_visible(void **state) {
    (void)state;
    assert_escaped("a\x1b[31mb", 7, TEXT_PLAIN, "a\\x1b[31mb");
    assert_escaped("a\0b", 3, TEXT_PLAIN, "a\\x00b");
    assert_escaped("\a\x7f", 2, TEXT_PLAIN, "\\x07\\x7f");
    assert_escaped("\xc2\x9b", 2, TEXT_PLAIN, "\\u009b"); /* a one-character escape sequence introducer */
    assert_escaped("x\ty\r\n", 5, TEXT_PLAIN, "x\\ty\\r\\n");
}

static void invalid_utf8_becomes_hexadecimal(void **state) {
    (void)state;
    assert_escaped("\xff\xfe", 2, TEXT_PLAIN, "\\xff\\xfe");
    assert_escaped("\xc0\xaf", 2, TEXT_PLAIN, "\\xc0\\xaf");                   /* overlong */
    assert_escaped("\xed\xa0\x80", 3, TEXT_PLAIN, "\\xed\\xa0\\x80");          /* a surrogate */
    assert_escaped("\xe6\x97", 2, TEXT_PLAIN, "\\xe6\\x97");                   /* cut short, as tokens are */
    assert_escaped("\xf4\x90\x80\x80", 4, TEXT_PLAIN, "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
}

static void characters_that_hide_or_reorder_text_are_escaped(void **state) {
    (void)state;
    assert_escaped("a\u202eb", 5, TEXT_PLAIN, "a\\u202eb"); /* right-to-left override */
    assert_escaped("\u2066", 3, TEXT_PLAIN, "\\u2066");
    assert_escaped("\ufeff\u200b", 6, TEXT_PLAIN, "\\ufeff\\u200b");
    assert_escaped("\U000e0041", 4, TEXT_PLAIN, "\\U000e0041"); /* a tag character */
    assert_escaped("\u2028", 3, TEXT_PLAIN, "\\u2028");
}

static void white_space_is_shown_where_asked(void **state) {
    (void)state;
    assert_escaped(" a\n", 3, TEXT_SHOW_SPACES | TEXT_SHOW_NEWLINES, "·a⏎");
    assert_escaped(" a\n\t", 4, TEXT_SHOW_SPACES | TEXT_SHOW_NEWLINES | TEXT_ASCII, "_a\\n\\t");
    assert_escaped("\u00a0\u3000", 5, TEXT_SHOW_SPACES, "\\u00a0\\u3000");
    assert_escaped("a\nb", 3, TEXT_KEEP_NEWLINES, "a\nb");
}

static void ascii_mode_leaves_nothing_beyond_ascii(void **state) {
    (void)state;
    assert_escaped("é日\U0001f600", 9, TEXT_ASCII, "\\u00e9\\u65e5\\U0001f600");
}

static void what_does_not_fit_is_cut_at_a_whole_character(void **state) {
    char out[6];
    (void)state;
    assert_int_equal(text_escape("ab\x1b"
                                 "c",
                                 4, TEXT_PLAIN, out, sizeof out),
                     7);
    assert_string_equal(out, "ab"); /* the escape needs four bytes, three are left */
    assert_int_equal(text_escape("é日x", 6, TEXT_PLAIN, out, sizeof out), 6);
    assert_string_equal(out, "é日");
    assert_int_equal(text_escape("abc", 3, TEXT_PLAIN, out, 1), 3);
    assert_string_equal(out, "");
}

static void widths_are_columns_not_bytes(void **state) {
    (void)state;
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("é"), 1);
    assert_int_equal(text_width("e\u0301"), 1); /* combining acute */
    assert_int_equal(text_width("日本"), 4);
    assert_int_equal(text_width("\U0001f600"), 2);
    assert_int_equal(text_width("░▒▓█αρω→·"), 9);
    assert_int_equal(text_character_width(0x1b), -1);
    assert_int_equal(text_character_width(0x202e), -1);
    assert_int_equal(text_character_width(0x0301), 0);
}

static void a_cluster_is_a_base_with_its_marks(void **state) {
    TextCluster cluster = text_next("e\u0301x", 4);
    (void)state;
    assert_string_equal(cluster.text, "e\u0301");
    assert_int_equal(cluster.bytes, 3);
    assert_int_equal(cluster.width, 1);
    cluster = text_next("\u0301", 2); /* a mark alone stands on a circle */
    assert_string_equal(cluster.text, "\u25cc\u0301");
    cluster = text_next("\u2764\ufe0f!", 7); /* a variation selector is swallowed */
    assert_string_equal(cluster.text, "\u2764");
    assert_int_equal(cluster.bytes, 6);
    cluster = text_next("\x1b[2J", 4);
    assert_string_equal(cluster.text, "\ufffd");
    assert_int_equal(cluster.bytes, 1);
}

static void a_thousand_combining_marks_stay_in_one_cluster(void **state) {
    char text[2001] = "a";
    (void)state;
    for (int i = 0; i < 1000; i++) memcpy(text + 1 + 2 * i, "\u0301", 2);
    TextCluster cluster = text_next(text, sizeof text);
    assert_int_equal(cluster.bytes, sizeof text);
    assert_int_equal(strlen(cluster.text), 1 + 4 * 2);
}

static void shortening_ends_with_an_ellipsis_that_fits(void **state) {
    char text[32];
    (void)state;
    strcpy(text, "abcdef");
    text_shorten(text, sizeof text, 6, false);
    assert_string_equal(text, "abcdef");
    text_shorten(text, sizeof text, 4, false);
    assert_string_equal(text, "abc…");
    strcpy(text, "日本語");
    text_shorten(text, sizeof text, 4, false);
    assert_string_equal(text, "日…");
    text_shorten(text, sizeof text, 1, true);
    assert_string_equal(text, "~");
    text_shorten(text, sizeof text, 0, true);
    assert_string_equal(text, "");
    char tight[5] = "abcd";
    text_shorten(tight, sizeof tight, 3, false); /* the mark takes three bytes of four */
    assert_string_equal(tight, "a…");
}

static void appending_stops_at_a_whole_character(void **state) {
    char text[6] = "ab";
    (void)state;
    text_append(text, sizeof text, "c日");
    assert_string_equal(text, "abc");
    text_append(text, sizeof text, "é");
    assert_string_equal(text, "abcé");
    text_append(text, sizeof text, "x");
    assert_string_equal(text, "abcé");
}

static void every_sign_the_program_draws_has_an_ascii_form(void **state) {
    const char *drawn = "αρωΔ‖×·→←↑↓▸●─│┌┐└┘├┤┼…█▉▊▋▌▍▎▏░▒▓▁▂▃▄▅▆▇▲▼■○⏎≤";
    (void)state;
    for (size_t left = strlen(drawn); left > 0;) {
        int32_t character;
        size_t bytes = text_decode(drawn, left, &character);
        char ascii = text_to_ascii(character);
        assert_in_range(ascii, 0x21, 0x7e);
        assert_int_not_equal(ascii, '?');
        drawn += bytes;
        left -= bytes;
    }
    assert_int_equal(text_to_ascii(0x65e5), '?');
}

static void searching_is_case_smart(void **state) {
    (void)state;
    assert_true(text_find("Layers.4.K_proj", "k_proj"));
    assert_true(text_find("Layers.4.K_proj", "K_proj"));
    assert_false(text_find("layers.4.k_proj", "K_proj"));
    assert_true(text_find("abc", ""));
    assert_false(text_find("ab", "abc"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_bytes_and_escape_sequences_become_visible),
        cmocka_unit_test(invalid_utf8_becomes_hexadecimal),
        cmocka_unit_test(characters_that_hide_or_reorder_text_are_escaped),
        cmocka_unit_test(white_space_is_shown_where_asked),
        cmocka_unit_test(ascii_mode_leaves_nothing_beyond_ascii),
        cmocka_unit_test(what_does_not_fit_is_cut_at_a_whole_character),
        cmocka_unit_test(widths_are_columns_not_bytes),
        cmocka_unit_test(a_cluster_is_a_base_with_its_marks),
        cmocka_unit_test(a_thousand_combining_marks_stay_in_one_cluster),
        cmocka_unit_test(shortening_ends_with_an_ellipsis_that_fits),
        cmocka_unit_test(appending_stops_at_a_whole_character),
        cmocka_unit_test(every_sign_the_program_draws_has_an_ascii_form),
        cmocka_unit_test(searching_is_case_smart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
