/*
 * screen_svg — the cells of a terminal as a drawing.
 *
 * Backgrounds, block elements (U+2580 … U+259F) and lines (U+2500 … U+257F) are drawn as exact rectangles, so
 * that no font leaves gaps between them; everything else is text, word by word, each at the column where the
 * terminal has it. What is drawn is what the cells hold; nothing is added but the frame.
 */
#ifndef REJUV_TESTS_SCREEN_SVG_H
#define REJUV_TESTS_SCREEN_SVG_H

#include "core/support/status.h"
#include "tests/screens/terminal_host.h"

#include <stdio.h>

/* Writes the screen of `host` with `title` in the frame's bar. STATUS_IO when `file` cannot be written. */
Status screen_svg_write(const TerminalHost *host, const char *title, FILE *file,
                        Error *error) STATUS_MUST_CHECK;

#endif
