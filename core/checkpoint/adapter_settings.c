#include "core/checkpoint/adapter_settings.h"

#include "core/checkpoint/adapter_pattern.h"
#include "core/checkpoint/directory_form.h"
#include "core/support/memory.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- refusing ---- */

Status adapter_settings_refuse(const char *directory, AdapterFormat format, Error *error,
                               const char *text_format, ...) {
    char text[ERROR_MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, text_format);
    (void)vsnprintf(text, sizeof text, text_format, arguments); /* cut where it is too long */
    va_end(arguments);
    char *command = directory_form_merge(directory, format == ADAPTER_MLX);
    if (command == NULL) return memory_fail(error, directory);
    Status status = status_fail(error, STATUS_UNSUPPORTED,
                                "%s: %s; %s makes a model of it, which can be given in its place", directory,
                                text, command);
    free(command);
    return status;
}

/* What is no weight cannot be merged into weights either. */
static Status refuse_for_good(const char *directory, Error *error, const char *kind) {
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "%s: expected an adapter of weights, found %s, which PEFT cannot merge into weights either: "
        "there is no model of it to fuse",
        directory, kind);
}

/* ---- kinds of PEFT ---- */

/* Kinds of PEFT 0.21.2 that add inputs or modules. */
static const char *const WITHOUT_WEIGHTS[] = {
    "PROMPT_TUNING", "MULTITASK_PROMPT_TUNING", "P_TUNING", "PREFIX_TUNING",
    "CPT",           "ADAPTION_PROMPT",         "POLY",     "XLORA",
    "CARTRIDGE",
};

static Status check_kind(const cJSON *config, const char *directory, Error *error) {
    const char *kind = json_get_text(config, "peft_type", NULL);
    if (kind == NULL)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected \"peft_type\" in " ADAPTER_SETTINGS_FILE ", found none", directory);
    if (strcmp(kind, "LORA") == 0) return STATUS_OK;
    for (size_t i = 0; i < sizeof WITHOUT_WEIGHTS / sizeof *WITHOUT_WEIGHTS; i++) {
        if (strcmp(kind, WITHOUT_WEIGHTS[i]) == 0)
            return refuse_for_good(directory, error, WITHOUT_WEIGHTS[i]);
    }
    return adapter_settings_refuse(directory, ADAPTER_PEFT, error,
                                   "expected an adapter of LoRA, found peft_type \"%.40s\"", kind);
}

/* How the factors began: whether base was changed for it. */
static const struct {
    const char *name, *called; /* NULL: base is as it was */
} BEGINNINGS[] = {{"gaussian", NULL}, {"eva", NULL},      {"orthogonal", NULL},
                  {"mica", NULL},     {"pissa", "PiSSA"}, {"olora", "OLoRA"},
                  {"corda", "CorDA"}, {"loftq", "LoftQ"}, {"lora_ga", "LoRA-GA"}};

static Status check_beginning(const cJSON *config, const char *directory, Error *error) {
    const char *name = json_get_text(config, "init_lora_weights", NULL);
    for (size_t i = 0; name != NULL && i < sizeof BEGINNINGS / sizeof *BEGINNINGS; i++) {
        /* "pissa_niter_16" */
        if (strncasecmp(name, BEGINNINGS[i].name, strlen(BEGINNINGS[i].name)) != 0) continue;
        if (BEGINNINGS[i].called == NULL) return STATUS_OK;
        return adapter_settings_refuse(
            directory, ADAPTER_PEFT, error,
            "init_lora_weights \"%.40s\": %s began by changing the base model, so the adapter is not to be added "
            "to BASE as it is",
            name, BEGINNINGS[i].called);
    }
    if (name == NULL) return STATUS_OK;
    return adapter_settings_refuse(
        directory, ADAPTER_PEFT, error,
        "init_lora_weights \"%.40s\" is not known: it may have changed the base model", name);
}

/* ---- each setting of PEFT ---- */

/* What is read here or elsewhere, or says nothing about values. */
static const char *const KNOWN[] = {
    "auto_mapping",
    "base_model_name_or_path",
    "bias",
    "ensure_weight_tying",
    "eva_config",
    "exclude_modules",
    "fan_in_fan_out",
    "inference_mode",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "loftq_config",
    "lora_alpha",
    "alpha_pattern",
    "lora_bias",
    "lora_dropout",
    "megatron_config",
    "megatron_core",
    "modules_to_save",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "runtime_config",
    "target_modules",
    "target_parameters",
    "task_type",
    "trainable_token_indices",
    "use_dora",
    "use_rslora",
    "corda_config",
    "lora_ga_config",
    "_custom_modules",
};

