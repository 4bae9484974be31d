#include "core/checkpoint/config_internal.h"
#include "core/checkpoint/head.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the tables ---- */

/* Members of config.json that change the computation of these types, or hold the configuration that counts, and that
 * nothing here implements: present and not null or false, they are refused by name. (Keys that a type does not read,
 * such as llama's embedding_multiplier, do nothing in transformers either.) */
static const char *const REFUSED_SWITCHES[] = {
    "text_config",
    "use_return_dict",
};

/* ---- switches ---- */

static Status read_activation(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const char *key = config->architecture->activation_key, *name = config->architecture->activation;
    if (key == NULL) key = "hidden_act";
    if (name != NULL) return config_find_activation(reader, name, &config->activation, error);
    if (config_find_stated(reader, key) != NULL) config->from[CONFIG_ACTIVATION] = key;
    return config_read_activation(reader, key, &config->activation, error);
}

/* `fallback` where the type has no such switch, or it is null. */
static Status read_switch(const ConfigReader *reader, const char *key, double fallback, double *value,
                          Error *error) {
    *value = key == NULL ? fallback : config_number(reader, key, fallback);
    if (isfinite(*value)) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a finite number", reader->origin,
                       key);
}

/* Where blocks and norms stand in the stream. */
static void read_wiring(const ConfigReader *reader, ModelConfig *config) {
    const Architecture *architecture = config->architecture;
    const char *post = architecture->post_norm_key, *parallel = architecture->parallel_key,
               *normed = architecture->normed_residual_key;
    config->wiring = architecture->wiring;
    config->norm = architecture->norm;
    config->norms = post != NULL && config_bool(reader, post) ? NORMS_AROUND : architecture->norms;
    config->norm_adds_one = architecture->norm_adds_one;
    config->norm_has_bias = architecture->norm_has_bias;
    config->norm_is_bare = architecture->norm_is_bare;
    config->has_embedding_norm = architecture->has_embedding_norm;
    config->residual_is_normed = normed != NULL && config_bool(reader, normed);
    if (parallel == NULL || !config_bool(reader, parallel)) return;
    config->wiring = WIRING_PARALLEL;
    config->norms = architecture->parallel_norms;
}

/* What scores are beside products of queries and keys. */
static void read_scores(const ConfigReader *reader, ModelConfig *config) {
    const Architecture *architecture = config->architecture;
    const char *scaled = architecture->scaled_key, *falling = architecture->falling_key;
    bool has_qk_norm = architecture->qk_norm_key == NULL || config_bool(reader, architecture->qk_norm_key);
    config->qk_norm = has_qk_norm ? architecture->qk_norm : QK_NORM_NONE;
    config->has_output_gate = architecture->has_output_gate;
    config->gates_heads = architecture->gates_heads;
    config->qk_norm_follows_rope = architecture->qk_norm_follows_rope;
    config->qk_norm_has_bias = architecture->qk_norm_has_bias;
    config->qk_norm_is_apart = architecture->qk_norm_is_apart;
    config->alibi = config_rule(reader, architecture->alibi_rule) ? architecture->alibi : ALIBI_NONE;
    config->scale_falls = falling != NULL && config_bool(reader, falling);
    config->is_transposed = architecture->is_transposed;
    config->norms_values = architecture->norms_values;
    if (architecture->is_unscaled || (scaled != NULL && !config_bool(reader, scaled)))
        config->attention_scale = 1.0;
}

