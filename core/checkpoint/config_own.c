#include "core/checkpoint/config_internal.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* What is no table's: switches of single types, each as its modeling file of transformers 5.24 has them. */

static Status refuse(const ConfigReader *reader, const char *key, const char *why, Error *error) {
    return status_fail(error, STATUS_UNSUPPORTED, "%s: \"%s\": %s", reader->origin, key, why);
}

/* The 350M model norms behind its blocks, and its embedding is narrower than its layers. */
Status config_prepare_opt(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char WIDTH[] = "word_embed_proj_dim";
    const cJSON *width = config_find(reader, WIDTH);
    uint64_t found = config->hidden_size;
    if (width != NULL && (!json_read_count(width, &found) || found != config->hidden_size))
        return refuse(reader, WIDTH, "an embedding narrower than the layers is not known", error);
    bool is_before = config_bool(reader, "do_layer_norm_before");
    if (!is_before) config->wiring = WIRING_AFTER;
    config->lacks_final_norm =
        !is_before || config_is_truthy(config_find(reader, "_remove_final_layer_norm"));
    config->norm_is_bare = !config_bool(reader, "layer_norm_elementwise_affine");
    config->norm_has_bias = !config->norm_is_bare;
    return STATUS_OK;
}

/* Old models norm once for both blocks, or one after the other; new ones twice, or once. transformers builds some
 * mixtures that it cannot run. */
Status config_prepare_falcon(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char NORMS[] = "num_ln_in_parallel_attn";
    const bool is_new = config_bool(reader, "new_decoder_architecture"),
               is_parallel = config_bool(reader, "parallel_attn");
    const cJSON *item = config_find(reader, NORMS);
    uint64_t norms = is_new ? 2 : 1;
    if (item != NULL && !json_read_count(item, &norms)) norms = 0;
    config->wiring = is_parallel ? WIRING_PARALLEL : WIRING_SEQUENTIAL;
    config->norms = is_parallel && !(is_new && norms == 2) ? NORMS_ONE : NORMS_BEFORE;
    if (is_new && (!is_parallel || norms < 1 || norms > 2))
        return refuse(reader, NORMS, "the new architecture is known with parallel blocks of one norm or two",
                      error);
    if (!is_new && is_parallel && norms == 2)
        return refuse(reader, NORMS, "two norms are known of the new architecture only", error);
    uint64_t stated = config->kv_heads;
    item = config_find(reader, "num_kv_heads");
    bool reads_all =
        !is_new && !config_bool(reader, "multi_query"); /* then the key counts them, and must be right */
    if (reads_all && item != NULL && (!json_read_count(item, &stated) || stated != config->heads))
        return refuse(reader, "num_kv_heads", "without multi_query, as many as heads", error);
    return STATUS_OK;
}

Status config_prepare_codegen(const ConfigReader *reader, ModelConfig *config, Error *error) {
    return config->heads % 4 == 0
               ? STATUS_OK
               : refuse(reader, "n_head",
                        "expected a multiple of 4: the matrix of all three has four quarters", error);
}

/* The heads of layers that see all: of each override, which must be one and the same, or by keys of their own. */
static Status read_global_heads(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const cJSON *overrides = json_find_any(reader->json, "per_layer_config"), *layer, *item;
    const char *from;
    bool has_own = config_bool(reader, "attention_k_eq_v") &&
                   config_find_stated(reader, "num_global_key_value_heads") != NULL;
    if (overrides == NULL) {
        uint64_t otherwise = config_find_stated(reader, "global_head_dim") == NULL ? 512 : 0;
        Status status =
            config_read_size(reader, "global_head_dim", otherwise, &config->whole.head_dim, &from, error);
        if (status != STATUS_OK || !has_own) return status;
        return config_read_size(reader, "num_global_key_value_heads", config->kv_heads,
                                &config->whole.kv_heads, &from, error);
    }
    cJSON_ArrayForEach(layer, overrides) {
        LayerHeads heads = config->sliding;
        if (!cJSON_IsObject(layer))
            return refuse(reader, "per_layer_config", "expected an object for each layer", error);
        cJSON_ArrayForEach(item, layer) {
            uint64_t *into = strcmp(item->string, "head_dim") == 0              ? &heads.head_dim
                             : strcmp(item->string, "num_key_value_heads") == 0 ? &heads.kv_heads
                                                                                : NULL;
            if (into == NULL || !json_read_count(item, into) || *into == 0 || *into > CONFIG_LARGEST_SIZE)
                return refuse(reader, "per_layer_config", "only sizes of heads are known", error);
        }
        if (layer != overrides->child && memcmp(&heads, &config->whole, sizeof heads) != 0)
            return refuse(reader, "per_layer_config", "more than one size of heads is not known", error);
        config->whole = heads;
    }
    return STATUS_OK;
}

