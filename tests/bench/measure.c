#include "tests/bench/measure.h"

#include <stdlib.h>
#include <time.h>

enum { LEAST_ROUNDS = 3 };

double measure_read(MeasureClock clock) {
    struct timespec now;
    /* both clocks exist on Linux */
    (void)clock_gettime(clock == MEASURE_WALL ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

double measure_now(void) {
    return measure_read(MEASURE_WALL);
}

static Status run_all(const Measure *measures, size_t count, MeasureClock clock, size_t round,
                      MeasureTimes *times, Error *error) {
    for (size_t m = 0; m < count; m++) {
        Status status = STATUS_OK;
        if (measures[m].prepare != NULL) status = measures[m].prepare(measures[m].argument, error);
        double began = measure_read(clock);
        if (status == STATUS_OK) status = measures[m].run(measures[m].argument, error);
        if (status != STATUS_OK) return status;
        times->seconds[m][round] = measures[m].took != NULL ? *measures[m].took : measure_read(clock) - began;
    }
    return STATUS_OK;
}

Status measure_alternate(const Measure *measures, size_t count, MeasureClock clock, double seconds,
                         MeasureTimes *times, Error *error) {
    double began = measure_now();
    Status status = run_all(measures, count, clock, 0, times, error);
    times->rounds = measure_now() - began < seconds ? 0 : 1;
    while (status == STATUS_OK && times->rounds < MEASURE_ROUNDS &&
           (times->rounds < LEAST_ROUNDS || measure_now() - began < seconds))
        status = run_all(measures, count, clock, times->rounds++, times, error);
    return status;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

Spread spread_of(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
    return (Spread){values[0], (values[(count - 1) / 2] + values[count / 2]) / 2.0, values[count - 1]};
}

Spread spread_of_one(double value) {
    return (Spread){value, value, value};
}

Spread measure_seconds(const MeasureTimes *times, size_t m, double factor) {
    double seconds[MEASURE_ROUNDS];
    for (size_t r = 0; r < times->rounds; r++) seconds[r] = factor * times->seconds[m][r];
    return spread_of(seconds, times->rounds);
}

Spread measure_rate(const MeasureTimes *times, size_t m, double work) {
    double rates[MEASURE_ROUNDS];
    for (size_t r = 0; r < times->rounds; r++) rates[r] = work / times->seconds[m][r];
    return spread_of(rates, times->rounds);
}

Spread measure_ratio(const MeasureTimes *times, size_t m, size_t n, double factor) {
    double ratios[MEASURE_ROUNDS];
    for (size_t r = 0; r < times->rounds; r++)
        ratios[r] = factor * times->seconds[m][r] / times->seconds[n][r];
    return spread_of(ratios, times->rounds);
}
