/*
 * The landscape: points that are moved along two random directions beside as many points at an α of their own, on the same
 * row, side by side as both run: what making the directions on the way costs.
 */
#include "core/evaluation/evaluation_loss.h"
#include "core/readiness/direction.h"
#include "tests/bench/bench.h"
#include "tests/bench/measure.h"

#include <stdio.h>

enum { POINTS = 8, ROW_TOKENS = 64 };
static const double MOST = 1.15; /* of the time of the points at an α */

typedef struct Points {
    const Bench *bench;
    const Evaluation *evaluation;
    Settings settings[POINTS];
    Shift shifts[POINTS];
    double losses[POINTS];
} Points;

static Status run_points(void *argument, Error *error) {
    Points *points = argument;
    return evaluation_loss_measure(points->evaluation, points->settings, POINTS, points->losses, "landscape",
                                   points->bench->job, error);
}

/* Points on the way between the two, and the same moved. */
static void lay_out(const Bench *bench, const Evaluation *evaluation, const Directions *directions,
                    Points *still, Points *moved) {
    *still = *moved = (Points){.bench = bench, .evaluation = evaluation};
    for (size_t i = 0; i < POINTS; i++) {
        const DirectionStep steps[] = {{0, 0.01 * (double)(i + 1)}, {1, -0.02 * (double)(i + 1)}};
        still->settings[i] = moved->settings[i] = settings_at((double)(i + 1) / (double)(POINTS + 1));
        moved->shifts[i] = direction_shift(directions, 1, steps, 2);
        moved->settings[i].shift = &moved->shifts[i];
    }
}

Status bench_landscape(Bench *bench, Error *error) {
    int32_t ids[ROW_TOKENS];
    for (size_t i = 0; i < ROW_TOKENS; i++) ids[i] = (int32_t)(i * 7919 % forward_vocabulary(bench->model));
    const EvaluationRow row = {.ids = ids, .count = ROW_TOKENS, .first = 0, .end = ROW_TOKENS - 1};
    const Settings middle = settings_at(0.5);
    Evaluation *evaluation = NULL;
    Directions *directions = NULL;
    Points still, moved;
    MeasureTimes times;
    Status status = evaluation_create(bench->model, &row, 1, 0, &evaluation, error);
    if (status == STATUS_OK)
        status = direction_measure(bench->model, &middle, &directions, bench->job, error);
    if (status == STATUS_OK) {
        lay_out(bench, evaluation, directions, &still, &moved);
        const Measure measures[] = {{.run = run_points, .argument = &still},
                                    {.run = run_points, .argument = &moved}};
        status = measure_alternate(measures, 2, bench->clock, bench->seconds, &times, error);
    }
    if (status == STATUS_OK) {
        ReportRow report = {.value = measure_ratio(&times, 1, 0, 1.0),
                            .unit = "points at an α",
                            .aim = MOST,
                            .usual = MOST,
                            .is_bound = true};
        (void)snprintf(report.what, sizeof report.what, "point of a landscape, two directions, T = %d",
                       ROW_TOKENS);
        status = report_add(&bench->report, &report, error);
    }
    direction_free(directions);
    evaluation_free(evaluation);
    return status;
}
