/* The page of all rungs: a map of layers × rungs, curves along the rungs, the figures of each. */
#include "core/support/memory.h"
#include "tui/app/view.h"
#include "tui/canvas/chart.h"
#include "tui/canvas/heat_map.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_ladder.h"
#include "tui/tables/ladder_table.h"
#include "views/layers/layers_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_LEAST = 5, CELL_MOST = 10, CHARTS_FROM = 64, CHART_LEAST = 24, FIGURE_COLUMNS = 9 };

/* ---- state ---- */

Status layers_ladder_open(Layers *layers, const Session *session, Error *error) {
    LayersLadder *ladder = &layers->ladder;
    if (session_ladder(session) == NULL) return STATUS_OK;
    ladder->columns = session_ladder(session)->count + 1;
    ladder->rung = session_ladder_rung(session);
    size_t cells = (layers->grid.layers > 0 ? layers->grid.layers : 1) * ladder->columns;
    ladder->values = memory_allocate(cells, sizeof *ladder->values);
    ladder->shares = memory_allocate(cells, sizeof *ladder->shares);
    ladder->texts = memory_allocate(cells, sizeof *ladder->texts);
    ladder->text_blocks = memory_allocate(cells, sizeof *ladder->text_blocks);
    ladder->x = memory_allocate(ladder->columns, sizeof *ladder->x);
    ladder->heads = memory_allocate(ladder->columns, sizeof *ladder->heads);
    ladder->head_blocks = memory_allocate(ladder->columns, sizeof *ladder->head_blocks);
    ladder->curves = memory_allocate(ladder->columns, LADDER_FIGURE_COUNT * sizeof *ladder->curves);
    bool complete = ladder->values != NULL && ladder->shares != NULL && ladder->texts != NULL &&
                    ladder->text_blocks != NULL && ladder->x != NULL && ladder->heads != NULL &&
                    ladder->head_blocks != NULL && ladder->curves != NULL;
    if (!complete) return memory_fail(error, "the Layers view");
    for (size_t number = 0; number < ladder->columns; number++) {
        ladder->x[number] = (double)number;
        ladder->heads[number] = ladder->head_blocks[number];
        (void)snprintf(ladder->head_blocks[number], LAYERS_RUNG_SIZE, "%zu", number);
    }
    return STATUS_OK;
}

void layers_ladder_close(LayersLadder *ladder) {
    free(ladder->values);
    free(ladder->shares);
    free(ladder->texts);
    free(ladder->text_blocks);
    free(ladder->x);
    free(ladder->heads);
    free(ladder->head_blocks);
    free(ladder->curves);
}

void layers_ladder_toggle(Layers *layers, Session *session) {
    if (layers->ladder.columns == 0) {
        session_say(session, SESSION_NOTE,
                    "one SFT model is open: rejuv BASE SFT SFT... opens several of one training");
        return;
    }
    layers->ladder.is_shown = layers->ladder.is_shown == 0;
    if (layers->ladder.is_shown) session_ladder_show(session);
}

/* What was restored may be of another ladder, or of none. */
static bool keep_in_range(Layers *layers) {
    LayersLadder *ladder = &layers->ladder;
    if (ladder->columns == 0) {
        ladder->is_shown = 0;
        return false;
    }
    if (ladder->rung >= ladder->columns) ladder->rung = ladder->columns - 1;
    if (ladder->figure >= LADDER_FIGURE_COUNT ||
        !ladder_figure_facts((LadderFigure)ladder->figure)->has_layers)
        ladder->figure = LADDER_DRIFT;
    if (layers->grid.layers > 0 && layers->row >= layers->grid.layers) layers->row = layers->grid.layers - 1;
    return true;
}

/* ---- figures ---- */

static LadderTaus taus_of(const Layers *layers) {
    return (LadderTaus){layers->list.tau, layers->list.gradient_tau};
}

static void format_figure(LadderFigure figure, double value, char text[FORMAT_SIZE]) {
    if (ladder_figure_facts(figure)->is_share)
        (void)snprintf(text, FORMAT_SIZE, "%.3g%%", value * 100);
    else if (value == 0)
        (void)snprintf(text, FORMAT_SIZE, "0");
    else
        (void)format_number(value, 4, text);
}

