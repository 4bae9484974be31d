/*
 * The views in the order of their numbers. A placeholder until they exist: the list of actions, as a table.
 */
#include "core/memory.h"
#include "tui/view.h"
#include "tui/widget_list.h"
#include "views/views.h"

#include <stdio.h>
#include <stdlib.h>

static Status open_overview(Session *session, void **state, Error *error) {
    (void)session;
    *state = memory_allocate(1, sizeof(ListState));
    return *state != NULL ? STATUS_OK : memory_fail(error, "the overview");
}

static void write_cell(void *user, size_t row, size_t column, char *text, Role *role) {
    const ActionInfo *info = action_info((Action)(row + 1));
    (void)user;
    (void)snprintf(text, LIST_CELL_SIZE, "%s", column == 0 ? info->name : info->help);
    if (column == 0) *role = ROLE_KEY;
}

static void draw_overview(void *state, Session *session, Canvas *canvas, Rect area) {
    static const ListColumn COLUMNS[] = {{"action", 20, false, 0}, {"what it does", 0, false, 1}};
    (void)session;
    list_draw(canvas, area, state, ACTION_COUNT - 1, COLUMNS, 2, true, write_cell, NULL);
}

static Reaction act_on_overview(void *state, Session *session, Action action,
                                const ActionArgument *argument) {
    (void)session;
    return list_act(state, ACTION_COUNT - 1, action, argument);
}

static bool find_in_overview(void *state, Session *session, const char *text, int direction, bool stay) {
    ListState *list = state;
    size_t count = ACTION_COUNT - 1;
    (void)session;
    for (size_t i = stay ? 0 : 1; i < count + (stay ? 0 : 1); i++) {
        size_t row = direction > 0 ? (list->cursor + i) % count : (list->cursor + count - i) % count;
        if (!text_find(action_info((Action)(row + 1))->name, text)) continue;
        list->cursor = row;
        return true;
    }
    return false;
}

static Status number_overview(void *state, Session *session, Table **table, Error *error) {
    static const TableColumn COLUMNS[] = {{"action", NULL, NULL, TABLE_TEXT, 0},
                                          {"help", NULL, NULL, TABLE_TEXT, 0}};
    (void)state;
    (void)session;
    Status status = table_create(COLUMNS, 2, table, error);
    if (status != STATUS_OK) return status;
    for (size_t i = 1; i < ACTION_COUNT; i++) {
        table_add_row(*table);
        table_add_text(*table, action_info((Action)i)->name);
        table_add_text(*table, action_info((Action)i)->help);
    }
    return STATUS_OK;
}

static const Action HINTS[] = {ACTION_MOVE_UP, ACTION_MOVE_DOWN};

static const View overview = {
    .name = "overview",
    .title = "Overview",
    .hints = HINTS,
    .hint_count = 2,
    .open = open_overview,
    .draw = draw_overview,
    .act = act_on_overview,
    .find = find_in_overview,
    .numbers = number_overview,
    .close = free,
};

const View *const VIEWS[] = {&overview, NULL, NULL, NULL, &prompt_view, &tune_view, NULL, &export_view};
const size_t VIEW_COUNT = sizeof VIEWS / sizeof VIEWS[0];
