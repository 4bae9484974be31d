#include "core/files/json.h"
#include "tui/canvas/chart.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_calibration.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_files.h"
#include "tui/session/session_sweep.h"
#include "tui/text/uncertain.h"
#include "views/shared/average_text.h"
#include "views/shared/rows_hint.h"
#include "views/tune/tune_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    LABEL_COLUMNS = 26,
    FIGURE_COLUMNS = 11,
    ERROR_COLUMNS = 11,
    CHART_ROWS = 5,
    SIDE_BY_SIDE = 120,
    FIGURES_LEAST = 2
};

/* ---- drawing ---- */

/* What stands for W: measured, or between measured points of α, with its error where there is room. */
static void draw_estimate(const LogitEstimate *estimate, size_t figure, Canvas *canvas, Rect area, int row) {
    char error[FORMAT_SIZE], text[FORMAT_SIZE];
    int right = LABEL_COLUMNS + 3 * FIGURE_COLUMNS;
    bool is_shown = average_text_write_estimate(estimate, figure, text);
    (void)canvas_write_right(canvas, area, row, right, ROLE_VALUE, text);
    (void)uncertain_write_error(distribution_figure(&estimate->wrong, figure),
                                DISTRIBUTION_FIGURES[figure].is_share, error);
    if (is_shown && area.columns >= right + ERROR_COLUMNS)
        (void)canvas_write(canvas, area, row, right + 1, ROLE_DIM, error);
}

