/*
 * neuron_scores — all that is known of one neuron, from whatever was measured: one fill function for tables,
 * lists and maps.
 */
#ifndef REJUV_CORE_NEURON_SCORES_H
#define REJUV_CORE_NEURON_SCORES_H

#include "core/fusion/neurons.h"
#include "core/fusion/settings.h"
#include "core/method/attribution.h"
#include "core/method/dormancy.h"

/* What was measured, borrowed; NULL while it is not known. */
typedef struct NeuronSources {
    const NeuronTable *table; /* always there */
    const Dormancy *dormancy[SIDE_COUNT];
    const Attribution *attribution;
    const double *drift;      /* [M], as selectors_measure_drift() fills it */
    const Settings *settings; /* whose ranking and cut say what is reset; never NULL */
} NeuronSources;

/* NaN (or -1) where a figure is not known, or does not apply: dormancy is defined for the inputs of down (as
 * module down) and, per channel, of o; gradient dormancy for down. */
typedef struct NeuronScores {
    NeuronBlock block;
    NeuronBlock matrix; /* its part of the block: one expert's, or all of it */
    uint64_t index;     /* within its matrix: the row or column of the weight */
    double dormancy[SIDE_COUNT], gradient;
    double drift;             /* ‖Δ‖ of its row or column relative to base's */
    double score;             /* attribution, at the target that ranks it best */
    int64_t attribution_rank; /* its best over the targets, 0 the first */
    int64_t rank;             /* by the selector */
    int target;               /* index into the attribution's targets */
    bool is_reset;            /* at the settings */
} NeuronScores;

/* Of neuron 0 … M − 1. */
NeuronScores neuron_scores_find(const NeuronSources *sources, uint64_t neuron);

#endif
