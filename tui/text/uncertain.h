/*
 * uncertain — figures that are known but for an error: when they are worth showing, and how the error reads.
 *
 * A figure is shown where its error is at most a hundredth of it, a bar where it is at most the least that a bar can tell
 * apart, an eighth of a column. What is not shown is waited for.
 */
#ifndef REJUV_TUI_UNCERTAIN_H
#define REJUV_TUI_UNCERTAIN_H

#include "tui/text/format.h"

#include <stdbool.h>

/* NaN as an error, and an error of infinity, are never shown. */
bool uncertain_shows_figure(double value, double error);
bool uncertain_shows_bar(double error, int columns); /* of a bar whose whole is 1 */

/* ±0.00003, ±2e-07, ±0.04 %: one digit, rounded up, so that the error is never more than it says. */
char *uncertain_write_error(double error, bool is_share, char text[FORMAT_SIZE]);

#endif
