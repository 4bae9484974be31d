/*
 * Rows of two models by a few tokens: the sums that core/numerics/kernels.h defines, in plain C, bit for bit.
 */
#include "kernels_fixture.h"

/* ---- rows of two models by a few tokens ---- */

enum { FEW_ROWS = 9, FEW_TOKENS = 66, FEW_COUNT = KERNELS_ROWS_STRETCH + 37, FEW_STRIDE = FEW_COUNT + 3 };

/* As the header says it, in plain C; with two roundings where the variant has no such instruction. */
static float multiply_in_lanes(const float *w, const float *x, size_t count, bool fuses, float start) {
    float sum = start;
    for (size_t at = 0; at < count; at += KERNELS_ROWS_STRETCH) {
        float lanes[16] = {0};
        for (size_t k = at; k < count && k < at + KERNELS_ROWS_STRETCH; k++) {
            volatile float product = w[k] * x[k];
            lanes[k % 16] = fuses ? fmaf(w[k], x[k], lanes[k % 16]) : product + lanes[k % 16];
        }
        for (size_t half = 8; half > 0; half /= 2)
            for (size_t l = 0; l < half; l++) lanes[l] += lanes[l + half];
        sum += lanes[0];
    }
    return sum;
}

static void rows_must_be_multiplied(const Kernels *kernels, const KernelRows *rows, size_t tokens,
                                    size_t count) {
    static float x[FEW_TOKENS][FEW_COUNT + KERNELS_ROWS_STRETCH], w[FEW_COUNT];
    const float *lines[FEW_TOKENS];
    float sums[2][FEW_TOKENS * FEW_ROWS];
    KernelRows some = *rows;
    size_t size = dtype_size(rows->row.sft_dtype);
    some.count = count;
    bool fuses = is_fused(kernels);
    for (size_t t = 0; t < FEW_TOKENS; t++) {
        for (size_t k = 0; k < FEW_COUNT + KERNELS_ROWS_STRETCH; k++)
            x[t][k] = (float)random_uniform(61 + t, k) - 0.5F;
        lines[t] = x[t];
    }
    for (size_t i = 0; i < FEW_TOKENS * FEW_ROWS; i++) sums[0][i] = sums[1][i] = (float)i;
    kernels->multiply_rows(&some, lines, tokens, false, sums[0], FEW_ROWS);
    kernels->multiply_rows(&some, lines, tokens, true, sums[1], FEW_ROWS);
    for (size_t r = 0; r < some.rows; r++) {
        KernelRow row = rows->row;
        row.sft = (const unsigned char *)row.sft + r * rows->stride * size;
        row.base = (const unsigned char *)row.base + r * rows->stride * size;
        kernels->blend(&row, count, w);
        for (size_t t = 0; t < tokens; t++) {
            size_t at = t * FEW_ROWS + r;
            assert_true(sums[0][at] == multiply_in_lanes(w, x[t] + rows->first, count, fuses, 0.0F));
            assert_true(sums[1][at] == multiply_in_lanes(w, x[t] + rows->first, count, fuses, (float)at));
        }
    }
    for (size_t at = tokens * FEW_ROWS; at < FEW_TOKENS * FEW_ROWS; at++)
        assert_true(sums[0][at] == (float)at);
}

/* Every form that blending has, in both types; all tiles, whole and in part; more columns than a stretch, and more tokens
 * than the kernel takes at once. */
static void rows_of_two_models_times_few_tokens_are_added_up_in_sixteen_lanes(void **state) {
    (void)state;
    static const float WEIGHTS[][2] = {{0.3F, 0.7F}, {1.0F, 0.0F}, {0.0F, 1.0F}};
    static const DType TYPES[] = {DTYPE_F32, DTYPE_BF16};
    static const size_t LENGTHS[] = {1, 16, 47, FEW_COUNT};
    static float values[FEW_ROWS * FEW_STRIDE];
    static unsigned char sides[2][FEW_ROWS * FEW_STRIDE * 4 + 2];
    for (size_t form = 0; form < 6; form++) {
        KernelRows rows = {.stride = FEW_STRIDE, .first = form % 2 * KERNELS_ROWS_STRETCH};
        for (size_t s = 0; s < 2; s++) { /* 2 bytes on: what is stored need not be aligned */
            for (size_t i = 0; i < FEW_ROWS * FEW_STRIDE; i++)
                values[i] = (float)random_uniform(59 + s, i) - 0.5F;
            kernels_get()->narrow(values, FEW_ROWS * FEW_STRIDE, TYPES[form % 2], sides[s] + 2);
        }
        rows.row = (KernelRow){TYPES[form % 2], TYPES[form % 2],      sides[0] + 2,
                               sides[1] + 2,    WEIGHTS[form / 2][0], WEIGHTS[form / 2][1]};
        for (size_t v = 0; v < variant_count; v++)
            for (size_t tokens = 1; tokens <= FEW_TOKENS; tokens += tokens < 14 ? 1 : FEW_TOKENS - 14) {
                rows.rows = 1 + tokens % FEW_ROWS;
                rows_must_be_multiplied(variants[v], &rows, tokens, LENGTHS[tokens % 4]);
            }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_two_models_times_few_tokens_are_added_up_in_sixteen_lanes),
    };
    return cmocka_run_group_tests(tests, find_variants, NULL);
}
