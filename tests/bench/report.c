#include "tests/bench/report.h"

#include "core/files/json.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

Status report_add(Report *report, const ReportRow *row, Error *error) {
    Status status = MEMORY_RESERVE(report->rows, &report->capacity, report->count + 1, error);
    if (status == STATUS_OK) report->rows[report->count++] = *row;
    return status;
}

void report_free(Report *report) {
    free(report->rows);
    *report = (Report){0};
}

double report_ratio(const ReportRow *row) {
    return row->limit_what[0] == '\0' ? NAN : row->value / row->limit;
}

static bool meets_target(const ReportRow *row) {
    return row->is_bound ? row->value <= row->target : report_ratio(row) >= row->target;
}

static void print_row(const ReportRow *row) {
    (void)printf("%-44s %10.4g %-9s", row->what, row->value, row->unit);
    if (row->limit_what[0] != '\0')
        (void)printf(" %-42s %10.4g %6.2f", row->limit_what, row->limit, report_ratio(row));
    else
        (void)printf(" %-42s %10s %6s", "", "", "");
    if (row->target > 0.0)
        (void)printf("  %s %.3g%s", row->is_bound ? "≤" : "≥", row->target,
                     meets_target(row) ? "" : "  missed");
    (void)putchar('\n');
}

void report_print(const Report *report, const ReportFact *facts, size_t count) {
    for (size_t i = 0; i < count; i++) (void)printf("%s: %s\n", facts[i].key, facts[i].value);
    (void)printf("\n%-44s %10s %-9s %-42s %10s %6s  %s\n", "what", "median", "unit", "limit, same run", "",
                 "ratio", "target");
    for (size_t i = 0; i < report->count; i++) print_row(&report->rows[i]);
}

static cJSON *describe_row(const ReportRow *row) {
    cJSON *item = cJSON_CreateObject();
    bool ok = json_add_text(item, "what", row->what) && json_add_number(item, "value", row->value) &&
              json_add_text(item, "unit", row->unit);
    if (row->limit_what[0] != '\0')
        ok = ok && json_add_text(item, "limit_what", row->limit_what) &&
             json_add_number(item, "limit", row->limit) && json_add_number(item, "ratio", report_ratio(row));
    if (row->target > 0.0)
        ok = ok && json_add_number(item, row->is_bound ? "most" : "least_ratio", row->target) &&
             json_add_bool(item, "met", meets_target(row));
    if (ok) return item;
    cJSON_Delete(item);
    return NULL;
}

Status report_print_json(const Report *report, const ReportFact *facts, size_t count, Error *error) {
    cJSON *tree = cJSON_CreateObject(), *rows = cJSON_CreateArray();
    bool ok = json_add(tree, "rows", rows);
    for (size_t i = 0; i < count; i++) ok = ok && json_add_text(tree, facts[i].key, facts[i].value);
    for (size_t i = 0; i < report->count && ok; i++)
        ok = cJSON_AddItemToArray(rows, describe_row(&report->rows[i]));
    char *text = ok ? cJSON_Print(tree) : NULL;
    cJSON_Delete(tree);
    if (text == NULL) return memory_fail(error, "the report");
    (void)puts(text);
    free(text);
    return STATUS_OK;
}