/* Base's drift is 0 by definition; a figure may not exist there, or at the last rung. */
static bool is_defined(const LadderFigures *figures, LadderFigure figure, size_t number) {
    LadderPart part = ladder_figure_facts(figure)->part;
    if (figure == LADDER_DRIFT || part == LADDER_ROWS || part == LADDER_PROMPT) return true;
    if (figure == LADDER_GRADIENT_DORMANT) return number > 0;
    return ladder_figures_applies(figures, number, part);
}

static const char *write_cell(const Layers *layers, const LadderFigures *figures, size_t number, double value,
                              int columns, char text[LAYERS_TEXT_SIZE]) {
    LadderFigure figure = (LadderFigure)layers->ladder.figure;
    char whole[FORMAT_SIZE];
    if (!is_defined(figures, figure, number)) return "–";
    if (!colour_scale_is_known(value)) return NULL;
    format_figure(figure, value, whole);
    if (text_width(whole) > columns && !ladder_figure_facts(figure)->is_share)
        (void)format_fit(value, columns > 6 ? columns : 6, whole);
    if (text_width(whole) > columns) return NULL;
    (void)snprintf(text, LAYERS_TEXT_SIZE, "%.*s", LAYERS_TEXT_SIZE - 1, whole);
    return text;
}

/* Fills what is drawn; returns the key of its colours. */
static ColourScale fill(Layers *layers, const LadderFigures *figures, int text_columns) {
    LayersLadder *ladder = &layers->ladder;
    LadderFigure figure = (LadderFigure)ladder->figure;
    LadderTaus taus = taus_of(layers);
    size_t cells = layers->grid.layers * ladder->columns;
    ColourScale key = colour_scale_make(RAMP_SEQUENTIAL, 0, layers->scale == LAYERS_LOGARITHMIC);
    for (size_t i = 0; i < cells; i++) {
        size_t layer = i / ladder->columns, number = i % ladder->columns;
        ladder->values[i] = ladder_layer_figure(figures, figure, number, layer, taus);
        ladder->texts[i] =
            write_cell(layers, figures, number, ladder->values[i], text_columns, ladder->text_blocks[i]);
        colour_scale_include(&key, ladder->values[i]);
    }
    colour_scale_share_all(&key, ladder->values, cells, ladder->shares, cells);
    for (LadderFigure f = 0; f < LADDER_FIGURE_COUNT; f++)
        for (size_t number = 0; number < ladder->columns; number++)
            ladder->curves[(size_t)f * ladder->columns + number] = ladder_figure(figures, f, number, taus);
    return key;
}

/* ---- drawing ---- */

/* The figure at the cursor, which a narrow cell has no room for; a figure that is cut would be another. */
static void draw_cursor(const Layers *layers, Canvas *canvas, Rect head, int column) {
    const LayersLadder *ladder = &layers->ladder;
    char place[64], text[FORMAT_SIZE];
    if (layers->grid.layers == 0) return;
    double value = ladder->values[layers->row * ladder->columns + ladder->rung];
    if (!colour_scale_is_known(value)) return;
    format_figure((LadderFigure)ladder->figure, value, text);
    (void)snprintf(place, sizeof place, "layer %zu, rung %zu ", layers->row, ladder->rung);
    if (column + text_width(place) + text_width(text) <= head.columns)
        column = canvas_write(canvas, head, 0, column, ROLE_DIM, place);
    if (column + text_width(text) <= head.columns)
        (void)canvas_write(canvas, head, 0, column, ROLE_VALUE, text);
}

static void draw_head(const Layers *layers, Canvas *canvas, Rect head, const ColourScale *key) {
    const LadderFigureFacts *facts = ladder_figure_facts((LadderFigure)layers->ladder.figure);
    int legend = colour_scale_draw(canvas, head, key);
    head.columns -= legend + 2;
    int column = canvas_write(canvas, head, 0, 0, ROLE_TITLE, facts->label) + 1;
    column = canvas_write(canvas, head, 0, column, ROLE_DIM, facts->unit) + 1;
    if (facts->part == LADDER_DORMANCY)
        column = canvas_print(canvas, head, 0, column, ROLE_DIM, "τ %.4g",
                              layers->ladder.figure == LADDER_DORMANT ? layers->list.tau
                                                                      : layers->list.gradient_tau) +
                 1;
    draw_cursor(layers, canvas, head, column + 1);
}

