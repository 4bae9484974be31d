/* The pane plane of Tune: one headline figure over α and ρ. */
#include "core/method/dials.h"
#include "tui/canvas/colour_scale.h"
#include "tui/canvas/heat_map.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_neurons.h"
#include "tui/text/text.h"
#include "views/shared/average_text.h"
#include "views/tune/tune_internal.h"

#include <stdio.h>
#include <string.h>

enum { POINTS = SESSION_PLANE_LARGEST * SESSION_PLANE_LARGEST, LABEL_SIZE = 16, NOTE_ROWS = 3 };

/* The range on screen: of the plane that is there, or of the next. */
static SessionPlaneRange shown_range(const TuneState *state, const SessionPlane *plane) {
    return plane->averages != NULL ? plane->range : state->plane;
}

typedef struct PlaneCell {
    size_t row, column;
} PlaneCell;

/* The cell under the cursor: the dials' until another was chosen, so that Enter turns nothing unseen. */
static PlaneCell cursor_cell(const TuneState *state, const Session *session, const SessionPlaneRange *range) {
    const Settings *dials = session_settings(session);
    PlaneCell cell = {state->plane_row, state->plane_column};
    if (state->plane_row == TUNE_UNPLACED && (!range_find(&range->rho, dials->rho, &cell.row) ||
                                              !range_find(&range->alpha, dials->alpha, &cell.column)))
        cell = (PlaneCell){0, 0};
    if (cell.row >= range->rho.points) cell.row = range->rho.points - 1;
    if (cell.column >= range->alpha.points) cell.column = range->alpha.points - 1;
    return cell;
}

/* ---- drawing ---- */

typedef struct PlaneLabels {
    char rows[SESSION_PLANE_LARGEST][LABEL_SIZE], columns[SESSION_PLANE_LARGEST][LABEL_SIZE];
    const char *row_labels[SESSION_PLANE_LARGEST], *column_labels[SESSION_PLANE_LARGEST];
} PlaneLabels;

static void make_labels(const SessionPlaneRange *range, PlaneLabels *labels) {
    for (size_t i = 0; i < range->rho.points; i++) {
        (void)snprintf(labels->rows[i], LABEL_SIZE, "ρ %.2f%%", range_point(&range->rho, i) * 100.0);
        labels->row_labels[i] = labels->rows[i];
    }
    for (size_t i = 0; i < range->alpha.points; i++) {
        (void)snprintf(labels->columns[i], LABEL_SIZE, "%.3g", range_point(&range->alpha, i));
        labels->column_labels[i] = labels->columns[i];
    }
}

/* What is written into the cells: P the paper's, ● the dials. */
static void mark_cell(const SessionPlaneRange *range, double alpha, double rho, const char *mark,
                      const char *both, const char **texts) {
    size_t row, column;
    if (!range_find(&range->alpha, alpha, &column) || !range_find(&range->rho, rho, &row)) return;
    const char **text = &texts[row * range->alpha.points + column];
    *text = *text == NULL ? mark : both;
}

static void draw_cells(TuneState *state, const Session *session, const SessionPlane *plane,
                       const SessionPlaneRange *range, PlaneCell cursor, Canvas *canvas, Rect title,
                       Rect area) {
    double values[POINTS];
    const char *texts[POINTS] = {NULL};
    PlaneLabels labels;
    double low = 0.0, high = 0.0;
    bool any = false;
    size_t count = range->alpha.points * range->rho.points;
    SessionPlane shown = *plane;
    shown.range = *range;
    session_plane_values(&shown, state->figure, values);
    for (size_t i = 0; i < count; i++) {
        if (!colour_scale_is_known(values[i])) continue;
        low = any && low < values[i] ? low : values[i];
        high = any && high > values[i] ? high : values[i];
        any = true;
    }
    make_labels(range, &labels);
    mark_cell(range, DIALS_PAPER_ALPHA, DIALS_PAPER_RHO, "P", "P", texts);
    mark_cell(range, session_settings(session)->alpha, session_settings(session)->rho, "●", "P●", texts);
    const HeatMap map = {.values = values,
                         .rows = range->rho.points,
                         .columns = range->alpha.points,
                         .low = low,
                         .high = high,
                         .ramp = RAMP_SEQUENTIAL,
                         .row_labels = labels.row_labels,
                         .column_labels = labels.column_labels,
                         .is_scale = true,
                         .texts = texts,
                         .cell_width = area.columns >= (int)range->alpha.points * 6 + 10 ? 6 : 5,
                         .cursor_row = cursor.row,
                         .cursor_column = cursor.column,
                         .pressed_row = &state->plane_row,
                         .pressed_column = &state->plane_column};
    if (any) (void)heat_map_draw_legend(canvas, title, RAMP_SEQUENTIAL, low, high);
    heat_map_draw(canvas, area, &map);
}

