/* The orders by dormancy that attribution is compared with, and what dormancy counts, by hand. */
#include "core/method/neuron_ranking.h"
#include "core/method/selectors.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Two layers of 2 q, 1 k, 1 v, 3 gate, 3 up, 2 o and 4 down: 32 neurons; those of down are 12 … 15 and 28 … 31. */
static const NeuronTable TABLE = {.layers = 2, .counts = {2, 1, 1, 0, 3, 3, 0, 2, 4}};
enum { NEURONS = 32, DOWN = 8 };
static const uint64_t DOWN_NEURONS[DOWN] = {12, 13, 14, 15, 28, 29, 30, 31};

static double mlp[] = {0.5, 0.1, 2.0, 0.1, 0.0, 3.0, 0.7, 0.1}, channels[] = {0.0, 2.0, 0.0, 2.0};
static double gradients[] = {0.3, 0.4, 0.2, 3.1, 0.25, 2.75, 0.9, 0.1};
static const Dormancy SFT = {.layers = 2,
                             .mlp = 4,
                             .channels = 2,
                             .response_tokens = 9,
                             .mlp_scores = mlp,
                             .channel_scores = channels,
                             .gradient_scores = gradients};

static void expect_order(Selector selector, const uint32_t expected[DOWN]) {
    const RankingOrigin origin = {.selector = selector};
    const NeuronSources sources = {.table = &TABLE, .dormancy = {[SIDE_SFT] = &SFT}};
    Ranking *ranking;
    Error error;
    assert_int_equal(neuron_ranking_create(&sources, &origin, &ranking, &error), STATUS_OK);
    assert_int_equal(ranking->origin.selector, selector);
    for (int i = 0; i < DOWN; i++) assert_int_equal(ranking->ranks[DOWN_NEURONS[i]], expected[i]);
    /* all others follow, in their own order */
    uint32_t next = DOWN;
    for (uint64_t neuron = 0; neuron < NEURONS; neuron++) {
        NeuronBlock block = neurons_locate(&TABLE, neuron);
        if (block.module != NEURON_DOWN) assert_int_equal(ranking->ranks[neuron], next++);
    }
    ranking_free(ranking);
}

static void the_most_dormant_rank_first_and_of_equals_the_lower(void **state) {
    (void)state;
    static const uint32_t DORMANCY[DOWN] = {4, 1, 6, 2, 0, 7, 5, 3},
                          GRADIENT[DOWN] = {3, 4, 1, 7, 2, 6, 5, 0};
    expect_order(SELECTOR_DORMANCY, DORMANCY);
    expect_order(SELECTOR_GRADIENT, GRADIENT);
}

static void each_selector_orders_by_its_own_scores(void **state) {
    (void)state;
    int32_t ranks[NEURONS];
    double drift[NEURONS];
    for (int i = 0; i < NEURONS; i++) {
        ranks[i] = (i * 7 + 3) % NEURONS;
        drift[i] = i;
    }
    const Attribution attribution = {.neurons = NEURONS, .best_rank = ranks};
    const NeuronSources sources = {.table = &TABLE, .attribution = &attribution, .drift = drift};
    RankingOrigin origin = {.selector = SELECTOR_ATTRIBUTION, .targets = 3};
    Ranking *ranking, *again;
    Error error;
    assert_int_equal(neuron_ranking_create(&sources, &origin, &ranking, &error), STATUS_OK);
    for (int i = 0; i < NEURONS; i++) assert_int_equal(ranking->ranks[i], ranks[i]);
    assert_int_equal(ranking->origin.targets, 3);
    ranking_free(ranking);

    origin = (RankingOrigin){.selector = SELECTOR_DRIFT};
    assert_int_equal(neuron_ranking_create(&sources, &origin, &ranking, &error), STATUS_OK);
    for (int i = 0; i < NEURONS; i++)
        assert_int_equal(ranking->ranks[i], NEURONS - 1 - i); /* largest first */
    ranking_free(ranking);

    origin = (RankingOrigin){.selector = SELECTOR_RANDOM, .seed = 5}; /* of no scores at all */
    assert_int_equal(neuron_ranking_create(&(NeuronSources){.table = &TABLE}, &origin, &ranking, &error),
                     STATUS_OK);
    assert_int_equal(ranking_create_random(&TABLE, 5, &again, &error), STATUS_OK);
    assert_int_equal(ranking->origin.selector, SELECTOR_RANDOM);
    assert_int_equal(ranking->origin.seed, 5);
    assert_memory_equal(ranking->ranks, again->ranks, NEURONS * sizeof *again->ranks);
    ranking_free(ranking);
    ranking_free(again);
}

