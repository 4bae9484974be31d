#include "core/support/memory.h"
#include "tui/app/view.h"
#include "tui/canvas/heat_map.h"
#include "tui/keys/key_text.h"
#include "views/neurons/neurons_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { LABEL_COLUMNS = 6 };

static NeuronColumn mapped(const Neurons *neurons) {
    return neuron_column_facts(neurons->list.column)->mapped;
}

/* "down  lowest of 5 neurons a cell". */
static void draw_head(const Neurons *neurons, const Session *session, Canvas *canvas, Rect head,
                      const ColourScale *key, uint64_t first, uint64_t count, size_t cells) {
    const NeuronColumnFacts *facts = neuron_column_facts(mapped(neurons));
    uint64_t total = neurons_widest(session_neurons(session), neurons->map.module);
    char pooled[64] = "a neuron a cell";
    const char *what = mapped(neurons) == NEURON_COLUMN_RESET ? "share"
                       : facts->largest_first                 ? "highest"
                                                              : "lowest";
    if (cells < count)
        (void)snprintf(pooled, sizeof pooled, "%s of %" PRIu64 " a cell", what,
                       (count + (uint64_t)cells - 1) / (uint64_t)cells);
    head.columns -= colour_scale_draw(canvas, head, key) + 2;
    int column = canvas_write(canvas, head, 0, 0, ROLE_TITLE, neurons_module_name(neurons->map.module));
    if (count < total)
        column = canvas_print(canvas, head, 0, column + 1, ROLE_DIM, "%" PRIu64 "–%" PRIu64 " of %" PRIu64,
                              first, first + count - 1, total);
    column = canvas_write(canvas, head, 0, column + 2, ROLE_TEXT, facts->label);
    (void)canvas_write(canvas, head, 0, column + 2, ROLE_DIM, pooled);
}

/* The neuron at the cursor, and what is known of it. */
static void draw_cursor(const Neurons *neurons, const Session *session, Canvas *canvas, Rect row) {
    NeuronScores facts;
    char name[FORMAT_SIZE * 2], figure[FORMAT_SIZE];
    session_neuron(session, neuron_map_current(&neurons->map, session_neurons(session)), &facts);
    neuron_column_name(&facts, name);
    neuron_column_format(mapped(neurons), &facts, figure);
    int column = canvas_write(canvas, row, 0, 0, ROLE_MARK, "▸ ");
    column = canvas_write(canvas, row, 0, column, ROLE_TITLE, name) + 2;
    if (mapped(neurons) != NEURON_COLUMN_RESET && mapped(neurons) != NEURON_COLUMN_RANK) {
        column =
            canvas_write(canvas, row, 0, column, ROLE_DIM, neuron_column_facts(mapped(neurons))->label) + 1;
        column = canvas_write(canvas, row, 0, column, ROLE_VALUE, figure) + 2;
    }
    if (facts.rank >= 0)
        column = canvas_print(canvas, row, 0, column, ROLE_TEXT, "rank %" PRId64, facts.rank) + 2;
    if (facts.is_reset) (void)canvas_write(canvas, row, 0, column, ROLE_MARK, "● reset");
}

/* Layers [top, top + rows) of the window: neurons->cells, each layer in `times` lines. */
static bool pool(Neurons *neurons, const Session *session, size_t top, size_t rows, size_t times,
                 size_t cells, uint64_t first, uint64_t count, ColourScale *key) {
    size_t all = rows * times * cells;
    bool room = MEMORY_RESERVE(neurons->cells, &neurons->cell_capacity, all, NULL) == STATUS_OK &&
                MEMORY_RESERVE(neurons->shares, &neurons->share_capacity, all, NULL) == STATUS_OK;
    const NeuronMapShape shape = {.column = mapped(neurons),
                                  .module = neurons->map.module,
                                  .first = first,
                                  .count = count,
                                  .top = top,
                                  .rows = rows,
                                  .columns = cells};
    bool is_pending;
    Error error;
    if (!room || neuron_map_update(&neurons->grid, session, &shape, &is_pending, &error) != STATUS_OK)
        return false; /* the next frame tries again */
    if (is_pending) view_request_redraw();
    for (size_t row = 0; row < rows; row++) {
        const double *pooled = neurons->grid.cells + row * cells;
        double *line = neurons->cells + row * times * cells;
        for (size_t i = 0; i < cells; i++) {
            colour_scale_include(key, pooled[i]);
            for (size_t copy = 0; copy < times; copy++) line[copy * cells + i] = pooled[i];
        }
    }
    colour_scale_share_all(key, neurons->cells, all, neurons->shares, all);
    return true;
}

