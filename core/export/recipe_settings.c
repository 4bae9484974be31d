#include "core/export/recipe_settings.h"

#include "core/export/recipe_json.h"
#include "core/files/json.h"
#include "core/fusion/reset_set.h"
#include "core/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

static bool add_kinds(cJSON *object, const Settings *settings) {
    cJSON *kinds = NULL;
    for (int i = 0; i < SETTINGS_KIND_COUNT; i++) {
        if (!settings->kinds[i].is_set) continue;
        if (kinds == NULL) kinds = recipe_json_add(object, "module_alpha", cJSON_CreateObject());
        if (kinds == NULL || !json_add(kinds, settings_kind_name((SettingsKind)i),
                                       recipe_json_number(settings->kinds[i].alpha)))
            return false;
    }
    return true;
}

static bool add_curve(cJSON *object, const SettingsCurve *curve) {
    if (curve == NULL) return true;
    cJSON *list = recipe_json_add(object, "layer_alpha", cJSON_CreateArray());
    bool added = list != NULL;
    for (size_t i = 0; i < curve->count && added; i++)
        added = recipe_json_add(list, NULL, recipe_json_number(curve->alpha[i])) != NULL;
    return added;
}

/* A module without neurons is not named. */
static bool add_modules(cJSON *object, const char *key, const uint64_t counts[NEURON_MODULE_COUNT]) {
    cJSON *modules = recipe_json_add(object, key, cJSON_CreateObject());
    bool added = modules != NULL;
    for (int i = 0; i < NEURON_MODULE_COUNT && added; i++)
        added = counts[i] == 0 ||
                json_add_number(modules, neurons_module_name((NeuronModule)i), (double)counts[i]);
    return added;
}

/* The numbers of the layers whose bits are set. */
static bool add_layers(cJSON *object, const NeuronTable *table, const uint64_t *bits) {
    cJSON *layers = recipe_json_add(object, "layers", cJSON_CreateArray());
    bool added = layers != NULL;
    for (uint64_t layer = 0; layer < table->layers && added; layer++)
        added = (bits[layer / 64] >> layer % 64 & 1) == 0 ||
                recipe_json_add(layers, NULL, recipe_json_count(layer)) != NULL;
    return added;
}

static bool add_experts(cJSON *object, const NeuronTable *table) {
    const NeuronExperts *experts = &table->experts;
    if (experts->count == 0) return true;
    cJSON *made = recipe_json_add(object, "experts", cJSON_CreateObject());
    return made != NULL && json_add_number(made, "count", (double)experts->count) &&
           add_modules(made, "modules", experts->counts) && add_modules(made, "shared", experts->shared) &&
           (!experts->is_transposed || json_add_bool(made, "transposed", true)) &&
           add_layers(made, table, experts->layers);
}

/* Layers of other numbers than "modules" says. */
static bool add_layer_kinds(cJSON *object, const NeuronTable *table) {
    if (table->kind_count == 0) return true;
    cJSON *list = recipe_json_add(object, "kinds", cJSON_CreateArray());
    bool added = list != NULL;
    for (size_t i = 0; i < table->kind_count && added; i++) {
        cJSON *made = recipe_json_add(list, NULL, cJSON_CreateObject());
        added = made != NULL && add_modules(made, "modules", table->kinds[i].counts) &&
                add_layers(made, table, table->kinds[i].layers);
    }
    return added;
}

static bool add_table(cJSON *object, const NeuronTable *table) {
    return json_add_number(object, "layers", (double)table->layers) &&
           add_modules(object, "modules", table->counts) &&
           (!table->is_transposed || json_add_bool(object, "transposed", true)) &&
           add_layer_kinds(object, table) && add_experts(object, table);
}

