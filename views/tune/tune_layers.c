/* The pane layers of Tune: α as a curve over the layers. */
#include "core/support/memory.h"
#include "tui/canvas/chart.h"
#include "tui/canvas/colour_scale.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_neurons.h"
#include "tui/session/session_reset.h"
#include "views/tune/tune_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { NOTE_ROWS = 3 };

/* ---- drawing ---- */

static void draw_curve(const TuneState *state, const Session *session, size_t layers, Canvas *canvas,
                       Rect area) {
    double *x = memory_allocate(layers, sizeof *x), *y = memory_allocate(layers, sizeof *y);
    bool is_curve = session_settings(session)->curve != NULL;
    for (size_t i = 0; i < layers && x != NULL && y != NULL; i++) {
        x[i] = (double)i;
        y[i] = session_layer_alpha(session, i);
    }
    const ChartSeries series = {.y = y, .role = is_curve ? ROLE_FUSED : ROLE_DIM};
    const Chart chart = {.x = x,
                         .count = layers,
                         .series = &series,
                         .series_count = 1,
                         .x_label = "layer",
                         .mark = (double)state->layer,
                         .y_low = 0.0,
                         .y_high = 1.0};
    if (x != NULL && y != NULL) chart_draw(canvas, area, &chart);
    free(x);
    free(y);
}

/* Kinds that take no notice of the curve. */
static void draw_exceptions(const Session *session, Canvas *canvas, Rect row) {
    const Settings *settings = session_settings(session);
    int column = 0;
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        if (!settings->kinds[i].is_set || i == SETTINGS_EMBEDDING || i == SETTINGS_HEAD) continue;
        column = canvas_print(canvas, row, 0, column, ROLE_TEXT, "%s %s",
                              column > 0 ? "," : "own α before it:", settings_kind_name((SettingsKind)i));
    }
    if (column == 0 && settings->curve != NULL)
        (void)canvas_print(canvas, row, 0, 0, ROLE_DIM, "embed, lm_head: α %.3f", settings->alpha);
}

static void draw_notes(const TuneState *state, const Session *session, Canvas *canvas, Rect area) {
    const Settings *settings = session_settings(session);
    char share[FORMAT_SIZE], *text = settings_text_format_layers(settings->curve);
    double reset = session_reset_share(session, state->layer, state->layer + 1, NEURON_MODULE_COUNT);
    int column = canvas_print(canvas, area, 0, 0, ROLE_TITLE, "layer %zu", state->layer);
    column = canvas_print(canvas, area, 0, column, ROLE_VALUE, "  α %.3f",
                          session_layer_alpha(session, state->layer));
    if (colour_scale_is_known(reset))
        (void)canvas_print(canvas, area, 0, column, ROLE_TEXT, "  reset %s", format_share(reset, share));
    draw_exceptions(session, canvas, rect_make(area.row + 1, area.column, area.rows > 1, area.columns));
    if (settings->curve == NULL)
        (void)canvas_write(canvas, area, 2, 0, ROLE_DIM, "level: every layer follows α");
    else if (text != NULL)
        (void)canvas_print(canvas, area, 2, 0, ROLE_DIM, "--alpha-layers %s", text);
    free(text);
}

static void draw_layers(TuneState *state, Session *session, Canvas *canvas, Rect area) {
    size_t layers = session_layers(session);
    if (layers == 0) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_DIM, "this pair has no layers");
        return;
    }
    if (state->layer >= layers) state->layer = layers - 1;
    Rect notes = rect_cut_bottom(&area, area.rows > 2 * NOTE_ROWS ? NOTE_ROWS : 1);
    draw_curve(state, session, layers, canvas, area);
    draw_notes(state, session, canvas, notes);
}

/* ---- acting ---- */

static Reaction move(TuneState *state, const Session *session, long step) {
    long layer = (long)state->layer + step, last = (long)session_layers(session) - 1;
    state->layer = (size_t)(layer > last ? last : layer < 0 ? 0 : layer);
    return REACTION_REDRAW;
}

static Reaction turn(const TuneState *state, Session *session, double step) {
    session_set_layer_alpha(session, state->layer, session_layer_alpha(session, state->layer) + step);
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

static Reaction act_on_layers(TuneState *state, Session *session, Action action,
                              const ActionArgument *argument) {
    if (session_layers(session) == 0) return REACTION_IGNORED;
    switch (action) {
    case ACTION_MOVE_LEFT:
        return move(state, session, -argument->count);
    case ACTION_MOVE_RIGHT:
        return move(state, session, argument->count);
    case ACTION_FIRST:
        return move(state, session, -(long)session_layers(session));
    case ACTION_LAST:
        return move(state, session, (long)session_layers(session));
    case ACTION_MOVE_UP:
        return turn(state, session, 0.01 * argument->count);
    case ACTION_MOVE_DOWN:
        return turn(state, session, -0.01 * argument->count);
    case ACTION_PAGE_UP:
        return turn(state, session, 0.1 * argument->count);
    case ACTION_PAGE_DOWN:
        return turn(state, session, -0.1 * argument->count);
    case ACTION_ALPHA_CLEAR:
        session_clear_layers(session);
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    default:
        return REACTION_IGNORED;
    }
}

/* "12": that layer. */
static bool find_layer(TuneState *state, Session *session, const char *text, int direction, bool stay) {
    size_t layer;
    char more;
    (void)direction;
    (void)stay;
    if (sscanf(text, "%zu%c", &layer, &more) != 1 || layer >= session_layers(session)) return false;
    state->layer = layer;
    return true;
}

static Status list_layers(TuneState *state, Session *session, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"layer", NULL, NULL, TABLE_INTEGER, 0},
                                          {"alpha", NULL, NULL, TABLE_NUMBER, 0},
                                          {"reset_share", NULL, NULL, TABLE_NUMBER, 0}};
    (void)state;
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (size_t i = 0; i < session_layers(session) && status == STATUS_OK; i++) {
        table_add_row(*table);
        table_add_integer(*table, (int64_t)i);
        table_add_number(*table, session_layer_alpha(session, i));
        table_add_number(*table, session_reset_share(session, i, i + 1, NEURON_MODULE_COUNT));
    }
    return status;
}

static const Action HINTS[] = {ACTION_PANE_NEXT,  ACTION_MOVE_LEFT,    ACTION_MOVE_UP,    ACTION_MOVE_DOWN,
                               ACTION_MOVE_RIGHT, ACTION_ALPHA_LAYERS, ACTION_ALPHA_CLEAR};

const TunePane tune_layers_pane = {
    .name = "layers",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .keys = "←→ layer  ↑↓ α  {alpha-layers} list  {alpha-clear} level",
    .slot = TUNE_BELOW,
    .size = 24,
    .draw = draw_layers,
    .act = act_on_layers,
    .find = find_layer,
    .numbers = list_layers,
};
