#include "core/support/memory.h"
#include "tui/canvas/chart.h"
#include "tui/canvas/heat_map.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_elements.h"
#include "tui/session/session_headline.h"
#include "views/tensor/tensor_internal.h"

#include <stdio.h>

enum { PROFILE_COLUMNS = 8, PROFILE_ROWS = 2, PROFILES_FROM_ROWS = 8, PROFILES_FROM_COLUMNS = 40 };

/* ---- what is asked for, and what is there ---- */

const PairTensor *tensor_current(const TensorView *view, const Session *session) {
    const Pair *pair = session_pair(session);
    return view->index < pair->count ? &pair->tensors[view->index] : NULL;
}

ElementsRequest tensor_request(const TensorView *view, const Session *session, size_t bins) {
    TensorShown shown = tensor_window_shown(&view->window);
    return (ElementsRequest){.tensor = tensor_current(view, session),
                             .source = view->source,
                             /* of one element all the others lose the sign */
                             .pooling = shown.single ? ELEMENTS_SIGNED : view->pooling,
                             .settings = *session_settings(session),
                             .row = shown.row,
                             .rows = shown.rows,
                             .column = shown.column,
                             .columns = shown.columns,
                             .grid_rows = shown.grid_rows,
                             .grid_columns = shown.grid_columns,
                             .bins = bins};
}

const ElementsMap *tensor_find_map(const TensorView *view, const Session *session, bool *is_stale) {
    ElementsRequest answered, wanted = tensor_request(view, session, 0);
    bool is_current = false;
    const ElementsMap *map = session_elements(session, &answered, &is_current);
    *is_stale = !is_current;
    bool same = map != NULL && answered.tensor == wanted.tensor && map->row == wanted.row &&
                map->rows == wanted.rows && map->column == wanted.column && map->columns == wanted.columns &&
                map->grid_rows == wanted.grid_rows && map->grid_columns == wanted.grid_columns;
    return same && answered.source == wanted.source ? map : NULL;
}

static bool is_signed(const TensorView *view) {
    return tensor_window_shown(&view->window).single || elements_pooling_facts(view->pooling)->is_signed;
}

static ColourScale make_key(const TensorView *view, const ElementsMap *map) {
    ColourScale key =
        colour_scale_make(is_signed(view) ? RAMP_DIVERGING : RAMP_SEQUENTIAL, 0, view->logarithmic);
    if (map != NULL) colour_scale_include(&key, map->largest_cell);
    return key;
}

/* ---- profiles ---- */

static double largest_of(const double *values, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        if (values[i] > largest) largest = values[i];
    return largest;
}

static void draw_row_profile(const ElementsMap *map, Canvas *canvas, Rect area) {
    double largest = largest_of(map->row_profile, map->grid_rows);
    size_t per_row = theme_has_solid(&canvas->theme) ? 2 : 1;
    for (int row = 0; row < area.rows; row++) {
        size_t first = (size_t)row * per_row;
        if (first >= map->grid_rows) break;
        size_t count = map->grid_rows - first < per_row ? map->grid_rows - first : per_row;
        double value = largest_of(map->row_profile + first, count);
        chart_draw_bar(canvas, area, row, 1, area.columns - 1, largest > 0 ? value / largest : 0, ROLE_BAR);
    }
}

static void draw_profiles(const ElementsMap *map, Canvas *canvas, Rect right, Rect below) {
    if (!rect_is_empty(right)) draw_row_profile(map, canvas, right);
    if (rect_is_empty(below)) return;
    Rect bars = below;
    if ((size_t)bars.columns > map->grid_columns) bars.columns = (int)map->grid_columns;
    chart_draw_histogram(canvas, bars, map->column_profile, map->grid_columns, false, NULL, NULL, ROLE_BAR);
    if (rect_is_empty(right)) return;
    Rect corner = rect_make(below.row, right.column, below.rows, right.columns);
    (void)canvas_write(canvas, corner, 0, 1, ROLE_DIM, "rms of");
    (void)canvas_write(canvas, corner, 1, 1, ROLE_DIM, "row/col");
}

/* ---- the map ---- */

/* Cells that colours cannot tell: not finite, or not there in base. */
static void draw_marks(const ElementsMap *map, const TensorShown *shown, Canvas *canvas, Rect area) {
    size_t per_row = theme_has_solid(&canvas->theme) ? 2 : 1, cells = map->grid_rows * map->grid_columns;
    size_t line = shown->flows ? shown->line : map->grid_columns;
    for (size_t i = 0; i < cells; i++) {
        if (map->marks[i] == 0) continue;
        int row = (int)(i / line / per_row), column = (int)(i % line);
        if ((map->marks[i] & ELEMENTS_CELL_NONFINITE) != 0)
            (void)canvas_write(canvas, area, row, column, ROLE_ERROR, "!");
        else if (!colour_scale_is_known(map->cells[i]))
            (void)canvas_write(canvas, area, row, column, ROLE_DIM, "×");
    }
}

