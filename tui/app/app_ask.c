/*
 * Asking in the last line: for a command, a text to search, an argument, a yes.
 */
#include "tui/app/app_internal.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_files.h"

#include <stdio.h>
#include <string.h>

/* The line is open, unless there is no terminal to type it in. */
static void begin_asking(App *app, AppAsking asking, Action action) {
    if (prompt_line_is_open())
        app->asking = asking;
    else
        session_say(app->session, SESSION_WARNING,
                    "%s would ask, and nobody can answer here: name the action with its argument",
                    action_info(action)->name);
}

/* The completer has no user pointer in readline's world, so the program is kept here while a line is open. */
static const App *completed;

typedef struct Adding {
    const char *prefix;
    PromptAdd add;
    void *user;
} Adding;

static void offer(const Adding *adding, const char *text) {
    if (strncmp(text, adding->prefix, strlen(adding->prefix)) == 0) adding->add(adding->user, text);
}

/* What an action takes, where that is one of a few names. */
static void complete_argument(Action action, const Adding *adding) {
    static const char *const THEMES[] = {"auto", "dark", "light", "high-contrast", "mono"};
    const ViewList *views = &completed->views;
    const Session *session = completed->session;
    for (size_t i = 0; action == ACTION_VIEW && i < views->count; i++)
        if (views->views[i] != NULL) offer(adding, views->views[i]->name);
    for (size_t i = 0; action == ACTION_THEME && i < sizeof THEMES / sizeof *THEMES; i++)
        offer(adding, THEMES[i]);
    for (size_t i = 0; action == ACTION_RETURN && i < session_bookmark_count(session); i++)
        offer(adding, session_bookmark(session, i)->name);
    for (size_t i = 0; action == ACTION_TENSOR && i < session_pair(session)->count; i++)
        offer(adding, session_pair(session)->tensors[i].name);
}

/* Names of files where an argument is one, or has one in it. */
static bool takes_file(Action action) {
    return action_info(action)->argument == ACTION_ARGUMENT_FILE || action == ACTION_REWARD_COMMAND;
}

static bool complete_command(const char *line, int word, const char *prefix, PromptAdd add, void *user) {
    const Adding adding = {prefix, add, user};
    Action action;
    if (word == 0) {
        for (size_t i = 1; i < ACTION_COUNT; i++)
            if (action_is_for((Action)i, app_view(completed)->name))
                offer(&adding, action_info((Action)i)->name);
        return true;
    }
    if (!action_find(line, strcspn(line, " "), &action)) return true;
    if (word == 1) complete_argument(action, &adding);
    return !takes_file(action);
}

static bool complete_asked(const char *line, int word, const char *prefix, PromptAdd add, void *user) {
    const Adding adding = {prefix, add, user};
    (void)line;
    if (word == 0) complete_argument(completed->asked_action, &adding);
    return !takes_file(completed->asked_action);
}

void app_ask_argument(App *app, Action action, const ActionArgument *argument) {
    const View *view = app_view(app);
    const ActionInfo *info = action_info(action);
    char label[96];
    app->asked_action = action;
    app->asked_argument = *argument;
    if (info->argument == ACTION_ARGUMENT_CONFIRM) {
        app->asking = APP_ASKS_CONFIRMATION;
        return;
    }
    const char *initial =
        view->initial != NULL ? view->initial(app->states[app->view], app->session, action) : NULL;
    (void)snprintf(label, sizeof label, "%s: ", info->label);
    PromptKind kind = info->argument == ACTION_ARGUMENT_TEXT ? PROMPT_TEXT : PROMPT_VALUE;
    completed = app;
    prompt_line_open(kind, label, initial, complete_asked);
    begin_asking(app, APP_ASKS_ARGUMENT, action);
}

void app_ask_command(App *app) {
    completed = app;
    prompt_line_open(PROMPT_COMMAND, ":", NULL, complete_command);
    begin_asking(app, APP_ASKS_COMMAND, ACTION_COMMAND);
}

void app_ask_search(App *app) {
    if (app_view(app)->find == NULL) {
        (void)app_find(app, 1, false); /* says that there is nothing to search */
        return;
    }
    prompt_line_open(PROMPT_SEARCH, "/", NULL, NULL);
    begin_asking(app, APP_ASKS_SEARCH, ACTION_SEARCH);
}
