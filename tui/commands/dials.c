#include "tui/commands/dials.h"

#include "core/files/json.h"
#include "core/fusion/settings_text.h"
#include "core/support/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which options belong together ---- */

const OptionValue *dials_rho(const Options *options) {
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

bool dials_want_reset(const Options *options) {
    const OptionValue *rho = dials_rho(options);
    return rho->number > 0.0 || rho->to > 0.0;
}

static Selector find_selector(const Options *options) {
    /* in the order of --select's choices */
    static const Selector SELECTORS[] = {SELECTOR_ATTRIBUTION, SELECTOR_DRIFT, SELECTOR_DORMANCY,
                                         SELECTOR_GRADIENT, SELECTOR_RANDOM};
    return SELECTORS[options_value(options, OPTION_SELECT)->count];
}

static bool measures_rows(Selector selector) {
    return selector == SELECTOR_ATTRIBUTION || selector == SELECTOR_DORMANCY || selector == SELECTOR_GRADIENT;
}

/* Without ρ the options of a reset do nothing, and who gives them expects that they do. */
static Status check_rho(const Options *options, Error *error) {
    static const OptionId OF_RESET[] = {OPTION_OMEGA, OPTION_SELECT, OPTION_TARGETS, OPTION_SEED_RANDOM,
                                        OPTION_CALIBRATION};
    bool ranks_anyway = options->command == COMMAND_NEURONS || options->command == COMMAND_RESET ||
                        options->command == COMMAND_SHOT;
    if (dials_rho(options)->given || ranks_anyway) return STATUS_OK;
    for (size_t i = 0; i < sizeof OF_RESET / sizeof *OF_RESET; i++) {
        bool measures = options->command == COMMAND_SWEEP || options->command == COMMAND_FIGURE;
        if (OF_RESET[i] == OPTION_CALIBRATION && measures) continue;
        if (options_has(options, OF_RESET[i]))
            return status_fail(error, STATUS_ARGUMENT, "--%s says what --rho resets, which is missing",
                               option_facts(OF_RESET[i])->name);
    }
    return STATUS_OK;
}

Status dials_check(const Options *options, Error *error) {
    Selector selector = find_selector(options);
    Status status = check_rho(options, error);
    if (status != STATUS_OK) return status;
    if (options_has(options, OPTION_SEED_RANDOM) && selector != SELECTOR_RANDOM)
        return status_fail(error, STATUS_ARGUMENT, "--seed is for --select random");
    if (options_has(options, OPTION_TARGETS) && selector != SELECTOR_ATTRIBUTION &&
        options->command != COMMAND_NEURONS)
        return status_fail(error, STATUS_ARGUMENT, "--targets is for --select attribution");
    if (dials_want_reset(options) && measures_rows(selector) && !options_has(options, OPTION_CALIBRATION))
        return status_fail(error, STATUS_ARGUMENT,
                           "--rho: expected --calibration FILE, the rows on which --select %s measures "
                           "neurons (drift and random need none)",
                           ranking_selector_name(selector));
    return STATUS_OK;
}

/* ---- fusion weights of layers and kinds ---- */

static Status read_layers(const Options *options, const Pair *pair, Settings *settings, Error *error) {
    const char *text = options_text(options, OPTION_ALPHA_LAYERS);
    if (text == NULL) return STATUS_OK;
    Status status = settings_text_read_layers(text, settings_layers(pair), settings, error);
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

Status dials_read_state(const Options *options, const Pair *pair, DialState *state, Error *error) {
    Settings *settings = &state->settings;
    *state = (DialState){.settings = {.alpha = first_alpha(options),
                                      .rho = dials_rho(options)->number,
                                      .omega = options_value(options, OPTION_OMEGA)->number},
                         .selector = find_selector(options),
                         .targets = (size_t)options_value(options, OPTION_TARGETS)->count};
    Status status = read_layers(options, pair, settings, error);
    if (status == STATUS_OK)
        status = read_kinds(options, OPTION_ALPHA_KIND, settings_text_read_kinds, settings, error);
    if (status == STATUS_OK)
        status = read_kinds(options, OPTION_PROTECT, settings_text_read_protection, settings, error);
    if (status == STATUS_OK) status = settings_check(settings, pair, error);
    /* options that do not suit the pair are a mistake, not something found out about it */
    return status == STATUS_MISMATCH ? error->status = STATUS_ARGUMENT : status;
}

Status dials_read(Batch *batch, Dials *dials, Error *error) {
    DialState state;
    Status status = dials_read_state(batch->options, batch->pair, &state, error);
    if (status != STATUS_OK) return status;
    dials->settings = state.settings;
    dials->selector = state.selector;
    if (state.settings.kinds[SETTINGS_HEAD].is_set && pair_find_role(batch->pair, TENSOR_HEAD, -1) == NULL)
        batch_say(batch, "there is no lm_head of its own; it is the embedding, which embed is for");
    return STATUS_OK;
}

/* ---- settings as JSON and words ---- */

static bool add_kinds(cJSON *object, const Settings *settings) {
    cJSON *kinds = NULL;
    bool complete = true;
    for (int i = 0; i < SETTINGS_KIND_COUNT && complete; i++) {
        if (!settings->kinds[i].is_set) continue;
        if (kinds == NULL) kinds = cJSON_AddObjectToObject(object, "module_alpha");
        complete = kinds != NULL &&
                   json_add_number(kinds, settings_kind_name((SettingsKind)i), settings->kinds[i].alpha);
    }
    return complete;
}

static bool add_layers(cJSON *object, const Settings *settings) {
    if (settings->layer_count == 0) return true;
    cJSON *list = cJSON_AddArrayToObject(object, "layer_alpha");
    bool complete = list != NULL;
    for (size_t i = 0; i < settings->layer_count && complete; i++) {
        cJSON *item = json_new_number(settings->layer_alpha[i]);
        complete = item != NULL && cJSON_AddItemToArray(list, item);
    }
    return complete;
}

static bool add_ranking(cJSON *object, const Settings *settings, bool is_sweep) {
    const Ranking *ranking = settings->ranking;
    if (ranking == NULL) return true;
    const RankingOrigin *origin = &ranking->origin;
    uint32_t cut = settings_cut(settings);
    return json_add_number(object, "omega", settings->omega) &&
           json_add_text(object, "selector", ranking_selector_name(origin->selector)) &&
           (origin->targets == 0 || batch_json_add_count(object, "targets", origin->targets)) &&
           (origin->selector != SELECTOR_RANDOM || batch_json_add_count(object, "seed", origin->seed)) &&
           (origin->calibration_sha256[0] == '\0' ||
            json_add_text(object, "calibration_sha256", origin->calibration_sha256)) &&
           batch_json_add_count(object, "neurons", neurons_count(&ranking->table)) &&
           (is_sweep || (batch_json_add_count(object, "per_target", cut) &&
                         batch_json_add_count(object, "selected", ranking_count(ranking, cut))));
}

bool dials_add_json(cJSON *object, const Settings *settings, bool is_sweep) {
    cJSON *dials = cJSON_AddObjectToObject(object, "dials");
    return dials != NULL &&
           (is_sweep || (json_add_number(dials, "alpha", settings->alpha) &&
                         json_add_number(dials, "rho", settings->ranking != NULL ? settings->rho : 0.0))) &&
           add_ranking(dials, settings, is_sweep) && add_kinds(dials, settings) &&
           add_layers(dials, settings);
}

void dials_describe_reset(const Settings *settings, char *text, size_t size) {
    const Ranking *ranking = settings->ranking;
    text[0] = '\0';
    if (ranking == NULL) return;
    const RankingOrigin *origin = &ranking->origin;
    uint32_t cut = settings_cut(settings);
    int used = snprintf(text, size, "Reset by %s, omega %g: %" PRIu64 " of %" PRIu64 " neurons",
                        ranking_selector_name(origin->selector), settings->omega, ranking_count(ranking, cut),
                        neurons_count(&ranking->table));
    if (used < 0 || (size_t)used >= size) return;
    if (origin->targets > 0)
        (void)snprintf(text + used, size - (size_t)used,
                       ", the union of %" PRIu32 " (rho %g) for each of %" PRIu64 " targets.", cut,
                       settings->rho, origin->targets);
    else
        (void)snprintf(text + used, size - (size_t)used, " (rho %g).", settings->rho);
}
