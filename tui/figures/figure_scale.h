/*
 * figure_scale — the axis of a figure: values to places, and ticks where a reader expects them.
 *
 * Ticks of a linear scale are multiples of 1, 2 or 5 times a power of ten; of a logarithmic one powers of ten,
 * or, where there would be fewer than three, 1, 2 and 5 times those. Labels carry as many digits as tell them
 * apart, and no more: 0, 0.05, 0.1 is written 0.00, 0.05, 0.10; beyond 10⁻⁴ … 10⁵ as 2×10⁻⁵,
 * with one power for all ticks of a linear scale.
 */
#ifndef REJUV_TUI_FIGURE_SCALE_H
#define REJUV_TUI_FIGURE_SCALE_H

#include <stdbool.h>
#include <stddef.h>

enum { FIGURE_TICKS_MOST = 24, FIGURE_TICK_TEXT = 32 };

typedef struct FigureScale {
    bool is_log; /* then both are above 0 */
    double low, high;
} FigureScale;

typedef struct FigureTicks {
    size_t count;
    double values[FIGURE_TICKS_MOST]; /* rising */
    char labels[FIGURE_TICKS_MOST][FIGURE_TICK_TEXT];
} FigureTicks;

/* The scale that holds all finite values of `count` (on a logarithmic one: above 0), with `margin`, a share of
 * their range, at both ends. Where there is none, or only one value, a range around it. */
FigureScale figure_scale_around(const double *values, size_t count, bool is_log, double margin);

/* Makes it wider where a value lies outside. */
void figure_scale_include(FigureScale *scale, double value);

/* 0 at the low end, 1 at the high one; NaN for what has no place. */
double figure_scale_place(const FigureScale *scale, double value);

/* Where the smallest number of `count` is; `count` where none is a number. */
size_t figure_scale_smallest(const double *values, size_t count);

/* At most `most` ticks, at least two where the range allows. */
FigureTicks figure_scale_ticks(const FigureScale *scale, size_t most);

/* The value with `digits` significant digits, for a legend: "0.0813", "−3.2×10⁻⁷". */
void figure_scale_write(double value, int digits, char text[FIGURE_TICK_TEXT]);

#endif
