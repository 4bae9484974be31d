/*
 * rows_hint — where a session has no calibration rows: what brings some, and what a file of them looks like.
 */
#ifndef REJUV_VIEWS_ROWS_HINT_H
#define REJUV_VIEWS_ROWS_HINT_H

#include "tui/canvas/canvas.h"
#include "tui/session/session_calibration.h"

/* Which key of the view (tui/keys) and which option give rows, and the forms of a row, from `row` of the area on; returns the
 * rows used: 0 where rows are there, are read, or were asked for and refused, which has a message of its own. */
int rows_hint_draw(const Session *session, const char *view, Canvas *canvas, Rect area, int row);

#endif
