/*
 * The order of neurons, which of them a filter lets pass, and the window of their map. All of it is exact.
 */
#include "tui/lists/neuron_filter.h"
#include "tui/lists/neuron_list.h"
#include "tui/lists/neuron_map.h"
#include "tui/lists/neuron_order.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { MANY = 1700000 };

static const NeuronTable TABLE = {.layers = 6, .counts = {128, 64, 64, 0, 352, 352, 0, 128, 352}};

/* ---- order ---- */

static void assert_order(const double *figures, size_t count, bool largest_first, const uint32_t *expected) {
    NeuronOrder order = {0};
    Error error;
    assert_int_equal(neuron_order_clear(&order, count, &error), STATUS_OK);
    for (size_t i = 0; i < count; i++)
        neuron_order_add(&order, (uint32_t)i, neuron_order_key(figures[i], largest_first));
    assert_true(neuron_order_sort(&order, SIZE_MAX));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(order.entries[i].neuron, expected[i]);
        assert_int_equal(neuron_order_find(&order, expected[i]), i);
    }
    assert_int_equal(neuron_order_find(&order, (uint32_t)count), count);
    neuron_order_free(&order);
}

static void figures_are_ordered_either_way_and_the_unknown_come_last(void **state) {
    (void)state;
    const double figures[] = {0.5, NAN, -2, 1e-30, 7, -0.001, INFINITY, NAN, -INFINITY};
    assert_order(figures, 9, false, (const uint32_t[]){8, 2, 5, 3, 0, 4, 6, 1, 7});
    assert_order(figures, 9, true, (const uint32_t[]){6, 4, 0, 3, 5, 2, 8, 1, 7});
}

static void equal_figures_keep_the_order_of_the_neurons(void **state) {
    (void)state;
    const double figures[] = {0, 1, -0.0, 1, 0, 1};
    assert_order(figures, 6, true, (const uint32_t[]){1, 3, 5, 0, 2, 4});
    assert_order(figures, 6, false, (const uint32_t[]){0, 2, 4, 1, 3, 5});
}

static void an_order_of_nothing_is_empty(void **state) {
    (void)state;
    assert_order(NULL, 0, true, NULL);
}

static void an_order_can_be_made_again_with_fewer_neurons(void **state) {
    (void)state;
    NeuronOrder order = {0};
    Error error;
    for (uint32_t count = 5; count > 0; count--) {
        assert_int_equal(neuron_order_clear(&order, count, &error), STATUS_OK);
        for (uint32_t i = 0; i < count; i++) neuron_order_add(&order, i, count - i);
        assert_true(neuron_order_sort(&order, SIZE_MAX));
        assert_int_equal(order.count, count);
        for (uint32_t i = 0; i < count; i++) assert_int_equal(order.entries[i].neuron, count - 1 - i);
    }
    neuron_order_free(&order);
}

/* Sorted alike, whatever the number: against qsort with the same rule for ties. */
static int compare_entries(const void *a, const void *b) {
    const NeuronEntry *left = a, *right = b;
    if (left->key != right->key) return left->key < right->key ? -1 : 1;
    return (left->neuron > right->neuron) - (left->neuron < right->neuron);
}

static void millions_of_neurons_are_sorted_as_qsort_would(void **state) {
    (void)state;
    NeuronOrder order = {0};
    Error error;
    struct timespec begin, end;
    uint32_t random = 12345;
    assert_int_equal(neuron_order_clear(&order, MANY, &error), STATUS_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        random = random * 1664525u + 1013904223u;
        neuron_order_add(&order, i, neuron_order_key((double)(random >> 12) - 500000.0, true));
    }
    NeuronEntry *expected = malloc(MANY * sizeof *expected);
    assert_non_null(expected);
    memcpy(expected, order.entries, MANY * sizeof *expected);
    (void)clock_gettime(CLOCK_MONOTONIC, &begin);
    assert_true(neuron_order_sort(&order, SIZE_MAX));
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    qsort(expected, MANY, sizeof *expected, compare_entries);
    assert_memory_equal(order.entries, expected, MANY * sizeof *expected);
    print_message("%d neurons sorted in %.1f ms\n", MANY,
                  1e3 * (double)(end.tv_sec - begin.tv_sec) + 1e-6 * (double)(end.tv_nsec - begin.tv_nsec));
    free(expected);
    neuron_order_free(&order);
}

