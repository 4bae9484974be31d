/*
 * tune — the dial α, what it does to every headline figure, and the sweep that shows where it could stand.
 */
#include "core/memory.h"
#include "tui/format.h"
#include "tui/session_method.h"
#include "tui/session_pair.h"
#include "tui/session_tune.h"
#include "tui/text.h"
#include "tui/widget_chart.h"
#include "tui/widget_dial.h"
#include "views/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIALS = 3,
    RHO_POINTS = 17,
    LABEL_COLUMNS = 26,
    FIGURE_COLUMNS = 11,
    CHART_ROWS = 6,
    SIDE_BY_SIDE = 120
};

/* The paper sweeps ρ up to 4 %; the dial turns further, its picture does not. */
static const double MOST_RHO = 0.04;

typedef struct TuneState {
    double from, to; /* the sweep's ends */
    size_t points;
    size_t cursor; /* the figure under the cursor: what the large chart shows */
} TuneState;

static Status open_tune(Session *session, void **state, Error *error) {
    (void)session;
    TuneState *made = memory_allocate(1, sizeof *made);
    if (made == NULL) return memory_fail(error, "the tune view");
    *made = (TuneState){.from = 0.0, .to = 1.0, .points = SESSION_SWEEP_POINTS};
    *state = made;
    return STATUS_OK;
}

/* ---- drawing ---- */

static void draw_dials(const Session *session, Canvas *canvas, Rect area) {
    const Settings *settings = session_settings(session);
    char alpha[FORMAT_SIZE], rho[FORMAT_SIZE], omega[FORMAT_SIZE];
    (void)snprintf(alpha, sizeof alpha, "%.3f", settings->alpha);
    (void)snprintf(rho, sizeof rho, "%.2f %%", settings->rho * 100.0);
    (void)snprintf(omega, sizeof omega, "%.2f", settings->omega);
    const Dial dials[] = {{.label = "α fusion",
                           .low_label = "base",
                           .high_label = "SFT",
                           .value_text = alpha,
                           .high = 1.0,
                           .value = settings->alpha,
                           .ticks = 10,
                           .action = ACTION_ALPHA_SET,
                           .selected = true},
                          {.label = "ρ reset",
                           .low_label = "0",
                           .high_label = "4 %",
                           .value_text = rho,
                           .high = MOST_RHO,
                           .value = settings->rho < MOST_RHO ? settings->rho : MOST_RHO,
                           .ticks = 4,
                           .action = ACTION_RHO_SET,
                           .per_unit = 100.0},
                          {.label = "ω strength",
                           .low_label = "0",
                           .high_label = "1",
                           .value_text = omega,
                           .high = 1.0,
                           .value = settings->omega,
                           .ticks = 4,
                           .action = ACTION_OMEGA_SET}};
    for (int i = 0; i < DIALS; i++) {
        Dial dial = dials[i];
        dial.label_columns = 10;
        dial.end_columns = 4;
        dial.value_columns = 7;
        dial_draw(canvas, area, i, &dial);
    }
}

/* What ρ cuts out of the ranking, and where. */
static void draw_reset(const Session *session, Canvas *canvas, Rect area) {
    SessionReset reset = session_reset(session);
    if (!reset.is_ready) {
        const char *message = session_method_message(session);
        (void)canvas_print(canvas, area, 0, 0, ROLE_DIM, "reset by %s: %s",
                           ranking_selector_name(reset.selector),
                           message != NULL ? message : "ranking the neurons…");
        return;
    }
    char selected[FORMAT_SIZE], all[FORMAT_SIZE];
    int column = canvas_print(canvas, area, 0, 0, ROLE_TEXT, "%s", ranking_selector_name(reset.selector));
    if (reset.selector == SELECTOR_ATTRIBUTION)
        column = canvas_print(canvas, area, 0, column, ROLE_TEXT, ", %u a target: ", reset.per_target);
    else
        column = canvas_write(canvas, area, 0, column, ROLE_TEXT, ": ");
    column = canvas_print(canvas, area, 0, column, ROLE_VALUE, "%s of %s",
                          format_count(reset.selected, selected), format_count(reset.neurons, all));
    for (int module = 0; module < NEURON_MODULE_COUNT && reset.selected > 0; module++)
        column = canvas_print(canvas, area, 0, column, ROLE_DIM, " %s%llu",
                              neurons_module_name((NeuronModule)module),
                              (unsigned long long)reset.by_module[module]);
}

