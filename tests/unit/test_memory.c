/* The one gateway to the allocator: sizes are checked products, failure leaves what was there. */
#include "core/support/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The address sanitizer ends a program that asks for too much, unless it is told that NULL will do. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}

static const size_t HALF = SIZE_MAX / 2 + 1; /* two of them are one too many */

static void a_product_that_fits_is_given(void **state) {
    (void)state;
    size_t product = 1;
    assert_true(memory_multiply(SIZE_MAX, 1, &product));
    assert_true(product == SIZE_MAX);
    assert_true(memory_multiply(0, SIZE_MAX, &product));
    assert_int_equal(product, 0);
    assert_true(memory_multiply(HALF - 1, 2, &product));
    assert_true(product == SIZE_MAX - 1);
}

static void a_product_or_sum_that_overflows_is_refused(void **state) {
    (void)state;
    size_t result;
    assert_false(memory_multiply(HALF, 2, &result));
    assert_false(memory_multiply(SIZE_MAX, SIZE_MAX, &result));
    assert_false(memory_add(SIZE_MAX, 1, &result));
    assert_true(memory_add(SIZE_MAX - 1, 1, &result));
    assert_true(result == SIZE_MAX);
}

static void an_allocation_is_zeroed_and_of_the_product_of_its_sizes(void **state) {
    (void)state;
    unsigned char *block = memory_allocate(1000, 7);
    assert_non_null(block);
    for (size_t i = 0; i < 7000; i++) assert_int_equal(block[i], 0);
    free(block);
}

static void an_allocation_of_nothing_is_a_block_all_the_same(void **state) {
    (void)state;
    unsigned char *a = memory_allocate(0, 8), *b = memory_allocate(8, 0), *c = memory_allocate_aligned(0, 8);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    a[0] = b[0] = c[0] = 1; /* one byte is there: the address sanitizer would tell */
    free(a);
    free(b);
    free(c);
}

static void an_allocation_whose_size_overflows_fails(void **state) {
    (void)state;
    assert_null(memory_allocate(HALF, 2));
    assert_null(memory_allocate(SIZE_MAX, SIZE_MAX));
    assert_null(memory_allocate_aligned(HALF, 2));
    assert_null(memory_allocate_aligned(SIZE_MAX, 1)); /* no room to round up */
    assert_null(memory_allocate_aligned(SIZE_MAX - 63, 1));
    assert_null(memory_copy_text("x", SIZE_MAX));
}

static void aligned_blocks_begin_on_a_cache_line(void **state) {
    (void)state;
    static const size_t COUNTS[] = {1, 15, 16, 17, 1000};
    for (size_t i = 0; i < sizeof COUNTS / sizeof *COUNTS; i++) {
        float *block = memory_allocate_aligned(COUNTS[i], sizeof *block);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        block[COUNTS[i] - 1] = 1.0F;
        free(block);
    }
}

static void reserving_grows_and_keeps_the_elements(void **state) {
    (void)state;
    size_t *block = NULL, capacity = 0, grown = 0;
    for (size_t i = 0; i < 1000; i++) {
        size_t before = capacity;
        assert_int_equal(MEMORY_RESERVE(block, &capacity, i + 1, NULL), STATUS_OK);
        assert_true(capacity > i);
        grown += capacity != before;
        block[i] = i;
    }
    for (size_t i = 0; i < 1000; i++) assert_int_equal(block[i], i);
    assert_in_range(grown, 1, 8); /* doubling: 8, 16 … 1024 */
    free(block);
}

static void reserving_what_is_there_changes_nothing(void **state) {
    (void)state;
    double *block = NULL;
    size_t capacity = 0;
    assert_int_equal(MEMORY_RESERVE(block, &capacity, 0, NULL), STATUS_OK);
    assert_null(block);
    assert_int_equal(MEMORY_RESERVE(block, &capacity, 5, NULL), STATUS_OK);
    void *before = block;
    size_t before_capacity = capacity;
    assert_int_equal(MEMORY_RESERVE(block, &capacity, capacity, NULL), STATUS_OK);
    assert_ptr_equal(block, before);
    assert_int_equal(capacity, before_capacity);
    free(block);
}

static void reserving_too_much_fails_and_keeps_the_block(void **state) {
    (void)state;
    static const struct {
        size_t needed, size;
    } CASES[] = {{SIZE_MAX, 1}, {HALF + 1, 1}, {HALF, 2}, {SIZE_MAX / 8, 16}, {(size_t)1 << 61, 1}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        size_t capacity = 0;
        Error error = {0};
        void *block = memory_grow(NULL, &capacity, 8, CASES[i].size, NULL);
        assert_int_equal(memory_has_room(&capacity, 8), STATUS_OK);
        memset(block, 'x', 8 * CASES[i].size);
        void *before = block;
        block = memory_grow(block, &capacity, CASES[i].needed, CASES[i].size, &error);
        assert_int_equal(memory_has_room(&capacity, CASES[i].needed), STATUS_NO_MEMORY);
        assert_non_null(strstr(error.message, "out of memory"));
        assert_ptr_equal(block, before);
        assert_int_equal(capacity, 8);
        assert_int_equal(((char *)block)[8 * CASES[i].size - 1], 'x');
        free(block);
    }
}

static void copied_text_ends_where_it_was_told(void **state) {
    (void)state;
    char *copy = memory_copy_text("abc\0def", 7);
    assert_non_null(copy);
    assert_memory_equal(copy, "abc\0def", 8);
    free(copy);
    copy = memory_copy_text(NULL, 0);
    assert_non_null(copy);
    assert_string_equal(copy, "");
    free(copy);
}

static void formatted_text_is_as_long_as_it_needs(void **state) {
    (void)state;
    char *text = memory_format("%0*d|%s", 5000, 7, "end");
    assert_non_null(text);
    assert_int_equal(strlen(text), 5004);
    assert_string_equal(text + 4999, "7|end");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_product_that_fits_is_given),
        cmocka_unit_test(a_product_or_sum_that_overflows_is_refused),
        cmocka_unit_test(an_allocation_is_zeroed_and_of_the_product_of_its_sizes),
        cmocka_unit_test(an_allocation_of_nothing_is_a_block_all_the_same),
        cmocka_unit_test(an_allocation_whose_size_overflows_fails),
        cmocka_unit_test(aligned_blocks_begin_on_a_cache_line),
        cmocka_unit_test(reserving_grows_and_keeps_the_elements),
        cmocka_unit_test(reserving_what_is_there_changes_nothing),
        cmocka_unit_test(reserving_too_much_fails_and_keeps_the_block),
        cmocka_unit_test(copied_text_ends_where_it_was_told),
        cmocka_unit_test(formatted_text_is_as_long_as_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
