/*
 * hit_area — what lies where on a drawn canvas, for a mouse: widgets leave a zone when they draw, and the next
 * canvas_clear() takes all of them away.
 *
 *     GRID     a list or a map: a press puts the cursor on the item under it, a second one opens it
 *     SLIDER   a dial's track: a press puts the cursors on it, and like a drag turns it there
 *     BUTTON   a word that stands for an action: a press does it
 *     COVER    something that lies over others: a press does nothing
 *
 * Keys do everything; a zone is only another way to the same cursor or action.
 */
#ifndef REJUV_TUI_HIT_AREA_H
#define REJUV_TUI_HIT_AREA_H

#include "tui/canvas/canvas.h"
#include "tui/keys/action.h"

typedef enum HitAreaKind { HIT_AREA_GRID, HIT_AREA_SLIDER, HIT_AREA_BUTTON, HIT_AREA_COVER } HitAreaKind;

/* One axis of a grid: the item `first` lies at its beginning, items are `cells` wide, `count` exist. */
typedef struct HitAreaAxis {
    size_t *cursor; /* NULL: this axis has none */
    size_t first, count;
    int cells; /* 0 counts as 1 */
} HitAreaAxis;

struct HitArea {
    HitAreaKind kind;
    Rect area;                /* on the canvas */
    HitAreaAxis down, across; /* GRID, SLIDER */
    Action action;            /* SLIDER (takes a number), BUTTON */
    double low, high;         /* SLIDER: the action's number at its ends */
    const char *name; /* SLIDER of an action that takes a text, NAME=NUMBER; NULL: it takes a number */
};

/* Adds one, cut to the canvas; a later one lies above. Without memory it is left out. */
void hit_area_add(Canvas *canvas, const HitArea *zone);

/* The zone under a cell, or NULL. */
const HitArea *hit_area_find(const Canvas *canvas, int row, int column);

/* Puts the cursors under the cell; false where no item is there. *moved: whether they stood elsewhere. */
bool hit_area_point(const HitArea *zone, int row, int column, bool *moved);

/* SLIDER: the number at a column; beyond its ends, that of the end. */
double hit_area_value(const HitArea *zone, int column);

#endif
