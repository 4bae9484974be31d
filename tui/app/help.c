#include "tui/app/help.h"

#include <stdio.h>
#include <string.h>

/* Whether an action can do anything: not view-8 where there is no eighth. */
static bool is_listed(Action action, const View *view, const ViewList *views) {
    if (action >= ACTION_VIEW_1 && action <= ACTION_VIEW_9)
        return view_exists(views, (int)action - (int)ACTION_VIEW_1);
    return action_is_for(action, view->name);
}

/* Fills `actions` (ACTION_COUNT of them) with what can be done in the view, its own first. */
static size_t list_actions(const View *view, const ViewList *views, Action *actions) {
    size_t count = 0;
    for (int own = 1; own >= 0; own--)
        for (size_t i = 1; i < ACTION_COUNT; i++)
            if (is_listed((Action)i, view, views) && (action_info((Action)i)->where[0] != '\0') == (own == 1))
                actions[count++] = (Action)i;
    return count;
}

size_t help_count(const View *view, const ViewList *views) {
    Action actions[ACTION_COUNT];
    return list_actions(view, views, actions);
}

typedef struct HelpRows {
    const Keymap *keymap;
    const View *view;
    const Action *actions;
} HelpRows;

/* All keys of an action in this view: "j Down". */
static void write_all_keys(const HelpRows *rows, Action action, char *text, size_t size) {
    enum { BINDINGS = 1024 };
    const KeymapBinding *bindings[BINDINGS];
    size_t count = keymap_list(rows->keymap, rows->view->name, bindings, BINDINGS);
    text[0] = '\0';
    for (size_t i = 0; i < count && i < BINDINGS; i++) {
        char keys[KEY_NAME_SIZE * KEYMAP_SEQUENCE];
        if (bindings[i]->action != action) continue;
        keymap_write_keys(bindings[i], false, keys, sizeof keys);
        if (text[0] != '\0') text_append(text, size, "  ");
        text_append(text, size, keys);
    }
}

static void write_cell(void *user, size_t row, size_t column, char *text, Role *role) {
    const HelpRows *rows = user;
    const ActionInfo *info = action_info(rows->actions[row]);
    static const char *const ARGUMENTS[] = {"", " NUMBER", " TEXT", " FILE", ""};
    if (column == 0) {
        write_all_keys(rows, rows->actions[row], text, LIST_CELL_SIZE);
        *role = ROLE_KEY;
    } else if (column == 1) {
        (void)snprintf(text, LIST_CELL_SIZE, "%s", info->help);
    } else {
        (void)snprintf(text, LIST_CELL_SIZE, ":%s%s", info->name, ARGUMENTS[info->argument]);
        *role = ROLE_DIM;
    }
}

/* What is wrong in the user's key file, above the keys: half of the rows at most. */
static void draw_problems(Canvas *canvas, Rect *area, const Keymap *keymap) {
    int most = area->rows / 2;
    for (size_t i = 0; keymap_problem(keymap, i) != NULL && most > 0; i++) {
        const char *problem = keymap_problem(keymap, i);
        char safe[640];
        (void)text_escape(problem, strlen(problem), TEXT_PLAIN, safe, sizeof safe);
        int used = canvas_write_wrapped(canvas, rect_make(area->row, area->column, most, area->columns), 0,
                                        ROLE_WARNING, safe);
        if (used > most) used = most;
        (void)rect_cut_top(area, used);
        most -= used;
    }
}

/* Where the table has no room for what an action does, the row under the cursor is told in full below it. */
enum { WHOLE_COLUMNS = 140, DETAIL_ROWS = 2 };

void help_draw(Canvas *canvas, Rect area, const Keymap *keymap, const View *view, const ViewList *views,
               ListState *state) {
    static const ListColumn COLUMNS[] = {
        {"key", 17, false, 0}, {"what it does", 0, false, 0}, {"name", 22, false, 1}};
    Action actions[ACTION_COUNT];
    size_t count = list_actions(view, views, actions);
    HelpRows rows = {keymap, view, actions};
    Rect head = rect_cut_top(&area, area.rows > 8 ? 1 : 0);
    (void)canvas_print(canvas, head, 0, 0, ROLE_TITLE, "Keys in %s", view->title);
    if (area.rows > 8 && view->help != NULL) {
        int used = canvas_write_wrapped(canvas, area, 0, ROLE_TEXT, view->help);
        (void)rect_cut_top(&area, used < area.rows / 2 ? used : area.rows / 2);
    }
    draw_problems(canvas, &area, keymap);
    Rect detail = rect_cut_bottom(&area, area.columns < WHOLE_COLUMNS && area.rows > 8 ? DETAIL_ROWS : 0);
    list_box_draw(canvas, area, state, count, COLUMNS, 3, true, write_cell, &rows);
    if (count > 0)
        (void)canvas_write_wrapped(canvas, detail, 0, ROLE_TEXT, action_info(actions[state->cursor])->help);
}
