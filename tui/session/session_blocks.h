/*
 * session_blocks — what a session knows, as the metrics of modules and layers take it (tui/tables/block_metric.h).
 */
#ifndef REJUV_TUI_SESSION_BLOCKS_H
#define REJUV_TUI_SESSION_BLOCKS_H

#include "tui/session/session_neurons.h"
#include "tui/tables/block_metric.h"

/* At the session's dials. */
BlockSources session_block_sources(const Session *session, double tau, double gradient_tau);

/* The neurons whose weight a tensor is, or all of its role in its layer (block_of_tensor()); false for one that is no module's
 * weight, or of a pair that cannot be run. */
bool session_block_of_weight(const Session *session, const PairTensor *tensor, bool pools, BlockCell *cell);

#endif