static void draw_cursor(const TuneState *state, const SessionPlane *plane, const SessionPlaneRange *range,
                        PlaneCell cursor, Canvas *canvas, Rect row) {
    static const char *const ALSO[] = {"entropy", "kl_base", "kl_sft", "loss"};
    int column =
        canvas_print(canvas, row, 0, 0, ROLE_MARK, "▸ α %.3g  ρ %.3g %%",
                     range_point(&range->alpha, cursor.column), range_point(&range->rho, cursor.row) * 100.0);
    if (plane->averages == NULL || cursor.row >= plane->ready) {
        (void)canvas_write(canvas, row, 0, column, ROLE_DIM,
                           plane->is_running ? "  not measured yet" : "  not measured");
        return;
    }
    size_t cell = cursor.row * range->alpha.points + cursor.column;
    for (size_t pass = 0; pass < 2; pass++) { /* the figure of the map first, then the others */
        for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT; i++) {
            bool also = false;
            char text[FORMAT_SIZE], label[64];
            for (size_t k = 0; k < sizeof ALSO / sizeof *ALSO; k++)
                also = also || strcmp(DISTRIBUTION_FIGURES[i].key, ALSO[k]) == 0;
            if (pass == 0 ? i != state->figure : !also || i == state->figure) continue;
            (void)average_text_write(&plane->averages[cell], i, text);
            tune_label_figure(i, label, sizeof label);
            bool fits = column + text_width(label) + text_width(text) + 3 <= row.columns;
            if (!fits && pass > 0) return; /* no figure that lacks its end */
            column = canvas_print(canvas, row, 0, column, pass == 0 ? ROLE_TITLE : ROLE_DIM, "  %s ", label);
            column = canvas_write(canvas, row, 0, column, ROLE_VALUE, text);
        }
    }
}

/* How it stands: what is asked for, how far it is, why there is none. */
static void draw_state(const TuneState *state, const Session *session, const SessionPlane *plane,
                       const SessionPlaneRange *range, Canvas *canvas, Rect row) {
    char time[FORMAT_SIZE], keys[KEY_TEXT_SIZE];
    double seconds = session_plane_seconds(session, &state->plane);
    const char *message = session_headline_message(session);
    size_t points = state->plane.alpha.points * state->plane.rho.points;
    if (plane->error != NULL) {
        (void)canvas_write(canvas, row, 0, 0, ROLE_ERROR, plane->error);
    } else if (plane->is_waiting) {
        (void)canvas_write(canvas, row, 0, 0, ROLE_DIM,
                           "waits: the ranking of neurons and W at the dials go first");
    } else if (plane->is_running) {
        (void)canvas_print(canvas, row, 0, 0, ROLE_DIM, "measuring: %zu of %zu rows; %s", plane->ready,
                           range->rho.points, key_text("tune", "{cancel} stops it", keys));
    } else if (message != NULL) {
        (void)canvas_write(canvas, row, 0, 0, ROLE_WARNING, message);
    } else if (plane->is_stale) {
        (void)canvas_write(
            canvas, row, 0, 0, ROLE_STALE,
            key_text("tune", "~ other dials have been turned since: {plane} measures it again", keys));
    } else if (plane->averages != NULL && plane->ready == range->rho.points) {
        (void)canvas_write(
            canvas, row, 0, 0, ROLE_DIM,
            key_text("tune", "{enter} sets the dials to the cell; {plane-range} another grid", keys));
    } else {
        int column = canvas_print(canvas, row, 0, 0, ROLE_DIM, "%s%s measures %zu points",
                                  plane->averages != NULL ? "cancelled; " : "",
                                  key_text("tune", "{plane}", keys), points);
        if (colour_scale_is_known(seconds))
            (void)canvas_print(canvas, row, 0, column, ROLE_DIM, ", which takes up to %s",
                               format_duration(seconds, time));
    }
}

static void draw_plane(TuneState *state, Session *session, Canvas *canvas, Rect area) {
    SessionPlane plane = session_plane(session);
    SessionPlaneRange range = shown_range(state, &plane);
    PlaneCell cursor = cursor_cell(state, session, &range);
    char label[64];
    Rect title = rect_cut_top(&area, 1), notes = rect_cut_bottom(&area, area.rows > 6 ? NOTE_ROWS : 1);
    tune_label_figure(state->figure, label, sizeof label);
    int column = canvas_print(canvas, title, 0, 0, plane.is_stale ? ROLE_STALE : ROLE_TITLE, "%s%s", label,
                              plane.is_stale ? "~" : "");
    (void)canvas_write(canvas, title, 0, column, ROLE_DIM, "  over α →");
    draw_cells(state, session, &plane, &range, cursor, canvas, title, area);
    draw_cursor(state, &plane, &range, cursor, canvas, rect_cut_top(&notes, 1));
    draw_state(state, session, &plane, &range, canvas, rect_cut_top(&notes, 1));
    column = canvas_write(canvas, notes, 0, 0, ROLE_DIM, "nearest to: ");
    column = canvas_write(canvas, notes, 0, column, ROLE_MARK, "P");
    column = canvas_write(canvas, notes, 0, column, ROLE_DIM, " the paper's α 0.5, ρ 1 %");
    column = canvas_write(canvas, notes, 0, column + 3, ROLE_MARK, "●");
    (void)canvas_write(canvas, notes, 0, column, ROLE_DIM, " the dials");
}

