/*
 * neuron_ranking — the order that a selector gives, from what was measured: the one place that knows what each selector
 * goes by.
 *
 *     attribution          the best rank over the targets       measured on rows
 *     drift                ‖Δ‖ / ‖B‖ of the neuron              of the weights alone
 *     dormancy, gradient   s_j of SFT, smallest first           measured on rows
 *     random               a seed                               nothing is measured
 */
#ifndef REJUV_CORE_NEURON_RANKING_H
#define REJUV_CORE_NEURON_RANKING_H

#include "core/fusion/ranking.h"
#include "core/method/neuron_scores.h"

/* Whether what it goes by is measured on calibration rows. */
bool neuron_ranking_needs_rows(Selector selector);

/* Where such an order comes from, of the figures that apply to the selector. */
RankingOrigin neuron_ranking_origin(Selector selector, size_t targets, uint64_t seed,
                                    const char *calibration_sha256);

/* The order of origin->selector; what it goes by is there. STATUS_FORMAT where a score is not a number. The caller
 * frees. */
Status neuron_ranking_create(const NeuronSources *sources, const RankingOrigin *origin, Ranking **ranking,
                             Error *error) STATUS_MUST_CHECK;

#endif
