#include "tui/canvas/heat_map.h"

#include "tui/canvas/hit_area.h"
#include "tui/text/format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CELL_LEAST = 4, LABEL_LIMIT = 16, LEGEND_FIGURE = 6 };

double heat_map_scale(Ramp ramp, double low, double high, double value) {
    if (isnan(value)) return NAN;
    if (ramp == RAMP_DIVERGING) {
        double extent = fmax(fabs(low), fabs(high));
        return extent > 0 ? fmax(-1, fmin(1, value / extent)) : 0;
    }
    return high > low ? fmax(0, fmin(1, (value - low) / (high - low))) : 0;
}

static int widest(const char *const *labels, size_t count) {
    int width = 0;
    for (size_t i = 0; labels != NULL && i < count; i++) {
        int own = text_width(labels[i]);
        if (own > width) width = own;
    }
    return width;
}

/* The first of `count` items so that the cursor's is among the `room` that are shown. */
static size_t first_shown(size_t count, size_t room, size_t cursor) {
    if (count <= room || cursor >= count) return 0;
    size_t first = cursor > room / 2 ? cursor - room / 2 : 0;
    return first + room > count ? count - room : first;
}

typedef struct HeatLayout {
    Rect heads, labels, cells;
    size_t row, column; /* the first shown */
    size_t shown_rows, shown_columns;
    int width;
} HeatLayout;

static HeatLayout lay_out(Rect area, const HeatMap *map) {
    HeatLayout layout = {.width = map->cell_width};
    if (layout.width <= 0) {
        layout.width = widest(map->column_labels, map->columns) + 1;
        if (layout.width < CELL_LEAST) layout.width = CELL_LEAST;
    }
    int labels = widest(map->row_labels, map->rows);
    if (labels > LABEL_LIMIT) labels = LABEL_LIMIT;
    if (map->marked_rows) labels += 2;
    if (labels > area.columns / 2) labels = area.columns / 2;
    if (labels > 0) labels++;
    layout.heads = rect_cut_top(&area, map->column_labels != NULL && area.rows > 1 ? 1 : 0);
    layout.labels = rect_cut_left(&area, labels);
    (void)rect_cut_left(&layout.heads, labels);
    layout.cells = area;
    size_t rows = (size_t)area.rows, columns = (size_t)(area.columns / layout.width);
    layout.shown_rows = map->rows < rows ? map->rows : rows;
    layout.shown_columns = map->columns < columns ? map->columns : columns;
    layout.row = first_shown(map->rows, layout.shown_rows, map->cursor_row);
    layout.column = first_shown(map->columns, layout.shown_columns, map->cursor_column);
    return layout;
}

/* What a cell says: on its colour where cells are filled, else after the step's glyph. */
static void draw_text(Canvas *canvas, Rect cells, int row, int column, int width, ThemeHeat heat, bool known,
                      const char *text) {
    bool filled = known && theme_fills(&canvas->theme);
    int room = width - 2 - (known && !filled ? 2 : 0), own = text_width(text); /* ends are the cursor's */
    int begin = column + width - 1 - (own < room ? own : room);
    if (!known) {
        canvas_write_field(canvas, cells, row, begin, own < room ? own : room, true, ROLE_TEXT, text);
        return;
    }
    Style style = heat.style;
    if (filled) style.foreground = theme_ink(style.background);
    for (int i = 1; filled && i < width; i++)
        (void)canvas_write_styled(canvas, cells, row, column + i, style, " ");
    if (!filled) (void)canvas_write_styled(canvas, cells, row, column + 1, heat.style, heat.glyph);
    Rect clipped = cells;
    if (clipped.columns > column + width - 1) clipped.columns = column + width - 1;
    (void)canvas_write_styled(canvas, clipped, row, begin,
                              filled ? style : theme_style(&canvas->theme, ROLE_TEXT), text);
}

/* Whether a level lies between two elements; beyond the matrix and next to what is not known, none does. */
static bool is_divided(const HeatMap *map, size_t item, size_t other) {
    double a = map->values[item], b = map->values[other];
    bool is_divided = false;
    for (size_t i = 0; i < map->level_count; i++)
        is_divided = is_divided || (a < map->levels[i]) != (b < map->levels[i]);
    return is_divided && !isnan(a) && !isnan(b);
}

