#include "core/checkpoint/config_internal.h"
#include "core/checkpoint/head.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- the tables ---- */

/* When a model has a bias: never, always, or if config.json sets the key to true. */
typedef struct BiasRule {
    bool always;
    const char *key;
} BiasRule;

/* Which layers slide: none; all of them, or as "layer_types" says (Mistral; with it, transformers makes a Ministral of
 * it); Qwen's (use_sliding_window, and only from max_window_layers on, where no "layer_types" says). */
typedef enum WindowRule { WINDOW_NEVER, WINDOW_MISTRAL, WINDOW_QWEN } WindowRule;

struct Architecture {
    const char *model_type;
    ConfigFamily family;
    BiasRule qkv_bias, o_bias, mlp_bias;
    bool qk_norm;
    bool whole_heads; /* hidden_size must be a multiple of the heads */
    WindowRule window;
    /* what the configuration class assumes where config.json is silent; 0: derived from the other sizes */
    uint64_t default_kv_heads, default_head_dim, default_window, default_positions;
};

static const Architecture ARCHITECTURES[] = {
    {.model_type = "llama",
     .family = FAMILY_LLAMA,
     .qkv_bias = {.key = "attention_bias"},
     .o_bias = {.key = "attention_bias"},
     .mlp_bias = {.key = "mlp_bias"},
     .whole_heads = true,
     .default_positions = 2048},
    {.model_type = "mistral",
     .family = FAMILY_MISTRAL,
     .window = WINDOW_MISTRAL,
     .default_kv_heads = 8,
     .default_window = 4096,
     .default_positions = 131072},
    {.model_type = "qwen2",
     .family = FAMILY_QWEN2,
     .qkv_bias = {.always = true},
     .window = WINDOW_QWEN,
     .default_kv_heads = 32,
     .default_window = 4096,
     .default_positions = 32768},
    {.model_type = "qwen3",
     .family = FAMILY_QWEN3,
     .qkv_bias = {.key = "attention_bias"},
     .o_bias = {.key = "attention_bias"},
     .qk_norm = true,
     .window = WINDOW_QWEN,
     .default_kv_heads = 32,
     .default_head_dim = 128,
     .default_window = 4096,
     .default_positions = 32768},
};

/* The first name of an activation is the one that is shown. prelu and xielu have weights of their own. */
static const struct {
    const char *name;
    Activation activation;
} ACTIVATIONS[] = {
    {"silu", ACTIVATION_SILU},
    {"swish", ACTIVATION_SILU},
    {"gelu", ACTIVATION_GELU},
    {"gelu_python", ACTIVATION_GELU},
    {"gelu_pytorch_tanh", ACTIVATION_GELU_TANH},
    {"gelu_python_tanh", ACTIVATION_GELU_TANH},
    {"gelu_new", ACTIVATION_GELU_TANH},
    {"gelu_fast", ACTIVATION_GELU_TANH},
    {"gelu_accurate", ACTIVATION_GELU_TANH},
    {"quick_gelu", ACTIVATION_GELU_QUICK},
    {"gelu_10", ACTIVATION_GELU_CLIPPED},
    {"relu", ACTIVATION_RELU},
    {"relu6", ACTIVATION_RELU6},
    {"relu2", ACTIVATION_RELU_SQUARED},
    {"leaky_relu", ACTIVATION_RELU_LEAKY},
    {"hardswish", ACTIVATION_HARDSWISH},
    {"mish", ACTIVATION_MISH},
    {"sigmoid", ACTIVATION_SIGMOID},
    {"sqrtsoftplus", ACTIVATION_SOFTPLUS_ROOT},
    {"laplace", ACTIVATION_LAPLACE},
    {"linear", ACTIVATION_LINEAR},
    {"tanh", ACTIVATION_TANH},
};

/* Members of config.json that change the computation of these types, or hold the configuration that counts, and that
 * nothing here implements: present and not null or false, they are refused by name. (Keys that a type does not read,
 * such as llama's embedding_multiplier, do nothing in transformers either.) */
static const char *const REFUSED_SWITCHES[] = {
    "text_config",
    "per_layer_config",
    "use_return_dict",
};

/* ---- reading config.json ---- */

/* No dimension of a model comes near; products of two fit 64 bits, and each fits the ints of BLAS. */
enum { LARGEST_SIZE = 1 << 30 };

