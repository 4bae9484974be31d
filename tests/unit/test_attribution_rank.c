/* Which positions attribution explains, and which rank a neuron gets of its scores: by hand, ties above all. */
#include "core/method/attribution.h"
#include "core/method/attribution_rank.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- targets ---- */

enum { ROWS = 2, TOKENS = 5, POSITIONS = 2 * (TOKENS - 1) };

static const int32_t IDS[TOKENS] = {1, 2, 3, 4, 5};
/* positions 1 to 4 of each row; the last of a row has no next token */
static const EvaluationRow TWO_ROWS[ROWS] = {{.ids = IDS, .count = TOKENS, .first = 1, .end = TOKENS},
                                             {.ids = IDS, .count = TOKENS, .first = 1, .end = TOKENS}};

static Status try_to_choose(const double *base_entropy, const double *sft_entropy, size_t wanted,
                            AttributionTarget **targets, size_t *count, Error *error) {
    DistributionPosition base[POSITIONS] = {{0}}, sft[POSITIONS] = {{0}};
    for (int i = 0; i < POSITIONS; i++) {
        bool is_last = i % (TOKENS - 1) == TOKENS - 2;
        base[i] = (DistributionPosition){.entropy = base_entropy[i], .top = 100 + i, .next = 200 + i};
        sft[i] =
            (DistributionPosition){.entropy = sft_entropy[i], .top = 300 + i, .next = is_last ? -1 : 400 + i};
    }
    EvaluationResult of_base = {.positions = base, .count = POSITIONS};
    EvaluationResult of_sft = {.positions = sft, .count = POSITIONS};
    return attribution_choose_targets(TWO_ROWS, ROWS, &of_base, &of_sft, wanted, targets, count, error);
}

static void choose(const double *base_entropy, const double *sft_entropy, size_t wanted,
                   AttributionTarget **targets, size_t *count) {
    Error error;
    assert_int_equal(try_to_choose(base_entropy, sft_entropy, wanted, targets, count, &error), STATUS_OK);
}

static void expect_targets(const double *base, const double *sft, size_t wanted, size_t expected_count,
                           const size_t expected[][2]) {
    AttributionTarget *targets;
    size_t count;
    choose(base, sft, wanted, &targets, &count);
    assert_int_equal(count, expected_count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(targets[i].row, expected[i][0]);
        assert_int_equal(targets[i].position, expected[i][1]);
    }
    free(targets);
}

static void the_widest_gaps_come_first_whichever_model_is_surer(void **state) {
    (void)state;
    static const double BASE[POSITIONS] = {1, 5, 1, 1, 0, 1, 1, 1}, SFT[POSITIONS] = {1, 1, 1, 4, 6, 3, 1, 1};
    static const size_t EXPECTED[][2] = {{1, 1}, {0, 2}, {0, 4}, {1, 2}};
    expect_targets(BASE, SFT, 4, 4, EXPECTED);
}

static void of_equal_gaps_the_lower_row_then_the_lower_position(void **state) {
    (void)state;
    static const double BASE[POSITIONS] = {0, 0, 0, 0, 0, 0, 0, 0}, SFT[POSITIONS] = {1, 2, 1, 2, 2, 1, 2, 1};
    static const size_t EXPECTED[][2] = {{0, 2}, {0, 4}, {1, 1}, {1, 3}, {0, 1}, {0, 3}, {1, 2}, {1, 4}};
    expect_targets(BASE, SFT, POSITIONS, POSITIONS, EXPECTED);
    expect_targets(BASE, SFT, 100, POSITIONS, EXPECTED); /* no more than there are */
    expect_targets(BASE, SFT, 5, 5, EXPECTED);
}

/* Where there are enough others; chosen they would be by their place alone, which is refused. */
static void a_gap_that_is_no_number_comes_last_and_is_never_chosen(void **state) {
    (void)state;
    static const double BASE[POSITIONS] = {NAN, 0, 0, NAN, 0, 0, 0, 0},
                        SFT[POSITIONS] = {1, 1, 2, 1, 0, 3, 1, NAN};
    enum { NUMBERS = 5 };
    static const size_t EXPECTED[NUMBERS][2] = {{1, 2}, {0, 3}, {0, 2}, {1, 3}, {1, 1}};
    AttributionTarget *targets;
    size_t count;
    Error error = {0};
    expect_targets(BASE, SFT, NUMBERS, NUMBERS, EXPECTED);
    assert_int_equal(try_to_choose(BASE, SFT, NUMBERS + 1, &targets, &count, &error), STATUS_FORMAT);
    assert_null(targets);
    assert_int_equal(count, 0);
    assert_non_null(strstr(error.message, "row 0, position 1"));
}