static void draw_map(Layers *layers, Canvas *canvas, Rect area, const ColourScale *key, int width) {
    LayersLadder *ladder = &layers->ladder;
    HeatMap map = {.values = ladder->shares,
                   .texts = ladder->texts,
                   .rows = layers->grid.layers,
                   .columns = ladder->columns,
                   .low = 0,
                   .high = 1,
                   .ramp = key->ramp,
                   .row_labels = layers->grid.row_labels,
                   .column_labels = ladder->heads,
                   .cell_width = width,
                   .cursor_row = layers->row,
                   .cursor_column = ladder->rung,
                   .marked_rows = true,
                   .pressed_row = &layers->row,
                   .pressed_column = &ladder->rung};
    layers->page = area.rows > 2 ? area.rows - 1 : 1;
    heat_map_draw(canvas, area, &map);
}

/* Two figures at most in one chart: of one unit, on one scale. */
static void draw_chart(const Layers *layers, const Session *session, Canvas *canvas, Rect area,
                       const LadderFigure *figures, size_t count) {
    const LayersLadder *ladder = &layers->ladder;
    static const Role ROLES[] = {ROLE_SFT, ROLE_BASE, ROLE_FUSED};
    ChartSeries series[3];
    for (size_t i = 0; i < count; i++)
        series[i] = (ChartSeries){.y = ladder->curves + (size_t)figures[i] * ladder->columns,
                                  .label = count > 1 ? ladder_figure_facts(figures[i])->brief : NULL,
                                  .role = ROLES[i]};
    const Chart chart = {.x = ladder->x,
                         .count = ladder->columns,
                         .series = series,
                         .series_count = count,
                         .title = ladder_figure_facts(figures[0])->brief,
                         .mark = (double)session_ladder_rung(session)};
    chart_draw(canvas, area, &chart);
}

/* Four charts in two rows where there is room, else the first that fit. */
static void draw_charts(const Layers *layers, const Session *session, Canvas *canvas, Rect area) {
    static const struct {
        LadderFigure figures[3];
        size_t count;
    } CHARTS[] = {{{LADDER_DRIFT, LADDER_STEP_DRIFT, LADDER_LAST_DRIFT}, 3},
                  {{LADDER_ENTROPY, LADDER_PROMPT_ENTROPY}, 2},
                  {{LADDER_LOSS}, 1},
                  {{LADDER_DORMANT, LADDER_GRADIENT_DORMANT}, 2}};
    enum { COUNT = sizeof CHARTS / sizeof *CHARTS, GAP = 2, ROWS_LEAST = 4 };
    int across = area.columns >= 2 * CHART_LEAST + GAP ? 2 : 1;
    int down = area.rows >= ROWS_LEAST * (COUNT / across) ? COUNT / across : area.rows / ROWS_LEAST;
    if (down < 1) return;
    int rows = area.rows / down, columns = (area.columns - (across - 1) * GAP) / across;
    for (int i = 0; i < across * down && i < COUNT; i++) {
        Rect chart = rect_make(area.row + i / across * rows, area.column + i % across * (columns + GAP), rows,
                               columns);
        draw_chart(layers, session, canvas, chart, CHARTS[i].figures, CHARTS[i].count);
    }
}

typedef struct RungList {
    const Layers *layers;
    const Session *session;
} RungList;

