/*
 * The list of the neurons of a model with more of them than one call looks at: what is shown until it is in order, and
 * that it is in order then.
 */
#include "session_fixture.h"
#include "tiny_model.h"
#include "tui/lists/neuron_list.h"

static const char CONFIG[] =
    "{\"model_type\":\"llama\",\"hidden_size\":4,\"num_hidden_layers\":1,\"num_attention_heads\":1,"
    "\"num_key_value_heads\":1,\"head_dim\":4,\"intermediate_size\":100000,\"vocab_size\":5}";

enum { NEURONS = 3 * 100000 + 4 * 4 };

static Session *open_wide(void) {
    tiny_write_side("base", CONFIG, 1);
    tiny_write_side("sft", CONFIG, 2);
    char *base = scratch_path("base"), *sft = scratch_path("sft");
    Session *session = open_pair(base, sft, NULL);
    free(base);
    free(sft);
    return session;
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_list_is_put_together_over_several_calls),
        cmocka_unit_test(a_filter_looks_at_no_more_than_its_place),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
