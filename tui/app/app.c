#include "tui/app/app.h"

#include "core/support/memory.h"
#include "tui/app/app_internal.h"
#include "tui/keys/key_text.h"
#include "tui/session/session_export.h"
#include "tui/terminal/terminal.h"
#include "tui/terminal/terminal_description.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNAL_BASE = 128 };

static const double MESSAGE_SECONDS = 5, BACKGROUND_SECONDS = 0.1, JOB_SECONDS = 0.25;

/* ---- events ---- */

static bool closes_popup(Action action) {
    return action == ACTION_BACK || action == ACTION_ENTER || action == ACTION_QUIT || action == ACTION_TWIN;
}

Reaction app_take_key(App *app, Key key) {
    if (app->asking != APP_ASKS_NOTHING) return app_answer_key(app, key);
    const KeymapBinding *binding;
    int count;
    bool has_count = app->input.count > 0 && !app->input.is_stale;
    KeymapMatch match = keymap_feed(app->keymap, app_view(app)->name, &app->input, key, &binding, &count);
    if (match == KEYMAP_PREFIX) return REACTION_REDRAW;
    app->message.text[0] = '\0';
    if (match == KEYMAP_UNBOUND || binding->action != ACTION_QUIT) app->warned = false;
    if (app->popup_opening != NULL && (match == KEYMAP_UNBOUND || binding->action != ACTION_COPY)) {
        app_close_popup(app);
        if (match == KEYMAP_UNBOUND || closes_popup(binding->action)) return REACTION_REDRAW;
    }
    if (match == KEYMAP_UNBOUND) {
        app_say_unbound(app);
        return REACTION_REDRAW;
    }
    if (app->helping) {
        ActionArgument argument = {.count = count, .has_count = has_count, .text = ""};
        return app_act_in_help(app, binding, &argument) | REACTION_REDRAW;
    }
    return app_run_binding(app, binding, count, has_count) | REACTION_REDRAW;
}

static Reaction take_paste(App *app) {
    size_t bytes;
    const char *text = terminal_paste(&bytes);
    if (app->asking != APP_ASKS_NOTHING) return app_answer_paste(app, text, bytes);
    session_say(app->session, SESSION_NOTE, "pasted text is ignored here: it could be a command by accident");
    return REACTION_REDRAW;
}

static Reaction take_event(App *app, TerminalEvent event) {
    switch (event.kind) {
    case TERMINAL_KEY:
        return app_take_key(app, event.key);
    case TERMINAL_PASTE:
        return take_paste(app);
    case TERMINAL_MOUSE:
        return app_take_mouse(app, &event.mouse);
    case TERMINAL_RESIZE:
        return app_resize(app);
    case TERMINAL_BACKGROUND:
        app->canvas->theme = terminal_theme();
        return REACTION_REDRAW;
    case TERMINAL_INTERRUPT:
        return app_interrupt(app);
    case TERMINAL_END:
        app->exit_status = event.signal != 0 ? SIGNAL_BASE + event.signal : 1;
        return REACTION_QUIT;
    case TERMINAL_TIMEOUT:
    case TERMINAL_WAKE:
        break;
    }
    return REACTION_NONE;
}

/* ---- the loop ---- */

/* The next message of the session takes the place of an older one. True when the line changed. */
static bool update_message(App *app, double now) {
    bool changed = false;
    if (app->message.text[0] != '\0' && now >= app->message_until) {
        app->message.text[0] = '\0';
        changed = true;
    }
    while (session_take_message(app->session, &app->message.tone, app->message.text, FRAME_MESSAGE_SIZE)) {
        char raw[FRAME_MESSAGE_SIZE]; /* messages name files and tensors, whose names are untrusted */
        memcpy(raw, app->message.text, sizeof raw);
        (void)text_escape(raw, strlen(raw), TEXT_PLAIN, app->message.text, sizeof app->message.text);
        app->message_until = now + MESSAGE_SECONDS;
        changed = true;
    }
    return changed;
}

/* Milliseconds until something is due without any event; -1 for never. */
static int time_to_wait(App *app, bool background, double last_drawn, bool counting_frames) {
    SessionJob job;
    double now = app_now(), due = -1;
    if (counting_frames) return 1;
    if (session_jobs(app->session, &job, 1) > 0) due = last_drawn + JOB_SECONDS;
    if (background) due = last_drawn + BACKGROUND_SECONDS;
    if (app->message.text[0] != '\0' && (due < 0 || app->message_until < due)) due = app->message_until;
    if (due < 0) return -1;
    return due <= now ? 0 : (int)((due - now) * 1000) + 1;
}

static void run_loop(App *app, unsigned long frames) {
    bool dirty = true, background = false;
    double last_drawn = 0;
    unsigned long drawn = 0;
    while (!app->quit) {
        SessionJob job;
        if (session_refresh(app->session)) background = true;
        double now = app_now();
        if (update_message(app, now)) dirty = true;
        bool running = session_jobs(app->session, &job, 1) > 0;
        bool due = (background && now - last_drawn >= BACKGROUND_SECONDS) ||
                   (running && now - last_drawn >= JOB_SECONDS) || frames > 0;
        /* keys that wait are taken first, but not for so long that nothing moves */
        bool hold = terminal_has_input() && now - last_drawn < BACKGROUND_SECONDS;
        if ((dirty || due) && !hold) {
            app_draw(app);
            terminal_present(app->canvas);
            dirty = view_take_redraw();
            background = false;
            last_drawn = now;
            if (frames > 0 && ++drawn >= frames) return;
        }
        int wait = hold || dirty ? 0 : time_to_wait(app, background, last_drawn, frames > 0);
        Reaction reaction = take_event(app, terminal_wait(wait));
        reaction |= app_switch_requested(app);
        dirty = app_show_requested(app) || dirty;
        if ((reaction & (REACTION_REDRAW | REACTION_REFRESH)) != 0) dirty = true;
        if ((reaction & REACTION_QUIT) != 0) app->quit = true;
    }
}

