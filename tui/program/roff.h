/*
 * roff — text for man(1): what its language would take for its own is written so that it stays text.
 *
 * Errors of the stream stay in it: whoever owns it looks at the end.
 */
#ifndef REJUV_TUI_ROFF_H
#define REJUV_TUI_ROFF_H

#include <stddef.h>
#include <stdio.h>

/* Text that may stand at the beginning of a line: backslashes, hyphens (which roff would make typographic ones) and
 * what begins a request are escaped. */
void roff_write_text(FILE *file, const char *text, size_t bytes);

/* The same and a newline. */
void roff_write_line(FILE *file, const char *text);

/* ".SH TITLE" */
void roff_write_section(FILE *file, const char *title);

/* Requests for the head of a page: how to write the characters of text_spelling() on a terminal that lacks them. */
void roff_write_spellings(FILE *file);

#endif
