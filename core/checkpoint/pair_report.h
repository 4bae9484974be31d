/*
 * pair_report — differences of a pair, tensors of one kind as one line: "model.layers.N.mlp.experts.N.up_proj.weight: 384
 * tensors, only in SFT: copied from there".
 *
 * A helper of pair.c: it collects, and writes findings once all are known.
 */
#ifndef REJUV_CORE_PAIR_REPORT_H
#define REJUV_CORE_PAIR_REPORT_H

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/finding.h"

enum { PAIR_REPORT_TEXT = 224, PAIR_REPORT_LINES = 12 };

typedef struct PairReportGroup {
    Severity severity;
    const Tensor *first;
    char text[PAIR_REPORT_TEXT];
    size_t tensors;
} PairReportGroup;

/* Zero-initialise, release with pair_report_free(). */
typedef struct PairReport {
    PairReportGroup **groups; /* in the order they were met */
    size_t count, capacity;
    void *tree; /* of tsearch(): a header may hold as many kinds as tensors */
} PairReport;

/* What is to be said of a tensor; borrowed until pair_report_write(). */
Status pair_report_add(PairReport *report, Severity severity, const Tensor *tensor, Error *error,
                       const char *format, ...) STATUS_PRINTF(5, 6) STATUS_MUST_CHECK;

/* The gravest first; at most PAIR_REPORT_LINES lines of each severity, and one that counts the rest. */
Status pair_report_write(const PairReport *report, FindingList *findings, Error *error) STATUS_MUST_CHECK;

void pair_report_free(PairReport *report);

#endif
