#include "core/readiness/landscape.h"

#include "core/evaluation/evaluation_loss.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>

Status landscape_measure_line(const Evaluation *evaluation, const double *alphas, size_t count,
                              double *losses, Job *job, Error *error) {
    Settings *settings = memory_allocate(count, sizeof *settings);
    if (settings == NULL) return memory_fail(error, "a line");
    for (size_t i = 0; i < count; i++) settings[i] = settings_at(alphas[i]);
    Status status = evaluation_loss_measure(evaluation, settings, count, losses, "line", job, error);
    free(settings);
    return status;
}

/* ---- points around W ---- */

/* W moved by two steps, or one; without a place, what a triangle makes of them. */
typedef struct Points {
    const LandscapePlace *place;
    Settings *settings; /* [count], borrowing shifts */
    Shift *shifts;
    size_t count;
} Points;

static void free_points(Points *points) {
    free(points->settings);
    free(points->shifts);
}

static Status make_points(const LandscapePlace *place, size_t count, Points *points, Error *error) {
    *points = (Points){place, memory_allocate(count, sizeof *points->settings),
                       memory_allocate(count, sizeof *points->shifts), count};
    if (points->settings != NULL && points->shifts != NULL) return STATUS_OK;
    free_points(points);
    return memory_fail(error, "a landscape");
}

static void set_point(Points *points, size_t index, const DirectionStep *steps, size_t count) {
    const LandscapePlace *place = points->place;
    points->shifts[index] = direction_shift(place->directions, place->seed, steps, count);
    points->settings[index] = *place->settings;
    points->settings[index].shift = &points->shifts[index];
}

Status landscape_measure_plane_piece(const LandscapePlace *place, const double *steps, size_t count,
                                     size_t first, size_t points, double *losses, Job *job, Error *error) {
    Points piece;
    Status status = make_points(place, points, &piece, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < points; i++) {
        size_t x = (first + i) % count, y = (first + i) / count;
        const DirectionStep both[] = {{0, steps[x]}, {1, steps[y]}};
        set_point(&piece, i, both, 2);
    }
    status = evaluation_loss_measure(place->evaluation, piece.settings, points, losses + first, "plane", job,
                                     error);
    free_points(&piece);
    return status;
}

Status landscape_measure_plane(const LandscapePlace *place, const double *steps, size_t count, double *losses,
                               Job *job, Error *error) {
    size_t total;
    if (!memory_multiply(count, count, &total)) return memory_fail(error, "a plane");
    return landscape_measure_plane_piece(place, steps, count, 0, total, losses, job, error);
}

Status landscape_measure_triangle_piece(const Evaluation *evaluation, const Triangle *triangle,
                                        const double *steps, size_t count, size_t first, size_t points,
                                        double *losses, Job *job, Error *error) {
    Points piece;
    Status status = make_points(NULL, points, &piece, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < points; i++)
        piece.settings[i] = triangle_point(triangle, steps[(first + i) % count], steps[(first + i) / count],
                                           &piece.shifts[i]);
    status = evaluation_loss_measure(evaluation, piece.settings, points, losses + first, "plane", job, error);
    free_points(&piece);
    return status;
}

Status landscape_measure_triangle(const Evaluation *evaluation, const Triangle *triangle, const double *steps,
                                  size_t count, double *losses, Job *job, Error *error) {
    size_t total;
    if (!memory_multiply(count, count, &total)) return memory_fail(error, "a plane");
    return landscape_measure_triangle_piece(evaluation, triangle, steps, count, 0, total, losses, job, error);
}

/* ---- sharpness ---- */

void landscape_free_sharpness(LandscapeSharpness *sharpness) {
    free(sharpness->plus);
    free(sharpness->minus);
    free(sharpness->curvature);
    *sharpness = (LandscapeSharpness){0};
}

/* The larger; a NaN is the largest. */
static double larger(double a, double b) {
    return isnan(a) || a > b ? a : b;
}

