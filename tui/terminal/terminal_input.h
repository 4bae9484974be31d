/*
 * terminal_input — bytes of the terminal as keys and pasted texts. Besides terminal.c the only file that
 * includes curses, and used by terminal.c only.
 */
#ifndef REJUV_TUI_TERMINAL_INPUT_H
#define REJUV_TUI_TERMINAL_INPUT_H

#include "tui/terminal/terminal.h"

#include <stdbool.h>

/* After newterm(): the file that keys come from; `pastes`: the terminal marks pasted text; `mouse`: it reports
 * the mouse, in SGR form. */
void terminal_input_open(int file, bool pastes, bool mouse);
void terminal_input_close(void);

/* What is waiting, without waiting for it: TERMINAL_KEY (KEY_NONE for something swallowed), TERMINAL_PASTE,
 * TERMINAL_RESIZE, or TERMINAL_TIMEOUT for nothing. */
TerminalEvent terminal_input_read(void);

#endif