/* A stretch at a time, and another number of them while the last is not done. */
static void sorting_may_be_interrupted_and_begun_anew(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    NeuronOrder order = {0};
    Error error;
    for (size_t most = 1; most < 4000; most = most * 3 + 1) {
        assert_int_equal(neuron_order_clear(&order, COUNT, &error), STATUS_OK);
        for (uint32_t i = 0; i < COUNT; i++) neuron_order_add(&order, i, i * 2654435761u);
        assert_int_equal(neuron_order_sort(&order, 7), false); /* given up */
        assert_int_equal(neuron_order_clear(&order, COUNT, &error), STATUS_OK);
        for (uint32_t i = 0; i < COUNT; i++) neuron_order_add(&order, i, i * 2654435761u);
        size_t calls = 1;
        while (!neuron_order_sort(&order, most)) calls++;
        assert_int_equal(calls, (3 * COUNT + most - 1) / most);
        for (size_t i = 1; i < COUNT; i++) assert_true(order.entries[i - 1].key < order.entries[i].key);
    }
    neuron_order_free(&order);
}

/* ---- filters ---- */

static void assert_place(const char *text, int64_t layer, int module, int64_t index) {
    NeuronPlace place;
    assert_true(neuron_filter_read_place(text, &place));
    assert_int_equal(place.layer, layer);
    assert_int_equal(place.module, module);
    assert_int_equal(place.index, index);
}

static void places_are_read_in_whole_and_in_part(void **state) {
    (void)state;
    assert_place("12.gate 301", 12, NEURON_GATE, 301);
    assert_place("5.k", 5, NEURON_K, NEURON_ANY);
    assert_place("12.", 12, NEURON_ANY, NEURON_ANY);
    assert_place(".d", NEURON_ANY, NEURON_DOWN, NEURON_ANY);
    assert_place("o 7", NEURON_ANY, NEURON_O, 7);
    assert_place("  301 ", NEURON_ANY, NEURON_ANY, 301);
    assert_place("layer 3, up", 3, NEURON_UP, NEURON_ANY);
}

static void what_is_no_place_is_refused(void **state) {
    (void)state;
    static const char *const TEXTS[] = {
        "",         ".",     "x",         "3.x",        "-3",
        "3.gate.1", "layer", "gates",     "9999999999", "1.five.q",
        "1.5.6.q",  "..q",   "12.gate x", "gate layer", "000000000000000000000000000000003",
        "2-",       "-",     "2--4",      "2-4-5",      "2-x.k",
        "gate-2"};
    NeuronPlace place;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
        assert_false(neuron_filter_read_place(TEXTS[i], &place));
}

static void a_place_fits_the_neurons_it_names(void **state) {
    (void)state;
    NeuronBlock block = neurons_find_block(&TABLE, 3, NEURON_DOWN);
    NeuronPlace place;
    assert_true(neuron_filter_read_place("3.down 17", &place));
    assert_true(neuron_filter_fits(&place, &block, 17));
    assert_false(neuron_filter_fits(&place, &block, 18));
    NeuronFilter filter;
    char message[160];
    assert_true(neuron_filter_read("layer 3 17", &TABLE, &filter, message, sizeof message));
    assert_true(neuron_filter_fits(&filter.place, &block, 17) &&
                !neuron_filter_fits(&filter.place, &block, 18));
    block = neurons_find_block(&TABLE, 2, NEURON_DOWN);
    assert_false(neuron_filter_fits(&place, &block, 17));
    assert_false(neuron_filter_fits(&filter.place, &block, 17));
    block = neurons_find_block(&TABLE, 3, NEURON_UP);
    assert_false(neuron_filter_fits(&place, &block, 17));
}

/* As Layers takes it; a single number is an index here, two are layers. */
static void layers_are_named_from_one_to_another(void **state) {
    (void)state;
    static const char *const TEXTS[] = {"2-4", "layer 2-4", "2-4.", "2-4.down", "2-4 down 17"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        NeuronFilter filter;
        char message[160];
        assert_true(neuron_filter_read(TEXTS[i], &TABLE, &filter, message, sizeof message));
        for (uint64_t layer = 0; layer < TABLE.layers; layer++) {
            NeuronBlock block = neurons_find_block(&TABLE, layer, NEURON_DOWN);
            assert_int_equal(neuron_filter_fits(&filter.place, &block, 17), 2 <= layer && layer <= 4);
        }
    }
}

