/*
 * chebyshev — interpolation by one polynomial through values at Chebyshev's points, and how wrong it is.
 *
 *     x_i = a + (b − a) (1 − cos(π i / (n − 1))) / 2      both ends included, denser towards them
 *     p(x) = Σ l_i(x) f_i                                 l_i: Lagrange's, by the barycentric formula
 *
 * Of a function that is analytic around [a, b] the error falls by a constant factor with every point; of evenly
 * spaced points it would grow. The formula is stable there: Σ |l_i| is below 3.3 for up to 32 points, so that the values'
 * rounding counts no more than that (Berrut and Trefethen, Barycentric Lagrange Interpolation, 2004; Trefethen,
 * Approximation Theory and Approximation Practice, chapters 5 and 15).
 *
 * The error is measured by leaving points out: p without point i, taken at x_i, against f_i.
 */
#ifndef REJUV_CORE_CHEBYSHEV_H
#define REJUV_CORE_CHEBYSHEV_H

#include <stddef.h>

enum { CHEBYSHEV_MOST = 32 };

/* Point `index` of `count` ≥ 2 of [from, to], rising; the ends are exact, and so is the middle of an odd number, such as the 0
 * between an end and its opposite. */
double chebyshev_point(double from, double to, size_t count, size_t index);

/* coefficients[i] = l_i(x) of `count` ≤ CHEBYSHEV_MOST points, all different. The `left` points from `first` on are
 * left out (0: none): their coefficients are 0 and the others are of the polynomial through the rest, of which there has
 * to be one. At a point that counts it is 1 and all others 0. */
void chebyshev_coefficients(const double *points, size_t count, size_t first, size_t left, double x,
                            double *coefficients);

#endif
