/*
 * measure — how long things take. Several things that are to be compared run in turn (A B A B …), so that a change in
 * what else the machine does meets all of them alike, and are compared round by round; what counts is the median of the
 * rounds, and the least and the most say how far they lay apart.
 */
#ifndef REJUV_TESTS_BENCH_MEASURE_H
#define REJUV_TESTS_BENCH_MEASURE_H

#include "core/support/status.h"

#include <stddef.h>

typedef struct Measure {
    Status (*run)(void *argument, Error *error);
    void *argument;
    Status (*prepare)(void *argument, Error *error); /* before each run, not measured; NULL: nothing */
    const double *took; /* seconds that run() sets, where another process works; NULL: those of this one */
} Measure;

/* What to count: the time that passes, or the processor time of this process, which on a shared machine is
 * steadier but only means something where one thread works and no file is waited for. */
typedef enum MeasureClock { MEASURE_WALL, MEASURE_PROCESSOR } MeasureClock;

enum { MEASURE_MOST = 4, MEASURE_ROUNDS = 400 };

/* Seconds of measure m in round r. */
typedef struct MeasureTimes {
    size_t rounds;
    double seconds[MEASURE_MOST][MEASURE_ROUNDS];
} MeasureTimes;

typedef struct Spread {
    double least, median, most;
} Spread;

/* Seconds on that clock, which only goes forward. */
double measure_read(MeasureClock clock);

/* The same on the clock of passing time. */
double measure_now(void);

/* Runs all, MEASURE_MOST at most, in turn until `seconds` have passed, three times at least. The first round warms caches and
 * does not count, unless it took all of the seconds. */
Status measure_alternate(const Measure *measures, size_t count, MeasureClock clock, double seconds,
                         MeasureTimes *times, Error *error) STATUS_MUST_CHECK;

/* Of values in any order, one at least; they are sorted. */
Spread spread_of(double *values, size_t count);
Spread spread_of_one(double value);

/* factor · seconds of measure m. */
Spread measure_seconds(const MeasureTimes *times, size_t m, double factor);

/* work / seconds of measure m. */
Spread measure_rate(const MeasureTimes *times, size_t m, double work);

/* factor · seconds of measure m / seconds of measure n, round by round. */
Spread measure_ratio(const MeasureTimes *times, size_t m, size_t n, double factor);

#endif