static void a_filter_reads_what_it_describes(void **state) {
    (void)state;
    static const char *const TEXTS[] = {
        "", "3.", "down", "3.down", "3.down 17", "2-4.", "2-4.down 17 reset", "reset", "down reset dormant"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        NeuronFilter filter, again;
        char message[160], text[NEURON_FILTER_TEXT];
        assert_true(neuron_filter_read(TEXTS[i], &TABLE, &filter, message, sizeof message));
        neuron_filter_describe(&filter, text);
        assert_string_equal(text, TEXTS[i]);
        assert_true(neuron_filter_read(text, &TABLE, &again, message, sizeof message));
        assert_true(neuron_filter_equal(&filter, &again));
        assert_int_equal(neuron_filter_is_none(&filter), TEXTS[i][0] == '\0');
    }
}

static void all_takes_the_words_before_it_back(void **state) {
    (void)state;
    NeuronFilter filter;
    char message[160];
    assert_true(neuron_filter_read("3.down reset all", &TABLE, &filter, message, sizeof message));
    assert_true(neuron_filter_is_none(&filter));
}

static void a_filter_that_makes_no_sense_leaves_the_old_one(void **state) {
    (void)state;
    NeuronFilter filter = neuron_filter_none();
    char message[160];
    assert_false(neuron_filter_read("sleepy", &TABLE, &filter, message, sizeof message));
    assert_non_null(strstr(message, "found \"sleepy\""));
    assert_false(neuron_filter_read("6.down", &TABLE, &filter, message, sizeof message));
    assert_string_equal(message, "layers are 0 to 5");
    assert_false(neuron_filter_read("2-6", &TABLE, &filter, message, sizeof message));
    assert_string_equal(message, "layers are 0 to 5");
    assert_false(neuron_filter_read("4-2", &TABLE, &filter, message, sizeof message));
    assert_string_equal(message, "expected the first layer before the last: 2-4");
    assert_true(neuron_filter_is_none(&filter));
}

/* ---- thresholds ---- */

static void thresholds_step_along_the_usual_ones(void **state) {
    (void)state;
    assert_true(neuron_list_step_tau(0.025, 1) == 0.05);
    assert_true(neuron_list_step_tau(0.025, -1) == 0.01);
    assert_true(neuron_list_step_tau(0.03, 1) == 0.05);
    assert_true(neuron_list_step_tau(0.03, -1) == 0.025);
    assert_true(neuron_list_step_tau(0.025, 2) == 0.1);
    assert_true(neuron_list_step_tau(0, -1) == 0);
    assert_true(neuron_list_step_tau(1, 1) == 1);
    assert_true(neuron_list_step_tau(7, 1) == 7);
}

/* ---- the map ---- */

static void a_map_zooms_to_single_neurons_around_its_cursor(void **state) {
    (void)state;
    NeuronMap map = {.module = NEURON_DOWN};
    uint64_t first, count, neuron = neurons_find_block(&TABLE, 2, NEURON_DOWN).first + 300;
    neuron_map_go(&map, &TABLE, neuron);
    assert_int_equal(neuron_map_window(&map, &TABLE, 70, &first, &count), 70);
    assert_int_equal(count, 352);
    neuron_map_zoom(&map, &TABLE, 70, 1);
    assert_int_equal(neuron_map_window(&map, &TABLE, 70, &first, &count), 70);
    assert_int_equal(first, 176);
    assert_int_equal(count, 176);
    neuron_map_zoom(&map, &TABLE, 70, 5);
    assert_int_equal(neuron_map_window(&map, &TABLE, 70, &first, &count), 70);
    assert_int_equal(count, 70);
    assert_int_equal(first, 265);
    assert_int_equal(neuron_map_current(&map, &TABLE), neuron);
    neuron_map_zoom(&map, &TABLE, 70, -1);
    assert_int_equal(neuron_map_window(&map, &TABLE, 70, &first, &count), 70);
    assert_int_equal(count, 140);
    neuron_map_zoom(&map, &TABLE, 70, 0);
    assert_int_equal(neuron_map_window(&map, &TABLE, 70, &first, &count), 70);
    assert_int_equal(count, 352);
}

