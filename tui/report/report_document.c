#include "tui/report/report_document.h"

#include "core/support/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void report_document_note(ReportDocument *document, Status status, const Error *error) {
    if (status == STATUS_OK || document->status != STATUS_OK) return;
    document->status = status;
    document->error = *error;
}

static void note_memory(ReportDocument *document) {
    Error error;
    report_document_note(document, memory_fail(&error, "a report"), &error);
}

static char *format_text(const char *format, va_list arguments) {
    enum { TEXT_SIZE = 4096 };
    char text[TEXT_SIZE];
    (void)vsnprintf(text, sizeof text, format, arguments);
    return memory_format("%s", text);
}

void report_document_entitle(ReportDocument *document, const char *format, ...) {
    va_list arguments;
    free(document->title);
    va_start(arguments, format);
    document->title = format_text(format, arguments);
    va_end(arguments);
    if (document->title == NULL) note_memory(document);
}

void report_document_begin(ReportDocument *document, const char *key, const char *title) {
    Error error;
    if (document->status != STATUS_OK) return;
    Status status = MEMORY_RESERVE(document->sections, &document->capacity, document->count + 1, &error);
    report_document_note(document, status, &error);
    if (status == STATUS_OK)
        document->sections[document->count++] = (ReportSection){.key = key, .title = title};
}

static void free_block(ReportBlock *block) {
    free(block->text);
    free(block->drawing);
    table_free(block->table);
}

/* Takes what the block owns over. */
static void add_block(ReportDocument *document, ReportBlock block) {
    Error error;
    if (block.text == NULL) note_memory(document);
    if (document->status == STATUS_OK && document->count > 0) {
        ReportSection *section = &document->sections[document->count - 1];
        Status status = MEMORY_RESERVE(section->blocks, &section->capacity, section->count + 1, &error);
        report_document_note(document, status, &error);
        if (status == STATUS_OK) {
            section->blocks[section->count++] = block;
            return;
        }
    }
    free_block(&block);
}

void report_document_add(ReportDocument *document, ReportKind kind, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = format_text(format, arguments);
    va_end(arguments);
    add_block(document, (ReportBlock){.kind = kind, .text = text});
}

void report_document_add_table(ReportDocument *document, const char *key, Table *table, const char *caption) {
    Error error;
    if (table == NULL)
        note_memory(document);
    else
        report_document_note(document, table_check(table, &error), &error);
    add_block(document,
              (ReportBlock){
                  .kind = REPORT_TABLE, .key = key, .text = memory_format("%s", caption), .table = table});
}

void report_document_add_figure(ReportDocument *document, const char *key, char *drawing,
                                const char *caption) {
    if (drawing == NULL) note_memory(document);
    add_block(document, (ReportBlock){.kind = REPORT_FIGURE,
                                      .key = key,
                                      .text = memory_format("%s", caption),
                                      .drawing = drawing});
}

void report_document_add_command(ReportDocument *document, char *command) {
    add_block(document, (ReportBlock){.kind = REPORT_COMMAND, .text = command});
}

Status report_document_check(const ReportDocument *document, Error *error) {
    if (document->status == STATUS_OK) return STATUS_OK;
    return status_fail(error, document->status, "%s", document->error.message);
}

void report_document_free(ReportDocument *document) {
    for (size_t i = 0; i < document->count; i++) {
        ReportSection *section = &document->sections[i];
        for (size_t k = 0; k < section->count; k++) free_block(&section->blocks[k]);
        free(section->blocks);
    }
    free(document->sections);
    free(document->title);
    *document = (ReportDocument){0};
}
