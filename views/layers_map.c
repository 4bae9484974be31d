#include "tui/format.h"
#include "tui/widget_heat.h"
#include "views/layers.h"

#include <stdio.h>
#include <string.h>

enum { CELL_LEAST = 4, CELL_MOST = 12, STRIP_CELL = 12, FIGURES_FROM = 9, LIST_FROM_ROWS = 8 };

/* Which signs occur, for the line that explains them. */
typedef struct Signs {
    bool waiting, equal, odd, copied;
    bool filtered; /* and no list below says so */
} Signs;

/* ---- what is in the cells ---- */

/* The sign of a cell in place of its colour's figure, or NULL. */
static const char *find_sign(const DriftRow *row, bool ready, Signs *signs) {
    if (!ready) {
        signs->waiting = true;
        return NULL;
    }
    if (!row->is_compared) {
        signs->copied = true;
        return "–";
    }
    if (row->base_nonfinite + row->sft_nonfinite > 0) {
        signs->odd = true;
        return "!";
    }
    if (!row->is_equal) return NULL;
    signs->equal = true;
    return "=";
}

/* The figure as text that fits a cell. */
static const char *write_figure(DriftMetric metric, double value, int columns, char text[LAYERS_TEXT_SIZE]) {
    char whole[FORMAT_SIZE];
    drift_format_value(metric, value, whole, sizeof whole);
    if (text_width(whole) > columns) (void)format_fit(value, columns, whole);
    (void)snprintf(text, LAYERS_TEXT_SIZE, "%.*s", LAYERS_TEXT_SIZE - 1, whole);
    return text;
}

static void fill_cell(Layers *layers, const Session *session, size_t item, size_t tensor, int figure_columns,
                      Signs *signs) {
    DriftRow row = {0};
    layers->absent[item] = tensor == LAYERS_NO_TENSOR ||
                           !tensor_filter_fits(layers->list.filter, &session_pair(session)->tensors[tensor]);
    bool ready = !layers->absent[item] && drift_table_row(session_drift(session), tensor, &row);
    layers->values[item] = drift_value(&row, layers->list.metric);
    layers->texts[item] = layers->absent[item] ? NULL : find_sign(&row, ready, signs);
    if (figure_columns > 0 && layers->texts[item] == NULL && heat_key_is_known(layers->values[item]))
        layers->texts[item] = write_figure(layers->list.metric, layers->values[item], figure_columns,
                                           layers->text_blocks[item]);
}

static Signs fill(Layers *layers, const Session *session, int figure_columns, int strip_columns) {
    const LayersGrid *grid = &layers->grid;
    size_t cells = grid->layers * grid->columns;
    Signs signs = {0};
    for (size_t i = 0; i < cells; i++) fill_cell(layers, session, i, grid->cells[i], figure_columns, &signs);
    for (size_t i = 0; i < grid->strip_count; i++)
        fill_cell(layers, session, cells + i, grid->strip[i], strip_columns, &signs);
    return signs;
}

/* ---- how they are coloured ---- */

/* The key of one column, or of all layers. What belongs to no layer is shown on the key of all layers but
 * does not stretch it: an embedding or a head that moved far would leave the layers without contrast. */
static HeatKey key_of(const Layers *layers, bool in_strip, size_t column) {
    const LayersGrid *grid = &layers->grid;
    bool own = layers->scale == LAYERS_BY_COLUMN && !in_strip;
    HeatKey key = tensor_list_metric_key(layers->list.metric, layers->scale == LAYERS_LOGARITHMIC);
    for (size_t i = 0; i < grid->layers * grid->columns; i++)
        if (!own || column == i % grid->columns) heat_key_include(&key, layers->values[i]);
    return key;
}

static void colour(Layers *layers) {
    const LayersGrid *grid = &layers->grid;
    size_t cells = grid->layers * grid->columns;
    HeatKey strip = key_of(layers, true, 0);
    for (size_t column = 0; column < grid->columns; column++) {
        HeatKey key = key_of(layers, false, column);
        for (size_t i = column; i < cells; i += grid->columns)
            layers->shares[i] = heat_key_share(&key, layers->values[i]);
    }
    heat_key_share_all(&strip, layers->values + cells, grid->strip_count, layers->shares + cells,
                       grid->strip_count);
}

/* ---- drawing ---- */

static void draw_head(const Layers *layers, Canvas *canvas, Rect head, const HeatKey *key) {
    const DriftMetricFacts *facts = drift_metric_facts(layers->list.metric);
    const LayersGrid *grid = &layers->grid;
    bool in_strip = layers->row == grid->layers;
    int legend = heat_key_draw(canvas, head, key);
    Rect left = head;
    left.columns -= legend + 2;
    int column = canvas_write(canvas, left, 0, 0, ROLE_TITLE, facts->label) + 1;
    column = canvas_write(canvas, left, 0, column, ROLE_DIM, facts->unit) + 2;
    if (layers->scale != LAYERS_BY_COLUMN) return;
    (void)canvas_print(canvas, left, 0, column, ROLE_DIM, "%s →",
                       in_strip ? "all" : architecture_role_name(grid->roles[layers->column]));
}

