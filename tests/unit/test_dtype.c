/*
 * Element types: what each bit pattern stands for. The values are built here by walking up from zero, each
 * binade with twice the step of the one before, and not by decoding fields as the code under test does:
 *
 *     type      step of the first two binades   codes a binade   finite codes   then
 *     F16       2^-24                           1024             0x7c00         infinity, NaNs
 *     BF16      2^-133                          128              0x7f80         infinity, NaNs
 *     F8_E5M2   2^-16                           4                0x7c           infinity, NaNs
 *     F8_E4M3   2^-9                            8                0x7f           one NaN
 *
 * (OCP 8-bit Floating Point Specification, revision 1.0, tables 1 and 2; IEEE 754 binary16.)
 */
#include "core/numerics/dtype.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

typedef struct Walk {
    DType dtype;
    double step;
    uint32_t binade, finite, sign;
} Walk;

static const Walk WALKS[] = {{DTYPE_F16, 0x1p-24, 1024, 0x7c00, 0x8000},
                             {DTYPE_BF16, 0x1p-133, 128, 0x7f80, 0x8000},
                             {DTYPE_F8_E5M2, 0x1p-16, 4, 0x7c, 0x80},
                             {DTYPE_F8_E4M3, 0x1p-9, 8, 0x7f, 0x80}};

static float widen_code(DType dtype, uint32_t code) {
    unsigned char bytes[2] = {(unsigned char)code, (unsigned char)(code >> 8)};
    return dtype_widen_one(dtype, bytes);
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void must_be(const Walk *walk, uint32_t code, double expected) {
    float value = widen_code(walk->dtype, code);
    /* bits, so that the sign of zero counts */
    if (bits_of(value) != bits_of((float)expected))
        fail_msg("%s %x: expected %a, found %a", dtype_name(walk->dtype), code, expected, (double)value);
}

static void every_finite_pattern_stands_for_its_value(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof WALKS / sizeof *WALKS; i++) {
        const Walk *walk = &WALKS[i];
        double value = 0.0, step = walk->step;
        for (uint32_t code = 0; code < walk->finite; code++) {
            if (code >= 2 * walk->binade && code % walk->binade == 0) step *= 2.0;
            must_be(walk, code, value);
            must_be(walk, code | walk->sign, -value);
            value += step;
        }
    }
}

static void the_landmarks_are_where_the_standards_put_them(void **state) {
    (void)state;
    static const struct {
        DType dtype;
        uint32_t code;
        double value;
    } MARKS[] = {{DTYPE_F8_E4M3, 0x7e, 448.0},
                 {DTYPE_F8_E4M3, 0x08, 0x1p-6},
                 {DTYPE_F8_E4M3, 0x07, 0.875 * 0x1p-6},
                 {DTYPE_F8_E4M3, 0x01, 0x1p-9},
                 {DTYPE_F8_E5M2, 0x7b, 57344.0},
                 {DTYPE_F8_E5M2, 0x04, 0x1p-14},
                 {DTYPE_F8_E5M2, 0x03, 0.75 * 0x1p-14},
                 {DTYPE_F8_E5M2, 0x01, 0x1p-16},
                 {DTYPE_F16, 0x7bff, 65504.0},
                 {DTYPE_F16, 0x0400, 0x1p-14},
                 {DTYPE_F16, 0x3c00, 1.0},
                 {DTYPE_BF16, 0x3f80, 1.0},
                 {DTYPE_BF16, 0x7f7f, 0x1.fep127},
                 {DTYPE_BF16, 0x0080, 0x1p-126},
                 {DTYPE_F8_E4M3, 0x38, 1.0},
                 {DTYPE_F8_E5M2, 0x3c, 1.0}};
    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++)
        assert_true((double)widen_code(MARKS[i].dtype, MARKS[i].code) == MARKS[i].value);
}

static void infinities_and_nans_are_the_patterns_above(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof WALKS / sizeof *WALKS; i++) {
        const Walk *walk = &WALKS[i];
        bool has_infinity = walk->dtype != DTYPE_F8_E4M3;
        for (uint32_t code = walk->finite; code < walk->sign; code++) {
            for (int negative = 0; negative < 2; negative++) {
                float value = widen_code(walk->dtype, negative ? code | walk->sign : code);
                assert_int_equal(has_infinity && code == walk->finite, isinf(value) != 0);
                assert_int_equal(has_infinity && code == walk->finite, !isnan(value));
                assert_int_equal(signbit(value) != 0, negative);
            }
        }
    }
}

