#include "core/checkpoint/config_internal.h"

#include <inttypes.h>
#include <string.h>

/* As many heads as attention has; null: as wide as the stream. */
static Status read_gated(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char WIDTH[] = "lru_width";
    RecurrentSizes *sizes = &config->recurrent;
    const char *from;
    uint64_t width;
    Status status = config_read_size(reader, WIDTH, config->hidden_size, &width, &from, error);
    if (status != STATUS_OK) return status;
    sizes->value_heads = config->heads;
    sizes->value_dim = width / config->heads;
    if (width % config->heads == 0 && sizes->value_dim <= GATED_MOST_CHANNELS &&
        width <= CONFIG_LARGEST_SIZE / 4)
        return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "%s: expected \"%s\" to be a multiple of the heads, at most %d times as large",
                       reader->origin, WIDTH, GATED_MOST_CHANNELS);
}

/* As many heads as attention has, of the same size; a block's decays are stored for each pair of its tokens. */
static Status read_lightning(const ConfigReader *reader, ModelConfig *config, Error *error) {
    enum { MOST_BLOCK = 4096 };
    RecurrentSizes *sizes = &config->recurrent;
    const char *from;
    Status status = config_read_size(reader, "block_size", 0, &sizes->block, &from, error);
    if (status != STATUS_OK) return status;
    sizes->value_heads = config->heads;
    sizes->value_dim = config->head_dim;
    if (sizes->block <= MOST_BLOCK &&
        config->heads <= CONFIG_LARGEST_SIZE / 4 / (sizes->block * sizes->block) &&
        config->head_dim <= CONFIG_LARGEST_SIZE / 4 / config->heads / (config->head_dim + 2 * sizes->block))
        return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"block_size\" to be at most %d, with fewer heads",
                       reader->origin, MOST_BLOCK);
}

static Status read_sizes(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    if (architecture->mixer == MIXER_LIGHTNING) return read_lightning(reader, config, error);
    if (architecture->mixer == MIXER_DELTA) return config_read_delta(reader, config, error);
    if (architecture->taps_key == NULL) return STATUS_OK;
    Status status = config_read_taps(reader, architecture->taps_key, &config->recurrent.taps, error);
    if (status == STATUS_OK && architecture->mixer == MIXER_GATED) status = read_gated(reader, config, error);
    if (status == STATUS_OK && architecture->state != NULL) status = config_read_state(reader, config, error);
    return status;
}

/* ---- which layers have what ---- */

/* Names of older files, which transformers takes for the others. */
static const char *current_name(const char *name) {
    if (strcmp(name, "mamba") == 0) return "linear_attention";
    return strcmp(name, "attention") == 0 ? "full_attention" : name;
}

/* What a type's name says; LAYER_KIND_COUNT: nothing. */
static LayerKind find_kind(const Architecture *architecture, const char *name) {
    const char *current = current_name(name);
    if (strcmp(current, architecture->mixer_type) == 0) return LAYER_MIXER;
    if (!architecture->has_common && strcmp(current, "full_attention") == 0) return LAYER_ATTENTION;
    if (architecture->window == WINDOW_TYPES && strcmp(name, "sliding_attention") == 0)
        return LAYER_ATTENTION;
    if (architecture->has_common && strcmp(name, "hybrid") == 0) return LAYER_COMMON;
    if (architecture->layers == LAYERS_SINGLE && strcmp(name, "moe") == 0) return LAYER_EXPERTS;
    if (architecture->layers == LAYERS_SINGLE && strcmp(name, "mlp") == 0) return LAYER_MLP;
    return LAYER_KIND_COUNT;
}

