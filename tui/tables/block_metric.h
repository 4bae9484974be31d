/*
 * block_metric — what the method says of one module of one layer, a row of a table for each figure: Layers
 * shows them, `:numbers` and `rejuv neurons` write them.
 *
 * Dormancy is defined for the inputs of down and, per attention channel, of o; gradient dormancy for those of
 * down; attribution and the reset for every module that has neurons. A mean of scores is not among the
 * figures: by their definition it is 1 in every layer.
 */
#ifndef REJUV_TUI_BLOCK_METRIC_H
#define REJUV_TUI_BLOCK_METRIC_H

#include "core/fusion/ranking.h"
#include "core/method/attribution.h"
#include "core/method/dormancy.h"
#include "tui/tables/table.h"

typedef enum BlockMetric {
    BLOCK_DORMANT_BASE,
    BLOCK_DORMANT_SFT,
    BLOCK_DORMANT_CHANGE,
    BLOCK_GRADIENT_DORMANT,
    BLOCK_ATTRIBUTION_MASS,
    BLOCK_RESET_SHARE,
    BLOCK_METRIC_COUNT
} BlockMetric;

typedef struct BlockMetricFacts {
    const char *key;   /* in JSON and CSV */
    const char *label; /* on screens */
    const char *brief; /* in a column of them, 14 columns at most */
    const char *unit;  /* of what it is a share, for the head of a map */
    const char *help;  /* exactly what is summed; τ stands for the threshold */
    bool is_change;    /* to both sides of 0 */
    bool is_live;      /* moves with the dials */
} BlockMetricFacts;

const BlockMetricFacts *block_metric_facts(BlockMetric metric);

/* What the figures are made from; NULL while it is not known. */
typedef struct BlockSources {
    const Dormancy *base, *sft;
    const Attribution *attribution;
    const Ranking *ranking;
    uint32_t cut; /* neurons of a rank below it are reset */
    double tau, gradient_tau;
} BlockSources;

/* The neurons that a tensor has, or a cell of the map: a module's; or of several, as of experts. */
enum { BLOCK_PARTS = 4 };
typedef struct BlockCell {
    NeuronBlock parts[BLOCK_PARTS]; /* of one layer, one of a module at most */
    size_t count;
} BlockCell;

/* The neurons whose weight a tensor is: of an expert's matrix that expert's, of all experts' in one tensor theirs. `pools`: it
 * stands for all tensors of its role in its layer. False for one that is no module's weight. */
bool block_of_tensor(const NeuronTable *table, const PairTensor *tensor, bool pools, BlockCell *cell);

/* How many neurons those are. */
uint64_t block_cell_neurons(const BlockCell *cell);

/* Whether a figure depends on a threshold: gradient_tau, or tau. */
bool block_metric_has_tau(BlockMetric metric);

bool block_metric_applies(BlockMetric metric, NeuronModule module);

/* Whether what it is made from is there. */
bool block_metric_is_known(BlockMetric metric, const BlockSources *sources);

/* A share, 0 … 1 (the change: -1 … 1). NaN where it does not apply or is not known. */
double block_metric_value(BlockMetric metric, const BlockSources *sources, const NeuronBlock *block);

/* The same of a cell, of those of its parts to which it applies: of a mass the sum, else the share over their neurons. The mass is
 * known of all routed experts together, of one of them it does not apply. */
bool block_metric_applies_to(BlockMetric metric, const BlockCell *cell);
double block_metric_cell(BlockMetric metric, const BlockSources *sources, const BlockCell *cell);

/* The same of a module in all layers as one: of a mass the sum, else the share over all layers' neurons. */
double block_metric_over_layers(BlockMetric metric, const BlockSources *sources, const NeuronTable *table,
                                NeuronModule module);

/* The layer in which it is largest, the first of equals, and the value there; NaN where there is none. */
double block_metric_largest(BlockMetric metric, const BlockSources *sources, const NeuronTable *table,
                            NeuronModule module, uint64_t *layer);

/* Columns of a table that hold all figures; `columns` has room for BLOCK_METRIC_COUNT. */
void block_metric_columns(TableColumn *columns);

/* Their cells, empty where there is no figure. NULL: of a tensor that is no block's weight. */
void block_metric_add_cells(Table *table, const BlockSources *sources, const BlockCell *cell);

#endif
