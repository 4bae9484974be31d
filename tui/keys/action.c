#include "tui/keys/action.h"

#include "tui/text/suggest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const ActionInfo ACTIONS[ACTION_COUNT] = {
    [ACTION_NOTHING] = {"nothing", "", "", "do nothing", ACTION_ARGUMENT_NONE},
#define ACTION_ROW(identifier, name, where, argument, label, help)                                           \
    [ACTION_##identifier] = {name, where, label, help, ACTION_ARGUMENT_##argument},
    ACTION_TABLE(ACTION_ROW)
#undef ACTION_ROW
};

const ActionInfo *action_info(Action action) {
    return &ACTIONS[action < ACTION_COUNT ? action : ACTION_NOTHING];
}

bool action_find(const char *name, size_t bytes, Action *action) {
    size_t beginning = 0;
    for (size_t i = 0; i < ACTION_COUNT && bytes > 0; i++) {
        if (ACTIONS[i].name[0] != name[0]) continue;
        /* a word of a file may hold a NUL */
        if (strlen(ACTIONS[i].name) < bytes || memcmp(ACTIONS[i].name, name, bytes) != 0) continue;
        if (beginning == 0 || ACTIONS[i].name[bytes] == '\0') *action = (Action)i;
        if (ACTIONS[i].name[bytes] == '\0') return true;
        beginning++;
    }
    return beginning == 1;
}

bool action_is_for(Action action, const char *view) {
    const char *where = action_info(action)->where;
    size_t length = strlen(view);
    if (where[0] == '\0') return true;
    for (const char *word = where; *word != '\0';) {
        size_t bytes = strcspn(word, " ");
        if (bytes == length && strncmp(word, view, length) == 0) return true;
        word += bytes + strspn(word + bytes, " ");
    }
    return false;
}

const char *action_suggest(const char *name) {
    static const char *const NAMES[] = {
#define ACTION_NAME(identifier, action, where, argument, label, help) action,
        ACTION_TABLE(ACTION_NAME)
#undef ACTION_NAME
    };
    return suggest_name(name, NAMES, sizeof NAMES / sizeof *NAMES);
}

bool action_read_argument(Action action, const char *text, ActionArgument *argument, char *message,
                          size_t size) {
    const ActionInfo *info = action_info(action);
    argument->text = text;
    switch (info->argument) {
    case ACTION_ARGUMENT_NUMBER: {
        char *end;
        argument->number = strtod(text, &end);
        while (*end == ' ') end++;
        if (end != text && *end == '%' && strchr(info->label, '%') != NULL)
            end++; /* "2%" of what is in percent */
        if (end != text && *end == '\0' && isfinite(argument->number)) return true;
        (void)snprintf(message, size, "%s (%s) takes a number, found \"%s\"", info->name, info->label, text);
        return false;
    }
    case ACTION_ARGUMENT_FILE:
        if (text[0] != '\0') return true;
        (void)snprintf(message, size, "%s takes the name of a file", info->name);
        return false;
    case ACTION_ARGUMENT_TEXT:
        return true;
    case ACTION_ARGUMENT_CONFIRM:
        if (strcmp(text, "y") == 0 || strcmp(text, "yes") == 0) return true;
        (void)snprintf(message, size, "%s: not done", info->name);
        return false;
    case ACTION_ARGUMENT_NONE:
        if (text[0] == '\0') return true;
        (void)snprintf(message, size, "%s takes nothing after its name", info->name);
        return false;
    }
    return false;
}