static Status read_size(const cJSON *json, const char *key, uint64_t fallback, const char *origin,
                        uint64_t *value, const char **from, Error *error) {
    const cJSON *item = json_find(json, key);
    if (item == NULL && fallback > 0) {
        *value = fallback;
        return STATUS_OK;
    }
    if (!json_read_count(item, value) || *value == 0 || *value > LARGEST_SIZE)
        return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a count from 1 to %d, found %s",
                           origin, key, LARGEST_SIZE, item == NULL ? "nothing" : "something else");
    *from = key;
    return STATUS_OK;
}

static Status read_heads(const cJSON *json, const char *origin, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    /* null is as many as heads; what is not there at all is the default of the class */
    bool is_silent = json_find_any(json, "num_key_value_heads") == NULL;
    uint64_t kv_heads =
        is_silent && architecture->default_kv_heads > 0 ? architecture->default_kv_heads : config->heads;
    uint64_t head_dim = architecture->default_head_dim > 0 ? architecture->default_head_dim
                                                           : config->hidden_size / config->heads;
    Status status = read_size(json, "num_key_value_heads", kv_heads, origin, &config->kv_heads,
                              &config->from[CONFIG_KV_HEADS], error);
    if (status == STATUS_OK)
        status = read_size(json, "head_dim", head_dim, origin, &config->head_dim,
                           &config->from[CONFIG_HEAD_DIM], error);
    if (status == STATUS_OK && architecture->whole_heads && config->hidden_size % config->heads != 0)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected hidden_size (%" PRIu64
                           ") to be a multiple of num_attention_heads (%" PRIu64 ")",
                           origin, config->hidden_size, config->heads);
    return status;
}

static Status check_heads(const char *origin, const ModelConfig *config, Error *error) {
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
    return STATUS_OK;
}

static Status read_sizes(const cJSON *json, const char *origin, ModelConfig *config, Error *error) {
    const char *stated;
    struct {
        const char *key;
        uint64_t *value;
    } sizes[] = {
        {"hidden_size", &config->hidden_size},   {"num_hidden_layers", &config->layers},
        {"num_attention_heads", &config->heads}, {"intermediate_size", &config->intermediate_size},
        {"vocab_size", &config->vocabulary},
    };
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && status == STATUS_OK; i++)
        status = read_size(json, sizes[i].key, 0, origin, sizes[i].value, &stated, error);
    if (status == STATUS_OK) status = read_heads(json, origin, config, error);
    if (status == STATUS_OK) status = check_heads(origin, config, error);
    const cJSON *positions = json_find(json, "max_position_embeddings");
    config->max_positions = config->architecture->default_positions;
    if (positions == NULL) return status;
    config->from[CONFIG_POSITIONS] = "max_position_embeddings";
    if (!json_read_count(positions, &config->max_positions))
        config->max_positions = 0; /* nobody minds a -1 */
    return status;
}

static Status read_activation(const cJSON *json, const char *origin, ModelConfig *config, Error *error) {
    const char *name = json_get_text(json, "hidden_act", NULL);
    if (name == NULL) return STATUS_OK; /* silu, of all */
    config->from[CONFIG_ACTIVATION] = "hidden_act";
    for (size_t i = 0; i < sizeof ACTIVATIONS / sizeof *ACTIVATIONS; i++) {
        if (strcmp(name, ACTIVATIONS[i].name) != 0) continue;
        config->activation = ACTIVATIONS[i].activation;
        return STATUS_OK;
    }
    return status_fail(error, STATUS_UNSUPPORTED, "%s: activation \"%.60s\" is not known", origin, name);
}

static Status read_epsilon(const cJSON *json, const char *origin, ModelConfig *config, Error *error) {
    const cJSON *item = json_find(json, "rms_norm_eps");
    config->norm_epsilon = item != NULL ? item->valuedouble : 1e-6;
    if (item != NULL) config->from[CONFIG_EPSILON] = "rms_norm_eps";
    double range = json_get_number(json, "initializer_range", 0.0);
    if (config->architecture->family == FAMILY_LLAMA && !(range >= 0.0 && range <= 1.0))
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected \"initializer_range\" to be from 0 to 1, found %g", origin, range);
    if (config->norm_epsilon >= 0 && config->norm_epsilon <= 1e6) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"rms_norm_eps\" to be positive", origin);
}

/* ---- which layers slide ---- */

static void slide(ModelConfig *config, uint64_t layer) {
    config->sliding[layer / 64] |= UINT64_C(1) << (layer % 64);
}

