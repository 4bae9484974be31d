#include "tui/text/uncertain.h"

#include <math.h>
#include <stdio.h>

static const double SHARE_SHOWN = 0.01, BAR_PARTS = 8.0;

/* Errors from this on are written without an exponent. */
static const int LEAST_EXPONENT = -5;

bool uncertain_shows_figure(double value, double error) {
    return error <= SHARE_SHOWN * fabs(value);
}

bool uncertain_shows_bar(double error, int columns) {
    return error * (double)columns * BAR_PARTS <= 1.0;
}

/* 3e-05 for 2.1e-05; what is 3e-05 already stays, though its last bit may be above. */
static double round_up(double value, double power) {
    return ceil(value / power - 1e-9) * power;
}

char *uncertain_write_error(double error, bool is_share, char text[FORMAT_SIZE]) {
    const char *unit = is_share ? " %" : "";
    double value = is_share ? error * 100.0 : error;
    if (!(value > 0.0) || isinf(value)) {
        (void)snprintf(text, FORMAT_SIZE, "±%g%s", value, unit);
        return text;
    }
    double power = pow(10.0, floor(log10(value))), digit = round_up(value, power);
    int exponent = (int)floor(log10(digit) + 1e-9); /* 9.5e-05 has become 1e-04 */
    if (exponent < LEAST_EXPONENT)
        (void)snprintf(text, FORMAT_SIZE, "±%.0e%s", digit, unit);
    else
        (void)snprintf(text, FORMAT_SIZE, "±%.*f%s", exponent < 0 ? -exponent : 0, digit, unit);
    return text;
}
