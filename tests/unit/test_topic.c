/* Topics of `rejuv help`: their markup, as text of a terminal's width, as a section of the manual page. */
#include "tui/cli/command_table.h"
#include "tui/program/topic.h"
#include "tui/text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a topic becomes; the caller frees it. */
static char *render(const char *text, PageKind kind, int width) {
    char *output = NULL;
    size_t bytes = 0;
    Page page = {.file = open_memstream(&output, &bytes), .kind = kind, .width = width};
    assert_non_null(page.file);
    if (kind == PAGE_ROFF)
        topic_write_roff("name", text, page.file);
    else
        topic_write_text(text, &page);
    assert_int_equal(fclose(page.file), 0);
    return output;
}

static void assert_rendered(const char *text, PageKind kind, int width, const char *expected) {
    char *output = render(text, kind, width);
    assert_string_equal(output, expected);
    free(output);
}

/* ---- markup ---- */

static void assert_block(const char **text, TopicKind kind, const char *expected) {
    TopicBlock block;
    assert_true(topic_next(text, &block));
    assert_int_equal(block.kind, kind);
    assert_int_equal(block.bytes, strlen(expected));
    assert_memory_equal(block.text, expected, block.bytes);
}

static void a_text_is_read_block_by_block(void **state) {
    (void)state;
    const char *text =
        "# title\n\nfirst\nline\n- one\n  more\n- two\n\n    ex  ample\n    of two\n| a | b |\n|---|---|\n"
        "## head\nlast";
    TopicBlock block;
    assert_block(&text, TOPIC_TITLE, "title");
    assert_block(&text, TOPIC_PARAGRAPH, "first\nline");
    assert_block(&text, TOPIC_ITEM, "one\n  more");
    assert_block(&text, TOPIC_ITEM, "two");
    assert_block(&text, TOPIC_EXAMPLE, "    ex  ample\n    of two");
    assert_block(&text, TOPIC_TABLE, "| a | b |\n|---|---|");
    assert_block(&text, TOPIC_HEADING, "head");
    assert_block(&text, TOPIC_PARAGRAPH, "last");
    assert_false(topic_next(&text, &block));
    assert_false(topic_next(&text, &block));
}

/* ---- on a terminal ---- */

static void words_are_filled_in_up_to_the_width(void **state) {
    (void)state;
    assert_rendered("# t\n\none two three four\nfive\n", PAGE_UTF8, 15,
                    "t\n\n  one two three\n  four five\n");
    assert_rendered("# t\n\none two three four\nfive\n", PAGE_UTF8, 14,
                    "t\n\n  one two\n  three four\n  five\n");
    assert_rendered("# t\n\na word_too_long b\n", PAGE_UTF8, 10, "t\n\n  a\n  word_too_long\n  b\n");
}

static void items_are_one_list_and_a_heading_belongs_to_what_follows(void **state) {
    (void)state;
    assert_rendered("# t\n\n- one two\n  three\n- four\n\n## head\n\nlast\n", PAGE_UTF8, 12,
                    "t\n\n  - one two\n    three\n  - four\n\nhead\n  last\n");
}

static void no_line_break_parts_code_or_a_term(void **state) {
    (void)state;
    assert_rendered("# t\n\nabc `a b c` d\n", PAGE_UTF8, 10, "t\n\n  abc\n  `a b c`\n  d\n");
    assert_rendered("# t\n\nabc **a b c** d\n", PAGE_UTF8, 10, "t\n\n  abc\n  a b c d\n");
    assert_rendered("# t\n\n`**` is a power\n", PAGE_UTF8, 40, "t\n\n  `**` is a power\n");
}

static void an_example_stays_as_it_is(void **state) {
    (void)state;
    assert_rendered("# t\n\n    a  `b`  **c**\n      d\n", PAGE_UTF8, 8,
                    "t\n\n      a  `b`  **c**\n        d\n");
}

static void without_utf8_characters_are_spelled_out(void **state) {
    (void)state;
    assert_rendered("# t\n\nα ≤ ρ·M … → ★ “x” −\n", PAGE_ASCII, 60,
                    "t\n\n  alpha <= rho*M ... -> * \"x\" -\n");
    assert_rendered("# t\n\nα ≤ ρ·M …\n", PAGE_UTF8, 60, "t\n\n  α ≤ ρ·M …\n");
    /* what is wider when it is spelled out is filled in by that width */
    assert_rendered("# t\n\nα α α\n", PAGE_ASCII, 14, "t\n\n  alpha alpha\n  alpha\n");
}

/* ---- tables ---- */

static const char TABLE[] = "# t\n\n| k | what |\n|---|---|\n| `a` | one two three |\n| bb | |\n| | α |\n";

static void a_table_that_fits_is_as_wide_as_its_cells(void **state) {
    (void)state;
    assert_rendered(TABLE, PAGE_UTF8, 40,
                    "t\n\n  k    what\n  ---  -------------\n  `a`  one two three\n  bb\n       α\n");
}

static void cells_of_a_table_that_does_not_fit_go_on_below_themselves(void **state) {
    (void)state;
    assert_rendered(TABLE, PAGE_UTF8, 15,
                    "t\n\n  k    what\n  ---  --------\n  `a`  one two\n       three\n  bb\n       α\n");
    /* narrower than its longest words it is as wide as they are */
    assert_rendered(TABLE, PAGE_UTF8, 5,
                    "t\n\n  k    what\n  ---  -----\n  `a`  one\n       two\n       three\n  bb\n       α\n");
}

