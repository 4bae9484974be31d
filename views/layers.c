/*
 * The Layers view: how far each module of each layer drifted.
 */
#include "views/layers.h"

#include "core/memory.h"
#include "tui/view.h"
#include "views/tensor_facts.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIDE_FROM_COLUMNS = 64 };

/* ---- state ---- */

static void close_layers(void *state) {
    Layers *layers = state;
    layers_grid_close(&layers->grid);
    tensor_list_close(&layers->list);
    free(layers->values);
    free(layers->shares);
    free(layers->absent);
    free(layers->texts);
    free(layers->text_blocks);
    free(layers);
}

static Status open_layers(Session *session, void **state, Error *error) {
    Layers *layers = memory_allocate(1, sizeof *layers);
    if (layers == NULL) return memory_fail(error, "the Layers view");
    Status status = layers_grid_open(session_pair(session), &layers->grid, error);
    if (status == STATUS_OK) status = tensor_list_open(&layers->list, session, error);
    if (status == STATUS_OK) {
        size_t cells = layers->grid.layers * layers->grid.columns + layers->grid.strip_count;
        layers->values = memory_allocate(cells, sizeof *layers->values);
        layers->shares = memory_allocate(cells, sizeof *layers->shares);
        layers->absent = memory_allocate(cells, sizeof *layers->absent);
        layers->texts = memory_allocate(cells, sizeof *layers->texts);
        layers->text_blocks = memory_allocate(cells, sizeof *layers->text_blocks);
        bool complete = layers->values != NULL && layers->shares != NULL && layers->absent != NULL &&
                        layers->texts != NULL && layers->text_blocks != NULL;
        if (!complete) status = memory_fail(error, "the Layers view");
    }
    layers->listing = layers->grid.columns == 0;
    layers->list.by_drift = !layers->listing; /* below the map the most drifted, else the files' order */
    *state = layers;
    if (status != STATUS_OK) {
        close_layers(layers);
        *state = NULL;
    }
    return status;
}

static size_t current_column(const Layers *layers) {
    return layers->row == layers->grid.layers ? layers->strip_column : layers->column;
}

bool layers_current(const Layers *layers, size_t *index) {
    if (layers->listing) return tensor_list_current(&layers->list, index);
    *index = layers_grid_tensor(&layers->grid, layers->row, current_column(layers));
    return *index != LAYERS_NO_TENSOR;
}

/* ---- drawing ---- */

/* The tensor at the cursor, and below it what it is a part of. */
static void draw_side(const Layers *layers, const Session *session, Canvas *canvas, Rect area) {
    const Pair *pair = session_pair(session);
    size_t index;
    char title[64];
    DriftRow sum = {0};
    canvas_fill_column(canvas, area, 0, 0, area.rows, ROLE_BORDER, "│");
    (void)rect_cut_left(&area, 2);
    if (!layers_current(layers, &index)) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_DIM, "no tensor here");
        return;
    }
    const PairTensor *tensor = &pair->tensors[index];
    (void)rect_cut_top(&area, tensor_facts_draw(canvas, area, session, index) + 1);
    if (tensor->layer >= 0 && area.rows >= 3) {
        size_t count = drift_sum_layer(session_drift(session), tensor->layer, &sum);
        (void)snprintf(title, sizeof title, "layer %d", tensor->layer);
        (void)rect_cut_top(&area, tensor_facts_draw_sum(canvas, area, title, &sum, count) + 1);
    }
    if (tensor->layer >= 0 && tensor->role != TENSOR_OTHER && area.rows >= 3) {
        sum = (DriftRow){0};
        size_t count = drift_sum_role(session_drift(session), tensor->role, &sum);
        (void)snprintf(title, sizeof title, "%s of all layers", architecture_role_name(tensor->role));
        (void)rect_cut_top(&area, tensor_facts_draw_sum(canvas, area, title, &sum, count) + 1);
    }
}

/* Where there is no room for the pane: the figure at the cursor, in one row. */
static void draw_line(const Layers *layers, const Session *session, Canvas *canvas, Rect row) {
    size_t index;
    char place[64], value[32] = "scanning…";
    DriftRow drift;
    if (!layers_current(layers, &index)) return;
    tensor_facts_place(&session_pair(session)->tensors[index], place, sizeof place);
    if (drift_table_row(session_drift(session), index, &drift))
        drift_format_row(&drift, layers->list.metric, value, sizeof value);
    int column = canvas_write(canvas, row, 0, 0, ROLE_TITLE, place) + 2;
    (void)canvas_write(canvas, row, 0, column, ROLE_VALUE, value);
}

