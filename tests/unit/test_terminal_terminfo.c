/* Which description of a terminal has 24-bit colours, and when it may be used. */
#include "tui/terminal/terminal_terminfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void colorterm_or_the_description_itself_says_so(void **state) {
    (void)state;
    assert_null(terminal_terminfo_direct("xterm-256color", NULL, false));
    assert_null(terminal_terminfo_direct("xterm-256color", "", false));
    assert_null(terminal_terminfo_direct("xterm-256color", "yes", false));
    assert_non_null(terminal_terminfo_direct("xterm-256color", "truecolor", false));
    assert_non_null(terminal_terminfo_direct("xterm-256color", "24bit", false));
    assert_non_null(terminal_terminfo_direct("xterm-kitty", NULL, true));
}

static void tmux_has_a_description_of_its_own(void **state) {
    (void)state;
    assert_string_equal(terminal_terminfo_direct("tmux-256color", "truecolor", false), "tmux-direct");
}

static void where_it_cannot_be_trusted_nothing_is_taken(void **state) {
    static const char *const TERMS[] = {"screen", "screen-256color", "linux", "vt100", "dumb", "", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof TERMS / sizeof *TERMS; i++)
        assert_null(terminal_terminfo_direct(TERMS[i], "truecolor", true));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colorterm_or_the_description_itself_says_so),
        cmocka_unit_test(tmux_has_a_description_of_its_own),
        cmocka_unit_test(where_it_cannot_be_trusted_nothing_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