static void a_table_of_single_words_that_do_not_fit_is_as_wide_as_they_are(void **state) {
    (void)state;
    assert_rendered("# t\n\n| one | other |\n|---|---|\n| seven | eleven |\n", PAGE_UTF8, 10,
                    "t\n\n  one    other\n  -----  ------\n  seven  eleven\n");
}

static void an_empty_header_is_left_out(void **state) {
    (void)state;
    assert_rendered("# t\n\n| | |\n|---|---|\n| a | b |\n", PAGE_UTF8, 40, "t\n\n  a  b\n");
}

/* ---- in the manual page ---- */

static void what_roff_would_take_for_its_own_stays_text(void **state) {
    (void)state;
    assert_rendered("# the title\n\n.SH no request\n'nor this, a\\b --option 1.5\n", PAGE_ROFF, 0,
                    ".SH NAME\nthe title.\n.PP\n\\&.SH no request 'nor this, a\\eb \\-\\-option 1.5\n");
    assert_rendered("# t\n\n    .x\n    'y \\-\n", PAGE_ROFF, 0,
                    ".SH NAME\nt.\n.PP\n.RS 4\n.nf\n\\&.x\n\\&'y \\e\\-\n.fi\n.RE\n");
    assert_rendered("# t\n\n| .a | b |\n|---|---|\n| 'c | - |\n", PAGE_ROFF, 0,
                    ".SH NAME\nt.\n.PP\n.nf\n\\&.a  b\n\\-\\-  \\-\n\\&'c  \\-\n.fi\n");
}

static void marks_are_bold_and_blanks_between_them_do_not_break(void **state) {
    (void)state;
    assert_rendered("# t\n\n## A `b`\n- **a term**: `x y`, z\n", PAGE_ROFF, 0,
                    ".SH NAME\nt.\n.SS A \\fBb\\fR\n.IP \\(bu 2\n\\fBa\\ term\\fR: \\fBx\\ y\\fR, z\n");
}

/* ---- the topics there are ---- */

static void every_topic_has_a_title_and_a_name_of_its_own(void **state) {
    (void)state;
    assert_true(TOPIC_COUNT > 0);
    assert_null(topic_find("nonsense"));
    assert_null(topic_find(""));
    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        const char *text = topic_find(TOPIC_NAMES[i]);
        assert_non_null(text);
        assert_int_equal(command_table_find(TOPIC_NAMES[i]),
                         COMMAND_COUNT); /* `rejuv help NAME` means one of them */
        TopicBlock block = topic_title(text);
        assert_int_equal(block.kind, TOPIC_TITLE);
        assert_int_not_equal(block.text[block.bytes - 1], '.');
        size_t titles = 0;
        while (topic_next(&text, &block)) titles += block.kind == TOPIC_TITLE;
        assert_int_equal(titles, 1);
    }
}

static void assert_lines_fit(const char *name, const char *output, int width) {
    char line[1024];
    for (size_t length; *output != '\0'; output += length + 1) {
        length = strcspn(output, "\n");
        assert_true(length < sizeof line);
        (void)snprintf(line, sizeof line, "%.*s", (int)length, output);
        if (text_width(line) > width) fail_msg("%s: wider than %d columns: %s", name, width, line);
        if (length > 0 && line[length - 1] == ' ') fail_msg("%s: ends in a blank: %s", name, line);
    }
}

static size_t count(const char *text, char c) {
    size_t found = 0;
    for (; *text != '\0'; text++) found += *text == c;
    return found;
}

static void every_topic_fits_a_terminal_and_can_be_spelled_in_ascii(void **state) {
    (void)state;
    for (size_t i = 0; i < TOPIC_COUNT; i++) {
        const char *text = topic_find(TOPIC_NAMES[i]);
        char *utf8 = render(text, PAGE_UTF8, PAGE_WIDTH), *ascii = render(text, PAGE_ASCII, PAGE_WIDTH);
        assert_lines_fit(TOPIC_NAMES[i], utf8, PAGE_WIDTH);
        assert_lines_fit(TOPIC_NAMES[i], ascii, PAGE_WIDTH);
        for (const char *c = ascii; *c != '\0'; c++) assert_true((unsigned char)*c < 0x80);
        if (count(ascii, '?') != count(text, '?'))
            fail_msg("%s: not every character has a spelling", TOPIC_NAMES[i]);
        free(utf8);
        free(ascii);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_read_block_by_block),
        cmocka_unit_test(words_are_filled_in_up_to_the_width),
        cmocka_unit_test(items_are_one_list_and_a_heading_belongs_to_what_follows),
        cmocka_unit_test(no_line_break_parts_code_or_a_term),
        cmocka_unit_test(an_example_stays_as_it_is),
        cmocka_unit_test(without_utf8_characters_are_spelled_out),
        cmocka_unit_test(a_table_that_fits_is_as_wide_as_its_cells),
        cmocka_unit_test(cells_of_a_table_that_does_not_fit_go_on_below_themselves),
        cmocka_unit_test(a_table_of_single_words_that_do_not_fit_is_as_wide_as_they_are),
        cmocka_unit_test(an_empty_header_is_left_out),
        cmocka_unit_test(what_roff_would_take_for_its_own_stays_text),
        cmocka_unit_test(marks_are_bold_and_blanks_between_them_do_not_break),
        cmocka_unit_test(every_topic_has_a_title_and_a_name_of_its_own),
        cmocka_unit_test(every_topic_fits_a_terminal_and_can_be_spelled_in_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
