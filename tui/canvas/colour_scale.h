/*
 * colour_scale — where a figure lies on a ramp of colours, and the legend that says so.
 *
 *     figure   nothing ──────────────────────────► most
 *     share    0       linear: (x − nothing) / (most − nothing)                                  1
 *              0       logarithmic: 1 + log10 of that, over COLOUR_SCALE_DECADES                     1
 *
 * `most` may lie below `nothing` (a cosine: 1 is no drift, less is more). On a diverging ramp `nothing` is
 * the middle, and figures on the other side of it have the same share with a minus.
 */
#ifndef REJUV_TUI_COLOUR_SCALE_H
#define REJUV_TUI_COLOUR_SCALE_H

#include "tui/canvas/canvas.h"

#include <stdbool.h>
#include <stddef.h>

enum { COLOUR_SCALE_DECADES = 3 };

typedef struct ColourScale {
    Ramp ramp;
    double nothing, most;
    bool logarithmic, is_fixed;
} ColourScale;

/* A key without extent: everything finite is at 0. */
ColourScale colour_scale_make(Ramp ramp, double nothing, bool logarithmic);

/* A linear one whose ends are given: what lies beyond them has the colour of the nearer end, and no value moves
 * them. */
ColourScale colour_scale_make_fixed(Ramp ramp, double nothing, double most);

/* Moves `most` so that `value` is on the ramp. What is not finite is left out. */
void colour_scale_include(ColourScale *key, double value);

/* 0 … 1, on a diverging ramp -1 … 1; a NaN stays one. */
double colour_scale_share(const ColourScale *key, double value);

/* `count` shares at once; those from there up to `room` are NaN: a last line that is not full. */
void colour_scale_share_all(const ColourScale *key, const double *values, size_t count, double *shares,
                            size_t room);

/* `log 1.2e-05 ░▒▓█ 0.41` at the end of the area's first row: the figures at the ends of the ramp. Returns
 * its width. */
int colour_scale_draw(Canvas *canvas, Rect area, const ColourScale *key);

/* True for a figure that is known: not a NaN. */
bool colour_scale_is_known(double value);

#endif
