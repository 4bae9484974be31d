#include "views/tensor/tensor_view.h"

#include "core/support/memory.h"
#include "tui/session/session.h"
#include "tui/session/session_elements.h"
#include "tui/session/session_spectrum.h"
#include "views/shared/tensor_facts.h"
#include "views/shared/tensor_list.h"
#include "views/tensor/tensor_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PANE_FROM_COLUMNS = 100,
    PANE_COLUMNS = 36,
    PANE_COLUMNS_WIDE = 50,
    PANE_LEAST = 60,
    SPECTRUM_COLUMNS = 48,
    SPECTRUM_COLUMNS_WIDE = 76
};

static void close_tensor(void *state) {
    TensorView *view = state;
    free(view->shares);
    free(view->curve);
    free(view);
}

static Status open_tensor(Session *session, void **state, Error *error) {
    TensorView *view = memory_allocate(1, sizeof *view);
    (void)session;
    if (view == NULL) return memory_fail(error, "the Tensor view");
    view->index = SIZE_MAX;
    *state = view;
    return STATUS_OK;
}

/* Another tensor was chosen, here or in another view: all of it, in the same source and pooling. */
static bool take_tensor(TensorView *view, const Session *session) {
    size_t index = session_tensor(session);
    if (index >= session_pair(session)->count) return false;
    if (index == view->index) return true;
    const Tensor *sft = session_pair(session)->tensors[index].sft;
    TensorRoom room = view->window.room;
    view->index = index;
    view->window = tensor_window_make(sft->rows, sft->columns);
    if (room.rows > 0) (void)tensor_window_fit(&view->window, room);
    return true;
}

/* ---- drawing ---- */

/* Singular values stand in the map's place where there is no room for both. */
static bool hides_map(const TensorView *view, int columns) {
    return view->spectrum && (columns < PANE_FROM_COLUMNS || view_is_zoomed());
}

static bool shows_pane(const TensorView *view, Rect area) {
    if (view_is_zoomed()) return false;
    if (view->spectrum) return area.columns >= PANE_FROM_COLUMNS;
    return area.columns >= PANE_LEAST && (area.columns >= PANE_FROM_COLUMNS) != view->pane_toggled;
}

static int pane_columns(const TensorView *view, int columns) {
    bool wide = columns >= 160;
    if (view->spectrum) return wide ? SPECTRUM_COLUMNS_WIDE : SPECTRUM_COLUMNS;
    return wide ? PANE_COLUMNS_WIDE : columns >= PANE_FROM_COLUMNS ? PANE_COLUMNS : 32;
}

static void draw_pane(TensorView *view, Session *session, Canvas *canvas, Rect pane) {
    if (!view->spectrum) {
        tensor_draw_side(view, session, canvas, pane);
        return;
    }
    canvas_fill_column(canvas, pane, 0, 0, pane.rows, ROLE_BORDER, "│");
    (void)rect_cut_left(&pane, 2);
    tensor_draw_spectrum(view, session, canvas, pane);
}

static void draw_name(const TensorView *view, const Session *session, Canvas *canvas, Rect row) {
    const PairTensor *tensor = tensor_current(view, session);
    char kind[160], place[48];
    tensor_facts_kind(tensor, canvas->theme.ascii, kind, sizeof kind);
    (void)snprintf(place, sizeof place, "%zu of %zu", view->index + 1, session_pair(session)->count);
    int end = canvas_write_right(canvas, row, 0, row.columns, ROLE_DIM, place) - 2;
    char name[512];
    (void)text_escape(tensor->name, strlen(tensor->name), TEXT_PLAIN, name, sizeof name);
    text_shorten(name, sizeof name, end, canvas->theme.ascii);
    int column = canvas_write(canvas, row, 0, 0, ROLE_TITLE, name) + 2;
    if (column + text_width(kind) <= end) (void)canvas_write(canvas, row, 0, column, ROLE_TEXT, kind);
}

