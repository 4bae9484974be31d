/* The pane plane of Landscape: the loss over two random directions around W, or through base, SFT and a third checkpoint;
 * the largest y above. */
#include "tui/canvas/heat_map.h"
#include "views/landscape/landscape_internal.h"

#include <stdio.h>

enum {
    MOST = SESSION_LANDSCAPE_PLANE_MOST,
    LABEL_SIZE = 16,
    LABEL_COLUMNS = 8,
    CELL_LEAST = 4,
    FIGURE = 6,     /* columns of a loss in its cell; */
    CELL_ENDS = 2,  /* the cursor's brackets; */
    CELL_GLYPH = 2, /* where colours do not fill cells, a glyph and a blank */
    LEVELS = 8      /* lines of equal loss, evenly spaced */
};

static const Range *shown_range(const SessionLandscape *shown) {
    return session_landscape_range(&shown->choice, SESSION_LANDSCAPE_PLANE);
}

typedef struct PlaneCell {
    size_t row, column;
} PlaneCell;

/* At (0, 0), W or base, or as near as a cell comes, until another was chosen. */
static PlaneCell cursor_cell(const LandscapeState *state, const Range *range) {
    PlaneCell cell = {state->plane_row, state->plane_column};
    size_t middle = 0;
    if (state->plane_row < range->points && state->plane_column < range->points) return cell;
    if (!range_find(range, 0.0, &middle)) return (PlaneCell){0, 0};
    return (PlaneCell){range->points - 1 - middle, middle};
}

/* Rows on screen run down from the largest y. */
static size_t loss_index(const Range *range, size_t row, size_t column) {
    return (range->points - 1 - row) * range->points + column;
}

/* ---- drawing ---- */

typedef struct PlaneCells {
    double values[MOST * MOST], levels[LEVELS];
    char figures[MOST * MOST][FORMAT_SIZE], rows[MOST][LABEL_SIZE], columns[MOST][LABEL_SIZE];
    const char *texts[MOST * MOST], *row_labels[MOST], *column_labels[MOST];
} PlaneCells;

static void fill_cells(const SessionLandscape *shown, const SessionLandscapeExtent *extent, bool has_figures,
                       PlaneCells *cells) {
    const Range *range = shown_range(shown);
    double losses[MOST * MOST];
    session_landscape_list_losses(shown, losses);
    for (size_t i = 0; i < range->points; i++) {
        (void)snprintf(cells->rows[i], LABEL_SIZE, "y %.4g", range_point(range, range->points - 1 - i));
        (void)snprintf(cells->columns[i], LABEL_SIZE, "%.4g", range_point(range, i));
        cells->row_labels[i] = cells->rows[i];
        cells->column_labels[i] = cells->columns[i];
    }
    for (size_t i = 0; i < range->points * range->points; i++) {
        size_t index = loss_index(range, i / range->points, i % range->points);
        cells->values[i] = losses[index];
        cells->texts[i] = NULL;
        if (index >= shown->ready || !has_figures) continue;
        cells->texts[i] = format_column(shown->losses[index], FIGURE, cells->figures[i]);
    }
    for (size_t i = 0; i < LEVELS; i++)
        cells->levels[i] =
            extent->low + (extent->high - extent->low) * ((double)i + 1.0) / ((double)LEVELS + 1.0);
}

static void mark_cell(const Range *range, size_t index, const char *mark, PlaneCells *cells) {
    size_t row = range->points - 1 - index / range->points;
    cells->texts[row * range->points + index % range->points] = mark;
}

/* The cell at a place, or as near as one comes; false where it lies off the plane. */
static bool find_cell(const Range *range, double x, double y, size_t *index) {
    size_t column, row;
    if (!range_find(range, x, &column) || !range_find(range, y, &row)) return false;
    *index = row * range->points + column;
    return true;
}

/* What lies on the plane: W around itself; else the three it goes through. */
typedef struct PlanePlace {
    double x, y;
    const char *mark, *and_smallest;
} PlanePlace;

static size_t list_places(const SessionLandscape *shown, PlanePlace places[3]) {
    if (shown->choice.third == NULL) {
        places[0] = (PlanePlace){0.0, 0.0, "W", "W↓"};
        return 1;
    }
    places[0] = (PlanePlace){0.0, 0.0, "B", "B↓"};
    places[1] = (PlanePlace){1.0, 0.0, "S", "S↓"};
    if (shown->triangle == NULL) return 2;
    places[2] = (PlanePlace){shown->triangle->x, shown->triangle->y, "T", "T↓"};
    return 3;
}

