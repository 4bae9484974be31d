/*
 * app — the terminal program: recompute what is due, draw what changed, wait, act.
 *
 *     ┌ rejuv  base → sft (llama 6L 1.2M)   2 Layers          α 0.50  ρ 1.0%  ω 1.00 ┐  title
 *     │                                                                              │
 *     │                               the view                                       │
 *     │                                                                              │
 *     │ drift ████████████████████▌            71 %  1.9 GB/s  0:04 left             │  jobs, or a message
 *     └ ←↑↓→ move  Enter open  m metric  a/A α  / search  ? help  q quit             ┘  keys, or the prompt
 *
 * The room: the loop, the frame, the prompt, the mouse, help, the tour, what is resumed; and view.h, the interface
 * of a screen. An App owns its canvas, keymap and the states of its views, and borrows the session; UI thread
 * only.
 */
#ifndef REJUV_TUI_APP_H
#define REJUV_TUI_APP_H

#include "core/support/status.h"
#include "tui/app/config.h"
#include "tui/app/resume.h"
#include "tui/app/view.h"
#include "tui/canvas/canvas.h"
#include "tui/session/session.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct AppOptions {
    bool ascii, monochrome, mouse;
    ThemeKind theme;
    bool asks_background; /* of the terminal, for the theme */
    const char *keys;     /* as keymap_read_user() takes it */
    const Config *config; /* what was wrong in it is told; may be NULL */
    ViewList views;
    const char *view;     /* the first view's name, or NULL for the first of them */
    bool tour;            /* begins with the tour */
    const Resume *resume; /* cursors to take up again, or NULL */
    /* what the session was made with: for those of other rungs. NULL: there are none */
    const SessionOptions *opened;
    bool keeps;           /* writes down where one was at the end (resume.h) */
    unsigned long frames; /* leave after this many drawn frames; 0: never. For tests. */
} AppOptions;

/* Runs until the user leaves. Where another rung was switched to, *session is that one's then, and the first is freed.
 * *exit_status is the program's: 0, 130 after an interrupt, 128 + n after signal
 * n. An Error is returned only where the program could not run at all. */
Status app_run(Session **session, const AppOptions *options, int *exit_status,
               Error *error) STATUS_MUST_CHECK;

/* What a person would do before looking: keys by their names in key files, separated by spaces, or a line as
 * the command line takes it. */
typedef struct AppStep {
    bool is_command;
    const char *text;
} AppStep;

/* A view without a terminal. */
typedef struct AppShot {
    const AppStep *steps; /* one after the other, each once the figures before it are there */
    size_t step_count;

    /* While figures are measured, some fifty times a second. False gives up. */
    bool (*wait)(void *user, const SessionJob *job);
    void (*say)(void *user, SessionTone tone, const char *message); /* instead of the line for messages */
    void *user;                                                     /* of both */
} AppShot;

/* Draws a view as it is once all its figures are there; *session as in app_run(). The canvas is the caller's, of any size and theme.
 * STATUS_CANCELLED where `wait` gave up; STATUS_ARGUMENT for a step that cannot be done. */
Status app_shoot(Session **session, const AppOptions *options, const AppShot *shot, Canvas *canvas,
                 Error *error) STATUS_MUST_CHECK;

#endif
