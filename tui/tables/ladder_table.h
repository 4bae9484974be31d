/*
 * ladder_table — what is measured along a ladder as rows of a table: what `rejuv ladder` and `:numbers` write. A row a
 * rung, base first; with layers, also one for each layer of it.
 */
#ifndef REJUV_TUI_LADDER_TABLE_H
#define REJUV_TUI_LADDER_TABLE_H

#include "core/ladder/ladder_figures.h"
#include "tui/tables/table.h"

/* Columns rung, directory, with layers also layer (empty for the whole), and every LadderFigure by its key; a figure that
 * is not known is empty. */
Status ladder_table_create(const Ladder *ladder, const LadderFigures *figures, LadderTaus taus,
                           bool with_layers, Table **table, Error *error) STATUS_MUST_CHECK;

#endif
