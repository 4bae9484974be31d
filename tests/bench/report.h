/*
 * report — the rows a benchmark prints: what was measured, the limit it is held against, what is aimed at, and how
 * noisy it was.
 */
#ifndef REJUV_TESTS_BENCH_REPORT_H
#define REJUV_TESTS_BENCH_REPORT_H

#include "core/support/status.h"
#include "tests/bench/measure.h"

#include <stdbool.h>
#include <stddef.h>

/* What is judged is the ratio to the limit, which should be large; or, where is_bound, the value, which should be
 * small: its median, or, where is_worst, the most of it. */
typedef struct ReportRow {
    char what[80];
    Spread value;
    const char *unit;
    char limit_what[80]; /* empty: nothing was measured beside it */
    Spread limit, ratio;
    double aim;   /* 0: none */
    double usual; /* what it was on the machines at hand, the least of them; 0: it depends on the machine */
    bool is_bound, is_worst;
    bool is_inverse; /* values should be small, and the ratio is how many times smaller this one is */
} ReportRow;

/* What has to be known of a run besides its rows, such as what was left out. */
enum { REPORT_NOTES = 16 };

typedef struct ReportNote {
    char what[24], text[200];
} ReportNote;

typedef struct Report {
    ReportRow *rows;
    size_t count, capacity;
    ReportNote notes[REPORT_NOTES];
    size_t note_count;
} Report;

Status report_add(Report *report, const ReportRow *row, Error *error) STATUS_MUST_CHECK;
void report_free(Report *report);

/* Said once; of more than REPORT_NOTES the later ones are not said. */
void report_note(Report *report, const char *what, const char *text);

/* Sets value, limit and ratio of a row: `work` by the seconds of measure `own`, beside `limit_work` by those of
 * measure `limit`. */
void report_set_rates(ReportRow *row, const MeasureTimes *times, size_t own, double work, size_t limit,
                      double limit_work);

/* Rows that are more than twice as bad as usual, each said on standard error. */
size_t report_count_off(const Report *report);

/* To standard output; `facts` are lines of "key: value" that go above the table. */
typedef struct ReportFact {
    const char *key;
    char value[240];
} ReportFact;

void report_print(const Report *report, const ReportFact *facts, size_t count);
void report_print_markdown(const Report *report, const ReportFact *facts, size_t count);
Status report_print_json(const Report *report, const ReportFact *facts, size_t count,
                         Error *error) STATUS_MUST_CHECK;

#endif
