/*
 * topic — what there is to read beyond a command's own help: `rejuv help TOPIC`, and a section each of the manual page.
 * A topic is a file topic_NAME.md beside this one, compiled in, so that there is one source for the terminal, for man(1)
 * and for who reads the files as web pages.
 *
 *     topic_find ──► TopicReader, block by block ──┬──► topic_write_text    on a terminal or in a pipe
 *                                                  └──► topic_write_roff    for man(1)
 *
 * The files use this much of Markdown:
 *
 *     # what the topic tells      the first line, no full stop
 *     ## a heading
 *     lines of a paragraph
 *     - an item, one after another; its further lines are indented by two blanks
 *         four blanks: an example, left as it is
 *     | a | table |               its second line, |---|---|, only tells Markdown so; no | in a cell
 *
 * and within a line the marks of page.h. A blank line ends a paragraph, an item, an example or a table.
 */
#ifndef REJUV_TUI_TOPIC_H
#define REJUV_TUI_TOPIC_H

#include "tui/program/page.h"

#include <stdbool.h>
#include <stddef.h>

extern const char *const TOPIC_NAMES[];
extern const size_t TOPIC_COUNT;

/* The text of a topic, NUL-terminated, by its name or another that people look for ("formats": models); NULL for any
 * other. */
const char *topic_find(const char *name);

/* ---- its parts ---- */

typedef enum TopicKind {
    TOPIC_TITLE,
    TOPIC_HEADING,
    TOPIC_PARAGRAPH,
    TOPIC_ITEM,
    TOPIC_EXAMPLE,
    TOPIC_TABLE
} TopicKind;

typedef struct TopicBlock {
    TopicKind kind;
    /* borrowed; without the mark of the first line (an example keeps its), nor the last newline */
    const char *text;
    size_t bytes;
} TopicBlock;

enum { TOPIC_EXAMPLE_INDENT = 4 }; /* of every line of an example */

/* The block at *text, which moves behind it; false at the end. */
bool topic_next(const char **text, TopicBlock *block);

/* ---- the readers ---- */

/* What the topic tells, in a sentence. */
TopicBlock topic_title(const char *text);

void topic_write_text(const char *text, Page *page);

/* As the section `name` of a manual page. */
void topic_write_roff(const char *name, const char *text, FILE *file);

#endif
