#include "tui/canvas/chart.h"
#include "tui/session/session_dials.h"
#include "tui/session/session_elements.h"
#include "tui/session/session_headline.h"
#include "tui/text/format.h"
#include "views/shared/tensor_facts.h"
#include "views/tensor/tensor_internal.h"

#include <stdio.h>

enum { DIGITS = 7, HISTOGRAM_ROWS = 7, FACTS_ROWS = 15 };

/* "rows 12–13" or "row 12". */
static int write_span(Canvas *canvas, Rect row, int column, const char *what, uint64_t first,
                      uint64_t count) {
    if (count == 1)
        return canvas_print(canvas, row, 0, column, ROLE_TEXT, "%s %llu", what, (unsigned long long)first);
    return canvas_print(canvas, row, 0, column, ROLE_TEXT, "%ss %llu–%llu", what, (unsigned long long)first,
                        (unsigned long long)(first + count - 1));
}

typedef struct Figure {
    ElementsSource source; /* of an element's */
    Role role;
    const char *label;
    char text[FORMAT_SIZE];
} Figure;

static int figure_columns(const Figure *figure) {
    return 3 + text_width(figure->label) + text_width(figure->text);
}

/* A figure that does not fit is left out: half of it would be another figure. */
static int write_figure(Canvas *canvas, Rect row, int column, const Figure *figure) {
    if (column + figure_columns(figure) > row.columns) return row.columns;
    column = canvas_write(canvas, row, 0, column + 2, figure->role, figure->label);
    return canvas_write(canvas, row, 0, column + 1, ROLE_VALUE, figure->text);
}

static int write_value(Canvas *canvas, Rect row, int column, Role role, const char *label, double value) {
    Figure figure = {.role = role, .label = label};
    (void)format_number(value, DIGITS, figure.text);
    return write_figure(canvas, row, column, &figure);
}

/* An element in all sources, exactly. Returns how many there are: without base SFT and W. */
static size_t list_figures(const ElementValues *values, bool ascii, Figure figures[ELEMENTS_SOURCE_COUNT]) {
    const struct {
        Role role;
        double value;
        bool is_there;
    } sources[ELEMENTS_SOURCE_COUNT] = {
        [ELEMENTS_DIFFERENCE] = {ROLE_TITLE, values->difference, values->has_base},
        [ELEMENTS_BASE] = {ROLE_BASE, values->base, values->has_base},
        [ELEMENTS_SFT] = {ROLE_SFT, values->sft, true},
        [ELEMENTS_FUSED] = {ROLE_FUSED, values->fused, true}};
    size_t count = 0;
    for (int i = 0; i < ELEMENTS_SOURCE_COUNT; i++) {
        if (!sources[i].is_there) continue;
        Figure *figure = &figures[count++];
        *figure = (Figure){.source = (ElementsSource)i, .role = sources[i].role};
        figure->label = tensor_source_name(figure->source, ascii);
        (void)format_number(sources[i].value, DIGITS, figure->text);
    }
    return count;
}

/* The element in all four sources; where that is too wide, what the map shows comes first. */
static void write_element(const TensorView *view, const Session *session, Canvas *canvas, Rect row,
                          int column) {
    ElementValues values;
    Figure figures[ELEMENTS_SOURCE_COUNT];
    Error error;
    const TensorWindow *window = &view->window;
    if (elements_at(tensor_current(view, session), session_settings(session), window->cursor_row,
                    window->cursor_column, &values, &error) != STATUS_OK) {
        (void)canvas_write(canvas, row, 0, column + 2, ROLE_ERROR, error.message);
        return;
    }
    if (!values.has_base) column = canvas_write(canvas, row, 0, column + 2, ROLE_WARNING, "not in base");
    size_t count = list_figures(&values, canvas->theme.ascii, figures);
    int end = column;
    for (size_t i = 0; i < count; i++) end += figure_columns(&figures[i]);
    bool fits = end <= row.columns;
    for (size_t i = 0; i < count && !fits; i++)
        if (figures[i].source == view->source) column = write_figure(canvas, row, column, &figures[i]);
    for (size_t i = 0; i < count; i++)
        if (fits || figures[i].source != view->source)
            column = write_figure(canvas, row, column, &figures[i]);
}

void tensor_draw_cursor(const TensorView *view, const Session *session, Canvas *canvas, Rect row) {
    TensorShown shown = tensor_window_shown(&view->window);
    TensorCell cell = tensor_window_cell(&view->window);
    bool is_stale;
    int column = canvas_write(canvas, row, 0, 0, ROLE_MARK, "▸") + 1;
    column = write_span(canvas, row, column, shown.flows ? "element" : "row", cell.row, cell.rows);
    if (!shown.flows) column = write_span(canvas, row, column + 2, "column", cell.column, cell.columns);
    if (shown.single) {
        write_element(view, session, canvas, row, column);
        return;
    }
    const ElementsMap *map = tensor_find_map(view, session, &is_stale);
    if (map == NULL) return;
    size_t item = cell.grid_row * map->grid_columns + cell.grid_column;
    if ((map->marks[item] & ELEMENTS_CELL_NONFINITE) != 0)
        column = canvas_write(canvas, row, 0, column + 2, ROLE_ERROR, "! has NaN or Inf");
    if ((map->marks[item] & ELEMENTS_CELL_MISSING) != 0)
        column = canvas_write(canvas, row, 0, column + 2, ROLE_WARNING, "× rows that base lacks");
    if (colour_scale_is_known(map->cells[item]))
        (void)write_value(canvas, row, column, ROLE_DIM, elements_pooling_facts(view->pooling)->label,
                          map->cells[item]);
}