static void summarise(LandscapeSharpness *sharpness) {
    double sigma = sharpness->sigma, rises = 0.0, worst = -INFINITY, sum = 0.0, squares = 0.0;
    size_t count = sharpness->directions;
    for (size_t k = 0; k < count; k++) {
        double plus = sharpness->plus[k] - sharpness->loss, minus = sharpness->minus[k] - sharpness->loss;
        rises += plus + minus;
        worst = larger(worst, larger(plus, minus));
        sharpness->curvature[k] = (plus + minus) / (sigma * sigma);
        sum += sharpness->curvature[k];
    }
    double n = (double)count;
    sharpness->mean_rise = rises / (2.0 * n);
    sharpness->worst_rise = worst;
    sharpness->mean_curvature = sum / n;
    for (size_t k = 0; k < count; k++) {
        double off = sharpness->curvature[k] - sharpness->mean_curvature;
        squares += off * off;
    }
    sharpness->curvature_error = sqrt(squares / (n - 1.0) / n); /* of one: 0 / 0 */
}

/* Points 1 to 2·directions are the directions' own; then come small steps, again along the first of them. */
static DirectionStep step_of(const LandscapeSharpness *sharpness, size_t point) {
    static const double SMALL = 1e-6; /* many units in a weight's last place, and no curve */
    size_t pair = (point - 1) / 2;
    bool is_own = pair < sharpness->directions;
    double length = is_own ? sharpness->sigma : SMALL;
    uint64_t direction = is_own ? pair : (pair - sharpness->directions) % sharpness->directions;
    return (DirectionStep){direction, point % 2 == 1 ? length : -length};
}

/* losses[1 + 2·(directions + LANDSCAPE_ROUNDING_PAIRS)]: L(0), then L(+) and L(−) of each. */
static Status measure_both_ways(const LandscapePlace *place, const LandscapeSharpness *sharpness,
                                size_t total, double *losses, Job *job, Error *error) {
    Points points;
    Status status = make_points(place, total, &points, error);
    if (status != STATUS_OK) return status;
    set_point(&points, 0, NULL, 0);
    for (size_t i = 1; i < total; i++) {
        const DirectionStep step = step_of(sharpness, i);
        set_point(&points, i, &step, 1);
    }
    status =
        evaluation_loss_measure(place->evaluation, points.settings, total, losses, "sharpness", job, error);
    free_points(&points);
    return status;
}

/* Second differences of what is straight are rounding. */
static double find_rounding(const LandscapeSharpness *sharpness, const double *losses) {
    const double *small = losses + 1 + 2 * sharpness->directions;
    double squares = 0.0;
    for (size_t i = 0; i < LANDSCAPE_ROUNDING_PAIRS; i++) {
        double difference = small[2 * i] + small[2 * i + 1] - 2.0 * losses[0];
        squares += difference * difference;
    }
    return sqrt(squares / LANDSCAPE_ROUNDING_PAIRS) / (sharpness->sigma * sharpness->sigma);
}

size_t landscape_sharpness_losses(size_t directions) {
    return 1 + 2 * (directions + LANDSCAPE_ROUNDING_PAIRS);
}

Status landscape_measure_sharpness(const LandscapePlace *place, double sigma, size_t directions,
                                   LandscapeSharpness *sharpness, Job *job, Error *error) {
    size_t pairs, doubled;
    *sharpness = (LandscapeSharpness){.sigma = sigma, .directions = directions};
    if (!memory_add(directions, LANDSCAPE_ROUNDING_PAIRS + 1, &pairs) || !memory_multiply(pairs, 2, &doubled))
        return memory_fail(error, "sharpness");
    size_t total = landscape_sharpness_losses(directions);
    double *losses = memory_allocate(total, sizeof *losses);
    sharpness->plus = memory_allocate(directions, sizeof *sharpness->plus);
    sharpness->minus = memory_allocate(directions, sizeof *sharpness->minus);
    sharpness->curvature = memory_allocate(directions, sizeof *sharpness->curvature);
    bool complete =
        losses != NULL && sharpness->plus != NULL && sharpness->minus != NULL && sharpness->curvature != NULL;
    Status status = complete ? measure_both_ways(place, sharpness, total, losses, job, error)
                             : memory_fail(error, "sharpness");
    if (status == STATUS_OK) {
        sharpness->loss = losses[0];
        for (size_t k = 0; k < directions; k++) {
            sharpness->plus[k] = losses[1 + 2 * k];
            sharpness->minus[k] = losses[2 + 2 * k];
        }
        summarise(sharpness);
        sharpness->rounding = find_rounding(sharpness, losses);
    } else {
        landscape_free_sharpness(sharpness);
    }
    free(losses);
    return status;
}
