/*
 * terminal_program — another program on this terminal, such as an editor.
 */
#ifndef REJUV_TUI_TERMINAL_PROGRAM_H
#define REJUV_TUI_TERMINAL_PROGRAM_H

#include "core/support/status.h"

/* Runs `command`, as the user's environment has it ("vim -u NONE"), by sh with `path` behind it, and waits until it ends;
 * the terminal is its own meanwhile. STATUS_IO where there is no such program (sh says 127, or 126 where it may not be run),
 * or it ended with another status than 0;
 * STATUS_UNSUPPORTED where there is no terminal. */
Status terminal_program_run(const char *command, const char *path, Error *error) STATUS_MUST_CHECK;

#endif
