#include "core/checkpoint/architecture.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the tables ---- */

/* When a model has a bias: never, always, or if config.json sets the key to true. */
typedef struct BiasRule {
    bool always;
    const char *key;
} BiasRule;

/* Which layers slide: none, all of them, or Qwen's (use_sliding_window, and only from max_window_layers on).
 */
typedef enum WindowRule { WINDOW_NEVER, WINDOW_EVERYWHERE, WINDOW_QWEN } WindowRule;

struct Architecture {
    const char *model_type;
    BiasRule qkv_bias, o_bias, mlp_bias;
    bool qk_norm;
    WindowRule window;
    /* what the configuration class assumes where config.json is silent; 0: derived from the other sizes */
    uint64_t default_kv_heads, default_head_dim, default_window;
};

static const Architecture ARCHITECTURES[] = {
    {.model_type = "llama",
     .qkv_bias = {.key = "attention_bias"},
     .o_bias = {.key = "attention_bias"},
     .mlp_bias = {.key = "mlp_bias"}},
    {.model_type = "mistral", .window = WINDOW_EVERYWHERE, .default_kv_heads = 8, .default_window = 4096},
    {.model_type = "qwen2",
     .qkv_bias = {.always = true},
     .window = WINDOW_QWEN,
     .default_kv_heads = 32,
     .default_window = 4096},
    {.model_type = "qwen3",
     .qkv_bias = {.key = "attention_bias"},
     .o_bias = {.key = "attention_bias"},
     .qk_norm = true,
     .window = WINDOW_QWEN,
     .default_kv_heads = 32,
     .default_head_dim = 128,
     .default_window = 4096},
};

/* What the models that run call their tensors; for layered ones after "model.layers.N.". */
static const char *const NAMES[TENSOR_ROLE_COUNT] = {
    [TENSOR_EMBEDDING] = "model.embed_tokens.weight",
    [TENSOR_ATTENTION_NORM] = "input_layernorm.weight",
    [TENSOR_Q] = "self_attn.q_proj.weight",
    [TENSOR_K] = "self_attn.k_proj.weight",
    [TENSOR_V] = "self_attn.v_proj.weight",
    [TENSOR_O] = "self_attn.o_proj.weight",
    [TENSOR_Q_BIAS] = "self_attn.q_proj.bias",
    [TENSOR_K_BIAS] = "self_attn.k_proj.bias",
    [TENSOR_V_BIAS] = "self_attn.v_proj.bias",
    [TENSOR_O_BIAS] = "self_attn.o_proj.bias",
    [TENSOR_Q_NORM] = "self_attn.q_norm.weight",
    [TENSOR_K_NORM] = "self_attn.k_norm.weight",
    [TENSOR_MLP_NORM] = "post_attention_layernorm.weight",
    [TENSOR_GATE] = "mlp.gate_proj.weight",
    [TENSOR_UP] = "mlp.up_proj.weight",
    [TENSOR_DOWN] = "mlp.down_proj.weight",
    [TENSOR_GATE_BIAS] = "mlp.gate_proj.bias",
    [TENSOR_UP_BIAS] = "mlp.up_proj.bias",
    [TENSOR_DOWN_BIAS] = "mlp.down_proj.bias",
    [TENSOR_FINAL_NORM] = "model.norm.weight",
    [TENSOR_HEAD] = "lm_head.weight",
};

static const char LAYER_PREFIX[] = "model.layers.";

static const struct {
    const char *name;
    Activation activation;
} ACTIVATIONS[] = {
    {"silu", ACTIVATION_SILU},          {"swish", ACTIVATION_SILU},
    {"gelu", ACTIVATION_GELU},          {"gelu_pytorch_tanh", ACTIVATION_GELU_TANH},
    {"gelu_new", ACTIVATION_GELU_TANH}, {"relu", ACTIVATION_RELU},
};

static const struct {
    const char *name;
    RopeKind kind;
} ROPES[] = {{"default", ROPE_DEFAULT}, {"linear", ROPE_LINEAR}, {"llama3", ROPE_LLAMA3}};

/* Switches of config.json that change the computation and that no row of the table implements: present and
 * not null, false or the harmless value, they are refused by name rather than ignored. */
