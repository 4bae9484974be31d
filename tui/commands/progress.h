/*
 * progress — the bar of a batch command, on standard error: one line that is drawn over, and blank at the
 * end.
 *
 *     drift     [##############                ]  47 %  1.9 GB/s  0:04 left
 *
 * Plain ASCII without escape sequences, at most ten times a second, and only once the work has taken a
 * moment. Where standard error is no terminal, and in the file of --log-file (batch_log.h), a line every ten seconds:
 *
 *     rejuv: drift 47 %, 1.9 GB/s, 0:04 left
 */
#ifndef REJUV_TUI_PROGRESS_H
#define REJUV_TUI_PROGRESS_H

#include "core/support/job.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct Progress {
    bool enabled;        /* standard error is told */
    bool is_terminal;    /* by the bar */
    FILE *log;           /* borrowed; NULL: none */
    double began, drawn; /* seconds, monotonic; 0: never */
    double said;         /* when the last line was, or the beginning */
    int columns;         /* of the terminal, at the last drawing; 0: nothing is drawn */
    size_t part, parts;  /* where one stage is run several times: which this is, of how many; 0: once */
} Progress;

/* Standard error is told nothing when `quiet`. */
Progress progress_begin(bool quiet);

/* Seconds since then. */
double progress_seconds(const Progress *progress);

/* A JobObserver; `user` is the Progress. */
void progress_observe(void *user, JobProgress progress);

/* Blanks the line, before anything else is written. */
void progress_clear(Progress *progress);

#endif
