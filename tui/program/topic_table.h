/*
 * topic_table — a table of a topic on lines: as wide as its cells where that fits, otherwise each column gets its
 * longest word and a share of what is left, and cells go on below themselves.
 */
#ifndef REJUV_TUI_TOPIC_TABLE_H
#define REJUV_TUI_TOPIC_TABLE_H

#include "tui/program/topic.h"

enum { TOPIC_COLUMNS = 12 }; /* at most; further cells of a row are left out */

/* A header whose cells are all empty is left out: Markdown has no table without one. */
void topic_table_write(const TopicBlock *table, Page *page, int margin);

#endif