static void a_nan_of_float16_keeps_its_payload_and_becomes_quiet(void **state) {
    (void)state;
    for (uint32_t mantissa = 1; mantissa < 1024; mantissa++) {
        assert_int_equal(bits_of(widen_code(DTYPE_F16, 0x7c00 | mantissa)), 0x7fc00000U | mantissa << 13);
        assert_int_equal(bits_of(widen_code(DTYPE_F16, 0xfc00 | mantissa)), 0xffc00000U | mantissa << 13);
    }
}

static void float64_is_rounded_once_to_nearest_even(void **state) {
    (void)state;
    static const struct {
        double from;
        float to;
    } CASES[] = {{1.0 + 0x1p-24, 1.0F},
                 {1.0 + 0x1.8p-23, 1.0F + 0x1p-22F},
                 {1.0 + 0x1.000001p-24, 1.0F + 0x1p-23F},
                 {0x1.ffffffp127, INFINITY},
                 {0x1.fffffep127, 0x1.fffffep127F},
                 {-1e300, -INFINITY},
                 {0x1p-150, 0.0F},
                 {0x1.8p-150, 0x1p-149F},
                 {-0.0, -0.0F},
                 {INFINITY, INFINITY}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_int_equal(bits_of(dtype_widen_one(DTYPE_F64, &CASES[i].from)), bits_of(CASES[i].to));
    double nan = NAN;
    assert_true(isnan(dtype_widen_one(DTYPE_F64, &nan)));
}

static void a_type_that_is_no_number_with_a_point_widens_to_nan(void **state) {
    (void)state;
    uint64_t one = 1;
    for (int i = DTYPE_UNKNOWN; i < DTYPE_COUNT; i++) {
        if (!dtype_is_float((DType)i)) assert_true(isnan(dtype_widen_one((DType)i, &one)));
    }
}

static void every_type_is_found_by_both_of_its_names_in_any_case(void **state) {
    (void)state;
    for (int i = DTYPE_UNKNOWN + 1; i < DTYPE_OTHER; i++) {
        assert_int_equal(dtype_find(dtype_name((DType)i)), i);
        if (dtype_torch_name((DType)i) != NULL) assert_int_equal(dtype_find(dtype_torch_name((DType)i)), i);
        assert_int_not_equal(dtype_size((DType)i), 0);
    }
    assert_int_equal(dtype_find("bf16"), DTYPE_BF16);
    assert_int_equal(dtype_find("Float8_E4M3FN"), DTYPE_F8_E4M3);
    static const char *const UNKNOWN[] = {"", "?", "F3", "BF16 ", "float", "other"};
    for (size_t i = 0; i < sizeof UNKNOWN / sizeof *UNKNOWN; i++)
        assert_int_equal(dtype_find(UNKNOWN[i]), DTYPE_UNKNOWN);
    assert_int_equal(dtype_find(NULL), DTYPE_UNKNOWN);
}

/* Bits as safetensors 0.8.0 has them; what is no whole number of bytes is counted in bytes. */
static void every_type_has_its_bits(void **state) {
    (void)state;
    static const struct {
        DType dtype;
        unsigned bits;
        size_t size;
    } SIZES[] = {{DTYPE_F4, 4, 1},      {DTYPE_F6_E2M3, 6, 1},     {DTYPE_F6_E3M2, 6, 1},
                 {DTYPE_F8_E8M0, 8, 1}, {DTYPE_F8_E4M3FNUZ, 8, 1}, {DTYPE_F8_E5M2FNUZ, 8, 1},
                 {DTYPE_F8_E4M3, 8, 1}, {DTYPE_BOOL, 8, 1},        {DTYPE_BF16, 16, 2},
                 {DTYPE_F32, 32, 4},    {DTYPE_I64, 64, 8},        {DTYPE_C64, 64, 8},
                 {DTYPE_OTHER, 0, 1},   {DTYPE_UNKNOWN, 0, 0}};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        assert_int_equal(dtype_bits(SIZES[i].dtype), SIZES[i].bits);
        assert_int_equal(dtype_size(SIZES[i].dtype), SIZES[i].size);
        bool is_packed = SIZES[i].bits % 8 != 0 || SIZES[i].dtype == DTYPE_OTHER;
        assert_int_equal(dtype_is_packed(SIZES[i].dtype), is_packed);
    }
}