/* The lines of equal value at a cell's left end and below it: │, and underlined. */
static void draw_levels(Canvas *canvas, const HeatMap *map, const HeatLayout *layout, int row, int column,
                        size_t item) {
    int at = column * layout->width;
    if (column > 0 && is_divided(map, item, item - 1))
        (void)canvas_write(canvas, layout->cells, row, at, ROLE_TEXT, "│");
    if ((size_t)row + 1 >= layout->shown_rows || !is_divided(map, item, item + map->columns)) return;
    canvas_underline(canvas, rect_intersect(layout->cells,
                                            rect_make(layout->cells.row + row, layout->cells.column + at + 1,
                                                      1, layout->width - 1)));
}

/* One element: the step's glyph over the cell, one blank before it; brackets at the cursor. */
static void draw_cell(Canvas *canvas, const HeatMap *map, const HeatLayout *layout, int row, int column,
                      size_t item, bool cursor) {
    int at = column * layout->width;
    if (map->absent == NULL || !map->absent[item]) {
        double share = heat_map_scale(map->ramp, map->low, map->high, map->values[item]);
        ThemeHeat heat = theme_heat(&canvas->theme, map->ramp, share);
        bool known = !isnan(share);
        const char *text = map->texts != NULL ? map->texts[item] : NULL;
        if (text != NULL) draw_text(canvas, layout->cells, row, at, layout->width, heat, known, text);
        int begin = known ? 1 : layout->width / 2, end = known ? layout->width : layout->width / 2 + 1;
        if (cursor && known && layout->width > 3) end--;
        for (int i = begin; i < end && text == NULL; i++)
            (void)canvas_write_styled(canvas, layout->cells, row, at + i, heat.style, heat.glyph);
    }
    if (map->level_count > 0) draw_levels(canvas, map, layout, row, column, item);
    if (!cursor) return;
    (void)canvas_write(canvas, layout->cells, row, at, ROLE_MARK, "[");
    (void)canvas_write(canvas, layout->cells, row, at + layout->width - 1, ROLE_MARK, "]");
}

static void add_zone(Canvas *canvas, const HeatMap *map, const HeatLayout *layout) {
    Rect cells = layout->cells;
    cells.rows = (int)layout->shown_rows;
    cells.columns = (int)layout->shown_columns * layout->width;
    hit_area_add(
        canvas,
        &(HitArea){.kind = HIT_AREA_GRID,
                   .area = cells,
                   .down = {map->pressed_row, map->row_number + layout->row, map->row_number + map->rows, 1},
                   .across = {map->pressed_column, layout->column, map->columns, layout->width}});
}

/* A name that is cut is still known, a figure is another: so many columns share the room of one label. */
static int find_label_step(const HeatMap *map, int width) {
    return map->is_scale ? (widest(map->column_labels, map->columns) + width) / width : 1;
}

static void draw_heads(Canvas *canvas, const HeatMap *map, const HeatLayout *layout) {
    int step = find_label_step(map, layout->width), room = step * layout->width - 1;
    for (size_t c = 0; map->column_labels != NULL && c < layout->shown_columns; c++) {
        size_t column = layout->column + c;
        int begin = (int)c * layout->width + 1;
        if (column % (size_t)step != 0) continue;
        if (map->is_scale && begin + text_width(map->column_labels[column]) > layout->heads.columns) continue;
        Role role = column == map->cursor_column ? ROLE_VALUE : ROLE_DIM;
        canvas_write_field(canvas, layout->heads, 0, begin, room, false, role, map->column_labels[column]);
    }
}

void heat_map_draw(Canvas *canvas, Rect area, const HeatMap *map) {
    HeatLayout layout = lay_out(area, map);
    if (map->pressed_row != NULL || map->pressed_column != NULL) add_zone(canvas, map, &layout);
    draw_heads(canvas, map, &layout);
    for (size_t r = 0; r < layout.shown_rows; r++) {
        size_t row = layout.row + r;
        bool here = row == map->cursor_row;
        int label_at = map->marked_rows ? 2 : 0;
        if (here && map->marked_rows) (void)canvas_write(canvas, layout.labels, (int)r, 0, ROLE_MARK, "▸");
        if (map->row_labels != NULL)
            canvas_write_field(canvas, layout.labels, (int)r, label_at, layout.labels.columns - label_at - 1,
                               false, here ? ROLE_VALUE : ROLE_DIM, map->row_labels[row]);
        for (size_t c = 0; c < layout.shown_columns; c++) {
            size_t column = layout.column + c;
            draw_cell(canvas, map, &layout, (int)r, (int)c, row * map->columns + column,
                      here && column == map->cursor_column);
        }
    }
}

