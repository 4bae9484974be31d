#include "core/checkpoint/config_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static Status refuse(const ConfigReader *reader, const char *key, const char *expected, Error *error) {
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be %s", reader->origin, key, expected);
}

static Status read_size(const ConfigReader *reader, const char *key, uint64_t *value, Error *error) {
    const char *from;
    return config_read_size(reader, key, 0, value, &from, error);
}

static bool is_auto(const cJSON *item) {
    return cJSON_IsString(item) && strcmp(item->valuestring, "auto") == 0;
}

/* ---- sizes ---- */

/* Stated, or so many times the stream's. A class without such a field takes null for no number. */
static Status read_width(const ConfigReader *reader, const ModelConfig *config, uint64_t *width,
                         Error *error) {
    const StateRule *rule = config->architecture->state;
    uint64_t expand = 0;
    ConfigEntry field;
    if (rule->width_key != NULL) {
        const cJSON *stated = config_find_stated(reader, rule->width_key);
        bool may_be_null = config_class_find_entry(reader->class, CONFIG_FIELD, rule->width_key, &field);
        if (config_find(reader, rule->width_key) != NULL || (stated != NULL && !may_be_null))
            return read_size(reader, rule->width_key, width, error);
    }
    Status status = read_size(reader, rule->expand_key, &expand, error);
    if (status != STATUS_OK) return status;
    *width = expand * config->hidden_size;
    return *width <= CONFIG_LARGEST_SIZE ? STATUS_OK
                                         : refuse(reader, rule->expand_key, "a smaller count", error);
}

/* Mamba-2: heads, which are what the width is cut into, or what makes it. */
static Status read_heads(const ConfigReader *reader, const ModelConfig *config, RecurrentSizes *sizes,
                         Error *error) {
    const StateRule *rule = config->architecture->state;
    uint64_t width = 0;
    sizes->key_heads = 1;
    Status status = read_size(reader, rule->heads_key, &sizes->value_heads, error);
    if (status == STATUS_OK && rule->groups_key != NULL)
        status = read_size(reader, rule->groups_key, &sizes->key_heads, error);
    if (status == STATUS_OK && rule->expand_key != NULL) status = read_width(reader, config, &width, error);
    if (status != STATUS_OK) return status;
    sizes->value_dim = width / sizes->value_heads;
    ConfigEntry field;
    bool is_derived = rule->head_dim_key == NULL || is_auto(config_find(reader, rule->head_dim_key)) ||
                      (config_find_stated(reader, rule->head_dim_key) == NULL &&
                       !config_class_find_entry(reader->class, CONFIG_FIELD, rule->head_dim_key, &field));
    if (!is_derived) status = read_size(reader, rule->head_dim_key, &sizes->value_dim, error);
    if (status != STATUS_OK) return status;
    if (rule->expand_key == NULL) width = sizes->value_heads * sizes->value_dim; /* each below 2³⁰ */
    if (sizes->value_dim == 0 || sizes->value_heads > width || sizes->value_dim > width ||
        sizes->value_heads * sizes->value_dim != width)
        return refuse(reader, rule->heads_key, "heads that fill the mixer's width", error);
    return sizes->value_heads % sizes->key_heads == 0
               ? STATUS_OK
               : refuse(reader, rule->heads_key, "a multiple of the groups", error);
}

/* Mamba-1: each channel by itself, whose steps come of a few numbers. */
static Status read_channels(const ConfigReader *reader, const ModelConfig *config, RecurrentSizes *sizes,
                            Error *error) {
    const StateRule *rule = config->architecture->state;
    sizes->key_heads = 1;
    sizes->value_dim = 1;
    sizes->rank = (config->hidden_size + 15) / 16;
    Status status = read_width(reader, config, &sizes->value_heads, error);
    if (status != STATUS_OK || is_auto(config_find(reader, rule->rank_key))) return status;
    return read_size(reader, rule->rank_key, &sizes->rank, error);
}

/* ---- switches ---- */

/* A number as transformers 5 writes those that JSON has none for: {"__float__": "Infinity"}. */
static bool read_limit(const cJSON *item, double *value) {
    const cJSON *text = json_find_any(item, "__float__");
    if (cJSON_IsNumber(item)) *value = item->valuedouble;
    if (cJSON_IsNumber(item)) return !isnan(*value);
    if (!cJSON_IsString(text) || strcmp(text->valuestring, "Infinity") != 0) return false;
    *value = INFINITY;
    return true;
}

static Status read_limits(const ConfigReader *reader, const StateRule *rule, StateSwitches *state,
                          Error *error) {
    state->least_step = 0.0;
    state->most_step = INFINITY;
    if (rule->least_key != NULL) state->least_step = config_number(reader, rule->least_key, 0.001);
    if (!isfinite(state->least_step)) return refuse(reader, rule->least_key, "a finite number", error);
    const cJSON *limits = rule->limits_key != NULL ? config_find_stated(reader, rule->limits_key) : NULL;
    if (limits == NULL) return STATUS_OK;
    bool are_two = cJSON_IsArray(limits) && cJSON_GetArraySize(limits) == 2;
    if (are_two && read_limit(cJSON_GetArrayItem(limits, 0), &state->least_step) &&
        read_limit(cJSON_GetArrayItem(limits, 1), &state->most_step) && state->least_step <= state->most_step)
        return STATUS_OK;
    return refuse(reader, rule->limits_key, "the least and the largest step", error);
}

