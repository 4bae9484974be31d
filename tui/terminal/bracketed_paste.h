/*
 * bracketed_paste — text that a terminal marks as pasted: ESC [ 200 ~ text ESC [ 201 ~.
 *
 * Read past curses, which takes a byte at a time and looks each of them up among its keys: a megabyte takes
 * seconds that way. No byte after the end mark is touched, so curses goes on where the paste ends.
 */
#ifndef REJUV_TUI_BRACKETED_PASTE_H
#define REJUV_TUI_BRACKETED_PASTE_H

#include <stdbool.h>
#include <stddef.h>

enum { BRACKETED_PASTE_LIMIT = 1 << 20 }; /* bytes kept; the rest is read and dropped */

typedef struct BracketedPaste {
    char *text; /* UTF-8, NUL-terminated, without NULs; NULL before the first */
    size_t bytes, capacity;
} BracketedPaste;

/* Everything from `file`, just after the begin mark, up to the end mark; until half a second passes without a
 * byte; or until the file ends. Carriage returns become newlines, what is no text in the locale is left out,
 * and an end mark's beginning without its end is text without its Escape. */
void bracketed_paste_read(BracketedPaste *paste, int file);

void bracketed_paste_free(BracketedPaste *paste);

#endif