void app_close(App *app) {
    app_close_views(app);
    app_close_popup(app);
    resume_free(&app->kept);
    free(app->states);
    free(app->is_open);
    free(app->kept_edit);
    canvas_free(app->canvas);
    key_text_use(NULL);
    keymap_free(app->keymap);
}

/* What is wrong in the user's settings: the rest of them holds, and help lists all of it. */
static void say_problems(App *app, const Config *config) {
    for (size_t i = 0; config != NULL && i < config->problem_count; i++)
        keymap_note(app->keymap, config->problems[i].line > 0 ? config->path : NULL, config->problems[i].line,
                    "%s", config->problems[i].text);
    size_t count = keymap_problem_count(app->keymap);
    const char *first = keymap_problem(app->keymap, 0);
    char help[KEY_NAME_SIZE * KEYMAP_SEQUENCE] = ":help", more[sizeof help + 64] = "";
    const KeymapBinding *binding = keymap_find(app->keymap, app->views.views[0]->name, ACTION_HELP);
    if (count == 0) return;
    if (binding != NULL) keymap_write_keys(binding, false, help, sizeof help);
    if (count > 1) (void)snprintf(more, sizeof more, " (%s lists all %zu problems)", help, count);
    session_say(app->session, SESSION_WARNING, "%s%s", first != NULL ? first : "settings: out of memory",
                more);
}

Status app_open(App *app, Session *session, const AppOptions *options, Error *error) {
    KeymapSection sections[VIEW_LIMIT];
    *app = (App){.session = session,
                 .views = options->views,
                 .view = -1,
                 .resume = options->resume,
                 .opened = options->opened};
    app->states = memory_allocate(app->views.count, sizeof *app->states);
    app->is_open = memory_allocate(app->views.count, sizeof *app->is_open);
    size_t section_count = view_list_sections(&app->views, sections);
    Status status = app->states != NULL && app->is_open != NULL ? STATUS_OK : memory_fail(error, "the views");
    if (status == STATUS_OK) status = keymap_create(sections, section_count, &app->keymap, error);
    if (status == STATUS_OK) status = keymap_read_user(app->keymap, options->keys, error);
    key_text_use(app->keymap);
    int first = options->view != NULL ? view_find(&app->views, options->view) : 0;
    if (status == STATUS_OK && first < 0)
        status = status_fail(error, STATUS_ARGUMENT, "there is no view \"%s\"", options->view);
    if (status == STATUS_OK) say_problems(app, options->config);
    if (status == STATUS_OK) app_show_view(app, first, false);
    if (status == STATUS_OK && options->tour) (void)app_toggle_tour(app);
    if (status == STATUS_OK && app->view < 0)
        status = status_fail(error, STATUS_ARGUMENT, "the view \"%s\" could not be opened",
                             app->views.views[first]->name);
    if (status != STATUS_OK) app_close(app);
    return status;
}

/* For --resume. A home that cannot be written to is told, and is no failure. */
static void keep_place(const App *app) {
    char *path = resume_path();
    Error error;
    if (path != NULL &&
        resume_write(path, app->session, &app->views, app->view, app->states, &error) != STATUS_OK)
        (void)fprintf(stderr, "rejuv: not kept for --resume: %s\n", error.message);
    free(path);
}

Status app_run(Session **session, const AppOptions *options, int *exit_status, Error *error) {
    App app;
    TerminalOptions terminal = {.ascii = options->ascii,
                                .monochrome = options->monochrome,
                                .theme = options->theme,
                                .asks_background = options->asks_background,
                                .mouse = options->mouse};
    Error history;
    Status status = app_open(&app, *session, options, error);
    if (status != STATUS_OK) return status;
    if (prompt_line_start(NULL, &history) != STATUS_OK)
        session_say(*session, SESSION_WARNING, "history is not kept: %s", history.message);
    status = terminal_start(&terminal, error);
    if (status == STATUS_OK) {
        int rows, columns;
        terminal_size(&rows, &columns);
        status = canvas_create(rows, columns, terminal_theme(), &app.canvas, error);
        if (terminal_description_hint() != NULL)
            session_say(*session, SESSION_WARNING, "%s", terminal_description_hint());
        if (status == STATUS_OK) run_loop(&app, options->frames);
        /* while signals are caught still: a connection that is lost may send SIGHUP more than once */
        if (status == STATUS_OK && options->keeps) keep_place(&app);
        terminal_stop();
    }
    *session = app.session;
    const char *left = session_leave_export(*session);
    if (left != NULL) (void)fprintf(stderr, "rejuv: export: %s\n", left);
    *exit_status = app.exit_status;
    prompt_line_stop();
    app_close(&app);
    return status;
}