static void draw_tensor(void *state, Session *session, Canvas *canvas, Rect area) {
    TensorView *view = state;
    if (!take_tensor(view, session)) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_DIM, "The pair has no tensors.");
        return;
    }
    Rect pane = {0};
    size_t bins = 0;
    view->map_hidden = hides_map(view, area.columns);
    if (view->map_hidden) {
        draw_name(view, session, canvas, rect_cut_top(&area, 1));
        tensor_draw_spectrum(view, session, canvas, area);
        return;
    }
    if (shows_pane(view, area)) {
        int columns = pane_columns(view, area.columns);
        pane = rect_cut_right(&area, columns);
        (void)rect_cut_right(&area, 1);
        bins = view->spectrum ? 0 : (size_t)(columns - 2);
    }
    draw_name(view, session, canvas, rect_cut_top(&area, 1));
    Rect window = rect_cut_bottom(&area, area.rows > 4 ? 1 : 0);
    Rect cursor = rect_cut_bottom(&area, area.rows > 2 ? 1 : 0);
    if (view->window.rows == 0 || view->window.columns == 0) {
        (void)canvas_write(canvas, area, 0, 0, ROLE_DIM, "The tensor has no elements.");
    } else {
        tensor_draw_map(view, session, canvas, area, bins);
        tensor_draw_cursor(view, session, canvas, cursor);
        tensor_draw_window(view, session, canvas, window);
    }
    if (!rect_is_empty(pane)) draw_pane(view, session, canvas, pane);
}

/* ---- acting ---- */

static void step_tensor(const TensorView *view, Session *session, long by) {
    long count = (long)session_pair(session)->count;
    session_show_tensor(session, (size_t)((((long)view->index + by) % count + count) % count));
}

static bool find_in_tensor(void *state, Session *session, const char *text, int direction, bool stay) {
    const TensorView *view = state;
    const Pair *pair = session_pair(session);
    for (size_t i = stay ? 0 : 1; i < pair->count + (stay ? 0 : 1); i++) {
        size_t step = i % pair->count;
        size_t index = (view->index + (direction > 0 ? step : pair->count - step)) % pair->count;
        if (!text_find(pair->tensors[index].name, text)) continue;
        session_show_tensor(session, index);
        return true;
    }
    return false;
}

static void go_to_element(TensorView *view, Session *session, const char *text) {
    char *end;
    unsigned long long row = strtoull(text, &end, 10), column = 0;
    bool valid = end != text;
    if (*end == ',' || *end == ' ') {
        const char *rest = end + 1;
        column = strtoull(rest, &end, 10);
        valid = valid && end != rest;
    }
    if (valid && *end == '\0' && row < view->window.rows && column < view->window.columns)
        tensor_window_go(&view->window, row, column);
    else
        session_say(session, SESSION_WARNING, "expected ROW,COLUMN below %llu,%llu, found \"%s\"",
                    (unsigned long long)view->window.rows, (unsigned long long)view->window.columns, text);
}

static void go_to_largest(TensorView *view, Session *session) {
    DriftRow row;
    if (drift_table_row(session_drift(session), view->index, &row) && row.is_compared && !row.is_equal)
        tensor_window_go(&view->window, row.max_row, row.max_column);
    else
        session_say(session, SESSION_NOTE, "no change is known of this tensor");
}

