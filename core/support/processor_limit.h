/*
 * processor_limit — how many processors are this process's to use.
 *
 * A process may be held to some processors (its affinity: taskset, cpusets), and its control group may have a quota: so
 * many microseconds of processor time in each period, over all processors. Threads beyond that do not make anything
 * faster: all are stopped until the next period begins, often while they hold what the others wait for.
 *
 *     version 2    cpu.max             "150000 100000": 1.5 processors, so two threads; "max 100000": no quota
 *     version 1    cpu.cfs_quota_us    150000; -1: no quota
 *                  cpu.cfs_period_us   100000
 */
#ifndef REJUV_CORE_PROCESSOR_LIMIT_H
#define REJUV_CORE_PROCESSOR_LIMIT_H

/* Processors that this process may run on, 1 at least. */
unsigned processor_limit_machine(void);

/* The same, or the quota of its control groups, rounded up, where that is less; 1 at least. `root` is put before every
 * path: "" but for tests. */
unsigned processor_limit_allowed(const char *root);

#endif