static void draw_rows_line(const Session *session, Canvas *canvas, Rect area) {
    const char *message;
    const Calibration *calibration = session_calibration(session, &message);
    if (calibration == NULL) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_WARNING, message);
        return;
    }
    char tokens[FORMAT_SIZE], responses[FORMAT_SIZE];
    int column =
        canvas_print(canvas, area, 0, 0, ROLE_DIM, "means over %s response tokens of %zu rows (%s tokens): ",
                     format_count(calibration->response_tokens, responses), calibration->count,
                     format_count(calibration->tokens, tokens));
    const char *slash = strrchr(calibration->source, '/');
    const char *name = slash == NULL ? calibration->source : slash + 1;
    (void)canvas_write_raw(canvas, area, 0, column, ROLE_DIM, TEXT_PLAIN, name, strlen(name));
}

static void format_figure(const DistributionFigure *figure, double value, char text[FORMAT_SIZE]) {
    (void)(figure->is_share ? format_share(value, text) : format_number(value, 4, text));
}

static void draw_headlines(const TuneState *state, const Session *session, Canvas *canvas, Rect area) {
    const DistributionAverages *columns[] = {session_headline_base(session), session_headline_sft(session),
                                             session_headline_fused(session)};
    static const char *const NAMES[] = {"base", "SFT", "W"};
    static const Role ROLES[] = {ROLE_BASE, ROLE_SFT, ROLE_FUSED};
    bool stale = session_headline_is_stale(session);
    char fused[48];
    (void)snprintf(fused, sizeof fused, "W%s", stale && columns[2] != NULL ? "~" : "");
    for (int c = 0; c < 3; c++)
        (void)canvas_write_right(canvas, area, 0, LABEL_COLUMNS + (c + 1) * FIGURE_COLUMNS, ROLES[c],
                                 c == 2 ? fused : NAMES[c]);
    /* where not all fit, those around the cursor */
    size_t shown = area.rows > 1 ? (size_t)area.rows - 1 : 1, first = 0;
    if (state->cursor + 1 > shown) first = state->cursor + 1 - shown;
    for (size_t i = first; i < DISTRIBUTION_FIGURE_COUNT && i < first + shown; i++) {
        const DistributionFigure *figure = &DISTRIBUTION_FIGURES[i];
        int row = (int)(i - first) + 1;
        (void)canvas_print(canvas, area, row, 1, i == state->cursor ? ROLE_SELECTED : ROLE_TEXT, "%s%s%s%s",
                           figure->label, *figure->unit ? " (" : "", figure->unit, *figure->unit ? ")" : "");
        for (int c = 0; c < 3; c++) {
            char text[FORMAT_SIZE] = "…";
            if (columns[c] != NULL) format_figure(figure, distribution_figure(columns[c], i), text);
            (void)canvas_write_right(canvas, area, row, LABEL_COLUMNS + (c + 1) * FIGURE_COLUMNS,
                                     c == 2 && stale ? ROLE_STALE : ROLE_VALUE, text);
        }
    }
}

/* One figure of the sweep as a curve, the dial marked. */
static void draw_curve(const Session *session, size_t figure, Canvas *canvas, Rect area) {
    SessionSweep sweep = session_sweep(session);
    double values[SESSION_SWEEP_LARGEST];
    for (size_t i = 0; i < sweep.count; i++) values[i] = distribution_figure(&sweep.averages[i], figure);
    ChartSeries series = {.y = values, .role = ROLE_FUSED};
    const Settings *settings = session_settings(session);
    Chart chart = {.x = sweep.values,
                   .count = sweep.count,
                   .series = &series,
                   .series_count = 1,
                   .title = DISTRIBUTION_FIGURES[figure].label,
                   .x_label = sweep.is_rho ? "ρ" : "α",
                   .mark = sweep.is_rho ? settings->rho : settings->alpha};
    chart_draw(canvas, area, &chart);
}

static size_t find_figure(const char *key) {
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++) {
        if (strcmp(DISTRIBUTION_FIGURES[i].key, key) == 0) return i;
    }
    return 0;
}

/* What the issue of over-training turns on; the figure under the cursor takes the last place if it is another
 * one. */
