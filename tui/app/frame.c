#include "tui/app/frame.h"

#include "tui/canvas/dial_bar.h"
#include "tui/canvas/hit_area.h"

#include <stdio.h>
#include <string.h>

static const Action FRAME_HINTS[] = {ACTION_ALPHA_UP, ACTION_ALPHA_DOWN, ACTION_NEXT_VIEW, ACTION_SEARCH,
                                     ACTION_COMMAND,  ACTION_HELP,       ACTION_QUIT};
/* Work that is over at once would only flicker, and cost bytes over a slow line. */
static const double VISIBLE_SECONDS = 0.3;

enum { FRAME_HINT_COUNT = sizeof FRAME_HINTS / sizeof FRAME_HINTS[0], HINT_SIZE = 96, JOBS_SHOWN = 8 };

void frame_draw_title(Canvas *canvas, Rect area, Session *session, int number, const char *title) {
    char open[256], where[64];
    SessionDials dials = session_dials(session);
    session_title(session, open, sizeof open);
    (void)snprintf(where, sizeof where, "%d %s", number, title);
    int dial_columns = text_width(dials.text), where_columns = text_width(where);
    int end = area.columns;
    if (where_columns + 2 + dial_columns <= area.columns)
        end = canvas_write_right(canvas, area, 0, area.columns, dials.stale ? ROLE_STALE : ROLE_VALUE,
                                 dials.text) -
              2;
    int column = 0;
    if (where_columns + 8 <= end) column = canvas_write(canvas, area, 0, 0, ROLE_TITLE, "rejuv") + 2;
    int room = end - column - where_columns - 3;
    if (room >= 8) {
        text_shorten(open, sizeof open, room, canvas->theme.ascii);
        column = canvas_write(canvas, area, 0, column, ROLE_TEXT, open) + 3;
    }
    (void)canvas_write(canvas, rect_make(area.row, area.column, 1, end), 0, column, ROLE_TITLE, where);
}

static Role tone_role(SessionTone tone) {
    static const Role ROLES[] = {[SESSION_NOTE] = ROLE_TEXT,
                                 [SESSION_GOOD] = ROLE_GOOD,
                                 [SESSION_WARNING] = ROLE_WARNING,
                                 [SESSION_ERROR] = ROLE_ERROR};
    return ROLES[tone];
}

Rect frame_status_area(Rect view, Rect line, const FrameMessage *message) {
    int rows = canvas_count_wrapped(line.columns, message->text), most = view.rows / 2;
    if (rows > most) rows = most;
    if (rows <= 1) return line;
    return rect_make(line.row - (rows - 1), line.column, rows, line.columns);
}

void frame_draw_status(Canvas *canvas, Rect area, Session *session, const Keymap *keymap, const View *view,
                       const FrameMessage *message) {
    SessionJob jobs[JOBS_SHOWN];
    if (message->text[0] != '\0') {
        Role role = tone_role(message->tone);
        canvas_erase(canvas, area);
        if (area.rows > 1)
            (void)canvas_write_wrapped(canvas, area, 0, role, message->text);
        else
            canvas_write_field(canvas, area, 0, 0, area.columns, false, role, message->text);
        return;
    }
    size_t count = session_jobs(session, jobs, JOBS_SHOWN);
    size_t shown = 0;
    while (shown < count && jobs[shown].seconds < VISIBLE_SECONDS) shown++;
    if (shown == count) return;
    char note[HINT_SIZE] = "", keys[KEY_NAME_SIZE * 2], more[16] = "";
    const KeymapBinding *cancel = keymap_find(keymap, view->name, ACTION_CANCEL);
    if (count > 1) (void)snprintf(more, sizeof more, "+%u  ", (unsigned)(count < 99 ? count - 1 : 99));
    if (cancel != NULL) {
        keymap_write_keys(cancel, true, keys, sizeof keys);
        (void)snprintf(note, sizeof note, "%s%s %s", more, keys, action_info(ACTION_CANCEL)->label);
    }
    ProgressLine line = {.label = jobs[shown].label,
                         .done = jobs[shown].done,
                         .total = jobs[shown].total,
                         .seconds = jobs[shown].seconds,
                         .rate = jobs[shown].rate,
                         .note = note};
    dial_bar_draw_progress(canvas, area, 0, &line);
}

