/*
 * Products of two factors, added to rows: against the roundings that core/numerics/kernels.h defines, bit for bit.
 */
#include "kernels_fixture.h"

/* ---- factors ---- */

enum { FACTOR_ROWS = 15, FACTOR_COLUMNS = 173, FACTOR_RANK = 9, FACTOR_STRIDE = 181 };

/* As the header says it, in plain C. */
static float add_product(const KernelFactors *factors, float scale, size_t row, size_t column, float value) {
    float sum = 0.0F;
    for (size_t k = 0; k < factors->rank; k++)
        sum = fmaf(factors->left[row * factors->left_row + k * factors->left_rank],
                   factors->right[k * factors->right_rank + column], sum);
    volatile float product = scale * sum; /* not to be fused with the sum */
    return value + product;
}

static void factors_must_be_added(const Kernels *kernels, const KernelFactors *factors, float scale,
                                  DType dtype, size_t rows, size_t columns) {
    unsigned char from[FACTOR_ROWS * FACTOR_STRIDE * 4], to[sizeof from], wanted[4];
    float values[FACTOR_ROWS * FACTOR_STRIDE];
    size_t size = dtype_size(dtype);
    for (size_t i = 0; i < FACTOR_ROWS * FACTOR_STRIDE; i++) values[i] = (float)random_uniform(51, i) - 0.5F;
    values[FACTOR_STRIDE + 3] = NAN;
    values[5] = -INFINITY;
    values[6] = 3.4e38F;
    kernels->narrow(values, FACTOR_ROWS * FACTOR_STRIDE, dtype, from);
    memset(to, 0x5a, sizeof to);
    const KernelLines lines = {dtype, from, to, FACTOR_STRIDE, FACTOR_STRIDE};
    kernels->low_rank(factors, scale, &lines, rows, columns);
    for (size_t r = 0; r < FACTOR_ROWS; r++) {
        for (size_t c = 0; c < FACTOR_STRIDE; c++) {
            size_t at = (r * FACTOR_STRIDE + c) * size;
            float value =
                add_product(factors, scale, r, c < FACTOR_COLUMNS ? c : 0, dtype_widen_one(dtype, from + at));
            memset(wanted, 0x5a, sizeof wanted);
            if (r < rows && c < columns) kernels->narrow(&value, 1, dtype, wanted);
            bool both_nan = isnan(dtype_widen_one(dtype, wanted)) && isnan(dtype_widen_one(dtype, to + at));
            assert_true(both_nan || memcmp(to + at, wanted, size) == 0);
        }
    }
}

/* Stored either way round, in each of the types, at sizes about whole tiles; nothing is written beside. */
static void factors_are_added_with_one_rounding_each(void **state) {
    (void)state;
    static const DType TYPES[] = {DTYPE_F32, DTYPE_BF16};
    static const size_t COLUMNS[] = {0, 1, 15, 16, 17, 32, 63, 64, 65, 128, 130, FACTOR_COLUMNS};
    static const float SCALES[] = {1.7F, 2.0F}; /* one rounds, and one goes into the left factor */
    static float left[FACTOR_ROWS * FACTOR_RANK], right[FACTOR_RANK * FACTOR_COLUMNS];
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) left[i] = (float)random_uniform(49, i) - 0.5F;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) right[i] = (float)random_uniform(50, i) - 0.5F;
    const KernelFactors ways[] = {{left, right, FACTOR_RANK, 1, FACTOR_COLUMNS, FACTOR_RANK},
                                  {left, right, 1, FACTOR_ROWS, FACTOR_COLUMNS, FACTOR_RANK},
                                  {left, right, FACTOR_RANK, 1, FACTOR_COLUMNS, 1}};
    for (size_t v = 0; v < variant_count; v++)
        for (size_t w = 0; w < 3; w++)
            for (size_t t = 0; t < 2; t++)
                for (size_t c = 0; c < sizeof COLUMNS / sizeof *COLUMNS; c++)
                    for (size_t rows = 0; rows <= FACTOR_ROWS; rows += 1 + rows / 8 * 6)
                        for (size_t s = 0; s < 2; s++)
                            factors_must_be_added(variants[v], &ways[w], SCALES[s], TYPES[t], rows,
                                                  COLUMNS[c]);
}

