#include "core/numerics/chebyshev.h"

#include <math.h>
#include <stdbool.h>

static const double PI = 3.14159265358979323846;

double chebyshev_point(double from, double to, size_t count, size_t index) {
    if (index == 0) return from;
    if (index + 1 == count) return to;
    double last = (double)(count - 1), turn = sin(PI * (2.0 * (double)index - last) / (2.0 * last));
    return (from * (1.0 - turn) + to * (1.0 + turn)) / 2.0; /* of the middle: a cosine there is not quite 0 */
}

static bool counts(size_t i, size_t first, size_t left) {
    return i < first || i - first >= left;
}

/* 1 / Π (x_i − x_j) over the others that count. */
static double weigh(const double *points, size_t count, size_t first, size_t left, size_t i) {
    double product = 1.0;
    for (size_t j = 0; j < count; j++)
        if (j != i && counts(j, first, left)) product *= points[i] - points[j];
    return 1.0 / product;
}

void chebyshev_coefficients(const double *points, size_t count, size_t first, size_t left, double x,
                            double *coefficients) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) coefficients[i] = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (!counts(i, first, left) || x != points[i]) continue;
        coefficients[i] = 1.0;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (!counts(i, first, left)) continue;
        coefficients[i] = weigh(points, count, first, left, i) / (x - points[i]);
        sum += coefficients[i];
    }
    for (size_t i = 0; i < count; i++) coefficients[i] /= sum;
}
