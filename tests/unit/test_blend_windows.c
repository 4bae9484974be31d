/*
 * Windows, rows and elements of a blend, against W = a·S + (1 − a)·B computed element by element with the
 * arithmetic that core/fusion/blend.h states. Rows and columns with an a of their own, vectors, rows that base
 * lacks, and W moved by steps.
 */
#include "core/fusion/blend.h"
#include "core/numerics/kernels.h"
#include "core/numerics/random.h"
#include "core/support/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 13, BASE_ROWS = 9, COLUMNS = 521 };

typedef struct Setup {
    float *sft, *base; /* [ROWS × COLUMNS] */
    uint32_t row_ranks[ROWS], column_ranks[COLUMNS];
    Tensor s, b;
    Blend blend;
} Setup;

static Tensor view(const float *data, size_t rows, size_t columns) {
    return (Tensor){.name = "t",
                    .dtype = DTYPE_F32,
                    .rank = columns == 1 ? 1 : 2,
                    .shape = {rows, columns},
                    .rows = rows,
                    .columns = columns,
                    .data = (const unsigned char *)data,
                    .bytes = rows * columns * sizeof(float)};
}

typedef enum Kind { ONE_A, ROWS_RANKED, COLUMNS_RANKED, NO_BASE, KINDS } Kind;

/* What a and reset_a are, one set after another. Opposite to 0 and 1 stand NaNs that must not show. */
static const double DIALS[][2] = {{0.3, 0.0}, {1.0, 0.25}, {0.0, 1.0}, {0.3, 0.7}, {1.0, 0.0}};
enum { CUT = 40, DIAL_COUNT = sizeof DIALS / sizeof *DIALS };

/* a at a place of W, before it is asked whether base has it. */
static double a_at(const Setup *setup, size_t row, size_t column) {
    const Blend *blend = &setup->blend;
    if (blend->row_ranks != NULL && blend->row_ranks[row] < blend->cut) return blend->reset_a;
    if (blend->column_ranks != NULL && blend->column_ranks[column] < blend->cut) return blend->reset_a;
    return blend->a;
}

static void make_setup(Setup *setup, size_t columns, Kind kind, size_t dials) {
    size_t count = (size_t)ROWS * columns;
    *setup =
        (Setup){.sft = memory_allocate(count, sizeof(float)), .base = memory_allocate(count, sizeof(float))};
    assert_true(setup->sft != NULL && setup->base != NULL);
    for (size_t i = 0; i < COLUMNS; i++) setup->column_ranks[i] = (uint32_t)(random_bits(1, i) % (2 * CUT));
    for (size_t i = 0; i < ROWS; i++) setup->row_ranks[i] = (uint32_t)(random_bits(2, i) % (2 * CUT));
    setup->column_ranks[0] = setup->row_ranks[0] = CUT; /* the first that is not below it */
    setup->column_ranks[1] = setup->row_ranks[1] = CUT - 1;
    setup->s = view(setup->sft, ROWS, columns);
    setup->b = view(setup->base, BASE_ROWS, columns);
    setup->blend = (Blend){.sft = &setup->s,
                           .base = kind == NO_BASE ? NULL : &setup->b,
                           .a = DIALS[dials][0],
                           .reset_a = DIALS[dials][1],
                           .cut = CUT};
    if (kind == ROWS_RANKED) setup->blend.row_ranks = setup->row_ranks;
    if (kind == COLUMNS_RANKED) setup->blend.column_ranks = setup->column_ranks;
    for (size_t i = 0; i < count; i++) {
        double a = a_at(setup, i / columns, i % columns);
        bool has_base = kind != NO_BASE && i / columns < BASE_ROWS;
        setup->sft[i] = a == 0.0 && has_base ? NAN : (float)(random_uniform(3, i) - 0.5);
        setup->base[i] = a == 1.0 || !has_base ? NAN : (float)(random_uniform(4, i) - 0.5);
    }
}

static void free_setup(Setup *setup) {
    free(setup->sft);
    free(setup->base);
}

