#include "core/fusion/ranking.h"

#include "core/numerics/random.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const SELECTORS[SELECTOR_COUNT] = {
    [SELECTOR_ATTRIBUTION] = "attribution", [SELECTOR_DRIFT] = "drift",   [SELECTOR_DORMANCY] = "dormancy",
    [SELECTOR_GRADIENT] = "gradient",       [SELECTOR_RANDOM] = "random", [SELECTOR_LIST] = "list",
};

const char *ranking_selector_name(Selector selector) {
    return SELECTORS[selector];
}

bool ranking_find_selector(const char *name, Selector *selector) {
    for (int i = 0; i < SELECTOR_COUNT; i++) {
        *selector = (Selector)i;
        if (strcmp(SELECTORS[i], name) == 0) return true;
    }
    return false;
}

static const uint64_t LARGEST_SEED = (uint64_t)1 << 53;

void ranking_free(Ranking *ranking) {
    if (ranking == NULL) return;
    free(ranking->ranks);
    free(ranking->best);
    free(ranking);
}

static void find_best(Ranking *ranking) {
    for (size_t i = 0; i < neurons_block_count(&ranking->table); i++) {
        NeuronBlock block = neurons_block(&ranking->table, i);
        uint32_t best = UINT32_MAX;
        for (uint64_t n = 0; n < block.count; n++) {
            if (ranking->ranks[block.first + n] < best) best = ranking->ranks[block.first + n];
        }
        ranking->best[i] = best;
    }
}

Status ranking_create(const NeuronTable *table, const RankingOrigin *origin, const uint32_t *ranks,
                      Ranking **ranking, Error *error) {
    *ranking = NULL;
    Status status = neurons_check(table, error);
    if (status != STATUS_OK) return status;
    size_t neurons = (size_t)neurons_count(table);
    Ranking *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "a ranking");
    made->table = *table;
    made->origin = *origin;
    made->ranks = memory_allocate(neurons, sizeof *made->ranks);
    made->best = memory_allocate(neurons_block_count(table), sizeof *made->best);
    if (made->ranks == NULL || made->best == NULL) {
        ranking_free(made);
        return memory_fail(error, "a ranking");
    }
    memcpy(made->ranks, ranks, neurons * sizeof *ranks);
    find_best(made);
    *ranking = made;
    return STATUS_OK;
}

typedef struct Scored {
    double score;
    uint32_t neuron;
} Scored;

static int compare_scored(const void *a, const void *b) {
    const Scored *left = a, *right = b;
    if (left->score != right->score) return left->score > right->score ? -1 : 1;
    return left->neuron < right->neuron ? -1 : left->neuron > right->neuron;
}

Status ranking_create_by_score(const NeuronTable *table, const RankingOrigin *origin, const double *scores,
                               Ranking **ranking, Error *error) {
    *ranking = NULL;
    Status status = neurons_check(table, error);
    if (status != STATUS_OK) return status;
    size_t neurons = (size_t)neurons_count(table);
    Scored *order = memory_allocate(neurons, sizeof *order);
    uint32_t *ranks = memory_allocate(neurons, sizeof *ranks);
    if (order == NULL || ranks == NULL) {
        status = memory_fail(error, "a ranking");
    } else {
        for (size_t i = 0; i < neurons; i++)
            order[i] = (Scored){isnan(scores[i]) ? -INFINITY : scores[i], (uint32_t)i};
        qsort(order, neurons, sizeof *order, compare_scored);
        for (size_t i = 0; i < neurons; i++) ranks[order[i].neuron] = (uint32_t)i;
        status = ranking_create(table, origin, ranks, ranking, error);
    }
    free(ranks);
    free(order);
    return status;
}

Status ranking_create_random(const NeuronTable *table, uint64_t seed, Ranking **ranking, Error *error) {
    *ranking = NULL;
    if (seed >= LARGEST_SEED)
        return status_fail(error, STATUS_ARGUMENT, "expected a seed below 2^53, which JSON can hold");
    Status status = neurons_check(table, error);
    if (status != STATUS_OK) return status;
    size_t neurons = (size_t)neurons_count(table);
    double *scores = memory_allocate(neurons, sizeof *scores);
    if (scores == NULL) return memory_fail(error, "a ranking");
    for (size_t i = 0; i < neurons; i++) scores[i] = random_uniform(seed, i);
    const RankingOrigin origin = {.selector = SELECTOR_RANDOM, .seed = seed};
    status = ranking_create_by_score(table, &origin, scores, ranking, error);
    free(scores);
    return status;
}

uint32_t ranking_cut(const Ranking *ranking, double rho) {
    return (uint32_t)floor(rho * (double)neurons_count(&ranking->table) + 0.5);
}

uint64_t ranking_count_block(const Ranking *ranking, const NeuronBlock *block, uint32_t cut) {
    uint64_t count = 0;
    for (uint64_t i = 0; i < block->count; i++) count += ranking->ranks[block->first + i] < cut;
    return count;
}

uint64_t ranking_count(const Ranking *ranking, uint32_t cut) {
    uint64_t count = 0, neurons = neurons_count(&ranking->table);
    for (uint64_t i = 0; i < neurons; i++) count += ranking->ranks[i] < cut;
    return count;
}

static bool is_in_front(const RankingFront *front, uint64_t neuron) {
    return front->ranking != NULL && front->ranking->ranks[neuron] < front->cut;
}

/* Keeps a list in the order of ranks, and of numbers where they are equal: neurons come in that of numbers. */
static void insert_by_rank(const uint32_t *ranks, uint64_t neuron, uint64_t *neurons, size_t count,
                           size_t capacity) {
    size_t at = count < capacity ? count : capacity;
    for (; at > 0 && ranks[neurons[at - 1]] > ranks[neuron]; at--) {
        if (at < capacity) neurons[at] = neurons[at - 1];
    }
    if (at < capacity) neurons[at] = neuron;
}

uint64_t ranking_list_entering(const RankingFront *before, const RankingFront *after, uint64_t *neurons,
                               size_t capacity) {
    uint64_t entering = 0, all = after->ranking == NULL ? 0 : neurons_count(&after->ranking->table);
    for (uint64_t i = 0; i < all; i++) {
        if (!is_in_front(after, i) || is_in_front(before, i)) continue;
        insert_by_rank(after->ranking->ranks, i, neurons, (size_t)entering, capacity);
        entering++;
    }
    return entering;
}
