/*
 * dial_bar — one-row instruments: progress of a job, and a dial between two ends.
 */
#ifndef REJUV_TUI_DIAL_BAR_H
#define REJUV_TUI_DIAL_BAR_H

#include "tui/canvas/canvas.h"
#include "tui/keys/action.h"

#include <stdbool.h>
#include <stdint.h>

/*     drift ████████████████████▌            71 %  1.9 GB/s  0:04 left     Esc cancels
 * `total` 0: no share and no time left. `note` at the end, or NULL. Time left is (seconds / done) × what is
 * left; it is shown once a second has passed. */
typedef struct ProgressLine {
    const char *label;
    uint64_t done, total;
    double seconds;
    const char *rate; /* or "" */
    const char *note;
} ProgressLine;

void dial_bar_draw_progress(Canvas *canvas, Rect area, int row, const ProgressLine *progress);

/*      α fusion   base ├────────────┼──────●─────┼────────────┤ sft        0.500 */
typedef struct Dial {
    const char *label;
    const char *low_label, *high_label;
    const char *value_text;
    double low, high, value;
    int ticks; /* parts that tick marks divide it in; 0: none */
    bool selected, stale;
    Action action;           /* sets it to a number: for the mouse; ACTION_NOTHING: it cannot be turned */
    const char *action_name; /* of an action that takes NAME=NUMBER; else NULL */
    size_t *cursor;          /* a press puts it on `item`; NULL: none */
    size_t item;
    double per_unit;                               /* the action's number for a value of 1; 0 counts as 1 */
    int label_columns, end_columns, value_columns; /* so that dials stand below each other; 0: as needed */
} Dial;

void dial_bar_draw(Canvas *canvas, Rect area, int row, const Dial *dial);

#endif
