/*
 * Drift of numbers that sums in double take ill, against long double and definitions: every metric that is made of sums.
 *
 * Tolerance: 1e-12, relative, and of a cosine absolute; the largest error observed stands beside each test, which prints
 * it.
 */
#include "core/drift/drift.h"
#include "core/numerics/kernels.h"
#include "tests/unit/pair_files.h"

#include <math.h>

#define TOLERANCE 1e-12

enum { COUNT = 70001 }; /* two tiles, and what does not fill a vector */

typedef struct Sides {
    float base[COUNT], sft[COUNT];
} Sides;

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return *state >> 33;
}

/* About normal, of variance 1. */
static float normal(uint64_t *random) {
    double sum = 0.0;
    for (int k = 0; k < 12; k++) sum += (double)next_random(random) * 0x1p-31;
    return (float)(sum - 6.0);
}

/* ---- numbers ---- */

static float tuned(float base, uint64_t *random) {
    return base + 0.01F * normal(random);
}

static float unrelated(float base, uint64_t *random) {
    (void)base;
    return normal(random);
}

static float negated(float base, uint64_t *random) {
    (void)random;
    return -base;
}

static float equal(float base, uint64_t *random) {
    (void)random;
    return base;
}

static float halved(float base, uint64_t *random) {
    (void)random;
    return 0.51F * base;
}

static float shrunk(float base, uint64_t *random) {
    return 1e-6F * base * normal(random);
}

static float grown(float base, uint64_t *random) {
    return 1e6F * base * normal(random);
}

static float removed(float base, uint64_t *random) {
    (void)base, (void)random;
    return -0.0F;
}

static float shifted(float base, uint64_t *random) {
    return base + 100.0F + normal(random);
}

/* Nearly at right angles. */
static float turned(float base, uint64_t *random) {
    return next_random(random) % 2 == 0 ? base : -base;
}

static float one_far_out(float base, uint64_t *random) {
    return next_random(random) % 50000 == 7 ? 0x1p100F : tuned(base, random);
}

static float sparse(float base, uint64_t *random) {
    return next_random(random) % 2000 == 7 ? base + 0.5F : base;
}

static float wide(float base, uint64_t *random) {
    (void)base;
    return ldexpf(normal(random), (int)(next_random(random) % 200) - 100);
}

static float subnormal(float base, uint64_t *random) {
    (void)base;
    return (float)((int)(next_random(random) % 255) - 127) * 0x1p-133F;
}

static float with_zeros(float base, uint64_t *random) {
    uint64_t kind = next_random(random) % 8;
    return kind == 0 ? 0.0F : kind == 1 ? -0.0F : tuned(base, random);
}

static float ones(float base, uint64_t *random) {
    (void)base, (void)random;
    return 1.0F;
}

typedef float (*Number)(float base, uint64_t *random);

static const struct {
    const char *name;
    Number base, sft;
} CASES[] = {
    {"tuned", unrelated, tuned},
    {"unrelated", unrelated, unrelated},
    {"negated", unrelated, negated},
    {"equal", unrelated, equal},
    {"halved", unrelated, halved},
    {"shrunk", unrelated, shrunk},
    {"grown", unrelated, grown},
    {"removed", unrelated, removed},
    {"added", removed, unrelated},
    {"shifted", unrelated, shifted},
    {"turned", ones, turned},
    {"one far out", unrelated, one_far_out},
    {"of base", one_far_out, unrelated},
    {"sparse", unrelated, sparse},
    {"wide", wide, wide},
    {"wide, tuned", wide, tuned},
    {"subnormal", subnormal, subnormal},
    {"subnormal beside normal", unrelated, subnormal},
    {"zeros on both sides", with_zeros, with_zeros},
};

static void fill_sides(size_t c, DType dtype, Sides *sides, void *base, void *sft) {
    const Kernels *kernels = kernels_get();
    uint64_t random = 5 + c;
    for (size_t i = 0; i < COUNT; i++) {
        sides->base[i] = CASES[c].base(0.0F, &random);
        sides->sft[i] = CASES[c].sft(sides->base[i], &random);
    }
    kernels->narrow(sides->base, COUNT, dtype, base);
    kernels->narrow(sides->sft, COUNT, dtype, sft);
    kernels->widen(dtype, base, COUNT, sides->base);
    kernels->widen(dtype, sft, COUNT, sides->sft);
}

/* ---- figures ---- */

typedef struct Expected {
    long double mean_square, relative_norm, cosine, kurtosis, base_norm, sft_norm;
    uint64_t changed, flips;
} Expected;

