/* The grid that views draw into. */
#include "tui/canvas/canvas.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const Theme COLOURED = {.depth = THEME_256};
static const Theme ASCII = {.depth = THEME_MONO, .ascii = true};

static Canvas *make(int rows, int columns, Theme theme) {
    Canvas *canvas;
    assert_int_equal(canvas_create(rows, columns, theme, &canvas, NULL), STATUS_OK);
    return canvas;
}

static void assert_shows(const Canvas *canvas, const char *expected) {
    char *text;
    assert_int_equal(canvas_to_text(canvas, &text, NULL), STATUS_OK);
    assert_string_equal(text, expected);
    free(text);
}

static void text_is_clipped_by_the_area_on_every_side(void **state) {
    Canvas *canvas = make(3, 6, COLOURED);
    Rect area = rect_make(1, 1, 1, 3);
    (void)state;
    assert_int_equal(canvas_write(canvas, area, 0, -1, ROLE_TEXT, "abcdefg"), 6);
    assert_int_equal(canvas_write(canvas, area, -1, 0, ROLE_TEXT, "above"), 5);
    (void)canvas_write(canvas, area, 1, 0, ROLE_TEXT, "below");
    assert_shows(canvas, "\n bc…\n\n");
    canvas_free(canvas);
}

static void text_that_goes_on_past_the_right_edge_is_marked(void **state) {
    static const struct {
        int column;
        const char *text, *shown;
    } TEXTS[] = {{0, "word", " word\n"},   {0, "words", " wor…\n"}, {0, "word   ", " word\n"},
                 {2, "an end", "   a…\n"}, {4, "then", "    …\n"},  {9, "far", "    …\n"},
                 {3, "│", "    │\n"},      {4, "│", "\n"},          {-1, "a wide", "  wi…\n"}};
    (void)state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        Canvas *canvas = make(1, 7, COLOURED);
        (void)canvas_print(canvas, rect_make(0, 1, 1, 4), 0, TEXTS[i].column, ROLE_TEXT, "%s", TEXTS[i].text);
        assert_shows(canvas, TEXTS[i].shown);
        canvas_free(canvas);
    }
}

static void raw_bytes_that_go_on_are_marked_once(void **state) {
    Canvas *canvas = make(1, 40, COLOURED);
    const char name[] = "a_name_of_forty_and_one_bytes_of_a_tensor\x1b"; /* pieces of it end within */
    (void)state;
    assert_int_equal(canvas_write_raw(canvas, canvas_area(canvas), 0, 0, ROLE_TEXT, TEXT_PLAIN, name, 40),
                     40);
    assert_shows(canvas, "a_name_of_forty_and_one_bytes_of_a_tenso\n");
    assert_int_equal(canvas_write_raw(canvas, canvas_area(canvas), 0, 0, ROLE_TEXT, TEXT_PLAIN, name, 42),
                     45);
    assert_shows(canvas, "a_name_of_forty_and_one_bytes_of_a_tens…\n");
    canvas_free(canvas);
}

static void words_that_go_on_below_are_marked(void **state) {
    (void)state;
    for (int rows = 1; rows <= 3; rows++) {
        static const char *const SHOWN[] = {"some …\n\n\n", "some\nwords…\n\n", "some\nwords\n\n"};
        Canvas *canvas = make(3, 6, COLOURED);
        const char *text = rows < 3 ? "some words more" : "some words";
        int end = canvas_write_wrapped(canvas, rect_make(0, 0, rows, 6), 0, ROLE_TEXT, text);
        assert_int_equal(end, canvas_count_wrapped(6, text));
        assert_shows(canvas, SHOWN[rows - 1]);
        canvas_free(canvas);
    }
}

static void empty_and_tiny_canvases_take_everything(void **state) {
    static const int SIZES[][2] = {{0, 0}, {1, 1}, {0, 5}, {5, 0}, {1, 2}};
    (void)state;
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        Canvas *canvas = make(SIZES[i][0], SIZES[i][1], COLOURED);
        Rect area = canvas_area(canvas);
        (void)canvas_write(canvas, area, 0, 0, ROLE_TEXT, "日本語 text");
        (void)canvas_write_right(canvas, area, 0, area.columns, ROLE_TEXT, "text");
        canvas_write_field(canvas, area, 0, 0, 10, true, ROLE_TEXT, "text");
        (void)canvas_write_wrapped(canvas, area, 0, ROLE_TEXT, "some words to break");
        (void)canvas_write_raw(canvas, area, 0, 0, ROLE_TEXT, TEXT_PLAIN, "\x1b", 1);
        Rect inside = canvas_frame(canvas, area, "title");
        assert_true(inside.rows >= 0 && inside.columns >= 0);
        canvas_restyle(canvas, rect_make(-5, -5, 100, 100), ROLE_SELECTED);
        canvas_erase(canvas, rect_make(-5, -5, 100, 100));
        canvas_set_cursor(canvas, area, 3, 3);
        assert_int_equal(canvas->cursor_row, -1);
        char *text;
        assert_int_equal(canvas_to_text(canvas, &text, NULL), STATUS_OK);
        free(text);
        canvas_free(canvas);
    }
}