static void draw_sweep(const TuneState *state, const Session *session, Canvas *canvas, Rect area) {
    static const char *const SHOWN[] = {"entropy", "kl_base", "kl_sft", "loss"};
    enum { CURVES = sizeof SHOWN / sizeof *SHOWN };
    SessionSweep sweep = session_sweep(session);
    if (sweep.count == 0) {
        const char *message = sweep.error != NULL ? sweep.error
                              : sweep.is_running
                                  ? "sweeping…"
                                  : "s sweeps over α, v over ρ: entropy, KL to base and SFT, loss";
        (void)canvas_write_wrapped(canvas, area, 0, sweep.error != NULL ? ROLE_ERROR : ROLE_DIM, message);
        return;
    }
    size_t figures[CURVES];
    bool has_cursor = false;
    for (int i = 0; i < CURVES; i++) {
        figures[i] = find_figure(SHOWN[i]);
        has_cursor = has_cursor || figures[i] == state->cursor;
    }
    if (!has_cursor) figures[CURVES - 1] = state->cursor;
    bool grid = area.rows >= 2 * CHART_ROWS + 1 && area.columns < SIDE_BY_SIDE * 2;
    Rect top = grid ? rect_cut_top(&area, area.rows / 2) : area;
    int across = grid ? CURVES / 2 : CURVES;
    for (int i = 0; i < CURVES; i++)
        draw_curve(session, figures[i], canvas, rect_pane(i < across ? top : area, i % across, across, 2));
}

static void draw_tune(void *opaque, Session *session, Canvas *canvas, Rect area) {
    const TuneState *state = opaque;
    draw_dials(session, canvas, rect_cut_top(&area, DIALS));
    draw_reset(session, canvas, rect_cut_top(&area, 1));
    draw_rows_line(session, canvas, rect_cut_top(&area, 1));
    Rect charts = area;
    int rows = (int)DISTRIBUTION_FIGURE_COUNT + 1;
    Rect table = area.columns >= SIDE_BY_SIDE
                     ? rect_cut_left(&charts, LABEL_COLUMNS + 3 * FIGURE_COLUMNS + 3)
                     : rect_cut_top(&charts, area.rows > rows + CHART_ROWS ? rows : area.rows - CHART_ROWS);
    const char *message = session_headline_message(session);
    if (message != NULL) {
        int row = canvas_write_wrapped(canvas, table, 1, ROLE_WARNING, message);
        if (session_calibration(session, NULL) != NULL)
            (void)canvas_write(canvas, table, row, 0, ROLE_DIM, "r measures now");
    } else {
        draw_headlines(state, session, canvas, table);
    }
    draw_sweep(state, session, canvas, charts);
}

/* ---- acting ---- */

