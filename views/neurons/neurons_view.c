#include "views/neurons/neurons_view.h"

#include "core/support/memory.h"
#include "tui/session/session.h"
#include "views/neurons/neurons_internal.h"

#include <stdlib.h>

enum { SIDE_FROM_COLUMNS = 140, SIDE_COLUMNS = 56, PANEL_FROM_ROWS = 17, PANEL_ROWS = 8 };

/* ---- state ---- */

static Status open_neurons(Session *session, void **state, Error *error) {
    Neurons *neurons = memory_allocate(1, sizeof *neurons);
    (void)session;
    if (neurons == NULL) return memory_fail(error, "the Neurons view");
    neurons->list = neuron_list_make();
    neurons->map.module = NEURON_DOWN;
    *state = neurons;
    return STATUS_OK;
}

static void show_neurons(void *state, Session *session) {
    Neurons *neurons = state;
    (void)session;
    neuron_list_forget(&neurons->list); /* much may have happened meanwhile */
}

static void close_neurons(void *state) {
    Neurons *neurons = state;
    neuron_list_free(&neurons->list);
    neuron_map_free_grid(&neurons->grid);
    free(neurons->cells);
    free(neurons->shares);
    free(neurons);
}

/* Why there are no neurons; NULL where there are. */
static const char *find_failure(const Session *session) {
    const char *message = session_model_error(session);
    if (session_neurons(session) != NULL) return NULL;
    if (session_model(session) != NULL || message == NULL) message = session_neurons_message(session);
    return message != NULL ? message : "loading…";
}

/* False where there is no list; then neurons->failure says why. */
static bool update(Neurons *neurons, const Session *session) {
    neurons->failure = find_failure(session);
    bool pending = false;
    if (neurons->failure == NULL && neurons_check_model(session_model(session), &neurons->error) != STATUS_OK)
        neurons->failure = neurons->error.message;
    if (neurons->failure == NULL &&
        neuron_list_update(&neurons->list, session, &pending, &neurons->error) != STATUS_OK)
        neurons->failure = neurons->error.message;
    neurons->is_pending = pending;
    if (pending) view_request_redraw();
    return neurons->failure == NULL;
}

/* ---- drawing ---- */

static void draw_neurons(void *state, Session *session, Canvas *canvas, Rect area) {
    Neurons *neurons = state;
    if (!update(neurons, session)) {
        (void)canvas_write_wrapped(canvas, area, 0, ROLE_WARNING, neurons->failure);
        return;
    }
    if (area.rows > 3) neurons_draw_foot(session, canvas, &area);
    bool alone = view_is_zoomed();
    if (area.columns >= SIDE_FROM_COLUMNS && !alone) {
        neurons_draw_side(neurons, session, canvas, rect_cut_right(&area, SIDE_COLUMNS));
        (void)rect_cut_right(&area, 1);
    } else if (area.rows >= PANEL_FROM_ROWS && !neurons->opened && !alone) {
        neurons_draw_panel(neurons, session, canvas, rect_cut_bottom(&area, PANEL_ROWS));
    }
    if (neurons->opened)
        neurons_draw_one(neurons, session, canvas, area);
    else if (neurons->mapping)
        neurons_draw_map(neurons, session, canvas, area);
    else
        neurons_draw_list(neurons, session, canvas, area);
}

/* ---- acting ---- */

static void turn_column(Neurons *neurons, int step) {
    int column = (int)neurons->list.column;
    do column = (column + NEURON_COLUMN_COUNT + step) % NEURON_COLUMN_COUNT;
    while (neurons->mapping && neuron_column_facts((NeuronColumn)column)->mapped != (NeuronColumn)column);
    neurons->list.column = (NeuronColumn)column;
    neurons->list.reversed = false;
}

