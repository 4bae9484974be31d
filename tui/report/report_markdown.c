#include "tui/report/report_write.h"
#include "tui/tables/table_json.h"
#include "tui/text/text.h"

#include <string.h>

/* Text in one line. What Markdown or HTML would read as markup has a backslash in front, or is an entity. */
static void write_text(const char *text, FILE *file) {
    char piece[64];
    for (size_t left = strlen(text); left > 0;) {
        int32_t character;
        size_t bytes = text_decode(text, left, &character);
        (void)text_escape(text, bytes, TEXT_PLAIN, piece, sizeof piece);
        if (*text == '<')
            (void)fputs("&lt;", file);
        else if (*text == '&')
            (void)fputs("&amp;", file);
        else if (strchr("\\`*_[]|#~>!", *text) != NULL)
            (void)fprintf(file, "\\%c", *text);
        else
            (void)fputs(piece, file);
        text += bytes;
        left -= bytes;
    }
}

static void write_line(const char *before, const char *text, const char *after, FILE *file) {
    (void)fputs(before, file);
    write_text(text, file);
    (void)fputs(after, file);
}

static void write_table(const ReportBlock *block, FILE *file) {
    enum { CELL_SIZE = 4096 };
    char text[CELL_SIZE];
    const Table *table = block->table;
    size_t columns = table_column_count(table);
    write_line("", block->text, "\n\n|", file);
    for (size_t i = 0; i < columns; i++) {
        const TableColumn *column = table_column(table, i);
        write_line(" ", column->label != NULL ? column->label : column->key, "", file);
        if (column->unit != NULL && column->unit[0] != '\0') write_line(" (", column->unit, ")", file);
        (void)fputs(" |", file);
    }
    (void)fputs("\n|", file);
    for (size_t i = 0; i < columns; i++) {
        TableType type = table_column(table, i)->type;
        (void)fputs(type == TABLE_NUMBER || type == TABLE_INTEGER ? " ---: |" : " --- |", file);
    }
    (void)fputs("\n", file);
    for (size_t row = 0; row < table_row_count(table); row++) {
        (void)fputs("|", file);
        for (size_t i = 0; i < columns; i++) {
            table_cell_text(table, row, i, text, sizeof text);
            write_line(" ", text, " |", file);
        }
        (void)fputs("\n", file);
    }
    (void)fputs("\n", file);
}

/* Indented by four it is code, whatever is in it, as long as it is a line. */
static void write_command(const char *text, FILE *file) {
    (void)fputs("    ", file);
    for (size_t left = strlen(text); left > 0;) {
        char piece[64];
        int32_t character;
        size_t bytes = text_decode(text, left, &character);
        (void)text_escape(text, bytes, TEXT_KEEP_NEWLINES, piece, sizeof piece);
        (void)fputs(piece, file);
        if (character == '\n') (void)fputs("    ", file);
        text += bytes;
        left -= bytes;
    }
    (void)fputs("\n\n", file);
}

static void write_block(const ReportBlock *block, const ReportBlock *next, FILE *file) {
    switch (block->kind) {
    case REPORT_LEAD:
    case REPORT_PARAGRAPH:
        write_line("", block->text, "\n\n", file);
        break;
    case REPORT_ITEM:
        write_line("- ", block->text, next != NULL && next->kind == REPORT_ITEM ? "\n" : "\n\n", file);
        break;
    case REPORT_TABLE:
        write_table(block, file);
        break;
    case REPORT_FIGURE:
        write_line("Figure: ", block->text, "\n\n", file);
        break;
    case REPORT_COMMAND:
        write_command(block->text, file);
        break;
    }
}

Status report_write_markdown(const ReportDocument *document, FILE *file, Error *error) {
    write_line("# ", document->title, "\n\n", file);
    for (size_t i = 0; i < document->count; i++) {
        const ReportSection *section = &document->sections[i];
        write_line("## ", section->title, "\n\n", file);
        for (size_t k = 0; k < section->count; k++)
            write_block(&section->blocks[k], k + 1 < section->count ? &section->blocks[k + 1] : NULL, file);
    }
    return table_json_check_file(file, error);
}
