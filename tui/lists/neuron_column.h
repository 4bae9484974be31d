/*
 * neuron_column — the figures of a neuron that can be listed, sorted by and mapped, one row of a table each.
 */
#ifndef REJUV_TUI_NEURON_COLUMN_H
#define REJUV_TUI_NEURON_COLUMN_H

#include "tui/session/session_neurons.h"
#include "tui/text/format.h"

typedef enum NeuronColumn {
    NEURON_COLUMN_PLACE,
    NEURON_COLUMN_BASE, /* dormancy */
    NEURON_COLUMN_SFT,
    NEURON_COLUMN_FUSED,
    NEURON_COLUMN_GRADIENT,
    NEURON_COLUMN_DRIFT,
    NEURON_COLUMN_SCORE,
    NEURON_COLUMN_RANK,
    NEURON_COLUMN_TARGET,
    NEURON_COLUMN_RESET,
    NEURON_COLUMN_COUNT
} NeuronColumn;

typedef struct NeuronColumnFacts {
    const char *key; /* of the same figure in neuron_table.h; NULL: the model's order, which it has anyway */
    const char *title;   /* head of its column */
    const char *label;   /* what it is, in full */
    bool largest_first;  /* which end is looked at first, in lists; maps pool to that end too */
    NeuronColumn mapped; /* the figure that a map shows while this one is chosen */
} NeuronColumnFacts;

const NeuronColumnFacts *neuron_column_facts(NeuronColumn column);

/* The figure; NaN where it is not known or does not apply. A place's is its number in the model, a target's
 * its index. */
double neuron_column_value(NeuronColumn column, uint64_t neuron, const NeuronScores *facts);

/* Whether there is such a figure. */
bool neuron_column_is_known(NeuronColumn column, const NeuronScores *facts);

/* What it says in a list; "·" where there is no such figure. Not for targets. */
void neuron_column_format(NeuronColumn column, const NeuronScores *facts, char text[FORMAT_SIZE]);

/* "row:position token" of a target; "·" for none. */
void neuron_column_format_target(const Session *session, int target, char *text, size_t size);

/* The dormancy score that counts while this column is chosen: its own, or that of the SFT model. */
NeuronColumn neuron_column_dormancy(NeuronColumn column);

/* "12.gate 301" */
void neuron_column_name(const NeuronScores *facts, char text[FORMAT_SIZE * 2]);

/* The scores of a layer in which neurons of that module are measured: those of the inputs of o for the
 * attention modules, else of the inputs of down. NULL while unknown; *count in any case where known. */
const double *neuron_column_scores(const Session *session, NeuronColumn dormancy, const NeuronBlock *block,
                                   size_t *count);

#endif
