#include "core/checkpoint/config_internal.h"

#include <inttypes.h>
#include <string.h>

/* How the outputs of the matrix of all three lie, and with that how many key heads there are. */
static Status read_kv_heads(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    const char *key = architecture->kv_heads_key, *by_group = architecture->by_group_key;
    if (key == NULL) key = "num_key_value_heads";
    bool is_grouped = by_group != NULL && config_bool(reader, by_group),
         is_multi = architecture->multi_query_key != NULL;
    bool is_single = is_multi && config_bool(reader, architecture->multi_query_key);
    config->qkv = architecture->qkv;
    if (is_grouped)
        config->qkv = QKV_BY_GROUP;
    else if (is_multi)
        config->qkv = is_single ? QKV_STACKED : QKV_BY_HEAD;
    config->kv_heads = is_single ? 1 : config->heads;
    if (!is_grouped && (is_multi || architecture->derives_kv_heads)) return STATUS_OK;
    /* null is as many as heads; what is not there at all is the default of the class */
    return config_read_size(reader, key, config->heads, &config->kv_heads, &config->from[CONFIG_KV_HEADS],
                            error);
}

static Status read_head_dim(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    const cJSON *stated = config_find_stated(reader, "head_dim");
    uint64_t widths = architecture->head_widths > 0 ? architecture->head_widths : 1;
    uint64_t derived = widths * config->hidden_size / config->heads, found;
    config->head_dim = derived;
    ConfigEntry field;
    if (!architecture->derives_head_dim && cJSON_IsNull(stated) &&
        !config_class_find_entry(reader->class, CONFIG_FIELD, "head_dim", &field))
        return status_fail(
            error, STATUS_FORMAT,
            "%s: \"head_dim\" is null, which transformers takes for no size where the type has no such key",
            reader->origin);
    if (!architecture->derives_head_dim)
        return config_read_size(reader, "head_dim", derived, &config->head_dim,
                                &config->from[CONFIG_HEAD_DIM], error);
    bool differs = architecture->latent == LATENT_NEVER && stated != NULL &&
                   json_read_count(stated, &found) && found != derived;
    if (!differs || architecture->rope == ROPE_RULE_NONE || architecture->rotary_dims_key != NULL)
        return STATUS_OK;
    return status_fail(error, STATUS_UNSUPPORTED, /* transformers would turn by it */
                       "%s: a head_dim that is not hidden_size by num_attention_heads is not known",
                       reader->origin);
}

static Status read_heads(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    Status status = read_kv_heads(reader, config, error);
    if (status == STATUS_OK) status = read_head_dim(reader, config, error);
    config->whole = config->sliding = (LayerHeads){config->kv_heads, config->head_dim};
    if (status == STATUS_OK && architecture->whole_heads && config->hidden_size % config->heads != 0)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected hidden_size (%" PRIu64
                           ") to be a multiple of num_attention_heads (%" PRIu64 ")",
                           reader->origin, config->hidden_size, config->heads);
    return status;
}

static Status check_heads(const ConfigReader *reader, const ModelConfig *config, Error *error) {
    const char *origin = reader->origin;
    if (config->head_dim == 0 || config->heads % config->kv_heads != 0)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected num_attention_heads (%" PRIu64
                           ") to be a multiple of num_key_value_heads "
                           "(%" PRIu64 ")",
                           origin, config->heads, config->kv_heads);
    if (config->heads * config->head_dim > CONFIG_LARGEST_SIZE) /* both are at most that: the product fits */
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected at most %d channels of attention, found %" PRIu64
                           " heads of %" PRIu64,
                           origin, CONFIG_LARGEST_SIZE, config->heads, config->head_dim);
    if (config->head_dim % 2 != 0 && config->architecture->rope != ROPE_RULE_NONE &&
        config->architecture->rotary_dims_key == NULL)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: head_dim %" PRIu64 " is odd: no rotary embedding",
                           origin, config->head_dim);
    return STATUS_OK;
}

/* A class has defaults for these too, but no model is meant to have them. */
static Status read_stated(const ConfigReader *reader, const char *key, uint64_t *value, Error *error) {
    const char *from;
    if (config_find_stated(reader, key) != NULL) return config_read_size(reader, key, 0, value, &from, error);
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a count from 1 to %d, found nothing",
                       reader->origin, key, CONFIG_LARGEST_SIZE);
}

/* Of a list of widths. */
static Status read_widest(const ConfigReader *reader, const char *key, ModelConfig *config, Error *error) {
    const cJSON *item, *list = config_find(reader, key);
    uint64_t width;
    bool is_right = (uint64_t)cJSON_GetArraySize(list) == config->layers;
    cJSON_ArrayForEach(item, list) {
        is_right = is_right && json_read_count(item, &width) && width > 0 && width <= CONFIG_LARGEST_SIZE;
        if (is_right && width > config->intermediate_size) config->intermediate_size = width;
    }
    return is_right ? STATUS_OK
                    : status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a count for each layer",
                                  reader->origin, key);
}

