#include "core/files/disk.h"
#include "core/files/user_directory.h"
#include "tui/app/app_internal.h"
#include "tui/app/dial_actions.h"
#include "tui/app/help.h"
#include "tui/app/tour.h"
#include "tui/canvas/picture.h"
#include "tui/session/session.h"
#include "tui/session/session_export.h"
#include "tui/tables/table_write.h"
#include "tui/terminal/terminal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_INTERRUPTED = 130 };

Reaction app_interrupt(App *app) {
    if (session_cancel(app->session)) {
        session_say(app->session, SESSION_NOTE, "cancelled");
        return REACTION_REDRAW;
    }
    app->exit_status = EXIT_INTERRUPTED;
    return REACTION_QUIT;
}

static Reaction cancel(Session *session) {
    SessionJob job;
    if (session_cancel(session))
        session_say(session, SESSION_NOTE, "cancelled");
    else if (session_jobs(session, &job, 1) > 0)
        session_say(session, SESSION_NOTE, "%s is not cancelled: it runs to its end", job.label);
    else
        session_say(session, SESSION_NOTE, "nothing is running");
    return REACTION_REDRAW;
}

static Reaction dump_text(App *app, const char *path) {
    Error error;
    DiskFile file;
    Status status = disk_file_begin_new(&file, path, &error);
    if (status == STATUS_OK) {
        app_draw(app);
        status = canvas_dump(app->canvas, file.stream, &error);
        if (status == STATUS_OK)
            status = disk_file_commit(&file, DISK_SYNC_NONE, &error);
        else
            disk_file_discard(&file);
    }
    if (status == STATUS_OK)
        session_say(app->session, SESSION_GOOD, "the screen is written to %s", path);
    else
        session_say(app->session, SESSION_ERROR, "%s", error.message);
    return REACTION_REDRAW;
}

/* "rejuv Layers: base → sft (llama 6L 1.2M)" */
static void name_picture(const App *app, char *title, size_t size) {
    char open[256];
    session_title(app->session, open, sizeof open);
    (void)snprintf(title, size, "rejuv %s: %s", app_view(app)->title, open);
}

static Reaction write_picture(App *app, const char *path) {
    char title[320];
    Error error;
    PictureFormat format;
    Theme *theme = &app->canvas->theme;
    const ThemeDepth depth = theme->depth;
    name_picture(app, title, sizeof title);
    /* a file is not bound to the colours that this terminal has */
    if (depth != THEME_MONO && picture_find_format(path, &format) && picture_depth(format) > depth)
        theme->depth = picture_depth(format);
    app_draw(app);
    theme->depth = depth;
    if (picture_save(app->canvas, title, path, &error) == STATUS_OK)
        session_say(app->session, SESSION_GOOD, "the picture is written to %s", path);
    else
        session_say(app->session, SESSION_ERROR, "%s", error.message);
    return REACTION_REDRAW;
}

static Reaction write_numbers(App *app, const char *path) {
    const View *view = app_view(app);
    Error error;
    Table *table = NULL;
    if (view->numbers == NULL) {
        session_say(app->session, SESSION_NOTE, "%s has no numbers to write", view->title);
        return REACTION_REDRAW;
    }
    Status status = view->numbers(app->states[app->view], app->session, &table, &error);
    if (status == STATUS_OK) status = table_write_file(table, path, &error);
    if (status == STATUS_OK)
        session_say(app->session, SESSION_GOOD, "%zu rows of %s are written to %s", table_row_count(table),
                    view->title, path);
    else
        session_say(app->session, SESSION_ERROR, "%s", error.message);
    table_free(table);
    return REACTION_REDRAW;
}

static Reaction go_to_view(App *app, int index) {
    if (!view_exists(&app->views, index))
        session_say(app->session, SESSION_NOTE, "there is no such view");
    else
        app_show_view(app, index, true);
    return REACTION_REDRAW;
}

/* `steps` views on in the order of their numbers, free numbers left out; negative: back. */
static Reaction step_view(App *app, int steps) {
    int count = (int)app->views.count, index = app->view, direction = steps < 0 ? count - 1 : 1;
    for (int left = abs(steps); left > 0; left--) {
        do index = (index + direction) % count;
        while (app->views.views[index] == NULL);
    }
    return go_to_view(app, index);
}

static Reaction go_back(App *app) {
    if (app->back_count > 0) app_show_view(app, app->back[--app->back_count], false);
    return REACTION_REDRAW;
}

Reaction app_toggle_tour(App *app) {
    app->touring = !app->touring;
    app->tour_step = 0;
    return app->touring ? app_step_tour(app, 0) : REACTION_REDRAW;
}

