/*
 * Every variant of the kernels against the definitions of core/numerics/kernels.h written down once more, in plain
 * scalar C, bit for bit: at odd lengths, from unaligned addresses, with sentinels behind what may be written.
 */
#include "core/numerics/kernels.h"
#include "core/numerics/random.h"
#include "core/support/memory.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 2100, GUARD = 64 };

static const DType FLOATS[] = {DTYPE_F64, DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_F8_E4M3, DTYPE_F8_E5M2};
enum { FLOAT_COUNT = sizeof FLOATS / sizeof *FLOATS };

/* Around whole lanes (16, 64), whole chunks (1024), and none. */
static const size_t COUNTS[] = {0,  1,  2,  3,   7,   8,   9,    15,   16,   17,   31,   63,
                                64, 65, 67, 127, 129, 191, 1023, 1024, 1025, 1087, 2049, MOST};
enum { COUNT_COUNT = sizeof COUNTS / sizeof *COUNTS };

static const Kernels *variants[4];
static size_t variant_count;

static int find_variants(void **state) {
    (void)state;
    variant_count = kernels_list(variants, 4);
    return variant_count > 0 ? 0 : -1;
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The same bits; of two NaNs any. */
static bool same(float a, float b) {
    return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b));
}

/* ---- stored rows: any values, from any address ---- */

typedef struct Stored {
    DType dtype;
    unsigned char *block, *bytes; /* bytes: `shift` into the block */
} Stored;

/* Patterns at random: with F16 and the F8 types that has infinities and NaNs in it; where `is_tame`, numbers
 * about 1. */
static Stored make_stored(DType dtype, size_t shift, bool is_tame, uint64_t seed) {
    Stored stored = {.dtype = dtype, .block = memory_allocate(MOST * 8 + 16, 1)};
    assert_non_null(stored.block);
    stored.bytes = stored.block + shift;
    for (size_t i = 0; i < MOST; i++) {
        uint64_t bits = random_bits(seed, i);
        double tame = random_uniform(seed, i) * 2.0 - 1.0;
        float number = (float)tame;
        if (is_tame && dtype == DTYPE_F64) memcpy(&bits, &tame, 8);
        if (is_tame && dtype == DTYPE_F32) memcpy(&bits, &number, 4);
        if (is_tame && dtype == DTYPE_BF16) bits = bits_of(number) >> 16;
        if (is_tame && dtype == DTYPE_F16) bits = (bits & 0x83ff) | (0x3800 - ((bits >> 16) % 4 << 10));
        if (is_tame && dtype == DTYPE_F8_E5M2) bits = (bits & 0x83) | (0x38 - ((bits >> 16) % 4 << 2));
        if (is_tame && dtype == DTYPE_F8_E4M3) bits = (bits & 0x87) | (0x30 - ((bits >> 16) % 4 << 3));
        memcpy(stored.bytes + i * dtype_size(dtype), &bits, dtype_size(dtype));
    }
    return stored;
}

static float value_at(const Stored *stored, size_t i) {
    return dtype_widen_one(stored->dtype, stored->bytes + i * dtype_size(stored->dtype));
}

/* Room for an answer with sentinels behind it. */
static void put_sentinels(float *out, size_t count) {
    for (size_t i = 0; i < count + GUARD; i++) out[i] = of_bits(0xdeadbeefU);
}

static void check_sentinels(const float *out, size_t count) {
    for (size_t i = count; i < count + GUARD; i++) assert_int_equal(bits_of(out[i]), 0xdeadbeefU);
}

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

/* ---- blending ---- */

static float mix(float s, float b, float weight_sft, float weight_base) {
    if (weight_base == 0.0F) return s;
    if (weight_sft == 0.0F) return b;
    return fmaf(weight_base, b, fmaf(weight_sft, s, 0.0F));
}

static KernelRow make_row(const Stored *s, const Stored *b, double a) {
    return (KernelRow){.sft_dtype = s->dtype,
                       .base_dtype = b->dtype,
                       .sft = s->bytes,
                       .base = b->bytes,
                       .weight_sft = (float)a,
                       .weight_base = (float)(1.0 - a)};
}

