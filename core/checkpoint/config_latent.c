#include "core/checkpoint/config_internal.h"

#include <inttypes.h>
#include <math.h>

static Status read_ranks(const ConfigReader *reader, ModelConfig *config, Error *error) {
    LatentPlan *latent = &config->latent;
    const char *from;
    Status status = config_read_size(reader, "kv_lora_rank", 0, &latent->latent, &from, error);
    if (status == STATUS_OK)
        status = config_read_size(reader, "qk_rope_head_dim", 0, &latent->turned, &from, error);
    if (status == STATUS_OK && config_find(reader, "q_lora_rank") != NULL)
        status = config_read_size(reader, "q_lora_rank", 0, &latent->query, &from, error);
    bool turns = config->architecture->rope != ROPE_RULE_NONE;
    if (status == STATUS_OK && turns && latent->turned % 2 != 0)
        return status_fail(error, STATUS_UNSUPPORTED,
                           "%s: qk_rope_head_dim %" PRIu64 " is odd: no rotary embedding", reader->origin,
                           latent->turned);
    return status;
}

static Status check_value_dim(const ConfigReader *reader, const ModelConfig *config, const char *key,
                              Error *error) {
    if (config->value_dim <= CONFIG_LARGEST_SIZE / config->heads) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"%s\" to be a smaller count", reader->origin,
                       key);
}

static Status read_sparse(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const char *from;
    config->sparse_key = config->architecture->sparse_key;
    if (config->sparse_key == NULL) return STATUS_OK;
    return config_read_size(reader, config->sparse_key, 0, &config->sparse_from, &from, error);
}

Status config_read_latent(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const Architecture *architecture = config->architecture;
    LatentRule rule = architecture->latent;
    uint64_t plain = 0;
    config->value_dim = config->head_dim;
    if (rule == LATENT_NEVER && architecture->value_dim_key == NULL) return STATUS_OK;
    if (rule == LATENT_NEVER) {
        const char *key = architecture->value_dim_key, *from;
        Status read = config_read_size(reader, key, 0, &config->value_dim, &from, error);
        return read == STATUS_OK ? check_value_dim(reader, config, key, error) : read;
    }
    config->latent.is_interleaved =
        rule == LATENT_INTERLEAVED || (rule == LATENT_BY_KEY && config_bool(reader, "rope_interleave"));
    Status status = read_ranks(reader, config, error);
    if (status == STATUS_OK) status = read_sparse(reader, config, error);
    if (status == STATUS_OK)
        status =
            config_read_size(reader, "qk_nope_head_dim", 0, &plain, &config->from[CONFIG_HEAD_DIM], error);
    if (status == STATUS_OK)
        status = config_read_size(reader, "v_head_dim", config->hidden_size / config->heads,
                                  &config->value_dim, &config->from[CONFIG_HEAD_DIM], error);
    if (status != STATUS_OK) return status;
    config->head_dim = plain + config->latent.turned;
    config->whole = config->sliding = (LayerHeads){config->kv_heads, config->head_dim};
    return check_value_dim(reader, config, "v_head_dim", error);
}

/* A class may take null where no layer is latent: none asks for it then. */
static bool lacks_value_dim(const ConfigReader *reader, const ModelConfig *config) {
    return !config->architecture->value_dim_may_be_null && config_find(reader, "v_head_dim") == NULL;
}

Status config_check_latent(const ConfigReader *reader, const ModelConfig *config, Error *error) {
    if (!architecture_is_latent(config)) return STATUS_OK;
    if (lacks_value_dim(reader, config))
        return status_fail(
            error, STATUS_FORMAT,
            "%s: expected \"v_head_dim\" to be a count from 1 where attention is latent, found nothing",
            reader->origin);
    if (config->kv_heads == config->heads) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT,
                       "%s: expected as many key heads as heads (%" PRIu64
                       ") where attention is latent, found %" PRIu64,
                       reader->origin, config->heads, config->kv_heads);
}

/* As DeepSeek scales what yarn stretched. */
void config_scale_latent(ModelConfig *config) {
    const Rope *rope = &config->ropes[0];
    if (config->latent.latent == 0 || rope->scale_all == 0.0 || rope->factor <= 1.0) return;
    double scale = 0.1 * rope->scale_all * log(rope->factor) + 1.0;
    config->attention_scale *= scale * scale;
}