static void a_wide_character_cut_by_an_edge_becomes_spaces(void **state) {
    Canvas *canvas = make(1, 3, COLOURED);
    (void)state;
    (void)canvas_write(canvas, canvas_area(canvas), 0, 0, ROLE_TEXT, "a日日");
    assert_shows(canvas, "a …\n");
    canvas_write_styled(canvas, canvas_area(canvas), 0, 0, canvas_cell(canvas, 0, 0)->style, "a日日");
    assert_shows(canvas, "a日\n");
    (void)canvas_write(canvas, canvas_area(canvas), 0, -1, ROLE_TEXT, "日b ");
    assert_string_equal(canvas_cell(canvas, 0, 0)->text, " ");
    assert_shows(canvas, " b\n");
    canvas_free(canvas);
}

static void overwriting_half_of_a_wide_character_blanks_the_other_half(void **state) {
    Canvas *canvas = make(1, 4, COLOURED);
    Rect area = canvas_area(canvas);
    (void)state;
    (void)canvas_write(canvas, area, 0, 0, ROLE_TEXT, "日本");
    (void)canvas_write(canvas, area, 0, 1, ROLE_TEXT, "x");
    assert_shows(canvas, " x本\n");
    (void)canvas_write(canvas, area, 0, 2, ROLE_TEXT, "y");
    assert_shows(canvas, " xy\n");
    (void)canvas_write(canvas, area, 0, 1, ROLE_TEXT, "日");
    (void)canvas_write(canvas, area, 0, 0, ROLE_TEXT, "本");
    assert_shows(canvas, "本\n");
    canvas_free(canvas);
}

static void nothing_unprintable_reaches_a_cell(void **state) {
    Canvas *canvas = make(1, 40, COLOURED);
    (void)state;
    (void)canvas_write(canvas, canvas_area(canvas), 0, 0, ROLE_TEXT, "a\x1b[2J\x07\n\xff\u202eb");
    for (int c = 0; c < 40; c++) {
        const char *text = canvas_cell(canvas, 0, c)->text;
        int32_t character;
        size_t bytes = text_decode(text, strlen(text), &character);
        assert_int_equal(bytes, strlen(text));
        assert_true(text_character_width(character) > 0);
    }
    assert_shows(canvas, "a\ufffd[2J\ufffd\ufffd\ufffd\ufffdb\n");
    canvas_free(canvas);
}

static void raw_bytes_are_escaped_and_columns_counted(void **state) {
    Canvas *canvas = make(1, 40, COLOURED);
    (void)state;
    assert_int_equal(canvas_write_raw(canvas, canvas_area(canvas), 0, 0, ROLE_TEXT,
                                      TEXT_SHOW_SPACES | TEXT_SHOW_NEWLINES, " We\x1b\n", 5),
                     8);
    assert_shows(canvas, "·We\\x1b⏎\n");
    canvas_free(canvas);
}

static void long_raw_text_is_written_whole(void **state) {
    enum { COUNT = 3000 };
    char bytes[COUNT];
    Canvas *canvas = make(1, 3 * COUNT, COLOURED);
    (void)state;
    for (int i = 0; i < COUNT; i += 3) memcpy(bytes + i, "日", 3);
    assert_int_equal(canvas_write_raw(canvas, canvas_area(canvas), 0, 0, ROLE_TEXT, TEXT_PLAIN, bytes, COUNT),
                     COUNT / 3 * 2);
    canvas_free(canvas);
}

static void an_ascii_canvas_holds_ascii_column_for_column(void **state) {
    Canvas *canvas = make(3, 12, ASCII);
    (void)state;
    assert_int_equal(canvas_write(canvas, canvas_area(canvas), 0, 0, ROLE_TEXT, "α→é日e\u0301|"), 7);
    (void)canvas_frame(canvas, rect_make(1, 0, 2, 4), NULL);
    (void)canvas_write_raw(canvas, canvas_area(canvas), 1, 5, ROLE_TEXT, TEXT_SHOW_SPACES, " é", 3);
    assert_shows(canvas, "a>???e|\n+--+ _\\u00e9\n+--+\n");
    canvas_free(canvas);
}

static void fields_are_padded_shortened_and_aligned(void **state) {
    Canvas *canvas = make(4, 10, COLOURED);
    Rect area = canvas_area(canvas);
    (void)state;
    canvas_fill_row(canvas, area, 0, 0, 10, ROLE_TEXT, "x");
    canvas_write_field(canvas, area, 0, 2, 5, false, ROLE_TEXT, "ab");
    canvas_write_field(canvas, area, 1, 0, 5, true, ROLE_TEXT, "ab");
    canvas_write_field(canvas, area, 2, 0, 5, false, ROLE_TEXT, "abcdefg");
    canvas_write_field(canvas, area, 3, 0, 4, true, ROLE_TEXT, "日本語");
    assert_shows(canvas, "xxab   xxx\n   ab\nabcd…\n日…\n");
    canvas_free(canvas);
}

