/* What terminals send behind an Escape: keys under other names, the mouse, answers. */
#include "tui/terminal/terminal_sequence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Every beginning is incomplete, and all of it is whole. */
static void assert_whole(const char *text) {
    for (size_t bytes = 1; bytes < strlen(text); bytes++)
        if (terminal_sequence_is_whole(text, bytes)) fail_msg("%.*s of %s", (int)bytes, text, text);
    assert_true(terminal_sequence_is_whole(text, strlen(text)));
}

static void a_sequence_is_whole_at_its_end_and_not_before(void **state) {
    static const char *const WHOLE[] = {"[A",          "OP",         "[1~",        "[[A",
                                        "[1;2D",       "[200~",      "[<0;12;34M", "[<0;1;1m",
                                        "[M !!",       "[?62;1;22c", "[I",         "]11;rgb:ffff/ffff/ffff\a",
                                        "]11;?\033\\", "]\a"};
    (void)state;
    for (size_t i = 0; i < sizeof WHOLE / sizeof *WHOLE; i++) assert_whole(WHOLE[i]);
}

static void home_and_end_are_known_as_any_terminal_sends_them(void **state) {
    static const char *const HOMES[] = {"[H", "OH", "[1~", "[7~"}, *const ENDS[] = {"[F", "OF", "[4~", "[8~"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(terminal_sequence_key(HOMES[i]), KEY_TO_HOME);
        assert_int_equal(terminal_sequence_key(ENDS[i]), KEY_TO_END);
    }
    assert_int_equal(terminal_sequence_key("[[A"), KEY_FUNCTION + 1);
    assert_int_equal(terminal_sequence_key("[11~"), KEY_FUNCTION + 1);
    assert_int_equal(terminal_sequence_key("[24~"), KEY_FUNCTION + 12);
    assert_int_equal(terminal_sequence_key("[1;2A"), KEY_SHIFT | KEY_ARROW_UP);
}

static void what_nobody_knows_is_no_key(void **state) {
    static const char *const OTHERS[] = {"[I", "[O", "[?62c", "[99~", "[200~", "]11;rgb:0/0/0\a", "[1;9Q"};
    (void)state;
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        assert_int_equal(terminal_sequence_key(OTHERS[i]), KEY_NONE);
}

static void assert_mouse(const char *text, TerminalMouseKind kind, int row, int column) {
    TerminalMouse mouse;
    if (!terminal_sequence_read_mouse(text, &mouse)) fail_msg("%s is refused", text);
    assert_int_equal(mouse.kind, kind);
    assert_int_equal(mouse.row, row);
    assert_int_equal(mouse.column, column);
}

static void the_mouse_reports_in_either_form(void **state) {
    (void)state;
    assert_mouse("[<0;60;2M", TERMINAL_MOUSE_PRESS, 1, 59);
    assert_mouse("[<0;60;2m", TERMINAL_MOUSE_RELEASE, 1, 59);
    assert_mouse("[<32;300;100M", TERMINAL_MOUSE_DRAG, 99, 299);
    assert_mouse("[<16;1;1M", TERMINAL_MOUSE_PRESS, 0, 0); /* with Ctrl */
    assert_mouse("[<64;1;1M", TERMINAL_MOUSE_WHEEL_UP, 0, 0);
    assert_mouse("[<65;1;1M", TERMINAL_MOUSE_WHEEL_DOWN, 0, 0);
    assert_mouse("[M !!", TERMINAL_MOUSE_PRESS, 0, 0);
    assert_mouse("[M#A\"", TERMINAL_MOUSE_RELEASE, 1, 32);
    assert_mouse("[M@\"!", TERMINAL_MOUSE_DRAG, 0, 1);
    assert_mouse("[M`!!", TERMINAL_MOUSE_WHEEL_UP, 0, 0);
}

static void a_report_that_makes_no_sense_is_refused(void **state) {
    static const char *const OTHERS[] = {"[<1;1;1M",      "[<35;1;1M", "[<0;0;1M", "[<0;1;0M",    "[<0;1M",
                                         "[<0;1;1;1M",    "[<0;-1;1M", "[<M",      "[<0;1;1A",    "[<0; 1;1M",
                                         "[<0;999999;1M", "[M\" !",    "[M",       "[<+0;+1;+1M", "[1;1M"};
    TerminalMouse mouse;
    (void)state;
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        if (terminal_sequence_read_mouse(OTHERS[i], &mouse)) fail_msg("%s is taken", OTHERS[i]);
}

static void assert_background(const char *text, Colour expected) {
    Colour background;
    if (!terminal_sequence_read_answer(text, &background)) fail_msg("%s is refused", text);
    assert_int_equal(background, expected);
}

static void the_background_is_read_at_any_depth(void **state) {
    (void)state;
    assert_background("]11;rgb:ffff/8080/0000\a", THEME_RGB | 0xFF8000);
    assert_background("]11;rgb:1e/1e/2E\033\\", THEME_RGB | 0x1E1E2E);
    assert_background("]11;rgb:f/0/8\a", THEME_RGB | 0xFF0088);
    assert_background("]11;rgba:fff/800/000/8000\a", THEME_RGB | 0xFF8000);
    assert_background("[?62;22c", THEME_DEFAULT_COLOUR);
}

static void other_answers_are_none(void **state) {
    static const char *const OTHERS[] = {
        "]10;rgb:0/0/0\a",     "]11;?\a",        "]11;rgb:\a",          "]11;rgb:0/0\a",
        "]11;rgb:0//0\a",      "]11;rgb:0/0/\a", "]11;rgb:x/0/0\a",     "]11;#ffffff\a",
        "]11;rgb:12345/0/0\a", "[?1;2n",         "]11;rgb:00000/0/0\a", "[A"};
    Colour background;
    (void)state;
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++)
        if (terminal_sequence_read_answer(OTHERS[i], &background)) fail_msg("%s is taken", OTHERS[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sequence_is_whole_at_its_end_and_not_before),
        cmocka_unit_test(home_and_end_are_known_as_any_terminal_sends_them),
        cmocka_unit_test(what_nobody_knows_is_no_key),
        cmocka_unit_test(the_mouse_reports_in_either_form),
        cmocka_unit_test(a_report_that_makes_no_sense_is_refused),
        cmocka_unit_test(the_background_is_read_at_any_depth),
        cmocka_unit_test(other_answers_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
