#include "tui/program/roff.h"
#include "tui/program/topic.h"
#include "tui/program/topic_table.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

/* Of the 80 columns of a terminal man(1) indents by 7 and leaves 2 free. */
enum { TABLE_WIDTH = 71 };

static void write_filled(const char *request, const TopicBlock *block, FILE *file) {
    Page page = {.file = file, .kind = PAGE_ROFF, .width = INT_MAX};
    (void)fprintf(file, "%s\n", request);
    page_fill(&page, block->text, block->bytes, 0);
}

/* ".SS" takes its title on its own line. */
static void write_heading(const TopicBlock *block, FILE *file) {
    Page page = {.file = file, .kind = PAGE_ROFF, .width = INT_MAX, .column = 1};
    (void)fputs(".SS ", file);
    page_fill(&page, block->text, block->bytes, 0);
}

static void write_example(const TopicBlock *block, FILE *file) {
    (void)fprintf(file, ".PP\n.RS %d\n.nf\n", TOPIC_EXAMPLE_INDENT);
    for (const char *line = block->text, *end = line + block->bytes; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline != NULL ? newline : end;
        line += TOPIC_EXAMPLE_INDENT;
        roff_write_text(file, line, (size_t)(line_end - line));
        (void)putc('\n', file);
        line = line_end + 1;
    }
    (void)fputs(".fi\n.RE\n", file);
}

static void write_table(const TopicBlock *block, FILE *file) {
    Page page = {.file = file, .kind = PAGE_ROFF, .width = TABLE_WIDTH};
    (void)fputs(".PP\n.nf\n", file);
    topic_table_write(block, &page, 0);
    (void)fputs(".fi\n", file);
}

/* The title is the first paragraph: the section has the topic's name. */
static void write_title(const TopicBlock *block, FILE *file) {
    Page page = {.file = file, .kind = PAGE_ROFF, .width = INT_MAX};
    (void)page_write_words(&page, block->text, block->bytes, INT_MAX);
    page_write(&page, ".", 1);
    page_end_line(&page);
}

void topic_write_roff(const char *name, const char *text, FILE *file) {
    char section[64];
    size_t length = 0;
    for (; name[length] != '\0' && length + 1 < sizeof section; length++)
        section[length] = (char)toupper((unsigned char)name[length]);
    section[length] = '\0';
    roff_write_section(file, section);
    TopicBlock block;
    while (topic_next(&text, &block)) {
        switch (block.kind) {
        case TOPIC_TITLE:
            write_title(&block, file);
            break;
        case TOPIC_HEADING:
            write_heading(&block, file);
            break;
        case TOPIC_PARAGRAPH:
            write_filled(".PP", &block, file);
            break;
        case TOPIC_ITEM:
            write_filled(".IP \\(bu 2", &block, file);
            break;
        case TOPIC_EXAMPLE:
            write_example(&block, file);
            break;
        case TOPIC_TABLE:
            write_table(&block, file);
            break;
        }
    }
}
