/*
 * report_call — the command that gives a part of a report by itself, with what the report was asked for as far as that
 * command takes it.
 */
#ifndef REJUV_TUI_REPORT_CALL_H
#define REJUV_TUI_REPORT_CALL_H

#include "tui/commands/batch.h"
#include "tui/figures/figure.h"

typedef struct ReportCall {
    CommandId command;
    const FigureKind *kind; /* of COMMAND_FIGURE; else NULL */
    const char *const
        *words; /* its own options, with their values, NULL behind the last; they go before the report's */
    bool is_of_rows; /* of the report's options only what says how rows are read */
    bool is_of_pair; /* none of the report's options */
} ReportCall;

/* The caller frees; NULL when out of memory. */
char *report_call_write(const Batch *batch, const ReportCall *call);

#endif
