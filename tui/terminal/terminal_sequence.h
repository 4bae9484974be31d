/*
 * terminal_sequence — what a terminal sends behind an Escape: sequences that its description does not have,
 * reports of the mouse, answers. Texts here are without the Escape.
 *
 *     [ 1 ~   [ H   [ [ A   O P        keys, as many terminals send them whatever TERM says (PuTTY calls itself
 *                                      xterm and sends [ 1 ~ for Home)
 *     [ 200 ~                          pasted text follows
 *     [ < BUTTON ; COLUMN ; ROW M      the mouse, m for a release: xterm's SGR form
 *     [ M BUTTON COLUMN ROW            the mouse as characters beyond 32: terminals that do not know that form
 *     ] 11 ; rgb : RRRR / GGGG / BBBB  the background's colour, ended by BEL or by an Escape and a backslash
 *     [ ? 62 ; … c                     what kind of terminal it is
 *
 * No curses here: a sequence may come in pieces, and is kept by the caller until it is whole.
 */
#ifndef REJUV_TUI_TERMINAL_SEQUENCE_H
#define REJUV_TUI_TERMINAL_SEQUENCE_H

#include "tui/terminal/terminal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer ones are none. */
enum { TERMINAL_SEQUENCE_BYTES = 128 };

/* Whether a character behind an Escape begins a sequence: else it was typed with Alt. */
bool terminal_sequence_begins(uint32_t character);

/* Whether nothing of it is missing. */
bool terminal_sequence_is_whole(const char *text, size_t bytes);

/* The key that it stands for, or KEY_NONE. */
Key terminal_sequence_key(const char *text);

bool terminal_sequence_is_paste(const char *text);

/* False for what has no meaning here: other buttons, the pointer moving without one. */
bool terminal_sequence_read_mouse(const char *text, TerminalMouse *mouse);

/* An answer about the background: its colour, or THEME_DEFAULT_COLOUR where the terminal only said what it is. */
bool terminal_sequence_read_answer(const char *text, Colour *background);

#endif
