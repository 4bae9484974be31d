#include "core/checkpoint/pair_report.h"

#include "core/support/memory.h"

#include <limits.h>
#include <search.h>
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

/* 0 where two names differ in their numbers only; any number comes after any character. */
static int compare_patterns(const char *a, const char *b) {
    const char *x = a, *y = b;
    for (;;) {
        size_t digits = number_at(a, x), others = number_at(b, y);
        int first = digits > 0 ? UCHAR_MAX + 1 : (unsigned char)*x;
        int second = others > 0 ? UCHAR_MAX + 1 : (unsigned char)*y;
        if (first != second || first == '\0') return first - second;
        x += digits > 0 ? digits : 1;
        y += others > 0 ? others : 1;
    }
}

static TensorRole tower_of(const Tensor *tensor) {
    bool is_tower = tensor->role == TENSOR_VISION || tensor->role == TENSOR_AUDIO;
    return is_tower ? tensor->role : TENSOR_OTHER;
}

static int compare_groups(const void *first, const void *second) {
    const PairReportGroup *a = first, *b = second;
    TensorRole tower = tower_of(a->first), other = tower_of(b->first);
    if (a->severity != b->severity) return a->severity < b->severity ? -1 : 1;
    if (tower != other) return tower < other ? -1 : 1;
    int order = tower != TENSOR_OTHER ? 0 : compare_patterns(a->first->name, b->first->name);
    return order != 0 ? order : strcmp(a->text, b->text);
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

/* `group` is the report's from here on, or freed. */
static Status add_group(PairReport *report, PairReportGroup *group, Error *error) {
    Status status = MEMORY_RESERVE(report->groups, &report->capacity, report->count + 1, error);
    PairReportGroup **found = status == STATUS_OK ? tsearch(group, &report->tree, compare_groups) : NULL;
    if (status == STATUS_OK && found == NULL) status = memory_fail(error, "the findings");
    if (status != STATUS_OK) {
        free(group);
        return status;
    }
    (*found)->tensors++;
    if (*found == group)
        report->groups[report->count++] = group;
    else
        free(group);
    return STATUS_OK;
}

Status pair_report_add(PairReport *report, Severity severity, const Tensor *tensor, Error *error,
                       const char *format, ...) {
    PairReportGroup *group = memory_allocate(1, sizeof *group);
    if (group == NULL) return memory_fail(error, "the findings");
    *group = (PairReportGroup){.severity = severity, .first = tensor};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(group->text, sizeof group->text, format, arguments);
    va_end(arguments);
    return add_group(report, group, error);
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
            const PairReportGroup *group = report->groups[i];
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
    while (report->count > 0) {
        PairReportGroup *group = report->groups[--report->count];
        (void)tdelete(group, &report->tree, compare_groups);
        free(group);
    }
    free(report->groups);
    *report = (PairReport){0};
}
