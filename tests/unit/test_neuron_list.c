/*
 * The list and the map of the neurons of a model with more of them than one call looks at: what is shown until they are in
 * order, and that they are then.
 */
#include "session_fixture.h"
#include "tiny_model.h"
#include "tui/lists/neuron_list.h"
#include "tui/lists/neuron_map.h"
#include "tui/session/session_dials.h"

static const char CONFIG[] =
    "{\"model_type\":\"llama\",\"hidden_size\":4,\"num_hidden_layers\":1,\"num_attention_heads\":1,"
    "\"num_key_value_heads\":1,\"head_dim\":4,\"intermediate_size\":100000,\"vocab_size\":5}";

enum { NEURONS = 3 * 100000 + 4 * 4 };

static const char LAYERED[] =
    "{\"model_type\":\"llama\",\"hidden_size\":4,\"num_hidden_layers\":5,\"num_attention_heads\":1,"
    "\"num_key_value_heads\":1,\"head_dim\":4,\"intermediate_size\":40000,\"vocab_size\":5}";

static Session *open_config(const char *config) {
    tiny_write_side("base", config, 1);
    tiny_write_side("sft", config, 2);
    char *base = scratch_path("base"), *sft = scratch_path("sft");
    Session *session = open_pair(base, sft, NULL);
    free(base);
    free(sft);
    return session;
}

static Session *open_wide(void) {
    return open_config(CONFIG);
}

static bool has_neurons(const Session *session) {
    return session_neurons(session) != NULL;
}

/* Calls until it is done; returns how many. */
static size_t update_all(NeuronList *list, const Session *session) {
    size_t calls = 0;
    Error error = {0};
    for (bool pending = true; pending; calls++) {
        if (neuron_list_update(list, session, &pending, &error) != STATUS_OK) fail_msg("%s", error.message);
        assert_true(calls < 1000);
    }
    return calls;
}

static void a_large_list_is_put_together_over_several_calls(void **state) {
    (void)state;
    Session *session = open_wide();
    wait_for(session, "the neurons", has_neurons);
    NeuronList list = neuron_list_make();
    Error error;
    bool pending;
    assert_int_equal(neurons_count(session_neurons(session)), NEURONS);
    list.column = NEURON_COLUMN_PLACE;
    assert_int_equal(neuron_list_update(&list, session, &pending, &error), STATUS_OK);
    assert_true(pending);
    assert_int_equal(list.order.count, 0); /* nothing was there before */
    assert_true(update_all(&list, session) > 2);
    assert_int_equal(list.order.count, NEURONS);
    for (size_t i = 0; i < NEURONS; i++) assert_int_equal(list.order.entries[i].neuron, i);
    assert_int_equal(update_all(&list, session), 1); /* nothing has changed */

    /* the list before it stays on screen, and a change of mind begins anew */
    list.list.cursor = 7;
    list.reversed = true;
    assert_int_equal(neuron_list_update(&list, session, &pending, &error), STATUS_OK);
    assert_true(pending);
    assert_int_equal(list.order.entries[7].neuron, 7);
    list.reversed = false;
    assert_int_equal(update_all(&list, session), 1);
    assert_int_equal(list.list.cursor, 7);
    list.reversed = true;
    assert_true(update_all(&list, session) > 2);
    for (size_t i = 0; i < NEURONS; i++) assert_int_equal(list.order.entries[i].neuron, NEURONS - 1 - i);
    assert_int_equal(list.list.cursor, 0); /* another order: from the top */
    neuron_list_free(&list);
    session_free(session);
}

/* A filter that few pass takes fewer calls, and keeps the cursor's neuron where only figures changed. */
static void a_filter_looks_at_no_more_than_its_place(void **state) {
    (void)state;
    Session *session = open_wide();
    wait_for(session, "the neurons", has_neurons);
    NeuronList list = neuron_list_make();
    list.column = NEURON_COLUMN_PLACE;
    assert_true(neuron_filter_read_place("0.k", &list.filter.place));
    assert_int_equal(update_all(&list, session), 1);
    assert_int_equal(list.order.count, 4);
    list.list.cursor = 2;
    neuron_list_forget(&list);
    assert_int_equal(update_all(&list, session), 1);
    assert_int_equal(list.list.cursor, 2);
    neuron_list_free(&list);
    session_free(session);
}

