/*
 * zone — what lies where on a drawn canvas, for a mouse: widgets leave a zone when they draw, and the next
 * canvas_clear() takes all of them away.
 *
 *     GRID     a list or a map: a press puts the cursor on the item under it, a second one opens it
 *     SLIDER   a dial's track: a press puts the cursors on it, and like a drag turns it there
 *     BUTTON   a word that stands for an action: a press does it
 *     COVER    something that lies over others: a press does nothing
 *
 * Keys do everything; a zone is only another way to the same cursor or action.
 */
#ifndef REJUV_TUI_ZONE_H
#define REJUV_TUI_ZONE_H

#include "tui/canvas/canvas.h"
#include "tui/keys/action.h"

typedef enum ZoneKind { ZONE_GRID, ZONE_SLIDER, ZONE_BUTTON, ZONE_COVER } ZoneKind;

/* One axis of a grid: the item `first` lies at its beginning, items are `cells` wide, `count` exist. */
typedef struct ZoneAxis {
    size_t *cursor; /* NULL: this axis has none */
    size_t first, count;
    int cells; /* 0 counts as 1 */
} ZoneAxis;

struct Zone {
    ZoneKind kind;
    Rect area;             /* on the canvas */
    ZoneAxis down, across; /* GRID, SLIDER */
    Action action;         /* SLIDER (takes a number), BUTTON */
    double low, high;      /* SLIDER: the action's number at its ends */
    const char *name;      /* SLIDER of an action that takes a text, NAME=NUMBER; NULL: it takes a number */
};

/* Adds one, cut to the canvas; a later one lies above. Without memory it is left out. */
void zone_add(Canvas *canvas, const Zone *zone);

/* The zone under a cell, or NULL. */
const Zone *zone_find(const Canvas *canvas, int row, int column);

/* Puts the cursors under the cell; false where no item is there. *moved: whether they stood elsewhere. */
bool zone_point(const Zone *zone, int row, int column, bool *moved);

/* SLIDER: the number at a column; beyond its ends, that of the end. */
double zone_value(const Zone *zone, int column);

#endif