Status config_prepare_gemma4(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const char *way = config_text(reader, "use_bidirectional_attention"); /* "vision" is of pictures */
    const cJSON *shared = config_find(reader, "num_kv_shared_layers"),
                *own = config_find(reader, "hidden_size_per_layer_input");
    uint64_t vocabulary = config->vocabulary;
    if (way != NULL && strcmp(way, "vision") != 0)
        return refuse(reader, "use_bidirectional_attention", "attention both ways is not known", error);
    Status status = read_global_heads(reader, config, error);
    if (status != STATUS_OK) return status;
    if (config->heads % config->whole.kv_heads != 0 || config->whole.head_dim % 2 != 0 ||
        config->whole.head_dim * config->heads > CONFIG_LARGEST_SIZE)
        return refuse(reader, "global_head_dim", "expected heads that share keys, of even size", error);
    if (config->whole.head_dim > config->head_dim) config->head_dim = config->whole.head_dim;
    if (config->whole.kv_heads > config->kv_heads) config->kv_heads = config->whole.kv_heads;
    if (!json_read_count(shared, &config->shared_layers) || config->shared_layers >= config->layers)
        return refuse(reader, "num_kv_shared_layers", "expected less than there are layers", error);
    if (!json_read_count(own, &config->layer_input_size) ||
        config->layer_input_size > CONFIG_LARGEST_SIZE / MODEL_MAX_LAYERS)
        return refuse(reader, "hidden_size_per_layer_input", "expected a count", error);
    config->layer_vocabulary = config->vocabulary;
    const cJSON *item = config_find(reader, "vocab_size_per_layer_input");
    if (config->layer_input_size > 0 &&
        (!json_read_count(item, &vocabulary) || vocabulary != config->vocabulary))
        return refuse(reader, "vocab_size_per_layer_input", "another than vocab_size is not known", error);
    return STATUS_OK;
}

/* Everything else that attn_config says, and learned_pos_emb, expansion_ratio, logit_scale, no_bias and norm_type, is not
 * read by transformers either. */
Status config_prepare_mpt(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const cJSON *own = config_find(reader, "attn_config"), *clip = json_find_any(own, "clip_qkv"),
                *scale = json_find_any(own, "softmax_scale");
    if (cJSON_IsNumber(clip)) config->clip = clip->valuedouble;
    if (cJSON_IsNumber(scale)) config->attention_scale = scale->valuedouble;
    const cJSON *text = json_find_any(own, "attn_type");
    if (!(config->clip >= 0.0) || !isfinite(config->clip) || !isfinite(config->attention_scale))
        return refuse(reader, "attn_config", "expected clip_qkv and softmax_scale to be usable", error);
    if (text != NULL && (!cJSON_IsString(text) || strcmp(text->valuestring, "multihead_attention") != 0))
        return refuse(reader, "attn_config", "an attn_type other than multihead_attention is not known",
                      error);
    return STATUS_OK;
}

