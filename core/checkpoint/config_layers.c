#include "core/checkpoint/config_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What "layer_types" calls layers of these models. */
static const char SLIDING[] = "sliding_attention", FULL[] = "full_attention", PLAIN[] = "attention",
                  CHUNKED[] = "chunked_attention";

/* All that transformers knows; a type that has no use for the list must have them right all the same. */
static const char *const LAYER_TYPES[] = {"full_attention",
                                          "sliding_attention",
                                          "chunked_attention",
                                          "window_attention",
                                          "indexed_attention",
                                          "linear_attention",
                                          "conv",
                                          "moe",
                                          "hybrid",
                                          "hybrid_sliding",
                                          "minimax_m3_sparse",
                                          "reference_sliding_attention",
                                          "attention",
                                          "compressed_sparse_attention",
                                          "heavily_compressed_attention",
                                          "mamba",
                                          "deepseek_sparse_attention",
                                          "qwen_sparse_attention"};

/* What is found out of each layer before plans are made of it. */
typedef struct LayerFacts {
    bool slides, is_chunked, turns;
} LayerFacts;

typedef struct Layers {
    const ConfigReader *reader;
    ModelConfig *config;
    uint64_t window;
    LayerFacts facts[MODEL_MAX_LAYERS];
    LayerKind kinds[MODEL_MAX_LAYERS];
} Layers;

static Status refuse_count(const Layers *layers, const char *key, uint64_t found, Error *error) {
    return status_fail(error, STATUS_FORMAT, "%s: expected %" PRIu64 " %s, found %" PRIu64,
                       layers->reader->origin, layers->config->layers, key, found);
}

static Status refuse_type(const Layers *layers, const char *name, Error *error) {
    return status_fail(error, STATUS_UNSUPPORTED, "%s: layer type \"%.60s\" is not known",
                       layers->reader->origin, name);
}

/* Of a type that has no use for them. */
static Status check_types(const Layers *layers, const cJSON *types, Error *error) {
    uint64_t layer = 0;
    const cJSON *type;
    if (!cJSON_IsArray(types)) return STATUS_OK;
    cJSON_ArrayForEach(type, types) {
        size_t i = 0, count = sizeof LAYER_TYPES / sizeof *LAYER_TYPES;
        while (i < count && (!cJSON_IsString(type) || strcmp(type->valuestring, LAYER_TYPES[i]) != 0)) i++;
        if (i == count) return refuse_type(layers, cJSON_IsString(type) ? type->valuestring : "?", error);
        layer++;
    }
    return layer == layers->config->layers ? STATUS_OK : refuse_count(layers, "layer_types", layer, error);
}

static Status read_types(Layers *layers, const cJSON *types, Error *error) {
    uint64_t layer = 0, sliding = 0;
    const char *mixer = layers->config->architecture->mixer_type;
    const cJSON *type;
    layers->config->from[CONFIG_SLIDING_LAYERS] = "layer_types";
    cJSON_ArrayForEach(type, types) {
        const char *name = cJSON_IsString(type) ? type->valuestring : "?";
        bool has_chunks = layers->config->architecture->has_chunks;
        bool is_chunked = has_chunks && strcmp(name, CHUNKED) == 0;
        bool slides = is_chunked || (!has_chunks && strcmp(name, SLIDING) == 0);
        bool is_mixer = mixer != NULL && strcmp(name, mixer) == 0; /* what it is else: config_mixers.c */
        if (!slides && !is_mixer && strcmp(name, FULL) != 0 && strcmp(name, PLAIN) != 0)
            return refuse_type(layers, name, error);
        if (layer < layers->config->layers) {
            layers->facts[layer].slides = slides;
            layers->facts[layer].is_chunked = is_chunked;
        }
        sliding += slides;
        layer++;
    }
    if (layer != layers->config->layers) return refuse_count(layers, "layer_types", layer, error);
    if (layers->config->architecture->last_is_whole && layers->facts[layer - 1].slides) {
        layers->facts[layer - 1].slides = false;
        sliding--;
    }
    if (sliding > 0 && layers->window == 0)
        return status_fail(error, STATUS_FORMAT, "%s: layers slide, but there is no sliding_window",
                           layers->reader->origin);
    if (sliding == 0) layers->window = 0;
    return STATUS_OK;
}

