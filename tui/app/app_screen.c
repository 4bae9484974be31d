/*
 * The whole screen: title, view, popup, messages, keys or the prompt.
 */
#include "tui/app/app_internal.h"
#include "tui/app/help.h"
#include "tui/app/tour.h"
#include "tui/terminal/terminal.h"

#include <time.h>

double app_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void draw_question(App *app, Rect area) {
    if (app->asking != APP_ASKS_CONFIRMATION) {
        prompt_line_draw(app->canvas, area);
        return;
    }
    int end =
        canvas_print(app->canvas, area, 0, 0, ROLE_WARNING, "%s? ", action_info(app->asked_action)->label);
    end = canvas_write(app->canvas, area, 0, end, ROLE_KEY, "y");
    (void)canvas_write(app->canvas, area, 0, end, ROLE_TEXT, " yes   any other key no");
}

static ViewHints list_hints(const App *app) {
    const View *view = app_view(app);
    if (view->list_hints != NULL) return view->list_hints(app->states[app->view]);
    return (ViewHints){view->hints, view->hint_count};
}

void app_draw(App *app) {
    Canvas *canvas = app->canvas;
    const View *view = app_view(app);
    canvas_clear(canvas);
    if (frame_is_too_small(canvas)) {
        frame_draw_too_small(canvas);
        return;
    }
    Rect area = canvas_area(canvas);
    Rect title = rect_cut_top(&area, 1), last = rect_cut_bottom(&area, 1), status = rect_cut_bottom(&area, 1);
    int strip = app->touring && !app->helping ? tour_rows(canvas, area, app->keymap) : 0;
    if (strip > 0) tour_draw(canvas, rect_cut_bottom(&area, strip), app->keymap, app->tour_step);
    if (app->helping)
        help_draw(canvas, area, app->keymap, view, &app->views, &app->help);
    else
        view->draw(app->states[app->view], app->session, canvas, area);
    app_draw_popup(app, area);
    frame_draw_title(canvas, title, app->session, app->view + 1, view->title);
    if (prompt_line_candidates()[0] != '\0')
        canvas_write_field(canvas, status, 0, 0, status.columns, false, ROLE_DIM, prompt_line_candidates());
    else if (!app->is_still)
        frame_draw_status(canvas, frame_status_area(area, status, &app->message), app->session, app->keymap,
                          view, &app->message);
    if (app->asking != APP_ASKS_NOTHING)
        draw_question(app, last);
    else if (app->helping)
        frame_draw_help_keys(canvas, last, app->keymap, view);
    else
        frame_draw_keys(canvas, last, app->keymap, view, list_hints(app), &app->input);
}

Reaction app_resize(App *app) {
    int rows, columns;
    terminal_size(&rows, &columns);
    if ((rows != app->canvas->rows || columns != app->canvas->columns) &&
        canvas_resize(app->canvas, rows, columns, NULL) != STATUS_OK)
        return REACTION_NONE; /* the old size goes on being shown; the next event tries again */
    terminal_redraw();
    return REACTION_REDRAW;
}
