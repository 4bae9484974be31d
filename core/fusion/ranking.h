/*
 * ranking — an order of all neurons of a model, of which a reset takes the front.
 *
 *     rank   0  0  1  0  3  1  2  7 …       one for each neuron; smaller is more deserving
 *            ▲──▲─────▲                     ρ selects the neurons of rank < n = round(ρ·M), halves up
 *
 * Ranks need not be different: with attribution a neuron's rank is its best over many targets, so that more
 * than n neurons have a rank below n. A ranking does not depend on ρ: moving ρ moves the cut. It is
 * immutable, and like a Model it outlives everything that is made with it (Settings borrow it).
 */
#ifndef REJUV_CORE_RANKING_H
#define REJUV_CORE_RANKING_H

#include "core/files/hash.h"
#include "core/fusion/neurons.h"

/* What the order was made from. */
typedef enum Selector {
    SELECTOR_ATTRIBUTION,
    SELECTOR_DRIFT,
    SELECTOR_DORMANCY,
    SELECTOR_GRADIENT,
    SELECTOR_RANDOM,
    SELECTOR_LIST, /* a list of neurons: rank 0; all others come last */
    SELECTOR_COUNT
} Selector;

/* Where a ranking comes from, for a recipe to tell: it changes no byte of an export. */
typedef struct RankingOrigin {
    Selector selector;
    uint64_t targets;                       /* attribution: how many; 0: does not apply */
    uint64_t seed;                          /* random */
    char calibration_sha256[HASH_HEX_SIZE]; /* of the rows it was measured on; "": none */
} RankingOrigin;

typedef struct Ranking {
    NeuronTable table;
    RankingOrigin origin;
    uint32_t *ranks; /* [M] */
    uint32_t *best;  /* [blocks]: the smallest rank in each, which tells whether a cut touches it */
} Ranking;

/* Copies ranks[M]. The caller frees. */
Status ranking_create(const NeuronTable *table, const RankingOrigin *origin, const uint32_t *ranks,
                      Ranking **ranking, Error *error) STATUS_MUST_CHECK;

/* Ranks by score, the largest first; ties: the lower neuron; a NaN is −∞. All ranks are
 * different. */
Status ranking_create_by_score(const NeuronTable *table, const RankingOrigin *origin, const double *scores,
                               Ranking **ranking, Error *error) STATUS_MUST_CHECK;

/* A random order, the same for the same seed (below 2^53) and table on any machine. */
Status ranking_create_random(const NeuronTable *table, uint64_t seed, Ranking **ranking,
                             Error *error) STATUS_MUST_CHECK;

void ranking_free(Ranking *ranking); /* takes NULL */

/* n = round(ρ·M), halves up: what ρ selects for one target. ρ is in [0, 1]. */
uint32_t ranking_cut(const Ranking *ranking, double rho);

/* The neurons of rank below a cut: all of them, or those of one block. */
uint64_t ranking_count(const Ranking *ranking, uint32_t cut);
uint64_t ranking_count_block(const Ranking *ranking, const NeuronBlock *block, uint32_t cut);

/* The front of a ranking: its neurons of rank below a cut; of NULL, none. */
typedef struct RankingFront {
    const Ranking *ranking;
    uint32_t cut;
} RankingFront;

/* What enters when one front takes another's place: the neurons in `after` that are not in `before` (two
 * orders of the same neurons), by their rank in `after`, equals by number. Writes the first `capacity` of
 * them and returns how many there are. With one ranking in both, those of rank in [before->cut, after->cut):
 * one pass over the ranks, no score is looked at. What leaves is the same with the two exchanged. */
uint64_t ranking_list_entering(const RankingFront *before, const RankingFront *after, uint64_t *neurons,
                               size_t capacity);

/* "attribution", "random", … */
const char *ranking_selector_name(Selector selector);
bool ranking_find_selector(const char *name, Selector *selector);

#endif
