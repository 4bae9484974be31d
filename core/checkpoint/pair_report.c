#include "core/checkpoint/pair_report.h"

#include "core/support/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN_SIZE = 512 };

/* Where a number stands as a part of a name: its digits; 0 where there is none. */
static size_t number_at(const char *name, const char *at) {
    bool begins = at == name || at[-1] == '.';
    size_t digits = begins ? strspn(at, "0123456789") : 0;
    return digits > 0 && (at[digits] == '.' || at[digits] == '\0') ? digits : 0;
}

/* Whether two names differ in their numbers only. */
static bool same_pattern(const char *a, const char *b) {
    const char *x = a, *y = b;
    while (*x != '\0' && *y != '\0') {
        size_t digits = number_at(a, x), others = number_at(b, y);
        if (digits > 0 && others > 0) {
            x += digits;
            y += others;
        } else if (*x++ != *y++) {
            return false;
        }
    }
    return *x == *y;
}

static bool is_tower(const Tensor *tensor) {
    return tensor->role == TENSOR_VISION || tensor->role == TENSOR_AUDIO;
}

static bool is_alike(const Tensor *a, const Tensor *b) {
    return is_tower(a) ? a->role == b->role : same_pattern(a->name, b->name);
}

static void write_pattern(const Tensor *tensor, char pattern[PATTERN_SIZE]) {
    size_t used = 0;
    for (const char *at = tensor->name; *at != '\0' && used + 1 < PATTERN_SIZE;) {
        size_t digits = number_at(tensor->name, at);
        pattern[used++] = digits > 0 ? 'N' : *at;
        at += digits > 0 ? digits : 1;
    }
    pattern[used] = '\0';
}

Status pair_report_add(PairReport *report, Severity severity, const Tensor *tensor, Error *error,
                       const char *format, ...) {
    char text[PAIR_REPORT_TEXT];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < report->count; i++) {
        PairReportGroup *group = &report->groups[i];
        if (group->severity != severity || !is_alike(group->first, tensor) || strcmp(group->text, text) != 0)
            continue;
        group->tensors++;
        return STATUS_OK;
    }
    Status status = MEMORY_RESERVE(report->groups, &report->capacity, report->count + 1, error);
    if (status != STATUS_OK) return status;
    PairReportGroup *group = &report->groups[report->count++];
    *group = (PairReportGroup){.severity = severity, .first = tensor, .tensors = 1};
    memcpy(group->text, text, sizeof text);
    return STATUS_OK;
}

static Status write_group(const PairReportGroup *group, FindingList *findings, Error *error) {
    char pattern[PATTERN_SIZE];
    if (group->tensors == 1)
        return finding_add(findings, group->severity, group->first->name, error, "%s", group->text);
    write_pattern(group->first, pattern);
    const char *subject = group->first->role == TENSOR_VISION  ? "vision tower"
                          : group->first->role == TENSOR_AUDIO ? "audio tower"
                                                               : pattern;
    return finding_add(findings, group->severity, subject, error, "%zu tensors, %s", group->tensors,
                       group->text);
}

Status pair_report_write(const PairReport *report, FindingList *findings, Error *error) {
    Status status = STATUS_OK;
    for (int severity = SEVERITY_ERROR; severity >= SEVERITY_NOTE && status == STATUS_OK; severity--) {
        size_t lines = 0, left_groups = 0, left_tensors = 0;
        for (size_t i = 0; i < report->count && status == STATUS_OK; i++) {
            const PairReportGroup *group = &report->groups[i];
            if (group->severity != (Severity)severity) continue;
            if (lines < PAIR_REPORT_LINES) {
                lines++;
                status = write_group(group, findings, error);
            } else {
                left_groups++;
                left_tensors += group->tensors;
            }
        }
        if (status == STATUS_OK && left_groups > 0)
            status = finding_add(findings, (Severity)severity, "tensors", error,
                                 "%zu further ones of %zu kinds, likewise", left_tensors, left_groups);
    }
    return status;
}

void pair_report_free(PairReport *report) {
    free(report->groups);
    *report = (PairReport){0};
}
