/*
 * golden_ranking — the reset of a golden pair as Settings: ranks from golden/method/PAIR/best_rank.i32.
 */
#ifndef REJUV_TESTS_GOLDEN_RANKING_H
#define REJUV_TESTS_GOLDEN_RANKING_H

#include "core/fusion/ranking.h"
#include "tests/golden/golden.h"

/* The caller frees. */
static inline Ranking *golden_read_ranking(const char *name, const ModelConfig *config) {
    size_t bytes;
    uint32_t *ranks = golden_read_bytes("golden/method/%s/%s", name, "best_rank.i32", &bytes);
    NeuronTable table = neurons_list(config);
    assert_int_equal(bytes, neurons_count(&table) * sizeof *ranks);
    const RankingOrigin origin = {.selector = SELECTOR_ATTRIBUTION, .targets = 32};
    Ranking *ranking;
    Error error = {0};
    if (ranking_create(&table, &origin, ranks, &ranking, &error) != STATUS_OK) fail_msg("%s", error.message);
    free(ranks);
    return ranking;
}

#endif
