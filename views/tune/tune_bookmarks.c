/*
 * The pane bookmarks: what was kept, and two settings side by side on every headline figure.
 */
#include "tui/app/view.h"
#include "tui/canvas/list_box.h"
#include "tui/session/session_bookmark.h"
#include "tui/text/text.h"
#include "views/shared/average_text.h"
#include "views/tune/tune_internal.h"

#include <stdio.h>
#include <string.h>

enum {
    SIDES = 2,
    SIDE_NAME = SESSION_BOOKMARK_NAME * 4 + 1,
    FIGURE_COLUMNS = 8,
    DIFFERENCE_COLUMNS = 11,
    DIFFERENCE_DIGITS = 3,
    COMPARISON_COLUMNS = 52,
    LIST_LEAST = 12
};

/* ---- the list ---- */

static void write_cell(void *user, size_t row, size_t column, char *text, Role *role) {
    const Session *session = user;
    const SessionBookmark *bookmark = session_bookmark(session, row);
    bool here = session_is_at_bookmark(session, row);
    if (column == 0) {
        char name[SESSION_BOOKMARK_NAME * 4];
        (void)text_escape(bookmark->name, strlen(bookmark->name), TEXT_PLAIN, name, sizeof name);
        (void)snprintf(text, LIST_CELL_SIZE, "%s %s", here ? "●" : " ", name);
        *role = here ? ROLE_FUSED : ROLE_TEXT;
    } else {
        dials_describe(&bookmark->dials, text, LIST_CELL_SIZE);
        *role = ROLE_DIM;
    }
}

static void draw_list(TuneState *state, Session *session, Canvas *canvas, Rect area) {
    static const ListColumn COLUMNS[] = {{"  name", 10, false, 0}, {"dials", 0, false, 1}};
    list_box_draw(canvas, area, &state->bookmarks, session_bookmark_count(session), COLUMNS, 2, true,
                  write_cell, session);
}

/* ---- two of them ---- */

typedef struct OneSide {
    char name[SIDE_NAME];
    const DistributionAverages *averages; /* NULL while they are not known */
    bool is_stale;
} OneSide;

static OneSide side_of_bookmark(const Session *session, size_t index) {
    OneSide side = {.averages = session_bookmark_averages(session, index)};
    const char *name = session_bookmark(session, index)->name;
    (void)text_escape(name, strlen(name), TEXT_PLAIN, side.name, sizeof side.name);
    return side;
}

/* What the bookmark at the cursor is compared with: W at the dials, unless another was chosen. */
static OneSide other_side(const TuneState *state, const Session *session) {
    size_t index;
    if (session_find_bookmark(session, state->against, &index)) return side_of_bookmark(session, index);
    OneSide side = {.averages = session_headline_fused(session),
                    .is_stale = session_headline_is_stale(session)};
    (void)snprintf(side.name, sizeof side.name, "W%s", side.is_stale ? "~" : "");
    return side;
}

static void draw_values(Canvas *canvas, Rect area, int row, size_t figure, const OneSide *sides) {
    char text[FORMAT_SIZE];
    double values[SIDES] = {0};
    int end = area.columns - DIFFERENCE_COLUMNS;
    for (int i = 0; i < SIDES; i++) {
        (void)snprintf(text, sizeof text, "…");
        if (sides[i].averages != NULL) {
            values[i] = distribution_figure(sides[i].averages, figure);
            (void)average_text_write(sides[i].averages, figure, text);
        }
        (void)canvas_write_right(canvas, area, row, end - (SIDES - 1 - i) * FIGURE_COLUMNS,
                                 sides[i].is_stale ? ROLE_STALE : ROLE_VALUE, text);
    }
    double difference = values[0] - values[1];
    bool is_less = difference < 0, is_number = is_less || difference >= 0;
    if (sides[0].averages == NULL || sides[1].averages == NULL || !is_number) return;
    double size = is_less ? -difference : difference;
    char magnitude[FORMAT_SIZE], signed_text[FORMAT_SIZE + 1];
    if (DISTRIBUTION_FIGURES[figure].is_share)
        (void)format_share(size, magnitude);
    else
        (void)format_number(size, DIFFERENCE_DIGITS, magnitude);
    (void)snprintf(signed_text, sizeof signed_text, "%s%s",
                   is_less          ? "-"
                   : difference > 0 ? "+"
                                    : "",
                   magnitude);
    (void)canvas_write_right(canvas, area, row, area.columns, ROLE_TEXT, signed_text);
}

