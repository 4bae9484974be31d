/*
 * What a reset makes of each tensor, on a pair with biases (golden/pairs/qwen2-bias) whose numbers do not
 * matter here; and that panels, rows, single elements and one-token products agree on it.
 */
#include "core/fusion/settings.h"
#include "core/numerics/random.h"
#include "core/support/memory.h"
#include "core/transformer/matmul.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static Pair *pair;
static Ranking *ranking;

enum { LAYERS = 3 };

/* Every q but the third of layer 1, every second down of layer 0, and nothing else, are of rank 0. */
static int open_all(void **state) {
    (void)state;
    Error error = {0};
    if (pair_open(TESTS_DIR "/golden/pairs/qwen2-bias/base", TESTS_DIR "/golden/pairs/qwen2-bias/sft", &pair,
                  &error) != STATUS_OK)
        return -1;
    NeuronTable table = neurons_list(&pair->sft->model);
    uint32_t *ranks = memory_allocate((size_t)neurons_count(&table), sizeof *ranks);
    if (ranks == NULL || table.layers != LAYERS) return -1;
    for (uint64_t i = 0; i < neurons_count(&table); i++) ranks[i] = UINT32_MAX;
    NeuronBlock q = neurons_find_block(&table, 1, NEURON_Q),
                down = neurons_find_block(&table, 0, NEURON_DOWN);
    for (uint64_t i = 0; i < q.count; i++) ranks[q.first + i] = i == 2 ? UINT32_MAX : 0;
    for (uint64_t i = 0; i < down.count; i += 2) ranks[down.first + i] = 0;
    const RankingOrigin origin = {.selector = SELECTOR_LIST};
    Status status = ranking_create(&table, &origin, ranks, &ranking, &error);
    free(ranks);
    return status == STATUS_OK ? 0 : -1;
}

static int close_all(void **state) {
    (void)state;
    ranking_free(ranking);
    pair_close(pair);
    return 0;
}

static Blend blend_role(const Settings *settings, TensorRole role, int layer) {
    const PairTensor *tensor = pair_find_role(pair, role, layer);
    assert_non_null(tensor);
    return settings_blend(settings, tensor);
}

static Settings reset_settings(double alpha, double omega) {
    return (Settings){.alpha = alpha, .rho = 0.01, .omega = omega, .ranking = ranking};
}

static void every_kind_has_a_name_and_every_role_but_others_and_buffers_a_kind(void **state) {
    (void)state;
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        SettingsKind found;
        assert_true(settings_find_kind(settings_kind_name((SettingsKind)i), &found));
        assert_int_equal(found, i);
    }
    Settings settings = {.alpha = 0.5};
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) settings.kinds[i] = (SettingsOwn){true, 1.0 + i};
    bool seen[SETTINGS_KIND_COUNT] = {false};
    for (int role = 0; role < TENSOR_ROLE_COUNT; role++) {
        double alpha = settings_alpha(&settings, (TensorRole)role, 0);
        bool has_none = role == TENSOR_OTHER || role == TENSOR_BUFFER || role == TENSOR_ADAPTER;
        assert_true((alpha == 0.5) == has_none);
        if (alpha >= 1.0) seen[(int)alpha - 1] = true;
        if (role == TENSOR_Q || role == TENSOR_Q_BIAS) assert_true(alpha == 1.0 + (double)SETTINGS_Q);
    }
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) assert_true(seen[i]);
}

static void a_reset_touches_rows_with_their_bias_and_columns_and_nothing_else(void **state) {
    (void)state;
    const Settings settings = reset_settings(0.6, 0.75);
    for (size_t i = 0; i < pair->count; i++) {
        const PairTensor *tensor = &pair->tensors[i];
        Blend blend = settings_blend(&settings, tensor);
        bool rows = tensor->layer == 1 && (tensor->role == TENSOR_Q || tensor->role == TENSOR_Q_BIAS);
        bool columns = tensor->layer == 0 && tensor->role == TENSOR_DOWN;
        assert_int_equal(blend.row_ranks != NULL, rows);
        assert_int_equal(blend.column_ranks != NULL, columns);
        assert_true(blend.a == 0.6);
        if (rows || columns) assert_true(blend.reset_a == (1.0 - 0.75) * 0.6);
    }
}