static float expected_at(const Setup *setup, size_t row, size_t column) {
    const Blend *blend = &setup->blend;
    size_t i = row * setup->s.columns + column;
    double a = a_at(setup, row, column);
    if (blend->base == NULL || row >= blend->base->rows || a == 1.0) return setup->sft[i];
    if (a == 0.0) return setup->base[i];
    return fmaf((float)(1.0 - a), setup->base[i], fmaf((float)a, setup->sft[i], 0.0F));
}

static void must_equal(const Setup *setup, size_t row, size_t column, float found) {
    float expected = expected_at(setup, row, column);
    assert_true(expected == expected); /* the NaNs are where nobody may look */
    if (memcmp(&expected, &found, sizeof found) != 0)
        fail_msg("row %zu, column %zu: expected %a, found %a", row, column, (double)expected, (double)found);
}

static void any_window_is_cut_out_of_the_same_w(void **state) {
    (void)state;
    static float out[ROWS * (COLUMNS + 7)];
    for (size_t i = 0; i < (size_t)KINDS * DIAL_COUNT; i++) {
        Setup setup;
        make_setup(&setup, COLUMNS, (Kind)(i / DIAL_COUNT), i % DIAL_COUNT);
        for (uint64_t n = 0; n < 60; n++) {
            size_t first = random_bits(5, 4 * n) % ROWS,
                   rows = 1 + random_bits(5, 4 * n + 1) % (ROWS - first);
            size_t column = random_bits(5, 4 * n + 2) % COLUMNS;
            size_t columns = 1 + random_bits(5, 4 * n + 3) % (COLUMNS - column), stride = columns + n % 7;
            for (size_t at = 0; at < ROWS * (COLUMNS + 7); at++) out[at] = -77.0F;
            blend_window(&setup.blend, first, rows, column, columns, out, stride);
            for (size_t r = 0; r < rows; r++) {
                for (size_t c = 0; c < columns; c++)
                    must_equal(&setup, first + r, column + c, out[r * stride + c]);
                for (size_t c = columns; c < stride; c++) assert_true(out[r * stride + c] == -77.0F);
            }
        }
        free_setup(&setup);
    }
}

static void a_vector_has_an_a_for_each_element_and_may_be_longer_than_base(void **state) {
    (void)state;
    for (size_t k = 0; k < (size_t)KINDS * DIAL_COUNT; k++) {
        if (k / DIAL_COUNT == COLUMNS_RANKED) continue; /* a vector has one column */
        Setup setup;
        make_setup(&setup, 1, (Kind)(k / DIAL_COUNT), k % DIAL_COUNT);
        for (size_t first = 0; first < ROWS; first++) {
            for (size_t count = 0; first + count <= ROWS; count++) {
                float rows[ROWS], windows[2 * ROWS], elements[ROWS], typed[ROWS], scratch[ROWS];
                blend_rows(&setup.blend, first, count, rows);
                blend_window(&setup.blend, first, count, 0, 1, windows, 2);
                blend_rows_as(&setup.blend, first, count, DTYPE_F32, typed, scratch);
                blend_elements_as(&setup.blend, first, count, DTYPE_F32, elements, scratch);
                for (size_t i = 0; i < count; i++) {
                    must_equal(&setup, first + i, 0, rows[i]);
                    must_equal(&setup, first + i, 0, windows[2 * i]);
                    must_equal(&setup, first + i, 0, typed[i]);
                    must_equal(&setup, first + i, 0, elements[i]);
                }
            }
        }
        assert_int_equal(blend_scratch(&setup.blend, 5), 5);
        free_setup(&setup);
    }
}