/* A label and a figure, whole or not at all: half a figure is another figure. */
static int write_whole(Canvas *canvas, Rect row, int column, Role role, const char *label,
                       const char *value) {
    int end = column + text_width(label) + 1 + text_width(value);
    if (end > row.columns) return row.columns;
    column = canvas_write(canvas, row, 0, column, role, label) + 1;
    return canvas_write(canvas, row, 0, column, role == ROLE_DIM ? ROLE_VALUE : role, value) + 2;
}

void tensor_draw_window(const TensorView *view, const Session *session, Canvas *canvas, Rect row) {
    TensorShown shown = tensor_window_shown(&view->window);
    const TensorWindow *window = &view->window;
    char text[FORMAT_SIZE];
    bool is_stale;
    const ElementsMap *map = tensor_find_map(view, session, &is_stale);
    int column =
        canvas_print(canvas, row, 0, 0, ROLE_DIM, "%llu–%llu of %llu", (unsigned long long)shown.row,
                     (unsigned long long)(shown.row + shown.rows - 1), (unsigned long long)window->rows);
    if (!shown.flows)
        column = canvas_print(
            canvas, row, 0, column, ROLE_DIM, " × %llu–%llu of %llu", (unsigned long long)shown.column,
            (unsigned long long)(shown.column + shown.columns - 1), (unsigned long long)window->columns);
    column += 2;
    if (map == NULL) return;
    if (map->nonfinite > 0)
        column =
            write_whole(canvas, row, column, ROLE_ERROR, "! NaN or Inf", format_count(map->nonfinite, text));
    if (map->missing > 0)
        column =
            write_whole(canvas, row, column, ROLE_WARNING, "× not in base", format_count(map->missing, text));
    if (map->count == 0) return;
    column = write_whole(canvas, row, column, ROLE_DIM, "min", format_number(map->minimum, 4, text));
    column = write_whole(canvas, row, column, ROLE_DIM, "max", format_number(map->maximum, 4, text));
    (void)write_whole(canvas, row, column, ROLE_DIM, "mean", format_number(map->mean, 3, text));
}

/* ---- the pane ---- */

static void draw_histogram(const TensorView *view, const Session *session, Canvas *canvas, Rect area) {
    double counts[TENSOR_BINS_LIMIT];
    char low[FORMAT_SIZE], high[FORMAT_SIZE], largest[FORMAT_SIZE];
    bool is_stale;
    const ElementsMap *map = tensor_find_map(view, session, &is_stale);
    int column = canvas_write(canvas, area, 0, 0, ROLE_TITLE, "histogram") + 1;
    if (map == NULL || map->bins == 0 || map->bins > TENSOR_BINS_LIMIT || map->count == 0) return;
    uint64_t most = 0;
    for (size_t i = 0; i < map->bins; i++) {
        counts[i] = (double)map->histogram[i];
        if (map->histogram[i] > most) most = map->histogram[i];
    }
    (void)canvas_print(canvas, area, 0, column, ROLE_DIM, "log, top %s", format_short_count(most, largest));
    (void)rect_cut_top(&area, 1);
    Rect figures = rect_cut_bottom(&area, 1);
    (void)canvas_print(canvas, figures, 0, 0, ROLE_DIM, "mean %s of %s", format_number(map->mean, 3, low),
                       format_count(map->count, high));
    chart_draw_histogram(canvas, area, counts, map->bins, true, format_number(map->histogram_low, 3, low),
                         format_number(map->histogram_high, 3, high), ROLE_BAR);
}

void tensor_draw_side(const TensorView *view, const Session *session, Canvas *canvas, Rect area) {
    canvas_fill_column(canvas, area, 0, 0, area.rows, ROLE_BORDER, "│");
    (void)rect_cut_left(&area, 2);
    int rows = area.rows - FACTS_ROWS;
    rows = rows < HISTOGRAM_ROWS ? HISTOGRAM_ROWS : rows > 2 * HISTOGRAM_ROWS ? 2 * HISTOGRAM_ROWS : rows;
    draw_histogram(view, session, canvas, rect_cut_top(&area, rows));
    (void)rect_cut_top(&area, 1);
    (void)canvas_write(canvas, area, 0, 0, ROLE_TITLE, "drift");
    (void)canvas_write(canvas, area, 0, 6, ROLE_DIM, "of the whole tensor");
    (void)rect_cut_top(&area, 1);
    (void)tensor_facts_draw_drift(canvas, area, session, view->index);
}