static Status refuse_count(uint64_t found, const char *origin, const ModelConfig *config, Error *error) {
    return status_fail(error, STATUS_FORMAT, "%s: expected %" PRIu64 " layer_types, found %" PRIu64, origin,
                       config->layers, found);
}

static Status read_layer_types(const cJSON *types, const char *origin, ModelConfig *config, Error *error) {
    uint64_t layer = 0, sliding = 0;
    const cJSON *type;
    config->from[CONFIG_SLIDING_LAYERS] = "layer_types";
    cJSON_ArrayForEach(type, types) {
        const char *name = cJSON_IsString(type) ? type->valuestring : "?";
        bool slides = strcmp(name, "sliding_attention") == 0;
        if (!slides && strcmp(name, "full_attention") != 0 && strcmp(name, "attention") != 0)
            return status_fail(error, STATUS_UNSUPPORTED, "%s: layer type \"%.60s\" is not known", origin,
                               name);
        if (slides && layer < MODEL_MAX_SLIDING) slide(config, layer);
        sliding += slides;
        layer++;
    }
    if (layer != config->layers) return refuse_count(layer, origin, config, error);
    if (sliding > 0 && config->window == 0)
        return status_fail(error, STATUS_FORMAT, "%s: layers slide, but there is no sliding_window", origin);
    if (sliding == 0) config->window = 0;
    return STATUS_OK;
}

/* llama has no use for them, but they must be right. */
static Status check_layer_types(const cJSON *types, const char *origin, const ModelConfig *config,
                                Error *error) {
    static const char *const NAMES[] = {"full_attention",
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
    uint64_t layer = 0;
    const cJSON *type;
    if (!cJSON_IsArray(types)) return STATUS_OK;
    cJSON_ArrayForEach(type, types) {
        size_t i = 0, count = sizeof NAMES / sizeof *NAMES;
        while (i < count && strcmp(type->valuestring, NAMES[i]) != 0) i++;
        if (i == count)
            return status_fail(error, STATUS_UNSUPPORTED, "%s: layer type \"%.60s\" is not known", origin,
                               type->valuestring);
        layer++;
    }
    return layer == config->layers ? STATUS_OK : refuse_count(layer, origin, config, error);
}

/* Qwen's rule, where no list says; max_window_layers may be negative, as far as transformers minds. */
static void slide_from(const cJSON *json, ModelConfig *config) {
    double first = 0.0;
    if (config->architecture->window == WINDOW_QWEN) {
        first = json_get_number(json, "max_window_layers", 28.0);
        config->from[CONFIG_SLIDING_LAYERS] =
            json_find(json, "max_window_layers") != NULL ? "max_window_layers" : NULL;
    }
    for (uint64_t layer = 0; layer < config->layers && layer < MODEL_MAX_SLIDING; layer++) {
        if ((double)layer >= first) slide(config, layer);
    }
    if (first >= (double)config->layers) config->window = 0;
}

static Status read_window(const cJSON *json, const char *origin, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    const cJSON *types = json_find_any(json, "layer_types");
    if (architecture->window == WINDOW_NEVER) return check_layer_types(types, origin, config, error);
    const cJSON *item = json_find_any(json, "sliding_window");
    bool sees_nothing = false;
    config->window = architecture->default_window;
    if (item != NULL) config->from[CONFIG_WINDOW] = "sliding_window";
    if (cJSON_IsNull(item)) {
        config->window = 0;
    } else if (item != NULL && (!json_read_count(item, &config->window) || config->window == 0)) {
        config->window = 1;
        sees_nothing = true; /* which does not matter where no layer slides */
    }
    if (architecture->window == WINDOW_QWEN && !json_get_bool(json, "use_sliding_window", false)) {
        config->window = 0;
        config->from[CONFIG_WINDOW] =
            json_find(json, "use_sliding_window") != NULL ? "use_sliding_window" : NULL;
    }
    if (architecture->window == WINDOW_MISTRAL && types != NULL &&
        (config->window == 0 || config->from[CONFIG_HEAD_DIM] == NULL))
        return status_fail(error, STATUS_FORMAT,
                           "%s: mistral with layer_types (Ministral) expects a sliding_window and a head_dim",
                           origin);
    Status status = STATUS_OK;
    if (cJSON_IsArray(types))
        status = read_layer_types(types, origin, config, error);
    else
        slide_from(json, config);
    if (status == STATUS_OK && config->window > 0 && sees_nothing)
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected \"sliding_window\" to be a count from 1 or null", origin);
    if (status == STATUS_OK && config->window > 0 && config->layers > MODEL_MAX_SLIDING)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: sliding windows in more than %d layers", origin,
                           MODEL_MAX_SLIDING);
    return status;
}

