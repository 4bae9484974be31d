#include "core/fusion/ranking.h"
#include "core/fusion/reset_set.h"
#include "core/support/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two layers of 2 q, 1 k, 1 v, 3 gate, 3 up, 2 o and 3 down: 30 neurons. */
static const NeuronTable TABLE = {.layers = 2, .counts = {2, 1, 1, 0, 3, 3, 0, 2, 3}};
enum { NEURONS = 30, PER_LAYER = 15 };
static const RankingOrigin LIST = {.selector = SELECTOR_LIST};

static void every_neuron_has_one_place(void **state) {
    (void)state;
    assert_int_equal(neurons_count(&TABLE), NEURONS);
    assert_int_equal(neurons_block_count(&TABLE), 14);
    uint64_t next = 0;
    for (size_t i = 0; i < neurons_block_count(&TABLE); i++) {
        NeuronBlock block = neurons_block(&TABLE, i), named;
        assert_int_equal(block.first, next);
        assert_int_equal(block.index, i);
        for (uint64_t n = block.first; n < block.first + block.count; n++) {
            NeuronBlock located = neurons_locate(&TABLE, n);
            assert_int_equal(located.index, i);
        }
        char name[NEURONS_NAME_SIZE];
        neurons_name_block(&block, name);
        assert_true(neurons_read_name(&TABLE, name, &named));
        assert_int_equal(named.index, i);
        next += block.count;
    }
    assert_int_equal(next, NEURONS);
}

static void a_block_has_one_spelling(void **state) {
    (void)state;
    NeuronBlock block;
    assert_true(neurons_read_name(&TABLE, "1.down", &block));
    assert_int_equal(block.first, PER_LAYER + 12);
    static const char *const WRONG[] = {"2.q",    "-1.q", "01.q",    "+1.q",    " 1.q",
                                        "1.q ",   "1.",   "1",       "q",       "1.Q",
                                        "1.norm", "",     "1.q.q",   "1.gates", "1. q",
                                        "1.q1",   "1 .q", "1.embed", "0x1.q",   "18446744073709551616.q"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        if (neurons_read_name(&TABLE, WRONG[i], &block)) fail_msg("\"%s\" was taken for a block", WRONG[i]);
    }
}

static void weights_and_the_biases_of_rows_belong_to_neurons(void **state) {
    (void)state;
    NeuronModule module;
    assert_true(neurons_find_role(TENSOR_K_BIAS, &module));
    assert_int_equal(module, NEURON_K);
    assert_true(neurons_find_role(TENSOR_DOWN, &module));
    assert_int_equal(module, NEURON_DOWN);
    static const TensorRole NONE[] = {TENSOR_OTHER,     TENSOR_EMBEDDING, TENSOR_HEAD,    TENSOR_O_BIAS,
                                      TENSOR_DOWN_BIAS, TENSOR_Q_NORM,    TENSOR_MLP_NORM};
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) assert_false(neurons_find_role(NONE[i], &module));
}

static void tables_without_or_with_too_many_neurons_are_refused(void **state) {
    (void)state;
    NeuronTable table = TABLE;
    assert_int_equal(neurons_check(&table, NULL), STATUS_OK);
    table.layers = NEURONS_LARGEST / PER_LAYER;
    assert_int_equal(neurons_check(&table, NULL), STATUS_OK);
    table.layers++;
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table.layers = UINT64_MAX;
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table.layers = 0;
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table = TABLE;
    table.counts[NEURON_V] = 0; /* a model whose values come out of another matrix */
    assert_int_equal(neurons_check(&table, NULL), STATUS_OK);
    memset(table.counts, 0, sizeof table.counts);
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
    table.counts[NEURON_V] = UINT64_MAX; /* a sum that would overflow */
    assert_int_equal(neurons_check(&table, NULL), STATUS_FORMAT);
}

static Ranking *rank_by_score(const double *scores) {
    Ranking *ranking;
    assert_int_equal(ranking_create_by_score(&TABLE, &LIST, scores, &ranking, NULL), STATUS_OK);
    return ranking;
}

static void a_ranking_by_score_puts_the_largest_first_and_the_lower_of_equals(void **state) {
    (void)state;
    double scores[NEURONS] = {0};
    scores[7] = 2.0;
    scores[3] = scores[20] = 5.0;
    scores[0] = NAN;
    scores[1] = -1.0;
    Ranking *ranking = rank_by_score(scores);
    assert_int_equal(ranking->ranks[3], 0);
    assert_int_equal(ranking->ranks[20], 1);
    assert_int_equal(ranking->ranks[7], 2);
    assert_int_equal(ranking->ranks[2], 3);
    assert_int_equal(ranking->ranks[1], NEURONS - 2);
    assert_int_equal(ranking->ranks[0], NEURONS - 1);
    ranking_free(ranking);
}

