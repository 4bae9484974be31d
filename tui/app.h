/*
 * app — the terminal program: recompute what is due, draw what changed, wait, act.
 *
 *     ┌ rejuv  base → sft (llama 6L 1.2M)   2 Layers          α 0.50  ρ 1.0%  ω 1.00 ┐  title
 *     │                                                                              │
 *     │                               the view                                       │
 *     │                                                                              │
 *     │ drift ████████████████████▌            71 %  1.9 GB/s  0:04 left             │  jobs, or a message
 *     └ ←↑↓→ move  Enter open  m metric  a/A α  / search  ? help  q quit             ┘  keys, or the prompt
 */
#ifndef REJUV_TUI_APP_H
#define REJUV_TUI_APP_H

#include "core/status.h"
#include "tui/canvas.h"
#include "tui/resume.h"
#include "tui/session.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct AppOptions {
    bool ascii, monochrome, mouse;
    const char *keys;     /* a key file in place of the user's default one, or NULL */
    const char *view;     /* the first view's name, or NULL for VIEWS[0] */
    bool tour;            /* begins with the tour */
    const Resume *resume; /* cursors to take up again, or NULL */
    bool keeps;           /* writes down where one was at the end (resume.h) */
    unsigned long frames; /* leave after this many drawn frames; 0: never. For tests. */
} AppOptions;

/* Runs until the user leaves. *exit_status is the program's: 0, 130 after an interrupt, 128 + n after signal
 * n. An Error is returned only where the program could not run at all. */
Status app_run(Session *session, const AppOptions *options, int *exit_status, Error *error) STATUS_MUST_CHECK;

/* Draws one frame of a view, without a terminal, on a canvas of any size and theme: for tests and dumps. */
Status app_draw_once(Session *session, const AppOptions *options, Canvas *canvas,
                     Error *error) STATUS_MUST_CHECK;

#endif
