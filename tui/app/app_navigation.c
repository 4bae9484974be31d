/*
 * Which view is in front, and looking for something in it.
 */
#include "tui/app/app_internal.h"

#include <string.h>

const View *app_view(const App *app) {
    return app->views.views[app->view];
}

void app_show_view(App *app, int index, bool remember) {
    if (!view_exists(&app->views, index) || index == app->view) return;
    const View *view = app->views.views[index];
    Error error;
    if (!app->is_open[index]) {
        if (view->open != NULL && view->open(app->session, &app->states[index], &error) != STATUS_OK) {
            session_say(app->session, SESSION_ERROR, "%s: %s", view->title, error.message);
            return;
        }
        app->is_open[index] = true;
        if (app->resume != NULL) resume_place(app->resume, view, app->states[index]);
    }
    if (remember && app->view >= 0) {
        if (app->back_count == APP_BACK_LIMIT) {
            memmove(app->back, app->back + 1, (APP_BACK_LIMIT - 1) * sizeof app->back[0]);
            app->back_count--;
        }
        app->back[app->back_count++] = app->view;
    }
    app->view = index;
    app->input = (KeymapInput){0};
    if (view->show != NULL) view->show(app->states[index], app->session);
}

void app_close_views(App *app) {
    for (size_t i = 0; app->is_open != NULL && i < app->views.count; i++) {
        const View *view = app->views.views[i];
        if (app->is_open[i] && view->close != NULL) view->close(app->states[i]);
        app->is_open[i] = false;
        app->states[i] = NULL;
    }
}

bool app_show_requested(App *app) {
    const char *name = view_take_request();
    int index = name != NULL ? view_find(&app->views, name) : -1;
    if (index < 0) return false;
    app_show_view(app, index, true);
    return true;
}

Reaction app_find(App *app, int direction, bool stay) {
    const View *view = app_view(app);
    if (view->find == NULL) {
        session_say(app->session, SESSION_NOTE, "there is nothing to search in %s", view->title);
    } else if (app->search[0] == '\0') {
        if (!stay) session_say(app->session, SESSION_NOTE, "no search yet");
    } else if (!view->find(app->states[app->view], app->session, app->search, direction, stay)) {
        session_say(app->session, SESSION_WARNING, "\"%s\" is not found in %s", app->search, view->title);
    }
    return REACTION_REDRAW;
}
