/*
 * drift_ranks — the scans of `rejuv drift`, dealt out among ranks: each scans a stretch of the tensors, and all have the
 * whole table afterwards. Only drift_listing.c includes this.
 */
#ifndef REJUV_TUI_DRIFT_RANKS_H
#define REJUV_TUI_DRIFT_RANKS_H

#include "core/drift/drift.h"
#include "core/drift/spectrum.h"
#include "tui/commands/batch.h"

/* Fills a table of batch->pair, which is empty: dealt out by bytes. */
Status drift_ranks_scan(Batch *batch, DriftTable *table, Error *error) STATUS_MUST_CHECK;

/* The same of spectra, by operations. */
Status drift_ranks_scan_spectra(Batch *batch, SpectrumTable *table, Error *error) STATUS_MUST_CHECK;

#endif
