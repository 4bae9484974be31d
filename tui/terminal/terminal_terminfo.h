/*
 * terminal_terminfo — which description of the terminal curses is to work with, where the one that TERM names has
 * fewer colours than the terminal.
 *
 * curses can send 24-bit colours only with a description that has them (xterm-256color has not, and redefining
 * a palette would change the user's terminal). Descriptions with direct colours come with ncurses' full
 * terminal database; without it the program has 256 colours.
 */
#ifndef REJUV_TUI_TERMINAL_TERMINFO_H
#define REJUV_TUI_TERMINAL_TERMINFO_H

#include <stdbool.h>
#include <stddef.h>

/* The name of a description like that of `term` with direct colours, or NULL. `says_direct`: something besides
 * `colorterm` (COLORTERM, may be NULL) says that the terminal has them. NULL for families where that cannot be
 * trusted: GNU screen passes COLORTERM on, but not the colours. */
const char *terminal_terminfo_direct(const char *term, const char *colorterm, bool says_direct);

#endif