static bool add_origin(cJSON *object, const RankingOrigin *origin) {
    return json_add_text(object, "selector", ranking_selector_name(origin->selector)) &&
           (origin->targets == 0 || json_add(object, "targets", recipe_json_count(origin->targets))) &&
           (origin->selector != SELECTOR_RANDOM ||
            json_add(object, "seed", recipe_json_count(origin->seed))) &&
           (origin->calibration_sha256[0] == '\0' ||
            json_add_text(object, "calibration_sha256", origin->calibration_sha256));
}

/* The set is written out, so that the bytes can be made again without the ranking. */
static bool add_reset(cJSON *object, const Settings *settings) {
    uint32_t cut = settings_cut(settings);
    if (cut == 0) return true;
    cJSON *reset = recipe_json_add(object, "reset", cJSON_CreateObject());
    return reset != NULL && json_add(reset, "rho", recipe_json_number(settings->rho)) &&
           json_add(reset, "omega", recipe_json_number(settings->omega)) &&
           add_origin(reset, &settings->ranking->origin) && add_table(reset, &settings->ranking->table) &&
           reset_set_add(reset, settings->ranking, cut);
}

bool recipe_settings_add(cJSON *tree, const Settings *settings) {
    cJSON *object = recipe_json_add(tree, "settings", cJSON_CreateObject());
    return object != NULL && json_add(object, "alpha", recipe_json_number(settings->alpha)) &&
           add_kinds(object, settings) && add_curve(object, settings->curve) && add_reset(object, settings);
}

/* ---- reading ---- */

/* What is not known changes the bytes in a way that is not known. */
static Status refuse_unknown(const cJSON *object, const char *const *known, size_t count, const char *path,
                             Error *error) {
    const cJSON *item;
    if (object != NULL && !cJSON_IsObject(object))
        return status_fail(error, STATUS_FORMAT, "%s: expected a setting that is an object", path);
    cJSON_ArrayForEach(item, object) {
        bool found = false;
        for (size_t i = 0; i < count; i++) found |= strcmp(item->string, known[i]) == 0;
        if (!found)
            return status_fail(error, STATUS_UNSUPPORTED,
                               "%s: setting \"%s\" is not known to this version of rejuv (%s)", path,
                               item->string, REJUV_VERSION);
    }
    return STATUS_OK;
}

static Status read_number(const cJSON *object, const char *key, const char *path, double *value,
                          Error *error) {
    *value = json_get_number(object, key, NAN);
    return isfinite(*value) ? STATUS_OK : recipe_json_fail(error, path, key, "a finite number");
}

static Status read_share(const cJSON *object, const char *key, const char *path, double *value,
                         Error *error) {
    *value = json_get_number(object, key, NAN);
    return *value >= 0.0 && *value <= 1.0 ? STATUS_OK
                                          : recipe_json_fail(error, path, key, "a number from 0 to 1");
}

static Status read_kinds(const cJSON *object, const char *path, Settings *settings, Error *error) {
    const cJSON *kinds = json_find(object, "module_alpha"), *item;
    if (kinds == NULL) return STATUS_OK;
    if (!cJSON_IsObject(kinds)) return recipe_json_fail(error, path, "module_alpha", "an object");
    cJSON_ArrayForEach(item, kinds) {
        SettingsKind kind;
        if (!settings_find_kind(item->string, &kind))
            return status_fail(error, STATUS_UNSUPPORTED,
                               "%s: \"module_alpha\": \"%s\" is not known to this version of rejuv (%s)",
                               path, item->string, REJUV_VERSION);
        settings->kinds[kind].is_set = true;
        Status status = read_number(kinds, item->string, path, &settings->kinds[kind].alpha, error);
        if (status != STATUS_OK) return status;
    }
    return STATUS_OK;
}

/* Fills alpha[of the list's size]. */
static Status read_layers(const cJSON *list, const char *path, double *alpha, Error *error) {
    const cJSON *item;
    size_t count = 0;
    cJSON_ArrayForEach(item, list) {
        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
            return recipe_json_fail(error, path, "layer_alpha", "finite numbers");
        alpha[count++] = item->valuedouble;
    }
    return STATUS_OK;
}