static Status read_switches(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    double scalar = 0.0, divisor = 1.0;
    double natural = config->head_dim > 0 ? 1.0 / sqrt((double)config->head_dim) : 1.0;
    const struct {
        const char *key;
        double fallback, *value;
    } switches[] = {
        {architecture->embedding_key, 1.0, &config->embedding_scale},
        {architecture->residual_key, 1.0, &config->residual_scale},
        {architecture->logit_key, 1.0, &config->logit_scale},
        {architecture->logit_divisor, 1.0, &divisor},
        {architecture->logit_cap_key, 0.0, &config->logit_cap},
        {architecture->scale_key, natural, &config->attention_scale},
        {architecture->scalar_key, 0.0, &scalar},
        {architecture->cap_key, 0.0, &config->attention_cap},
        {architecture->clip_key, 0.0, &config->clip},
        {architecture->value_scale_key, 1.0, &config->value_scale},
    };
    Status status = STATUS_OK;
    config->mlp_scales = (StreamScales){1.0, 1.0};
    config->gate_scale = config->mlp_scale = config->attention_in_scale = config->attention_out_scale = 1.0;
    for (size_t i = 0; i < sizeof switches / sizeof *switches && status == STATUS_OK; i++)
        status = read_switch(reader, switches[i].key, switches[i].fallback, switches[i].value, error);
    if (config_rule(reader, architecture->embedding_by_width))
        config->embedding_scale = sqrt((double)config->hidden_size);
    if (scalar > 0.0) config->attention_scale = 1.0 / sqrt(scalar);
    config->logit_scale /= divisor;
    read_wiring(reader, config);
    read_scores(reader, config);
    config->clips_behind_norm = architecture->clips_behind_norm;
    if (status == STATUS_OK && (!isfinite(config->logit_scale) || !(config->clip >= 0.0)))
        return status_fail(error, STATUS_FORMAT, "%s: expected scales and clips to be usable",
                           reader->origin);
    return status;
}

/* ---- tensors, end of text ---- */

static void need(LayerPlan *plan, TensorRole role, bool is_needed) {
    if (is_needed) plan->roles |= UINT64_C(1) << role;
}

/* Queries come of a latent or not; keys and values do. */
static void need_latent(const ConfigReader *reader, const ModelConfig *config, LayerPlan *plan) {
    bool has_query = plan->latent.query > 0, has_bias = config_rule(reader, config->architecture->qkv_bias);
    need(plan, TENSOR_Q, !has_query);
    need(plan, TENSOR_Q_A, has_query);
    need(plan, TENSOR_Q_B, has_query);
    need(plan, TENSOR_KV_A, true);
    need(plan, TENSOR_KV_B, true);
    need(plan, TENSOR_O, true);
    need(plan, TENSOR_O_BIAS, config_rule(reader, config->architecture->o_bias));
    part_set_add(&plan->parts, TENSOR_PART_LATENT_NORM, true);
    part_set_add(&plan->parts, TENSOR_PART_QUERY_NORM, has_query);
    part_set_add(&plan->parts, TENSOR_PART_LATENT_BIAS, has_bias);
    part_set_add(&plan->parts, TENSOR_PART_ATTENTION_GATE, config->architecture->has_gate);
    part_set_add(&plan->parts, TENSOR_PART_QUERY_BIAS, has_bias && has_query);
}

/* Compressors are added where a layer has one. */
static void need_compressed(LayerPlan *plan) {
    need(plan, TENSOR_Q_A, true);
    need(plan, TENSOR_Q_B, true);
    part_set_add(&plan->parts, TENSOR_PART_QUERY_NORM, true);
    part_set_add(&plan->parts, TENSOR_PART_SINKS, true);
    for (int part = TENSOR_PART_SHARED_KEY; part <= TENSOR_PART_GROUPED_OUT; part++)
        part_set_add(&plan->parts, (TensorPart)part, true);
    for (int part = TENSOR_PART_ATTENTION_CONNECTION; part <= TENSOR_PART_MLP_CONNECTION_SCALE; part++)
        part_set_add(&plan->parts, (TensorPart)part, true);
}