/* In the list: all modules, then each alone. */
static void turn_module(Neurons *neurons, const Session *session, int step) {
    int *module = &neurons->list.filter.place.module;
    if (neurons->mapping) {
        neuron_map_turn_module(&neurons->map, session_neurons(session), step);
        return;
    }
    NeuronModule modules[NEURON_MODULE_COUNT];
    int count = (int)neurons_list_modules(session_neurons(session), modules), at = 0; /* 0: all of them */
    for (int i = 0; i < count; i++)
        if ((int)modules[i] == *module) at = i + 1;
    at = (at + step + count + 1) % (count + 1);
    *module = at == 0 ? -1 : (int)modules[at - 1];
}

static void toggle_map(Neurons *neurons, Session *session) {
    uint64_t neuron;
    bool any = neurons_current(neurons, session, &neuron);
    neurons->mapping = !neurons->mapping;
    neurons->opened = false;
    if (neurons->mapping && any) {
        neuron_map_go(&neurons->map, session_neurons(session), neuron);
        neurons->list.column = neuron_column_facts(neurons->list.column)->mapped;
    } else if (!neurons->mapping && update(neurons, session) && !neuron_list_go(&neurons->list, neuron)) {
        session_say(session, SESSION_NOTE, "the neuron of the map is not among those listed");
    }
}

static void set_filter(Neurons *neurons, Session *session, const char *text) {
    char message[160];
    if (neuron_filter_read(text, session_neurons(session), &neurons->list.filter, message, sizeof message)) {
        neurons->mapping = false;
        neurons->opened = false;
    } else {
        session_say(session, SESSION_WARNING, "%s", message);
    }
}

/* In the map its row, in the list the first neuron of the layer that is listed. */
static void go_to_layer(Neurons *neurons, Session *session, double layer) {
    const NeuronTable *table = session_neurons(session);
    NeuronPlace place = neuron_filter_none().place;
    if (!(layer >= 0 && layer < (double)table->layers)) {
        session_say(session, SESSION_NOTE, "layers are 0 to %llu", (unsigned long long)table->layers - 1);
        return;
    }
    place.layer = (int64_t)layer;
    if (neurons->mapping)
        neuron_map_move(&neurons->map, table, neurons->map_columns, (long)layer - (long)neurons->map.layer,
                        0);
    else if (!neuron_list_find(&neurons->list, table, &place, 1, true))
        session_say(session, SESSION_NOTE, "no neuron of layer %g is listed", layer);
}

static void set_tau(Neurons *neurons, Session *session, double tau) {
    double *own = neuron_list_tau(&neurons->list, neuron_column_dormancy(neurons->list.column));
    if (tau >= 0 && tau <= 1e6)
        *own = tau;
    else
        session_say(session, SESSION_WARNING, "expected a threshold of 0 or more");
}

static Reaction act_on_map(Neurons *neurons, const NeuronTable *table, Action action,
                           const ActionArgument *argument) {
    NeuronMap *map = &neurons->map;
    long count = argument->count, page = neurons->map_rows > 0 ? neurons->map_rows : 1;
    size_t columns = neurons->map_columns;
    switch (action) {
    case ACTION_MOVE_LEFT:
        neuron_map_move(map, table, columns, 0, -count);
        return REACTION_REDRAW;
    case ACTION_MOVE_RIGHT:
        neuron_map_move(map, table, columns, 0, count);
        return REACTION_REDRAW;
    case ACTION_MOVE_UP:
    case ACTION_PAGE_UP:
        neuron_map_move(map, table, columns, action == ACTION_MOVE_UP ? -count : -count * page, 0);
        return REACTION_REDRAW;
    case ACTION_MOVE_DOWN:
    case ACTION_PAGE_DOWN:
        neuron_map_move(map, table, columns, action == ACTION_MOVE_DOWN ? count : count * page, 0);
        return REACTION_REDRAW;
    case ACTION_FIRST:
    case ACTION_LAST:
        if (argument->has_count && (uint64_t)count < table->layers)
            map->layer = (uint64_t)count;
        else
            map->layer = action == ACTION_FIRST ? 0 : table->layers - 1;
        return REACTION_REDRAW;
    case ACTION_ZOOM_IN:
    case ACTION_ZOOM_OUT:
        neuron_map_zoom(map, table, columns, action == ACTION_ZOOM_IN ? argument->count : -argument->count);
        return REACTION_REDRAW;
    case ACTION_ZOOM_WHOLE:
        neuron_map_zoom(map, table, columns, 0);
        return REACTION_REDRAW;
    case ACTION_SCALE_NEXT:
        neurons->linear = !neurons->linear;
        return REACTION_REDRAW;
    default:
        return REACTION_IGNORED;
    }
}

