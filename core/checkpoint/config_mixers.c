#include "core/checkpoint/config_internal.h"

#include <inttypes.h>
#include <string.h>

/* The most inputs that an output of a causal convolution is made of: those of known models have 3 or 4. */
enum { MOST_TAPS = 64 };

static Status read_delta(const ConfigReader *reader, RecurrentSizes *sizes, Error *error) {
    enum { MOST_DIM = 1 << 16 };
    const struct {
        const char *key;
        uint64_t *value;
    } keys[] = {{"linear_num_key_heads", &sizes->key_heads},
                {"linear_key_head_dim", &sizes->key_dim},
                {"linear_num_value_heads", &sizes->value_heads},
                {"linear_value_head_dim", &sizes->value_dim}};
    const char *from;
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && status == STATUS_OK; i++)
        status = config_read_size(reader, keys[i].key, 0, keys[i].value, &from, error);
    if (status != STATUS_OK) return status;
    if (sizes->value_heads % sizes->key_heads != 0)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected linear_num_value_heads (%" PRIu64
                           ") to be a multiple of linear_num_key_heads (%" PRIu64 ")",
                           reader->origin, sizes->value_heads, sizes->key_heads);
    if (sizes->key_dim > MOST_DIM || sizes->key_heads * sizes->key_dim > CONFIG_LARGEST_SIZE / 4 ||
        sizes->value_heads * sizes->value_dim > CONFIG_LARGEST_SIZE / 4)
        return status_fail(error, STATUS_FORMAT, "%s: linear attention: expected at most %d channels",
                           reader->origin, CONFIG_LARGEST_SIZE);
    return STATUS_OK;
}

static Status read_sizes(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    const char *from;
    Status status =
        config_read_size(reader, architecture->taps_key, 0, &config->recurrent.taps, &from, error);
    if (status == STATUS_OK && config->recurrent.taps > MOST_TAPS)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: expected \"%s\" to be at most %d", reader->origin,
                           architecture->taps_key, MOST_TAPS);
    if (status == STATUS_OK && architecture->mixer == MIXER_DELTA)
        status = read_delta(reader, &config->recurrent, error);
    return status;
}

/* "layer_types", which has as many names as there are layers. */
static Status read_types(const ConfigReader *reader, const ModelConfig *config, const cJSON *types,
                         bool *has_mixer, Error *error) {
    static const char ATTENTION[] = "full_attention";
    const char *mixer = config->architecture->mixer_type;
    uint64_t layer = 0;
    const cJSON *type;
    cJSON_ArrayForEach(type, types) {
        const char *name = cJSON_IsString(type) ? type->valuestring : "?";
        bool is_mixer = strcmp(name, mixer) == 0;
        if (!is_mixer && strcmp(name, ATTENTION) != 0)
            return status_fail(error, STATUS_UNSUPPORTED, "%s: layer type \"%.60s\" is not known",
                               reader->origin, name);
        if (layer < config->layers) has_mixer[layer] = is_mixer;
        layer++;
    }
    return layer == config->layers
               ? STATUS_OK
               : status_fail(error, STATUS_FORMAT, "%s: expected %" PRIu64 " layer_types, found %" PRIu64,
                             reader->origin, config->layers, layer);
}

/* Numbers of the layers that have attention; null: all of them. Numbers of no layer are no matter. */
static void read_list(const ConfigReader *reader, const ModelConfig *config, bool *has_mixer) {
    const cJSON *list = config_find(reader, config->architecture->attention_list), *item;
    for (uint64_t layer = 0; layer < config->layers; layer++) has_mixer[layer] = list != NULL;
    cJSON_ArrayForEach(item, list) {
        uint64_t layer;
        if (json_read_count(item, &layer) && layer < config->layers) has_mixer[layer] = false;
    }
}

/* Every so-manieth layer has attention. */
static Status read_interval(const ConfigReader *reader, const ModelConfig *config, bool *has_mixer,
                            Error *error) {
    const Architecture *architecture = config->architecture;
    const cJSON *stated = json_find_any(reader->json, architecture->interval_key);
    uint64_t interval = architecture->interval;
    if (stated != NULL && (!json_read_count(stated, &interval) || interval == 0))
        return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a count from 1", reader->origin,
                           architecture->interval_key);
    for (uint64_t layer = 0; layer < config->layers; layer++) has_mixer[layer] = (layer + 1) % interval != 0;
    return STATUS_OK;
}

Status config_read_mixers(const ConfigReader *reader, ModelConfig *config, bool *has_mixer, Error *error) {
    if (config->architecture->mixer == MIXER_ATTENTION) return STATUS_OK;
    const cJSON *types = config_find(reader, "layer_types");
    Status status = read_sizes(reader, config, error);
    if (status != STATUS_OK) return status;
    if (types != NULL) return read_types(reader, config, types, has_mixer, error);
    if (config->architecture->interval > 0) return read_interval(reader, config, has_mixer, error);
    if (config->architecture->attention_list == NULL)
        return status_fail(error, STATUS_FORMAT, "%s: expected \"layer_types\", found nothing",
                           reader->origin);
    read_list(reader, config, has_mixer);
    return STATUS_OK;
}

static void need(LayerPlan *plan, TensorPart part, bool is_needed) {
    if (is_needed) plan->parts |= UINT64_C(1) << part;
}

void config_set_mixer(const ConfigReader *reader, const ModelConfig *config, LayerPlan *plan) {
    static const TensorRole ATTENTION[] = {TENSOR_Q,      TENSOR_K,      TENSOR_V,        TENSOR_QKV,
                                           TENSOR_O,      TENSOR_Q_BIAS, TENSOR_K_BIAS,   TENSOR_V_BIAS,
                                           TENSOR_O_BIAS, TENSOR_Q_NORM, TENSOR_QKV_BIAS, TENSOR_K_NORM};
    bool has_bias = config_rule(reader, config->architecture->mixer_bias);
    for (size_t i = 0; i < sizeof ATTENTION / sizeof *ATTENTION; i++)
        plan->roles &= ~(UINT64_C(1) << ATTENTION[i]);
    plan->mixer = config->architecture->mixer;
    plan->heads = plan->kv_heads = plan->head_dim = plan->value_dim = 0;
    plan->window = 0;
    plan->rope = -1;
    bool is_delta = plan->mixer == MIXER_DELTA, is_fused = config->architecture->delta_is_fused;
    for (int part = TENSOR_PART_DELTA_IN; part <= TENSOR_PART_DELTA_OUT; part++)
        need(plan, (TensorPart)part, is_delta && (part > TENSOR_PART_DELTA_STEP || !is_fused));
    need(plan, TENSOR_PART_DELTA_FUSED, is_delta && is_fused);
    need(plan, TENSOR_PART_DELTA_STEPS, is_delta && is_fused);
    need(plan, TENSOR_PART_CONVOLUTION_IN, !is_delta);
    need(plan, TENSOR_PART_CONVOLUTION, !is_delta);
    need(plan, TENSOR_PART_CONVOLUTION_OUT, !is_delta);
    need(plan, TENSOR_PART_CONVOLUTION_IN_BIAS, has_bias);
    need(plan, TENSOR_PART_CONVOLUTION_BIAS, has_bias);
    need(plan, TENSOR_PART_CONVOLUTION_OUT_BIAS, has_bias);
}
