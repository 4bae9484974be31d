/* The pane line of Landscape: the loss over α. */
#include "tui/canvas/chart.h"
#include "tui/session/session_alpha.h"
#include "tui/session/session_dials.h"
#include "views/landscape/landscape_internal.h"

#include <stdio.h>

enum { MARKED = 3, CHART_ROWS = 4 };

static const Range *shown_range(const SessionLandscape *shown) {
    return &shown->choice.line;
}

/* The dial's place until another was chosen. */
static size_t cursor_point(const LandscapeState *state, const Session *session, const Range *range) {
    size_t point = state->point;
    if (point >= range->points && !range_find(range, session_settings(session)->alpha, &point)) return 0;
    return point;
}

/* ---- drawing ---- */

/* Where base or SFT stands, if a point does. */
static size_t point_at(const Range *range, double alpha) {
    size_t point;
    if (!range_find(range, alpha, &point)) return SESSION_LANDSCAPE_LINE_MOST;
    double off = range_point(range, point) - alpha;
    return off < 1e-9 && off > -1e-9 ? point : SESSION_LANDSCAPE_LINE_MOST;
}

static void draw_chart(const Session *session, const SessionLandscape *shown, size_t cursor, Canvas *canvas,
                       Rect area) {
    double x[SESSION_LANDSCAPE_LINE_MOST], y[SESSION_LANDSCAPE_LINE_MOST];
    double marks[MARKED][SESSION_LANDSCAPE_LINE_MOST];
    const Range *range = shown_range(shown);
    for (size_t i = 0; i < shown->total; i++) x[i] = range_point(range, i);
    session_landscape_list_losses(shown, y);
    session_landscape_list_point(shown, point_at(range, 0.0), marks[0]);
    session_landscape_list_point(shown, point_at(range, 1.0), marks[1]);
    session_landscape_list_point(shown, cursor, marks[2]);
    const ChartSeries series[] = {{y, NULL, NULL, ROLE_FUSED},
                                  {marks[0], "base", "B", ROLE_BASE},
                                  {marks[1], "SFT", "S", ROLE_SFT},
                                  {marks[2], "cursor", "X", ROLE_MARK}};
    const Chart chart = {.x = x,
                         .count = shown->total,
                         .series = series,
                         .series_count = sizeof series / sizeof *series,
                         .title = "loss of responses (nat)",
                         .x_label = "α",
                         .mark = session_settings(session)->alpha};
    chart_draw(canvas, area, &chart);
}

static void draw_cursor(const SessionLandscape *shown, size_t cursor, Canvas *canvas, Rect row) {
    const Range *range = shown_range(shown);
    char text[FORMAT_SIZE];
    SessionLandscapeExtent extent;
    bool is_known = cursor < shown->ready;
    landscape_format(is_known ? shown->losses[cursor] : 0.0, is_known, text);
    int column = canvas_print(canvas, row, 0, 0, ROLE_MARK, "▸ α %.4g", range_point(range, cursor));
    column = canvas_print(canvas, row, 0, column, ROLE_DIM, "  loss ");
    column = canvas_write(canvas, row, 0, column, ROLE_VALUE, text);
    if (!session_landscape_find_extent(shown, &extent)) return;
    landscape_format(extent.low, true, text);
    (void)canvas_print(canvas, row, 0, column, ROLE_DIM, "  smallest %s at α %.4g", text,
                       range_point(range, extent.smallest));
}

/* What the line leaves out of W. */
static void draw_note(const Session *session, Canvas *canvas, Rect row) {
    bool is_beside = session_settings(session)->rho > 0.0 || !session_alpha_is_common(session);
    (void)canvas_write(canvas, row, 0, 0, ROLE_DIM,
                       is_beside ? "│ the dial's α; W is off the line: a reset, or an α of its own"
                                 : "│ the dial's α: W lies there");
}

static void draw_line(LandscapeState *state, Session *session, const SessionLandscape *shown, Canvas *canvas,
                      Rect area) {
    size_t cursor = cursor_point(state, session, shown_range(shown));
    Rect notes = rect_cut_bottom(&area, area.rows > CHART_ROWS + 2 ? 2 : 1);
    draw_chart(session, shown, cursor, canvas, area);
    draw_cursor(shown, cursor, canvas, rect_cut_top(&notes, 1));
    draw_note(session, canvas, notes);
}

/* ---- acting ---- */

static Reaction act_on_line(LandscapeState *state, Session *session, const SessionLandscape *shown,
                            Action action, const ActionArgument *argument) {
    const Range *range = shown_range(shown);
    size_t cursor = cursor_point(state, session, range);
    double alpha = range_point(range, cursor);
    switch (action) {
    case ACTION_MOVE_LEFT:
        state->point = landscape_move(cursor, -(long)argument->count, range->points);
        return REACTION_REDRAW;
    case ACTION_MOVE_RIGHT:
        state->point = landscape_move(cursor, argument->count, range->points);
        return REACTION_REDRAW;
    case ACTION_FIRST:
        state->point = 0;
        return REACTION_REDRAW;
    case ACTION_LAST:
        state->point = range->points - 1;
        return REACTION_REDRAW;
    case ACTION_ENTER:
        if (alpha >= 0.0 && alpha <= 1.0)
            session_set_alpha(session, alpha);
        else
            session_say(session, SESSION_WARNING, "the dial goes from 0 to 1: α %.4g is beyond it", alpha);
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    default:
        return REACTION_IGNORED;
    }
}

static Status list_line(const SessionLandscape *shown, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"alpha", NULL, NULL, TABLE_NUMBER, 0},
                                          {"loss", NULL, "nat", TABLE_NUMBER, 6}};
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (size_t i = 0; i < shown->ready && status == STATUS_OK; i++) {
        table_add_row(*table);
        table_add_number(*table, range_point(shown_range(shown), i));
        table_add_number(*table, shown->losses[i]);
    }
    return status;
}

static void twin_line(const SessionLandscapeChoice *choice, CommandLine *line) {
    char text[LANDSCAPE_TEXT];
    range_write(&choice->line, false, text, sizeof text);
    command_line_add_option(line, COMMAND_LANDSCAPE, OPTION_LINE, "%s", text);
}

static bool copy_point(const LandscapeState *state, Session *session, const SessionLandscape *shown,
                       char *text, size_t size) {
    size_t cursor = cursor_point(state, session, shown_range(shown));
    if (cursor >= shown->ready) return false;
    (void)snprintf(text, size, "%.9g\t%.9g", range_point(shown_range(shown), cursor), shown->losses[cursor]);
    return true;
}

static const Action HINTS[] = {ACTION_PANE_NEXT,  ACTION_MEASURE, ACTION_MOVE_LEFT,
                               ACTION_MOVE_RIGHT, ACTION_GRID,    ACTION_ENTER};

const LandscapePane landscape_line_pane = {
    .name = "line",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .draw = draw_line,
    .act = act_on_line,
    .numbers = list_line,
    .twin = twin_line,
    .value = copy_point,
};