static void draw_comparison(TuneState *state, const Session *session, Canvas *canvas, Rect area) {
    const OneSide sides[SIDES] = {side_of_bookmark(session, state->bookmarks.cursor),
                                  other_side(state, session)};
    int end = area.columns - DIFFERENCE_COLUMNS;
    for (int i = 0; i < SIDES; i++) {
        char name[SIDE_NAME];
        memcpy(name, sides[i].name, sizeof name);
        text_shorten(name, sizeof name, FIGURE_COLUMNS - 1, canvas->theme.ascii);
        (void)canvas_write_right(canvas, area, 0, end - (SIDES - 1 - i) * FIGURE_COLUMNS, ROLE_FUSED, name);
    }
    (void)canvas_write_right(canvas, area, 0, area.columns, ROLE_TITLE, "diff");
    int shown = area.rows - 1, label = area.columns - SIDES * FIGURE_COLUMNS - DIFFERENCE_COLUMNS;
    size_t first = state->figure + 1 > (size_t)shown ? state->figure + 1 - (size_t)shown : 0;
    for (int row = 0; row < shown && first + (size_t)row < DISTRIBUTION_FIGURE_COUNT; row++) {
        size_t figure = first + (size_t)row;
        char text[64];
        tune_label_figure(figure, text, sizeof text);
        canvas_write_field(canvas, area, row + 1, 0, label, false,
                           figure == state->figure ? ROLE_SELECTED : ROLE_TEXT, text);
        draw_values(canvas, area, row + 1, figure, sides);
    }
}

static void draw_bookmarks(TuneState *state, Session *session, Canvas *canvas, Rect area) {
    if (session_bookmark_count(session) == 0) {
        (void)canvas_write_wrapped(
            canvas, area, 0, ROLE_DIM,
            "Nothing is kept yet. A bookmark keeps all dials under a name (:keep), with its "
            "headline figures; two of them are compared here.");
        return;
    }
    if (state->bookmarks.cursor >= session_bookmark_count(session))
        state->bookmarks.cursor = session_bookmark_count(session) - 1;
    bool below = area.columns < COMPARISON_COLUMNS + LIST_LEAST;
    Rect list =
        below ? rect_cut_top(&area, area.rows / 2) : rect_cut_left(&area, area.columns - COMPARISON_COLUMNS);
    draw_list(state, session, canvas, list);
    if (!below) (void)rect_cut_left(&area, 2);
    if (area.columns >= SIDES * FIGURE_COLUMNS + DIFFERENCE_COLUMNS && area.rows > 1)
        draw_comparison(state, session, canvas, area);
}

/* ---- acting ---- */

static const Reaction TURNED = (Reaction)(REACTION_REDRAW | REACTION_REFRESH);

static Reaction return_to(const TuneState *state, Session *session) {
    session_set_dial_state(session, &session_bookmark(session, state->bookmarks.cursor)->dials);
    return TURNED;
}

static Reaction export_it(const TuneState *state, Session *session) {
    Reaction reaction = return_to(state, session);
    view_request("export");
    return reaction;
}

/* The one at the cursor becomes what others are compared with; once more, and it is W again. */
static Reaction compare_with(TuneState *state, Session *session) {
    const char *name = session_bookmark(session, state->bookmarks.cursor)->name;
    bool is_chosen = strcmp(state->against, name) == 0;
    (void)snprintf(state->against, sizeof state->against, "%s", is_chosen ? "" : name);
    session_say(session, SESSION_NOTE, "the bookmark at the cursor is compared with %s",
                is_chosen ? "W" : state->against);
    return REACTION_REDRAW;
}

