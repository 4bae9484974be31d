#include "core/support/memory.h"
#include "tui/report/report_write.h"
#include "tui/tables/table_json.h"
#include "tui/text/text.h"

#include <stdlib.h>
#include <string.h>

/* Colours of the page alone: figures keep their own ground, as paper has it. */
static const char STYLE[] =
    ":root{color-scheme:light dark;--ground:#ffffff;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;"
    "--panel:#f6f8fa;--accent:#0550ae}\n"
    "@media (prefers-color-scheme:dark){:root{--ground:#16181d;--text:#e6e8eb;--soft:#9aa3ad;--line:#3a4048;"
    "--panel:#1f232a;--accent:#79b8ff}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:60rem;background:var(--ground);color:var(--text);"
    "font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",\"Liberation Sans\",\"DejaVu Sans\",sans-serif}\n"
    "h1{font-size:1.7rem;line-height:1.25;margin:0 0 1rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1.25rem;margin:2.5rem 0 .75rem;padding-top:.75rem;border-top:1px solid var(--line)}\n"
    "p,ul{margin:.6rem 0;overflow-wrap:anywhere}\n"
    "ul{padding-left:1.4rem}\n"
    "li{margin:.35rem 0}\n"
    "a{color:var(--accent)}\n"
    "nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;padding:0;font-size:.9rem}\n"
    "nav li{margin:0}\n"
    ".lead{font-size:1.05rem;padding:.75rem 1rem;background:var(--panel);border-left:4px solid var(--accent)}\n"
    ".wide{overflow-x:auto;margin:1rem 0}\n"
    "table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;color:var(--soft);padding-bottom:.35rem}\n"
    "th,td{padding:.25rem .7rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;"
    "max-width:26rem;overflow-wrap:break-word}\n"
    "thead th{border-bottom:2px solid var(--line);vertical-align:bottom}\n"
    "th:first-child,td:first-child{padding-left:0}\n"
    "tbody th{font-weight:normal}\n"
    ".n{text-align:right}\n"
    "td.n{white-space:nowrap}\n"
    "figure{margin:1.25rem 0}\n"
    "figure svg{display:block;max-width:100%;height:auto;background:#ffffff;border:1px solid var(--line);"
    "border-radius:4px}\n"
    "figcaption{color:var(--soft);font-size:.875rem;margin-top:.35rem}\n"
    "code{display:block;font:.8rem/1.5 ui-monospace,\"DejaVu Sans Mono\",\"Liberation Mono\",monospace;"
    "background:var(--panel);padding:.5rem .75rem;border-radius:4px;white-space:pre-wrap;"
    "overflow-wrap:anywhere}\n"
    ".o{white-space:nowrap}\n"
    "@media print{:root{--ground:#ffffff;--text:#000000;--soft:#444444;--line:#bbbbbb;--panel:#f2f2f2;"
    "--accent:#000000}\n"
    "@page{size:A4;margin:16mm}\n"
    "body{max-width:none;padding:0;font-size:10.5pt}\n"
    "nav{display:none}\n"
    "h2{break-after:avoid}\n"
    "figure,tr,.lead,code{break-inside:avoid}\n"
    "figure{break-after:avoid}\n"
    "th,td{max-width:80mm;padding:.2rem .5rem}\n"
    "caption{break-after:avoid}\n"
    ".wide{overflow:visible}\n"
    "table{font-size:8.5pt}}\n";

