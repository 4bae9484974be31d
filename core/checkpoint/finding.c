#include "core/checkpoint/finding.h"

#include "core/support/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Status finding_add(Finding **list, size_t *count, size_t *capacity, Severity severity, const char *subject,
                   Error *error, const char *format, va_list arguments) {
    void *block = *list;
    Status status = memory_reserve(&block, capacity, *count + 1, sizeof **list, error);
    if (status != STATUS_OK) return status;
    *list = block;
    char text[ERROR_MESSAGE_SIZE];
    (void)vsnprintf(text, sizeof text, format, arguments);
    Finding finding = {.severity = severity,
                       .subject = memory_copy_text(subject, strlen(subject)),
                       .text = memory_copy_text(text, strlen(text))};
    if (finding.subject == NULL || finding.text == NULL) {
        free(finding.subject);
        free(finding.text);
        return memory_fail(error, "a finding");
    }
    (*list)[(*count)++] = finding;
    return STATUS_OK;
}

void finding_free_all(Finding *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(list[i].subject);
        free(list[i].text);
    }
    free(list);
}