/* A rank whose factors are too long to be laid side by side for a tile. */
static void factors_of_any_rank_are_added(void **state) {
    (void)state;
    enum { RANK = 1030 };
    static float left[FACTOR_ROWS * RANK], right[RANK * FACTOR_COLUMNS];
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) left[i] = (float)random_uniform(49, i) - 0.5F;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) right[i] = (float)random_uniform(50, i) - 0.5F;
    const KernelFactors factors = {left, right, RANK, 1, FACTOR_COLUMNS, RANK};
    for (size_t v = 0; v < variant_count; v++)
        factors_must_be_added(variants[v], &factors, 2.0F, DTYPE_BF16, FACTOR_ROWS, FACTOR_COLUMNS);
}

/* What low_rank() makes of a row. */
static void change_row(const Kernels *kernels, const KernelFactors *factors, const KernelChanged *changed,
                       size_t row, size_t count, unsigned char *sft) {
    KernelFactors own = *factors;
    own.left += row * own.left_row;
    const unsigned char *start = changed->start;
    const KernelLines lines = {changed->dtype, start + row * changed->stride * dtype_size(changed->dtype),
                               sft, changed->stride, FACTOR_COLUMNS};
    kernels->low_rank(&own, changed->scale, &lines, 1, count);
}

static const unsigned char *base_row(const KernelChanged *changed, size_t row) {
    const unsigned char *base = changed->base;
    return base == NULL ? NULL : base + row * changed->stride * dtype_size(changed->dtype);
}

/* The figures that fill_changed() gives one test or the other. */
typedef struct ChangedSetup {
    float left[FACTOR_ROWS * FACTOR_RANK], right[FACTOR_RANK * FACTOR_COLUMNS];
    float x[2][FACTOR_COLUMNS]; /* as SFT's side and as base's meets it */
    unsigned char start[FACTOR_ROWS * FACTOR_STRIDE * 4], other[FACTOR_ROWS * FACTOR_STRIDE * 4];
    KernelFactors factors;
    KernelChanged changed;
} ChangedSetup;

enum { CHANGED_FORMS = 2 * 2 * 2 * 3 };

/* Form by form: each of the types, factors stored either way round, a scale that rounds and one that does not; base has no
 * weight, or is what was changed, or something else. A NaN of any kind stays one. */
static void fill_changed(const Kernels *kernels, size_t form, ChangedSetup *setup) {
    static const uint32_t NANS[] = {0x7fc00000U, 0x7f810000U, 0x7fff0000U, 0xffff0000U, 0x7fffffffU};
    static float values[FACTOR_ROWS * FACTOR_STRIDE];
    DType dtype = form % 2 == 0 ? DTYPE_F32 : DTYPE_BF16;
    size_t base = form / 8;
    for (size_t i = 0; i < FACTOR_ROWS * FACTOR_RANK; i++)
        setup->left[i] = (float)random_uniform(49, i) - 0.5F;
    for (size_t i = 0; i < FACTOR_RANK * FACTOR_COLUMNS; i++)
        setup->right[i] = (float)random_uniform(50, i) - 0.5F;
    for (size_t i = 0; i < FACTOR_COLUMNS; i++)
        for (uint64_t s = 0; s < 2; s++) setup->x[s][i] = (float)random_uniform(52 + s, i) - 0.5F;
    for (size_t i = 0; i < FACTOR_ROWS * FACTOR_STRIDE; i++) values[i] = (float)random_uniform(51, i) - 0.5F;
    for (size_t n = 0; n < 4; n++)
        memcpy(&values[(n + 2) * FACTOR_STRIDE + 7 * n], &NANS[n], sizeof(float)); /* rows 2 to 5 */
    memcpy(&setup->left[8 * FACTOR_RANK], &NANS[4], sizeof(float));                /* row 8 or 0 to 3 */
    kernels->narrow(values, FACTOR_ROWS * FACTOR_STRIDE, dtype, setup->start);
    for (size_t i = 0; i < FACTOR_ROWS * FACTOR_STRIDE; i++) values[i] = (float)random_uniform(54, i) - 0.5F;
    kernels->narrow(values, FACTOR_ROWS * FACTOR_STRIDE, dtype, setup->other);
    setup->factors = (KernelFactors){setup->left, setup->right, FACTOR_RANK, 1, FACTOR_COLUMNS, FACTOR_RANK};
    if (form / 2 % 2 == 1) {
        setup->factors.left_row = 1;
        setup->factors.left_rank = FACTOR_ROWS;
    }
    setup->changed = (KernelChanged){.dtype = dtype,
                                     .start = setup->start,
                                     .base = base == 0   ? NULL
                                             : base == 1 ? setup->start
                                                         : setup->other,
                                     .stride = FACTOR_STRIDE,
                                     .scale = form / 4 % 2 == 0 ? 1.7F : 0.25F,
                                     .weight_sft = base == 2 ? 1.25F : 0.3F,
                                     .weight_base = base == 2 ? -0.25F : 0.7F};
}

