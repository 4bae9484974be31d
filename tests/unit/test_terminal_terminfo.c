/* Which description of a terminal has 24-bit colours and when it may be used, and what the program carries of its own. */
#include "tui/terminal/terminal_terminfo.h"

#include <curses.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

#include <cmocka.h>

static const char *direct(const char *term, const char *colorterm, bool says_direct) {
    const char *system = NULL, *carried = NULL;
    if (!terminal_terminfo_direct(term, colorterm, says_direct, &system, &carried)) return NULL;
    assert_non_null(terminal_terminfo_find(carried));
    return system;
}

static void colorterm_or_the_description_itself_says_so(void **state) {
    (void)state;
    assert_null(direct("xterm-256color", NULL, false));
    assert_null(direct("xterm-256color", "", false));
    assert_null(direct("xterm-256color", "yes", false));
    assert_non_null(direct("xterm-256color", "truecolor", false));
    assert_non_null(direct("xterm-256color", "24bit", false));
    assert_non_null(direct("xterm-kitty", NULL, true));
}

static void tmux_has_a_description_of_its_own(void **state) {
    (void)state;
    assert_string_equal(direct("tmux-256color", "truecolor", false), "tmux-direct");
}

static void where_it_cannot_be_trusted_nothing_is_taken(void **state) {
    static const char *const TERMS[] = {"screen", "screen-256color", "linux", "vt100", "dumb", "", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof TERMS / sizeof *TERMS; i++)
        assert_null(direct(TERMS[i], "truecolor", true));
}

static void what_a_machine_has_not_heard_of_is_like_another(void **state) {
    static const char *const PAIRS[][2] = {
        {"xterm-kitty", "xterm-256color"},
        {"xterm-ghostty", "xterm-256color"},
        {"alacritty", "xterm-256color"},
        {"foot", "xterm-256color"},
        {"wezterm", "xterm-256color"},
        {"xterm", "xterm"},
        {"xterm-256color", "xterm-256color"},
        {"tmux", "tmux-256color"},
        {"screen", "screen"},
        {"screen.xterm-256color", "screen-256color"},
        {"linux-16color", "linux"},
        {"vt220", "vt100"},
        {"", "xterm-256color"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof PAIRS / sizeof *PAIRS; i++)
        assert_string_equal(terminal_terminfo_closest(PAIRS[i][0]), PAIRS[i][1]);
    assert_string_equal(terminal_terminfo_closest(NULL), "xterm-256color");
    assert_null(terminal_terminfo_closest("dumb"));
}

/* Read by curses itself, with a database that has nothing. */
static void curses_reads_each_that_the_program_carries(void **state) {
    size_t count = 0;
    (void)state;
    for (const TerminalTerminfo *row = TERMINAL_TERMINFO; row->name != NULL; row++, count++) {
        int found;
        assert_ptr_equal(terminal_terminfo_find(row->name), row->description);
        assert_int_equal(setenv("TERMINFO", row->description, 1), 0);
        assert_int_equal(setupterm(row->name, STDOUT_FILENO, &found), OK);
        int colours = tigetnum("colors");
        if (strstr(row->name, "-direct") != NULL) assert_int_equal(colours, 1 << 24);
        if (strstr(row->name, "-256color") != NULL) assert_int_equal(colours, 256);
        assert_int_equal(tigetflag("RGB") == 1, strstr(row->name, "-direct") != NULL);
        assert_string_equal(tiparm(tigetstr("cup"), 4, 9), "\033[5;10H");
        assert_non_null(tigetstr("kcuu1"));
        if (colours == 256) assert_string_equal(tiparm(tigetstr("setaf"), 200), "\033[38;5;200m");
        if (colours == 1 << 24)
            assert_string_equal(tiparm(tigetstr("setab"), 0x0102ff), "\033[48;2;1;2;255m");
        assert_int_equal(del_curterm(cur_term), OK);
    }
    assert_int_equal(count, 9);
    assert_null(terminal_terminfo_find("rejuv+xterm"));
    assert_null(terminal_terminfo_find(NULL));
    assert_int_equal(unsetenv("TERMINFO"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colorterm_or_the_description_itself_says_so),
        cmocka_unit_test(tmux_has_a_description_of_its_own),
        cmocka_unit_test(where_it_cannot_be_trusted_nothing_is_taken),
        cmocka_unit_test(what_a_machine_has_not_heard_of_is_like_another),
        cmocka_unit_test(curses_reads_each_that_the_program_carries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
