/*
 * What the kernels of drift add up: the share of the largest exactly, whatever the distribution, and the same bits with every
 * instruction set.
 */
#include "core/numerics/kernels.h"
#include "tests/unit/drift_fixture.h"

#include <math.h>

/* ---- large tensors ---- */

static int larger_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static double sorted_top_squares(const float *base, const float *sft, size_t count) {
    double *sizes = malloc(count * sizeof *sizes), squares = 0.0;
    assert_non_null(sizes);
    for (size_t i = 0; i < count; i++) sizes[i] = fabs((double)sft[i] - (double)base[i]);
    qsort(sizes, count, sizeof *sizes, larger_first);
    for (size_t i = 0; i < (count + 50) / 100; i++) squares += sizes[i] * sizes[i];
    free(sizes);
    return squares;
}

enum { LARGE_ROWS = 1000, LARGE_COLUMNS = 517, LARGE = LARGE_ROWS * LARGE_COLUMNS };

typedef float (*Change)(size_t i, float base, uint64_t *random);

static float tied(size_t i, float base, uint64_t *random) {
    (void)i, (void)base;
    return (float)(next_random(random) % 5); /* base is a multiple of 1/8 here: few different values */
}

static float in_one_place(size_t i, float base, uint64_t *random) {
    return i / LARGE_COLUMNS == 700 || i % 997 == 0 ? smooth(i, base, random) : base;
}

static float few(size_t i, float base, uint64_t *random) {
    (void)random;
    return i % 1000 == 1 ? base + 1.0F : base;
}

/* Large changes in whole runs of 32 neighbours, a little over 1 % of all, at other places each time: a sample of
 * runs sees far too many of them or too few in some of the placements, and the first guess is wrong. */
static size_t placement;

static float in_runs(size_t i, float base, uint64_t *random) {
    uint64_t run = (i / 32 * 64 + placement) * 0x9e3779b97f4a7c15U;
    run ^= run >> 29;
    bool is_large = next_random(&run) % 95 == 0;
    return smooth(i, base, random) + (is_large ? 1.0F : 0.0F);
}

/* Sizes all different in double, and all the same in float32. */
static float crowded(size_t i, float base, uint64_t *random) {
    (void)i, (void)base, (void)random;
    return 1.0F;
}

enum { CROWD_ROWS = 2100, CROWD_COLUMNS = 1024, CROWD = CROWD_ROWS * CROWD_COLUMNS };

static void check_large(const char *name, Change change, bool is_tied, double *worst) {
    static float base[CROWD], sft[CROWD];
    size_t rows = change == crowded ? CROWD_ROWS : LARGE_ROWS;
    size_t columns = change == crowded ? CROWD_COLUMNS : LARGE_COLUMNS;
    uint64_t random = 7;
    for (size_t i = 0; i < rows * columns; i++) {
        base[i] = is_tied ? (float)(next_random(&random) % 8) * 0.125F : smooth(i, 0.0F, &random);
        if (change == crowded) base[i] = (float)i * 0x1p-46F;
        sft[i] = change(i, base[i], &random);
    }
    DriftRow row = scan_one(floats(rows, columns, base), floats(rows, columns, sft));
    double expected = sorted_top_squares(base, sft, rows * columns);
    double error = fabs(row.top_squares - expected) / expected;
    if (!(error <= 1e-13)) fail_msg("%s: expected %.17g, found %.17g", name, expected, row.top_squares);
    if (error > *worst) *worst = error;
}

/* Tolerance 1e-13, relative: both sum the same elements in double, in another order. Observed: 5.3e-15. */
static void the_share_of_the_largest_is_exact_whatever_the_distribution(void **state) {
    (void)state;
    double worst = 0.0;
    check_large("smooth", smooth, false, &worst);
    check_large("tied", tied, true, &worst);
    check_large("in one place", in_one_place, false, &worst);
    check_large("few", few, false, &worst);
    check_large("crowded", crowded, false, &worst);
    for (placement = 0; placement < 24; placement++) check_large("in runs", in_runs, false, &worst);
    print_message("largest relative error %.2g\n", worst);
}

/* ---- every instruction set ---- */

static void store(const float *values, DType dtype, double *to) {
    if (dtype != DTYPE_F64) kernels_get()->narrow(values, KERNELS_DRIFT_CHUNK, dtype, to);
    for (size_t i = 0; i < KERNELS_DRIFT_CHUNK && dtype == DTYPE_F64; i++) to[i] = (double)values[i];
}

/* Compares `count` elements with one variant, into memory that is the same wherever nothing is written. */
typedef struct LiveEvaluation {
    KernelDrift sums;
    KernelParted parted;
    size_t listed;
    double sizes[KERNELS_DRIFT_SIZES];
} LiveEvaluation;

