#include "tui/commands/dial_options.h"

#include "core/fusion/settings_text.h"
#include "core/method/attribution.h"
#include "core/method/neuron_ranking.h"
#include "tui/commands/batch_prompt.h"

#include <stdlib.h>

/* ---- which options belong together ---- */

const OptionValue *dial_options_rho(const Options *options) {
    switch (options->command) {
    case COMMAND_SWEEP:
    case COMMAND_FIGURE:
        return options_value(options, OPTION_RHO_RANGE);
    case COMMAND_NEURONS:
    case COMMAND_RESET:
        return options_value(options, OPTION_RHO_SET);
    default:
        return options_value(options, OPTION_RHO);
    }
}

bool dial_options_want_reset(const Options *options) {
    const OptionValue *rho = dial_options_rho(options);
    return rho->number > 0.0 || rho->to > 0.0;
}

OptionId dial_options_seed(const Options *options) {
    switch (options->command) {
    case COMMAND_PREVIEW:
        return OPTION_SEED;
    case COMMAND_LANDSCAPE:
    case COMMAND_FIGURE:
    case COMMAND_REPORT:
        return OPTION_SEED_DIRECTIONS;
    case COMMAND_ROLLOUT:
        return OPTION_SEED_ROLLOUT;
    default:
        return OPTION_SEED_RANDOM;
    }
}

/* Whether the seed may be there for something else than --select random. */
static bool seeds_more(const Options *options) {
    return options->command == COMMAND_PREVIEW || options->command == COMMAND_LANDSCAPE ||
           options->command == COMMAND_ROLLOUT || options->command == COMMAND_REPORT ||
           options_has(options, OPTION_PLANE) || options_has(options, OPTION_SHARPNESS);
}

static Selector find_selector(const Options *options) {
    /* in the order of --select's choices */
    static const Selector SELECTORS[] = {SELECTOR_ATTRIBUTION, SELECTOR_DRIFT, SELECTOR_DORMANCY,
                                         SELECTOR_GRADIENT, SELECTOR_RANDOM};
    return SELECTORS[options_value(options, OPTION_SELECT)->count];
}

/* Without ρ the options of a reset do nothing, and who gives them expects that they do. */
static Status check_rho(const Options *options, Error *error) {
    const OptionId OF_RESET[] = {OPTION_OMEGA, OPTION_SELECT, OPTION_TARGETS, dial_options_seed(options),
                                 OPTION_CALIBRATION};
    bool ranks_anyway = options->command == COMMAND_NEURONS || options->command == COMMAND_RESET ||
                        options->command == COMMAND_SHOT;
    if (dial_options_rho(options)->given || ranks_anyway) return STATUS_OK;
    for (size_t i = 0; i < sizeof OF_RESET / sizeof *OF_RESET; i++) {
        bool measures = options->command == COMMAND_SWEEP || options->command == COMMAND_LANDSCAPE ||
                        options->command == COMMAND_FIGURE || options->command == COMMAND_REPORT;
        if (OF_RESET[i] == OPTION_CALIBRATION && measures) continue;
        if (OF_RESET[i] == dial_options_seed(options) && seeds_more(options)) continue;
        if (options_has(options, OF_RESET[i]))
            return status_fail(error, STATUS_ARGUMENT, "--%s says what --rho resets, which is missing",
                               option_facts(OF_RESET[i])->name);
    }
    return STATUS_OK;
}

Status dial_options_check(const Options *options, Error *error) {
    Selector selector = find_selector(options);
    Status status = check_rho(options, error);
    if (status == STATUS_OK) status = batch_prompt_check(options, error);
    if (status != STATUS_OK) return status;
    if (options_has(options, dial_options_seed(options)) && !seeds_more(options) &&
        selector != SELECTOR_RANDOM)
        return status_fail(error, STATUS_ARGUMENT, "--seed is for --select random");
    if (options_has(options, OPTION_TARGETS) && selector != SELECTOR_ATTRIBUTION &&
        options->command != COMMAND_NEURONS)
        return status_fail(error, STATUS_ARGUMENT, "--targets is for --select attribution");
    if (dial_options_want_reset(options) && neuron_ranking_needs_rows(selector) &&
        !options_has(options, OPTION_CALIBRATION))
        return status_fail(error, STATUS_ARGUMENT,
                           "--rho: expected --calibration FILE, the rows on which --select %s measures "
                           "neurons (drift and random need none)",
                           ranking_selector_name(selector));
    return STATUS_OK;
}

/* ---- fusion weights of layers and kinds ---- */

static Status read_layers(const Options *options, const Pair *pair, SettingsCurve **curve, Error *error) {
    const char *text = options_text(options, OPTION_ALPHA_LAYERS);
    if (text == NULL) return STATUS_OK;
    Status status = settings_text_read_layers(text, settings_layers(pair), curve, error);
    return status == STATUS_OK ? status : status_add_context(error, "--alpha-layers");
}

typedef Status (*ReadKinds)(const char *text, SettingsOwn *kinds, Error *error);

/* Each time that the option is given. */
static Status read_kinds(const Options *options, OptionId option, ReadKinds read, Settings *settings,
                         Error *error) {
    const char *text;
    size_t at = 0;
    while ((text = options_next(options, option, &at)) != NULL) {
        Status status = read(text, settings->kinds, error);
        if (status != STATUS_OK) return status_add_context(error, "--%s", option_facts(option)->name);
    }
    return STATUS_OK;
}

