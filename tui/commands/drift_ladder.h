/*
 * drift_ladder — `rejuv drift BASE A B C`: each rung against base, then each against the one before.
 *
 *     ladder_check ──► pair by pair: open, scan, list, close ──┬──► JSON, an object a comparison
 *                                                              ├──► CSV, lines of all of them
 *                                                              └──► text: one metric, a column a comparison
 *
 * Only command_drift.c includes this.
 */
#ifndef REJUV_TUI_DRIFT_LADDER_H
#define REJUV_TUI_DRIFT_LADDER_H

#include "tui/commands/batch.h"
#include "tui/commands/drift_listing.h"

/* Base and rungs are the operands; `listing` says how lines are written, `order` (or NULL: that of the files) in which
 * order. A rung that does not fit is refused by its number before anything is measured. */
Status drift_ladder_run(Batch *batch, const DriftListing *listing, const DriftOrder *order,
                        Error *error) STATUS_MUST_CHECK;

#endif