/* "layer_types", which has as many names as there are layers. */
static Status read_types(const ConfigReader *reader, const ModelConfig *config, const cJSON *types,
                         LayerKind *kinds, Error *error) {
    uint64_t layer = 0;
    const cJSON *type;
    cJSON_ArrayForEach(type, types) {
        const char *name = cJSON_IsString(type) ? type->valuestring : "?";
        LayerKind kind = find_kind(config->architecture, name);
        if (kind == LAYER_KIND_COUNT)
            return status_fail(error, STATUS_UNSUPPORTED, "%s: layer type \"%.60s\" is not known",
                               reader->origin, name);
        if (layer < config->layers) kinds[layer] = kind;
        layer++;
    }
    return layer == config->layers
               ? STATUS_OK
               : status_fail(error, STATUS_FORMAT, "%s: expected %" PRIu64 " layer_types, found %" PRIu64,
                             reader->origin, config->layers, layer);
}

/* A letter a layer, where no list says. */
static Status read_pattern(const ConfigReader *reader, const char *pattern, LayerKind *kinds, Error *error) {
    static const char LETTERS[] = "*M-E";
    static const LayerKind KINDS[] = {LAYER_ATTENTION, LAYER_MIXER, LAYER_MLP, LAYER_EXPERTS};
    for (size_t layer = 0; pattern[layer] != '\0'; layer++) {
        const char *letter = strchr(LETTERS, pattern[layer]);
        if (letter == NULL)
            return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be of %s", reader->origin,
                               CONFIG_PATTERN, LETTERS);
        kinds[layer] = KINDS[letter - LETTERS];
    }
    return STATUS_OK;
}

static void fill(const ModelConfig *config, LayerKind *kinds, LayerKind kind) {
    for (uint64_t layer = 0; layer < config->layers; layer++) kinds[layer] = kind;
}

/* Numbers of layers that are of that kind; those of no layer are no matter. */
static void mark_list(const ConfigReader *reader, const ModelConfig *config, LayerKind *kinds,
                      LayerKind kind) {
    const char *key = config->architecture->attention_list;
    const char *otherwise = config->architecture->default_list;
    const cJSON *list = key != NULL ? config_find(reader, key) : NULL, *item;
    cJSON *own = list == NULL && otherwise != NULL ? cJSON_Parse(otherwise) : NULL;
    if (list == NULL) list = own;
    cJSON_ArrayForEach(item, list) {
        uint64_t layer;
        if (json_read_count(item, &layer) && layer < config->layers) kinds[layer] = kind;
    }
    cJSON_Delete(own);
}

/* Every so-manieth layer has attention. */
static Status read_interval(const ConfigReader *reader, const ModelConfig *config, LayerKind *kinds,
                            Error *error) {
    const Architecture *architecture = config->architecture;
    const char *key = architecture->interval_key;
    const cJSON *stated = key != NULL ? json_find_any(reader->json, key) : NULL;
    uint64_t interval = architecture->interval;
    bool begins = architecture->interval_begins, has_attention = false;
    if (stated != NULL && (!json_read_count(stated, &interval) || interval == 0))
        return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a count from 1", reader->origin,
                           key);
    for (uint64_t layer = 0; layer < config->layers; layer++) {
        bool attends = begins ? layer > 0 && layer % interval == 0 : (layer + 1) % interval == 0;
        has_attention = has_attention || attends;
        kinds[layer] = attends ? LAYER_ATTENTION : LAYER_MIXER;
    }
    if (architecture->needs_both && !has_attention) kinds[config->layers - 1] = LAYER_ATTENTION;
    return STATUS_OK;
}

/* Two lists of numbers from 1; of a layer that both name the second counts, and each must be named. */
static Status read_two_lists(const ConfigReader *reader, const ModelConfig *config, LayerKind *kinds,
                             Error *error) {
    const struct {
        const char *key;
        LayerKind kind;
    } lists[] = {{config->architecture->attention_list, LAYER_ATTENTION},
                 {config->architecture->mixer_list, LAYER_MIXER}};
    const cJSON *item;
    fill(config, kinds, LAYER_KIND_COUNT);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const cJSON *list = config_find(reader, lists[i].key);
        if (!cJSON_IsArray(list))
            return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a list of layers",
                               reader->origin, lists[i].key);
        cJSON_ArrayForEach(item, list) {
            uint64_t layer;
            if (!json_read_count(item, &layer) || layer == 0 || layer > config->layers)
                return status_fail(error, STATUS_FORMAT,
                                   "%s: expected \"%s\" to be numbers of layers, from 1 to %" PRIu64,
                                   reader->origin, lists[i].key, config->layers);
            kinds[layer - 1] = lists[i].kind;
        }
    }
    for (uint64_t layer = 0; layer < config->layers; layer++)
        if (kinds[layer] == LAYER_KIND_COUNT)
            return status_fail(error, STATUS_FORMAT, "%s: expected layer %" PRIu64 " in \"%s\" or \"%s\"",
                               reader->origin, layer + 1, lists[0].key, lists[1].key);
    return STATUS_OK;
}