static const double ALPHAS[] = {0.0, 1.0, 0.5, 0.3, 1.25, -0.25, 1e-50};
enum { ALPHA_COUNT = sizeof ALPHAS / sizeof *ALPHAS };

static void check_blend(const Stored *s, const Stored *b, size_t count, double a) {
    static float out[MOST + GUARD];
    KernelRow row = make_row(s, b, a);
    for (size_t v = 0; v < variant_count; v++) {
        put_sentinels(out, count);
        variants[v]->blend(&row, count, out);
        for (size_t i = 0; i < count; i++) {
            float expected = mix(value_at(s, i), value_at(b, i), row.weight_sft, row.weight_base);
            if (!same(out[i], expected))
                fail_msg("%s: S %s, B %s, a %g, element %zu of %zu: expected %a, found %a", variants[v]->name,
                         dtype_name(s->dtype), dtype_name(b->dtype), a, i, count, (double)expected,
                         (double)out[i]);
        }
        check_sentinels(out, count);
    }
}

static void blending_any_two_types_is_two_fused_multiply_adds(void **state) {
    (void)state;
    for (size_t t = 0; t < FLOAT_COUNT * FLOAT_COUNT; t++) {
        Stored s = make_stored(FLOATS[t / FLOAT_COUNT], t % 3, t % 2 == 0, 100 + t);
        Stored b = make_stored(FLOATS[t % FLOAT_COUNT], (t + 1) % 4, t % 2 == 0, 200 + t);
        for (size_t c = 0; c < COUNT_COUNT; c++)
            check_blend(&s, &b, COUNTS[c], ALPHAS[(t + c) % ALPHA_COUNT]);
        free(s.block);
        free(b.block);
    }
}

static void a_model_of_weight_nought_is_not_even_looked_at(void **state) {
    (void)state;
    float out[MOST];
    for (size_t t = 0; t < FLOAT_COUNT; t++) {
        Stored stored = make_stored(FLOATS[t], 1, false, 300 + t);
        for (size_t v = 0; v < variant_count; v++) {
            for (int side = 0; side < 2; side++) {
                KernelRow row = make_row(&stored, &stored, side == 0 ? 1.0 : 0.0);
                if (side == 0)
                    row.base = NULL;
                else
                    row.sft = NULL;
                variants[v]->blend(&row, 1025, out);
                for (size_t i = 0; i < 1025; i++) assert_true(same(out[i], value_at(&stored, i)));
                float x[1025] = {1.0F};
                float sum = variants[v]->dot(&row, 1, x);
                assert_true(same(sum, fmaf(value_at(&stored, 0), 1.0F, 0.0F)));
            }
        }
        free(stored.block);
    }
}

static void make_marks(unsigned char *marks) {
    for (size_t i = 0; i < MOST; i++) marks[i] = (unsigned char)(random_bits(7, i) % 2);
}

static float mix_marked(const KernelRow *row, const KernelMarked *marked, size_t i, float s, float b) {
    bool own = marked->marks[i] != 0;
    return mix(s, b, own ? marked->weight_sft : row->weight_sft,
               own ? marked->weight_base : row->weight_base);
}

static void marked_elements_have_weights_of_their_own(void **state) {
    (void)state;
    static unsigned char marks[MOST];
    static float out[MOST + GUARD];
    make_marks(marks);
    for (size_t t = 0; t < FLOAT_COUNT * FLOAT_COUNT; t++) {
        /* any bits: NaNs and infinities stand opposite to weights of 0 and 1 */
        Stored s = make_stored(FLOATS[t / FLOAT_COUNT], 1, false, 400 + t);
        Stored b = make_stored(FLOATS[t % FLOAT_COUNT], 3, false, 500 + t);
        for (size_t c = 0; c < COUNT_COUNT; c++) {
            double own = ALPHAS[(t + 3 * c) % ALPHA_COUNT];
            KernelRow row = make_row(&s, &b, ALPHAS[(t + c) % ALPHA_COUNT]);
            KernelMarked marked = {marks, (float)own, (float)(1.0 - own)};
            for (size_t v = 0; v < variant_count; v++) {
                put_sentinels(out, COUNTS[c]);
                variants[v]->blend_marked(&row, &marked, COUNTS[c], out);
                for (size_t i = 0; i < COUNTS[c]; i++)
                    assert_true(same(out[i], mix_marked(&row, &marked, i, value_at(&s, i), value_at(&b, i))));
                check_sentinels(out, COUNTS[c]);
            }
        }
        free(s.block);
        free(b.block);
    }
}

