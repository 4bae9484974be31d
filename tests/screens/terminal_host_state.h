/*
 * terminal_host_state — what a host is made of: shared by terminal_host.c (the program, waiting) and
 * terminal_screen.c (what is on the screen).
 */
#ifndef REJUV_TESTS_TERMINAL_HOST_STATE_H
#define REJUV_TESTS_TERMINAL_HOST_STATE_H

#include "tests/screens/terminal_host.h"
#include "tests/screens/terminal_repeat.h"

#include <sys/types.h>
#include <termios.h>
#include <vterm.h>

enum { TERMINAL_HOST_OUTPUT_BYTES = 4096 };

struct TerminalHost {
    VTerm *terminal;
    VTermScreen *screen;
    TerminalRepeat repeat;
    int rows, columns;
    int master, slave; /* -1 after a hang-up */
    pid_t child;
    bool running;
    int exit_status;
    struct termios before;
    uint64_t bytes;
    bool cursor_visible, alternate_screen, mouse;
    char output[TERMINAL_HOST_OUTPUT_BYTES]; /* keys and answers of the terminal, not yet written */
    size_t output_bytes;
};

#endif