/* Every so-manieth layer has attention, the first after so many. */
static Status read_period(const ConfigReader *reader, const ModelConfig *config, LayerKind *kinds,
                          Error *error) {
    uint64_t period, offset;
    Status status =
        config_read_period(reader, "attn_layer_period", "attn_layer_offset", &period, &offset, error);
    for (uint64_t layer = 0; layer < config->layers && status == STATUS_OK; layer++)
        kinds[layer] = layer % period == offset ? LAYER_ATTENTION : LAYER_MIXER;
    return status;
}

Status config_read_period(const ConfigReader *reader, const char *period_key, const char *offset_key,
                          uint64_t *period, uint64_t *offset, Error *error) {
    const char *from;
    Status status = config_read_size(reader, period_key, 0, period, &from, error);
    if (status == STATUS_OK) status = config_read_count(reader, offset_key, offset, error);
    if (status != STATUS_OK || *offset < *period) return status;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be less than \"%s\"", reader->origin,
                       offset_key, period_key);
}

/* A few names that are gone through again and again. */
static Status read_cycle(const ConfigReader *reader, const ModelConfig *config, LayerKind *kinds,
                         Error *error) {
    const char *key = config->architecture->attention_list, *mixer = config->architecture->mixer_type;
    const cJSON *names = config_find(reader, key), *name;
    uint64_t count = (uint64_t)cJSON_GetArraySize(names), layer = 0;
    if (!cJSON_IsArray(names) || count == 0)
        return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a list of names", reader->origin,
                           key);
    cJSON_ArrayForEach(name, names) {
        bool is_mixer = cJSON_IsString(name) && strcmp(name->valuestring, mixer) == 0;
        for (uint64_t i = layer; i < config->layers; i += count)
            kinds[i] = is_mixer ? LAYER_MIXER : LAYER_ATTENTION;
        layer++;
    }
    return STATUS_OK;
}

/* As a list says, or what stands in its place. */
static Status read_listed(const ConfigReader *reader, const ModelConfig *config, LayerKind *kinds,
                          Error *error) {
    const Architecture *architecture = config->architecture;
    const cJSON *types = config_find(reader, "layer_types");
    if (types != NULL) return read_types(reader, config, types, kinds, error);
    const char *own = architecture->mixer_list;
    if (own != NULL && config_find_stated(reader, own) != NULL &&
        config_find_stated(reader, architecture->attention_list) != NULL)
        return read_two_lists(reader, config, kinds, error);
    if (architecture->interval > 0) return read_interval(reader, config, kinds, error);
    if (architecture->layers == LAYERS_SINGLE)
        return read_pattern(reader, config_text(reader, CONFIG_PATTERN), kinds, error);
    if (architecture->layers == LAYERS_LISTED_OR_MIXER) {
        fill(config, kinds, LAYER_MIXER);
        return STATUS_OK;
    }
    if (architecture->attention_list == NULL)
        return status_fail(error, STATUS_FORMAT, "%s: expected \"layer_types\", found nothing",
                           reader->origin);
    bool is_null = config_find(reader, architecture->attention_list) == NULL;
    fill(config, kinds, is_null ? LAYER_ATTENTION : LAYER_MIXER);
    mark_list(reader, config, kinds, LAYER_ATTENTION);
    return STATUS_OK;
}

