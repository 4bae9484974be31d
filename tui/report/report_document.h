/*
 * report_document — what a report says, before it is HTML, Markdown or JSON: sections of paragraphs, tables, figures
 * and the commands that make them. Every writer walks the same sections.
 *
 * Like a Table, a document remembers the first thing that went wrong: what is added afterwards is left out, and
 * report_document_check() says so. All text is as it came, untrusted; writers make it harmless.
 */
#ifndef REJUV_TUI_REPORT_DOCUMENT_H
#define REJUV_TUI_REPORT_DOCUMENT_H

#include "tui/tables/table.h"

#include <stdbool.h>

typedef enum ReportKind {
    REPORT_LEAD, /* a paragraph that sums up */
    REPORT_PARAGRAPH,
    REPORT_ITEM,    /* of a list: those in a row are one */
    REPORT_TABLE,   /* text is its caption */
    REPORT_FIGURE,  /* text is its caption */
    REPORT_COMMAND, /* text is a command line: what gives what stands before it */
} ReportKind;

typedef struct ReportBlock {
    ReportKind kind;
    const char *key; /* static: of a table or figure, unique in its document; else NULL */
    char *text;
    Table *table;
    char *drawing; /* SVG */
} ReportBlock;

typedef struct ReportSection {
    const char *key, *title; /* static */
    ReportBlock *blocks;
    size_t count, capacity;
} ReportSection;

/* Zero-initialise; report_document_free() releases. */
typedef struct ReportDocument {
    char *title;
    ReportSection *sections;
    size_t count, capacity;
    Status status;
    Error error;
} ReportDocument;

void report_document_entitle(ReportDocument *document, const char *format, ...) STATUS_PRINTF(2, 3);

/* What follows is added to this section. Both texts are static. */
void report_document_begin(ReportDocument *document, const char *key, const char *title);

void report_document_add(ReportDocument *document, ReportKind kind, const char *format, ...)
    STATUS_PRINTF(3, 4);

/* Take the table, the drawing or the command over, after a failure too; NULL is one for want of memory, and so is a table that
 * could not be filled. */
void report_document_add_table(ReportDocument *document, const char *key, Table *table, const char *caption);
void report_document_add_figure(ReportDocument *document, const char *key, char *drawing,
                                const char *caption);
void report_document_add_command(ReportDocument *document, char *command);

/* Remembers a failure, where there is none yet; STATUS_OK is none. */
void report_document_note(ReportDocument *document, Status status, const Error *error);

Status report_document_check(const ReportDocument *document, Error *error) STATUS_MUST_CHECK;
void report_document_free(ReportDocument *document);

#endif
