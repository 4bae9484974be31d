#include "tui/program/topic_table.h"

#include <string.h>

enum { GAP = 2 };

typedef struct Cell {
    const char *text;
    size_t bytes;
} Cell;

typedef struct Row {
    Cell cells[TOPIC_COLUMNS];
    int count;
} Row;

static Cell trim(const char *text, size_t bytes) {
    while (bytes > 0 && text[0] == ' ') text++, bytes--;
    while (bytes > 0 && text[bytes - 1] == ' ') bytes--;
    return (Cell){text, bytes};
}

/* The row at *text, which moves behind it; false at the end. */
static bool next_row(const char **text, const char *end, Row *row) {
    *row = (Row){0};
    if (*text >= end) return false;
    const char *newline = memchr(*text, '\n', (size_t)(end - *text));
    const char *line_end = newline != NULL ? newline : end, *at = *text + 1; /* behind the first | */
    while (at < line_end && row->count < TOPIC_COLUMNS) {
        const char *bar = memchr(at, '|', (size_t)(line_end - at));
        if (bar == NULL) bar = line_end;
        row->cells[row->count++] = trim(at, (size_t)(bar - at));
        at = bar + 1;
    }
    *text = newline != NULL ? newline + 1 : end;
    return true;
}

static bool is_rule(const Row *row) {
    for (int i = 0; i < row->count; i++)
        if (row->cells[i].bytes == 0 || strspn(row->cells[i].text, "-") < row->cells[i].bytes) return false;
    return row->count > 0;
}

static bool is_empty(const Row *row) {
    for (int i = 0; i < row->count; i++)
        if (row->cells[i].bytes > 0) return false;
    return true;
}

/* ---- how wide ---- */

typedef struct Layout {
    int count;
    int widths[TOPIC_COLUMNS];
} Layout;

static int sum(const int *values, int count) {
    int total = 0;
    for (int i = 0; i < count; i++) total += values[i];
    return total;
}

static Layout lay_out(const TopicBlock *table, const Page *page, int columns) {
    Layout layout = {0};
    Row row;
    int words[TOPIC_COLUMNS] = {0};
    const char *text = table->text, *end = text + table->bytes;
    while (next_row(&text, end, &row)) {
        if (row.count > layout.count) layout.count = row.count;
        for (int i = 0; i < row.count && !is_rule(&row); i++) {
            int whole = page_text_width(page, row.cells[i].text, row.cells[i].bytes);
            int word = page_longest_word(page, row.cells[i].text, row.cells[i].bytes);
            if (whole > layout.widths[i]) layout.widths[i] = whole;
            if (word > words[i]) words[i] = word;
        }
    }
    columns -= GAP * (layout.count - 1);
    int wanted = sum(layout.widths, layout.count), least = sum(words, layout.count);
    if (wanted <= columns) return layout;
    int spare = columns > least ? columns - least : 0, most = wanted > least ? wanted - least : 1;
    for (int i = 0; i < layout.count; i++)
        layout.widths[i] = words[i] + (layout.widths[i] - words[i]) * spare / most;
    return layout;
}

/* ---- writing ---- */

/* As many lines as the longest cell takes. */
static void write_row(Row *row, const Layout *layout, Page *page, int margin) {
    do {
        int column = margin;
        for (int i = 0; i < row->count; i++) {
            Cell *cell = &row->cells[i];
            if (cell->bytes > 0) {
                page_pad(page, column);
                size_t used = page_write_words(page, cell->text, cell->bytes, layout->widths[i]);
                cell->text += used;
                cell->bytes -= used;
            }
            column += layout->widths[i] + GAP;
        }
        page_end_line(page);
    } while (!is_empty(row));
}

static void write_rule(const Layout *layout, Page *page, int margin) {
    int column = margin;
    for (int i = 0; i < layout->count; i++) {
        page_pad(page, column);
        for (int dash = 0; dash < layout->widths[i]; dash++) page_write(page, "-", 1);
        column += layout->widths[i] + GAP;
    }
    page_end_line(page);
}

void topic_table_write(const TopicBlock *table, Page *page, int margin) {
    Layout layout = lay_out(table, page, page->width - margin);
    const char *text = table->text, *end = text + table->bytes;
    Row row;
    bool has_header = next_row(&text, end, &row) && !is_empty(&row);
    if (has_header) write_row(&row, &layout, page, margin);
    while (next_row(&text, end, &row)) {
        if (!is_rule(&row))
            write_row(&row, &layout, page, margin);
        else if (has_header)
            write_rule(&layout, page, margin);
    }
}
