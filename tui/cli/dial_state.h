/*
 * dial_state — where all dials stand, as one value: what undo goes back to, what a bookmark keeps, what is
 * taken up again another day, what a command line repeats.
 *
 * It names the ranking by the selector and the number of targets, and does not borrow it: a state outlives
 * what was measured.
 */
#ifndef REJUV_TUI_DIAL_STATE_H
#define REJUV_TUI_DIAL_STATE_H

#include "core/fusion/settings.h"
#include "tui/cli/command_line.h"

typedef struct DialState {
    Settings settings; /* its ranking is NULL */
    Selector selector;
    size_t targets; /* of attribution */
} DialState;

/* Whether every dial stands alike, those that do nothing now included. */
bool dial_state_equal(const DialState *a, const DialState *b);

/* "α 0.50  ρ 1.0%  ω 1.00  attribution 32", and what more differs from the defaults: "norm 1.00  by layer
 * 0.20…0.80". Cut where it is longer than `size` bytes. */
void dial_state_describe(const DialState *state, char *text, size_t size);

/* Adds the options that set the dials to this state, as far as `command` takes them; those of a reset only
 * where there is one, where the command makes one by itself, or where the program is opened. */
void dial_state_add_options(const DialState *state, CommandId command, CommandLine *line);

#endif
