/* Interpolation through Chebyshev's points: exact for polynomials, as good as theory says for others, and an error that is
 * seen when points are left out. */
#include "core/numerics/chebyshev.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { STEPS = 1000 };

static void list_points(double from, double to, size_t count, double *points) {
    for (size_t i = 0; i < count; i++) points[i] = chebyshev_point(from, to, count, i);
}

/* Through f at those points, but for some that are left out. */
static double interpolate(double (*f)(double), const double *points, size_t count, size_t first, size_t left,
                          double x) {
    double coefficients[CHEBYSHEV_MOST], sum = 0.0;
    chebyshev_coefficients(points, count, first, left, x, coefficients);
    for (size_t i = 0; i < count; i++) sum += coefficients[i] * f(points[i]);
    return sum;
}

static double worst_error(double (*f)(double), size_t count) {
    double points[CHEBYSHEV_MOST], worst = 0.0;
    list_points(0.0, 1.0, count, points);
    for (int i = 0; i <= STEPS; i++) {
        double x = (double)i / STEPS;
        worst = fmax(worst, fabs(interpolate(f, points, count, 0, 0, x) - f(x)));
    }
    return worst;
}

static void points_rise_from_one_end_to_the_other(void **state) {
    (void)state;
    double points[CHEBYSHEV_MOST];
    for (size_t count = 2; count <= CHEBYSHEV_MOST; count++) {
        list_points(-0.25, 1.25, count, points);
        assert_true(points[0] == -0.25 && points[count - 1] == 1.25);
        for (size_t i = 1; i < count; i++) {
            assert_true(points[i] > points[i - 1]);
            assert_true(fabs(points[i] + points[count - 1 - i] - 1.0) < 1e-15); /* symmetric */
        }
    }
    for (size_t count = 3; count <= CHEBYSHEV_MOST; count += 2) {
        assert_true(chebyshev_point(0.0, 1.0, count, count / 2) == 0.5);
        list_points(-1.0, 1.0, count, points);
        for (size_t i = 0; i < count; i++) assert_true(points[i] == -points[count - 1 - i]);
    }
    list_points(0.0, 1.0, 5, points);
    assert_true(fabs(points[1] - (0.5 - sqrt(0.125))) < 1e-15);
}

static double quintic(double x) {
    return 3.0 + x * (-7.0 + x * (0.5 + x * (11.0 + x * (-2.0 + x))));
}

static void a_polynomial_of_lower_degree_is_exact(void **state) {
    (void)state;
    double points[CHEBYSHEV_MOST];
    for (size_t count = 6; count <= CHEBYSHEV_MOST; count++) {
        assert_true(worst_error(quintic, count) < 1e-13);
        list_points(0.0, 1.0, count, points);
        for (size_t first = 0; first + 2 < count && count >= 8; first++) /* also through the others */
            assert_true(fabs(interpolate(quintic, points, count, first, 2, points[first]) -
                             quintic(points[first])) < 1e-11);
    }
    assert_true(worst_error(quintic, 5) > 1e-4); /* and no longer where there are too few */
}

/* Its nearest singularities lie at ½ ± ½i: the error falls by 1 + √2 a point. */
static double runge(double x) {
    return 1.0 / (1.0 + 4.0 * (x - 0.5) * (x - 0.5));
}

static void the_error_of_an_analytic_function_falls_by_its_factor_with_every_point(void **state) {
    (void)state;
    double before = worst_error(runge, 5);
    for (size_t count = 7; count <= CHEBYSHEV_MOST; count += 2) {
        double now = worst_error(runge, count), factor = before / now;
        assert_true(factor > 4.0 && factor < 8.0); /* (1 + √2)² = 5.83 */
        before = now;
    }
}

static void values_at_the_points_are_given_back(void **state) {
    (void)state;
    double points[CHEBYSHEV_MOST];
    list_points(0.0, 1.0, 13, points);
    for (size_t i = 0; i < 13; i++)
        assert_true(interpolate(runge, points, 13, 0, 0, points[i]) == runge(points[i]));
}

static void rounding_of_values_grows_by_no_more_than_3_3(void **state) {
    (void)state;
    double points[CHEBYSHEV_MOST], coefficients[CHEBYSHEV_MOST], worst = 0.0;
    for (size_t count = 2; count <= CHEBYSHEV_MOST; count++) {
        list_points(0.0, 1.0, count, points);
        for (int i = 0; i <= STEPS; i++) {
            double sum = 0.0, size = 0.0;
            chebyshev_coefficients(points, count, 0, 0, (double)i / STEPS, coefficients);
            for (size_t k = 0; k < count; k++) {
                sum += coefficients[k];
                size += fabs(coefficients[k]);
            }
            assert_true(fabs(sum - 1.0) < 1e-13);
            worst = fmax(worst, size);
        }
    }
    print_message("largest Lebesgue sum of up to %d points: %.2f\n", CHEBYSHEV_MOST, worst);
    assert_true(worst > 3.0 && worst < 3.3);
}

static void leaving_points_out_shows_an_error_no_smaller_than_the_true_one(void **state) {
    (void)state;
    double points[CHEBYSHEV_MOST];
    for (size_t count = 5; count <= 21; count++) {
        double seen = 0.0;
        list_points(0.0, 1.0, count, points);
        for (size_t i = 1; i + 1 < count; i++)
            seen = fmax(seen, fabs(interpolate(runge, points, count, i, 1, points[i]) - runge(points[i])));
        for (size_t i = 1; i + 2 < count; i++)
            seen = fmax(seen,
                        0.25 * fabs(interpolate(runge, points, count, i, 2, points[i]) - runge(points[i])));
        double true_error = worst_error(runge, count);
        print_message("%zu points: %.1e, seen %.1e: %.1f times\n", count, true_error, seen,
                      seen / true_error);
        assert_true(seen >= true_error && seen < 500.0 * true_error);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_rise_from_one_end_to_the_other),
        cmocka_unit_test(a_polynomial_of_lower_degree_is_exact),
        cmocka_unit_test(the_error_of_an_analytic_function_falls_by_its_factor_with_every_point),
        cmocka_unit_test(values_at_the_points_are_given_back),
        cmocka_unit_test(rounding_of_values_grows_by_no_more_than_3_3),
        cmocka_unit_test(leaving_points_out_shows_an_error_no_smaller_than_the_true_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
