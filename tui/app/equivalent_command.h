/*
 * equivalent_command — the command that a script runs for the figures on screen.
 *
 *     rejuv sweep BASE SFT --alpha 0:1:21 --rho 0.01 --calibration rows.jsonl
 *     └── the view's own command and options ──┘└─── the dials, and what they are measured on: equivalent_command.c
 */
#ifndef REJUV_TUI_EQUIVALENT_COMMAND_H
#define REJUV_TUI_EQUIVALENT_COMMAND_H

#include "tui/app/view.h"

/* The command line of a view as it stands, quoted for a shell; the caller frees *text. STATUS_UNSUPPORTED
 * where no command has its figures. */
Status equivalent_command_write(const View *view, void *state, Session *session, char **text,
                                Error *error) STATUS_MUST_CHECK;

/* The command line that opens the program with these dials. */
Status equivalent_command_write_opening(const View *view, Session *session, char **text,
                                        Error *error) STATUS_MUST_CHECK;

#endif
