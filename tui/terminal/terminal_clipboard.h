/*
 * terminal_clipboard — text for the clipboard of the machine the person sits at, through any number of ssh
 * hops: the terminal is asked to take it (OSC 52). No terminal answers whether it did.
 *
 *     ESC ] 52 ; c ; BASE64 BEL                              xterm, foot, kitty, tmux (set-clipboard on), …
 *     ESC P ESC ] 52 ; c ; BASE ESC \ ESC P 64 BEL ESC \     GNU screen: passed on in pieces
 *
 * tmux calls itself screen too where it is told to. It takes the text itself, and of one in pieces only the first.
 */
#ifndef REJUV_TUI_TERMINAL_CLIPBOARD_H
#define REJUV_TUI_TERMINAL_CLIPBOARD_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { TERMINAL_CLIPBOARD_BYTES = 64 << 10 }; /* some terminals ignore more than 100 000 of BASE64 */

/* Whether a terminal of this name (TERM; may be NULL) is of a family that knows xterm's inventions, bracketed
 * paste and this: others might show them as text. */
bool terminal_clipboard_is_known(const char *name);

/* The bytes to send to a terminal of this name, given the value of TMUX (NULL when unset); the caller frees.
 * STATUS_UNSUPPORTED where it would not understand, STATUS_ARGUMENT where the text is too long. */
Status terminal_clipboard_format(const char *name, const char *tmux, const char *text, size_t bytes,
                                 char **sequence, Error *error) STATUS_MUST_CHECK;

#endif