static Reaction act_on_list(Neurons *neurons, Action action, const ActionArgument *argument) {
    NeuronList *list = &neurons->list;
    switch (action) {
    case ACTION_REVERSE:
        list->reversed = !list->reversed;
        return REACTION_REDRAW;
    case ACTION_FILTER_OFF:
        list->filter = neuron_filter_none();
        return REACTION_REDRAW;
    case ACTION_FILTER_RESET:
        list->filter.reset = !list->filter.reset;
        return REACTION_REDRAW;
    case ACTION_FILTER_DORMANT:
        list->filter.dormant = !list->filter.dormant;
        return REACTION_REDRAW;
    default:
        return list_box_act(&list->list, list->order.count, action, argument);
    }
}

static Reaction act_on_neurons(void *state, Session *session, Action action, const ActionArgument *argument) {
    Neurons *neurons = state;
    double tau = *neuron_list_tau(&neurons->list, neuron_column_dormancy(neurons->list.column));
    if (action == ACTION_BACK && neurons->opened) {
        neurons->opened = false;
        return REACTION_REDRAW;
    }
    if (!update(neurons, session)) return REACTION_IGNORED;
    switch (action) {
    case ACTION_ENTER:
        neurons->opened = !neurons->opened;
        return REACTION_REFRESH;
    case ACTION_METRIC_NEXT:
    case ACTION_METRIC_PREVIOUS:
        turn_column(neurons, action == ACTION_METRIC_NEXT ? 1 : -1);
        return REACTION_REDRAW;
    case ACTION_MODULE_NEXT:
    case ACTION_MODULE_PREVIOUS:
        turn_module(neurons, session, action == ACTION_MODULE_NEXT ? 1 : -1);
        return REACTION_REDRAW;
    case ACTION_LAYER:
        go_to_layer(neurons, session, argument->number);
        return REACTION_REDRAW;
    case ACTION_TOGGLE_LIST:
        toggle_map(neurons, session);
        return REACTION_REDRAW;
    case ACTION_FILTER:
        set_filter(neurons, session, argument->text);
        return REACTION_REDRAW;
    case ACTION_TAU_UP:
    case ACTION_TAU_DOWN:
        set_tau(neurons, session,
                neuron_list_step_tau(tau, action == ACTION_TAU_UP ? argument->count : -argument->count));
        return REACTION_REDRAW;
    case ACTION_TAU:
        set_tau(neurons, session, argument->number);
        return REACTION_REDRAW;
    case ACTION_MEASURE:
        session_measure_method(session);
        return REACTION_REFRESH;
    default:
        return neurons->mapping ? act_on_map(neurons, session_neurons(session), action, argument)
                                : act_on_list(neurons, action, argument);
    }
}

/* ---- searching ---- */

static bool find_in_neurons(void *state, Session *session, const char *text, int direction, bool stay) {
    Neurons *neurons = state;
    NeuronPlace place;
    if (!update(neurons, session) || !neuron_filter_read_place(text, &place)) return false;
    const NeuronTable *table = session_neurons(session);
    if (!neurons->mapping) return neuron_list_find(&neurons->list, table, &place, direction, stay);
    return neuron_map_find(&neurons->map, table, &place, direction, stay);
}

static const char *start_argument(void *state, Session *session, Action action) {
    static char text[NEURON_FILTER_TEXT];
    Neurons *neurons = state;
    (void)session;
    if (action != ACTION_FILTER) return NULL;
    neuron_filter_describe(&neurons->list.filter, text);
    return text;
}