static void write_list_cell(void *user, size_t row, size_t column, char *text, Role *role) {
    const RungList *list = user;
    const Session *session = list->session;
    char name[64];
    if (column == 0) {
        const char *directory = session_ladder_name(session, row);
        (void)text_escape(directory, strlen(directory), TEXT_PLAIN, name, sizeof name);
        bool is_tuned = row == session_ladder_rung(session);
        *role = row == 0 ? ROLE_BASE : is_tuned ? ROLE_MARK : ROLE_SFT;
        (void)snprintf(text, LIST_CELL_SIZE, "%s%zu %s", is_tuned ? "▸" : " ", row, name);
        return;
    }
    LadderFigure figure = (LadderFigure)(column - 1);
    char figure_text[FORMAT_SIZE];
    double value = list->layers->ladder.curves[(size_t)figure * list->layers->ladder.columns + row];
    *role = column - 1 == list->layers->ladder.figure ? ROLE_TITLE : ROLE_VALUE;
    if (!is_defined(session_ladder_figures(session), figure, row)) {
        (void)snprintf(text, LIST_CELL_SIZE, "–");
        *role = ROLE_DIM;
    } else if (!colour_scale_is_known(value)) {
        (void)snprintf(text, LIST_CELL_SIZE, "·");
        *role = ROLE_STALE;
    } else {
        format_figure(figure, value, figure_text);
        (void)snprintf(text, LIST_CELL_SIZE, "%s", figure_text);
    }
}

static void draw_list(Layers *layers, const Session *session, Canvas *canvas, Rect area) {
    static const int PRIORITIES[LADDER_FIGURE_COUNT] = {
        [LADDER_DRIFT] = 1,   [LADDER_STEP_DRIFT] = 5,       [LADDER_LAST_DRIFT] = 6,
        [LADDER_DORMANT] = 2, [LADDER_GRADIENT_DORMANT] = 4, [LADDER_LOSS] = 1,
        [LADDER_ENTROPY] = 1, [LADDER_PROMPT_ENTROPY] = 3};
    ListColumn columns[LADDER_FIGURE_COUNT + 1] = {{.title = "rung"}};
    RungList list = {layers, session};
    for (LadderFigure figure = 0; figure < LADDER_FIGURE_COUNT; figure++)
        columns[figure + 1] = (ListColumn){.title = ladder_figure_facts(figure)->brief,
                                           .width = FIGURE_COLUMNS - 1,
                                           .right = true,
                                           .priority = PRIORITIES[figure]};
    layers->ladder.list.cursor = layers->ladder.rung;
    list_box_draw(canvas, area, &layers->ladder.list, layers->ladder.columns, columns,
                  LADDER_FIGURE_COUNT + 1, true, write_list_cell, &list);
}

enum { REASON_SIZE = ERROR_MESSAGE_SIZE + KEY_TEXT_SIZE, REASON_ROWS = 3 };

/* Why some figure is not there, where it does not come by itself; else what makes figures doubtful. Empty: nothing. */
static Role find_reason(const Session *session, char text[REASON_SIZE]) {
    char keys[KEY_TEXT_SIZE];
    for (LadderPart part = 0; part < LADDER_PART_COUNT; part++) {
        const char *message = session_ladder_message(session, part);
        if (message == NULL) continue;
        bool waits = session_ladder_waits(session, part);
        (void)snprintf(text, REASON_SIZE, "%s%s", message,
                       waits ? key_text("layers", "  ({measure} measures)", keys) : "");
        return ROLE_STALE;
    }
    const char *warning = session_ladder_warning(session);
    (void)snprintf(text, REASON_SIZE, "%s", warning != NULL ? warning : "");
    return ROLE_WARNING;
}

static void draw_reason(const Session *session, Canvas *canvas, Rect *area) {
    char text[REASON_SIZE];
    if (area->rows <= 4) return;
    Role role = find_reason(session, text);
    int rows = canvas_count_wrapped(area->columns, text);
    if (rows > area->rows / 4) rows = area->rows / 4;
    if (rows > REASON_ROWS) rows = REASON_ROWS;
    if (rows > 0) (void)canvas_write_wrapped(canvas, rect_cut_bottom(area, rows), 0, role, text);
}

