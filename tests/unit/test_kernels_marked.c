/*
 * Sums over a row with weights of their own for some elements: the same bits in every variant of the kernels,
 * and the sum that the definition says.
 */
#include "core/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 2077 }; /* neither whole lanes nor whole chunks */

static const DType DTYPES[] = {DTYPE_F32, DTYPE_BF16, DTYPE_F16};
enum { DTYPE_KINDS = sizeof DTYPES / sizeof *DTYPES };

static float s[COUNT], b[COUNT], x[COUNT];
static unsigned char stored_s[DTYPE_KINDS][4 * COUNT], stored_b[DTYPE_KINDS][4 * COUNT];
static unsigned char marks[COUNT];

static int fill(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        s[i] = (float)sin((double)i);
        b[i] = (float)cos(1.7 * (double)i);
        x[i] = (float)sin(0.3 * (double)i);
        marks[i] = (uint32_t)(i * 2654435761U) % 8U < 3;
    }
    for (size_t d = 0; d < DTYPE_KINDS; d++) {
        kernels_get()->narrow(s, COUNT, DTYPES[d], stored_s[d]);
        kernels_get()->narrow(b, COUNT, DTYPES[d], stored_b[d]);
    }
    return 0;
}

static double sum_by_definition(const KernelRow *row, const KernelMarked *marked) {
    double sum = 0.0;
    size_t s_size = dtype_size(row->sft_dtype), b_size = dtype_size(row->base_dtype);
    for (size_t i = 0; i < COUNT; i++) {
        bool own = marked->marks[i] != 0;
        double sft = (double)dtype_widen_one(row->sft_dtype, (const unsigned char *)row->sft + i * s_size);
        double base = (double)dtype_widen_one(row->base_dtype, (const unsigned char *)row->base + i * b_size);
        sum += ((double)(own ? marked->weight_sft : row->weight_sft) * sft +
                (double)(own ? marked->weight_base : row->weight_base) * base) *
               (double)x[i];
    }
    return sum;
}

static void every_variant_sums_a_marked_row_alike(void **state) {
    (void)state;
    static const float SHARES[] = {0.0F, 0.3F, 1.0F};
    const Kernels *variants[4];
    size_t count = kernels_list(variants, 4);
    double worst = 0.0;
    for (size_t i = 0; i < (size_t)9 * DTYPE_KINDS * DTYPE_KINDS; i++) {
        size_t d = i / 9 % DTYPE_KINDS, e = i / 9 / DTYPE_KINDS;
        float share = SHARES[i % 3], own = SHARES[i / 3 % 3];
        const KernelRow row = {DTYPES[d], DTYPES[e], stored_s[d], stored_b[e], share, 1.0F - share};
        const KernelMarked marked = {marks, own, 1.0F - own};
        float portable = variants[count - 1]->dot_marked(&row, &marked, COUNT, x);
        worst = fmax(worst, fabs((double)portable - sum_by_definition(&row, &marked)));
        for (size_t v = 0; v + 1 < count; v++) {
            float found = variants[v]->dot_marked(&row, &marked, COUNT, x);
            if (memcmp(&found, &portable, sizeof found) != 0)
                fail_msg("%s: %a, portable %a", variants[v]->name, (double)found, (double)portable);
        }
    }
    print_message("%.1e\n", worst);
    assert_true(worst < 1e-5); /* observed 1.2e-6, of sums of about ten */
}

static void a_row_without_marks_is_the_plain_sum(void **state) {
    (void)state;
    static const unsigned char none[COUNT];
    for (size_t d = 0; d < DTYPE_KINDS; d++) {
        const KernelRow row = {DTYPES[d], DTYPES[d], stored_s[d], stored_b[d], 0.3F, 0.7F};
        const KernelMarked marked = {none, 0.0F, 1.0F};
        float plain = kernels_get()->dot(&row, COUNT, x),
              found = kernels_get()->dot_marked(&row, &marked, COUNT, x);
        assert_memory_equal(&plain, &found, sizeof plain);
    }
}

/* What a weight of 0 leaves out is not looked at. */
static void a_nan_that_is_not_asked_for_does_not_leak(void **state) {
    (void)state;
    static float with_nan[COUNT], out[COUNT];
    for (size_t i = 0; i < COUNT; i++) with_nan[i] = marks[i] != 0 ? (i % 2 == 0 ? NAN : INFINITY) : s[i];
    const KernelRow row = {DTYPE_F32, DTYPE_F32, with_nan, b, 0.3F, 0.7F};
    const KernelMarked marked = {marks, 0.0F, 1.0F};
    const Kernels *variants[4];
    size_t count = kernels_list(variants, 4);
    for (size_t v = 0; v < count; v++) {
        variants[v]->blend_marked(&row, &marked, COUNT, out);
        for (size_t i = 0; i < COUNT; i++) {
            assert_true(isfinite(out[i]));
            if (marks[i] != 0) assert_memory_equal(&out[i], &b[i], sizeof *b);
        }
        assert_true(isfinite(variants[v]->dot_marked(&row, &marked, COUNT, x)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant_sums_a_marked_row_alike),
        cmocka_unit_test(a_row_without_marks_is_the_plain_sum),
        cmocka_unit_test(a_nan_that_is_not_asked_for_does_not_leak),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
