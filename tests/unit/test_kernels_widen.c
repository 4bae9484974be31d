/*
 * Kernels.widen and Kernels.narrow of every variant against dtype, bit for bit, and against a ladder of all values of a type.
 */
#include "kernels_fixture.h"

/* ---- widening ---- */

static void widening_every_pattern_of_the_narrow_types_gives_what_dtype_says(void **state) {
    (void)state;
    enum { ALL = 65536 };
    static uint16_t patterns[ALL + 1];
    static float out[ALL];
    static const DType NARROW[] = {DTYPE_F16, DTYPE_BF16, DTYPE_F8_E4M3, DTYPE_F8_E5M2};
    for (size_t t = 0; t < 4; t++) {
        size_t size = dtype_size(NARROW[t]), count = size == 1 ? 256 : ALL;
        unsigned char *bytes = (unsigned char *)patterns + 1; /* unaligned */
        for (size_t i = 0; i < count; i++) memcpy(bytes + i * size, &(uint16_t){(uint16_t)i}, size);
        for (size_t v = 0; v < variant_count; v++) {
            variants[v]->widen(NARROW[t], bytes, count, out);
            for (size_t i = 0; i < count; i++) {
                uint32_t expected = bits_of(dtype_widen_one(NARROW[t], bytes + i * size));
                if (bits_of(out[i]) != expected)
                    fail_msg("%s, %s %zx: expected %x, found %x", variants[v]->name, dtype_name(NARROW[t]), i,
                             expected, bits_of(out[i]));
            }
        }
    }
}

static void widening_reads_any_length_from_any_address(void **state) {
    (void)state;
    static float out[MOST + GUARD];
    for (size_t t = 0; t < FLOAT_COUNT; t++) {
        for (size_t shift = 0; shift < 3; shift++) {
            Stored stored = make_stored(FLOATS[t], shift, false, 11 + t);
            for (size_t c = 0; c < COUNT_COUNT; c++) {
                for (size_t v = 0; v < variant_count; v++) {
                    put_sentinels(out, COUNTS[c]);
                    variants[v]->widen(FLOATS[t], stored.bytes, COUNTS[c], out);
                    for (size_t i = 0; i < COUNTS[c]; i++) assert_true(same(out[i], value_at(&stored, i)));
                    check_sentinels(out, COUNTS[c]);
                }
            }
            free(stored.block);
        }
    }
}

/* ---- narrowing ---- */

/* The finite values of a narrow type that are not negative, by code, and the infinity as the next step. */
typedef struct Ladder {
    DType dtype;
    uint32_t codes; /* finite ones; the code of infinity too */
    double *values; /* [codes + 1]; the last: where the step after the largest would be */
} Ladder;

static Ladder make_ladder(DType dtype) {
    Ladder ladder = {.dtype = dtype, .codes = dtype == DTYPE_F16 ? 0x7c00 : 0x7f80};
    ladder.values = memory_allocate(ladder.codes + 1, sizeof *ladder.values);
    assert_non_null(ladder.values);
    for (uint32_t code = 0; code < ladder.codes; code++)
        ladder.values[code] = (double)dtype_widen_one(dtype, &(uint16_t){(uint16_t)code});
    ladder.values[ladder.codes] = 2.0 * ladder.values[ladder.codes - 1] - ladder.values[ladder.codes - 2];
    return ladder;
}

/* The nearest code, of two as near the even one; exact, for all distances are exact in double. */
static uint32_t round_on_ladder(const Ladder *ladder, float value) {
    double size = fabs((double)value);
    uint32_t sign = signbit(value) ? 0x8000U : 0U, low = 0, high = ladder->codes;
    if (size >= ladder->values[ladder->codes]) return sign | ladder->codes;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (ladder->values[middle] <= size)
            low = middle;
        else
            high = middle;
    }
    double below = size - ladder->values[low], above = ladder->values[high] - size;
    uint32_t code = below < above || (below == above && low % 2 == 0) ? low : high;
    return sign | code;
}

static void check_narrow(const Ladder *ladder, const float *values, size_t count) {
    static uint16_t out[5 * 65536 + 1];
    unsigned char *bytes = (unsigned char *)out + 1; /* unaligned */
    for (size_t v = 0; v < variant_count; v++) {
        variants[v]->narrow(values, count, ladder->dtype, bytes);
        for (size_t i = 0; i < count; i++) {
            uint16_t code;
            memcpy(&code, bytes + 2 * i, 2);
            uint32_t expected = round_on_ladder(ladder, values[i]);
            if (code != expected)
                fail_msg("%s, %s: %a: expected %x, found %x", variants[v]->name, dtype_name(ladder->dtype),
                         (double)values[i], expected, code);
        }
    }
}

