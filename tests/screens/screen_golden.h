/*
 * screen_golden — what one view shows in every terminal of the matrix: each distinct screen once.
 *
 *     == 80x24 utf8: 24bit 256 8 mono       the terminals that show it: SIZE CHARSET …: DEPTH …
 *     |rejuv  base → sft …                  a line `|TEXT` for every row
 *     ink     24bit           256           8             mono
 *     a       #767676         243           -             -
 *     b       bold #008787    bold 30       bold          bold
 *     :aaaaa  bbb                           a line `:LETTERS` for every row, as long as there is one
 *     ground  24bit           256           8             mono
 *     a       #440154         53            -             -
 *     ;   aaaa
 *
 * A letter is a style: the legend has its name (screen_shot.h) in each terminal of the section, so that a layout
 * is stored once for all depths, and a colour that changes is a line of the legend that changes. A blank is `-` in
 * all of them. Letters come in the order in which they are met, row by row. A plane that is blank is left out.
 * Of a size whose styles are kept as a palette (matrix_terminals.h) the legend stands alone, with * for letters.
 *
 * Sections stand in the order of their first terminals. Every terminal stands in one section, every section has a
 * text of its own, and every letter is used: reading and checking see to that.
 */
#ifndef REJUV_TESTS_SCREEN_GOLDEN_H
#define REJUV_TESTS_SCREEN_GOLDEN_H

#include "core/support/status.h"
#include "tests/screens/matrix_terminals.h"
#include "tests/screens/screen_shot.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct GoldenPlane {
    ScreenWords *legend; /* of each letter: its name in every terminal of the section */
    size_t count, capacity;
    ScreenWords layout; /* a row of letters for every row; empty when the legend stands alone */
} GoldenPlane;

typedef struct GoldenSection {
    size_t line;       /* of its head in the file, from 1 */
    size_t *terminals; /* numbers, ascending; all of one size */
    size_t terminal_count, terminal_capacity;
    ScreenWords lines;
    GoldenPlane planes[SCREEN_PLANES];
} GoldenSection;

typedef struct ScreenGolden {
    GoldenSection *sections;
    size_t count, capacity;
} ScreenGolden;

extern const char screen_golden_letters[]; /* in their order */
enum { SCREEN_GOLDEN_LETTERS = 62 };

void screen_golden_free(ScreenGolden *golden);

/* ---- the file: STATUS_FORMAT names the line that makes no sense; free in any case ---- */

Status screen_golden_read(const char *path, const MatrixTerminals *terminals, ScreenGolden *golden,
                          Error *error) STATUS_MUST_CHECK;

/* `note` is the comment at its head. */
Status screen_golden_write(const ScreenGolden *golden, const MatrixTerminals *terminals, const char *note,
                           const char *path, Error *error) STATUS_MUST_CHECK;

/* ---- between files and screens ---- */

/* Puts together what all terminals show: shots[terminal], of which those without lines do not count. With
 * `all_cells`, styles are kept whole whatever the size. Free in any case. */
Status screen_golden_build(const ScreenShot *shots, const MatrixTerminals *terminals, bool all_cells,
                           ScreenGolden *golden, Error *error) STATUS_MUST_CHECK;

/* What a terminal shows, and on which line that begins. STATUS_MISMATCH when no section shows it. */
Status screen_golden_shot(const ScreenGolden *golden, const MatrixTerminals *terminals, size_t terminal,
                          ScreenShot *shot, size_t *line, Error *error) STATUS_MUST_CHECK;

/* STATUS_MISMATCH unless every terminal stands in one section, and no two sections are the same text. */
Status screen_golden_check(const ScreenGolden *golden, const MatrixTerminals *terminals,
                           Error *error) STATUS_MUST_CHECK;

#endif