static void rho_selects_its_share_rounded_with_halves_up(void **state) {
    (void)state;
    double scores[NEURONS] = {0};
    Ranking *ranking = rank_by_score(scores);
    static const struct {
        double rho;
        uint32_t cut;
    } CASES[] = {{0.0, 0}, {0.016, 0}, {0.05, 2}, {0.0166666, 0}, {0.0166667, 1}, {0.5, 15}, {1.0, NEURONS}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        assert_int_equal(ranking_cut(ranking, CASES[i].rho), CASES[i].cut);
        assert_int_equal(ranking_count(ranking, CASES[i].cut), CASES[i].cut);
    }
    ranking_free(ranking);
}

/* The union over targets: equal ranks make the set larger than the cut. */
static void a_set_can_be_larger_than_its_cut(void **state) {
    (void)state;
    uint32_t ranks[NEURONS];
    for (uint32_t i = 0; i < NEURONS; i++) ranks[i] = i % PER_LAYER;
    Ranking *ranking;
    assert_int_equal(ranking_create(&TABLE, &LIST, ranks, &ranking, NULL), STATUS_OK);
    assert_int_equal(ranking_count(ranking, 3), 6);
    for (size_t i = 0; i < neurons_block_count(&TABLE); i++) {
        NeuronBlock block = neurons_block(&TABLE, i);
        uint64_t expected = block.module == NEURON_Q ? 2 : block.module == NEURON_K ? 1 : 0;
        assert_int_equal(ranking_count_block(ranking, &block, 3), expected);
        assert_int_equal(ranking->best[i], block.first % PER_LAYER);
    }
    ranking_free(ranking);
}

static void a_seed_gives_one_random_order(void **state) {
    (void)state;
    Ranking *first, *same, *other;
    assert_int_equal(ranking_create_random(&TABLE, 7, &first, NULL), STATUS_OK);
    assert_int_equal(ranking_create_random(&TABLE, 7, &same, NULL), STATUS_OK);
    assert_int_equal(ranking_create_random(&TABLE, 8, &other, NULL), STATUS_OK);
    assert_memory_equal(first->ranks, same->ranks, NEURONS * sizeof *first->ranks);
    assert_memory_not_equal(first->ranks, other->ranks, NEURONS * sizeof *first->ranks);
    for (uint32_t cut = 0; cut <= NEURONS; cut++) assert_int_equal(ranking_count(other, cut), cut);
    ranking_free(first);
    ranking_free(same);
    ranking_free(other);
    assert_int_equal(ranking_create_random(&TABLE, (uint64_t)1 << 53, &first, NULL), STATUS_ARGUMENT);
    assert_null(first);
}

static void selectors_have_names(void **state) {
    (void)state;
    for (int i = 0; i < SELECTOR_COUNT; i++) {
        Selector found;
        assert_true(ranking_find_selector(ranking_selector_name((Selector)i), &found));
        assert_int_equal(found, i);
    }
    Selector found;
    assert_false(ranking_find_selector("attributions", &found));
}

/* ---- the set as JSON ---- */

static void a_set_is_written_by_layer_and_module(void **state) {
    (void)state;
    double scores[NEURONS] = {0};
    scores[PER_LAYER + 14] = scores[PER_LAYER + 12] = scores[1] = 1.0;
    Ranking *ranking = rank_by_score(scores);
    cJSON *object = cJSON_CreateObject();
    assert_true(reset_set_add(object, ranking, 3));
    char *text = cJSON_PrintUnformatted(object);
    assert_string_equal(text,
                        "{\"neurons\":30,\"per_target\":3,\"selected\":3,"
                        "\"set\":{\"0.q\":[1],\"1.down\":[0,2]}}");
    cJSON_free(text);
    cJSON_Delete(object);
    ranking_free(ranking);
}

static Status read_set(const char *text, Ranking **ranking, Error *error) {
    cJSON *object = cJSON_Parse(text);
    assert_non_null(object);
    Status status = reset_set_read(object, "set.json", &TABLE, &LIST, ranking, error);
    cJSON_Delete(object);
    return status;
}

static void a_list_selects_what_it_names_at_every_cut(void **state) {
    (void)state;
    Ranking *ranking;
    assert_int_equal(
        read_set("{\"selected\": 2, \"set\": {\"1.k\": [0], \"0.up\": [2], \"0.q\": []}}", &ranking, NULL),
        STATUS_OK);
    for (uint32_t cut = 1; cut < NEURONS; cut++) assert_int_equal(ranking_count(ranking, cut), 2);
    assert_int_equal(ranking->ranks[9], 0);
    assert_int_equal(ranking->ranks[PER_LAYER + 2], 0);
    ranking_free(ranking);
}

