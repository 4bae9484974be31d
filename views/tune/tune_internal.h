/*
 * tune_internal — what the files of the Tune view share: its panes.
 *
 *     narrow     dials                wide     dials
 *                names of the panes            headlines │ curves of the sweep
 *                the one in front              reset     │ modules │ layers │ plane
 *
 * A pane is a row of the table in tune_view.c. Keys that move and turn go to the pane in front (in a wide window:
 * the one whose title stands out); all others work from everywhere in the view.
 */
#ifndef REJUV_VIEWS_TUNE_INTERNAL_H
#define REJUV_VIEWS_TUNE_INTERNAL_H

#include "core/fusion/settings_text.h"
#include "tui/canvas/canvas.h"
#include "tui/canvas/list_box.h"
#include "tui/cli/command_line.h"
#include "tui/session/session_bookmark.h"
#include "tui/session/session_headline.h"
#include "tui/session/session_sweep.h"
#include "tui/tables/table.h"
#include "tui/text/format.h"

enum { TUNE_UNPLACED = SESSION_PLANE_LARGEST };

typedef struct TuneState {
    size_t pane;                    /* in front: index into the table */
    bool is_wide;                   /* several panes at once, at the last drawing */
    size_t figure;                  /* of DISTRIBUTION_FIGURES: under the cursor, and what the plane shows */
    Range alpha;                    /* what the sweep goes over; no points: those that the dial follows */
    size_t kind;                    /* a SettingsKind: under the cursor of the pane modules */
    size_t layer;                   /* … layers */
    size_t list;                    /* the first row shown of the lists in the pane reset */
    size_t plane_row, plane_column; /* row TUNE_UNPLACED: follows the dials */
    ListState bookmarks;
    char against[SESSION_BOOKMARK_NAME]; /* the bookmark that others are compared with; "": W */
    SessionPlaneRange plane;             /* to be measured next */
    char text[SETTINGS_TEXT_KINDS_SIZE]; /* what an answer starts with */
    char *layers_text;                   /* … where that is a curve; owned, NULL before */
} TuneState;

/* Where a pane stands in a wide window. */
typedef enum TuneSlot { TUNE_LEFT, TUNE_BELOW } TuneSlot;

/* Which dial Left and Right turn in a pane. */
typedef enum TuneDial { TUNE_NONE, TUNE_ALPHA, TUNE_RHO } TuneDial;

typedef struct TunePane {
    const char *name;    /* for `:pane`, and its title */
    const char *keys;    /* what its keys do, in a few words, as key_text.h has them */
    const Action *hints; /* for the last line, behind the key of the next pane */
    size_t hint_count;
    TuneDial dial;
    TuneSlot slot;
    int size; /* wide: rows at the left, shares of the width below; 0: what is left */
    void (*draw)(TuneState *state, Session *session, Canvas *canvas, Rect area);
    Reaction (*act)(TuneState *state, Session *session, Action action, const ActionArgument *argument);
    /* May be NULL. As View has them. */
    bool (*find)(TuneState *state, Session *session, const char *text, int direction, bool stay);
    Status (*numbers)(TuneState *state, Session *session, Table **table, Error *error);
    /* As View has it; NULL: that of the headlines. */
    CommandId (*twin)(const TuneState *state, Session *session, CommandLine *line);
} TunePane;

extern const TunePane tune_headlines_pane, tune_modules_pane, tune_layers_pane, tune_reset_pane,
    tune_plane_pane, tune_bookmarks_pane;

/* The dials, the reset, the rows that figures are measured on. */
enum { TUNE_HEAD_ROWS = 5 };
void tune_draw_head(const Session *session, TuneDial front, Canvas *canvas, Rect area);

/* The paper sweeps ρ up to 4 %; the dial turns further, its picture does not. */
extern const double TUNE_MOST_RHO;

/* The curves of the sweep, which stand beside the panes in a wide window. */
void tune_draw_sweep(const TuneState *state, const Session *session, Canvas *canvas, Rect area);

/* The label of one of DISTRIBUTION_FIGURES with its unit (tune_figures.c). */
void tune_label_figure(size_t figure, char *text, size_t size);

/* The next of `count` things from `from` on whose name has the text; `count` where there is none. */
size_t tune_find(size_t count, size_t from, int direction, bool stay, const char *text,
                 const char *(*name)(const void *user, size_t index), const void *user);

#endif
