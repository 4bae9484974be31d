#include "core/checkpoint/config_internal.h"
#include "core/support/memory.h"

#include <math.h>
#include <string.h>

/* What is DeepSeek-V4's own: compressed keys, hyper-connections, tables of experts, two rotary embeddings. */

static Status refuse(const ConfigReader *reader, const char *key, const char *expected, Error *error) {
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be %s", reader->origin, key, expected);
}

/* ---- sizes ---- */

static Status read_connections(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char COUNT[] = "hc_mult", EPSILON[] = "hc_eps";
    const char *from;
    Status status = config_read_size(reader, COUNT, 0, &config->connections, &from, error);
    if (status == STATUS_OK)
        status = config_read_count(reader, "hc_sinkhorn_iters", &config->connection_rounds, error);
    if (status != STATUS_OK) return status;
    config->connection_epsilon = config_number(reader, EPSILON, 1e-6);
    if (config->connections > MODEL_MAX_CONNECTIONS) return refuse(reader, COUNT, "1 to 16", error);
    if (config->connection_rounds > 1000) return refuse(reader, "hc_sinkhorn_iters", "at most 1000", error);
    return config->connection_epsilon >= 0.0 && isfinite(config->connection_epsilon)
               ? STATUS_OK
               : refuse(reader, EPSILON, "a number from 0", error);
}

static Status read_output(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char GROUPS[] = "o_groups";
    const char *from;
    Status status = config_read_size(reader, GROUPS, 0, &config->output_groups, &from, error);
    if (status == STATUS_OK)
        status = config_read_size(reader, "o_lora_rank", 0, &config->output_rank, &from, error);
    if (status != STATUS_OK) return status;
    if (config->output_rank > CONFIG_LARGEST_SIZE / config->output_groups)
        return refuse(reader, "o_lora_rank", "a smaller count", error);
    return config->heads * config->head_dim % config->output_groups == 0
               ? STATUS_OK
               : refuse(reader, GROUPS, "a divisor of all channels of attention", error);
}

static const char SPARSE[] = "compressed_sparse_attention", HEAVY[] = "heavily_compressed_attention";

/* Older files state it by a key of its own, which counts. */
static Status read_rate(const ConfigReader *reader, const char *type, const char *old, uint64_t usual,
                        uint64_t *rate, Error *error) {
    static const char RATES[] = "compress_rates";
    const cJSON *rates = config_find(reader, RATES), *item = json_find(reader->json, old);
    if (item == NULL && rates == NULL) {
        *rate = usual;
        return STATUS_OK;
    }
    if (item == NULL) item = json_find_any(rates, type);
    return json_read_count(item, rate) && *rate > 0 && *rate <= CONFIG_LARGEST_SIZE
               ? STATUS_OK
               : refuse(reader, RATES, "a count from 1 for each kind of layer", error);
}

static Status read_sparse_rate(const ConfigReader *reader, uint64_t *rate, Error *error) {
    return read_rate(reader, SPARSE, "compress_rate_csa", 4, rate, error);
}

/* ---- layers ---- */

/* A list's entry of a layer; it may be longer than there are layers. */
static Status find_entry(const ConfigReader *reader, const ModelConfig *config, const char *key,
                         uint64_t layer, const cJSON **entry, Error *error) {
    const cJSON *list = config_find(reader, key);
    *entry = NULL;
    if (list == NULL) return STATUS_OK;
    if (!cJSON_IsArray(list) || (uint64_t)cJSON_GetArraySize(list) < config->layers)
        return refuse(reader, key, "one for each layer", error);
    *entry = cJSON_GetArrayItem(list, (int)layer);
    return STATUS_OK;
}

static bool is_text(const cJSON *item, const char *text) {
    return cJSON_IsString(item) && strcmp(item->valuestring, text) == 0;
}

