/* Text on its way to the clipboard of the terminal. */
#include "tests/golden/golden.h"
#include "tui/terminal/terminal_clipboard.h"

#include <stdlib.h>
#include <string.h>

static void expect(const char *terminal, const char *text, const char *expected) {
    Error error = {0};
    char *sequence;
    if (terminal_clipboard_format(terminal, NULL, text, strlen(text), &sequence, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_string_equal(sequence, expected);
    free(sequence);
}

static void text_travels_as_base64_of_osc_52(void **unused) {
    (void)unused;
    expect("xterm-256color", "hello", "\033]52;c;aGVsbG8=\a");
    expect("tmux-256color", "", "\033]52;c;\a");
    expect("xterm", "\033]0;title\a",
           "\033]52;c;G10wO3RpdGxlBw==\a"); /* whatever it holds, it is only letters */
}

static void gnu_screen_passes_it_on_in_pieces(void **unused) {
    (void)unused;
    enum { LONG = 3000, LONGEST = 768 };
    char text[LONG + 1], *sequence;
    Error error = {0};
    memset(text, 'a', LONG);
    text[LONG] = '\0';
    assert_int_equal(terminal_clipboard_format("screen-256color", NULL, text, LONG, &sequence, &error),
                     STATUS_OK);
    size_t pieces = 0, letters = 0;
    for (char *at = sequence; *at != '\0';) {
        char *end = strstr(at, "\033\\");
        assert_true(strncmp(at, "\033P", 2) == 0 && end != NULL);
        assert_true(end - at + 2 <= LONGEST);
        letters += (size_t)(end - at) - 2;
        pieces++;
        at = end + 2;
    }
    assert_int_equal(letters, strlen("\033]52;c;\a") + LONG / 3 * 4);
    assert_true(pieces > 1);
    free(sequence);
}

/* tmux ends the sequence at the end of the first piece, and has only that then. */
static void tmux_under_the_name_of_screen_gets_it_whole(void **unused) {
    (void)unused;
    char *sequence;
    Error error = {0};
    assert_int_equal(terminal_clipboard_format("screen-256color", "/tmp/tmux-0/default,1,0", "hello", 5,
                                               &sequence, &error),
                     STATUS_OK);
    assert_string_equal(sequence, "\033]52;c;aGVsbG8=\a");
    free(sequence);
    assert_int_equal(terminal_clipboard_format("screen", "", "hello", 5, &sequence, &error), STATUS_OK);
    assert_true(strncmp(sequence, "\033P", 2) == 0);
    free(sequence);
}

static void a_terminal_that_might_show_it_gets_nothing(void **unused) {
    (void)unused;
    static const char *const OTHERS[] = {"linux", "vt100", "dumb", "", NULL};
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        Error error = {0};
        char *sequence;
        assert_int_equal(terminal_clipboard_format(OTHERS[i], NULL, "x", 1, &sequence, &error),
                         STATUS_UNSUPPORTED);
    }
}

static void a_text_that_terminals_would_drop_is_refused(void **unused) {
    (void)unused;
    char *text = calloc(TERMINAL_CLIPBOARD_BYTES + 1, 1), *sequence;
    Error error = {0};
    assert_non_null(text);
    assert_int_equal(
        terminal_clipboard_format("xterm", NULL, text, TERMINAL_CLIPBOARD_BYTES + 1, &sequence, &error),
        STATUS_ARGUMENT);
    assert_int_equal(
        terminal_clipboard_format("xterm", NULL, text, TERMINAL_CLIPBOARD_BYTES, &sequence, &error),
        STATUS_OK);
    free(sequence);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_travels_as_base64_of_osc_52),
        cmocka_unit_test(gnu_screen_passes_it_on_in_pieces),
        cmocka_unit_test(tmux_under_the_name_of_screen_gets_it_whole),
        cmocka_unit_test(a_terminal_that_might_show_it_gets_nothing),
        cmocka_unit_test(a_text_that_terminals_would_drop_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
