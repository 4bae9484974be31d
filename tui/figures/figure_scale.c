#include "tui/figures/figure_scale.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FEW = 3, PLAIN_FROM = -4, PLAIN_TO = 5 }; /* exponents that are written out */

static const double ROUNDING = 1e-9; /* in steps: a tick that rounding puts just outside is still one */

/* ---- range ---- */

FigureScale figure_scale_around(const double *values, size_t count, bool is_log, double margin) {
    FigureScale scale = {is_log, INFINITY, -INFINITY};
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]) || (is_log && values[i] <= 0.0)) continue;
        scale.low = fmin(scale.low, values[i]);
        scale.high = fmax(scale.high, values[i]);
    }
    if (scale.low > scale.high) scale.low = scale.high = 1.0;
    if (is_log) {
        double ratio = scale.high > scale.low ? pow(scale.high / scale.low, margin) : 2.0;
        scale.low /= ratio;
        scale.high *= ratio;
        return scale;
    }
    double room = scale.high > scale.low ? (scale.high - scale.low) * margin
                  : scale.low != 0.0     ? fabs(scale.low) * 0.1
                                         : 1.0;
    scale.low -= room;
    scale.high += room;
    return scale;
}

void figure_scale_include(FigureScale *scale, double value) {
    if (!isfinite(value) || (scale->is_log && value <= 0.0)) return;
    scale->low = fmin(scale->low, value);
    scale->high = fmax(scale->high, value);
}

size_t figure_scale_smallest(const double *values, size_t count) {
    size_t smallest = count;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]) && (smallest == count || values[i] < values[smallest])) smallest = i;
    return smallest;
}

double figure_scale_place(const FigureScale *scale, double value) {
    if (scale->is_log)
        return value > 0.0 ? log(value / scale->low) / log(scale->high / scale->low) : (double)NAN;
    return (value - scale->low) / (scale->high - scale->low);
}

/* ---- texts ---- */

/* "−1.5" with U+2212, which is as wide as a plus. */
static void put_minus(char *text, size_t size) {
    char copy[FIGURE_TICK_TEXT];
    if (text[0] != '-') return;
    (void)snprintf(copy, sizeof copy, "%s", text + 1);
    (void)snprintf(text, size, "\u2212%.24s", copy);
}

static void append_exponent(int exponent, char *text, size_t size) {
    static const char *const RAISED[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%d", exponent);
    for (const char *c = digits; *c != '\0'; c++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, size - used, "%s", *c == '-' ? "⁻" : RAISED[*c - '0']);
    }
}

static int exponent_of(double value) {
    return value == 0.0 ? 0 : (int)floor(log10(fabs(value)) + ROUNDING);
}

static void write_power(double mantissa, int decimals, int exponent, char text[FIGURE_TICK_TEXT]) {
    (void)snprintf(text, FIGURE_TICK_TEXT, "%.*f×10", decimals, mantissa);
    append_exponent(exponent, text, FIGURE_TICK_TEXT);
}

void figure_scale_write(double value, int digits, char text[FIGURE_TICK_TEXT]) {
    int exponent = isfinite(value) ? exponent_of(value) : 0;
    if (!isfinite(value)) {
        (void)snprintf(text, FIGURE_TICK_TEXT, "%g", value);
    } else if (exponent >= PLAIN_FROM && exponent <= PLAIN_TO) {
        int decimals = digits - 1 - exponent;
        (void)snprintf(text, FIGURE_TICK_TEXT, "%.*f", decimals < 0 ? 0 : decimals, value);
    } else {
        write_power(value / pow(10.0, exponent), digits - 1, exponent, text);
    }
    put_minus(text, FIGURE_TICK_TEXT);
}

/* A multiple of `step`. */
static void write_multiple(double value, double step, double largest, char text[FIGURE_TICK_TEXT]) {
    int unit = exponent_of(step), top = exponent_of(largest);
    if (value == 0.0) {
        bool plain = top >= PLAIN_FROM && top <= PLAIN_TO && unit < 0;
        (void)snprintf(text, FIGURE_TICK_TEXT, "%.*f", plain ? -unit : 0, 0.0);
    } else if (top >= PLAIN_FROM && top <= PLAIN_TO) {
        (void)snprintf(text, FIGURE_TICK_TEXT, "%.*f", unit < 0 ? -unit : 0, value);
    } else {
        write_power(value / pow(10.0, top), top - unit, top, text); /* one power for all ticks */
    }
    put_minus(text, FIGURE_TICK_TEXT);
}

