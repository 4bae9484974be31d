/*
 * page — running text on lines: words are filled in between a margin and the width, as help and topics need it.
 *
 * Two marks are understood in a text: `code`, which no line break parts, and **a term**. On a terminal the backticks
 * stay and the stars go; for man(1) both become bold. A newline in a text is a blank like any other.
 *
 * Errors of the stream stay in it: whoever owns it looks at the end.
 */
#ifndef REJUV_TUI_PAGE_H
#define REJUV_TUI_PAGE_H

#include <stddef.h>
#include <stdio.h>

typedef enum PageKind {
    PAGE_UTF8,
    PAGE_ASCII, /* other characters are spelled out: "alpha" */
    PAGE_ROFF   /* man(1) reads it */
} PageKind;

typedef struct Page {
    FILE *file;
    PageKind kind;
    int width;  /* columns of a line */
    int column; /* where the next character goes; 0 at the start of a line */
} Page;

enum { PAGE_WIDTH = 79, PAGE_LEAST_WIDTH = 20 };

/* Standard output: as wide as the terminal that it is, PAGE_WIDTH where it is none; ASCII in a locale without UTF-8. */
Page page_of_output(void);

/* Columns of a text on one line, and of its longest word. */
int page_text_width(const Page *page, const char *text, size_t bytes);
int page_longest_word(const Page *page, const char *text, size_t bytes);

/* Blanks up to a column. */
void page_pad(Page *page, int column);

/* Text on this line, with no mark understood: `     an example`. */
void page_write(Page *page, const char *text, size_t bytes);

/* As many words as fit in `columns` from here, one at least. Returns how many bytes of the text that took, blanks after
 * the last word included. */
size_t page_write_words(Page *page, const char *text, size_t bytes, int columns);

/* All words, from the present column on, which is `margin` or a first line's own; further lines begin at `margin`. The
 * last one is ended. */
void page_fill(Page *page, const char *text, size_t bytes, int margin);

void page_end_line(Page *page);

#endif