static bool is_known(const double *cells, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (colour_scale_is_known(cells[i])) return true;
    return false;
}

static void draw_labels(const Neurons *neurons, Canvas *canvas, Rect labels, size_t top, size_t rows) {
    for (size_t row = 0; row < rows; row++) {
        bool here = top + row == neurons->map.layer;
        if (here) (void)canvas_write(canvas, labels, (int)row, 0, ROLE_MARK, "▸");
        (void)canvas_print(canvas, labels, (int)row, 2, here ? ROLE_VALUE : ROLE_DIM, "%zu", top + row);
    }
}

static size_t first_layer(const Neurons *neurons, size_t layers, size_t rows) {
    size_t layer = (size_t)neurons->map.layer;
    if (layers <= rows || layer < rows / 2) return 0;
    return layer - rows / 2 + rows > layers ? layers - rows : layer - rows / 2;
}

static int cursor_cell(const Neurons *neurons, uint64_t first, uint64_t count, size_t cells) {
    size_t cell = (size_t)((neurons->map.index - first) * cells / count);
    /* spans are rounded down, so that the last neuron of a cell may seem to be in the one before */
    while (cell + 1 < cells && (cell + 1) * count / cells <= neurons->map.index - first) cell++;
    return (int)cell;
}

void neurons_draw_map(Neurons *neurons, const Session *session, Canvas *canvas, Rect area) {
    Rect head = rect_cut_top(&area, 1), foot = rect_cut_bottom(&area, area.rows > 2 ? 1 : 0);
    Rect labels = rect_cut_left(&area, LABEL_COLUMNS);
    uint64_t first, count;
    if (rect_is_empty(area)) return;
    size_t layers = (size_t)session_neurons(session)->layers, rows = (size_t)area.rows;
    if (layers < rows) rows = layers;
    neurons->map_columns = (size_t)area.columns;
    neurons->map_rows = area.rows;
    size_t cells =
        neuron_map_window(&neurons->map, session_neurons(session), neurons->map_columns, &first, &count);
    size_t top = first_layer(neurons, layers, rows), times = (size_t)heat_map_dense_rows(&canvas->theme, 1);
    ColourScale key = neuron_map_key(session, mapped(neurons), !neurons->linear);
    if (!pool(neurons, session, top, rows, times, cells, first, count, &key)) return;
    draw_head(neurons, session, canvas, head, &key, first, count, cells);
    draw_cursor(neurons, session, canvas, foot);
    if (!is_known(neurons->cells, rows * times * cells)) {
        char keys[KEY_TEXT_SIZE];
        (void)canvas_write_wrapped(
            canvas, area, 0, ROLE_STALE,
            neurons->list.column <= NEURON_COLUMN_GRADIENT
                ? key_text("neurons",
                           "Not known for these neurons. Dormancy is measured at the inputs of down "
                           "and o, gradient dormancy at those of down: {module-next} shows the next module.",
                           keys)
                : "Not known yet.");
        return;
    }
    HeatGrid grid = {.values = neurons->shares,
                     .rows = rows * times,
                     .columns = cells,
                     .low = 0,
                     .high = 1,
                     .ramp = RAMP_SEQUENTIAL,
                     .cursor_row = (long)((neurons->map.layer - top) * times),
                     .cursor_column = cursor_cell(neurons, first, count, cells)};
    draw_labels(neurons, canvas, labels, top, rows);
    heat_map_draw_dense(canvas, area, &grid);
}