static void a_nan_does_not_leak_out_of_the_model_that_was_not_asked(void **state) {
    (void)state;
    const float s[4] = {NAN, 1.0F, NAN, 1.0F}, b[4] = {2.0F, NAN, 2.0F, NAN};
    const unsigned char marks[4] = {1, 0, 0, 1};
    float out[4];
    for (size_t v = 0; v < variant_count; v++) {
        KernelRow row = {DTYPE_F32, DTYPE_F32, s, b, 1.0F, 0.0F};
        KernelMarked marked = {marks, 0.0F, 1.0F};
        variants[v]->blend_marked(&row, &marked, 4, out);
        assert_true(out[0] == 2.0F && out[1] == 1.0F && isnan(out[2]) && isnan(out[3]));
    }
}

/* ---- steps along random signs ---- */

/* As kernels.h says it: the sign of an element, on its own. */
static float stepped(float value, const KernelStep *steps, size_t step_count, uint64_t element) {
    for (size_t s = 0; s < step_count; s++) {
        bool is_negative = random_bits(steps[s].key, element / 64) >> element % 64 & 1U;
        value = value + (is_negative ? -steps[s].size : steps[s].size);
    }
    return value;
}

static void a_step_adds_the_sign_of_each_element_wherever_a_row_begins(void **state) {
    (void)state;
    static const uint64_t FIRSTS[] = {0, 1, 31, 32, 63, 64, 65, 4096, 897, UINT64_C(1) << 40, 1000003};
    static const KernelStep STEPS[] = {{UINT64_C(0xfedcba9876543210), 0.3F}, {77, -1e-3F}};
    static float out[MOST + GUARD], before[MOST];
    for (size_t i = 0; i < MOST; i++) before[i] = (float)(random_uniform(71, i) - 0.5);
    for (size_t f = 0; f < sizeof FIRSTS / sizeof *FIRSTS; f++) {
        for (size_t c = 0; c < COUNT_COUNT; c++) {
            for (size_t v = 0; v < 2 * variant_count; v++) {
                size_t steps = 1 + v % 2;
                put_sentinels(out, COUNTS[c]);
                for (size_t i = 0; i < COUNTS[c]; i++) out[i] = before[i];
                variants[v / 2]->step(STEPS, steps, FIRSTS[f], COUNTS[c], out);
                for (size_t i = 0; i < COUNTS[c]; i++)
                    assert_int_equal(bits_of(out[i]),
                                     bits_of(stepped(before[i], STEPS, steps, FIRSTS[f] + i)));
                check_sentinels(out, COUNTS[c]);
            }
        }
    }
}

/* ---- dot products ---- */

/* 64 lanes, each a chain of fused multiply-adds, folded in halves. */
static float dot_of(const float *w, const float *x, size_t count) {
    float lanes[64] = {0};
    for (size_t i = 0; i < count; i++) lanes[i % 64] = fmaf(w[i], x[i], lanes[i % 64]);
    for (size_t half = 32; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++) lanes[i] += lanes[i + half];
    }
    return lanes[0];
}

