/*
 * list_box — a table of rows with a cursor that scrolls, and blocks of labelled values.
 */
#ifndef REJUV_TUI_LIST_BOX_H
#define REJUV_TUI_LIST_BOX_H

#include "tui/canvas/canvas.h"
#include "tui/keys/action.h"

#include <stdbool.h>
#include <stddef.h>

enum { LIST_CELL_SIZE = 256 };

/* Where one is in a list; belongs to the view's state. Zero is a valid start. */
typedef struct ListState {
    size_t cursor, top;
    int page; /* rows shown at the last drawing */
} ListState;

typedef struct ListColumn {
    const char *title;
    int width;    /* columns; 0: what is left, shared by all of width 0 (their least width is 8) */
    bool right;   /* figures to the right */
    int priority; /* when there is no room the largest goes first; 0 never goes */
} ListColumn;

/* Fills `text` (LIST_CELL_SIZE bytes, already escaped) and may change *role (ROLE_TEXT before). */
typedef void (*ListCell)(void *user, size_t row, size_t column, char *text, Role *role);

/* Draws head, rows and, where not all fit, a scroll mark at the right edge; keeps state->cursor in range and
 * in sight. `focused`: whether the cursor's row stands out. */
void list_box_draw(Canvas *canvas, Rect area, ListState *state, size_t count, const ListColumn *columns,
                   size_t column_count, bool focused, ListCell cell, void *user);

/* Moves for MOVE_UP, MOVE_DOWN, PAGE_UP, PAGE_DOWN, FIRST, LAST; anything else is REACTION_IGNORED. */
Reaction list_box_act(ListState *state, size_t count, Action action, const ActionArgument *argument);

/* Labels and values in two columns, one a row; a label of "" leaves a blank row, a value of NULL makes the
 * label a title. Returns the rows used. */
typedef struct Fact {
    const char *label, *value;
    Role role; /* of the value */
} Fact;
int list_box_draw_facts(Canvas *canvas, Rect area, const Fact *facts, size_t count);

#endif
