/*
 * process_growth — what a process holds at rest, round after round of the same keys, and whether that grows.
 */
#ifndef REJUV_TESTS_PROCESS_GROWTH_H
#define REJUV_TESTS_PROCESS_GROWTH_H

#include "core/support/status.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* Of /proc/PID: memory that is no file's in KiB (RssAnon), open descriptors, threads. */
typedef struct ProcessHoldings {
    unsigned long memory, descriptors, threads;
} ProcessHoldings;

typedef struct ProcessGrowth {
    ProcessHoldings *rounds; /* free() */
    size_t count, capacity;
} ProcessGrowth;

/* Reads what the process holds now, adds it as one more round, and prints it as a row of a table. STATUS_IO where there
 * is no such process. */
Status process_growth_add(ProcessGrowth *growth, pid_t process, FILE *table, Error *error) STATUS_MUST_CHECK;

/* The first third of the rounds fills caches, histories and the C library's heap. Of the rest, STATUS_MISMATCH where the
 * second half never came down to the most that the first half held (memory: with 1 % of it and a MiB to spare):
 * what is lost in each round adds up to that, what only comes and goes does not. STATUS_ARGUMENT for less than PROCESS_GROWTH_ROUNDS. */
enum { PROCESS_GROWTH_ROUNDS = 6 };
Status process_growth_judge(const ProcessGrowth *growth, Error *error) STATUS_MUST_CHECK;

#endif