static void draw_layers(void *state, Session *session, Canvas *canvas, Rect area) {
    Layers *layers = state;
    tensor_list_update(&layers->list, session);
    int side = area.columns >= 160 ? 46 : area.columns >= 100 ? 36 : 30;
    if (area.columns >= SIDE_FROM_COLUMNS) {
        draw_side(layers, session, canvas, rect_cut_right(&area, side));
        (void)rect_cut_right(&area, 1);
    } else if (area.rows > 3) {
        draw_line(layers, session, canvas, rect_cut_bottom(&area, 1));
    }
    if (layers->listing)
        tensor_list_draw(&layers->list, session, canvas, area, true);
    else
        layers_draw_map(layers, session, canvas, area);
}

/* ---- acting ---- */

static size_t step(size_t from, size_t last, long by) {
    if (by < 0) return from > (size_t)-by ? from - (size_t)-by : 0;
    return (size_t)by < last - from ? from + (size_t)by : last;
}

static size_t last_row(const LayersGrid *grid) {
    return grid->strip_count > 0 ? grid->layers : grid->layers - 1;
}

static void move(Layers *layers, long down, long right) {
    const LayersGrid *grid = &layers->grid;
    layers->row = step(layers->row, last_row(grid), down);
    if (right == 0) return;
    if (layers->row == grid->layers)
        layers->strip_column = step(layers->strip_column, grid->strip_count - 1, right);
    else
        layers->column = step(layers->column, grid->columns - 1, right);
}

static void go_to_layer(Layers *layers, Session *session, double layer) {
    const LayersGrid *grid = &layers->grid;
    if (layer >= 0 && layer < (double)grid->layers)
        layers->row = (size_t)layer;
    else
        session_say(session, SESSION_NOTE, "layers are 0 to %zu", grid->layers - 1);
}

static Reaction act_on_map(Layers *layers, Session *session, Action action, const ActionArgument *argument) {
    long count = argument->count;
    switch (action) {
    case ACTION_MOVE_LEFT:
        move(layers, 0, -count);
        return REACTION_REDRAW;
    case ACTION_MOVE_RIGHT:
        move(layers, 0, count);
        return REACTION_REDRAW;
    case ACTION_MOVE_UP:
        move(layers, -count, 0);
        return REACTION_REDRAW;
    case ACTION_MOVE_DOWN:
        move(layers, count, 0);
        return REACTION_REDRAW;
    case ACTION_PAGE_UP:
        move(layers, -count * layers->page, 0);
        return REACTION_REDRAW;
    case ACTION_PAGE_DOWN:
        move(layers, count * layers->page, 0);
        return REACTION_REDRAW;
    case ACTION_FIRST:
    case ACTION_LAST:
        if (argument->has_count)
            go_to_layer(layers, session, (double)count);
        else
            layers->row = action == ACTION_FIRST ? 0 : last_row(&layers->grid);
        return REACTION_REDRAW;
    default:
        return tensor_list_act(&layers->list, session, action, argument);
    }
}

static Reaction act_on_layers(void *state, Session *session, Action action, const ActionArgument *argument) {
    Layers *layers = state;
    size_t index;
    switch (action) {
    case ACTION_ENTER:
        if (layers_current(layers, &index)) tensor_list_show(session, index);
        return REACTION_REDRAW;
    case ACTION_TOGGLE_LIST:
        layers->listing = !layers->listing || layers->grid.columns == 0;
        return REACTION_REDRAW;
    case ACTION_SCALE_NEXT:
        layers->scale = (layers->scale + 1) % LAYERS_SCALE_COUNT;
        return REACTION_REDRAW;
    case ACTION_LAYER:
        if (layers->grid.columns == 0) return REACTION_IGNORED;
        layers->listing = false;
        go_to_layer(layers, session, argument->number);
        return REACTION_REDRAW;
    default:
        break;
    }
    return layers->listing ? tensor_list_act(&layers->list, session, action, argument)
                           : act_on_map(layers, session, action, argument);
}

/* ---- searching ---- */