static void what_is_no_type_has_no_size(void **state) {
    (void)state;
    static const int NONE[] = {DTYPE_UNKNOWN, DTYPE_COUNT, DTYPE_COUNT + 7, -1};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        assert_int_equal(dtype_size((DType)NONE[i]), 0);
        assert_string_equal(dtype_name((DType)NONE[i]), "?");
        assert_null(dtype_torch_name((DType)NONE[i]));
        assert_false(dtype_is_float((DType)NONE[i]) || dtype_is_writable((DType)NONE[i]));
    }
}

static void what_can_be_written_can_be_read(void **state) {
    (void)state;
    for (int i = DTYPE_UNKNOWN; i < DTYPE_COUNT; i++) {
        bool writable = i == DTYPE_F32 || i == DTYPE_F16 || i == DTYPE_BF16;
        assert_int_equal(dtype_is_writable((DType)i), writable);
        if (writable) assert_true(dtype_is_float((DType)i));
    }
}

/* Against isfinite() of each pattern widened, at an odd address as tensors in files may have. */
static void what_is_not_finite_is_counted_in_every_type(void **state) {
    (void)state;
    static unsigned char codes[1 + 2 * 65536];
    static const DType TYPES[] = {DTYPE_F16, DTYPE_BF16, DTYPE_F8_E5M2, DTYPE_F8_E4M3};
    for (size_t t = 0; t < sizeof TYPES / sizeof *TYPES; t++) {
        size_t size = dtype_size(TYPES[t]), count = size == 2 ? 65536 : 256;
        uint64_t wanted = 0;
        for (size_t i = 0; i < count; i++) {
            codes[1 + i * size] = (unsigned char)i;
            if (size == 2) codes[2 + i * size] = (unsigned char)(i >> 8);
            wanted += isfinite(dtype_widen_one(TYPES[t], codes + 1 + i * size)) ? 0 : 1;
        }
        assert_true(wanted > 0);
        assert_int_equal(dtype_count_nonfinite(TYPES[t], codes + 1, count), wanted);
        assert_int_equal(dtype_count_nonfinite(TYPES[t], codes + 1, 0), 0);
    }
    const float singles[] = {0, -1, NAN, INFINITY, -INFINITY, 3.4e38F, 1e-45F};
    assert_int_equal(dtype_count_nonfinite(DTYPE_F32, singles, 7), 3);
    const double doubles[] = {1e300, -INFINITY, NAN, 0}; /* the first is beyond F32, and finite */
    assert_int_equal(dtype_count_nonfinite(DTYPE_F64, doubles, 4), 2);
    memset(codes, 0xff, sizeof codes);
    assert_int_equal(dtype_count_nonfinite(DTYPE_I64, codes, 8), 0);
    assert_int_equal(dtype_count_nonfinite(DTYPE_OTHER, codes, 8), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finite_pattern_stands_for_its_value),
        cmocka_unit_test(the_landmarks_are_where_the_standards_put_them),
        cmocka_unit_test(infinities_and_nans_are_the_patterns_above),
        cmocka_unit_test(a_nan_of_float16_keeps_its_payload_and_becomes_quiet),
        cmocka_unit_test(float64_is_rounded_once_to_nearest_even),
        cmocka_unit_test(a_type_that_is_no_number_with_a_point_widens_to_nan),
        cmocka_unit_test(every_type_is_found_by_both_of_its_names_in_any_case),
        cmocka_unit_test(every_type_has_its_bits),
        cmocka_unit_test(what_is_no_type_has_no_size),
        cmocka_unit_test(what_can_be_written_can_be_read),
        cmocka_unit_test(what_is_not_finite_is_counted_in_every_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
