/*
 * Neurons of mixtures of experts: how they are numbered and named, and which rows, columns or stretches of which tensor
 * they are, for every way in which experts are stored. Each tensor is blended with a ranking that resets a third of all
 * neurons, and compared with what its matrices say element by element.
 */
#include "core/checkpoint/tensor_values.h"
#include "core/fusion/neurons_tensor.h"
#include "core/fusion/settings.h"
#include "core/support/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LAYERS = 3, EXPERTS = 3, WIDTH = 4, SHARED = 2, HIDDEN = 5, DENSE = 6 };

/* Layer 0 has an MLP of its own, layers 1 and 2 have experts. */
static NeuronTable make_table(bool is_transposed) {
    NeuronTable table = {.layers = LAYERS, .counts = {4, 2, 2, 0, DENSE, DENSE, 0, 4, DENSE}};
    NeuronExperts *experts = &table.experts;
    experts->count = EXPERTS;
    experts->is_transposed = is_transposed;
    experts->counts[NEURON_GATE_UP] = is_transposed ? 2 * WIDTH : 0;
    experts->counts[NEURON_GATE] = experts->counts[NEURON_UP] = is_transposed ? 0 : WIDTH;
    experts->counts[NEURON_DOWN] = WIDTH;
    experts->shared[NEURON_GATE] = experts->shared[NEURON_UP] = experts->shared[NEURON_DOWN] = SHARED;
    experts->layers[0] = 6;
    return table;
}

enum { DENSE_LAYER = 4 + 2 + 2 + 3 * DENSE + 4, EXPERT_LAYER = 12 + 3 * (EXPERTS * WIDTH + SHARED) };

static void assert_same(const NeuronBlock *a, const NeuronBlock *b) {
    assert_true(a->layer == b->layer && a->module == b->module && a->first == b->first &&
                a->count == b->count && a->index == b->index && a->expert == b->expert);
}

static void every_neuron_has_its_block_and_its_matrix(void **state) {
    (void)state;
    NeuronTable table = make_table(false);
    uint64_t neuron = 0;
    assert_int_equal(neurons_check(&table, NULL), STATUS_OK);
    assert_int_equal(neurons_count(&table), DENSE_LAYER + 2 * EXPERT_LAYER);
    assert_int_equal(neurons_block_count(&table), 3 * 7);
    for (size_t b = 0; b < neurons_block_count(&table); b++) {
        NeuronBlock block = neurons_block(&table, b);
        assert_int_equal(block.index, b);
        assert_int_equal(block.first, neuron);
        for (size_t m = 0; m < neurons_matrix_count(&table, &block); m++) {
            NeuronBlock matrix = neurons_matrix(&table, &block, m), read;
            char name[NEURONS_NAME_SIZE];
            assert_int_equal(matrix.first, neuron);
            neurons_name_block(&matrix, name);
            assert_true(neurons_read_name(&table, name, &read));
            assert_same(&read, &matrix);
            for (uint64_t i = 0; i < matrix.count; i++, neuron++) {
                NeuronBlock located = neurons_locate(&table, neuron),
                            of = neurons_locate_matrix(&table, neuron);
                assert_same(&located, &block);
                assert_same(&of, &matrix);
            }
        }
    }
    assert_int_equal(neuron, neurons_count(&table));
    assert_int_equal(neurons_widest(&table, NEURON_DOWN), EXPERTS * WIDTH + SHARED);
    assert_int_equal(neurons_widest(&table, NEURON_Q), 4);
}

