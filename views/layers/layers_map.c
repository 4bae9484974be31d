#include "tui/canvas/heat_map.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_neurons.h"
#include "tui/text/format.h"
#include "views/layers/layers_internal.h"

#include <stdio.h>
#include <string.h>

enum { CELL_LEAST = 4, CELL_MOST = 12, STRIP_CELL = 12, FIGURES_FROM = 9, LIST_FROM_ROWS = 8 };

/* Which signs occur, for the line that explains them. */
typedef struct Filling {
    Layers *layers;
    const Session *session;
    BlockSources sources;
    bool occurs[LAYERS_NONE + 1];
    bool is_filtered; /* and no list below says so */
} Filling;

/* ---- what is in the cells ---- */

/* The figure as text that fits a cell. */
static const char *write_figure(const Layers *layers, double value, int columns,
                                char text[LAYERS_TEXT_SIZE]) {
    char whole[FORMAT_SIZE];
    layers_format(layers, value, whole);
    if (text_width(whole) > columns) (void)format_fit(value, columns, whole);
    (void)snprintf(text, LAYERS_TEXT_SIZE, "%.*s", LAYERS_TEXT_SIZE - 1, whole);
    return text;
}

static void fill_cell(Filling *filling, size_t item, size_t tensor, int figure_columns) {
    static const char *const SIGNS[] = {[LAYERS_PLAIN] = NULL,
                                        [LAYERS_WAITING] = NULL,
                                        [LAYERS_EQUAL] = "=",
                                        [LAYERS_ODD] = "!",
                                        [LAYERS_NONE] = "–"};
    Layers *layers = filling->layers;
    LayersSign sign;
    layers->absent[item] =
        tensor == LAYERS_NO_TENSOR ||
        !tensor_filter_fits(layers->list.filter, &session_pair(filling->session)->tensors[tensor]);
    layers->texts[item] = NULL;
    layers->values[item] = 0;
    if (layers->absent[item]) return;
    double value = layers_value(layers, filling->session, &filling->sources, tensor, &sign);
    layers->values[item] = value;
    layers->texts[item] = SIGNS[sign];
    filling->occurs[sign] = true;
    bool none =
        layers->family != LAYERS_OF_DRIFT && !(value < 0) && !(value > 0); /* its colour is that of a blank */
    if (sign == LAYERS_PLAIN && none) layers->texts[item] = "0";
    if (figure_columns > 0 && sign == LAYERS_PLAIN)
        layers->texts[item] = write_figure(layers, value, figure_columns, layers->text_blocks[item]);
}

static void fill(Filling *filling, int figure_columns, int strip_columns) {
    const LayersGrid *grid = &filling->layers->grid;
    size_t cells = grid->layers * grid->columns;
    for (size_t i = 0; i < cells; i++) fill_cell(filling, i, grid->cells[i], figure_columns);
    for (size_t i = 0; i < grid->strip_count; i++)
        fill_cell(filling, cells + i, grid->strip[i], strip_columns);
}

/* ---- how they are coloured ---- */

static ColourScale empty_key(const Layers *layers) {
    bool logarithmic = layers->scale == LAYERS_LOGARITHMIC;
    if (layers->family == LAYERS_OF_DRIFT) return tensor_list_metric_key(layers->list.metric, logarithmic);
    bool is_change =
        layers->family == LAYERS_OF_METHOD && block_metric_facts(layers->block_metric)->is_change;
    return colour_scale_make(is_change ? RAMP_DIVERGING : RAMP_SEQUENTIAL, 0, logarithmic);
}

/* The key of one column, or of all layers. What belongs to no layer is shown on the key of all layers but
 * does not stretch it: an embedding or a head that moved far would leave the layers without contrast. */
static ColourScale key_of(const Layers *layers, bool in_strip, size_t column) {
    const LayersGrid *grid = &layers->grid;
    bool own = layers->scale == LAYERS_BY_COLUMN && !in_strip;
    ColourScale key = empty_key(layers);
    for (size_t i = 0; i < grid->layers * grid->columns; i++)
        if (!own || column == i % grid->columns) colour_scale_include(&key, layers->values[i]);
    return key;
}

static void colour(Layers *layers) {
    const LayersGrid *grid = &layers->grid;
    size_t cells = grid->layers * grid->columns;
    ColourScale strip = key_of(layers, true, 0);
    for (size_t column = 0; column < grid->columns; column++) {
        ColourScale key = key_of(layers, false, column);
        for (size_t i = column; i < cells; i += grid->columns)
            layers->shares[i] = colour_scale_share(&key, layers->values[i]);
    }
    colour_scale_share_all(&strip, layers->values + cells, grid->strip_count, layers->shares + cells,
                           grid->strip_count);
}

/* ---- drawing ---- */

