/*
 * opening_options — what a command line says of a session, BASE and SFT apart (rung_options.h).
 */
#ifndef REJUV_TUI_OPENING_OPTIONS_H
#define REJUV_TUI_OPENING_OPTIONS_H

#include "tui/cli/options.h"
#include "tui/session/session_files.h"

/* Texts are the command line's. */
SessionOptions opening_options_read(const Options *options);

/* What is given comes in place of what `session` had: a prompt in that of a conversation too, samples in that of prompts.
 * α and threads are the command line's in any case. */
void opening_options_replace(const Options *options, SessionOptions *session);

#endif