/* Cells in reading order, the strip after the layers. */
static void place_of(const LayersGrid *grid, size_t item, size_t *row, size_t *column) {
    size_t cells = grid->layers * grid->columns;
    *row = item < cells ? item / grid->columns : grid->layers;
    *column = item < cells ? item % grid->columns : item - cells;
}

static bool find_in_layers(void *state, Session *session, const char *text, int direction, bool stay) {
    Layers *layers = state;
    const LayersGrid *grid = &layers->grid;
    if (layers->listing) return tensor_list_find(&layers->list, session, text, direction, stay);
    size_t count = grid->layers * grid->columns + grid->strip_count;
    size_t here = layers->row * grid->columns + current_column(layers);
    for (size_t i = stay ? 0 : 1; i < count + (stay ? 0 : 1); i++) {
        size_t row, column, item = (here + (direction > 0 ? i % count : count - i % count)) % count;
        place_of(grid, item, &row, &column);
        size_t tensor = layers_grid_tensor(grid, row, column);
        if (tensor == LAYERS_NO_TENSOR || !text_find(session_pair(session)->tensors[tensor].name, text))
            continue;
        layers->row = row;
        *(row == grid->layers ? &layers->strip_column : &layers->column) = column;
        return true;
    }
    return false;
}

/* ---- numbers ---- */

static void add_number(Table *table, const Layers *layers, const Session *session, size_t tensor) {
    DriftRow row;
    if (tensor != LAYERS_NO_TENSOR && drift_table_row(session_drift(session), tensor, &row) &&
        row.is_compared)
        table_add_number(table, drift_value(&row, layers->list.metric));
    else
        table_add_empty(table);
}

/* The map as it is on screen: a row a layer, and a last one for the tensors that belong to none. */
static Status number_layers(void *state, Session *session, Table **table, Error *error) {
    Layers *layers = state;
    const LayersGrid *grid = &layers->grid;
    TableColumn columns[TENSOR_ROLE_COUNT + LAYERS_STRIP_LIMIT + 1] = {
        {"layer", NULL, NULL, TABLE_INTEGER, 0}};
    size_t count = 1;
    if (layers->listing) return tensor_list_numbers(&layers->list, session, table, error);
    for (size_t i = 0; i < grid->columns; i++)
        columns[count++] = (TableColumn){architecture_role_name(grid->roles[i]), NULL, NULL, TABLE_NUMBER, 0};
    for (size_t i = 0; i < grid->strip_count; i++)
        columns[count++] = (TableColumn){grid->strip_labels[i], NULL, NULL, TABLE_NUMBER, 0};
    Status status = table_create(columns, count, table, error);
    if (status != STATUS_OK) return status;
    for (size_t row = 0; row <= last_row(grid); row++) {
        bool in_strip = row == grid->layers;
        table_add_row(*table);
        if (in_strip)
            table_add_empty(*table);
        else
            table_add_integer(*table, (int64_t)row);
        for (size_t i = 0; i < grid->columns; i++)
            add_number(*table, layers, session,
                       in_strip ? LAYERS_NO_TENSOR : grid->cells[row * grid->columns + i]);
        for (size_t i = 0; i < grid->strip_count; i++)
            add_number(*table, layers, session, in_strip ? grid->strip[i] : LAYERS_NO_TENSOR);
    }
    return STATUS_OK;
}

static const char *start_argument(void *state, Session *session, Action action) {
    const Layers *layers = state;
    (void)session;
    return action == ACTION_FILTER ? layers->list.filter : NULL;
}

static const Action HINTS[] = {ACTION_MOVE_LEFT, ACTION_MOVE_UP,     ACTION_MOVE_DOWN,  ACTION_MOVE_RIGHT,
                               ACTION_ENTER,     ACTION_METRIC_NEXT, ACTION_SCALE_NEXT, ACTION_TOGGLE_LIST};

const View layers_view = {
    .name = "layers",
    .title = "Layers",
    .help =
        "How far fine-tuning moved each module of each layer. A cell is a tensor: `=` is equal in both "
        "models, `!` has NaN or infinite elements, `·` is not scanned yet.",
    .parts = SESSION_PART_DRIFT,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .open = open_layers,
    .draw = draw_layers,
    .act = act_on_layers,
    .find = find_in_layers,
    .numbers = number_layers,
    .initial = start_argument,
    .close = close_layers,
};