/* What the map shows, and of what it is a share or below which threshold. */
static int write_metric(const Layers *layers, Canvas *canvas, Rect row) {
    const DriftMetricFacts *drift = drift_metric_facts(layers->list.metric);
    const BlockMetricFacts *method = block_metric_facts(layers->block_metric);
    if (layers->family == LAYERS_OF_GRADIENT)
        return canvas_write(canvas, row, 0, 0, ROLE_TITLE, layers_gradient(layers)->label);
    bool of_method = layers->family == LAYERS_OF_METHOD;
    int column = canvas_write(canvas, row, 0, 0, ROLE_TITLE, of_method ? method->label : drift->label);
    if (!of_method) return canvas_write(canvas, row, 0, column + 1, ROLE_DIM, drift->unit);
    if (!block_metric_has_tau(layers->block_metric))
        return canvas_write(canvas, row, 0, column + 1, ROLE_DIM, method->unit);
    bool gradient = layers->block_metric == BLOCK_GRADIENT_DORMANT;
    return canvas_print(canvas, row, 0, column + 1, ROLE_DIM, "τ %.4g",
                        gradient ? layers->list.gradient_tau : layers->list.tau);
}

static void draw_head(const Layers *layers, Canvas *canvas, Rect head, const ColourScale *key) {
    const LayersGrid *grid = &layers->grid;
    bool in_strip = layers->row == grid->layers;
    int legend = colour_scale_draw(canvas, head, key);
    Rect left = head;
    left.columns -= legend + 2;
    int column = write_metric(layers, canvas, left) + 2;
    if (layers->scale != LAYERS_BY_COLUMN) return;
    (void)canvas_print(canvas, left, 0, column, ROLE_DIM, "%s →",
                       in_strip ? "all" : tensor_role_name(grid->roles[layers->column]));
}

/* What the signs mean, for the metric on screen; whether there are any. */
static bool draw_signs(Canvas *canvas, Rect row, const Filling *filling) {
    static const struct {
        LayersSign sign;
        Role role;
        const char *drift, *method;
    } MEANINGS[] = {{LAYERS_WAITING, ROLE_STALE, "· not scanned (:resume-scan)", "· not known yet"},
                    {LAYERS_EQUAL, ROLE_DIM, "= equal", ""},
                    {LAYERS_ODD, ROLE_ERROR, "! NaN or Inf", "! not a number"},
                    {LAYERS_NONE, ROLE_DIM, "– only SFT's", "– not defined there"}};
    bool of_method = filling->layers->family != LAYERS_OF_DRIFT;
    int column = 0;
    if (filling->is_filtered) {
        char text[LIST_CELL_SIZE];
        tensor_list_describe_filter(&filling->layers->list, text, sizeof text);
        column = canvas_write(canvas, row, 0, column, ROLE_WARNING, text) + 2;
    }
    for (size_t i = 0; i < sizeof MEANINGS / sizeof *MEANINGS; i++) {
        if (!filling->occurs[MEANINGS[i].sign]) continue;
        const char *text = of_method ? MEANINGS[i].method : MEANINGS[i].drift;
        bool scans =
            !of_method && MEANINGS[i].sign == LAYERS_WAITING && session_drift_is_running(filling->session);
        column = canvas_write(canvas, row, 0, column, MEANINGS[i].role, scans ? "· scanning…" : text) + 2;
    }
    size_t others = filling->layers->grid.others;
    if (others > 0) column = canvas_print(canvas, row, 0, column, ROLE_DIM, "%zu more in the list", others);
    return column > 0;
}

/* The part that the map and the strip have in common. */
static HeatMap make_map(const Layers *layers, const ColourScale *key, size_t first) {
    return (HeatMap){.values = layers->shares + first,
                     .absent = layers->absent + first,
                     .texts = layers->texts + first,
                     .low = key->ramp == RAMP_DIVERGING ? -1 : 0,
                     .high = 1,
                     .ramp = key->ramp,
                     .cursor_row = SIZE_MAX,
                     .cursor_column = SIZE_MAX};
}

static void draw_strip(Layers *layers, Canvas *canvas, Rect area, const ColourScale *key) {
    const LayersGrid *grid = &layers->grid;
    HeatMap map = make_map(layers, key, grid->layers * grid->columns);
    map.rows = 1;
    map.columns = grid->strip_count;
    map.column_labels = grid->strip_labels;
    map.cell_width = STRIP_CELL;
    map.pressed_row = &layers->row;
    map.pressed_column = &layers->strip_column;
    map.row_number = grid->layers;
    if (layers->row == grid->layers) {
        map.cursor_row = 0;
        map.cursor_column = layers->strip_column;
    }
    heat_map_draw(canvas, area, &map);
}

static void draw_grid(Layers *layers, Canvas *canvas, Rect area, const ColourScale *key, int width) {
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
    map.pressed_row = &layers->row;
    map.pressed_column = &layers->column;
    if (layers->row < grid->layers) {
        map.cursor_row = layers->row;
        map.cursor_column = layers->column;
    }
    heat_map_draw(canvas, area, &map);
}