/* Variants that PEFT 0.21.2 knows by a setting of their own. */
static const struct {
    const char *key, *what;
} VARIANTS[] = {
    {"alora_invocation_tokens", "an activated LoRA, which holds from some tokens on only"},
    {"arrow_config", "Arrow, which chooses adapters by the input"},
    {"layer_replication", "layer_replication, whose model has more layers than BASE"},
    {"use_qalora", "QA-LoRA"},
    {"use_bdlora", "BD-LoRA"},
    {"velora_config", "VeLoRA"},
    {"monteclora_config", "MonteCLoRA"},
    {"kasa_config", "KaSA"},
};

/* null, false, {}, [], "" */
static bool is_off(const cJSON *item) {
    bool is_empty = (cJSON_IsArray(item) || cJSON_IsObject(item)) && item->child == NULL;
    bool is_blank = cJSON_IsString(item) && item->valuestring[0] == '\0';
    return item == NULL || cJSON_IsNull(item) || cJSON_IsFalse(item) || is_empty || is_blank;
}

static bool is_known(const char *key) {
    for (size_t i = 0; i < sizeof KNOWN / sizeof *KNOWN; i++) {
        if (strcmp(key, KNOWN[i]) == 0) return true;
    }
    return false;
}

static Status check_setting(const cJSON *item, const char *directory, FindingList *remarks, Error *error) {
    if (is_known(item->string) || is_off(item)) return STATUS_OK;
    for (size_t i = 0; i < sizeof VARIANTS / sizeof *VARIANTS; i++) {
        if (strcmp(item->string, VARIANTS[i].key) == 0)
            return adapter_settings_refuse(directory, ADAPTER_PEFT, error,
                                           "expected an adapter of LoRA, found %s", VARIANTS[i].what);
    }
    bool is_number = cJSON_IsNumber(item) || cJSON_IsString(item);
    if (!is_number)
        return adapter_settings_refuse(
            directory, ADAPTER_PEFT, error,
            "\"%.60s\" of " ADAPTER_SETTINGS_FILE " is switched on, and is not known", item->string);
    return finding_add(remarks, SEVERITY_WARNING, ADAPTER_SETTINGS_FILE, error,
                       "%s: \"%.60s\" is not known, and not heeded", directory, item->string);
}

/* Maps from patterns to numbers, which PEFT reads as that or not at all. */
static Status check_patterns(const cJSON *config, const char *directory, Error *error) {
    static const char *const KEYS[] = {"alpha_pattern", "rank_pattern"};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        const cJSON *map = json_find(config, KEYS[i]);
        if (map != NULL && !cJSON_IsObject(map))
            return status_fail(error, STATUS_FORMAT,
                               "%s: expected an object \"%s\" in " ADAPTER_SETTINGS_FILE, directory, KEYS[i]);
    }
    return STATUS_OK;
}

static Status check_number(const cJSON *config, const char *key, const char *directory, double *value,
                           Error *error) {
    const cJSON *item = json_find(config, key);
    *value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (isfinite(*value)) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected a number \"%s\" in " ADAPTER_SETTINGS_FILE,
                       directory, key);
}

static Status read_peft(AdapterSettings *settings, const char *directory, Error *error) {
    const cJSON *config = settings->config, *item;
    const char *beginning = json_get_text(config, "init_lora_weights", "");
    Status status = check_kind(config, directory, error);
    if (status == STATUS_OK) status = check_beginning(config, directory, error);
    if (status == STATUS_OK) status = check_patterns(config, directory, error);
    cJSON_ArrayForEach(item, config) {
        if (status == STATUS_OK) status = check_setting(item, directory, &settings->remarks, error);
    }
    if (status == STATUS_OK) status = check_number(config, "lora_alpha", directory, &settings->alpha, error);
    settings->is_dora = json_get_bool(config, "use_dora", false);
    settings->is_fan_in_fan_out = json_get_bool(config, "fan_in_fan_out", false);
    settings->divides_by_root = json_get_bool(config, "use_rslora", false);
    settings->rounds_product = strncasecmp(beginning, "mica", 4) == 0;
    settings->base_model = json_get_text(config, "base_model_name_or_path", "");
    return status;
}

/* ---- MLX ---- */

