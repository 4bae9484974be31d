/*
 * Where the terminal cannot be started, nothing of it is left on, and it can be started later. In a child, on a terminal of
 * its own; canvas_create() is the test's to refuse.
 */
#include "tui/terminal/terminal.h"

#include <curses.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

static bool refuses;

Status __real_canvas_create(int rows, int columns, Theme theme, Canvas **canvas, Error *error);
Status __wrap_canvas_create(int rows, int columns, Theme theme, Canvas **canvas, Error *error);

Status __wrap_canvas_create(int rows, int columns, Theme theme, Canvas **canvas, Error *error) {
    if (!refuses) return __real_canvas_create(rows, columns, theme, canvas, error);
    return status_fail(error, STATUS_NO_MEMORY, "out of memory for a screen");
}

/* 0, or where it went wrong. */
static int start_twice(void) {
    const TerminalOptions options = {.monochrome = true};
    struct termios before, after;
    Error error;
    if (tcgetattr(0, &before) != 0) return 1;
    refuses = true;
    if (terminal_start(&options, &error) != STATUS_NO_MEMORY) return 2;
    if (stdscr != NULL) return 3;
    if (tcgetattr(0, &after) != 0 || after.c_lflag != before.c_lflag || after.c_iflag != before.c_iflag)
        return 4;
    refuses = false;
    if (terminal_start(&options, &error) != STATUS_OK) return 5;
    terminal_stop();
    return stdscr == NULL ? 0 : 6;
}

static void what_memory_ran_out_for_leaves_no_screen_behind(void **state) {
    (void)state;
    int master, status;
    pid_t child = forkpty(&master, NULL, NULL, NULL);
    assert_true(child >= 0);
    if (child == 0) {
        (void)setenv("TERM", "vt100", 1); /* which is asked for no colours */
        _exit(start_twice());
    }
    char bytes[256];
    while (read(master, bytes, sizeof bytes) > 0) continue; /* until its terminal is closed */
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)close(master);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_memory_ran_out_for_leaves_no_screen_behind)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