static void matrices_are_named_by_layer_expert_and_module(void **state) {
    (void)state;
    static const char *const WRONG[] = {
        "1.gate",    "1.3.gate",  "1.-1.gate",  "1.00.gate",  "0.1.gate",      "0.shared.gate",
        "1.1.q",     "1.1.",      "1..gate",    "3.0.gate",   "1.shared.q",    "1.1.gate_up",
        "1.1.gate ", "01.1.gate", "1.1.1.gate", "1.all.gate", "1.shared.gates"};
    NeuronTable table = make_table(false);
    NeuronBlock matrix;
    assert_true(neurons_read_name(&table, "2.shared.down", &matrix));
    assert_true(matrix.expert == NEURONS_SHARED && matrix.count == SHARED && matrix.layer == 2);
    assert_int_equal(matrix.first + matrix.count, neurons_count(&table)); /* down is the last module */
    assert_true(neurons_read_name(&table, "0.gate", &matrix));
    assert_true(matrix.expert == NEURONS_WHOLE && matrix.count == DENSE);
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++)
        if (neurons_read_name(&table, WRONG[i], &matrix)) fail_msg("\"%s\" was taken for a matrix", WRONG[i]);
}

/* Layer 0 as DENSE ones are, layers 1 and 3 of another kind, layers 2 and 3 with experts: four kinds of layers in all. */
static NeuronTable make_hybrid(void) {
    NeuronTable table = {.layers = 4, .counts = {4, 2, 2, 0, 7, 7, 0, 4, 7}, .kind_count = 1};
    table.kinds[0] = (NeuronKind){.counts = {[NEURON_UP] = 3, [NEURON_DOWN] = 3}, .layers = {2 | 8}};
    table.experts = (NeuronExperts){.count = 2, .layers = {4 | 8}};
    table.experts.counts[NEURON_UP] = table.experts.counts[NEURON_DOWN] = 5;
    return table;
}

static void each_layer_has_the_neurons_of_its_kind(void **state) {
    (void)state;
    static const uint64_t COUNTS[4][NEURON_MODULE_COUNT] = {{4, 2, 2, 0, 7, 7, 0, 4, 7},
                                                            {0, 0, 0, 0, 0, 3, 0, 0, 3},
                                                            {4, 2, 2, 0, 0, 10, 0, 4, 10},
                                                            {0, 0, 0, 0, 0, 10, 0, 0, 10}};
    const NeuronTable table = make_hybrid();
    uint64_t first = 0;
    size_t index = 0;
    assert_int_equal(neurons_check(&table, NULL), STATUS_OK);
    for (uint64_t layer = 0; layer < 4; layer++) {
        for (int module = 0; module < NEURON_MODULE_COUNT; module++) {
            NeuronBlock block = neurons_find_block(&table, layer, (NeuronModule)module);
            assert_int_equal(block.count, COUNTS[layer][module]);
            assert_int_equal(block.first, first);
            first += block.count;
            if (block.count == 0) continue;
            assert_int_equal(block.index, index);
            NeuronBlock again = neurons_block(&table, index++);
            assert_true(again.layer == layer && (int)again.module == module && again.first == block.first);
            again = neurons_locate(&table, block.first + block.count - 1);
            assert_true(again.layer == layer && (int)again.module == module && again.index == block.index);
        }
    }
    assert_int_equal(neurons_count(&table), first);
    assert_int_equal(neurons_block_count(&table), index);
    assert_int_equal(neurons_widest(&table, NEURON_DOWN), 10);
    assert_int_equal(neurons_widest(&table, NEURON_Q), 4);
    assert_int_equal(neurons_widest(&table, NEURON_GATE_UP), 0);
}

static void kinds_that_do_not_hold_are_refused(void **state) {
    (void)state;
    NeuronTable table = make_hybrid();
    table.kinds[0].layers[0] = 16; /* of a layer that is not there */
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table.kinds[0].layers[0] = 0; /* of none */
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table = make_hybrid();
    table.kinds[table.kind_count++] = table.kinds[0]; /* two of one layer */
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table = make_hybrid();
    table.kinds[0].counts[NEURON_UP] = UINT64_MAX;
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table = make_hybrid();
    table.kind_count = NEURONS_MOST_KINDS + 1;
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
}

