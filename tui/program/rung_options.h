/*
 * rung_options — BASE and one SFT model or several, as a command line names them, and which of these is opened.
 */
#ifndef REJUV_TUI_RUNG_OPTIONS_H
#define REJUV_TUI_RUNG_OPTIONS_H

#include "tui/cli/options.h"
#include "tui/session/live_ladder.h"
#include "tui/session/session_files.h"

/* Sets base, sft, and of several also the ladder, made here (free it after the session; NULL otherwise), and the rung:
 * `chosen`, from 1, or the last for 0. STATUS_ARGUMENT where there is no such rung. */
Status rung_options_take(const char *const *operands, size_t count, size_t chosen, SessionOptions *session,
                         LiveLadder **ladder, Error *error) STATUS_MUST_CHECK;

/* What --rung says; 0 without it. */
size_t rung_options_chosen(const Options *options);

#endif