/* ---- acting ---- */

static Reaction move(TuneState *state, const SessionPlaneRange *range, PlaneCell from, long rows,
                     long columns) {
    long row = (long)from.row + rows, column = (long)from.column + columns;
    long last_row = (long)range->rho.points - 1, last_column = (long)range->alpha.points - 1;
    state->plane_row = (size_t)(row < 0 ? 0 : row > last_row ? last_row : row);
    state->plane_column = (size_t)(column < 0 ? 0 : column > last_column ? last_column : column);
    return REACTION_REDRAW;
}

static Reaction act_on_plane(TuneState *state, Session *session, Action action,
                             const ActionArgument *argument) {
    SessionPlane plane = session_plane(session);
    SessionPlaneRange range = shown_range(state, &plane);
    PlaneCell cursor = cursor_cell(state, session, &range);
    long count = argument->count;
    switch (action) {
    case ACTION_MOVE_LEFT:
        return move(state, &range, cursor, 0, -count);
    case ACTION_MOVE_RIGHT:
        return move(state, &range, cursor, 0, count);
    case ACTION_MOVE_UP:
        return move(state, &range, cursor, -count, 0);
    case ACTION_MOVE_DOWN:
        return move(state, &range, cursor, count, 0);
    case ACTION_FIRST:
    case ACTION_PAGE_UP:
        return move(state, &range, cursor, -SESSION_PLANE_LARGEST, 0);
    case ACTION_LAST:
    case ACTION_PAGE_DOWN:
        return move(state, &range, cursor, SESSION_PLANE_LARGEST, 0);
    case ACTION_ENTER:
        session_set_alpha(session, range_point(&range.alpha, cursor.column));
        session_set_rho(session, range_point(&range.rho, cursor.row));
        return (Reaction)(REACTION_REDRAW | REACTION_REFRESH);
    default:
        return REACTION_IGNORED;
    }
}

static Status list_plane(TuneState *state, Session *session, Table **table, Error *error) {
    enum { MOST_COLUMNS = 32 };
    TableColumn columns[MOST_COLUMNS] = {{"alpha", NULL, NULL, TABLE_NUMBER, 0},
                                         {"rho", NULL, NULL, TABLE_NUMBER, 0}};
    size_t count = 2;
    SessionPlane plane = session_plane(session);
    (void)state;
    for (size_t i = 0; i < DISTRIBUTION_FIGURE_COUNT && count < MOST_COLUMNS; i++)
        columns[count++] =
            (TableColumn){DISTRIBUTION_FIGURES[i].key, NULL, DISTRIBUTION_FIGURES[i].unit, TABLE_NUMBER, 0};
    Status status = table_create(columns, count, table, error);
    for (size_t i = 0; i < plane.ready * plane.range.alpha.points && status == STATUS_OK; i++) {
        table_add_row(*table);
        table_add_number(*table, range_point(&plane.range.alpha, i % plane.range.alpha.points));
        table_add_number(*table, range_point(&plane.range.rho, i / plane.range.alpha.points));
        for (size_t k = 0; k + 2 < count; k++)
            table_add_figure(*table, distribution_figure(&plane.averages[i], k),
                             distribution_figure_is_undefined(&plane.averages[i], k));
    }
    return status;
}

static CommandId twin_plane(const TuneState *state, Session *session, CommandLine *line) {
    SessionPlane plane = session_plane(session);
    const SessionPlaneRange *range = plane.averages != NULL ? &plane.range : &state->plane;
    char text[128], *rho;
    session_plane_write_range(range, text, sizeof text);
    rho = strchr(text, ' '); /* α and ρ, as the command takes them */
    if (rho == NULL) return COMMAND_COUNT;
    *rho = '\0';
    command_line_add_option(line, COMMAND_SWEEP, OPTION_ALPHA_RANGE, "%s", text);
    command_line_add_option(line, COMMAND_SWEEP, OPTION_RHO_RANGE, "%s", rho + 1);
    return COMMAND_SWEEP;
}

static const Action HINTS[] = {ACTION_PANE_NEXT, ACTION_MOVE_LEFT,  ACTION_MOVE_UP,
                               ACTION_MOVE_DOWN, ACTION_MOVE_RIGHT, ACTION_METRIC_NEXT,
                               ACTION_PLANE,     ACTION_UNDO,       ACTION_REDO};

const TunePane tune_plane_pane = {
    .name = "plane",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .keys = "{metric-next} figure  {enter} sets the dials",
    .slot = TUNE_BELOW,
    .size = 50,
    .draw = draw_plane,
    .act = act_on_plane,
    .numbers = list_plane,
    .twin = twin_plane,
};
