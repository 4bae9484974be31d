#include "core/checkpoint/config_internal.h"

#include <stdio.h>
#include <string.h>

/* One row a model type, as transformers 5.24 computes it: what its modeling file says, in this table's words. Values
 * that config.json may leave out are in config_class_table.c. */

#define LLAMA_LIKE                                                                                           \
    .mlp = MLP_GATED, .qkv_bias = BIAS_IF("attention_bias"), .o_bias = BIAS_IF("attention_bias")

/* The same without a gate. */
#define LLAMA_PLAIN                                                                                          \
    .mlp = MLP_PLAIN, .qkv_bias = BIAS_IF("attention_bias"), .o_bias = BIAS_IF("attention_bias")

/* Gemma: weights are γ − 1, embeddings are scaled by the width. */
#define GEMMA_LIKE                                                                                           \
    .norm_adds_one = true, .embedding_by_width = ALWAYS, .mlp = MLP_GATED,                                   \
    .qkv_bias = BIAS_IF("attention_bias"), .o_bias = BIAS_IF("attention_bias"),                              \
    .refused_key = "use_bidirectional_attention"

/* Its first release called the activation "gelu" and meant the other one. */
static Status refine_gemma(const ConfigReader *reader, ModelConfig *config, Error *error) {
    const char *name = config_text(reader, "hidden_act");
    (void)error;
    if (name != NULL && strcmp(name, "gelu") == 0) config->activation = ACTIVATION_GELU_TANH;
    return STATUS_OK;
}

