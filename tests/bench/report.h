/*
 * report — the rows a benchmark prints: what was measured, the limit it is held against, and the target.
 */
#ifndef REJUV_TESTS_BENCH_REPORT_H
#define REJUV_TESTS_BENCH_REPORT_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct ReportRow {
    char what[80];
    double value;
    const char *unit;
    char limit_what[80]; /* empty: nothing was measured beside it */
    double limit;
    double target; /* of `value / limit`; or, where is_bound, the most that `value` may be; 0: none */
    bool is_bound;
} ReportRow;

typedef struct Report {
    ReportRow *rows;
    size_t count, capacity;
} Report;

Status report_add(Report *report, const ReportRow *row, Error *error) STATUS_MUST_CHECK;
void report_free(Report *report);

/* value / limit; NaN where there is no limit. */
double report_ratio(const ReportRow *row);

/* To standard output; `facts` are lines of "key: value" that go above the table. */
typedef struct ReportFact {
    const char *key;
    char value[160];
} ReportFact;

void report_print(const Report *report, const ReportFact *facts, size_t count);
Status report_print_json(const Report *report, const ReportFact *facts, size_t count,
                         Error *error) STATUS_MUST_CHECK;

#endif