static void narrowing_rounds_to_nearest_even_at_every_step_of_the_type(void **state) {
    (void)state;
    static float values[5 * 65536];
    static const DType NARROW[] = {DTYPE_F16, DTYPE_BF16};
    for (size_t t = 0; t < 2; t++) {
        Ladder ladder = make_ladder(NARROW[t]);
        for (int negative = 0; negative < 2; negative++) {
            size_t count = 0;
            for (uint32_t code = 0; code < ladder.codes; code++) {
                float exact = (float)ladder.values[code];
                float half = (float)((ladder.values[code] + ladder.values[code + 1]) / 2.0);
                assert_true((double)half == (ladder.values[code] + ladder.values[code + 1]) / 2.0);
                float around[] = {exact, nextafterf(exact, INFINITY), half, nextafterf(half, 0.0F),
                                  nextafterf(half, INFINITY)};
                for (size_t i = 0; i < 5; i++) values[count++] = negative ? -around[i] : around[i];
            }
            check_narrow(&ladder, values, count);
        }
        free(ladder.values);
    }
}

static void narrowing_any_bits_gives_the_nearest_value(void **state) {
    (void)state;
    static float values[5 * 65536];
    static const DType NARROW[] = {DTYPE_F16, DTYPE_BF16};
    for (size_t t = 0; t < 2; t++) {
        Ladder ladder = make_ladder(NARROW[t]);
        size_t count = 0;
        for (uint64_t i = 0; count < 200000; i++) {
            float value = of_bits((uint32_t)random_bits(5, i));
            if (!isnan(value)) values[count++] = value;
        }
        values[0] = INFINITY;
        values[1] = -INFINITY;
        values[2] = -0.0F;
        values[3] = of_bits(1); /* the least subnormal */
        values[4] = of_bits(0x7f7fffff);
        check_narrow(&ladder, values, count);
        free(ladder.values);
    }
}

static void a_nan_stays_a_nan_of_the_same_sign_and_upper_bits(void **state) {
    (void)state;
    static const struct {
        DType dtype;
        unsigned shift;
        uint32_t infinity;
    } TYPES[] = {{DTYPE_F16, 13, 0x7c00}, {DTYPE_BF16, 16, 0x7f80}};
    for (size_t t = 0; t < 2; t++) {
        uint32_t quiet = 1U << (22 - TYPES[t].shift), kept = (1U << (23 - TYPES[t].shift)) - 1;
        for (uint32_t i = 0; i < 100000; i++) {
            uint32_t mantissa = i < 64 ? 1U << i % 23 : (uint32_t)random_bits(9, i) & 0x7fffffU;
            if (mantissa == 0) continue;
            float value = of_bits((i % 2 ? 0xff800000U : 0x7f800000U) | mantissa);
            for (size_t v = 0; v < variant_count; v++) {
                uint16_t code;
                variants[v]->narrow(&value, 1, TYPES[t].dtype, &code);
                assert_int_equal(code >> 15, i % 2);
                assert_int_equal(code & TYPES[t].infinity, TYPES[t].infinity);
                assert_int_not_equal(code & kept, 0);
                assert_int_equal((code & kept) & ~quiet, (mantissa >> TYPES[t].shift) & ~quiet);
            }
        }
    }
}

static void narrowing_to_float32_copies_the_bits(void **state) {
    (void)state;
    float values[] = {of_bits(0x7fa00001), of_bits(0xff800001), -0.0F, of_bits(1), INFINITY}, out[5];
    for (size_t v = 0; v < variant_count; v++) {
        variants[v]->narrow(values, 5, DTYPE_F32, out);
        assert_memory_equal(out, values, sizeof values);
        variants[v]->narrow(values, 0, DTYPE_F32, NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widening_every_pattern_of_the_narrow_types_gives_what_dtype_says),
        cmocka_unit_test(widening_reads_any_length_from_any_address),
        cmocka_unit_test(narrowing_rounds_to_nearest_even_at_every_step_of_the_type),
        cmocka_unit_test(narrowing_any_bits_gives_the_nearest_value),
        cmocka_unit_test(a_nan_stays_a_nan_of_the_same_sign_and_upper_bits),
        cmocka_unit_test(narrowing_to_float32_copies_the_bits),
    };
    return cmocka_run_group_tests(tests, find_variants, NULL);
}