static const Architecture ARCHITECTURES[] = {
    {.model_type = "llama",
     LLAMA_LIKE,
     .mlp_bias = BIAS_IF("mlp_bias"),
     .whole_heads = true,
     .checks_range = true},
    {.model_type = "mistral", .mlp = MLP_GATED, .window = WINDOW_MISTRAL},
    {.model_type = "qwen2", .mlp = MLP_GATED, .qkv_bias = ALWAYS, .window = WINDOW_QWEN},
    {.model_type = "qwen3", LLAMA_LIKE, .qk_norm = QK_NORM_HEAD, .window = WINDOW_QWEN},
    {.model_type = "ministral", .mlp = MLP_GATED, .window = WINDOW_TYPES},
    {.model_type = "gemma", GEMMA_LIKE, .refine = refine_gemma},
    {.model_type = "gemma2",
     GEMMA_LIKE,
     .norms = NORMS_AROUND,
     .scalar_key = "query_pre_attn_scalar",
     .cap_key = "attn_logit_softcapping",
     .logit_cap_key = "final_logit_softcapping",
     .window = WINDOW_TYPES,
     .pattern = 2,
     .activation_key = "hidden_activation",
     .whole_heads = true},
    {.model_type = "gemma3_text",
     GEMMA_LIKE,
     .norms = NORMS_AROUND,
     .qk_norm = QK_NORM_HEAD,
     .scalar_key = "query_pre_attn_scalar",
     .logit_cap_key = "final_logit_softcapping",
     .rope = ROPE_RULE_TYPES,
     .local_theta_key = "rope_local_base_freq",
     .window = WINDOW_TYPES,
     .pattern_key = "sliding_window_pattern",
     .pattern = 6,
     .activation_key = "hidden_activation",
     .whole_heads = true},
    {.model_type = "vaultgemma",
     GEMMA_LIKE,
     .scalar_key = "query_pre_attn_scalar",
     .cap_key = "attn_logit_softcapping",
     .logit_cap_key = "final_logit_softcapping",
     .window = WINDOW_TYPES,
     .pattern = 2,
     .activation_key = "hidden_activation",
     .whole_heads = true},
    {.model_type = "phi3",
     .qkv = QKV_STACKED,
     .mlp = MLP_GATED,
     .is_fused_mlp = true,
     .is_partial = true,
     .only_longrope = true,
     .window = WINDOW_ALWAYS},
    {.model_type = "granite",
     LLAMA_LIKE,
     .mlp_bias = BIAS_IF("mlp_bias"),
     .embedding_key = "embedding_multiplier",
     .residual_key = "residual_multiplier",
     .logit_divisor = "logits_scaling",
     .scale_key = "attention_multiplier"},
    {.model_type = "smollm3",
     LLAMA_LIKE,
     .mlp_bias = BIAS_IF("mlp_bias"),
     .rope = ROPE_RULE_LIST,
     .window = WINDOW_UNTURNED},
    {.model_type = "olmo",
     LLAMA_LIKE,
     .norm = NORM_LAYER,
     .norm_is_bare = true,
     .epsilon = 1e-5,
     .clip_key = "clip_qkv"},
    {.model_type = "olmo2", LLAMA_LIKE, .norms = NORMS_BEHIND, .qk_norm = QK_NORM_WHOLE},
    {.model_type = "olmo3",
     LLAMA_LIKE,
     .norms = NORMS_BEHIND,
     .qk_norm = QK_NORM_WHOLE,
     .rope = ROPE_RULE_TYPES,
     .window = WINDOW_TYPES,
     .pattern = 4},
    {.model_type = "exaone4",
     .norms = NORMS_BEHIND,
     .mlp = MLP_GATED,
     .qk_norm = QK_NORM_HEAD,
     .rope = ROPE_RULE_WINDOW,
     .window = WINDOW_TYPES,
     .pattern_key = "sliding_window_pattern",
     .pattern = 4},
    {.model_type = "cohere",
     LLAMA_LIKE,
     .norm = NORM_LAYER,
     .norms = NORMS_ONE,
     .wiring = WIRING_PARALLEL,
     .epsilon_key = "layer_norm_eps",
     .logit_key = "logit_scale",
     .qk_norm = QK_NORM_EACH,
     .qk_norm_key = "use_qk_norm",
     .is_interleaved = true},
    {.model_type = "cohere2",
     LLAMA_LIKE,
     .norm = NORM_LAYER,
     .norms = NORMS_ONE,
     .wiring = WIRING_PARALLEL,
     .epsilon_key = "layer_norm_eps",
     .logit_key = "logit_scale",
     .is_interleaved = true,
     .derives_head_dim = true,
     .rope = ROPE_RULE_SLIDING,
     .window = WINDOW_TYPES,
     .pattern_key = "sliding_window_pattern",
     .pattern = 4},
    {.model_type = "glm",
     .mlp = MLP_GATED,
     .is_fused_mlp = true,
     .qkv_bias = BIAS_IF("attention_bias"),
     .is_interleaved = true,
     .is_partial = true,
     .default_partial = 0.5},
    {.model_type = "glm4",
     .norms = NORMS_AROUND,
     .mlp = MLP_GATED,
     .is_fused_mlp = true,
     .qkv_bias = BIAS_IF("attention_bias"),
     .is_interleaved = true,
     .is_partial = true,
     .default_partial = 0.5},
    {.model_type = "arcee",
     .mlp = MLP_PLAIN,
     .qkv_bias = BIAS_IF("attention_bias"),
     .o_bias = BIAS_IF("attention_bias"),
     .mlp_bias = BIAS_IF("mlp_bias"),
     .whole_heads = true},
    {.model_type = "helium",
     .mlp = MLP_GATED,
     .mlp_bias = BIAS_IF("mlp_bias"),
     .qkv_bias = BIAS_IF("attention_bias"),
     .is_interleaved = true},
    {.model_type = "ernie4_5",
     .mlp = MLP_GATED,
     .qkv_bias = BIAS_IF("use_bias"),
     .o_bias = BIAS_IF("use_bias"),
     .mlp_bias = BIAS_IF("use_bias"),
     .is_interleaved = true},
    {.model_type = "hunyuan_v1_dense", LLAMA_LIKE, .qk_norm = QK_NORM_HEAD, .qk_norm_follows_rope = true},
    {.model_type = "seed_oss",
     .mlp = MLP_GATED,
     .qkv_bias = BIAS_IF("attention_bias"),
     .o_bias = BIAS_IF("attention_out_bias"),
     .mlp_bias = BIAS_IF("mlp_bias")},
    {.model_type = "starcoder2",
     .norm = NORM_LAYER,
     .norm_has_bias = true,
     .epsilon_key = "norm_epsilon",
     .mlp = MLP_PLAIN,
     .qkv_bias = BIAS_IF("use_bias"),
     .o_bias = BIAS_IF("use_bias"),
     .mlp_bias = BIAS_IF("use_bias"),
     .window = WINDOW_ALWAYS},
    {.model_type = "nemotron",
     .norm = NORM_LAYER,
     .norm_adds_one = true,
     .norm_has_bias = true,
     .epsilon_key = "norm_eps",
     .mlp = MLP_PLAIN,
     .qkv_bias = BIAS_IF("attention_bias"),
     .o_bias = BIAS_IF("attention_bias"),
     .mlp_bias = BIAS_IF("mlp_bias"),
     .is_partial = true,
     .default_partial = 0.5},
    {.model_type = "apertus",
     LLAMA_PLAIN,
     .qk_norm = QK_NORM_HEAD,
     .default_rope =
         "{\"rope_type\": \"llama3\", \"rope_theta\": 12000000.0, \"factor\": 8.0, "
         "\"original_max_position_embeddings\": 8192, \"low_freq_factor\": 1.0, \"high_freq_factor\": 4.0}"},
    {.model_type = "ministral3",
     .mlp = MLP_GATED,
     .window = WINDOW_ALWAYS,
     .growth_key = "llama_4_scaling_beta",
     .default_rope = "{\"type\": \"yarn\", \"rope_theta\": 1000000.0, \"factor\": 16.0, "
                     "\"original_max_position_embeddings\": 16384, \"beta_fast\": 32.0, \"beta_slow\": 1.0, "
                     "\"mscale_all_dim\": 1.0, \"mscale\": 1.0, \"llama_4_scaling_beta\": 0.1}"},
    {.model_type = "nanochat",
     LLAMA_PLAIN,
     .norm_is_bare = true,
     .has_embedding_norm = true,
     .qk_norm = QK_NORM_HEAD,
     .qk_norm_is_bare = true,
     .qk_norm_follows_rope = true,
     .is_reversed = true,
     .logit_cap_key = "final_logit_softcapping"},
    {.model_type = "diffllama", LLAMA_LIKE, .is_differential = true, .prepare = config_prepare_diffllama},
    {.model_type = "bitnet", LLAMA_LIKE, .has_mixed_norm = true, .has_activated_norm = true},
    {.model_type = "internlm3",
     LLAMA_LIKE,
     .mlp_bias = BIAS_IF("mlp_bias"),
     .whole_heads = true,
     .prepare = config_prepare_internlm3},
    {.model_type = "exaone", LLAMA_LIKE, .mlp_bias = BIAS_IF("mlp_bias"), .whole_heads = true},
    {.model_type = "iquestcoder",
     LLAMA_LIKE,
     .refused = {"clip_qkv", "use_sliding_window"},
     .mlp_bias = BIAS_IF("mlp_bias"),
     .whole_heads = true},
    {.model_type = "hyperclovax",
     LLAMA_LIKE,
     .post_norm_key = "use_post_norm",
     .mlp_bias = BIAS_IF("mlp_bias"),
     .embedding_key = "embedding_multiplier",
     .residual_key = "residual_multiplier",
     .logit_key = "logits_scaling",
     .scale_key = "attention_multiplier",
     .whole_heads = true},
    {.model_type = "granite_swa",
     LLAMA_LIKE,
     .mlp_bias = BIAS_IF("mlp_bias"),
     .embedding_key = "embedding_multiplier",
     .residual_key = "residual_multiplier",
     .logit_divisor = "logits_scaling",
     .scale_key = "attention_multiplier",
     .has_sinks = true,
     .rope = ROPE_RULE_THETAS,
     .window = WINDOW_TYPES,
     .pattern = 4,
     .pattern_is_first = true,
     .needs_window = true},
    {.model_type = "gemma4_text",
     LLAMA_LIKE,
     .refused = {"enable_moe_block"},
     .has_global_heads = true,
     .norms = NORMS_AROUND,
     .embedding_by_width = ALWAYS,
     .logit_cap_key = "final_logit_softcapping",
     .qk_norm = QK_NORM_HEAD,
     .is_unscaled = true,
     .norms_values = true,
     .values_are_keys = "attention_k_eq_v",
     .shared_key = "num_kv_shared_layers",
     .states_ropes_by_type = true,
     .rope = ROPE_RULE_TYPES,
     .default_rope = "{\"sliding_attention\": {\"rope_type\": \"default\", \"rope_theta\": 10000.0}, "
                     "\"full_attention\": {\"rope_type\": \"proportional\", \"partial_rotary_factor\": 0.25, "
                     "\"rope_theta\": 1000000.0}}",
     .window = WINDOW_TYPES,
     .pattern = 6,
     .last_is_whole = true,
     .activation_key = "hidden_activation",
     .double_key = "use_double_wide_mlp",
     .has_layer_scale = true,
     .prepare = config_prepare_gemma4},
    {.model_type = "qwen2_vl_text",
     .mlp = MLP_GATED,
     .qkv_bias = ALWAYS,
     .has_mrope = true,
     .window = WINDOW_QWEN},
    {.model_type = "qwen2_5_vl_text",
     .mlp = MLP_GATED,
     .qkv_bias = ALWAYS,
     .has_mrope = true,
     .window = WINDOW_QWEN},
    {.model_type = "qwen3_vl_text", LLAMA_LIKE, .qk_norm = QK_NORM_HEAD, .has_mrope = true},
    /* models around a text model: their text is run, what else they have is compared, fused and exported */
    {.model_type = "gemma3", .text_type = "gemma3_text"},
    {.model_type = "gemma4", .text_type = "gemma4_text"},
    /* its prompt attends both ways where its processor says so, not by itself */
    {.model_type = "paligemma", .text_type = "gemma", .lifts_refusal = true},
    {.model_type = "llava", .text_type = "llama"},
    {.model_type = "llava_next", .text_type = "llama"},
    {.model_type = "llava_onevision", .text_type = "qwen2"},
    {.model_type = "mistral3", .text_type = "mistral"},
    {.model_type = "qwen2_vl", .text_type = "qwen2_vl_text"},
    {.model_type = "qwen2_5_vl", .text_type = "qwen2_5_vl_text"},
    {.model_type = "qwen3_vl", .text_type = "qwen3_vl_text"},
    {.model_type = "smolvlm", .text_type = "llama"},
    {.model_type = "idefics3", .text_type = "llama"},
    {.model_type = "internvl", .text_type = "qwen2"},
};

