#include "tui/lists/neuron_map.h"

#include "core/drift/elements.h"
#include "core/support/memory.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_headline.h"

#include <math.h>
#include <stdlib.h>

enum { NEURONS_A_CALL = 1 << 15 }; /* pooled at once: some milliseconds */

static const double HISTOGRAM_LOW = -3, HISTOGRAM_HIGH = 1; /* log10 */

/* ---- the window ---- */

static uint64_t clamp_first(uint64_t first, uint64_t count, uint64_t total) {
    return first + count > total ? total - count : first;
}

static void follow_cursor(NeuronMap *map, uint64_t total) {
    if (map->count == 0 || map->count >= total) {
        map->first = map->count = 0;
        return;
    }
    map->first = clamp_first(map->first, map->count, total);
    if (map->index < map->first) map->first = map->index;
    if (map->index >= map->first + map->count) map->first = map->index - map->count + 1;
}

void neuron_map_go(NeuronMap *map, const NeuronTable *table, uint64_t neuron) {
    NeuronBlock block = neurons_locate(table, neuron);
    if (block.module != map->module) map->first = map->count = 0;
    map->module = block.module;
    map->layer = block.layer;
    map->index = neuron - block.first;
    follow_cursor(map, neurons_widest(table, block.module));
}

uint64_t neuron_map_current(const NeuronMap *map, const NeuronTable *table) {
    return neurons_find_block(table, map->layer, map->module).first + map->index;
}

static uint64_t count_here(const NeuronMap *map, const NeuronTable *table) {
    return neurons_find_block(table, map->layer, map->module).count;
}

/* To a layer that has the module, and a neuron that there is. */
static void follow_layer(NeuronMap *map, const NeuronTable *table) {
    for (uint64_t i = 0; i < table->layers && count_here(map, table) == 0; i++)
        map->layer = (map->layer + 1) % table->layers;
    uint64_t count = count_here(map, table);
    if (map->index >= count) map->index = count > 0 ? count - 1 : 0;
}

void neuron_map_turn_module(NeuronMap *map, const NeuronTable *table, int step) {
    NeuronModule modules[NEURON_MODULE_COUNT];
    int count = (int)neurons_list_modules(table, modules), at = 0;
    if (count == 0) return;
    while (at + 1 < count && modules[at] != map->module) at++;
    NeuronModule next = modules[(at + step % count + count) % count];
    *map = (NeuronMap){.module = next, .layer = map->layer, .index = map->index};
    follow_layer(map, table);
}

size_t neuron_map_window(const NeuronMap *map, const NeuronTable *table, size_t columns, uint64_t *first,
                         uint64_t *count) {
    *first = map->first;
    *count = map->count == 0 ? neurons_widest(table, map->module) : map->count;
    return *count < columns ? (size_t)*count : columns;
}

/* The cell of the cursor. */
static size_t cell_of(const NeuronMap *map, uint64_t first, uint64_t count, size_t cells) {
    size_t cell = 0;
    uint64_t begin, size;
    for (; cell + 1 < cells; cell++) {
        elements_cell_span(first, count, cells, cell, &begin, &size);
        if (map->index < begin + size) break;
    }
    return cell;
}

void neuron_map_move(NeuronMap *map, const NeuronTable *table, size_t columns, long layers, long cells) {
    uint64_t first, count, begin, size, total = neurons_widest(table, map->module);
    size_t shown = neuron_map_window(map, table, columns, &first, &count);
    long layer = (long)map->layer + layers, last = (long)table->layers - 1;
    map->layer = (uint64_t)(layer < 0 ? 0 : layer > last ? last : layer);
    if (cells == 0 || shown == 0) {
        follow_layer(map, table);
        return;
    }
    if (shown == count) { /* single neurons: the window follows */
        long index = (long)map->index + cells;
        map->index = index < 0 ? 0 : (uint64_t)index < total ? (uint64_t)index : total - 1;
    } else {
        long cell = (long)cell_of(map, first, count, shown) + cells;
        if (cell < 0) cell = 0;
        if (cell >= (long)shown) cell = (long)shown - 1;
        elements_cell_span(first, count, shown, (size_t)cell, &begin, &size);
        map->index = begin;
    }
    if (map->index >= count_here(map, table)) follow_layer(map, table);
    follow_cursor(map, total);
}

void neuron_map_zoom(NeuronMap *map, const NeuronTable *table, size_t columns, int steps) {
    uint64_t total = neurons_widest(table, map->module), count = map->count == 0 ? total : map->count;
    if (columns == 0) return;
    for (int i = 0; i < steps; i++) count = (count + 1) / 2;
    for (int i = steps; i < 0 && count < total; i++) count *= 2;
    if (steps > 0 && count < columns) count = columns;
    if (steps == 0 || count >= total) {
        map->first = map->count = 0;
        return;
    }
    map->count = count;
    map->first = clamp_first(map->index > count / 2 ? map->index - count / 2 : 0, count, total);
}

bool neuron_map_find(NeuronMap *map, const NeuronTable *table, const NeuronPlace *place, int direction,
                     bool stay) {
    uint64_t count = neurons_count(table), here = neuron_map_current(map, table);
    for (uint64_t i = stay ? 0 : 1; i < count + (stay ? 0 : 1); i++) {
        uint64_t step = i % count, neuron = (here + (direction > 0 ? step : count - step)) % count;
        NeuronBlock matrix = neurons_locate_matrix(table, neuron);
        if (!neuron_filter_fits(place, &matrix, neuron - matrix.first)) continue;
        neuron_map_go(map, table, neuron);
        return true;
    }
    return false;
}