/* Where nothing says, two that compress heavily, then by turns. */
static Status read_type(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                        const char **type, Error *error) {
    static const char SLIDING[] = "sliding_attention";
    static const struct {
        const char *type;
        uint64_t ratio; /* as older files have it */
    } TYPES[] = {{SLIDING, 0}, {SPARSE, 4}, {HEAVY, 128}};
    const cJSON *named, *ratio = NULL;
    uint64_t found = 0;
    Status status = find_entry(reader, config, "layer_types", layer, &named, error);
    if (status == STATUS_OK && named == NULL)
        status = find_entry(reader, config, "compress_ratios", layer, &ratio, error);
    if (status != STATUS_OK) return status;
    *type = layer < 2 || layer % 2 == 0 ? HEAVY : SPARSE;
    if (named == NULL && ratio == NULL) return STATUS_OK;
    bool has_ratio = ratio != NULL && json_read_count(ratio, &found);
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        *type = TYPES[i].type;
        if (named != NULL ? is_text(named, *type) : has_ratio && found == TYPES[i].ratio) return STATUS_OK;
    }
    return refuse(reader, named != NULL ? "layer_types" : "compress_ratios",
                  "what DeepSeek-V4 has of each layer", error);
}

/* Where nothing says, the first three. */
static Status read_hashing(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                           bool *is_hashed, Error *error) {
    static const char TYPES[] = "mlp_layer_types", COUNT[] = "num_hash_layers";
    const cJSON *type, *stated = json_find(reader->json, COUNT);
    uint64_t count = 3;
    Status status = find_entry(reader, config, TYPES, layer, &type, error);
    if (status != STATUS_OK) return status;
    if (type == NULL && stated != NULL && !json_read_count(stated, &count))
        return refuse(reader, COUNT, "a count", error);
    *is_hashed = type != NULL ? is_text(type, "hash_moe") : layer < count;
    return type == NULL || *is_hashed || is_text(type, "moe")
               ? STATUS_OK
               : refuse(reader, TYPES, "\"hash_moe\" or \"moe\" for each layer", error);
}

Status config_read_deepseek4_layer(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                                   LayerPlan *plan, Error *error) {
    const char *type;
    Status status = read_type(reader, config, layer, &type, error);
    if (status == STATUS_OK) status = read_hashing(reader, config, layer, &plan->is_hashed, error);
    if (status != STATUS_OK) return status;
    plan->overlaps = type == SPARSE;
    plan->rope = type == SPARSE || type == HEAVY ? 1 : 0;
    if (plan->rope == 0) return STATUS_OK;
    for (int part = TENSOR_PART_COMPRESSOR_KEY; part <= TENSOR_PART_COMPRESSOR_NORM; part++)
        part_set_add(&plan->parts, (TensorPart)part, true);
    return plan->overlaps ? read_sparse_rate(reader, &plan->rate, error)
                          : read_rate(reader, HEAVY, "compress_rate_hca", 128, &plan->rate, error);
}

/* Of texts of no more all entries are chosen. */
static Status read_longest(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char CHOSEN[] = "index_topk";
    const char *type, *from;
    uint64_t rate = 0, chosen;
    for (uint64_t layer = 0; layer < config->layers; layer++) {
        Status status = read_type(reader, config, layer, &type, error);
        if (status == STATUS_OK && type == SPARSE) status = read_sparse_rate(reader, &rate, error);
        if (status != STATUS_OK) return status;
    }
    if (rate == 0) return STATUS_OK;
    Status status = config_read_size(reader, CHOSEN, 0, &chosen, &from, error);
    config->sparse_key = CHOSEN;
    config->sparse_from = (chosen + 1) * rate - 1; /* both are at most 2³⁰ */
    return status;
}

Status config_prepare_deepseek4(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const char *from;
    config->kv_heads = 1;
    config->whole = config->sliding = (LayerHeads){1, config->head_dim};
    Status status = config_read_size(reader, "q_lora_rank", 0, &config->latent.query, &from, error);
    if (status == STATUS_OK) status = read_connections(reader, config, error);
    if (status == STATUS_OK) status = read_output(reader, config, error);
    return status == STATUS_OK ? read_longest(reader, config, error) : status;
}

/* ---- rotary embeddings ---- */

/* The share of a head that turns. */
static double read_share(const ConfigReader *reader, const ModelConfig *config) {
    const cJSON *old = json_find(reader->json, "qk_rope_head_dim");
    double otherwise = cJSON_IsNumber(old) ? old->valuedouble / (double)config->head_dim : 64.0 / 512.0;
    return config_number(reader, "partial_rotary_factor", otherwise);
}

static bool set_number(cJSON *object, const char *name, double value) {
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    return json_add_number(object, name, value);
}

/* Both of parameters that are those of one: the layers that compress have them, and a base of their own; all others turn
 * plainly. */
