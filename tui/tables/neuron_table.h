/*
 * neuron_table — neurons as rows of a table: what `:numbers` writes in Neurons, and `rejuv neurons`. One list of
 * columns for both, so that a figure has one name.
 */
#ifndef REJUV_TUI_NEURON_TABLE_H
#define REJUV_TUI_NEURON_TABLE_H

#include "core/method/neuron_scores.h"
#include "tui/tables/table.h"

/* All that is written of a neuron. */
typedef struct NeuronRow {
    NeuronScores facts;
    const AttributionTarget *target; /* that ranks it best; NULL: not known */
} NeuronRow;

/* All columns; a table has that of experts only where the model has some. */
size_t neuron_table_column_count(void);

/* The key of a column: "dormancy_base". */
const char *neuron_table_key(size_t column);

/* Whether the largest come first in a table that is sorted by it. */
bool neuron_table_largest_first(size_t column);

/* A module's is its place in the order, the shared expert's comes last; NaN where it is not known or does not apply. */
double neuron_table_value(size_t column, const NeuronRow *row);

Status neuron_table_create(const NeuronTable *of, Table **table, Error *error) STATUS_MUST_CHECK;
void neuron_table_add(const NeuronTable *of, Table *table, const NeuronRow *row);

#endif