/* Qwen's rule, where no list says; max_window_layers may be negative, as far as transformers minds. */
static void slide_from(Layers *layers) {
    double first = 0.0;
    ModelConfig *config = layers->config;
    if (config->architecture->window == WINDOW_QWEN || config->architecture->window == WINDOW_FROM) {
        first = config_number(layers->reader, "max_window_layers", 28.0);
        bool is_stated = config_find_stated(layers->reader, "max_window_layers") != NULL;
        config->from[CONFIG_SLIDING_LAYERS] = is_stated ? "max_window_layers" : NULL;
    }
    for (uint64_t layer = 0; layer < config->layers; layer++)
        layers->facts[layer].slides = (double)layer >= first;
    if (first >= (double)config->layers) layers->window = 0;
}

/* The first, the third, … before max_window_layers. */
static void slide_every_other(Layers *layers) {
    double end = config_number(layers->reader, "max_window_layers", 28.0);
    for (uint64_t layer = 0; layer < layers->config->layers; layer++)
        layers->facts[layer].slides = layer % 2 == 0 && (double)layer < end;
}

/* Layers that turn keep to their chunk. */
static void chunk_turning(Layers *layers) {
    for (uint64_t layer = 0; layer < layers->config->layers; layer++)
        layers->facts[layer].slides = layers->facts[layer].is_chunked = layers->facts[layer].turns;
}

/* The first layers may have a pattern of their own. */
static Status read_prefix(const Layers *layers, uint64_t *prefix, uint64_t *pattern, Error *error) {
    const Architecture *architecture = layers->config->architecture;
    const char *from;
    if (architecture->prefix_key == NULL ||
        config_find_stated(layers->reader, architecture->prefix_key) == NULL)
        return STATUS_OK;
    Status status = config_read_count(layers->reader, architecture->prefix_key, prefix, error);
    if (status != STATUS_OK) return status;
    return config_read_size(layers->reader, architecture->prefix_pattern_key, 0, pattern, &from, error);
}

/* Every so-manieth layer is whole, the others slide; where there is no such number, all slide. */
static Status slide_by_pattern(Layers *layers, Error *error) {
    const Architecture *architecture = layers->config->architecture;
    if (layers->window == 0 && architecture->pattern == 0) return STATUS_OK;
    if (layers->window == 0)
        return status_fail(error, STATUS_FORMAT, "%s: layers slide, but there is no sliding_window",
                           layers->reader->origin);
    double pattern = (double)architecture->pattern;
    if (architecture->pattern_key != NULL)
        pattern = config_number(layers->reader, architecture->pattern_key, pattern);
    if (!(pattern >= 0.0 && pattern <= CONFIG_LARGEST_SIZE))
        return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a count", layers->reader->origin,
                           architecture->pattern_key);
    uint64_t first = architecture->pattern_is_first ? 0 : 1;
    uint64_t prefix = 0, prefix_pattern = 1;
    Status status = read_prefix(layers, &prefix, &prefix_pattern, error);
    for (uint64_t layer = 0; layer < layers->config->layers; layer++)
        layers->facts[layer].slides =
            layer < prefix ? (layer + 1) % prefix_pattern != 0
                           : pattern == 0.0 || (layer - prefix + first) % (uint64_t)pattern != 0;
    if (architecture->first_is_whole) layers->facts[0].slides = false;
    if (architecture->last_is_whole) layers->facts[layers->config->layers - 1].slides = false;
    return status;
}

static void slide_unturned(Layers *layers) {
    bool slides = config_bool(layers->reader, "use_sliding_window");
    if (!slides) layers->window = 0;
    for (uint64_t layer = 0; layer < layers->config->layers; layer++)
        layers->facts[layer].slides = slides && !layers->facts[layer].turns;
}

/* "global" or "local", for a layer that the model may not have. */
static Status read_local(Layers *layers, const cJSON *name, uint64_t layer, Error *error) {
    const char *text = cJSON_IsString(name) ? name->valuestring : "?";
    bool is_local = strcmp(text, "local") == 0;
    if (!is_local && strcmp(text, "global") != 0) return refuse_type(layers, text, error);
    if (layer < layers->config->layers) layers->facts[layer].slides = is_local;
    return STATUS_OK;
}