static const struct {
    const char *key;
    double harmless;
} REFUSED_SWITCHES[] = {
    {"attn_logit_softcapping", NAN},
    {"final_logit_softcapping", NAN},
    {"partial_rotary_factor", 1.0},
    {"embedding_multiplier", 1.0},
    {"residual_multiplier", 1.0},
    {"attention_multiplier", NAN},
    {"logits_scaling", 1.0},
    {"logit_scale", 1.0},
    {"num_local_experts", 0.0},
    {"num_experts", 0.0},
    {"attention_chunk_size", NAN},
    {"query_pre_attn_scalar", NAN},
};

/* ---- reading config.json ---- */

/* No dimension of a model comes near; products of two fit 64 bits, and each fits the ints of BLAS. */
enum { LARGEST_SIZE = 1 << 30 };

static Status read_size(const cJSON *json, const char *key, uint64_t fallback, const char *origin,
                        uint64_t *value, Error *error) {
    const cJSON *item = json_find(json, key);
    if (item == NULL && fallback > 0) {
        *value = fallback;
        return STATUS_OK;
    }
    if (!json_read_count(item, value) || *value == 0 || *value > LARGEST_SIZE)
        return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a count from 1 to %d, found %s",
                           origin, key, LARGEST_SIZE, item == NULL ? "nothing" : "something else");
    return STATUS_OK;
}

static Status read_sizes(const cJSON *json, const char *origin, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    struct {
        const char *key;
        uint64_t fallback, *value;
    } sizes[] = {
        {"hidden_size", 0, &config->hidden_size},   {"num_hidden_layers", 0, &config->layers},
        {"num_attention_heads", 0, &config->heads}, {"intermediate_size", 0, &config->intermediate_size},
        {"vocab_size", 0, &config->vocabulary},
    };
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && status == STATUS_OK; i++)
        status = read_size(json, sizes[i].key, sizes[i].fallback, origin, sizes[i].value, error);
    if (status != STATUS_OK) return status;
    uint64_t kv_heads = architecture->default_kv_heads ? architecture->default_kv_heads : config->heads;
    uint64_t head_dim =
        architecture->default_head_dim ? architecture->default_head_dim : config->hidden_size / config->heads;
    status = read_size(json, "num_key_value_heads", kv_heads, origin, &config->kv_heads, error);
    if (status == STATUS_OK) status = read_size(json, "head_dim", head_dim, origin, &config->head_dim, error);
    if (status != STATUS_OK) return status;
    if (config->heads % config->kv_heads != 0)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected num_attention_heads (%" PRIu64
                           ") to be a multiple of num_key_value_heads "
                           "(%" PRIu64 ")",
                           origin, config->heads, config->kv_heads);
    if (config->heads * config->head_dim > LARGEST_SIZE) /* both are at most LARGEST_SIZE: the product fits */
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected at most %d channels of attention, found %" PRIu64
                           " heads of %" PRIu64,
                           origin, LARGEST_SIZE, config->heads, config->head_dim);
    if (config->head_dim % 2 != 0)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: head_dim %" PRIu64 " is odd: no rotary embedding",
                           origin, config->head_dim);
    uint64_t positions;
    config->max_positions =
        json_read_count(json_find(json, "max_position_embeddings"), &positions) ? positions : 0;
    return STATUS_OK;
}

/* transformers 4: "rope_theta" and "rope_scaling" (null, or an object with "rope_type" or "type");
 * transformers 5: both inside "rope_parameters". */