static void the_token_is_the_rows_own_next_or_the_likeliest_of_sft_where_there_is_none(void **state) {
    (void)state;
    static const double BASE[POSITIONS] = {0}, SFT[POSITIONS] = {1, 2, 3, 4, 5, 6, 7, 8};
    AttributionTarget *targets;
    size_t count;
    choose(BASE, SFT, 2, &targets, &count);
    assert_true(targets[0].position == 4 && targets[0].token == 307); /* the end of a row: SFT's top */
    assert_true(targets[1].position == 3 && targets[1].token == 406);
    assert_true(targets[1].entropy_base == 0 && targets[1].entropy_sft == 7);
    free(targets);
}

/* ---- ranks ---- */

enum { NEURONS = 6 };

typedef struct Ranks {
    AttributionRanks ranks;
    int32_t rank[NEURONS], target[NEURONS];
    float score[NEURONS];
} Ranks;

static void rank(Ranks *ranks, const float *scores, size_t first, size_t count) {
    Job *job;
    Error error;
    assert_int_equal(job_create(2, NULL, NULL, &job, &error), STATUS_OK);
    assert_int_equal(attribution_rank(&ranks->ranks, scores, first, count, job, &error), STATUS_OK);
    job_free(job);
}

static void begin(Ranks *ranks) {
    ranks->ranks = (AttributionRanks){NEURONS, ranks->rank, ranks->target, ranks->score};
    for (int i = 0; i < NEURONS; i++) ranks->rank[i] = INT32_MAX;
}

static void the_largest_score_ranks_first_and_of_equals_the_lower_neuron(void **state) {
    (void)state;
    static const float SCORES[NEURONS] = {1, 3, 0, 3, 2, 0};
    static const int32_t EXPECTED[NEURONS] = {3, 0, 4, 1, 2, 5};
    Ranks ranks;
    begin(&ranks);
    rank(&ranks, SCORES, 0, 1);
    assert_memory_equal(ranks.rank, EXPECTED, sizeof EXPECTED);
}

static void a_neurons_rank_is_its_best_at_the_first_target_that_gave_it(void **state) {
    (void)state;
    static const float FIRST[2][NEURONS] = {{6, 5, 4, 3, 2, 1}, {6, 1, 2, 3, 4, 5}},
                       SECOND[2][NEURONS] = {{9, 1, 2, 3, 8, 7}, {1, 9, 8, 2, 3, 4}};
    static const int32_t RANKS[NEURONS] = {0, 0, 1, 3, 1, 1}, TARGETS[NEURONS] = {0, 3, 3, 0, 2, 1};
    static const float SCORES[NEURONS] = {6, 9, 8, 3, 8, 5};
    Ranks ranks;
    begin(&ranks);
    rank(&ranks, FIRST[0], 0, 2); /* targets 0 and 1 */
    rank(&ranks, SECOND[0], 2, 2);
    assert_memory_equal(ranks.rank, RANKS, sizeof RANKS);
    assert_memory_equal(ranks.target, TARGETS, sizeof TARGETS);
    assert_memory_equal(ranks.score, SCORES, sizeof SCORES);
}

static void a_score_that_is_no_number_shows_at_the_front_whatever_its_sign(void **state) {
    (void)state;
    static const float SCORES[NEURONS] = {1, -NAN, 2, INFINITY, NAN, -0.0F};
    static const int32_t EXPECTED[NEURONS] = {4, 0, 3, 2, 1, 5};
    Ranks ranks;
    begin(&ranks);
    rank(&ranks, SCORES, 0, 1);
    assert_memory_equal(ranks.rank, EXPECTED, sizeof EXPECTED);
}

static void the_cut_is_rounded_with_halves_up_and_stays_within_the_model(void **state) {
    (void)state;
    assert_int_equal(attribution_cut(100, 0.004), 0);
    assert_int_equal(attribution_cut(100, 0.005), 1);
    assert_int_equal(attribution_cut(8640, 0.01), 86);
    assert_int_equal(attribution_cut(100, 2.0), 100);
    assert_int_equal(attribution_cut(100, -1.0), 0);
    assert_int_equal(attribution_cut(100, NAN), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_widest_gaps_come_first_whichever_model_is_surer),
        cmocka_unit_test(of_equal_gaps_the_lower_row_then_the_lower_position),
        cmocka_unit_test(a_gap_that_is_no_number_comes_last_and_is_never_chosen),
        cmocka_unit_test(the_token_is_the_rows_own_next_or_the_likeliest_of_sft_where_there_is_none),
        cmocka_unit_test(the_largest_score_ranks_first_and_of_equals_the_lower_neuron),
        cmocka_unit_test(a_neurons_rank_is_its_best_at_the_first_target_that_gave_it),
        cmocka_unit_test(a_score_that_is_no_number_shows_at_the_front_whatever_its_sign),
        cmocka_unit_test(the_cut_is_rounded_with_halves_up_and_stays_within_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
