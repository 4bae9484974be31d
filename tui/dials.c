#include "tui/dials.h"

#include "core/json.h"
#include "core/memory.h"

#include <inttypes.h>
#include <math.h>
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

/* Reads a weight at *at and goes beyond it and `separator`, which has to follow unless the text ends. */
static bool read_alpha(const char **at, char separator, double *alpha) {
    char *end;
    if (**at == '\0' || strchr("+-.0123456789", **at) == NULL) return false;
    *alpha = strtod(*at, &end);
    if (end == *at || !(*alpha >= 0.0 && *alpha <= 1.0)) return false;
    *at = *end == '\0' ? end : end + 1;
    return *end == '\0' || (*end == separator && end[1] != '\0');
}

static Status refuse_layers(const char *text, Error *error) {
    return status_fail(
        error, STATUS_ARGUMENT,
        "--alpha-layers: expected A0:A1 or a list A,A,… of weights from 0 to 1, at most %d, found "
        "\"%s\"",
        SETTINGS_LAYERS, text);
}

static Status read_layers(const Options *options, const Pair *pair, Settings *settings, Error *error) {
    const char *text = options_text(options, OPTION_ALPHA_LAYERS), *at = text;
    const Checkpoint *sft = pair->sft;
    double first, last;
    if (text == NULL) return STATUS_OK;
    if (strchr(text, ':') != NULL) {
        if (sft->model_status != STATUS_OK) {
            *error = sft->model_error;
            return status_add_context(error, "--alpha-layers needs the number of layers");
        }
        if (!read_alpha(&at, ':', &first) || !read_alpha(&at, '\0', &last) ||
            sft->model.layers > SETTINGS_LAYERS)
            return refuse_layers(text, error);
        settings_set_ramp(settings, (size_t)sft->model.layers, first, last);
        return STATUS_OK;
    }
    for (;;) {
        if (settings->layer_count == SETTINGS_LAYERS ||
            !read_alpha(&at, ',', &settings->layer_alpha[settings->layer_count]))
            return refuse_layers(text, error);
        settings->layer_count++;
        if (*at == '\0') return STATUS_OK;
    }
}

static Status set_kind(Settings *settings, const char *option, const char *name, size_t bytes, double alpha,
                       Error *error) {
    char copy[16];
    SettingsKind kind;
    (void)snprintf(copy, sizeof copy, "%.*s", (int)(bytes < sizeof copy ? bytes : sizeof copy - 1), name);
    bool found = settings_find_kind(copy, &kind);
    bool is_protect = strcmp(option, "protect") == 0;
    if (!found ||
        (is_protect && kind != SETTINGS_EMBEDDING && kind != SETTINGS_NORM && kind != SETTINGS_HEAD))
        return status_fail(error, STATUS_ARGUMENT, "--%s: expected %s, found \"%s\"", option,
                           is_protect ? "embed, norm or lm_head"
                                      : "q, k, v, o, gate, up, down, embed, norm or lm_head",
                           copy);
    if (settings->kinds[kind].is_set)
        return status_fail(error, STATUS_ARGUMENT, "--%s: %s has got a weight of its own already", option,
                           copy);
    settings->kinds[kind] = (SettingsOwn){true, alpha};
    return STATUS_OK;
}

/* "q=0.3,k=0.5" */
static Status read_kinds(const char *text, Settings *settings, Error *error) {
    const char *at = text;
    do {
        const char *name = at;
        size_t bytes = strcspn(name, "=");
        double alpha;
        at = name + bytes + (name[bytes] == '=');
        if (name[bytes] == '\0' || !read_alpha(&at, ',', &alpha))
            return status_fail(error, STATUS_ARGUMENT,
                               "--alpha-kind: expected KIND=A with A from 0 to 1, such as q=0.3,k=0.5, found "
                               "\"%s\"",
                               text);
        Status status = set_kind(settings, "alpha-kind", name, bytes, alpha, error);
        if (status != STATUS_OK) return status;
    } while (*at != '\0');
    return STATUS_OK;
}

/* "embed,norm=sft" */
static Status read_protection(const char *text, Settings *settings, Error *error) {
    const char *side = strchr(text, '=');
    bool is_sft = side != NULL && strcmp(side, "=sft") == 0;
    if (!is_sft && (side == NULL || strcmp(side, "=base") != 0))
        return status_fail(
            error, STATUS_ARGUMENT,
            "--protect: expected kinds and =sft or =base, such as embed,norm=sft, found \"%s\"", text);
    for (const char *name = text;;) {
        size_t bytes = strcspn(name, ",=");
        Status status = set_kind(settings, "protect", name, bytes, is_sft ? 1.0 : 0.0, error);
        if (status != STATUS_OK || name + bytes == side) return status;
        name += bytes + 1;
    }
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
    const char *text;
    size_t at = 0;
    while (status == STATUS_OK && (text = options_next(options, OPTION_ALPHA_KIND, &at)) != NULL)
        status = read_kinds(text, settings, error);
    at = 0;
    while (status == STATUS_OK && (text = options_next(options, OPTION_PROTECT, &at)) != NULL)
        status = read_protection(text, settings, error);
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