static bool is_same(float a, float b) {
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static const size_t CHANGED_COLUMNS[] = {0, 1, 16, 31, 64, 130, FACTOR_COLUMNS};

/* Bit for bit, in every variant, at sizes about whole tiles; nothing is written beside. */
static void changed_rows_are_blended_as_if_they_had_been_stored(void **state) {
    (void)state;
    static ChangedSetup setup;
    unsigned char sft[FACTOR_COLUMNS * 4];
    float out[FACTOR_ROWS * FACTOR_STRIDE], row[FACTOR_STRIDE];
    for (size_t i = 0; i < variant_count * CHANGED_FORMS; i++) {
        const Kernels *kernels = variants[i % variant_count];
        const KernelChanged *changed = &setup.changed;
        fill_changed(kernels, i / variant_count, &setup);
        for (size_t c = 0; c < sizeof CHANGED_COLUMNS / sizeof *CHANGED_COLUMNS; c++) {
            size_t rows = FACTOR_ROWS - c, count = CHANGED_COLUMNS[c];
            for (size_t e = 0; e < FACTOR_ROWS * FACTOR_STRIDE; e++) out[e] = 5.0F;
            kernels->blend_low_rank(&setup.factors, changed, rows, count, out, FACTOR_STRIDE);
            for (size_t r = 0; r < FACTOR_ROWS; r++) {
                const KernelRow blended = {changed->dtype,
                                           changed->dtype,
                                           sft,
                                           base_row(changed, r),
                                           changed->base == NULL ? 1.0F : changed->weight_sft,
                                           changed->base == NULL ? 0.0F : changed->weight_base};
                for (size_t e = 0; e < FACTOR_STRIDE; e++) row[e] = 5.0F;
                change_row(kernels, &setup.factors, changed, r, count, sft);
                if (r < rows) kernels->blend(&blended, count, row);
                for (size_t e = 0; e < FACTOR_STRIDE; e++)
                    assert_true(is_same(out[r * FACTOR_STRIDE + e], row[e]));
            }
        }
    }
}

/* SFT's product before base's, in 16 lanes, as the header says. */
static float multiply_changed(const Kernels *kernels, const ChangedSetup *setup, size_t row, size_t count) {
    unsigned char sft[FACTOR_COLUMNS * 4];
    const unsigned char *base = base_row(&setup->changed, row);
    float s[FACTOR_COLUMNS], b[FACTOR_COLUMNS], lanes[16] = {0};
    change_row(kernels, &setup->factors, &setup->changed, row, count, sft);
    kernels->widen(setup->changed.dtype, sft, count, s);
    if (base != NULL) kernels->widen(setup->changed.dtype, base, count, b);
    for (size_t c = 0; c < count; c++) {
        lanes[c % 16] = fmaf(s[c], setup->x[0][c], lanes[c % 16]);
        if (base != NULL) lanes[c % 16] = fmaf(b[c], setup->x[1][c], lanes[c % 16]);
    }
    for (size_t half = 8; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++) lanes[l] += lanes[l + half];
    return lanes[0];
}

static void changed_rows_times_a_token_are_never_in_memory_and_yet_the_same(void **state) {
    (void)state;
    static ChangedSetup setup;
    float sums[FACTOR_ROWS + 1];
    for (size_t i = 0; i < variant_count * CHANGED_FORMS; i++) {
        const Kernels *kernels = variants[i % variant_count];
        fill_changed(kernels, i / variant_count, &setup);
        const float *x_base = setup.changed.base == NULL ? NULL : setup.x[1];
        for (size_t c = 0; c < sizeof CHANGED_COLUMNS / sizeof *CHANGED_COLUMNS; c++) {
            size_t rows = FACTOR_ROWS - c, count = CHANGED_COLUMNS[c];
            sums[rows] = 5.0F;
            kernels->dot_low_rank(&setup.factors, &setup.changed, rows, count, setup.x[0], x_base, sums);
            assert_true(sums[rows] == 5.0F);
            for (size_t r = 0; r < rows; r++)
                assert_true(is_same(sums[r], multiply_changed(kernels, &setup, r, count)));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_are_added_with_one_rounding_each),
        cmocka_unit_test(factors_of_any_rank_are_added),
        cmocka_unit_test(changed_rows_are_blended_as_if_they_had_been_stored),
        cmocka_unit_test(changed_rows_times_a_token_are_never_in_memory_and_yet_the_same),
    };
    return cmocka_run_group_tests(tests, find_variants, NULL);
}