static Status read_curve(const cJSON *object, const char *path, Settings *settings, SettingsCurve **curve,
                         Error *error) {
    const cJSON *list = json_find(object, "layer_alpha");
    if (list == NULL) return STATUS_OK;
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) < 1)
        return recipe_json_fail(error, path, "layer_alpha", "an array with an α for each layer");
    size_t count = (size_t)cJSON_GetArraySize(list);
    double *alpha = memory_allocate(count, sizeof *alpha);
    if (alpha == NULL) return memory_fail(error, path);
    Status status = read_layers(list, path, alpha, error);
    if (status == STATUS_OK) status = settings_curve_create(alpha, count, curve, error);
    settings->curve = *curve;
    free(alpha);
    return status;
}

/* A module that is not named has no neurons. */
static bool read_module(const cJSON *modules, NeuronModule module, uint64_t *count) {
    const cJSON *item = json_find(modules, neurons_module_name(module));
    *count = 0;
    return item == NULL || (json_read_count(item, count) && *count > 0);
}

/* Modules of another name would be passed over. */
static bool read_modules(const cJSON *object, const char *key, uint64_t counts[NEURON_MODULE_COUNT]) {
    const cJSON *modules = json_find(object, key);
    bool known = true;
    int named = 0;
    for (int i = 0; i < NEURON_MODULE_COUNT && known; i++) {
        known = read_module(modules, (NeuronModule)i, &counts[i]);
        named += counts[i] > 0;
    }
    return known && named == cJSON_GetArraySize(modules);
}

static bool read_bits(const cJSON *object, const NeuronTable *table, uint64_t *bits) {
    const cJSON *layers = json_find(object, "layers"), *item;
    cJSON_ArrayForEach(item, layers) {
        uint64_t layer;
        if (!json_read_count(item, &layer) || layer >= table->layers || layer >= MODEL_MAX_LAYERS)
            return false;
        bits[layer / 64] |= (uint64_t)1 << layer % 64;
    }
    return cJSON_IsArray(layers);
}

static Status read_layer_kinds(const cJSON *object, const char *path, NeuronTable *table, Error *error) {
    static const char *const KEYS[] = {"modules", "layers"};
    const cJSON *list = json_find(object, "kinds"), *item;
    bool known = list == NULL || (cJSON_IsArray(list) && cJSON_GetArraySize(list) <= NEURONS_MOST_KINDS);
    for (item = known && list != NULL ? list->child : NULL; item != NULL && known; item = item->next) {
        NeuronKind *kind = &table->kinds[table->kind_count++];
        Status status = refuse_unknown(item, KEYS, sizeof KEYS / sizeof *KEYS, path, error);
        if (status != STATUS_OK) return status;
        known = read_modules(item, "modules", kind->counts) && read_bits(item, table, kind->layers);
    }
    return known ? STATUS_OK
                 : recipe_json_fail(error, path, "kinds",
                                    "the neurons of each of \"modules\", and \"layers\", of each kind");
}

static Status read_table(const cJSON *object, const char *path, NeuronTable *table, Error *error) {
    static const char *const KEYS[] = {"count", "modules", "shared", "transposed", "layers"};
    const cJSON *experts = json_find(object, "experts");
    NeuronExperts *into = &table->experts;
    if (!json_read_count(json_find(object, "layers"), &table->layers) ||
        !read_modules(object, "modules", table->counts))
        return recipe_json_fail(error, path, "modules", "\"layers\", and the neurons of each module");
    table->is_transposed = json_get_bool(object, "transposed", false);
    Status status = read_layer_kinds(object, path, table, error);
    if (status != STATUS_OK || experts == NULL) return status;
    status = refuse_unknown(experts, KEYS, sizeof KEYS / sizeof *KEYS, path, error);
    if (status != STATUS_OK) return status;
    into->is_transposed = json_get_bool(experts, "transposed", false);
    bool known = json_read_count(json_find(experts, "count"), &into->count) && into->count > 0 &&
                 read_modules(experts, "modules", into->counts) &&
                 read_modules(experts, "shared", into->shared) && read_bits(experts, table, into->layers);
    return known ? STATUS_OK
                 : recipe_json_fail(error, path, "experts",
                                    "\"count\", the neurons of each of an expert's \"modules\" and of the "
                                    "\"shared\" one's, and \"layers\"");
}