/* The position that padding would have is zero. */
Status config_prepare_xglm(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const cJSON *pad = config_find(reader, "pad_token_id");
    uint64_t row;
    if (config->hidden_size < 4) return refuse(reader, "d_model", "expected at least 4", error);
    if (pad == NULL) return STATUS_OK;
    if (!json_read_count(pad, &row)) return refuse(reader, "pad_token_id", "expected a count", error);
    config->blank_position = row;
    return STATUS_OK;
}

/* With slices transformers multiplies without the biases of dense and dense_4h_to_h. */
Status config_prepare_bloom(const ConfigReader *reader, ModelConfig *config, Error *error) {
    (void)config;
    if (!config_bool(reader, "slow_but_exact") || config_number(reader, "pretraining_tp", 1.0) <= 1.0)
        return STATUS_OK;
    return refuse(reader, "slow_but_exact", "products in slices are not known", error);
}

Status config_prepare_internlm3(const ConfigReader *reader, ModelConfig *config, Error *error) {
    (void)config;
    return config_bool(reader, "attention_bias") == config_bool(reader, "mlp_bias")
               ? STATUS_OK
               : refuse(reader, "qkv_bias", "expected what \"bias\" is", error);
}

Status config_prepare_lfm2_moe(const ConfigReader *reader, ModelConfig *config, Error *error) {
    (void)config;
    const cJSON *ties = json_find_any(reader->json, "tie_embedding");
    if (ties == NULL || cJSON_IsBool(ties)) return STATUS_OK;
    return status_fail(error, STATUS_FORMAT, "%s: expected \"tie_embedding\" to be true or false",
                       reader->origin);
}

/* Of Llama 1: two thirds of the width, times a factor, as a multiple. Python cuts both to whole numbers. */
Status config_prepare_lfm2(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char ADJUSTS[] = "block_auto_adjust_ff_dim", FACTOR[] = "block_ffn_dim_multiplier",
                      MULTIPLE[] = "block_multiple_of";
    const char *from;
    uint64_t multiple;
    Status status = config_prepare_lfm2_moe(reader, config, error);
    if (status != STATUS_OK) return status;
    if (!config_is_truthy(config_find(reader, ADJUSTS))) return STATUS_OK;
    config->intermediate_size = 2 * config->intermediate_size / 3;
    if (config_find(reader, FACTOR) != NULL) {
        double factor = config_number(reader, FACTOR, 1.0);
        if (!(factor > 0.0 && factor <= 1e6)) return refuse(reader, FACTOR, "expected more than 0", error);
        status = config_read_size(reader, MULTIPLE, 0, &multiple, &from, error);
        if (status != STATUS_OK) return status;
        config->intermediate_size = (uint64_t)(factor * (double)config->intermediate_size);
        config->intermediate_size = (config->intermediate_size + multiple - 1) / multiple * multiple;
    }
    return config->intermediate_size > 0 && config->intermediate_size <= CONFIG_LARGEST_SIZE
               ? STATUS_OK
               : refuse(reader, ADJUSTS, "expected it to leave a width", error);
}

/* Factors of what goes into blocks and comes out of them; keys are multiplied before they turn, which scores are linear in. */
Status config_prepare_falcon_h1(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char MLP[] = "mlp_multipliers";
    const struct {
        const char *key;
        double *value;
    } factors[] = {{"attention_in_multiplier", &config->attention_in_scale},
                   {"attention_out_multiplier", &config->attention_out_scale}};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        *factors[i].value = config_number(reader, factors[i].key, 1.0);
        if (!isfinite(*factors[i].value)) return refuse(reader, factors[i].key, "expected a number", error);
    }
    config->attention_scale *= config_number(reader, "key_multiplier", 1.0);
    if (!isfinite(config->attention_scale))
        return refuse(reader, "key_multiplier", "expected a number", error);
    const cJSON *mlp = config_find(reader, MLP);
    if (mlp == NULL) return STATUS_OK;
    const cJSON *gate = cJSON_GetArrayItem(mlp, 0), *down = cJSON_GetArrayItem(mlp, 1);
    if (cJSON_GetArraySize(mlp) != 2 || !cJSON_IsNumber(gate) || !cJSON_IsNumber(down) ||
        !isfinite(gate->valuedouble) || !isfinite(down->valuedouble))
        return refuse(reader, MLP, "expected two numbers", error);
    config->gate_scale = gate->valuedouble;
    config->mlp_scale = down->valuedouble;
    return STATUS_OK;
}

