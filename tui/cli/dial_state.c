#include "tui/cli/dial_state.h"

#include "core/fusion/settings_text.h"
#include "core/method/attribution.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool dial_state_equal(const DialState *a, const DialState *b) {
    return a->selector == b->selector && a->targets == b->targets &&
           settings_equal(&a->settings, &b->settings);
}

/* ---- for people ---- */

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

void dial_state_describe(const DialState *state, char *text, size_t size) {
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
    if (settings->layer_count > 0)
        append(text, size, "  by layer %.2f…%.2f", settings->layer_alpha[0],
               settings->layer_alpha[settings->layer_count - 1]);
}

/* ---- for the command line ---- */

/* Protection is an α of 0 or 1 like any other. */
static void add_alphas(const Settings *settings, CommandId command, CommandLine *line) {
    char kinds[SETTINGS_TEXT_KINDS_SIZE], layers[SETTINGS_TEXT_LAYERS_SIZE];
    settings_text_write_kinds(settings, kinds);
    settings_text_write_layers(settings, layers);
    if (kinds[0] != '\0') command_line_add_option(line, command, OPTION_ALPHA_KIND, "%s", kinds);
    if (layers[0] != '\0') command_line_add_option(line, command, OPTION_ALPHA_LAYERS, "%s", layers);
}

void dial_state_add_options(const DialState *state, CommandId command, CommandLine *line) {
    const Settings *settings = &state->settings;
    bool by_itself = command == COMMAND_NEURONS || command == COMMAND_RESET;
    command_line_add_number(line, command, command == COMMAND_SWEEP ? OPTION_ALPHA_RANGE : OPTION_ALPHA,
                            settings->alpha);
    add_alphas(settings, command, line);
    bool is_swept = command_line_has_option(line, OPTION_RHO_RANGE); /* wherever the dial itself stands */
    bool opens = command == COMMAND_OPEN; /* the dials stand there too while ρ is 0 */
    if (settings->rho <= 0.0 && !by_itself && !is_swept && !opens) return;
    if (settings->rho > 0.0 || !opens)
        command_line_add_number(line, command,
                                by_itself                  ? OPTION_RHO_SET
                                : command == COMMAND_SWEEP ? OPTION_RHO_RANGE
                                                           : OPTION_RHO,
                                settings->rho);
    if (settings->omega != 1.0) command_line_add_number(line, command, OPTION_OMEGA, settings->omega);
    if (state->selector != SELECTOR_ATTRIBUTION)
        command_line_add_option(line, command, OPTION_SELECT, "%s", ranking_selector_name(state->selector));
    if (state->targets != ATTRIBUTION_TARGETS && (opens || state->selector == SELECTOR_ATTRIBUTION))
        command_line_add_option(line, command, OPTION_TARGETS, "%zu", state->targets);
}
