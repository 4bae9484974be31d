/*
 * landscape_internal — what the files of the Landscape view share: its panes.
 *
 *     narrow     rows and dials                  wide     rows and dials
 *                names of the panes                       line      │ plane
 *                the one in front                         sharpness │
 *
 * A pane is a row of the table in landscape_view.c, one a kind of measurement. What measures or changes a figure is of
 * the pane in front.
 */
#ifndef REJUV_VIEWS_LANDSCAPE_INTERNAL_H
#define REJUV_VIEWS_LANDSCAPE_INTERNAL_H

#include "tui/canvas/canvas.h"
#include "tui/cli/command_line.h"
#include "tui/keys/action.h"
#include "tui/session/session_landscape.h"
#include "tui/tables/table.h"
#include "tui/text/format.h"

enum { LANDSCAPE_UNPLACED = SESSION_LANDSCAPE_LINE_MOST, LANDSCAPE_TEXT = 128, LANDSCAPE_PATH = 4096 };

typedef struct LandscapeState {
    size_t pane;                    /* in front: a SessionLandscapeKind */
    size_t point;                   /* of the line; LANDSCAPE_UNPLACED: follows the dial */
    size_t plane_row, plane_column; /* rows from the largest y down; row LANDSCAPE_UNPLACED: at W */
    size_t figure;                  /* of sharpness */
    char text[LANDSCAPE_PATH];      /* what an answer starts with */
} LandscapeState;

typedef struct LandscapePane {
    const char *name;
    const Action *hints;
    size_t hint_count;
    /* What is measured, below its name; how that stands is said in the row below. */
    void (*draw)(LandscapeState *state, Session *session, const SessionLandscape *shown, Canvas *canvas,
                 Rect area);
    Reaction (*act)(LandscapeState *state, Session *session, const SessionLandscape *shown, Action action,
                    const ActionArgument *argument);
    Status (*numbers)(const SessionLandscape *shown, Table **table, Error *error);
    void (*twin)(const SessionLandscapeChoice *choice, CommandLine *line);
    bool (*value)(const LandscapeState *state, Session *session, const SessionLandscape *shown, char *text,
                  size_t size);
} LandscapePane;

extern const LandscapePane landscape_line_pane, landscape_plane_pane, landscape_sharpness_pane;

/* A loss of a known point, "…" of one that is not. */
void landscape_format(double value, bool is_known, char text[FORMAT_SIZE]);

/* The last name of a third checkpoint's path, for one row. */
const char *landscape_name_third(const char *directory);

/* Where a cursor of `count` places comes to. */
size_t landscape_move(size_t from, long step, size_t count);

#endif
