/*
 * selectors — the orders of neurons that attribution is compared with: by drift, by dormancy, by gradient
 * dormancy. (By chance: ranking_create_random().)
 *
 *     drift      ‖Δ‖ / ‖B‖ of the neuron's row or column of its weight (a bias is left out), largest first
 *     dormancy   s_j of the SFT model (dormancy.h), smallest first
 *     gradient   the same of ∂L/∂h
 *
 * Dormancy is defined for the inputs of down, and only those are ranked by it; all other neurons come after
 * them.
 */
#ifndef REJUV_CORE_SELECTORS_H
#define REJUV_CORE_SELECTORS_H

#include "core/fusion/ranking.h"
#include "core/method/dormancy.h"

/* Fills drift[M]; NaN for a row that base does not have or a weight that cannot be compared, −∞ where an element on either
 * side is not finite: such a neuron has no place in an order. Reports "drift of neurons". */
Status selectors_measure_drift(const Model *model, double *drift, Job *job, Error *error) STATUS_MUST_CHECK;

/* The neurons by drift[M], the largest first; those that have none come after all that are ranked. STATUS_FORMAT where one
 * is −∞. The caller frees. */
Status selectors_rank_drift(const NeuronTable *table, const RankingOrigin *origin, const double *drift,
                            Ranking **ranking, Error *error) STATUS_MUST_CHECK;

/* A ranking by origin->selector: SELECTOR_GRADIENT (the dormancy then has gradient scores), otherwise
 * dormancy. STATUS_FORMAT where a score is not a number. The caller frees. */
Status selectors_rank_dormancy(const NeuronTable *table, const RankingOrigin *origin,
                               const Dormancy *dormancy, Ranking **ranking, Error *error) STATUS_MUST_CHECK;

/* What is known of neuron `index` of a block; NaN where it is not defined. An input of down has s_j, an input
 * of o that of its attention channel; only the former has a gradient's. */
double selectors_dormancy(const Dormancy *dormancy, const NeuronBlock *block, uint64_t index);
double selectors_gradient_dormancy(const Dormancy *dormancy, const NeuronBlock *block, uint64_t index);

/* The share of a block's neurons that are dormant: of score ≤ τ, the score as above. NaN where it is not
 * defined. */
double selectors_dormant_share(const Dormancy *dormancy, const NeuronBlock *block, double tau);
double selectors_gradient_dormant_share(const Dormancy *dormancy, const NeuronBlock *block, double tau);

#endif
