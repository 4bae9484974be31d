/*
 * Kernels.exponentials, Kernels.silu and Kernels.silu_slopes: how far from libm, and the same bits in every variant.
 */
#include "kernels_fixture.h"

#include <float.h>

/* ---- exponentials ---- */

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* In units of the result's last place, below 2^-126 of 2^-149. */
static double count_units(float result, double exact) {
    int exponent;
    (void)frexp(exact, &exponent);
    double unit = ldexp(1.0, exponent - 24 < -149 ? -149 : exponent - 24);
    return fabs((double)result - exact) / unit;
}

/* Every 997th float of either sign, from 0 to beyond where the result is 0 or infinite. */
static void exponentials_are_near_libm_everywhere(void **state) {
    (void)state;
    enum { AT_ONCE = 1000, STEP = 997 };
    static const uint32_t END = 0x42dc0000U; /* 110 */
    const Kernels *list[3];
    size_t listed = kernels_list(list, 3);
    float x[AT_ONCE], y[AT_ONCE], first[AT_ONCE], gated[AT_ONCE];
    double worst = 0.0, worst_small = 0.0, worst_gated = 0.0;
    for (uint32_t bits = 0; bits < END; bits += AT_ONCE / 2 * STEP) {
        for (uint32_t i = 0; i < AT_ONCE; i++)
            x[i] = float_of_bits((bits + i / 2 * STEP) | (i % 2 != 0 ? 0x80000000U : 0U));
        for (size_t v = 0; v < listed; v++) {
            double sum = list[v]->exponentials(x, AT_ONCE, 0.0F, 1.0F, y), added = 0.0;
            if (v == 0) memcpy(first, y, sizeof first);
            assert_memory_equal(y, first, sizeof first);
            for (size_t i = 0; i < AT_ONCE; i++) added += (double)y[i];
            assert_true(isinf(added) ? isinf(sum) : fabs(sum - added) <= 1e-12 * added);
            list[v]->silu(x, AT_ONCE, gated);
            for (size_t i = 0; i < AT_ONCE; i++) {
                double exact = exp((double)x[i]), gate = (double)x[i] / (1.0 + exp(-(double)x[i]));
                if (exact >= 0x1.ffffffp127) {
                    assert_true(isinf(y[i]));
                    continue;
                }
                double *most = exact < 0x1p-126 ? &worst_small : &worst;
                *most = fmax(*most, count_units(y[i], exact));
                if (x[i] > -88.0F && fabs(gate) >= 0x1p-125)
                    worst_gated = fmax(worst_gated, count_units(gated[i], gate));
            }
        }
    }
    print_message("off by %.3f units of the last place, of small results by %.3f, silu by %.3f\n", worst,
                  worst_small, worst_gated);
    assert_true(worst < 1.1);
    assert_true(worst_small < 1.5);
    assert_true(worst_gated < 3.0);
}

static void exponentials_of_no_numbers_are_what_they_should_be(void **state) {
    (void)state;
    const Kernels *list[3];
    size_t listed = kernels_list(list, 3);
    const float x[] = {-INFINITY, INFINITY, NAN, 3.0F, 3.0F};
    for (size_t v = 0; v < listed; v++) {
        float y[5];
        assert_true(isnan(list[v]->exponentials(x, 5, 3.0F, FLT_MAX, y)));
        assert_true(y[0] == 0.0F && isinf(y[1]) && isnan(y[2]) && y[3] == 1.0F && y[4] == 1.0F);
    }
}

/* ---- SiLU on the way back ---- */

/* At and beside whole vectors of every variant. */
static void slopes_of_silu_are_its_derivative_in_every_variant(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    const Kernels *list[3];
    size_t listed = kernels_list(list, 3);
    float x[COUNT], silu[COUNT], values[COUNT], slopes[COUNT], first[COUNT];
    for (size_t i = 0; i < COUNT; i++) x[i] = (float)i * 0.06F - 30.0F;
    for (size_t count = 1; count <= COUNT; count += count < 70 ? 1 : COUNT - count) {
        for (size_t v = 0; v < listed; v++) {
            list[v]->silu(x, count, silu);
            list[v]->silu_slopes(x, count, values, slopes);
            assert_memory_equal(values, silu, count * sizeof *values);
            if (v == 0) memcpy(first, slopes, sizeof first);
            assert_memory_equal(slopes, first, count * sizeof *slopes);
        }
        if (count == COUNT) break;
    }
    for (size_t i = 0; i < COUNT; i++) {
        double s = 1.0 / (1.0 + exp(-(double)x[i])), exact = s * (1.0 + (double)x[i] * (1.0 - s));
        assert_true(fabs((double)slopes[i] - exact) <= 4.0 * 0x1p-24 * s * (2.0 + fabs((double)x[i])));
    }
}

static void slopes_of_no_numbers_are_none(void **state) {
    (void)state;
    const Kernels *list[3];
    size_t listed = kernels_list(list, 3);
    const float x[] = {NAN, 0.0F};
    for (size_t v = 0; v < listed; v++) {
        float values[2], slopes[2];
        list[v]->silu_slopes(x, 2, values, slopes);
        assert_true(isnan(values[0]) && isnan(slopes[0]));
        assert_true(values[1] == 0.0F && slopes[1] == 0.5F);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exponentials_are_near_libm_everywhere),
        cmocka_unit_test(exponentials_of_no_numbers_are_what_they_should_be),
        cmocka_unit_test(slopes_of_silu_are_its_derivative_in_every_variant),
        cmocka_unit_test(slopes_of_no_numbers_are_none),
    };
    return cmocka_run_group_tests(tests, find_variants, NULL);
}