static void dot_products_sum_in_the_same_order_everywhere(void **state) {
    (void)state;
    static float x[MOST], w[MOST];
    for (size_t i = 0; i < MOST; i++) x[i] = (float)(random_uniform(3, i) - 0.5);
    for (size_t t = 0; t < FLOAT_COUNT * FLOAT_COUNT; t++) {
        Stored s = make_stored(FLOATS[t / FLOAT_COUNT], t % 4, true, 600 + t);
        Stored b = make_stored(FLOATS[t % FLOAT_COUNT], (t + 2) % 4, true, 700 + t);
        for (size_t c = 0; c < COUNT_COUNT; c++) {
            KernelRow row = make_row(&s, &b, ALPHAS[(t + c) % ALPHA_COUNT]);
            for (size_t i = 0; i < COUNTS[c]; i++)
                w[i] = mix(value_at(&s, i), value_at(&b, i), row.weight_sft, row.weight_base);
            float expected = dot_of(w, x, COUNTS[c]);
            for (size_t v = 0; v < variant_count; v++) {
                assert_int_equal(bits_of(variants[v]->dot(&row, COUNTS[c], x)), bits_of(expected));
            }
        }
        free(s.block);
        free(b.block);
    }
}

static void marked_dot_products_are_those_of_the_marked_blend(void **state) {
    (void)state;
    static unsigned char marks[MOST];
    static float x[MOST], w[MOST];
    make_marks(marks);
    for (size_t i = 0; i < MOST; i++) x[i] = (float)(random_uniform(3, i) - 0.5);
    for (size_t t = 0; t < FLOAT_COUNT * FLOAT_COUNT; t++) {
        Stored s = make_stored(FLOATS[t / FLOAT_COUNT], t % 4, true, 800 + t);
        Stored b = make_stored(FLOATS[t % FLOAT_COUNT], (t + 2) % 4, true, 900 + t);
        for (size_t c = 0; c < COUNT_COUNT; c++) {
            double own = ALPHAS[(t + 3 * c) % ALPHA_COUNT];
            KernelRow row = make_row(&s, &b, ALPHAS[(t + c) % ALPHA_COUNT]);
            KernelMarked marked = {marks, (float)own, (float)(1.0 - own)};
            for (size_t i = 0; i < COUNTS[c]; i++)
                w[i] = mix_marked(&row, &marked, i, value_at(&s, i), value_at(&b, i));
            float expected = dot_of(w, x, COUNTS[c]);
            for (size_t v = 0; v < variant_count; v++)
                assert_int_equal(bits_of(variants[v]->dot_marked(&row, &marked, COUNTS[c], x)),
                                 bits_of(expected));
        }
        free(s.block);
        free(b.block);
    }
}

static void a_nan_in_a_row_shows_in_its_dot_product(void **state) {
    (void)state;
    static float w[130], x[130];
    for (size_t i = 0; i < 130; i++) x[i] = 1.0F;
    for (size_t at = 0; at < 130; at++) {
        memset(w, 0, sizeof w);
        w[at] = NAN;
        KernelRow row = {.sft_dtype = DTYPE_F32, .sft = w, .weight_sft = 1.0F};
        for (size_t v = 0; v < variant_count; v++) {
            assert_true(isnan(variants[v]->dot(&row, 130, x)));
            const unsigned char marks[130] = {0};
            KernelMarked marked = {marks, 0.0F, 1.0F};
            row.base_dtype = DTYPE_F32;
            row.base = w;
            assert_true(isnan(variants[v]->dot_marked(&row, &marked, 130, x)));
        }
    }
}

/* ---- choosing ---- */

static void the_portable_variant_is_always_there_and_last(void **state) {
    (void)state;
    assert_string_equal(variants[variant_count - 1]->name, "portable");
    const Kernels *one[1];
    assert_int_equal(kernels_list(one, 1), 1);
    assert_ptr_equal(one[0], variants[0]);
    assert_ptr_equal(kernels_get(), kernels_get());
    for (size_t v = 0; v < variant_count; v++) print_message("variant %s\n", variants[v]->name);
}

/* ---- a panel by tokens ---- */

enum { PANEL_ROWS = 29, PANEL_DEPTH = 301, PANEL_STRIDE = 310 };

static double multiply_exactly(const float *panel, const float *pack, size_t lanes, size_t row,
                               size_t token) {
    double sum = 0.0;
    for (size_t k = 0; k < PANEL_DEPTH; k++)
        sum += (double)panel[row * PANEL_STRIDE + k] * (double)pack[k * lanes + token];
    return sum;
}