/* Cells that say no figure say whose they are. */
static void mark_cells(const SessionLandscape *shown, const SessionLandscapeExtent *extent,
                       PlaneCells *cells) {
    const Range *range = shown_range(shown);
    PlanePlace places[3];
    size_t count = list_places(shown, places), cell;
    if (extent->smallest < shown->ready) mark_cell(range, extent->smallest, "↓", cells);
    for (size_t i = 0; i < count; i++) {
        if (!find_cell(range, places[i].x, places[i].y, &cell)) continue;
        mark_cell(range, cell, cell == extent->smallest ? places[i].and_smallest : places[i].mark, cells);
    }
}

/* From how many columns on a cell says its loss. */
static int width_with_figure(const Canvas *canvas) {
    return FIGURE + CELL_ENDS + (theme_fills(&canvas->theme) ? 0 : CELL_GLYPH);
}

/* As wide as the area allows, and one more than a figure needs at most. */
static int find_width(const Range *range, const Canvas *canvas, int columns) {
    int width = (columns - LABEL_COLUMNS) / (int)range->points, most = width_with_figure(canvas) + 1;
    return width < CELL_LEAST ? CELL_LEAST : width > most ? most : width;
}

static void draw_cells(LandscapeState *state, const SessionLandscape *shown,
                       const SessionLandscapeExtent *extent, PlaneCell cursor, Canvas *canvas, Rect area) {
    PlaneCells cells;
    const Range *range = shown_range(shown);
    int width = find_width(range, canvas, area.columns);
    bool has_figures = width >= width_with_figure(canvas);
    fill_cells(shown, extent, has_figures, &cells);
    if (!has_figures) mark_cells(shown, extent, &cells);
    const HeatMap map = {.values = cells.values,
                         .rows = range->points,
                         .columns = range->points,
                         .low = extent->low,
                         .high = extent->high,
                         .ramp = RAMP_SEQUENTIAL,
                         .row_labels = cells.row_labels,
                         .column_labels = cells.column_labels,
                         .is_scale = true,
                         .texts = cells.texts,
                         .levels = cells.levels,
                         .level_count = extent->high > extent->low ? LEVELS : 0,
                         .cell_width = width,
                         .cursor_row = cursor.row,
                         .cursor_column = cursor.column,
                         .pressed_row = &state->plane_row,
                         .pressed_column = &state->plane_column};
    heat_map_draw(canvas, area, &map);
}

static void draw_cursor(const SessionLandscape *shown, PlaneCell cursor, Canvas *canvas, Rect row) {
    const Range *range = shown_range(shown);
    size_t index = loss_index(range, cursor.row, cursor.column);
    bool is_known = index < shown->ready;
    char text[FORMAT_SIZE];
    landscape_format(is_known ? shown->losses[index] : 0.0, is_known, text);
    int column =
        canvas_print(canvas, row, 0, 0, ROLE_MARK, "▸ x %.4g  y %.4g", range_point(range, cursor.column),
                     range_point(range, range->points - 1 - cursor.row));
    column = canvas_write(canvas, row, 0, column, ROLE_DIM, "  loss ");
    (void)canvas_write(canvas, row, 0, column, ROLE_VALUE, text);
}

static void draw_smallest(const SessionLandscape *shown, const SessionLandscapeExtent *extent, Canvas *canvas,
                          Rect row) {
    const Range *range = shown_range(shown);
    char text[FORMAT_SIZE];
    landscape_format(extent->low, true, text);
    bool has_figures = find_width(range, canvas, row.columns) >= width_with_figure(canvas);
    (void)canvas_print(canvas, row, 0, 0, ROLE_DIM, "%s%ssmallest %s at x %.4g, y %.4g; lines: equal loss",
                       shown->choice.third == NULL ? "W at (0, 0); " : "", has_figures ? "" : "↓ ", text,
                       range_point(range, extent->smallest % range->points),
                       range_point(range, extent->smallest / range->points));
}

/* Where the three are that the plane goes through. */
static void draw_triangle(const SessionLandscape *shown, Canvas *canvas, Rect row) {
    int column = canvas_write(canvas, row, 0, 0, ROLE_DIM, "B base (0, 0)  S SFT (1, 0)  T ");
    if (shown->triangle != NULL)
        column = canvas_print(canvas, row, 0, column, ROLE_DIM, "(%.3g, %.3g) ", shown->triangle->x,
                              shown->triangle->y);
    (void)canvas_write(canvas, row, 0, column, ROLE_DIM, landscape_name_third(shown->choice.third));
}

