#include "views/layers/layers_view.h"

#include "core/support/buffer.h"
#include "core/support/memory.h"
#include "tui/lists/neuron_list.h"
#include "tui/session/session.h"
#include "tui/session/session_ladder.h"
#include "tui/session/session_prompt.h"
#include "views/layers/layers_internal.h"
#include "views/shared/rollouts_command.h"

#include <stdio.h>
#include <stdlib.h>

enum { SIDE_FROM_COLUMNS = 64 };

/* ---- state ---- */

static void close_layers(void *state) {
    Layers *layers = state;
    layers_ladder_close(&layers->ladder);
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
    if (status == STATUS_OK) status = layers_ladder_open(layers, session, error);
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

/* ---- drawing ---- */

/* What was restored may be of another pair. */
static void keep_in_range(Layers *layers) {
    const LayersGrid *grid = &layers->grid;
    if (grid->columns == 0) return;
    if (layers->row > layers_grid_last_row(grid)) layers->row = layers_grid_last_row(grid);
    if (layers->column >= grid->columns) layers->column = grid->columns - 1;
}

/* Taken up again with the page in front: then it is measured as when it was turned to. */
static void show_layers(void *state, Session *session) {
    const Layers *layers = state;
    if (layers->ladder.is_shown && layers->ladder.columns > 0) session_ladder_show(session);
}

static void draw_layers(void *state, Session *session, Canvas *canvas, Rect area) {
    Layers *layers = state;
    keep_in_range(layers);
    if (layers->ladder.is_shown) {
        layers_ladder_draw(layers, session, canvas, area);
        return;
    }
    tensor_list_update(&layers->list, session);
    int side = area.columns >= 160 ? 46 : area.columns >= 100 ? 36 : 30;
    if (area.columns >= SIDE_FROM_COLUMNS && !view_is_zoomed()) {
        layers_draw_side(layers, session, canvas, rect_cut_right(&area, side));
        (void)rect_cut_right(&area, 1);
    } else if (area.rows > 3) {
        layers_draw_line(layers, session, canvas, rect_cut_bottom(&area, 1));
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

static void move(Layers *layers, long down, long right) {
    const LayersGrid *grid = &layers->grid;
    layers->row = step(layers->row, layers_grid_last_row(grid), down);
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

/* ---- metrics ---- */

/* Those of drift, then those of the gradient, then those of the method. */
static void turn_metric(Layers *layers, int direction) {
    enum { GRADIENT = DRIFT_METRIC_COUNT, METHOD = GRADIENT + LAYERS_GRADIENTS };
    const int count = METHOD + (int)BLOCK_METRIC_COUNT;
    int place = layers->family == LAYERS_OF_GRADIENT ? GRADIENT + (int)layers->gradient
                : layers->family == LAYERS_OF_METHOD ? METHOD + (int)layers->block_metric
                                                     : (int)layers->list.metric;
    do place = (place + count + direction) % count;
    while (place < (int)DRIFT_METRIC_COUNT && !drift_metric_facts((DriftMetric)place)->measures_drift);
    layers->family = place >= METHOD     ? LAYERS_OF_METHOD
                     : place >= GRADIENT ? LAYERS_OF_GRADIENT
                                         : LAYERS_OF_DRIFT;
    if (place >= METHOD)
        layers->block_metric = (BlockMetric)(place - METHOD);
    else if (place >= GRADIENT)
        layers->gradient = (size_t)(place - GRADIENT);
    else
        layers->list.metric = (DriftMetric)place;
}

/* The threshold of the metric on screen; that of dormancy where it has none. */
static double *find_tau(Layers *layers) {
    bool gradient = layers->family == LAYERS_OF_METHOD && layers->block_metric == BLOCK_GRADIENT_DORMANT;
    return gradient ? &layers->list.gradient_tau : &layers->list.tau;
}

static Reaction set_tau(Layers *layers, Session *session, double tau) {
    if (tau >= 0 && tau <= 1e6)
        *find_tau(layers) = tau;
    else
        session_say(session, SESSION_WARNING, "expected a threshold of 0 or more");
    return REACTION_REDRAW;
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
            layers->row = action == ACTION_FIRST ? 0 : layers_grid_last_row(&layers->grid);
        return REACTION_REDRAW;
    case ACTION_METRIC_NEXT:
    case ACTION_METRIC_PREVIOUS:
        turn_metric(layers, action == ACTION_METRIC_NEXT ? 1 : -1);
        return REACTION_REDRAW;
    default:
        return tensor_list_act(&layers->list, session, action, argument);
    }
}

/* The tensor; or, where the cell stands for several, the list of these. */
static void enter(Layers *layers, Session *session, size_t index) {
    const PairTensor *tensor = &session_pair(session)->tensors[index];
    if (layers->listing || !layers_grid_pools(session_pair(session), tensor)) {
        tensor_list_show(session, index);
        return;
    }
    layers->listing = layers->opened = true;
    (void)snprintf(layers->list.filter, sizeof layers->list.filter, "%s layer %d",
                   tensor_role_name(tensor->role), tensor->layer);
}

/* Back from the list of a cell to the map, as it was. */
static Reaction leave_cell(Layers *layers) {
    layers->listing = layers->opened = false;
    layers->list.filter[0] = '\0';
    return REACTION_REDRAW;
}

static Reaction act_on_layers(void *state, Session *session, Action action, const ActionArgument *argument) {
    Layers *layers = state;
    size_t index;
    if (layers->ladder.is_shown) {
        Reaction reaction = layers_ladder_act(layers, session, action, argument);
        if ((reaction & REACTION_IGNORED) == 0) return reaction;
    }
    switch (action) {
    case ACTION_LADDER:
        layers_ladder_toggle(layers, session);
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    case ACTION_BACK:
        return layers->opened && layers->listing ? leave_cell(layers) : REACTION_IGNORED;
    case ACTION_ENTER:
        if (layers_current(layers, &index)) enter(layers, session, index);
        return REACTION_REDRAW;
    case ACTION_TOGGLE_LIST:
        layers->ladder.is_shown = 0;
        layers->listing = !layers->listing || layers->grid.columns == 0;
        layers->opened = false;
        return REACTION_REDRAW;
    case ACTION_SCALE_NEXT:
        layers->scale = (layers->scale + 1) % LAYERS_SCALE_COUNT;
        return REACTION_REDRAW;
    case ACTION_LAYER:
        if (layers->grid.columns == 0) return REACTION_IGNORED;
        layers->listing = false;
        go_to_layer(layers, session, argument->number);
        return REACTION_REDRAW;
    case ACTION_TAU_UP:
    case ACTION_TAU_DOWN:
        return set_tau(layers, session,
                       neuron_list_step_tau(*find_tau(layers),
                                            action == ACTION_TAU_UP ? argument->count : -argument->count));
    case ACTION_TAU:
        return set_tau(layers, session, argument->number);
    case ACTION_GRADIENT:
        session_start_rollouts_gradient(session);
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    case ACTION_MEASURE:
        session_measure_method(session);
        session_resume_drift(session);
        return REACTION_REFRESH;
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
    size_t here = layers->row * grid->columns + layers_current_column(layers);
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

/* The prompt as its tokens, which are what was measured. */
static void add_ids(Session *session, CommandLine *line) {
    const int32_t *ids;
    size_t count = session_prompt_tokens(session, &ids);
    Buffer text = {0};
    char *words = NULL;
    for (size_t i = 0; i < count; i++) buffer_add_format(&text, "%s%d", i > 0 ? "," : "", (int)ids[i]);
    if (count == 0) return;
    if (buffer_take(&text, &words, NULL, "the prompt", NULL) == STATUS_OK)
        command_line_add_option(line, COMMAND_LADDER, OPTION_IDS, "%s", words);
    else
        line->failed = true;
    free(words);
}

static CommandId twin_ladder(const Layers *layers, Session *session, CommandLine *line) {
    add_ids(session, line);
    command_line_add_number(line, COMMAND_LADDER, OPTION_TAU, layers->list.tau);
    command_line_add_number(line, COMMAND_LADDER, OPTION_TAU_GRADIENT, layers->list.gradient_tau);
    return COMMAND_LADDER;
}

static CommandId twin_layers(void *state, Session *session, CommandLine *line) {
    const Layers *layers = state;
    if (layers->ladder.is_shown) return twin_ladder(layers, session, line);
    if (layers->family == LAYERS_OF_GRADIENT && !layers->listing)
        return rollouts_command_add(session, true, line);
    if (layers->family == LAYERS_OF_DRIFT || layers->listing) return tensor_list_twin(&layers->list, line);
    command_line_add_number(line, COMMAND_NEURONS, OPTION_TAU, layers->list.tau);
    command_line_add_number(line, COMMAND_NEURONS, OPTION_TAU_GRADIENT, layers->list.gradient_tau);
    return COMMAND_NEURONS;
}

static bool copy_name(void *state, Session *session, char *text, size_t size) {
    size_t tensor;
    if (!layers_current(state, &tensor)) return false;
    (void)snprintf(text, size, "%s", session_pair(session)->tensors[tensor].name);
    return true;
}

static size_t list_places(void *state, ViewPlace *places) {
    Layers *layers = state;
    places[0] = (ViewPlace){"row", &layers->row};
    places[1] = (ViewPlace){"column", &layers->column};
    places[2] = (ViewPlace){"ladder", &layers->ladder.is_shown};
    places[3] = (ViewPlace){"figure", &layers->ladder.figure};
    return 4; /* the page's cursor begins at the rung that is tuned */
}

static const char *start_argument(void *state, Session *session, Action action) {
    const Layers *layers = state;
    (void)session;
    return action == ACTION_FILTER ? layers->list.filter : NULL;
}

static const Action HINTS[] = {ACTION_MOVE_LEFT, ACTION_MOVE_UP,     ACTION_MOVE_DOWN,  ACTION_MOVE_RIGHT,
                               ACTION_ENTER,     ACTION_METRIC_NEXT, ACTION_SCALE_NEXT, ACTION_TOGGLE_LIST,
                               ACTION_TAU_DOWN,  ACTION_TAU_UP};

/* Of several rungs: on their page, and on the map of one. */
static const Action PAGE_HINTS[] = {ACTION_MOVE_LEFT,     ACTION_MOVE_UP,   ACTION_MOVE_DOWN,
                                    ACTION_MOVE_RIGHT,    ACTION_ENTER,     ACTION_METRIC_NEXT,
                                    ACTION_RUNG_PREVIOUS, ACTION_RUNG_NEXT, ACTION_LADDER,
                                    ACTION_SCALE_NEXT,    ACTION_TAU_DOWN,  ACTION_TAU_UP};
static const Action RUNG_HINTS[] = {ACTION_MOVE_LEFT,  ACTION_MOVE_UP,       ACTION_MOVE_DOWN,
                                    ACTION_MOVE_RIGHT, ACTION_ENTER,         ACTION_METRIC_NEXT,
                                    ACTION_LADDER,     ACTION_RUNG_PREVIOUS, ACTION_RUNG_NEXT,
                                    ACTION_SCALE_NEXT, ACTION_TOGGLE_LIST};

static ViewHints list_hints(void *state) {
    const Layers *layers = state;
    if (layers->ladder.columns == 0) return (ViewHints){HINTS, sizeof HINTS / sizeof *HINTS};
    if (layers->ladder.is_shown) return (ViewHints){PAGE_HINTS, sizeof PAGE_HINTS / sizeof *PAGE_HINTS};
    return (ViewHints){RUNG_HINTS, sizeof RUNG_HINTS / sizeof *RUNG_HINTS};
}

const View layers_view = {
    .name = "layers",
    .title = "Layers",
    .help =
        "How far fine-tuning moved each module of each layer; further metrics say where neurons are dormant, where "
        "attribution is, what is reset, and what a step of reinforcement learning would do, on the samples of Rollouts. A cell "
        "is a tensor: `=` is equal in both models, `!` has NaN or infinite elements, `·` is not known yet, `–` has no such "
        "figure. Where several SFT models are open, another page shows layers by rungs of the ladder, and curves along it.",
    .parts = SESSION_PART_DRIFT | SESSION_PART_METHOD | SESSION_PART_LADDER,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .list_hints = list_hints,
    .open = open_layers,
    .show = show_layers,
    .draw = draw_layers,
    .act = act_on_layers,
    .find = find_in_layers,
    .numbers = layers_make_table,
    .twin = twin_layers,
    .value = copy_name,
    .places = list_places,
    .initial = start_argument,
    .close = close_layers,
};