static Status part_parameters(const ConfigReader *reader, const ModelConfig *config, const cJSON *flat,
                              cJSON *objects[2], Error *error) {
    double share = read_share(reader, config);
    objects[0] = cJSON_CreateObject();
    objects[1] = flat != NULL ? cJSON_Duplicate(flat, true) : cJSON_CreateObject();
    bool complete = objects[0] != NULL && objects[1] != NULL;
    complete = complete &&
               set_number(objects[0], "rope_theta", config_number(reader, "rope_theta", 10000.0)) &&
               set_number(objects[0], "partial_rotary_factor", share) &&
               set_number(objects[1], "rope_theta", config_number(reader, "compress_rope_theta", 160000.0)) &&
               set_number(objects[1], "partial_rotary_factor", share);
    const cJSON *kind = json_find(objects[1], "rope_type");
    if (kind == NULL) kind = json_find(objects[1], "type");
    if (complete && is_text(kind, "yarn") && json_find_any(objects[1], "attention_factor") == NULL)
        complete = set_number(objects[1], "attention_factor", 1.0);
    return complete ? STATUS_OK : memory_fail(error, "rotary parameters");
}

/* Parameters of each kind; what one of them leaves out stands beside them. */
static Status copy_parameters(const ConfigReader *reader, const cJSON *all, cJSON *objects[2], Error *error) {
    static const char *const KINDS[] = {"main", "compress"};
    static const char SHARE[] = "partial_rotary_factor", THETA[] = "rope_theta";
    const cJSON *share = config_find(reader, SHARE);
    for (int i = 0; i < 2; i++) {
        objects[i] = cJSON_Duplicate(json_find(all, KINDS[i]), true);
        bool complete = objects[i] != NULL;
        if (complete && json_find_any(objects[i], THETA) == NULL)
            complete = set_number(objects[i], THETA, config_number(reader, THETA, 10000.0));
        if (complete && json_find_any(objects[i], SHARE) == NULL) {
            if (!cJSON_IsNumber(share)) return refuse(reader, SHARE, "a number for each kind", error);
            complete = set_number(objects[i], SHARE, share->valuedouble);
        }
        if (!complete) return memory_fail(error, "rotary parameters");
    }
    return STATUS_OK;
}

static Status read_rope(const ConfigReader *reader, ModelConfig *config, const cJSON *object, Rope *rope,
                        Error *error) {
    Status status = config_read_rope(reader, config, object, rope, error);
    if (status != STATUS_OK) return status;
    if (rope->longest > 0 || rope->dims / 2 > ROPE_MOST_FACTORS)
        return status_fail(
            error, STATUS_UNSUPPORTED,
            "%s: a rotary embedding of deepseek_v4 that depends on the text's length, or turns "
            "more than %d channels, is not known",
            reader->origin, 2 * ROPE_MOST_FACTORS);
    return STATUS_OK;
}

/* The indexer's heads turn as those of layers that compress. */
static Status check_indexer(const ConfigReader *reader, const ModelConfig *config, Error *error) {
    static const char SIZE[] = "index_head_dim";
    const char *from;
    uint64_t size;
    if (config->sparse_from == 0) return STATUS_OK;
    Status status = config_read_size(reader, SIZE, 0, &size, &from, error);
    if (status != STATUS_OK || size >= config->ropes[1].dims) return status;
    return refuse(reader, SIZE, "at least what turns of a head", error);
}

Status config_read_compressed_ropes(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const cJSON *all = json_find(reader->json, "rope_scaling");
    cJSON *objects[2] = {NULL, NULL};
    if (!cJSON_IsObject(all) || all->child == NULL) all = json_find(reader->json, "rope_parameters");
    if (all != NULL && !cJSON_IsObject(all))
        return refuse(reader, "rope_parameters", "an object or null", error);
    bool are_parted = cJSON_IsObject(json_find(all, "main")) && cJSON_IsObject(json_find(all, "compress"));
    Status status = are_parted ? copy_parameters(reader, all, objects, error)
                               : part_parameters(reader, config, all, objects, error);
    config->rope_count = 2;
    for (int i = 0; i < 2 && status == STATUS_OK; i++)
        status = read_rope(reader, config, objects[i], &config->ropes[i], error);
    cJSON_Delete(objects[0]);
    cJSON_Delete(objects[1]);
    return status == STATUS_OK ? check_indexer(reader, config, error) : status;
}