/* ---- tensors, end of text ---- */

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
    bool is_stated;
    config->tied_head = head_config_ties(json, &is_stated);
    config->roles[TENSOR_HEAD] = !config->tied_head;
    if (is_stated) config->from[CONFIG_TIE] = "tie_word_embeddings";
}

void architecture_untie_head(ModelConfig *config) {
    config->tied_head = false;
    config->roles[TENSOR_HEAD] = true;
    config->from[CONFIG_TIE] = "lm_head.weight differs";
}

static void add_eos(ModelConfig *config, int32_t id, unsigned char files) {
    for (size_t i = 0; i < config->eos_count; i++) {
        if (config->eos[i] != id) continue;
        config->eos_files[i] |= files;
        return;
    }
    if (config->eos_count == MODEL_MAX_EOS) {
        config->eos_left_out++;
        return;
    }
    config->eos[config->eos_count] = id;
    config->eos_files[config->eos_count++] = files;
}

static void read_eos_item(ModelConfig *config, const cJSON *item, ModelEosFile file) {
    uint64_t id; /* a negative one never comes */
    if (json_read_count(item, &id) && id <= INT32_MAX) add_eos(config, (int32_t)id, (unsigned char)file);
}

/* The key that is said to have decided is that of the first. */
static void read_eos(const cJSON *json, ModelEosFile file, const char *from, ModelConfig *config) {
    const cJSON *eos = json_find(json, "eos_token_id"), *item;
    if (cJSON_IsNumber(eos)) read_eos_item(config, eos, file);
    if (cJSON_IsArray(eos)) cJSON_ArrayForEach(item, eos) read_eos_item(config, item, file);
    if (eos != NULL && (config->eos_count > 0 || config->from[CONFIG_EOS] == NULL))
        config->from[CONFIG_EOS] = from;
}

void architecture_read_generation(const cJSON *json, ModelConfig *config) {
    ModelConfig before = *config;
    config->eos_count = 0;
    read_eos(json, MODEL_EOS_GENERATION, "generation_config.json: eos_token_id", config);
    if (config->eos_count == 0) config->from[CONFIG_EOS] = before.from[CONFIG_EOS];
    for (size_t i = 0; i < before.eos_count; i++) add_eos(config, before.eos[i], before.eos_files[i]);
}

/* ---- all of it ---- */

static Status refuse_switches(const cJSON *json, const char *origin, Error *error) {
    for (size_t i = 0; i < sizeof REFUSED_SWITCHES / sizeof *REFUSED_SWITCHES; i++) {
        if (!config_is_truthy(json_find_any(json, REFUSED_SWITCHES[i]))) continue;
        return status_fail(error, STATUS_UNSUPPORTED, "%s: \"%s\" is not known", origin, REFUSED_SWITCHES[i]);
    }
    const cJSON *causal = json_find_any(json, "is_causal"), *whole = json_find_any(json, "return_dict");
    if (whole != NULL && !config_is_truthy(whole))
        return status_fail(error, STATUS_FORMAT,
                           "%s: expected \"return_dict\" to be true, found something else", origin);
    if (causal == NULL || config_is_truthy(causal)) return STATUS_OK;
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "%s: expected \"is_causal\" to be true, found something else: attention both ways is not known",
        origin);
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
    if (status == STATUS_OK) status = config_check_types(json, config->architecture->family, origin, error);
    if (status == STATUS_OK) status = read_sizes(json, origin, config, error);
    if (status == STATUS_OK) status = config_read_rope(json, origin, config, error);
    if (status == STATUS_OK) status = read_activation(json, origin, config, error);
    if (status == STATUS_OK) status = read_window(json, origin, config, error);
    if (status == STATUS_OK) status = read_epsilon(json, origin, config, error);
    if (status != STATUS_OK) return status;
    read_roles(json, config);
    read_eos(json, MODEL_EOS_CONFIG, "eos_token_id", config);
    return STATUS_OK;
}

/* ---- names ---- */

const char *architecture_name(const Architecture *architecture) {
    return architecture == NULL ? "unknown" : architecture->model_type;
}

const char *architecture_activation_name(Activation activation) {
    for (size_t i = 0; i < sizeof ACTIVATIONS / sizeof *ACTIVATIONS; i++) {
        if (ACTIVATIONS[i].activation == activation) return ACTIVATIONS[i].name;
    }
    return "?";
}
