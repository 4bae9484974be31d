/*
 * Windows, rows and elements of a blend, against W = a·S + (1 − a)·B computed element by element with the
 * arithmetic that core/blend.h states. Per-row and per-column a, vectors, and rows that base lacks.
 */
#include "core/blend.h"
#include "core/kernels.h"
#include "core/memory.h"
#include "core/random.h"

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

/* Whole resets put base's bits beside SFT's, partial ones blends of two strengths. */
typedef enum Kind { ONE_A, ROW_RESET, COLUMN_RESET, ROW_PART, COLUMN_PART, NO_BASE, KINDS } Kind;

enum { CUT = 3 };

static bool is_row_kind(Kind kind) {
    return kind == ROW_RESET || kind == ROW_PART;
}

static bool is_column_kind(Kind kind) {
    return kind == COLUMN_RESET || kind == COLUMN_PART;
}

static double coefficient(const Blend *blend, size_t row, size_t column) {
    if (blend->row_ranks != NULL) return blend->row_ranks[row] < blend->cut ? blend->reset_a : blend->a;
    if (blend->column_ranks != NULL)
        return blend->column_ranks[column] < blend->cut ? blend->reset_a : blend->a;
    return blend->a;
}

/* Where a is 0 or 1, NaNs that must not show stand opposite. */
static void make_setup(Setup *setup, size_t columns, Kind kind) {
    size_t count = (size_t)ROWS * columns;
    *setup =
        (Setup){.sft = memory_allocate(count, sizeof(float)), .base = memory_allocate(count, sizeof(float))};
    assert_true(setup->sft != NULL && setup->base != NULL);
    for (size_t i = 0; i < COLUMNS; i++) setup->column_ranks[i] = (uint32_t)(random_bits(1, i) % 7);
    for (size_t i = 0; i < ROWS; i++) setup->row_ranks[i] = (uint32_t)(random_bits(2, i) % 7);
    setup->s = view(setup->sft, ROWS, columns);
    setup->b = view(setup->base, BASE_ROWS, columns);
    setup->blend = (Blend){.sft = &setup->s, .base = kind == NO_BASE ? NULL : &setup->b, .a = 0.3};
    if (is_row_kind(kind)) setup->blend.row_ranks = setup->row_ranks;
    if (is_column_kind(kind)) setup->blend.column_ranks = setup->column_ranks;
    if (is_row_kind(kind) || is_column_kind(kind)) {
        bool is_whole = kind == ROW_RESET || kind == COLUMN_RESET;
        setup->blend.a = is_whole ? 1.0 : 0.6;
        setup->blend.reset_a = is_whole ? 0.0 : 0.3;
        setup->blend.cut = CUT;
    }
    for (size_t i = 0; i < count; i++) {
        size_t row = i / columns, column = i % columns;
        double a = coefficient(&setup->blend, row, column);
        setup->sft[i] = a == 0.0 && row < BASE_ROWS ? NAN : (float)(random_uniform(3, i) - 0.5);
        setup->base[i] = a == 1.0 || row >= BASE_ROWS ? NAN : (float)(random_uniform(4, i) - 0.5);
    }
}

static void free_setup(Setup *setup) {
    free(setup->sft);
    free(setup->base);
}

static float expected_at(const Setup *setup, size_t row, size_t column) {
    const Blend *blend = &setup->blend;
    size_t i = row * setup->s.columns + column;
    double a = coefficient(blend, row, column);
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
    for (Kind kind = ONE_A; kind < KINDS; kind++) {
        Setup setup;
        make_setup(&setup, COLUMNS, kind);
        for (uint64_t i = 0; i < 200; i++) {
            size_t first = random_bits(5, 4 * i) % ROWS,
                   rows = 1 + random_bits(5, 4 * i + 1) % (ROWS - first);
            size_t column = random_bits(5, 4 * i + 2) % COLUMNS;
            size_t columns = 1 + random_bits(5, 4 * i + 3) % (COLUMNS - column), stride = columns + i % 7;
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
    for (Kind kind = ONE_A; kind < KINDS; kind++) {
        if (is_column_kind(kind)) continue; /* the columns of a vector are no neurons */
        Setup setup;
        make_setup(&setup, 1, kind);
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
    for (Kind kind = ONE_A; kind < KINDS; kind++) {
        Setup setup;
        make_setup(&setup, COLUMNS, kind);
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
    const uint32_t ranks[2] = {5, 0}; /* the second is reset */
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
    blend.reset_a = 0.0;
    blend.cut = CUT;
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
    for (Kind kind = ONE_A; kind < KINDS; kind++) {
        Setup setup;
        make_setup(&setup, COLUMNS, kind);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_window_is_cut_out_of_the_same_w),
        cmocka_unit_test(a_vector_has_an_a_for_each_element_and_may_be_longer_than_base),
        cmocka_unit_test(rows_and_elements_of_a_type_are_w_rounded_once),
        cmocka_unit_test(weights_of_nought_and_one_copy_bits_even_of_signalling_nans),
        cmocka_unit_test(the_one_token_multiply_is_the_dot_product_of_these_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