/* Every number of tokens that a pack may have: all tiles, whole and in part. */
static void a_panel_times_tokens_is_their_products(void **state) {
    (void)state;
    static float panel[PANEL_ROWS * PANEL_STRIDE], pack[PANEL_DEPTH * 64], sums[PANEL_ROWS * 64],
        twice[PANEL_ROWS * 64];
    const Kernels *list[3];
    size_t count = kernels_list(list, 3);
    double worst = 0.0;
    static float turned[PANEL_DEPTH * PANEL_ROWS], back[PANEL_ROWS * 64];
    const KernelPanel flat = {
        .weights = panel, .stride = PANEL_STRIDE, .rows = PANEL_ROWS, .depth = PANEL_DEPTH};
    const KernelPanel upright = {
        .weights = turned, .stride = PANEL_ROWS, .rows = PANEL_ROWS, .depth = PANEL_DEPTH};
    for (size_t i = 0; i < sizeof panel / sizeof *panel; i++) panel[i] = (float)random_uniform(41, i) - 0.5F;
    for (size_t r = 0; r < PANEL_ROWS; r++)
        for (size_t k = 0; k < PANEL_DEPTH; k++) turned[k * PANEL_ROWS + r] = panel[r * PANEL_STRIDE + k];
    for (size_t i = 0; i < sizeof pack / sizeof *pack; i++) pack[i] = (float)random_uniform(42, i) - 0.5F;
    for (size_t v = 0; v < count; v++) {
        for (size_t tokens = 1; tokens <= list[v]->pack; tokens++) {
            size_t lanes = (tokens + list[v]->vector - 1) / list[v]->vector * list[v]->vector;
            list[v]->multiply_pack(&flat, pack, tokens, false, sums);
            memcpy(twice, sums, sizeof twice);
            list[v]->multiply_pack(&flat, pack, tokens, true, twice);
            list[v]->multiply_pack_back(&upright, pack, tokens, false, back);
            assert_memory_equal(back, sums,
                                PANEL_ROWS * lanes * sizeof *sums); /* the same sums in the same order */
            for (size_t r = 0; r < PANEL_ROWS; r++) {
                for (size_t t = 0; t < tokens; t++) {
                    double exact = multiply_exactly(panel, pack, lanes, r, t);
                    worst = fmax(worst, fabs((double)sums[r * lanes + t] - exact));
                    worst = fmax(worst, fabs((double)twice[r * lanes + t] - 2.0 * exact) / 2.0);
                }
            }
        }
    }
    print_message("largest error %.1e of sums of %d products\n", worst, PANEL_DEPTH);
    /* n roundings of half a unit of the last place each: 301 · 2^-24 · Σ|products| (19) is 3.4e-4 at worst */
    assert_true(worst < 2e-5);
}

/* A token's sums are the same alone and in any company, and the same on any machine that has the instruction. */
static void a_tokens_sums_do_not_depend_on_its_company(void **state) {
    (void)state;
    static float panel[PANEL_ROWS * PANEL_STRIDE], tokens[64][PANEL_DEPTH], pack[PANEL_DEPTH * 64],
        sums[PANEL_ROWS * 64];
    const KernelPanel flat = {
        .weights = panel, .stride = PANEL_STRIDE, .rows = PANEL_ROWS, .depth = PANEL_DEPTH};
    float alone[3][PANEL_ROWS];
    const Kernels *list[3];
    size_t count = kernels_list(list, 3);
    for (size_t i = 0; i < sizeof panel / sizeof *panel; i++) panel[i] = (float)random_uniform(43, i) - 0.5F;
    for (size_t i = 0; i < 64 * (size_t)PANEL_DEPTH; i++)
        tokens[i / PANEL_DEPTH][i % PANEL_DEPTH] = (float)random_uniform(44, i) - 0.5F;
    for (size_t v = 0; v < count; v++) {
        const Kernels *kernels = list[v];
        for (size_t company = 1; company <= kernels->pack; company++) {
            size_t lanes = (company + kernels->vector - 1) / kernels->vector * kernels->vector;
            for (size_t k = 0; k < PANEL_DEPTH; k++)
                for (size_t t = 0; t < lanes; t++)
                    pack[k * lanes + t] = tokens[company - 1 - (t < company ? t : 0)][k];
            kernels->multiply_pack(&flat, pack, company, false, sums);
            for (size_t r = 0; r < PANEL_ROWS; r++) { /* token 0 is the last of its company */
                if (company == 1) alone[v][r] = sums[r * lanes];
                assert_true(sums[r * lanes + company - 1] == alone[v][r]);
                bool is_fused = strcmp(kernels->name, "portable") != 0;
                if (is_fused && v > 0) assert_true(alone[v][r] == alone[0][r]);
            }
        }
    }
}

