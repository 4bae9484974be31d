/* A gradient's norms by layer and role: what gradient_add_up() gives, of everything that there is and that there is not. */
#include "core/readiness/gradient_table.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LAYERS = 3 };

static void every_norm_is_that_of_the_sum(void **state) {
    GradientTensor tensors[] = {{NULL, TENSOR_EMBEDDING, -1, 0.5, 3.0}, {NULL, TENSOR_Q, 0, 0.25, 2.0},
                                {NULL, TENSOR_K, 0, 0.125, 1.0},        {NULL, TENSOR_Q, 2, 0.75, 4.0},
                                {NULL, TENSOR_EXPERT, 2, 0.1, 1.5},     {NULL, TENSOR_EXPERT, 2, 0.2, 2.5},
                                {NULL, TENSOR_HEAD, -1, 0.0, 1.0}};
    const Gradient gradient = {.tensors = tensors, .count = sizeof tensors / sizeof *tensors};
    GradientTable table;
    (void)state;
    assert_int_equal(gradient_table_make(&gradient, &table, NULL), STATUS_OK);
    for (int layer = GRADIENT_ALL; layer < LAYERS; layer++) {
        for (TensorRole role = 0; role <= TENSOR_ROLE_COUNT; role++) {
            GradientNorms found = gradient_table_find(&table, layer, role);
            GradientNorms expected = gradient_add_up(&gradient, layer, role);
            assert_int_equal(found.tensors, expected.tensors);
            assert_true(fabs(found.gradient - expected.gradient) <= 1e-15);
            assert_true(fabs(found.weight - expected.weight) <= 1e-15);
        }
    }
    assert_int_equal(gradient_table_find(&table, LAYERS, TENSOR_Q).tensors, 0);
    assert_int_equal(gradient_table_find(&table, -3, TENSOR_Q).tensors, 0);
    gradient_table_free(&table);
    assert_int_equal(gradient_table_find(&table, 0, TENSOR_Q).tensors, 0);
}

/* Experts share a layer and a role; a tensor that is not there has nothing. */
static void each_tensor_has_its_own(void **state) {
    PairTensor pair[4] = {0};
    GradientTensor tensors[] = {{&pair[2], TENSOR_EXPERT, 1, 0.5, 3.0},
                                {&pair[0], TENSOR_EXPERT, 1, 0.25, 2.0},
                                {&pair[1], TENSOR_Q, 1, 0.125, 1.0}};
    const Gradient gradient = {.tensors = tensors, .count = sizeof tensors / sizeof *tensors};
    GradientTable table;
    (void)state;
    assert_int_equal(gradient_table_make(&gradient, &table, NULL), STATUS_OK);
    for (size_t i = 0; i < gradient.count; i++) {
        GradientNorms found = gradient_table_tensor(&table, tensors[i].tensor);
        assert_int_equal(found.tensors, 1);
        assert_true(found.gradient == tensors[i].norm && found.weight == tensors[i].weight);
    }
    assert_int_equal(gradient_table_tensor(&table, &pair[3]).tensors, 0);
    gradient_table_free(&table);
    assert_int_equal(gradient_table_tensor(&table, &pair[0]).tensors, 0);
}

static void an_empty_gradient_has_an_empty_table(void **state) {
    const Gradient gradient = {0};
    GradientTable table;
    (void)state;
    assert_int_equal(gradient_table_make(&gradient, &table, NULL), STATUS_OK);
    assert_int_equal(gradient_table_find(&table, GRADIENT_ALL, TENSOR_ROLE_COUNT).tensors, 0);
    gradient_table_free(&table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_norm_is_that_of_the_sum),
        cmocka_unit_test(each_tensor_has_its_own),
        cmocka_unit_test(an_empty_gradient_has_an_empty_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