static double first_alpha(const Options *options) {
    bool is_range = options->command == COMMAND_SWEEP || options->command == COMMAND_FIGURE;
    return options_value(options, is_range ? OPTION_ALPHA_RANGE : OPTION_ALPHA)->number;
}

Status dial_options_read(const Options *options, const Pair *pair, Dials *state, SettingsCurve **curve,
                         Error *error) {
    Settings *settings = &state->settings;
    *state = (Dials){.settings = {.alpha = first_alpha(options),
                                  .rho = dial_options_rho(options)->number,
                                  .omega = options_value(options, OPTION_OMEGA)->number},
                     .selector = find_selector(options),
                     .targets = (size_t)options_value(options, OPTION_TARGETS)->count};
    *curve = NULL;
    Status status = read_layers(options, pair, curve, error);
    settings->curve = *curve;
    if (status == STATUS_OK)
        status = read_kinds(options, OPTION_ALPHA_KIND, settings_text_read_kinds, settings, error);
    if (status == STATUS_OK)
        status = read_kinds(options, OPTION_PROTECT, settings_text_read_protection, settings, error);
    if (status == STATUS_OK) status = settings_check(settings, pair, error);
    if (status == STATUS_OK) status = settings_check_kinds(settings, pair, error);
    if (status != STATUS_OK) {
        settings_curve_free(*curve);
        settings->curve = *curve = NULL;
    }
    /* options that do not suit the pair are a mistake, not something found out about it */
    return status == STATUS_MISMATCH ? error->status = STATUS_ARGUMENT : status;
}

/* ---- the other way ---- */

static void add_alpha(const Dials *dials, CommandId command, CommandLine *line) {
    command_line_add_number(line, command, command == COMMAND_SWEEP ? OPTION_ALPHA_RANGE : OPTION_ALPHA,
                            dials->settings.alpha);
}

static void add_kinds(const Dials *dials, CommandId command, CommandLine *line) {
    char kinds[SETTINGS_TEXT_KINDS_SIZE];
    settings_text_write_kinds(&dials->settings, kinds);
    if (kinds[0] != '\0') command_line_add_option(line, command, OPTION_ALPHA_KIND, "%s", kinds);
}

static void add_layers(const Dials *dials, CommandId command, CommandLine *line) {
    if (dials->settings.curve == NULL) return;
    char *layers = settings_text_format_layers(dials->settings.curve);
    if (layers == NULL)
        line->failed = true;
    else
        command_line_add_option(line, command, OPTION_ALPHA_LAYERS, "%s", layers);
    free(layers);
}

static bool resets_by_itself(CommandId command) {
    return command == COMMAND_NEURONS || command == COMMAND_RESET;
}

/* Whether the options of a reset are written: the program, when it is opened, has its dials stand there too while ρ is 0, and a
 * range of ρ passes wherever the dial itself stands. */
static bool has_reset(const Dials *dials, CommandId command, const CommandLine *line) {
    return dials->settings.rho > 0.0 || resets_by_itself(command) || command == COMMAND_OPEN ||
           command_line_has_option(line, OPTION_RHO_RANGE);
}

static void add_rho(const Dials *dials, CommandId command, CommandLine *line) {
    if (!has_reset(dials, command, line)) return;
    if (dials->settings.rho > 0.0 || command != COMMAND_OPEN)
        command_line_add_number(line, command,
                                resets_by_itself(command)  ? OPTION_RHO_SET
                                : command == COMMAND_SWEEP ? OPTION_RHO_RANGE
                                                           : OPTION_RHO,
                                dials->settings.rho);
}

static void add_omega(const Dials *dials, CommandId command, CommandLine *line) {
    if (has_reset(dials, command, line) && dials->settings.omega != 1.0)
        command_line_add_number(line, command, OPTION_OMEGA, dials->settings.omega);
}

static void add_selector(const Dials *dials, CommandId command, CommandLine *line) {
    if (has_reset(dials, command, line) && dials->selector != SELECTOR_ATTRIBUTION)
        command_line_add_option(line, command, OPTION_SELECT, "%s", ranking_selector_name(dials->selector));
}

static void add_targets(const Dials *dials, CommandId command, CommandLine *line) {
    bool counts = command == COMMAND_OPEN || dials->selector == SELECTOR_ATTRIBUTION;
    if (has_reset(dials, command, line) && dials->targets != ATTRIBUTION_TARGETS && counts)
        command_line_add_option(line, command, OPTION_TARGETS, "%zu", dials->targets);
}

/* The options of the dials when the program is opened, in the order in which they are written. */
static const struct {
    OptionId option;
    void (*add)(const Dials *dials, CommandId command, CommandLine *line); /* NULL: another's says it too */
} DIALS[] = {
    {OPTION_ALPHA, add_alpha}, {OPTION_ALPHA_KIND, add_kinds}, /* protection is an α of 0 or 1 like any other */
    {OPTION_PROTECT, NULL},    {OPTION_ALPHA_LAYERS, add_layers}, {OPTION_RHO, add_rho},
    {OPTION_OMEGA, add_omega}, {OPTION_SELECT, add_selector},     {OPTION_TARGETS, add_targets},
};
enum { DIAL_COUNT = sizeof DIALS / sizeof *DIALS };

bool dial_options_include(OptionId option) {
    for (size_t i = 0; i < DIAL_COUNT; i++)
        if (DIALS[i].option == option) return true;
    return false;
}

void dial_options_add(const Dials *dials, CommandId command, CommandLine *line) {
    for (size_t i = 0; i < DIAL_COUNT; i++)
        if (DIALS[i].add != NULL) DIALS[i].add(dials, command, line);
}