static Status read_mlx(AdapterSettings *settings, const char *directory, Error *error) {
    const cJSON *config = settings->config;
    const char *kind = json_get_text(config, "fine_tune_type", "lora");
    settings->is_full = strcmp(kind, "full") == 0;
    settings->is_dora = strcmp(kind, "dora") == 0;
    settings->rounds_product = settings->scales_left = true;
    settings->base_model = json_get_text(config, "model", "");
    if (settings->is_full) return STATUS_OK;
    if (!settings->is_dora && strcmp(kind, "lora") != 0)
        return adapter_settings_refuse(directory, ADAPTER_MLX, error,
                                       "expected fine_tune_type lora, dora or full, found \"%.40s\"", kind);
    const cJSON *parameters = json_find(config, "lora_parameters");
    if (!cJSON_IsObject(parameters))
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected an object \"lora_parameters\" in " ADAPTER_SETTINGS_FILE, directory);
    return check_number(parameters, "scale", directory, &settings->scale, error);
}

/* ---- all of it ---- */

Status adapter_settings_read(const char *text, size_t bytes, const char *path, const char *directory,
                             AdapterFormat format, AdapterSettings *settings, Error *error) {
    *settings = (AdapterSettings){.format = format, .base_model = ""};
    Status status = json_parse(text, bytes, path, &settings->config, error);
    if (status != STATUS_OK) return status;
    if (!cJSON_IsObject(settings->config))
        return status_fail(error, STATUS_FORMAT, "%s: expected a JSON object", path);
    return format == ADAPTER_MLX ? read_mlx(settings, directory, error)
                                 : read_peft(settings, directory, error);
}

void adapter_settings_free(AdapterSettings *settings) {
    cJSON_Delete(settings->config);
    finding_free(&settings->remarks);
    *settings = (AdapterSettings){0};
}

/* The first pattern that fits, in the order of the file. */
static Status find_alpha(const AdapterSettings *settings, const char *module, double *alpha, Error *error) {
    const cJSON *item;
    *alpha = settings->alpha;
    cJSON_ArrayForEach(item, json_find(settings->config, "alpha_pattern")) {
        bool fits;
        Status status = adapter_pattern_matches(item->string, module, &fits, error);
        if (status != STATUS_OK) return status;
        if (!fits) continue;
        if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
            return status_fail(error, STATUS_FORMAT, "alpha_pattern \"%.60s\": expected a number",
                               item->string);
        *alpha = item->valuedouble;
        return STATUS_OK;
    }
    return STATUS_OK;
}

Status adapter_settings_scale(const AdapterSettings *settings, const char *module, uint64_t rank,
                              float *scale, Error *error) {
    double alpha = 0.0, divisor = settings->divides_by_root ? sqrt((double)rank) : (double)rank;
    bool is_peft = settings->format == ADAPTER_PEFT;
    Status status = is_peft ? find_alpha(settings, module, &alpha, error) : STATUS_OK;
    if (status != STATUS_OK) return status;
    double exact = is_peft ? alpha / divisor : settings->scale;
    *scale = fabs(exact) <= (double)FLT_MAX ? (float)exact : INFINITY;
    return isfinite(*scale) ? STATUS_OK
                            : status_fail(error, STATUS_FORMAT, "adapter_config.json: %.120s is scaled by %g",
                                          module, exact);
}

static bool ends_with(const char *name, const char *ending) {
    size_t length = strlen(name), tail = strlen(ending);
    return tail <= length && strcmp(name + length - tail, ending) == 0 &&
           (tail == length || name[length - tail - 1] == '.');
}

bool adapter_settings_targets_parameter(const AdapterSettings *settings, const char *name) {
    const cJSON *item;
    cJSON_ArrayForEach(item, json_find(settings->config, "target_parameters")) {
        if (cJSON_IsString(item) && ends_with(name, item->valuestring)) return true;
    }
    return false;
}

const cJSON *adapter_settings_tokens(const AdapterSettings *settings, const char *module) {
    const cJSON *tokens = json_find(settings->config, "trainable_token_indices"), *item;
    if (cJSON_IsArray(tokens)) return tokens;
    cJSON_ArrayForEach(item, tokens) {
        if (item->string != NULL && cJSON_IsArray(item) && ends_with(module, item->string)) return item;
    }
    return NULL;
}

const char *adapter_settings_kind(const AdapterSettings *settings) {
    if (settings->is_full) return "full";
    if (settings->is_dora) return "DoRA";
    return settings->divides_by_root ? "rsLoRA" : "LoRA";
}