/* What is looked at ahead changes no sum, and all of it was looked at in the end. */
static void looking_ahead_changes_nothing(void **state) {
    (void)state;
    enum { ROWS = 5, BYTES = 300 };
    static float panel[PANEL_ROWS * PANEL_STRIDE], pack[PANEL_DEPTH * 64], sums[PANEL_ROWS * 64],
        plain[PANEL_ROWS * 64];
    static const unsigned char stored[ROWS * BYTES];
    const Kernels *list[3];
    size_t count = kernels_list(list, 3);
    for (size_t i = 0; i < sizeof panel / sizeof *panel; i++) panel[i] = (float)random_uniform(45, i) - 0.5F;
    for (size_t i = 0; i < sizeof pack / sizeof *pack; i++) pack[i] = (float)random_uniform(46, i) - 0.5F;
    for (size_t v = 0; v < count; v++) {
        for (size_t tokens = 1; tokens <= list[v]->pack; tokens += 3) {
            size_t lanes = (tokens + list[v]->vector - 1) / list[v]->vector * list[v]->vector;
            KernelAhead ahead = {.first = {stored, stored}, .stride = BYTES, .rows = ROWS, .bytes = BYTES};
            KernelPanel weights = {
                .weights = panel, .stride = PANEL_STRIDE, .rows = PANEL_ROWS, .depth = PANEL_DEPTH};
            list[v]->multiply_pack(&weights, pack, tokens, false, plain);
            weights.ahead = &ahead;
            weights.ahead_lines = ROWS * ((BYTES + KERNELS_LINE - 1) / KERNELS_LINE);
            list[v]->multiply_pack(&weights, pack, tokens, false, sums);
            assert_memory_equal(sums, plain, PANEL_ROWS * lanes * sizeof *sums);
            assert_int_equal(ahead.row, ROWS);
        }
    }
}

/* ---- tokens side by side, and back ---- */

static void packs_are_tokens_turned_round(void **state) {
    (void)state;
    enum { LINES = 64, DEPTH = 37, ROWS = 29, STRIDE = 41 };
    static float tokens[LINES][DEPTH], pack[DEPTH * LINES], sums[ROWS * LINES], y[LINES * STRIDE];
    const float *lines[LINES];
    const Kernels *list[3];
    size_t listed = kernels_list(list, 3);
    for (size_t i = 0; i < LINES * (size_t)DEPTH; i++)
        tokens[i / DEPTH][i % DEPTH] = (float)random_uniform(47, i) - 0.5F;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) sums[i] = (float)random_uniform(48, i) - 0.5F;
    for (size_t t = 0; t < LINES; t++) lines[t] = tokens[t];
    for (size_t v = 0; v < listed; v++) {
        for (size_t count = 1; count <= list[v]->pack; count++) {
            size_t lanes = (count + list[v]->vector - 1) / list[v]->vector * list[v]->vector;
            memset(pack, 0xff, sizeof pack);
            list[v]->fill_pack(lines, count, DEPTH, lanes, pack);
            for (size_t k = 0; k < DEPTH; k++)
                for (size_t t = 0; t < lanes; t++)
                    assert_true(pack[k * lanes + t] == (t < count ? tokens[t][k] : 0.0F));
            for (size_t i = 0; i < LINES * (size_t)STRIDE; i++) y[i] = 7.0F;
            list[v]->take_sums(sums, ROWS, count, lanes, false, y, STRIDE);
            list[v]->take_sums(sums, ROWS, count, lanes, true, y, STRIDE);
            for (size_t t = 0; t < LINES; t++)
                for (size_t r = 0; r < STRIDE; r++)
                    assert_true(y[t * STRIDE + r] ==
                                (t < count && r < ROWS ? 2.0F * sums[r * lanes + t] : 7.0F));
        }
    }
}

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

