#include "core/checkpoint/config_internal.h"

#include <math.h>
#include <string.h>

static Status refuse(const ConfigReader *reader, const char *key, const char *expected, Error *error) {
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be %s", reader->origin, key, expected);
}

/* Without rotary parameters of any kind the class has these. */
Status architecture_refine_gpt_oss(const ConfigReader *reader, ModelConfig *config, Error *error) {
    (void)error;
    Rope *rope = &config->ropes[0];
    if (cJSON_IsObject(json_find_any(reader->json, "rope_parameters")) ||
        cJSON_IsObject(json_find_any(reader->json, "rope_scaling")))
        return STATUS_OK;
    rope->kind = ROPE_YARN;
    rope->factor = 32.0;
    rope->fast = 32.0;
    rope->slow = 1.0;
    rope->truncates = false;
    rope->original_length = 4096.0;
    rope->attention_factor = 0.1 * log(rope->factor) + 1.0;
    return STATUS_OK;
}

/* What cosines are multiplied by is stated, for short texts and for long ones; factors are those of short ones whatever
 * the text, for the module asks for them without its length. */
Status architecture_refine_phimoe(const ConfigReader *reader, ModelConfig *config, Error *error) {
    Rope *rope = &config->ropes[0];
    const cJSON *inside = json_find_any(reader->json, "rope_scaling");
    if (rope->kind == ROPE_DEFAULT) return STATUS_OK;
    if (!cJSON_IsObject(inside)) inside = json_find_any(reader->json, "rope_parameters");
    const cJSON *of_short = json_find(inside, "short_mscale"), *of_long = json_find(inside, "long_mscale");
    if (!cJSON_IsNumber(of_short)) return refuse(reader, "short_mscale", "a number", error);
    if (!cJSON_IsNumber(of_long)) return refuse(reader, "long_mscale", "a number", error);
    if (of_short->valuedouble != of_long->valuedouble || rope->kind == ROPE_DYNAMIC)
        return status_fail(
            error, STATUS_UNSUPPORTED,
            "%s: a rotary embedding of phimoe whose scale depends on the text's length is not known",
            reader->origin);
    rope->attention_factor = of_short->valuedouble;
    rope->longest = 0;
    for (size_t i = 0; i < ROPE_MOST_FACTORS; i++) rope->factors[1][i] = rope->factors[0][i];
    return STATUS_OK;
}

/* Where nothing turns, queries grow with their position. */
Status architecture_refine_llama4(const ConfigReader *reader, ModelConfig *config, Error *error) {
    if (!config_bool(reader, "attn_temperature_tuning")) return STATUS_OK;
    config->temperature_scale = config_number(reader, "attn_scale", 0.1);
    config->temperature_floor = config_number(reader, "floor_scale", 8192.0);
    if (!(config->temperature_floor > 0.0) || !isfinite(config->temperature_scale))
        return refuse(reader, "floor_scale", "a number above 0", error);
    for (size_t i = 0; i < config->plan_count; i++)
        config->plans[i].has_temperature = config->plans[i].rope < 0;
    return STATUS_OK;
}

/* Nothing turns unless it is asked for. */
Status architecture_refine_granitemoehybrid(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const char *kind = config_text(reader, "position_embedding_type");
    (void)error;
    for (size_t i = 0; i < config->plan_count && (kind == NULL || strcmp(kind, "rope") != 0); i++)
        config->plans[i].rope = -1;
    return STATUS_OK;
}

/* RMS where it has an epsilon; layers without experts turn, whether they slide or not, unless they have windows of their
 * own. */
Status architecture_refine_cohere2_moe(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char RMS[] = "rms_norm_eps";
    const cJSON *epsilon = config_find(reader, RMS);
    bool turns = config_number(reader, "prefix_dense_sliding_window_pattern", 1.0) == 1.0;
    for (size_t i = 0; i < config->plan_count && turns; i++)
        if (config->plans[i].mlp != MLP_EXPERTS) config->plans[i].rope = 0;
    if (epsilon == NULL) return STATUS_OK;
    config->norm = NORM_RMS;
    config->norm_epsilon = epsilon->valuedouble;
    return config->norm_epsilon >= 0.0 && config->norm_epsilon <= 1e6
               ? STATUS_OK
               : refuse(reader, RMS, "positive", error);
}

/* Blocks are added to their normed input, both by factors of what kind of block it is. */
Status architecture_refine_minimax(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char *const KEYS[][2] = {{"full_attn_alpha_factor", "full_attn_beta_factor"},
                                          {"linear_attn_alpha_factor", "linear_attn_beta_factor"},
                                          {"mlp_alpha_factor", "mlp_beta_factor"}};
    StreamScales scales[sizeof KEYS / sizeof *KEYS];
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        scales[i] =
            (StreamScales){config_number(reader, KEYS[i][0], 1.0), config_number(reader, KEYS[i][1], 1.0)};
        if (!isfinite(scales[i].stream) || !isfinite(scales[i].block))
            return refuse(reader, KEYS[i][!isfinite(scales[i].block)], "a number", error);
    }
    config->residual_is_normed = true;
    config->mlp_scales = scales[2];
    for (size_t i = 0; i < config->plan_count; i++)
        config->plans[i].scales = scales[config->plans[i].mixer == MIXER_LIGHTNING];
    return STATUS_OK;
}

/* No other kind is loaded. */
Status architecture_refine_recurrent_gemma(const ConfigReader *reader, ModelConfig *config, Error *error) {
    return config->rope_count == 0 || config->ropes[0].kind == ROPE_DEFAULT
               ? STATUS_OK
               : refuse(reader, "rope_parameters", "of the default kind", error);
}

/* The base is rope_parameters', whatever attention's own object says: where that is another, one of the two is wrong. */
Status architecture_refine_dbrx(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char THETA[] = "attn_config.rope_theta";
    const cJSON *theta = config_find(reader, THETA);
    if (!cJSON_IsNumber(theta)) return refuse(reader, THETA, "a number", error);
    return theta->valuedouble == config->ropes[0].theta
               ? STATUS_OK
               : refuse(reader, THETA, "what \"rope_parameters.rope_theta\" is, which transformers heeds",
                        error);
}

Status architecture_refine_minicpm3(const ConfigReader *reader, ModelConfig *config, Error *error) {
    double layers = (double)config->layers, hidden = (double)config->hidden_size;
    double depth = config_number(reader, "scale_depth", sqrt(layers)),
           base = config_number(reader, "dim_model_base", hidden);
    if (!(base > 0.0) || !isfinite(depth)) return refuse(reader, "dim_model_base", "a count from 1", error);
    config->residual_scale = depth / sqrt(layers);
    config->logit_scale = base / hidden;
    return STATUS_OK;
}

/* Loading sets the padding token's embedding to 0 (transformers 5.24: YoutuPreTrainedModel._init_weights runs on what was
 * read, too). */
Status architecture_refine_youtu(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const cJSON *padding = config_find(reader, "pad_token_id");
    if (padding == NULL) return STATUS_OK;
    config->has_silent_token = true;
    if (json_read_count(padding, &config->silent_token) && config->silent_token < config->vocabulary)
        return STATUS_OK;
    return refuse(reader, "pad_token_id", "a token", error);
}