static void draw_signs(Canvas *canvas, Rect row, const Session *session, const Layers *layers, Signs signs) {
    int column = 0;
    if (signs.filtered) {
        char text[LIST_CELL_SIZE];
        tensor_list_describe_filter(&layers->list, text, sizeof text);
        column = canvas_write(canvas, row, 0, column, ROLE_WARNING, text) + 2;
    }
    if (signs.waiting)
        column =
            canvas_write(canvas, row, 0, column, ROLE_STALE,
                         session_drift_is_running(session) ? "· scanning…" : "· not scanned (:resume-scan)") +
            2;
    if (signs.equal) column = canvas_write(canvas, row, 0, column, ROLE_DIM, "= equal") + 2;
    if (signs.odd) column = canvas_write(canvas, row, 0, column, ROLE_ERROR, "! NaN or Inf") + 2;
    if (signs.copied) column = canvas_write(canvas, row, 0, column, ROLE_DIM, "– only SFT's") + 2;
    if (layers->grid.others > 0)
        (void)canvas_print(canvas, row, 0, column, ROLE_DIM, "%zu more in the list", layers->grid.others);
}

/* The part that the map and the strip have in common. */
static HeatMap make_map(const Layers *layers, const HeatKey *key, size_t first) {
    return (HeatMap){.values = layers->shares + first,
                     .absent = layers->absent + first,
                     .texts = layers->texts + first,
                     .low = key->ramp == RAMP_DIVERGING ? -1 : 0,
                     .high = 1,
                     .ramp = key->ramp,
                     .cursor_row = SIZE_MAX,
                     .cursor_column = SIZE_MAX};
}

static void draw_strip(const Layers *layers, Canvas *canvas, Rect area, const HeatKey *key) {
    const LayersGrid *grid = &layers->grid;
    HeatMap map = make_map(layers, key, grid->layers * grid->columns);
    map.rows = 1;
    map.columns = grid->strip_count;
    map.column_labels = grid->strip_labels;
    map.cell_width = STRIP_CELL;
    if (layers->row == grid->layers) {
        map.cursor_row = 0;
        map.cursor_column = layers->strip_column;
    }
    heat_draw(canvas, area, &map);
}

static void draw_grid(const Layers *layers, Canvas *canvas, Rect area, const HeatKey *key, int width) {
    const LayersGrid *grid = &layers->grid;
    const char *names[TENSOR_ROLE_COUNT];
    for (size_t i = 0; i < grid->columns; i++) names[i] = layers_grid_name(grid->roles[i], width - 1);
    HeatMap map = make_map(layers, key, 0);
    map.rows = grid->layers;
    map.columns = grid->columns;
    map.row_labels = grid->row_labels;
    map.column_labels = names;
    map.cell_width = width;
    map.marked_rows = true;
    if (layers->row < grid->layers) {
        map.cursor_row = layers->row;
        map.cursor_column = layers->column;
    }
    heat_draw(canvas, area, &map);
}

static int choose_width(const LayersGrid *grid, int columns) {
    int labels = text_width(grid->labels[grid->layers - 1]) + 3; /* a mark, a blank, the number, a blank */
    int width = (columns - labels) / (int)grid->columns;
    return width < CELL_LEAST ? CELL_LEAST : width > CELL_MOST ? CELL_MOST : width;
}

void layers_draw_map(Layers *layers, const Session *session, Canvas *canvas, Rect area) {
    const LayersGrid *grid = &layers->grid;
    int width = choose_width(grid, area.columns), spare = theme_fills(&canvas->theme) ? 2 : 4;
    Signs signs = fill(layers, session, width >= FIGURES_FROM ? width - spare : 0, STRIP_CELL - spare);
    colour(layers);
    bool in_strip = layers->row == grid->layers;
    HeatKey key = key_of(layers, in_strip, in_strip ? layers->strip_column : layers->column);
    draw_head(layers, canvas, rect_cut_top(&area, 1), &key);
    int rows = (int)(grid->layers < 10000 ? grid->layers : 10000) + 1, strip = grid->strip_count > 0 ? 2 : 0;
    signs.filtered = layers->list.filter[0] != '\0' && area.rows < rows + strip + 3 + LIST_FROM_ROWS;
    bool noted =
        signs.filtered || signs.waiting || signs.equal || signs.odd || signs.copied || grid->others > 0;
    if (noted && area.rows > 4) draw_signs(canvas, rect_cut_bottom(&area, 1), session, layers, signs);
    if (area.rows < strip + 3 && !in_strip) strip = 0;
    Rect map = rect_cut_top(&area, rows < area.rows - strip ? rows : area.rows - strip);
    if (area.rows > strip) (void)rect_cut_top(&area, 1); /* a blank row where there is room */
    layers->page = map.rows > 2 ? map.rows - 1 : 1;
    draw_grid(layers, canvas, map, &key, width);
    draw_strip(layers, canvas, rect_cut_top(&area, strip), &key);
    (void)rect_cut_top(&area, 1);
    if (area.rows >= LIST_FROM_ROWS) tensor_list_draw(&layers->list, session, canvas, area, false);
}
