/*
 * Kernels.tridiagonalise: a band keeps its eigenvalues on the way to tridiagonal form, in every variant and at once or by turns.
 */
#include "core/numerics/blas_buffers.h"
#include "core/numerics/lapack.h"
#include "kernels_fixture.h"

#include <float.h>

enum { COLUMN = KERNELS_BAND_STRIDE + 1, LARGEST = 200 };

/* Around one block, two and several. */
static const size_t ORDERS[] = {1, 2, 3, 31, 32, 33, 34, 64, 65, 66, 97, LARGEST};
enum { ORDER_COUNT = sizeof ORDERS / sizeof *ORDERS };

typedef double (*Element)(size_t i, size_t j);

static double noise(size_t i, size_t j) {
    return random_uniform(7, i * LARGEST + j) - 0.5;
}

static double graded(size_t i, size_t j) {
    return noise(i, j) * pow(0.9, (double)(i + j));
}

static double block_wise(size_t i, size_t j) {
    return i / 16 == j / 16 ? noise(i, j) : 0.0;
}

static double diagonal(size_t i, size_t j) {
    return i == j ? (double)(1 + i % 3) : 0.0;
}

static double tiny(size_t i, size_t j) {
    return noise(i, j) * 1e-90;
}

/* ---- both forms ---- */

static double *make_band(size_t order, Element element) {
    double *band = memory_allocate(KERNELS_BAND_COLUMNS(order), COLUMN * sizeof *band);
    assert_non_null(band);
    for (size_t j = 0; j < order; j++) {
        for (size_t i = j; i < order && i <= j + KERNELS_BAND; i++)
            band[i + j * KERNELS_BAND_STRIDE] = element(i, j);
    }
    return band;
}

/* By LAPACK, of the whole matrix, ascending. */
static void find_values(const double *band, size_t order, size_t width, double *values) {
    double *whole = memory_allocate(order, order * sizeof *whole);
    Error error = {0};
    assert_non_null(whole);
    for (size_t j = 0; j < order; j++) {
        for (size_t i = j; i < order && i <= j + width; i++)
            whole[j + i * order] = band[i + j * KERNELS_BAND_STRIDE]; /* the upper triangle is read */
    }
    assert_int_equal(lapack_eigen(order, whole, values, &error), STATUS_OK);
    free(whole);
}

static void compare(const Kernels *kernels, size_t order, size_t at_once, Element element) {
    double *band = make_band(order, element), expected[LARGEST], found[LARGEST], largest = 0.0;
    find_values(band, order, KERNELS_BAND, expected);
    for (size_t at = 0; at < order; at += at_once)
        kernels->tridiagonalise(band, order, at, order - at < at_once ? order : at + at_once);
    find_values(band, order, 1, found);
    for (size_t i = 0; i < order; i++) largest = fmax(largest, fabs(expected[i]));
    for (size_t j = 0; j < order; j++) {
        double off = fabs(found[j] - expected[j]);
        if (!(off <= 16.0 * DBL_EPSILON * largest))
            fail_msg("%s, order %zu, %zu: expected %.17g, found %.17g", kernels->name, order, j, expected[j],
                     found[j]);
        for (size_t i = j + 2; i < order && i <= j + KERNELS_BAND; i++)
            assert_true(band[i + j * KERNELS_BAND_STRIDE] == 0.0);
    }
    free(band);
}

static void a_band_keeps_its_eigenvalues(void **state) {
    (void)state;
    static const Element ELEMENTS[] = {noise, graded, block_wise, diagonal, tiny};
    Error error = {0};
    assert_int_equal(blas_buffers_prepare(1, &error), STATUS_OK);
    for (size_t v = 0; v < variant_count; v++) {
        for (size_t n = 0; n < ORDER_COUNT; n++) {
            for (size_t e = 0; e < sizeof ELEMENTS / sizeof *ELEMENTS; e++)
                compare(variants[v], ORDERS[n], ORDERS[n], ELEMENTS[e]);
        }
    }
}

static void columns_by_turns_are_the_same_bits_as_all_at_once(void **state) {
    (void)state;
    for (size_t v = 0; v < variant_count; v++) {
        double *once = make_band(LARGEST, noise), *turns = make_band(LARGEST, noise);
        variants[v]->tridiagonalise(once, LARGEST, 0, LARGEST);
        for (size_t at = 0; at < LARGEST; at += 10) variants[v]->tridiagonalise(turns, LARGEST, at, at + 10);
        assert_memory_equal(once, turns, LARGEST * COLUMN * sizeof *once);
        free(once);
        free(turns);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_band_keeps_its_eigenvalues),
        cmocka_unit_test(columns_by_turns_are_the_same_bits_as_all_at_once),
    };
    return cmocka_run_group_tests(tests, find_variants, NULL);
}