/* Five factors, of gates, inputs, what is written, what is read, steps; null: 1 each. */
static Status read_scales(const ConfigReader *reader, const StateRule *rule, StateSwitches *state,
                          Error *error) {
    static const char EXPECTED[] = "a finite number";
    for (size_t i = 0; i < 5; i++) state->scales[i] = 1.0;
    state->in_scale = rule->in_key != NULL ? config_number(reader, rule->in_key, 1.0) : 1.0;
    state->out_scale = rule->out_key != NULL ? config_number(reader, rule->out_key, 1.0) : 1.0;
    if (!isfinite(state->in_scale)) return refuse(reader, rule->in_key, EXPECTED, error);
    if (!isfinite(state->out_scale)) return refuse(reader, rule->out_key, EXPECTED, error);
    const cJSON *scales = rule->scales_key != NULL ? config_find(reader, rule->scales_key) : NULL;
    if (scales == NULL) return STATUS_OK;
    bool are_five = cJSON_GetArraySize(scales) == 5;
    for (int i = 0; i < 5 && are_five; i++) {
        const cJSON *item = cJSON_GetArrayItem(scales, i);
        are_five = cJSON_IsNumber(item) && isfinite(item->valuedouble);
        if (are_five) state->scales[i] = item->valuedouble;
    }
    return are_five ? STATUS_OK : refuse(reader, rule->scales_key, "five finite numbers", error);
}

static Status read_switches(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const StateRule *rule = config->architecture->state;
    StateSwitches *state = &config->state;
    const char *first = rule->norm_first_key, *epsilon = rule->step_epsilon_key;
    state->norm_is_first = first != NULL && config_bool(reader, first);
    state->norms_steps = epsilon != NULL;
    state->step_epsilon = epsilon != NULL ? config_number(reader, epsilon, 1e-6) : 0.0;
    if (!(state->step_epsilon >= 0.0 && state->step_epsilon <= 1e6))
        return refuse(reader, epsilon, "positive", error);
    const char *activation = rule->activation_key != NULL ? rule->activation_key : "hidden_act";
    state->norm_epsilon = rule->norm_epsilon;
    Status status = STATUS_OK;
    state->activation = ACTIVATION_SILU;
    if (!rule->is_silu) status = config_read_activation(reader, activation, &state->activation, error);
    if (status == STATUS_OK) status = read_limits(reader, rule, state, error);
    return status == STATUS_OK ? read_scales(reader, rule, state, error) : status;
}

Status config_read_state(const ConfigReader *reader, ModelConfig *config, Error *error) {
    enum { LARGEST_STATE = 1 << 16 };
    const StateRule *rule = config->architecture->state;
    RecurrentSizes *sizes = &config->recurrent;
    Status status = read_size(reader, rule->size_key, &sizes->key_dim, error);
    if (status == STATUS_OK)
        status = rule->heads_key != NULL ? read_heads(reader, config, sizes, error)
                                         : read_channels(reader, config, sizes, error);
    if (status != STATUS_OK) return status;
    if (rule->heads_key == NULL && sizes->key_dim > SELECTIVE_MOST_STATE)
        return refuse(reader, rule->size_key, "at most 1024", error);
    if (sizes->key_dim > LARGEST_STATE || sizes->key_heads > CONFIG_LARGEST_SIZE / LARGEST_STATE / 4 ||
        sizes->value_heads * sizes->value_dim > CONFIG_LARGEST_SIZE / 4 || sizes->rank > LARGEST_STATE)
        return status_fail(error, STATUS_FORMAT, "%s: a state space: expected at most %d channels",
                           reader->origin, CONFIG_LARGEST_SIZE);
    return read_switches(reader, config, error);
}

/* ---- tensors ---- */

void config_need_state(const ConfigReader *reader, const ModelConfig *config, LayerPlan *plan) {
    const StateRule *rule = config->architecture->state;
    bool is_selective = plan->mixer == MIXER_SELECTIVE;
    bool has_norm = rule->has_norm || (rule->norm_key != NULL && config_bool(reader, rule->norm_key));
    const struct {
        TensorPart part;
        bool is_needed;
    } parts[] = {
        {TENSOR_PART_STATE_IN, true},
        {TENSOR_PART_STATE_IN_BIAS, config_rule(reader, rule->in_bias)},
        {TENSOR_PART_STATE_CONVOLUTION, true},
        {TENSOR_PART_STATE_CONVOLUTION_BIAS, config_rule(reader, rule->convolution_bias)},
        {TENSOR_PART_STATE_SMALL, is_selective},
        {TENSOR_PART_STATE_STEP, is_selective},
        {TENSOR_PART_STATE_STEP_BIAS, true},
        {TENSOR_PART_STATE_DECAY, true},
        {TENSOR_PART_STATE_SKIP, true},
        {TENSOR_PART_STATE_NORM, has_norm},
        {TENSOR_PART_STATE_STEP_NORM, rule->step_norms_have_weights},
        {TENSOR_PART_STATE_WRITE_NORM, rule->step_norms_have_weights},
        {TENSOR_PART_STATE_READ_NORM, rule->step_norms_have_weights},
        {TENSOR_PART_STATE_OUT, true},
        {TENSOR_PART_STATE_OUT_BIAS, config_rule(reader, rule->out_bias)},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        part_set_add(&plan->parts, parts[i].part, parts[i].is_needed);
}
