/*
 * landscape — the loss around a checkpoint: the mean cross-entropy of the response tokens of some rows, along the line
 * from base to SFT, over a plane of two random directions or through three checkpoints, and how it rises under small
 * steps in many directions.
 *
 *     line         L(α·SFT + (1 − α)·base), every tensor at that α; below 0 and above 1 beyond the two
 *     plane        L(W + x·d₀ + y·d₁)
 *     sharpness    L(W ± σ·d_k) for k < K:
 *                      rise          L(±) − L(0), mean and worst over all 2K
 *                      curvature     (L(+) + L(−) − 2·L(0)) / σ²  along each d_k; their mean estimates the trace of the
 *                                    Hessian in these units (Hutchinson), with its standard error
 *                      rounding      what float32 makes of a curvature: the root mean square of
 *                                    L(+) + L(−) − 2·L(0) after steps of 10⁻⁶, over which the loss is straight, / σ²
 *
 * Rounding is of the arithmetic between the weights and the loss: products summed in float64, and the loss in float64, leave
 * it as it is (1.8e-5 in place of 1.9e-5 of the curvature of a small random pair); activations in float64 throughout would
 * not (3e-6), at twice the memory and time. So it is measured and said. L(0)'s part is the same in every
 * direction: the mean has no less of it.
 *
 * Directions are those of direction.h. Losses are measured many at a time, so that a pass over the files serves many
 * points. A loss that is not a number, or infinite, is the result there, and so is what is made of it.
 */
#ifndef REJUV_CORE_LANDSCAPE_H
#define REJUV_CORE_LANDSCAPE_H

#include "core/evaluation/evaluation.h"
#include "core/readiness/direction.h"
#include "core/readiness/triangle.h"

/* Losses at `count` α, in one go. Reports "line". */
Status landscape_measure_line(const Evaluation *evaluation, const double *alphas, size_t count,
                              double *losses, Job *job, Error *error) STATUS_MUST_CHECK;

/* Where a landscape is looked at, and with which directions. All borrowed. */
typedef struct LandscapePlace {
    const Evaluation *evaluation;
    const Settings *settings;     /* W */
    const Directions *directions; /* of that W */
    uint64_t seed;
} LandscapePlace;

/* losses[y · count + x]: at steps[x] along direction 0 and steps[y] along direction 1. Reports "plane". */
Status landscape_measure_plane(const LandscapePlace *place, const double *steps, size_t count, double *losses,
                               Job *job, Error *error) STATUS_MUST_CHECK;

/* `points` losses of that plane, from index `first` on: losses[first …], so that it can be had piece by piece. */
Status landscape_measure_plane_piece(const LandscapePlace *place, const double *steps, size_t count,
                                     size_t first, size_t points, double *losses, Job *job,
                                     Error *error) STATUS_MUST_CHECK;

/* The same at (steps[x], steps[y]) of the plane through three checkpoints: whole, and piece by piece. */
Status landscape_measure_triangle(const Evaluation *evaluation, const Triangle *triangle, const double *steps,
                                  size_t count, double *losses, Job *job, Error *error) STATUS_MUST_CHECK;
Status landscape_measure_triangle_piece(const Evaluation *evaluation, const Triangle *triangle,
                                        const double *steps, size_t count, size_t first, size_t points,
                                        double *losses, Job *job, Error *error) STATUS_MUST_CHECK;

/* Zero-initialise; landscape_free_sharpness() releases. */
enum { LANDSCAPE_ROUNDING_PAIRS = 2 }; /* of small steps both ways, beside those of the directions */

typedef struct LandscapeSharpness {
    double sigma;
    size_t directions;
    double loss;                            /* L(0) */
    double *plus, *minus, *curvature;       /* [directions] */
    double mean_rise, worst_rise;           /* the largest; NaN where one is */
    double mean_curvature, curvature_error; /* the error of one direction is NaN */
    double rounding;                        /* of a curvature */
} LandscapeSharpness;

/* So many losses sharpness takes. */
size_t landscape_sharpness_losses(size_t directions);

/* σ above 0, directions 1 at least. Reports "sharpness". On failure *sharpness is empty. */
Status landscape_measure_sharpness(const LandscapePlace *place, double sigma, size_t directions,
                                   LandscapeSharpness *sharpness, Job *job, Error *error) STATUS_MUST_CHECK;
void landscape_free_sharpness(LandscapeSharpness *sharpness);

#endif
