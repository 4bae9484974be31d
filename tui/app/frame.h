/*
 * frame — the three lines that are the same in every view: what is open, what is running, which keys matter. What is said
 * takes more lines where one is too narrow for it, until the next key.
 */
#ifndef REJUV_TUI_FRAME_H
#define REJUV_TUI_FRAME_H

#include "tui/app/view.h"
#include "tui/canvas/canvas.h"
#include "tui/keys/keymap.h"
#include "tui/session/session.h"

#include <stdbool.h>

enum { FRAME_ROWS_MIN = 5, FRAME_COLUMNS_MIN = 24, FRAME_MESSAGE_SIZE = 512 };

typedef struct FrameMessage {
    char text[FRAME_MESSAGE_SIZE]; /* "" for none */
    SessionTone tone;
} FrameMessage;

/* rejuv  WHAT IS OPEN   2 Layers          DIALS. Where it is narrow the view and the dials stay longest. */
void frame_draw_title(Canvas *canvas, Rect area, Session *session, int number, const char *title);

/* `line`, the one above the keys, and where the message is too long for it, rows of the view above it: as many as the
 * message takes, at most half of that view. */
Rect frame_status_area(Rect view, Rect line, const FrameMessage *message);

/* The message if there is one, on all of `area`, else the running jobs, else nothing. */
void frame_draw_status(Canvas *canvas, Rect area, Session *session, const Keymap *keymap, const View *view,
                       const FrameMessage *message);

/* Keys and what they do, from the live keymap: the view's own hints, then the frame's, as many as fit. What
 * has been typed of a command stands at the right; after the first keys of a sequence, what may follow takes the
 * hints' place. */
void frame_draw_keys(Canvas *canvas, Rect area, const Keymap *keymap, const View *view, ViewHints hints,
                     const KeymapInput *input);

/* The same while the help is shown: the keys that work there. */
void frame_draw_help_keys(Canvas *canvas, Rect area, const Keymap *keymap, const View *view);

/* In place of everything, when the window cannot hold it. */
bool frame_is_too_small(const Canvas *canvas);
void frame_draw_too_small(Canvas *canvas);

#endif
