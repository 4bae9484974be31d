/*
 * terminal_signal — signals as something to be asked for, and the file that ends a wait. Used by terminal.c
 * only; terminal_wake() (terminal.h) is defined here.
 */
#ifndef REJUV_TUI_TERMINAL_SIGNAL_H
#define REJUV_TUI_TERMINAL_SIGNAL_H

#include "core/support/status.h"

#include <stdbool.h>

typedef struct TerminalSignals {
    int end; /* one of terminal_signal_is_end(), else 0; stays set */
    bool interrupted, stop_asked, continued, size_changed;
} TerminalSignals;

/* Before curses starts, which installs handlers of its own: notes what signals do, for terminal_signal_release().
 * Makes the file that terminal_wake() writes to; once made it stays for the life of the process, so that a
 * late thread can never write to a file of somebody else. */
Status terminal_signal_open(Error *error) STATUS_MUST_CHECK;

/* Readable after terminal_wake(). */
int terminal_signal_file(void);
void terminal_signal_drain(void);

/* Whether the signal asks the program to leave in good order: SIGHUP, SIGTERM, and all that would end a program that
 * knows nothing of them without being a fault of its own: SIGUSR1, SIGALRM, the real-time ones. */
bool terminal_signal_is_end(int number);

/* Those that end a program stay ignored where they are when it starts. */
void terminal_signal_catch(void);
void terminal_signal_release(void); /* as they were before */

/* The one that asks for most, taken back; the others stay for the next call. False when there is none. */
bool terminal_signal_take(TerminalSignals *taken);

/* A stop and a continuation that terminal_suspend() went through itself. */
void terminal_signal_forget_continue(void);

#endif
