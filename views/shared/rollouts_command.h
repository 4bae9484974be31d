/*
 * rollouts_command — the command that gives a session's rollouts, and their gradient, to a script.
 */
#ifndef REJUV_VIEWS_ROLLOUTS_COMMAND_H
#define REJUV_VIEWS_ROLLOUTS_COMMAND_H

#include "tui/cli/command_line.h"
#include "tui/session/session_rollouts.h"

/* Its own options, as View.twin() adds them. COMMAND_COUNT where none has the same: of samples to the prompt on screen, and
 * to rows of which some have no answer, for the command takes all of a file's. */
CommandId rollouts_command_add(const Session *session, bool has_gradient, CommandLine *line);

#endif
