/* The line of keys and the help, made from the live keymap. */
#include "tests/unit/keymap_fixture.h"
#include "tui/app/frame.h"
#include "tui/app/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const Action HINTS[] = {ACTION_MOVE_LEFT,  ACTION_MOVE_UP, ACTION_MOVE_DOWN,
                               ACTION_MOVE_RIGHT, ACTION_ENTER,   ACTION_METRIC_NEXT};
static const View LAYERS = {.name = "layers",
                            .title = "Layers",
                            .help = "How far every tensor moved.",
                            .hints = HINTS,
                            .hint_count = 6};

static char *keys_line(const Keymap *keymap, int columns, bool ascii, const KeymapInput *input) {
    Canvas *canvas;
    char *text;
    assert_int_equal(canvas_create(1, columns, (Theme){.depth = THEME_MONO, .ascii = ascii}, &canvas, NULL),
                     STATUS_OK);
    frame_draw_keys(canvas, canvas_area(canvas), keymap, &LAYERS, (ViewHints){HINTS, 6}, input);
    assert_int_equal(canvas_to_text(canvas, &text, NULL), STATUS_OK);
    canvas_free(canvas);
    return text;
}

static void assert_keys(const Keymap *keymap, int columns, bool ascii, const char *expected) {
    KeymapInput none = {0};
    char *text = keys_line(keymap, columns, ascii, &none);
    assert_string_equal(text, expected);
    free(text);
}

static void the_line_of_keys_joins_what_belongs_together(void **state) {
    Keymap *keymap;
    (void)state;
    assert_int_equal(keymap_fixture_create(&keymap, NULL), STATUS_OK);
    assert_keys(
        keymap, 90, false,
        "←↑↓→ move  Enter open  m metric  a/A α  Tab view  / search  : command       ? help  q quit\n");
    assert_keys(keymap, 60, true, "<^v> move  Enter open  m metric  a/A a        ? help  q quit\n");
    keymap_free(keymap);
}

static void help_and_quit_stay_where_it_is_narrow(void **state) {
    Keymap *keymap;
    (void)state;
    assert_int_equal(keymap_fixture_create(&keymap, NULL), STATUS_OK);
    assert_keys(keymap, 28, false, "←↑↓→ move     ? help  q quit\n");
    assert_keys(keymap, 14, false, "? help  q quit\n");
    keymap_free(keymap);
}

static void it_follows_the_users_keys(void **state) {
    Keymap *keymap;
    static const char KEYS[] = "m nothing\nCtrl-o metric-next\nq nothing\nZ Z quit\n";
    (void)state;
    assert_int_equal(keymap_fixture_create(&keymap, NULL), STATUS_OK);
    assert_int_equal(keymap_read(keymap, KEYS, sizeof KEYS - 1, "test.keys", NULL), STATUS_OK);
    KeymapInput none = {0};
    char *text = keys_line(keymap, 100, false, &none);
    assert_non_null(strstr(text, "^O metric"));
    assert_non_null(strstr(text, "ZZ quit"));
    free(text);
    keymap_free(keymap);
}

static void what_was_typed_of_a_command_and_what_may_follow_take_the_hints_place(void **state) {
    Keymap *keymap;
    KeymapInput input = {.keys = {'Z'}, .key_count = 1, .count = 10};
    (void)state;
    static const char KEYS[] = "Z Z quit\nZ a b help\n";
    assert_int_equal(keymap_fixture_create(&keymap, NULL), STATUS_OK);
    assert_int_equal(keymap_read(keymap, KEYS, sizeof KEYS - 1, "test.keys", NULL), STATUS_OK);
    char *text = keys_line(keymap, 60, false, &input);
    assert_non_null(strstr(text, " 10 Z …\n"));
    assert_int_equal(strncmp(text, "Z quit  ab help   ", 18), 0);
    free(text);
    keymap_free(keymap);
}

static void help_lists_every_action_of_a_view_and_its_keys(void **state) {
    Keymap *keymap;
    Canvas *canvas;
    ListState list = {0};
    char *text;
    (void)state;
    assert_int_equal(keymap_fixture_create(&keymap, NULL), STATUS_OK);
    assert_int_equal(
        canvas_create((int)help_count(&LAYERS, &VIEWS) + 5, 100, (Theme){.depth = THEME_MONO}, &canvas, NULL),
        STATUS_OK);
    help_draw(canvas, canvas_area(canvas), keymap, &LAYERS, &VIEWS, &list);
    assert_int_equal(canvas_to_text(canvas, &text, NULL), STATUS_OK);
    assert_non_null(strstr(text, "How far every tensor moved."));
    assert_non_null(strstr(text, "Down  j "));
    assert_non_null(strstr(text, ":alpha-set NUMBER"));
    for (size_t i = 1; i < ACTION_COUNT; i++) {
        if (!action_is_for((Action)i, "layers") || (i >= ACTION_VIEW_1 && i <= ACTION_VIEW_9)) continue;
        if (strstr(text, action_info((Action)i)->name) == NULL)
            fail_msg("%s is not in the help", action_info((Action)i)->name);
    }
    free(text);
    canvas_free(canvas);
    keymap_free(keymap);
}