static int choose_width(const LayersGrid *grid, int columns) {
    int labels = text_width(grid->labels[grid->layers - 1]) + 3; /* a mark, a blank, the number, a blank */
    int width = (columns - labels) / (int)grid->columns;
    return width < CELL_LEAST ? CELL_LEAST : width > CELL_MOST ? CELL_MOST : width;
}

static int draw_reset(const Session *session, Canvas *canvas, Rect area) {
    SessionReset reset = session_reset(session);
    char selected[FORMAT_SIZE], all[FORMAT_SIZE];
    (void)canvas_print(canvas, area, 0, 0, ROLE_MARK, "ρ %.3g %% by %s: %s of %s",
                       session_settings(session)->rho * 100, ranking_selector_name(reset.selector),
                       format_count(reset.selected, selected), format_count(reset.neurons, all));
    return 1;
}

/* Exactly what the method's metric is, and what it comes to over all layers; or why it is not known. */
static void draw_definition(const Filling *filling, Canvas *canvas, Rect area) {
    const Layers *layers = filling->layers;
    const NeuronTable *table = session_neurons(filling->session);
    char value[FORMAT_SIZE];
    if (!block_metric_is_known(layers->block_metric, &filling->sources))
        (void)rect_cut_top(
            &area, canvas_write_wrapped(canvas, area, 0, ROLE_STALE, layers_find_reason(filling->session)));
    int row = canvas_write_wrapped(canvas, area, 0, ROLE_DIM, block_metric_facts(layers->block_metric)->help);
    (void)rect_cut_top(&area, row);
    if (table == NULL || !block_metric_is_known(layers->block_metric, &filling->sources)) return;
    if (layers->block_metric == BLOCK_RESET_SHARE)
        (void)rect_cut_top(&area, draw_reset(filling->session, canvas, area));
    int column = canvas_write(canvas, area, 0, 0, ROLE_TITLE, "all layers") + 2;
    for (int i = 0; i < NEURON_MODULE_COUNT; i++) {
        NeuronModule module = (NeuronModule)i;
        if (neurons_widest(table, module) == 0 || !block_metric_applies(layers->block_metric, module))
            continue;
        layers_format_method(layers->block_metric,
                             block_metric_over_layers(layers->block_metric, &filling->sources, table, module),
                             value);
        int width = text_width(neurons_module_name(module)) + 1 + text_width(value);
        if (column + width > area.columns) {
            (void)rect_cut_top(&area, 1);
            column = 2;
        }
        column = canvas_write(canvas, area, 0, column, ROLE_DIM, neurons_module_name(module)) + 1;
        column = canvas_write(canvas, area, 0, column, ROLE_VALUE, value) + 2;
    }
}

void layers_draw_map(Layers *layers, const Session *session, Canvas *canvas, Rect area) {
    const LayersGrid *grid = &layers->grid;
    int width = choose_width(grid, area.columns), spare = theme_fills(&canvas->theme) ? 2 : 4;
    Filling filling = {.layers = layers, .session = session, .sources = layers_sources(layers, session)};
    fill(&filling, width >= FIGURES_FROM ? width - spare : 0, STRIP_CELL - spare);
    colour(layers);
    bool in_strip = layers->row == grid->layers;
    ColourScale key = key_of(layers, in_strip, in_strip ? layers->strip_column : layers->column);
    draw_head(layers, canvas, rect_cut_top(&area, 1), &key);
    int rows = (int)(grid->layers < 10000 ? grid->layers : 10000) + 1, strip = grid->strip_count > 0 ? 2 : 0;
    bool has_list = layers->family == LAYERS_OF_DRIFT && area.rows >= rows + strip + 3 + LIST_FROM_ROWS;
    filling.is_filtered = layers->list.filter[0] != '\0' && !has_list;
    if (area.rows > 4 && draw_signs(canvas, rect_make(0, 0, 0, 0), &filling))
        (void)draw_signs(canvas, rect_cut_bottom(&area, 1), &filling);
    if (area.rows < strip + 3 && !in_strip) strip = 0;
    Rect map = rect_cut_top(&area, rows < area.rows - strip ? rows : area.rows - strip);
    if (area.rows > strip) { /* a row between them where there is room */
        Rect between = rect_cut_top(&area, 1);
        if (strip > 0)
            (void)canvas_write(canvas, between, 0, 1, ROLE_DIM,
                               "on the layers' scale, which these do not stretch");
    }
    layers->page = map.rows > 2 ? map.rows - 1 : 1;
    draw_grid(layers, canvas, map, &key, width);
    draw_strip(layers, canvas, rect_cut_top(&area, strip), &key);
    (void)rect_cut_top(&area, 1);
    if (layers->family == LAYERS_OF_GRADIENT)
        layers_gradient_draw(layers, session, canvas, area);
    else if (layers->family == LAYERS_OF_METHOD)
        draw_definition(&filling, canvas, area);
    else if (area.rows >= LIST_FROM_ROWS)
        tensor_list_draw(&layers->list, session, canvas, area, false);
}
