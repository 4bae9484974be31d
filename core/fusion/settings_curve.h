/*
 * settings_curve — an α for each layer of a model, which goes before the common one.
 *
 *     layer   0     1     2   …   L−1
 *     α       0.40  0.42  0.44 …  0.60
 *
 * A curve is immutable and has as many layers as its model. Settings borrow it as they borrow the ranking: it
 * outlives every copy of the settings and everything made with one. Who made it owns it: a recipe, the options of
 * a command, a session.
 */
#ifndef REJUV_CORE_SETTINGS_CURVE_H
#define REJUV_CORE_SETTINGS_CURVE_H

#include "core/support/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct SettingsCurve {
    size_t count; /* layers; 1 at least */
    double alpha[];
} SettingsCurve;

/* Copies alpha[count], whatever the numbers are: settings_check() looks at them. STATUS_ARGUMENT where there are none.
 * The caller frees; on failure *curve is NULL. */
Status settings_curve_create(const double *alpha, size_t count, SettingsCurve **curve,
                             Error *error) STATUS_MUST_CHECK;

/* The line from `first` in layer 0 to `last` in the last layer; of one layer: `first`. */
Status settings_curve_create_ramp(size_t layers, double first, double last, SettingsCurve **curve,
                                  Error *error) STATUS_MUST_CHECK;

void settings_curve_free(SettingsCurve *curve); /* takes NULL */

/* Whether both have the same numbers, bit by bit; NULL is no curve, and equals itself. */
bool settings_curve_equal(const SettingsCurve *a, const SettingsCurve *b);

/* Whether the line between its ends gives the same curve, bit by bit. */
bool settings_curve_is_ramp(const SettingsCurve *curve);

#endif
