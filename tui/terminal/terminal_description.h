/*
 * terminal_description — the choice of the description that curses works with (terminal_terminfo.h has what there is to
 * choose from), made before the process has threads: one that the program carries is given to curses in the variable
 * TERMINFO, and other threads read the environment.
 */
#ifndef REJUV_TUI_TERMINAL_DESCRIPTION_H
#define REJUV_TUI_TERMINAL_DESCRIPTION_H

#include <stdbool.h>

/* Once, before there are threads. `monochrome`: no colours are wanted. A description with direct colours where the
 * terminal has them, else that of TERM where this machine knows it, else the closest: the machine's, or the program's. */
void terminal_description_choose(bool monochrome);

/* The name for newterm(); NULL: what TERM names. */
const char *terminal_description_name(void);

/* A sentence for the user where TERM was not known, or NULL. */
const char *terminal_description_hint(void);

#endif
