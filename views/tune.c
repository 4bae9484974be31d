/*
 * tune — the dial α, what it does to every headline figure, and the sweep that shows where it could stand.
 */
#include "core/memory.h"
#include "tui/format.h"
#include "tui/session_pair.h"
#include "tui/session_tune.h"
#include "tui/text.h"
#include "tui/widget_chart.h"
#include "tui/widget_dial.h"
#include "views/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_COLUMNS = 26, FIGURE_COLUMNS = 11, CHART_ROWS = 6, SIDE_BY_SIDE = 120 };

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

static void draw_dial(const Session *session, Canvas *canvas, Rect area) {
    char value[FORMAT_SIZE];
    (void)snprintf(value, sizeof value, "%.3f", session_settings(session)->alpha);
    Dial dial = {.label = "α fusion",
                 .low_label = "base",
                 .high_label = "SFT",
                 .value_text = value,
                 .low = 0.0,
                 .high = 1.0,
                 .value = session_settings(session)->alpha,
                 .ticks = 10,
                 .selected = true};
    dial_draw(canvas, area, 0, &dial);
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
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++) {
        const DistributionFigure *figure = &DISTRIBUTION_FIGURES[i];
        int row = (int)i + 1;
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
    Chart chart = {.x = sweep.alphas,
                   .count = sweep.count,
                   .series = &series,
                   .series_count = 1,
                   .title = DISTRIBUTION_FIGURES[figure].label,
                   .x_label = "α",
                   .mark = session_settings(session)->alpha};
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
                              : sweep.is_running  ? "sweeping over α…"
                                                  : "s sweeps over α: entropy, KL to base and SFT, loss";
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
    draw_dial(session, canvas, rect_cut_top(&area, 1));
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
    session_start_sweep(session, from, to, points);
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
        session_start_sweep(session, state->from, state->to, state->points);
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

static void add_averages(Table *table, const char *model, double alpha,
                         const DistributionAverages *averages) {
    if (averages == NULL) return;
    table_add_row(table);
    table_add_text(table, model);
    table_add_number(table, alpha);
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++)
        table_add_number(table, distribution_figure(averages, i));
}

static Status list_numbers(void *opaque, Session *session, Table **table, Error *error) {
    (void)opaque;
    enum { MOST_COLUMNS = 32 };
    TableColumn columns[MOST_COLUMNS] = {{"model", NULL, NULL, TABLE_TEXT, 0},
                                         {"alpha", NULL, NULL, TABLE_NUMBER, 0}};
    size_t count = 2;
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT && count < MOST_COLUMNS; i++)
        columns[count++] =
            (TableColumn){DISTRIBUTION_FIGURES[i].key, NULL, DISTRIBUTION_FIGURES[i].unit, TABLE_NUMBER, 0};
    Status status = table_create(columns, count, table, error);
    if (status != STATUS_OK) return status;
    add_averages(*table, "base", 0.0, session_headline_base(session));
    add_averages(*table, "sft", 1.0, session_headline_sft(session));
    add_averages(*table, "fused", session_headline_alpha(session), session_headline_fused(session));
    SessionSweep sweep = session_sweep(session);
    for (size_t i = 0; i < sweep.count; i++)
        add_averages(*table, "sweep", sweep.alphas[i], &sweep.averages[i]);
    return STATUS_OK;
}

static const Action HINTS[] = {ACTION_MOVE_RIGHT, ACTION_ALPHA_SET, ACTION_SWEEP, ACTION_SWEEP_RANGE,
                               ACTION_MEASURE};

const View tune_view = {
    .name = "tune",
    .title = "Tune",
    .help =
        "W = α·SFT + (1 − α)·base. The table follows the dial as soon as the forward pass is done; until then the "
        "column W~ is older than the dial. The curves are a sweep, the dial marked in them.",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .open = open_tune,
    .draw = draw_tune,
    .act = act_on_tune,
    .find = find_row,
    .numbers = list_numbers,
    .close = free,
};