static Status read_rope(const cJSON *json, const char *origin, Rope *rope, Error *error) {
    const cJSON *parameters = json_find(json, "rope_parameters");
    const cJSON *scaling = parameters != NULL ? parameters : json_find(json, "rope_scaling");
    const char *kind = json_get_text(scaling, "rope_type", json_get_text(scaling, "type", "default"));
    if (scaling != NULL &&
        (!cJSON_IsObject(scaling) || (scaling->child != NULL && cJSON_IsObject(scaling->child))))
        return status_fail(error, STATUS_UNSUPPORTED,
                           "%s: rotary parameters for each kind of layer are not known", origin);
    size_t i = 0, count = sizeof ROPES / sizeof *ROPES;
    while (i < count && strcmp(kind, ROPES[i].name) != 0) i++;
    if (i == count)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: rotary kind \"%.60s\" is not known", origin, kind);
    double partial = json_get_number(scaling, "partial_rotary_factor", 1.0);
    if (partial != 1.0)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: partial_rotary_factor %g is not known", origin,
                           partial);
    rope->kind = ROPES[i].kind;
    rope->theta = json_get_number(parameters, "rope_theta", json_get_number(json, "rope_theta", 10000.0));
    rope->factor = json_get_number(scaling, "factor", rope->kind == ROPE_DEFAULT ? 1.0 : NAN);
    bool is_llama3 = rope->kind == ROPE_LLAMA3;
    rope->low_frequency = json_get_number(scaling, "low_freq_factor", is_llama3 ? NAN : 1.0);
    rope->high_frequency = json_get_number(scaling, "high_freq_factor", is_llama3 ? NAN : 1.0);
    rope->original_length =
        json_get_number(scaling, "original_max_position_embeddings", is_llama3 ? NAN : 1.0);
    if (!(rope->theta > 0 && rope->factor > 0 && rope->low_frequency > 0 && rope->high_frequency > 0 &&
          rope->original_length > 0) ||
        (is_llama3 && rope->high_frequency <= rope->low_frequency))
        return status_fail(error, STATUS_FORMAT,
                           "%s: the parameters of rotary kind \"%s\" are missing or not positive", origin,
                           kind);
    return STATUS_OK;
}

static Status read_activation(const cJSON *json, const char *origin, Activation *activation, Error *error) {
    const char *name = json_get_text(json, "hidden_act", json_get_text(json, "hidden_activation", "silu"));
    for (size_t i = 0; i < sizeof ACTIVATIONS / sizeof *ACTIVATIONS; i++) {
        if (strcmp(name, ACTIVATIONS[i].name) == 0) {
            *activation = ACTIVATIONS[i].activation;
            return STATUS_OK;
        }
    }
    return status_fail(error, STATUS_UNSUPPORTED, "%s: activation \"%.60s\" is not known", origin, name);
}

/* "layer_types" (transformers 5) is the truth where it is there; it must be a run of one kind after another.
 */
static Status read_layer_types(const cJSON *types, const char *origin, ModelConfig *config, Error *error) {
    uint64_t layer = 0, first = UINT64_MAX, last = 0, sliding = 0;
    const cJSON *type;
    cJSON_ArrayForEach(type, types) {
        const char *name = cJSON_IsString(type) ? type->valuestring : "?";
        if (strcmp(name, "sliding_attention") == 0) {
            if (first == UINT64_MAX) first = layer;
            last = layer + 1;
            sliding++;
        } else if (strcmp(name, "full_attention") != 0) {
            return status_fail(error, STATUS_UNSUPPORTED, "%s: layer type \"%.60s\" is not known", origin,
                               name);
        }
        layer++;
    }
    if (layer != config->layers)
        return status_fail(error, STATUS_FORMAT, "%s: expected %" PRIu64 " layer_types, found %" PRIu64,
                           origin, config->layers, layer);
    if (sliding > 0 && last - first != sliding)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: layer types that alternate are not known", origin);
    if (sliding > 0 && config->window == 0)
        return status_fail(error, STATUS_FORMAT, "%s: layers slide, but there is no sliding_window", origin);
    config->first_sliding_layer = sliding > 0 ? first : 0;
    config->last_sliding_layer = last;
    return STATUS_OK;
}

static Status read_window(const cJSON *json, const char *origin, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    if (architecture->window == WINDOW_NEVER) return STATUS_OK;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, "sliding_window");
    if (item == NULL)
        config->window = architecture->default_window;
    else if (!cJSON_IsNull(item) && !json_read_count(item, &config->window))
        return status_fail(error, STATUS_FORMAT, "%s: expected \"sliding_window\" to be a count or null",
                           origin);
    bool on = architecture->window == WINDOW_EVERYWHERE || json_get_bool(json, "use_sliding_window", false);
    if (!on) config->window = 0;
    const cJSON *types = json_find(json, "layer_types");
    if (cJSON_IsArray(types) && architecture->window == WINDOW_QWEN)
        return read_layer_types(types, origin, config, error);
    config->last_sliding_layer = config->window > 0 ? config->layers : 0;
    uint64_t from;
    if (architecture->window == WINDOW_QWEN && json_read_count(json_find(json, "max_window_layers"), &from))
        config->first_sliding_layer = from < config->last_sliding_layer ? from : config->last_sliding_layer;
    return STATUS_OK;
}