static void a_field_cut_on_its_left_keeps_its_columns(void **state) {
    Canvas *canvas = make(1, 6, COLOURED);
    (void)state;
    canvas_write_field(canvas, canvas_area(canvas), 0, -2, 5, false, ROLE_TEXT, "abcde");
    assert_shows(canvas, "cde\n");
    canvas_free(canvas);
}

static void words_wrap_and_newlines_break(void **state) {
    Canvas *canvas = make(6, 8, COLOURED);
    (void)state;
    assert_int_equal(
        canvas_write_wrapped(canvas, canvas_area(canvas), 0, ROLE_TEXT, "one two three\n\nabcdefghij"), 5);
    assert_shows(canvas, "one two\nthree\n\nabcdefgh\nij\n\n");
    canvas_free(canvas);
}

static void restyling_adds_attributes_and_keeps_text(void **state) {
    Canvas *canvas = make(1, 3, COLOURED);
    (void)state;
    (void)canvas_write(canvas, canvas_area(canvas), 0, 0, ROLE_GOOD, "ok");
    Style before = canvas_cell(canvas, 0, 0)->style;
    canvas_restyle(canvas, canvas_area(canvas), ROLE_SELECTED);
    Style after = canvas_cell(canvas, 0, 0)->style;
    assert_int_equal(after.foreground, before.foreground);
    assert_true((after.attributes & THEME_REVERSE) != 0);
    assert_shows(canvas, "ok\n");
    canvas_free(canvas);
}

static void a_frame_goes_around_and_gives_what_is_inside(void **state) {
    Canvas *canvas = make(3, 12, COLOURED);
    (void)state;
    Rect inside = canvas_frame(canvas, canvas_area(canvas), "drift");
    assert_shows(canvas, "┌─ drift ──┐\n│          │\n└──────────┘\n");
    assert_int_equal(inside.row, 1);
    assert_int_equal(inside.columns, 10);
    assert_int_equal(inside.rows, 1);
    canvas_free(canvas);
}

static void cuts_never_exceed_the_rest(void **state) {
    Rect area = rect_make(0, 0, 5, 10);
    (void)state;
    Rect head = rect_cut_top(&area, 1), foot = rect_cut_bottom(&area, 2), side = rect_cut_right(&area, 4);
    assert_int_equal(head.rows, 1);
    assert_int_equal(foot.row, 3);
    assert_int_equal(side.column, 6);
    assert_int_equal(area.columns, 6);
    Rect all = rect_cut_left(&area, 100);
    assert_int_equal(all.columns, 6);
    assert_true(rect_is_empty(area));
    assert_int_equal(rect_cut_top(&area, -3).rows, 0);
}

static void panes_share_the_width_evenly(void **state) {
    (void)state;
    for (int width = 0; width < 50; width++) {
        int end = 0;
        for (int i = 0; i < 3; i++) {
            Rect pane = rect_pane(rect_make(0, 0, 4, width), i, 3, 2);
            if (i > 0 && width >= 4) assert_int_equal(pane.column, end + 2);
            assert_true(pane.columns >= (width - 4) / 3 &&
                        pane.columns <= (width > 4 ? (width - 4) / 3 + 1 : 0));
            end = pane.column + pane.columns;
        }
        if (width >= 4) assert_int_equal(end, width);
    }
}

static void resizing_clears(void **state) {
    Canvas *canvas = make(1, 3, COLOURED);
    (void)state;
    (void)canvas_write(canvas, canvas_area(canvas), 0, 0, ROLE_TEXT, "abc");
    assert_int_equal(canvas_resize(canvas, 2, 2, NULL), STATUS_OK);
    assert_shows(canvas, "\n\n");
    assert_int_equal(canvas_resize(canvas, -1, 2, NULL), STATUS_OK);
    assert_shows(canvas, "");
    canvas_free(canvas);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_clipped_by_the_area_on_every_side),
        cmocka_unit_test(text_that_goes_on_past_the_right_edge_is_marked),
        cmocka_unit_test(words_that_go_on_below_are_marked),
        cmocka_unit_test(raw_bytes_that_go_on_are_marked_once),
        cmocka_unit_test(empty_and_tiny_canvases_take_everything),
        cmocka_unit_test(a_wide_character_cut_by_an_edge_becomes_spaces),
        cmocka_unit_test(overwriting_half_of_a_wide_character_blanks_the_other_half),
        cmocka_unit_test(nothing_unprintable_reaches_a_cell),
        cmocka_unit_test(raw_bytes_are_escaped_and_columns_counted),
        cmocka_unit_test(long_raw_text_is_written_whole),
        cmocka_unit_test(an_ascii_canvas_holds_ascii_column_for_column),
        cmocka_unit_test(fields_are_padded_shortened_and_aligned),
        cmocka_unit_test(a_field_cut_on_its_left_keeps_its_columns),
        cmocka_unit_test(words_wrap_and_newlines_break),
        cmocka_unit_test(restyling_adds_attributes_and_keeps_text),
        cmocka_unit_test(a_frame_goes_around_and_gives_what_is_inside),
        cmocka_unit_test(cuts_never_exceed_the_rest),
        cmocka_unit_test(panes_share_the_width_evenly),
        cmocka_unit_test(resizing_clears),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
