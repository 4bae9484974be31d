/* The pane reset of Tune: where in the model the reset set lies, and what the last step let in and out. */
#include "tui/canvas/colour_scale.h"
#include "tui/lists/neuron_column.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_reset.h"
#include "tui/text/text.h"
#include "views/tune/tune_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    MOST_LINES = NEURON_MODULE_COUNT + 1, /* all modules together, then each */
    FRAME_ROWS = 2,                       /* a map's title and the numbers of the layers */
    MAP_CELLS = 256,
    WIDEST_CELL = 6,
    KEY_FROM_COLUMNS = 60,
    LABEL_GAP = 2,
    COUNT_COLUMNS = 8,
    NAME_COLUMNS = 13,
    FIGURE_COLUMNS = 9
};

/* ---- where the set lies ---- */

/* Layers a cell, and cells a layer: one of them is 1. */
typedef struct MapScale {
    size_t layers, pooled, repeated, cells;
    NeuronModule modules[MOST_LINES]; /* of each line; NEURON_MODULE_COUNT: all of them */
    size_t lines;
    int labels; /* columns */
} MapScale;

static MapScale scale_map(const Session *session, int columns) {
    size_t room = columns > MAP_CELLS ? MAP_CELLS : (size_t)columns;
    MapScale scale = {.layers = (size_t)session_neurons(session)->layers, .pooled = 1, .repeated = 1};
    if (scale.layers > room)
        scale.pooled = (scale.layers + room - 1) / room;
    else
        scale.repeated = room / scale.layers < WIDEST_CELL ? room / scale.layers : WIDEST_CELL;
    scale.modules[0] = NEURON_MODULE_COUNT;
    scale.lines = neurons_list_modules(session_neurons(session), scale.modules + 1) + 1;
    for (size_t i = 1; i < scale.lines; i++) {
        int width = text_width(neurons_module_name(scale.modules[i])) + LABEL_GAP;
        if (width > scale.labels) scale.labels = width;
    }
    scale.cells = (scale.layers + scale.pooled - 1) / scale.pooled * scale.repeated;
    return scale;
}

/* Cells of glyphs: a share can be told without colours. */
static void draw_cells(const Session *session, const MapScale *scale, Canvas *canvas, Rect title,
                       Rect cells) {
    double values[MOST_LINES * MAP_CELLS];
    ColourScale key = colour_scale_make(RAMP_SEQUENTIAL, 0.0, true);
    for (size_t i = 0; i < scale->lines * scale->cells; i++) {
        size_t first = i % scale->cells / scale->repeated * scale->pooled;
        bool is_new = i % scale->cells % scale->repeated == 0;
        values[i] = is_new ? session_reset_share(session, first, first + scale->pooled,
                                                 scale->modules[i / scale->cells])
                           : values[i - 1];
        colour_scale_include(&key, values[i]);
    }
    for (size_t i = 0; i < scale->lines * scale->cells; i++) {
        ThemeHeat heat = theme_heat(&canvas->theme, RAMP_SEQUENTIAL, colour_scale_share(&key, values[i]));
        (void)canvas_write_styled(canvas, cells, (int)(i / scale->cells), (int)(i % scale->cells), heat.style,
                                  heat.glyph);
    }
    if (key.most > 0.0 && title.columns >= KEY_FROM_COLUMNS) (void)colour_scale_draw(canvas, title, &key);
}

static void draw_map(const Session *session, Canvas *canvas, Rect area) {
    SessionReset reset = session_reset(session);
    const MapScale shape = scale_map(session, 1);
    size_t lines = shape.lines;
    Rect title = rect_cut_top(&area, 1), foot = rect_cut_bottom(&area, area.rows > (int)lines ? 1 : 0);
    Rect labels = rect_cut_left(&area, shape.labels), counts = rect_cut_right(&area, COUNT_COLUMNS);
    if (rect_is_empty(area)) return;
    MapScale scale = scale_map(session, area.columns);
    (void)canvas_write(canvas, title, 0, 0, ROLE_TITLE, "share reset, by layer →");
    draw_cells(session, &scale, canvas, title, area);
    for (int line = 0; line < (int)lines; line++) {
        char count[FORMAT_SIZE];
        uint64_t selected = line == 0 ? reset.selected : reset.by_module[scale.modules[line]];
        (void)canvas_write(canvas, labels, line, 0, line == 0 ? ROLE_TEXT : ROLE_DIM,
                           line == 0 ? "all" : neurons_module_name(scale.modules[line]));
        (void)canvas_write_right(canvas, counts, line, COUNT_COLUMNS, ROLE_VALUE,
                                 format_count(selected, count));
    }
    (void)canvas_write(canvas, foot, 0, 0, ROLE_DIM, "layer");
    (void)canvas_write(canvas, foot, 0, scale.labels, ROLE_DIM, "0");
    char last[FORMAT_SIZE];
    (void)canvas_write_right(canvas, foot, 0, scale.labels + (int)scale.cells, ROLE_DIM,
                             format_count(scale.layers - 1, last));
}