static void need_attention(const ConfigReader *reader, const ModelConfig *config, LayerPlan *plan) {
    const Architecture *architecture = config->architecture;
    if (plan->latent.latent > 0) {
        need_latent(reader, config, plan);
        return;
    }
    if (architecture->is_compressed) {
        need_compressed(plan);
        return;
    }
    if (architecture->has_head_experts) {
        for (int part = TENSOR_PART_QUERY_ROUTER; part <= TENSOR_PART_KEY_VALUE; part++)
            part_set_add(&plan->parts, (TensorPart)part, true);
        return;
    }
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
    bool has_gate = architecture->has_gate &&
                    (architecture->gate_key == NULL || config_bool(reader, architecture->gate_key));
    part_set_add(&plan->parts, TENSOR_PART_ATTENTION_GATE, has_gate);
    part_set_add(&plan->parts, TENSOR_PART_SINKS, architecture->has_sinks);
    part_set_add(&plan->parts, TENSOR_PART_MASK_STEP, architecture->has_dynamic_mask);
    part_set_add(&plan->parts, TENSOR_PART_MASK_STEP_BIAS, architecture->has_dynamic_mask && has_bias);
    part_set_add(&plan->parts, TENSOR_PART_MASK_RATE, architecture->has_dynamic_mask);
    part_set_add(&plan->parts, TENSOR_PART_ATTENTION_RESIDUAL, architecture->scales_residuals);
    part_set_add(&plan->parts, TENSOR_PART_MLP_RESIDUAL, architecture->scales_residuals);
    part_set_add(&plan->parts, TENSOR_PART_MIXED_NORM, architecture->has_mixed_norm);
    for (int part = TENSOR_PART_LAMBDA_Q1; part <= TENSOR_PART_LAMBDA_K2; part++)
        part_set_add(&plan->parts, (TensorPart)part, architecture->is_differential);
    part_set_add(&plan->parts, TENSOR_PART_LAYER_SCALE, architecture->has_layer_scale);
    for (int part = TENSOR_PART_LAYER_GATE; part <= TENSOR_PART_LAYER_NORM; part++)
        part_set_add(&plan->parts, (TensorPart)part, config->layer_input_size > 0);
    for (int part = TENSOR_PART_STREAM_ROUTER; part <= TENSOR_PART_LAUREL_NORM; part++)
        part_set_add(&plan->parts, (TensorPart)part, config->streams > 0);
    const char *scale = architecture->stream_scale_key;
    if (config->streams > 0 && scale != NULL && !config_bool(reader, scale))
        part_set_drop(&plan->parts, TENSOR_PART_STREAM_SCALE);
}

static void need_mlp(const ConfigReader *reader, const ModelConfig *config, LayerPlan *plan) {
    const Architecture *architecture = config->architecture;
    bool is_gated = plan->mlp == MLP_GATED, is_fused = is_gated && architecture->is_fused_mlp;
    bool has_bias = config_rule(reader, architecture->mlp_bias);
    if (plan->mlp == MLP_NONE) return;
    need(plan, TENSOR_GATE, is_gated && !is_fused);
    need(plan, TENSOR_GATE_BIAS, is_gated && !is_fused && has_bias);
    need(plan, TENSOR_UP, !is_fused);
    need(plan, TENSOR_UP_BIAS, !is_fused && has_bias);
    need(plan, TENSOR_GATE_UP, is_fused);
    need(plan, TENSOR_GATE_UP_BIAS, is_fused && has_bias);
    need(plan, TENSOR_DOWN, true);
    need(plan, TENSOR_DOWN_BIAS, has_bias);
    part_set_add(&plan->parts, TENSOR_PART_ACTIVATED_NORM, architecture->has_activated_norm);
    for (int part = TENSOR_PART_XIELU_POSITIVE; part <= TENSOR_PART_XIELU_EPSILON; part++)
        part_set_add(&plan->parts, (TensorPart)part, config->activation == ACTIVATION_XIELU);
}