static void the_alpha_that_is_reset_is_the_tensors_own(void **state) {
    (void)state;
    Settings settings = reset_settings(0.6, 0.5);
    settings.kinds[SETTINGS_DOWN] = (SettingsOwn){true, 0.2};
    assert_true(blend_role(&settings, TENSOR_DOWN, 0).reset_a == 0.5 * 0.2);
}

static void nothing_is_reset_at_rho_0_or_omega_0(void **state) {
    (void)state;
    Settings settings = reset_settings(0.6, 0.0);
    assert_null(blend_role(&settings, TENSOR_Q, 1).row_ranks);
    settings = reset_settings(0.6, 1.0);
    settings.rho = 0.0;
    assert_int_equal(settings_cut(&settings), 0);
    assert_null(blend_role(&settings, TENSOR_Q, 1).row_ranks);
}

/* Also where nobody checked: no blend reads ranks that are not there. */
static void a_ranking_of_another_shape_is_refused_and_reads_nothing(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        NeuronTable table = ranking->table;
        if (i == 0) table.layers = 1;
        if (i == 1) table.layers = LAYERS + 1;
        if (i == 2) table.counts[NEURON_DOWN]--;
        Settings settings = reset_settings(0.5, 1.0);
        Ranking *other;
        Error error = {0};
        assert_int_equal(ranking_create_random(&table, 1, &other, NULL), STATUS_OK);
        settings.ranking = other;
        settings.rho = 1.0;
        assert_int_equal(settings_check(&settings, pair, &error), STATUS_MISMATCH);
        if (i == 0) assert_null(blend_role(&settings, TENSOR_Q, 1).row_ranks);
        if (i == 2) assert_null(blend_role(&settings, TENSOR_DOWN, 0).column_ranks);
        ranking_free(other);
    }
}

/* ---- the blend of a touched tensor ---- */

/* W by the definition: every element under the a of its own row or column, each alone and with one a. */
static float *blend_by_definition(const Blend *blend) {
    size_t rows = blend->sft->rows, columns = blend->sft->columns;
    float *w = memory_allocate(rows * columns, sizeof *w);
    assert_non_null(w);
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            bool reset = (blend->row_ranks != NULL && blend->row_ranks[r] < blend->cut) ||
                         (blend->column_ranks != NULL && blend->column_ranks[c] < blend->cut);
            const Blend plain = {
                .sft = blend->sft, .base = blend->base, .a = reset ? blend->reset_a : blend->a};
            blend_window(&plain, r, 1, c, 1, w + r * columns + c, columns);
        }
    }
    return w;
}

static void check_multiply(const Blend *blend, const float *w, size_t tokens) {
    size_t rows = blend->sft->rows, columns = blend->sft->columns;
    float *x = memory_allocate(tokens * columns, sizeof *x), *y = memory_allocate(tokens * rows, sizeof *y);
    MatmulScratch *scratch;
    assert_true(x != NULL && y != NULL);
    assert_int_equal(matmul_create_scratch(1, &scratch, NULL), STATUS_OK);
    for (size_t i = 0; i < tokens * columns; i++) x[i] = (float)sin((double)i);
    const MatmulOperand operand = {.blend = *blend, .x = x, .y = y};
    assert_int_equal(matmul_run(&operand, 1, tokens, scratch, NULL, NULL), STATUS_OK);
    double worst = 0.0, largest = 0.0;
    for (size_t t = 0; t < tokens; t++) {
        for (size_t r = 0; r < rows; r++) {
            double sum = 0.0;
            for (size_t c = 0; c < columns; c++)
                sum += (double)w[r * columns + c] * (double)x[t * columns + c];
            worst = fmax(worst, fabs(sum - (double)y[t * rows + r]));
            largest = fmax(largest, fabs(sum));
        }
    }
    print_message("%zu tokens: %.1e of the largest\n", tokens, worst / largest);
    assert_true(worst < 1e-6 * largest); /* observed at most 4.4e-7: float32 sums of 160 products */
    matmul_free_scratch(scratch);
    free(x);
    free(y);
}