/* [[["global", "local"], 12], …]: layers that take turns, so many times. */
static Status read_turns(Layers *layers, const cJSON *lists, uint64_t *layer, Error *error) {
    const cJSON *list, *name;
    uint64_t times;
    Status status = STATUS_OK;
    cJSON_ArrayForEach(list, lists) {
        const cJSON *names = cJSON_GetArrayItem(list, 0), *count = cJSON_GetArrayItem(list, 1);
        if (!cJSON_IsArray(names) || !json_read_count(count, &times) || times > MODEL_MAX_LAYERS)
            return status_fail(
                error, STATUS_FORMAT,
                "%s: expected \"attention_types\" to be lists of names and how often they come",
                layers->reader->origin);
        for (uint64_t i = 0; i < times && status == STATUS_OK; i++) {
            cJSON_ArrayForEach(name, names) {
                if (status == STATUS_OK) status = read_local(layers, name, (*layer)++, error);
            }
        }
    }
    return status;
}

/* "attention_layers" names them one by one, and counts more. */
static Status slide_by_lists(Layers *layers, Error *error) {
    static const char OWN[] = "[[[\"global\", \"local\"], 12]]"; /* the class's */
    const cJSON *flat = config_find_stated(layers->reader, "attention_layers"), *name;
    const cJSON *lists = config_find(layers->reader, "attention_types");
    cJSON *own = flat == NULL && lists == NULL ? cJSON_Parse(OWN) : NULL;
    uint64_t layer = 0;
    Status status = STATUS_OK;
    layers->config->from[CONFIG_SLIDING_LAYERS] = flat != NULL    ? "attention_layers"
                                                  : lists != NULL ? "attention_types"
                                                                  : NULL;
    cJSON_ArrayForEach(name, flat) {
        if (status == STATUS_OK) status = read_local(layers, name, layer++, error);
    }
    if (flat == NULL) status = read_turns(layers, lists != NULL ? lists : own, &layer, error);
    cJSON_Delete(own);
    if (status != STATUS_OK || layer == layers->config->layers) return status;
    return refuse_count(layers, flat != NULL ? "attention_layers" : "attention_types", layer, error);
}

/* Stated otherwise, as so many keys before the query. */
static void read_window_before(Layers *layers, bool *sees_nothing) {
    const char *key = layers->config->architecture->window_before_key;
    const cJSON *item = key != NULL ? config_find_stated(layers->reader, key) : NULL;
    if (item == NULL || cJSON_IsNull(item)) return;
    layers->config->from[CONFIG_WINDOW] = key;
    *sees_nothing = !json_read_count(item, &layers->window) || layers->window > CONFIG_LARGEST_SIZE;
    layers->window = *sees_nothing ? 1 : layers->window + 1;
}

/* *sees_nothing: a window that is no count, which does not matter where no layer slides. */
static void read_window(Layers *layers, bool *sees_nothing) {
    ModelConfig *config = layers->config;
    WindowRule rule = config->architecture->window;
    const char *key =
        config->architecture->window_key != NULL ? config->architecture->window_key : "sliding_window";
    if (rule == WINDOW_CHUNKED) key = "attention_chunk_size";
    const cJSON *stated = config_find_stated(layers->reader, key), *item = config_find(layers->reader, key);
    *sees_nothing = false;
    if (stated != NULL) config->from[CONFIG_WINDOW] = key;
    if (item != NULL && (!json_read_count(item, &layers->window) || layers->window == 0)) {
        layers->window = 1;
        *sees_nothing = true;
    }
    read_window_before(layers, sees_nothing);
    bool is_switched = rule == WINDOW_QWEN || rule == WINDOW_QWEN_MOE || rule == WINDOW_SWITCHED;
    if (is_switched && !config_bool(layers->reader, "use_sliding_window")) {
        layers->window = 0;
        bool is_stated = config_find_stated(layers->reader, "use_sliding_window") != NULL;
        config->from[CONFIG_WINDOW] = is_stated ? "use_sliding_window" : NULL;
    }
}