/* The neurons in the same order; a filter of several kinds, or layers, has no option of its own. */
static CommandId twin_neurons(void *state, Session *session, CommandLine *line) {
    const Neurons *neurons = state;
    const NeuronPlace *place = &neurons->list.filter.place;
    const char *sort = neuron_column_facts(neurons->list.column)->key;
    (void)session;
    if (!neurons->mapping && sort != NULL)
        command_line_add_option(line, COMMAND_NEURONS, OPTION_SORT_NEURONS, "%s", sort);
    if (!neurons->mapping && place->module != NEURON_ANY)
        command_line_add_option(line, COMMAND_NEURONS, OPTION_MODULE, "%s",
                                neurons_module_name((NeuronModule)place->module));
    if (!neurons->mapping && place->layer != NEURON_ANY && place->last_layer == NEURON_ANY)
        command_line_add_option(line, COMMAND_NEURONS, OPTION_LAYER, "%lld", (long long)place->layer);
    command_line_add_number(line, COMMAND_NEURONS, OPTION_TAU, neurons->list.tau);
    command_line_add_number(line, COMMAND_NEURONS, OPTION_TAU_GRADIENT, neurons->list.gradient_tau);
    return COMMAND_NEURONS;
}

static bool copy_name(void *state, Session *session, char *text, size_t size) {
    uint64_t neuron;
    NeuronScores facts;
    char name[FORMAT_SIZE * 2];
    if (!neurons_current(state, session, &neuron)) return false;
    session_neuron(session, neuron, &facts);
    neuron_column_name(&facts, name);
    (void)snprintf(text, size, "%s", name);
    return true;
}

static size_t list_places(void *state, ViewPlace *places) {
    Neurons *neurons = state;
    places[0] = (ViewPlace){"neuron", &neurons->list.list.cursor};
    return 1;
}

static const Action HINTS[] = {ACTION_MOVE_UP,     ACTION_MOVE_DOWN,  ACTION_ENTER,    ACTION_METRIC_NEXT,
                               ACTION_REVERSE,     ACTION_FILTER,     ACTION_TAU_DOWN, ACTION_TAU_UP,
                               ACTION_MODULE_NEXT, ACTION_TOGGLE_LIST},
                    MAP_HINTS[] = {ACTION_MOVE_LEFT,   ACTION_MOVE_UP,   ACTION_MOVE_DOWN,
                                   ACTION_MOVE_RIGHT,  ACTION_ENTER,     ACTION_METRIC_NEXT,
                                   ACTION_MODULE_NEXT, ACTION_ZOOM_IN,   ACTION_ZOOM_OUT,
                                   ACTION_TOGGLE_LIST, ACTION_SCALE_NEXT},
                    ONE_HINTS[] = {ACTION_BACK, ACTION_MOVE_UP, ACTION_MOVE_DOWN, ACTION_RHO_UP,
                                   ACTION_RHO_DOWN};

static ViewHints list_hints(void *state) {
    const Neurons *neurons = state;
    if (neurons->opened) return (ViewHints){ONE_HINTS, sizeof ONE_HINTS / sizeof *ONE_HINTS};
    if (neurons->mapping) return (ViewHints){MAP_HINTS, sizeof MAP_HINTS / sizeof *MAP_HINTS};
    return (ViewHints){HINTS, sizeof HINTS / sizeof *HINTS};
}

const View neurons_view = {
    .name = "neurons",
    .title = "Neurons",
    .help =
        "Every neuron of every module. A dormancy of 1 is the average neuron of its layer; one of at most τ is "
        "dormant. `●` is in the reset set at the dials, `·` does not apply or is not known, `~` is older than the "
        "dials. A target is ROW:POSITION and the token there. A search names a place: 3.down 17.",
    .parts = SESSION_PART_METHOD,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .list_hints = list_hints,
    .open = open_neurons,
    .show = show_neurons,
    .draw = draw_neurons,
    .act = act_on_neurons,
    .find = find_in_neurons,
    .numbers = neurons_make_table,
    .twin = twin_neurons,
    .value = copy_name,
    .places = list_places,
    .initial = start_argument,
    .close = close_neurons,
};