static Reaction move(TensorView *view, Action action, const ActionArgument *argument) {
    TensorWindow *window = &view->window;
    long count = argument->count;
    switch (action) {
    case ACTION_MOVE_LEFT:
    case ACTION_MOVE_RIGHT:
        tensor_window_move(window, 0, action == ACTION_MOVE_LEFT ? -count : count);
        return REACTION_REDRAW;
    case ACTION_MOVE_UP:
    case ACTION_MOVE_DOWN:
        tensor_window_move(window, action == ACTION_MOVE_UP ? -count : count, 0);
        return REACTION_REDRAW;
    case ACTION_PAN_LEFT:
    case ACTION_PAN_RIGHT:
        tensor_window_pan(window, 0, action == ACTION_PAN_LEFT ? -count : count);
        return REACTION_REDRAW;
    case ACTION_PAN_UP:
    case ACTION_PAN_DOWN:
        tensor_window_pan(window, action == ACTION_PAN_UP ? -count : count, 0);
        return REACTION_REDRAW;
    case ACTION_PAGE_UP:
    case ACTION_PAGE_DOWN:
        tensor_window_pan(window, action == ACTION_PAGE_UP ? -2 * count : 2 * count, 0);
        return REACTION_REDRAW;
    case ACTION_FIRST:
        tensor_window_go(window, argument->has_count ? (uint64_t)count : 0, window->cursor_column);
        return REACTION_REDRAW;
    case ACTION_LAST:
        tensor_window_go(window, argument->has_count ? (uint64_t)count : UINT64_MAX, window->cursor_column);
        return REACTION_REDRAW;
    case ACTION_ZOOM_IN:
    case ACTION_ZOOM_OUT:
        tensor_window_zoom(window, action == ACTION_ZOOM_IN ? count : -count);
        return REACTION_REDRAW;
    case ACTION_ENTER:
        tensor_window_zoom(window, (long)tensor_window_last_zoom(window));
        return REACTION_REDRAW;
    case ACTION_ZOOM_WHOLE:
        tensor_window_zoom(window, -(long)window->zoom);
        return REACTION_REDRAW;
    default:
        return REACTION_IGNORED;
    }
}

/* One of `count` choices on or back. */
static int turn(int value, int count, int by) {
    return ((value + by) % count + count) % count;
}

static Reaction act_on_tensor(void *state, Session *session, Action action, const ActionArgument *argument) {
    TensorView *view = state;
    if (!take_tensor(view, session)) return REACTION_IGNORED;
    switch (action) {
    case ACTION_SOURCE_NEXT:
    case ACTION_SOURCE_PREVIOUS:
        view->source = (ElementsSource)turn((int)view->source, ELEMENTS_SOURCE_COUNT,
                                            action == ACTION_SOURCE_NEXT ? 1 : -1);
        return REACTION_REFRESH;
    case ACTION_POOLING_NEXT:
    case ACTION_POOLING_PREVIOUS:
        view->pooling = (ElementsPooling)turn((int)view->pooling, ELEMENTS_POOLING_COUNT,
                                              action == ACTION_POOLING_NEXT ? 1 : -1);
        return REACTION_REFRESH;
    case ACTION_SCALE_NEXT:
        view->logarithmic = !view->logarithmic;
        return REACTION_REDRAW;
    case ACTION_TOGGLE_PANE:
        /* the histogram comes in place of singular values */
        if (!view->spectrum) view->pane_toggled = !view->pane_toggled;
        view->spectrum = false;
        return REACTION_REDRAW;
    case ACTION_SPECTRUM:
        view->spectrum = !view->spectrum;
        if (view->spectrum) session_resume_spectrum(session);
        return REACTION_REDRAW;
    case ACTION_SPECTRUM_SCALE:
        view->curve_linear = !view->curve_linear;
        view->spectrum = true;
        return REACTION_REDRAW;
    case ACTION_NEXT_TENSOR:
    case ACTION_PREVIOUS_TENSOR:
        step_tensor(view, session, action == ACTION_NEXT_TENSOR ? argument->count : -(long)argument->count);
        return REACTION_REFRESH;
    case ACTION_TENSOR:
        tensor_list_go(session, argument->text);
        return REACTION_REFRESH;
    case ACTION_LAYER:
        tensor_list_go_layer(session, argument->number);
        return REACTION_REFRESH;
    case ACTION_ELEMENT:
        go_to_element(view, session, argument->text);
        return REACTION_REDRAW;
    case ACTION_LARGEST:
        go_to_largest(view, session);
        return REACTION_REDRAW;
    case ACTION_RESUME_SCAN:
        session_resume_drift(session);
        session_resume_spectrum(session);
        return REACTION_REFRESH;
    default:
        return view->map_hidden ? REACTION_IGNORED : move(view, action, argument);
    }
}