Reaction app_step_tour(App *app, int steps) {
    long step = (long)app->tour_step + steps, last = (long)TOUR_COUNT - 1;
    if (!app->touring) return app_toggle_tour(app);
    if (step > last) session_say(app->session, SESSION_NOTE, "that was the tour");
    app->touring = step <= last;
    app->tour_step = (size_t)(step < 0 ? 0 : step > last ? last : step);
    if (app->touring) app_show_view(app, view_find(&app->views, TOUR_STEPS[app->tour_step].view), true);
    return REACTION_REDRAW;
}

/* An export that runs takes a second time: the first says what leaving means. */
static Reaction quit(App *app) {
    SessionExportStage stage = session_export_stage(app->session);
    bool is_running = stage == SESSION_EXPORT_WRITING || stage == SESSION_EXPORT_VERIFYING;
    if (!is_running || app->warned) return REACTION_QUIT;
    app->warned = true;
    session_say(app->session, SESSION_WARNING, "%s",
                stage == SESSION_EXPORT_WRITING
                    ? "still exporting: quit again to leave; what is safe on disk by then is kept"
                    : "written, but still verifying: quit again to leave without that");
    return REACTION_REDRAW;
}

static bool is_dial_step(Action action) {
    static const Action STEPS[] = {ACTION_ALPHA_UP, ACTION_ALPHA_DOWN, ACTION_ALPHA_UP_COARSE,
                                   ACTION_RHO_UP,   ACTION_RHO_DOWN,   ACTION_ALPHA_DOWN_COARSE,
                                   ACTION_OMEGA_UP, ACTION_OMEGA_DOWN};
    for (size_t i = 0; i < sizeof STEPS / sizeof *STEPS; i++)
        if (STEPS[i] == action) return true;
    return false;
}

static Reaction repeat_step(App *app, const ActionArgument *argument) {
    if (app->last_step != ACTION_NOTHING) return app_act(app, app->last_step, argument);
    session_say(app->session, SESSION_NOTE, "no dial was turned yet");
    return REACTION_REDRAW;
}

static Reaction change_theme(App *app, const char *name) {
    ThemeKind kind;
    bool monochrome;
    if (theme_read_name(name, getenv("COLORFGBG"), &kind, &monochrome)) {
        if (kind == THEME_ANY && !monochrome) kind = terminal_background(); /* auto */
        terminal_set_theme(kind, monochrome);
        app->canvas->theme = terminal_theme();
    } else {
        session_say(app->session, SESSION_WARNING,
                    "themes are auto, dark, light, high-contrast and mono, not \"%s\"", name);
    }
    return REACTION_REDRAW;
}

/* The frame's own actions; REACTION_IGNORED for all others. */
static Reaction act_on_frame(App *app, Action action, const ActionArgument *argument) {
    switch (action) {
    case ACTION_QUIT:
        return quit(app);
    case ACTION_HELP:
        app->helping = true;
        app->help = (ListState){0};
        return REACTION_REDRAW;
    case ACTION_COMMAND:
        app_ask_command(app);
        return REACTION_REDRAW;
    case ACTION_SEARCH_NEXT:
        return app_find(app, 1, false);
    case ACTION_SEARCH_PREVIOUS:
        return app_find(app, -1, false);
    case ACTION_SEARCH:
        (void)snprintf(app->search, sizeof app->search, "%s", argument->text);
        return app_find(app, 1, false);
    case ACTION_VIEW_1:
    case ACTION_VIEW_2:
    case ACTION_VIEW_3:
    case ACTION_VIEW_4:
    case ACTION_VIEW_5:
    case ACTION_VIEW_6:
    case ACTION_VIEW_7:
    case ACTION_VIEW_8:
    case ACTION_VIEW_9:
        return go_to_view(app, (int)action - (int)ACTION_VIEW_1);
    case ACTION_VIEW:
        return go_to_view(app, view_find(&app->views, argument->text));
    case ACTION_NEXT_VIEW:
        return step_view(app, argument->count);
    case ACTION_PREVIOUS_VIEW:
        return step_view(app, -argument->count);
    case ACTION_CANCEL:
        return cancel(app->session);
    case ACTION_INTERRUPT:
        return app_interrupt(app);
    case ACTION_SUSPEND:
        terminal_suspend();
        return app_resize(app);
    case ACTION_EXPORT_EDIT:
        return strcmp(app_view(app)->name, "export") == 0 ? app_edit_export(app) : REACTION_IGNORED;
    case ACTION_REDRAW:
        terminal_redraw();
        return REACTION_REDRAW;
    case ACTION_ZOOM_PANE:
        view_zoom(!view_is_zoomed());
        session_say(app->session, SESSION_NOTE, view_is_zoomed() ? "one pane" : "all panes that fit");
        return REACTION_REDRAW;
    case ACTION_TOUR:
        return app_toggle_tour(app);
    case ACTION_TOUR_NEXT:
        return app_step_tour(app, argument->count);
    case ACTION_TOUR_PREVIOUS:
        return app_step_tour(app, -argument->count);
    case ACTION_RUNG_NEXT:
        return app_step_rung(app, argument->count);
    case ACTION_RUNG_PREVIOUS:
        return app_step_rung(app, -argument->count);
    case ACTION_RUNG:
        return app_switch_rung(app, argument->number);
    case ACTION_TWIN:
        return app_open_twin(app);
    case ACTION_COPY:
        return app_copy(app);
    case ACTION_DUMP_TEXT:
        return dump_text(app, argument->text);
    case ACTION_PICTURE:
        return write_picture(app, argument->text);
    case ACTION_NUMBERS:
        return write_numbers(app, argument->text);
    case ACTION_THEME:
        return change_theme(app, argument->text);
    case ACTION_REPEAT:
        return repeat_step(app, argument);
    default:
        return REACTION_IGNORED;
    }
}