/* Of the MLP. */
static Status read_width(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    if (architecture->mlp == MLP_NONE) return STATUS_OK;
    const char *key = architecture->width_key != NULL ? architecture->width_key : "intermediate_size", *from;
    if (architecture->has_widths && cJSON_IsArray(config_find(reader, key)))
        return read_widest(reader, key, config, error);
    if (!architecture->is_four_wide) return read_stated(reader, key, &config->intermediate_size, error);
    config->intermediate_size = 4 * config->hidden_size;
    const cJSON *stated = architecture->width_key != NULL ? config_find_stated(reader, key) : NULL;
    if (stated == NULL || cJSON_IsNull(stated)) return STATUS_OK;
    return config_read_size(reader, key, 0, &config->intermediate_size, &from, error);
}

static Status read_positions(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    const char *key =
        architecture->positions_key != NULL ? architecture->positions_key : "max_position_embeddings";
    const cJSON *positions = config_find(reader, key);
    if (config_find_stated(reader, key) != NULL) config->from[CONFIG_POSITIONS] = key;
    if (positions != NULL && !json_read_count(positions, &config->max_positions))
        config->max_positions = 0; /* nobody minds a -1 */
    config->positions = architecture->positions;
    config->position_offset = architecture->position_offset;
    bool is_usable = config->max_positions > 0 && config->max_positions <= CONFIG_LARGEST_SIZE;
    if (config->positions != POSITIONS_LEARNED || is_usable) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a count from 1 to %d", reader->origin,
                       key, CONFIG_LARGEST_SIZE);
}

/* Where a layer is one block, there are as many as its list or its letters have. */
static Status read_layers(const ConfigReader *reader, ModelConfig *config, Error *error) {
    if (config->architecture->layers != LAYERS_SINGLE)
        return read_stated(reader, "num_hidden_layers", &config->layers, error);
    const cJSON *types = config_find(reader, "layer_types");
    const char *pattern = config_text(reader, CONFIG_PATTERN);
    if (cJSON_IsArray(types))
        config->layers = (uint64_t)cJSON_GetArraySize(types);
    else if (types == NULL && pattern != NULL)
        config->layers = strlen(pattern);
    if (config->layers > 0) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"layer_types\" or \"%s\", found neither",
                       reader->origin, CONFIG_PATTERN);
}

/* So many times the key heads. */
static Status read_multiple(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const char *from;
    uint64_t factor;
    Status status = config_read_size(reader, "num_key_value_heads", 0, &config->kv_heads, &from, error);
    if (status == STATUS_OK)
        status = config_read_size(reader, config->architecture->heads_factor_key, 0, &factor, &from, error);
    if (status == STATUS_OK) config->heads = config->kv_heads * factor; /* both are at most 2³⁰ */
    return status;
}

static Status read_attention(const ConfigReader *reader, ModelConfig *config, Error *error) {
    Status status = config->architecture->heads_factor_key != NULL
                        ? read_multiple(reader, config, error)
                        : read_stated(reader, "num_attention_heads", &config->heads, error);
    if (status == STATUS_OK) status = read_heads(reader, config, error);
    if (status == STATUS_OK) status = config_read_latent(reader, config, error);
    return status == STATUS_OK ? check_heads(reader, config, error) : status;
}

/* A row of the embedding, or one from its end: torch makes no other (Embedding's padding_idx). */
static Status check_padding(const ConfigReader *reader, const ModelConfig *config, Error *error) {
    const cJSON *padding = config_find(reader, "pad_token_id");
    double rows = (double)architecture_embedding_rows(config);
    if (config->architecture->has_no_padding || !cJSON_IsNumber(padding)) return STATUS_OK;
    if (padding->valuedouble >= -rows && padding->valuedouble < rows) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "%s: expected \"pad_token_id\" to be one of %.17g rows of the embedding, found %.17g: "
                       "transformers cannot load it",
                       reader->origin, rows, padding->valuedouble);
}

Status config_read_sizes(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const char *hidden = config->architecture->hidden_key;
    const cJSON *other = hidden != NULL ? config_find_stated(reader, hidden) : NULL;
    struct {
        const char *key;
        uint64_t *value;
    } sizes[] = {
        {other != NULL && !cJSON_IsNull(other) ? hidden : "hidden_size", &config->hidden_size},
        {"vocab_size", &config->vocabulary},
    };
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && status == STATUS_OK; i++)
        status = read_stated(reader, sizes[i].key, sizes[i].value, error);
    if (status == STATUS_OK) status = check_padding(reader, config, error);
    if (status == STATUS_OK) status = read_layers(reader, config, error);
    if (status == STATUS_OK) status = read_width(reader, config, error);
    if (status == STATUS_OK && !config->architecture->lacks_attention)
        status = read_attention(reader, config, error);
    if (status == STATUS_OK) status = read_positions(reader, config, error);
    if (status == STATUS_OK && config->layers > MODEL_MAX_LAYERS)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: expected at most %d layers, found %" PRIu64,
                           reader->origin, MODEL_MAX_LAYERS, config->layers);
    return status;
}