/* The embedding is made with a row for padding, the class's where config.json states none; torch wants it within. */
static Status check_padding(const ConfigReader *reader, const ModelConfig *config, Error *error) {
    static const char KEY[] = "pad_token_id";
    const cJSON *item = config_find(reader, KEY);
    uint64_t row;
    bool is_within = json_read_count(item, &row) && row < config->vocabulary;
    return item == NULL || is_within ? STATUS_OK : refuse(reader, KEY, "expected a token, or null", error);
}

/* Layers that predict further tokens are left out, but counted. */
Status config_prepare_bailing_hybrid(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char KEY[] = "num_mtp_layers";
    uint64_t count;
    if (!json_read_count(config_find(reader, KEY), &count))
        return refuse(reader, KEY, "expected a count", error);
    return check_padding(reader, config, error);
}

Status config_prepare_kimi_linear(const ConfigReader *reader, ModelConfig *config, Error *error) {
    return check_padding(reader, config, error);
}

/* A base of null, inside the parameters or, where they state none, beside them: nothing turns. */
Status config_prepare_olmo_hybrid(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char THETA[] = "rope_theta";
    const cJSON *inside = json_find_any(reader->json, "rope_scaling");
    if (!config_is_truthy(inside)) inside = json_find_any(reader->json, "rope_parameters");
    const cJSON *theta = json_find_any(inside, THETA);
    if (theta == NULL) theta = json_find_any(reader->json, THETA);
    config->is_unturned = cJSON_IsNull(theta);
    return check_padding(reader, config, error);
}

/* Its head is its own, and clips are of attention's own object. */
Status config_prepare_dbrx(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const cJSON *clip = config_find(reader, "attn_config.clip_qkv");
    if (config_bool(reader, "tie_word_embeddings"))
        return refuse(reader, "tie_word_embeddings", "expected false", error);
    if (config_find(reader, "attn_config.kv_n_heads") == NULL)
        return refuse(reader, "attn_config.kv_n_heads", "expected a count", error);
    config->clip = cJSON_IsNumber(clip) ? clip->valuedouble : NAN;
    return config->clip > 0.0 && isfinite(config->clip)
               ? STATUS_OK
               : refuse(reader, "attn_config.clip_qkv", "expected a number above 0", error);
}

/* Layers that slide have twice as many key heads. */
Status config_prepare_mimo(const ConfigReader *reader, ModelConfig *config, Error *error) {
    uint64_t sliding = 2 * config->kv_heads;
    if (config->heads % sliding != 0 || config->head_dim > CONFIG_LARGEST_SIZE / config->heads)
        return refuse(reader, "num_key_value_heads", "expected heads that share twice as many", error);
    config->sliding.kv_heads = config->kv_heads = sliding;
    return STATUS_OK;
}

/* Only they have sinks. */
Status config_read_mimo_layer(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                              LayerPlan *plan, Error *error) {
    (void)reader, (void)config, (void)layer, (void)error;
    if (plan->window == 0) part_set_drop(&plan->parts, TENSOR_PART_SINKS);
    return STATUS_OK;
}

/* Where a layer is sparse, an indexer chooses blocks of keys: all of them of a text of no more. */
Status config_prepare_minimax3(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char BLOCKS[] = "index_topk_blocks", SIZE[] = "index_block_size";
    const cJSON *type, *types = config_find(reader, "layer_types");
    const char *from;
    uint64_t blocks, size;
    Status status = config_read_size(reader, BLOCKS, 0, &blocks, &from, error);
    if (status == STATUS_OK) status = config_read_size(reader, SIZE, 0, &size, &from, error);
    if (status != STATUS_OK) return status;
    cJSON_ArrayForEach(type, types) {
        if (!cJSON_IsString(type) || strcmp(type->valuestring, "minimax_m3_sparse") != 0) continue;
        config->sparse_from = blocks * size; /* both are at most 2³⁰ */
        config->sparse_key = BLOCKS;
    }
    return STATUS_OK;
}