Reaction app_act(App *app, Action action, const ActionArgument *given) {
    const View *view = app_view(app);
    const ActionArgument *argument = given;
    ActionArgument file = *given;
    char path[PATH_MAX];
    if (action_info(action)->argument == ACTION_ARGUMENT_FILE) { /* no shell stands between */
        if (!user_directory_expand_home(given->text, path, sizeof path)) {
            session_say(app->session, SESSION_WARNING, "the name of the file is too long");
            return REACTION_REDRAW;
        }
        file.text = path;
        argument = &file;
    }
    if (is_dial_step(action)) app->last_step = action;
    Reaction reaction = act_on_frame(app, action, argument);
    if ((reaction & REACTION_IGNORED) != 0 && view->act != NULL)
        reaction = view->act(app->states[app->view], app->session, action, argument);
    if ((reaction & REACTION_IGNORED) != 0 && action == ACTION_BACK) reaction = go_back(app);
    if ((reaction & REACTION_IGNORED) != 0) reaction = dial_actions_act(app->session, action, argument);
    if ((reaction & REACTION_IGNORED) == 0) return reaction;
    const ActionInfo *info = action_info(action);
    if (info->where[0] != '\0') /* of this view, but of another of its panes, or of a cursor elsewhere */
        session_say(app->session, SESSION_NOTE, "%s does nothing in %s as it stands: it is to %s", info->name,
                    view->title, info->help);
    else
        session_say(app->session, SESSION_NOTE, "%s does nothing in %s", info->name, view->title);
    return REACTION_REDRAW;
}

void app_say_unbound(App *app) {
    const char *view = app_view(app)->name;
    KeymapBinding typed = {.key_count = app->input.key_count};
    char keys[KEY_NAME_SIZE * KEYMAP_SEQUENCE], help[KEY_NAME_SIZE * KEYMAP_SEQUENCE] = ":help", near[256];
    const KeymapBinding *for_help = keymap_find(app->keymap, view, ACTION_HELP);
    memcpy(typed.keys, app->input.keys, sizeof typed.keys);
    keymap_write_keys(&typed, false, keys, sizeof keys);
    if (for_help != NULL) keymap_write_keys(for_help, false, help, sizeof help);
    keymap_near(app->keymap, view, typed.keys, typed.key_count, near, sizeof near);
    session_say(app->session, SESSION_NOTE, "%s is not bound here (%s lists the keys)%s%s", keys, help,
                near[0] != '\0' ? "; near: " : "", near);
}

Reaction app_run_binding(App *app, const KeymapBinding *binding, int count, bool has_count) {
    ActionArgument argument = {.count = count, .has_count = has_count, .text = ""};
    const ActionInfo *info = action_info(binding->action);
    char message[128];
    if (info->argument != ACTION_ARGUMENT_NONE && binding->argument[0] == '\0') {
        if (binding->action == ACTION_SEARCH)
            app_ask_search(app);
        else
            app_ask_argument(app, binding->action, &argument);
        return REACTION_REDRAW;
    }
    if (action_read_argument(binding->action, binding->argument, &argument, message, sizeof message))
        return app_act(app, binding->action, &argument);
    session_say(app->session, SESSION_WARNING, "%s", message);
    return REACTION_REDRAW;
}

/* ---- help ---- */

Reaction app_act_in_help(App *app, const KeymapBinding *binding, const ActionArgument *argument) {
    switch (binding->action) {
    case ACTION_HELP:
    case ACTION_QUIT:
    case ACTION_BACK:
    case ACTION_ENTER:
        app->helping = false;
        return REACTION_REDRAW;
    case ACTION_INTERRUPT:
    case ACTION_SUSPEND:
    case ACTION_REDRAW:
        return app_run_binding(app, binding, 1, false);
    default:
        return list_box_act(&app->help, help_count(app_view(app), &app->views), binding->action, argument);
    }
}
