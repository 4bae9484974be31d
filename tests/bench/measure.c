#include "tests/bench/measure.h"

#include "core/memory.h"

#include <stdlib.h>
#include <time.h>

enum { LEAST_ROUNDS = 3, MOST_ROUNDS = 1000 };

static double read_clock(clockid_t clock) {
    struct timespec now;
    (void)clock_gettime(clock, &now); /* both clocks exist on Linux */
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double measure_now(void) {
    return read_clock(CLOCK_MONOTONIC);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static Status run_all(const Measure *measures, size_t count, MeasureClock measured, size_t round,
                      double *times, Error *error) {
    for (size_t i = 0; i < count; i++) {
        clockid_t clock = measured == MEASURE_WALL ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID;
        Status status = STATUS_OK;
        if (measures[i].prepare != NULL) status = measures[i].prepare(measures[i].argument, error);
        double began = read_clock(clock);
        if (status == STATUS_OK) status = measures[i].run(measures[i].argument, error);
        if (status != STATUS_OK) return status;
        times[i * MOST_ROUNDS + round] = read_clock(clock) - began;
    }
    return STATUS_OK;
}

Status measure_medians(const Measure *measures, size_t count, MeasureClock clock, double seconds,
                       double *medians, Error *error) {
    double *times = memory_allocate(count, MOST_ROUNDS * sizeof *times);
    if (times == NULL) return memory_fail(error, "the times");
    Status status = run_all(measures, count, clock, 0, times, error);
    double began = measure_now();
    size_t rounds = 0;
    while (status == STATUS_OK && rounds < MOST_ROUNDS &&
           (rounds < LEAST_ROUNDS || measure_now() - began < seconds))
        status = run_all(measures, count, clock, rounds++, times, error);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        double *sorted = times + i * MOST_ROUNDS;
        qsort(sorted, rounds, sizeof *sorted, compare);
        medians[i] = (sorted[(rounds - 1) / 2] + sorted[rounds / 2]) / 2.0;
    }
    free(times);
    return status;
}