static Expected expect(const Sides *sides) {
    Expected found = {0};
    long double ss = 0, bb = 0, sb = 0, mean = 0, squares = 0, second = 0, fourth = 0;
    for (size_t i = 0; i < COUNT; i++) {
        long double s = sides->sft[i], b = sides->base[i], difference = s - b;
        ss += s * s;
        bb += b * b;
        sb += s * b;
        squares += difference * difference;
        mean += difference / COUNT;
        found.changed += sides->sft[i] != sides->base[i];
        found.flips += (s < 0 && b > 0) || (s > 0 && b < 0);
    }
    for (size_t i = 0; i < COUNT; i++) {
        long double e = (long double)sides->sft[i] - (long double)sides->base[i] - mean;
        second += e * e;
        fourth += e * e * (e * e);
    }
    found.mean_square = squares / COUNT;
    found.base_norm = sqrtl(bb);
    found.sft_norm = sqrtl(ss);
    found.relative_norm = bb == 0 ? (long double)(squares == 0 ? 0 : INFINITY) : sqrtl(squares / bb);
    found.cosine = ss > 0 && bb > 0 ? sb / sqrtl(ss) / sqrtl(bb) : squares == 0 ? 1 : 0;
    found.kurtosis = second > 0 ? COUNT * (fourth / second / second) : (long double)NAN;
    return found;
}

static void compare(const char *name, const char *metric, double found, long double expected, double scale,
                    double *worst) {
    if ((long double)found == expected || (isnan(found) && isnan((double)expected))) return;
    double error = fabs((double)((long double)found - expected)) / scale;
    if (!(error <= TOLERANCE)) fail_msg("%s, %s: %.17g, not %.17Lg", name, metric, found, expected);
    if (error > *worst) *worst = error;
}

static void check_case(size_t c, DType dtype, double *worst) {
    static Sides sides;
    static float base[COUNT], sft[COUNT]; /* as stored */
    fill_sides(c, dtype, &sides, base, sft);
    PairFiles files;
    pair_files_make_one(&files, (FileTensor){"w", dtype, COUNT, 0, base},
                        (FileTensor){"w", dtype, COUNT, 0, sft});
    Expected expected = expect(&sides);
    DriftTable *table;
    DriftRow row;
    Error error = {0};
    assert_int_equal(drift_table_create(files.pair, &table, &error), STATUS_OK);
    assert_int_equal(drift_scan(files.pair, table, NULL, &error), STATUS_OK);
    assert_true(drift_table_row(table, 0, &row));
    const struct {
        DriftMetric metric;
        long double expected;
    } FIGURES[] = {{DRIFT_MEAN_SQUARE, expected.mean_square}, {DRIFT_RELATIVE_NORM, expected.relative_norm},
                   {DRIFT_COSINE, expected.cosine},           {DRIFT_KURTOSIS, expected.kurtosis},
                   {DRIFT_BASE_NORM, expected.base_norm},     {DRIFT_SFT_NORM, expected.sft_norm}};
    for (size_t f = 0; f < sizeof FIGURES / sizeof *FIGURES; f++) {
        long double wanted = FIGURES[f].expected;
        double scale = FIGURES[f].metric == DRIFT_COSINE ? 1.0 : fabs((double)wanted);
        compare(CASES[c].name, drift_metric_facts(FIGURES[f].metric)->key,
                drift_value(&row, FIGURES[f].metric), wanted, scale, worst);
    }
    assert_int_equal(row.changed, expected.changed);
    assert_int_equal(row.sign_flips, expected.flips);
    drift_table_free(table);
    pair_files_remove(&files);
}

static void check_type(DType dtype) {
    double all = 0.0;
    for (size_t c = 0; c < sizeof CASES / sizeof *CASES; c++) {
        double worst = 0.0;
        check_case(c, dtype, &worst);
        print_message("%s: %.2g\n", CASES[c].name, worst);
        if (worst > all) all = worst;
    }
    print_message("largest error %.2g\n", all);
}

/* observed: 2.0e-14, in the norm of what was removed all but for zeros */
static void bfloat16_keeps_the_digits_of_double(void **state) {
    (void)state;
    check_type(DTYPE_BF16);
}

/* observed: 1.0e-14 */
static void float32_keeps_the_digits_of_double(void **state) {
    (void)state;
    check_type(DTYPE_F32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bfloat16_keeps_the_digits_of_double),
        cmocka_unit_test(float32_keeps_the_digits_of_double),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
