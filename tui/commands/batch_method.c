#include "tui/commands/batch_method.h"

#include "core/files/json.h"
#include "core/support/memory.h"
#include "tui/commands/dial_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Status batch_method_read(Batch *batch, BatchMethod *method, Error *error) {
    Dials state;
    Status status = dial_options_read(batch->options, batch->pair, &state, &method->curve, error);
    if (status != STATUS_OK) return status;
    method->settings = state.settings;
    method->selector = state.selector;
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

static bool add_layers(cJSON *object, const SettingsCurve *curve) {
    if (curve == NULL) return true;
    cJSON *list = cJSON_AddArrayToObject(object, "layer_alpha");
    bool complete = list != NULL;
    for (size_t i = 0; i < curve->count && complete; i++) {
        cJSON *item = json_new_number(curve->alpha[i]);
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

bool batch_method_add_json(cJSON *object, const Settings *settings, bool is_sweep) {
    cJSON *method = cJSON_AddObjectToObject(object, "dials");
    return method != NULL &&
           (is_sweep || (json_add_number(method, "alpha", settings->alpha) &&
                         json_add_number(method, "rho", settings->ranking != NULL ? settings->rho : 0.0))) &&
           add_ranking(method, settings, is_sweep) && add_kinds(method, settings) &&
           add_layers(method, settings->curve);
}

void batch_method_describe_reset(const Settings *settings, char *text, size_t size) {
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