static Reaction turn(Session *session, double step) {
    session_set_alpha(session, session_settings(session)->alpha + step);
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

static Reaction set_range(TuneState *state, Session *session, const char *text) {
    double from, to;
    size_t points = state->points;
    int read = sscanf(text, "%lf:%lf:%zu", &from, &to, &points);
    bool sensible =
        read >= 2 && from >= 0.0 && to <= 1.0 && from < to && points >= 2 && points <= SESSION_SWEEP_LARGEST;
    if (!sensible) {
        session_say(session, SESSION_WARNING, "expected FROM:TO:POINTS within 0:1, 2 to %d points",
                    (int)SESSION_SWEEP_LARGEST);
        return REACTION_REDRAW;
    }
    state->from = from;
    state->to = to;
    state->points = points;
    session_start_sweep(session, false, from, to, points);
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

static Reaction move(TuneState *state, long step) {
    long row = (long)state->cursor + step, last = (long)DISTRIBUTION_FIGURE_COUNT - 1;
    state->cursor = (size_t)(row < 0 ? 0 : row > last ? last : row);
    return REACTION_REDRAW;
}

static Reaction act_on_tune(void *opaque, Session *session, Action action, const ActionArgument *argument) {
    TuneState *state = opaque;
    switch (action) {
    case ACTION_MOVE_LEFT:
        return turn(session, -0.01 * argument->count);
    case ACTION_MOVE_RIGHT:
        return turn(session, 0.01 * argument->count);
    case ACTION_PAGE_UP:
        return turn(session, 0.1 * argument->count);
    case ACTION_PAGE_DOWN:
        return turn(session, -0.1 * argument->count);
    case ACTION_MOVE_UP:
        return move(state, -argument->count);
    case ACTION_MOVE_DOWN:
        return move(state, argument->count);
    case ACTION_FIRST:
        return move(state, -(long)DISTRIBUTION_FIGURE_COUNT);
    case ACTION_LAST:
        return move(state, (long)DISTRIBUTION_FIGURE_COUNT);
    case ACTION_SWEEP:
        session_start_sweep(session, false, state->from, state->to, state->points);
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    case ACTION_SWEEP_RHO:
        session_start_sweep(session, true, 0.0, MOST_RHO, RHO_POINTS);
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    case ACTION_SELECTOR_NEXT:
        session_set_selector(session, (Selector)((session_reset(session).selector + 1) % SELECTOR_LIST));
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    case ACTION_TARGETS:
        session_set_targets(session, argument->number >= 1.0 ? (size_t)argument->number : 0);
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    case ACTION_SWEEP_RANGE:
        return set_range(state, session, argument->text);
    case ACTION_MEASURE:
        session_measure_headlines(session);
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    default:
        return REACTION_IGNORED;
    }
}

static bool find_row(void *opaque, Session *session, const char *text, int direction, bool stay) {
    TuneState *state = opaque;
    (void)session;
    size_t count = DISTRIBUTION_FIGURE_COUNT;
    for (size_t step = stay ? 0 : 1; step < count + (stay ? 0 : 1); step++) {
        size_t at = (state->cursor + (direction > 0 ? step : count - step % count)) % count;
        if (!text_find(DISTRIBUTION_FIGURES[at].label, text)) continue;
        state->cursor = at;
        return true;
    }
    return false;
}

/* ---- numbers ---- */

static void add_averages(Table *table, const char *model, const Settings *settings,
                         const DistributionAverages *averages) {
    if (averages == NULL) return;
    table_add_row(table);
    table_add_text(table, model);
    table_add_number(table, settings->alpha);
    table_add_number(table, settings->rho);
    table_add_number(table, settings->omega);
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
        table_add_number(table, distribution_figure(averages, i));
}

static Status list_numbers(void *opaque, Session *session, Table **table, Error *error) {
    (void)opaque;
    enum { MOST_COLUMNS = 32 };
    TableColumn columns[MOST_COLUMNS] = {{"model", NULL, NULL, TABLE_TEXT, 0},
                                         {"alpha", NULL, NULL, TABLE_NUMBER, 0},
                                         {"rho", NULL, NULL, TABLE_NUMBER, 0},
                                         {"omega", NULL, NULL, TABLE_NUMBER, 0}};
    size_t count = 4;
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT && count < MOST_COLUMNS; i++)
        columns[count++] =
            (TableColumn){DISTRIBUTION_FIGURES[i].key, NULL, DISTRIBUTION_FIGURES[i].unit, TABLE_NUMBER, 0};
    Status status = table_create(columns, count, table, error);
    if (status != STATUS_OK) return status;
    const Settings base = settings_at(0.0), sft = settings_at(1.0);
    add_averages(*table, "base", &base, session_headline_base(session));
    add_averages(*table, "sft", &sft, session_headline_sft(session));
    add_averages(*table, "fused", session_headline_settings(session), session_headline_fused(session));
    SessionSweep sweep = session_sweep(session);
    for (size_t i = 0; i < sweep.count; i++) {
        Settings settings = *sweep.settings;
        *(sweep.is_rho ? &settings.rho : &settings.alpha) = sweep.values[i];
        add_averages(*table, "sweep", &settings, &sweep.averages[i]);
    }
    return STATUS_OK;
}

static const Action HINTS[] = {ACTION_MOVE_RIGHT, ACTION_ALPHA_SET, ACTION_SWEEP, ACTION_SWEEP_RANGE,
                               ACTION_MEASURE};

const View tune_view = {
    .name = "tune",
    .title = "Tune",
    .help =
        "W = α·SFT + (1 − α)·base; on the neurons that ρ selects, α is (1 − ω)·α. The table follows the dial as soon as the forward pass is done; until then the "
        "column W~ is older than the dial. The curves are a sweep, the dial marked in them.",
    .parts = SESSION_PART_HEADLINE | SESSION_PART_SWEEP | SESSION_PART_METHOD,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .open = open_tune,
    .draw = draw_tune,
    .act = act_on_tune,
    .find = find_row,
    .numbers = list_numbers,
    .close = free,
};