/* Takes the largest and those like the first; returns how many are left. */
static size_t part_listed(const Kernels *kernels, LiveEvaluation *result) {
    KernelBounds bounds = {0.01, result->listed > 0 ? result->sizes[0] : 0.0};
    uint64_t before = result->parted.above + result->parted.tied;
    size_t rest = kernels->drift_part(result->sizes, result->listed, bounds, &result->parted);
    assert_int_equal(result->parted.above + result->parted.tied - before + rest, result->listed);
    for (size_t i = 0; i < rest; i++) assert_false(result->sizes[i] >= bounds.high);
    return rest;
}

static void run_kernel(const Kernels *kernels, const KernelRow *row, size_t count, LiveEvaluation *result) {
    memset(result, 0, sizeof *result);
    static const uint32_t LEAST[] = {1, 0x3b000000, 0x3b800000, 0x3c000000};
    for (size_t i = 0; i < sizeof LEAST / sizeof *LEAST; i++) {
        result->listed = kernels->drift(row, count, LEAST[i], &result->sums, result->sizes);
        assert_true(result->listed <= count);
        size_t end = result->listed;
        if (i == 3) end = part_listed(kernels, result);
        memset(result->sizes + end, 0, (KERNELS_DRIFT_SIZES - end) * sizeof(double));
    }
}

/* Numbers as weights are, of which some are equal and some change sign; as far apart as float32 can be, down to those below the
 * normal ones; zeros, NaNs and infinities among them; the same on both sides, and there is one that is no number. */
enum { TAME, WIDE, WILD, SAME, SAME_WILD, FILLS };

static void fill_sides(int fill, float base[KERNELS_DRIFT_CHUNK], float sft[KERNELS_DRIFT_CHUNK]) {
    uint64_t random = 11;
    for (size_t i = 0; i < KERNELS_DRIFT_CHUNK; i++) {
        base[i] = smooth(i, i % 2 == 0 ? 0.05F : -0.05F, &random);
        sft[i] = i % 7 == 0 ? base[i] : i % 25 == 1 ? -base[i] : smooth(i, base[i], &random);
        if (fill == WIDE) {
            base[i] = ldexpf(base[i], (int)(i * 37 % 260) - 135);
            sft[i] = ldexpf(sft[i], (int)(i * 53 % 260) - 135);
        }
        if (fill >= SAME) sft[i] = base[i];
        if (fill != WILD) continue;
        if (i % 50 == 3) base[i] = 0.0F;
        if (i % 25 == 1) sft[i] = -0.0F;
    }
    if (fill == SAME_WILD) base[3000] = sft[3000] = INFINITY;
    if (fill != WILD) return;
    base[100] = sft[300] = NAN;
    base[400] = sft[400] = sft[401] = INFINITY;
}

/* How many elements were listed, in all. */
static size_t compare_variants(const KernelRow *row) {
    static LiveEvaluation expected, found;
    const Kernels *list[4];
    size_t count = kernels_list(list, 4), listed = 0;
    for (size_t n = 1; n <= KERNELS_DRIFT_CHUNK; n += n < 70 ? 1 : 159) {
        run_kernel(list[count - 1], row, n, &expected);
        listed += expected.listed;
        for (size_t k = 0; k + 1 < count; k++) {
            run_kernel(list[k], row, n, &found);
            assert_memory_equal(&expected, &found, sizeof found);
        }
    }
    return listed;
}

static void every_instruction_set_gives_the_same_bits(void **state) {
    (void)state;
    static const DType TYPES[][2] = {{DTYPE_F32, DTYPE_F32},
                                     {DTYPE_BF16, DTYPE_BF16},
                                     {DTYPE_F16, DTYPE_F16},
                                     {DTYPE_BF16, DTYPE_F32},
                                     {DTYPE_F64, DTYPE_F64}};
    static float base[KERNELS_DRIFT_CHUNK], sft[KERNELS_DRIFT_CHUNK];
    static double stored_base[KERNELS_DRIFT_CHUNK], stored_sft[KERNELS_DRIFT_CHUNK];
    for (int fill = 0; fill < FILLS; fill++) {
        fill_sides(fill, base, sft);
        for (size_t t = 0; t < sizeof TYPES / sizeof *TYPES; t++) {
            const KernelRow row = {TYPES[t][0], TYPES[t][1], stored_sft, stored_base, 0.0F, 0.0F};
            store(sft, row.sft_dtype, stored_sft);
            store(base, row.base_dtype, stored_base);
            size_t listed = compare_variants(&row);
            assert_true(fill >= SAME ? listed == 0 || fill == SAME_WILD : listed > 1000);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_of_the_largest_is_exact_whatever_the_distribution),
        cmocka_unit_test(every_instruction_set_gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