static void a_map_moves_by_cells_and_stays_inside(void **state) {
    (void)state;
    NeuronMap map = {.module = NEURON_DOWN};
    neuron_map_move(&map, &TABLE, 88, -3, 1); /* four neurons a cell */
    assert_int_equal(map.layer, 0);
    assert_int_equal(map.index, 4);
    neuron_map_move(&map, &TABLE, 88, 100, 1000);
    assert_int_equal(map.layer, 5);
    assert_int_equal(map.index, 348);
    neuron_map_move(&map, &TABLE, 88, 0, -1000);
    assert_int_equal(map.index, 0);
    neuron_map_move(&map, &TABLE, 0, 0, 1);
    assert_int_equal(map.index, 0);
}

static void a_module_of_fewer_neurons_keeps_the_cursor_inside(void **state) {
    (void)state;
    NeuronMap map = {.module = NEURON_DOWN, .layer = 1, .index = 351};
    neuron_map_turn_module(&map, &TABLE, -1);
    assert_int_equal(map.module, NEURON_O);
    assert_int_equal(map.index, 127);
    neuron_map_turn_module(&map, &TABLE, 2);
    assert_int_equal(map.module, NEURON_Q);
}

static void a_map_finds_a_place_in_either_direction(void **state) {
    (void)state;
    NeuronMap map = {.module = NEURON_DOWN};
    NeuronPlace place;
    assert_true(neuron_filter_read_place("k 5", &place));
    assert_true(neuron_map_find(&map, &TABLE, &place, 1, false));
    assert_int_equal(map.layer, 1);
    assert_true(neuron_map_find(&map, &TABLE, &place, -1, false));
    assert_int_equal(map.layer, 0);
    assert_true(neuron_map_find(&map, &TABLE, &place, 1, true));
    assert_int_equal(map.layer, 0);
    assert_int_equal(map.module, NEURON_K);
    assert_int_equal(map.index, 5);
    assert_true(neuron_filter_read_place("k 64", &place));
    assert_false(neuron_map_find(&map, &TABLE, &place, 1, false));
}

static void a_histogram_holds_every_score_that_is_known(void **state) {
    (void)state;
    const double scores[] = {0, 1e-9, 0.0011, 0.11, 0.9, 1.1, 1e6, NAN};
    double counts[4];
    neuron_map_histogram(scores, 8, counts, 4); /* a decade each */
    assert_true(counts[0] == 3 && counts[1] == 0 && counts[2] == 2 && counts[3] == 2);
    assert_int_equal(neuron_map_bin(0.025, 4), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_ordered_either_way_and_the_unknown_come_last),
        cmocka_unit_test(equal_figures_keep_the_order_of_the_neurons),
        cmocka_unit_test(an_order_of_nothing_is_empty),
        cmocka_unit_test(an_order_can_be_made_again_with_fewer_neurons),
        cmocka_unit_test(sorting_may_be_interrupted_and_begun_anew),
        cmocka_unit_test(millions_of_neurons_are_sorted_as_qsort_would),
        cmocka_unit_test(places_are_read_in_whole_and_in_part),
        cmocka_unit_test(what_is_no_place_is_refused),
        cmocka_unit_test(a_place_fits_the_neurons_it_names),
        cmocka_unit_test(layers_are_named_from_one_to_another),
        cmocka_unit_test(a_filter_reads_what_it_describes),
        cmocka_unit_test(all_takes_the_words_before_it_back),
        cmocka_unit_test(a_filter_that_makes_no_sense_leaves_the_old_one),
        cmocka_unit_test(thresholds_step_along_the_usual_ones),
        cmocka_unit_test(a_map_zooms_to_single_neurons_around_its_cursor),
        cmocka_unit_test(a_map_moves_by_cells_and_stays_inside),
        cmocka_unit_test(a_module_of_fewer_neurons_keeps_the_cursor_inside),
        cmocka_unit_test(a_map_finds_a_place_in_either_direction),
        cmocka_unit_test(a_histogram_holds_every_score_that_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