static Status read_origin(const cJSON *object, const char *path, RankingOrigin *origin, Error *error) {
    const cJSON *targets = json_find(object, "targets"), *seed = json_find(object, "seed");
    const char *sum = json_get_text(object, "calibration_sha256", NULL);
    if (!ranking_find_selector(json_get_text(object, "selector", ""), &origin->selector))
        return recipe_json_fail(error, path, "selector", "a selector of this version of rejuv");
    if (targets != NULL && !json_read_count(targets, &origin->targets))
        return recipe_json_fail(error, path, "targets", "a whole number");
    if (seed != NULL && !json_read_count(seed, &origin->seed))
        return recipe_json_fail(error, path, "seed", "a whole number below 2^53");
    if (json_find(object, "calibration_sha256") != NULL) {
        if (!hash_is_hex(sum))
            return recipe_json_fail(error, path, "calibration_sha256", "64 hexadecimal digits");
        memcpy(origin->calibration_sha256, sum, HASH_HEX_SIZE);
    }
    return STATUS_OK;
}

static Status read_reset(const cJSON *object, const char *path, Settings *settings, Ranking **ranking,
                         Error *error) {
    static const char *const KEYS[] = {
        "rho",        "omega",   "selector", "targets",    "seed",     "calibration_sha256",
        "layers",     "modules", "neurons",  "per_target", "selected", "set",
        "transposed", "experts", "kinds"};
    const cJSON *reset = json_find(object, "reset");
    NeuronTable table = {0};
    RankingOrigin origin = {0};
    if (reset == NULL) return STATUS_OK;
    if (!cJSON_IsObject(reset)) return recipe_json_fail(error, path, "reset", "an object");
    Status status = refuse_unknown(reset, KEYS, sizeof KEYS / sizeof *KEYS, path, error);
    if (status == STATUS_OK) status = read_share(reset, "rho", path, &settings->rho, error);
    if (status == STATUS_OK) status = read_share(reset, "omega", path, &settings->omega, error);
    if (status == STATUS_OK) status = read_origin(reset, path, &origin, error);
    if (status == STATUS_OK) status = read_table(reset, path, &table, error);
    if (status == STATUS_OK) status = reset_set_read(reset, path, &table, &origin, ranking, error);
    if (status != STATUS_OK) return status;
    settings->ranking = *ranking;
    if (settings_cut(settings) > 0) return STATUS_OK;
    return recipe_json_fail(error, path, "rho", "one that selects neurons, for \"set\" lists some");
}

Status recipe_settings_read(const cJSON *tree, const char *path, Settings *settings, Ranking **ranking,
                            SettingsCurve **curve, Error *error) {
    static const char *const KEYS[] = {"alpha", "module_alpha", "layer_alpha", "reset"};
    const cJSON *object = json_find(tree, "settings");
    if (!cJSON_IsObject(object)) return recipe_json_fail(error, path, "settings", "an object");
    Status status = refuse_unknown(object, KEYS, sizeof KEYS / sizeof *KEYS, path, error);
    if (status == STATUS_OK) status = read_number(object, "alpha", path, &settings->alpha, error);
    if (status == STATUS_OK) status = read_kinds(object, path, settings, error);
    if (status == STATUS_OK) status = read_curve(object, path, settings, curve, error);
    return status == STATUS_OK ? read_reset(object, path, settings, ranking, error) : status;
}
