/*
 * drift_spectrum — what `rejuv drift --spectrum` adds: columns, and members of its JSON. Only
 * command_drift.c includes this.
 *
 *     text    spectral_norm, stable_rank, effective_rank
 *     files   the same, each followed by its KEY_error; spectrum_method
 *     JSON    of each tensor also singular_values [...], the largest, noise {…} and tail {…}
 *             (core/drift/spectrum_shape.h); of the whole also spectrum {…}
 */
#ifndef REJUV_TUI_DRIFT_SPECTRUM_H
#define REJUV_TUI_DRIFT_SPECTRUM_H

#include "core/drift/spectrum.h"
#include "tui/tables/table.h"
#include "tui/tables/table_write.h"

enum { DRIFT_SPECTRUM_COLUMNS = 2 * SPECTRUM_METRIC_COUNT + 1 };

/* Writes the columns' descriptions, at most DRIFT_SPECTRUM_COLUMNS; returns how many. */
size_t drift_spectrum_columns(TableFormat format, TableColumn *columns);

/* Adds the cells of one tensor. */
void drift_spectrum_add_cells(Table *table, TableFormat format, const Spectrum *spectrum);

/* Adds singular_values to a tensor's object, and the settings to the whole; false when out of memory. */
bool drift_spectrum_add_values(cJSON *object, const Spectrum *spectrum);
bool drift_spectrum_add_settings(cJSON *tree, SpectrumSettings settings);

#endif
