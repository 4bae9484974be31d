/*
 * attribution_experts — scores of routed experts' neurons, of targets that went down through a layer together. For
 * attribution.c, whose definitions hold, and:
 *
 *     gate, up    of expert e: Σ_s |x_j(s) · ∂z̃/∂x_j(s)| over the positions s that are routed to it
 *     down        of expert e: |weight_e(t) · x_j(t) · (W[:,j]·d)|, 0 where t is not routed to it
 */
#ifndef REJUV_CORE_ATTRIBUTION_EXPERTS_H
#define REJUV_CORE_ATTRIBUTION_EXPERTS_H

#include "core/fusion/neurons.h"
#include "core/transformer/backward.h"

typedef struct AttributionExperts {
    const Model *model;
    const NeuronTable *table;
    const Settings *settings;
    const BackwardLayer *layer; /* whose experts are not NULL */
    const BackwardSequence *sequences;
    const size_t *row_first,
        *first; /* a row's first token among the rows', a sequence's among the sequences' */
    size_t count;
    const float *directions; /* [count × hidden_size]: d at what the block gives */
    float *scores;           /* [count × neurons] */
    size_t neurons;
    MatmulScratch *scratch;
    Job *job;
} AttributionExperts;

/* Fills the scores of all neurons of the layer's routed experts. */
Status attribution_experts_score(const AttributionExperts *of, Error *error) STATUS_MUST_CHECK;

#endif
