#include "core/checkpoint/finding.h"

#include "core/support/memory.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_texts(Finding *finding) {
    free(finding->subject);
    free(finding->text);
}

Status finding_add(FindingList *list, Severity severity, const char *subject, Error *error,
                   const char *format, ...) {
    Status status = MEMORY_RESERVE(list->items, &list->capacity, list->count + 1, error);
    if (status != STATUS_OK) return status;
    char text[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    Finding finding = {.severity = severity,
                       .subject = memory_copy_text(subject, strlen(subject)),
                       .text = memory_copy_text(text, strlen(text))};
    if (finding.subject == NULL || finding.text == NULL) {
        free_texts(&finding);
        return memory_fail(error, "a finding");
    }
    list->items[list->count++] = finding;
    return STATUS_OK;
}

static bool has_same(const FindingList *list, const Finding *finding) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].subject, finding->subject) == 0 &&
            strcmp(list->items[i].text, finding->text) == 0)
            return true;
    }
    return false;
}

Status finding_add_all(FindingList *list, const FindingList *other, Error *error) {
    Status status = STATUS_OK;
    for (size_t i = 0; i < other->count && status == STATUS_OK; i++) {
        const Finding *finding = &other->items[i];
        if (!has_same(list, finding))
            status = finding_add(list, finding->severity, finding->subject, error, "%s", finding->text);
    }
    return status;
}

void finding_remove(FindingList *list, const char *subject) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        Finding *finding = &list->items[i];
        if (strcmp(finding->subject, subject) != 0)
            list->items[kept++] = *finding;
        else
            free_texts(finding);
    }
    list->count = kept;
}

const Finding *finding_first_error(const FindingList *list) {
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].severity == SEVERITY_ERROR) return &list->items[i];
    }
    return NULL;
}

size_t finding_count(const FindingList *list, Severity severity) {
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) count += list->items[i].severity == severity;
    return count;
}

void finding_free(FindingList *list) {
    for (size_t i = 0; i < list->count; i++) free_texts(&list->items[i]);
    free(list->items);
    *list = (FindingList){0};
}

const char *finding_severity_name(Severity severity) {
    static const char *const NAMES[] = {"note", "warning", "error"};
    return NAMES[severity];
}
