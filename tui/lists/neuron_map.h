/*
 * neuron_map — a map of layers × the neurons of one module: the part that is shown, the cursor, and pooling;
 * and the histogram of a layer's dormancy scores.
 *
 *                 first ─► count                     columns
 *     layer 0   ┌───────────────┐                ┌─────────────┐
 *           1   │  one module   │ ─────────────► │    cells    │   a cell: the end of its neurons' figures
 * that one 2   └───────────────┘                └─────────────┘   looks for (lowest dormancy, highest score
 * …), of the reset set the share
 */
#ifndef REJUV_TUI_NEURON_MAP_H
#define REJUV_TUI_NEURON_MAP_H

#include "tui/canvas/colour_scale.h"
#include "tui/lists/neuron_column.h"
#include "tui/lists/neuron_filter.h"

typedef struct NeuronMap {
    NeuronModule module;
    uint64_t layer, index; /* the cursor */
    uint64_t first, count; /* the neurons shown; 0: all of the module's */
} NeuronMap;

/* Puts the cursor on a neuron, and in the window. */
void neuron_map_go(NeuronMap *map, const NeuronTable *table, uint64_t neuron);
uint64_t neuron_map_current(const NeuronMap *map, const NeuronTable *table);

/* `step` modules on, the whole of it. */
void neuron_map_turn_module(NeuronMap *map, const NeuronTable *table, int step);

/* `cells` to the right (negative: left) where that many columns are shown; `layers` down. */
void neuron_map_move(NeuronMap *map, const NeuronTable *table, size_t columns, long layers, long cells);

/* Twice as close around the cursor, or half, or (steps = 0) everything; never closer than a cell a neuron. */
void neuron_map_zoom(NeuronMap *map, const NeuronTable *table, size_t columns, int steps);

/* To the next neuron at that place, in the order of the numbering, as view.h's find(). */
bool neuron_map_find(NeuronMap *map, const NeuronTable *table, const NeuronPlace *place, int direction,
                     bool stay);

/* The window with the cursor in it: *first and *count; returns the number of cells. */
size_t neuron_map_window(const NeuronMap *map, const NeuronTable *table, size_t columns, uint64_t *first,
                         uint64_t *count);

/* Pools a layer's part of a window into cells[columns]; NaN where nothing is known. */
void neuron_map_pool(const Session *session, NeuronColumn column, const NeuronBlock *block, uint64_t first,
                     uint64_t count, size_t columns, double *cells);

/* Which part of the model, and how it is pooled: layers [top, top + rows) of a module, neurons [first, first + count). */
typedef struct NeuronMapShape {
    NeuronColumn column;
    NeuronModule module;
    uint64_t first, count;
    size_t top, rows, columns;
} NeuronMapShape;

/* The cells on screen. They are pooled anew only when what they show has changed, and over several drawings where that is
 * much: a model of 8 billion parameters has 440 000 neurons in a module. Zero-initialise; neuron_map_free_grid() releases. */
typedef struct NeuronMapGrid {
    double *cells; /* [rows × columns] of `shape`; of rows not pooled yet as they were, or NaN */
    size_t capacity;
    bool is_set;
    NeuronMapShape shape;
    const Ranking *ranking; /* what they were pooled from */
    uint32_t cut;
    uint64_t revision;
    size_t next, left; /* rows to be pooled: the next one, and how many from there on, round and round */
} NeuronMapGrid;

/* Brings some rows up to date; *pending: there are more, for the next drawing. STATUS_NO_MEMORY. */
Status neuron_map_update(NeuronMapGrid *grid, const Session *session, const NeuronMapShape *shape,
                         bool *pending, Error *error) STATUS_MUST_CHECK;
void neuron_map_free_grid(NeuronMapGrid *grid);

/* The scale of a figure's colours, without an extent yet where that comes from the figures: dormancy from 1
 * (the average neuron) to 0, ranks from twice the cut to 0. */
ColourScale neuron_map_key(const Session *session, NeuronColumn column, bool logarithmic);

/* Counts of scores over `bins` equal steps of log10 from 0.001 to 10; what lies beyond is in the first and
 * the last. NaNs are left out. */
void neuron_map_histogram(const double *scores, size_t count, double *counts, size_t bins);

/* The bin of one score. */
size_t neuron_map_bin(double score, size_t bins);

#endif
