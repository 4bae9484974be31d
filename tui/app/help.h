/*
 * help — the list behind `?`: what every key does in a view, made from the live keymap and the action table.
 */
#ifndef REJUV_TUI_HELP_H
#define REJUV_TUI_HELP_H

#include "tui/app/view.h"
#include "tui/canvas/canvas.h"
#include "tui/canvas/list_box.h"
#include "tui/keys/keymap.h"

/* The view's own actions first, then those of every view; actions without a key show their name for `:`. */
void help_draw(Canvas *canvas, Rect area, const Keymap *keymap, const View *view, const ViewList *views,
               ListState *state);

/* How many rows there are. */
size_t help_count(const View *view, const ViewList *views);

#endif