static void draw_plane(LandscapeState *state, Session *session, const SessionLandscape *shown, Canvas *canvas,
                       Rect area) {
    (void)session;
    SessionLandscapeExtent extent = {.smallest = MOST * MOST}; /* nowhere */
    bool has_extent = session_landscape_find_extent(shown, &extent), is_low = area.rows <= 6;
    PlaneCell cursor = cursor_cell(state, shown_range(shown));
    Rect title = rect_cut_top(&area, 1);
    Rect three = rect_cut_bottom(&area, shown->choice.third == NULL || is_low ? 0 : 1),
         notes = rect_cut_bottom(&area, is_low ? 1 : 2);
    (void)canvas_print(canvas, title, 0, 0, shown->is_stale ? ROLE_STALE : ROLE_TITLE,
                       "loss (nat)%s  over x →", shown->is_stale ? "~" : "");
    if (has_extent) (void)heat_map_draw_legend(canvas, title, RAMP_SEQUENTIAL, extent.low, extent.high);
    draw_cells(state, shown, &extent, cursor, canvas, area);
    draw_cursor(shown, cursor, canvas, rect_cut_top(&notes, 1));
    if (has_extent) draw_smallest(shown, &extent, canvas, notes);
    if (shown->choice.third != NULL) draw_triangle(shown, canvas, three);
}

/* ---- acting ---- */

static Reaction move(LandscapeState *state, PlaneCell from, long rows, long columns, size_t points) {
    state->plane_row = landscape_move(from.row, rows, points);
    state->plane_column = landscape_move(from.column, columns, points);
    return REACTION_REDRAW;
}

static Reaction act_on_plane(LandscapeState *state, Session *session, const SessionLandscape *shown,
                             Action action, const ActionArgument *argument) {
    (void)session;
    size_t points = shown_range(shown)->points;
    PlaneCell cursor = cursor_cell(state, shown_range(shown));
    long count = argument->count;
    switch (action) {
    case ACTION_MOVE_LEFT:
        return move(state, cursor, 0, -count, points);
    case ACTION_MOVE_RIGHT:
        return move(state, cursor, 0, count, points);
    case ACTION_MOVE_UP:
        return move(state, cursor, -count, 0, points);
    case ACTION_MOVE_DOWN:
        return move(state, cursor, count, 0, points);
    case ACTION_FIRST:
    case ACTION_PAGE_UP:
        return move(state, cursor, -MOST, 0, points);
    case ACTION_LAST:
    case ACTION_PAGE_DOWN:
        return move(state, cursor, MOST, 0, points);
    default:
        return REACTION_IGNORED;
    }
}

static Status list_plane(const SessionLandscape *shown, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"x", NULL, NULL, TABLE_NUMBER, 0},
                                          {"y", NULL, NULL, TABLE_NUMBER, 0},
                                          {"loss", NULL, "nat", TABLE_NUMBER, 6}};
    const Range *range = shown_range(shown);
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    for (size_t i = 0; i < shown->ready && status == STATUS_OK; i++) {
        table_add_row(*table);
        table_add_number(*table, range_point(range, i % range->points));
        table_add_number(*table, range_point(range, i / range->points));
        table_add_number(*table, shown->losses[i]);
    }
    return status;
}

static void twin_plane(const SessionLandscapeChoice *choice, CommandLine *line) {
    char text[LANDSCAPE_TEXT];
    range_write(session_landscape_range(choice, SESSION_LANDSCAPE_PLANE), false, text, sizeof text);
    command_line_add_option(line, COMMAND_LANDSCAPE, OPTION_PLANE, "%s", text);
    if (choice->third != NULL) {
        command_line_add_option(line, COMMAND_LANDSCAPE, OPTION_THIRD, "%s", choice->third);
        return;
    }
    command_line_add_option(line, COMMAND_LANDSCAPE, OPTION_SEED_DIRECTIONS, "%llu",
                            (unsigned long long)choice->seed);
}

static bool copy_cell(const LandscapeState *state, Session *session, const SessionLandscape *shown,
                      char *text, size_t size) {
    (void)session;
    const Range *range = shown_range(shown);
    PlaneCell cursor = cursor_cell(state, range);
    size_t index = loss_index(range, cursor.row, cursor.column);
    if (index >= shown->ready) return false;
    (void)snprintf(text, size, "%.9g\t%.9g\t%.9g", range_point(range, cursor.column),
                   range_point(range, range->points - 1 - cursor.row), shown->losses[index]);
    return true;
}

static const Action HINTS[] = {ACTION_PANE_NEXT, ACTION_MEASURE,   ACTION_MOVE_LEFT,
                               ACTION_MOVE_UP,   ACTION_MOVE_DOWN, ACTION_MOVE_RIGHT,
                               ACTION_GRID,      ACTION_THIRD,     ACTION_SEED};

const LandscapePane landscape_plane_pane = {
    .name = "plane",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .draw = draw_plane,
    .act = act_on_plane,
    .numbers = list_plane,
    .twin = twin_plane,
    .value = copy_cell,
};
