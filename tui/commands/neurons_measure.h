/*
 * neurons_measure — all that `rejuv neurons` tells, measured as far as it is known of the model: what is not is said by name,
 * and all else is told without it.
 */
#ifndef REJUV_TUI_NEURONS_MEASURE_H
#define REJUV_TUI_NEURONS_MEASURE_H

#include "core/files/json.h"
#include "tui/commands/batch_method.h"

/* Why a figure is not known; STATUS_OK: it is. */
typedef struct NeuronsUnknown {
    Error attribution, dormancy, gradient;
} NeuronsUnknown;

/* Attribution, drift, the ranking and dormancy of base, SFT and W. What is not known stays empty in *method. An order by a
 * figure that is not known is refused where it was asked for. */
Status neurons_measure(Batch *batch, BatchMethod *method, NeuronsUnknown *unknown,
                       Error *error) STATUS_MUST_CHECK;

/* Member "not_known": of each figure why, or null. False when out of memory. */
bool neurons_measure_add_unknown(cJSON *tree, const NeuronsUnknown *unknown);

/* A line for each that is not known. */
void neurons_measure_print_unknown(const NeuronsUnknown *unknown);

#endif