static void what_is_not_a_number_gives_no_order_by_drift(void **state) {
    (void)state;
    double drift[NEURONS] = {[3] = NAN, [5] = 2.0}; /* 3: nothing in base to compare with */
    const NeuronSources sources = {.table = &TABLE, .drift = drift};
    const RankingOrigin origin = {.selector = SELECTOR_DRIFT};
    Ranking *ranking;
    Error error;
    assert_int_equal(neuron_ranking_create(&sources, &origin, &ranking, &error), STATUS_OK);
    assert_int_equal(ranking->ranks[5], 0);
    assert_int_equal(ranking->ranks[3], NEURONS - 1);
    ranking_free(ranking);
    drift[29] = -INFINITY; /* the second of layer 1's down */
    assert_int_equal(neuron_ranking_create(&sources, &origin, &ranking, &error), STATUS_FORMAT);
    assert_null(ranking);
    assert_non_null(strstr(error.message, "1.down: the drift of neuron 1 is not a number"));
}

static void without_a_response_there_is_no_order_by_gradient(void **state) {
    (void)state;
    Dormancy prompts = SFT;
    prompts.response_tokens = 0;
    RankingOrigin origin = {.selector = SELECTOR_GRADIENT};
    Ranking *ranking;
    Error error;
    assert_int_equal(selectors_rank_dormancy(&TABLE, &origin, &prompts, &ranking, &error), STATUS_ARGUMENT);
    assert_null(ranking);
    origin.selector = SELECTOR_DORMANCY; /* which needs none */
    assert_int_equal(selectors_rank_dormancy(&TABLE, &origin, &prompts, &ranking, &error), STATUS_OK);
    ranking_free(ranking);
}

static void a_share_is_of_the_scores_that_are_known(void **state) {
    (void)state;
    static const double SCORES[] = {0.01, NAN, 0.03, NAN, 1.0}, NONE[] = {NAN, NAN};
    assert_true(fabs(dormancy_share(SCORES, 5, 0.025) - 1.0 / 3) < 1e-15);
    assert_true(fabs(dormancy_share(SCORES, 5, 0.03) - 2.0 / 3) < 1e-15);
    assert_true(isnan(dormancy_share(NONE, 2, 0.025)));
}

static void the_last_position_of_a_row_has_no_token_to_count(void **state) {
    (void)state;
    static const int32_t IDS[6] = {1, 2, 3, 4, 5, 6};
    static const EvaluationRow ROWS[] = {
        {.ids = IDS, .count = 6, .first = 2, .end = 5}, /* 3: positions 2, 3 and 4 */
        {.ids = IDS, .count = 6, .first = 2, .end = 6}, /* 3: the same, the last being measured too */
        {.ids = IDS, .count = 6, .first = 5, .end = 6}, /* none: a prompt without a response */
        {.ids = IDS, .count = 6, .first = 3, .end = 3}, /* none */
        {.ids = NULL, .count = 0, .first = 0, .end = 0},
    };
    assert_int_equal(dormancy_count_responses(ROWS, 1), 3);
    assert_int_equal(dormancy_count_responses(ROWS, 2), 6);
    assert_int_equal(dormancy_count_responses(ROWS + 2, 3), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_dormant_rank_first_and_of_equals_the_lower),
        cmocka_unit_test(each_selector_orders_by_its_own_scores),
        cmocka_unit_test(what_is_not_a_number_gives_no_order_by_drift),
        cmocka_unit_test(without_a_response_there_is_no_order_by_gradient),
        cmocka_unit_test(a_share_is_of_the_scores_that_are_known),
        cmocka_unit_test(the_last_position_of_a_row_has_no_token_to_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
