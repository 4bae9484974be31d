/*
 * screen_shot — a screen as it is compared: its text, and the style of every cell by name.
 *
 * A cell has an ink and a ground. A ground is a colour: `-` (the terminal's own), `243` (of the palette) or
 * `#2fb07d`. An ink is the character's attributes and its colour, as `bold underline 30`; `-` when it has neither.
 * What nobody can see makes no difference: the ink of a blank is `-`, unless it is reversed, underlined or struck
 * out. Nor does what a mask hides (screen_masks.h): its cells are `-` on `-`.
 */
#ifndef REJUV_TESTS_SCREEN_SHOT_H
#define REJUV_TESTS_SCREEN_SHOT_H

#include "core/support/status.h"
#include "tests/screens/screen_masks.h"
#include "tests/screens/screen_words.h"
#include "tests/screens/terminal_host.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum ScreenPlane { SCREEN_INK, SCREEN_GROUND, SCREEN_PLANES } ScreenPlane;

typedef struct ScreenShot {
    size_t rows, columns;
    ScreenWords lines;                   /* masked, without the blanks at their ends */
    ScreenWords palettes[SCREEN_PLANES]; /* the distinct names, "-" the first of them in any case */
    uint16_t
        *cells[SCREEN_PLANES]; /* rows × columns, each a place in the palette; NULL: only that is known */
} ScreenShot;

/* `*shot` becomes what is on the screen now. Free in any case. */
Status screen_shot_take(const TerminalHost *host, const ScreenMasks *masks, ScreenShot *shot,
                        Error *error) STATUS_MUST_CHECK;

/* The place of a name in a palette, where it is put unless it is there. */
Status screen_shot_name(ScreenShot *shot, ScreenPlane plane, const char *name, uint16_t *place,
                        Error *error) STATUS_MUST_CHECK;

/* An empty one: lines to be added, palettes of "-" alone and, where wanted, cells of it. */
Status screen_shot_make(size_t rows, size_t columns, bool has_cells, ScreenShot *shot,
                        Error *error) STATUS_MUST_CHECK;
void screen_shot_free(ScreenShot *shot);

/* Whether `found`, which has cells, is what was expected: the same text and, where the cells of `expected` are
 * known, the same styles in them, else the same styles anywhere. */
bool screen_shot_equal(const ScreenShot *expected, const ScreenShot *found);

/* The rows that differ under each other, then each style that differs from the one expected, with the first row
 * where it does. */
void screen_shot_print_difference(const ScreenShot *expected, const ScreenShot *found, FILE *report);

#endif