static void tables_that_do_not_hold_are_refused(void **state) {
    (void)state;
    NeuronTable table = make_table(false);
    table.experts.count = UINT64_MAX / 2;
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table.experts.count = NEURONS_LARGEST;
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table = make_table(false);
    table.experts.layers[0] |= 8; /* of a layer that is not there */
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table.experts.layers[0] = 0; /* experts, and no layer of them */
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table = make_table(false);
    table.layers = MODEL_MAX_LAYERS + 1; /* which bits are for is not known */
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
}

/* ---- tensors ---- */

typedef struct Stored {
    const char *name;
    TensorRole role, part;
    int expert;
    bool is_bias, is_transposed;
    unsigned rank;
    uint64_t shape[3];
    /* what the neuron of an element is: its expert (NEURONS_WHOLE: of the slowest index), module and index */
    NeuronModule first; /* of the first half, where it is gate and up */
    bool are_rows;
} Stored;

static const Stored STORED[] = {
    {"gate of expert 1", TENSOR_EXPERT, TENSOR_GATE, 1, false, false, 2, {WIDTH, HIDDEN}, NEURON_GATE, true},
    {"down of expert 2", TENSOR_EXPERT, TENSOR_DOWN, 2, false, false, 2, {HIDDEN, WIDTH}, NEURON_DOWN, false},
    {"shared up", TENSOR_SHARED_EXPERT, TENSOR_UP, -1, false, false, 2, {SHARED, HIDDEN}, NEURON_UP, true},
    {"shared down",
     TENSOR_SHARED_EXPERT,
     TENSOR_DOWN,
     -1,
     false,
     false,
     2,
     {HIDDEN, SHARED},
     NEURON_DOWN,
     false},
    {"gate and up",
     TENSOR_EXPERT,
     TENSOR_GATE_UP,
     -1,
     false,
     false,
     3,
     {EXPERTS, 2 * WIDTH, HIDDEN},
     NEURON_GATE,
     true},
    {"down", TENSOR_EXPERT, TENSOR_DOWN, -1, false, false, 3, {EXPERTS, HIDDEN, WIDTH}, NEURON_DOWN, false},
    {"gate_up, transposed",
     TENSOR_EXPERT,
     TENSOR_GATE_UP,
     -1,
     false,
     true,
     3,
     {EXPERTS, HIDDEN, 2 * WIDTH},
     NEURON_GATE_UP,
     false},
    {"down, transposed",
     TENSOR_EXPERT,
     TENSOR_DOWN,
     -1,
     false,
     true,
     3,
     {EXPERTS, WIDTH, HIDDEN},
     NEURON_DOWN,
     true},
    {"bias of gate_up",
     TENSOR_EXPERT_BIAS,
     TENSOR_GATE_UP,
     -1,
     true,
     true,
     2,
     {EXPERTS, 2 * WIDTH},
     NEURON_GATE_UP,
     false},
    {"gate in a row",
     TENSOR_EXPERT,
     TENSOR_GATE,
     -1,
     false,
     false,
     2,
     {EXPERTS * WIDTH, HIDDEN},
     NEURON_GATE,
     true},
    {"down in a row",
     TENSOR_EXPERT,
     TENSOR_DOWN,
     -1,
     false,
     false,
     2,
     {EXPERTS * WIDTH, HIDDEN},
     NEURON_DOWN,
     true},
};

enum { MOST_ELEMENTS = EXPERTS * 2 * WIDTH * HIDDEN };

typedef struct Made {
    float values[2][MOST_ELEMENTS];
    Tensor sides[2];
    PairTensor tensor;
    size_t elements;
} Made;

static void make(const Stored *stored, Made *made) {
    made->elements = 1;
    for (unsigned i = 0; i < stored->rank; i++) made->elements *= stored->shape[i];
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < made->elements; i++)
            made->values[side][i] = (float)(i + 1) * (side == 0 ? 1.0F : -1.0F);
        Tensor *tensor = &made->sides[side];
        *tensor = (Tensor){.name = stored->name,
                           .dtype = DTYPE_F32,
                           .dtype_name = "F32",
                           .rank = stored->rank,
                           .rows = stored->shape[0],
                           .columns = made->elements / stored->shape[0],
                           .data = (const unsigned char *)made->values[side],
                           .bytes = made->elements * sizeof(float),
                           .role = stored->role,
                           .layer = 1,
                           .expert = stored->expert,
                           .part = stored->part,
                           .is_bias = stored->is_bias};
        memcpy(tensor->shape, stored->shape, sizeof stored->shape);
    }
    made->tensor = (PairTensor){.name = stored->name,
                                .base = &made->sides[0],
                                .sft = &made->sides[1],
                                .role = stored->role,
                                .layer = 1,
                                .is_fused = true};
}