static void a_list_that_does_not_fit_the_model_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *word;
    } CASES[] = {
        {"{\"selected\": 0}", "\"set\""},
        {"{\"selected\": 1, \"set\": {\"2.q\": [0]}}", "2.q"},
        {"{\"selected\": 1, \"set\": {\"0.norm\": [0]}}", "0.norm"},
        {"{\"selected\": 1, \"set\": {\"0.q\": 0}}", "0.q"},
        {"{\"selected\": 1, \"set\": {\"0.q\": [2]}}", "below 2"},
        {"{\"selected\": 1, \"set\": {\"0.q\": [-1]}}", "below 2"},
        {"{\"selected\": 1, \"set\": {\"0.q\": [0.5]}}", "below 2"},
        {"{\"selected\": 1, \"set\": {\"0.q\": [\"0\"]}}", "below 2"},
        {"{\"selected\": 2, \"set\": {\"0.q\": [1, 1]}}", "twice"},
        {"{\"selected\": 2, \"set\": {\"0.q\": [1], \"0.q\": [1]}}", "twice"},
        {"{\"selected\": 2, \"set\": {\"0.q\": [1]}}", "selected"},
        {"{\"set\": {\"0.q\": [1]}}", "selected"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        Ranking *ranking;
        Error error = {0};
        assert_int_equal(read_set(CASES[i].text, &ranking, &error), STATUS_FORMAT);
        assert_null(ranking);
        if (strstr(error.message, CASES[i].word) == NULL) fail_msg("%s: %s", CASES[i].text, error.message);
    }
}

/* Neurons 0 … 9 have the ranks 4 3 2 1 0 twice over, all others their own. */
static void what_enters_lies_between_two_cuts_of_one_order(void **state) {
    (void)state;
    uint32_t ranks[NEURONS];
    uint64_t neurons[NEURONS];
    for (uint32_t i = 0; i < NEURONS; i++) ranks[i] = i < 10 ? 4 - i % 5 : i;
    Ranking *ranking;
    assert_int_equal(ranking_create(&TABLE, &LIST, ranks, &ranking, NULL), STATUS_OK);
    const RankingFront none = {ranking, 0}, two = {ranking, 2}, four = {ranking, 4}, nothing = {NULL, 9};
    assert_int_equal(ranking_list_entering(&two, &four, neurons, NEURONS), 4);
    static const uint64_t BETWEEN[] = {2, 7, 1, 6}; /* rank 2, then 3; the lower neuron of equals first */
    assert_memory_equal(neurons, BETWEEN, sizeof BETWEEN);
    assert_int_equal(ranking_list_entering(&four, &two, neurons, NEURONS),
                     0); /* a smaller cut lets none in */
    assert_int_equal(ranking_list_entering(&two, &two, neurons, NEURONS), 0);
    assert_int_equal(ranking_list_entering(&none, &four, neurons, 3),
                     8); /* all are counted, three are named */
    static const uint64_t FIRST[] = {4, 9, 3};
    assert_memory_equal(neurons, FIRST, sizeof FIRST);
    assert_int_equal(ranking_list_entering(&none, &four, NULL, 0), 8);
    assert_int_equal(ranking_list_entering(&nothing, &two, neurons, NEURONS), 4); /* no order: no set */
    assert_int_equal(ranking_list_entering(&two, &nothing, neurons, NEURONS), 0);
    ranking_free(ranking);
}

static void what_enters_and_leaves_turns_one_set_into_the_other(void **state) {
    (void)state;
    Ranking *first, *second;
    assert_int_equal(ranking_create_random(&TABLE, 1, &first, NULL), STATUS_OK);
    assert_int_equal(ranking_create_random(&TABLE, 2, &second, NULL), STATUS_OK);
    for (uint32_t cut = 0; cut <= NEURONS; cut++) {
        const RankingFront before = {first, cut}, after = {second, NEURONS / 2};
        uint64_t entering[NEURONS], leaving[NEURONS];
        uint64_t entered = ranking_list_entering(&before, &after, entering, NEURONS);
        uint64_t left = ranking_list_entering(&after, &before, leaving, NEURONS);
        bool set[NEURONS];
        for (uint64_t i = 0; i < NEURONS; i++) set[i] = first->ranks[i] < cut;
        for (uint64_t i = 0; i < entered; i++) {
            assert_false(set[entering[i]]);
            set[entering[i]] = true;
            if (i > 0) assert_true(second->ranks[entering[i]] > second->ranks[entering[i - 1]]);
        }
        for (uint64_t i = 0; i < left; i++) {
            assert_true(set[leaving[i]]);
            set[leaving[i]] = false;
        }
        for (uint64_t i = 0; i < NEURONS; i++) assert_true(set[i] == (second->ranks[i] < NEURONS / 2));
    }
    ranking_free(first);
    ranking_free(second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_neuron_has_one_place),
        cmocka_unit_test(a_block_has_one_spelling),
        cmocka_unit_test(weights_and_the_biases_of_rows_belong_to_neurons),
        cmocka_unit_test(tables_without_or_with_too_many_neurons_are_refused),
        cmocka_unit_test(a_ranking_by_score_puts_the_largest_first_and_the_lower_of_equals),
        cmocka_unit_test(rho_selects_its_share_rounded_with_halves_up),
        cmocka_unit_test(a_set_can_be_larger_than_its_cut),
        cmocka_unit_test(what_enters_lies_between_two_cuts_of_one_order),
        cmocka_unit_test(what_enters_and_leaves_turns_one_set_into_the_other),
        cmocka_unit_test(a_seed_gives_one_random_order),
        cmocka_unit_test(selectors_have_names),
        cmocka_unit_test(a_set_is_written_by_layer_and_module),
        cmocka_unit_test(a_list_selects_what_it_names_at_every_cut),
        cmocka_unit_test(a_list_that_does_not_fit_the_model_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