static Status read_windows(Layers *layers, Error *error) {
    ModelConfig *config = layers->config;
    WindowRule rule = config->architecture->window;
    const char *origin = layers->reader->origin;
    const cJSON *types = config_find_stated(layers->reader, "layer_types");
    bool sees_nothing;
    /* where a layer is one block its list is its own */
    if (rule == WINDOW_NEVER)
        return config->architecture->layers == LAYERS_SINGLE ? STATUS_OK : check_types(layers, types, error);
    read_window(layers, &sees_nothing);
    if (rule == WINDOW_MISTRAL && types != NULL &&
        (layers->window == 0 || config->from[CONFIG_HEAD_DIM] == NULL))
        return status_fail(error, STATUS_FORMAT,
                           "%s: mistral with layer_types (Ministral) expects a sliding_window and a head_dim",
                           origin);
    if (config->architecture->needs_window && layers->window == 0 && !cJSON_IsArray(types))
        return status_fail(error, STATUS_FORMAT, "%s: layers slide, but there is no sliding_window", origin);
    Status status = STATUS_OK;
    bool is_listed = rule != WINDOW_ALWAYS && rule != WINDOW_SWITCHED;
    if (rule == WINDOW_LISTS)
        status = slide_by_lists(layers, error);
    else if (cJSON_IsArray(types) && is_listed)
        status = read_types(layers, types, error);
    else if (rule == WINDOW_QWEN_MOE)
        slide_every_other(layers);
    else if (rule == WINDOW_CHUNKED)
        chunk_turning(layers);
    else if (rule == WINDOW_TYPES)
        status = slide_by_pattern(layers, error);
    else if (rule == WINDOW_UNTURNED)
        slide_unturned(layers);
    else
        slide_from(layers);
    bool has_own = config->architecture->is_compressed; /* names of its own, which it checks */
    if (status == STATUS_OK && !is_listed && !has_own) status = check_types(layers, types, error);
    if (status == STATUS_OK && layers->window > 0 && sees_nothing)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected \"sliding_window\" to be a count from 1 or null", origin);
    return status;
}

/* Without a list, every so-manieth layer does not turn. */
static Status read_turning(Layers *layers, Error *error) {
    const cJSON *list = config_find(layers->reader, "no_rope_layers"), *item;
    uint64_t layer = 0, count = layers->config->layers;
    double every = config_number(layers->reader, "no_rope_layer_interval", 4.0);
    if (!(every >= 1.0 && every <= CONFIG_LARGEST_SIZE))
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected \"no_rope_layer_interval\" to be a count from 1",
                           layers->reader->origin);
    for (; list == NULL && layer < count; layer++)
        layers->facts[layer].turns = (layer + 1) % (uint64_t)every != 0;
    cJSON_ArrayForEach(item, list) {
        if (layer < count) layers->facts[layer].turns = config_is_truthy(item);
        layer++;
    }
    return layer == count ? STATUS_OK : refuse_count(layers, "no_rope_layers", layer, error);
}