/* The neuron of an element, by the layout that is meant. */
static uint64_t neuron_of(const NeuronTable *table, const Stored *stored, size_t element) {
    size_t columns = (size_t)stored->shape[stored->rank - 1], column = element % columns,
           row = element / columns;
    NeuronModule module = stored->first;
    int64_t expert = stored->role == TENSOR_SHARED_EXPERT ? NEURONS_SHARED : stored->expert;
    uint64_t index = stored->are_rows ? row : column;
    if (expert == NEURONS_WHOLE) {
        size_t rows = stored->rank == 3 ? (size_t)stored->shape[1] : stored->is_bias ? 1 : WIDTH;
        expert = (int64_t)(row / rows);
        if (stored->are_rows) index = row % rows;
    }
    if (module == NEURON_GATE && stored->part == TENSOR_GATE_UP && index >= WIDTH) {
        module = NEURON_UP;
        index -= WIDTH;
    }
    NeuronBlock block = neurons_find_block(table, 1, module);
    return neurons_of_expert(table, &block, expert).first + index;
}

static Ranking *rank_every_third(const NeuronTable *table) {
    const RankingOrigin origin = {.selector = SELECTOR_LIST};
    Ranking *ranking;
    size_t neurons = (size_t)neurons_count(table);
    uint32_t *ranks = memory_allocate(neurons, sizeof *ranks);
    assert_non_null(ranks);
    for (size_t i = 0; i < neurons; i++) ranks[i] = i % 3 == 0 ? 0 : UINT32_MAX;
    assert_int_equal(ranking_create(table, &origin, ranks, &ranking, NULL), STATUS_OK);
    free(ranks);
    return ranking;
}

static void check_blend(const NeuronTable *table, const Stored *stored, Made *made,
                        const Settings *settings) {
    Blend blend = settings_blend(settings, &made->tensor);
    float whole[MOST_ELEMENTS], written[MOST_ELEMENTS], scratch[MOST_ELEMENTS];
    size_t rows = (size_t)made->sides[1].rows, columns = (size_t)made->sides[1].columns;
    blend_rows(&blend, 0, rows, whole);
    blend_rows_as(&blend, 0, rows, DTYPE_F32, written, scratch);
    for (size_t i = 0; i < made->elements; i++) {
        float expected = made->values[neuron_of(table, stored, i) % 3 == 0 ? 0 : 1][i];
        if (whole[i] != expected || written[i] != expected)
            fail_msg("%s: element %zu is %g and %g, expected %g", stored->name, i, (double)whole[i],
                     (double)written[i], (double)expected);
    }
    /* any part of it, in two steps */
    for (size_t first = 0; first < made->elements; first += 7) {
        size_t count = made->elements - first < 11 ? made->elements - first : 11;
        blend_elements_as(&blend, first, count, DTYPE_F32, written, scratch);
        assert_memory_equal(written, whole + first, count * sizeof *written);
        size_t column = first % columns, n = columns - column < 11 ? columns - column : 11;
        blend_window(&blend, first / columns, 1, column, n, written, n);
        assert_memory_equal(written, whole + first, n * sizeof *written);
    }
    /* a product is that of what it is made of */
    float ones[MOST_ELEMENTS], sums[MOST_ELEMENTS];
    for (size_t i = 0; i < columns; i++) ones[i] = 1.0F;
    blend_multiply_vector(&blend, 0, rows, ones, sums);
    for (size_t r = 0; r < rows && columns > 1; r++) {
        float sum = 0.0F;
        for (size_t c = 0; c < columns; c++) sum += whole[r * columns + c];
        assert_true(sums[r] == sum); /* whole numbers: exact in any order */
    }
}