/* ---- what came and went ---- */

/* The figure that the selector went by. */
static NeuronColumn column_of(const Ranking *ranking) {
    switch (ranking->origin.selector) {
    case SELECTOR_ATTRIBUTION:
        return NEURON_COLUMN_SCORE;
    case SELECTOR_DRIFT:
        return NEURON_COLUMN_DRIFT;
    case SELECTOR_DORMANCY:
        return NEURON_COLUMN_SFT;
    case SELECTOR_GRADIENT:
        return NEURON_COLUMN_GRADIENT;
    default:
        return NEURON_COLUMN_RANK;
    }
}

static void draw_list(const TuneState *state, const Session *session, const char *title, uint64_t count,
                      const uint64_t *neurons, const Ranking *ranking, Canvas *canvas, Rect area) {
    char text[FORMAT_SIZE], target[64];
    int column = canvas_print(canvas, area, 0, 0, ROLE_TITLE, "%s %s", title, format_count(count, text));
    if (count == 0 || ranking == NULL) return;
    NeuronColumn figure = column_of(ranking);
    column = column < NAME_COLUMNS ? NAME_COLUMNS : column + 1;
    (void)canvas_write(canvas, area, 0, column, ROLE_DIM,
                       figure == NEURON_COLUMN_SCORE ? "score     target"
                                                     : neuron_column_facts(figure)->label);
    uint64_t named = count < SESSION_CHANGE_NAMED ? count : SESSION_CHANGE_NAMED;
    uint64_t first = state->list < named ? state->list : named - 1;
    for (int row = 1; row < area.rows && first < named; row++, first++) {
        NeuronScores facts;
        char name[FORMAT_SIZE * 2];
        if (row + 1 == area.rows && first + 1 < count) {
            (void)canvas_print(canvas, area, row, 0, ROLE_DIM, "… %" PRIu64 " more", count - first);
            break;
        }
        session_neuron(session, neurons[first], &facts);
        neuron_column_name(&facts, name);
        (void)canvas_write(canvas, area, row, 0, ROLE_TEXT, name);
        if (figure == NEURON_COLUMN_RANK)
            (void)snprintf(text, sizeof text, "%" PRIu32, ranking->ranks[neurons[first]]);
        else
            neuron_column_format(figure, &facts, text);
        (void)canvas_write(canvas, area, row, NAME_COLUMNS, ROLE_VALUE, text);
        if (figure != NEURON_COLUMN_SCORE) continue;
        neuron_column_format_target(session, facts.target, target, sizeof target);
        (void)canvas_write(canvas, area, row, NAME_COLUMNS + FIGURE_COLUMNS + 1, ROLE_DIM, target);
    }
}

static void draw_change(const TuneState *state, const Session *session, Canvas *canvas, Rect area) {
    const SessionChange *change = session_change(session);
    Rect head = rect_cut_top(&area, 1);
    if (change == NULL) {
        (void)canvas_write(canvas, head, 0, 0, ROLE_DIM,
                           "ρ, the selector and its targets decide what enters and leaves");
        return;
    }
    bool same = change->before.ranking == change->after.ranking;
    int column = canvas_write(canvas, head, 0, 0, ROLE_TITLE, "last step");
    if (change->rho_before != change->rho_after)
        column = canvas_print(canvas, head, 0, column, ROLE_TEXT, "  ρ %.2f %% → %.2f %%",
                              change->rho_before * 100.0, change->rho_after * 100.0);
    if (!same && change->before.ranking != NULL && change->after.ranking != NULL)
        (void)canvas_print(canvas, head, 0, column, ROLE_TEXT, "  %s → %s",
                           ranking_selector_name(change->before.ranking->origin.selector),
                           ranking_selector_name(change->after.ranking->origin.selector));
    draw_list(state, session, "entered", change->entered, change->entering, change->after.ranking, canvas,
              rect_pane(area, 0, 2, 1));
    draw_list(state, session, "left", change->left, change->leaving, change->before.ranking, canvas,
              rect_pane(area, 1, 2, 1));
}