static void check_blend(const Blend *blend) {
    size_t rows = blend->sft->rows, columns = blend->sft->columns,
           window = columns > 5 ? columns - 5 : columns;
    float *expected = blend_by_definition(blend);
    float *found = memory_allocate(rows * columns, sizeof *found),
          *scratch = memory_allocate(rows * columns, sizeof *found);
    assert_true(found != NULL && scratch != NULL);
    blend_rows(blend, 0, rows, found);
    assert_memory_equal(found, expected, rows * columns * sizeof *found);
    blend_rows_as(blend, 0, rows, DTYPE_F32, found, scratch);
    assert_memory_equal(found, expected, rows * columns * sizeof *found);
    blend_elements_as(blend, 0, rows * columns, DTYPE_F32, found, scratch);
    assert_memory_equal(found, expected, rows * columns * sizeof *found);
    size_t skip = columns - window;
    blend_window(blend, 1, rows - 1, skip, window, found, window);
    for (size_t r = 1; r < rows; r++)
        assert_memory_equal(found + (r - 1) * window, expected + r * columns + skip, window * sizeof *found);
    if (columns > 1) {
        check_multiply(blend, expected, 1);
        check_multiply(blend, expected, 5);
    }
    free(expected);
    free(found);
    free(scratch);
}

static void however_a_touched_tensor_is_asked_for_it_is_the_same(void **state) {
    (void)state;
    static const double OMEGAS[] = {0.5, 1.0}, ALPHAS[] = {0.6, 1.0};
    for (int i = 0; i < 4; i++) {
        Settings settings = reset_settings(ALPHAS[i / 2], OMEGAS[i % 2]);
        Blend q = blend_role(&settings, TENSOR_Q, 1), bias = blend_role(&settings, TENSOR_Q_BIAS, 1);
        Blend down = blend_role(&settings, TENSOR_DOWN, 0);
        assert_true(q.row_ranks != NULL && bias.row_ranks != NULL && down.column_ranks != NULL);
        check_blend(&q);
        check_blend(&bias);
        check_blend(&down);
    }
}

/* Wider than what is marked at once (8192), and with fewer rows in base than in SFT. */
static void a_tensor_of_long_rows_is_blended_in_parts_as_one(void **state) {
    (void)state;
    enum { ROWS = 3, COLUMNS = 17000 };
    static float s[ROWS * COLUMNS], b[ROWS * COLUMNS];
    static uint32_t along[COLUMNS];
    const uint32_t across[ROWS] = {0, 5, 0};
    for (size_t i = 0; i < (size_t)ROWS * COLUMNS; i++) {
        s[i] = (float)(random_uniform(1, i) - 0.5);
        b[i] = (float)(random_uniform(2, i) - 0.5);
    }
    for (size_t i = 0; i < COLUMNS; i++) along[i] = (uint32_t)(random_bits(3, i) % 10);
    Tensor sft = {.dtype = DTYPE_F32, .data = (unsigned char *)s, .rows = ROWS, .columns = COLUMNS};
    Tensor base = {.dtype = DTYPE_F32, .data = (unsigned char *)b, .rows = ROWS - 1, .columns = COLUMNS};
    for (int i = 0; i < 4; i++) {
        Blend blend = {.sft = &sft, .base = &base, .a = 0.7, .cut = 5, .reset_a = i / 2 == 0 ? 0.0 : 0.35};
        if (i % 2 == 0) blend.row_ranks = across;
        if (i % 2 == 1) blend.column_ranks = along;
        check_blend(&blend);
        Blend vector = blend; /* the same laid down as a column */
        Tensor tall = sft, short_base = base;
        tall.rows = COLUMNS;
        short_base.rows = COLUMNS - 9;
        tall.columns = short_base.columns = 1;
        vector.sft = &tall;
        vector.base = &short_base;
        vector.row_ranks = along;
        vector.column_ranks = NULL;
        check_blend(&vector);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_name_and_every_role_but_others_and_buffers_a_kind),
        cmocka_unit_test(a_reset_touches_rows_with_their_bias_and_columns_and_nothing_else),
        cmocka_unit_test(the_alpha_that_is_reset_is_the_tensors_own),
        cmocka_unit_test(nothing_is_reset_at_rho_0_or_omega_0),
        cmocka_unit_test(a_ranking_of_another_shape_is_refused_and_reads_nothing),
        cmocka_unit_test(a_tensor_of_long_rows_is_blended_in_parts_as_one),
        cmocka_unit_test(however_a_touched_tensor_is_asked_for_it_is_the_same),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