Status config_read_minimax3_layer(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                                  LayerPlan *plan, Error *error) {
    (void)config, (void)layer;
    plan->glu_limit = config_number(reader, "swiglu_limit", 7.0);
    plan->glu_alpha = config_number(reader, "swiglu_alpha", 1.702);
    return plan->glu_limit > 0.0 && isfinite(plan->glu_limit) && isfinite(plan->glu_alpha)
               ? STATUS_OK
               : refuse(reader, "swiglu_limit", "expected a number above 0", error);
}

/* Half of the width is the gate's; √hidden_size is rounded to bfloat16, to the nearest, a tie to the even one. */
Status config_prepare_recurrent_gemma(const ConfigReader *reader, ModelConfig *config, Error *error) {
    float root = (float)config->embedding_scale;
    uint32_t bits;
    memcpy(&bits, &root, sizeof bits);
    bits = (bits + 0x7FFFU + (bits >> 16 & 1U)) & 0xFFFF0000U;
    memcpy(&root, &bits, sizeof root);
    config->embedding_scale = (double)root;
    config->intermediate_size /= 2;
    return config->intermediate_size > 0 ? STATUS_OK
                                         : refuse(reader, "intermediate_size", "expected at least 2", error);
}

/* Heads of each layer, where they are stated; what attention gives is gated by head, unless something else is asked for. */
Status config_prepare_laguna(const ConfigReader *reader, ModelConfig *config, Error *error) {
    static const char HEADS[] = "num_attention_heads_per_layer";
    const cJSON *gating = config_find(reader, "gating"), *heads = config_find(reader, HEADS), *item;
    config->gate_is_softplus = true;
    config->gates_heads =
        cJSON_IsTrue(gating) || (cJSON_IsString(gating) && strcmp(gating->valuestring, "per-head") == 0);
    if (heads == NULL) return STATUS_OK;
    uint64_t count = 0, own;
    config->heads = 0;
    cJSON_ArrayForEach(item, heads) {
        if (!json_read_count(item, &own) || own == 0 || own % config->kv_heads != 0 ||
            own > CONFIG_LARGEST_SIZE / config->head_dim)
            return refuse(reader, HEADS, "expected multiples of the key heads", error);
        if (own > config->heads) config->heads = own;
        count++;
    }
    return count == config->layers ? STATUS_OK : refuse(reader, HEADS, "expected one for each layer", error);
}

Status config_read_laguna_layer(const ConfigReader *reader, const ModelConfig *config, uint64_t layer,
                                LayerPlan *plan, Error *error) {
    const cJSON *heads = config_find(reader, "num_attention_heads_per_layer");
    (void)config;
    (void)error;
    if (heads != NULL) (void)json_read_count(cJSON_GetArrayItem(heads, (int)layer), &plan->heads);
    return STATUS_OK;
}

/* transformers refuses both too. */
Status config_prepare_diffllama(const ConfigReader *reader, ModelConfig *config, Error *error) {
    if (config->kv_heads % 2 != 0)
        return refuse(reader, "num_key_value_heads", "expected an even count", error);
    return config_number(reader, "attention_dropout", 0.0) > 0.0
               ? refuse(reader, "attention_dropout", "expected none", error)
               : STATUS_OK;
}

/* Its router reads the scores of all tokens of a call as if those of the first half were of one kind and those of the
 * second of the other: a token's experts depend on later ones, and on how a text is cut into calls. */
Status config_prepare_doge(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const char *from;
    if (config_bool(reader, "is_moe"))
        return refuse(
            reader, "is_moe",
            "experts that are chosen by scores of later tokens, as transformers does, are not known", error);
    return config_read_size(reader, "keep_window_size", 0, &config->kept_keys, &from, error);
}