static bool has_bias(const cJSON *json, BiasRule rule) {
    return rule.always || (rule.key != NULL && json_get_bool(json, rule.key, false));
}

static void read_roles(const cJSON *json, ModelConfig *config) {
    const Architecture *architecture = config->architecture;
    static const TensorRole ALWAYS[] = {
        TENSOR_EMBEDDING, TENSOR_ATTENTION_NORM, TENSOR_Q,  TENSOR_K,    TENSOR_V,         TENSOR_O,
        TENSOR_MLP_NORM,  TENSOR_GATE,           TENSOR_UP, TENSOR_DOWN, TENSOR_FINAL_NORM};
    for (size_t i = 0; i < sizeof ALWAYS / sizeof *ALWAYS; i++) config->roles[ALWAYS[i]] = true;
    config->roles[TENSOR_Q_BIAS] = config->roles[TENSOR_K_BIAS] = config->roles[TENSOR_V_BIAS] =
        has_bias(json, architecture->qkv_bias);
    config->roles[TENSOR_O_BIAS] = has_bias(json, architecture->o_bias);
    config->roles[TENSOR_GATE_BIAS] = config->roles[TENSOR_UP_BIAS] = config->roles[TENSOR_DOWN_BIAS] =
        has_bias(json, architecture->mlp_bias);
    config->roles[TENSOR_Q_NORM] = config->roles[TENSOR_K_NORM] = architecture->qk_norm;
    config->tied_head = json_get_bool(json, "tie_word_embeddings", false);
    config->roles[TENSOR_HEAD] = !config->tied_head;
}

static void read_eos(const cJSON *json, ModelConfig *config) {
    const cJSON *eos = json_find(json, "eos_token_id");
    uint64_t id;
    if (json_read_count(eos, &id) && id <= INT32_MAX) {
        config->eos[config->eos_count++] = (int32_t)id;
    } else if (cJSON_IsArray(eos)) {
        const cJSON *item;
        cJSON_ArrayForEach(item, eos) {
            if (config->eos_count < MODEL_MAX_EOS && json_read_count(item, &id) && id <= INT32_MAX)
                config->eos[config->eos_count++] = (int32_t)id;
        }
    }
}

static Status refuse_switches(const cJSON *json, const char *origin, Error *error) {
    for (size_t i = 0; i < sizeof REFUSED_SWITCHES / sizeof *REFUSED_SWITCHES; i++) {
        const cJSON *item = json_find(json, REFUSED_SWITCHES[i].key);
        if (item == NULL || cJSON_IsFalse(item)) continue;
        if (cJSON_IsNumber(item) && item->valuedouble == REFUSED_SWITCHES[i].harmless) continue;
        return status_fail(error, STATUS_UNSUPPORTED, "%s: \"%s\" is not known", origin,
                           REFUSED_SWITCHES[i].key);
    }
    return STATUS_OK;
}

static const Architecture *find_architecture(const char *model_type) {
    for (size_t i = 0; i < sizeof ARCHITECTURES / sizeof *ARCHITECTURES; i++) {
        if (strcmp(model_type, ARCHITECTURES[i].model_type) == 0) return &ARCHITECTURES[i];
    }
    return NULL;
}

static Status refuse_model_type(const char *model_type, const char *origin, Error *error) {
    char known[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof ARCHITECTURES / sizeof *ARCHITECTURES && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
                                 ARCHITECTURES[i].model_type);
    return status_fail(error, STATUS_UNSUPPORTED, "%s: model type \"%.60s\" is not known (known: %s)", origin,
                       model_type, known);
}