/* ---- numbers ---- */

/* Singular values where they are shown; else every cell on screen: what it covers and its value; no value where
 * nothing finite is. */
static Status number_tensor(void *state, Session *session, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {
        {"row", NULL, NULL, TABLE_INTEGER, 0},     {"rows", NULL, NULL, TABLE_INTEGER, 0},
        {"column", NULL, NULL, TABLE_INTEGER, 0},  {"columns", NULL, NULL, TABLE_INTEGER, 0},
        {"value", NULL, NULL, TABLE_NUMBER, 0},    {"nonfinite", NULL, NULL, TABLE_BOOL, 0},
        {"not_in_base", NULL, NULL, TABLE_BOOL, 0}};
    const TensorView *view = state;
    bool is_stale;
    if (view->spectrum) return tensor_number_spectrum(view, session, table, error);
    const ElementsMap *map = tensor_find_map(view, session, &is_stale);
    if (map == NULL || is_stale)
        return status_fail(error, STATUS_ARGUMENT, "the elements are still being pooled");
    Status status = table_create(COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, table, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 0; i < map->grid_rows * map->grid_columns; i++) {
        uint64_t row, rows, column, columns;
        elements_cell_span(map->row, map->rows, map->grid_rows, i / map->grid_columns, &row, &rows);
        elements_cell_span(map->column, map->columns, map->grid_columns, i % map->grid_columns, &column,
                           &columns);
        table_add_row(*table);
        table_add_integer(*table, (int64_t)row);
        table_add_integer(*table, (int64_t)rows);
        table_add_integer(*table, (int64_t)column);
        table_add_integer(*table, (int64_t)columns);
        table_add_number(*table, map->cells[i]);
        table_add_bool(*table, (map->marks[i] & ELEMENTS_CELL_NONFINITE) != 0);
        table_add_bool(*table, (map->marks[i] & ELEMENTS_CELL_MISSING) != 0);
    }
    return STATUS_OK;
}

/* The tensor's row is one of all; the map itself is in no command's output. */
static CommandId twin_tensor(void *state, Session *session, CommandLine *line) {
    const TensorView *view = state;
    (void)session;
    if (view->spectrum) command_line_add(line, "--%s", option_facts(OPTION_SPECTRUM)->name);
    return COMMAND_DRIFT;
}

static bool copy_name(void *state, Session *session, char *text, size_t size) {
    const PairTensor *tensor = tensor_current(state, session);
    if (tensor == NULL) return false;
    (void)snprintf(text, size, "%s", tensor->name);
    return true;
}

static const Action HINTS[] = {
    ACTION_MOVE_LEFT, ACTION_MOVE_UP,     ACTION_MOVE_DOWN,      ACTION_MOVE_RIGHT, ACTION_ZOOM_IN,
    ACTION_ZOOM_OUT,  ACTION_SOURCE_NEXT, ACTION_POOLING_NEXT,   ACTION_SCALE_NEXT, ACTION_TOGGLE_PANE,
    ACTION_SPECTRUM,  ACTION_NEXT_TENSOR, ACTION_PREVIOUS_TENSOR};

const View tensor_view = {
    .name = "tensor",
    .title = "Tensor",
    .help =
        "The elements of one tensor, pooled to the screen. Zoom in until each cell is one element, and once "
        "more for written figures; `v` has the singular values of the change. `!` has NaN or infinite elements, "
        "`×` are rows that base lacks.",
    .parts = SESSION_PART_FILES | SESSION_PART_DRIFT | SESSION_PART_ELEMENTS,
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .open = open_tensor,
    .draw = draw_tensor,
    .act = act_on_tensor,
    .find = find_in_tensor,
    .numbers = number_tensor,
    .twin = twin_tensor,
    .value = copy_name,
    .close = close_tensor,
};
