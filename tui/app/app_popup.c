/*
 * A text over the lower part of the view: the command line for what is on screen. It is in nobody's way: any key but
 * those that copy or close it does what it does without it.
 */
#include "core/files/user_directory.h"
#include "core/support/memory.h"
#include "tui/app/app_internal.h"
#include "tui/app/equivalent_command.h"
#include "tui/canvas/hit_area.h"
#include "tui/terminal/terminal.h"
#include "tui/text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char COPY_NAME[] = "copied";

void app_close_popup(App *app) {
    free(app->popup);
    free(app->popup_opening);
    app->popup = app->popup_opening = NULL;
}

Reaction app_open_twin(App *app) {
    const View *view = app_view(app);
    Error error;
    app_close_popup(app);
    Status status = equivalent_command_write(view, app->states[app->view], app->session, &app->popup, &error);
    if (status == STATUS_OK || status == STATUS_UNSUPPORTED)
        status = equivalent_command_write_opening(view, app->session, &app->popup_opening, &error);
    if (status != STATUS_OK) {
        app_close_popup(app);
        session_say(app->session, SESSION_ERROR, "%s", error.message);
    }
    return REACTION_REDRAW;
}

/* ---- drawing ---- */

/* Writes one command below a line that says what it is for; returns the row after. */
static int draw_command(Canvas *canvas, Rect area, int row, const char *title, const char *command) {
    char none[1];
    if (row >= area.rows) return row;
    (void)canvas_write(canvas, area, row, 0, ROLE_DIM, title);
    size_t size = text_escape(command, strlen(command), TEXT_PLAIN, none, sizeof none) + 1;
    char *shown = memory_allocate(size, 1);
    if (shown == NULL) return row + 1;
    (void)text_escape(command, strlen(command), TEXT_PLAIN, shown, size);
    row = canvas_write_wrapped(canvas, area, row + 1, ROLE_VALUE, shown);
    free(shown);
    return row + 1;
}

static int draw_commands(const App *app, Canvas *canvas, Rect area) {
    int row = 0;
    if (app->popup != NULL) row = draw_command(canvas, area, row, "these figures, for a script", app->popup);
    if (app->popup_opening != NULL)
        row = draw_command(canvas, area, row, "this screen again", app->popup_opening);
    return row;
}

void app_draw_popup(App *app, Rect area) {
    Canvas *canvas = app->canvas;
    static const char COPIES[] = " copies";
    char copy[KEY_NAME_SIZE * KEYMAP_SEQUENCE] = ":copy", title[sizeof copy + sizeof COPIES];
    const KeymapBinding *binding = keymap_find(app->keymap, app_view(app)->name, ACTION_COPY);
    if (app->popup_opening == NULL) return;
    if (binding != NULL) keymap_write_keys(binding, false, copy, sizeof copy);
    (void)snprintf(title, sizeof title, "%s%s", copy, COPIES);
    enum { FRAME = 2 };
    /* measured by drawing them out of sight */
    Rect beyond = rect_make(canvas->rows, 0, 1 << 12, area.columns - FRAME);
    int rows = draw_commands(app, canvas, beyond) - 1 + FRAME;
    area = rect_cut_bottom(&area, rows);
    canvas_erase(canvas, area);
    hit_area_add(canvas, &(HitArea){.kind = HIT_AREA_COVER, .area = area});
    (void)draw_commands(app, canvas, canvas_frame(canvas, area, title));
}

/* ---- copying ---- */

/* The value under the cursor or what the popup shows first. */
static bool find_text(App *app, char *value, size_t size, const char **text) {
    const View *view = app_view(app);
    *text = app->popup != NULL ? app->popup : app->popup_opening;
    if (*text != NULL) return true;
    *text = value;
    return view->value != NULL && view->value(app->states[app->view], app->session, value, size);
}

/* A terminal does not tell whether it took the text, so it goes to a file as well. */
Reaction app_copy(App *app) {
    enum { VALUE_SIZE = 4096 };
    char value[VALUE_SIZE] = "";
    const char *text;
    Error terminal_error = {0}, file_error = {0};
    if (!find_text(app, value, sizeof value, &text)) {
        session_say(app->session, SESSION_NOTE, "there is nothing to copy in %s", app_view(app)->title);
        return REACTION_REDRAW;
    }
    char *path = user_directory_path(USER_DIRECTORY_STATE, COPY_NAME);
    Status sent = terminal_copy(text, strlen(text), &terminal_error);
    Status kept = path == NULL ? status_fail(&file_error, STATUS_IO, "there is no home directory")
                               : user_directory_write_file(path, text, strlen(text), &file_error);
    if (sent == STATUS_OK && kept == STATUS_OK)
        session_say(app->session, SESSION_GOOD, "sent to the terminal's clipboard, and to %s", path);
    else if (kept == STATUS_OK)
        session_say(app->session, SESSION_GOOD, "copied to %s (%s)", path, terminal_error.message);
    else if (sent == STATUS_OK)
        session_say(app->session, SESSION_GOOD, "sent to the terminal's clipboard");
    else
        session_say(app->session, SESSION_WARNING, "not copied: %s; %s", terminal_error.message,
                    file_error.message);
    free(path);
    return REACTION_REDRAW;
}