int heat_map_dense_rows(const Theme *theme, int rows) {
    return theme_has_solid(theme) ? 2 * rows : rows;
}

static double grid_share(const HeatGrid *grid, size_t row, size_t column) {
    if (row >= grid->rows || column >= grid->columns) return NAN;
    return heat_map_scale(grid->ramp, grid->low, grid->high, grid->values[row * grid->columns + column]);
}

/* Two values in one cell: the upper half block in the upper one's colour, on the lower one's. */
static void draw_pair(Canvas *canvas, Rect area, const HeatGrid *grid, int row, int column) {
    double upper = grid_share(grid, (size_t)row * 2, (size_t)column);
    double lower = grid_share(grid, (size_t)row * 2 + 1, (size_t)column);
    Style style = {theme_solid(&canvas->theme, grid->ramp, upper),
                   theme_solid(&canvas->theme, grid->ramp, lower), 0};
    const char *glyph = "▀";
    if (isnan(upper) && isnan(lower)) {
        return;
    } else if (isnan(upper)) {
        glyph = "▄";
        style.foreground = style.background;
        style.background = THEME_DEFAULT_COLOUR;
    }
    (void)canvas_write_styled(canvas, area, row, column, style, glyph);
}

void heat_map_draw_dense(Canvas *canvas, Rect area, const HeatGrid *grid) {
    bool halves = theme_has_solid(&canvas->theme);
    int rows = area.rows, columns = area.columns;
    size_t used = halves ? (grid->rows + 1) / 2 : grid->rows;
    if (used < (size_t)rows) rows = (int)used;
    if (grid->columns < (size_t)columns) columns = (int)grid->columns;
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            if (halves) {
                draw_pair(canvas, area, grid, row, column);
                continue;
            }
            double share = grid_share(grid, (size_t)row, (size_t)column);
            if (isnan(share)) continue;
            ThemeHeat heat = theme_heat(&canvas->theme, grid->ramp, share);
            (void)canvas_write_styled(canvas, area, row, column, heat.style, heat.glyph);
        }
    }
    if (grid->cursor_row < 0 || grid->cursor_column < 0) return;
    int row = (int)(halves ? grid->cursor_row / 2 : grid->cursor_row), column = (int)grid->cursor_column;
    if (row >= rows || column >= columns) return;
    bool upper = grid->cursor_row % 2 == 0;
    const char *mark = !halves ? "X" : upper ? "▀" : "▄";
    Style cursor =
        theme_overlay(theme_style(&canvas->theme, ROLE_MARK), theme_style(&canvas->theme, ROLE_SELECTED));
    if (halves) { /* the other half keeps its colour */
        double other = grid_share(grid, (size_t)(upper ? grid->cursor_row + 1 : grid->cursor_row - 1),
                                  (size_t)grid->cursor_column);
        cursor.background = theme_solid(&canvas->theme, grid->ramp, other);
        cursor.attributes &= (uint8_t)~THEME_REVERSE;
    }
    (void)canvas_write_styled(canvas, area, row, column, cursor, mark);
}

int heat_map_draw_legend(Canvas *canvas, Rect area, Ramp ramp, double low, double high) {
    char low_text[FORMAT_SIZE], high_text[FORMAT_SIZE];
    size_t steps = theme_step_count(&canvas->theme, ramp);
    (void)format_fit(low, LEGEND_FIGURE, low_text);
    (void)format_fit(high, LEGEND_FIGURE, high_text);
    int width = text_width(low_text) + text_width(high_text) + 2 + (int)steps;
    int column = area.columns - width;
    column = canvas_write(canvas, area, 0, column, ROLE_TEXT, low_text) + 1;
    for (size_t i = 0; i < steps; i++) {
        ThemeHeat heat = theme_step(&canvas->theme, ramp, i);
        column = canvas_write_styled(canvas, area, 0, column, heat.style, heat.glyph);
    }
    (void)canvas_write(canvas, area, 0, column + 1, ROLE_TEXT, high_text);
    return width;
}
