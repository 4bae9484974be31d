/*
 * tour — the paper's story in a few steps: each shows a view, says two or three sentences about what is seen
 * there, and a thing to try. The view stays live; the words stand below it. Any pair can be looked at this
 * way: no sentence depends on the demo's figures.
 */
#ifndef REJUV_TUI_TOUR_H
#define REJUV_TUI_TOUR_H

#include "core/support/status.h"
#include "tui/canvas/canvas.h"
#include "tui/keys/keymap.h"

#include <stddef.h>

typedef struct TourStep {
    const char *view;  /* its name */
    const char *title; /* a few words */
    const char *text;  /* what is seen */
    const char *task;  /* what to try; {action-name} stands for the keys of an action */
} TourStep;

extern const TourStep TOUR_STEPS[];
extern const size_t TOUR_COUNT;

/* The rows of the strip in an area of that size, the same for every step; 0 where there is no room for words. */
int tour_rows(Canvas *canvas, Rect area, const Keymap *keymap);

/* Draws the strip over its whole area. */
void tour_draw(Canvas *canvas, Rect area, const Keymap *keymap, size_t step);

#endif