/* The last two rows, as one line. */
static void read_detail(const Canvas *canvas, char *line, size_t size) {
    char *text;
    assert_int_equal(canvas_to_text(canvas, &text, NULL), STATUS_OK);
    const char *first = text;
    for (int row = 0; row < canvas->rows - 2; row++) first = strchr(first, '\n') + 1;
    int end = (int)strcspn(first, "\n");
    const char *second = first + end + 1;
    (void)snprintf(line, size, "%.*s%s%.*s", end, first, second[0] != '\n' ? " " : "",
                   (int)strcspn(second, "\n"), second);
    free(text);
}

static void at_80_columns_help_tells_the_row_under_the_cursor_in_full(void **state) {
    Keymap *keymap;
    Canvas *canvas;
    bool told[ACTION_COUNT] = {false};
    (void)state;
    assert_int_equal(keymap_fixture_create(&keymap, NULL), STATUS_OK);
    assert_int_equal(canvas_create(21, 80, (Theme){.depth = THEME_MONO}, &canvas, NULL), STATUS_OK);
    for (size_t i = 0; i < help_count(&LAYERS, &VIEWS); i++) {
        ListState list = {.cursor = i};
        char line[512];
        canvas_clear(canvas);
        help_draw(canvas, canvas_area(canvas), keymap, &LAYERS, &VIEWS, &list);
        read_detail(canvas, line, sizeof line);
        for (size_t j = 1; j < ACTION_COUNT; j++)
            if (strcmp(line, action_info((Action)j)->help) == 0) told[j] = true;
    }
    for (size_t i = 1; i < ACTION_COUNT; i++)
        if (action_is_for((Action)i, "layers") && !told[i] && i != ACTION_VIEW_8) /* no view yet */
            fail_msg("%s is not told in full", action_info((Action)i)->name);
    canvas_free(canvas);
    keymap_free(keymap);
}

/* The last rows of a window of `rows`, the view's above the line of messages, as they show `text`. */
static void assert_message(int rows, int columns, const char *text, const char *expected) {
    Canvas *canvas;
    char *shown;
    FrameMessage message = {.tone = SESSION_WARNING};
    (void)snprintf(message.text, sizeof message.text, "%s", text);
    assert_int_equal(canvas_create(rows, columns, (Theme){.depth = THEME_MONO}, &canvas, NULL), STATUS_OK);
    Rect view = canvas_area(canvas), line = rect_cut_bottom(&view, 1);
    for (int row = 0; row < view.rows; row++) (void)canvas_write(canvas, view, row, 0, ROLE_TEXT, "view");
    frame_draw_status(canvas, frame_status_area(view, line, &message), NULL, NULL, &LAYERS, &message);
    assert_int_equal(canvas_to_text(canvas, &shown, NULL), STATUS_OK);
    assert_string_equal(shown, expected);
    free(shown);
    canvas_free(canvas);
}

static void a_message_that_is_too_long_for_its_line_takes_rows_of_the_view(void **state) {
    (void)state;
    assert_message(4, 20, "layers are 0 to 5", "view\nview\nview\nlayers are 0 to 5\n");
    assert_message(5, 20, "no tensor's name contains \"nothere\"",
                   "view\nview\nview\nno tensor's name\ncontains \"nothere\"\n");
    assert_message(5, 12, "one two three four five six seven eight",
                   "view\nview\nview\none two\nthree four …\n"); /* never more than half of the view */
    assert_message(2, 12, "one two three four", "view\none two thr…\n");
}

static void a_window_that_is_too_small_says_so(void **state) {
    (void)state;
    for (int rows = 0; rows < 8; rows++) {
        for (int columns = 0; columns < 30; columns++) {
            Canvas *canvas;
            assert_int_equal(canvas_create(rows, columns, (Theme){.depth = THEME_MONO}, &canvas, NULL),
                             STATUS_OK);
            assert_int_equal(frame_is_too_small(canvas),
                             rows < FRAME_ROWS_MIN || columns < FRAME_COLUMNS_MIN);
            frame_draw_too_small(canvas);
            canvas_free(canvas);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_of_keys_joins_what_belongs_together),
        cmocka_unit_test(help_and_quit_stay_where_it_is_narrow),
        cmocka_unit_test(it_follows_the_users_keys),
        cmocka_unit_test(what_was_typed_of_a_command_and_what_may_follow_take_the_hints_place),
        cmocka_unit_test(help_lists_every_action_of_a_view_and_its_keys),
        cmocka_unit_test(at_80_columns_help_tells_the_row_under_the_cursor_in_full),
        cmocka_unit_test(a_message_that_is_too_long_for_its_line_takes_rows_of_the_view),
        cmocka_unit_test(a_window_that_is_too_small_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
