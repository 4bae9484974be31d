#include "tui/program/topic.h"
#include "tui/program/topic_table.h"

#include <string.h>

enum { MARGIN = 2, ITEM_MARGIN = 4 };

static void write_item(const TopicBlock *block, Page *page) {
    page_pad(page, MARGIN);
    page_write(page, "-", 1);
    page_fill(page, block->text, block->bytes, ITEM_MARGIN);
}

/* Its lines stand apart from the text by what they are indented by in the file. */
static void write_example(const TopicBlock *block, Page *page) {
    for (const char *line = block->text, *end = line + block->bytes; line < end;) {
        size_t length = strcspn(line, "\n");
        if (length > (size_t)(end - line)) length = (size_t)(end - line);
        page_pad(page, MARGIN);
        page_write(page, line, length);
        page_end_line(page);
        line += length + 1;
    }
}

/* Blocks stand apart, but for items of one list and what follows its heading. */
static bool stands_apart(TopicKind before, TopicKind kind) {
    return before != TOPIC_HEADING && !(before == TOPIC_ITEM && kind == TOPIC_ITEM);
}

void topic_write_text(const char *text, Page *page) {
    TopicBlock block;
    TopicKind before = TOPIC_HEADING;
    for (; topic_next(&text, &block); before = block.kind) {
        if (stands_apart(before, block.kind)) page_end_line(page);
        switch (block.kind) {
        case TOPIC_TITLE:
        case TOPIC_HEADING:
            page_fill(page, block.text, block.bytes, 0);
            break;
        case TOPIC_PARAGRAPH:
            page_fill(page, block.text, block.bytes, MARGIN);
            break;
        case TOPIC_ITEM:
            write_item(&block, page);
            break;
        case TOPIC_EXAMPLE:
            write_example(&block, page);
            break;
        case TOPIC_TABLE:
            topic_table_write(&block, page, MARGIN);
            break;
        }
    }
}
