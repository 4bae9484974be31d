/*
 * terminal_terminfo — which description of the terminal curses is to work with, where the machine has none of the one
 * that TERM names, or one with fewer colours than the terminal has.
 *
 * A cluster's node has often not heard of a newer terminal (xterm-kitty, xterm-ghostty, foot, wezterm), a container of
 * none at all: the closest of those that the program carries is taken then (builtin.terminfo). And curses can send 24-bit
 * colours only with a description that has them, which xterm-256color has not (redefining a palette would change the
 * user's terminal); those with direct colours come with ncurses' full terminal database, and with the program.
 */
#ifndef REJUV_TUI_TERMINAL_TERMINFO_H
#define REJUV_TUI_TERMINAL_TERMINFO_H

#include <stdbool.h>
#include <stddef.h>

/* A description that the program carries, as ncurses reads it from the variable TERMINFO: "b64:…". */
typedef struct TerminalTerminfo {
    const char *name, *description;
} TerminalTerminfo;

/* All of them, made from builtin.terminfo; a row of NULLs ends them. */
extern const TerminalTerminfo TERMINAL_TERMINFO[];

/* The description of that name that the program carries; NULL where it carries none, or `name` is NULL. */
const char *terminal_terminfo_find(const char *name);

/* The name, among those that the program carries, of what a terminal that is not known here is most like; `term` may be
 * NULL: xterm-256color, as anything is that nobody has heard of. NULL for those that say they can do nothing. */
const char *terminal_terminfo_closest(const char *term);

/* Names of descriptions with direct colours for a terminal like `term`: `*system` in ncurses' database, `*carried`
 * with the program; false where there are none. `says_direct`: something besides `colorterm` (COLORTERM, may be NULL) says
 * that the terminal has them. False for families where that cannot be trusted: GNU screen passes COLORTERM on, but not the
 * colours. */
bool terminal_terminfo_direct(const char *term, const char *colorterm, bool says_direct, const char **system,
                              const char **carried);

#endif