/* The base that layer_rope_theta has for the layer; NAN: nothing says. */
static double theta_of(const Layers *layers, uint64_t layer) {
    const cJSON *list = config_find(layers->reader, "layer_rope_theta");
    const cJSON *item = list != NULL ? cJSON_GetArrayItem(list, (int)layer) : NULL;
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static Status check_thetas(const Layers *layers, Error *error) {
    const cJSON *list = config_find(layers->reader, "layer_rope_theta");
    uint64_t count = (uint64_t)cJSON_GetArraySize(list);
    if (list != NULL && count < layers->config->layers)
        return refuse_count(layers, "layer_rope_theta", count, error);
    return STATUS_OK;
}

/* Which of the model's turns by that base. */
static int find_theta(const Layers *layers, double theta) {
    const ModelConfig *config = layers->config;
    if (isnan(theta)) return 0;
    for (size_t i = 0; i < config->rope_count; i++)
        if (config->ropes[i].theta == theta) return (int)i;
    return -1; /* 0 */
}

static int rope_of(const Layers *layers, uint64_t layer) {
    bool slides = layers->window > 0 && layers->facts[layer].slides;
    if (!config_turns(layers->config)) return -1;
    switch (layers->config->architecture->rope) {
    case ROPE_RULE_NONE:
        return -1;
    case ROPE_RULE_SLIDING:
        return slides ? 0 : -1;
    case ROPE_RULE_WINDOW:
        return slides || config_find(layers->reader, "sliding_window") == NULL ? 0 : -1;
    case ROPE_RULE_LIST:
        return layers->facts[layer].turns ? 0 : -1;
    case ROPE_RULE_TYPES:
        return layers->facts[layer].slides ? 1 : 0;
    case ROPE_RULE_THETAS:
        return find_theta(layers, theta_of(layers, layer));
    case ROPE_RULE_COMPRESSED: /* the layer's own says */
    case ROPE_RULE_ALL:
        break;
    }
    return 0;
}

/* The layers that have heads of their own are those that see all, or nothing says which. */
static Status check_overrides(const Layers *layers, Error *error) {
    const cJSON *overrides = json_find_any(layers->reader->json, "per_layer_config");
    if (!layers->config->architecture->has_global_heads || !config_is_truthy(overrides)) return STATUS_OK;
    for (uint64_t layer = 0; layer < layers->config->layers; layer++) {
        char name[24];
        (void)snprintf(name, sizeof name, "%" PRIu64, layer);
        if ((json_find_any(overrides, name) != NULL) == layers->facts[layer].slides)
            return status_fail(
                error, STATUS_UNSUPPORTED,
                "%s: \"per_layer_config\" is known of layers that do not slide, of all of them",
                layers->reader->origin);
    }
    return STATUS_OK;
}

static void drop(LayerPlan *plan, TensorRole role) {
    plan->roles &= ~(UINT64_C(1) << role);
}

/* Layers whose values are their keys have no matrix for them; the last ones, which share, none for either. */
static Status share_keys(const Layers *layers, uint64_t layer, LayerPlan *plan, Error *error) {
    static const TensorRole SHARED[] = {TENSOR_K, TENSOR_V, TENSOR_K_BIAS, TENSOR_V_BIAS, TENSOR_K_NORM};
    const ModelConfig *config = layers->config;
    const Architecture *architecture = config->architecture;
    const char *same = architecture->values_are_keys, *wide = architecture->double_key;
    uint64_t first = config->layers - config->shared_layers, source = first;
    if (same != NULL && config_bool(layers->reader, same) && !layers->facts[layer].slides) {
        drop(plan, TENSOR_V);
        drop(plan, TENSOR_V_BIAS);
    }
    plan->kv_layer = -1;
    if (layer < first) return STATUS_OK;
    while (source > 0 && layers->facts[source - 1].slides != layers->facts[layer].slides) source--;
    if (source == 0)
        return status_fail(error, STATUS_FORMAT,
                           "%s: \"%s\": layer %" PRIu64 " has none of its kind to share with",
                           layers->reader->origin, architecture->shared_key, layer);
    plan->kv_layer = (int)source - 1;
    for (size_t i = 0; i < sizeof SHARED / sizeof *SHARED; i++) drop(plan, SHARED[i]);
    if (wide != NULL && config_bool(layers->reader, wide)) plan->intermediate_size *= 2;
    return STATUS_OK;
}

static bool latents_equal(const LatentPlan *a, const LatentPlan *b) {
    return a->query == b->query && a->latent == b->latent && a->turned == b->turned &&
           a->is_interleaved == b->is_interleaved;
}

/* How weights are chosen and what an expert computes is a model's; how many there are, and how wide, a layer's. */
static bool experts_equal(const ExpertPlan *a, const ExpertPlan *b) {
    return a->count == b->count && a->chosen == b->chosen && a->width == b->width &&
           a->shared_width == b->shared_width && a->clamp == b->clamp && a->glu_limit == b->glu_limit &&
           a->glu_alpha == b->glu_alpha;
}

/* Of one model: what no layer has a say in is not compared. */
static bool plans_equal(const LayerPlan *a, const LayerPlan *b) {
    return a->mixer == b->mixer && a->attends_beside == b->attends_beside &&
           a->norms_before == b->norms_before && a->scales.stream == b->scales.stream &&
           a->scales.block == b->scales.block && a->roles == b->roles &&
           part_set_equal(&a->parts, &b->parts) && a->heads == b->heads && a->kv_heads == b->kv_heads &&
           a->head_dim == b->head_dim && a->value_dim == b->value_dim && a->window == b->window &&
           a->is_chunked == b->is_chunked && a->rope == b->rope && a->skips_qk_norm == b->skips_qk_norm &&
           a->has_temperature == b->has_temperature && a->mlp == b->mlp &&
           a->intermediate_size == b->intermediate_size && a->glu_limit == b->glu_limit &&
           a->glu_alpha == b->glu_alpha &&
           (a->cutoff == b->cutoff || (isnan(a->cutoff) && isnan(b->cutoff))) &&
           latents_equal(&a->latent, &b->latent) && experts_equal(&a->experts, &b->experts) &&
           a->rate == b->rate && a->overlaps == b->overlaps && a->is_hashed == b->is_hashed &&
           a->kv_layer == b->kv_layer;
}

static Status add_plan(ModelConfig *config, uint64_t layer, const LayerPlan *plan, const char *origin,
                       Error *error) {
    size_t i = 0;
    while (i < config->plan_count && !plans_equal(&config->plans[i], plan)) i++;
    if (i == MODEL_MAX_PLANS)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: more than %d kinds of layers", origin,
                           MODEL_MAX_PLANS);
    if (i == config->plan_count) config->plans[config->plan_count++] = *plan;
    config->plan_of[layer] = (unsigned char)i;
    return STATUS_OK;
}

