#include "core/checkpoint/config_internal.h"

static void need(LayerPlan *plan, TensorRole role, bool is_needed) {
    if (is_needed) plan->roles |= UINT64_C(1) << role;
}

void config_need_norms(const ModelConfig *config, LayerPlan *plan) {
    NormPlaces places = architecture_norms(config, plan);
    bool has_mlp = plan->mlp != MLP_NONE;
    if (config->norm_is_bare) return; /* nothing of them is stored: forward.c still norms */
    need(plan, TENSOR_ATTENTION_NORM, places != NORMS_BEHIND);
    need(plan, TENSOR_MLP_NORM, has_mlp && (places == NORMS_BEFORE || places == NORMS_AROUND));
    need(plan, TENSOR_POST_ATTENTION_NORM, places == NORMS_AROUND || places == NORMS_BEHIND);
    need(plan, TENSOR_POST_MLP_NORM, places == NORMS_AROUND || places == NORMS_BEHIND);
}

Status config_read_norm(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    const char *key = architecture->epsilon_key != NULL ? architecture->epsilon_key : "rms_norm_eps";
    config->norm_epsilon = architecture->epsilon;
    config->layer_epsilon = architecture->layer_epsilon;
    bool is_null = config_find(reader, key) == NULL && cJSON_IsNumber(json_find(reader->defaults, key));
    if (architecture->epsilon == 0.0 && is_null)
        return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a number", reader->origin, key);
    if (architecture->epsilon == 0.0) {
        config->norm_epsilon = config_number(reader, key, 1e-6);
        if (config_find_stated(reader, key) != NULL) config->from[CONFIG_EPSILON] = key;
    }
    double range = config_number(reader, "initializer_range", 0.0);
    if (architecture->checks_range && !(range >= 0.0 && range <= 1.0))
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected \"initializer_range\" to be from 0 to 1, found %g", reader->origin,
                           range);
    if (config->norm_epsilon >= 0 && config->norm_epsilon <= 1e6) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be positive", reader->origin, key);
}