/* What XML may not hold is gone after text_escape(). Quotes matter in attributes; they do no harm in text. */
static void write_text(const char *text, FILE *file) {
    static const struct {
        char character;
        const char *entity;
    } ENTITIES[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&apos;"}};
    for (const char *c = text; *c != '\0'; c++) {
        const char *entity = NULL;
        for (size_t i = 0; i < sizeof ENTITIES / sizeof *ENTITIES; i++)
            if (ENTITIES[i].character == *c) entity = ENTITIES[i].entity;
        if (entity != NULL)
            (void)fputs(entity, file);
        else
            (void)fputc(*c, file);
    }
}

/* Any text, of any length: a character at a time. */
static void write_escaped(const char *text, FILE *file) {
    char piece[64];
    for (size_t left = strlen(text); left > 0;) {
        int32_t character;
        size_t bytes = text_decode(text, left, &character);
        (void)text_escape(text, bytes, TEXT_KEEP_NEWLINES, piece, sizeof piece);
        write_text(piece, file);
        text += bytes;
        left -= bytes;
    }
}

static void write_element(const char *open, const char *text, const char *close, FILE *file) {
    (void)fputs(open, file);
    write_escaped(text, file);
    (void)fputs(close, file);
}

/* ---- tables ---- */

static bool is_number(const Table *table, size_t column) {
    return table_column(table, column)->type == TABLE_NUMBER ||
           table_column(table, column)->type == TABLE_INTEGER;
}

static void write_head(const Table *table, FILE *file) {
    (void)fputs("<thead><tr>", file);
    for (size_t i = 0; i < table_column_count(table); i++) {
        const TableColumn *column = table_column(table, i);
        (void)fputs(is_number(table, i) ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">", file);
        write_escaped(column->label != NULL ? column->label : column->key, file);
        if (column->unit != NULL && column->unit[0] != '\0') write_element(" (", column->unit, ")", file);
        (void)fputs("</th>", file);
    }
    (void)fputs("</tr></thead>\n<tbody>\n", file);
}

static void write_row(const Table *table, size_t row, FILE *file) {
    enum { CELL_SIZE = 4096 };
    char text[CELL_SIZE];
    (void)fputs("<tr>", file);
    for (size_t i = 0; i < table_column_count(table); i++) {
        table_cell_text(table, row, i, text, sizeof text);
        bool is_head = i == 0;
        (void)fputs(is_head ? "<th scope=\"row\"" : "<td", file);
        (void)fputs(is_number(table, i) ? " class=\"n\">" : ">", file);
        write_escaped(text, file);
        (void)fputs(is_head ? "</th>" : "</td>", file);
    }
    (void)fputs("</tr>\n", file);
}

/* A wide table scrolls by itself; who has no mouse gets there too. */
static void write_table(const ReportBlock *block, FILE *file) {
    write_element("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"", block->text,
                  "\">\n<table>\n", file);
    write_element("<caption>", block->text, "</caption>\n", file);
    write_head(block->table, file);
    for (size_t row = 0; row < table_row_count(block->table); row++) write_row(block->table, row, file);
    (void)fputs("</tbody>\n</table>\n</div>\n", file);
}

/* ---- the page ---- */

static void write_figure(const ReportBlock *block, FILE *file) {
    write_element("<figure>\n<div role=\"img\" aria-label=\"", block->text, "\">\n", file);
    (void)fputs(block->drawing, file); /* well-formed, its texts escaped where it was drawn */
    write_element("</div>\n<figcaption>", block->text, "</figcaption>\n</figure>\n", file);
}

/* A browser would break lines behind the hyphens of options. */
static void write_command(const char *text, FILE *file) {
    (void)fputs("<p><code>", file);
    for (const char *word = text; *word != '\0';) {
        size_t length = strcspn(word, " ");
        bool is_option = word[0] == '-' && word > text && length < 40;
        char *copy = memory_copy_text(word, length);
        write_element(is_option ? "<span class=\"o\">" : "", copy != NULL ? copy : "",
                      is_option ? "</span>" : "", file);
        free(copy);
        word += length;
        for (; *word == ' '; word++) (void)fputc(' ', file);
    }
    (void)fputs("</code></p>\n", file);
}

static void write_block(const ReportBlock *block, FILE *file) {
    switch (block->kind) {
    case REPORT_LEAD:
        write_element("<p class=\"lead\">", block->text, "</p>\n", file);
        break;
    case REPORT_PARAGRAPH:
        write_element("<p>", block->text, "</p>\n", file);
        break;
    case REPORT_ITEM:
        write_element("<li>", block->text, "</li>\n", file);
        break;
    case REPORT_TABLE:
        write_table(block, file);
        break;
    case REPORT_FIGURE:
        write_figure(block, file);
        break;
    case REPORT_COMMAND:
        write_command(block->text, file);
        break;
    }
}

static void write_section(const ReportSection *section, FILE *file) {
    bool in_list = false;
    (void)fprintf(file, "<section id=\"%s\" aria-labelledby=\"%s-title\">\n", section->key, section->key);
    (void)fprintf(file, "<h2 id=\"%s-title\">", section->key);
    write_element("", section->title, "</h2>\n", file);
    for (size_t i = 0; i < section->count; i++) {
        bool is_item = section->blocks[i].kind == REPORT_ITEM;
        if (is_item && !in_list) (void)fputs("<ul>\n", file);
        if (!is_item && in_list) (void)fputs("</ul>\n", file);
        in_list = is_item;
        write_block(&section->blocks[i], file);
    }
    (void)fputs(in_list ? "</ul>\n</section>\n" : "</section>\n", file);
}

static void write_contents(const ReportDocument *document, FILE *file) {
    (void)fputs("<nav aria-label=\"Contents\"><ul>\n", file);
    for (size_t i = 0; i < document->count; i++) {
        (void)fprintf(file, "<li><a href=\"#%s\">", document->sections[i].key);
        write_element("", document->sections[i].title, "</a></li>\n", file);
    }
    (void)fputs("</ul></nav>\n", file);
}

Status report_write_html(const ReportDocument *document, FILE *file, Error *error) {
    (void)fputs(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
        "<meta name=\"generator\" content=\"rejuv " REJUV_VERSION "\"/>\n",
        file);
    write_element("<title>", document->title, "</title>\n", file);
    (void)fprintf(file, "<style>\n%s</style>\n</head>\n<body>\n<header>\n", STYLE);
    write_element("<h1>", document->title, "</h1>\n", file);
    write_contents(document, file);
    (void)fputs("</header>\n<main>\n", file);
    for (size_t i = 0; i < document->count; i++) write_section(&document->sections[i], file);
    (void)fputs("</main>\n</body>\n</html>\n", file);
    return table_json_check_file(file, error);
}
