/*
 * events — waiting in a test as the terminal waits: until work says that something came in. There is no deadline:
 * a loaded machine takes longer, and what never comes is ended by ctest.
 */
#ifndef REJUV_TESTS_EVENTS_H
#define REJUV_TESTS_EVENTS_H

#include "tui/session/task.h"
#include "tui/terminal/terminal.h"
#include "tui/terminal/terminal_signal.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Before work is started whose events are to be waited for; again is nothing. */
static inline void events_open(void) {
    assert_int_equal(terminal_signal_open(NULL), STATUS_OK);
    task_set_wake(terminal_wake);
}

/* Until terminal_wake(), or a moment, for what comes without it. */
static inline void events_wait(void) {
    enum { MILLISECONDS = 20 };
    struct pollfd wake = {.fd = terminal_signal_file(), .events = POLLIN};
    (void)poll(&wake, 1, MILLISECONDS); /* a shorter wait is one more look */
    terminal_signal_drain();
}

#endif