static void draw_cells(TensorView *view, const ElementsMap *map, Canvas *canvas, Rect area,
                       const ColourScale *key) {
    TensorShown shown = tensor_window_shown(&view->window);
    TensorCell cell = tensor_window_cell(&view->window);
    size_t cells = map->grid_rows * map->grid_columns, line = shown.flows ? shown.line : map->grid_columns;
    size_t rows = (cells + line - 1) / line;
    if (MEMORY_RESERVE(view->shares, &view->share_capacity, rows * line, NULL) != STATUS_OK)
        return; /* the next frame tries again */
    colour_scale_share_all(key, map->cells, cells, view->shares, rows * line);
    HeatGrid grid = {.values = view->shares,
                     .rows = rows,
                     .columns = line,
                     .low = key->ramp == RAMP_DIVERGING ? -1 : 0,
                     .high = 1,
                     .ramp = key->ramp,
                     .cursor_row = (long)(shown.flows ? cell.grid_row / line : cell.grid_row),
                     .cursor_column = (long)(shown.flows ? cell.grid_row % line : cell.grid_column)};
    heat_map_draw_dense(canvas, area, &grid);
    draw_marks(map, &shown, canvas, area);
}

/* ---- the head ---- */

const char *tensor_source_name(ElementsSource source, bool ascii) {
    const ElementsFacts *facts = elements_source_facts(source);
    return ascii ? facts->ascii : facts->label;
}

void tensor_describe_pooling(const TensorView *view, char *text, size_t size) {
    TensorShown shown = tensor_window_shown(&view->window);
    TensorCell cell = tensor_window_cell(&view->window);
    if (shown.single)
        (void)snprintf(text, size, "single elements");
    else if (shown.flows)
        (void)snprintf(text, size, "%s of %llu elements a cell", elements_pooling_facts(view->pooling)->label,
                       (unsigned long long)cell.rows);
    else
        (void)snprintf(text, size, "%s of %llu×%llu a cell", elements_pooling_facts(view->pooling)->label,
                       (unsigned long long)cell.rows, (unsigned long long)cell.columns);
}

static void draw_head(const TensorView *view, const Session *session, Canvas *canvas, Rect head,
                      const ColourScale *key, const char *state) {
    char pooling[96];
    tensor_describe_pooling(view, pooling, sizeof pooling);
    int legend = colour_scale_draw(canvas, head, key);
    head.columns -= legend + 2;
    int column =
        canvas_write(canvas, head, 0, 0, ROLE_TITLE, tensor_source_name(view->source, canvas->theme.ascii));
    if (view->source == ELEMENTS_FUSED)
        column =
            canvas_print(canvas, head, 0, column, ROLE_FUSED, " at α %.3g", session_settings(session)->alpha);
    column = canvas_write(canvas, head, 0, column + 2, ROLE_TEXT, pooling);
    column = canvas_write(canvas, head, 0, column + 2, ROLE_STALE, state);
    const char *help = elements_source_facts(view->source)->help;
    if (state[0] == '\0' && column + text_width(help) < head.columns)
        (void)canvas_write(canvas, head, 0, column + 1, ROLE_DIM, help);
}

/* Why there is nothing to see, in place of the map. */
static void draw_reason(const TensorView *view, const Session *session, Canvas *canvas, Rect area) {
    const PairTensor *tensor = tensor_current(view, session);
    const char *error = session_elements_error(session);
    bool needs_base = view->source == ELEMENTS_DIFFERENCE || view->source == ELEMENTS_BASE;
    (void)rect_cut_top(&area, area.rows / 3);
    if (tensor->base == NULL && needs_base)
        (void)canvas_write_wrapped(
            canvas, area, 0, ROLE_WARNING,
            "Base has no such tensor, so there is no Δ and no B: show S, which W copies.");
    else if (error != NULL)
        (void)canvas_write_wrapped(canvas, area, 0, ROLE_ERROR, error);
    else
        (void)canvas_write(canvas, area, 0, 0, ROLE_STALE, "pooling…");
}

void tensor_draw_map(TensorView *view, Session *session, Canvas *canvas, Rect area, size_t bins) {
    Rect head = rect_cut_top(&area, 1), whole = area, right = {0}, below = {0};
    bool flows = view->window.columns == 1, is_stale;
    if (area.rows >= PROFILES_FROM_ROWS && area.columns >= PROFILES_FROM_COLUMNS && !flows) {
        below = rect_cut_bottom(&area, PROFILE_ROWS);
        right = rect_cut_right(&area, PROFILE_COLUMNS + 1);
        below.columns -= right.columns;
    }
    TensorShown shown = tensor_window_fit(&view->window, tensor_room(&canvas->theme, area, whole));
    ElementsRequest request = tensor_request(view, session, bins);
    session_request_elements(session, &request);
    /* the profile stands at the map, also where that is narrower than its room */
    if (shown.grid_columns < (size_t)area.columns) right.column = area.column + (int)shown.grid_columns;
    const ElementsMap *map = tensor_find_map(view, session, &is_stale);
    const char *age = map == NULL || !is_stale                  ? ""
                      : session_elements_error(session) == NULL ? "~ pooling…"
                                                                : "~ older: not pooled again";
    ColourScale key = make_key(view, map);
    draw_head(view, session, canvas, head, &key, age);
    if (map == NULL) {
        draw_reason(view, session, canvas, area);
    } else if (shown.figures) {
        tensor_draw_figures(view, map, canvas, whole, &key);
    } else {
        draw_cells(view, map, canvas, area, &key);
        draw_profiles(map, canvas, right, below);
    }
}