static Status check_both(const ConfigReader *reader, const ModelConfig *config, const LayerKind *kinds,
                         Error *error) {
    bool has[LAYER_KIND_COUNT] = {false};
    for (uint64_t layer = 0; layer < config->layers; layer++) has[kinds[layer]] = true;
    if (!config->architecture->needs_both || (has[LAYER_MIXER] && has[LAYER_ATTENTION])) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "%s: expected layers with attention and layers with linear attention, found one kind",
                       reader->origin);
}

Status config_read_mixers(const ConfigReader *reader, ModelConfig *config, LayerKind *kinds, Error *error) {
    const Architecture *architecture = config->architecture;
    Status status = read_sizes(reader, config, error);
    if (status != STATUS_OK) return status;
    switch (architecture->layers) {
    case LAYERS_LISTED:
        if (architecture->mixer == MIXER_ATTENTION) return STATUS_OK;
        status = read_listed(reader, config, kinds, error);
        return status == STATUS_OK ? check_both(reader, config, kinds, error) : status;
    case LAYERS_LISTED_OR_MIXER:
    case LAYERS_SINGLE:
        return read_listed(reader, config, kinds, error);
    case LAYERS_MIXER:
        fill(config, kinds, LAYER_MIXER);
        mark_list(reader, config, kinds, LAYER_ATTENTION);
        return STATUS_OK;
    case LAYERS_BESIDE:
        fill(config, kinds, LAYER_BOTH);
        return STATUS_OK;
    case LAYERS_PERIOD:
        return read_period(reader, config, kinds, error);
    case LAYERS_CYCLE:
        return read_cycle(reader, config, kinds, error);
    case LAYERS_SKIPPED:
        mark_list(reader, config, kinds, LAYER_NOTHING);
        return STATUS_OK;
    }
    return STATUS_OK;
}

/* ---- what they are made of ---- */

static const TensorRole ATTENTION[] = {TENSOR_Q,      TENSOR_K,      TENSOR_V,        TENSOR_QKV,
                                       TENSOR_O,      TENSOR_Q_BIAS, TENSOR_K_BIAS,   TENSOR_V_BIAS,
                                       TENSOR_O_BIAS, TENSOR_Q_NORM, TENSOR_QKV_BIAS, TENSOR_K_NORM,
                                       TENSOR_Q_A,    TENSOR_Q_B,    TENSOR_KV_A,     TENSOR_KV_B};
static const TensorPart ATTENTION_PARTS[] = {TENSOR_PART_ATTENTION_GATE, TENSOR_PART_QUERY_NORM,
                                             TENSOR_PART_LATENT_NORM, TENSOR_PART_QUERY_BIAS,
                                             TENSOR_PART_LATENT_BIAS};
static const TensorRole NORMS[] = {TENSOR_ATTENTION_NORM, TENSOR_MLP_NORM, TENSOR_POST_ATTENTION_NORM,
                                   TENSOR_POST_MLP_NORM};
static const TensorRole MLP[] = {TENSOR_MLP_NORM,     TENSOR_POST_MLP_NORM, TENSOR_GATE,      TENSOR_UP,
                                 TENSOR_GATE_UP,      TENSOR_DOWN,          TENSOR_GATE_BIAS, TENSOR_UP_BIAS,
                                 TENSOR_GATE_UP_BIAS, TENSOR_DOWN_BIAS};

static void drop(LayerPlan *plan, const TensorRole *roles, size_t count) {
    for (size_t i = 0; i < count; i++) plan->roles &= ~(UINT64_C(1) << roles[i]);
}

static void drop_attention(LayerPlan *plan) {
    drop(plan, ATTENTION, sizeof ATTENTION / sizeof *ATTENTION);
    for (size_t i = 0; i < sizeof ATTENTION_PARTS / sizeof *ATTENTION_PARTS; i++)
        part_set_drop(&plan->parts, ATTENTION_PARTS[i]);
    plan->latent = (LatentPlan){0};
    plan->heads = plan->kv_heads = plan->head_dim = plan->value_dim = 0;
    plan->window = 0;
    plan->rope = -1;
}