void layers_ladder_draw(Layers *layers, Session *session, Canvas *canvas, Rect area) {
    if (!keep_in_range(layers)) return;
    const LadderFigures *figures = session_ladder_figures(session);
    bool has_charts = area.columns >= CHARTS_FROM && !view_is_zoomed();
    int labels = 6,
        least = labels + (int)(layers->ladder.columns < 8 ? layers->ladder.columns : 8) * CELL_MOST;
    int map_columns = has_charts ? (least < area.columns / 2 ? least : area.columns / 2) : area.columns;
    int width = (map_columns - labels) / (int)layers->ladder.columns;
    width = width < CELL_LEAST ? CELL_LEAST : width > CELL_MOST ? CELL_MOST : width;
    ColourScale key = fill(layers, figures, theme_fills(&canvas->theme) ? width - 2 : width - 4);
    draw_head(layers, canvas, rect_cut_top(&area, 1), &key);
    draw_reason(session, canvas, &area);
    int list = (int)(layers->ladder.columns < 1000 ? layers->ladder.columns : 1000) + 1;
    if (list > area.rows / 3) list = area.rows / 3;
    if (list >= 3) {
        draw_list(layers, session, canvas, rect_cut_bottom(&area, list));
        (void)rect_cut_bottom(&area, 1);
    }
    Rect map = rect_cut_left(&area, map_columns);
    if (layers->grid.layers > 0) draw_map(layers, canvas, map, &key, width);
    (void)rect_cut_left(&area, 2);
    if (has_charts) draw_charts(layers, session, canvas, area);
}

/* ---- acting ---- */

static size_t step(size_t from, size_t last, long by) {
    if (by < 0) return from > (size_t)-by ? from - (size_t)-by : 0;
    return (size_t)by < last - from ? from + (size_t)by : last;
}

static void turn_figure(LayersLadder *ladder, int direction) {
    size_t figure = ladder->figure;
    do
        figure =
            (figure + LADDER_FIGURE_COUNT + (size_t)(direction + LADDER_FIGURE_COUNT)) % LADDER_FIGURE_COUNT;
    while (!ladder_figure_facts((LadderFigure)figure)->has_layers);
    ladder->figure = figure;
}

Reaction layers_ladder_act(Layers *layers, Session *session, Action action, const ActionArgument *argument) {
    LayersLadder *ladder = &layers->ladder;
    size_t last = layers->grid.layers > 0 ? layers->grid.layers - 1 : 0;
    long count = argument->count;
    if (!keep_in_range(layers)) return REACTION_IGNORED;
    switch (action) {
    case ACTION_MOVE_LEFT:
    case ACTION_MOVE_RIGHT:
        ladder->rung = step(ladder->rung, ladder->columns - 1, action == ACTION_MOVE_LEFT ? -count : count);
        return REACTION_REDRAW;
    case ACTION_MOVE_UP:
    case ACTION_MOVE_DOWN:
        layers->row = step(layers->row, last, action == ACTION_MOVE_UP ? -count : count);
        return REACTION_REDRAW;
    case ACTION_PAGE_UP:
    case ACTION_PAGE_DOWN:
        layers->row = step(layers->row, last, (action == ACTION_PAGE_UP ? -count : count) * layers->page);
        return REACTION_REDRAW;
    case ACTION_FIRST:
    case ACTION_LAST:
        if (argument->has_count) return REACTION_IGNORED; /* to a layer, as on the map */
        layers->row = action == ACTION_FIRST ? 0 : last;
        return REACTION_REDRAW;
    case ACTION_METRIC_NEXT:
    case ACTION_METRIC_PREVIOUS:
        turn_figure(ladder, action == ACTION_METRIC_NEXT ? 1 : -1);
        return REACTION_REDRAW;
    case ACTION_SCALE_NEXT: /* which has no columns of its own */
        layers->scale = layers->scale == LAYERS_LOGARITHMIC ? LAYERS_LINEAR : LAYERS_LOGARITHMIC;
        return REACTION_REDRAW;
    case ACTION_ENTER:
        if (ladder->rung > 0) view_request_rung(ladder->rung);
        return REACTION_REDRAW;
    case ACTION_MEASURE:
        session_ladder_measure(session);
        return REACTION_IGNORED; /* and what the map measures */
    case ACTION_BACK:
        ladder->is_shown = 0;
        return REACTION_REDRAW;
    default:
        return REACTION_IGNORED;
    }
}

Status layers_ladder_make_table(const Layers *layers, const Session *session, Table **table, Error *error) {
    return ladder_table_create(session_ladder(session), session_ladder_figures(session), taus_of(layers),
                               true, table, error);
}