/* ---- ticks ---- */

static double next_step(double step) {
    int exponent = exponent_of(step);
    double lead = step / pow(10.0, exponent);
    double next = lead < 1.5 ? 2.0 : lead < 3.5 ? 5.0 : 10.0;
    return next * pow(10.0, exponent);
}

static FigureTicks linear_ticks(const FigureScale *scale, size_t most) {
    FigureTicks ticks = {0};
    double range = scale->high - scale->low, step = pow(10.0, floor(log10(range)) - 2.0);
    double first, last;
    for (;; step = next_step(step)) {
        first = ceil(scale->low / step - ROUNDING);
        last = floor(scale->high / step + ROUNDING);
        if (last - first + 1.0 <= (double)most) break;
    }
    double largest = fmax(fabs(first), fabs(last)) * step;
    for (double k = first; k <= last && ticks.count < FIGURE_TICKS_MOST; k++) {
        ticks.values[ticks.count] = k * step;
        write_multiple(k == 0.0 ? 0.0 : k * step, step, largest, ticks.labels[ticks.count++]);
    }
    return ticks;
}

static void add_tick(FigureTicks *ticks, double lead, int exponent, bool is_plain) {
    if (ticks->count == FIGURE_TICKS_MOST) return;
    char *label = ticks->labels[ticks->count];
    ticks->values[ticks->count++] = lead * pow(10.0, exponent);
    if (is_plain)
        (void)snprintf(label, FIGURE_TICK_TEXT, "%.*f", exponent < 0 ? -exponent : 0,
                       lead * pow(10.0, exponent));
    else if (lead > 1.0)
        write_power(lead, 0, exponent, label);
    else
        (void)snprintf(label, FIGURE_TICK_TEXT, "10");
    if (!is_plain && lead == 1.0) append_exponent(exponent, label, FIGURE_TICK_TEXT);
}

static FigureTicks log_ticks(const FigureScale *scale, size_t most) {
    enum { DECADES = 3, LOWEST_PLAIN = -2, HIGHEST_PLAIN = 3 };
    static const double LEADS[] = {1, 2, 5};
    FigureTicks ticks = {0};
    int first = (int)ceil(log10(scale->low) - ROUNDING), last = (int)floor(log10(scale->high) + ROUNDING);
    int decades = last - first + 1, every = 1;
    while (decades > every * (int)most) every = (int)next_step(every);
    /* one way of writing for all */
    bool is_plain = first - (decades < DECADES) >= LOWEST_PLAIN && last <= HIGHEST_PLAIN;
    for (int exponent = first; exponent <= last && decades >= DECADES; exponent++)
        if (exponent % every == 0) add_tick(&ticks, 1.0, exponent, is_plain);
    if (decades >= DECADES) return ticks;
    for (int exponent = first - 1; exponent <= last; exponent++) {
        for (size_t i = 0; i < sizeof LEADS / sizeof *LEADS; i++) {
            double value = LEADS[i] * pow(10.0, exponent);
            bool inside = value >= scale->low * (1.0 - ROUNDING) && value <= scale->high * (1.0 + ROUNDING);
            if (inside && ticks.count < most) add_tick(&ticks, LEADS[i], exponent, is_plain);
        }
    }
    return ticks;
}

FigureTicks figure_scale_ticks(const FigureScale *scale, size_t most) {
    if (most < 2) most = 2;
    if (most > FIGURE_TICKS_MOST) most = FIGURE_TICKS_MOST;
    FigureTicks none = {0};
    bool is_range = scale->high > scale->low && isfinite(scale->high - scale->low);
    if (!is_range || (scale->is_log && scale->low <= 0.0)) return none;
    FigureTicks ticks = scale->is_log ? log_ticks(scale, most) : none;
    if (ticks.count >= FEW) return ticks; /* of a range below a decade there may be too few */
    return linear_ticks(scale, most);
}
