#include "tui/canvas/heat_map.h"
#include "tui/text/format.h"
#include "views/tensor/tensor_internal.h"

#include <stdio.h>

enum { FIGURE_COLUMNS = 10, LABEL_COLUMNS = 8 };

static size_t at_least_one(int count) {
    return count > 0 ? (size_t)count : 1;
}

TensorRoom tensor_room(const Theme *theme, Rect map, Rect whole) {
    return (TensorRoom){.rows = at_least_one(heat_map_dense_rows(theme, map.rows)),
                        .columns = at_least_one(map.columns),
                        .figure_rows = at_least_one(whole.rows - 1),
                        .figure_columns = at_least_one((whole.columns - LABEL_COLUMNS) / FIGURE_COLUMNS)};
}

static void draw_figure(const ElementsMap *map, Canvas *canvas, Rect area, int row, int column, size_t item,
                        const ColourScale *key, bool cursor) {
    char text[FORMAT_SIZE];
    Role role = ROLE_TEXT;
    const char *shown = text;
    if ((map->marks[item] & ELEMENTS_CELL_NONFINITE) != 0) {
        shown = "! NaN/Inf";
        role = ROLE_ERROR;
    } else if (!colour_scale_is_known(map->cells[item])) {
        shown = "×";
        role = ROLE_DIM;
    } else {
        (void)format_fit(map->cells[item], FIGURE_COLUMNS - 3, text);
        ThemeHeat heat = theme_heat(&canvas->theme, key->ramp, colour_scale_share(key, map->cells[item]));
        (void)canvas_write_styled(canvas, area, row, column, heat.style, heat.glyph);
    }
    canvas_write_field(canvas, area, row, column + 1, FIGURE_COLUMNS - 2, true, role, shown);
    if (cursor)
        canvas_restyle(
            canvas,
            rect_intersect(area, rect_make(area.row + row, area.column + column, 1, FIGURE_COLUMNS - 1)),
            ROLE_SELECTED);
}

void tensor_draw_figures(const TensorView *view, const ElementsMap *map, Canvas *canvas, Rect area,
                         const ColourScale *key) {
    TensorShown shown = tensor_window_shown(&view->window);
    TensorCell cell = tensor_window_cell(&view->window);
    size_t line = shown.flows ? shown.line : map->grid_columns;
    size_t cells = map->grid_rows * map->grid_columns;
    size_t here = shown.flows ? cell.grid_row : cell.grid_row * line + cell.grid_column;
    Rect head = rect_cut_top(&area, 1);
    for (size_t i = 0; i < line; i++) {
        char label[FORMAT_SIZE];
        (void)snprintf(label, sizeof label, shown.flows ? "+%llu" : "%llu",
                       (unsigned long long)(shown.flows ? i : shown.column + i));
        canvas_write_field(canvas, head, 0, LABEL_COLUMNS + (int)i * FIGURE_COLUMNS + 1, FIGURE_COLUMNS - 2,
                           true, i == here % line ? ROLE_VALUE : ROLE_DIM, label);
    }
    for (size_t i = 0; i < cells; i++) {
        int row = (int)(i / line), column = LABEL_COLUMNS + (int)(i % line) * FIGURE_COLUMNS;
        if (row >= area.rows) break;
        if (i % line == 0)
            (void)canvas_print(canvas, area, row, 0, i / line == here / line ? ROLE_VALUE : ROLE_DIM, "%7llu",
                               (unsigned long long)shown.row + (shown.flows ? i : i / line));
        draw_figure(map, canvas, area, row, column, i, key, i == here);
    }
}
