/*
 * measure — how long things take. Several things that are to be compared run in turn, so that a change in
 * what else the machine does meets all of them alike; the median of each is what counts.
 */
#ifndef REJUV_TESTS_BENCH_MEASURE_H
#define REJUV_TESTS_BENCH_MEASURE_H

#include "core/support/status.h"

#include <stddef.h>

typedef struct Measure {
    Status (*run)(void *argument, Error *error);
    void *argument;
    Status (*prepare)(void *argument, Error *error); /* before each run, not measured; NULL: nothing */
} Measure;

/* What to count: the time that passes, or the processor time of this process, which on a shared machine is
 * steadier but only means something where one thread works and no file is waited for. */
typedef enum MeasureClock { MEASURE_WALL, MEASURE_PROCESSOR } MeasureClock;

/* Seconds on that clock, which only goes forward. */
double measure_read(MeasureClock clock);

/* The same on the clock of passing time. */
double measure_now(void);

/* Runs all once unmeasured (so that caches are warm), then in turn until `seconds` have passed, three times
 * at least; medians[i] is measure i's median in seconds. */
Status measure_medians(const Measure *measures, size_t count, MeasureClock clock, double seconds,
                       double *medians, Error *error) STATUS_MUST_CHECK;

#endif
