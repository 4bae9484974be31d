/*
 * overview_internal — what the files of the Overview share. Blocks have a label at the left and draw from their
 * area's top; each returns the rows it used.
 */
#ifndef REJUV_VIEWS_OVERVIEW_INTERNAL_H
#define REJUV_VIEWS_OVERVIEW_INTERNAL_H

#include "tui/canvas/canvas.h"
#include "tui/session/session_files.h"

#include <stdbool.h>
#include <stddef.h>

enum { OVERVIEW_LABEL_COLUMNS = 12 };

/* Both models side by side, a ≠ before what differs. `whole`: a row for each fact, else related ones share
 * one (overview_facts.c). */
int overview_draw_facts(Canvas *canvas, Rect area, const Session *session, bool whole);

/* The drift of all tensors as one (overview_blocks.c). */
int overview_draw_drift(Canvas *canvas, Rect area, const Session *session);

/* How many inputs of down are dormant in base and SFT, and in which layer of SFT most: no row where nothing is
 * measured and the confidence says why. */
int overview_draw_dormancy(Canvas *canvas, Rect area, const Session *session);

/* How sure base, SFT and W are; the first `rows` figures, or why there are none. */
int overview_draw_confidence(Canvas *canvas, Rect area, const Session *session, int rows);

/* All running jobs with their bars, where there are several; `most` at most. */
int overview_draw_jobs(Canvas *canvas, Rect area, Session *session, int most);

/* Findings from `top` on, in `rows` rows, the cursor's in full below when `focused` (overview_blocks.c). */
int overview_draw_findings(Canvas *canvas, Rect area, const Session *session, size_t *top, size_t cursor,
                           bool focused, int rows);

#endif
