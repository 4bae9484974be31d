/* Which tensors a filter lets pass. */
#include "tui/lists/tensor_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const PairTensor GATE = {
    .name = "model.layers.3.mlp.gate_proj.weight", .role = TENSOR_GATE, .layer = 3};
static const PairTensor QUERY = {
    .name = "model.layers.12.self_attn.q_proj.weight", .role = TENSOR_Q, .layer = 12};
static const PairTensor HEAD = {.name = "lm_head.weight", .role = TENSOR_HEAD, .layer = -1};

static void nothing_lets_everything_pass(void **state) {
    (void)state;
    assert_true(tensor_filter_fits("", &GATE) && tensor_filter_fits("  ", &HEAD));
}

static void a_number_is_a_layer_and_two_are_a_range(void **state) {
    (void)state;
    assert_true(tensor_filter_fits("3", &GATE) && tensor_filter_fits("layer 3", &GATE));
    assert_false(tensor_filter_fits("1", &QUERY)); /* 12 is another layer */
    assert_true(tensor_filter_fits("2-4", &GATE));
    assert_false(tensor_filter_fits("4-9", &GATE));
    assert_false(tensor_filter_fits("0-99", &HEAD)); /* of no layer */
    assert_false(tensor_filter_fits("99999999999999999999", &GATE));
}

static void the_name_of_a_module_is_that_module(void **state) {
    (void)state;
    assert_true(tensor_filter_fits("q", &QUERY) && tensor_filter_fits("lm_head", &HEAD));
    assert_false(tensor_filter_fits("q", &GATE));
    assert_false(tensor_filter_fits("o", &QUERY)); /* though its name has one */
}

static void anything_else_is_a_part_of_the_name(void **state) {
    (void)state;
    assert_true(tensor_filter_fits("mlp", &GATE) && tensor_filter_fits("MODEL", &HEAD) == false);
    assert_true(tensor_filter_fits("proj.w", &QUERY));
    assert_false(tensor_filter_fits("3x", &GATE));
}

static void all_words_must_fit(void **state) {
    (void)state;
    assert_true(tensor_filter_fits("layer 3, gate", &GATE));
    assert_false(tensor_filter_fits("3 q", &GATE));
    assert_false(tensor_filter_fits("12 mlp", &QUERY));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lets_everything_pass),
        cmocka_unit_test(a_number_is_a_layer_and_two_are_a_range),
        cmocka_unit_test(the_name_of_a_module_is_that_module),
        cmocka_unit_test(anything_else_is_a_part_of_the_name),
        cmocka_unit_test(all_words_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