static Reaction act_on_bookmarks(TuneState *state, Session *session, Action action,
                                 const ActionArgument *argument) {
    size_t count = session_bookmark_count(session);
    if (count == 0) return REACTION_IGNORED;
    switch (action) {
    case ACTION_ENTER:
        return return_to(state, session);
    case ACTION_BOOKMARK_EXPORT:
        return export_it(state, session);
    case ACTION_BOOKMARK_COMPARE:
        return compare_with(state, session);
    case ACTION_BOOKMARK_REMOVE:
        session_remove_bookmark(session, state->bookmarks.cursor);
        return REACTION_REDRAW;
    default:
        return list_box_act(&state->bookmarks, count, action, argument);
    }
}

static bool find_bookmark(TuneState *state, Session *session, const char *text, int direction, bool stay) {
    size_t count = session_bookmark_count(session), cursor = state->bookmarks.cursor;
    for (size_t step = stay ? 0 : 1; step < count + (stay ? 0 : 1); step++) {
        size_t at = (cursor + (direction > 0 ? step : count - step % count)) % count;
        if (!text_find(session_bookmark(session, at)->name, text)) continue;
        state->bookmarks.cursor = at;
        return true;
    }
    return false;
}

/* ---- numbers ---- */

static Status list_bookmarks(TuneState *state, Session *session, Table **table, Error *error) {
    enum { FIXED = 6, MOST = 32 };
    TableColumn columns[MOST] = {
        {"bookmark", NULL, NULL, TABLE_TEXT, 0}, {"alpha", NULL, NULL, TABLE_NUMBER, 0},
        {"rho", NULL, NULL, TABLE_NUMBER, 0},    {"omega", NULL, NULL, TABLE_NUMBER, 0},
        {"selector", NULL, NULL, TABLE_TEXT, 0}, {"targets", NULL, NULL, TABLE_INTEGER, 0}};
    size_t figures = DISTRIBUTION_FIGURE_COUNT < MOST - FIXED ? DISTRIBUTION_FIGURE_COUNT : MOST - FIXED;
    (void)state;
    for (size_t i = 0; i < figures; i++)
        columns[FIXED + i] = (TableColumn){DISTRIBUTION_FIGURES[i].key, NULL, NULL, TABLE_NUMBER, 0};
    Status status = table_create(columns, FIXED + figures, table, error);
    for (size_t b = 0; b < session_bookmark_count(session) && status == STATUS_OK; b++) {
        const SessionBookmark *bookmark = session_bookmark(session, b);
        const DistributionAverages *averages = session_bookmark_averages(session, b);
        table_add_row(*table);
        table_add_text(*table, bookmark->name);
        table_add_number(*table, bookmark->dials.settings.alpha);
        table_add_number(*table, bookmark->dials.settings.rho);
        table_add_number(*table, bookmark->dials.settings.omega);
        table_add_text(*table, ranking_selector_name(bookmark->dials.selector));
        table_add_integer(*table, (int64_t)bookmark->dials.targets);
        for (size_t i = 0; i < figures; i++) {
            if (averages != NULL)
                table_add_figure(*table, distribution_figure(averages, i),
                                 distribution_figure_is_undefined(averages, i));
            else
                table_add_empty(*table);
        }
    }
    return status;
}

static const Action HINTS[] = {
    ACTION_PANE_NEXT, ACTION_KEEP, ACTION_BOOKMARK_COMPARE, ACTION_BOOKMARK_EXPORT, ACTION_BOOKMARK_REMOVE,
    ACTION_UNDO,      ACTION_REDO};

const TunePane tune_bookmarks_pane = {
    .name = "bookmarks",
    .hints = HINTS,
    .hint_count = sizeof HINTS / sizeof *HINTS,
    .keys = "{enter} returns  {bookmark-compare} compares",
    .slot = TUNE_LEFT,
    .size = 12,
    .draw = draw_bookmarks,
    .act = act_on_bookmarks,
    .find = find_bookmark,
    .numbers = list_bookmarks,
};