/* ---- rows of two models by a few tokens ---- */

enum { FEW_ROWS = 9, FEW_TOKENS = 66, FEW_COUNT = KERNELS_ROWS_STRETCH + 37, FEW_STRIDE = FEW_COUNT + 3 };

/* As the header says it, in plain C; with two roundings where the variant has no such instruction. */
static float multiply_in_lanes(const float *w, const float *x, size_t count, bool is_fused, float start) {
    float sum = start;
    for (size_t at = 0; at < count; at += KERNELS_ROWS_STRETCH) {
        float lanes[16] = {0};
        for (size_t k = at; k < count && k < at + KERNELS_ROWS_STRETCH; k++) {
            volatile float product = w[k] * x[k];
            lanes[k % 16] = is_fused ? fmaf(w[k], x[k], lanes[k % 16]) : product + lanes[k % 16];
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
    bool is_fused = strcmp(kernels->name, "portable") != 0;
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
            assert_true(sums[0][at] == multiply_in_lanes(w, x[t] + rows->first, count, is_fused, 0.0F));
            assert_true(sums[1][at] == multiply_in_lanes(w, x[t] + rows->first, count, is_fused, (float)at));
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
        cmocka_unit_test(widening_every_pattern_of_the_narrow_types_gives_what_dtype_says),
        cmocka_unit_test(widening_reads_any_length_from_any_address),
        cmocka_unit_test(narrowing_rounds_to_nearest_even_at_every_step_of_the_type),
        cmocka_unit_test(narrowing_any_bits_gives_the_nearest_value),
        cmocka_unit_test(a_nan_stays_a_nan_of_the_same_sign_and_upper_bits),
        cmocka_unit_test(narrowing_to_float32_copies_the_bits),
        cmocka_unit_test(blending_any_two_types_is_two_fused_multiply_adds),
        cmocka_unit_test(a_model_of_weight_nought_is_not_even_looked_at),
        cmocka_unit_test(marked_elements_have_weights_of_their_own),
        cmocka_unit_test(a_nan_does_not_leak_out_of_the_model_that_was_not_asked),
        cmocka_unit_test(a_step_adds_the_sign_of_each_element_wherever_a_row_begins),
        cmocka_unit_test(dot_products_sum_in_the_same_order_everywhere),
        cmocka_unit_test(marked_dot_products_are_those_of_the_marked_blend),
        cmocka_unit_test(a_nan_in_a_row_shows_in_its_dot_product),
        cmocka_unit_test(the_portable_variant_is_always_there_and_last),
        cmocka_unit_test(a_panel_times_tokens_is_their_products),
        cmocka_unit_test(a_tokens_sums_do_not_depend_on_its_company),
        cmocka_unit_test(looking_ahead_changes_nothing),
        cmocka_unit_test(packs_are_tokens_turned_round),
        cmocka_unit_test(exponentials_are_near_libm_everywhere),
        cmocka_unit_test(exponentials_of_no_numbers_are_what_they_should_be),
        cmocka_unit_test(rows_of_two_models_times_few_tokens_are_added_up_in_sixteen_lanes),
        cmocka_unit_test(factors_are_added_with_one_rounding_each),
        cmocka_unit_test(changed_rows_are_blended_as_if_they_had_been_stored),
        cmocka_unit_test(changed_rows_times_a_token_are_never_in_memory_and_yet_the_same),
    };
    return cmocka_run_group_tests(tests, find_variants, NULL);
}