/* ---- the map ---- */

enum { CELLS = 30 };

static void must_be_pooled(const NeuronMapGrid *grid, const Session *session) {
    const NeuronMapShape *shape = &grid->shape;
    double row[CELLS];
    for (size_t i = 0; i < shape->rows; i++) {
        NeuronBlock block = neurons_find_block(session_neurons(session), shape->top + i, shape->module);
        neuron_map_pool(session, shape->column, &block, shape->first, shape->count, CELLS, row);
        assert_memory_equal(grid->cells + i * CELLS, row, sizeof row);
    }
}

static size_t update_grid(NeuronMapGrid *grid, const Session *session, const NeuronMapShape *shape) {
    size_t calls = 0;
    Error error = {0};
    for (bool pending = true; pending; calls++) {
        if (neuron_map_update(grid, session, shape, &pending, &error) != STATUS_OK)
            fail_msg("%s", error.message);
        assert_true(calls < 1000);
    }
    return calls;
}

static bool drift_is_known(const Session *session) {
    NeuronScores facts;
    session_neuron(session, 0, &facts);
    return !isnan(facts.drift);
}

static void a_map_is_pooled_over_several_drawings_and_only_when_it_has_changed(void **state) {
    (void)state;
    Session *session = open_config(LAYERED);
    NeuronMapGrid grid = {0};
    NeuronMapShape shape = {
        .column = NEURON_COLUMN_PLACE, .module = NEURON_DOWN, .count = 40000, .rows = 5, .columns = CELLS};
    bool pending;
    Error error;
    wait_for(session, "the neurons", has_neurons);
    assert_int_equal(neuron_map_update(&grid, session, &shape, &pending, &error), STATUS_OK);
    assert_true(pending && !isnan(grid.cells[0]) &&
                isnan(grid.cells[4 * CELLS])); /* the last rows: not yet */
    assert_true(update_grid(&grid, session, &shape) >= 1);
    must_be_pooled(&grid, session);
    assert_int_equal(update_grid(&grid, session, &shape), 1);
    grid.cells[0] = -1.0; /* nothing has changed, so nothing is pooled */
    assert_int_equal(update_grid(&grid, session, &shape), 1);
    assert_true(grid.cells[0] == -1.0);
    shape.column = NEURON_COLUMN_DRIFT; /* another figure */
    assert_true(update_grid(&grid, session, &shape) > 1);
    must_be_pooled(&grid, session);
    assert_true(isnan(grid.cells[0]) != 0);
    session_set_selector(session, SELECTOR_DRIFT);
    wait_for(session, "drift of neurons", drift_is_known);
    assert_true(update_grid(&grid, session, &shape) > 1); /* which is known now */
    must_be_pooled(&grid, session);
    assert_true(!isnan(grid.cells[0]));
    settle(session);
    (void)update_grid(&grid, session, &shape);
    shape.column = NEURON_COLUMN_RESET;
    (void)update_grid(&grid, session, &shape);
    session_set_rho(session, 0.1);
    settle(session);
    assert_true(update_grid(&grid, session, &shape) > 1); /* the dial's cut */
    must_be_pooled(&grid, session);
    session_set_rho(session,
                    0.2); /* row by row, the old ones staying, all of them in turn while it is turned */
    settle(session);
    for (int i = 0; i < 5; i++) {
        session_set_rho(session, 0.2 + 0.01 * i);
        assert_int_equal(neuron_map_update(&grid, session, &shape, &pending, &error), STATUS_OK);
    }
    for (size_t i = 0; i < 5 * CELLS; i++) assert_true(!isnan(grid.cells[i]));
    (void)update_grid(&grid, session, &shape);
    must_be_pooled(&grid, session);
    neuron_map_free_grid(&grid);
    session_free(session);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_list_is_put_together_over_several_calls),
        cmocka_unit_test(a_filter_looks_at_no_more_than_its_place),
        cmocka_unit_test(a_map_is_pooled_over_several_drawings_and_only_when_it_has_changed),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