/* ---- pooling ---- */

void neuron_map_pool(const Session *session, NeuronColumn column, const NeuronBlock *block, uint64_t first,
                     uint64_t count, size_t columns, double *cells) {
    bool largest = neuron_column_facts(column)->largest_first, share = column == NEURON_COLUMN_RESET;
    for (size_t cell = 0; cell < columns; cell++) {
        uint64_t begin, size;
        double pooled = NAN;
        elements_cell_span(first, count, columns, cell, &begin, &size);
        for (uint64_t i = begin; i < begin + size && i < block->count; i++) {
            NeuronScores facts;
            session_neuron(session, block->first + i, &facts);
            double value = neuron_column_value(column, block->first + i, &facts);
            if (share)
                pooled = isnan(pooled) ? value : pooled + value;
            else
                pooled = largest ? fmax(pooled, value) : fmin(pooled, value); /* a NaN gives way */
        }
        cells[cell] = share ? pooled / (double)size : pooled;
    }
}

static bool is_same_shape(const NeuronMapShape *a, const NeuronMapShape *b) {
    return a->column == b->column && a->module == b->module && a->first == b->first && a->count == b->count &&
           a->top == b->top && a->rows == b->rows && a->columns == b->columns;
}

/* Rows that are there stay until the new ones take their places, where they are of the same neurons. */
static Status begin_grid(NeuronMapGrid *grid, const NeuronMapShape *shape, Error *error) {
    size_t all = shape->rows * shape->columns;
    if (grid->is_set && is_same_shape(&grid->shape, shape)) return STATUS_OK;
    grid->is_set = false;
    Status status = MEMORY_RESERVE(grid->cells, &grid->capacity, all, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < all; i++) grid->cells[i] = NAN;
    grid->shape = *shape;
    grid->is_set = true;
    grid->next = 0;
    grid->left = shape->rows;
    return STATUS_OK;
}

static void follow_figures(NeuronMapGrid *grid, const Session *session) {
    const Ranking *ranking = session_settings(session)->ranking;
    uint32_t cut = settings_cut(session_settings(session));
    uint64_t revision = session_neurons_revision(session);
    if (grid->ranking == ranking && grid->cut == cut && grid->revision == revision) return;
    grid->ranking = ranking;
    grid->cut = cut;
    grid->revision = revision;
    grid->left = grid->shape.rows; /* from where it is: a dial that is held turns all rows */
}

Status neuron_map_update(NeuronMapGrid *grid, const Session *session, const NeuronMapShape *shape,
                         bool *pending, Error *error) {
    *pending = false;
    Status status = begin_grid(grid, shape, error);
    if (status != STATUS_OK) return status;
    follow_figures(grid, session);
    for (uint64_t pooled = 0; grid->left > 0 && pooled < NEURONS_A_CALL; grid->left--) {
        NeuronBlock block =
            neurons_find_block(session_neurons(session), shape->top + grid->next, shape->module);
        neuron_map_pool(session, shape->column, &block, shape->first, shape->count, shape->columns,
                        grid->cells + grid->next * shape->columns);
        pooled += block.count < shape->count ? block.count : shape->count;
        grid->next = (grid->next + 1) % shape->rows;
    }
    *pending = grid->left > 0;
    return STATUS_OK;
}

void neuron_map_free_grid(NeuronMapGrid *grid) {
    free(grid->cells);
    *grid = (NeuronMapGrid){0};
}

ColourScale neuron_map_key(const Session *session, NeuronColumn column, bool logarithmic) {
    uint32_t cut = settings_cut(session_settings(session));
    double last = cut > 0 ? 2.0 * cut : (double)neurons_count(session_neurons(session));
    switch (column) {
    case NEURON_COLUMN_BASE:
    case NEURON_COLUMN_SFT:
    case NEURON_COLUMN_FUSED:
    case NEURON_COLUMN_GRADIENT: /* the average neuron is at 1: the busier ones do not push the silent ones away */
        return colour_scale_make_fixed(RAMP_SEQUENTIAL, 1, 0);
    case NEURON_COLUMN_RANK:
        return colour_scale_make_fixed(RAMP_SEQUENTIAL, last, 0);
    case NEURON_COLUMN_RESET:
        return colour_scale_make_fixed(RAMP_SEQUENTIAL, 0, 1);
    default:
        return colour_scale_make(RAMP_SEQUENTIAL, 0, logarithmic);
    }
}

/* ---- histogram ---- */

size_t neuron_map_bin(double score, size_t bins) {
    double place = score > 0 ? (log10(score) - HISTOGRAM_LOW) / (HISTOGRAM_HIGH - HISTOGRAM_LOW) : 0;
    if (place <= 0 || bins == 0) return 0;
    return place >= 1 ? bins - 1 : (size_t)(place * (double)bins);
}

void neuron_map_histogram(const double *scores, size_t count, double *counts, size_t bins) {
    for (size_t i = 0; i < bins; i++) counts[i] = 0;
    for (size_t i = 0; i < count && bins > 0; i++)
        if (!isnan(scores[i])) counts[neuron_map_bin(scores[i], bins)]++;
}
