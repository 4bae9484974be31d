/*
 * report_verdict — what the figures say in words, as a table of rules: a figure, how far it must be from 0 to count, and
 * the sentence for each outcome. Nothing is said that no figure stands behind.
 *
 *     over-confidence   SFT's entropy below base's; its share of positions with top-1 above 0.99 above base's: how
 *                       arXiv 2606.09932 sees it
 *     threshold         twice the standard error with rows as clusters, about 95 % where rows are many; of what is
 *                       counted, not estimated, 0
 */
#ifndef REJUV_TUI_REPORT_VERDICT_H
#define REJUV_TUI_REPORT_VERDICT_H

#include "tui/report/report_data.h"
#include "tui/report/report_document.h"

static const double REPORT_VERDICT_ERRORS = 2.0; /* standard errors that a difference must exceed */
enum { REPORT_VERDICT_LEAST = 8 }; /* of fewer rows, directions or prompts an error says too little */

typedef enum ReportOutcome {
    REPORT_LOWER,
    REPORT_EQUAL, /* no difference that could be told from none */
    REPORT_HIGHER,
    REPORT_UNKNOWN, /* not measured, or on too few rows */
    REPORT_OUTCOME_COUNT
} ReportOutcome;

/* "lower", "none", "higher", "unknown" */
const char *report_verdict_outcome_name(ReportOutcome outcome);

ReportOutcome report_verdict_judge(const ReportDifference *difference);

/* The lead, a sentence for each rule that has a figure, and the table of the figures that they rest on. */
void report_verdict_add(ReportDocument *document, const ReportData *data);

#endif