static LayerPlan make_plan(const ConfigReader *reader, const ModelConfig *config) {
    const Architecture *architecture = config->architecture;
    LayerPlan plan = {.heads = config->heads,
                      .kv_heads = config->kv_heads,
                      .head_dim = config->head_dim,
                      .rope = config_turns(config) ? 0 : -1,
                      .kv_layer = -1,
                      .cutoff = NAN,
                      .value_dim = config->value_dim,
                      .latent = config->latent,
                      .scales = {1.0, 1.0},
                      .mlp = architecture->mlp,
                      .intermediate_size = config->intermediate_size};
    config_need_norms(config, &plan);
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
    config->roles[TENSOR_POSITION] = config->positions == POSITIONS_LEARNED;
    bool is_bare = config->norm_is_bare || architecture->final_norm_is_bare;
    config->roles[TENSOR_FINAL_NORM] = !is_bare && !config->lacks_final_norm;
    for (int part = TENSOR_PART_INPUT_EMBEDDING; part <= TENSOR_PART_INPUT_NORM; part++)
        part_set_add(&config->parts, (TensorPart)part, config->layer_input_size > 0);
    for (int part = TENSOR_PART_END_CONNECTION; part <= TENSOR_PART_END_CONNECTION_SCALE; part++)
        part_set_add(&config->parts, (TensorPart)part, config->connections > 0);
    for (uint64_t i = 1; i < config->streams; i++) {
        part_set_add(&config->parts, (TensorPart)(TENSOR_PART_STREAM_IN_1 + i - 1), true);
        part_set_add(&config->parts, (TensorPart)(TENSOR_PART_STREAM_OUT_1 + i - 1), true);
    }
    bool has_embedding_norm = config->has_embedding_norm && !config->norm_is_bare;
    part_set_add(&config->parts, TENSOR_PART_EMBEDDING_NORM, has_embedding_norm);
    part_set_add(&config->parts, TENSOR_PART_EMBEDDING_NORM_BIAS,
                 has_embedding_norm && config->norm_has_bias);
    config->roles[TENSOR_HEAD_BIAS] = config_rule(reader, architecture->head_bias);
    bool is_stated;
    config->silent_rows = architecture->silent_rows;
    config->tied_head = head_config_ties(reader->whole, &is_stated);
    config->roles[TENSOR_HEAD] = !config->tied_head;
    if (is_stated) config->from[CONFIG_TIE] = head_tie_key(reader->whole);
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

/* Switches of the type that nothing here implements. */
static Status refuse_own_switches(const ConfigReader *reader, const ModelConfig *config, Error *error) {
    const char *const *refused = config->architecture->refused;
    static const char OVERRIDES[] = "per_layer_config";
    if (!config->architecture->has_global_heads && config_is_truthy(json_find_any(reader->json, OVERRIDES)))
        return status_fail(error, STATUS_UNSUPPORTED, "%s: \"%s\" is not known", reader->origin, OVERRIDES);
    for (size_t i = 0; i < ARCHITECTURE_MOST_REFUSED && refused[i] != NULL; i++) {
        if (config_is_truthy(config_find(reader, refused[i])))
            return status_fail(error, STATUS_UNSUPPORTED, "%s: \"%s\" is not known", reader->origin,
                               refused[i]);
    }
    return STATUS_OK;
}

static Status read_all(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    Status status = config_class_check(reader->class, reader->json, reader->origin, error);
    if (status == STATUS_OK) status = refuse_own_switches(reader, config, error);
    if (status == STATUS_OK) status = config_read_sizes(reader, config, error);
    if (status == STATUS_OK) status = read_switches(reader, config, error);
    if (status == STATUS_OK && architecture->prepare != NULL)
        status = architecture->prepare(reader, config, error);
    if (status == STATUS_OK)
        status = architecture->rope == ROPE_RULE_COMPRESSED
                     ? config_read_compressed_ropes(reader, config, error)
                     : config_read_ropes(reader, config, error);
    if (status == STATUS_OK) config_scale_latent(config);
    if (status == STATUS_OK) status = read_activation(reader, config, error);
    if (status == STATUS_OK) {
        const LayerPlan plan = make_plan(reader, config);
        status = config_read_layers(reader, &plan, config, error);
    }
    if (status == STATUS_OK) status = config_read_norm(reader, config, error);
    if (status == STATUS_OK && architecture->refine != NULL)
        status = architecture->refine(reader, config, error);
    if (status != STATUS_OK) return status;
    read_roles(reader, config);
    read_eos(reader->json, MODEL_EOS_CONFIG, "eos_token_id", config);
    if (reader->whole != reader->json) read_eos(reader->whole, MODEL_EOS_CONFIG, "eos_token_id", config);
    return STATUS_OK;
}

const cJSON *config_find_text(const cJSON *json, const char **model_type) {
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
    const cJSON *text = config_find_text(json, &model_type);
    config->architecture = architecture_find(model_type);
    if (config->architecture == NULL || config->architecture->text_type != NULL)
        return refuse_model_type(model_type, origin, error);
    if (text != json) config->around = architecture_find(json_get_text(json, "model_type", ""));
    ConfigReader reader;
    Status status = refuse_switches(text, config->architecture, config->around, origin, error);
    if (status != STATUS_OK) return status;
    status = config_open_reader(text, json, model_type, origin, &reader, error);
    if (status == STATUS_OK) status = config_set_rope(&reader, config->architecture->default_rope, error);
    if (status == STATUS_OK) status = read_all(&reader, config, error);
    const Architecture *outer = architecture_find(json_get_text(json, "model_type", ""));
    if (status == STATUS_OK) status = config_read_placeholders(&reader, outer, config, error);
    config_close_reader(&reader);
    return status;
}
