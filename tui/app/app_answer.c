/*
 * What was typed in the prompt line, or said to a question, done.
 */
#include "core/support/memory.h"
#include "tui/app/app_internal.h"
#include "tui/terminal/terminal.h"
#include "tui/text/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Reaction complain(App *app, const char *name, size_t bytes) {
    char shown[64];
    (void)text_escape(name, bytes, TEXT_PLAIN, shown, sizeof shown);
    const char *near = action_suggest(shown);
    if (near != NULL)
        session_say(app->session, SESSION_WARNING, "there is no action \"%s\"; \"%s\" is near", shown, near);
    else
        session_say(app->session, SESSION_WARNING, "there is no action \"%s\"; Tab lists them", shown);
    return REACTION_REDRAW;
}

/* An action with the text behind its name. The line belongs to readline, which may be opened again meanwhile. */
static Reaction run_with_text(App *app, Action action, const char *rest) {
    char message[128];
    ActionArgument argument = {.count = 1, .text = ""};
    size_t length = strlen(rest);
    bool is_text = action_info(action)->argument == ACTION_ARGUMENT_TEXT;
    while (length > 0 && rest[length - 1] == ' ' && !is_text) length--;
    char *text = memory_copy_text(rest, length);
    Reaction reaction = REACTION_REDRAW;
    if (text == NULL)
        session_say(app->session, SESSION_ERROR, "%s: out of memory", action_info(action)->name);
    else if (action_read_argument(action, text, &argument, message, sizeof message))
        reaction |= app_act(app, action, &argument);
    else
        session_say(app->session, SESSION_WARNING, "%s", message);
    free(text);
    return reaction;
}

Reaction app_run_command(App *app, const char *line) {
    while (*line == ' ') line++;
    size_t name = strcspn(line, " ");
    const char *rest = line + name + strspn(line + name, " ");
    Action action;
    if (name == 0) return REACTION_REDRAW;
    if (isdigit((unsigned char)line[0])) { /* :3 shows the third view */
        action = ACTION_VIEW;
        rest = line;
    } else if (!action_find(line, name, &action) || action == ACTION_NOTHING) {
        return complain(app, line, name);
    }
    const ActionInfo *info = action_info(action);
    if (!action_is_for(action, app_view(app)->name)) {
        session_say(app->session, SESSION_WARNING, "%s works in: %s", info->name, info->where);
        return REACTION_REDRAW;
    }
    if (info->argument != ACTION_ARGUMENT_NONE && rest[0] == '\0') {
        if (action == ACTION_SEARCH)
            app_ask_search(app);
        else
            app_ask_argument(app, action, &(ActionArgument){.count = 1, .text = ""});
        return REACTION_REDRAW;
    }
    return run_with_text(app, action, rest);
}

/* The line was accepted: do what it was for. */
static Reaction use_line(App *app, AppAsking asked) {
    ActionArgument argument = app->asked_argument;
    const char *line = prompt_line_text();
    char message[128];
    switch (asked) {
    case APP_ASKS_COMMAND:
        return app_run_command(app, line);
    case APP_ASKS_SEARCH:
        if (line[0] != '\0') (void)snprintf(app->search, sizeof app->search, "%s", line);
        return app_find(app, 1, line[0] != '\0');
    case APP_ASKS_ARGUMENT:
        if (action_read_argument(app->asked_action, line, &argument, message, sizeof message))
            return app_act(app, app->asked_action, &argument);
        session_say(app->session, SESSION_WARNING, "%s", message);
        return REACTION_REDRAW;
    case APP_ASKS_NOTHING:
    case APP_ASKS_CONFIRMATION:
        break;
    }
    return REACTION_REDRAW;
}

static Reaction confirm(App *app, Key key) {
    app->asking = APP_ASKS_NOTHING;
    app->asked_argument.text = "y";
    if (key == 'y' || key == 'Y')
        return app_act(app, app->asked_action, &app->asked_argument) | REACTION_REDRAW;
    session_say(app->session, SESSION_NOTE, "%s: not done", action_info(app->asked_action)->name);
    return REACTION_REDRAW;
}

static Reaction follow_line(App *app, PromptState state) {
    AppAsking asked = app->asking;
    if (state == PROMPT_OPEN) {
        if (asked == APP_ASKS_SEARCH) { /* shows the first match while typing */
            (void)snprintf(app->search, sizeof app->search, "%s", prompt_line_text());
            return app_find(app, 1, true);
        }
        return REACTION_REDRAW;
    }
    app->asking = APP_ASKS_NOTHING;
    return (state == PROMPT_ACCEPTED ? use_line(app, asked) : REACTION_NONE) | REACTION_REDRAW;
}

Reaction app_answer_key(App *app, Key key) {
    if (app->asking == APP_ASKS_CONFIRMATION) return confirm(app, key);
    if (key == (KEY_CONTROL | 'l')) terminal_redraw(); /* readline's own key for it, and it draws nothing */
    return follow_line(app, prompt_line_key(key));
}

Reaction app_answer_paste(App *app, const char *text, size_t bytes) {
    if (app->asking == APP_ASKS_CONFIRMATION) return REACTION_NONE;
    size_t lost;
    PromptState state = prompt_line_paste(text, bytes, &lost);
    if (lost > 0)
        session_say(
            app->session, SESSION_WARNING,
            "the line holds %d KiB: %zu bytes of the pasted text were left out (--prompt-file takes more)",
            PROMPT_LINE_LIMIT >> 10, lost);
    return follow_line(app, state);
}