static void rows_and_elements_of_a_type_are_w_rounded_once(void **state) {
    (void)state;
    static float w[ROWS * COLUMNS], scratch[ROWS * COLUMNS];
    static uint16_t expected[ROWS * COLUMNS], rows[ROWS * COLUMNS], elements[ROWS * COLUMNS];
    static const DType TYPES[] = {DTYPE_BF16, DTYPE_F16};
    for (size_t i = 0; i < (size_t)KINDS * DIAL_COUNT; i++) {
        Setup setup;
        make_setup(&setup, COLUMNS, (Kind)(i / DIAL_COUNT), i % DIAL_COUNT);
        blend_rows(&setup.blend, 0, ROWS, w);
        for (size_t t = 0; t < 2; t++) {
            kernels_get()->narrow(w, (size_t)ROWS * COLUMNS, TYPES[t], expected);
            blend_rows_as(&setup.blend, 0, ROWS, TYPES[t], rows, scratch);
            assert_memory_equal(rows, expected, sizeof expected);
            for (size_t at = 0, part; at < ROWS * COLUMNS; at += part) { /* cut anywhere */
                part = 1 + random_bits(6, at) % 900;
                if (part > ROWS * COLUMNS - at) part = ROWS * COLUMNS - at;
                blend_elements_as(&setup.blend, at, part, TYPES[t], elements + at, scratch);
            }
            assert_memory_equal(elements, expected, sizeof expected);
        }
        free_setup(&setup);
    }
}

/* A signalling NaN would become a quiet one on its way through float32 arithmetic. */
static void weights_of_nought_and_one_copy_bits_even_of_signalling_nans(void **state) {
    (void)state;
    const uint16_t sft[4] = {0x7f81, 0x3f80, 0xff81, 0x0001}, base[4] = {0x7fa1, 0x7f81, 0x3f80, 0x8001};
    uint16_t out[4];
    float scratch[4];
    const uint32_t ranks[2] = {9, 3}; /* the second is below the cut */
    Tensor s = view((const float *)(const void *)sft, 2, 2),
           b = view((const float *)(const void *)base, 2, 2);
    s.dtype = b.dtype = DTYPE_BF16;
    Blend blend = {.sft = &s, .base = &b, .a = 1.0};
    blend_rows_as(&blend, 0, 2, DTYPE_BF16, out, scratch);
    assert_memory_equal(out, sft, sizeof sft);
    blend.a = 0.0;
    blend_elements_as(&blend, 0, 4, DTYPE_BF16, out, scratch);
    assert_memory_equal(out, base, sizeof base);
    blend.a = 1.0;
    blend.cut = 5;
    blend.reset_a = 0.0;
    blend.column_ranks = ranks;
    blend_rows_as(&blend, 0, 2, DTYPE_BF16, out, scratch);
    const uint16_t mixed[4] = {sft[0], base[1], sft[2], base[3]};
    assert_memory_equal(out, mixed, sizeof mixed);
    blend.column_ranks = NULL;
    blend.row_ranks = ranks;
    blend_rows_as(&blend, 0, 2, DTYPE_BF16, out, scratch);
    const uint16_t halves[4] = {sft[0], sft[1], base[2], base[3]};
    assert_memory_equal(out, halves, sizeof halves);
}

static void the_one_token_multiply_is_the_dot_product_of_these_rows(void **state) {
    (void)state;
    static float x[COLUMNS], w[ROWS * COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) x[i] = (float)(random_uniform(8, i) - 0.5);
    for (size_t i = 0; i < (size_t)KINDS * DIAL_COUNT; i++) {
        Setup setup;
        make_setup(&setup, COLUMNS, (Kind)(i / DIAL_COUNT), i % DIAL_COUNT);
        float y[ROWS];
        blend_rows(&setup.blend, 0, ROWS, w);
        blend_multiply_vector(&setup.blend, 2, ROWS - 2, x, y);
        for (size_t r = 2; r < ROWS; r++) {
            double exact = 0.0, size = 0.0;
            for (size_t c = 0; c < COLUMNS; c++) {
                exact += (double)w[r * COLUMNS + c] * (double)x[c];
                size += fabs((double)w[r * COLUMNS + c] * (double)x[c]);
            }
            /* each term passes through at most 9 + 6 + 2 roundings of a relative 2^-24 */
            assert_true(fabs((double)y[r - 2] - exact) <= 20.0 * 0x1p-24 * size);
        }
        free_setup(&setup);
    }
}

/* ---- moved by steps: how far ---- */

static const BlendSteps STEPS = {.count = 2, .keys = {11, 12}, .coefficients = {0.25, -1.5}};

static void make_sizes(float sizes[ROWS]) {
    for (size_t r = 0; r < ROWS; r++) sizes[r] = (float)(0.01 + random_uniform(9, r));
}

