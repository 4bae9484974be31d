#include "tui/canvas/list_box.h"

#include "tui/canvas/hit_area.h"

#include <string.h>

enum { COLUMNS_LIMIT = 32, FLEXIBLE_LEAST = 8, GAP = 2 };

/* Width of every column, -1 for one that is left out: those of the largest priority go first. */
static void lay_out(const ListColumn *columns, size_t count, int room, int *widths) {
    int flexible, total;
    for (;;) {
        int worst = 0;
        size_t leaving = count;
        flexible = 0;
        total = -GAP;
        for (size_t i = 0; i < count; i++) {
            if (widths[i] < 0) continue;
            total += GAP + (columns[i].width > 0 ? columns[i].width : FLEXIBLE_LEAST);
            flexible += columns[i].width == 0;
            if (columns[i].priority <= worst) continue;
            worst = columns[i].priority;
            leaving = i;
        }
        if (total <= room || leaving == count) break;
        widths[leaving] = -1;
    }
    int spare = room > total ? room - total : 0;
    for (size_t i = 0, done = 0; i < count; i++) {
        if (widths[i] < 0) continue;
        widths[i] = columns[i].width;
        if (columns[i].width > 0) continue;
        int share = spare * (int)(done + 1) / flexible - spare * (int)done / flexible;
        widths[i] = FLEXIBLE_LEAST + share;
        done++;
    }
}

static void draw_row(Canvas *canvas, Rect area, int row, const ListColumn *columns, size_t count,
                     const int *widths, ListCell cell, void *user, size_t item) {
    int column = 0;
    for (size_t i = 0; i < count; i++) {
        if (widths[i] < 0) continue;
        char text[LIST_CELL_SIZE] = "";
        Role role = ROLE_TEXT;
        if (cell != NULL)
            cell(user, item, i, text, &role);
        else
            role = ROLE_HEADER;
        text[LIST_CELL_SIZE - 1] = '\0';
        canvas_write_field(canvas, area, row, column, widths[i], columns[i].right, role,
                           cell != NULL ? text : columns[i].title);
        column += widths[i] + GAP;
    }
}

static void keep_in_sight(ListState *state, size_t count, int rows) {
    state->page = rows > 0 ? rows : 1;
    if (state->cursor >= count) state->cursor = count > 0 ? count - 1 : 0;
    size_t page = (size_t)state->page;
    if (state->cursor < state->top) state->top = state->cursor;
    if (state->cursor >= state->top + page) state->top = state->cursor - page + 1;
    if (state->top + page > count) state->top = count > page ? count - page : 0;
}

static void draw_scroll_mark(Canvas *canvas, Rect strip, const ListState *state, size_t count) {
    size_t rows = (size_t)strip.rows, page = (size_t)state->page;
    if (rows == 0 || count <= page) return;
    canvas_fill_column(canvas, strip, 0, 0, strip.rows, ROLE_BAR_REST, "│");
    size_t length = rows * page / count > 0 ? rows * page / count : 1;
    size_t begin = (rows - length) * state->top / (count - page);
    canvas_fill_column(canvas, strip, (int)begin, 0, (int)length, ROLE_BAR, "█");
}

void list_box_draw(Canvas *canvas, Rect area, ListState *state, size_t count, const ListColumn *columns,
                   size_t column_count, bool focused, ListCell cell, void *user) {
    int widths[COLUMNS_LIMIT] = {0};
    if (column_count > COLUMNS_LIMIT) column_count = COLUMNS_LIMIT;
    Rect head = rect_cut_top(&area, area.rows > 1 ? 1 : 0);
    keep_in_sight(state, count, area.rows);
    if (rect_is_empty(area)) return;
    if (count > (size_t)area.rows) {
        draw_scroll_mark(canvas, rect_cut_right(&area, 1), state, count);
        (void)rect_cut_right(&area, 1);
        head.columns = area.columns;
    }
    lay_out(columns, column_count, area.columns, widths);
    draw_row(canvas, head, 0, columns, column_count, widths, NULL, NULL, 0);
    if (focused)
        hit_area_add(
            canvas,
            &(HitArea){.kind = HIT_AREA_GRID, .area = area, .down = {&state->cursor, state->top, count, 1}});
    for (int row = 0; row < area.rows && state->top + (size_t)row < count; row++) {
        size_t item = state->top + (size_t)row;
        draw_row(canvas, area, row, columns, column_count, widths, cell, user, item);
        if (focused && item == state->cursor)
            canvas_restyle(canvas, rect_make(area.row + row, area.column, 1, area.columns), ROLE_SELECTED);
    }
}

Reaction list_box_act(ListState *state, size_t count, Action action, const ActionArgument *argument) {
    size_t times = argument->count > 0 ? (size_t)argument->count : 1;
    size_t page = state->page > 1 ? (size_t)state->page : 1, last = count > 0 ? count - 1 : 0;
    if (action == ACTION_PAGE_UP || action == ACTION_PAGE_DOWN) times *= page;
    switch (action) {
    case ACTION_MOVE_UP:
    case ACTION_PAGE_UP:
        state->cursor -= times < state->cursor ? times : state->cursor;
        break;
    case ACTION_MOVE_DOWN:
    case ACTION_PAGE_DOWN:
        state->cursor = state->cursor >= last || times > last - state->cursor ? last : state->cursor + times;
        break;
    case ACTION_FIRST:
        state->cursor = argument->has_count ? (times - 1 < last ? times - 1 : last) : 0;
        break;
    case ACTION_LAST:
        state->cursor = argument->has_count ? (times - 1 < last ? times - 1 : last) : last;
        break;
    default:
        return REACTION_IGNORED;
    }
    return REACTION_REDRAW;
}

int list_box_draw_facts(Canvas *canvas, Rect area, const Fact *facts, size_t count) {
    int label_columns = 0;
    for (size_t i = 0; i < count; i++) {
        int width = facts[i].value != NULL ? text_width(facts[i].label) : 0;
        if (width > label_columns) label_columns = width;
    }
    if (label_columns > area.columns / 2) label_columns = area.columns / 2;
    int room = area.columns - label_columns - GAP;
    for (size_t i = 0; i < count; i++) {
        int row = (int)i;
        if (facts[i].value == NULL) {
            (void)canvas_write(canvas, area, row, 0, ROLE_TITLE, facts[i].label);
            continue;
        }
        canvas_write_field(canvas, area, row, 0, label_columns, false, ROLE_DIM, facts[i].label);
        canvas_write_field(canvas, area, row, label_columns + GAP, room, false, facts[i].role,
                           facts[i].value);
    }
    return (int)count;
}