const Architecture *architecture_at(size_t index) {
    const size_t count = sizeof ARCHITECTURES / sizeof *ARCHITECTURES;
    if (index < count) return &ARCHITECTURES[index];
    return index - count < ARCHITECTURES_GPT_COUNT ? &ARCHITECTURES_GPT[index - count] : NULL;
}

const Architecture *architecture_find(const char *model_type) {
    const Architecture *row;
    for (size_t i = 0; (row = architecture_at(i)) != NULL; i++) {
        if (strcmp(model_type, row->model_type) == 0) return row;
    }
    return NULL;
}

/* ---- in words ---- */

typedef struct Words {
    char *text;
    size_t size, used;
} Words;

static void add_words(Words *words, const char *format, const char *argument) {
    if (words->used + 1 >= words->size) return;
    if (words->used > 0)
        words->used += (size_t)snprintf(words->text + words->used, words->size - words->used, "; ");
    if (words->used + 1 >= words->size) return;
    words->used += (size_t)snprintf(words->text + words->used, words->size - words->used, format, argument);
}

void architecture_describe(const Architecture *architecture, char *text, size_t size) {
    static const char *const PLACES[] = {[NORMS_BEFORE] = "before both blocks",
                                         [NORMS_AROUND] = "before and behind both blocks",
                                         [NORMS_BEHIND] = "behind both blocks",
                                         [NORMS_ONE] = "before both blocks, one for both"};
    Words words = {text, size, 0};
    if (size > 0) *text = '\0';
    if (architecture->text_type != NULL) {
        add_words(&words, "the text of a larger model: %s, or what text_config says",
                  architecture->text_type);
        return;
    }
    add_words(&words, architecture->norm == NORM_LAYER ? "LayerNorm %s" : "RMSNorm %s",
              PLACES[architecture->norms]);
    if (architecture->wiring == WIRING_PARALLEL) add_words(&words, "blocks %s", "side by side");
    if (architecture->qkv != QKV_PARTED) add_words(&words, "%s in one matrix", "q, k and v");
    if (architecture->qk_norm != QK_NORM_NONE)
        add_words(&words, "q and k normed%s", architecture->qk_norm_key != NULL ? " if asked" : "");
    if (architecture->cap_key != NULL) add_words(&words, "scores %s", "capped");
    if (architecture->window != WINDOW_NEVER)
        add_words(&words, "windows%s", architecture->window == WINDOW_TYPES ? " in some layers" : "");
    if (architecture->rope == ROPE_RULE_NONE) add_words(&words, "no %s", "rotary embedding");
    add_words(&words, "%s MLP", architecture->mlp == MLP_GATED ? "gated" : "plain");
}

const char *architecture_name(const Architecture *architecture) {
    return architecture == NULL ? "unknown" : architecture->model_type;
}
