/*
 * action — what a user can ask for, by key or by name. The rows are in action_table.h.
 */
#ifndef REJUV_TUI_ACTION_H
#define REJUV_TUI_ACTION_H

#include "tui/keys/action_table.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum Action {
    ACTION_NOTHING, /* bound to it, a key does nothing */
#define ACTION_ENUMERATOR(identifier, name, where, argument, label, help) ACTION_##identifier,
    ACTION_TABLE(ACTION_ENUMERATOR)
#undef ACTION_ENUMERATOR
        ACTION_COUNT
} Action;

typedef enum ActionArgumentKind {
    ACTION_ARGUMENT_NONE,
    ACTION_ARGUMENT_NUMBER,
    ACTION_ARGUMENT_TEXT,
    ACTION_ARGUMENT_FILE,
    ACTION_ARGUMENT_CONFIRM
} ActionArgumentKind;

typedef struct ActionArgument {
    int count;        /* how often: what the user typed before the key, else 1 */
    bool has_count;   /* whether the user typed it */
    double number;    /* ACTION_ARGUMENT_NUMBER */
    const char *text; /* TEXT, FILE: never NULL; valid during the call only */
} ActionArgument;

/* What handling an action (or a message) asks of the main loop; flags. */
typedef enum Reaction {
    REACTION_NONE = 0,
    REACTION_IGNORED = 1, /* not mine: the frame says that it does nothing here */
    REACTION_REDRAW = 2,  /* something on screen changed */
    REACTION_REFRESH = 4, /* something that the session computes from changed: recompute, then draw */
    REACTION_QUIT = 8
} Reaction;

typedef struct ActionInfo {
    const char *name, *where, *label, *help;
    ActionArgumentKind argument;
} ActionInfo;

/* The row of an action; of ACTION_NOTHING: the name "nothing". */
const ActionInfo *action_info(Action action);

/* The action of a name; false when there is none. A name may be shortened where that is unambiguous. */
bool action_find(const char *name, size_t bytes, Action *action);

/* True when `view` (a view's name) can get it: it is generic, or the view's own. */
bool action_is_for(Action action, const char *view);

/* The name nearest to a mistyped one, or NULL when nothing is near (more than a third of it wrong). */
const char *action_suggest(const char *name);

/* Reads `text` as the argument that the action takes. On failure `message` (of `size` bytes) says what is
 * expected. argument->text points into `text`. */
bool action_read_argument(Action action, const char *text, ActionArgument *argument, char *message,
                          size_t size);

#endif