/* A list of those that is stated is checked of every type, whether it counts or not; one with compressed keys has kinds
 * of its own (config_compressed.c). */
static Status check_mlp_types(const Layers *layers, Error *error) {
    static const char KEY[] = "mlp_layer_types";
    const cJSON *types = json_find(layers->reader->json, KEY), *type;
    uint64_t count = 0;
    if (!cJSON_IsArray(types) || layers->config->architecture->is_compressed) return STATUS_OK;
    cJSON_ArrayForEach(type, types) {
        const char *name = cJSON_IsString(type) ? type->valuestring : "?";
        if (strcmp(name, "dense") != 0 && strcmp(name, "sparse") != 0)
            return refuse_type(layers, name, error);
        count++;
    }
    return count == layers->config->layers ? STATUS_OK : refuse_count(layers, KEY, count, error);
}

Status config_read_layers(const ConfigReader *reader, const LayerPlan *plan, ModelConfig *config,
                          Error *error) {
    Layers layers = {.reader = reader, .config = config};
    const Architecture *architecture = config->architecture;
    bool has_value_dim = config->latent.latent > 0 || architecture->value_dim_key != NULL;
    if (!has_value_dim) config->value_dim = config->head_dim;
    Status status = architecture->rope == ROPE_RULE_LIST ? read_turning(&layers, error) : STATUS_OK;
    if (status == STATUS_OK) status = read_windows(&layers, error);
    if (status == STATUS_OK && config->architecture->rope == ROPE_RULE_THETAS)
        status = check_thetas(&layers, error);
    if (status == STATUS_OK) status = check_mlp_types(&layers, error);
    if (status == STATUS_OK) status = check_overrides(&layers, error);
    if (status == STATUS_OK) status = config_read_mixers(reader, config, layers.kinds, error);
    for (uint64_t layer = 0; layer < config->layers && status == STATUS_OK; layer++) {
        LayerPlan own = *plan;
        bool slides = layers.facts[layer].slides;
        own.rope = rope_of(&layers, layer);
        own.kv_heads = slides ? config->sliding.kv_heads : config->whole.kv_heads;
        own.head_dim = slides ? config->sliding.head_dim : config->whole.head_dim;
        if (slides) own.window = layers.window;
        if (!has_value_dim) own.value_dim = own.head_dim;
        if (architecture->read_layer != NULL)
            status = architecture->read_layer(reader, config, layer, &own, error);
        if (status == STATUS_OK) status = share_keys(&layers, layer, &own, error);
        if (status != STATUS_OK) return status;
        config_set_kind(reader, config, layers.kinds[layer], &own);
        own.is_chunked = own.window > 0 && layers.facts[layer].is_chunked;
        own.skips_qk_norm = architecture->rope == ROPE_RULE_LIST && own.rope < 0;
        status = config_read_experts(reader, config, layer, &own, error);
        if (status == STATUS_OK) status = add_plan(config, layer, &own, reader->origin, error);
    }
    return status == STATUS_OK ? config_check_latent(reader, config, error) : status;
}
