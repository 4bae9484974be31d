#include "core/method/dials.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const double DIALS_PAPER_ALPHA = 0.5, DIALS_PAPER_RHO = 0.01;

bool dials_equal(const Dials *a, const Dials *b) {
    return a->selector == b->selector && a->targets == b->targets &&
           settings_equal(&a->settings, &b->settings);
}

static int alpha_decimals(double alpha) {
    return fabs(alpha * 100.0 - round(alpha * 100.0)) < 1e-9 ? 2 : 3;
}

/* Appends to `text` as far as there is room. */
static void append(char *text, size_t size, const char *format, ...) STATUS_PRINTF(3, 4);
static void append(char *text, size_t size, const char *format, ...) {
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

void dials_describe(const Dials *state, char *text, size_t size) {
    const Settings *settings = &state->settings;
    (void)snprintf(text, size, "α %.*f", alpha_decimals(settings->alpha), settings->alpha);
    if (settings->rho > 0.0) {
        append(text, size, "  ρ %g%%  ω %.2f  %s", settings->rho * 100.0, settings->omega,
               ranking_selector_name(state->selector));
        if (state->selector == SELECTOR_ATTRIBUTION) append(text, size, " %zu", state->targets);
    }
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        if (settings->kinds[i].is_set)
            append(text, size, "  %s %.*f", settings_kind_name((SettingsKind)i),
                   alpha_decimals(settings->kinds[i].alpha), settings->kinds[i].alpha);
    }
    const SettingsCurve *curve = settings->curve;
    if (curve != NULL)
        append(text, size, "  by layer %.2f…%.2f", curve->alpha[0], curve->alpha[curve->count - 1]);
}