static void a_reset_reaches_the_elements_of_its_neurons_however_they_are_stored(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof STORED / sizeof *STORED; i++) {
        NeuronTable table = make_table(STORED[i].is_transposed);
        Ranking *ranking = rank_every_third(&table);
        Settings settings = settings_at(1.0);
        Made made;
        settings.ranking = ranking;
        settings.rho = 0.5;
        make(&STORED[i], &made);
        check_blend(&table, &STORED[i], &made, &settings);
        ranking_free(ranking);
    }
}

/* As the model cuts them: the slice has what the whole has there. */
static void a_slice_is_blended_as_its_whole(void **state) {
    (void)state;
    for (size_t i = 4; i < sizeof STORED / sizeof *STORED; i++) {
        const Stored *stored = &STORED[i];
        NeuronTable table = make_table(stored->is_transposed);
        Ranking *ranking = rank_every_third(&table);
        Settings settings = settings_at(1.0);
        Made made;
        NeuronTensor found;
        float whole[MOST_ELEMENTS], part[MOST_ELEMENTS];
        settings.ranking = ranking;
        settings.rho = 0.5;
        make(stored, &made);
        Blend blend = settings_blend(&settings, &made.tensor);
        blend_rows(&blend, 0, (size_t)made.sides[1].rows, whole);
        assert_int_equal(neurons_tensor_find(&table, &made.tensor, &found), NEURONS_FIT);
        uint64_t columns = stored->shape[stored->rank - 1], rows = found.rows > 0 ? found.rows : WIDTH;
        for (uint64_t first = 0; first < made.elements; first += rows * columns) {
            Tensor sides[2] = {tensor_values_slice(&made.sides[0], first, rows, columns),
                               tensor_values_slice(&made.sides[1], first, rows, columns)};
            PairTensor slice = made.tensor;
            slice.base = &sides[0];
            slice.sft = &sides[1];
            slice.whole = &made.tensor;
            slice.first = first;
            Blend cut = settings_blend(&settings, &slice);
            blend_rows(&cut, 0, (size_t)rows, part);
            assert_memory_equal(part, whole + first, rows * columns * sizeof *part);
        }
        ranking_free(ranking);
    }
}

static void a_tensor_of_another_number_of_neurons_does_not_fit(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof STORED / sizeof *STORED; i++) {
        NeuronTable table = make_table(STORED[i].is_transposed);
        NeuronTensor found;
        Made made;
        make(&STORED[i], &made);
        assert_int_equal(neurons_tensor_find(&table, &made.tensor, &found), NEURONS_FIT);
        made.tensor.layer = 0; /* no experts there: what is called so has no neurons */
        assert_int_equal(neurons_tensor_find(&table, &made.tensor, &found), NEURONS_NONE);
        made.tensor.layer = 1;
        for (int m = 0; m < NEURON_MODULE_COUNT; m++) {
            if (table.experts.counts[m] > 0) table.experts.counts[m]++;
            if (table.experts.shared[m] > 0) table.experts.shared[m]++;
        }
        assert_int_equal(neurons_tensor_find(&table, &made.tensor, &found), NEURONS_UNFIT);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_neuron_has_its_block_and_its_matrix),
        cmocka_unit_test(matrices_are_named_by_layer_expert_and_module),
        cmocka_unit_test(tables_that_do_not_hold_are_refused),
        cmocka_unit_test(each_layer_has_the_neurons_of_its_kind),
        cmocka_unit_test(kinds_that_do_not_hold_are_refused),
        cmocka_unit_test(a_reset_reaches_the_elements_of_its_neurons_however_they_are_stored),
        cmocka_unit_test(a_slice_is_blended_as_its_whole),
        cmocka_unit_test(a_tensor_of_another_number_of_neurons_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