static void drop_mlp(LayerPlan *plan) {
    drop(plan, MLP, sizeof MLP / sizeof *MLP);
    plan->mlp = MLP_NONE;
    plan->intermediate_size = 0;
}

static void need(LayerPlan *plan, TensorPart part, bool is_needed) {
    part_set_add(&plan->parts, part, is_needed);
}

static void need_mixer(const ConfigReader *reader, const ModelConfig *config, LayerPlan *plan) {
    bool has_bias = config_rule(reader, config->architecture->mixer_bias);
    bool is_convolution = plan->mixer == MIXER_CONVOLUTION;
    if (plan->mixer == MIXER_DELTA) config_need_delta(config, plan);
    for (int part = TENSOR_PART_GATED_X; part <= TENSOR_PART_GATED_OUT_BIAS; part++)
        need(plan, (TensorPart)part, plan->mixer == MIXER_GATED);
    for (int part = TENSOR_PART_LIGHTNING_QKV; part <= TENSOR_PART_LIGHTNING_OUT; part++)
        need(plan, (TensorPart)part, plan->mixer == MIXER_LIGHTNING);
    need(plan, TENSOR_PART_CONVOLUTION_IN, is_convolution);
    need(plan, TENSOR_PART_CONVOLUTION, is_convolution);
    need(plan, TENSOR_PART_CONVOLUTION_OUT, is_convolution);
    need(plan, TENSOR_PART_CONVOLUTION_IN_BIAS, has_bias);
    need(plan, TENSOR_PART_CONVOLUTION_BIAS, has_bias);
    need(plan, TENSOR_PART_CONVOLUTION_OUT_BIAS, has_bias);
    if (config->architecture->state != NULL) config_need_state(reader, config, plan);
}

/* Its tensors are no roles': several layers have the same. */
static void need_common(const ConfigReader *reader, const ModelConfig *config, LayerPlan *plan) {
    bool has_adapters = config_bool(reader, "use_shared_attention_adapter");
    drop(plan, ATTENTION, sizeof ATTENTION / sizeof *ATTENTION);
    for (int part = TENSOR_PART_COMMON_NORM; part <= TENSOR_PART_COMMON_LINEAR; part++) {
        bool is_adapter = part >= TENSOR_PART_COMMON_Q_LEFT && part <= TENSOR_PART_COMMON_V_RIGHT;
        need(plan, (TensorPart)part, !is_adapter || has_adapters);
    }
    plan->intermediate_size = config->intermediate_size;
    if (!config_bool(reader, "use_mem_rope")) plan->rope = -1;
}

void config_set_kind(const ConfigReader *reader, const ModelConfig *config, LayerKind kind, LayerPlan *plan) {
    const Architecture *architecture = config->architecture;
    bool is_single = architecture->layers == LAYERS_SINGLE,
         has_mixer = kind == LAYER_MIXER || kind == LAYER_BOTH || kind == LAYER_COMMON;
    bool has_attention = kind == LAYER_ATTENTION || kind == LAYER_BOTH;
    bool has_mlp = is_single ? !has_mixer && !has_attention : kind != LAYER_NOTHING;
    if (has_mixer) plan->mixer = architecture->mixer;
    if (!has_mixer && !has_attention) plan->mixer = MIXER_NONE;
    plan->attends_beside = kind == LAYER_BOTH;
    if (!has_attention && kind != LAYER_COMMON) drop_attention(plan);
    if (has_mixer) need_mixer(reader, config, plan);
    if (has_mixer && architecture->mixers_norm_before) {
        drop(plan, NORMS, sizeof NORMS / sizeof *NORMS);
        plan->norms_before = true;
        config_need_norms(config, plan);
    }
    if (kind == LAYER_COMMON) need_common(reader, config, plan);
    if (!has_mlp) drop_mlp(plan);
    if (is_single) drop(plan, MLP, 2); /* one block has one norm, whatever it is */
    if (kind == LAYER_EXPERTS) plan->mlp = MLP_EXPERTS;
    if (kind == LAYER_NOTHING) plan->roles = 0;
}