/* Joins the keys of `actions` that follow each other with one label: a/A, ←↓↑→. Returns how many it took. */
static size_t join_keys(const Keymap *keymap, const View *view, const Action *actions, size_t count,
                        char *text, size_t size) {
    const char *label = action_info(actions[0])->label;
    size_t taken = 0;
    text[0] = '\0';
    for (; taken < count && strcmp(action_info(actions[taken])->label, label) == 0; taken++) {
        char keys[KEY_NAME_SIZE * KEYMAP_SEQUENCE];
        const KeymapBinding *binding = keymap_find(keymap, view->name, actions[taken]);
        if (binding == NULL) continue;
        keymap_write_keys(binding, true, keys, sizeof keys);
        bool arrow = binding->keys[0] >= KEY_ARROW_UP && binding->keys[0] <= KEY_ARROW_RIGHT;
        if (text[0] != '\0' && !arrow) text_append(text, size, "/");
        text_append(text, size, keys);
    }
    return taken;
}

static bool contains(const Action *actions, size_t count, Action action) {
    for (size_t i = 0; i < count; i++)
        if (actions[i] == action) return true;
    return false;
}

/* Columns [begin, end) of the key line do the action when they are pressed. */
static void add_button(Canvas *canvas, Rect area, int begin, int end, Action action) {
    hit_area_add(canvas, &(HitArea){.kind = HIT_AREA_BUTTON,
                                    .area = rect_make(area.row, area.column + begin, 1, end - begin),
                                    .action = action});
}

/* A label as far as its first comma: what follows tells what to type. */
static void write_label(Action action, char *text, size_t size) {
    const char *label = action_info(action)->label;
    (void)snprintf(text, size, "%.*s", (int)strcspn(label, ","), label);
}

/* Without those of `told`. */
static int draw_hints(Canvas *canvas, Rect area, int column, const Keymap *keymap, const View *view,
                      const Action *actions, size_t count, ViewHints told) {
    for (size_t i = 0; i < count;) {
        char keys[HINT_SIZE], label[HINT_SIZE];
        if (contains(told.actions, told.count, actions[i])) {
            i++;
            continue;
        }
        write_label(actions[i], label, sizeof label);
        size_t taken = join_keys(keymap, view, actions + i, count - i, keys, sizeof keys);
        i += taken;
        if (keys[0] == '\0') continue;
        if (column + text_width(keys) + 1 + text_width(label) > area.columns)
            continue; /* a shorter may fit */
        int begin = column;
        column = canvas_write(canvas, area, 0, column, ROLE_KEY, keys);
        column = canvas_write(canvas, area, 0, column + 1, ROLE_TEXT, label) + 2;
        if (taken == 1) add_button(canvas, area, begin, column - 2, actions[i - 1]);
    }
    return column;
}

/* After the first keys of a sequence: what may follow, in place of the hints. */
static void draw_followers(Canvas *canvas, Rect area, const Keymap *keymap, const View *view,
                           const KeymapInput *input) {
    enum { FOLLOWERS = 64 };
    const KeymapBinding *bindings[FOLLOWERS];
    size_t count = keymap_followers(keymap, view->name, input->keys, input->key_count, bindings, FOLLOWERS);
    int column = 0;
    for (size_t i = 0; i < count && i < FOLLOWERS; i++) {
        KeymapBinding rest = *bindings[i];
        char keys[KEY_NAME_SIZE * KEYMAP_SEQUENCE];
        rest.key_count -= input->key_count;
        memmove(rest.keys, rest.keys + input->key_count, (size_t)rest.key_count * sizeof rest.keys[0]);
        keymap_write_keys(&rest, true, keys, sizeof keys);
        const char *name = action_info(rest.action)->name;
        bool last = i + 1 == count;
        if (column + text_width(keys) + 1 + text_width(name) + (last ? 0 : 3) > area.columns) {
            (void)canvas_write(canvas, area, 0, column, ROLE_DIM, "…");
            return;
        }
        column = canvas_write(canvas, area, 0, column, ROLE_KEY, keys);
        column = canvas_write(canvas, area, 0, column + 1, ROLE_TEXT, name) + 2;
    }
}