/* ---- a few tokens ---- */

enum { FEW_TOKENS = 25 };

/* Bit for bit what the kernel makes of these rows once they are blended, however many tokens there are: whether it blends
 * them itself or not. */
static void multiplied_must_be(const Blend *blend, size_t first, size_t count, const float *w) {
    static float tokens[FEW_TOKENS][COLUMNS];
    const float *x[FEW_TOKENS];
    float y[FEW_TOKENS * ROWS], expected[FEW_TOKENS * ROWS];
    const KernelRows rows = {.row = {.sft_dtype = DTYPE_F32, .sft = w + first * COLUMNS, .weight_sft = 1.0F},
                             .stride = COLUMNS,
                             .rows = count,
                             .count = COLUMNS};
    for (size_t t = 0; t < FEW_TOKENS; t++) {
        for (size_t c = 0; c < COLUMNS; c++) tokens[t][c] = (float)(random_uniform(8, t * COLUMNS + c) - 0.5);
        x[t] = tokens[t];
    }
    kernels_get()->multiply_rows(&rows, x, FEW_TOKENS, false, expected, ROWS);
    for (size_t n = 1; n <= FEW_TOKENS; n += 3) {
        blend_multiply_tokens(blend, first, count, x, n, y, ROWS);
        for (size_t t = 0; t < n; t++)
            assert_memory_equal(y + t * ROWS, expected + t * ROWS, count * sizeof *y);
    }
}

static void few_tokens_meet_the_rows_that_are_blended(void **state) {
    (void)state;
    static float w[ROWS * COLUMNS];
    float sizes[ROWS];
    make_sizes(sizes);
    for (size_t i = 0; i < (size_t)KINDS * DIAL_COUNT * 2; i++) {
        Setup setup;
        make_setup(&setup, COLUMNS, (Kind)(i / 2 / DIAL_COUNT), i / 2 % DIAL_COUNT);
        if (i % 2 == 1) {
            setup.blend.steps = STEPS;
            setup.blend.steps.sizes = sizes;
        }
        blend_rows(&setup.blend, 0, ROWS, w);
        multiplied_must_be(&setup.blend, 0, BASE_ROWS, w);
        multiplied_must_be(&setup.blend, 2, ROWS - 2, w);
        free_setup(&setup);
    }
}

/* ---- moved by steps ---- */

/* Element by element, of the W that stands still. */
static float moved_at(const Setup *setup, const float *sizes, size_t row, size_t column) {
    uint64_t element = row * setup->s.columns + column;
    float value = expected_at(setup, row, column);
    for (size_t i = 0; i < STEPS.count; i++) {
        float size = (float)(STEPS.coefficients[i] * (double)sizes[row]);
        value += random_bits(STEPS.keys[i], element / 64) >> element % 64 & 1U ? -size : size;
    }
    return value;
}

static void a_moved_w_is_the_still_one_and_its_steps_in_every_form(void **state) {
    (void)state;
    static float rows[ROWS * COLUMNS], window[ROWS * 300], typed[ROWS * COLUMNS], scratch[ROWS * COLUMNS];
    float sizes[ROWS];
    make_sizes(sizes);
    for (size_t i = 0; i < 2 * (size_t)KINDS * DIAL_COUNT; i++) {
        size_t columns = i % 2 == 0 ? COLUMNS : 1, first = columns == 1 ? 0 : 201, width = columns - first;
        Kind kind = (Kind)(i / 2 / DIAL_COUNT);
        Setup setup;
        if (columns == 1 && kind == COLUMNS_RANKED) continue; /* a vector has one column */
        make_setup(&setup, columns, kind, i / 2 % DIAL_COUNT);
        setup.blend.steps = STEPS;
        setup.blend.steps.sizes = sizes;
        if (width > 300) width = 300;
        blend_rows(&setup.blend, 0, ROWS, rows);
        blend_window(&setup.blend, 0, ROWS, first, width, window, width);
        blend_elements_as(&setup.blend, 0, ROWS * columns, DTYPE_F32, typed, scratch);
        for (size_t at = 0; at < ROWS * columns; at++) {
            float expected = moved_at(&setup, sizes, at / columns, at % columns);
            size_t row = at / columns, column = at % columns;
            assert_memory_equal(&rows[at], &expected, sizeof expected);
            assert_memory_equal(&typed[at], &expected, sizeof expected);
            if (column >= first && column < first + width)
                assert_memory_equal(&window[row * width + column - first], &expected, sizeof expected);
        }
        free_setup(&setup);
    }
}

