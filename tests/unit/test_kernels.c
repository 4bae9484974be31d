/*
 * Every variant of the kernels against the definitions of core/numerics/kernels.h written down once more, in plain
 * scalar C, bit for bit: at odd lengths, from unaligned addresses, with sentinels behind what may be written. Here: blending,
 * steps, dot products, and the choice among variants; the other families have files of their own.
 */
#include "kernels_fixture.h"

/* ---- blending ---- */

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blending_any_two_types_is_two_fused_multiply_adds),
        cmocka_unit_test(a_model_of_weight_nought_is_not_even_looked_at),
        cmocka_unit_test(marked_elements_have_weights_of_their_own),
        cmocka_unit_test(a_nan_does_not_leak_out_of_the_model_that_was_not_asked),
        cmocka_unit_test(a_step_adds_the_sign_of_each_element_wherever_a_row_begins),
        cmocka_unit_test(dot_products_sum_in_the_same_order_everywhere),
        cmocka_unit_test(marked_dot_products_are_those_of_the_marked_blend),
        cmocka_unit_test(a_nan_in_a_row_shows_in_its_dot_product),
        cmocka_unit_test(the_portable_variant_is_always_there_and_last),
    };
    return cmocka_run_group_tests(tests, find_variants, NULL);
}
