/*
 * spectrum_shape — what a spectrum would look like if Δ were noise, and how heavy its tail is. Both are of all s
 * singular values σ₁ ≥ … ≥ σ_s of an s × l matrix, s ≤ l: of SPECTRUM_EXACT, with at least SPECTRUM_SHAPE_LEAST of them.
 *
 * Noise: independent elements of mean 0 and variance v. As s and l grow, λ = σ²/(v·l) follows the law of Marchenko
 * and Pastur (1967) with β = s/l: between (1 − √β)² and (1 + √β)², density √((b − λ)(λ − a))/(2πβλ).
 *     v         median(σ)² / (l · the law's median): a few large values do not move it (Gavish and Donoho 2014).
 *               Undefined where the median may as well be 0, as of a change of low rank
 *     edge      √v·(√l + √s), where the law ends
 *     limit     below which the largest value of Gaussian noise is 99 times of 100: λ₁ of the law's centre
 *               (√(l − 1) + √s)² and scale (√(l − 1) + √s)(1/√(l − 1) + 1/√s)^⅓ is Tracy and Widom's of order 1, whose
 *               99th percentile is 2.0234 (Johnstone 2001)
 *     above     how many values are above the limit: no noise of this kind
 *     distance  Kolmogorov's, the largest difference of the two distribution functions. Of noise it falls as 1/s;
 *               where it is large the law does not fit, and the edge is that of no noise there is
 *
 * Tail: of λ = σ² a density ∝ λ^−exponent from some λ_least on, by maximum likelihood, λ_least the value at which
 * Kolmogorov's distance is least (Clauset, Shalizi and Newman 2009), with at least SPECTRUM_TAIL_LEAST values from it on.
 *     exponent  1 + n / Σ ln(λᵢ/λ_least), as WeightWatcher counts it
 *     error     (exponent − 1)/√n: of independent draws; singular values repel each other
 *     of_noise  the exponent by the same fit of the law's own s quantiles at (i − ½)/s: every list has an
 *               exponent, and one near this tells of no heavy tail
 */
#ifndef REJUV_CORE_SPECTRUM_SHAPE_H
#define REJUV_CORE_SPECTRUM_SHAPE_H

#include "core/drift/spectrum_metrics.h"
#include "core/support/status.h"

enum { SPECTRUM_SHAPE_LEAST = 50, SPECTRUM_TAIL_LEAST = 10 };

/* NaN, and counts 0, where undefined. */
typedef struct SpectrumNoise {
    double variance, edge, limit, distance;
    size_t above;
} SpectrumNoise;

typedef struct SpectrumTail {
    double exponent, error, distance, of_noise;
    size_t count; /* of values from λ_least on */
} SpectrumTail;

typedef struct SpectrumShape {
    SpectrumNoise noise;
    SpectrumTail tail;
} SpectrumShape;

/* Of any spectrum; undefined where it does not have all values, or too few. Time grows with the square of s: 0.1 s of
 * 2048. */
Status spectrum_shape_measure(const Spectrum *spectrum, SpectrumShape *shape, Error *error) STATUS_MUST_CHECK;

/* The law's distribution function at λ, and where it is `share`, from 0 to 1; `ratio` is β, above 0 and at most 1. */
double spectrum_shape_law(double ratio, double lambda);
double spectrum_shape_quantile(double ratio, double share);

#endif