static void draw_table(const TuneState *state, const Session *session, Canvas *canvas, Rect area) {
    const DistributionAverages *columns[] = {session_headline_base(session), session_headline_sft(session),
                                             session_headline_fused(session)};
    const LogitEstimate *estimate = session_headline_estimate(session);
    static const char *const NAMES[] = {"base", "SFT", "W"};
    static const Role ROLES[] = {ROLE_BASE, ROLE_SFT, ROLE_FUSED};
    bool stale = session_headline_is_stale(session);
    char fused[48];
    (void)snprintf(fused, sizeof fused, "%sW%s", estimate != NULL ? "≈" : "",
                   stale && estimate == NULL && columns[2] != NULL ? "~" : "");
    for (int c = 0; c < 3; c++)
        (void)canvas_write_right(canvas, area, 0, LABEL_COLUMNS + (c + 1) * FIGURE_COLUMNS, ROLES[c],
                                 c == 2 ? fused : NAMES[c]);
    /* where not all fit, those around the cursor */
    size_t shown = area.rows > 1 ? (size_t)area.rows - 1 : 1, first = 0;
    if (state->figure + 1 > shown) first = state->figure + 1 - shown;
    for (size_t i = first; i < DISTRIBUTION_FIGURE_COUNT && i < first + shown; i++) {
        char label[64];
        int row = (int)(i - first) + 1;
        tune_label_figure(i, label, sizeof label);
        (void)canvas_write(canvas, area, row, 1, i == state->figure ? ROLE_SELECTED : ROLE_TEXT, label);
        if (estimate != NULL) draw_estimate(estimate, i, canvas, area, row);
        for (int c = 0; c < (estimate != NULL ? 2 : 3); c++) {
            char text[FORMAT_SIZE] = "…";
            if (columns[c] != NULL) (void)average_text_write(columns[c], i, text);
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
    ChartSeries series = {.y = values, .role = sweep.is_stale ? ROLE_STALE : ROLE_FUSED};
    const Settings *settings = session_settings(session);
    char title[64];
    (void)snprintf(title, sizeof title, "%s%s", DISTRIBUTION_FIGURES[figure].label,
                   sweep.is_stale ? "~" : "");
    Chart chart = {.x = sweep.values,
                   .count = sweep.count,
                   .series = &series,
                   .series_count = 1,
                   .title = title,
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
void tune_draw_sweep(const TuneState *state, const Session *session, Canvas *canvas, Rect area) {
    static const char *const SHOWN[] = {"entropy", "kl_base", "kl_sft", "loss"};
    enum { CURVES = sizeof SHOWN / sizeof *SHOWN };
    SessionSweep sweep = session_sweep(session);
    if (sweep.count == 0) {
        char keys[KEY_TEXT_SIZE];
        const char *message =
            sweep.error != NULL       ? sweep.error
            : sweep.waits_for_ranking ? "the sweep waits: neurons are ranked first"
            : sweep.is_running
                ? "sweeping…"
                : key_text("tune",
                           "{sweep} sweeps over α, {sweep-rho} over ρ: entropy, KL to base and SFT, loss",
                           keys);
        (void)canvas_write_wrapped(canvas, area, 0, sweep.error != NULL ? ROLE_ERROR : ROLE_DIM, message);
        return;
    }
    size_t figures[CURVES];
    bool has_cursor = false;
    for (int i = 0; i < CURVES; i++) {
        figures[i] = find_figure(SHOWN[i]);
        has_cursor = has_cursor || figures[i] == state->figure;
    }
    if (!has_cursor) figures[CURVES - 1] = state->figure;
    bool grid = area.rows >= 2 * CHART_ROWS + 1 && area.columns < SIDE_BY_SIDE * 2;
    Rect top = grid ? rect_cut_top(&area, area.rows / 2) : area;
    int across = grid ? CURVES / 2 : CURVES;
    for (int i = 0; i < CURVES; i++)
        draw_curve(session, figures[i], canvas, rect_pane(i < across ? top : area, i % across, across, 2));
}

/* Of the table of `wanted` rows above the curves; where few are left for figures the curves go. */
static int table_rows(int rows, int wanted) {
    if (rows < CHART_ROWS + FIGURES_LEAST + 1) return rows;
    return rows > wanted + CHART_ROWS ? wanted : rows - CHART_ROWS;
}

static void draw_headlines(TuneState *state, Session *session, Canvas *canvas, Rect area) {
    Rect charts = area;
    int rows = (int)DISTRIBUTION_FIGURE_COUNT + 1;
    Rect table = state->is_wide ? area
                 : area.columns >= SIDE_BY_SIDE
                     ? rect_cut_left(&charts, LABEL_COLUMNS + 3 * FIGURE_COLUMNS + ERROR_COLUMNS + 2)
                     : rect_cut_top(&charts, table_rows(area.rows, rows));
    const char *message = session_headline_message(session);
    bool is_kept = session_headline_base(session) != NULL; /* base and SFT, of an earlier session */
    if (message != NULL) {
        char keys[KEY_TEXT_SIZE];
        int row = is_kept ? 0 : 1;
        if (!session_calibration_is_wanted(session)) /* which the head says */
            row = canvas_write_wrapped(canvas, table, row, ROLE_WARNING, message);
        if (session_calibration(session, NULL) != NULL)
            row += canvas_write(canvas, table, row, 0, ROLE_DIM,
                                key_text("tune", "{measure} measures now", keys)) > 0;
        row += rows_hint_draw(session, "tune", canvas, table, row);
        (void)rect_cut_top(&table, row);
    }
    if (message == NULL || is_kept) draw_table(state, session, canvas, table);
    if (!state->is_wide) tune_draw_sweep(state, session, canvas, charts);
}

/* ---- acting ---- */

static Reaction turn(Session *session, double step) {
    session_set_alpha(session, session_settings(session)->alpha + step);
    return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
}

static Reaction move(TuneState *state, long step) {
    long row = (long)state->figure + step, last = (long)DISTRIBUTION_FIGURE_COUNT - 1;
    state->figure = (size_t)(row < 0 ? 0 : row > last ? last : row);
    return REACTION_REDRAW;
}

static Reaction act_on_headlines(TuneState *state, Session *session, Action action,
                                 const ActionArgument *argument) {
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
    default:
        return REACTION_IGNORED;
    }
}

static const char *figure_name(const void *user, size_t figure) {
    (void)user;
    return DISTRIBUTION_FIGURES[figure].label;
}

static bool find_figure_row(TuneState *state, Session *session, const char *text, int direction, bool stay) {
    (void)session;
    size_t at = tune_find(DISTRIBUTION_FIGURE_COUNT, state->figure, direction, stay, text, figure_name, NULL);
    if (at < DISTRIBUTION_FIGURE_COUNT) state->figure = at;
    return at < DISTRIBUTION_FIGURE_COUNT;
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
        table_add_figure(table, distribution_figure(averages, i),
                         distribution_figure_is_undefined(averages, i));
}

static Status list_headlines(TuneState *state, Session *session, Table **table, Error *error) {
    (void)state;
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

/* The sweep that is there, base and SFT with it. */
static CommandId twin_headlines(const TuneState *state, Session *session, CommandLine *line) {
    SessionSweep sweep = session_sweep(session);
    (void)state;
    if (sweep.count < 2 || sweep.is_stale) return COMMAND_SWEEP; /* at the dials of now */
    char first[JSON_NUMBER_SIZE], last[JSON_NUMBER_SIZE];
    (void)json_format_number(sweep.values[0], 1, first);
    (void)json_format_number(sweep.values[sweep.count - 1], 1, last);
    command_line_add_option(line, COMMAND_SWEEP, sweep.is_rho ? OPTION_RHO_RANGE : OPTION_ALPHA_RANGE,
                            "%s:%s:%zu%s", first, last, sweep.count, sweep.follows_dial ? ":chebyshev" : "");
    return COMMAND_SWEEP;
}

static const Action HINTS[] = {ACTION_PANE_NEXT, ACTION_MOVE_RIGHT, ACTION_ALPHA_SET, ACTION_SWEEP,
                               ACTION_SWEEP_RHO, ACTION_PLANE,      ACTION_MEASURE};

const TunePane tune_headlines_pane = {
    .name = "headlines",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .keys = "←→ α  ↑↓ figure",
    .dial = TUNE_ALPHA,
    .slot = TUNE_LEFT,
    .size = 14,
    .draw = draw_headlines,
    .act = act_on_headlines,
    .find = find_figure_row,
    .numbers = list_headlines,
    .twin = twin_headlines,
};