/* Towards a third model from base, or from SFT where base has no row. */
static void w_goes_towards_a_third_model_from_where_base_is(void **state) {
    (void)state;
    static float rows[ROWS * COLUMNS], typed[ROWS * COLUMNS], scratch[ROWS * COLUMNS], third[ROWS * COLUMNS];
    for (size_t i = 0; i < ROWS * COLUMNS; i++) third[i] = (float)(random_uniform(14, i) - 0.5);
    for (size_t i = 0; i < 2 * (size_t)KINDS; i++) {
        size_t columns = i % 2 == 0 ? COLUMNS : 1;
        Kind kind = (Kind)(i / 2);
        Setup setup;
        if (columns == 1 && kind == COLUMNS_RANKED) continue;
        make_setup(&setup, columns, kind, 3); /* no coefficient of 0 or 1: no NaN lies about */
        const Tensor there = view(third, ROWS, columns);
        setup.blend.steps = (BlendSteps){.third = &there, .third_share = -0.75};
        blend_rows(&setup.blend, 0, ROWS, rows);
        blend_elements_as(&setup.blend, 0, ROWS * columns, DTYPE_F32, typed, scratch);
        for (size_t at = 0; at < ROWS * columns; at++) {
            bool has_base = kind != NO_BASE && at / columns < BASE_ROWS;
            float from = has_base ? setup.base[at] : setup.sft[at];
            float way = fmaf(0.75F, from, fmaf(-0.75F, third[at], 0.0F));
            float expected = expected_at(&setup, at / columns, at % columns) + way;
            assert_memory_equal(&rows[at], &expected, sizeof expected);
            assert_memory_equal(&typed[at], &expected, sizeof expected);
        }
        free_setup(&setup);
    }
}

static void a_moved_w_is_multiplied_by_one_token_as_it_lies_in_memory(void **state) {
    (void)state;
    static float x[COLUMNS], w[ROWS * COLUMNS];
    float sizes[ROWS], y[ROWS];
    make_sizes(sizes);
    for (size_t i = 0; i < COLUMNS; i++) x[i] = (float)(random_uniform(8, i) - 0.5);
    for (size_t i = 0; i < (size_t)KINDS * DIAL_COUNT; i++) {
        Setup setup;
        make_setup(&setup, COLUMNS, (Kind)(i / DIAL_COUNT), i % DIAL_COUNT);
        setup.blend.steps = STEPS;
        setup.blend.steps.sizes = sizes;
        blend_rows(&setup.blend, 0, ROWS, w);
        blend_multiply_vector(&setup.blend, 0, ROWS, x, y);
        const KernelRow row = {.sft_dtype = DTYPE_F32, .sft = w, .weight_sft = 1.0F};
        for (size_t r = 0; r < ROWS; r++) {
            KernelRow at = row;
            at.sft = w + r * COLUMNS;
            assert_true(y[r] == kernels_get()->dot(&at, COLUMNS, x));
        }
        free_setup(&setup);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_window_is_cut_out_of_the_same_w),
        cmocka_unit_test(a_vector_has_an_a_for_each_element_and_may_be_longer_than_base),
        cmocka_unit_test(rows_and_elements_of_a_type_are_w_rounded_once),
        cmocka_unit_test(weights_of_nought_and_one_copy_bits_even_of_signalling_nans),
        cmocka_unit_test(the_one_token_multiply_is_the_dot_product_of_these_rows),
        cmocka_unit_test(few_tokens_meet_the_rows_that_are_blended),
        cmocka_unit_test(a_moved_w_is_the_still_one_and_its_steps_in_every_form),
        cmocka_unit_test(w_goes_towards_a_third_model_from_where_base_is),
        cmocka_unit_test(a_moved_w_is_multiplied_by_one_token_as_it_lies_in_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