void frame_draw_keys(Canvas *canvas, Rect area, const Keymap *keymap, const View *view, ViewHints hints,
                     const KeymapInput *input) {
    char typed[KEY_NAME_SIZE * KEYMAP_SEQUENCE + 16] = "", keys[KEY_NAME_SIZE * KEYMAP_SEQUENCE];
    bool waits = input->key_count > 0 && !input->is_stale;
    if (input->count > 0 && !input->is_stale) (void)snprintf(typed, sizeof typed, "%d ", input->count);
    if (waits) {
        KeymapBinding pending = {.key_count = input->key_count};
        memcpy(pending.keys, input->keys, sizeof pending.keys);
        keymap_write_keys(&pending, false, keys, sizeof keys);
        text_append(typed, sizeof typed, keys);
        text_append(typed, sizeof typed, " …");
    }
    if (typed[0] != '\0') {
        Rect strip = rect_cut_right(&area, text_width(typed) + 1);
        (void)canvas_write(canvas, strip, 0, 1, ROLE_WARNING, typed);
    }
    if (waits) {
        draw_followers(canvas, area, keymap, view, input);
        return;
    }
    /* help and quit are always there: room is kept for them */
    Rect own = area;
    own.columns -= 16;
    int column = draw_hints(canvas, own, 0, keymap, view, hints.actions, hints.count, (ViewHints){NULL, 0});
    (void)draw_hints(canvas, own, column, keymap, view, FRAME_HINTS, FRAME_HINT_COUNT - 2, hints);
    char keys_of_help[HINT_SIZE], keys_of_quit[HINT_SIZE], text[HINT_SIZE * 3];
    (void)join_keys(keymap, view, &FRAME_HINTS[FRAME_HINT_COUNT - 2], 1, keys_of_help, sizeof keys_of_help);
    (void)join_keys(keymap, view, &FRAME_HINTS[FRAME_HINT_COUNT - 1], 1, keys_of_quit, sizeof keys_of_quit);
    (void)snprintf(text, sizeof text, "%s help  %s quit", keys_of_help, keys_of_quit);
    int begin = area.columns - text_width(text);
    int help = begin;
    begin = canvas_write(canvas, area, 0, begin, ROLE_KEY, keys_of_help);
    begin = canvas_write(canvas, area, 0, begin, ROLE_TEXT, " help  ");
    add_button(canvas, area, help, begin - 2, ACTION_HELP);
    add_button(canvas, area, begin, area.columns, ACTION_QUIT);
    begin = canvas_write(canvas, area, 0, begin, ROLE_KEY, keys_of_quit);
    (void)canvas_write(canvas, area, 0, begin, ROLE_TEXT, " quit");
}

void frame_draw_help_keys(Canvas *canvas, Rect area, const Keymap *keymap, const View *view) {
    static const Action HINTS[] = {ACTION_MOVE_UP, ACTION_MOVE_DOWN, ACTION_PAGE_UP, ACTION_PAGE_DOWN,
                                   ACTION_FIRST,   ACTION_LAST,      ACTION_BACK};
    (void)draw_hints(canvas, area, 0, keymap, view, HINTS, sizeof HINTS / sizeof *HINTS,
                     (ViewHints){NULL, 0});
}

bool frame_is_too_small(const Canvas *canvas) {
    return canvas->rows < FRAME_ROWS_MIN || canvas->columns < FRAME_COLUMNS_MIN;
}

void frame_draw_too_small(Canvas *canvas) {
    char text[96];
    (void)snprintf(text, sizeof text, "%d×%d is too small: %d×%d at least. q quits.", canvas->columns,
                   canvas->rows, FRAME_COLUMNS_MIN, FRAME_ROWS_MIN);
    (void)canvas_write_wrapped(canvas, canvas_area(canvas), 0, ROLE_WARNING, text);
}
