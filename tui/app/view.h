/*
 * view — one screen. A view is a file in views/ that defines one `const View`; views/catalog.c lists them
 * in the order of their numbers. tui/ knows views only through this header.
 *
 * A view holds no figures of its own: it draws what the session has, and its state is where the cursor is.
 * The frame opens a view when it is first shown and closes it at the end.
 *
 *     const View layers_view = {
 *         .name = "layers", .title = "Layers", .hints = hints, .hint_count = 4,
 *         .open = open_layers, .draw = draw_layers, .act = act_on_layers, .close = free,
 *     };
 */
#ifndef REJUV_TUI_VIEW_H
#define REJUV_TUI_VIEW_H

#include "core/support/status.h"
#include "tui/canvas/canvas.h"
#include "tui/cli/command_line.h"
#include "tui/keys/action.h"
#include "tui/keys/keymap.h"
#include "tui/session/session.h"
#include "tui/tables/table.h"

#include <stdbool.h>
#include <stddef.h>

/* A cursor of a view's state, for taking it up again another day. What is restored may be any number: a view
 * keeps its cursors in range when it draws. */
typedef struct ViewPlace {
    const char *key; /* in the file: "row" */
    size_t *value;
} ViewPlace;

enum { VIEW_PLACES = 8 };

/* Actions whose keys are told in the last line, those that matter most first. */
typedef struct ViewHints {
    const Action *actions;
    size_t count;
} ViewHints;

typedef struct View {
    const char *name;  /* "layers": in key files, `:view`, file names; one lower-case word */
    const char *title; /* "Layers": in the first line */
    const char *help;  /* one or two sentences at the head of its help, or NULL */

    unsigned parts; /* of SessionPart: what its figures come from */

    /* The actions whose keys matter most here, for the last line; the frame adds its own after them. */
    const Action *hints;
    size_t hint_count;

    /* The same where they depend on what the view shows: a list, a map, one of its panes. NULL: always `hints`. */
    ViewHints (*list_hints)(void *state);

    /* Makes the state (may stay NULL). Called when the view is first shown. */
    Status (*open)(Session *session, void **state, Error *error);

    /* Called whenever the view comes to the front, its first time included. May be NULL. */
    void (*show)(void *state, Session *session);

    /* Draws into `area` (any size, 0×0 included). The area is blank. Must not compute anything long. */
    void (*draw)(void *state, Session *session, Canvas *canvas, Rect area);

    /* Handles an action that the frame did not. REACTION_IGNORED lets dial_actions_act() have it. */
    Reaction (*act)(void *state, Session *session, Action action, const ActionArgument *argument);

    /* Moves to the next place that contains `text` (direction 1 or -1), or, with `stay`, to the one at the
     * cursor if it fits already: while typing. False when there is none. NULL: nothing to search. */
    bool (*find)(void *state, Session *session, const char *text, int direction, bool stay);

    /* The view's numbers as they are on screen, as one table: for `:numbers FILE` and for tests. The caller
     * frees it. NULL: none. */
    Status (*numbers)(void *state, Session *session, Table **table, Error *error);

    /* The command whose output has the figures on screen, its own options added to `line`: the pair and the
     * dials are added behind. COMMAND_COUNT: none has. NULL: none ever. */
    CommandId (*twin)(void *state, Session *session, CommandLine *line);

    /* What is under the cursor, as text to be copied; false when there is nothing. NULL: never. */
    bool (*value)(void *state, Session *session, char *text, size_t size);

    /* What the prompt line starts with when it asks for this action's argument; "" or NULL for nothing.
     * The text must stay valid until the next call of the view. May be NULL. */
    const char *(*initial)(void *state, Session *session, Action action);

    /* Fills places[VIEW_PLACES]; returns how many there are. NULL: none. */
    size_t (*places)(void *state, ViewPlace *places);

    void (*close)(void *state); /* free for a plain block; takes what open() made */
} View;

/* The views of a program, which hands them to what is here: the first is what it opens with, and views[i] has the
 * number i + 1. NULL leaves a number free. */
typedef struct ViewList {
    const View *const *views;
    size_t count; /* at most VIEW_LIMIT */
} ViewList;

enum { VIEW_LIMIT = 16 };

/* True when there is a view of that index. */
bool view_exists(const ViewList *list, int index);

/* The index of the view of a name, or its number as text, or a beginning of the name; -1 when none. */
int view_find(const ViewList *list, const char *name);

/* Their names and titles, as a keymap takes them; returns how many. */
size_t view_list_sections(const ViewList *list, KeymapSection sections[VIEW_LIMIT]);

/* Asks the frame to show another view after the current action: what Enter does on a cell. The name must last; one
 * that no view has is passed over. The way back is remembered for ACTION_BACK. */
void view_request(const char *name);

/* Asks the frame to tune another rung of the ladder after the current action, by its number. */
void view_request_rung(size_t number);

/* Asks the frame to draw again once it has looked for keys: what is shown is not ready yet. */
void view_request_redraw(void);

/* Whether the user wants one pane alone: a view with panes side by side then draws the one in front over all of
 * its area. It holds for every view until it is taken back. */
bool view_is_zoomed(void);
void view_zoom(bool zoomed);

/* For the frame: the name asked for since the last call, or NULL. */
const char *view_take_request(void);
bool view_take_redraw(void);
size_t view_take_rung(void); /* 0: none */

#endif