static void draw_reset(TuneState *state, Session *session, Canvas *canvas, Rect area) {
    if (!session_reset(session).is_ready) {
        const char *message = session_ranking_message(session);
        (void)canvas_write_wrapped(canvas, area, 0, ROLE_DIM,
                                   message != NULL ? message : "ranking the neurons…");
        return;
    }
    int map = (int)scale_map(session, 1).lines + FRAME_ROWS;
    draw_map(session, canvas, rect_cut_top(&area, area.rows > map ? map : area.rows));
    draw_change(state, session, canvas, area);
}

/* ---- acting ---- */

static Reaction turn(Session *session, double step) {
    session_set_rho(session, session_settings(session)->rho + step);
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

static Reaction scroll(TuneState *state, const Session *session, long step) {
    const SessionChange *change = session_change(session);
    uint64_t longest = change == NULL ? 0 : change->entered > change->left ? change->entered : change->left;
    long last = longest < SESSION_CHANGE_NAMED ? (long)longest - 1 : SESSION_CHANGE_NAMED - 1;
    long row = (long)state->list + step;
    state->list = (size_t)(row > last ? (last < 0 ? 0 : last) : row < 0 ? 0 : row);
    return REACTION_REDRAW;
}

static Reaction act_on_reset(TuneState *state, Session *session, Action action,
                             const ActionArgument *argument) {
    switch (action) {
    case ACTION_MOVE_LEFT:
        return turn(session, -0.001 * argument->count);
    case ACTION_MOVE_RIGHT:
        return turn(session, 0.001 * argument->count);
    case ACTION_MOVE_UP:
        return scroll(state, session, -argument->count);
    case ACTION_MOVE_DOWN:
        return scroll(state, session, argument->count);
    case ACTION_FIRST:
        return scroll(state, session, -SESSION_CHANGE_NAMED);
    case ACTION_LAST:
        return scroll(state, session, SESSION_CHANGE_NAMED);
    default:
        return REACTION_IGNORED;
    }
}

static void add_neurons(Table *table, const Session *session, const char *change, uint64_t count,
                        const uint64_t *neurons, const Ranking *ranking) {
    for (uint64_t i = 0; i < count && i < SESSION_CHANGE_NAMED; i++) {
        NeuronScores facts;
        char name[NEURONS_NAME_SIZE];
        session_neuron(session, neurons[i], &facts);
        table_add_row(table);
        table_add_text(table, change);
        table_add_integer(table, (int64_t)facts.block.layer);
        neurons_name_block(&facts.matrix, name);
        table_add_text(table, strchr(name, '.') + 1);
        table_add_integer(table, (int64_t)facts.index);
        table_add_integer(table, ranking->ranks[neurons[i]]);
        table_add_number(table, facts.score);
    }
}

static Status list_change(TuneState *state, Session *session, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"change", NULL, NULL, TABLE_TEXT, 0},  {"layer", NULL, NULL, TABLE_INTEGER, 0},
        {"module", NULL, NULL, TABLE_TEXT, 0},  {"index", NULL, NULL, TABLE_INTEGER, 0},
        {"rank", NULL, NULL, TABLE_INTEGER, 0}, {"score", NULL, NULL, TABLE_NUMBER, 0}};
    const SessionChange *change = session_change(session);
    (void)state;
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    if (status != STATUS_OK || change == NULL) return status;
    add_neurons(*table, session, "entered", change->entered, change->entering, change->after.ranking);
    add_neurons(*table, session, "left", change->left, change->leaving, change->before.ranking);
    return STATUS_OK;
}

static CommandId twin_reset(const TuneState *state, Session *session, CommandLine *line) {
    (void)state;
    (void)session;
    (void)line;
    return COMMAND_RESET;
}

static const Action HINTS[] = {ACTION_PANE_NEXT,  ACTION_SELECTOR_NEXT, ACTION_TARGETS,
                               ACTION_RHO_UP,     ACTION_RHO_DOWN,      ACTION_RHO_SET,
                               ACTION_OMEGA_DOWN, ACTION_OMEGA_UP,      ACTION_PAPER};

const TunePane tune_reset_pane = {
    .name = "reset",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .keys = "←→ ρ  ↑↓ list",
    .dial = TUNE_RHO,
    .slot = TUNE_LEFT,
    .draw = draw_reset,
    .act = act_on_reset,
    .numbers = list_change,
    .twin = twin_reset,
};
