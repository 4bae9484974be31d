#include "core/checkpoint/config_internal.h"
#include "core/checkpoint/head.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the tables ---- */

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

/* ---- sizes ---- */

static Status read_heads(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    /* null is as many as heads; what is not there at all is the default of the class */
    uint64_t derived = config->hidden_size / config->heads;
    Status status = config_read_size(reader, "num_key_value_heads", config->heads, &config->kv_heads,
                                     &config->from[CONFIG_KV_HEADS], error);
    config->head_dim = derived;
    const cJSON *stated = config_find_stated(reader, "head_dim");
    ConfigEntry field;
    if (cJSON_IsNull(stated) && !config_class_find_entry(reader->class, CONFIG_FIELD, "head_dim", &field))
        return status_fail(
            error, STATUS_FORMAT,
            "%s: \"head_dim\" is null, which transformers takes for no size where the type has no such key",
            reader->origin);
    if (status == STATUS_OK && !architecture->derives_head_dim)
        status = config_read_size(reader, "head_dim", derived, &config->head_dim,
                                  &config->from[CONFIG_HEAD_DIM], error);
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
    if (config->head_dim % 2 != 0 && config->architecture->rope != ROPE_RULE_NONE)
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

static Status read_sizes(const ConfigReader *reader, ModelConfig *config, Error *error) {
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
        status = read_stated(reader, sizes[i].key, sizes[i].value, error);
    if (status == STATUS_OK) status = read_heads(reader, config, error);
    if (status == STATUS_OK) status = check_heads(reader, config, error);
    const cJSON *positions = config_find(reader, "max_position_embeddings");
    if (config_find_stated(reader, "max_position_embeddings") != NULL)
        config->from[CONFIG_POSITIONS] = "max_position_embeddings";
    if (positions != NULL && !json_read_count(positions, &config->max_positions))
        config->max_positions = 0; /* nobody minds a -1 */
    if (status == STATUS_OK && config->layers > MODEL_MAX_LAYERS)
        return status_fail(error, STATUS_UNSUPPORTED, "%s: expected at most %d layers, found %" PRIu64,
                           reader->origin, MODEL_MAX_LAYERS, config->layers);
    return status;
}

/* ---- switches ---- */

static Status read_activation(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const char *key = config->architecture->activation_key;
    if (key == NULL) key = "hidden_act";
    const char *name = config_text(reader, key);
    if (name == NULL) return STATUS_OK; /* silu, of all */
    if (config_find_stated(reader, key) != NULL) config->from[CONFIG_ACTIVATION] = key;
    for (size_t i = 0; i < sizeof ACTIVATIONS / sizeof *ACTIVATIONS; i++) {
        if (strcmp(name, ACTIVATIONS[i].name) != 0) continue;
        config->activation = ACTIVATIONS[i].activation;
        return STATUS_OK;
    }
    return status_fail(error, STATUS_UNSUPPORTED, "%s: activation \"%.60s\" is not known", reader->origin,
                       name);
}

static Status read_norm(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    const char *key = architecture->epsilon_key != NULL ? architecture->epsilon_key : "rms_norm_eps";
    config->norm = architecture->norm;
    config->norms = architecture->norms;
    config->norm_adds_one = architecture->norm_adds_one;
    config->norm_has_bias = architecture->norm_has_bias;
    config->norm_epsilon = architecture->epsilon;
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

/* `fallback` where the type has no such switch, or it is null. */
static Status read_switch(const ConfigReader *reader, const char *key, double fallback, double *value,
                          Error *error) {
    *value = key == NULL ? fallback : config_number(reader, key, fallback);
    if (isfinite(*value)) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a finite number", reader->origin,
                       key);
}

static Status read_switches(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    double scalar = 0.0, divisor = 1.0;
    const struct {
        const char *key;
        double fallback, *value;
    } switches[] = {
        {architecture->embedding_key, 1.0, &config->embedding_scale},
        {architecture->residual_key, 1.0, &config->residual_scale},
        {architecture->logit_key, 1.0, &config->logit_scale},
        {architecture->logit_divisor, 1.0, &divisor},
        {architecture->logit_cap_key, 0.0, &config->logit_cap},
        {architecture->scale_key, 1.0 / sqrt((double)config->head_dim), &config->attention_scale},
        {architecture->scalar_key, 0.0, &scalar},
        {architecture->cap_key, 0.0, &config->attention_cap},
        {architecture->clip_key, 0.0, &config->clip},
    };
    Status status = STATUS_OK;
    for (size_t i = 0; i < sizeof switches / sizeof *switches && status == STATUS_OK; i++)
        status = read_switch(reader, switches[i].key, switches[i].fallback, switches[i].value, error);
    if (architecture->embedding_by_width) config->embedding_scale = sqrt((double)config->hidden_size);
    if (scalar > 0.0) config->attention_scale = 1.0 / sqrt(scalar);
    config->logit_scale /= divisor;
    config->wiring = architecture->wiring;
    config->qkv = architecture->qkv;
    bool has_qk_norm = architecture->qk_norm_key == NULL || config_bool(reader, architecture->qk_norm_key);
    config->qk_norm = has_qk_norm ? architecture->qk_norm : QK_NORM_NONE;
    config->qk_norm_follows_rope = architecture->qk_norm_follows_rope;
    if (status == STATUS_OK && (!isfinite(config->logit_scale) || !(config->clip >= 0.0)))
        return status_fail(error, STATUS_FORMAT, "%s: expected scales and clips to be usable",
                           reader->origin);
    return status;
}

/* ---- tensors, end of text ---- */

static void need(LayerPlan *plan, TensorRole role, bool is_needed) {
    if (is_needed) plan->roles |= UINT64_C(1) << role;
}

static void need_attention(const ConfigReader *reader, const ModelConfig *config, LayerPlan *plan) {
    const Architecture *architecture = config->architecture;
    bool is_parted = config->qkv == QKV_PARTED, has_bias = config_rule(reader, architecture->qkv_bias);
    bool has_norms = config->qk_norm != QK_NORM_NONE && !architecture->qk_norm_is_bare;
    static const TensorRole PARTED[][2] = {
        {TENSOR_Q, TENSOR_Q_BIAS}, {TENSOR_K, TENSOR_K_BIAS}, {TENSOR_V, TENSOR_V_BIAS}};
    for (size_t i = 0; i < sizeof PARTED / sizeof *PARTED; i++) {
        need(plan, PARTED[i][0], is_parted);
        need(plan, PARTED[i][1], is_parted && has_bias);
    }
    need(plan, TENSOR_QKV, !is_parted);
    need(plan, TENSOR_QKV_BIAS, !is_parted && has_bias);
    need(plan, TENSOR_O, true);
    need(plan, TENSOR_O_BIAS, config_rule(reader, architecture->o_bias));
    need(plan, TENSOR_Q_NORM, has_norms);
    need(plan, TENSOR_K_NORM, has_norms);
    if (architecture->has_sinks) plan->parts |= UINT64_C(1) << TENSOR_PART_SINKS;
}

static void need_mlp(const ConfigReader *reader, const ModelConfig *config, LayerPlan *plan) {
    const Architecture *architecture = config->architecture;
    bool is_gated = plan->mlp == MLP_GATED, is_fused = is_gated && architecture->is_fused_mlp;
    bool has_bias = config_rule(reader, architecture->mlp_bias);
    need(plan, TENSOR_GATE, is_gated && !is_fused);
    need(plan, TENSOR_GATE_BIAS, is_gated && !is_fused && has_bias);
    need(plan, TENSOR_UP, !is_fused);
    need(plan, TENSOR_UP_BIAS, !is_fused && has_bias);
    need(plan, TENSOR_GATE_UP, is_fused);
    need(plan, TENSOR_GATE_UP_BIAS, is_fused && has_bias);
    need(plan, TENSOR_DOWN, true);
    need(plan, TENSOR_DOWN_BIAS, has_bias);
}

static void need_norms(const Architecture *architecture, LayerPlan *plan) {
    NormPlaces places = architecture->norms;
    if (architecture->norm_is_bare) return; /* nothing of them is stored: forward.c still norms */
    need(plan, TENSOR_ATTENTION_NORM, places != NORMS_BEHIND);
    need(plan, TENSOR_MLP_NORM, places == NORMS_BEFORE || places == NORMS_AROUND);
    need(plan, TENSOR_POST_ATTENTION_NORM, places == NORMS_AROUND || places == NORMS_BEHIND);
    need(plan, TENSOR_POST_MLP_NORM, places == NORMS_AROUND || places == NORMS_BEHIND);
}

static LayerPlan make_plan(const ConfigReader *reader, const ModelConfig *config) {
    const Architecture *architecture = config->architecture;
    LayerPlan plan = {.heads = config->heads,
                      .kv_heads = config->kv_heads,
                      .head_dim = config->head_dim,
                      .rope = architecture->rope == ROPE_RULE_NONE ? -1 : 0,
                      .mlp = architecture->mlp,
                      .intermediate_size = config->intermediate_size};
    need_norms(architecture, &plan);
    need_attention(reader, config, &plan);
    need_mlp(reader, config, &plan);
    return plan;
}

static void read_roles(const ConfigReader *reader, ModelConfig *config) {
    const Architecture *architecture = config->architecture;
    for (size_t i = 0; i < config->plan_count; i++) {
        for (int role = 0; role < TENSOR_ROLE_COUNT; role++)
            config->roles[role] =
                config->roles[role] || architecture_has(&config->plans[i], (TensorRole)role);
    }
    config->roles[TENSOR_EMBEDDING] = true;
    config->roles[TENSOR_FINAL_NORM] = !architecture->norm_is_bare && !architecture->final_norm_is_bare;
    config->roles[TENSOR_HEAD_BIAS] = config_rule(reader, architecture->head_bias);
    bool is_stated;
    config->tied_head = head_config_ties(reader->whole, &is_stated);
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

static Status refuse_switches(const cJSON *json, const Architecture *architecture, const Architecture *around,
                              const char *origin, Error *error) {
    const char *own = architecture->refused_key;
    bool is_lifted = around != NULL && around->lifts_refusal;
    if (own != NULL && !is_lifted && config_is_truthy(json_find_any(json, own)))
        return status_fail(error, STATUS_UNSUPPORTED, "%s: \"%s\" is not known", origin, own);
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

static Status refuse_model_type(const char *model_type, const char *origin, Error *error) {
    return status_fail(
        error, STATUS_UNSUPPORTED,
        "%s: model type \"%.60s\" is not known (`rejuv info --architectures` lists those that are)", origin,
        model_type);
}

static Status read_all(const ConfigReader *reader, ModelConfig *config, Error *error) {
    Status status = config_class_check(reader->class, reader->json, reader->origin, error);
    if (status == STATUS_OK) status = read_sizes(reader, config, error);
    if (status == STATUS_OK) status = read_switches(reader, config, error);
    if (status == STATUS_OK) status = config_read_ropes(reader, config, error);
    if (status == STATUS_OK) status = read_activation(reader, config, error);
    if (status == STATUS_OK) {
        const LayerPlan plan = make_plan(reader, config);
        status = config_read_layers(reader, &plan, config, error);
    }
    if (status == STATUS_OK) status = read_norm(reader, config, error);
    if (status == STATUS_OK && config->architecture->refine != NULL)
        status = config->architecture->refine(reader, config, error);
    if (status != STATUS_OK) return status;
    read_roles(reader, config);
    read_eos(reader->json, MODEL_EOS_CONFIG, "eos_token_id", config);
    if (reader->whole != reader->json) read_eos(reader->whole, MODEL_EOS_CONFIG, "eos_token_id", config);
    return STATUS_OK;
}

/* The part of config.json that describes the text model, and its type, where it is a model around one. */
static const cJSON *find_text(const cJSON *json, const char **model_type) {
    const Architecture *outer = architecture_find(*model_type);
    if (outer == NULL || outer->text_type == NULL) return json;
    const cJSON *text = json_find(json, "text_config");
    *model_type = outer->text_type;
    if (!cJSON_IsObject(text)) return json;
    *model_type = json_get_text(text, "model_type", outer->text_type);
    return text;
}

Status architecture_read_config(const cJSON *json, const char *origin, ModelConfig *config, Error *error) {
    memset(config, 0, sizeof *config);
    const char *model_type = json_get_text(json, "model_type", NULL);
    if (model_type == NULL) return status_fail(error, STATUS_FORMAT, "%s: expected a \"model_type\"", origin);
    const cJSON *text = find_text(json, &model_type);
    config->architecture = architecture_find(model_type);
    if (config->architecture == NULL || config->architecture->text_type != NULL)
        return refuse_model_type(model_type, origin, error);
    if (text != json) config->around = architecture_find(json_get_text(json, "model_type", ""));
    ConfigReader reader;
    Status status = refuse_switches(text, config->architecture, config->around, origin, error);
    if (status != STATUS_OK) return status;
    status = config_open_reader(text, json, model_type, origin, &reader, error);
    if (status == STATUS_OK) status = read_all(&reader, config, error);
    config_close_reader(&reader);
    return status;
}

/* ---- names ---- */

const char *architecture_activation_name(Activation activation) {
    for (size_t i = 0; i < sizeof ACTIVATIONS / sizeof *ACTIVATIONS; i++) {
        if (ACTIVATIONS[i].activation == activation) return ACTIVATIONS[i].name;
    }
    return "?";
}