Status architecture_read_config(const cJSON *json, const char *origin, ModelConfig *config, Error *error) {
    memset(config, 0, sizeof *config);
    const char *model_type = json_get_text(json, "model_type", NULL);
    if (model_type == NULL) return status_fail(error, STATUS_FORMAT, "%s: expected a \"model_type\"", origin);
    config->architecture = find_architecture(model_type);
    if (config->architecture == NULL) return refuse_model_type(model_type, origin, error);
    Status status = refuse_switches(json, origin, error);
    if (status == STATUS_OK) status = read_sizes(json, origin, config, error);
    if (status == STATUS_OK) status = read_rope(json, origin, &config->rope, error);
    if (status == STATUS_OK) status = read_activation(json, origin, &config->activation, error);
    if (status == STATUS_OK) status = read_window(json, origin, config, error);
    if (status != STATUS_OK) return status;
    config->norm_epsilon = json_get_number(json, "rms_norm_eps", 1e-6);
    if (!(config->norm_epsilon >= 0))
        return status_fail(error, STATUS_FORMAT, "%s: expected \"rms_norm_eps\" to be positive", origin);
    read_roles(json, config);
    read_eos(json, config);
    return STATUS_OK;
}

/* ---- names and shapes ---- */

bool architecture_name_tensor(TensorRole role, int layer, char *name, size_t size) {
    if (NAMES[role] == NULL) return false;
    int length = tensor_role_is_layered(role)
                     ? snprintf(name, size, "%s%d.%s", LAYER_PREFIX, layer, NAMES[role])
                     : snprintf(name, size, "%s", NAMES[role]);
    return length >= 0 && (size_t)length < size;
}

void architecture_shape(const ModelConfig *config, TensorRole role, uint64_t *rows, uint64_t *columns) {
    uint64_t hidden = config->hidden_size, middle = config->intermediate_size;
    uint64_t query = config->heads * config->head_dim, key = config->kv_heads * config->head_dim;
    struct {
        uint64_t rows, columns;
    } const shapes[TENSOR_ROLE_COUNT] = {
        [TENSOR_OTHER] = {0, 0},
        [TENSOR_EMBEDDING] = {config->vocabulary, hidden},
        [TENSOR_ATTENTION_NORM] = {hidden, 0},
        [TENSOR_Q] = {query, hidden},
        [TENSOR_K] = {key, hidden},
        [TENSOR_V] = {key, hidden},
        [TENSOR_O] = {hidden, query},
        [TENSOR_Q_BIAS] = {query, 0},
        [TENSOR_K_BIAS] = {key, 0},
        [TENSOR_V_BIAS] = {key, 0},
        [TENSOR_O_BIAS] = {hidden, 0},
        [TENSOR_Q_NORM] = {config->head_dim, 0},
        [TENSOR_K_NORM] = {config->head_dim, 0},
        [TENSOR_MLP_NORM] = {hidden, 0},
        [TENSOR_GATE] = {middle, hidden},
        [TENSOR_UP] = {middle, hidden},
        [TENSOR_DOWN] = {hidden, middle},
        [TENSOR_GATE_BIAS] = {middle, 0},
        [TENSOR_UP_BIAS] = {middle, 0},
        [TENSOR_DOWN_BIAS] = {hidden, 0},
        [TENSOR_FINAL_NORM] = {hidden, 0},
        [TENSOR_HEAD] = {config->vocabulary, hidden},
    };
    *rows = shapes[role].rows;
    *columns = shapes[role].columns;
}

const char *architecture_name(const Architecture *architecture) {
    return architecture == NULL ? "unknown" : architecture->model_type;
}

const char *architecture_activation_name(Activation activation) {
    for (size_t i = 0; i < sizeof ACTIVATIONS / sizeof *ACTIVATIONS; i++) {
        if (ACTIVATIONS[i].activation == activation) return ACTIVATIONS[i].name;
    }
    return "?";
}

const char *architecture_rope_name(RopeKind kind) {
    return ROPES[kind].name;
}

bool architecture_slides(const ModelConfig *config, uint64_t layer) {
    return config->window > 0 && layer >= config->first_sliding_layer && layer < config->last_sliding_layer;
}
