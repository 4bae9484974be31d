#include "tests/bench/measure.h"

#include "core/support/memory.h"

#include <stdlib.h>
#include <time.h>

enum { LEAST_ROUNDS = 3, MOST_ROUNDS = 1000 };

double measure_read(MeasureClock clock) {
    struct timespec now;
    /* both clocks exist on Linux */
    (void)clock_gettime(clock == MEASURE_WALL ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double measure_now(void) {
    return measure_read(MEASURE_WALL);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static Status run_all(const Measure *measures, size_t count, MeasureClock clock, size_t round, double *times,
                      Error *error) {
    for (size_t i = 0; i < count; i++) {
        Status status = STATUS_OK;
        if (measures[i].prepare != NULL) status = measures[i].prepare(measures[i].argument, error);
        double began = measure_read(clock);
        if (status == STATUS_OK) status = measures[i].run(measures[i].argument, error);
        if (status != STATUS_OK) return status;
        times[i * MOST_ROUNDS + round] = measure_read(clock) - began;
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
